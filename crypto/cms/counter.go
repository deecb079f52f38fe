package cms

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// judgeCounters judges the counter-signatures beside a signature (RFC 5652 11.4): each must be about this signature's
// value and no other. Who counter-signed is not judged here, so one that holds adds nothing to the verdict; one that was
// moved from another signature spoils it, and so do more than the budget of the verdict allows.
func (s *SignedData) judgeCounters(si *signerInfo, o JudgeOptions) []verdict.Check {
	var checks []verdict.Check
	for _, a := range si.unsigned {
		if !a.oid.Equal(oidCounterSignature) {
			continue
		}
		for _, value := range a.values {
			if !o.Policy.Spend() {
				return append(checks, verdict.Fail(verdict.CheckSignature, verdict.Limit, "more than %d signatures to check", cert.MaxSignatureChecks))
			}
			if why := s.counterFault(si, value); why != "" {
				checks = append(checks, verdict.Fail(verdict.CheckSignature, verdict.CounterSignature, "counter-signature: %s", why))
			}
		}
	}
	return checks
}

// counterFault says what is wrong with one counter-signature, nothing if it holds.
func (s *SignedData) counterFault(parent *signerInfo, value []byte) string {
	in := cryptobyte.String(value)
	si, err := parseSignerInfo(&in)
	if err != nil || !in.Empty() {
		return "it cannot be read"
	}
	c, _ := s.signerCertificate(&si, nil)
	if c == nil {
		return "its signer's certificate is not in the message"
	}
	if err := c.CheckUse(cert.UseSign); err != nil {
		return "its certificate is not for signing"
	}
	if si.attrsSet == nil || attributesForm(&si).Status != verdict.Passed {
		return "it lacks signed attributes in due form"
	}
	// A counter-signature has no content type: it is about a signature, not about a content (RFC 5652 11.4).
	digest, ok := si.single(oidMessageDigest)
	if !ok || len(si.find(oidContentType)) > 0 {
		return "its signed attributes are not those of a counter-signature"
	}
	want := gm.SM3(parent.value)
	if signed, ok := octets(digest); !ok || !bytes.Equal(signed, want[:]) {
		return "it is about another signature"
	}
	if !si.digest.is(gm.OIDSM3) || !si.signature.is(gm.OIDSM2Signature, gm.OIDSM2WithSM3) || !gm.Verify(c.PublicKey, si.attrsSet, si.value) {
		return "it is not that of " + c.SubjectText()
	}
	return ""
}
