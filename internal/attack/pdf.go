package attack

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Numbers of the objects of [PlainPDF].
const (
	objCatalog, objPages, objFont, objPage, objText = 1, 2, 3, 4, 5
)

// PlainPDF is a small sound PDF file of one page, to be sealed as a base.
func PlainPDF(text string) []byte { return plainPDF(text, nil) }

// plainPDF is PlainPDF with more objects, or with others.
func plainPDF(text string, more map[int]string) []byte {
	objects := map[int]string{
		objCatalog: "<< /Type /Catalog /Pages 2 0 R >>",
		objPages:   "<< /Type /Pages /Kids [4 0 R] /Count 1 /MediaBox [0 0 595.276 841.89] >>",
		objFont:    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		objPage:    "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
		objText:    stream("", "BT /F1 24 Tf 72 700 Td ("+text+") Tj ET"),
	}
	maps.Copy(objects, more)
	return update([]byte("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"), objects, trailer{root: objCatalog})
}

func stream(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

// trailer says what a section points to; zero fields are what a sound update has.
type trailer struct {
	root, prev, size int
	extra            string
	free             []int
}

// update appends a revision with the objects.
func update(data []byte, objects map[int]string, t trailer) []byte {
	out := bytes.Clone(data)
	lines := map[int]string{}
	if t.prev == 0 {
		lines[0] = "0000000000 65535 f \n"
	}
	size := t.size
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		lines[n] = fmt.Sprintf("%010d 00000 n \n", len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, objects[n])
		if t.size == 0 {
			size = max(size, n+1)
		}
	}
	for _, n := range t.free {
		lines[n] = "0000000000 00001 f \n"
	}
	xref := len(out)
	out = append(out, "xref\n"...)
	for _, n := range slices.Sorted(maps.Keys(lines)) {
		out = fmt.Appendf(out, "%d 1\n%s", n, lines[n])
	}
	out = fmt.Appendf(out, "trailer\n<< /Size %d /Root %d 0 R", size, t.root)
	if t.prev != 0 {
		out = fmt.Appendf(out, " /Prev %d", t.prev)
	}
	return fmt.Appendf(out, " %s >>\nstartxref\n%d\n%%%%EOF\n", t.extra, xref)
}

// startxref is the offset that a file ends with.
func startxref(data []byte) int {
	fields := bytes.Fields(data[bytes.LastIndex(data, []byte("startxref")):])
	n, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return n
}

// revise appends an unsigned revision to a sealed file.
func revise(data []byte, objects map[int]string) []byte {
	return update(data, objects, trailer{root: objCatalog, prev: startxref(data), size: 60})
}

