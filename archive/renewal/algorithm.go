package renewal

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"hash"
	"slices"

	"yinxin/crypto/gm"
)

// Hash is a digest by the algorithm of a chain.
type Hash = [32]byte

// Algorithm is a hash algorithm of trees. Others than SM3 are read so that a record that began with another can go on.
type Algorithm struct {
	Name string
	OID  asn1.ObjectIdentifier
	New  func() hash.Hash
}

// The algorithms that this package knows. SHA-256 is what records from elsewhere begin with.
var (
	SM3    = Algorithm{"SM3", gm.OIDSM3, gm.NewSM3}
	SHA256 = Algorithm{"SHA-256", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, sha256.New}
)

func algorithmOf(oid asn1.ObjectIdentifier) (Algorithm, bool) {
	for _, a := range [...]Algorithm{SM3, SHA256} {
		if a.OID.Equal(oid) {
			return a, true
		}
	}
	return Algorithm{}, false
}

// Sum hashes the parts as one.
func (a Algorithm) Sum(parts ...[]byte) Hash {
	h := a.New()
	for _, p := range parts {
		_, _ = h.Write(p) // a hash never fails
	}
	return Hash(h.Sum(nil))
}

// node is the hash over hashes in binary order (RFC 4998 4.2). One alone is itself, as Bouncy Castle writes and reads it; by
// the letter of 4.3 it would be hashed once more.
func (a Algorithm) node(hashes []Hash) Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	parts := make([][]byte, len(hashes))
	for i, h := range sorted(hashes) {
		parts[i] = h[:]
	}
	return a.Sum(parts...)
}

func sorted(hashes []Hash) []Hash {
	return slices.SortedFunc(slices.Values(hashes), func(x, y Hash) int { return bytes.Compare(x[:], y[:]) })
}
