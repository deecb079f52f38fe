package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
)

// spooled is a submission while it is checked: a small one in memory, a large one in
// a file that has no name any more and goes with the process.
type spooled struct {
	io.ReaderAt
	size   int64
	sum    transport.Digest
	inline []byte   // the whole envelope, where it is small
	file   *os.File // else
}

// spool reads a submission to its end and hashes it on the way. A refusal is too_large
// or, where the upload was cut off, malformed.
func (h *Hub) spool(body io.Reader) (*spooled, error) {
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
	s, err := h.spoolFile(head, limited)
	if err != nil {
		return nil, err
	}
	if s.size > h.cfg.MaxEnvelope {
		s.drop()
		return nil, refuse(api.TooLarge, "the limit is %d bytes", h.cfg.MaxEnvelope)
	}
	return s, nil
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

func (h *Hub) spoolFile(head []byte, rest io.Reader) (_ *spooled, err error) {
	f, err := os.CreateTemp(h.cfg.Spool, "submission-*")
	if err != nil {
		return nil, fmt.Errorf("spool submission: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("spool submission: %w", err)
	}
	hash := gm.NewSM3()
	size, err := io.Copy(io.MultiWriter(f, hash), io.MultiReader(bytes.NewReader(head), rest))
	if errors.Is(err, syscall.ENOSPC) {
		return nil, refuse(api.StorageFull, "")
	}
	if err != nil {
		return nil, uploadError(err)
	}
	return &spooled{ReaderAt: f, size: size, sum: transport.Digest(hash.Sum(nil)), file: f}, nil
}

// uploadError says what a broken upload is. Nothing of it is kept.
func uploadError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return refuse(api.Timeout, "the upload took too long")
	}
	return refuse(api.Malformed, "the upload was cut off")
}

// drop frees what the submission holds.
func (s *spooled) drop() {
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}

// keep stores a large envelope durably, before any transaction speaks of it.
func (h *Hub) keep(ctx context.Context, s *spooled) error {
	if s.file == nil {
		return nil
	}
	info, err := h.p.Blobs.Put(ctx, io.NewSectionReader(s, 0, s.size))
	if errors.Is(err, blob.ErrNoSpace) {
		return refuse(api.StorageFull, "")
	}
	if err != nil {
		return fmt.Errorf("store envelope: %w", err)
	}
	if transport.Digest(info.Ref) != s.sum || info.Size != s.size {
		return fmt.Errorf("store envelope: %w", blob.ErrCorrupt)
	}
	return nil
}

// body opens the stored envelope of an exchange.
func (h *Hub) body(ctx context.Context, exchange string) (blob.Reader, error) {
	var e Envelope
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		e, err = r.Envelope(exchange)
		return err
	})
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
