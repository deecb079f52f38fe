// Package seal makes electronic seals, holds the rules of their use, and judges them.
//
// It promises that a seal is only made from a maker's certificate and key that fit each other, that are not known to be for
// other things, and for signers whose certificates may sign; that sealing goes in two steps, so that an approval can name exactly the bytes that will be
// signed; and that the registry's rules (who may use a seal, whether it was in force at a time, which change of status
// is allowed) are pure code that every store shares.
//
// It knows no file format: seal/ofdseal and seal/pdfseal do. It stores nothing: see [Registry].
package seal

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal/ses"
)

// Vendor is the vid that seals made here carry.
const Vendor = "YINXIN"

// ErrMake is wrapped by every refusal to make a seal.
var ErrMake = errors.New("seal cannot be made")

// Stamp is one place where a seal shows.
type Stamp struct {
	// Page counts from 0.
	Page int `json:"page"`
	// X, Y is the top left corner of the picture in millimetres from the page's top left corner, y downwards; W, H its
	// size. A W or H of zero takes the size that the seal states.
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
	// Clip, if not nil, is the part of the picture that shows, relative to the picture's top left corner.
	Clip *Clip `json:"clip,omitempty"`
}

// Clip is a rectangle inside a stamp, in millimetres.
type Clip struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// Prepared is a document made ready for sealing: all its bytes are fixed but the signature.
type Prepared interface {
	// Digest is the SM3 of the bytes to be signed. An approval names it.
	Digest() [32]byte
	// Sign signs, and returns the sealed document after the strict verifier has read it back.
	Sign(random io.Reader, key crypto.Signer) ([]byte, error)
}

// MakeOptions say what seal to make. Maker, MakerCert, Signers, Name, Picture, From and To are required.
type MakeOptions struct {
	// Maker signs the seal; MakerCert is its certificate (制章者).
	Maker     crypto.Signer
	MakerCert *cert.Certificate
	// Signers may use the seal. DigestList writes their SM3 digests instead of the certificates.
	Signers    []*cert.Certificate
	DigestList bool
	// ID is the seal's identity, ASCII; empty draws 32 hex digits from Rand.
	ID string
	// Name is the name of the seal as its picture shows it; Type is ses.TypeOrganisation unless given.
	Name string
	Type int
	// Picture is what shows, with its size in whole millimetres.
	Picture ses.Picture
	// Created is when the seal is made; zero is From. From and To bound its use.
	Created, From, To time.Time
	// Version is that of the structure: ses.Version4 unless given, or ses.Version1 for systems that read no other.
	Version int
	// Rand is the source of randomness, for the identity and the signature.
	Rand io.Reader
}

// Make makes a seal. Its Raw bytes are the .esl file. Refusals wrap [ErrMake].
func Make(o MakeOptions) (*ses.Seal, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	id, err := o.identity()
	if err != nil {
		return nil, err
	}
	if o.Created.IsZero() {
		o.Created = o.From
	}
	if o.Type == 0 {
		o.Type = ses.TypeOrganisation
	}
	if o.Version == 0 {
		o.Version = ses.Version4
	}
	info := ses.SealInfo{
		Header: ses.Header{ID: "ES", Version: o.Version, Vendor: Vendor},
		SealID: id,
		Property: ses.Property{
			Type: o.Type, Name: o.Name, Created: o.Created, From: o.From, To: o.To,
		},
		Picture: o.Picture,
	}
	for _, c := range o.Signers {
		if o.DigestList {
			sum := c.SM3()
			info.Property.SignerCertDigests = append(info.Property.SignerCertDigests,
				ses.CertDigest{Type: gm.OIDSM3.String(), Value: sum[:]})
			continue
		}
		info.Property.SignerCerts = append(info.Property.SignerCerts, c.Raw)
	}
	raw, err := info.Marshal()
	if err != nil {
		return nil, fmt.Errorf("make seal %s: %w", o.Name, err)
	}
	input, err := ses.MakerInput(o.Version, raw, o.MakerCert.Raw, gm.OIDSM2WithSM3)
	if err != nil {
		return nil, fmt.Errorf("make seal %s: %w", o.Name, err)
	}
	value, err := gm.Sign(o.Rand, o.Maker, input)
	if err != nil {
		return nil, fmt.Errorf("make seal %s: sign: %w", o.Name, err)
	}
	if !gm.Verify(o.MakerCert.PublicKey, input, value) {
		return nil, fmt.Errorf("%w: the maker's own signature does not verify", ErrMake)
	}
	return ses.MarshalSeal(raw, o.MakerCert.Raw, value)
}

