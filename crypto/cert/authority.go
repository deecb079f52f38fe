package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/gm"
)

// Default lifetimes of what an Authority issues.
const (
	RootLifetime         = 20 * 365 * 24 * time.Hour
	IntermediateLifetime = 10 * 365 * 24 * time.Hour
	LeafLifetime         = 3 * 365 * 24 * time.Hour

	// backdate lets a certificate be used at once by a party whose clock is a little behind.
	backdate = 5 * time.Minute
	// serialSize keeps serial numbers unpredictable; some verifiers refuse less than 4 bytes.
	serialSize = 16
)

// timestampEKU is the extended key usage timeStamping, written critical and alone, as RFC 3161 wants it.
var timestampEKU = []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}

// Station is what an authority works with: the handle of its key (purpose issue), its clock and its randomness.
type Station struct {
	Signer crypto.Signer
	// Now is the clock; nil means the machine's, as in crypto/tls.
	Now func() time.Time
	// Rand is the source of serial numbers and nonces; nil means crypto/rand.
	Rand io.Reader
}

func (s Station) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC() //nolint:forbidigo // the documented meaning of a nil clock
	}
	return s.Now().UTC()
}

func (s Station) check() error {
	if s.Signer == nil {
		return errors.New("cert: an authority needs a signer")
	}
	return nil
}

func (s Station) rand() io.Reader {
	if s.Rand == nil {
		return rand.Reader
	}
	return s.Rand
}

// IssueOptions are what may differ between certificates. The zero value is good for most.
type IssueOptions struct {
	// NotBefore and NotAfter; zero: five minutes ago, and the default lifetime, cut to that of the issuer.
	NotBefore, NotAfter time.Time
	// CRLs and OCSP are addresses of revocation sources to be named in the certificate; by default none is.
	CRLs, OCSP []string
	// Permitted and Excluded bound the names that a CA may certify, for IssueIntermediate alone.
	Permitted, Excluded Names
}

// Names are name constraints (RFC 5280 4.2.1.10) by domain: of hosts, mail addresses and URIs. Constraints on directory
// names are not written.
type Names struct{ DNS, Email, URI []string }

// Empty reports whether there are none.
func (n Names) Empty() bool { return len(n.DNS)+len(n.Email)+len(n.URI) == 0 }

// Authority issues certificates with one CA key.
type Authority struct {
	// Certificate is the authority's own.
	Certificate *Certificate
	station     Station
}

// Subject makes a name with country CN; an empty organisation is left out.
func Subject(commonName, organisation string) pkix.Name {
	n := pkix.Name{Country: []string{"CN"}, CommonName: commonName}
	if organisation != "" {
		n.Organization = []string{organisation}
	}
	return n
}

// NewRoot makes a self-signed root and the authority over it.
func NewRoot(st Station, subject pkix.Name, o IssueOptions) (*Authority, error) {
	if err := st.check(); err != nil {
		return nil, err
	}
	pub, ok := st.Signer.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("make root: %w", ErrNotSM2)
	}
	t, err := st.template(subject, pub, o, RootLifetime)
	if err != nil {
		return nil, fmt.Errorf("make root: %w", err)
	}
	t.KeyUsage = issueBits
	t.BasicConstraintsValid, t.IsCA, t.MaxPathLen = true, true, 1
	c, err := st.create(t, t, pub)
	if err != nil {
		return nil, fmt.Errorf("make root: %w", err)
	}
	return &Authority{Certificate: c, station: st}, nil
}

// OpenAuthority is the authority over an existing CA certificate and its key.
func OpenAuthority(st Station, c *Certificate) (*Authority, error) {
	if err := st.check(); err != nil {
		return nil, err
	}
	if err := c.CheckUse(UseIssue); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	if err := c.MatchesKey(st.Signer.Public()); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	return &Authority{Certificate: c, station: st}, nil
}

// IssueIntermediate certifies a CA below this one, which may issue to parties and not to further CAs.
func (a *Authority) IssueIntermediate(subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions) (*Certificate, error) {
	return a.issue(subject, pub, o, IntermediateLifetime, func(t *smx509.Certificate) {
		t.KeyUsage = issueBits
		t.BasicConstraintsValid, t.IsCA, t.MaxPathLenZero = true, true, true
		t.PermittedDNSDomainsCritical = !o.Permitted.Empty() || !o.Excluded.Empty()
		t.PermittedDNSDomains, t.PermittedEmailAddresses, t.PermittedURIDomains = o.Permitted.DNS, o.Permitted.Email, o.Permitted.URI
		t.ExcludedDNSDomains, t.ExcludedEmailAddresses, t.ExcludedURIDomains = o.Excluded.DNS, o.Excluded.Email, o.Excluded.URI
	})
}

// IssueSigning certifies the signing half of a dual certificate (签名证书), also for the log, the archive and persons. Its
// extended key usage is documentSigning (RFC 9336): it signs and seals, and makes no seals.
func (a *Authority) IssueSigning(subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions) (*Certificate, error) {
	return a.issueSigner(subject, pub, o, oidDocumentSigning)
}

func (a *Authority) issueSigner(
	subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions, purpose asn1.ObjectIdentifier,
) (*Certificate, error) {
	return a.issue(subject, pub, o, LeafLifetime, func(t *smx509.Certificate) {
		t.KeyUsage, t.UnknownExtKeyUsage = signBits, []asn1.ObjectIdentifier{purpose}
	})
}

