package stream

import (
	"bufio"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// Reader decrypts a stream from its beginning. io.EOF means that the last chunk was read, authentic, with nothing after
// it; any other end is an error, and what was read before it must be thrown away.
type Reader struct {
	c    chunks
	aead cipher.AEAD
	root *rootHash
	out  []byte // plaintext not yet handed out, from buf
	buf  []byte
	sum  [32]byte
	err  error // sticky
}

// NewReader reads the header and checks the file key against it: ErrTruncated, ErrWrongKey, ErrKeySize.
func NewReader(r io.Reader, fileKey []byte) (*Reader, error) {
	c := chunks{r: bufio.NewReaderSize(r, sealedChunk+1)}
	header, err := c.header()
	if err != nil {
		return nil, err
	}
	aead, err := open(header, fileKey)
	if err != nil {
		return nil, err
	}
	return &Reader{c: c, aead: aead, root: newRootHash(header), buf: make([]byte, 0, ChunkSize)}, nil
}

// Read hands out authenticated plaintext.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.out) == 0 && r.err == nil {
		if len(p) >= ChunkSize { // straight into the caller's bytes
			if n := r.next(p[:0:ChunkSize]); n > 0 {
				r.out = nil
				return n, nil
			}
			continue
		}
		r.next(r.buf[:0])
	}
	if len(r.out) == 0 {
		return 0, r.err
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// next opens the next chunk into dst, whose capacity is that of a chunk, and returns its size. Of a chunk that is not
// authentic nothing is left in dst.
func (r *Reader) next(dst []byte) int {
	if r.c.done {
		r.sum = r.root.sum()
		r.err = io.EOF
		return 0
	}
	sealed, err := r.c.next()
	if err != nil {
		r.err = err
		return 0
	}
	plain, err := openChunk(r.aead, dst, sealed, r.c.count-1, r.c.done)
	if err != nil {
		clear(dst[:cap(dst)])
		r.err = err
		return 0
	}
	r.root.add(sealed)
	r.out = plain
	return len(plain)
}

// Size is the plaintext read and authenticated so far, in bytes; at io.EOF, the whole.
func (r *Reader) Size() int64 { return int64(r.root.size) }

// Root is the root over the chunk tags; it is zero before Read has returned io.EOF.
func (r *Reader) Root() [32]byte { return r.sum }

// RootOf reads a whole stream without a key and returns its root and the size of its plaintext. It checks the layout
// alone; whether the chunks are authentic shows only under the key.
func RootOf(r io.Reader) ([32]byte, int64, error) {
	c := chunks{r: bufio.NewReaderSize(r, sealedChunk+1)}
	header, err := c.header()
	if err != nil {
		return [32]byte{}, 0, err
	}
	root := newRootHash(header)
	for !c.done {
		sealed, err := c.next()
		if err != nil {
			return [32]byte{}, 0, err
		}
		root.add(sealed)
	}
	size := int64(root.size)
	return root.sum(), size, nil
}

// open checks the header and returns the cipher.
func open(header, fileKey []byte) (cipher.AEAD, error) {
	aead, check, err := derive(fileKey, header[:SaltSize])
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(check, header[SaltSize:]) != 1 {
		return nil, ErrWrongKey
	}
	return aead, nil
}

// openChunk authenticates one chunk. Where it is authentic but stands in the wrong place (last before the end, or not
// last at the end), the error says so.
func openChunk(aead cipher.AEAD, dst, sealed []byte, chunk uint64, last bool) ([]byte, error) {
	plain, err := aead.Open(dst, nonce(chunk, last)[:], sealed, nil)
	if err == nil {
		return plain, nil
	}
	if _, err := aead.Open(dst, nonce(chunk, !last)[:], sealed, nil); err == nil {
		if last {
			return nil, ErrTruncated
		}
		return nil, ErrTrailingData
	}
	if from, ok := placeOf(aead, dst, sealed, chunk); ok {
		return nil, fmt.Errorf("%w: %w: chunk %d in place of %d", ErrAuthentication, ErrReordered, from, chunk)
	}
	return nil, fmt.Errorf("%w: chunk %d", ErrAuthentication, chunk)
}

// displaced is how far from its place a chunk is looked for, to say that it was moved.
const displaced = 8

// placeOf looks whether the chunk that stands at a place belongs to one nearby.
func placeOf(aead cipher.AEAD, dst, sealed []byte, at uint64) (uint64, bool) {
	for d := uint64(1); d <= displaced; d++ {
		for _, place := range [2]uint64{at - d, at + d} {
			for _, last := range [2]bool{false, true} {
				if place >= MaxChunks { // before the first, too
					continue
				}
				if _, err := aead.Open(dst, nonce(place, last)[:], sealed, nil); err == nil {
					return place, true
				}
			}
		}
	}
	return 0, false
}

// chunks cuts a stream into its chunks. It looks one byte ahead, so that the last chunk is known as such before it is
// opened.
type chunks struct {
	r     *bufio.Reader
	held  int // bytes of the chunk handed out last, still to be discarded
	count uint64
	done  bool // the chunk handed out last is the last of all
}

func (c *chunks) header() ([]byte, error) {
	header := make([]byte, HeaderSize)
	if _, err := io.ReadFull(c.r, header); err != nil {
		return nil, readError(err)
	}
	return header, nil
}

// next returns the next sealed chunk, good until the next call.
func (c *chunks) next() ([]byte, error) {
	if _, err := c.r.Discard(c.held); err != nil {
		return nil, readError(err)
	}
	ahead, err := c.r.Peek(sealedChunk + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, readError(err)
	}
	if len(ahead) > sealedChunk {
		ahead = ahead[:sealedChunk]
	} else {
		c.done = true
	}
	switch {
	case len(ahead) < TagSize:
		return nil, ErrTruncated
	case len(ahead) == TagSize && c.count > 0:
		return nil, ErrEmptyChunk
	case c.count >= MaxChunks:
		return nil, ErrTooLarge
	}
	c.held = len(ahead)
	c.count++
	return ahead, nil
}

func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("stream: read: %w", err)
}
