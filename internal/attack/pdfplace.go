package attack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// placeCases are P-15: a seal that its signer put where nobody sees it, or in another size.
func (l pdfLab) placeCases() {
	rect, flags := last(l.base.PDF, "/Rect [", "]"), "/F 132"
	placed := func(id, mutation, verdict, reason, warning, old, with string) {
		if l.err != nil {
			return
		}
		data, err := l.resigned(swap(l.base.PDF, old, with))
		if err != nil {
			l.fail(id, err)
			return
		}
		l.emit(Case{ID: id, Mutation: mutation, File: "pdf", Twin: "PDF", Verdict: verdict, Reason: reason, Warning: warning, Data: data}, l.base.PDF)
	}
	placed("P-15/twin-resigned", "none: the field printed and not locked, by the signer", Passed, "", "", flags, "/F 4")
	placed("P-15/whole-page", "a seal as large as the page, by the signer", Passed, "", "placement", rect, "/Rect [0 0 595 841]")
	placed("P-15/not-printed", "a seal that is not printed, by the signer", Passed, "", "placement", flags, "/F 128")
	placed("P-15/off-the-page", "a seal outside of the page, by the signer", Failed, "placement", "", rect, "/Rect [900 900 950 950]")
	placed("P-15/no-extent", "a seal without extent, by the signer", Failed, "placement", "", rect, "/Rect [9 9 9 9]")
	placed("P-15/hidden-by-the-signer", "a hidden seal, by the signer", Failed, "placement", "", flags, "/F 6")
	if annots := last(l.base.PDF, "/Annots [", "]"); l.err == nil {
		placed("P-15/on-no-page", "a seal that no page lists, by the signer", Failed, "placement", "", annots, "/Annots []")
	}
	placed("P-15/no-view", "a seal that shows in print alone, by the signer", Failed, "placement", "", flags, "/F 36")
}

// resigned is a sealed file whose signed bytes were changed, signed anew.
func (l pdfLab) resigned(data []byte) ([]byte, error) {
	if data == nil {
		return nil, ErrNothingChanged
	}
	var first, start, end, size int
	text := last(data, "/ByteRange [", "]")
	if _, err := fmt.Sscanf(text, "/ByteRange [%d %d %d %d", &first, &start, &end, &size); err != nil {
		return nil, err
	}
	der, err := l.base.SignMessage(l.base.SM3(append(bytes.Clone(data[:start]), data[end:]...)))
	if err != nil {
		return nil, err
	}
	value := hex.EncodeToString(der)
	copy(data[start+1:], value+strings.Repeat("0", end-start-2-len(value)))
	return data, nil
}

// skippingCases are P-09: what follows a signed revision leads past it, and the signature is in no revision any more.
func (l pdfLab) skippingCases() {
	pdf := l.base.PDF
	first := startxref(pdf[:bytes.Index(pdf, []byte("startxref"))+40])
	skipped := func(id, mutation, warning string, twin, data []byte) {
		if l.err == nil {
			l.emit(Case{ID: id, Mutation: mutation, File: "pdf", Twin: "PDF", Verdict: Unsigned, Warning: warning, Data: data}, twin)
		}
	}
	text := map[int]string{objText: stream("", "BT /F1 24 Tf 72 700 Td (pay) Tj ET")}
	skipped("P-09/skips-the-signed", "an update whose table leads past the signed revision", "leftover_signature", pdf,
		update(pdf, text, trailer{root: objCatalog, prev: first, size: 60}))
	skipped("P-09/twin-unsigned", "none: the same update of the file that was never signed", "", pdf, revise(PlainPDF("hello"), text))
	at := bytes.LastIndex(pdf, []byte("startxref"))
	skipped("P-09/turned-back", "the last startxref turned back to the first table", "leftover_signature", pdf,
		fmt.Appendf(bytes.Clone(pdf[:at]), "startxref\n%d\n%%%%EOF\n", first))
}
