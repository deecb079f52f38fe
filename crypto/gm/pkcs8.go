package gm

import (
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/emmansun/gmsm/pkcs"
	"github.com/emmansun/gmsm/pkcs8"
)

const (
	// pbkdf2Iterations is what MarshalPKCS8PEM spends on a passphrase.
	pbkdf2Iterations = 600_000
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

// ParsePKCS8PEM reads the first PEM block of text, a PKCS#8 SM2 key and nothing behind it. An encrypted one needs the
// passphrase; for a plain one the passphrase is not looked at. Encrypted ones are read by PBES2 with PBKDF2, at most
// maxIterations of HMAC with SHA-256, SHA-512 or SM3, and SM4 or AES in CBC mode. ErrKeyFile, ErrPassphrase or ErrWeakKey.
func ParsePKCS8PEM(text, passphrase []byte) (*PrivateKey, error) {
	if len(text) > maxKeyPEM {
		return nil, ErrKeyFile
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, ErrKeyFile
	}
	if block.Type == pemKey {
		return parseKeyInfo(block.Bytes)
	}
	if block.Type != pemEncryptedKey {
		return nil, ErrKeyFile
	}
	locked, ok := parseEncryptedKey(block.Bytes)
	if !ok {
		return nil, ErrKeyFile
	}
	if len(passphrase) == 0 {
		return nil, ErrPassphrase
	}
	der, ok := locked.open(passphrase)
	if !ok {
		return nil, ErrPassphrase
	}
	defer clear(der)
	key, err := parseKeyInfo(der)
	if errors.Is(err, ErrKeyFile) { // padding came out right by chance
		return nil, ErrPassphrase
	}
	return key, err
}

// IsEncryptedPEM reports whether text is an encrypted key file, so that a caller knows to ask for a passphrase.
func IsEncryptedPEM(text []byte) bool {
	block, _ := pem.Decode(text)
	return block != nil && block.Type == pemEncryptedKey
}
