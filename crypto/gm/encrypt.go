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

// maxTries bounds how often Encrypt begins again; for one byte it does so once in 256 times, and for a key never.
const maxTries = 64

// Encrypt encrypts 1 to MaxPlaintext bytes for pub and returns SM2Cipher in ASN.1 form (GB/T 35276). A nil random means
// crypto/rand.
func Encrypt(random io.Reader, pub *ecdsa.PublicKey, plaintext []byte) ([]byte, error) {
	if err := CheckPublicKey(pub); err != nil {
		return nil, err
	}
	if len(plaintext) == 0 || len(plaintext) > MaxPlaintext {
		return nil, fmt.Errorf("gm: SM2 encrypts 1 to %d bytes, not %d", MaxPlaintext, len(plaintext))
	}
	for range maxTries {
		source := &draws{r: orRand(random)}
		ct, err := sm2.EncryptASN1(source, pub, plaintext)
		if err != nil {
			return nil, fmt.Errorf("gm: SM2 encrypt: %w", err)
		}
		if source.n <= 1 {
			return ct, nil
		}
	}
	return nil, fmt.Errorf("gm: SM2 encrypt: no usable k in %d tries", maxTries)
}

// draws counts how often a k is drawn. Where the derived key is all zeros (GB/T 32918.4 6.1 A5) the library draws another
// k, but goes on from a point that it has overwritten, and the ciphertext opens for nobody; so what took more than one
// draw is thrown away.
type draws struct {
	r io.Reader
	n int
}

func (d *draws) Read(p []byte) (int, error) {
	if len(p) >= ScalarSize {
		d.n++
	}
	return d.r.Read(p)
}
