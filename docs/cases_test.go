package docs

import (
	"crypto/rand"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/internal/attack"
	"yinxin/internal/attack/base"
	"yinxin/internal/verify"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/testvectors"
	"yinxin/verdict"
)

// line is one line of the table "What this verifier checks that others don't".
type line struct {
	check, cases, says string
}

// named are the cases of a line: samples of other software, and cases of the generated corpus.
func (l line) named() (samples, generated []string) {
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(l.cases, -1) {
		if strings.HasSuffix(m[1], ".ofd") {
			samples = append(samples, m[1])
		} else {
			generated = append(generated, m[1])
		}
	}
	return samples, generated
}

// agrees reports whether a line says what the verifier said: the verdict, and one of the reasons that the line names; of a
// warning, that the file passes, or is unsigned, and is warned of.
func (l line) agrees(f verdict.File) bool {
	var reasons []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(l.says, -1) {
		reasons = append(reasons, m[1])
	}
	word, _, _ := strings.Cut(l.says, " ")
	word = strings.TrimSuffix(word, ",")
	if word == "warning" {
		return (f.Verdict == verdict.Passed || f.Verdict == verdict.Unsigned) &&
			slices.ContainsFunc(reasons, func(r string) bool { return f.Warned(verdict.Reason(r)) })
	}
	if len(reasons) == 0 { // "failed, names the cause"
		return string(f.Verdict) == word && f.Reason != ""
	}
	return string(f.Verdict) == word && slices.Contains(reasons, string(f.Reason))
}

func lines(t *testing.T) []line {
	t.Helper()
	text, err := os.ReadFile("seals.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "## What this verifier checks")
	if !found {
		t.Fatal("no table")
	}
	var all []line
	for row := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(row), "|")
		if len(cells) == 6 && !strings.HasPrefix(cells[1], "---") && strings.TrimSpace(cells[1]) != "check" {
			all = append(all, line{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])})
		}
	}
	return all
}

// TestEveryCaseOfTheTable judges every case that the table of docs/seals.md names, and holds the table to the verdict. No
// line may be without a case, and none may name what nobody can run.
func TestEveryCaseOfTheTable(t *testing.T) {
	const fewest = 30
	all := lines(t)
	if len(all) < fewest {
		t.Fatalf("%d lines, want %d", len(all), fewest)
	}
	corpus := corpusVerdicts(t)
	for _, l := range all {
		samples, generated := l.named()
		if len(samples)+len(generated) == 0 {
			t.Errorf("%s: no case", l.check)
		}
		for _, id := range generated {
			f, known := corpus[id]
			if !known {
				t.Errorf("%s: no case %s in the corpus", l.check, id)
			} else if !l.agrees(f) {
				t.Errorf("%s: %s is %s (%s), warnings %v; the table says %s", l.check, id, f.Verdict, f.Reason, f.Warnings, l.says)
			}
		}
		if strings.Contains(l.cases, " with the seals of ") {
			if f := withSealsOf(t, samples[0], samples[1]); !l.agrees(f) {
				t.Errorf("%s: %s is %s (%s); the table says %s", l.check, samples[0], f.Verdict, f.Reason, l.says)
			}
			continue
		}
		for _, name := range samples {
			if f := sampleVerdict(t, name); !l.agrees(f) {
				t.Errorf("%s: %s is %s (%s), warnings %v; the table says %s", l.check, name, f.Verdict, f.Reason, f.Warnings, l.says)
			}
		}
	}
}

// sampleDay is the day after the samples were sealed.
var sampleDay = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func sampleData(t *testing.T, name string) []byte {
	t.Helper()
	data, err := testvectors.Read("ofd/" + name)
	if err != nil {
		t.Fatalf("no sample %s", name)
	}
	return data
}

func sampleRoots(t *testing.T) cert.Policy {
	t.Helper()
	roots, err := cert.ParsePEM(sampleData(t, "keys/root-cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return cert.Policy{Roots: roots}
}

// sampleVerdict is what yinxin verify says of a file that other software made.
func sampleVerdict(t *testing.T, name string) verdict.File {
	t.Helper()
	f, err := verify.One(verify.Input{Name: name, Data: sampleData(t, name)}, verify.Options{Policy: sampleRoots(t), Now: sampleDay})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

// withSealsOf judges a file where the record of the exchange names the seals of another.
func withSealsOf(t *testing.T, name, other string) verdict.File {
	t.Helper()
	o := seal.VerifyOptions{Policy: sampleRoots(t), Now: sampleDay}
	if f := ofdseal.VerifyFile(sampleData(t, name), o); f.Verdict != verdict.Passed {
		t.Errorf("%s alone: %s (%s); the list would prove nothing", name, f.Verdict, f.Reason)
	}
	for _, s := range ofdseal.VerifyFile(sampleData(t, other), o).Signatures {
		o.Sealed = append(o.Sealed, s.Seal.ID)
	}
	return ofdseal.VerifyFile(sampleData(t, name), o)
}

// corpusVerdicts judges the generated corpus.
func corpusVerdicts(t *testing.T) map[string]verdict.File {
	t.Helper()
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	w, err := base.New(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Base()
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, l := range lines(t) {
		_, generated := l.named()
		for _, id := range generated {
			wanted[id] = true
		}
	}
	o := verify.Options{Policy: cert.Policy{Roots: []*cert.Certificate{w.Root}}, Now: at.AddDate(0, 0, 1)}
	got := map[string]verdict.File{}
	err = attack.Cases(b, func(c attack.Case) (err error) {
		if wanted[c.ID] {
			got[c.ID], err = verify.One(verify.Input{Name: "case." + c.File, Data: c.Data, Signed: c.Content}, o)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
