package cms

import (
	"bytes"
	"crypto/sha256" // ESSCertIDv2 names SHA-256 by leaving the algorithm out (RFC 5035); others write it so
	"encoding/asn1"
	"math/big"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// JudgeOptions steer the verdict on a signed message.
type JudgeOptions struct {
	// Policy is whom the caller trusts. Certificates of the message help to build chains and are trusted for nothing.
	Policy cert.Policy
	// At, when set, is the moment at which the certificate is judged instead of the claimed signing time: a time that the
	// caller vouches for, from a time-stamp, a log, or whoever asks. TimeSource, when set, is then reported with it.
	At         time.Time
	TimeSource string
	// Claim, when set, stands in for the signing time that the signer claims: a time-stamp token states its time in its
	// content. Seen is when the message is known to have existed, as cert.Moment has it.
	Claim, Seen time.Time
	// Now is the time of judging.
	Now time.Time
	// Certificates may hold the signer's where the message does not.
	Certificates []*cert.Certificate
	// ContentType is what the content must be; nil means data.
	ContentType asn1.ObjectIdentifier
	// Use is what the signer's certificate must be good for; zero means cert.UseSign.
	Use cert.Use
	// RequireBinding refuses a signer whose attributes do not name its certificate by digest (signingCertificateV2).
	RequireBinding bool
	// BareDigest allows the content form of OFD: no signed attributes, and a content of exactly the 32 bytes of an SM3
	// that the caller compares with what it has computed. Everywhere else signed attributes are required. A SET of
	// attributes never has 32 bytes here (contentType and messageDigest alone take more), so the exception opens no
	// forgery.
	BareDigest bool
}

func (o JudgeOptions) use() cert.Use {
	if o.Use == 0 {
		return cert.UseSign
	}
	return o.Use
}

// accepts reports whether the content type is the one asked for.
func (o JudgeOptions) accepts(oid asn1.ObjectIdentifier) bool {
	if o.ContentType == nil {
		return isData(oid)
	}
	return oid.Equal(o.ContentType)
}

// bare reports whether the signer is judged by the rule for a bare digest.
func (s *SignedData) bare(si *signerInfo, o JudgeOptions) bool {
	return o.BareDigest && si.attrsSet == nil && s.attached && len(s.content) == len(gm.Digest{})
}

// Judge judges every signer of the message. sum is the SM3 of the content: of the content inside for an attached
// message, of the file beside it where detached is true. Checks: signed_attributes, data_hash, signature,
// certificate_chain, key_usage, revocation.
func (s *SignedData) Judge(sum [32]byte, detached bool, o JudgeOptions) []verdict.Signature {
	out := make([]verdict.Signature, len(s.signers))
	for i := range s.signers {
		out[i] = s.judgeSigner(i, sum, detached, o)
	}
	return out
}

// JudgeSigner is Judge for signer i alone.
func (s *SignedData) JudgeSigner(i int, sum [32]byte, detached bool, o JudgeOptions) verdict.Signature {
	return s.judgeSigner(i, sum, detached, o)
}

func (s *SignedData) judgeSigner(i int, sum [32]byte, detached bool, o JudgeOptions) verdict.Signature {
	si := &s.signers[i]
	o.Policy = o.Policy.Bounded()
	v := verdict.Signature{ID: strconv.Itoa(i + 1), Kind: "sign", Standard: "GB/T 35275-2017", Version: 1}
	if s.Profile == ProfileRFC {
		v.Standard = "RFC 5652"
	}
	m := cert.Moment{At: o.At, Proven: !o.At.IsZero(), Seen: o.Seen, Now: o.Now}
	if t, ok := s.SigningTime(i); ok {
		v.At(t, verdict.TimeFromSigner)
		if !m.Proven {
			m.At = t
		}
	}
	if !m.Proven && !o.Claim.IsZero() {
		m.At = o.Claim
	}
	if m.Proven && o.TimeSource != "" {
		v.At(o.At, o.TimeSource)
	}
	c, problem := s.signerCertificate(si, o.Certificates)
	if s.bare(si, o) {
		v.Add(s.judgeBareContent(si, sum, detached))
	} else {
		v.Add(s.judgeAttributes(si, c, o), s.judgeContent(si, sum, detached))
	}
	if c == nil {
		v.Add(problem)
		v.Judge(o.Policy.Setting())
		return v
	}
	v.Signer = c.SubjectText()
	if si.attrsSet != nil && len(si.find(oidSigningCertificateV2)) == 0 {
		v.Warn(verdict.SignerUnbound, "the signature would fit every other certificate of the key of %s", c.SubjectText())
	}
	v.Add(s.judgeValue(i, c, o))
	v.Add(s.judgeCounters(si, o)...)
	o.Policy.With(s.certs...).WithEvidence(s.crls, s.ocsp).JudgeInto(&v, c, o.use(), m)
	v.Judge(o.Policy.Setting())
	return v
}

// signerCertificate finds the signer's certificate by issuer and serial number. Where several bear the same, the signed
// attribute signingCertificateV2 tells them apart; without it nothing does.
func (s *SignedData) signerCertificate(si *signerInfo, more []*cert.Certificate) (*cert.Certificate, verdict.Check) {
	const name = verdict.CheckSignature
	var found []*cert.Certificate
	for _, c := range slices.Concat(s.certs, more) {
		if si.id.names(c) && !contains(found, c) {
			found = append(found, c)
		}
	}
	if len(found) > 1 {
		if values := si.find(oidSigningCertificateV2); len(values) == 1 {
			var bound []*cert.Certificate
			for _, c := range found {
				if matches, ok := matchESS(values[0], c); ok && matches {
					bound = append(bound, c)
				}
			}
			found = bound
		}
	}
	switch len(found) {
	case 1:
		return found[0], verdict.Check{}
	case 0:
		for _, u := range s.unusable {
			if u.named(si.id) {
				return nil, verdict.Fail(name, u.reason(), "the signer's certificate cannot be used: %v", u.err)
			}
		}
		return nil, verdict.Fail(name, verdict.SignerCert, "the signer's certificate is not in the message")
	}
	return nil, verdict.Fail(name, verdict.SignerCert, "several certificates bear the signer's issuer and serial number")
}

func contains(list []*cert.Certificate, c *cert.Certificate) bool {
	for _, o := range list {
		if o.Equal(c) {
			return true
		}
	}
	return false
}

// judgeAttributes requires the signed attributes and compares those that bind. Without them a signature over the DER
// of a SET of attributes could be passed off as one over a content with the same bytes.
func (s *SignedData) judgeAttributes(si *signerInfo, c *cert.Certificate, o JudgeOptions) verdict.Check {
	const name = verdict.CheckSignedAttributes
	if si.attrsSet == nil {
		return verdict.Fail(name, verdict.SignedAttrsRequired, "the signature has no signed attributes")
	}
	if check := attributesForm(si); check.Status != verdict.Passed {
		return check
	}
	value, ok := si.single(oidContentType)
	if !ok {
		return verdict.Fail(name, verdict.SignedAttrsIncomplete, "contentType is missing")
	}
	var contentType asn1.ObjectIdentifier
	in := cryptobyte.String(value)
	if !in.ReadASN1ObjectIdentifier(&contentType) || !contentType.Equal(s.contentType) {
		return verdict.Fail(name, verdict.SignedAttrsIncomplete, "contentType is not that of the content")
	}
	if !o.accepts(s.contentType) {
		return verdict.Fail(name, verdict.SignedAttrsIncomplete, "content of type %s is not what is expected here", s.contentType)
	}
	if value, ok = si.single(oidMessageDigest); !ok {
		return verdict.Fail(name, verdict.SignedAttrsIncomplete, "messageDigest is missing")
	}
	if _, ok := octets(value); !ok {
		return verdict.Fail(name, verdict.SignedAttrsIncomplete, "messageDigest is not an OCTET STRING")
	}
	if value, ok := si.single(oidSigningTime); ok {
		if _, ok := parseTime(value); !ok {
			return verdict.Fail(name, verdict.SignedAttrsIncomplete, "signingTime cannot be read")
		}
	}
	values := si.find(oidSigningCertificateV2)
	if o.RequireBinding && len(values) == 0 {
		return verdict.Fail(name, verdict.SignedAttrsIncomplete, "signingCertificateV2 is missing")
	}
	if len(values) == 1 && c != nil {
		matches, ok := matchESS(values[0], c)
		if !ok {
			return verdict.Fail(name, verdict.SignedAttrsIncomplete, "signingCertificateV2 cannot be read")
		}
		if !matches {
			return verdict.Fail(name, verdict.SignerCert, "signingCertificateV2 names another certificate than %s", c.SubjectText())
		}
	}
	return verdict.Pass(name)
}

// attributesForm checks that no attribute stands twice, that each known one has one value, and DER order.
func attributesForm(si *signerInfo) verdict.Check {
	const name = verdict.CheckSignedAttributes
	seen := make(map[string]bool, len(si.attrs))
	for _, a := range si.attrs {
		if seen[a.oid.String()] {
			return verdict.Fail(name, verdict.AttrDuplicate, "attribute %s stands twice", a.oid)
		}
		seen[a.oid.String()] = true
		if len(a.values) != 1 {
			return verdict.Fail(name, verdict.AttrDuplicate, "attribute %s has %d values", a.oid, len(a.values))
		}
	}
	if err := CheckDER(si.attrsSet, MaxSize); err != nil {
		return verdict.Fail(name, verdict.NotDER, "signed attributes are not in DER order")
	}
	return verdict.Pass(name)
}

// single returns the one value of an attribute.
func (si *signerInfo) single(oid asn1.ObjectIdentifier) ([]byte, bool) {
	values := si.find(oid)
	if len(values) != 1 || len(values[0]) != 1 {
		return nil, false
	}
	return values[0][0], true
}

func octets(der []byte) ([]byte, bool) {
	in := cryptobyte.String(der)
	var out cryptobyte.String
	ok := in.ReadASN1(&out, cbasn1.OCTET_STRING) && in.Empty()
	return out, ok
}

// matchESS reports whether the first certificate that signingCertificateV2 names is c (RFC 5035); ok is false where the
// attribute cannot be read or hashes by another algorithm than SM3 or SHA-256.
func matchESS(values [][]byte, c *cert.Certificate) (matches, ok bool) {
	if len(values) != 1 {
		return false, false
	}
	in := cryptobyte.String(values[0])
	var seq, ids, id, sum cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&ids, cbasn1.SEQUENCE) || !ids.ReadASN1(&id, cbasn1.SEQUENCE) ||
		!seq.SkipOptionalASN1(cbasn1.SEQUENCE) || !seq.Empty() { // policies may stand behind the list
		return false, false
	}
	hash := algorithm{oid: oidSHA256}
	if id.PeekASN1Tag(cbasn1.SEQUENCE) {
		if hash, ok = readAlgorithm(&id); !ok {
			return false, false
		}
	}
	if !id.ReadASN1(&sum, cbasn1.OCTET_STRING) {
		return false, false
	}
	named, ok := matchIssuerSerial(id, c)
	switch {
	case !ok:
		return false, false
	case hash.is(gm.OIDSM3):
		want := c.SM3()
		return named && bytes.Equal(sum, want[:]), true
	case hash.is(oidSHA256):
		want := sha256.Sum256(c.Raw)
		return named && bytes.Equal(sum, want[:]), true
	}
	return false, false
}

