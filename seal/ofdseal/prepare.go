package ofdseal

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
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
	// ErrTimeStamp: there is no place for a time-stamp in a seal of version 1.
	ErrTimeStamp = errors.New("ofdseal: no place for a time-stamp")
	// ErrManyDocuments: the package holds more than one document.
	ErrManyDocuments = errors.New("ofdseal: the package holds more than one document")
)

// PrepareOptions say how to seal or sign. SignerCert and Time are required; Seal and Stamps go together.
type PrepareOptions struct {
	// Seal is the seal to apply; nil makes a digital signature (Type="Sign", GB/T 35275) that shows nowhere. With Lock it
	// is the usual way to close a document after its last seal.
	Seal *ses.Seal
	// SignerCert is the certificate of the key that will sign; Chain are certificates to be put beside it, which a digital
	// signature alone has room for.
	SignerCert *cert.Certificate
	Chain      []*cert.Certificate
	Stamps     []seal.Stamp
	// Time is the sealing time that the signature states.
	Time time.Time
	// Lock covers the list of signatures too: no signature can follow.
	Lock bool
	// TimeStamp, if not nil, gets a time-stamp token over the SM3 of the signature value, to be embedded: a proof of time
	// that outlives the certificates. Digital signatures and seals of version 4 have a place for it.
	TimeStamp func(sum [32]byte) ([]byte, error)
}

// Prepared is an OFD document ready to be sealed: everything is fixed but the signature value.
type Prepared struct {
	pkg     *ofd.Package
	options PrepareOptions
	files   []ofd.File
	value   string
	// unchanged are the files that stay as they are.
	unchanged []string
	// sum is the SM3 of Signature.xml, tbs what a seal's signer signs about it.
	sum [32]byte
	tbs []byte
	id  string
}

var _ seal.Prepared = (*Prepared)(nil)

// Prepare lays out the sealing of an OFD document. It refuses a document that is locked, broken or untidy, a seal or a
// certificate that is not valid at the time, and a signer whom the seal does not list.
func Prepare(document []byte, o PrepareOptions) (*Prepared, error) {
	pkg, err := ofd.OpenBytes(document)
	if err != nil {
		return nil, fmt.Errorf("prepare sealing: %w", err)
	}
	return PreparePackage(pkg, o)
}

