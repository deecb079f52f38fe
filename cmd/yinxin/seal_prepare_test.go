package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/seal"
)

// somePlan is a plan as seal prepare writes one, over a seal that another program made.
func somePlan(t testing.TB, at time.Time) plan {
	t.Helper()
	w := &worldBuilder{dir: t.TempDir()}
	var err error
	if w.ca, err = cert.NewRoot(cert.Station{Signer: w.key("ca.key", "")}, cert.Subject("ROOT", ""), cert.IssueOptions{}); err != nil {
		t.Fatal(err)
	}
	signer := w.certify("seal.pem", "YXZF", "OFFICE", w.key("seal.key", ""), w.ca.IssueSigning)
	if err := errors.Join(w.err, w.seal("OFFICE", signer)); err != nil {
		t.Fatal(err)
	}
	made, err := readSeal(filepath.Join(w.dir, "office.esl"))
	if err != nil {
		t.Fatal(err)
	}
	sum := strings.Repeat("ab", 32)
	return plan{
		Schema: planSchema, Type: "ofd", Document: sum, Digest: sum, Time: at, Stamps: []seal.Stamp{{W: 42, H: 42}}, Profile: "gbt",
		ESL: made.Raw, Certificate: made.Info.Property.SignerCerts[0],
	}
}

// TestPlansThatAreNone: what is read is a plan in every part, and one of these days: a seal states the time of its preparing.
func TestPlansThatAreNone(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	good := somePlan(t, now)
	path := filepath.Join(t.TempDir(), "plan")
	e := testEnv(&bytes.Buffer{}, &bytes.Buffer{})
	e.now = func() time.Time { return now }
	read := func(change func(p *plan), tail string) error {
		p := good
		change(&p)
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(data, tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err = e.readPlan(path)
		return err
	}
	if err := read(func(*plan) {}, "\n"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(p *plan)
		tail   string
		code   string
	}{
		"another schema":     {func(p *plan) { p.Schema += "1" }, "", "malformed"},
		"no place":           {func(p *plan) { p.Stamps = nil }, "", "malformed"},
		"a short digest":     {func(p *plan) { p.Digest = "ab" }, "", "malformed"},
		"no document":        {func(p *plan) { p.Document = "" }, "", "malformed"},
		"another profile":    {func(p *plan) { p.Profile = "x" }, "", "malformed"},
		"no seal":            {func(p *plan) { p.ESL = nil }, "", "malformed"},
		"no certificate":     {func(p *plan) { p.Certificate = []byte{1} }, "", "malformed"},
		"a chain of no CA":   {func(p *plan) { p.Chain = [][]byte{nil} }, "", "malformed"},
		"something after it": {func(*plan) {}, "{}", "malformed"},
		"of yesterday":       {func(p *plan) { p.Time = now.Add(-planLife - time.Second) }, "", "refused"},
		"of tomorrow":        {func(p *plan) { p.Time = now.Add(time.Hour) }, "", "refused"},
	} {
		if _, code := faultOf(read(tt.change, tt.tail)); code != tt.code {
			t.Errorf("%s: code %q, want %s", name, code, tt.code)
		}
	}
}

func FuzzPlan(f *testing.F) {
	data, err := json.Marshal(somePlan(f, time.Unix(1_795_000_000, 0).UTC()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":"yinxin.prepared-seal/1","stamps":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, s, err := parsePlan(data)
		if err == nil && (s.seal == nil || s.cert == nil || len(p.Stamps) == 0) {
			t.Fatal("half a plan was read")
		}
	})
}
