package pdfseal_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"image/color"
	"os"
	"strings"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/document/pdf"
	"yinxin/document/pdf/pdftest"
	"yinxin/seal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// withSeal signs by hand as the given party with the given bytes as its seal; nothing shows.
func (a *attacks) withSeal(signer party, seal []byte, object string) []byte {
	if object == "" {
		object = pdftest.Stream("", seal)
	}
	return a.only(func(c *crafted) {
		c.signer = &signer
		c.sig = fmt.Sprintf("/%s 20 0 R", pdfseal.SealKey)
		c.objects = map[int]string{20: object}
	})
}

func TestSealInSignature(t *testing.T) {
	t.Parallel()
	a := newAttacks(t)
	w, stranger := a.w, newWorld(t)
	old := must[*ses.Seal](t)(seal.Make(seal.MakeOptions{
		Maker: w.maker.key, MakerCert: w.maker.cert, Signers: []*cert.Certificate{w.office.cert}, Name: "Old", ID: "old",
		Picture: w.seal.Info.Picture, From: now.AddDate(-1, 0, 0), To: now.AddDate(0, -1, 0), Rand: rand.Reader,
	}))
	forged := bytes.Replace(w.seal.Raw, []byte("Seal of A"), []byte("Seal of X"), 1)
	foreign := stranger.makeSeal(t, "Foreign", color.NRGBA{R: 200, A: 255}, w.office.cert)
	renamed := func(reason verdict.Reason, name string, data []byte) row { return row{name, data, reason} }
	a.run("seal", verdict.Failed, a.withSeal(w.office, w.seal.Raw, ""),
		renamed(verdict.SignerNotAuthorised, "signer not listed", a.withSeal(w.other, w.seal.Raw, "")),
		renamed(verdict.SealMakerSignature, "name changed", a.withSeal(w.office, forged, "")),
		renamed(verdict.SealValidity, "seal out of date", a.withSeal(w.office, old.Raw, "")),
		renamed(verdict.CertificateChain, "maker of another root", a.withSeal(w.office, foreign.Raw, "")),
		renamed(verdict.TrailingData, "bytes behind the seal", a.withSeal(w.office, append(bytes.Clone(w.seal.Raw), 0), "")),
		renamed(verdict.NotDER, "not a seal", a.withSeal(w.office, []byte("hello"), "")),
		renamed(verdict.Malformed, "no stream", a.withSeal(w.office, nil, "(seal)")),
		renamed(verdict.Malformed, "nothing there", a.withSeal(w.office, nil, "null")),
	)
	o := w.options()
	o.Makers = []*cert.Certificate{w.office.cert}
	if f := pdfseal.Verify(a.sealed, o); f.Verdict != verdict.Failed {
		t.Errorf("maker not among those allowed: %s", f.Verdict)
	}
}

// What shows is the seal's picture, or it is said that it is not.
func TestPictureIsTheSeals(t *testing.T) {
	t.Parallel()
	a := newAttacks(t)
	w := a.w
	// The second office puts its own seal's bytes beside the first office's picture.
	appearance := func(change func(text string) string) []byte {
		f := must[*pdf.File](t)(pdf.Open(a.sealed))
		objects := map[int]string{20: pdftest.Stream("", w.seal.Raw)}
		for n, to := range map[int]int{6: 21, 7: 22, objForm: 23} {
			o := must[pdf.Object](t)(f.Current().Object(n))
			offset, _ := f.Current().Offset(n)
			text := string(a.sealed[offset:])
			text = text[strings.Index(text, "obj\n")+4 : strings.Index(text, "\nendobj")]
			if _, ok := o.(*pdf.Stream); !ok {
				t.Fatalf("object %d is no stream", n)
			}
			text = strings.ReplaceAll(strings.ReplaceAll(text, " 6 0 R", " 21 0 R"), " 7 0 R", " 22 0 R")
			if to == 23 {
				text = change(text)
			}
			objects[to] = text
		}
		return a.only(func(c *crafted) {
			c.signer = &w.office
			c.first = 30
			c.objects = objects
			c.sig = fmt.Sprintf("/%s 20 0 R", pdfseal.SealKey)
			c.field = "/Rect [100 100 200 200] /AP << /N 23 0 R >>"
		})
	}
	same := appearance(func(s string) string { return s })
	changed := func(name, old, new string) row {
		return row{name, appearance(func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("%q is not in %q", old, s)
			}
			return strings.Replace(s, old, new, 1)
		}), verdict.SealMismatch}
	}
	a.run("picture", verdict.Failed, same,
		changed("without blending", "/Multiply", "/Normal"),
		changed("turned", "/Matrix [1 0 0 1 0 0]", "/Matrix [0 1 -1 0 0 0]"),
		changed("one more resource", "/ExtGState", "/Font << >> /ExtGState"),
		changed("mask in place of the picture", "/I0 22 0 R", "/I0 21 0 R"),
		changed("another size", "/BBox [0 0 ", "/BBox [9 9 "),
	)
	swapped := a.only(func(c *crafted) {
		c.signer = &w.office
		c.sig = fmt.Sprintf("/%s 20 0 R", pdfseal.SealKey)
		c.field = "/Rect [100 100 200 200] /AP << /N 21 0 R >>"
		c.objects = map[int]string{
			20: pdftest.Stream("", w.seal.Raw),
			21: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", []byte("1 0 0 rg 0 0 1 1 re f")),
		}
	})
	a.run("picture", verdict.Failed, nil, row{"drawn otherwise", swapped, verdict.SealMismatch})
}