// hybrid appends a revision whose table finds object 50 with the first value and whose cross-reference stream, which the
// table names, finds it with the second.
func hybrid(data []byte, first, second string) []byte {
	out := bytes.Clone(data)
	inTable := len(out)
	out = fmt.Appendf(out, "50 0 obj\n(%s)\nendobj\n", first)
	inStream := len(out)
	out = fmt.Appendf(out, "50 0 obj\n(%s)\nendobj\n", second)
	stream := len(out)
	row := []byte{1, byte(inStream >> 16), byte(inStream >> 8), byte(inStream), 0}
	out = fmt.Appendf(out, "51 0 obj\n<< /Type /XRef /W [1 3 1] /Index [50 1] /Size 60 /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(row), row)
	table := len(out)
	out = fmt.Appendf(out, "xref\n50 2\n%010d 00000 n \n%010d 00000 n \n", inTable, stream)
	return fmt.Appendf(out, "trailer\n<< /Size 60 /Root %d 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n",
		objCatalog, startxref(data), stream, table)
}

// object is the text of the newest definition of an object.
func object(data []byte, n int) string {
	mark := fmt.Appendf(nil, "\n%d 0 obj\n", n)
	i := bytes.LastIndex(data, mark)
	if i < 0 {
		return ""
	}
	text, _, _ := bytes.Cut(data[i+len(mark):], []byte("endobj"))
	return strings.TrimSpace(string(text))
}

// find is the number of the newest object that holds some text.
func find(data []byte, text string) int {
	found := 0
	for _, m := range regexp.MustCompile(`\n(\d+) 0 obj\n`).FindAllSubmatch(data, -1) {
		n, err := strconv.Atoi(string(m[1]))
		if err == nil && strings.Contains(object(data, n), text) {
			found = n
		}
	}
	return found
}

// pdfLab makes cases of the sealed PDF.
type pdfLab struct{ *lab }

func (l pdfLab) emitAs(id, mutation, verdict, reason string, data []byte) {
	if l.err != nil {
		return
	}
	if data == nil {
		l.fail(id, ErrNothingChanged)
		return
	}
	l.emit(Case{ID: id, Mutation: mutation, File: "pdf", Twin: "PDF", Verdict: verdict, Reason: reason, Data: data}, l.base.PDF)
}

// swap replaces text that stands once by text of the same length at most; nil if it does not stand there.
func swap(data []byte, old, with string) []byte {
	i := bytes.LastIndex(data, []byte(old))
	if i < 0 || len(with) > len(old) {
		return nil
	}
	out := bytes.Clone(data)
	copy(out[i:], with+strings.Repeat(" ", len(old)-len(with)))
	return out
}

// last is the text between two marks, the marks included, where it stands last.
func last(data []byte, from, to string) string {
	i := bytes.LastIndex(data, []byte(from))
	if i < 0 {
		return from
	}
	j := bytes.Index(data[i+len(from):], []byte(to))
	return string(data[i : i+len(from)+j+len(to)])
}

// pdfCases are the rows P.
func pdfCases(base *lab) {
	l := pdfLab{base}
	l.dictionary()
	l.revisions()
	l.bytes()
	l.hostile()
	l.handwritten()
	l.shadowCases()
	l.levelCases()
	l.placeCases()
	l.shownCases()
	l.skippingCases()
}

// dictionary: P-01, P-02, P-07, P-14, C-05.
func (l pdfLab) dictionary() {
	pdf := l.base.PDF
	contents := last(pdf, "/Contents <3", ">")
	value := strings.TrimPrefix(contents, "/Contents ")
	sig := find(pdf, "/ByteRange")
	for id, text := range sorted(map[string]string{
		"empty": "<>", "null": "null", "number": "17", "name": "/None", "array": "[]", "text": "()", "zeros": "<" + strings.Repeat("0", len(value)-2) + ">",
	}) {
		l.emitAs("P-01/"+id, "signature value: "+id, Failed, "sig_missing", swap(pdf, value, text))
	}
	l.emitAs("P-01/missing", "no signature value", Failed, "sig_missing", swap(pdf, "/Contents <", "/Kontents <"))
	l.emitAs("P-01/no-dictionary", "the field leads to no signature", Failed, "sig_missing", swap(pdf, fmt.Sprintf("/V %d 0 R", sig), "/V 59 0 R"))
	ranges := last(pdf, "/ByteRange [", "]")
	for id, text := range sorted(map[string]string{
		"missing": "/X [0 1 2 3]", "null": "/ByteRange null", "zeros": "/ByteRange [0 0 0 0]", "negative": "/ByteRange [0 9 -1 3]",
		"three": "/ByteRange [0 9 20]", "five": "/ByteRange [0 1 2 3 4]", "huge": "/ByteRange [0 1 9000000000000000000 3]", "reference": "/ByteRange 5 0 R",
		"overlap": "/ByteRange [0 900 500 300]", "reals": "/ByteRange [0 1.5 2 3]", "names": "/ByteRange [/a /b /c /d]", "empty": "/ByteRange []",
		"nested": "/ByteRange [[0 1 2 3]]", "overflow": "/ByteRange [0 1 2 9223372036854775807]",
	}) {
		l.emitAs("P-02/"+id, "byte range: "+id, Failed, "byterange_malformed", swap(pdf, ranges, text))
	}
	for id, text := range sorted(map[string]string{
		"sha1": "/adbe.pkcs7.sha1", "rsa": "/adbe.x509.rsa_sha1", "none": "/None", "number": "17", "time": "/ETSI.RFC3161",
	}) {
		l.emitAs("P-14/"+id, "signature format: "+id, Failed, "subfilter", swap(pdf, "/adbe.pkcs7.detached", text))
	}
	at := bytes.LastIndex(pdf, []byte(value))
	for _, back := range []int{1, 2, 3, 100, 5000} {
		data := bytes.Clone(pdf)
		data[at+len(value)-1-back] = '7'
		l.emitAs(fmt.Sprintf("C-05/padding-%d", back), "something in the padding of the value", Failed, "trailing_data", data)
	}
	for id, tail := range sorted(map[string]string{"space": "  \n", "newline": "\n", "zero": "\x00"}) {
		l.emitAs("P-07/tail-"+id, "white space behind the signed end", Failed, "coverage", append(bytes.Clone(pdf), tail...))
	}
}

// revisions: P-03, P-04, P-09, P-11, P-13, P-15.
func (l pdfLab) revisions() {
	pdf := l.base.PDF
	sig, field := find(pdf, "/ByteRange"), find(pdf, "/FT /Sig")
	text := stream("", "BT /F1 24 Tf 72 700 Td (pay) Tj ET")
	catalog, page := object(pdf, objCatalog), object(pdf, objPage)
	more := func(dict, keys string) string { return strings.TrimSuffix(dict, ">>") + keys + " >>" }
	for id, objects := range sorted(map[string]map[int]string{
		"content":        {objText: text},
		"same-content":   {objText: object(pdf, objText)},
		"font":           {objFont: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"},
		"page-turned":    {objPage: more(page, "/Rotate 90")},
		"page-cropped":   {objPage: more(page, "/CropBox [0 0 9 9]")},
		"page-added":     {objPages: "<< /Type /Pages /Kids [4 0 R 50 0 R] /Count 2 /MediaBox [0 0 595.276 841.89] >>", 50: "<< /Type /Page /Parent 2 0 R >>"},
		"pages-removed":  {objPages: "<< /Type /Pages /Kids [] /Count 0 >>"},
		"new-object":     {50: "(hello)"},
		"language":       {objCatalog: more(catalog, "/Lang (x)")},
		"open-action":    {objCatalog: more(catalog, "/OpenAction << /S /URI /URI (http://example.org) >>")},
		"scripts":        {objCatalog: more(catalog, "/Names << /JavaScript << /Names [(x) << /S /JavaScript /JS (x) >>] >> >>")},
		"layers":         {objCatalog: more(catalog, "/OCProperties << /OCGs [] /D << >> >>")},
		"security-store": {objCatalog: more(catalog, "/DSS << >>")},
		"form-removed":   {objCatalog: "<< /Type /Catalog /Pages 2 0 R >>"},
	}) {
		l.emitAs("P-03/"+id, "appended after sealing: "+id, Failed, "modified_after_signing", revise(pdf, objects))
	}
	bare := fmt.Appendf(bytes.Clone(pdf), "5 0 obj\n%s\nendobj\n", text)
	head := bytes.Index(pdf, []byte("startxref"))
	first := startxref(pdf[:head+40])
	for id, data := range sorted(map[string][]byte{
		"bare":          bare,
		"copied":        append(bytes.Clone(bare), last(pdf, "trailer\n", "%%EOF")+"\n"...),
		"first-table":   fmt.Appendf(bytes.Clone(bare), "startxref\n%d\n%%%%EOF\n", first),
		"into-signed":   fmt.Appendf(bytes.Clone(bare), "startxref\n%d\n%%%%EOF\n", first+3),
		"broken-table":  fmt.Appendf(bytes.Clone(bare), "xref\n5 1\nnonsense\ntrailer\n<< >>\nstartxref\n%d\n%%%%EOF\n", len(bare)),
		"comment":       append(bytes.Clone(pdf), "% hello\n"...),
		"second-header": append(bytes.Clone(pdf), "%PDF-1.7\n"...),
	}) {
		l.emitAs("P-04/"+id, "appended without a sound table: "+id, Failed, "modified_after_signing", data)
	}
	dict := object(pdf, sig)
	widget := object(pdf, field)
	for id, objects := range sorted(map[string]map[int]string{
		"reason": {sig: more(dict, "/Reason (x)")}, "copied": {sig: dict},
		"elsewhere": {field: strings.Replace(widget, fmt.Sprintf("/V %d 0 R", sig), "/V 50 0 R", 1), 50: dict},
	}) {
		l.emitAs("P-13/"+id, "signature dictionary in a later revision: "+id, Failed, "sigdict_changed", revise(pdf, objects))
	}
	appearance := find(pdf, "/Subtype /Form")
	for id, objects := range sorted(map[string]map[int]string{
		"moved":   {field: strings.Replace(widget, "/Rect [", "/Rect [0 0 10 10] /Old [", 1)},
		"hidden":  {field: strings.Replace(widget, "/F 132", "/F 134", 1)},
		"renamed": {field: strings.Replace(widget, "/T (", "/T (X", 1)},
		"picture": {appearance: stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", "")},
	}) {
		l.emitAs("P-15/"+id, "the seal changed after sealing: "+id, Failed, "modified_after_signing", revise(pdf, objects))
	}
	for id, annot := range sorted(map[string]string{
		"free-text": "<< /Type /Annot /Subtype /FreeText /Rect [0 0 9 9] /DA () /Contents (x) >>",
		"stamp":     "<< /Type /Annot /Subtype /Stamp /Rect [0 0 99 99] >>",
		"link":      "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://example.org) >> >>",
	}) {
		annots := last([]byte(page), "/Annots [", "]")
		l.emitAs("P-11/"+id, "an annotation added: "+id, Failed, "modified_after_signing", revise(pdf, map[int]string{
			objPage: strings.Replace(page, annots, strings.TrimSuffix(annots, "]")+" 50 0 R]", 1), 50: annot,
		}))
	}
	l.emitAs("P-09/freed", "an object freed", Failed, "modified_after_signing",
		update(pdf, nil, trailer{root: objCatalog, prev: startxref(pdf), size: 60, free: []int{objText}}))
	l.emitAs("P-09/other-catalogue", "another catalogue", Failed, "modified_after_signing",
		update(pdf, map[int]string{50: "<< /Type /Catalog /Pages 51 0 R >>", 51: "<< /Type /Pages /Kids [] /Count 0 >>"},
			trailer{root: 50, prev: startxref(pdf), size: 60}))
	if l.err == nil {
		twice := l.base.PDFTwice
		l.emit(Case{
			ID: "P-03/after-two", Mutation: "appended after the second seal", File: "pdf", Twin: "PDFTwice", Verdict: Failed,
			Reason: "modified_after_signing", Data: revise(twice, map[int]string{objText: text}),
		}, twice)
	}
}

// bytes: changes inside the signed bytes.
func (l pdfLab) bytes() {
	pdf := l.base.PDF
	at := bytes.Index(pdf, []byte("(hello)"))
	for i := range 5 {
		data := bytes.Clone(pdf)
		data[at+1+i] ^= 1
		l.emitAs(fmt.Sprintf("P-05/letter-%d", i), "a letter on the page changed", Failed, "data_hash", data)
	}
	for id, edit := range sorted(map[string][2]string{
		"font": {"/Helvetica", "/HelveticX"}, "colour": {"72 700 Td", "72 100 Td"}, "size": {"/F1 24 Tf", "/F1 01 Tf"},
		"box": {"/MediaBox [0 0 595", "/MediaBox [0 0 195"}, "time": {"D:2026", "D:2025"},
	}) {
		l.emitAs("P-05/"+id, "signed bytes changed: "+id, Failed, "data_hash", swap(pdf, edit[0], edit[1]))
	}
}

// hostile: P-16 to P-19.
func (l pdfLab) hostile() {
	pdf := l.base.PDF
	for id, data := range sorted(map[string][]byte{
		"prev-loop":   update(pdf, nil, trailer{root: objCatalog, size: 60, prev: len(pdf)}),
		"deep-arrays": revise(pdf, map[int]string{50: strings.Repeat("[", 1_000_000)}),
		"deep-dicts":  revise(pdf, map[int]string{50: strings.Repeat("<</A", 300_000)}),
	}) {
		l.emitAs("P-16/"+id, "a file to exhaust the reader: "+id, Rejected, "limit", data)
	}
	l.emitAs("P-17/late-header", "bytes before the header", Rejected, "type_ambiguous", append([]byte("x"), pdf...))
	l.emitAs("P-17/other-header", "the header of another kind of file", Rejected, "unsupported_format", append([]byte("%!PS-Adobe-3.0"), pdf[8:]...))
	hostile := func(id, reason string, objects map[int]string) {
		l.emitAs("P-16/"+id, "an unsigned file to exhaust the reader: "+id, Rejected, reason, plainPDF("hello", objects))
	}
	hostile("length-lie", "malformed", map[int]string{objText: "<< /Length 900000000 >>\nstream\nx\nendstream"})
	hostile("length-of-itself", "limit", map[int]string{objText: "<< /Length 5 0 R >>\nstream\nx\nendstream"})
	hostile("circular-form", "limit", map[int]string{
		objCatalog: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [20 0 R] >> >>", 20: "<< /T (a) /Kids [20 0 R] >>",
	})
	zip := "PK\x01\x02" + strings.Repeat("\x00", 42) + "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	l.emitAs("P-17/zip-behind", "a package behind the file", Rejected, "type_ambiguous", append(bytes.Clone(pdf), zip...))
	l.emitAs("P-17/ofd-behind", "an OFD behind the file", Rejected, "type_ambiguous", append(bytes.Clone(pdf), l.base.OFD...))
	l.emitAs("P-19/encrypted", "an encrypted file", Rejected, "encrypted_pdf",
		update(pdf, map[int]string{50: "<< /Filter /Standard >>"}, trailer{root: objCatalog, prev: startxref(pdf), size: 60, extra: "/Encrypt 50 0 R"}))
	l.emitAs("P-18/stream-differs", "a table and the cross-reference stream it names give an object two places, behind the signed revision", Failed, "modified_after_signing", hybrid(pdf, "1", "2"))
	for _, part := range []int{1, 2, 4} {
		if l.err == nil {
			l.emit(Case{
				ID: fmt.Sprintf("P-16/cut-%d", part), Mutation: "the sealed revision cut off, the one before it left whole", File: "pdf",
				Twin: "PDF", Verdict: Unsigned, Warning: "trailing_data", Data: pdf[:len(pdf)-len(pdf)/(2*part)],
			}, pdf)
		}
	}
}
