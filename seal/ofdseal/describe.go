package ofdseal

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/document/ofd"
	"yinxin/verdict"
)

// place is where a new signature goes.
type place struct {
	list, folder string
	ids          counterState
}

// counterState continues the numbering of signatures and stamps, in the style that the list already has.
type counterState struct {
	prefix      string
	width, last int
}

func (c *counterState) next() string {
	c.last++
	return fmt.Sprintf("%s%0*d", c.prefix, c.width, c.last)
}

func (c *counterState) seen(id string) {
	if prefix, n, width, ok := counter(id); ok {
		c.prefix, c.last = prefix, max(c.last, n)
		c.width = 1
		if prefix != "" {
			c.width = width
		}
	}
}

func (p *Prepared) findPlace(l *list) (place, error) {
	at := place{ids: counterState{width: 1}}
	base := signsFolder
	if f := folder(p.pkg.Bodies()[0].Root); f != "" && isPlain(f) {
		base = f + "/" + signsFolder
	}
	at.list = base + "/" + listName
	if l != nil {
		at.list, base = l.name, folder(l.name)
		for _, e := range l.entries {
			at.ids.seen(e.id)
		}
		at.ids.seen(l.maxSignID)
	}
	if !isPlain(base) {
		base = signsFolder
	}
	taken := map[string]bool{}
	for _, name := range p.pkg.Names() {
		taken[strings.ToLower(folder(name))] = true
	}
	for n := range maxSignatures {
		at.folder = strings.TrimPrefix(base+"/Sign_"+strconv.Itoa(n), "/")
		if !taken[strings.ToLower(at.folder)] {
			return at, nil
		}
	}
	return at, fmt.Errorf("%w: %d signatures", verdict.Refuse(verdict.Limit, "too many signatures"), maxSignatures)
}

// isPlain reports whether a folder can stand in XML and in the property information as it is.
func isPlain(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' || strings.ContainsRune(`<>&"'%`, r) {
			return false
		}
	}
	return true
}

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// listBytes is the list with the new signature in it.
func (p *Prepared) listBytes(l *list, at place, id, describe string) ([]byte, error) {
	kind := typeSeal
	if p.options.Seal == nil {
		kind = typeSign
	}
	line := func(prefix string) string {
		return "<" + prefix + `Signature ID="` + id + `" Type="` + kind + `" BaseLoc="/` + describe + `"/>`
	}
	maxID := fmt.Sprintf("%s%0*d", at.ids.prefix, at.ids.width, at.ids.last)
	if l == nil {
		return []byte(xmlHeader + `<ofd:Signatures xmlns:ofd="` + ofd.Namespace + `"><ofd:MaxSignId>` + maxID +
			`</ofd:MaxSignId>` + line("ofd:") + `</ofd:Signatures>`), nil
	}
	data, _ := p.pkg.Entry(l.name)
	prefix := tagPrefix(data[l.root.Start:], "Signatures")
	type edit struct {
		from, to int
		text     string
	}
	edits := []edit{{l.root.Tail, l.root.Tail, line(prefix)}}
	if all := l.root.All("Signature"); len(all) > 0 {
		end := all[len(all)-1].End
		edits[0].from, edits[0].to = end, end
	} else if l.root.Tail == l.root.Start || data[l.root.End-2] == '/' {
		return nil, fmt.Errorf("%w: /%s is an empty element", ErrBroken, l.name)
	}
	if m := l.root.Child("MaxSignId"); m != nil {
		e := edit{m.Start, m.End, "<" + prefix + "MaxSignId>" + maxID + "</" + prefix + "MaxSignId>"}
		if m.Start < edits[0].from {
			edits = append([]edit{e}, edits...)
		} else {
			edits = append(edits, e)
		}
	}
	var out bytes.Buffer
	pos := 0
	for _, e := range edits {
		out.Write(data[pos:e.from])
		out.WriteString(e.text)
		pos = e.to
	}
	out.Write(data[pos:])
	return out.Bytes(), nil
}

// tagPrefix reads the prefix, colon included, with which a start tag names the element.
func tagPrefix(tag []byte, name string) string {
	if i := bytes.Index(tag, []byte(name)); i > 0 {
		return string(tag[1:i])
	}
	return ""
}

// stampElements writes the StampAnnots and checks that each lies on a page.
func (p *Prepared) stampElements(ids *counterState) (string, error) {
	var b strings.Builder
	var annots []stampAnnot
	if p.options.Seal == nil {
		return "", nil
	}
	pages := p.pkg.Pages()
	picture := p.options.Seal.Info.Picture
	for i, s := range p.options.Stamps {
		if s.Page < 0 || s.Page >= len(pages) {
			return "", fmt.Errorf("%w: page %d of %d", ErrStamp, s.Page+1, len(pages))
		}
		if s.W == 0 {
			s.W = float64(picture.Width)
		}
		if s.H == 0 {
			s.H = float64(picture.Height)
		}
		p.options.Stamps[i] = s
		annot := stampAnnot{id: ids.next(), page: pages[s.Page].ID, boundary: ofd.Box{X: s.X, Y: s.Y, W: s.W, H: s.H}}
		if s.Clip != nil {
			annot.clip = &ofd.Box{X: s.Clip.X, Y: s.Clip.Y, W: s.Clip.W, H: s.Clip.H}
		}
		if s.W < 0 || s.H < 0 || !touches(annot, pages[s.Page].Size) {
			return "", fmt.Errorf("%w: at %s it lies outside of page %d", ErrStamp, boxText(annot.boundary), s.Page+1)
		}
		annots = append(annots, annot)
		b.WriteString(`<ofd:StampAnnot ID="` + annot.id + `" PageRef="` + escape(annot.page) +
			`" Boundary="` + boxText(annot.boundary) + `"`)
		if annot.clip != nil {
			b.WriteString(` Clip="` + boxText(*annot.clip) + `"`)
		}
		b.WriteString(`/>`)
	}
	var faults findings
	if judgeSeams(&faults, annots, pages, pagesByID(pages)); len(faults.checks) > 0 {
		return "", fmt.Errorf("%w: %s", ErrStamp, faults.checks[0].Detail)
	}
	return b.String(), nil
}

