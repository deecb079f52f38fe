package stream

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ReaderAt decrypts any part of a stream. Each chunk is authenticated before a byte of it leaves; the last chunk is
// authenticated when the stream is opened, so that the size can be relied on. It is safe for concurrent use.
type ReaderAt struct {
	r    io.ReaderAt
	aead cipher.AEAD
	size int64
	last uint64 // number of the last chunk
	enc  int64

	mu     sync.Mutex
	cached uint64
	plain  []byte // plaintext of chunk cached; nil if none
	sealed []byte
}

// OpenAt opens a stream of size bytes. Errors as of NewReader, and those of the last chunk.
func OpenAt(r io.ReaderAt, size int64, fileKey []byte) (*ReaderAt, error) {
	plainSize, wrongSize := PlainSize(size)
	if errors.Is(wrongSize, ErrTooLarge) || size < HeaderSize {
		return nil, wrongSize
	}
	header := make([]byte, HeaderSize)
	if err := readAt(r, header, 0); err != nil {
		return nil, err
	}
	aead, err := open(header, fileKey)
	if err != nil {
		return nil, err
	}
	ra := &ReaderAt{r: r, aead: aead, size: plainSize, enc: size, sealed: make([]byte, sealedChunk)}
	if wrongSize != nil {
		return nil, ra.trailing(wrongSize)
	}
	if plainSize > 0 {
		ra.last = uint64((plainSize - 1) / ChunkSize)
	}
	ra.mu.Lock()
	defer ra.mu.Unlock()
	if _, err := ra.chunk(ra.last); err != nil {
		return nil, ra.trailing(err)
	}
	return ra, nil
}

// trailing gives a fault of the end its name as a Reader would: where the full chunk before the end is a last one, what is
// wrong is what follows it.
func (r *ReaderAt) trailing(fault error) error {
	body := r.enc - HeaderSize
	full := body / sealedChunk
	if body%sealedChunk == 0 {
		full--
	}
	if full < 1 || readAt(r.r, r.sealed, HeaderSize+(full-1)*sealedChunk) != nil {
		return fault
	}
	if _, err := r.aead.Open(nil, nonce(uint64(full-1), true)[:], r.sealed, nil); err == nil {
		return ErrTrailingData
	}
	return fault
}

// Size is the size of the plaintext in bytes.
func (r *ReaderAt) Size() int64 { return r.size }

// ReadAt implements io.ReaderAt over the plaintext.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("stream: negative offset %d", off)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(p) {
		if off >= r.size {
			return n, io.EOF
		}
		plain, err := r.chunk(uint64(off / ChunkSize))
		if err != nil {
			return n, err
		}
		m := copy(p[n:], plain[off%ChunkSize:])
		n += m
		off += int64(m)
	}
	return n, nil
}

// chunk returns the plaintext of chunk i; r.mu is held.
func (r *ReaderAt) chunk(i uint64) ([]byte, error) {
	if r.plain != nil && r.cached == i {
		return r.plain, nil
	}
	start := HeaderSize + int64(i)*sealedChunk
	sealed := r.sealed[:min(sealedChunk, r.enc-start)]
	if err := readAt(r.r, sealed, start); err != nil {
		return nil, err
	}
	plain, err := openChunk(r.aead, r.plain[:0], sealed, i, i == r.last)
	if err != nil {
		r.plain = nil
		return nil, err
	}
	if plain == nil {
		plain = []byte{}
	}
	r.cached, r.plain = i, plain
	return plain, nil
}

// readAt fills p; an io.EOF that comes with the last byte is no error.
func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	return readError(err)
}