// A signature belongs to one document, and the seal in it cannot be exchanged.
func TestTransplant(t *testing.T) {
	t.Parallel()
	a := newAttacks(t)
	other := a.w.sealed(t, pdftest.Document("world").Bytes())
	mustPass(t, a.w.verify(other), 1)
	value := between(other, "<3", ">")
	moved := bytes.Replace(a.sealed, []byte(between(a.sealed, "<3", ">")), []byte(value), 1)
	text := a.inPlace(a.sealed, "(hello)", "(hallo)")
	stamp := a.inPlace(a.sealed, between(a.sealed, "/Rect [", "]"), "/Rect [10 10 50 50]")
	seal := bytes.Replace(a.sealed, []byte("Seal of A"), []byte("Seal of Z"), 1)
	a.run("in place", verdict.Failed, a.sealed,
		row{"another document's signature", moved, verdict.DataHash},
		row{"changed page", text, verdict.DataHash},
		row{"moved stamp", stamp, verdict.DataHash},
		row{"swapped seal", seal, verdict.DataHash},
	)
}

// Every byte but those of the signature value counts.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sealed := w.sealed(t, pdftest.Document("hello").Bytes())
	mustPass(t, w.verify(sealed), 1)
	for at := 0; at < len(sealed); at += 17 { // a prime, so that no field is stepped over
		if inValue(sealed, at) {
			continue
		}
		data := bytes.Clone(sealed)
		data[at] ^= 1
		if f := w.verify(data); f.Verdict == verdict.Passed {
			t.Errorf("byte %d was changed and the file passes", at)
		}
	}
}

// The seal stands upright where it was asked for, however the page is turned and cropped.
func TestTurnedPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, turn := range []int{0, 90, 180, 270, -90} {
		b := pdftest.Document("hello")
		b.Objects[objPage-1] = strings.Replace(b.Objects[objPage-1], "/Type /Page ",
			fmt.Sprintf("/Type /Page /Rotate %d /CropBox [20 20 1000 800] /UserUnit 2 ", turn), 1)
		p := must[*pdfseal.Prepared](t)(w.prepare(b.Bytes(), 0, 100, 200))
		sealed := must[[]byte](t)(p.Sign(rand.Reader, w.office.key))
		mustPass(t, w.verify(sealed), 1)
		if dir := os.Getenv("YINXIN_KEEP"); dir != "" {
			if err := os.WriteFile(fmt.Sprintf("%s/turned%d.pdf", dir, turn), sealed, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

// sound says whether a file is sealed and every check passes that does not depend on whom one trusts.
func sound(file verdict.File) bool {
	for _, s := range file.Signatures {
		for _, c := range s.Checks {
			if c.Status != verdict.Passed && c.Name != verdict.CheckCertificateChain && c.Name != verdict.CheckRevocation {
				return false
			}
		}
	}
	return len(file.Signatures) > 0 && file.Verdict != verdict.Rejected
}

// FuzzVerify flips bits of a file: one that is sound is so no more, unless its signature value alone was touched, and
// what is not sound is not sealed again.
func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	b := pdftest.Document("hello")
	for _, data := range [][]byte{w.sealed(f, b.Bytes()), w.sealed(f, b.Streamed()), w.sealedTwice(f, b.Bytes()), b.Bytes()} {
		for _, at := range []int{0, 9, 700, len(data) - 30} {
			f.Add(data, at, byte(1))
		}
	}
	o := seal.VerifyOptions{Now: now}
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		before := pdfseal.Verify(data, o)
		_, err := w.prepare(data, 0, 10, 10)
		if err == nil && len(before.Signatures) > 0 && !sound(before) {
			t.Fatalf("a broken file is sealed again: %+v", before)
		}
		if !sound(before) || at < 0 || at >= len(data) || flip == 0 || inValue(data, at) {
			return
		}
		data = bytes.Clone(data)
		data[at] ^= flip
		if sound(pdfseal.Verify(data, o)) {
			t.Fatalf("byte %d was changed and nobody noticed", at)
		}
	})
}

