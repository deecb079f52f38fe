package seal

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal/ses"
)

// RenewOptions say how to make a seal anew after the key or the certificate of its signers changed. All are required.
type RenewOptions struct {
	Maker     crypto.Signer
	MakerCert *cert.Certificate
	// Signers may use the renewed seal; those of the old one may not unless they are named again.
	Signers           []*cert.Certificate
	Created, From, To time.Time
	Rand              io.Reader
}

// Renew makes a seal that takes the place of old: the same name, type, picture, version and kind of list, a new identity,
// new signers and a new validity. Documents keep the seal that they bear. Refusals wrap [ErrMake].
func Renew(old *ses.Seal, o RenewOptions) (*ses.Seal, error) {
	p := old.Info.Property
	same := len(o.Signers) > 0
	for _, c := range o.Signers {
		same = same && p.SignerCerts != nil && slices.ContainsFunc(p.SignerCerts, func(der []byte) bool { return string(der) == string(c.Raw) })
	}
	if same && !o.To.After(p.To) {
		return nil, fmt.Errorf("%w: neither other signers nor a longer validity than seal %s has", ErrMake, old.Info.SealID)
	}
	version := old.Version
	if version == ses.Version5 {
		version = ses.Version4 // 5 is read and not written
	}
	made, err := Make(MakeOptions{
		Maker: o.Maker, MakerCert: o.MakerCert, Signers: o.Signers, DigestList: p.SignerCertDigests != nil,
		Name: p.Name, Type: p.Type, Picture: old.Info.Picture, Created: o.Created, From: o.From, To: o.To,
		Version: version, Rand: o.Rand,
	})
	if err != nil {
		return nil, fmt.Errorf("renew seal %s: %w", old.Info.SealID, err)
	}
	return made, nil
}

// Replacement says how a renewed seal enters the registry.
type Replacement struct {
	// Old is the identity of the seal to be replaced, Seal the renewed one.
	Old  string
	Seal *ses.Seal
	// Key names the signing key of the renewed seal; empty keeps the old one's.
	Key string
	// By is who renews, At when.
	By string
	At time.Time
}

// Replace registers a renewed seal as active and voids the one that it replaces; the histories name each other. A voided
// or unknown old seal is refused, with ErrTransition or ErrUnknownSeal. The two writes are not one: if the second fails
// both seals are active, and calling Replace again voids the old one.
func Replace(ctx context.Context, reg Registry, r Replacement) (Record, error) {
	old, err := reg.Seal(ctx, r.Old)
	if err != nil {
		return Record{}, fmt.Errorf("replace seal %s: %w", r.Old, err)
	}
	id := r.Seal.Info.SealID
	void := Change{To: Voided, At: r.At, By: r.By, Reason: "renewed as " + id}
	if _, err := old.Append(void); err != nil {
		return Record{}, fmt.Errorf("replace seal %s: %w", r.Old, err)
	}
	rec, err := reg.Seal(ctx, id)
	if errors.Is(err, ErrUnknownSeal) {
		rec, err = r.record(old)
		if err != nil {
			return Record{}, err
		}
		err = reg.AddSeal(ctx, rec)
	}
	if err != nil {
		return Record{}, fmt.Errorf("register renewed seal %s: %w", id, err)
	}
	if err := reg.ChangeSeal(ctx, r.Old, void); err != nil {
		return Record{}, fmt.Errorf("void seal %s, renewed as %s: %w", r.Old, id, err)
	}
	return rec, nil
}

// record is that of the renewed seal: office, name and keeper as before.
func (r Replacement) record(old Record) (Record, error) {
	p := r.Seal.Info.Property
	rec := Record{
		ID: r.Seal.Info.SealID, Name: p.Name, Type: p.Type, Office: old.Office, Keeper: old.Keeper, Key: r.Key,
		ESL: r.Seal.Raw, SM3: gm.SM3(r.Seal.Raw), From: p.From, To: p.To,
	}
	if rec.Key == "" {
		rec.Key = old.Key
	}
	// Sealing times are whole seconds: the renewed seal serves from the one that has begun.
	return rec.Append(Change{To: Active, At: r.At.Truncate(time.Second), By: r.By, Reason: "renews " + old.ID})
}
