package interop

import (
	"bytes"
	"crypto/rand"
	"io"
	"testing"
	"time"

	"yinxin/archive/renewal"
	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
)

type bytesObject []byte

func (b bytesObject) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// TestEvidenceRecordsAgree: Bouncy Castle follows our renewals, and refuses what was spoilt; we read a record that it wrote.
func TestEvidenceRecordsAgree(t *testing.T) {
	b, f := startCastle(t), folder{t.TempDir()}
	now := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	clock := now
	pki, key := certtest.New(t, "Root", now), certtest.Key(t)
	c, err := pki.IssueTimestamp(cert.Subject("TSA", "Test"), key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tsa, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: key, Certificate: c, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(sum [32]byte) (answer, token []byte) {
		t.Helper()
		req, err := tsp.NewRequest(sum, nil, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err = tsa.Respond(req.Raw); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Minute)
		r, err := tsp.ParseResponse(answer)
		if err != nil {
			t.Fatal(err)
		}
		return answer, r.Token
	}
	stamp := func(at int, leaves ...renewal.Leaf) renewal.Stamp {
		t.Helper()
		tree, err := renewal.Grow(renewal.SM3, leaves...)
		if err != nil {
			t.Fatal(err)
		}
		_, token := ask(tree.Root())
		return tree.Stamped(at, token)
	}
	authority := f.put(t, "tsa.der", c.Raw)
	doc, meta, other := f.put(t, "doc", []byte("document")), f.put(t, "meta", []byte("metadata")), f.put(t, "other", []byte("x"))
	group := renewal.Leaf{renewal.SM3.Sum([]byte("document")), renewal.SM3.Sum([]byte("metadata"))}
	r := renewal.New(stamp(1, renewal.Leaf{{1}}, group, renewal.Leaf{{2}}, renewal.Leaf{{3}}))
	check := func(what string) {
		t.Helper()
		der, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		file := f.put(t, "record.ers", der)
		b.mustDo(t, "evidence-record", file, authority, doc, meta)
		b.refuses(t, "evidence-record", file, authority, doc, other)
		j, err := r.Judge([]renewal.Object{bytesObject("document"), bytesObject("metadata")},
			renewal.JudgeOptions{Policy: pki.Policy(), Now: clock})
		if err != nil || !j.Time.Equal(now) {
			t.Errorf("%s: %+v, %v", what, j, err)
		}
		n := len(r.Chains[len(r.Chains)-1])
		last := &r.Chains[len(r.Chains)-1][n-1]
		kept := last.Token
		last.Token = spoilt(kept, 0)
		if der, err = r.Marshal(); err != nil {
			t.Fatal(err)
		}
		b.refuses(t, "evidence-record", f.put(t, "bad.ers", der), authority, doc, meta)
		last.Token = kept
	}
	check("new")
	if err := r.Renew(stamp(0, r.RenewalLeaf())); err != nil {
		t.Fatal(err)
	}
	check("renewed")
	leaf, err := r.RehashLeaf(renewal.SM3, group)
	if err != nil {
		t.Fatal(err)
	}
	r.Rehash(stamp(0, leaf, renewal.Leaf{{4}}))
	check("hashed anew")

	answer, _ := ask(gm.SM3([]byte("document")))
	b.mustDo(t, "make-evidence-record", doc, f.put(t, "answer.tsr", answer), f.path("theirs.ers"))
	theirs, err := renewal.Parse(f.get(t, "theirs.ers"))
	if err != nil {
		t.Fatal(err)
	}
	o := renewal.JudgeOptions{Policy: pki.Policy(), Now: clock}
	for text, want := range map[string]string{"document": "passed", "another": "failed"} {
		if j, err := theirs.Judge([]renewal.Object{bytesObject(text)}, o); err != nil || string(j.Check.Status) != want {
			t.Errorf("their record of %s: %+v, %v", text, j.Check, err)
		}
	}
}
