package pdfseal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/document/pdf"
	"yinxin/document/pdf/pdftest"
	"yinxin/seal"
	"yinxin/seal/pdfseal"
	"yinxin/verdict"
)

func mustPass(t *testing.T, f verdict.File, signatures int) {
	t.Helper()
	if f.Verdict != verdict.Passed || len(f.Signatures) != signatures {
		t.Fatalf("verdict %s %s with %d signatures: %+v", f.Verdict, f.Reason, len(f.Signatures), f)
	}
}

func TestSealAndVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := pdftest.Document("hello", "world")
	for name, document := range map[string][]byte{"table": b.Bytes(), "streams": b.Streamed(), "cut": bytes.TrimRight(b.Bytes(), "\n")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := must[*pdfseal.Prepared](t)(w.prepare(document, 1, 20, 30))
			sealed := must[[]byte](t)(p.Sign(rand.Reader, w.office.key))
			if !bytes.HasPrefix(sealed, document) {
				t.Error("the document was changed, not added to")
			}
			f := w.verify(sealed)
			mustPass(t, f, 1)
			s := f.Signatures[0]
			if s.Kind != "seal" || s.ID != "Seal1" || s.Seal == nil || s.Seal.ID != "Seal-of-A" || s.Seal.Name != "Seal of A" {
				t.Errorf("signature %+v", s)
			}
			if !strings.Contains(s.Signer, "Office A") || !strings.Contains(s.Maker, "Seal Maker") || !s.Time.Equal(now) {
				t.Errorf("signer %q, maker %q, time %v", s.Signer, s.Maker, s.Time)
			}
			want := []verdict.CheckName{
				verdict.CheckByteRange, verdict.CheckCoverage, verdict.CheckRevisions, verdict.CheckSignedAttributes,
				verdict.CheckDataHash, verdict.CheckSignature, verdict.CheckCertificateChain, verdict.CheckKeyUsage,
				verdict.CheckRevocation, verdict.CheckSealMatch, verdict.CheckPlacement, verdict.CheckSealMaker, verdict.CheckSealValidity,
				verdict.CheckSignerListed, verdict.CheckCertificateChain, verdict.CheckKeyUsage, verdict.CheckRevocation,
			}
			var got []verdict.CheckName
			for _, c := range s.Checks {
				got = append(got, c.Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if !s.Warned(verdict.TimeClaimed) || !s.Warned(verdict.NoRevocationSource) {
				t.Errorf("warnings %v", s.Warnings)
			}
		})
	}
}

// The digest that an approval names is the SM3 of the two ranges, and the same document prepares to the same digest.
func TestDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	document := pdftest.Document("hello").Bytes()
	p := must[*pdfseal.Prepared](t)(w.prepare(document, 0, 20, 30))
	again := must[*pdfseal.Prepared](t)(w.prepare(document, 0, 20, 30))
	moved := must[*pdfseal.Prepared](t)(w.prepare(document, 0, 20, 31))
	if p.Digest() != again.Digest() || p.Digest() == moved.Digest() {
		t.Error("the digest does not stand for the prepared bytes")
	}
	sealed := must[[]byte](t)(p.Sign(rand.Reader, w.office.key))
	f := must[*pdf.File](t)(pdf.Open(sealed))
	for _, n := range f.Current().Touched() {
		o := must[pdf.Object](t)(f.Current().Object(n))
		d, ok := o.(pdf.Dict)
		if !ok || d["Type"] != pdf.Name("Sig") {
			continue
		}
		r := must[pdf.ByteRange](t)(pdf.ParseByteRange(d["ByteRange"], int64(len(sealed))))
		first, second := r.Parts(sealed)
		if gm.SM3(first, second) != p.Digest() {
			t.Error("the digest is not that of the ranges")
		}
		return
	}
	t.Error("no signature dictionary")
}

func TestTwoSeals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, document := range map[string][]byte{"table": pdftest.Document("hello").Bytes(), "streams": pdftest.Document("hello").Streamed()} {
		twice := w.sealedTwice(t, document)
		f := w.verify(twice)
		mustPass(t, f, 2)
		if a, b := f.Signatures[0], f.Signatures[1]; a.Seal.Name != "Seal of A" || b.Seal.Name != "Seal of B" || a.ID == b.ID {
			t.Errorf("%s: %+v", name, f.Signatures)
		}
	}
}

func TestPlainSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, profile := range []cms.Profile{cms.ProfileGBT, cms.ProfileRFC} {
		p := must[*pdfseal.Prepared](t)(pdfseal.Prepare(pdftest.Document("hello").Bytes(), pdfseal.PrepareOptions{
			SignerCert: w.office.cert, Time: now, Profile: profile,
		}))
		f := w.verify(must[[]byte](t)(p.Sign(rand.Reader, w.office.key)))
		mustPass(t, f, 1)
		if s := f.Signatures[0]; s.Kind != "sign" || s.Seal != nil || s.ID != "Signature1" {
			t.Errorf("signature %+v", s)
		}
	}
}

func TestUnsigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := pdftest.Document("hello")
	if f := w.verify(b.Bytes()); f.Verdict != verdict.Unsigned || len(f.Warnings) != 0 {
		t.Errorf("%+v", f)
	}
	if f := w.verify(append(b.Bytes(), "\njunk"...)); f.Verdict != verdict.Unsigned || !f.Warned(verdict.TrailingData) {
		t.Errorf("%+v", f)
	}
	b.Add("<< /Type /Sig /Contents <00> /ByteRange [0 1 2 3] >>")
	if f := w.verify(b.Bytes()); f.Verdict != verdict.Unsigned || !f.Warned(verdict.LeftoverSignature) {
		t.Errorf("%+v", f)
	}
	var refused *verdict.ContainerError
	if _, err := w.prepare(b.Bytes(), 0, 10, 10); !errors.As(err, &refused) || refused.Reason != verdict.ActiveOrShadowContent {
		t.Errorf("sealed beside a signature that nobody judges: %v", err)
	}
}

