package envelope

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"sync"

	"yinxin/crypto/gm"
)

// block is the unit in which files pass through, in bytes: large enough that handing it to another goroutine costs
// nothing beside hashing it.
const block = 128 << 10

// pump copies exactly what r gives until io.EOF, or limit bytes where limit is not negative, to w, and to both digests.
// Reading ahead, hashing and writing go on side by side, since SM3 alone is slower than the cipher. It returns the bytes
// copied.
func pump(w io.Writer, r io.Reader, limit int64) (int64, Digests, error) {
	sm3, sha := gm.NewSM3(), sha256.New()
	front, back := make([]byte, block), make([]byte, block)
	var total int64
	n, readErr := fill(r, front, limit)
	for n > 0 {
		total += int64(n)
		if limit >= 0 {
			limit -= int64(n)
		}
		var (
			wait     sync.WaitGroup
			writeErr error
			next     int
			nextErr  = readErr
		)
		chunk := front[:n]
		wait.Go(func() { hashInto(sm3, chunk) })
		wait.Go(func() { hashInto(sha, chunk); _, writeErr = w.Write(chunk) })
		if readErr == nil {
			next, nextErr = fill(r, back, limit)
		}
		wait.Wait()
		if writeErr != nil {
			return total, Digests{}, writeErr
		}
		n, readErr = next, nextErr
		front, back = back, front
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return total, Digests{}, readErr
	}
	return total, Digests{SM3: [32]byte(sm3.Sum(nil)), SHA256: [32]byte(sha.Sum(nil))}, nil
}

// fill reads up to a full buffer. A short read with io.EOF is the end.
func fill(r io.Reader, b []byte, limit int64) (int, error) {
	if limit >= 0 && limit < int64(len(b)) {
		b = b[:limit]
		if limit == 0 {
			return 0, io.EOF
		}
	}
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// hashInto feeds a hash, which never fails.
func hashInto(h hash.Hash, b []byte) { _, _ = h.Write(b) }

// async writes to a hash on a goroutine of its own, one block behind. Sum waits for it.
type async struct {
	h     hash.Hash
	turn  chan []byte
	done  chan struct{}
	spare chan []byte
	cur   []byte
	n     int64
}

func newAsync(h hash.Hash) *async {
	a := &async{h: h, turn: make(chan []byte, 1), done: make(chan struct{}), spare: make(chan []byte, 3)}
	for range cap(a.spare) {
		a.spare <- make([]byte, 0, block)
	}
	a.cur = <-a.spare
	go func() {
		defer close(a.done)
		for b := range a.turn {
			hashInto(a.h, b)
			a.spare <- b[:0]
		}
	}()
	return a
}

func (a *async) Write(p []byte) (int, error) {
	n := len(p)
	a.n += int64(n)
	for len(p) > 0 {
		free := min(cap(a.cur)-len(a.cur), len(p))
		a.cur = append(a.cur, p[:free]...)
		p = p[free:]
		if len(a.cur) == cap(a.cur) {
			a.turn <- a.cur
			a.cur = <-a.spare
		}
	}
	return n, nil
}

// close ends the goroutine; it must be called exactly once, on every way out.
func (a *async) close() {
	a.turn <- a.cur
	close(a.turn)
	<-a.done
}

// sum closes and gives the digest.
func (a *async) sum() [32]byte {
	a.close()
	return [32]byte(a.h.Sum(nil))
}
