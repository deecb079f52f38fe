package attack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
)

// crafted is a signature in a PDF written by hand, as somebody with a good key and bad intent would. Where a field is
// empty the result is sound. Object 10 is the field, 11 the signature.
type crafted struct {
	base     []byte // [PlainPDF] if nil
	field    int    // 10 unless given
	sig      string // more keys of the signature dictionary
	objects  map[int]string
	fields   string // more fields before this one
	annots   string // more annotations before it
	gap      string // behind the value, left out by the range as well
	attached bool
	contents func(der []byte, width int) string
	ranges   func(start, end, size int) string
}

// width is the room for the value, angle brackets included.
const width = 8002

// make writes the file and signs it.
func (c crafted) make(b Base) ([]byte, error) {
	if c.base == nil {
		c.base = PlainPDF("hello")
	}
	if c.field == 0 {
		c.field = 10
	}
	hole := strings.Repeat("?", width)
	places := strings.Repeat("!", 60)
	objects := map[int]string{
		objCatalog: fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /AcroForm << /SigFlags 3 /Fields [%s %d 0 R] >> >>", c.fields, c.field),
		objPage: fmt.Sprintf("<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> /Annots [%s %d 0 R] >>",
			c.annots, c.field),
		c.field: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /F 132 /T (S%d) /P 4 0 R /Rect [0 0 0 0] /V %d 0 R >>", c.field, c.field+1),
		c.field + 1: fmt.Sprintf("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached %s /ByteRange %s /Contents %s%s >>",
			c.sig, places, hole, c.gap),
	}
	maps.Copy(objects, c.objects)
	t := trailer{root: objCatalog}
	if prev := startxref(c.base); prev > 0 {
		t.prev, t.size = prev, 60
	}
	out := update(c.base, objects, t)
	start := bytes.Index(out, []byte(hole))
	end := start + width + len(c.gap)
	text := fmt.Sprintf("[0 %d %d %d]", start, end, len(out)-end)
	if c.ranges != nil {
		text = c.ranges(start, end, len(out))
	}
	out = bytes.Replace(out, []byte(places), []byte(text+strings.Repeat(" ", len(places)-len(text))), 1)
	signed := append(bytes.Clone(out[:start]), out[end:]...)
	der, err := b.SignMessage(b.SM3(signed))
	if c.attached {
		der, err = b.AttachedMessage([]byte("another content"))
	}
	if err != nil {
		return nil, err
	}
	value := "<" + hex.EncodeToString(der) + strings.Repeat("0", width-2-2*len(der)) + ">"
	if c.contents != nil {
		value = c.contents(der, width)
	}
	copy(out[start:], value+strings.Repeat(" ", width-len(value)))
	return out, nil
}

// crafted makes a case out of a signature written by hand.
func (l pdfLab) crafted(id, mutation, verdict, reason string, c crafted) {
	if l.err != nil {
		return
	}
	data, err := c.make(l.base)
	if err != nil {
		l.fail(id, err)
		return
	}
	l.emitAs(id, mutation, verdict, reason, data)
}

