package office

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/document/fonts"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/directory"
)

// Offices is the directory as an administrator sees it.
type Offices interface {
	Directory
	// Admit refuses, as directory.ErrConflict, a code or a name that another office has.
	Admit(ctx context.Context, o directory.Organisation) error
	Organisations(ctx context.Context, after string, limit int) ([]directory.Organisation, error)
	SaveOrganisation(ctx context.Context, o directory.Organisation) error
}

// Registrar brings offices, their keys and their seals into being. It holds handles of the CA and of the seal maker,
// never their keys.
type Registrar struct {
	// Keys and Admin are one store.
	Keys  keys.Provider
	Admin keys.Admin
	// CA issues the dual certificates; Chain leads from the CA's own certificate to the root, the CA's first.
	CA    *cert.Authority
	Chain []*cert.Certificate
	// Maker signs seals (制章) under MakerCert.
	Maker     crypto.Signer
	MakerCert *cert.Certificate
	Offices   Offices
	// Reserved are codes that the hub itself goes by: no office has one of them in other letters.
	Reserved []string
	Accounts Accounts
	Seals    seal.Registry
	Requests seal.Requests
	// Policy is whom this registrar trusts when it judges seals that were made elsewhere.
	Policy cert.Policy
	// Ranks are the sizes of round seals by rank; nil takes the table that is built in.
	Ranks picture.Ranks
	Faces *fonts.Set
	Audit Auditor
	Clock func() time.Time
	Rand  io.Reader
	NewID func() string
}

// Accounts finds people.
type Accounts interface {
	// Account returns an account by id; directory.ErrNotFound when there is none.
	Account(ctx context.Context, id string) (directory.Account, error)
}

// Establish registers an office whose keys this store keeps: it makes the office's keys, has them certified (signing and
// encryption apart, GB/T 20518) and enters the office in the directory. An interrupted call can be repeated; an office
// that is in the directory already is directory.ErrConflict.
func (r *Registrar) Establish(ctx context.Context, who Person, o directory.Organisation) (directory.Organisation, error) {
	o.Status = directory.Active
	if err := o.Validate(); err != nil {
		return o, fmt.Errorf("establish office: %w", err)
	}
	if err := keys.CheckName(keyName(o.Code, useSign)); err != nil {
		return o, fmt.Errorf("establish office: %w: %w", ErrRequest, err)
	}
	if err := r.note(ctx, who, "organisation.establish", o.Code); err != nil {
		return o, err
	}
	if err := r.admit(ctx, o); err != nil {
		return o, fmt.Errorf("establish office %s: %w", o.Code, err)
	}
	if err := r.createKeys(ctx, o.Code); err != nil {
		return o, fmt.Errorf("establish office %s: %w", o.Code, err)
	}
	signing, err := r.certify(ctx, o, useSign, r.CA.IssueSigning)
	if err != nil {
		return o, fmt.Errorf("establish office %s: %w", o.Code, err)
	}
	encryption, err := r.certify(ctx, o, useDecrypt, r.CA.IssueEncryption)
	if err != nil {
		return o, fmt.Errorf("establish office %s: %w", o.Code, err)
	}
	o.SigningCert, o.EncryptionCert = r.withChain(signing), r.withChain(encryption)
	if err := r.Offices.SaveOrganisation(ctx, o); err != nil {
		return o, fmt.Errorf("establish office %s: %w", o.Code, err)
	}
	return o, nil
}

