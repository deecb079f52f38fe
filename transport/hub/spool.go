package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
)

// spooled is a submission while it is checked: a small one in memory, a large one staged in the blob store, which it enters
// by its name once it is accepted.
type spooled struct {
	io.ReaderAt
	size   int64
	sum    transport.Digest
	inline []byte      // the whole envelope, where it is small
	staged blob.Staged // else
}

// spool reads a submission to its end and hashes it on the way. A refusal is too_large
// or, where the upload was cut off, malformed.
func (h *Hub) spool(ctx context.Context, body io.Reader) (*spooled, error) {
	limited := &io.LimitedReader{R: body, N: h.cfg.MaxEnvelope + 1}
	buf := h.buffer()
	defer h.buffers.Put(buf)
	n, err := fill(limited, *buf)
	head := (*buf)[:n]
	switch {
	case errors.Is(err, io.EOF) && n == 0:
		return nil, refuse(api.Malformed, "the envelope is empty")
	case errors.Is(err, io.EOF):
		head = bytes.Clone(head)
		return &spooled{ReaderAt: bytes.NewReader(head), size: int64(n), sum: gm.SM3(head), inline: head}, nil
	case err != nil:
		return nil, uploadError(err)
	}
	return h.stage(ctx, head, limited)
}

// buffer gives room for the beginning of a submission. Most are small, and clearing
// fresh memory for each would cost more than reading it.
func (h *Hub) buffer() *[]byte {
	if b, ok := h.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, min(h.cfg.Inline, h.cfg.MaxEnvelope)+1)
	return &b
}

// fill reads until buf is full (nil) or r ends (io.EOF). Unlike io.ReadFull it hands on
// io.ErrUnexpectedEOF, with which an upload says that it was cut off.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if n == len(buf) {
		return n, nil
	}
	return n, err
}

// stage takes a large submission into the blob store, not yet under a name.
func (h *Hub) stage(ctx context.Context, head []byte, rest io.Reader) (_ *spooled, err error) {
	st, err := h.p.Blobs.Stage(ctx, "", "", 0)
	if err != nil {
		return nil, storeError(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, st.Close())
		}
	}()
	hash := gm.NewSM3()
	size, err := h.take(st, hash, io.MultiReader(bytes.NewReader(head), rest), nil)
	if err != nil {
		return nil, err
	}
	if size > h.cfg.MaxEnvelope {
		return nil, h.tooLarge()
	}
	return &spooled{ReaderAt: st, size: size, sum: transport.Digest(hash.Sum(nil)), staged: st}, nil
}

func (h *Hub) tooLarge() error {
	return refuse(api.TooLarge, "the limit is %d bytes", h.cfg.MaxEnvelope)
}

// storeError is a refusal where the store has no room, and else its error.
func storeError(err error) error {
	if errors.Is(err, blob.ErrNoSpace) {
		return refuse(api.StorageFull, "")
	}
	return fmt.Errorf("stage submission: %w", err)
}

const (
	// pieceSize is one buffer between reading, writing and hashing a large submission, in bytes; takePieces is how many
	// there are of each submission. They bound its memory.
	pieceSize  = 256 << 10
	takePieces = 4
)

// take copies body into to and hash until it ends, and hands on the bytes taken. SM3 is slower than most disks, so it runs
// beside reading and writing. each, where it is set, is called from there after each piece, with the number of bytes hashed.
// An error of body is a refusal; what was taken before it is written and hashed all the same.
func (h *Hub) take(to io.Writer, hash io.Writer, body io.Reader, each func(n int64)) (size int64, err error) {
	type piece struct {
		buf *[]byte
		n   int
	}
	full, free := make(chan piece, takePieces), make(chan *[]byte, takePieces)
	for range takePieces {
		free <- h.pieces.Get().(*[]byte) // the pool makes nothing else
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		hashed := int64(0)
		for p := range full {
			_, _ = hash.Write((*p.buf)[:p.n]) // a hash never fails
			hashed += int64(p.n)
			free <- p.buf
			if each != nil {
				each(hashed)
			}
		}
	}()
	for err == nil {
		p := piece{buf: <-free}
		p.n, err = fill(body, *p.buf)
		if _, failed := to.Write((*p.buf)[:p.n]); failed != nil {
			p.n, err = 0, storeError(failed)
		} else if err != nil && !errors.Is(err, io.EOF) {
			err = uploadError(err)
		}
		size += int64(p.n)
		full <- p
	}
	close(full)
	<-done
	for range takePieces {
		h.pieces.Put(<-free)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return size, err
}

// uploadError says what a broken upload is. Nothing of it is kept.
func uploadError(err error) error {
	if _, ok := errors.AsType[*Refusal](err); ok {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return refuse(api.Timeout, "the upload took too long")
	}
	return refuse(api.Malformed, "the upload was cut off")
}

// drop frees what the submission holds.
func (s *spooled) drop() {
	if s.staged != nil {
		_ = s.staged.Close()
		s.staged = nil
	}
}

// keep stores a large envelope durably, before any transaction speaks of it.
func (h *Hub) keep(ctx context.Context, s *spooled) error {
	if s.staged == nil {
		return nil
	}
	err := s.staged.Keep(ctx, blob.Info{Ref: blob.Ref(s.sum), Size: s.size})
	if errors.Is(err, blob.ErrNoSpace) {
		return refuse(api.StorageFull, "")
	}
	if err != nil {
		return fmt.Errorf("store envelope: %w", err)
	}
	return nil
}

// body opens the stored envelope of an exchange.
func (h *Hub) body(ctx context.Context, exchange string) (blob.Reader, error) {
	var e Envelope
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		if e, err = r.Envelope(exchange); err != nil || e.Inline != nil {
			return err
		}
		x, err := r.Exchange(exchange)
		if err == nil && x.Disposed != "" {
			err = refuse(api.Disposed, "the record was disposed of; its evidence remains")
		}
		return err
	})
	if refused, ok := errors.AsType[*Refusal](err); ok {
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("find envelope of %s: %w", exchange, err)
	}
	if e.Inline == nil {
		return h.p.Blobs.Open(ctx, blob.Ref(e.SM3))
	}
	if gm.SM3(e.Inline) != e.SM3 {
		return nil, fmt.Errorf("envelope of %s: %w", exchange, blob.ErrCorrupt)
	}
	return inline{bytes.NewReader(e.Inline)}, nil
}

// inline is a small envelope from the database.
type inline struct{ *bytes.Reader }

// Close does nothing: there is nothing open.
func (inline) Close() error { return nil }
