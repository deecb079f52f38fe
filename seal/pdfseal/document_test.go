package pdfseal_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"yinxin/crypto/cert"
	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/pdf"
	"yinxin/examples"
	"yinxin/seal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// composed is an example as a PDF, where its seal goes, and a seal with a drawn picture.
func composed(t testing.TB, w *world) ([]byte, seal.Stamp, *ses.Seal) {
	t.Helper()
	draft := must[[]byte](t)(examples.Files.ReadFile("notice.yaml"))
	d := must[*document.Document](t)(document.Parse(draft))
	faces := fonts.Embedded()
	pages := must[*layout.Pages](t)(layout.Compose(d, faces))
	var b bytes.Buffer
	if err := pdf.Draw(&b, pages, d.Metadata); err != nil {
		t.Fatal(err)
	}
	p := must[*picture.Picture](t)(picture.Draw(picture.Organisation{Name: d.Issuer.Name}, faces))
	width, height := p.MM()
	s := must[*ses.Seal](t)(seal.Make(seal.MakeOptions{
		Maker: w.maker.key, MakerCert: w.maker.cert, Signers: []*cert.Certificate{w.office.cert}, Name: d.Issuer.Name, ID: "E1",
		Picture: ses.Picture{Type: "PNG", Data: must[[]byte](t)(p.PNG(300)), Width: width, Height: height},
		From:    now.AddDate(0, -1, 0), To: now.AddDate(1, 0, 0), Rand: rand.Reader,
	}))
	spot := pages.SealSpot
	st := seal.Stamp{Page: spot.Page, X: spot.X - float64(width)/2, Y: spot.Y - float64(height)/2}
	return b.Bytes(), st, s
}

func TestComposedDocument(t *testing.T) {
	t.Parallel()
	api.DisableConfigDir()
	w := newWorld(t)
	drawn, st, s := composed(t, w)
	p := must[*pdfseal.Prepared](t)(pdfseal.Prepare(drawn, pdfseal.PrepareOptions{
		Seal: s, SignerCert: w.office.cert, Time: now, Stamps: []seal.Stamp{st},
	}))
	sealed := must[[]byte](t)(p.Sign(rand.Reader, w.office.key))
	mustPass(t, w.verify(sealed), 1)
	if err := api.Validate(bytes.NewReader(sealed), model.NewDefaultConfiguration()); err != nil {
		t.Error(err)
	}
	if dir := os.Getenv("YINXIN_KEEP"); dir != "" {
		if err := os.WriteFile(dir+"/composed.pdf", sealed, 0o600); err != nil {
			t.Error(err)
		}
	}
	flipped := bytes.Clone(sealed)
	flipped[bytes.Index(flipped, []byte("stream\n"))+20] ^= 1
	if f := w.verify(flipped); f.Verdict != verdict.Failed || f.Reason != verdict.DataHash {
		t.Errorf("changed page: %s %s", f.Verdict, f.Reason)
	}
}

func BenchmarkSeal(b *testing.B) {
	w := newWorld(b)
	drawn, st, s := composed(b, w)
	b.ReportAllocs()
	for b.Loop() {
		p := must[*pdfseal.Prepared](b)(pdfseal.Prepare(drawn, pdfseal.PrepareOptions{
			Seal: s, SignerCert: w.office.cert, Time: now, Stamps: []seal.Stamp{st},
		}))
		must[[]byte](b)(p.Sign(rand.Reader, w.office.key))
	}
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	drawn, st, s := composed(b, w)
	p := must[*pdfseal.Prepared](b)(pdfseal.Prepare(drawn, pdfseal.PrepareOptions{
		Seal: s, SignerCert: w.office.cert, Time: now, Stamps: []seal.Stamp{st},
	}))
	sealed := must[[]byte](b)(p.Sign(rand.Reader, w.office.key))
	b.SetBytes(int64(len(sealed)))
	b.ReportAllocs()
	for b.Loop() {
		w.verify(sealed)
	}
}
