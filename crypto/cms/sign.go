package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
)

// SignOptions are what a signature needs.
type SignOptions struct {
	// Signer is the handle of the key that belongs to Certificate, a signing certificate.
	Signer      crypto.Signer
	Certificate *cert.Certificate
	// Chain are certificates to be put beside the signer's, so that a verifier can build the chain.
	Chain []*cert.Certificate
	// Time is the claimed signing time; it must be set.
	Time time.Time
	// Profile chooses the object identifiers; the zero value is ProfileGBT.
	Profile Profile
	// ContentType names a content that is not plain data, such as the TSTInfo of a time-stamp; nil means data. The
	// message then has version 3 (RFC 5652 5.1).
	ContentType asn1.ObjectIdentifier
	// Use is what the certificate must be good for; zero means cert.UseSign.
	Use cert.Use
	// OmitCertificates leaves the certificates out of the message, for a reader who has them.
	OmitCertificates bool
	// Rand is handed to the signer; nil means crypto/rand.
	Rand io.Reader
}

// Sign makes a signed message with the content inside.
func Sign(content []byte, o SignOptions) ([]byte, error) {
	if len(content) > MaxSize/2 {
		return nil, fmt.Errorf("%w: content of %d bytes is to be signed detached", ErrOptions, len(content))
	}
	return sign(gm.SM3(content), content, true, o)
}

// SignDetached makes a signed message over a content that stays outside and whose SM3 is sum.
func SignDetached(sum [32]byte, o SignOptions) ([]byte, error) {
	return sign(sum, nil, false, o)
}

func sign(sum [32]byte, content []byte, attached bool, o SignOptions) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	set, err := o.attributes(sum)
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	value, err := gm.Sign(o.Rand, o.Signer, set)
	if err != nil {
		return nil, fmt.Errorf("sign message as %s: %w", o.Certificate.SubjectText(), err)
	}
	// A fault while signing can give the key away, so nothing leaves unchecked.
	if !gm.Verify(o.Certificate.PublicKey, set, value) {
		return nil, ErrSelfCheck
	}
	der, err := o.marshal(set, value, content, attached)
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	return der, nil
}

func (o SignOptions) check() error {
	switch {
	case o.Signer == nil || o.Certificate == nil:
		return fmt.Errorf("%w: signer and certificate are needed", ErrOptions)
	case o.Time.IsZero():
		return fmt.Errorf("%w: signing time is needed", ErrOptions)
	case len(o.Chain) >= MaxCertificates:
		return fmt.Errorf("%w: more than %d certificates", ErrOptions, MaxCertificates)
	}
	if err := o.Certificate.MatchesKey(o.Signer.Public()); err != nil {
		return err
	}
	return o.Certificate.CheckUse(o.use())
}

func (o SignOptions) use() cert.Use {
	if o.Use == 0 {
		return cert.UseSign
	}
	return o.Use
}

func (o SignOptions) contentType() asn1.ObjectIdentifier {
	if o.ContentType == nil {
		return o.Profile.data()
	}
	return o.ContentType
}

// version is 1 for data and 3 for any other content (RFC 5652 5.1).
func (o SignOptions) version() int64 {
	if isData(o.contentType()) {
		return 1
	}
	return 3
}

// attributes builds the DER SET OF signed attributes.
func (o SignOptions) attributes(sum [32]byte) ([]byte, error) {
	when, err := asn1.Marshal(o.Time.UTC().Truncate(time.Second))
	if err != nil {
		return nil, fmt.Errorf("signing time: %w", err)
	}
	certSum := o.Certificate.SM3()
	attrs := make([][]byte, 0, 4)
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value func(*cryptobyte.Builder)
	}{
		{oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(o.contentType()) }},
		{oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum[:]) }},
		{oidSigningTime, func(b *cryptobyte.Builder) { b.AddBytes(when) }},
		{oidSigningCertificateV2, func(b *cryptobyte.Builder) { addESS(b, certSum[:]) }},
	} {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(a.oid)
			b.AddASN1(cbasn1.SET, a.value)
		})
		der, err := b.Bytes()
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", a.oid, err)
		}
		attrs = append(attrs, der)
	}
	sortDER(attrs)
	return asSet(bytes.Join(attrs, nil)), nil
}

// addESS writes SigningCertificateV2 with one ESSCertIDv2 by SM3 (RFC 5035).
func addESS(b *cryptobyte.Builder, certSum []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addAlgorithm(b, gm.OIDSM3, nil)
				b.AddASN1OctetString(certSum)
			})
		})
	})
}

func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, params []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddBytes(params)
	})
}

// digestParams and signatureAlgorithm: GB/T 35275 messages in the field carry NULL, RFC ones nothing.
func (p Profile) digestParams() []byte {
	if p == ProfileRFC {
		return nil
	}
	return asn1.NullBytes
}

func (p Profile) signatureOID() asn1.ObjectIdentifier {
	if p == ProfileRFC {
		return gm.OIDSM2WithSM3
	}
	return gm.OIDSM2Signature
}

func addIdentity(b *cryptobyte.Builder, c *cert.Certificate) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(c.RawIssuer)
		b.AddASN1BigInt(c.Serial)
	})
}

// marshal writes ContentInfo around SignedData (GB/T 35275-2017 clause 8).
func (o SignOptions) marshal(set, value, content []byte, attached bool) ([]byte, error) {
	p := o.Profile
	return contentInfo(p.signed(), func(b *cryptobyte.Builder) {
		b.AddASN1Int64(o.version())
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addAlgorithm(b, gm.OIDSM3, p.digestParams()) })
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(o.contentType())
			if attached {
				b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
			}
		})
		if !o.OmitCertificates {
			b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(o.bag(), nil)) })
		}
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { o.addSignerInfo(b, set, value) })
		})
	})
}

func (o SignOptions) addSignerInfo(b *cryptobyte.Builder, set, value []byte) {
	b.AddASN1Int64(1)
	addIdentity(b, o.Certificate)
	addAlgorithm(b, gm.OIDSM3, o.Profile.digestParams())
	_, used, _, _ := header(set) // set was built here, so its header reads
	b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddBytes(set[used:]) })
	addAlgorithm(b, o.Profile.signatureOID(), o.Profile.digestParams())
	b.AddASN1OctetString(value)
}

// bag is the set of certificates to be written, each once, in DER order.
func (o SignOptions) bag() [][]byte {
	bag := [][]byte{o.Certificate.Raw}
	for _, c := range o.Chain {
		bag = append(bag, c.Raw)
	}
	sortDER(bag)
	return slices.CompactFunc(bag, bytes.Equal)
}

// contentInfo writes the outer layer around a SEQUENCE.
func contentInfo(oid asn1.ObjectIdentifier, body func(*cryptobyte.Builder)) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SEQUENCE, body) })
	})
	return b.Bytes()
}

// sortDER puts encodings in the order of a DER SET OF.
func sortDER(list [][]byte) { slices.SortFunc(list, bytes.Compare) }
