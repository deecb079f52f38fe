package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// stories are the packages whose tests start the programs again and again, as users do. Their own processes are short
// and do one thing at a time; what works for many at once is the hub that they speak with.
var stories = []string{"yinxin/cmd/yinxin", "yinxin/docs"}

// race is the test run: every package, with the race detector, in a shuffled order; of the stories, only the hub.
func (h *house) race(ctx context.Context) tally {
	pkgs, err := h.packagesBut(ctx, stories)
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	t := h.goTest(ctx, nil, append([]string{"-race", "-shuffle=on"}, pkgs...)...)
	t.add(h.goTest(ctx, []string{"YINXIN_RACE_HUB=1"}, append([]string{"-shuffle=on"}, stories...)...))
	return t
}

// packagesBut lists the module's packages without some.
func (h *house) packagesBut(ctx context.Context, without []string) ([]string, error) {
	out, err := h.command(ctx, nil, "go", "list", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	pkgs := strings.Fields(string(out))
	for _, p := range without {
		if !slices.Contains(pkgs, p) {
			return nil, fmt.Errorf("no package %s", p)
		}
	}
	return slices.DeleteFunc(pkgs, func(p string) bool { return slices.Contains(without, p) }), nil
}

// faults runs the fault experiments in their long form, each with its mutant.
func (h *house) faults(ctx context.Context) tally {
	return h.goTest(ctx, []string{"YINXIN_FAULTS=long"}, "-timeout=60m", "-v", "./internal/faults/...")
}

// integration runs what goes through whole commands and servers.
func (h *house) integration(ctx context.Context) tally {
	return h.goTest(ctx, nil, "-shuffle=on", "./cmd/...", "./internal/embedded/...", "./internal/httpapi/...",
		"./keys/...", "./transport/...")
}

// vectors runs the packages that compare with outside data, and with the implementations of others.
func (h *house) vectors(ctx context.Context) tally {
	var pkgs []string
	for pkg, text := range h.testSources(ctx) {
		if strings.Contains(text, "\n\t\"yinxin/testvectors\"") {
			pkgs = append(pkgs, pkg)
		}
	}
	if len(pkgs) == 0 {
		h.printf("no test reads testvectors/\n")
		return tally{failed: 1}
	}
	pkgs = append(pkgs, "./testvectors/...")
	slices.Sort(pkgs)
	return h.goTest(ctx, nil, slices.Compact(pkgs)...)
}

// goTest runs `go test -json` with args, prints a line for each package and the output of what failed, and counts.
func (h *house) goTest(ctx context.Context, env []string, args ...string) tally {
	c := h.command(ctx, slices.Concat(env, h.vaultEnv()), "go", append([]string{"test", "-json", "-count=1", "-timeout=40m"}, args...)...)
	j := newJudge(func(tool string) bool { _, err := exec.LookPath(tool); return err == nil })
	var stderr bytes.Buffer
	events := &lineWriter{fn: func(line []byte) { h.printf("%s", j.event(line)) }}
	c.Stdout, c.Stderr = events, &stderr
	err := c.Run()
	events.Close() //nolint:errcheck // it only hands over the last line
	if err != nil && j.tally.failed == 0 {
		h.printf("go test: %v\n%s", err, indent(stderr.Bytes()))
		j.tally.failed++
	}
	return j.tally
}

// testEvent is one line of `go test -json`; see `go doc test2json`, whose names have no tags.
type testEvent struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
	Elapsed                                                float64 // seconds
}

// judge counts tests from the events of `go test -json`.
type judge struct {
	has    func(tool string) bool    // whether a program is installed
	output map[[2]string]string      // by package and test, until it has ended
	builds map[string]string         // compiler output by import path
	parent map[[2]string]bool        // tests that have subtests: their subtests are counted, not they
	failed map[[2]string]bool        // tests below which something failed
	counts map[string]map[string]int // by package: tests by outcome
	tally  tally
}

func newJudge(has func(string) bool) *judge {
	return &judge{
		has: has, output: make(map[[2]string]string), builds: make(map[string]string), parent: make(map[[2]string]bool),
		failed: make(map[[2]string]bool), counts: make(map[string]map[string]int),
	}
}

