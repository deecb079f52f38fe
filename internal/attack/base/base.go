// Package base makes the sound documents that the corpus of attacks is made from, with yinxin's own code and keys that are
// made on the spot.
package base

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"io"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/examples"
	"yinxin/internal/attack"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
)

// World is a small trust domain: a root, a maker of seals, a signer, somebody else, and the signer's seal.
type World struct {
	random        io.Reader
	Root          *cert.Certificate
	authority     *cert.Authority
	maker, signer party
	other, secret party
	seal          *ses.Seal
	picture       ses.Picture
	at            time.Time
}

type party struct {
	key    *gm.PrivateKey
	cert   *cert.Certificate
	random io.Reader
}

func (p party) sign(tbs []byte) ([]byte, error) { return gm.Sign(p.random, p.key, tbs) }

// New makes a world whose documents are sealed at the given time.
func New(at time.Time, random io.Reader) (*World, error) {
	w := &World{at: at.UTC().Truncate(time.Second), random: random}
	for _, step := range []func() error{w.makeRoot, w.makeParties, w.makeSeal} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("make the base of the corpus: %w", err)
		}
	}
	return w, nil
}

func (w *World) makeRoot() error {
	key, err := gm.GenerateKey(w.random)
	if err != nil {
		return err
	}
	clock := func() time.Time { return w.at.AddDate(0, -1, 0) }
	w.authority, err = cert.NewRoot(cert.Station{Signer: key, Now: clock}, cert.Subject("Attack Root", ""), cert.IssueOptions{})
	if err != nil {
		return err
	}
	w.Root = w.authority.Certificate
	return nil
}

func (w *World) makeParties() error {
	for _, p := range []struct {
		to    *party
		name  string
		issue func(*gm.PrivateKey) (*cert.Certificate, error)
	}{
		{&w.maker, "Maker", w.making},
		{&w.signer, "Signer", w.signing("Signer")},
		{&w.other, "Other", w.signing("Other")},
		{&w.secret, "Signer", func(k *gm.PrivateKey) (*cert.Certificate, error) {
			return w.authority.IssueEncryption(cert.Subject("Signer", "Test"), k.PublicKey(), cert.IssueOptions{})
		}},
	} {
		key, err := gm.GenerateKey(w.random)
		if err != nil {
			return err
		}
		c, err := p.issue(key)
		if err != nil {
			return err
		}
		*p.to = party{key, c, w.random}
	}
	return nil
}

func (w *World) signing(name string) func(*gm.PrivateKey) (*cert.Certificate, error) {
	return func(k *gm.PrivateKey) (*cert.Certificate, error) {
		return w.authority.IssueSigning(cert.Subject(name, "Test"), k.PublicKey(), cert.IssueOptions{})
	}
}

func (w *World) making(k *gm.PrivateKey) (*cert.Certificate, error) {
	return w.authority.IssueMaker(cert.Subject("Maker", "Test"), k.PublicKey(), cert.IssueOptions{})
}

func (w *World) makeSeal() error {
	drawn, err := picture.DrawSquare(picture.Square{Text: "试验之印", Side: 42}, fonts.Embedded())
	if err != nil {
		return err
	}
	png, err := drawn.PNG(96)
	if err != nil {
		return err
	}
	w.picture = ses.Picture{Type: "PNG", Data: png, Width: 42, Height: 42}
	w.seal, err = seal.Make(w.sealOptions(w.signer))
	return err
}

func (w *World) sealOptions(signer party) seal.MakeOptions {
	return seal.MakeOptions{
		Maker: w.maker.key, MakerCert: w.maker.cert, Signers: []*cert.Certificate{signer.cert}, Name: "试验之印", Picture: w.picture,
		From: w.at.AddDate(0, -1, 0), To: w.at.AddDate(1, 0, 0), Rand: w.random,
	}
}

