package pdfseal_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/document/pdf/pdftest"
	"yinxin/verdict"
)

// Numbers of the objects in a document of one page that was sealed once; see pdftest.Document and build.run.
const (
	objPage, objContent           = 4, 5
	objForm, objSignature         = 8, 10
	objField, objFields, objSpare = 11, 12, 13
)

// attacks makes the rows of the catalogue for PDF (P), each with its positive twin.
type attacks struct {
	t        *testing.T
	w        *world
	document []byte // one page
	sealed   []byte
}

// row is one attack: want is the reason that the file is failed, or rejected, for.
type row struct {
	name string
	data []byte
	want verdict.Reason
}

// patience is far above the second that a refusal may take: the race detector and a busy machine make it tenfold.
const patience = 15 * time.Second

func (a *attacks) run(id string, status verdict.Status, twin []byte, rows ...row) {
	a.t.Helper()
	if twin != nil {
		if f := a.w.verify(twin); f.Verdict != verdict.Passed {
			a.t.Errorf("%s: the twin is %s %s: %+v", id, f.Verdict, f.Reason, f)
		}
	}
	for _, r := range rows {
		start := time.Now()
		f := a.w.verify(r.data)
		if f.Verdict != status || f.Reason != r.want {
			a.t.Errorf("%s %s: %s %s, want %s %s: %+v", id, r.name, f.Verdict, f.Reason, status, r.want, f)
		}
		if d := time.Since(start); d > patience {
			a.t.Errorf("%s %s: took %v", id, r.name, d)
		}
	}
}

// inPlace replaces text by text that is padded to the same length.
func (a *attacks) inPlace(data []byte, old, new string) []byte {
	a.t.Helper()
	if bytes.Count(data, []byte(old)) != 1 || len(new) > len(old) {
		a.t.Fatalf("%q stands %d times", old, bytes.Count(data, []byte(old)))
	}
	return bytes.Replace(data, []byte(old), []byte(new+strings.Repeat(" ", len(old)-len(new))), 1)
}

// update appends objects, without a signature.
func (a *attacks) update(data []byte, objects map[int]string) []byte {
	return pdftest.Update(data, objects, pdftest.Table{Root: 1, Prev: pdftest.StartXref(data)})
}

// second is a further signature by the other office on the sealed document.
func (a *attacks) second(change func(*crafted)) []byte {
	c := crafted{
		w: a.w, base: a.sealed, first: objSpare,
		annots: fmt.Sprintf("%d 0 R", objField), fields: fmt.Sprintf("%d 0 R", objField),
	}
	change(&c)
	return c.build(a.t)
}

// only is a first signature written by hand on the bare document.
func (a *attacks) only(change func(*crafted)) []byte {
	c := crafted{w: a.w, base: a.document, first: 10}
	change(&c)
	return c.build(a.t)
}

func newAttacks(t *testing.T) *attacks {
	t.Helper()
	w := newWorld(t)
	document := pdftest.Document("hello").Bytes()
	return &attacks{t, w, document, w.sealed(t, document)}
}

// field returns the text between two marks, once.
func between(data []byte, from, to string) string {
	i := bytes.LastIndex(data, []byte(from))
	j := bytes.Index(data[i:], []byte(to))
	return string(data[i : i+j+len(to)])
}

