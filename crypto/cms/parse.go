package cms

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// algorithm is an AlgorithmIdentifier; params is nil where absent.
type algorithm struct {
	oid    asn1.ObjectIdentifier
	params []byte
}

// is reports whether a is the algorithm with NULL or no parameters, both of which are met with.
func (a algorithm) is(oids ...asn1.ObjectIdentifier) bool {
	if a.params != nil && !bytes.Equal(a.params, asn1.NullBytes) {
		return false
	}
	return slices.ContainsFunc(oids, a.oid.Equal)
}

// identity names a certificate by issuer and serial number. It is a way to look one up, never a proof.
type identity struct {
	issuer []byte
	serial *big.Int
}

func (id identity) names(c *cert.Certificate) bool {
	return bytes.Equal(id.issuer, c.RawIssuer) && id.serial.Cmp(c.Serial) == 0
}

func (id identity) equal(o identity) bool {
	return bytes.Equal(id.issuer, o.issuer) && id.serial.Cmp(o.serial) == 0
}

// attribute is one signed attribute with its values in DER.
type attribute struct {
	oid    asn1.ObjectIdentifier
	values [][]byte
}

type signerInfo struct {
	id        identity
	digest    algorithm
	signature algorithm
	value     []byte
	// attrs are the signed attributes, attrsSet the same bytes as the SET OF that is signed; nil if there are none.
	attrs    []attribute
	attrsSet []byte
	// unsigned are the attributes beside the signature, which say nothing by themselves.
	unsigned []attribute
}

// SignedData is a parsed signed message. Nothing in it is to be believed before Judge has said so.
type SignedData struct {
	// Raw is the whole message.
	Raw []byte
	// Profile is the family of object identifiers that the outer layer uses.
	Profile Profile

	version     int64
	digests     []algorithm
	contentType asn1.ObjectIdentifier
	content     []byte
	sum         [32]byte // of the content, if attached
	attached    bool
	certs       []*cert.Certificate
	unusable    []unusable
	crls        []*cert.RevocationList
	ocsp        []*cert.OCSPResponse
	signers     []signerInfo
}

// Content is the content inside the message, nil for a detached signature.
func (s *SignedData) Content() []byte { return s.content }

// Sum is the SM3 of the content inside, computed once; zero for a detached signature.
func (s *SignedData) Sum() [32]byte { return s.sum }

// Detached reports whether the message carries no content of its own.
func (s *SignedData) Detached() bool { return !s.attached }

// ContentType is the type of the content.
func (s *SignedData) ContentType() asn1.ObjectIdentifier { return s.contentType }

// IsGBT reports whether the types of the message and of its content are those of GB/T 35275, and not those of PKCS#7.
func (s *SignedData) IsGBT() bool {
	return s.Profile == ProfileGBT && s.contentType.Equal(oidGBTData)
}

// Version is that of the signed data: 1 for plain data, 3 for other contents (RFC 5652 5.1).
func (s *SignedData) Version() int64 { return s.version }

// BindsCertificate reports whether signer i has the attribute signingCertificateV2, which ties the signature to one
// certificate by its digest. Judge compares the attribute wherever it stands.
func (s *SignedData) BindsCertificate(i int) bool {
	return len(s.signers[i].find(oidSigningCertificateV2)) > 0
}

// Timestamps are the time-stamp tokens over the signature of signer i (RFC 3161 annex A), unjudged; see crypto/tsp. What
// they stamp is SM3 of SignatureValue(i).
func (s *SignedData) Timestamps(i int) [][]byte {
	var tokens [][]byte
	for _, a := range s.signers[i].unsigned {
		if a.oid.Equal(oidTimestampToken) {
			tokens = append(tokens, a.values...)
		}
	}
	return tokens
}

// Certificates are the SM2 certificates in the message, in its order; others were passed over.
func (s *SignedData) Certificates() []*cert.Certificate { return s.certs }

// Signers is the number of signers, at least one.
func (s *SignedData) Signers() int { return len(s.signers) }

// SignatureValue is the signature of signer i, which is what a time-stamp is about.
func (s *SignedData) SignatureValue(i int) []byte { return s.signers[i].value }

// SigningTime is the time that signer i claims; false if it claims none.
func (s *SignedData) SigningTime(i int) (time.Time, bool) {
	values := s.signers[i].find(oidSigningTime)
	if len(values) != 1 || len(values[0]) != 1 {
		return time.Time{}, false
	}
	return parseTime(values[0][0])
}

// SignerCertificate is the certificate in the message that signer i names, nil if there is none or no telling which.
func (s *SignedData) SignerCertificate(i int) *cert.Certificate {
	c, _ := s.signerCertificate(&s.signers[i], nil)
	return c
}