// Base makes the documents.
func (w *World) Base() (attack.Base, error) {
	b := attack.Base{
		Sign: w.signer.sign, SignOther: w.other.sign, SignEncryption: w.secret.sign,
		OtherCert: w.other.cert.Raw, EncryptionCert: w.secret.cert.Raw,
		SM3: func(p []byte) [32]byte { return gm.SM3(p) },
	}
	for _, step := range []func(*attack.Base) error{w.stamps, w.packages, w.seals, w.pdfs, w.messages} {
		if err := step(&b); err != nil {
			return b, fmt.Errorf("make the base of the corpus: %w", err)
		}
	}
	return b, nil
}

// compose lays out an example with its attachment.
func compose(name string) ([]byte, error) {
	text, err := examples.Files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	d, err := document.Parse(text)
	if err != nil {
		return nil, err
	}
	pages, err := layout.Compose(d, fonts.Embedded())
	if err != nil {
		return nil, err
	}
	var attachments []ofd.Attachment
	for _, a := range d.Metadata.Attachments {
		if a.File != "" {
			data, err := examples.Files.ReadFile(a.File)
			if err != nil {
				return nil, err
			}
			attachments = append(attachments, ofd.Attachment{Name: a.File, Data: data})
		}
	}
	var out bytes.Buffer
	err = ofd.Write(&out, pages, d.Metadata, attachments)
	return out.Bytes(), err
}

// stamps makes the time-stamp authority.
func (w *World) stamps(b *attack.Base) error {
	key, err := gm.GenerateKey(w.random)
	if err != nil {
		return err
	}
	c, err := w.authority.IssueTimestamp(cert.Subject("TSA", "Test"), key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		return err
	}
	a, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: key, Certificate: c, Now: func() time.Time { return w.at }})
	if err != nil {
		return err
	}
	b.Stamp = func(sum [32]byte) ([]byte, error) {
		q, err := tsp.NewRequest(sum, nil, w.random)
		if err != nil {
			return nil, err
		}
		answer, err := a.Respond(q.Raw)
		if err != nil {
			return nil, err
		}
		r, err := tsp.ParseResponse(answer)
		if err != nil {
			return nil, err
		}
		return r.Token, nil
	}
	return nil
}

func (w *World) apply(in []byte, change func(o *ofdseal.PrepareOptions)) ([]byte, error) {
	o := ofdseal.PrepareOptions{
		Seal: w.seal, SignerCert: w.signer.cert, Time: w.at, Stamps: []seal.Stamp{{X: 110, Y: 200}},
	}
	change(&o)
	p, err := ofdseal.Prepare(in, o)
	if err != nil {
		return nil, err
	}
	return p.Sign(w.random, w.signer.key)
}

func (w *World) packages(b *attack.Base) error {
	notice, err := compose("notice.yaml")
	if err != nil {
		return err
	}
	letter, err := compose("letter.yaml")
	if err != nil {
		return err
	}
	pkg, err := ofd.Open(notice)
	if err != nil {
		return err
	}
	across, err := seal.Seam{Edge: seal.Right}.Stamps(ofdseal.PageSizes(pkg), seal.Size{W: 42, H: 42})
	if err != nil {
		return err
	}
	same := func(*ofdseal.PrepareOptions) {}
	for _, d := range []struct {
		to     *[]byte
		in     []byte
		change func(*ofdseal.PrepareOptions)
	}{
		{&b.OFD, notice, same},
		{&b.Other, letter, same},
		{&b.Seam, notice, func(o *ofdseal.PrepareOptions) { o.Stamps = across }},
	} {
		if *d.to, err = w.apply(d.in, d.change); err != nil {
			return err
		}
	}
	if b.Closed, err = w.apply(b.OFD, func(o *ofdseal.PrepareOptions) { o.Seal, o.Stamps, o.Lock = nil, nil, true }); err != nil {
		return err
	}
	rogue, err := New(w.at, w.random)
	if err != nil {
		return err
	}
	b.Rogue, err = rogue.apply(notice, same)
	return err
}

