// Package cert reads SM2 certificates (GB/T 20518), judges them, and runs the small built-in certificate authority.
//
// It promises that a certificate is trusted only through signatures that lead to a root which the caller gave, never
// because of a name, and that judging is bounded work; that the two halves of a dual certificate are kept apart; that
// every answer is a verdict.Check at a stated time; and that nothing is ever fetched: revocation lists and
// OCSP responses are handed in. The authority and the OCSP responder are meant for pilots and tests, not for a public CA.
// OCSP answers that name certificates by SHA-1 are not read; SM3 alone is.
package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/gm"
)

// Bounds on what is parsed, in bytes and certificates.
const (
	MaxSize     = 64 << 10
	MaxPEMSize  = 4 << 20
	MaxPEMCount = 1000
)

// PEM block types.
const (
	pemCertificate = "CERTIFICATE"
	pemRequest     = "CERTIFICATE REQUEST"
	pemCRL         = "X509 CRL"
)

// Errors of reading.
var (
	// ErrMalformed: not a certificate, request or list in DER, or one beyond the bounds.
	ErrMalformed = errors.New("cert: malformed")
	// ErrNotSM2: a certificate whose key or signature algorithm is not SM2 with the named curve.
	ErrNotSM2 = errors.New("cert: not an SM2 certificate")
	// ErrKeyUsage: the certificate may not be used for this.
	ErrKeyUsage = errors.New("cert: key usage does not allow this")
	// ErrName: a name that the built-in CA does not certify.
	ErrName = errors.New("cert: not a name to certify")
	// ErrKeyMismatch: the private key does not belong to the certificate.
	ErrKeyMismatch = errors.New("cert: private key does not belong to the certificate")
)

// spkiPrefix is the SubjectPublicKeyInfo of every SM2 key up to the point: id-ecPublicKey with the named curve. A key
// with spelled-out curve parameters, a compressed point or another curve does not begin so.
var spkiPrefix = []byte{
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00, 0x04,
}

// Certificate is a parsed SM2 certificate. Its fields are for reading.
type Certificate struct {
	// Raw is the whole DER; two certificates are the same if their Raw is.
	Raw []byte
	// RawSubject and RawIssuer are the names in DER.
	RawSubject, RawIssuer []byte
	Subject, Issuer       pkix.Name
	Serial                *big.Int
	// NotBefore and NotAfter bound the validity, both included, in UTC.
	NotBefore, NotAfter time.Time
	PublicKey           *ecdsa.PublicKey
	// IsCA is true only if a basicConstraints extension says so.
	IsCA bool

	x   *smx509.Certificate
	sum [32]byte
}

// Parse reads one certificate in DER, with nothing after it.
func Parse(der []byte) (*Certificate, error) {
	if len(der) > MaxSize {
		return nil, fmt.Errorf("%w: certificate of %d bytes", ErrMalformed, len(der))
	}
	if err := checkOutline(der); err != nil {
		return nil, err
	}
	x, err := smx509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: certificate: %w", ErrMalformed, err)
	}
	pub, ok := x.PublicKey.(*ecdsa.PublicKey)
	if !ok || !bytes.HasPrefix(x.RawSubjectPublicKeyInfo, spkiPrefix) || gm.CheckPublicKey(pub) != nil {
		return nil, fmt.Errorf("%w: public key", ErrNotSM2)
	}
	if x.SignatureAlgorithm != smx509.SM2WithSM3 {
		return nil, fmt.Errorf("%w: signature algorithm %s", ErrNotSM2, x.SignatureAlgorithm)
	}
	if x.SerialNumber == nil || x.SerialNumber.Sign() < 0 {
		return nil, fmt.Errorf("%w: negative serial number", ErrMalformed)
	}
	return &Certificate{
		Raw: bytes.Clone(x.Raw), RawSubject: x.RawSubject, RawIssuer: x.RawIssuer,
		Subject: x.Subject, Issuer: x.Issuer, Serial: x.SerialNumber,
		NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC(),
		PublicKey: pub, IsCA: x.BasicConstraintsValid && x.IsCA, x: x, sum: gm.SM3(x.Raw),
	}, nil
}

// ParsePEM reads every CERTIFICATE block of text, in order; other blocks are passed over. No certificate is an error.
func ParsePEM(text []byte) ([]*Certificate, error) {
	if len(text) > MaxPEMSize {
		return nil, fmt.Errorf("%w: PEM of %d bytes", ErrMalformed, len(text))
	}
	var out []*Certificate
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != pemCertificate {
			continue
		}
		if len(out) == MaxPEMCount {
			return nil, fmt.Errorf("%w: more than %d certificates", ErrMalformed, MaxPEMCount)
		}
		c, err := Parse(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no certificate in the PEM text", ErrMalformed)
	}
	return out, nil
}

// ParseAny reads a file of either form: one certificate in DER, or PEM with one or more.
func ParseAny(data []byte) ([]*Certificate, error) {
	if bytes.HasPrefix(data, []byte{0x30}) {
		c, err := Parse(data)
		if err != nil {
			return nil, err
		}
		return []*Certificate{c}, nil
	}
	return ParsePEM(data)
}

// PEM writes the certificate as one PEM block.
func (c *Certificate) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: c.Raw})
}

// SM3 is the digest of the whole certificate, its name wherever one must not be mistaken for another.
func (c *Certificate) SM3() [32]byte { return c.sum }

// Equal reports whether both are the same certificate, byte for byte.
func (c *Certificate) Equal(o *Certificate) bool { return o != nil && bytes.Equal(c.Raw, o.Raw) }

// SubjectText is the subject for people, most telling part first: "CN=…,O=…,C=CN". Control and formatting characters
// are replaced, so that a name cannot disturb a terminal or a page.
func (c *Certificate) SubjectText() string { return nameText(c.Subject) }

// IssuerText is SubjectText of the issuer.
func (c *Certificate) IssuerText() string { return nameText(c.Issuer) }

// SerialText is the serial number in lower-case hex.
func (c *Certificate) SerialText() string { return c.Serial.Text(16) }

func nameText(n pkix.Name) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return unicode.ReplacementChar
		}
		return r
	}, n.String())
}

// hidden: a character that is not shown, or that changes how others are.
func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// SubjectKeyID is the subject key identifier, nil if the certificate has none. It is a hint, never a proof.
func (c *Certificate) SubjectKeyID() []byte {
	if c.x == nil { // not parsed, but put together by a caller to name somebody
		return nil
	}
	return c.x.SubjectKeyId
}

// RevocationSources are the addresses of CRLs and OCSP services that the certificate names.
func (c *Certificate) RevocationSources() []string {
	return append(append([]string(nil), c.x.CRLDistributionPoints...), c.x.OCSPServer...)
}

// ValidAt reports whether t lies within the validity, ends included.
func (c *Certificate) ValidAt(t time.Time) bool {
	return !t.Before(c.NotBefore) && !t.After(c.NotAfter)
}

// MatchesKey returns ErrKeyMismatch unless pub is the certificate's key.
func (c *Certificate) MatchesKey(pub any) error {
	if !c.PublicKey.Equal(pub) {
		return fmt.Errorf("%w: %s", ErrKeyMismatch, c.SubjectText())
	}
	return nil
}

// hasExtension reports whether the certificate has the extension, and whether it is critical.
func (c *Certificate) hasExtension(oid asn1.ObjectIdentifier) (present, critical bool) {
	for _, e := range c.x.Extensions {
		if e.Id.Equal(oid) {
			return true, e.Critical
		}
	}
	return false, false
}
