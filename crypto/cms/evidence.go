package cms

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/verdict"
)

// withOther is the version of signed data that holds revocation information other than lists (RFC 5652 5.1).
const withOther = 5

// oidOCSPResponse is id-ri-ocsp-response (RFC 5940 2.1).
var oidOCSPResponse = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}

// Evidence are the revocation lists and OCSP responses that the message carries, SM2 ones alone. Nothing in them is to be
// believed by itself; Judge uses what the issuers have signed.
func (s *SignedData) Evidence() ([]*cert.RevocationList, []*cert.OCSPResponse) { return s.crls, s.ocsp }

// parseEvidence reads the optional RevocationInfoChoices. What this package cannot read is passed over, as it says nothing.
func (s *SignedData) parseEvidence(in *cryptobyte.String) error {
	var list cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&list, &present, explicit1) {
		return malformed("revocation information")
	}
	for n := 0; !list.Empty(); n++ {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if n == MaxEvidence {
			return verdict.Refuse(verdict.Limit, "more than %d revocation lists and responses", MaxEvidence)
		}
		if !list.ReadAnyASN1Element(&raw, &tag) || tag != cbasn1.SEQUENCE && tag != explicit1 {
			return malformed("revocation information")
		}
		if tag == cbasn1.SEQUENCE {
			if l, err := cert.ParseCRL(raw); err == nil {
				s.crls = append(s.crls, l)
			}
			continue
		}
		var other, response cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !raw.ReadASN1(&other, explicit1) || !other.ReadASN1ObjectIdentifier(&oid) || !other.ReadAnyASN1Element(&response, &tag) || !other.Empty() {
			return malformed("revocation information")
		}
		if r, err := cert.ParseOCSP(response); oid.Equal(oidOCSPResponse) && err == nil {
			s.ocsp = append(s.ocsp, r)
		}
	}
	return nil
}

// Staple puts revocation lists and OCSP responses into a signed message, so that whoever reads it later need not find
// them: in the place that RFC 5652 5.1 has for them, in place of those that it carried. The signature is not touched.
// With OCSP responses the version becomes 5; GB/T 35275 knows lists alone.
func Staple(der []byte, crls []*cert.RevocationList, ocsp []*cert.OCSPResponse) ([]byte, error) {
	s, err := ParseSigned(der)
	if err != nil {
		return nil, fmt.Errorf("staple: %w", err)
	}
	choices := make([][]byte, 0, len(crls)+len(ocsp))
	for _, l := range crls {
		choices = append(choices, l.Raw)
	}
	for _, r := range ocsp {
		var b cryptobyte.Builder
		b.AddASN1(explicit1, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidOCSPResponse)
			b.AddBytes(r.Raw)
		})
		choices = append(choices, b.BytesOrPanic())
	}
	sortDER(choices)
	body, oid, _ := readContentInfo(s.Raw) // it parsed above
	version := s.version
	switch {
	case len(ocsp) > 0:
		version = withOther
	case version == withOther:
		version = 3
		if isData(s.contentType) {
			version = 1
		}
	}
	if !body.SkipASN1(cbasn1.INTEGER) {
		return nil, malformed("signed data")
	}
	out, err := contentInfo(oid, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(version)
		for !body.Empty() {
			var part cryptobyte.String
			var tag cbasn1.Tag
			if !body.ReadAnyASN1Element(&part, &tag) {
				b.SetError(malformed("signed data"))
				return
			}
			if tag == explicit1 {
				continue
			}
			if body.Empty() && len(choices) > 0 { // before the signers, which are the last
				b.AddASN1(explicit1, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(choices, nil)) })
			}
			b.AddBytes(part)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("staple: %w", err)
	}
	if _, err := ParseSigned(out); err != nil {
		return nil, fmt.Errorf("staple: %w", err)
	}
	return out, nil
}
