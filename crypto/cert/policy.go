package cert

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// Policy is whom the caller trusts and how revocation counts. The zero Policy trusts nobody.
type Policy struct {
	// Roots are the trust anchors; they come from configuration, never from the file that is judged.
	Roots []*Certificate
	// Intermediates help to build chains and are trusted for nothing; certificates of a message may be added.
	Intermediates []*Certificate
	// CRLs are the lists at hand; each is used only for the issuer whose key signed it.
	CRLs []*RevocationList
	// OCSP are the responses at hand, fetched or kept with a document; each is used only if the issuer's key, or a
	// responder that it has empowered, signed it.
	OCSP []*OCSPResponse
	// Revocation is the setting; empty means verdict.RevocationAuto. Under verdict.RevocationOff no check is made.
	Revocation verdict.Setting
	// carriedCRLs and carriedOCSP are how many of the last CRLs and OCSP came with a message, see WithEvidence.
	carriedCRLs, carriedOCSP int
	// budget is what is left of the signature checks for one verdict; nil: every Judge has one of its own.
	budget *budget
	// Cache remembers which certificates and lists are truly signed by whom; nil remembers nothing. It changes no answer.
	Cache *Cache
}

// Moment is the time that a certificate is judged at.
type Moment struct {
	// At is the signing time, claimed or proven. Zero: there is none, Now stands in for it.
	At time.Time
	// Proven: At comes from a time-stamp or a log, not from the signer.
	Proven bool
	// Seen is when what was signed is known to have existed, where At is not proven: something else saw it, such as a log
	// that holds a time-stamp token. Zero: it is seen Now for the first time.
	Seen time.Time
	// Now is the time of judging.
	Now time.Time
}

func (m Moment) normal() Moment {
	if m.At.IsZero() {
		m.At, m.Proven = m.Now, false
	}
	switch {
	case m.Proven, m.Seen.Before(m.At) && !m.Seen.IsZero():
		m.Seen = m.At
	case m.Seen.IsZero():
		m.Seen = m.Now
	}
	return m
}

// sighted reports whether something that the caller relies on saw what was signed before it was judged.
func (m Moment) sighted() bool { return m.Proven || m.Seen.Before(m.Now) }

// With returns the policy with more intermediates, such as those that a message carries.
func (p Policy) With(intermediates ...*Certificate) Policy {
	all := make([]*Certificate, 0, len(p.Intermediates)+len(intermediates))
	p.Intermediates = append(append(all, p.Intermediates...), intermediates...)
	return p
}

// WithEvidence returns the policy with revocation lists and OCSP responses that a message carries (stapled). They count like
// those at hand, since the issuer's signature decides; but one that says nothing changes nothing, for anybody can add it
// to a message.
func (p Policy) WithEvidence(crls []*RevocationList, ocsp []*OCSPResponse) Policy {
	p.CRLs, p.OCSP = slices.Concat(p.CRLs, crls), slices.Concat(p.OCSP, ocsp)
	p.carriedCRLs, p.carriedOCSP = p.carriedCRLs+len(crls), p.carriedOCSP+len(ocsp)
	return p
}

// budget counts down; it belongs to one verdict, hence to one goroutine.
type budget struct {
	left int
	over bool // a check was asked for when none was left
}

// Bounded returns the policy with MaxSignatureChecks for all that is judged under it, so that the parts of one verdict share
// one bound. A policy that is bounded already stays as it is. Lists and responses that the caller gave are not counted, those
// that a message carries are.
func (p Policy) Bounded() Policy {
	if p.budget == nil {
		p.budget = &budget{left: MaxSignatureChecks}
	}
	return p
}

// Spend takes one signature check from the budget of a bounded policy, and reports whether there was one.
func (p Policy) Spend() bool {
	if p.budget == nil {
		return true
	}
	p.budget.left--
	p.budget.over = p.budget.over || p.budget.left < 0
	return p.budget.left >= 0
}

