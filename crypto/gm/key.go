package gm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"

	"github.com/emmansun/gmsm/sm2"
)

// ScalarSize is the size of a private key's scalar in bytes.
const ScalarSize = 32

// weakBytes is how many leading bytes of a scalar may not all be zero: a key below 2^32 was not drawn at random.
const weakBytes = ScalarSize - 4

// SignerOpt tells a key what it is given. It implements crypto.SignerOpts.
type SignerOpt int

const (
	// SignMessage: the data is the message; the key computes Z (DefaultID) and e itself.
	SignMessage SignerOpt = iota + 1
	// SignDigest: the data is e, 32 bytes, already computed with Z.
	SignDigest
)

// HashFunc returns 0: SM3 has no crypto.Hash number, and the key hashes itself where hashing is due.
func (SignerOpt) HashFunc() crypto.Hash { return 0 }

// OptsTakeMessage tells a key's handle what it was given: true for a message, false for a digest, ErrSignerOpts for
// options that say neither (nil among them). It also knows the option that gmsm's certificate code hands to signers, so
// that certificates and CRLs can be signed with any handle.
func OptsTakeMessage(opts crypto.SignerOpts) (bool, error) {
	switch o := opts.(type) {
	case SignerOpt:
		if o == SignMessage || o == SignDigest {
			return o == SignMessage, nil
		}
	case *sm2.SM2SignerOption:
		// Only the shared default is known to mean "message, default ID": the fields of others cannot be read.
		if o == sm2.DefaultSM2SignerOpts {
			return true, nil
		}
	}
	return false, ErrSignerOpts
}

// DigestFor is for signing handles: it applies opts to data and returns the e to be signed, under DefaultID.
func DigestFor(pub *ecdsa.PublicKey, data []byte, opts crypto.SignerOpts) (Digest, error) {
	takesMessage, err := OptsTakeMessage(opts)
	if err != nil {
		return Digest{}, err
	}
	if takesMessage {
		return ComputeDigest(pub, DefaultID, data)
	}
	var d Digest
	if len(data) != len(d) {
		return Digest{}, fmt.Errorf("%w: digest of %d bytes", ErrSignerOpts, len(data))
	}
	copy(d[:], data)
	return d, nil
}

// PrivateKey is an SM2 private key in memory: a crypto.Signer and a crypto.Decrypter. It prints as "redacted".
type PrivateKey struct {
	key *sm2.PrivateKey // kept alive as a whole: it caches the inverse of 1+d
	z   [32]byte        // Z of the public key under DefaultID
}

func newPrivateKey(key *sm2.PrivateKey) *PrivateKey {
	return &PrivateKey{key, computeZ(&key.PublicKey, DefaultID)}
}

// GenerateKey draws a key from random; nil means crypto/rand.
func GenerateKey(random io.Reader) (*PrivateKey, error) {
	key, err := sm2.GenerateKey(orRand(random))
	if err != nil {
		return nil, fmt.Errorf("generate SM2 key: %w", err)
	}
	return newPrivateKey(key), nil
}

// ImportScalar makes a key from its 32-byte big-endian scalar; ErrWeakKey if it is out of [1, n-2] or below 2^32.
func ImportScalar(scalar []byte) (*PrivateKey, error) {
	if len(scalar) != ScalarSize {
		return nil, ErrWeakKey
	}
	key, err := sm2.ParseRawPrivateKey(scalar)
	if err != nil || allZero(scalar[:weakBytes]) {
		return nil, ErrWeakKey
	}
	return newPrivateKey(key), nil
}

// ExportScalar returns the 32-byte scalar, for key stores alone: who holds it holds the key.
func (k *PrivateKey) ExportScalar() []byte {
	return k.key.D.FillBytes(make([]byte, ScalarSize))
}

// Public returns the *ecdsa.PublicKey on the SM2 curve.
func (k *PrivateKey) Public() crypto.PublicKey { return &k.key.PublicKey }

// PublicKey is Public with its type.
func (k *PrivateKey) PublicKey() *ecdsa.PublicKey { return &k.key.PublicKey }

// Sign signs data, which is a message or a digest as opts says (SignMessage, SignDigest), and returns DER. The nonce is
// hedged: drawn from the key, the digest and random together (nil: crypto/rand); a random source that errs signs nothing.
func (k *PrivateKey) Sign(random io.Reader, data []byte, opts crypto.SignerOpts) ([]byte, error) {
	d, err := k.digest(data, opts)
	if err != nil {
		return nil, err
	}
	sig, err := k.key.Sign(orRand(random), d[:], nil)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return sig, nil
}

// digest is DigestFor with the Z that is at hand.
func (k *PrivateKey) digest(data []byte, opts crypto.SignerOpts) (Digest, error) {
	if opts == SignMessage {
		return SM3(k.z[:], data), nil
	}
	return DigestFor(&k.key.PublicKey, data, opts)
}

// Decrypt opens an SM2Cipher in ASN.1 form (GB/T 35276); ErrDecrypt for anything else. random and opts are not used.
func (k *PrivateKey) Decrypt(_ io.Reader, ciphertext []byte, _ crypto.DecrypterOpts) ([]byte, error) {
	// The library guesses the form by the first byte; a raw point must not slip in where ASN.1 is agreed.
	if len(ciphertext) == 0 || ciphertext[0] != 0x30 || len(ciphertext) > MaxCiphertext {
		return nil, ErrDecrypt
	}
	plain, err := k.key.Decrypt(nil, ciphertext, sm2.ASN1DecrypterOpts)
	if err != nil || len(plain) == 0 {
		return nil, ErrDecrypt
	}
	return plain, nil
}

// Equal reports whether x is the same private key.
func (k *PrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*PrivateKey)
	return ok && k.key.Equal(o.key)
}

// String, GoString and LogValue keep the key out of prints and logs.
func (k *PrivateKey) String() string { return "SM2 private key (redacted)" }

// GoString is String, for %#v.
func (k *PrivateKey) GoString() string { return k.String() }

// Format is String for every verb, so that no reflection prints the scalar.
func (k *PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is String, for log/slog.
func (k *PrivateKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON is String, for JSON: a private key never enters it.
func (k *PrivateKey) MarshalJSON() ([]byte, error) {
	return []byte(`"redacted"`), nil
}

// Sign signs msg under DefaultID with any handle that honours SignMessage.
func Sign(random io.Reader, s crypto.Signer, msg Message) ([]byte, error) {
	return s.Sign(orRand(random), msg, SignMessage)
}

// SignPrecomputed signs e with any handle that honours SignDigest.
func SignPrecomputed(random io.Reader, s crypto.Signer, d Digest) ([]byte, error) {
	return s.Sign(orRand(random), d[:], SignDigest)
}

func orRand(random io.Reader) io.Reader {
	if random == nil {
		return rand.Reader
	}
	return random
}