// boxText writes millimetres with at most three decimals.
func boxText(b ofd.Box) string {
	parts := make([]string, 0, 4)
	for _, v := range []float64{b.X, b.Y, b.W, b.H} {
		s := strconv.FormatFloat(v, 'f', 3, 64)
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
		if s == "-0" {
			s = "0"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer does not fail
	return b.String()
}

// describe writes Signature.xml: every file of the package as it will be, save the list (unless it locks), the
// description itself and the signature value.
func (p *Prepared) describe(at place, stamps string) []byte {
	changed := map[string][]byte{}
	for _, f := range p.files {
		changed[f.Name] = f.Data
	}
	var b bytes.Buffer
	b.WriteString(xmlHeader + `<ofd:Signature xmlns:ofd="` + ofd.Namespace + `"><ofd:SignedInfo>` +
		`<ofd:Provider ProviderName="yinxin" Company="yinxin" Version="1.0"/>` +
		`<ofd:SignatureMethod>` + gm.OIDSM2WithSM3.String() + `</ofd:SignatureMethod>` +
		`<ofd:SignatureDateTime>` + p.options.Time.Format("20060102150405Z") + `</ofd:SignatureDateTime>` +
		`<ofd:References CheckMethod="` + gm.OIDSM3.String() + `">`)
	reference := func(name string, sum [32]byte) {
		if name == at.list && !p.options.Lock {
			return
		}
		b.WriteString(`<ofd:Reference FileRef="/` + escape(name) + `"><ofd:CheckValue>` +
			base64.StdEncoding.EncodeToString(sum[:]) + `</ofd:CheckValue></ofd:Reference>`)
	}
	for _, name := range p.pkg.Names() {
		if data, ok := changed[name]; ok {
			reference(name, gm.SM3(data))
			continue
		}
		sum, _ := p.pkg.Sum(name) // all were digested
		p.unchanged = append(p.unchanged, name)
		reference(name, sum)
	}
	for _, f := range p.files {
		if !p.pkg.Has(f.Name) {
			reference(f.Name, gm.SM3(f.Data))
		}
	}
	b.WriteString(`</ofd:References>` + stamps)
	if p.options.Seal != nil {
		b.WriteString(`<ofd:Seal><ofd:BaseLoc>/` + at.folder + `/` + sealName + `</ofd:BaseLoc></ofd:Seal>`)
	}
	b.WriteString(`</ofd:SignedInfo><ofd:SignedValue>/` + p.value + `</ofd:SignedValue></ofd:Signature>`)
	return b.Bytes()
}