// PreparePackage is [Prepare] of an opened package, which may be larger than memory.
func PreparePackage(pkg *ofd.Package, o PrepareOptions) (*Prepared, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := pkg.Digest(); err != nil {
		return nil, fmt.Errorf("prepare sealing: %w", err)
	}
	if err := checkSealable(pkg, o); err != nil {
		return nil, err
	}
	var l *list // nil where no list exists yet
	if name := pkg.Bodies()[0].Signatures; name != "" {
		var err error
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
	case o.SignerCert == nil:
		return fmt.Errorf("%w: no signer", ErrNotInForce)
	case o.Seal != nil && len(o.Stamps) == 0:
		return fmt.Errorf("%w: none given", ErrStamp)
	case o.Seal == nil && len(o.Stamps) > 0:
		return fmt.Errorf("%w: a place without a seal", ErrStamp)
	case o.TimeStamp != nil && o.Seal != nil && o.Seal.Version == ses.Version1:
		return ErrTimeStamp
	}
	o.Time = o.Time.UTC().Truncate(time.Second)
	if !o.SignerCert.ValidAt(o.Time) {
		return fmt.Errorf("%w: certificate of %s", ErrNotInForce, o.SignerCert.SubjectText())
	}
	if err := o.SignerCert.CheckUse(cert.UseSign); err != nil {
		return err
	}
	if o.Seal == nil {
		return nil
	}
	if e := ses.Unknown(o.Seal.Info.Extensions); e != nil {
		return fmt.Errorf("%w: seal %s has the critical extension %s, which is not known here", ErrNotInForce, o.Seal.Info.SealID, e.ID)
	}
	p := o.Seal.Info.Property
	if o.Time.Before(p.From) || o.Time.After(p.To) {
		return fmt.Errorf("%w: seal %s is valid from %s to %s", ErrNotInForce, o.Seal.Info.SealID,
			p.From.Format(time.DateOnly), p.To.Format(time.DateOnly))
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
	p.files = append(p.files, ofd.File{Name: at.list, Data: listData})
	if p.options.Seal != nil {
		p.files = append(p.files, ofd.File{Name: at.folder + "/" + sealName, Data: p.options.Seal.Raw})
	}
	description := p.describe(at, stamps)
	p.files = append(p.files, ofd.File{Name: describe, Data: description})
	p.sum = gm.SM3(description)
	if p.options.Seal == nil {
		return nil
	}
	p.tbs, err = ses.ToBeSigned{
		Version: p.options.Seal.Version, Seal: p.options.Seal, Time: p.options.Time,
		DataHash: p.sum[:], PropertyInfo: "/" + describe, SignerCert: p.options.SignerCert.Raw,
	}.Marshal()
	return err
}

// Digest is the SM3 of what will be signed: of TBS_Sign for a seal, of Signature.xml for a digital signature.
func (p *Prepared) Digest() [32]byte {
	if p.options.Seal == nil {
		return p.sum
	}
	return gm.SM3(p.tbs)
}

// ID is the identifier that the new signature will have in the list.
func (p *Prepared) ID() string { return p.id }

// Stamps are the stamps with their sizes filled in.
func (p *Prepared) Stamps() []seal.Stamp { return p.options.Stamps }

// Sign signs with the signer's key and returns the sealed document, after the strict verifier has read it back.
func (p *Prepared) Sign(random io.Reader, key crypto.Signer) ([]byte, error) {
	value, err := p.signatureValue(random, key)
	if err != nil {
		return nil, fmt.Errorf("sign sealing: %w", err)
	}
	out, err := p.pkg.Replace(p.result(value)...)
	if err != nil {
		return nil, fmt.Errorf("sign sealing: %w", err)
	}
	pkg, err := ofd.OpenBytes(out)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	if err := p.selfCheck(pkg); err != nil {
		return nil, err
	}
	return out, nil
}

// File is where a sealed document is written, and read back from.
type File interface {
	io.Writer
	io.ReaderAt
}

// SignInto is [Prepared.Sign] of a document of any size: what stays as it is, is copied. After an error the file must be
// thrown away.
func (p *Prepared) SignInto(out File, random io.Reader, key crypto.Signer) error {
	value, err := p.signatureValue(random, key)
	if err != nil {
		return fmt.Errorf("sign sealing: %w", err)
	}
	written := &counting{w: out}
	if err := p.pkg.WriteWith(written, p.result(value)...); err != nil {
		return fmt.Errorf("sign sealing: %w", err)
	}
	pkg, err := ofd.OpenReader(out, written.n)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	return p.selfCheck(pkg)
}

// result are the files that the sealing puts in.
func (p *Prepared) result(value []byte) []ofd.File {
	return append(slices.Clip(p.files), ofd.File{Name: p.value, Data: value})
}

// counting counts what is written.
type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// signatureValue makes SignedValue.dat.
func (p *Prepared) signatureValue(random io.Reader, key crypto.Signer) ([]byte, error) {
	o := p.options
	if o.Seal == nil {
		der, err := cms.SignDetached(p.sum, cms.SignOptions{
			Signer: key, Certificate: o.SignerCert, Chain: o.Chain, Time: o.Time, Rand: random,
		})
		if err != nil || o.TimeStamp == nil {
			return der, err
		}
		return cms.Stamp(der, o.TimeStamp)
	}
	if err := seal.CheckSigner(o.Seal, key, o.SignerCert); err != nil {
		return nil, err
	}
	value, err := gm.Sign(random, key, p.tbs)
	if err != nil {
		return nil, err
	}
	var token []byte
	if o.TimeStamp != nil {
		if token, err = o.TimeStamp(gm.SM3(value)); err != nil {
			return nil, fmt.Errorf("time-stamp: %w", err)
		}
	}
	sig, err := ses.MarshalSignature(p.tbs, o.SignerCert.Raw, value, token)
	if err != nil {
		return nil, err
	}
	return sig.Raw, nil
}

// selfCheck judges the result as it was read back. Files that lie in it in the very bytes that were digested are not
// unpacked and digested twice. Without roots nothing can pass outright, so every check but those about trust must.
func (p *Prepared) selfCheck(pkg *ofd.Package) error {
	if err := pkg.TakeSums(p.pkg, p.unchanged...); err != nil {
		return fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	f, err := verify(pkg, seal.VerifyOptions{Now: p.options.Time})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSelfCheck, err)
	}
	if f.Verdict != verdict.Indeterminate || len(f.Signatures) == 0 {
		return fmt.Errorf("%w: %s %s", ErrSelfCheck, f.Verdict, f.Reason)
	}
	last := f.Signatures[len(f.Signatures)-1]
	if last.ID != p.id {
		return fmt.Errorf("%w: signature %s is not the last", ErrSelfCheck, p.id)
	}
	for _, c := range last.Checks {
		trust := c.Name == verdict.CheckCertificateChain || c.Name == verdict.CheckRevocation ||
			c.Name == verdict.CheckTimestamp && c.Status == verdict.Indeterminate
		if c.Status != verdict.Passed && !trust {
			return fmt.Errorf("%w: %s: %s", ErrSelfCheck, c.Name, c.Detail)
		}
	}
	return nil
}