func (o MakeOptions) check() error {
	switch {
	case o.Maker == nil || o.MakerCert == nil:
		return fmt.Errorf("%w: no maker", ErrMake)
	case o.Version != 0 && o.Version != ses.Version4 && o.Version != ses.Version1:
		return fmt.Errorf("%w: version %d", ErrMake, o.Version)
	case o.Version == ses.Version1 && o.DigestList:
		return fmt.Errorf("%w: version 1 lists certificates, not their digests", ErrMake)
	case o.Name == "":
		return fmt.Errorf("%w: no name", ErrMake)
	case len(o.Signers) == 0 || len(o.Signers) > ses.MaxSigners:
		return fmt.Errorf("%w: %d signers", ErrMake, len(o.Signers))
	case len(o.Picture.Data) == 0 || o.Picture.Width <= 0 || o.Picture.Height <= 0:
		return fmt.Errorf("%w: no picture, or a picture without a size", ErrMake)
	case !o.From.Before(o.To):
		return fmt.Errorf("%w: valid from %s to %s", ErrMake, o.From.Format(time.DateOnly), o.To.Format(time.DateOnly))
	}
	if err := keyFits(o.Maker, o.MakerCert); err != nil {
		return fmt.Errorf("%w: maker: %w", ErrMake, err)
	}
	if err := o.MakerCert.CheckUse(cert.UseMake); err != nil {
		return fmt.Errorf("%w: maker: %w", ErrMake, err)
	}
	for _, c := range o.Signers {
		if err := c.CheckUse(cert.UseSign); err != nil {
			return fmt.Errorf("%w: %w", ErrMake, err)
		}
	}
	return nil
}

func (o MakeOptions) identity() (string, error) {
	if o.ID != "" {
		return o.ID, nil
	}
	var b [16]byte
	if o.Rand == nil {
		return "", fmt.Errorf("%w: neither an identity nor randomness to draw one", ErrMake)
	}
	if _, err := io.ReadFull(o.Rand, b[:]); err != nil {
		return "", fmt.Errorf("draw identity of seal %s: %w", o.Name, err)
	}
	return hex.EncodeToString(b[:]), nil
}

// ErrKeyMismatch means that a key and a certificate do not belong together.
var ErrKeyMismatch = errors.New("seal: key and certificate do not belong together")

// keyFits reports whether the key is the certificate's.
func keyFits(key crypto.Signer, c *cert.Certificate) error {
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || !c.PublicKey.Equal(pub) {
		return ErrKeyMismatch
	}
	return nil
}

// CheckSigner returns an error unless the key is the certificate's, the certificate may sign, and the seal lists it.
// Sealing asks it before anything is signed.
func CheckSigner(s *ses.Seal, key crypto.Signer, c *cert.Certificate) error {
	if err := keyFits(key, c); err != nil {
		return err
	}
	if err := c.CheckUse(cert.UseSign); err != nil {
		return err
	}
	if !s.Lists(c.Raw) {
		return fmt.Errorf("%w: %s is not in the list of seal %s", ErrNotListed, c.SubjectText(), s.Info.SealID)
	}
	return nil
}

// ErrNotListed means that the seal's list of signers does not hold the signer.
var ErrNotListed = errors.New("seal: signer not listed")
