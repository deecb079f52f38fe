package attack_test

import (
	"crypto/rand"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
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
const fewest = 600

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
		f, err := verify.One(verify.Input{Name: "case." + c.File, Data: c.Data, Signed: c.Content}, o)
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
		for _, r := range []string{c.Reason, c.Warning} {
			if r != "" && !verdict.Reason(r).Known() {
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
	t.Logf("%d cases of %d rows", len(seen), len(rows))
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
