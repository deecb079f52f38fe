package ses

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/gm"
)

// ErrMarshal is wrapped by every refusal to write a structure.
var ErrMarshal = errors.New("ses: value cannot be written")

// Marshal writes the DER of eSealInfo: what the maker signs.
func (i SealInfo) Marshal() ([]byte, error) {
	if err := i.check(); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, i.add)
	return finish(&b, "seal information")
}

// check refuses what would be written as something else than it says.
func (i SealInfo) check() error {
	p := i.Property
	if (p.SignerCerts == nil) == (p.SignerCertDigests == nil) {
		return fmt.Errorf("%w: a seal lists either certificates or digests", ErrMarshal)
	}
	if !utf8.ValidString(p.Name) || i.Header.ID != "ES" {
		return fmt.Errorf("%w: name or header", ErrMarshal)
	}
	if v := i.Header.Version; !isV1(v) && v != Version4 && v != Version5 {
		return fmt.Errorf("%w: version %d", ErrMarshal, v)
	}
	if !ascii(i.Header.Vendor) || !ascii(i.SealID) || !ascii(i.Picture.Type) {
		return fmt.Errorf("%w: vendor, seal id and picture type are ASCII", ErrMarshal)
	}
	if isV1(i.Header.Version) {
		return i.checkV1()
	}
	return nil
}

func (i SealInfo) add(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addText(b, cbasn1.IA5String, i.Header.ID)
		b.AddASN1Int64(int64(i.Header.Version))
		addText(b, cbasn1.IA5String, i.Header.Vendor)
	})
	addText(b, cbasn1.IA5String, i.SealID)
	if isV1(i.Header.Version) {
		b.AddASN1(cbasn1.SEQUENCE, i.Property.addV1)
	} else {
		b.AddASN1(cbasn1.SEQUENCE, i.Property.add)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addText(b, cbasn1.IA5String, i.Picture.Type)
		b.AddASN1OctetString(i.Picture.Data)
		b.AddASN1Int64(int64(i.Picture.Width))
		b.AddASN1Int64(int64(i.Picture.Height))
	})
	if i.Extensions != nil {
		addExtensions(b, i.Extensions)
	}
}

func (p Property) add(b *cryptobyte.Builder) {
	b.AddASN1Int64(int64(p.Type))
	addText(b, cbasn1.UTF8String, p.Name)
	listType := int64(1)
	if p.SignerCerts == nil {
		listType = 2
	}
	b.AddASN1Int64(listType)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, c := range p.SignerCerts {
			b.AddASN1OctetString(c)
		}
		for _, d := range p.SignerCertDigests {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addText(b, cbasn1.PrintableString, d.Type)
				b.AddASN1OctetString(d.Value)
			})
		}
	})
	addTime(b, p.Created)
	addTime(b, p.From)
	addTime(b, p.To)
}

// MarshalSeal writes a seal around the marshalled eSealInfo: the maker's certificate and signature, in the shape of the
// version that eSealInfo names. It returns the parsed seal, so that nothing leaves that the strict reader would not take
// back.
func MarshalSeal(rawInfo, makerCert, value []byte) (*Seal, error) {
	signed := func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(makerCert)
		b.AddASN1ObjectIdentifier(gm.OIDSM2WithSM3)
		b.AddASN1BitString(value)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(rawInfo)
		if shapeOf(rawInfo) == Version1 {
			b.AddASN1(cbasn1.SEQUENCE, signed)
			return
		}
		signed(b)
	})
	der, err := finish(&b, "seal")
	if err != nil {
		return nil, err
	}
	return ParseSeal(der)
}

// Marshal writes the DER of toSign: what the signer signs. The seal's own bytes are embedded as they are.
func (t ToBeSigned) Marshal() ([]byte, error) {
	if t.Seal == nil || len(t.Seal.Raw) == 0 || !ascii(t.PropertyInfo) || len(t.DataHash) == 0 {
		return nil, fmt.Errorf("%w: seal, data hash or property information", ErrMarshal)
	}
	var b cryptobyte.Builder
	if t.Version == Version1 {
		if len(t.SignerCert) == 0 || t.Extensions != nil {
			return nil, fmt.Errorf("%w: version 1 wants the signer's certificate and has no extensions", ErrMarshal)
		}
		b.AddASN1(cbasn1.SEQUENCE, t.addV1)
		return finish(&b, "data to be signed")
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(int64(t.Version))
		b.AddBytes(t.Seal.Raw)
		addTime(b, t.Time)
		b.AddASN1BitString(t.DataHash)
		addText(b, cbasn1.IA5String, t.PropertyInfo)
		if t.Extensions != nil {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				addExtensions(b, t.Extensions)
			})
		}
	})
	return finish(&b, "data to be signed")
}

// MarshalSignature writes a seal signature around the marshalled toSign. timeStamp may be nil, and is in version 1,
// which holds the certificate inside toSign. Like [MarshalSeal] it returns what the strict reader reads back.
func MarshalSignature(rawToSign, cert, value, timeStamp []byte) (*Signature, error) {
	v1 := tbsIsV1(rawToSign)
	if v1 && timeStamp != nil {
		return nil, fmt.Errorf("%w: version 1 has no place for a time-stamp", ErrMarshal)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(rawToSign)
		if v1 {
			b.AddASN1BitString(value)
			return
		}
		b.AddASN1OctetString(cert)
		b.AddASN1ObjectIdentifier(gm.OIDSM2WithSM3)
		b.AddASN1BitString(value)
		if timeStamp != nil {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1BitString(timeStamp)
			})
		}
	})
	der, err := finish(&b, "signature")
	if err != nil {
		return nil, err
	}
	return ParseSignature(der)
}

func addExtensions(b *cryptobyte.Builder, list []Extension) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(e.ID)
				b.AddASN1Boolean(e.Critical) // written even when false, against DER's DEFAULT rule: field practice
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}

func addText(b *cryptobyte.Builder, tag cbasn1.Tag, s string) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

// addTime writes whole seconds in UTC: YYYYMMDDHHMMSSZ.
func addTime(b *cryptobyte.Builder, t time.Time) {
	addText(b, cbasn1.GeneralizedTime, t.UTC().Format("20060102150405Z"))
}

func finish(b *cryptobyte.Builder, what string) ([]byte, error) {
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("marshal %s: %w", what, err)
	}
	return der, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] == 0 {
			return false
		}
	}
	return true
}