// matchIssuerSerial compares the optional IssuerSerial of an ESSCertIDv2: GeneralNames with one directoryName, and the
// serial number (RFC 5035 5).
func matchIssuerSerial(in cryptobyte.String, c *cert.Certificate) (matches, ok bool) {
	if in.Empty() {
		return true, true
	}
	var seq, names, name cryptobyte.String
	serial := new(big.Int)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&names, cbasn1.SEQUENCE) ||
		!seq.ReadASN1Integer(serial) || !seq.Empty() || !names.ReadASN1(&name, directoryName) || !names.Empty() {
		return false, false
	}
	return bytes.Equal(name, c.RawIssuer) && serial.Cmp(c.Serial) == 0, true
}

// judgeBareContent is judgeContent for a content that is itself the digest.
func (s *SignedData) judgeBareContent(si *signerInfo, sum [32]byte, detached bool) verdict.Check {
	const name = verdict.CheckDataHash
	switch {
	case detached:
		return verdict.Fail(name, verdict.ContentAmbiguous, "the message has a content of its own beside the file")
	case s.sum != sum:
		return verdict.Fail(name, verdict.ContentAmbiguous, "the message holds another content")
	case !s.digestsBySM3(si):
		return verdict.Fail(name, verdict.AlgMismatch, "digest algorithm %s is not SM3, or not announced", si.digest.oid)
	}
	return verdict.Pass(name)
}

