package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// smokeTime is how long each target is fuzzed within `make test`; long enough to catch a parser that falls over its
// seeds' neighbours, and no more.
const smokeTime = 2 * time.Second

// minimize bounds the fuzzer's work of shortening each input that it finds interesting. Its own default, a minute,
// eats up all the time of a target whose seeds are large: a handful of executions instead of thousands.
const minimize = "10x"

// fuzzSmoke fuzzes every target for a moment.
func (h *house) fuzzSmoke(ctx context.Context) tally { return h.fuzz(ctx, smokeTime, false) }

// fuzzLong fuzzes every target for FUZZTIME (30s if not given) and keeps the corpus in the cache.
func (h *house) fuzzLong(ctx context.Context) tally {
	each := 30 * time.Second
	if text := os.Getenv("FUZZTIME"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			h.printf("FUZZTIME: %v\n", err)
			return tally{failed: 1}
		}
		each = d
	}
	return h.fuzz(ctx, each, true)
}

// fuzz builds one instrumented test binary a package and runs each of its targets for the time given.
func (h *house) fuzz(ctx context.Context, each time.Duration, keep bool) tally {
	dir, err := os.MkdirTemp("", "yinxin-fuzz-")
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	defer os.RemoveAll(dir)
	corpus := filepath.Join(dir, "corpus")
	if keep {
		corpus = filepath.Join(h.cache, "fuzz")
	}
	targets := h.functions(ctx, regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`))
	if len(targets) == 0 {
		h.printf("no fuzz target found\n")
		return tally{failed: 1}
	}
	var t tally
	for _, pkg := range slices.Sorted(maps.Keys(targets)) {
		binary := filepath.Join(dir, "fuzz.test")
		built := h.step(ctx, nil, "go", "test", "-c", "-fuzz=.", "-o", binary, pkg)
		if built.failed > 0 {
			t.add(built)
			continue
		}
		for _, target := range targets[pkg] {
			t.add(h.fuzzTarget(ctx, binary, pkg, target, each, filepath.Join(corpus, pkg)))
		}
	}
	return t
}

// fuzzTarget runs one target in its package's folder, so that a crasher lands in its testdata.
func (h *house) fuzzTarget(ctx context.Context, binary, pkg, target string, each time.Duration, corpus string) tally {
	for again := true; ; again = false {
		c := h.command(ctx, nil, binary, "-test.run=^$", "-test.fuzz=^"+target+"$", "-test.fuzztime="+each.String(),
			"-test.fuzzminimizetime="+minimize, "-test.fuzzcachedir="+corpus, "-test.timeout=10m")
		c.Dir = filepath.Join(h.root, pkg)
		out, err := c.CombinedOutput()
		if err == nil {
			h.printf("ok %s %s %s\n", pkg, target, lastExecs(out))
			return tally{passed: 1}
		}
		// Where the time ends while a worker is still busy, the fuzzer itself reports its own deadline as a failure.
		if again && bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte("Failing input")) {
			h.printf("%s %s met the fuzzer's own deadline; once more\n", pkg, target)
			continue
		}
		h.printf("FAIL %s %s: %v\n%s", pkg, target, err, indent(out))
		return tally{failed: 1}
	}
}

// lastExecs is the number of executions in the fuzzer's last line of progress.
func lastExecs(out []byte) string {
	all := regexp.MustCompile(`execs: \d+`).FindAll(out, -1)
	if len(all) == 0 {
		return ""
	}
	return strings.TrimSpace(string(all[len(all)-1]))
}