// createKeys makes those keys of the office that are not there yet. One that is there was made for the office, or is refused.
func (r *Registrar) createKeys(ctx context.Context, office string) error {
	wanted := []keys.CreateOptions{
		{Name: keyName(office, useSign), Purpose: keys.PurposeSign},
		{Name: keyName(office, useDecrypt), Purpose: keys.PurposeDecrypt},
		{Name: keyName(office, useDrafts), Purpose: keys.PurposeWrap},
	}
	missing := wanted[:0]
	for _, w := range wanted {
		info, err := r.Keys.Public(ctx, keys.Ref{Name: w.Name})
		if errors.Is(err, keys.ErrNotFound) {
			w.Labels = map[string]string{labelOffice: office}
			missing = append(missing, w)
			continue
		}
		if err == nil {
			err = r.checkOwner(ctx, office, w.Name, info.Certificates)
		}
		if err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err := r.Admin.Create(ctx, missing...)
	return err
}

// certify has the newest version of an office's key certified and stores the chain with it.
func (r *Registrar) certify(
	ctx context.Context, o directory.Organisation, use string,
	issue func(subject pkix.Name, pub *ecdsa.PublicKey, opts cert.IssueOptions) (*cert.Certificate, error),
) (*cert.Certificate, error) {
	return r.certifyVersion(ctx, o, keys.Ref{Name: keyName(o.Code, use)}, issue)
}

// certifyVersion is certify for one version of a key; 0 is the newest.
func (r *Registrar) certifyVersion(
	ctx context.Context, o directory.Organisation, ref keys.Ref,
	issue func(subject pkix.Name, pub *ecdsa.PublicKey, opts cert.IssueOptions) (*cert.Certificate, error),
) (*cert.Certificate, error) {
	req, err := r.request(ctx, o, ref)
	if err != nil {
		return nil, err
	}
	c, err := issue(req.subject, req.pub, cert.IssueOptions{})
	if err != nil {
		return nil, err
	}
	chain := [][]byte{c.Raw}
	for _, up := range r.Chain {
		chain = append(chain, up.Raw)
	}
	if _, err := r.Admin.ImportCertificate(ctx, ref, chain); err != nil {
		return nil, err
	}
	return c, nil
}

// keyRequest is what the CA needs to know of a key.
type keyRequest struct {
	subject pkix.Name
	pub     *ecdsa.PublicKey
}

// request states subject and key. A signing key proves possession by a PKCS#10 request; a decryption key cannot sign, its
// public part is taken from the store itself.
func (r *Registrar) request(ctx context.Context, o directory.Organisation, ref keys.Ref) (keyRequest, error) {
	info, err := r.Keys.Public(ctx, ref)
	if err != nil {
		return keyRequest{}, err
	}
	subject := r.subject(o)
	if !info.Purpose.Signs() {
		return keyRequest{subject, info.Public}, nil
	}
	der, err := r.Admin.Request(ctx, info.Ref, subject)
	if err != nil {
		return keyRequest{}, err
	}
	req, err := cert.ParseRequest(der)
	if err != nil {
		return keyRequest{}, err
	}
	return keyRequest{subject, req.PublicKey}, nil
}

// withChain gives a certificate in PEM with its issuers after it.
func (r *Registrar) withChain(c *cert.Certificate) []byte {
	out := c.PEM()
	for _, up := range r.Chain {
		out = append(out, up.PEM()...)
	}
	return out
}

// SealRequest describes an organisation's round seal to be made.
type SealRequest struct {
	Office string
	// Name stands on the arc and is the seal's name; BottomLine under the star, for instance 公文专用章; Number along the
	// inside.
	Name, BottomLine, Number string
	// Diameter in mm.
	Diameter float64
	// Keeper is the account that keeps the seal.
	Keeper string
	// Term is from when to when it is to be in force.
	Term seal.Term
}

// MakeSeal makes the office's seal key where there is none, has it certified, draws the seal, has the maker sign it and
// registers it as active.
func (r *Registrar) MakeSeal(ctx context.Context, who Person, q SealRequest) (seal.Record, error) {
	if err := r.note(ctx, who, "seal.make", q.Office); err != nil {
		return seal.Record{}, err
	}
	o, err := r.Offices.Organisation(ctx, q.Office)
	if err != nil {
		return seal.Record{}, fmt.Errorf("make seal of %s: %w", q.Office, err)
	}
	_, err = r.Keys.Public(ctx, keys.Ref{Name: keyName(o.Code, useSign)})
	if errors.Is(err, keys.ErrNotFound) { // a seal key here would be one that the office does not hold
		return seal.Record{}, fmt.Errorf("make seal of %s: %w", q.Office, ErrNotHosted)
	}
	if err != nil {
		return seal.Record{}, fmt.Errorf("make seal of %s: %w", q.Office, err)
	}
	signer, err := r.sealCertificate(ctx, o)
	if err != nil {
		return seal.Record{}, fmt.Errorf("make seal of %s: %w", q.Office, err)
	}
	if q.Term, err = q.Term.Within(r.Clock(), signer, r.MakerCert); err != nil {
		return seal.Record{}, fmt.Errorf("make seal of %s: %w", q.Office, err)
	}
	rec, err := r.make(q, signer)
	if err != nil {
		return seal.Record{}, fmt.Errorf("make seal of %s: %w", q.Office, err)
	}
	rec, err = rec.Append(seal.Change{To: seal.Active, At: r.Clock().UTC().Truncate(time.Second), By: who.Account, Reason: "registered"})
	if err != nil {
		return seal.Record{}, fmt.Errorf("make seal of %s: %w", q.Office, err)
	}
	if err := r.Seals.AddSeal(ctx, rec); err != nil {
		return seal.Record{}, fmt.Errorf("register seal of %s: %w", q.Office, err)
	}
	return rec, nil
}

// sealCertificate returns the certificate of the office's seal key, made and certified if need be.
func (r *Registrar) sealCertificate(ctx context.Context, o directory.Organisation) (*cert.Certificate, error) {
	name := keyName(o.Code, useSeal)
	info, err := r.Keys.Public(ctx, keys.Ref{Name: name})
	if errors.Is(err, keys.ErrNotFound) {
		_, err = r.Admin.Create(ctx, keys.CreateOptions{
			Name: name, Purpose: keys.PurposeSeal, Labels: map[string]string{labelOffice: o.Code},
		})
	} else if err == nil {
		err = r.checkOwner(ctx, o.Code, name, info.Certificates)
	}
	if err != nil {
		return nil, err
	}
	if len(info.Certificates) > 0 {
		return cert.Parse(info.Certificates[0])
	}
	return r.certify(ctx, o, useSeal, r.CA.IssueSigning)
}

func (r *Registrar) make(q SealRequest, signer *cert.Certificate) (seal.Record, error) {
	drawn, err := picture.Draw(picture.Organisation{Name: q.Name, BottomLine: q.BottomLine, Number: q.Number, Diameter: q.Diameter}, r.Faces)
	if err != nil {
		return seal.Record{}, err
	}
	png, err := drawn.PNG(300)
	if err != nil {
		return seal.Record{}, err
	}
	size := int(math.Round(drawn.Width))
	made, err := seal.Make(seal.MakeOptions{
		Maker: r.Maker, MakerCert: r.MakerCert, Signers: []*cert.Certificate{signer}, Name: q.Name,
		Picture: ses.Picture{Type: "png", Data: png, Width: size, Height: size},
		Created: r.Clock(), From: q.Term.From, To: q.Term.To, Rand: r.Rand,
	})
	if err != nil {
		return seal.Record{}, err
	}
	return seal.Record{
		ID: made.Info.SealID, Name: q.Name, Type: made.Info.Property.Type, Office: q.Office, Keeper: q.Keeper,
		Key: "store:" + keyName(q.Office, useSeal), ESL: made.Raw, SM3: gm.SM3(made.Raw),
		From: made.Info.Property.From, To: made.Info.Property.To,
	}, nil
}

// ChangeSeal suspends, resumes or voids a registered seal. Voiding is final.
func (r *Registrar) ChangeSeal(ctx context.Context, who Person, id string, to seal.Status, reason string) (seal.Record, error) {
	if err := r.note(ctx, who, "seal."+string(to), id); err != nil {
		return seal.Record{}, err
	}
	at := r.Clock().UTC().Truncate(time.Millisecond) // finer than sealing times: what was sealed before stays before
	if err := r.Seals.ChangeSeal(ctx, id, seal.Change{To: to, At: at, By: who.Account, Reason: reason}); err != nil {
		return seal.Record{}, fmt.Errorf("change seal %s: %w", id, err)
	}
	return r.Seals.Seal(ctx, id)
}

func (r *Registrar) note(ctx context.Context, who Person, action, object string) error {
	return record(ctx, r.Audit, who, r.Clock(), action, object)
}

// record writes an act to the audit; the act may be done only when it returns nil.
func record(ctx context.Context, a Auditor, who Person, at time.Time, action, object string) error {
	return recordOutcome(ctx, a, who, at, action, object, transport.Allowed)
}

func recordOutcome(ctx context.Context, a Auditor, who Person, at time.Time, action, object, outcome string) error {
	err := a.Record(ctx, transport.AuditRecord{
		At: at.UTC(), Account: who.Account, Org: who.Office, Action: action, Object: object, Outcome: outcome,
	})
	if err != nil {
		return fmt.Errorf("audit %s %s: %w", action, object, err)
	}
	return nil
}
