package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// part is one piece of a plan. Its function reports on the way and returns what it counted.
type part struct {
	name string
	run  func(ctx context.Context) tally
}

// tally is what a part counted: things that passed, things that failed, and what could not be had.
type tally struct {
	passed, failed int
	missing        []string
	// witnesses are the independent implementations that tests say they were compared with.
	witnesses []string
}

// add sums two tallies.
func (t *tally) add(u tally) {
	t.passed += u.passed
	t.failed += u.failed
	t.missing = append(t.missing, u.missing...)
	for _, w := range u.witnesses {
		t.witness(w)
	}
}

// witness notes an independent implementation once.
func (t *tally) witness(name string) {
	if !slices.Contains(t.witnesses, name) {
		t.witnesses = append(t.witnesses, name)
	}
}

// verdict is the word that stands in the closing table.
func (t *tally) verdict() string {
	switch {
	case t.failed > 0:
		return "FAILED"
	case len(t.missing) > 0:
		return "INCOMPLETE"
	default:
		return "ok"
	}
}

// carryOut runs every part, prints the closing table and returns the exit status.
func (h *house) carryOut(ctx context.Context, parts []part) int {
	var sum tally
	var table bytes.Buffer
	begin := h.now()
	for _, p := range parts {
		if ctx.Err() != nil {
			fmt.Fprintf(&table, "%-24s interrupted\n", p.name)
			sum.failed++
			continue
		}
		h.printf("==> %s\n", p.name)
		start := h.now()
		t := p.run(ctx)
		sum.add(t)
		fmt.Fprintf(&table, "%-24s %6.1f  %6d  %6d  %s\n", p.name, h.now().Sub(start).Minutes(), t.passed, t.failed, t.verdict())
	}
	h.printf("\n%-24s %6s  %6s  %6s\n%s", "part", "min", "passed", "failed", table.String())
	h.printf("%-24s %6.1f\n\n", "total", h.now().Sub(begin).Minutes())
	if len(sum.witnesses) > 0 {
		h.printf("independent verifiers that took part:\n")
		for _, w := range sum.witnesses {
			h.printf("  - %s\n", w)
		}
	}
	if len(sum.missing) > 0 {
		h.printf("could not get, so not everything was run:\n")
		for _, m := range sum.missing {
			h.printf("  - %s\n", m)
		}
	}
	h.printf("%d passed, %d failed\n", sum.passed, sum.failed)
	if sum.failed > 0 || len(sum.missing) > 0 {
		return 1
	}
	return 0
}

func (h *house) printf(format string, args ...any) {
	fmt.Fprintf(h.out, format, args...)
}

// command prepares a program in the repository's root. It reads nothing from the terminal, and what it starts is
// asked to stop before it is killed when ctx ends.
func (h *house) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = h.root
	c.Env = append(os.Environ(), env...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	return c
}

// step runs one program as one thing that passes or fails; its output is shown only when it fails.
func (h *house) step(ctx context.Context, env []string, name string, args ...string) tally {
	out, err := h.command(ctx, env, name, args...).CombinedOutput()
	if err != nil {
		h.printf("%s %s: %v\n%s", shortName(name), strings.Join(args, " "), err, indent(out))
		return tally{failed: 1}
	}
	return tally{passed: 1}
}

// shortName is the last element of a program's path.
func shortName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// indent sets output apart from our own words.
func indent(out []byte) string {
	text := strings.TrimRight(string(out), "\n")
	if text == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
}

// lineWriter calls fn for every full line written to it, and for the rest on Close.
type lineWriter struct {
	rest []byte
	fn   func(line []byte)
}

var _ io.WriteCloser = (*lineWriter)(nil)

// Write cuts p into lines.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		w.fn(line)
		w.rest = rest
	}
}

// Close hands over a last line that has no line feed.
func (w *lineWriter) Close() error {
	if len(w.rest) > 0 {
		w.fn(w.rest)
		w.rest = nil
	}
	return nil
}