// IssueEncryption certifies the encryption half of a dual certificate (加密证书).
func (a *Authority) IssueEncryption(subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions) (*Certificate, error) {
	return a.issue(subject, pub, o, LeafLifetime, func(t *smx509.Certificate) { t.KeyUsage = encryptBits })
}

// IssueMaker certifies a seal maker (制章者): its extended key usage, which is yinxin's own, allows making seals and nothing
// else.
func (a *Authority) IssueMaker(subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions) (*Certificate, error) {
	return a.issueSigner(subject, pub, o, oidSealMaking)
}

// IssueTimestamp certifies a time-stamp authority.
func (a *Authority) IssueTimestamp(subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions) (*Certificate, error) {
	return a.issue(subject, pub, o, LeafLifetime, func(t *smx509.Certificate) {
		t.KeyUsage = smx509.KeyUsageDigitalSignature
		t.ExtraExtensions = []pkix.Extension{{Id: oidExtKeyUsage, Critical: true, Value: timestampEKU}}
	})
}

// Revoked is one entry of a list to be issued.
type Revoked struct {
	Serial *big.Int
	At     time.Time
	// Reason is one of the Reason constants.
	Reason int
	// InvalidFrom is the time from which a compromised key is not to be trusted; zero if not known.
	InvalidFrom time.Time
}

// IssueCRL signs a revocation list that speaks from now until next. The number must grow with each list.
func (a *Authority) IssueCRL(number *big.Int, next time.Time, revoked []Revoked) (*RevocationList, error) {
	entries := make([]smx509.RevocationListEntry, 0, len(revoked))
	for _, r := range revoked {
		e := smx509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: r.At, ReasonCode: r.Reason}
		if !r.InvalidFrom.IsZero() {
			value, err := asn1.MarshalWithParams(r.InvalidFrom.UTC(), "generalized")
			if err != nil {
				return nil, fmt.Errorf("issue revocation list: %w", err)
			}
			e.ExtraExtensions = []pkix.Extension{{Id: oidInvalidityDate, Value: value}}
		}
		entries = append(entries, e)
	}
	der, err := smx509.CreateRevocationList(a.station.rand(), &smx509.RevocationList{
		Number: number, ThisUpdate: a.station.now(), NextUpdate: next, RevokedCertificateEntries: entries,
	}, a.Certificate.x, a.station.Signer)
	if err != nil {
		return nil, fmt.Errorf("issue revocation list: %w", err)
	}
	return ParseCRL(der)
}

func (a *Authority) issue(
	subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions, life time.Duration, shape func(*smx509.Certificate),
) (*Certificate, error) {
	t, err := a.station.template(subject, pub, o, life)
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %s: %w", nameText(subject), err)
	}
	if own, err := asn1.Marshal(subject.ToRDNSequence()); err != nil || bytes.Equal(own, a.Certificate.RawSubject) {
		return nil, fmt.Errorf("issue certificate for %s: %w: it is the CA's own", nameText(subject), ErrName)
	}
	if o.NotAfter.IsZero() && t.NotAfter.After(a.Certificate.NotAfter) {
		t.NotAfter = a.Certificate.NotAfter
	}
	shape(t)
	c, err := a.station.create(t, a.Certificate.x, pub)
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %s: %w", nameText(subject), err)
	}
	return c, nil
}

func (s Station) template(subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions, life time.Duration) (*smx509.Certificate, error) {
	if err := gm.CheckPublicKey(pub); err != nil {
		return nil, err
	}
	if err := checkName(subject); err != nil {
		return nil, err
	}
	serial := make([]byte, serialSize)
	if _, err := io.ReadFull(s.rand(), serial); err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always of full length
	if o.NotBefore.IsZero() {
		o.NotBefore = s.now().Add(-backdate)
	}
	if o.NotAfter.IsZero() {
		o.NotAfter = s.now().Add(life)
	}
	if o.NotAfter.Before(o.NotBefore) {
		return nil, errors.New("cert: validity ends before it begins")
	}
	keyID := gm.SM3(gm.MarshalPublicKey(pub))
	return &smx509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: subject, SignatureAlgorithm: smx509.SM2WithSM3,
		NotBefore: o.NotBefore.UTC().Truncate(time.Second), NotAfter: o.NotAfter.UTC().Truncate(time.Second),
		SubjectKeyId: keyID[:20], CRLDistributionPoints: o.CRLs, OCSPServer: o.OCSP,
	}, nil
}

// checkName refuses a name that says nothing, or that would not be shown as it is: whoever reads the certificate elsewhere
// must not be misled by characters that turn, hide or end the text.
func checkName(n pkix.Name) error {
	rdns := n.ToRDNSequence()
	if len(rdns) == 0 {
		return fmt.Errorf("%w: it is empty", ErrName)
	}
	for _, set := range rdns {
		for _, a := range set {
			text, ok := a.Value.(string)
			if !ok || text == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) {
				return fmt.Errorf("%w: a part of it is empty, or has control or formatting characters", ErrName)
			}
		}
	}
	return nil
}

func (s Station) create(t, parent *smx509.Certificate, pub *ecdsa.PublicKey) (*Certificate, error) {
	der, err := smx509.CreateCertificate(s.rand(), t, parent, pub, s.Signer)
	if err != nil {
		return nil, err
	}
	return Parse(der)
}
