package faults

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"yinxin/archive/tlog"
	"yinxin/transport"
	"yinxin/transport/client"
	"yinxin/transport/receipt"
)

// clockVariable names, to the instrumented hub, the file that says by how much its clock is wrong.
const clockVariable = "YINXIN_FAULTS_CLOCK"

// instrumented is not a mutant: a copy whose one clock, that main hands to everything else, can be set by the experiment. The file
// holds seconds to add, or a moment at which the clock stands still, after an "=".
var instrumented = []Edit{
	{
		File: "cmd/yinxind/main.go", Old: "&env{stdout: os.Stdout, stderr: os.Stderr, now: time.Now, rand: rand.Reader}",
		New: "&env{stdout: os.Stdout, stderr: os.Stderr, now: wrongClock, rand: rand.Reader}",
	},
	{File: "cmd/yinxind/wrongclock.go", New: `package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

func wrongClock() time.Time {
	text, _ := os.ReadFile(os.Getenv("` + clockVariable + `"))
	word := strings.TrimSpace(string(text))
	if at, ok := strings.CutPrefix(word, "="); ok {
		n, _ := strconv.ParseInt(at, 10, 64)
		return time.Unix(n, 0)
	}
	n, _ := strconv.ParseInt(word, 10, 64)
	return time.Now().Add(time.Duration(n) * time.Second)
}
`},
}

// Instrument is the hub whose clock can be set, and SystemClock the mutant of it that asks the system past that clock.
var (
	Instrument  = &Mutant{Name: "a clock that can be set", Edits: instrumented}
	SystemClock = &Mutant{Name: "direct use of the system clock", Edits: append(slices.Clone(instrumented), Edit{
		File: "transport/hub/hub.go",
		Old:  "func (h *Hub) now() time.Time { return h.p.Clock().UTC().Truncate(time.Millisecond) }",
		New:  "func (h *Hub) now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }",
	})}
)

// TestClock is E-08: the clock of a hub is one hour ahead, one hour behind, stands still, is ten years ahead, and right again. What
// it states bears the time of that clock and never goes back within an exchange; nothing is accepted under a certificate, and
// nobody is let in by a session, that has expired by it.
//
// It needs a build of its own, which is why `make test` leaves it to `make faults`.
func TestClock(t *testing.T) {
	if !long {
		return
	}
	x := experiment{hubs: 1, docs: 5, fails: 1, build: Instrument}
	x.prepare = func(t *testing.T, w *world) {
		t.Helper()
		t.Setenv(clockVariable, filepath.Join(w.cluster.Dir, "clock"))
		w.setClock(t, "-7200") // so that certificates are older than the clock will be at its earliest
	}
	x.after = func(t *testing.T, w *world, s *Sender) {
		t.Helper()
		now := time.Now()
		for _, wrong := range []string{"3600", "-3600", "=" + strconv.FormatInt(now.Unix(), 10), "0"} {
			w.setClock(t, wrong)
			before := w.journal.Count()
			w.submit(t, s)
			if w.journal.Count() != before+1 {
				w.journal.Break("with the clock at %q nothing is accepted", wrong)
				return
			}
			w.bearsTime(t, wrong)
		}
		w.tenYears(t, s)
		w.setClock(t, "0")
		w.neverBack(t)
	}
	hold(t, x, SystemClock)
}

func (w *world) setClock(t *testing.T, to string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(w.cluster.Dir, "clock"), []byte(to), 0o600))
}

// bearsTime holds the time of the newest acceptance against the clock that was set.
func (w *world) bearsTime(t *testing.T, wrong string) {
	t.Helper()
	want := time.Now()
	if n, err := strconv.Atoi(wrong); err == nil {
		want = want.Add(time.Duration(n) * time.Second)
	}
	x, err := w.cluster.Client(0).Track(t.Context(), w.journal.Acknowledged[len(w.journal.Acknowledged)-1].Exchange)
	must(t, err)
	if off := x.Evidence[0].Time.Sub(want).Abs(); off > 5*time.Minute {
		w.journal.Break("with the clock at %q the acceptance bears %s, which is off by %s", wrong, x.Evidence[0].Time, off)
	}
}

// tenYears sends while every certificate and session has expired by the hub's clock.
func (w *world) tenYears(t *testing.T, s *Sender) {
	t.Helper()
	c := w.cluster
	w.setClock(t, strconv.Itoa(10*365*24*3600))
	if status, _, err := c.Get(t.Context(), 0, "/api/v1/exchanges"); err != nil || status != http.StatusUnauthorized {
		w.journal.Break("a session of ten years ago is answered %d, %v", status, err)
	}
	clerk, err := c.Client(0).Login(t.Context(), "clerk-a", c.secret)
	if err != nil {
		w.journal.Break("ten years later nobody can log in: %v", err)
		return
	}
	old := c.token
	c.token = clerk.Token
	must(t, c.hubs[0].connect(c.Client(0).Address(), c.token))
	id, body, err := s.pack()
	must(t, err)
	_, err = c.Client(0).SubmitBytes(t.Context(), id, body)
	if p, ok := asProblem(err); !ok || p.Status != http.StatusUnprocessableEntity {
		w.journal.Break("under certificates that have expired a submission is answered: %v", err)
	}
	c.token = old
	must(t, c.hubs[0].connect(c.Client(0).Address(), c.token))
	w.setClock(t, "0")
	if _, err := c.Client(0).Exchanges(t.Context(), client.Page{}); err != nil {
		if p, ok := asProblem(err); !ok || p.Status != http.StatusUnauthorized {
			w.journal.Break("with the clock right again: %v", err)
			return
		}
		again, err := c.Client(0).Login(t.Context(), "clerk-a", c.secret)
		must(t, err)
		c.token = again.Token
		must(t, c.hubs[0].connect(c.Client(0).Address(), c.token))
	}
}

// neverBack reads the log: within an exchange no entry is older than the one before.
func (w *world) neverBack(t *testing.T) {
	t.Helper()
	dir, key, err := w.cluster.Log()
	must(t, err)
	signed, err := dir.Fetch(t.Context(), tlog.CheckpointPath)
	must(t, err)
	head, err := tlog.OpenCheckpoint(signed, key)
	must(t, err)
	last := map[string]time.Time{}
	must(t, tlog.Audit(context.WithoutCancel(t.Context()), dir, head, func(n uint64, leaf []byte) error {
		e, err := receipt.ParseEntry(leaf)
		if err != nil {
			return err
		}
		if e.Exchange == "" || e.Event == transport.Event("") {
			return errors.New("an entry without exchange or event")
		}
		if e.Time.Before(last[e.Exchange]) {
			w.journal.Break("entry %d of exchange %s is older than the one before", n, e.Exchange)
		}
		last[e.Exchange] = e.Time
		return nil
	}))
}
