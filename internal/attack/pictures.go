package attack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// pictureCases are those of O-14, O-05 and T-05 in which somebody shows what the signature does not say: a seal's picture with no
// seal behind it, a file that only a reader which searches for it would find, another time.
func (l *lab) pictureCases() {
	const (
		describe1 = "Doc_0/Signs/Sign_1/Signature.xml"
		value1    = "Doc_0/Signs/Sign_1/SignedValue.dat"
		font      = "Doc_0/Res/font_0.ttf"
	)
	resigned := func(p *pack) {
		value, err := l.base.SignMessage(l.base.SM3(p.get(describe1).data))
		if err != nil {
			p.err = err
		}
		p.get(value1).data = value
	}
	l.on("Closed", "O-14/twin-signed-again", "none: the digital signature made again, by the signer", Passed, "", func(p *pack) {
		p.edit(describe1, "<ofd:SignedInfo>", "<ofd:SignedInfo> ")
		resigned(p)
	})
	l.on("Closed", "O-14/sign-shows-a-seal", "a digital signature that shows the picture of a seal, by the signer", Passed, "unsealed", func(p *pack) {
		stamp := string(p.get(describe0).data)
		i := strings.Index(stamp, "<ofd:StampAnnot ")
		stamp = stamp[i : i+strings.Index(stamp[i:], "/>")+2]
		p.edit(describe1, "</ofd:SignedInfo>", stamp+"<ofd:Seal><ofd:BaseLoc>/"+seal0+"</ofd:BaseLoc></ofd:Seal></ofd:SignedInfo>")
		resigned(p)
	})
	without := func(p *pack) {
		l.dropReference(p, font)
		p.remove(font)
		l.resign(p, l.base.Sign)
	}
	l.on("OFD", "O-05/twin-missing", "none: a font that is missing, by the signer", Passed, "missing_entry", without)
	for id, name := range sorted(map[string]string{"above": "Doc_0/font_0.ttf", "top": "font_0.ttf", "twice": "Doc_0/Res/Res/font_0.ttf", "case": "Doc_0/Fonts/FONT_0.TTF"}) {
		l.on("OFD", "O-05/elsewhere-"+id, "a font under the name of a missing one put into another folder: "+name, Failed, "uncovered", func(p *pack) {
			without(p)
			p.put(name, "another font")
		})
	}
	stated := func(id, mutation, warning, text string) {
		l.on("OFD", "T-05/ofd-"+id, mutation, Passed, warning, func(p *pack) {
			d := string(p.get(describe0).data)
			from, to := "<ofd:SignatureDateTime>", "</ofd:SignatureDateTime>"
			i := strings.Index(d, from)
			p.edit(describe0, d[i:i+strings.Index(d[i:], to)], from+text)
			l.resign(p, l.base.Sign)
		})
	}
	stated("twin-local", "none: the time beside the signature in local time, by the signer", "list_open", "2026-11-21 16:00:00")
	stated("years-before", "another time beside the signature, by the signer", "time_differs", "20200101000000Z")
	stated("no-time", "a text beside the signature that is no time, by the signer", "time_differs", "二〇二〇年一月一日")
}

