package ofdseal

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// Errors of sealing. A document that cannot be opened gives the *verdict.ContainerError of ofd.Open.
var (
	// ErrLocked: a signature covers the list of signatures, so none may follow.
	ErrLocked = errors.New("ofdseal: the document is locked against further signatures")
	// ErrBroken: the document already bears a signature that does not hold.
	ErrBroken = errors.New("ofdseal: the document bears a signature that does not hold")
	// ErrLeftover: the package holds signature files that no list names, or stray entries.
	ErrLeftover = errors.New("ofdseal: the package holds entries that belong to nothing")
	// ErrIncomplete: a page of the document is missing.
	ErrIncomplete = errors.New("ofdseal: the document lacks a page that it names")
	// ErrStamp: a stamp cannot be placed.
	ErrStamp = errors.New("ofdseal: stamp cannot be placed")
	// ErrNotInForce: seal or certificate are not valid at the sealing time.
	ErrNotInForce = errors.New("ofdseal: seal or certificate not valid at the sealing time")
	// ErrSelfCheck: the sealed document did not pass the strict verifier and was not released.
	ErrSelfCheck = errors.New("ofdseal: the sealed document does not pass its own check")
	// ErrManyDocuments: the package holds more than one document.
	ErrManyDocuments = errors.New("ofdseal: the package holds more than one document")
)

// PrepareOptions say how to seal. All but Lock are required.
type PrepareOptions struct {
	Seal       *ses.Seal
	SignerCert *cert.Certificate
	Stamps     []seal.Stamp
	// Time is the sealing time that the signature states.
	Time time.Time
	// Lock covers the list of signatures too: no signature can follow.
	Lock bool
}

// Prepared is an OFD document ready to be sealed: everything is fixed but the signature value.
type Prepared struct {
	pkg     *ofd.Package
	options PrepareOptions
	files   []ofd.File
	value   string
	tbs     []byte
	id      string
}

var _ seal.Prepared = (*Prepared)(nil)

