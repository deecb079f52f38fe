package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// judgeLines hands events of `go test -json` to a judge and returns its count and what it printed.
func judgeLines(t *testing.T, has func(string) bool, lines ...string) (tally, string) {
	t.Helper()
	j := newJudge(has)
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(j.event([]byte(line)))
	}
	return j.tally, out.String()
}

func TestJudge(t *testing.T) {
	const (
		runA     = `{"Action":"run","Package":"p","Test":"TestA"}`
		runSub   = `{"Action":"run","Package":"p","Test":"TestA/x"}`
		passSub  = `{"Action":"pass","Package":"p","Test":"TestA/x"}`
		failSub  = `{"Action":"fail","Package":"p","Test":"TestA/x"}`
		passA    = `{"Action":"pass","Package":"p","Test":"TestA"}`
		failA    = `{"Action":"fail","Package":"p","Test":"TestA"}`
		skipA    = `{"Action":"skip","Package":"p","Test":"TestA"}`
		passP    = `{"Action":"pass","Package":"p","Elapsed":0.5}`
		failP    = `{"Action":"fail","Package":"p","Elapsed":0.5}`
		sayNeeds = `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: needs pdftotext\n"}`
		sayLater = `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: some other day\n"}`
	)
	tests := []struct {
		name      string
		lines     []string
		installed bool
		want      tally
	}{
		{name: "one test passes", lines: []string{runA, passA, passP}, want: tally{passed: 1}},
		{name: "a subtest counts, its parent does not", lines: []string{runA, runSub, passSub, passA, passP}, want: tally{passed: 1}},
		{name: "a failed subtest counts once", lines: []string{runA, runSub, failSub, failA, failP}, want: tally{failed: 1}},
		{name: "a parent that fails by itself counts", lines: []string{runA, runSub, passSub, failA, failP}, want: tally{passed: 1, failed: 1}},
		{name: "a package that fails outside its tests counts", lines: []string{runA, passA, failP}, want: tally{passed: 1, failed: 1}},
		{name: "a skip that names a missing tool is listed", lines: []string{runA, sayNeeds, skipA, passP}, want: tally{missing: []string{"pdftotext: a test needs it"}}},
		{name: "a skip that names a tool that is there fails", lines: []string{runA, sayNeeds, skipA, passP}, installed: true, want: tally{failed: 1}},
		{name: "a skip without a tool fails", lines: []string{runA, sayLater, skipA, passP}, want: tally{failed: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := judgeLines(t, func(string) bool { return tt.installed }, tt.lines...)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(tally{})); diff != "" {
				t.Errorf("tally (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJudgeShowsWhyAPackageDoesNotBuild(t *testing.T) {
	got, out := judgeLines(
		t, func(string) bool { return true },
		`{"ImportPath":"p [p.test]","Action":"build-output","Output":"p/a.go:3:2: undefined: x\n"}`,
		`{"ImportPath":"p [p.test]","Action":"build-fail"}`,
		`{"Action":"fail","Package":"p","Elapsed":0,"FailedBuild":"p [p.test]"}`,
	)
	if got.failed != 1 || !strings.Contains(out, "undefined: x") {
		t.Errorf("got %+v and %q, want one failure and the compiler's words", got, out)
	}
}

func TestGoTestCountsARealRun(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "go.mod"), "module example\n\ngo 1.26.0\n")
	mustWrite(t, filepath.Join(dir, "a_test.go"), `package example

import "testing"

func TestGood(t *testing.T) {}
func TestBad(t *testing.T)  { t.Error("said so") }
func TestLazy(t *testing.T) { t.Skip("no time") }
`)
	var out strings.Builder
	h := &house{root: dir, cache: dir, out: &out, now: time.Now}
	got := h.goTest(t.Context(), nil, "./...")
	if got.passed != 1 || got.failed != 2 {
		t.Errorf("got %d passed, %d failed, want 1 and 2:\n%s", got.passed, got.failed, out.String())
	}
	for _, want := range []string{"FAIL example TestBad", "said so", "TestLazy: skipped without naming a missing tool"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestCarryOutRunsEveryPartAndClosesWithTheCount(t *testing.T) {
	gives := func(name string, give tally) part {
		return part{name, func(context.Context) tally { return give }}
	}
	tests := []struct {
		name     string
		parts    []part
		want     int
		wantLast string
		wantSaid string
	}{
		{"all good", []part{gives("a", tally{passed: 2}), gives("b", tally{passed: 1})}, 0, "3 passed, 0 failed", "ok"},
		{"a failure hides nothing", []part{gives("a", tally{failed: 1}), gives("b", tally{passed: 1})}, 1, "1 passed, 1 failed", "FAILED"},
		{"a missing tool is listed", []part{gives("a", tally{passed: 1, missing: []string{"gcc: not there"}})}, 1, "1 passed, 0 failed", "  - gcc: not there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			h := &house{out: &out, now: func() time.Time { return time.Unix(0, 0) }}
			got := h.carryOut(t.Context(), tt.parts)
			lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
			if got != tt.want || lines[len(lines)-1] != tt.wantLast || !strings.Contains(out.String(), tt.wantSaid) {
				t.Errorf("exit %d, want %d; last line want %q, said want %q, got:\n%s", got, tt.want, tt.wantLast, tt.wantSaid, out.String())
			}
		})
	}
}

func TestCarryOutInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	h := &house{out: &out, now: time.Now}
	code := h.carryOut(ctx, []part{{"never", func(context.Context) tally { t.Error("ran"); return tally{} }}})
	if code != 1 || !strings.Contains(out.String(), "0 passed, 1 failed") {
		t.Errorf("exit %d, want 1:\n%s", code, out.String())
	}
}

func TestParseBenchmarks(t *testing.T) {
	const out = `goos: linux
BenchmarkAccept/batch=64-2   100   9500000 ns/op   6400 docs/s   12800 probe-docs/s
BenchmarkSM3-2               200   5000000 ns/op   200.5 MB/s   0 B/op   0 allocs/op
BenchmarkOpen                100   100 ns/op
BenchmarkSign-2              100   100 ns/op   4000 ops/s
ok  	yinxin/x	1.2s
`
	probe, ratio := 12800.0, 0.5
	want := []row{
		{Name: "x.Accept/batch=64", Value: 6400, Unit: "docs/s", Probe: &probe, Ratio: &ratio},
		{Name: "x.SM3", Value: 200.5, Unit: "MB/s"},
		{Name: "x.Open", Value: 100, Unit: "ns/op"},
		{Name: "x.Sign", Value: 4000, Unit: "ops/s"},
	}
	if diff := cmp.Diff(want, parseBenchmarks("x", out)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if got := parseBenchmarks("x", "PASS\nok x 0.1s\n"); got != nil {
		t.Errorf("rows without a benchmark: %v", got)
	}
}

func TestTimedFailsOverTheLimitAndPassesUnderIt(t *testing.T) {
	var out strings.Builder
	h := &house{out: &out}
	took := []time.Duration{4 * time.Second, time.Second, 2 * time.Second}
	next := func() (time.Duration, error) {
		d := took[0]
		took = append(took[1:], d)
		return d, nil
	}
	if got := h.timed("x", 3*time.Second, 3, next); got.passed != 1 {
		t.Errorf("best of three is under the limit, got %+v", got)
	}
	if got := h.timed("x", time.Second, 3, next); got.failed != 1 {
		t.Errorf("best of three is not under the limit, got %+v", got)
	}
}

func TestFirstURL(t *testing.T) {
	got, err := firstURL(strings.NewReader("not for production\nhub at http://127.0.0.1:8080/ ready\n"))
	if err != nil || got != "http://127.0.0.1:8080" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := firstURL(strings.NewReader("no such thing\n")); err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("got %v, want an error that shows what was printed", err)
	}
}

func TestSourcesWithoutGit(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.go", "b/c.go", "b/d.txt", ".cache/e.go"} {
		mustWrite(t, filepath.Join(dir, name), "x")
	}
	h := &house{root: dir}
	got, err := h.sources(t.Context(), ".go")
	if want := []string{"a.go", "b/c.go"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWitnessesAreListedOnce(t *testing.T) {
	say := `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: independent verifier: OpenSSL 3.0\n"}`
	got, _ := judgeLines(t, func(string) bool { return true },
		`{"Action":"run","Package":"p","Test":"TestA"}`, say, say, `{"Action":"pass","Package":"p","Test":"TestA"}`)
	if diff := cmp.Diff([]string{"OpenSSL 3.0"}, got.witnesses); diff != "" {
		t.Errorf("witnesses (-want +got):\n%s", diff)
	}
	var out strings.Builder
	h := &house{out: &out, now: func() time.Time { return time.Unix(0, 0) }}
	h.carryOut(t.Context(), []part{{"a", func(context.Context) tally { return got }}})
	if !strings.Contains(out.String(), "  - OpenSSL 3.0\n") {
		t.Errorf("not listed:\n%s", out.String())
	}
}

func TestALibraryIsFoundByItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lib.jar")
	p := program{name: "libthat-java", file: file}
	if p.installed() {
		t.Error("found before it is there")
	}
	mustWrite(t, file, "")
	if !p.installed() {
		t.Error("not found")
	}
}