// judgeContent compares the digest of the content with the signed one.
func (s *SignedData) judgeContent(si *signerInfo, sum [32]byte, detached bool) verdict.Check {
	const name = verdict.CheckDataHash
	switch {
	case detached && s.attached:
		return verdict.Fail(name, verdict.ContentAmbiguous, "the message has a content of its own beside the file")
	case !detached && !s.attached:
		return verdict.Fail(name, verdict.ContentAmbiguous, "the message has no content")
	case !detached && s.sum != sum:
		return verdict.Fail(name, verdict.ContentAmbiguous, "the message holds another content")
	case si.attrsSet == nil:
		return verdict.Unknown(name, verdict.SignedAttrsRequired, "no messageDigest to compare with")
	}
	value, ok := si.single(oidMessageDigest)
	if !ok {
		return verdict.Unknown(name, verdict.SignedAttrsIncomplete, "no messageDigest to compare with")
	}
	if !s.digestsBySM3(si) {
		return verdict.Fail(name, verdict.AlgMismatch, "digest algorithm %s is not SM3, or not announced", si.digest.oid)
	}
	if signed, ok := octets(value); !ok || !bytes.Equal(signed, sum[:]) {
		return verdict.Fail(name, verdict.DataHash, "the content is not the one that was signed")
	}
	return verdict.Pass(name)
}

