package pdfseal

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/document/pdf"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// PrepareOptions say what to put on a document. SignerCert and Time are required.
type PrepareOptions struct {
	// Seal is the seal to apply; nil makes a digital signature that shows nowhere.
	Seal *ses.Seal
	// SignerCert is the certificate of the key that will sign; Chain are certificates to be put beside it.
	SignerCert *cert.Certificate
	Chain      []*cert.Certificate
	// Stamps is the one place where the seal shows; none without a seal. A Clip is not possible.
	Stamps []seal.Stamp
	// Time is the claimed time of signing.
	Time time.Time
	// Profile chooses the object identifiers of the signature value; the zero value is GB/T 35275.
	Profile cms.Profile
	// TimeStamp, if not nil, gets a time-stamp token over the SM3 of the signature value, to be embedded: a proof of time
	// that outlives the certificates.
	TimeStamp func(sum [32]byte) ([]byte, error)
}

// Prepared is a document ready for signing: every byte is fixed but those of the signature value.
type Prepared struct {
	data       []byte
	start, end int64 // of the hexadecimal text of /Contents, its angle brackets included
	digest     [32]byte
	options    PrepareOptions
}

var _ seal.Prepared = (*Prepared)(nil)

// Prepare appends the signature field with its appearance to the document. Nothing is signed yet. It refuses, with a
// *verdict.ContainerError, a file that the strict reader refuses or that [Lint] finds fault with; other refusals wrap
// [ErrStamp], [ErrPicture], [ErrSigner] or [ErrBroken].
func Prepare(document []byte, o PrepareOptions) (*Prepared, error) {
	f, err := pdf.Open(document)
	if err != nil {
		return nil, fmt.Errorf("prepare seal: %w", err)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := Lint(f); err != nil {
		return nil, fmt.Errorf("prepare seal: %w", err)
	}
	if err := checkEarlier(f, o.Time); err != nil {
		return nil, err
	}
	u, err := f.Update()
	if err != nil {
		return nil, fmt.Errorf("prepare seal: %w", err)
	}
	b := &build{file: f, view: f.Current(), update: u, options: o}
	if err := b.run(); err != nil {
		return nil, fmt.Errorf("prepare seal: %w", err)
	}
	out, at, err := u.Append()
	if err != nil {
		return nil, fmt.Errorf("prepare seal: %w", err)
	}
	p := &Prepared{data: out, options: o}
	return p, p.fix(b.signature, at[b.signature])
}

func (o PrepareOptions) check() error {
	switch {
	case o.SignerCert == nil || o.Time.IsZero():
		return fmt.Errorf("%w: certificate and time are needed", ErrSigner)
	case !o.SignerCert.ValidAt(o.Time):
		return fmt.Errorf("%w: the certificate of %s is not valid at %s", ErrSigner, o.SignerCert.SubjectText(),
			o.Time.UTC().Format(time.RFC3339))
	case o.Seal == nil && len(o.Stamps) != 0:
		return fmt.Errorf("%w: a place without a seal", ErrStamp)
	case o.Seal != nil && len(o.Stamps) != 1:
		return fmt.Errorf("%w: %d places, a signature field has one", ErrStamp, len(o.Stamps))
	case o.Seal != nil && o.Stamps[0].Clip != nil:
		return fmt.Errorf("%w: only whole seals show in a PDF", ErrStamp)
	}
	if err := o.SignerCert.CheckUse(cert.UseSign); err != nil {
		return fmt.Errorf("%w: %w", ErrSigner, err)
	}
	if o.Seal == nil {
		return nil
	}
	if !o.Seal.Lists(o.SignerCert.Raw) {
		return fmt.Errorf("%w: %w: %s", ErrSigner, seal.ErrNotListed, o.SignerCert.SubjectText())
	}
	if e := ses.Unknown(o.Seal.Info.Extensions); e != nil {
		return fmt.Errorf("%w: seal %s has the critical extension %s, which is not known here", seal.ErrNotInForce, o.Seal.Info.SealID, e.ID)
	}
	if p := o.Seal.Info.Property; o.Time.Before(p.From) || o.Time.After(p.To) {
		return fmt.Errorf("%w: seal %s", seal.ErrNotInForce, o.Seal.Info.SealID)
	}
	return nil
}

// structural are the checks that do not depend on whom a verifier trusts, or when it looks.
var structural = [...]verdict.CheckName{
	verdict.CheckSignature, verdict.CheckByteRange, verdict.CheckCoverage, verdict.CheckRevisions,
	verdict.CheckSignedAttributes, verdict.CheckDataHash, verdict.CheckSealMatch, verdict.CheckSealMaker,
	verdict.CheckSignerListed,
}

// faults lists the structural checks of a signature that did not pass, and time-stamps that do not hold.
func faults(s verdict.Signature) error {
	for _, c := range s.Checks {
		badToken := c.Name == verdict.CheckTimestamp && c.Status == verdict.Failed
		if c.Status != verdict.Passed && slices.Contains(structural[:], c.Name) || badToken {
			return fmt.Errorf("signature %s: %s: %s: %s", s.ID, c.Name, c.Reason, c.Detail)
		}
	}
	return nil
}

// checkEarlier refuses to add a signature to a document whose earlier ones are broken or forbid it.
func checkEarlier(f *pdf.File, now time.Time) error {
	entries, err := collect(f)
	if err != nil {
		return fmt.Errorf("prepare seal: %w", err)
	}
	judged := verifyOpened(f, entries, seal.VerifyOptions{Now: now}, len(f.Bytes()))
	for i, e := range entries {
		if err := faults(judged.Signatures[i]); err != nil {
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
		if c, err := certification(e); err != nil || c == 1 {
			return fmt.Errorf("%w: signature %s certifies that nothing follows", ErrBroken, judged.Signatures[i].ID)
		}
	}
	return nil
}

// build gathers the objects of the update.
type build struct {
	file      *pdf.File
	view      *pdf.View
	update    *pdf.Update
	options   PrepareOptions
	signature pdf.Ref
}

func (b *build) run() error {
	pages, err := b.view.Pages()
	if err != nil {
		return err
	}
	if len(pages) == 0 {
		return fmt.Errorf("%w: the document has no pages", ErrStamp)
	}
	_, names, err := fields(b.view)
	if err != nil {
		return err
	}
	page, kind := pages[0], "Signature"
	if b.options.Seal != nil {
		kind = "Seal"
		n := b.options.Stamps[0].Page
		if n < 0 || n >= len(pages) {
			return fmt.Errorf("%w: page %d of %d", ErrStamp, n+1, len(pages))
		}
		page = pages[n]
	}
	widget, err := b.widget(page)
	if err != nil {
		return err
	}
	widget["T"] = pdf.Text(freeName(kind, names))
	b.signature = b.signatureDict()
	widget["V"] = b.signature
	field := b.update.Add(widget)
	if err := b.addToPage(page, field); err != nil {
		return err
	}
	return b.addToForm(field)
}

// widget is the signature field merged with its one annotation (ISO 32000-1, 12.5.6.19 and 12.7.4.5).
func (b *build) widget(page pdf.Page) (pdf.Dict, error) {
	const printLocked = 4 | 128
	d := pdf.Dict{
		"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name("Sig"),
		"F": int64(printLocked), "P": page.Ref, "Rect": pdf.Array{int64(0), int64(0), int64(0), int64(0)},
	}
	if b.options.Seal == nil {
		return d, nil
	}
	st, picture := b.options.Stamps[0], b.options.Seal.Info.Picture
	if st.W == 0 || st.H == 0 {
		st.W, st.H = float64(picture.Width), float64(picture.Height)
	}
	w, h := page.Size()
	const slack = 0.01
	if st.W <= 0 || st.H <= 0 || st.X < 0 || st.Y < 0 || st.X+st.W > w+slack || st.Y+st.H > h+slack {
		return nil, fmt.Errorf("%w: %g × %g mm at %g, %g on a page of %.1f × %.1f mm", ErrStamp, st.W, st.H, st.X, st.Y, w, h)
	}
	rect := pdf.Array{}
	for _, x := range page.Rect(st.X, st.Y, st.W, st.H) {
		rect = append(rect, x)
	}
	d["Rect"] = rect
	form, err := appearance(b.options.Seal, page.Rotate)
	if err != nil {
		return nil, err
	}
	ref, err := place(b.update, form)
	if err != nil {
		return nil, err
	}
	d["AP"] = pdf.Dict{"N": ref}
	return d, nil
}

const (
	rangeField  = "[0 %-10d %-10d %-10d]"
	rangePrefix = "/ByteRange "
)

// signatureDict is the signature dictionary (ISO 32000-1, 12.8.1) with room for range and value.
func (b *build) signatureDict() pdf.Ref {
	o := b.options
	d := pdf.Dict{
		"Type": pdf.Name("Sig"), "Filter": pdf.Name("Adobe.PPKLite"), "SubFilter": SubFilter,
		"ByteRange": pdf.Verbatim(fmt.Sprintf(rangeField, 0, 0, 0)),
		"Contents":  pdf.Verbatim("<" + string(bytes.Repeat([]byte{'0'}, 2*ContentsSize)) + ">"),
		"M":         pdf.Text(o.Time.UTC().Format("D:20060102150405Z")),
		"Name":      pdf.UnicodeText(o.SignerCert.Subject.CommonName),
	}
	if o.Seal != nil {
		d[SealKey] = b.update.Add(&pdf.Stream{Dict: pdf.Dict{}, Raw: o.Seal.Raw})
	}
	return b.update.Add(d)
}

// addToPage puts the widget behind the page's annotations.
func (b *build) addToPage(page pdf.Page, field pdf.Ref) error {
	list, err := b.view.Array(page.Dict["Annots"])
	if err != nil {
		return err
	}
	list = append(slices.Clone(list), field)
	if ref, ok := page.Dict["Annots"].(pdf.Ref); ok {
		b.update.Set(ref, list)
		return nil
	}
	d := clone(page.Dict)
	d["Annots"] = list
	b.update.Set(page.Ref, d)
	return nil
}

// addToForm puts the field behind those of the form, and makes the form if there is none.
func (b *build) addToForm(field pdf.Ref) error {
	catalog, err := b.view.Catalog()
	if err != nil {
		return err
	}
	old, err := form(b.view)
	if err != nil {
		return err
	}
	list, err := b.view.Array(old["Fields"])
	if err != nil {
		return err
	}
	list = append(slices.Clone(list), field)
	d := clone(old)
	const signaturesExist, appendOnly = 1, 2
	d["SigFlags"] = int64(signaturesExist | appendOnly)
	if ref, ok := old["Fields"].(pdf.Ref); ok {
		b.update.Set(ref, list)
	} else {
		d["Fields"] = list
	}
	if ref, ok := catalog["AcroForm"].(pdf.Ref); ok {
		b.update.Set(ref, d)
		return nil
	}
	root, ok := b.view.Trailer()["Root"].(pdf.Ref)
	if !ok {
		return verdict.Refuse(verdict.Malformed, "trailer without /Root")
	}
	c := clone(catalog)
	if old == nil {
		c["AcroForm"] = b.update.Add(d)
	} else {
		c["AcroForm"] = d
	}
	b.update.Set(root, c)
	return nil
}

func clone(d pdf.Dict) pdf.Dict {
	out := pdf.Dict{}
	maps.Copy(out, d)
	return out
}

// fix reads the finished file to learn where the value stands, writes the range and computes the digest.
func (p *Prepared) fix(sig pdf.Ref, at int64) error {
	f, err := pdf.Open(p.data)
	if err != nil {
		return fmt.Errorf("prepare seal: %w", err)
	}
	o, err := f.Current().Get(sig)
	if err != nil {
		return fmt.Errorf("prepare seal: %w", err)
	}
	d, _ := o.(pdf.Dict)
	c, _ := d["Contents"].(pdf.String)
	where := bytes.Index(p.data[at:], []byte(rangePrefix))
	if c.Start < 0 || c.End-c.Start != 2*ContentsSize+2 || where < 0 {
		return fmt.Errorf("prepare seal: %w: the room for the value is not where it should be", ErrSelfCheck)
	}
	p.start, p.end = c.Start, c.End
	text := fmt.Sprintf(rangeField, p.start, p.end, int64(len(p.data))-p.end)
	copy(p.data[at+int64(where+len(rangePrefix)):], text)
	p.digest = gm.SM3(p.data[:p.start], p.data[p.end:])
	return nil
}

// Digest is the SM3 of the two stretches of the ByteRange: of the whole file but the signature value. The place, the
// picture, the seal and the claimed time are in it, so an approval that names it names all of them; anyone can compute
// it from the sealed file.
func (p *Prepared) Digest() [32]byte { return p.digest }

// Sign signs with the key of the certificate that was given to Prepare, puts the value in its place, and returns the
// file after [Verify] has read it back: every check of the new signature that does not need trust must pass, else the
// file is not released and the error wraps [ErrSelfCheck].
func (p *Prepared) Sign(random io.Reader, key crypto.Signer) ([]byte, error) {
	o := p.options
	if key == nil {
		return nil, fmt.Errorf("%w: no key", ErrSigner)
	}
	if err := o.SignerCert.MatchesKey(key.Public()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	der, err := cms.SignDetached(p.digest, cms.SignOptions{
		Signer: key, Certificate: o.SignerCert, Chain: o.Chain, Time: o.Time, Profile: o.Profile, Rand: random,
	})
	if err != nil {
		return nil, fmt.Errorf("seal pdf: %w", err)
	}
	if o.TimeStamp != nil {
		if der, err = cms.Stamp(der, o.TimeStamp); err != nil {
			return nil, fmt.Errorf("seal pdf: %w", err)
		}
	}
	if len(der) > ContentsSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(der))
	}
	out := slices.Clone(p.data)
	hex.Encode(out[p.start+1:], der)
	copy(out[p.start+1:], bytes.ToUpper(out[p.start+1:p.start+1+int64(2*len(der))]))
	if err := p.selfCheck(out); err != nil {
		return nil, err
	}
	return out, nil
}

func (p *Prepared) selfCheck(out []byte) error {
	file := Verify(out, seal.VerifyOptions{Now: p.options.Time})
	if file.Verdict == verdict.Rejected || len(file.Signatures) == 0 {
		return fmt.Errorf("%w: %s %s", ErrSelfCheck, file.Verdict, file.Reason)
	}
	var problems []error
	for _, s := range file.Signatures {
		problems = append(problems, faults(s))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	return nil
}
