package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"yinxin/crypto/gm"
	"yinxin/transport/envelope"
)

// largeEnvelope is from which size on an envelope is sent in pieces and never read as a whole, in bytes.
const largeEnvelope = 8 << 20

// openLarge opens an envelope that is large; nil for anything else, which the other ways of sending look at.
func openLarge(path string) (_ *os.File, err error) {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() || st.Size() < largeEnvelope {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	head := make([]byte, len(envelope.Magic))
	if _, err := f.ReadAt(head, 0); err != nil || !bytes.Equal(head, []byte(envelope.Magic)) {
		return nil, f.Close()
	}
	return f, nil
}

// sendLarge submits a large envelope in pieces. The key is the digest of its bytes, by which hub and log know a repeat, and by
// which an upload that was cut off is found again.
func (e *env) sendLarge(ctx context.Context, file *os.File, f sendFlags, asJSON bool) (err error) {
	defer closing(&err, file)
	c, err := e.connect()
	if err != nil {
		return err
	}
	st, err := file.Stat()
	if err != nil {
		return err
	}
	hash := gm.NewSM3()
	size, err := io.Copy(hash, io.NewSectionReader(file, 0, st.Size()))
	if err != nil {
		return err
	}
	bar := e.newSendBar()
	got, err := c.Upload(ctx, fmt.Sprintf("sm3-%x", hash.Sum(nil)), file, size, bar.tell)
	bar.end()
	if err != nil {
		return fmt.Errorf("send %s: %w", file.Name(), err)
	}
	return e.sent(ctx, c, got, f, asJSON)
}

// sendBar says on a terminal how far a large envelope has come; elsewhere it is silent.
type sendBar struct {
	e    *env
	on   bool
	last time.Time
}

// sendBarPause is how often it is told at most.
const sendBarPause = 200 * time.Millisecond

func (e *env) newSendBar() *sendBar {
	f, ok := e.stderr.(*os.File)
	return &sendBar{e: e, on: ok && term.IsTerminal(int(f.Fd()))}
}

func (b *sendBar) tell(sent, whole int64) {
	now := b.e.now()
	if !b.on || now.Sub(b.last) < sendBarPause {
		return
	}
	b.last = now
	fmt.Fprintf(b.e.stderr, "\r\x1b[Ksent %d%% of %d MB", sent*100/max(1, whole), whole/1_000_000)
}

func (b *sendBar) end() {
	if b.on {
		fmt.Fprint(b.e.stderr, "\r\x1b[K")
	}
}
