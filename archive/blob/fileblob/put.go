package fileblob

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/internal/durable"
)

const (
	// copySize is one buffer of Put, in bytes. A blob that fits into one takes the short way.
	copySize = 256 << 10
	// copyBuffers is how many buffers one large Put has in flight between reading, writing and hashing.
	copyBuffers = 4
	// flushSize is after how many bytes a large Put lets the device begin, so that the last fsync has little to do.
	flushSize = 8 << 20
	// maxIdleReads is how often a reader may return nothing in a row.
	maxIdleReads = 100
)

// put stores r, and checks its digest first if want is given.
func (s *Store) put(ctx context.Context, r io.Reader, want *blob.Ref) (blob.Info, error) {
	f, err := s.disk.CreateTemp(filepath.Join(s.dir, incoming), 0o600)
	if err != nil {
		return blob.Info{}, err
	}
	defer f.Abort()
	info, err := s.take(f, &contextReader{ctx, r})
	if err != nil {
		return blob.Info{}, err
	}
	if want != nil && info.Ref != *want {
		return blob.Info{}, fmt.Errorf("%w: it has %s", blob.ErrMismatch, info.Ref)
	}
	path := s.path(info.Ref)
	if err := s.disk.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return blob.Info{}, err
	}
	if err := f.Commit(path); err != nil {
		return blob.Info{}, err
	}
	return info, nil
}

// take writes all of r to f and names it.
func (s *Store) take(f *durable.File, r io.Reader) (blob.Info, error) {
	buf := s.buffers.Get().(*[]byte)
	n, end, err := fill(r, *buf)
	if err == nil && !end {
		return s.stream(f, r, buf)
	}
	defer s.buffers.Put(buf)
	if err != nil {
		return blob.Info{}, err
	}
	data := (*buf)[:n]
	if _, err := f.Write(data); err != nil {
		return blob.Info{}, err
	}
	return blob.Info{Ref: gm.SM3(data), Size: int64(n)}, nil
}

// piece is a full buffer on its way to the hash.
type piece struct {
	buf *[]byte
	n   int
}

// stream is take for large blobs: SM3 is slower than the disk, so it runs beside reading and writing, and the device
// begins while both go on.
func (s *Store) stream(f *durable.File, r io.Reader, first *[]byte) (blob.Info, error) {
	full := make(chan piece, copyBuffers)
	flush := make(chan struct{}, 1)
	free := make(chan *[]byte, copyBuffers)
	for range copyBuffers - 1 {
		free <- s.buffers.Get().(*[]byte)
	}
	hash := gm.NewSM3()
	var wait sync.WaitGroup
	wait.Go(func() {
		for p := range full {
			hash.Write((*p.buf)[:p.n])
			free <- p.buf
		}
	})
	wait.Go(func() {
		for range flush {
			_ = f.Flush() // remembered by f, whose next Write or Commit reports it
		}
	})
	size, err := pump(f, r, piece{first, len(*first)}, full, free, flush)
	close(full)
	close(flush)
	wait.Wait()
	close(free)
	for buf := range free {
		s.buffers.Put(buf)
	}
	if err != nil {
		return blob.Info{}, err
	}
	info := blob.Info{Size: size}
	hash.Sum(info.Ref[:0])
	return info, nil
}

// pump reads r to its end, writing each buffer to f and handing it on.
func pump(f *durable.File, r io.Reader, p piece, full chan<- piece, free <-chan *[]byte, flush chan<- struct{}) (int64, error) {
	var size, unflushed int64
	for {
		_, err := f.Write((*p.buf)[:p.n])
		full <- p // in any case, so that every buffer comes back
		if err != nil {
			return 0, err
		}
		size, unflushed = size+int64(p.n), unflushed+int64(p.n)
		if unflushed >= flushSize {
			select {
			case flush <- struct{}{}:
				unflushed = 0
			default: // the device is still busy with the last part
			}
		}
		p.buf = <-free
		var end bool
		p.n, end, err = fill(r, *p.buf)
		switch {
		case err != nil:
			p.n = 0
			full <- p
			return 0, err
		case end:
			_, err := f.Write((*p.buf)[:p.n])
			full <- p
			return size + int64(p.n), err
		}
	}
}

// fill reads until buf is full or r has ended. It differs from io.ReadFull in telling the end of r from a reader that
// itself reports io.ErrUnexpectedEOF, as the body of a cut upload does: that is an error and must not become a blob.
func fill(r io.Reader, buf []byte) (n int, end bool, err error) {
	idle := 0
	for n < len(buf) {
		got, err := r.Read(buf[n:])
		n += got
		if err == io.EOF { // itself, unwrapped, by the contract of io.Reader
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
		if idle++; got > 0 {
			idle = 0
		}
		if idle > maxIdleReads {
			return n, false, io.ErrNoProgress
		}
	}
	return n, false, nil
}

// contextReader ends a copy when its context ends.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives as long as one Put
	r   io.Reader
}

// Read implements io.Reader.
func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
