package stream

import (
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"io"
)

// Writer encrypts what is written to it. Close writes the last chunk: a stream without it is truncated, by design.
type Writer struct {
	w      io.Writer
	aead   cipher.AEAD
	root   *rootHash
	buf    []byte // plaintext of the chunk being filled
	sealed []byte
	chunk  uint64
	closed bool
	sum    [32]byte
	err    error // sticky
}

// NewWriter writes the header at once and returns the writer. The file key must be fresh for each stream; the salt is
// drawn from random (nil: crypto/rand).
func NewWriter(w io.Writer, fileKey []byte, random io.Reader) (*Writer, error) {
	if random == nil {
		random = rand.Reader
	}
	header := make([]byte, HeaderSize)
	if _, err := io.ReadFull(random, header[:SaltSize]); err != nil {
		return nil, fmt.Errorf("stream: draw salt: %w", err)
	}
	aead, check, err := derive(fileKey, header[:SaltSize])
	if err != nil {
		return nil, err
	}
	copy(header[SaltSize:], check)
	if _, err := w.Write(header); err != nil {
		return nil, fmt.Errorf("stream: write header: %w", err)
	}
	return &Writer{
		w: w, aead: aead, root: newRootHash(header),
		buf: make([]byte, 0, ChunkSize), sealed: make([]byte, 0, sealedChunk),
	}, nil
}

// Write encrypts p. After an error every further call returns it.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, ErrClosed
	}
	written := 0
	for len(p) > 0 && w.err == nil {
		// A full chunk is sealed only when more follows, so that the last chunk is never empty by accident.
		switch {
		case len(w.buf) == ChunkSize:
			w.seal(w.buf, false)
			w.buf = w.buf[:0]
			continue
		case len(w.buf) == 0 && len(p) > ChunkSize: // straight from the caller's bytes
			w.seal(p[:ChunkSize], false)
			p = p[ChunkSize:]
			written += ChunkSize
			continue
		}
		n := min(ChunkSize-len(w.buf), len(p))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		written += n
	}
	return written, w.err
}

// Close writes the last chunk. It does not close the writer underneath.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err != nil {
		return w.err
	}
	w.seal(w.buf, true)
	w.buf = w.buf[:0]
	w.sum = w.root.sum()
	clear(w.buf[:cap(w.buf)])
	return w.err
}

// seal writes one chunk.
func (w *Writer) seal(plain []byte, last bool) {
	if w.chunk >= MaxChunks {
		w.err = ErrTooLarge
		return
	}
	w.sealed = w.aead.Seal(w.sealed[:0], nonce(w.chunk, last)[:], plain, nil)
	w.root.add(w.sealed)
	w.chunk++
	if _, err := w.w.Write(w.sealed); err != nil {
		w.err = fmt.Errorf("stream: write chunk: %w", err)
	}
}

// Root is the root over the chunk tags; it is zero before Close has succeeded.
func (w *Writer) Root() [32]byte {
	if w.err != nil {
		return [32]byte{}
	}
	return w.sum
}

// Size is the plaintext written and sealed so far, in bytes; after Close, the whole.
func (w *Writer) Size() int64 { return int64(w.root.size) }