// judgeValue checks the signature value of signer i over its signed attributes.
func (s *SignedData) judgeValue(i int, c *cert.Certificate, o JudgeOptions) verdict.Check {
	const name = verdict.CheckSignature
	si := &s.signers[i]
	for j := range s.signers {
		if j != i && s.signers[j].id.equal(si.id) {
			return verdict.Fail(name, verdict.SignerDuplicate, "%s signs twice", c.SubjectText())
		}
	}
	if !s.digestsBySM3(si) || !si.signature.is(gm.OIDSM2Signature, gm.OIDSM2WithSM3) {
		return verdict.Fail(name, verdict.AlgMismatch, "algorithms %s and %s are not SM3 and SM2", si.digest.oid, si.signature.oid)
	}
	signed := si.attrsSet
	if s.bare(si, o) {
		signed = s.content
	}
	if signed == nil {
		return verdict.Unknown(name, verdict.SignedAttrsRequired, "a signature over bare content is not judged")
	}
	if !o.Policy.Spend() {
		return verdict.Fail(name, verdict.Limit, "more than %d signatures to check", cert.MaxSignatureChecks)
	}
	if !gm.Verify(c.PublicKey, signed, si.value) {
		return verdict.Fail(name, verdict.SigValue, "the signature is not that of %s", c.SubjectText())
	}
	return verdict.Pass(name)
}
