package tlog

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/transparency-dev/merkle"

	"yinxin/crypto/gm"
)

// HashSize is the length of every hash of both trees, in bytes.
const HashSize = 32

// Hash is a leaf hash, a node hash or a root, of the SM3 tree unless said otherwise.
type Hash [HashSize]byte

// String gives the hash in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Base64 gives the hash as checkpoints and receipts write it.
func (h Hash) Base64() string { return base64.StdEncoding.EncodeToString(h[:]) }

// ParseHash reads what [Hash.Base64] wrote; any other spelling is refused.
func ParseHash(s string) (Hash, error) {
	var h Hash
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != HashSize {
		return h, fmt.Errorf("%w: hash is not %d bytes of base64", ErrMalformed, HashSize)
	}
	copy(h[:], raw)
	return h, nil
}

// The domain bytes of RFC 6962 section 2.1: a leaf is never taken for a node.
const (
	leafPrefix = 0x00
	nodePrefix = 0x01
)

// sm3Hasher is the RFC 6962 tree hash over SM3.
type sm3Hasher struct{}

func (sm3Hasher) EmptyRoot() []byte { d := gm.SM3(); return d[:] }
func (sm3Hasher) HashLeaf(leaf []byte) []byte {
	d := gm.SM3([]byte{leafPrefix}, leaf)
	return d[:]
}

func (sm3Hasher) HashChildren(l, r []byte) []byte {
	var b [1 + 2*HashSize]byte
	d := gm.SM3(joinNode(&b, l, r))
	return d[:]
}
func (sm3Hasher) Size() int { return HashSize }

// sha256Hasher is the same tree over SHA-256: the second leg, should SM3 ever weaken, and the one that common tools read.
type sha256Hasher struct{}

func (sha256Hasher) EmptyRoot() []byte { d := sha256.Sum256(nil); return d[:] }
func (sha256Hasher) HashLeaf(leaf []byte) []byte {
	h := sha256.New()
	h.Write([]byte{leafPrefix})
	h.Write(leaf)
	return h.Sum(nil)
}

func (sha256Hasher) HashChildren(l, r []byte) []byte {
	var b [1 + 2*HashSize]byte
	d := sha256.Sum256(joinNode(&b, l, r))
	return d[:]
}
func (sha256Hasher) Size() int { return HashSize }

func joinNode(b *[1 + 2*HashSize]byte, l, r []byte) []byte {
	b[0] = nodePrefix
	n := 1 + copy(b[1:], l)
	n += copy(b[n:], r)
	return b[:n]
}

// LeafHash is the SM3 leaf hash of an entry.
func LeafHash(entry []byte) Hash { return Hash(sm3Hasher{}.HashLeaf(entry)) }

// hasher returns the tree hash of t; entries have no tree.
func (t Tree) hasher() merkle.LogHasher {
	if t == SHA256Tree {
		return sha256Hasher{}
	}
	return sm3Hasher{}
}

// LeafHash is the hash of an entry as a leaf of the tree t.
func (t Tree) LeafHash(entry []byte) Hash { return Hash(t.hasher().HashLeaf(entry)) }

// Subtree hashes a row of nodes, a power of two of them, up to their common parent.
func (t Tree) Subtree(row []Hash) Hash { return Hash(subtree(t, row)) }

// EdgeRoot computes the root of a tree from the hashes of its partial tile on each tile level, bottom first: the right
// edge is all that a root depends on once the full tiles are hashed into the level above.
func (t Tree) EdgeRoot(rows [MaxLevel + 1][]Hash) Hash { return foldRoot(t, perfect(t, rows)) }

// perfect gives the roots of the perfect subtrees under the right edge of a tree, from left to right.
func perfect(t Tree, rows [MaxLevel + 1][]Hash) [][]byte {
	var left [][]byte
	for level := MaxLevel; level >= 0; level-- {
		row := rows[level]
		for from, bit := 0, TileWidth/2; bit > 0; bit /= 2 {
			if len(row)&bit != 0 {
				left = append(left, subtree(t, row[from:from+bit]))
				from += bit
			}
		}
	}
	return left
}
