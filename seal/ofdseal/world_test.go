package ofdseal_test

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/ses"
)

// sealingTime is when the tests seal.
var sealingTime = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// party is a key with its certificate.
type party struct {
	key  *gm.PrivateKey
	cert *cert.Certificate
}

// world is a small trust domain: a root, a maker, a signer, and the signer's seal.
type world struct {
	authority *cert.Authority
	maker     party
	signer    party
	seal      *ses.Seal
}

func mustKey(t testing.TB) *gm.PrivateKey {
	t.Helper()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustWorld(t testing.TB) *world {
	t.Helper()
	clock := func() time.Time { return sealingTime.AddDate(0, -1, 0) }
	a, err := cert.NewRoot(cert.Station{Signer: mustKey(t), Now: clock}, cert.Subject("Test Root", ""), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{authority: a}
	w.maker, w.signer = w.mustMaker(t, "Maker"), w.mustParty(t, "Signer")
	w.seal = w.mustSeal(t, w.signer)
	return w
}

func (w *world) mustParty(t testing.TB, name string) party {
	t.Helper()
	return mustCertified(t, name, w.authority.IssueSigning)
}

func (w *world) mustMaker(t testing.TB, name string) party {
	t.Helper()
	return mustCertified(t, name, w.authority.IssueMaker)
}

func mustCertified(
	t testing.TB, name string, issue func(pkix.Name, *ecdsa.PublicKey, cert.IssueOptions) (*cert.Certificate, error),
) party {
	t.Helper()
	key := mustKey(t)
	c, err := issue(cert.Subject(name, "Test"), key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return party{key, c}
}

func (w *world) sealOptions(signers ...party) seal.MakeOptions {
	o := seal.MakeOptions{
		Maker: w.maker.key, MakerCert: w.maker.cert, Name: "测试单位", Rand: rand.Reader,
		Picture: ses.Picture{Type: "PNG", Data: []byte("not drawn in tests"), Width: 42, Height: 42},
		From:    sealingTime.AddDate(0, -1, 0), To: sealingTime.AddDate(1, 0, 0),
	}
	for _, s := range signers {
		o.Signers = append(o.Signers, s.cert)
	}
	return o
}

func (w *world) mustSeal(t testing.TB, signers ...party) *ses.Seal {
	t.Helper()
	s, err := seal.Make(w.sealOptions(signers...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) prepareOptions() ofdseal.PrepareOptions {
	return ofdseal.PrepareOptions{
		Seal: w.seal, SignerCert: w.signer.cert, Time: sealingTime,
		Stamps: []seal.Stamp{{Page: 0, X: 120, Y: 200}},
	}
}

func (w *world) mustApply(t testing.TB, document []byte, change ...func(*ofdseal.PrepareOptions)) []byte {
	t.Helper()
	o := w.prepareOptions()
	for _, c := range change {
		c(&o)
	}
	p, err := ofdseal.Prepare(document, o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Sign(rand.Reader, w.signer.key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) options() seal.VerifyOptions {
	return seal.VerifyOptions{
		Policy: cert.Policy{Roots: []*cert.Certificate{w.authority.Certificate}}, Now: sealingTime.AddDate(0, 0, 1),
	}
}

// files is a package taken apart: names in order, and bytes.
type files struct {
	names []string
	data  map[string]string
}

func mustUnpack(t testing.TB, pkg []byte) *files {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	f := &files{data: map[string]string{}}
	for _, e := range r.File {
		if strings.HasSuffix(e.Name, "/") {
			continue
		}
		rc, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		f.put(e.Name, string(data))
	}
	return f
}

func (f *files) put(name, data string) {
	if _, ok := f.data[name]; !ok {
		f.names = append(f.names, name)
	}
	f.data[name] = data
}

func (f *files) remove(name string) {
	delete(f.data, name)
	f.names = slices.DeleteFunc(f.names, func(n string) bool { return n == name })
}

// edit replaces old by new once, and fails the test where old does not stand: a mutation that changes nothing proves nothing.
func (f *files) edit(t testing.TB, name, old, with string) {
	t.Helper()
	if !strings.Contains(f.data[name], old) {
		t.Fatalf("%s does not hold %q:\n%s", name, old, f.data[name])
	}
	f.data[name] = strings.Replace(f.data[name], old, with, 1)
}

func (f *files) mustPack(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range f.names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.data[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
