// Command attackrun makes the corpus of attacks, holds the verifier against it within the limits of each case, and prints
// a table of the rows. With -out it also writes the corpus: every file with a JSON sidecar, and the trusted root, so that
// other verifiers can be held against it. It exits with 1 if any case disagrees or exceeds its limits.
package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"yinxin/crypto/cert"
	"yinxin/internal/attack"
	"yinxin/internal/attack/base"
	"yinxin/internal/durable"
	"yinxin/internal/verify"
	"yinxin/verdict"
)

// sealedAt is when the base is sealed; the corpus is judged a day later.
var sealedAt = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func main() {
	out := flag.String("out", "", "write the corpus into this folder, which must not exist")
	flag.Parse()
	agreed, err := run(*out, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "attackrun:", err)
		os.Exit(70)
	}
	if !agreed {
		os.Exit(1)
	}
}

func run(out string, w io.Writer) (bool, error) {
	world, err := base.New(sealedAt, rand.Reader) //nolint:forbidigo // a main hands randomness down
	if err != nil {
		return false, err
	}
	b, err := world.Base()
	if err != nil {
		return false, err
	}
	r := &runner{out: out, rows: map[string]*row{}, options: verify.Options{
		Policy: cert.Policy{Roots: []*cert.Certificate{world.Root}}, Now: sealedAt.AddDate(0, 0, 1),
	}}
	if out != "" {
		if err := os.Mkdir(out, 0o755); err != nil {
			return false, err
		}
		if err := durable.WriteFile(filepath.Join(out, "root.pem"), world.Root.PEM(), 0o644); err != nil {
			return false, err
		}
	}
	if err := attack.Cases(b, r.judge); err != nil {
		return false, err
	}
	return len(r.problems) == 0, r.print(w)
}

// row gathers the cases of one row of the catalogue.
type row struct {
	cases, agreed int
	reasons       map[string]bool
	cpu, memory   float64 // the most of any case, in milliseconds and megabytes
}

type runner struct {
	out      string
	options  verify.Options
	rows     map[string]*row
	problems []string
}

// judge judges one case. What is measured is the processor time of the whole process, and all that was allocated: both
// are more than the verifier's own.
func (r *runner) judge(c attack.Case) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	f, err := verify.One(verify.Input{Name: "case." + c.File, Data: c.Data, Signed: c.Content}, r.options)
	spent := float64((cpuTime() - start).Microseconds()) / 1000
	runtime.ReadMemStats(&after)
	const megabyte = 1 << 20
	held := float64(after.TotalAlloc-before.TotalAlloc) / megabyte

	name, _, _ := strings.Cut(c.ID, "/")
	if c.Verdict == attack.Passed && strings.HasPrefix(name, "T-") {
		name = "twins"
	}
	t := r.rows[name]
	if t == nil {
		t = &row{reasons: map[string]bool{}}
		r.rows[name] = t
	}
	t.cases++
	t.cpu, t.memory = max(t.cpu, spent), max(t.memory, held)
	if c.Reason != "" {
		t.reasons[c.Reason] = true
	}
	if why := disagrees(c, f, err); why != "" {
		r.problems = append(r.problems, c.ID+": "+why)
	} else if spent > float64(c.MaxCPU) || held > float64(c.MaxMemory) {
		r.problems = append(r.problems, fmt.Sprintf("%s: %.0f ms and %.0f MB, allowed are %d and %d", c.ID, spent, held, c.MaxCPU, c.MaxMemory))
	} else {
		t.agreed++
	}
	return r.write(c)
}

func disagrees(c attack.Case, f verdict.File, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case string(f.Verdict) != c.Verdict || string(f.Reason) != c.Reason:
		return fmt.Sprintf("%s (%s), expected is %s (%s)", f.Verdict, f.Reason, c.Verdict, c.Reason)
	case c.Warning != "" && !f.Warned(verdict.Reason(c.Warning)):
		return "no warning " + c.Warning
	}
	return ""
}

// write puts the case into the corpus.
func (r *runner) write(c attack.Case) error {
	if r.out == "" {
		return nil
	}
	name := strings.ReplaceAll(c.ID, "/", "_")
	sidecar, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{name + "." + c.File: c.Data, name + ".json": append(sidecar, '\n')}
	if c.File == "p7s" {
		files[name+".content"] = c.Content
	}
	for n, data := range files {
		if err := os.WriteFile(filepath.Join(r.out, n), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\tcases\tagreed\tms\tMB\treasons")
	names := make([]string, 0, len(r.rows))
	total := &row{}
	for n, x := range r.rows {
		names = append(names, n)
		total.cases, total.agreed = total.cases+x.cases, total.agreed+x.agreed
		total.cpu, total.memory = max(total.cpu, x.cpu), max(total.memory, x.memory)
	}
	slices.SortFunc(names, cmp.Compare)
	for _, n := range names {
		x := r.rows[n]
		reasons := make([]string, 0, len(x.reasons))
		for reason := range x.reasons {
			reasons = append(reasons, reason)
		}
		slices.Sort(reasons)
		fmt.Fprintf(t, "%s\t%d\t%d\t%.1f\t%.1f\t%s\n", n, x.cases, x.agreed, x.cpu, x.memory, strings.Join(reasons, ", "))
	}
	fmt.Fprintf(t, "all\t%d\t%d\t%.1f\t%.1f\t\n", total.cases, total.agreed, total.cpu, total.memory)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range r.problems {
		if _, err := fmt.Fprintln(w, p); err != nil {
			return err
		}
	}
	return nil
}

// cpuTime is what the process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