// seals are those that the signer could seal with, or should not.
func (w *World) seals(b *attack.Base) error {
	for _, s := range []struct {
		to     *[]byte
		signer party
		change func(*seal.MakeOptions)
	}{
		{&b.OtherSeal, w.signer, func(*seal.MakeOptions) {}},
		{&b.UnlistedSeal, w.other, func(*seal.MakeOptions) {}},
		{&b.EndedSeal, w.signer, func(o *seal.MakeOptions) { o.To = w.at.AddDate(0, 0, -1) }},
		{&b.FutureSeal, w.signer, func(o *seal.MakeOptions) { o.From = w.at.AddDate(0, 0, 1) }},
	} {
		o := w.sealOptions(s.signer)
		s.change(&o)
		made, err := seal.Make(o)
		if err != nil {
			return err
		}
		*s.to = made.Raw
	}
	info := w.seal.Info
	info.Property.SignerCerts = append(info.Property.SignerCerts, w.secret.cert.Raw)
	listed, err := info.Marshal()
	if err != nil {
		return err
	}
	info.Property = w.seal.Info.Property
	var extended [2][]byte
	for i := range extended {
		info.Extensions = []ses.Extension{{ID: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: i == 1, Value: []byte("?")}}
		if extended[i], err = info.Marshal(); err != nil {
			return err
		}
	}
	raw := w.seal.RawInfo
	otherWay, err := ses.MakerInput(ses.Version1, raw, w.maker.cert.Raw, gm.OIDSM2WithSM3)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		to        *[]byte
		raw, over []byte
		by, named party
	}{
		{&b.ForgedSeal, raw, raw, w.other, w.maker},
		{&b.OtherWaySeal, raw, otherWay, w.maker, w.maker},
		{&b.EncryptionSeal, listed, listed, w.maker, w.maker},
		{&b.ExtendedSeal, extended[0], extended[0], w.maker, w.maker},
		{&b.CriticalSeal, extended[1], extended[1], w.maker, w.maker},
		{&b.OfficeSeal, raw, raw, w.other, w.other},
	} {
		value, err := s.by.sign(s.over)
		if err != nil {
			return err
		}
		made, err := ses.MarshalSeal(s.raw, s.named.cert.Raw, value)
		if err != nil {
			return err
		}
		*s.to = made.Raw
	}
	return nil
}

func (w *World) pdfs(b *attack.Base) error {
	var err error
	if b.PDF, err = w.sealPDF(attack.PlainPDF("hello"), 110); err != nil {
		return err
	}
	b.PDFTwice, err = w.sealPDF(b.PDF, 30)
	return err
}

func (w *World) sealPDF(in []byte, x float64) ([]byte, error) {
	p, err := pdfseal.Prepare(in, pdfseal.PrepareOptions{
		Seal: w.seal, SignerCert: w.signer.cert, Time: w.at, Stamps: []seal.Stamp{{X: x, Y: 200}},
	})
	if err != nil {
		return nil, err
	}
	return p.Sign(w.random, w.signer.key)
}

// Seal seals a PDF file, or refuses to.
func (w *World) Seal(pdf []byte) ([]byte, error) { return w.sealPDF(pdf, 110) }

func (w *World) messages(b *attack.Base) error {
	b.Content = []byte("附件：设备清单\n")
	o := cms.SignOptions{Signer: w.signer.key, Certificate: w.signer.cert, Time: w.at, Rand: w.random}
	b.SignMessage = func(sum [32]byte) ([]byte, error) { return cms.SignDetached(sum, o) }
	b.AttachedMessage = func(content []byte) ([]byte, error) { return cms.Sign(content, o) }
	var err error
	if b.Message, err = b.SignMessage(gm.SM3(b.Content)); err != nil {
		return err
	}
	b.Attached, err = b.AttachedMessage(b.Content)
	return err
}