// find returns the values of every attribute of that type.
func (si *signerInfo) find(oid asn1.ObjectIdentifier) [][][]byte {
	var out [][][]byte
	for _, a := range si.attrs {
		if a.oid.Equal(oid) {
			out = append(out, a.values)
		}
	}
	return out
}

// ParseSigned reads a signed message of either family. What is not strict DER of the expected structure within the
// bounds is refused with a *verdict.ContainerError: not_der, trailing_data, limit, malformed, no_signer, signer_cert.
func ParseSigned(der []byte) (*SignedData, error) {
	if err := CheckDER(der, MaxSize); err != nil {
		return nil, err
	}
	s := &SignedData{Raw: bytes.Clone(der)}
	body, oid, ok := readContentInfo(s.Raw)
	switch {
	case !ok:
		return nil, malformed("not a ContentInfo")
	case oid.Equal(oidGBTSigned):
		s.Profile = ProfileGBT
	case oid.Equal(oidRFCSigned):
		s.Profile = ProfileRFC
	default:
		return nil, malformed("content type is not signed data")
	}
	if err := s.parse(body); err != nil {
		return nil, err
	}
	return s, nil
}

// readContentInfo opens the outer layer: content type and the SEQUENCE inside [0].
func readContentInfo(der []byte) (cryptobyte.String, asn1.ObjectIdentifier, bool) {
	in := cryptobyte.String(der)
	var info, wrapped, body cryptobyte.String
	var oid asn1.ObjectIdentifier
	ok := in.ReadASN1(&info, cbasn1.SEQUENCE) && info.ReadASN1ObjectIdentifier(&oid) &&
		info.ReadASN1(&wrapped, explicit0) && info.Empty() &&
		wrapped.ReadASN1(&body, cbasn1.SEQUENCE) && wrapped.Empty()
	return body, oid, ok
}

// parse reads SignedData (GB/T 35275-2017 clause 8, RFC 5652 5.1).
func (s *SignedData) parse(in cryptobyte.String) error {
	var digests, content, signers cryptobyte.String
	if !in.ReadASN1Integer(&s.version) || s.version != 1 && s.version != 3 && s.version != withOther {
		return malformed("version of the signed data")
	}
	if !in.ReadASN1(&digests, cbasn1.SET) || !in.ReadASN1(&content, cbasn1.SEQUENCE) {
		return malformed("signed data")
	}
	for !digests.Empty() {
		a, ok := readAlgorithm(&digests)
		if !ok || len(s.digests) == MaxSigners {
			return malformed("digest algorithms")
		}
		s.digests = append(s.digests, a)
	}
	if err := s.parseContent(content); err != nil {
		return err
	}
	if err := s.parseCertificates(&in); err != nil {
		return err
	}
	if err := s.parseEvidence(&in); err != nil {
		return err
	}
	if !in.ReadASN1(&signers, cbasn1.SET) || !in.Empty() {
		return malformed("signed data")
	}
	for !signers.Empty() {
		if len(s.signers) == MaxSigners {
			return verdict.Refuse(verdict.Limit, "more than %d signers", MaxSigners)
		}
		si, err := parseSignerInfo(&signers)
		if err != nil {
			return err
		}
		s.signers = append(s.signers, si)
	}
	if len(s.signers) == 0 {
		return verdict.Refuse(verdict.NoSigner, "the message has no signer")
	}
	return nil
}

func (s *SignedData) parseContent(in cryptobyte.String) error {
	if !in.ReadASN1ObjectIdentifier(&s.contentType) {
		return malformed("content type of the content")
	}
	if in.Empty() {
		return nil
	}
	var wrapped, octets cryptobyte.String
	if !in.ReadASN1(&wrapped, explicit0) || !in.Empty() || !wrapped.ReadASN1(&octets, cbasn1.OCTET_STRING) || !wrapped.Empty() {
		return malformed("content is not one OCTET STRING")
	}
	s.content, s.attached = []byte(octets), true
	if s.content == nil {
		s.content = []byte{}
	}
	s.sum = gm.SM3(s.content)
	return nil
}

func (s *SignedData) parseCertificates(in *cryptobyte.String) error {
	var bag cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&bag, &present, explicit0) {
		return malformed("certificates")
	}
	for n := 0; !bag.Empty(); n++ {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if n == MaxCertificates {
			return verdict.Refuse(verdict.SignerCert, "more than %d certificates", MaxCertificates)
		}
		if !bag.ReadAnyASN1Element(&raw, &tag) {
			return malformed("certificates")
		}
		// One that is not SM2, or not a certificate at all, cannot be a signer's or an issuer's here.
		c, err := cert.Parse(raw)
		if err != nil {
			s.unusable = append(s.unusable, unusable{raw, err})
			continue
		}
		s.certs = append(s.certs, c)
	}
	return nil
}

