package envelope

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	"yinxin/crypto/gm"
)

// Files pass through in blocks: large enough that handing one to another goroutine costs nothing beside hashing it, and
// so many under way that no core waits for another.
const (
	blockSize = 128 << 10
	maxBlocks = 16
)

// block is a piece of a file that several lanes read at once; the last one done with it gives it back.
type block struct {
	data []byte
	left atomic.Int32
}

// belt carries blocks past its lanes, each a goroutine that sees every block, in order. Hashing, encrypting and writing
// so share all cores, where the slowest of them, SM3, is the bound.
type belt struct {
	lanes []chan *block
	spare chan *block
	made  int
	wait  sync.WaitGroup
}

func newBelt(acts ...func([]byte)) *belt {
	b := &belt{spare: make(chan *block, maxBlocks)}
	for _, act := range acts {
		lane := make(chan *block, maxBlocks)
		b.lanes = append(b.lanes, lane)
		b.wait.Go(func() {
			for x := range lane {
				act(x.data)
				if x.left.Add(-1) == 0 {
					b.spare <- x
				}
			}
		})
	}
	return b
}

// take returns an empty block, which may mean waiting for one.
func (b *belt) take() *block {
	select {
	case x := <-b.spare:
		return x
	default:
	}
	if b.made < maxBlocks {
		b.made++
		return &block{data: make([]byte, blockSize)}
	}
	return <-b.spare
}

// put sends a block past every lane; the caller gives it up.
func (b *belt) put(x *block) {
	x.left.Store(int32(len(b.lanes)))
	for _, lane := range b.lanes {
		lane <- x
	}
}

// close waits for the lanes. It must be called exactly once, on every way out.
func (b *belt) close() {
	for _, lane := range b.lanes {
		close(lane)
	}
	b.wait.Wait()
}

// pump copies exactly what r gives until io.EOF, or limit bytes where limit is not negative, to w, and to both digests.
// It returns the bytes copied.
func pump(w io.Writer, r io.Reader, limit int64) (int64, Digests, error) {
	sm3, sha := gm.NewSM3(), sha256.New()
	out := &lastWriter{w: w}
	b := newBelt(func(p []byte) { hashInto(sm3, p) }, func(p []byte) { hashInto(sha, p) }, out.write)
	var total int64
	var readErr error
	for readErr == nil && !out.failed.Load() {
		x := b.take()
		var n int
		n, readErr = fill(r, x.data[:blockSize], limit-total, limit >= 0)
		total += int64(n)
		x.data = x.data[:n]
		if n > 0 {
			b.put(x)
		}
	}
	b.close()
	if out.err != nil {
		return total, Digests{}, out.err
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return total, Digests{}, readErr
	}
	return total, Digests{SM3: [32]byte(sm3.Sum(nil)), SHA256: [32]byte(sha.Sum(nil))}, nil
}

// lastWriter writes until the first error, which it keeps. err is for after the lane has ended.
type lastWriter struct {
	w      io.Writer
	err    error
	failed atomic.Bool
}

func (l *lastWriter) write(p []byte) {
	if l.err != nil {
		return
	}
	if _, l.err = l.w.Write(p); l.err != nil {
		l.failed.Store(true)
	}
}

// fill reads up to a full block, and up to rest bytes where bounded. A short read with io.EOF is the end; io.ErrUnexpectedEOF is
// not, for it is how a source says that it was cut off.
func fill(r io.Reader, b []byte, rest int64, bounded bool) (int, error) {
	if bounded && rest < int64(len(b)) {
		b = b[:rest]
		if rest == 0 {
			return 0, io.EOF
		}
	}
	n := 0
	for n < len(b) {
		m, err := r.Read(b[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// hashInto feeds a hash, which never fails.
func hashInto(h hash.Hash, b []byte) { _, _ = h.Write(b) }

// counted is a hash that counts what it was fed.
type counted struct {
	hash.Hash
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.Hash.Write(p)
}

// async writes to a hash on a goroutine of its own. What is written is copied first, since its owner writes over it.
type async struct {
	h   hash.Hash
	b   *belt
	cur *block
}

func newAsync(h hash.Hash) *async {
	return &async{h: h, b: newBelt(func(p []byte) { hashInto(h, p) })}
}

func (a *async) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if a.cur == nil {
			a.cur = a.b.take()
			a.cur.data = a.cur.data[:0]
		}
		free := min(blockSize-len(a.cur.data), len(p))
		a.cur.data = append(a.cur.data, p[:free]...)
		p = p[free:]
		if len(a.cur.data) == blockSize {
			a.b.put(a.cur)
			a.cur = nil
		}
	}
	return n, nil
}

// close ends the goroutine; it must be called exactly once, on every way out.
func (a *async) close() {
	if a.cur != nil {
		a.b.put(a.cur)
	}
	a.b.close()
}

// sum closes and gives the digest.
func (a *async) sum() [32]byte {
	a.close()
	return [32]byte(a.h.Sum(nil))
}

// DigestsOf are the digests of a file that lies in memory.
func DigestsOf(data []byte) Digests {
	return Digests{SM3: gm.SM3(data), SHA256: sha256.Sum256(data)}
}
