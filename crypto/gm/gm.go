// Package gm is yinxin's door to the Chinese algorithms SM2, SM3 and SM4 (GB/T 32918, 32905, 32907).
//
// It promises that the usual traps are closed: what is signed has a type ([Message] or [Digest]), the digest always
// includes Z and an explicit ID, the two ways of handing data to a key ([SignMessage], [SignDigest]) cannot be mixed
// up, ciphertexts are ASN.1 alone, every decryption failure reads the same, and a key never prints itself. Keys of any
// backend are used through the standard crypto.Signer and crypto.Decrypter.
//
// It does not promise more than the library underneath about side channels, it has no key exchange, and it judges no
// certificate: that is crypto/cert. Only packages below crypto/ import gmsm; everything above imports this one.
package gm

import (
	"crypto/ecdsa"
	"errors"
	"hash"
	"math/big"
	"sync"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
)

// DefaultID is the SM2 user ID of GB/T 35275 and GB/T 20518, used wherever no other is agreed: 16 ASCII bytes.
const DefaultID = "1234567812345678"

// MaxIDSize is the longest SM2 user ID in bytes: ENTL counts bits in two bytes (GB/T 32918.2, 5.5).
const MaxIDSize = 8191

// Errors of this package.
var (
	// ErrDecrypt is the one answer to every ciphertext that does not open, whatever the cause.
	ErrDecrypt = errors.New("gm: decryption failed")
	// ErrPublicKey is returned for a key that is not a point of the SM2 curve.
	ErrPublicKey = errors.New("gm: not an SM2 public key")
	// ErrWeakKey is returned for a key that was not drawn at random: a private key that is out of range or too small, an SM4
	// key of zeros.
	ErrWeakKey = errors.New("gm: weak key: out of range, too small or all zeros")
	// ErrSignerOpts is returned by a key that is told neither to take a message nor a digest, or is given the wrong one.
	ErrSignerOpts = errors.New("gm: signer options say neither message nor digest")
	// ErrID is returned for an SM2 user ID longer than MaxIDSize.
	ErrID = errors.New("gm: user ID too long")
)

// Message is what a signature is about, before any hashing.
type Message []byte

// Digest is the value e of GB/T 32918.2: SM3(Z ‖ M). It is never a bare hash of a message.
type Digest [32]byte

// NewSM3 returns an SM3 hash. It implements encoding.BinaryMarshaler, so that hashing can be resumed.
func NewSM3() hash.Hash { return sm3.New() }

// SM3 hashes the concatenation of parts.
func SM3(parts ...[]byte) [32]byte {
	if len(parts) == 1 {
		return sm3.Sum(parts[0])
	}
	h := sm3.New()
	for _, p := range parts {
		h.Write(p)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

// ParsePublicKey reads an uncompressed point (04 ‖ x ‖ y, 65 bytes) and checks that it lies on the SM2 curve.
func ParsePublicKey(uncompressed []byte) (*ecdsa.PublicKey, error) {
	// The library's function of this name also takes compressed points.
	if len(uncompressed) != 65 || uncompressed[0] != 4 {
		return nil, ErrPublicKey
	}
	pub, err := sm2.NewPublicKey(uncompressed)
	if err != nil {
		return nil, ErrPublicKey
	}
	return pub, nil
}

// MarshalPublicKey writes the uncompressed point, 65 bytes; nil for a key that is not on the SM2 curve.
func MarshalPublicKey(pub *ecdsa.PublicKey) []byte {
	if CheckPublicKey(pub) != nil {
		return nil
	}
	out := make([]byte, 65)
	out[0] = 4
	pub.X.FillBytes(out[1:33])
	pub.Y.FillBytes(out[33:])
	return out
}

// CheckPublicKey returns ErrPublicKey unless pub is a point of the SM2 curve other than infinity.
func CheckPublicKey(pub *ecdsa.PublicKey) error {
	if !hasPoint(pub) {
		return ErrPublicKey
	}
	if _, err := sm2.PublicKeyToECDH(pub); err != nil {
		return ErrPublicKey
	}
	return nil
}

// hasPoint reports whether pub has coordinates of the SM2 field; whether they lie on the curve is another question.
func hasPoint(pub *ecdsa.PublicKey) bool {
	return pub != nil && pub.Curve == sm2.P256() && pub.X != nil && pub.Y != nil && !outOfRange(pub.X) && !outOfRange(pub.Y)
}

func outOfRange(v *big.Int) bool {
	return v.Sign() < 0 || v.Cmp(sm2.P256().Params().P) >= 0
}

// NewMessageHash returns an SM3 hash that has already taken Z for the key and the ID: write the message, and the sum is
// the Digest to be signed. It serves files that are too large to be held as a Message.
func NewMessageHash(pub *ecdsa.PublicKey, id string) (hash.Hash, error) {
	if err := CheckPublicKey(pub); err != nil {
		return nil, err
	}
	if len(id) > MaxIDSize {
		return nil, ErrID
	}
	z := computeZ(pub, id)
	h := sm3.New()
	h.Write(z[:])
	return h, nil
}

// curvePart is what Z has of the curve: a, b and the base point.
var curvePart = sync.OnceValue(func() []byte {
	c := sm2.P256().Params()
	a := new(big.Int).Sub(c.P, big.NewInt(3))
	buf := make([]byte, 4*32)
	for i, v := range []*big.Int{a, c.B, c.Gx, c.Gy} {
		v.FillBytes(buf[32*i : 32*i+32])
	}
	return buf
})

// computeZ is GB/T 32918.2 5.5. The library's own takes the default ID where the empty one is asked for.
func computeZ(pub *ecdsa.PublicKey, id string) [32]byte {
	bits := len(id) * 8
	buf := append(make([]byte, 0, 2+len(id)+6*32), byte(bits>>8), byte(bits))
	buf = append(buf, id...)
	buf = append(buf, curvePart()...)
	n := len(buf)
	buf = buf[:n+64]
	pub.X.FillBytes(buf[n : n+32])
	pub.Y.FillBytes(buf[n+32:])
	return sm3.Sum(buf)
}

// ComputeDigest computes e = SM3(Z ‖ M) for the key and the ID, taken literally: an empty ID is the empty ID.
func ComputeDigest(pub *ecdsa.PublicKey, id string, msg Message) (Digest, error) {
	h, err := NewMessageHash(pub, id)
	if err != nil {
		return Digest{}, err
	}
	h.Write(msg)
	var d Digest
	h.Sum(d[:0])
	return d, nil
}

// Verify reports whether sig (DER) is a signature of msg by pub under DefaultID.
func Verify(pub *ecdsa.PublicKey, msg Message, sig []byte) bool {
	return VerifyID(pub, DefaultID, msg, sig)
}

// VerifyID is Verify under another user ID.
func VerifyID(pub *ecdsa.PublicKey, id string, msg Message, sig []byte) bool {
	// That the key is a point of the curve is checked in verifying; here only that Z can be computed at all.
	if !hasPoint(pub) || len(id) > MaxIDSize {
		return false
	}
	z := computeZ(pub, id)
	return VerifyDigest(pub, SM3(z[:], msg), sig)
}

// VerifyDigest reports whether sig (DER) is a signature by pub over the computed digest.
func VerifyDigest(pub *ecdsa.PublicKey, d Digest, sig []byte) bool {
	if !hasPoint(pub) {
		return false
	}
	return sm2.VerifyASN1(pub, d[:], sig)
}
