package check_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"yinxin/internal/check"
	"yinxin/verdict"
)

// TestEveryFaultIsExplained: no finding leaves an operator without cause, effect and next step, and docs/operations.md
// knows each by name.
func TestEveryFaultIsExplained(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(check.Faults()) < 20 {
		t.Errorf("%d faults", len(check.Faults()))
	}
	for _, f := range check.Faults() {
		status, cause, effect, next := f.Explain()
		if cause == "" || effect == "" || next == "" {
			t.Errorf("%s: cause %q, effect %q, next %q", f, cause, effect, next)
		}
		if status != verdict.Passed && status != verdict.Failed && status != verdict.Indeterminate {
			t.Errorf("%s weighs %q", f, status)
		}
		if !bytes.Contains(doc, []byte("`"+string(f)+"`")) {
			t.Errorf("docs/operations.md does not name %s", f)
		}
	}
}

func FuzzParseShare(f *testing.F) {
	for _, s := range []string{"", "5%", "0.5", "100%", "3/10", "10/3", "1e2", "-0", "nan", "1/99999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := check.ParseShare(text)
		if err != nil {
			return
		}
		again, err := check.ParseShare(s.String())
		if err != nil || again != s {
			t.Errorf("%q reads as %s, which reads as %v, %v", text, s, again, err)
		}
		if strings.Contains(text, "/") != strings.Contains(s.String(), "/") {
			t.Errorf("%q reads as %s", text, s)
		}
	})
}