// event takes in one line and returns what is to be printed.
func (j *judge) event(line []byte) string {
	var e testEvent
	if json.Unmarshal(line, &e) != nil { //nolint:musttag // the names are test2json's
		return string(line) + "\n" // not an event: whatever go itself has to say
	}
	id := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		j.builds[e.ImportPath] += e.Output
	case "output":
		j.output[id] += e.Output
		if m := regexp.MustCompile(`independent verifier: (.+)`).FindStringSubmatch(e.Output); m != nil {
			j.tally.witness(m[1])
		}
	case "run":
		if cut := strings.LastIndexByte(e.Test, '/'); cut >= 0 {
			j.parent[[2]string{e.Package, e.Test[:cut]}] = true
		}
	case "pass", "fail", "skip":
		defer delete(j.output, id)
		if e.Test == "" {
			return j.pkg(e)
		}
		return j.test(e, id)
	}
	return ""
}

// test counts one test that has ended.
func (j *judge) test(e testEvent, id [2]string) string {
	if e.Action == "skip" {
		return j.skip(e, j.output[id])
	}
	if e.Action == "fail" {
		below := j.failed[id]
		j.markFailed(id)
		if below { // counted and shown as the subtest
			return ""
		}
		j.count(e.Package, "fail")
		j.tally.failed++
		return fmt.Sprintf("FAIL %s %s\n%s", e.Package, e.Test, indent([]byte(j.output[id])))
	}
	if !j.parent[id] {
		j.count(e.Package, "pass")
		j.tally.passed++
	}
	return ""
}

// markFailed notes for every test above id that the failure has been counted.
func (j *judge) markFailed(id [2]string) {
	name := id[1]
	for cut := strings.LastIndexByte(name, '/'); cut >= 0; cut = strings.LastIndexByte(name, '/') {
		name = name[:cut]
		j.failed[[2]string{id[0], name}] = true
	}
	j.failed[[2]string{id[0], ""}] = true
}

// skip lists the tool that a skipped test names, if that tool is missing; any other skip is a failure.
func (j *judge) skip(e testEvent, output string) string {
	needs := regexp.MustCompile(`needs ([A-Za-z0-9_.+-]+)`).FindStringSubmatch(output)
	if needs != nil && !j.has(needs[1]) {
		missing := needs[1] + ": a test needs it"
		if !slices.Contains(j.tally.missing, missing) {
			j.tally.missing = append(j.tally.missing, missing)
		}
		return fmt.Sprintf("skip %s %s: no %s\n", e.Package, e.Test, needs[1])
	}
	j.count(e.Package, "fail")
	j.tally.failed++
	return fmt.Sprintf("FAIL %s %s: skipped without naming a missing tool\n%s", e.Package, e.Test, indent([]byte(output)))
}

// pkg closes a package: a failure that no test explains (a build, a panic, a TestMain) is counted here.
func (j *judge) pkg(e testEvent) string {
	if e.Action == "skip" {
		return "" // it has no test files
	}
	id := [2]string{e.Package, ""}
	tail := fmt.Sprintf("%s %s %.1fs", e.Action, e.Package, e.Elapsed)
	counts := j.counts[e.Package]
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		tail += fmt.Sprintf(", %d %s", counts[outcome], outcome)
	}
	tail += "\n"
	if e.Action != "fail" {
		return tail
	}
	text := j.builds[e.FailedBuild] + j.leftover(e.Package)
	if counts["fail"] == 0 {
		j.tally.failed++
		return tail + indent([]byte(text))
	}
	if seed := regexp.MustCompile(`-test\.shuffle \d+`).FindString(j.output[id]); seed != "" {
		tail += "    again in this order: " + seed + "\n"
	}
	return tail
}

// leftover is the output of the tests of a package that never ended, and of the package itself.
func (j *judge) leftover(pkg string) string {
	var text strings.Builder
	for _, id := range slices.SortedFunc(maps.Keys(j.output), func(a, b [2]string) int { return strings.Compare(a[1], b[1]) }) {
		if id[0] == pkg {
			text.WriteString(j.output[id])
		}
	}
	return text.String()
}

func (j *judge) count(pkg, outcome string) {
	if j.counts[pkg] == nil {
		j.counts[pkg] = make(map[string]int)
	}
	j.counts[pkg][outcome]++
}
