package attack

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
)

// shown is what a PDF holds besides its page, for a reader to do or to show.
type shown struct {
	catalog string // more keys
	form    string // more keys of the form, which a signed file has
	objects map[int]string
}

// shadowCases are P-10: content that was prepared before anybody signed. A file without a signature is no case for a verifier;
// whoever seals must refuse it. Where somebody signed such a file all the same, its bytes are as they were signed, and a verifier
// says what they do; what lies in another file nobody has signed.
func (l pdfLab) shadowCases() {
	const waiting = "/X 20 0 R"
	form := func(keys string) map[int]string {
		return map[int]string{20: stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] "+keys, "")}
	}
	layer := map[int]string{20: "<< /Type /OCG /Name (a) >>"}
	l.shadow("nothing", "none: an object more that the catalogue leads to", "", shown{catalog: waiting, objects: map[int]string{20: "(hello)"}})
	for id, s := range sorted(map[string]shown{
		"unreferenced":     {objects: map[int]string{20: "(hello)"}},
		"second-catalogue": {objects: map[int]string{20: "<< /Type /Catalog /Pages 2 0 R >>"}},
		"ring":             {objects: map[int]string{20: "[21 0 R]", 21: "[20 0 R]"}},
		"script":           {catalog: waiting, objects: map[int]string{20: "<< /S /JavaScript /JS (x) >>"}},
		"open-action":      {catalog: "/OpenAction << /S /URI /URI (http://example.org) >>"},
		"launch":           {catalog: waiting, objects: map[int]string{20: "<< /S /Launch /F (x.exe) >>"}},
		"hidden-layer":     {catalog: "/OCProperties << /OCGs [20 0 R] /D << /OFF [20 0 R] >> >>", objects: layer},
		"layer-in-print":   {catalog: "/OCProperties << /OCGs [20 0 R] /D << /AS [<< /Event /Print >>] >> >>", objects: layer},
		"hides-when-on":    {catalog: "/OCProperties << /OCGs [20 0 R] /D << >> >> /X << /Type /OCMD /OCGs 20 0 R /P /AllOff >>", objects: layer},
		"xfa":              {form: "/XFA 20 0 R", objects: map[int]string{20: stream("", "<xdp/>")}},
		"drawn-anew":       {form: "/NeedAppearances true"},
		"two-pictures":     {catalog: waiting, objects: map[int]string{20: stream("/Type /XObject /Subtype /Image /Width 0 /Height 0 /Alternates [<< /DefaultForPrinting true >>]", "")}},
	}) {
		l.shadow(id, "prepared before signing: "+id, "active_or_shadow_content", s)
	}
	for id, s := range sorted(map[string]shown{
		"other-page":    {catalog: waiting, objects: form("/Ref << /F (other.pdf) /Page 0 >>")},
		"other-file":    {catalog: waiting, objects: form("/F (other.txt)")},
		"other-picture": {catalog: waiting, objects: form("/OPI << >>")},
	}) {
		l.shadow(id, "what shows lies in another file: "+id, "uncovered", s)
	}
	leftover := map[int]string{20: "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 1 2 3] /Contents <3000> >>"}
	l.shadow("unlisted-signature", "a signature that no field lists", "unlisted_signature", shown{catalog: waiting, objects: leftover})
}

// shadow makes two cases: the file as it goes to be sealed, and the same file signed by somebody who did not mind.
func (l pdfLab) shadow(id, mutation, reason string, s shown) {
	if l.err != nil {
		return
	}
	objects := map[int]string{objCatalog: "<< /Type /Catalog /Pages 2 0 R " + s.catalog + " /AcroForm << /Fields [] " + s.form + " >> >>"}
	maps.Copy(objects, s.objects)
	c := Case{ID: "P-10/to-seal-" + id, Mutation: mutation + ", not signed", File: "pdf", Twin: "PDF", Verdict: Unsigned, Sealing: Passed}
	c.Data = plainPDF("hello", objects)
	if reason != "" {
		c.Sealing = "active_or_shadow_content"
	}
	if reason == "unlisted_signature" {
		c.Warning = "leftover_signature"
	}
	l.emit(c, PlainPDF("hello"))
	signed := crafted{objects: maps.Clone(s.objects)}
	if signed.objects == nil {
		signed.objects = map[int]string{}
	}
	signed.objects[objCatalog] = "<< /Type /Catalog /Pages 2 0 R " + s.catalog + " /AcroForm << /SigFlags 3 /Fields [10 0 R] " + s.form + " >> >>"
	data, err := signed.make(l.base)
	if err != nil {
		l.fail(c.ID, err)
		return
	}
	after := Case{ID: "P-10/signed-" + id, Mutation: mutation + ", and signed", File: "pdf", Twin: "PDF", Verdict: Passed, Warning: reason, Data: data}
	if reason == "uncovered" {
		after.Verdict, after.Reason, after.Warning = Failed, reason, ""
	}
	l.emit(after, l.base.PDF)
}

// levelCases are P-20. The only proof of time that a PDF can have here is a time-stamp in the signature value, which no
// signature covers: taken away, the time is the signer's word, and that must be said. Time-stamps in fields of their own are
// refused for their format (P-14/time), stores of revocation data are changes (P-03/security-store).
func (l pdfLab) levelCases() {
	stamped := func(id, mutation, verdict, reason, warning string, token func(value []byte) ([]byte, error)) {
		if l.err != nil {
			return
		}
		var failed error
		data, err := crafted{contents: func(der []byte, w int) string {
			n, err := parseDER(der)
			if err != nil {
				failed = err
				return ""
			}
			signer := n.at(inSigner...)
			stamp, err := token(signer.kids[signerValue].body)
			if err != nil {
				failed = err
				return ""
			}
			if stamp != nil {
				// 1.2.840.113549.1.9.16.2.14
				oid := leaf(tagOID, []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 14})
				whole, err := parseDER(stamp)
				if err != nil {
					failed = err
					return ""
				}
				signer.kids = append(signer.kids, &node{tag: tagOne, kids: []*node{{tag: tagSeq, kids: []*node{oid, {tag: tagSet, kids: []*node{whole}}}}}})
			}
			text := fmt.Sprintf("%x", n.der())
			return "<" + text + strings.Repeat("0", w-2-len(text)) + ">"
		}}.make(l.base)
		if err == nil {
			err = failed
		}
		if err != nil {
			l.fail(id, err)
			return
		}
		l.emit(Case{ID: id, Mutation: mutation, File: "pdf", Twin: "PDF", Verdict: verdict, Reason: reason, Warning: warning, Data: data}, l.base.PDF)
	}
	own := func(value []byte) ([]byte, error) { return l.base.Stamp(l.base.SM3(value)) }
	stamped("P-20/twin-stamped", "none: a time-stamp in the signature value", Passed, "", "", own)
	stamped("P-20/removed", "the time-stamp taken out of the signature value", Passed, "", "time_claimed", func([]byte) ([]byte, error) { return nil, nil })
	stamped("P-20/another", "the time-stamp of another signature", Failed, "timestamp_imprint", "", func(value []byte) ([]byte, error) {
		return own(append(bytes.Clone(value), 0))
	})
	stamped("P-20/changed", "a time-stamp with a changed signature", Failed, "timestamp_signature", "", func(value []byte) ([]byte, error) {
		token, err := own(value)
		if err == nil {
			token[len(token)-1] ^= 1
		}
		return token, err
	})
}