// handwritten: P-05 to P-08, P-11, P-12, P-14.
func (l pdfLab) handwritten() {
	l.crafted("T-PDF/handwritten", "none: a signature written by hand, the twin of those below", Passed, "", crafted{})
	l.crafted("P-05/gap", "more than the value left out of the range", Failed, "gap_not_signature", crafted{gap: " /Junk (xxxxxxxxxxxxxxxxxxxxx)"})
	shifted := func(a, b, c, d int) func(start, end, size int) string {
		return func(start, end, size int) string {
			return fmt.Sprintf("[%d %d %d %d]", a, start-a+b, end+c, size-end-c+d)
		}
	}
	l.crafted("P-05/early", "the first range ends early", Failed, "gap_not_signature", crafted{ranges: shifted(0, -30, 0, 0)})
	l.crafted("P-05/late", "the second range begins late", Failed, "gap_not_signature", crafted{ranges: shifted(0, 0, 30, 0)})
	l.crafted("P-05/bracket", "a bracket of the value inside the range", Failed, "gap_not_signature", crafted{ranges: shifted(0, 1, 0, 0)})
	l.crafted("P-06/shorter", "room behind the value", Failed, "gap_not_signature", crafted{
		contents: func(der []byte, _ int) string { return "<" + hex.EncodeToString(der) + ">" },
	})
	l.crafted("P-06/inside", "white space inside the value", Failed, "gap_not_signature", crafted{
		contents: func(der []byte, w int) string {
			return "<" + hex.EncodeToString(der) + strings.Repeat(" ", w-2-2*len(der)) + ">"
		},
	})
	for id, filler := range sorted(map[string]string{"one-space": " ", "one-nul": "\x00", "one-newline": "\n"}) {
		l.crafted("P-06/"+id, "one white space inside the value, which leaves an odd number of digits", "failed", "gap_not_signature", crafted{
			contents: func(der []byte, w int) string {
				digits := hex.EncodeToString(der)
				return "<" + digits + "00" + filler + strings.Repeat("0", w-5-len(digits)) + ">"
			},
		})
	}
	l.crafted("P-06/literal", "a literal string", Failed, "gap_not_signature", crafted{contents: func(der []byte, _ int) string {
		text := string(der)
		for _, r := range []string{`\`, "(", ")", "\r"} {
			text = strings.ReplaceAll(text, r, fmt.Sprintf("\\%03o", r[0]))
		}
		return "(" + text + ")"
	}})
	l.crafted("P-07/head", "the header left out", Failed, "coverage", crafted{ranges: shifted(5, 0, 0, 0)})
	for _, less := range []int{1, 8, 100} {
		l.crafted(fmt.Sprintf("P-07/end-%d", less), "the last bytes left out", Failed, "coverage", crafted{ranges: shifted(0, 0, 0, -less)})
	}
	copied := "<< /Subtype /Widget /FT /Sig /T (Copy) /V 11 0 R /Rect [0 0 0 0] >>"
	l.crafted("P-08/two-fields", "one signature in two fields", Failed, "sig_dict_shared", crafted{
		objects: map[int]string{20: copied}, fields: "20 0 R",
	})
	l.crafted("P-08/two-signatures", "two signatures in one revision", Failed, "sig_dict_shared", crafted{fields: "20 0 R", objects: map[int]string{
		20: "<< /Subtype /Widget /FT /Sig /T (Twin) /V 21 0 R /Rect [0 0 0 0] >>",
		21: "<< /Type /Sig /SubFilter /adbe.pkcs7.detached /ByteRange [0 10 20 30] /Contents <30> >>",
	}})
	l.crafted("P-14/content-inside", "a message with a content of its own", Failed, "subfilter", crafted{attached: true})
	l.further()
}

// further: a second signature that does more than sign.
func (l pdfLab) further() {
	first, err := crafted{}.make(l.base)
	if err != nil {
		l.fail("P-11", err)
		return
	}
	second := func(change func(c *crafted)) crafted {
		c := crafted{base: first, field: 30, fields: "10 0 R", annots: "10 0 R"}
		c.objects = map[int]string{}
		change(&c)
		return c
	}
	// The page and the catalogue are written anew, with one reference more each: all that a signature needs.
	l.crafted("T-PDF/second", "none: a second signature", Passed, "", second(func(*crafted) {}))
	for id, change := range sorted(map[string]func(c *crafted){
		"content": func(c *crafted) { c.objects[objText] = stream("", "BT ET") },
		"font":    func(c *crafted) { c.objects[objFont] = "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>" },
		"annotation": func(c *crafted) {
			c.annots += " 40 0 R"
			c.objects[40] = "<< /Type /Annot /Subtype /Square /Rect [0 0 9 9] >>"
		},
		"fewer":         func(c *crafted) { c.annots = "" },
		"another-field": func(c *crafted) { c.fields += " 40 0 R"; c.objects[40] = "<< /FT /Tx /T (x) /V (y) >>" },
	}) {
		l.crafted("P-11/second-"+id, "a second signature that also changes the document: "+id, Failed, "modified_after_signing", second(change))
	}
	certify := func(p int) string {
		return fmt.Sprintf("/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>]", p)
	}
	l.crafted("P-12/second", "a certification after a signature", Failed, "certification_order", second(func(c *crafted) { c.sig = certify(2) }))
	for _, p := range []int{1, 2} {
		data, err := crafted{sig: certify(p)}.make(l.base)
		if err != nil {
			l.fail("P-12", err)
			return
		}
		l.emitAs(fmt.Sprintf("T-PDF/certified-%d", p), "none: a certified file", Passed, "", data)
		reason := map[int]string{1: "modified_after_signing", 2: "certification_order"}[p]
		c := second(func(c *crafted) { c.base, c.sig = data, certify(p) })
		if p == 1 {
			c.sig = ""
		}
		l.crafted(fmt.Sprintf("P-12/after-%d", p), "a signature or certification that the first forbids", Failed, reason, c)
	}
}
