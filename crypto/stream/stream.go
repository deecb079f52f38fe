// Package stream encrypts files of any size in authenticated chunks, with plain io.Reader and io.Writer types.
//
// It is the STREAM construction as age uses it, over SM4-GCM. It promises that no byte of plaintext leaves before its
// chunk's tag is checked, that truncation, reordering, appending and a wrong key are told by name as far
// as a damaged stream shows what happened to it, and that anyone can
// compute the root over the chunk tags without a key, so that a signed root fixes what the key holder will read. It does
// not say who wrote the stream: that is the signature over the root. It does not show a damaged chunk to someone without
// the key, since the root is over the tags alone; who stores a stream keeps a digest of its bytes besides. Memory is a few
// chunks, whatever the size.
//
// The bytes, version 1:
//
//	header   salt (16 random bytes) ‖ key check (32 bytes)
//	chunk    SM4-GCM(payload key, nonce, up to 64 KiB of plaintext), tag of 16 bytes at its end
//	nonce    chunk number, 11 bytes big-endian ‖ 01 on the last chunk, else 00
//
// Payload key = HKDF-SM3(file key, salt, "payload"), 16 bytes; key check = HKDF-SM3(file key, salt, "key check"). GCM
// alone does not commit to its key; the key check, which the root covers, makes one stream open under one key only.
// Every chunk but the last is full; the last may be short, and is empty only if the file is empty.
//
//	root     SM3("yinxin stream 1\n" ‖ header ‖ tag of chunk 0 ‖ … ‖ tag of the last chunk ‖ plaintext size, 8 bytes big-endian)
package stream

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"yinxin/crypto/gm"
)

// Sizes in bytes.
const (
	// KeySize is the size of a file key: random, one a stream.
	KeySize = 16
	// ChunkSize is the plaintext of a full chunk.
	ChunkSize = 64 << 10
	// TagSize is what each chunk grows by.
	TagSize = 16
	// SaltSize and HeaderSize: the header stands before the first chunk.
	SaltSize   = 16
	HeaderSize = SaltSize + checkSize

	checkSize   = 32
	sealedChunk = ChunkSize + TagSize
	nonceSize   = 12
)

// MaxChunks bounds a stream at 256 TiB, far below what one GCM key may carry under counted nonces.
const MaxChunks = 1 << 32

const rootDomain = "yinxin stream 1\n"

// Errors that say what is wrong with a stream; every one means that it must not be used.
var (
	// ErrTruncated: the stream ends before its last chunk, or inside the header or a tag. A cut inside the plaintext of a
	// chunk leaves a shorter chunk that is not authentic, and is told as that.
	ErrTruncated = errors.New("stream: truncated")
	// ErrTrailingData: something follows a last chunk that is full. What follows a shorter one makes it longer, and not
	// authentic.
	ErrTrailingData = errors.New("stream: data after the last chunk")
	// ErrAuthentication: a chunk was changed, moved or made under another key.
	ErrAuthentication = errors.New("stream: chunk is not authentic")
	// ErrReordered: a chunk of the stream stands near its place and not in it; chunks were exchanged, dropped or doubled. It
	// comes with ErrAuthentication.
	ErrReordered = errors.New("stream: chunk of another place")
	// ErrWrongKey: the file key is not the one that the header commits to.
	ErrWrongKey = errors.New("stream: wrong file key")
	// ErrEmptyChunk: the last chunk is empty though the file is not.
	ErrEmptyChunk = errors.New("stream: empty last chunk")
	// ErrTooLarge: the stream has more than MaxChunks chunks.
	ErrTooLarge = errors.New("stream: too large")
	// ErrClosed: a write after Close.
	ErrClosed = errors.New("stream: already closed")
	// ErrKeySize: the file key is not KeySize bytes.
	ErrKeySize = errors.New("stream: file key is not 16 bytes")
)

// EncryptedSize is the size of the stream for a plaintext of n bytes.
func EncryptedSize(n int64) int64 {
	chunks := (n + ChunkSize - 1) / ChunkSize
	return HeaderSize + n + max(chunks, 1)*TagSize
}

// PlainSize is the size of the plaintext in a stream of n bytes; ErrTruncated or ErrEmptyChunk if no stream has that size.
func PlainSize(n int64) (int64, error) {
	body := n - HeaderSize
	if body < TagSize {
		return 0, ErrTruncated
	}
	full, rest := body/sealedChunk, body%sealedChunk
	if full > MaxChunks {
		return 0, ErrTooLarge
	}
	switch {
	case rest == 0:
		return full * ChunkSize, nil
	case rest < TagSize:
		return 0, ErrTruncated
	case rest == TagSize && full > 0:
		return 0, ErrEmptyChunk
	}
	return full*ChunkSize + rest - TagSize, nil
}

// derive returns the cipher for a file key and salt, and the key check of the header.
func derive(fileKey, salt []byte) (cipher.AEAD, []byte, error) {
	if len(fileKey) != KeySize {
		return nil, nil, ErrKeySize
	}
	payload, err := gm.HKDF(fileKey, salt, "payload", gm.KeySize)
	if err != nil {
		return nil, nil, fmt.Errorf("stream: %w", err)
	}
	check, err := gm.HKDF(fileKey, salt, "key check", checkSize)
	if err != nil {
		return nil, nil, fmt.Errorf("stream: %w", err)
	}
	aead, err := gm.NewSM4GCM(payload)
	if err != nil {
		return nil, nil, fmt.Errorf("stream: %w", err)
	}
	return aead, check, nil
}

// nonce of a chunk. The counter has 11 bytes; MaxChunks keeps it inside the low 8.
func nonce(chunk uint64, last bool) *[nonceSize]byte {
	var n [nonceSize]byte
	binary.BigEndian.PutUint64(n[3:11], chunk)
	if last {
		n[11] = 1
	}
	return &n
}

// rootHash gathers the root while chunks pass by.
type rootHash struct {
	h    hash.Hash
	size uint64
}

func newRootHash(header []byte) *rootHash {
	r := &rootHash{h: gm.NewSM3()}
	r.h.Write([]byte(rootDomain))
	r.h.Write(header)
	return r
}

// add takes one sealed chunk.
func (r *rootHash) add(sealed []byte) {
	r.h.Write(sealed[len(sealed)-TagSize:])
	r.size += uint64(len(sealed) - TagSize)
}

func (r *rootHash) sum() [32]byte {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], r.size)
	r.h.Write(size[:])
	var root [32]byte
	r.h.Sum(root[:0])
	return root
}