// shownCases are the same for PDF: P-15 and T-05, and C-10 for a seal.
func (l pdfLab) shownCases() {
	shown := func(id, mutation, warning string, c crafted) {
		if l.err != nil {
			return
		}
		data, err := c.make(l.base)
		if err != nil {
			l.fail(id, err)
			return
		}
		l.emit(Case{ID: id, Mutation: mutation, File: "pdf", Twin: "PDF", Verdict: Passed, Warning: warning, Data: data}, l.base.PDF)
	}
	const at = "/P 4 0 R /Rect [300 200 419 319]"
	form := find(l.base.PDF, "/Subtype /Form")
	objects := carry(l.base.PDF, form)
	objects[30] = fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /F 132 /T (S30) %s /V 31 0 R /AP << /N %d 0 R >> >>", at, form)
	shown("P-15/no-seal", "a signature without a seal shows the picture of one, by the signer", "unsealed", crafted{field: 30, objects: objects})
	drawn := map[int]string{
		30: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /F 132 /T (S30) %s /V 31 0 R /AP << /N 40 0 R >> >>", at),
		40: stream("/Type /XObject /Subtype /Form /BBox [0 0 119 119]", "1 0 0 RG 9 w 10 10 99 99 re S"),
	}
	shown("P-15/no-seal-drawn", "a signature without a seal draws one in lines, by the signer", "unsealed", crafted{field: 30, objects: drawn})
	stamp := map[int]string{40: "<< /Type /Annot /Subtype /Stamp /Rect [300 200 419 319] >>"}
	shown("P-15/stamp-annotation", "a stamp that is an annotation under a signature without a seal", "unsealed", crafted{objects: stamp, annots: "40 0 R"})
	const sees = "<< /Type /Annot /Subtype /Widget /F 132 /P 4 0 R /Rect [300 200 419 319] /AP << /N 40 0 R >>"
	kid := map[int]string{
		30: "<< /FT /Sig /T (S30) /V 31 0 R /Kids [41 0 R] >>",
		40: drawn[40],
		41: sees + " /Parent 30 0 R >>",
	}
	shown("P-15/no-seal-kid", "a signature without a seal draws one in a widget below its field, by the signer", "unsealed",
		crafted{field: 30, objects: kid, annots: "41 0 R"})
	elsewhere := map[int]string{
		2:  "<< /Type /Pages /Kids [4 0 R 42 0 R] /Count 2 /MediaBox [0 0 595 841] >>",
		30: strings.Replace(drawn[30], "/P 4 0 R", "/P 42 0 R", 1),
		40: drawn[40],
		42: "<< /Type /Page /Parent 2 0 R /MediaBox [900 900 999 999] /Resources << >> >>",
	}
	shown("P-15/no-seal-other-page", "a signature without a seal draws one, and names a page that does not show it, by the signer", "unsealed",
		crafted{field: 30, objects: elsewhere})
	shown("T-05/pdf-by-reference", "the signature dictionary states another time in an object of its own, by the signer", "time_differs",
		crafted{sig: "/M 40 0 R", objects: map[int]string{40: "(D:20200101000000Z)"}})
	shown("T-05/pdf-far-zone", "the signature dictionary states another time, in a zone that would explain it, by the signer", "time_differs",
		crafted{sig: "/M (D:20261124110000+75'00')"})
	shown("T-05/pdf-twin-stated", "none: the signature dictionary states the signed time", "", crafted{sig: "/M (D:20261121160000+08'00')"})
	shown("T-05/pdf-years-before", "the signature dictionary states another time, by the signer", "time_differs", crafted{sig: "/M (D:20200101000000Z)"})
	l.unboundSeal()
}

// carry is an object and all that it refers to, as they stand in a file.
func carry(data []byte, n int) map[int]string {
	out := map[int]string{}
	next := []int{n}
	for len(next) > 0 {
		n, next = next[0], next[1:]
		if out[n] != "" {
			continue
		}
		out[n] = object(data, n)
		head, _, _ := strings.Cut(out[n], "stream")
		for _, m := range regexp.MustCompile(`(\d+) 0 R`).FindAllStringSubmatch(head, -1) {
			if r, err := strconv.Atoi(m[1]); err == nil {
				next = append(next, r)
			}
		}
	}
	return out
}

// unboundSeal: a seal's signature that does not name its certificate by digest fits every certificate of the key.
func (l pdfLab) unboundSeal() {
	if l.err != nil {
		return
	}
	data := bytes.Clone(l.base.PDF)
	text := strings.TrimPrefix(last(data, "/Contents <3", ">"), "/Contents ")
	at := bytes.LastIndex(data, []byte(text))
	der, err := hex.DecodeString(strings.Trim(text, "<>"))
	if err != nil {
		l.fail("C-10/unbound-seal", err)
		return
	}
	n, err := parseDER(trimmed(der))
	if err != nil {
		l.fail("C-10/unbound-seal", err)
		return
	}
	if err := l.unbind(n); err != nil {
		l.fail("C-10/unbound-seal", err)
		return
	}
	value := hex.EncodeToString(n.der())
	copy(data[at+1:], value+strings.Repeat("0", len(text)-2-len(value)))
	l.emitAs("C-10/unbound-seal", "the seal's signature without signingCertificateV2, by the signer", Failed, "signed_attrs_incomplete", data)
}

// trimmed is the first DER value of some bytes, which zeros follow.
func trimmed(der []byte) []byte {
	const long = 0x82 // a length of two bytes
	if len(der) < 4 || der[1] != long {
		return der
	}
	return der[:min(len(der), 4+int(der[2])<<8+int(der[3]))]
}

// unbind takes signingCertificateV2 out of the signed attributes of a message, and has the signer sign them anew.
func (l *lab) unbind(n *node) error {
	list := attributes(n)
	var kept []*node
	for _, a := range list.kids {
		if !bytes.Equal(a.kids[0].body, signingCertificateV2) {
			kept = append(kept, a)
		}
	}
	if len(kept) == len(list.kids) {
		return fmt.Errorf("%w: no signingCertificateV2", ErrNothingChanged)
	}
	list.kids = kept
	set := list.clone()
	set.tag = tagSet
	value, err := l.base.Sign(set.der())
	n.at(inSigner...).kids[signerValue].body = value
	return err
}