// Trust decides as the contract says.
func TestTrust(t *testing.T) {
	t.Parallel()
	w, stranger := newWorld(t), newWorld(t)
	sealed := w.sealed(t, pdftest.Document("hello").Bytes())
	mustPass(t, w.verify(sealed), 1)

	o := w.options()
	o.Policy.Roots = nil
	if f := pdfseal.Verify(sealed, o); f.Verdict != verdict.Indeterminate || f.Reason != verdict.NoTrustAnchor {
		t.Errorf("no root: %s %s", f.Verdict, f.Reason)
	}
	if f := pdfseal.Verify(sealed, stranger.options()); f.Verdict != verdict.Failed || f.Reason != verdict.CertificateChain {
		t.Errorf("another root: %s %s", f.Verdict, f.Reason)
	}
	o = w.options()
	o.Policy.Revocation = verdict.RevocationRequire
	if f := pdfseal.Verify(sealed, o); f.Verdict != verdict.Indeterminate || f.Reason != verdict.NoRevocationSource {
		t.Errorf("revocation required: %s %s", f.Verdict, f.Reason)
	}
	o = w.options()
	o.Proven = &seal.ProvenTime{At: now.AddDate(2, 0, 0), Source: verdict.TimeFromLog}
	o.Now = now.AddDate(2, 0, 1)
	if f := pdfseal.Verify(sealed, o); f.Verdict != verdict.Failed || f.Signatures[0].TimeSource != verdict.TimeFromLog {
		t.Errorf("seen two years later: %s %s", f.Verdict, f.Reason)
	}
}

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	document := pdftest.Document("hello").Bytes()
	sound := func() pdfseal.PrepareOptions {
		return pdfseal.PrepareOptions{Seal: w.seal, SignerCert: w.office.cert, Time: now, Stamps: []seal.Stamp{{X: 10, Y: 10}}}
	}
	must[*pdfseal.Prepared](t)(pdfseal.Prepare(document, sound()))
	late := *w.seal
	late.Info.Property.To = now.AddDate(0, 0, -1)
	drawn := *w.seal
	drawn.Info.Picture.Type = "OFD"
	broken := *w.seal
	broken.Info.Picture.Data = []byte("not a picture")
	changed := w.sealed(t, document)
	changed = pdftest.Update(changed, map[int]string{5: pdftest.Stream("", nil)}, pdftest.Table{Root: 1, Prev: pdftest.StartXref(changed)})
	certified := crafted{
		w: w, base: document, first: 20,
		sig: "/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /P 1 >> >>]",
	}.build(t)
	for _, tt := range []struct {
		name     string
		document []byte
		change   func(*pdfseal.PrepareOptions)
		want     error
	}{
		{"no place", document, func(o *pdfseal.PrepareOptions) { o.Stamps = nil }, pdfseal.ErrStamp},
		{"two places", document, func(o *pdfseal.PrepareOptions) { o.Stamps = append(o.Stamps, o.Stamps...) }, pdfseal.ErrStamp},
		{"a place without a seal", document, func(o *pdfseal.PrepareOptions) { o.Seal = nil }, pdfseal.ErrStamp},
		{"clipped", document, func(o *pdfseal.PrepareOptions) { o.Stamps[0].Clip = &seal.Clip{W: 1, H: 1} }, pdfseal.ErrStamp},
		{"no such page", document, func(o *pdfseal.PrepareOptions) { o.Stamps[0].Page = 1 }, pdfseal.ErrStamp},
		{"negative page", document, func(o *pdfseal.PrepareOptions) { o.Stamps[0].Page = -1 }, pdfseal.ErrStamp},
		{"over the edge", document, func(o *pdfseal.PrepareOptions) { o.Stamps[0].X = 180 }, pdfseal.ErrStamp},
		{"negative size", document, func(o *pdfseal.PrepareOptions) { o.Stamps[0].W, o.Stamps[0].H = -5, 5 }, pdfseal.ErrStamp},
		{"no certificate", document, func(o *pdfseal.PrepareOptions) { o.SignerCert = nil }, pdfseal.ErrSigner},
		{"expired certificate", document, func(o *pdfseal.PrepareOptions) { o.Time = now.AddDate(30, 0, 0) }, pdfseal.ErrSigner},
		{"encryption certificate", document, func(o *pdfseal.PrepareOptions) { o.SignerCert = w.encryption.cert }, pdfseal.ErrSigner},
		{"signer not listed", document, func(o *pdfseal.PrepareOptions) { o.SignerCert = w.other.cert }, seal.ErrNotListed},
		{"seal not in force", document, func(o *pdfseal.PrepareOptions) { o.Seal = &late }, seal.ErrNotInForce},
		{"picture of another type", document, func(o *pdfseal.PrepareOptions) { o.Seal = &drawn }, pdfseal.ErrPicture},
		{"picture broken", document, func(o *pdfseal.PrepareOptions) { o.Seal = &broken }, pdfseal.ErrPicture},
		{"changed after an earlier signature", changed, func(*pdfseal.PrepareOptions) {}, pdfseal.ErrBroken},
		{"certified against further signatures", certified, func(*pdfseal.PrepareOptions) {}, pdfseal.ErrBroken},
	} {
		o := sound()
		tt.change(&o)
		if _, err := pdfseal.Prepare(tt.document, o); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	p := must[*pdfseal.Prepared](t)(w.prepare(document, 0, 10, 10))
	if _, err := p.Sign(rand.Reader, w.other.key); !errors.Is(err, pdfseal.ErrSigner) {
		t.Errorf("another key: %v", err)
	}
}