// Prepare lays out the sealing of an OFD document. It refuses a document that is locked, broken or untidy, a seal or a
// certificate that is not valid at the time, and a signer whom the seal does not list.
func Prepare(document []byte, o PrepareOptions) (*Prepared, error) {
	pkg, err := ofd.Open(document)
	if err != nil {
		return nil, fmt.Errorf("prepare sealing: %w", err)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := checkSealable(pkg, o); err != nil {
		return nil, err
	}
	var l *list // nil where no list exists yet
	if name := pkg.Bodies()[0].Signatures; name != "" {
		if l, err = openList(pkg, name); err != nil {
			return nil, err
		}
	}
	o.Stamps = slices.Clone(o.Stamps)
	p := &Prepared{pkg: pkg, options: o}
	if err := p.build(l); err != nil {
		return nil, err
	}
	return p, nil
}

func (o *PrepareOptions) check() error {
	switch {
	case o.Seal == nil || o.SignerCert == nil:
		return fmt.Errorf("%w: no seal or no signer", ErrNotInForce)
	case len(o.Stamps) == 0:
		return fmt.Errorf("%w: none given", ErrStamp)
	}
	o.Time = o.Time.UTC().Truncate(time.Second)
	p := o.Seal.Info.Property
	if o.Time.Before(p.From) || o.Time.After(p.To) {
		return fmt.Errorf("%w: seal %s is valid from %s to %s", ErrNotInForce, o.Seal.Info.SealID,
			p.From.Format(time.DateOnly), p.To.Format(time.DateOnly))
	}
	if !o.SignerCert.ValidAt(o.Time) {
		return fmt.Errorf("%w: certificate of %s", ErrNotInForce, o.SignerCert.SubjectText())
	}
	if err := o.SignerCert.CheckUse(cert.UseSign); err != nil {
		return err
	}
	if !o.Seal.Lists(o.SignerCert.Raw) {
		return fmt.Errorf("%w: %s is not in the list of seal %s", seal.ErrNotListed, o.SignerCert.SubjectText(), o.Seal.Info.SealID)
	}
	return nil
}

// checkSealable refuses documents that should not be sealed.
func checkSealable(pkg *ofd.Package, o PrepareOptions) error {
	if len(pkg.Bodies()) != 1 {
		return ErrManyDocuments
	}
	f := Verify(pkg, seal.VerifyOptions{Now: o.Time})
	if f.Verdict == verdict.Rejected || f.Verdict == verdict.Failed {
		return fmt.Errorf("%w: %s", ErrBroken, f.Reason)
	}
	for i, w := range f.Warnings {
		switch w {
		case verdict.OrphanEntry, verdict.UnlistedSignature, verdict.LeftoverSignature:
			return fmt.Errorf("%w: %s", ErrLeftover, f.WarningDetails[i])
		}
	}
	for _, n := range pkg.Graph() {
		if n.Missing && (n.Kind == ofd.KindPage || n.Kind == ofd.KindTemplate) {
			return fmt.Errorf("%w: /%s is missing", ErrIncomplete, n.Name)
		}
	}
	return nil
}

// openList reads the list of signatures to be continued; it refuses one that a signature covers.
func openList(pkg *ofd.Package, name string) (*list, error) {
	l, err := readList(pkg, name)
	if err != nil {
		return nil, err
	}
	for _, e := range l.entries {
		data, _ := pkg.Entry(e.describe)
		d, err := readDescription(e.describe, data)
		if err != nil {
			return nil, err
		}
		for _, r := range d.references.items {
			if r.file == name {
				return nil, fmt.Errorf("%w: signature %s covers /%s", ErrLocked, e.id, name)
			}
		}
	}
	return l, nil
}

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

// build follows the order of facts: the list named in OFD.xml, the seal, the list; then the digests, the description,
// and what is to be signed.
func (p *Prepared) build(l *list) error {
	at, err := p.findPlace(l)
	if err != nil {
		return err
	}
	p.id = at.ids.next()
	describe := at.folder + "/" + describeName
	p.value = at.folder + "/" + valueName
	stamps, err := p.stampElements(&at.ids)
	if err != nil {
		return err
	}
	if l == nil {
		root, err := p.pkg.NameSignatures(0, at.list)
		if err != nil {
			return fmt.Errorf("prepare sealing: %w", err)
		}
		p.files = append(p.files, ofd.File{Name: rootEntry, Data: root})
	}
	listData, err := p.listBytes(l, at, p.id, describe)
	if err != nil {
		return err
	}
	p.files = append(p.files, ofd.File{Name: at.list, Data: listData},
		ofd.File{Name: at.folder + "/" + sealName, Data: p.options.Seal.Raw})
	description := p.describe(at, stamps)
	p.files = append(p.files, ofd.File{Name: describe, Data: description})
	sum := gm.SM3(description)
	p.tbs, err = ses.ToBeSigned{
		Version: p.options.Seal.Version, Seal: p.options.Seal, Time: p.options.Time,
		DataHash: sum[:], PropertyInfo: "/" + describe, SignerCert: p.options.SignerCert.Raw,
	}.Marshal()
	return err
}

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// listBytes is the list with the new signature in it.
func (p *Prepared) listBytes(l *list, at place, id, describe string) ([]byte, error) {
	line := func(prefix string) string {
		return "<" + prefix + `Signature ID="` + id + `" Type="Seal" BaseLoc="/` + describe + `"/>`
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
		annot := stampAnnot{page: pages[s.Page].ID, boundary: ofd.Box{X: s.X, Y: s.Y, W: s.W, H: s.H}}
		if s.Clip != nil {
			annot.clip = &ofd.Box{X: s.Clip.X, Y: s.Clip.Y, W: s.Clip.W, H: s.Clip.H}
		}
		if s.W < 0 || s.H < 0 || !touches(annot, pages[s.Page].Size) {
			return "", fmt.Errorf("%w: at %s it lies outside of page %d", ErrStamp, boxText(annot.boundary), s.Page+1)
		}
		annots = append(annots, annot)
		b.WriteString(`<ofd:StampAnnot ID="` + ids.next() + `" PageRef="` + escape(annot.page) +
			`" Boundary="` + boxText(annot.boundary) + `"`)
		if annot.clip != nil {
			b.WriteString(` Clip="` + boxText(*annot.clip) + `"`)
		}
		b.WriteString(`/>`)
	}
	if faults := seamFaults(annots, pagesByID(pages)); len(faults) > 0 {
		return "", fmt.Errorf("%w: %s", ErrStamp, faults[0])
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
	reference := func(name string, data []byte) {
		if name == at.list && !p.options.Lock {
			return
		}
		sum := gm.SM3(data)
		b.WriteString(`<ofd:Reference FileRef="/` + escape(name) + `"><ofd:CheckValue>` +
			base64.StdEncoding.EncodeToString(sum[:]) + `</ofd:CheckValue></ofd:Reference>`)
	}
	for _, name := range p.pkg.Names() {
		data, ok := changed[name]
		if !ok {
			data, _ = p.pkg.Entry(name)
		}
		reference(name, data)
	}
	for _, f := range p.files {
		if _, exists := p.pkg.Entry(f.Name); !exists {
			reference(f.Name, f.Data)
		}
	}
	b.WriteString(`</ofd:References>` + stamps + `<ofd:Seal><ofd:BaseLoc>/` + at.folder + `/` + sealName +
		`</ofd:BaseLoc></ofd:Seal></ofd:SignedInfo><ofd:SignedValue>/` + p.value + `</ofd:SignedValue></ofd:Signature>`)
	return b.Bytes()
}

// Digest is the SM3 of what will be signed.
func (p *Prepared) Digest() [32]byte { return gm.SM3(p.tbs) }

// ID is the identifier that the new signature will have in the list.
func (p *Prepared) ID() string { return p.id }

// Stamps are the stamps with their sizes filled in.
func (p *Prepared) Stamps() []seal.Stamp { return p.options.Stamps }

// Sign signs with the signer's key and returns the sealed document, after the strict verifier has read it back.
func (p *Prepared) Sign(random io.Reader, key crypto.Signer) ([]byte, error) {
	if err := seal.CheckSigner(p.options.Seal, key, p.options.SignerCert); err != nil {
		return nil, fmt.Errorf("sign sealing: %w", err)
	}
	value, err := gm.Sign(random, key, p.tbs)
	if err != nil {
		return nil, fmt.Errorf("sign sealing: %w", err)
	}
	sig, err := ses.MarshalSignature(p.tbs, p.options.SignerCert.Raw, value, nil)
	if err != nil {
		return nil, fmt.Errorf("sign sealing: %w", err)
	}
	out, err := p.pkg.Replace(append(slices.Clip(p.files), ofd.File{Name: p.value, Data: sig.Raw})...)
	if err != nil {
		return nil, fmt.Errorf("sign sealing: %w", err)
	}
	if err := p.selfCheck(out); err != nil {
		return nil, err
	}
	return out, nil
}

// selfCheck reads the result back. Without roots nothing can pass outright, so every check but those about trust must.
func (p *Prepared) selfCheck(out []byte) error {
	f := VerifyFile(out, seal.VerifyOptions{Now: p.options.Time})
	if f.Verdict != verdict.Indeterminate || len(f.Signatures) == 0 {
		return fmt.Errorf("%w: %s %s", ErrSelfCheck, f.Verdict, f.Reason)
	}
	last := f.Signatures[len(f.Signatures)-1]
	if last.ID != p.id {
		return fmt.Errorf("%w: signature %s is not the last", ErrSelfCheck, p.id)
	}
	for _, c := range last.Checks {
		trust := c.Name == verdict.CheckCertificateChain || c.Name == verdict.CheckRevocation
		if c.Status != verdict.Passed && !trust {
			return fmt.Errorf("%w: %s: %s", ErrSelfCheck, c.Name, c.Detail)
		}
	}
	return nil
}
