package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// row is one figure of bench.json. Probe is a reference measured in the same benchmark and the same run (what the raw
// store, or the bare cipher, does on this machine at this moment), so that Ratio survives a noisy machine. Both are
// null where a benchmark has no reference.
type row struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Probe *float64 `json:"probe"`
	Ratio *float64 `json:"ratio"`
}

// bench runs the benchmarks of every package, prints the rows and writes bench.json. A benchmark reports its figure
// with b.ReportMetric (or b.SetBytes) and its reference with the same unit prefixed by "probe-".
func (h *house) bench(ctx context.Context) tally {
	benchmarks := h.functions(ctx, regexp.MustCompile(`(?m)^func (Benchmark\w+)\(\w+ \*testing\.B\)`))
	benchtime := cmp.Or(os.Getenv("BENCHTIME"), "1s")
	var rows []row
	var t tally
	for _, pkg := range slices.Sorted(maps.Keys(benchmarks)) {
		h.printf("measuring %s\n", pkg)
		c := h.command(ctx, h.vaultEnv(), "go", "test", "-run=^$", "-bench=.", "-benchtime="+benchtime, "-timeout=40m", pkg)
		out, err := c.CombinedOutput()
		if err != nil {
			h.printf("FAIL %s: %v\n%s", pkg, err, indent(out))
			t.failed++
			continue
		}
		got := parseBenchmarks(strings.TrimPrefix(pkg, "./"), string(out))
		if len(got) == 0 {
			h.printf("FAIL %s: no benchmark reported a figure\n%s", pkg, indent(out))
			t.failed++
			continue
		}
		t.passed += len(got)
		rows = append(rows, got...)
	}
	if len(rows) == 0 {
		return tally{failed: t.failed + 1}
	}
	if err := h.writeRows(rows); err != nil {
		h.printf("%v\n", err)
		t.failed++
	}
	return t
}

// writeRows prints the table and writes bench.json.
func (h *house) writeRows(rows []row) error {
	printRows(h.out, rows)
	data, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	if err := os.WriteFile(filepath.Join(h.root, "bench.json"), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

func printRows(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "name\tvalue\tunit\tprobe\tratio")
	for _, r := range rows {
		probe, ratio := "–", "–"
		if r.Probe != nil {
			probe, ratio = number(*r.Probe), fmt.Sprintf("%.2f", *r.Ratio)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, number(r.Value), r.Unit, probe, ratio)
	}
	w.Flush() //nolint:errcheck // the terminal is gone then
}

// number prints three or more significant digits.
func number(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// parseBenchmarks reads the lines of `go test -bench`: a name, the iterations, then pairs of a number and a unit.
func parseBenchmarks(pkg, out string) []row {
	var rows []row
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 4 || len(f)%2 != 0 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		metrics := make(map[string]float64)
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				metrics[f[i+1]] = v
			}
		}
		name := regexp.MustCompile(`-\d+$`).ReplaceAllString(strings.TrimPrefix(f[0], "Benchmark"), "")
		rows = append(rows, rowOf(pkg+"."+name, metrics))
	}
	return rows
}

// rowOf picks the figure: the metric that has a probe; else one of our own units; else the rate or time that the
// testing package reports itself.
func rowOf(name string, metrics map[string]float64) row {
	for _, unit := range slices.Sorted(maps.Keys(metrics)) {
		probe, ok := metrics["probe-"+unit]
		if ok && probe > 0 {
			ratio := metrics[unit] / probe
			return row{Name: name, Value: metrics[unit], Unit: unit, Probe: &probe, Ratio: &ratio}
		}
	}
	builtin := []string{"MB/s", "ns/op"}
	for _, unit := range slices.Sorted(maps.Keys(metrics)) {
		if !slices.Contains(append(builtin, "B/op", "allocs/op"), unit) && !strings.HasPrefix(unit, "probe-") {
			return row{Name: name, Value: metrics[unit], Unit: unit}
		}
	}
	for _, unit := range builtin {
		if v, ok := metrics[unit]; ok {
			return row{Name: name, Value: v, Unit: unit}
		}
	}
	return row{Name: name}
}