// FuzzSignatureDictionary writes the field and the signature dictionary of a signed file anew. Only a file of which no signed byte
// changed is sound, and the report stays within bounds.
func FuzzSignatureDictionary(f *testing.F) {
	w := newWorld(f)
	document := pdftest.Document("hello").Bytes()
	signed := crafted{w: w, base: document, first: 10, sig: "/M (D:20261121160000+08'00')"}.build(f)
	object := func(n int) string {
		_, rest, _ := strings.Cut(string(signed[len(document):]), fmt.Sprintf("%d 0 obj\n", n))
		text, _, found := strings.Cut(rest, "\nendobj")
		if !found {
			f.Fatalf("no object %d", n)
		}
		return text
	}
	page, catalogue := object(4), object(1)
	build := func(field, dict string) []byte {
		objects := map[int]string{1: catalogue, 4: page, 10: field, 11: dict}
		return pdftest.Update(document, objects, pdftest.Table{Root: 1, Prev: pdftest.StartXref(document)})
	}
	o := seal.VerifyOptions{Now: now}
	field, dict := object(10), object(11)
	if !bytes.Equal(build(field, dict), signed) || !sound(pdfseal.Verify(signed, o)) {
		f.Fatal("the seed is not the signed file")
	}
	start, end := strings.LastIndex(dict, "<3")+1, strings.LastIndex(dict, "000>")+3
	cut := func(text string) string { return text[:min(start, len(text))] + text[max(0, len(text)-len(dict)+end):] }
	value := dict[start-1 : end+1]
	for _, d := range []string{
		dict, strings.Replace(dict, "/M (", "/M 4 0 R /X (", 1), strings.Replace(dict, "/SubFilter", "/SubFilter 11 0 R /Y", 1),
		strings.Replace(dict, "/ByteRange", "/Reference [<< /TransformMethod /DocMDP /TransformParams 11 0 R >>] /ByteRange", 1),
		strings.Replace(dict, "/Filter", fmt.Sprintf("/%s 11 0 R /Filter", pdfseal.SealKey), 1),
		strings.Replace(dict, value, "("+strings.Repeat("x", len(value)-2)+")", 1), "<< /Type /Sig >>", "null", "11 0 R", "[]",
	} {
		f.Add(field, d)
	}
	for _, text := range []string{"<< /FT /Sig /V 11 0 R /Kids [10 0 R] >>", "<< /FT /Sig /T <FEFFD800> /V << >> >>", "<< /V 11 0 R /Parent 10 0 R >>"} {
		f.Add(text, dict)
	}
	f.Fuzz(func(t *testing.T, field2, dict2 string) {
		if len(field2)+len(dict2) > 1<<16 {
			return
		}
		file := pdfseal.Verify(build(field2, dict2), o)
		if sound(file) && (field2 != field || cut(dict2) != cut(dict)) {
			t.Fatalf("signed bytes were changed and nobody noticed:\n%s\n%s", field2, dict2)
		}
		if n := len(file.Signatures); n > pdfseal.MaxFields {
			t.Fatalf("%d signatures", n)
		}
		for _, d := range file.WarningDetails {
			if len(d) > 1<<17 {
				t.Fatalf("a warning of %d bytes", len(d))
			}
		}
	})
}

// inValue says whether an offset lies in hexadecimal text that is longer than anything but a signature value here.
func inValue(data []byte, at int) bool {
	start := bytes.LastIndexByte(data[:at+1], '<')
	end := bytes.IndexByte(data[at:], '>')
	return start >= 0 && end >= 0 && at+end-start > 2*pdfseal.ContentsSize
}

// TestPlacementIsTold: a seal that shows where and as it should has a row that says so, and no warning of a picture without a seal;
// a signature that shows nothing has neither.
func TestPlacementIsTold(t *testing.T) {
	t.Parallel()
	a := newAttacks(t)
	status := func(data []byte) (found verdict.Status) {
		f := pdfseal.Verify(data, a.w.options())
		if f.Verdict != verdict.Passed || f.Warned(verdict.Unsealed) || f.Warned(verdict.TimeDiffers) {
			t.Errorf("%s (%s), warnings %v", f.Verdict, f.Reason, f.WarningDetails)
		}
		for _, c := range f.Signatures[0].Checks {
			if c.Name == verdict.CheckPlacement {
				found = c.Status
			}
		}
		return found
	}
	if got := status(a.sealed); got != verdict.Passed {
		t.Errorf("a seal: placement %q", got)
	}
	if got := status(a.only(func(*crafted) {})); got != "" {
		t.Errorf("a signature that shows nothing: placement %q", got)
	}
}
