package gm

import (
	"crypto/ecdsa"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm2"
)

// Bounds of SM2 encryption, in bytes. It wraps keys, never documents; other implementations stop at 255.
const (
	MaxPlaintext  = 255
	MaxCiphertext = 1024
)

// Encrypt encrypts 1 to MaxPlaintext bytes for pub and returns SM2Cipher in ASN.1 form (GB/T 35276). A nil random means
// crypto/rand.
func Encrypt(random io.Reader, pub *ecdsa.PublicKey, plaintext []byte) ([]byte, error) {
	if err := CheckPublicKey(pub); err != nil {
		return nil, err
	}
	if len(plaintext) == 0 || len(plaintext) > MaxPlaintext {
		return nil, fmt.Errorf("gm: SM2 encrypts 1 to %d bytes, not %d", MaxPlaintext, len(plaintext))
	}
	ct, err := sm2.EncryptASN1(orRand(random), pub, plaintext)
	if err != nil {
		return nil, fmt.Errorf("gm: SM2 encrypt: %w", err)
	}
	return ct, nil
}