// configured reports whether the caller gave a list, or an answer, of a CA of these names: of one in a chain, which makes it a
// source that the chain's root has. Those of other CAs say nothing about the chain, not even that it should have any.
func (p Policy) configured(names ...[]byte) bool {
	for _, name := range names {
		for _, l := range p.CRLs[:len(p.CRLs)-p.carriedCRLs] {
			if bytes.Equal(l.rawIssuer, name) {
				return true
			}
		}
		sum := gm.SM3(name)
		for _, r := range p.OCSP[:len(p.OCSP)-p.carriedOCSP] {
			if slices.ContainsFunc(r.entries, func(e ocspEntry) bool { return e.id.sm3 && bytes.Equal(e.id.nameSum, sum[:]) }) {
				return true
			}
		}
	}
	return false
}

// Setting is the revocation setting with its default filled in.
func (p Policy) Setting() verdict.Setting {
	if p.Revocation == "" {
		return verdict.RevocationAuto
	}
	return p.Revocation
}

// Judge judges a certificate for a use at a moment. It returns the checks certificate_chain (validity included),
// key_usage and, unless switched off, revocation. The work is bounded by MaxSignatureChecks.
//
// Reasons of certificate_chain: no_trust_anchor (indeterminate: no root given), certificate_chain (the chain ends at
// none of the roots, or breaks a rule), name_constraints, limit, cert_expired and cert_not_yet_valid (a signing time
// outside the validity), no_proof_of_existence (indeterminate: inside it at the claimed time, expired since; or a
// claimed time in the future of the time of judging).
// Of revocation: revoked, no_proof_of_existence, revocation_unknown, no_revocation_source.
func (p Policy) Judge(c *Certificate, use Use, m Moment) []verdict.Check {
	m, p = m.normal(), p.Bounded()
	return p.judgeChains(c, use, m)
}

// JudgeInto adds the checks of Judge to a signature, and the warnings that belong to them: time_claimed where the time
// is not proven, no_proof_of_existence where there is none, no_revocation_source where none exists.
func (p Policy) JudgeInto(s *verdict.Signature, c *Certificate, use Use, m Moment) {
	checks := p.Judge(c, use, m)
	s.Add(checks...)
	switch {
	case m.Proven:
	case m.At.IsZero():
		s.Warn(verdict.NoProofOfExistence, "no signing time is stated; everything was judged as of now")
	default:
		s.Warn(verdict.TimeClaimed, "the signing time is the signer's claim")
	}
	for _, k := range checks {
		if k.Reason == verdict.NoRevocationSource {
			s.Warn(k.Reason, "%s", k.Detail)
		}
	}
}

// clockSkew is how far a signer's clock may run ahead of the verifier's before its claim is doubted.
const clockSkew = 5 * time.Minute

// judgeValidity judges one certificate's validity; what names it in the detail.
func judgeValidity(c *Certificate, m Moment, what string) verdict.Check {
	const name = verdict.CheckCertificateChain
	who := fmt.Sprintf("%s %s", what, c.SubjectText())
	switch {
	case m.At.Before(c.NotBefore):
		return verdict.Fail(name, verdict.CertNotYetValid, "%s is valid from %s, signing time %s",
			who, stamp(c.NotBefore), stamp(m.At))
	case m.At.After(c.NotAfter) && m.At.Equal(m.Now) && !m.Proven:
		// No signing time at all: nothing says that it was made after the end.
		return verdict.Unknown(name, verdict.NoProofOfExistence, "%s expired on %s and no signing time is known",
			who, stamp(c.NotAfter))
	case m.At.After(c.NotAfter):
		return verdict.Fail(name, verdict.CertExpired, "%s expired on %s, signing time %s",
			who, stamp(c.NotAfter), stamp(m.At))
	case !m.Proven && !m.Now.IsZero() && m.At.After(m.Now.Add(clockSkew)):
		return verdict.Unknown(name, verdict.NoProofOfExistence, "the claimed signing time %s lies after the time of judging, %s",
			stamp(m.At), stamp(m.Now))
	case m.Seen.After(c.NotAfter):
		return verdict.Unknown(name, verdict.NoProofOfExistence, "%s expired on %s, the signing time %s is not proven",
			who, stamp(c.NotAfter), stamp(m.At))
	}
	return verdict.Pass(name)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
