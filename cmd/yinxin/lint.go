package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/verdict"
)

func newLintCmd(e *env) *cobra.Command {
	var all bool
	var fontsDir string
	cmd := &cobra.Command{
		Use:   "lint F.ofd...",
		Short: "measure laid-out pages against GB/T 9704-2012",
		Long: "Reads the pages of any OFD back, finds the elements of an official document by their places and characters, and compares\n" +
			"their millimetres with GB/T 9704-2012 and GB/T 33476.2-2016, seals on the date included. Exit 0 when every measurement\n" +
			"lies within its tolerance, 1 when one does not.",
		Example: "  yinxin lint notice.ofd\n  yinxin lint notice.ofd --all\n  yinxin lint notice.ofd --json",
		Args:    atLeastOne("OFD file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			faces, err := e.faces(fontsDir)
			if err != nil {
				return err
			}
			return e.lintAll(args, faces, all, jsonFlag(cmd))
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "print what passed as well")
	fontsFlag(cmd, &fontsDir)
	return cmd
}

// linted is what lint prints of one file.
type linted struct {
	File string `json:"file"`
	layout.Report
}

func (e *env) lintAll(paths []string, faces *fonts.Set, all, asJSON bool) error {
	failed := false
	var results []linted
	for _, path := range paths {
		r, err := lintFile(path, faces)
		if err != nil {
			return fmt.Errorf("lint %s: %w", path, err)
		}
		failed = failed || r.Verdict != verdict.Passed
		results = append(results, linted{path, r})
		if !asJSON {
			e.printLint(path, r, all)
		}
	}
	if asJSON {
		out := struct {
			Schema string   `json:"schema"`
			Files  []linted `json:"files"`
		}{"yinxin.lint/1", results}
		if err := json.NewEncoder(e.stdout).Encode(out); err != nil {
			return err
		}
	}
	if failed {
		return exitStatus(exitFailed)
	}
	return nil
}

func lintFile(path string, faces *fonts.Set) (r layout.Report, err error) {
	d, file, err := openDrawing(path, faces)
	if err != nil {
		return layout.Report{}, err
	}
	defer closing(&err, file)
	return d.Measure()
}

func (e *env) printLint(path string, r layout.Report, all bool) {
	faults := r.Faults()
	fmt.Fprintf(e.stdout, "%s: %s, %d pages, form %s: %d measured, %d outside their tolerance\n",
		path, r.Verdict, r.Pages, r.Form, len(r.Measurements), len(faults))
	list := faults
	if all {
		list = r.Measurements
	}
	if len(list) > 0 {
		w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "  page\telement\tmeasure\tmeasured\texpected\tdeviation\ttolerance\tclause\tverdict\t")
		for _, m := range list {
			fmt.Fprintf(w, "  %d\t%s\t%s\t%.2f\t%s\t%+.2f\t%.2f\t%s\t%s\t%s\n", m.Page, m.Element, m.Measure, m.Measured, expected(m),
				m.Deviation, m.Tolerance, m.Clause, m.Verdict, strings.TrimSpace(m.Detail))
		}
		w.Flush() //nolint:errcheck // stdout
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(e.stderr, "%s: %s: %s\n", path, warning.Code, warning.Detail)
	}
}

// expected prints a length, or the range that the standard leaves: ≥ for one that has no upper end.
func expected(m layout.Measurement) string {
	s := strconv.FormatFloat(m.Expected, 'f', 2, 64)
	if m.AtLeast {
		return "≥ " + s
	}
	if m.Most != nil {
		s += " to " + strconv.FormatFloat(*m.Most, 'f', 2, 64)
	}
	return s
}
