package vaultkeys

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"yinxin/keys"
)

// A Vault that does not answer is left alone after breakAfter calls in a row: callers are refused at once instead of waiting
// for their time to end, and one call each breakPause looks whether it is back.
const (
	breakAfter = 3
	breakPause = time.Second
)

// errNoAnswer marks a call that had no answer at all: refused, cut off, or too slow.
var errNoAnswer = errors.New("reach Vault")

// breaker counts calls without an answer.
type breaker struct {
	now func() time.Time

	mu     sync.Mutex
	failed int
	next   time.Time // when the next look is allowed, while failed is at breakAfter
	last   error
}

// admit lets a call go, or refuses it at once.
func (b *breaker) admit() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < breakAfter {
		return nil
	}
	if wait := b.next.Sub(b.now()); wait > 0 {
		return &keys.UnavailableError{RetryAfter: wait, Err: fmt.Errorf("the last %d calls had no answer: %w", b.failed, b.last)}
	}
	b.next = b.now().Add(breakPause) // this call looks; the others go on being refused
	return nil
}

// note takes the outcome of a call that was admitted.
func (b *breaker) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !errors.Is(err, errNoAnswer) {
		b.failed, b.last = 0, nil
		return
	}
	b.failed++
	b.next, b.last = b.now().Add(breakPause), err
}