// P-10: what could look otherwise tomorrow is not sealed.
func TestLintBeforeSealing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	with := func(catalog string, objects ...string) []byte {
		b := pdftest.Document("hello")
		b.Objects[0] = "<< /Type /Catalog /Pages 2 0 R " + catalog + " >>"
		b.Objects = append(b.Objects, objects...)
		return b.Bytes()
	}
	shadow := map[int]string{}
	for i, o := range pdftest.Document("hello").Objects {
		shadow[i+1] = o
	}
	for _, tt := range []struct {
		name string
		data []byte
		bad  bool
	}{
		{"nothing", with(""), false},
		{"no signature in a field", with("/AcroForm << /Fields [6 0 R] >>", "<< /FT /Sig /T (x) >>"), false},
		{"fields as they are", with("/AcroForm << /Fields [] /NeedAppearances false >>"), false},
		{"fields drawn anew", with("/AcroForm << /Fields [] /NeedAppearances true >>"), true},
		{"a form that the file holds", with("/X 6 0 R", pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", nil)), false},
		{"a page of another file", with("/X 6 0 R", pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Ref << /F (other.pdf) /Page 0 >>", nil)), true},
		{"structure that refers to structure", with("/StructTreeRoot 6 0 R", "<< /Type /StructTreeRoot /K << /S /P /Ref [6 0 R] >> >>"), false},
		{"a picture of another file", with("/X 6 0 R", pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /OPI << >>", nil)), true},
		{"another picture in print", with("/X 6 0 R", pdftest.Stream("/Type /XObject /Subtype /Image /Alternates [<< /DefaultForPrinting true >>]", nil)), true},
		{"hidden while a layer shows", with("/OCProperties << /OCGs [6 0 R] /D << >> >> /X << /Type /OCMD /OCGs 6 0 R /P /AllOff >>", "<< /Type /OCG /Name (a) >>"), true},
		{"nothing leads to it", with("", "(hello)"), true},
		{"one leads to another, nothing to them", with("", "[7 0 R]", "[6 0 R]"), true},
		{"a catalogue that waits", with("", "<< /Type /Catalog /Pages 2 0 R >>"), true},
		{"written for the network", with("", "<< /Linearized 1 /L 999 >>"), false},
		{"a signature that no field lists", with("/X 6 0 R", "<< /Type /Sig /Contents <3000> /ByteRange [0 1 2 3] >>"), true},
		{"goes to a page when opened", with("/OpenAction [4 0 R /Fit]"), false},
		{"layers that show", with("/OCProperties << /OCGs [6 0 R] /D << /Order [6 0 R] >> >>", "<< /Type /OCG /Name (a) >>"), false},
		{"structure tree", with("/StructTreeRoot 6 0 R", "<< /Type /StructTreeRoot /K << /S /P >> >>"), false},
		{"second object of one number", pdftest.Update([]byte("%PDF-1.7\n"), shadow, pdftest.Table{Root: 1, Also: map[int]string{5: "(x)"}}), true},
		{"two startxref", pdftest.Update([]byte("%PDF-1.7\nstartxref\n9\n%%EOF\n"), shadow, pdftest.Table{Root: 1}), true},
		{"script when opened", with("/OpenAction << /S /JavaScript /JS (app.alert) >>"), true},
		{"web page when opened", with("/OpenAction << /S /URI /URI (http://example.org) >>"), true},
		{"launches a program", with("/X 6 0 R", "<< /S /Launch /F (x.exe) >>"), true},
		{"named script", with("/Names << /JavaScript << /Names [(a) 6 0 R] >> >>", "<< /S /JavaScript >>"), true},
		{"additional action", with("/AA << /WC 6 0 R >>", "<< /S /Named >>"), true},
		{"XFA", with("/AcroForm << /Fields [] /XFA 6 0 R >>", pdftest.Stream("", []byte("<xdp/>"))), true},
		{"hidden layer", with("/OCProperties << /OCGs [6 0 R] /D << /OFF [6 0 R] >> >>", "<< /Type /OCG /Name (a) >>"), true},
		{"all layers hidden", with("/OCProperties << /OCGs [6 0 R] /D << /BaseState /OFF >> >>", "<< /Type /OCG /Name (a) >>"), true},
		{"layer for print alone", with("/OCProperties << /OCGs [6 0 R] /D << /AS [<< /Event /Print >>] >> >>", "<< /Type /OCG /Name (a) >>"), true},
		{"content in another file", with("/X 6 0 R", pdftest.Stream("/F (other.txt)", nil)), true},
	} {
		_, err := w.prepare(tt.data, 0, 10, 10)
		var refused *verdict.ContainerError
		switch {
		case !tt.bad && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.bad && (!errors.As(err, &refused) || refused.Reason != verdict.ActiveOrShadowContent):
			t.Errorf("%s: %v, want %s", tt.name, err, verdict.ActiveOrShadowContent)
		}
	}
}

// An independent reader takes the sealed files.
func TestIndependentReader(t *testing.T) {
	t.Parallel()
	api.DisableConfigDir() // it would write into the home directory
	w := newWorld(t)
	b := pdftest.Document("hello")
	for name, data := range map[string][]byte{
		"sealed": w.sealed(t, b.Bytes()), "sealed, streams": w.sealed(t, b.Streamed()), "twice": w.sealedTwice(t, b.Bytes()),
	} {
		conf := model.NewDefaultConfiguration()
		conf.DecodeAllStreams = true
		if err := api.Validate(bytes.NewReader(data), conf); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if dir := os.Getenv("YINXIN_KEEP"); dir != "" {
			if err := os.WriteFile(dir+"/"+name+".pdf", data, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}