func TestSignatureDictionary(t *testing.T) { // P-01, P-02, P-14
	t.Parallel()
	a := newAttacks(t)
	contents := between(a.sealed, "<3", ">")
	ranges := between(a.sealed, "/ByteRange [", "]")
	a.run("P-01", verdict.Failed, a.sealed,
		row{"zeros", a.inPlace(a.sealed, contents, "<"+strings.Repeat("0", len(contents)-2)+">"), verdict.SigMissing},
		row{"empty", a.inPlace(a.sealed, contents, "<>"), verdict.SigMissing},
		row{"null", a.inPlace(a.sealed, contents, "null"), verdict.SigMissing},
		row{"missing", a.inPlace(a.sealed, "/Contents <", "/Kontents <"), verdict.SigMissing},
		row{"a number", a.inPlace(a.sealed, contents, "17"), verdict.SigMissing},
		row{"no dictionary", a.inPlace(a.sealed, fmt.Sprintf("/V %d 0 R", objSignature), "/V 99 0 R"), verdict.SigMissing},
	)
	malformed := func(name, text string) row {
		return row{name, a.inPlace(a.sealed, ranges, text), verdict.ByteRangeMalformed}
	}
	a.run("P-02", verdict.Failed, a.sealed,
		malformed("missing", "/X [0 1 2 3]"), malformed("null", "/ByteRange null"), malformed("zeros", "/ByteRange [0 0 0 0]"),
		malformed("negative", "/ByteRange [0 100 -1 300]"), malformed("three", "/ByteRange [0 100 200]"),
		malformed("five", "/ByteRange [0 1 2 3 4]"), malformed("huge", "/ByteRange [0 1 9000000000000000000 3]"),
		malformed("reference", "/ByteRange 5 0 R"), malformed("overlap", "/ByteRange [0 1000 500 300]"),
	)
	sub := func(name string) row {
		return row{name, a.only(func(c *crafted) { c.subFilter = name }), verdict.SubFilter}
	}
	a.run("P-14", verdict.Failed, a.only(func(*crafted) {}),
		sub("adbe.pkcs7.sha1"), sub("adbe.x509.rsa_sha1"), sub("ETSI.RFC3161"), sub("none"),
		row{"content inside", a.only(func(c *crafted) { c.attached, c.width = true, 20000 }), verdict.SubFilter},
	)
}