// unusable is a certificate of the message that cannot be a signer's, kept to say so where one names it.
type unusable struct {
	raw []byte
	err error
}

// named reports whether the certificate bears this issuer and serial number, as far as it can be read.
func (u unusable) named(id identity) bool {
	in := cryptobyte.String(u.raw)
	var body, tbs, issuer cryptobyte.String
	serial := new(big.Int)
	return in.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1(&tbs, cbasn1.SEQUENCE) && tbs.SkipOptionalASN1(explicit0) &&
		tbs.ReadASN1Integer(serial) && tbs.SkipASN1(cbasn1.SEQUENCE) && tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) &&
		id.serial.Cmp(serial) == 0 && bytes.Equal(id.issuer, issuer)
}

// reason is why it cannot be used.
func (u unusable) reason() verdict.Reason {
	if errors.Is(u.err, cert.ErrNotSM2) {
		return verdict.AlgMismatch
	}
	return verdict.Malformed
}

func readIdentity(in *cryptobyte.String) (identity, bool) {
	var seq, issuer cryptobyte.String
	id := identity{serial: new(big.Int)}
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Element(&issuer, cbasn1.SEQUENCE) ||
		!seq.ReadASN1Integer(id.serial) || !seq.Empty() {
		return id, false
	}
	id.issuer = issuer
	return id, true
}

func parseSignerInfo(in *cryptobyte.String) (signerInfo, error) {
	var si signerInfo
	var body, attrs, value cryptobyte.String
	var version int64
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 1 {
		return si, malformed("signer is not named by issuer and serial number")
	}
	var ok, present bool
	if si.id, ok = readIdentity(&body); !ok {
		return si, malformed("name of the signer")
	}
	if si.digest, ok = readAlgorithm(&body); !ok {
		return si, malformed("digest algorithm of the signer")
	}
	if !body.ReadOptionalASN1(&attrs, &present, explicit0) {
		return si, malformed("signed attributes")
	}
	if present {
		si.attrsSet = asSet(attrs)
		var err error
		if si.attrs, err = parseAttributes(attrs); err != nil {
			return si, err
		}
	}
	if si.signature, ok = readAlgorithm(&body); !ok {
		return si, malformed("signature algorithm of the signer")
	}
	var unsigned cryptobyte.String
	if !body.ReadASN1(&value, cbasn1.OCTET_STRING) || !body.ReadOptionalASN1(&unsigned, &present, explicit1) || !body.Empty() {
		return si, malformed("signer")
	}
	si.value = value
	var err error
	si.unsigned, err = parseAttributes(unsigned)
	return si, err
}

// asSet gives the attributes the tag under which they are signed: SET OF in place of [0] (RFC 5652 5.4).
func asSet(attrs []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(attrs) })
	return b.BytesOrPanic()
}

// parseAttributes reads the body of a SET OF Attribute, in the order in which it stands.
func parseAttributes(in cryptobyte.String) ([]attribute, error) {
	var attrs []attribute
	for !in.Empty() {
		if len(attrs) == MaxAttributes {
			return nil, verdict.Refuse(verdict.Limit, "more than %d attributes", MaxAttributes)
		}
		var seq, set cryptobyte.String
		var a attribute
		if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.oid) ||
			!seq.ReadASN1(&set, cbasn1.SET) || !seq.Empty() {
			return nil, malformed("attribute")
		}
		for !set.Empty() {
			var v cryptobyte.String
			var tag cbasn1.Tag
			if !set.ReadAnyASN1Element(&v, &tag) {
				return nil, malformed("attribute")
			}
			if len(a.values) == MaxAttributes {
				return nil, verdict.Refuse(verdict.Limit, "more than %d values of an attribute", MaxAttributes)
			}
			a.values = append(a.values, v)
		}
		attrs = append(attrs, a)
	}
	return attrs, nil
}

// parseTime reads UTCTime or GeneralizedTime without fractions, in UTC.
func parseTime(der []byte) (time.Time, bool) {
	in := cryptobyte.String(der)
	t, ok := cert.ReadTime(&in)
	return t, ok && in.Empty()
}

// digestsBySM3 reports whether the signer hashes by SM3 and the message announces it.
func (s *SignedData) digestsBySM3(si *signerInfo) bool {
	announced := false
	for _, a := range s.digests {
		announced = announced || a.is(gm.OIDSM3)
	}
	return announced && si.digest.is(gm.OIDSM3)
}

// SignerAmong is SignerCertificate where the message may lack the certificate: others are looked through too.
func (s *SignedData) SignerAmong(i int, others []*cert.Certificate) *cert.Certificate {
	c, _ := s.signerCertificate(&s.signers[i], others)
	return c
}
