package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// progress says on a terminal how far a long work is; elsewhere it is silent.
type progress struct {
	e    *env
	what string
	on   bool
	last time.Time
}

// progressPause is how often it is told at most.
const progressPause = 200 * time.Millisecond

func (e *env) newProgress(what string) *progress {
	f, ok := e.stderr.(*os.File)
	return &progress{e: e, what: what, on: ok && term.IsTerminal(int(f.Fd()))}
}

// tell says that so much of a part is done; of is 0 where the whole is not known.
func (p *progress) tell(part string, done, of uint64) {
	now := p.e.now()
	if !p.on || now.Sub(p.last) < progressPause {
		return
	}
	p.last = now
	if of > 0 {
		fmt.Fprintf(p.e.stderr, "\r\x1b[K%s: %s %d of %d", p.what, part, done, of)
		return
	}
	fmt.Fprintf(p.e.stderr, "\r\x1b[K%s: %s %d", p.what, part, done)
}

// end clears the line.
func (p *progress) end() {
	if p.on {
		fmt.Fprint(p.e.stderr, "\r\x1b[K")
	}
}