func TestByteRanges(t *testing.T) { // P-05 to P-08
	t.Parallel()
	a := newAttacks(t)
	sound := a.only(func(*crafted) {})
	a.run("P-05", verdict.Failed, sound,
		row{"second range moved", a.only(func(c *crafted) {
			c.gap = " /Junk (" + strings.Repeat("x", 40) + ")"
		}), verdict.GapNotSignature},
		row{"gap of another string", a.only(func(c *crafted) {
			c.ranges = func(start, end, size int) string { return fmt.Sprintf("[0 %d %d %d]", start-30, end, size-end) }
		}), verdict.GapNotSignature},
	)
	a.run("P-06", verdict.Failed, sound,
		row{"room after the string", a.only(func(c *crafted) {
			c.contents = func(der []byte) string { return "<" + hex.EncodeToString(der) + ">" }
		}), verdict.GapNotSignature},
		row{"room inside the string", a.only(func(c *crafted) {
			c.contents = func(der []byte) string {
				return "<" + hex.EncodeToString(der) + strings.Repeat(" ", c.width-2-2*len(der)) + ">"
			}
			c.width = 8002
		}), verdict.GapNotSignature},
		row{"literal string", a.only(func(c *crafted) {
			c.contents = func(der []byte) string {
				text := string(der)
				for _, r := range []string{`\`, "(", ")", "\r"} {
					text = strings.ReplaceAll(text, r, fmt.Sprintf("\\%03o", r[0]))
				}
				return "(" + text + ")"
			}
		}), verdict.GapNotSignature},
	)
	a.run("P-07", verdict.Failed, sound,
		row{"starts behind the header", a.only(func(c *crafted) {
			c.ranges = func(start, end, size int) string { return fmt.Sprintf("[5 %d %d %d]", start-5, end, size-end) }
		}), verdict.Coverage},
		row{"ends early", a.only(func(c *crafted) {
			c.ranges = func(start, end, size int) string { return fmt.Sprintf("[0 %d %d %d]", start, end, size-end-8) }
		}), verdict.Coverage},
		row{"last byte left out", a.only(func(c *crafted) {
			c.ranges = func(start, end, size int) string { return fmt.Sprintf("[0 %d %d %d]", start, end, size-end-1) }
		}), verdict.Coverage},
		row{"space behind", append(bytes.Clone(a.sealed), "  \n"...), verdict.Coverage},
	)
	a.run("P-08", verdict.Failed, sound,
		row{"one value, two fields", a.only(func(c *crafted) {
			c.objects = map[int]string{20: "<< /Subtype /Widget /FT /Sig /T (Copy) /V 11 0 R /Rect [0 0 0 0] >>"}
			c.fields = "20 0 R"
		}), verdict.SigDictShared},
		row{"one value, two fields, later", a.second(func(c *crafted) {
			c.objects = map[int]string{20: fmt.Sprintf("<< /Subtype /Widget /FT /Sig /T (Copy) /V %d 0 R /Rect [0 0 0 0] >>", objSignature)}
			c.fields += " 20 0 R"
		}), verdict.SigDictShared},
		row{"two signatures in one revision", a.only(func(c *crafted) {
			c.objects = map[int]string{
				20: "<< /Subtype /Widget /FT /Sig /T (Twin) /V 21 0 R /Rect [0 0 0 0] >>",
				21: "<< /Type /Sig /SubFilter /adbe.pkcs7.detached /ByteRange [0 10 20 30] /Contents <30> >>",
			}
			c.fields = "20 0 R"
		}), verdict.SigDictShared},
	)
}

func TestUpdates(t *testing.T) { // P-03, P-04, P-09, P-13, P-15
	t.Parallel()
	a := newAttacks(t)
	changed := func(name string, data []byte) row { return row{name, data, verdict.ModifiedAfterSigning} }
	text := pdftest.Stream("", []byte("BT /F1 24 Tf 72 700 Td (pay) Tj ET"))
	page := "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> "
	a.run("P-03", verdict.Failed, a.sealed,
		changed("page content", a.update(a.sealed, map[int]string{objContent: text})),
		changed("catalogue", a.update(a.sealed, map[int]string{1: "<< /Type /Catalog /Pages 20 0 R /AcroForm 12 0 R >>", 20: "<< /Type /Pages /Kids [4 0 R] /Count 1 /MediaBox [0 0 595 842] >>"})),
		changed("added page", a.update(a.sealed, map[int]string{
			2:  "<< /Type /Pages /Kids [4 0 R 20 0 R] /Count 2 /MediaBox [0 0 595.276 841.89] >>",
			20: "<< /Type /Page /Parent 2 0 R >>",
		})),
		changed("removed page", a.update(a.sealed, map[int]string{2: "<< /Type /Pages /Kids [] /Count 0 >>"})),
		changed("nothing but a new object", a.update(a.sealed, map[int]string{20: "(hello)"})),
		changed("removed signature", a.update(a.sealed, map[int]string{objFields: "<< /Fields [] /SigFlags 3 >>"})),
		changed("removed form", a.update(a.sealed, map[int]string{1: "<< /Type /Catalog /Pages 2 0 R >>"})),
		changed("same bytes again", a.update(a.sealed, map[int]string{3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"})),
	)
	object := fmt.Appendf(bytes.Clone(a.sealed), "5 0 obj\n%s\nendobj\n", text)
	trailer := between(a.sealed, "trailer\n", "%%EOF")
	first := bytes.Index(a.sealed, []byte("startxref"))
	firstXref := pdftest.StartXref(a.sealed[:first+40])
	a.run("P-04", verdict.Failed, a.sealed,
		changed("no table, no trailer", object),
		changed("copied trailer", append(bytes.Clone(object), trailer+"\n"...)),
		changed("table of the first revision", fmt.Appendf(bytes.Clone(object), "startxref\n%d\n%%%%EOF\n", firstXref)),
		changed("points into the signed part", fmt.Appendf(bytes.Clone(object), "startxref\n%d\n%%%%EOF\n", firstXref+3)),
		changed("broken table", fmt.Appendf(bytes.Clone(object), "xref\n5 1\nnonsense\ntrailer\n<< >>\nstartxref\n%d\n%%%%EOF\n", len(object))),
		changed("comment", append(bytes.Clone(a.sealed), "% hello\n"...)),
	)
	hidden := pdftest.Document("hello")
	hidden.Objects[objPage-1] = page + "/Annots [6 0 R] >>"
	hidden.Add("<< /Type /Annot /Subtype /Square /Rect [10 10 50 50] /AP << /N 7 0 R >> >>")
	hidden.Objects = append(hidden.Objects, pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", []byte("0 0 1 1 re f")))
	shadowed := a.w.sealed(t, hidden.Bytes())
	twoRoots := pdftest.Document("hello")
	twoRoots.Objects[0] = "<< /Type /Catalog /Pages 2 0 R /X 6 0 R >>" // what nothing leads to is not sealed
	twoRoots.Add("<< /Type /Catalog /Pages 7 0 R >>")
	twoRoots.Add("<< /Type /Pages /Kids [8 0 R] /Count 1 /MediaBox [0 0 595.276 841.89] >>")
	twoRoots.Add("<< /Type /Page /Parent 7 0 R >>")
	doubled := a.w.sealed(t, twoRoots.Bytes())
	hiddenFont := pdftest.Document("hello")
	hiddenFont.Objects[0] = "<< /Type /Catalog /Pages 2 0 R /X 6 0 R >>"
	hiddenFont.Add("<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>")
	fonts := a.w.sealed(t, hiddenFont.Bytes())
	a.run("P-09", verdict.Failed, shadowed,
		changed("overlay freed", pdftest.Update(shadowed, nil, pdftest.Table{Root: 1, Size: 16, Prev: pdftest.StartXref(shadowed), Free: []int{6}})),
		changed("overlay emptied", a.update(shadowed, map[int]string{7: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", nil)})),
	)
	a.run("P-09", verdict.Failed, doubled,
		changed("second catalogue", pdftest.Update(doubled, nil, pdftest.Table{Root: 6, Size: 16, Prev: pdftest.StartXref(doubled)})),
		changed("table swapped", pdftest.Update(doubled, nil, pdftest.Table{
			Root: 1, Size: 16, Prev: pdftest.StartXref(doubled), At: map[int]int{1: bytes.Index(doubled, []byte("6 0 obj"))},
		})),
	)
	a.run("P-09", verdict.Failed, fonts,
		changed("font replaced", a.update(fonts, map[int]string{3: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"})))

	signature := between(a.sealed, "10 0 obj\n", "endobj")
	signature = strings.TrimSuffix(strings.TrimPrefix(signature, "10 0 obj\n"), "endobj")
	field := strings.TrimSuffix(strings.TrimPrefix(between(a.sealed, "11 0 obj\n", "endobj"), "11 0 obj\n"), "endobj")
	a.run("P-13", verdict.Failed, a.sealed,
		row{"another name", a.update(a.sealed, map[int]string{objSignature: strings.Replace(signature, "/Type /Sig", "/Type /Sig /Reason (x)", 1)}), verdict.SigDictChanged},
		row{"copied", a.update(a.sealed, map[int]string{objSignature: signature}), verdict.SigDictChanged},
		row{"another dictionary", a.update(a.sealed, map[int]string{
			objField: strings.Replace(field, "/V 10 0 R", "/V 20 0 R", 1), 20: signature,
		}), verdict.SigDictChanged},
	)
	moved := strings.Replace(field, "/Rect [", "/Rect [0 0 10 10] /Old [", 1)
	a.run("P-15", verdict.Failed, a.sealed,
		changed("seal moved", a.update(a.sealed, map[int]string{objField: moved})),
		changed("picture replaced", a.update(a.sealed, map[int]string{objForm: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", nil)})),
	)
	a.run("P-15", verdict.Passed, nil,
		row{"stamp outside the page before signing", a.only(func(c *crafted) { c.field = "/Rect [-500 -500 -400 -400]" }), ""})
}

func TestFurtherSignatures(t *testing.T) { // P-11, P-12
	t.Parallel()
	a := newAttacks(t)
	sound := a.second(func(*crafted) {})
	changed := func(name string, change func(*crafted)) row {
		return row{name, a.second(change), verdict.ModifiedAfterSigning}
	}
	text := pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << >>", []byte("1 g 0 0 100 20 re f"))
	undefined := pdftest.Document("hello")
	undefined.Objects[objPage-1] = "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> /Thumb 30 0 R >>"
	prepared := a.w.sealed(t, undefined.Bytes())
	a.run("P-11", verdict.Failed, sound,
		changed("page changed", func(c *crafted) { c.pageKeys = "/Rotate 90" }),
		changed("content changed", func(c *crafted) { c.objects = map[int]string{objContent: text} }),
		changed("text over the page", func(c *crafted) {
			c.annots += " 20 0 R"
			c.objects = map[int]string{20: "<< /Type /Annot /Subtype /FreeText /Rect [0 0 9 9] /DA () /Contents (x) >>"}
		}),
		changed("an annotation fewer", func(c *crafted) { c.annots = "" }),
		changed("another field too", func(c *crafted) {
			c.fields += " 20 0 R"
			c.objects = map[int]string{20: "<< /FT /Tx /T (x) /V (y) >>"}
		}),
		changed("signature that shows text", func(c *crafted) {
			c.field = "/Rect [0 0 100 20] /AP << /N 20 0 R >>"
			c.objects = map[int]string{20: text}
		}),
		changed("signature with an action", func(c *crafted) {
			c.field = "/A 20 0 R"
			c.objects = map[int]string{20: "<< /S /URI /URI (http://example.org) >>"}
		}),
		changed("field with an appearance of characters", func(c *crafted) { c.field = "/Rect [0 0 100 20] /MK << /CA (x) >>" }),
		changed("field with a tool tip", func(c *crafted) { c.field = "/TU (x)" }),
		changed("font changed", func(c *crafted) {
			c.objects = map[int]string{3: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"}
		}),
		changed("form flags", func(c *crafted) {
			c.objects = map[int]string{objFields: fmt.Sprintf("<< /Fields [%d 0 R %d 0 R] /SigFlags 3 /NeedAppearances true >>", objField, objSpare)}
		}),
		changed("document information", func(c *crafted) {
			c.objects = map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 12 0 R /Lang (x) >>"}
		}),
		row{"missing object filled in", crafted{
			w: a.w, base: prepared, first: objSpare, annots: "11 0 R", fields: "11 0 R", pageKeys: "/Thumb 30 0 R",
			objects: map[int]string{30: text},
		}.build(t), verdict.ModifiedAfterSigning},
	)
	a.run("P-11", verdict.Passed, nil, row{"the same without filling in", crafted{
		w: a.w, base: prepared, first: objSpare, annots: "11 0 R", fields: "11 0 R", pageKeys: "/Thumb 30 0 R",
	}.build(t), ""})
	certify := func(p int) string {
		return fmt.Sprintf("/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>]", p)
	}
	first := func(p int) []byte { return a.only(func(c *crafted) { c.sig = certify(p) }) }
	then := func(base []byte, sig string) []byte {
		return crafted{w: a.w, base: base, first: 15, annots: "10 0 R", fields: "10 0 R", sig: sig}.build(t)
	}
	a.run("P-12", verdict.Failed, first(1),
		row{"followed though it forbids", then(first(1), ""), verdict.ModifiedAfterSigning})
	a.run("P-12", verdict.Failed, then(first(2), ""),
		row{"two certifications", then(first(2), certify(2)), verdict.CertificationOrder},
		row{"certification second", then(a.only(func(*crafted) {}), certify(2)), verdict.CertificationOrder},
	)
}

func TestContainers(t *testing.T) { // P-16, P-17, P-19
	t.Parallel()
	a := newAttacks(t)
	zip := "PK\x01\x02" + strings.Repeat("\x00", 42) + "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	refused := func(name string, data []byte, why verdict.Reason) row { return row{name, data, why} }
	a.run("P-16", verdict.Rejected, a.sealed,
		refused("Prev loop", pdftest.Update(a.sealed, nil, pdftest.Table{Root: 1, Size: 13, Prev: len(a.sealed)}), verdict.Limit),
		refused("deep arrays", a.update(a.sealed, map[int]string{20: strings.Repeat("[", 1_000_000)}), verdict.Limit),
		refused("form in a circle", a.update(a.document, map[int]string{
			1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>", 6: "<< /T (a) /Kids [6 0 R] >>",
		}), verdict.Limit),
	)
	a.run("P-17", verdict.Rejected, a.sealed,
		refused("ZIP behind", append(bytes.Clone(a.sealed), zip...), verdict.TypeAmbiguous),
		refused("bytes before", append([]byte("MZ"), a.sealed...), verdict.TypeAmbiguous),
		refused("ZIP alone", []byte(zip), verdict.UnsupportedFormat),
	)
	a.run("P-19", verdict.Rejected, a.sealed,
		refused("encrypted", pdftest.Update(a.sealed, map[int]string{20: "<< /Filter /Standard >>"},
			pdftest.Table{Root: 1, Prev: pdftest.StartXref(a.sealed), Extra: "/Encrypt 20 0 R"}), verdict.EncryptedPDF))
}
