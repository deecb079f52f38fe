package gm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"hash"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds on what an encrypted key file may ask of its reader.
const (
	maxIterations = 1_000_000
	maxSalt       = 1024
)

// Object identifiers of key files (RFC 8018, RFC 5958, RFC 5915).
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	keyFilePRFs = map[string]func() hash.Hash{
		"1.2.840.113549.2.9":    sha256.New,
		"1.2.840.113549.2.11":   sha512.New,
		"1.2.156.10197.1.401.2": sm3.New,
	}
	keyFileCiphers = map[string]keyFileCipher{
		"1.2.156.10197.1.104.2":   {sm4.NewCipher, 16},
		"2.16.840.1.101.3.4.1.2":  {aes.NewCipher, 16},
		"2.16.840.1.101.3.4.1.22": {aes.NewCipher, 24},
		"2.16.840.1.101.3.4.1.42": {aes.NewCipher, 32},
	}

	// sm2KeyAlgorithm is the AlgorithmIdentifier of an SM2 key, its tag included.
	sm2KeyAlgorithm = []byte{
		0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d,
	}
)

// keyFileCipher is a block cipher in CBC mode, all of which have blocks of 16 bytes here.
type keyFileCipher struct {
	make func(key []byte) (cipher.Block, error)
	size int // of the key
}

// encryptedKey is an EncryptedPrivateKeyInfo in PBES2 with PBKDF2.
type encryptedKey struct {
	salt       []byte
	iterations int
	prf        func() hash.Hash
	cipher     keyFileCipher
	iv, data   []byte
}

// parseEncryptedKey reads the frame of an encrypted key; what it does not know, or what would make the reader work for long, is
// refused before the passphrase is looked at.
func parseEncryptedKey(der cryptobyte.String) (*encryptedKey, bool) {
	var outer, alg, params, kdf, kdfParams, enc, iv, data cryptobyte.String
	var oid, kdfOID, encOID asn1.ObjectIdentifier
	if !der.ReadASN1(&outer, cbasn1.SEQUENCE) || !der.Empty() ||
		!outer.ReadASN1(&alg, cbasn1.SEQUENCE) || !outer.ReadASN1(&data, cbasn1.OCTET_STRING) || !outer.Empty() ||
		!alg.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidPBES2) || !alg.ReadASN1(&params, cbasn1.SEQUENCE) || !alg.Empty() ||
		!params.ReadASN1(&kdf, cbasn1.SEQUENCE) || !params.ReadASN1(&enc, cbasn1.SEQUENCE) || !params.Empty() ||
		!kdf.ReadASN1ObjectIdentifier(&kdfOID) || !kdfOID.Equal(oidPBKDF2) || !kdf.ReadASN1(&kdfParams, cbasn1.SEQUENCE) || !kdf.Empty() ||
		!enc.ReadASN1ObjectIdentifier(&encOID) || !enc.ReadASN1(&iv, cbasn1.OCTET_STRING) || !enc.Empty() {
		return nil, false
	}
	k := &encryptedKey{iv: iv, data: data}
	var known bool
	if k.cipher, known = keyFileCiphers[encOID.String()]; !known || len(iv) != aes.BlockSize || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, false
	}
	return k, k.parseKDF(kdfParams)
}

// parseKDF reads PBKDF2-params. Their default, HMAC with SHA-1, is not read.
func (k *encryptedKey) parseKDF(in cryptobyte.String) bool {
	var salt, prf, null cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&salt, cbasn1.OCTET_STRING) || len(salt) > maxSalt ||
		!in.ReadASN1Integer(&k.iterations) || k.iterations < 1 || k.iterations > maxIterations {
		return false
	}
	if in.PeekASN1Tag(cbasn1.INTEGER) {
		var size int
		if !in.ReadASN1Integer(&size) || size != k.cipher.size {
			return false
		}
	}
	if !in.ReadASN1(&prf, cbasn1.SEQUENCE) || !in.Empty() || !prf.ReadASN1ObjectIdentifier(&oid) ||
		!prf.Empty() && (!prf.ReadASN1(&null, cbasn1.NULL) || !null.Empty() || !prf.Empty()) {
		return false
	}
	k.salt, k.prf = salt, keyFilePRFs[oid.String()]
	return k.prf != nil
}

// open decrypts the key; false where the passphrase is another.
func (k *encryptedKey) open(passphrase []byte) ([]byte, bool) {
	secret, err := pbkdf2.Key(k.prf, string(passphrase), k.salt, k.iterations, k.cipher.size)
	if err != nil {
		return nil, false
	}
	defer clear(secret)
	block, err := k.cipher.make(secret)
	if err != nil {
		return nil, false
	}
	plain := make([]byte, len(k.data))
	cipher.NewCBCDecrypter(block, k.iv).CryptBlocks(plain, k.data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize || bytes.Count(plain[len(plain)-pad:], plain[len(plain)-1:]) != pad {
		clear(plain)
		return nil, false
	}
	return plain[:len(plain)-pad], true
}

// parseKeyInfo reads a PrivateKeyInfo with an SM2 key: ErrKeyFile, ErrWeakKey. A public key that stands beside it must be its own.
func parseKeyInfo(der cryptobyte.String) (*PrivateKey, error) {
	var outer, alg, wrapped, body, scalar cryptobyte.String
	var version, inner int64
	if !der.ReadASN1(&outer, cbasn1.SEQUENCE) || !der.Empty() || !outer.ReadASN1Integer(&version) || version != 0 && version != 1 ||
		!outer.ReadASN1Element(&alg, cbasn1.SEQUENCE) || !bytes.Equal(alg, sm2KeyAlgorithm) || !outer.ReadASN1(&wrapped, cbasn1.OCTET_STRING) ||
		!outer.SkipOptionalASN1(cbasn1.Tag(0xa0)) || !wrapped.ReadASN1(&body, cbasn1.SEQUENCE) || !wrapped.Empty() ||
		!body.ReadASN1Integer(&inner) || inner != 1 || !body.ReadASN1(&scalar, cbasn1.OCTET_STRING) || len(scalar) > ScalarSize {
		return nil, ErrKeyFile
	}
	d := make([]byte, ScalarSize)
	defer clear(d)
	copy(d[ScalarSize-len(scalar):], scalar)
	var curve, public cryptobyte.String
	var has bool
	if !body.ReadOptionalASN1(&curve, &has, cbasn1.Tag(0xa0)) || has && !bytes.Equal(curve, sm2KeyAlgorithm[11:]) ||
		!body.ReadOptionalASN1(&public, &has, cbasn1.Tag(0xa1)) || !body.Empty() {
		return nil, ErrKeyFile
	}
	key, err := ImportScalar(d)
	if err != nil {
		return nil, err
	}
	own := MarshalPublicKey(key.PublicKey())
	if has {
		var bits []byte
		if !public.ReadASN1BitStringAsBytes(&bits) || !public.Empty() || !bytes.Equal(bits, own) {
			return nil, ErrKeyFile
		}
	}
	if version == 1 { // the public key outside (RFC 5958)
		var bits cryptobyte.String
		if !outer.ReadOptionalASN1(&bits, &has, cbasn1.Tag(0x81)) || has && !bytes.Equal(bits, append([]byte{0}, own...)) {
			return nil, ErrKeyFile
		}
	}
	if !outer.Empty() {
		return nil, ErrKeyFile
	}
	return key, nil
}
