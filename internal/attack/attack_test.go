package attack_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/internal/attack"
	"yinxin/internal/attack/base"
	"yinxin/internal/verify"
	"yinxin/verdict"
)

// sealedAt is when the base of the corpus is sealed.
var sealedAt = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// fewest is how many cases the corpus has at least.
const fewest = 1000

// TestCorpus holds the verifier against every case. It runs in an empty folder that must stay empty.
func TestCorpus(t *testing.T) {
	w, err := base.New(sealedAt, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Base()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	t.Chdir(folder)
	o := verify.Options{Policy: cert.Policy{Roots: []*cert.Certificate{w.Root}}, Now: sealedAt.AddDate(0, 0, 1)}
	seen, rows := map[string]bool{}, map[string]bool{}
	err = attack.Cases(b, func(c attack.Case) error {
		if seen[c.ID] {
			t.Errorf("%s stands twice", c.ID)
		}
		seen[c.ID] = true
		row, _, _ := strings.Cut(c.ID, "/")
		rows[row] = true
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f, err := verify.One(verify.Input{Name: "case." + c.File, Data: c.Data, Signed: c.Content}, o)
		runtime.ReadMemStats(&after)
		if held := after.TotalAlloc - before.TotalAlloc; held > uint64(c.MaxMemory)<<20 {
			t.Errorf("%s: %d MB allocated, allowed are %d", c.ID, held>>20, c.MaxMemory)
		}
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			return nil
		}
		if string(f.Verdict) != c.Verdict || string(f.Reason) != c.Reason {
			t.Errorf("%s (%s): %s (%s), want %s (%s)", c.ID, c.Mutation, f.Verdict, f.Reason, c.Verdict, c.Reason)
		}
		if c.Warning != "" && !f.Warned(verdict.Reason(c.Warning)) {
			t.Errorf("%s: no warning %s in %v", c.ID, c.Warning, f.Warnings)
		}
		if c.Sealing != "" {
			checkSealing(t, w, c)
		}
		for _, r := range []string{c.Reason, c.Warning, c.Sealing} {
			if r != "" && r != attack.Passed && !verdict.Reason(r).Known() {
				t.Errorf("%s: the reason %s is not in the closed list", c.ID, r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < fewest {
		t.Errorf("%d cases, want %d", len(seen), fewest)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("the verifier wrote %v (%v)", left, err)
	}
	for _, row := range catalogue() {
		if why := attack.Elsewhere[row]; (why == "") != rows[row] {
			t.Errorf("row %s: cases %t, held elsewhere: %q", row, rows[row], why)
		}
	}
	t.Logf("%d cases of %d rows", len(seen), len(rows))
}

// catalogue lists the rows of the catalogue of attacks that are about files and what stands in them.
func catalogue() []string {
	var rows []string
	for _, group := range []struct {
		name string
		last int
	}{{"P", 20}, {"O", 22}, {"Z", 11}, {"X", 9}, {"C", 23}} {
		for n := 1; n <= group.last; n++ {
			rows = append(rows, fmt.Sprintf("%s-%02d", group.name, n))
		}
	}
	return append(rows, "T-12")
}

// checkSealing seals the file of a case, or expects the refusal.
func checkSealing(t *testing.T, w *base.World, c attack.Case) {
	t.Helper()
	_, err := w.Seal(c.Data)
	if c.Sealing == attack.Passed {
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
		return
	}
	if refused, ok := errors.AsType[*verdict.ContainerError](err); !ok || string(refused.Reason) != c.Sealing {
		t.Errorf("%s (%s): sealing gives %v, want %s", c.ID, c.Mutation, err, c.Sealing)
	}
}

// TestMutatorsStandAlone: the mutators must not share code with what they attack.
func TestMutatorsStandAlone(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if strings.Contains(i.Path.Value, "yinxin") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}
