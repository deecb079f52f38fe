package gm

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/emmansun/gmsm/pkcs"
	"github.com/emmansun/gmsm/pkcs8"
	"github.com/emmansun/gmsm/sm2"
)

const (
	// pbkdf2Iterations is what MarshalPKCS8PEM spends on a passphrase.
	pbkdf2Iterations = 600_000
	// maxIterations bounds what a foreign key file may make ParsePKCS8PEM spend.
	maxIterations = 20_000_000
	// maxKeyPEM bounds a key file, in bytes.
	maxKeyPEM = 64 << 10

	pemKey          = "PRIVATE KEY"
	pemEncryptedKey = "ENCRYPTED PRIVATE KEY"
)

// Errors of reading key files.
var (
	// ErrKeyFile is returned for text that is not a PKCS#8 PEM file with an SM2 key.
	ErrKeyFile = errors.New("gm: not a PKCS#8 PEM file with an SM2 private key")
	// ErrPassphrase is returned when an encrypted key file does not open with the passphrase, or none was given.
	ErrPassphrase = errors.New("gm: key file does not open with this passphrase")
)

// MarshalPKCS8PEM writes the key as PKCS#8 PEM, encrypted if the passphrase is not empty: PBES2 with PBKDF2, HMAC-SHA-256
// and SM4-CBC. SHA-256 stands there because a key file travels, and OpenSSL does not know HMAC-SM3 in this place.
func MarshalPKCS8PEM(k *PrivateKey, passphrase []byte) ([]byte, error) {
	kind := pemKey
	var enc pkcs.PBESEncrypter
	if len(passphrase) > 0 {
		kind = pemEncryptedKey
		enc = pkcs.NewPBESEncrypter(pkcs.SM4CBC, pkcs.NewPBKDF2Opts(pkcs.SHA256, 16, pbkdf2Iterations))
	}
	der, err := pkcs8.MarshalPrivateKey(k.key, passphrase, enc)
	if err != nil {
		return nil, fmt.Errorf("marshal key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), nil
}

// ParsePKCS8PEM reads the first PEM block of text, a PKCS#8 SM2 key. An encrypted one needs the passphrase; for a plain
// one the passphrase is not looked at. ErrKeyFile, ErrPassphrase or ErrWeakKey.
func ParsePKCS8PEM(text, passphrase []byte) (*PrivateKey, error) {
	if len(text) > maxKeyPEM {
		return nil, ErrKeyFile
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, ErrKeyFile
	}
	var key *sm2.PrivateKey
	var err error
	switch block.Type {
	case pemKey:
		if key, err = pkcs8.ParsePKCS8PrivateKeySM2(block.Bytes); err != nil {
			return nil, ErrKeyFile
		}
	case pemEncryptedKey:
		if err := checkKDF(block.Bytes); err != nil {
			return nil, err
		}
		if len(passphrase) == 0 {
			return nil, ErrPassphrase
		}
		if key, err = pkcs8.ParsePKCS8PrivateKeySM2(block.Bytes, passphrase); err != nil {
			return nil, ErrPassphrase
		}
	default:
		return nil, ErrKeyFile
	}
	return ImportScalar(key.D.FillBytes(make([]byte, ScalarSize)))
}

// IsEncryptedPEM reports whether text is an encrypted key file, so that a caller knows to ask for a passphrase.
func IsEncryptedPEM(text []byte) bool {
	block, _ := pem.Decode(text)
	return block != nil && block.Type == pemEncryptedKey
}

// checkKDF refuses a key file that would make its reader work for ever: PBES2 with PBKDF2 and a bounded count alone.
func checkKDF(der []byte) error {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return ErrKeyFile
	}
	var params struct {
		KDF    pkix.AlgorithmIdentifier
		Cipher pkix.AlgorithmIdentifier
	}
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &params); err != nil {
		return ErrKeyFile
	}
	var kdf struct {
		Salt       []byte
		Iterations int
		Rest       asn1.RawValue `asn1:"optional"`
		PRF        asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(params.KDF.Parameters.FullBytes, &kdf); err != nil {
		return ErrKeyFile
	}
	if kdf.Iterations < 1 || kdf.Iterations > maxIterations {
		return ErrKeyFile
	}
	return nil
}
