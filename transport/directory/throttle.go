package directory

import (
	"sync"
	"time"
)

// throttle slows down guessing without letting the guesser lock anybody out. It counts failures of an account from one
// source, of an account from all sources and of a source over all accounts. Only the first counts against a source from
// which that account has logged in before: so whoever guesses at somebody's account, from wherever, makes only strangers
// wait. Refused tries are not counted, or a wait would never end.
//
// It lives in the memory of one process: several hubs count by themselves.
type throttle struct {
	most int
	wait time.Duration

	mu    sync.Mutex
	pairs map[pair]failures
	known map[pair]struct{}
}

// pair is what failures are counted of.
type pair struct {
	kind            counted
	account, source string
}

// counted says what a pair counts.
type counted int

const (
	accountHere counted = iota // an account from one source
	accountAll                 // an account from all sources
	sourceAll                  // a source with all accounts
)

func here(account, source string) pair {
	return pair{kind: accountHere, account: account, source: source}
}

type failures struct {
	count int
	until time.Time
}

// How much more all sources together, or one source with all accounts, may fail; and how much is remembered.
const (
	accountFactor = 10
	sourceFactor  = 20
	maxRemembered = 10_000
)

func newThrottle(most int, wait time.Duration) *throttle {
	return &throttle{most: most, wait: wait, pairs: map[pair]failures{}, known: map[pair]struct{}{}}
}

// mustWait reports whether a try is refused unseen.
func (t *throttle) mustWait(account, source string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	over := func(p pair, most int) bool {
		f := t.pairs[p]
		return f.count >= most && now.Before(f.until)
	}
	if over(here(account, source), t.most) {
		return true
	}
	if _, known := t.known[here(account, source)]; known {
		return false
	}
	return over(pair{kind: accountAll, account: account}, t.most*accountFactor) ||
		over(pair{kind: sourceAll, source: source}, t.most*sourceFactor)
}

// fail counts a wrong secret.
func (t *throttle) fail(account, source string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range []pair{
		here(account, source), {kind: accountAll, account: account}, {kind: sourceAll, source: source},
	} {
		f := t.pairs[p]
		if now.After(f.until) {
			f.count = 0
		}
		f.count++
		f.until = now.Add(t.wait)
		t.makeRoom(now)
		t.pairs[p] = f
	}
}

// succeed forgets the failures of an account from a source and remembers the pair.
func (t *throttle) succeed(account, source string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.pairs, here(account, source))
	if len(t.known) >= maxRemembered {
		clear(t.known)
	}
	t.known[here(account, source)] = struct{}{}
}

// makeRoom drops what has run out, and everything where that does not help.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.pairs) < maxRemembered {
		return
	}
	for p, f := range t.pairs {
		if now.After(f.until) {
			delete(t.pairs, p)
		}
	}
	if len(t.pairs) >= maxRemembered {
		clear(t.pairs)
	}
}
