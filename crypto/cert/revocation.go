package cert

import (
	"bytes"
	"fmt"
	"time"

	"yinxin/verdict"
)

// judgeRevocation judges every certificate of the path but the root; the worst answer counts. Without a path only the
// certificate itself can be asked about, and no list can be trusted.
func (p Policy) judgeRevocation(c *Certificate, path []*Certificate, use Use, m Moment) verdict.Check {
	if len(path) == 0 {
		if len(c.RevocationSources()) > 0 || p.configured(c.RawIssuer) {
			return unknownRevocation(c, "without a chain to a root no list can be relied on")
		}
		return noSource(c)
	}
	authorities := make([][]byte, 0, len(path))
	for _, a := range path[1:] {
		authorities = append(authorities, a.RawSubject)
	}
	configured := p.configured(authorities...)
	worst := verdict.Pass(verdict.CheckRevocation)
	for i, c := range path[:len(path)-1] {
		k := p.revocationOf(c, path[i+1], use, m)
		if k.Reason == verdict.NoRevocationSource && configured {
			k = unknownRevocation(c, "no list of its issuer and no answer about it is at hand")
		}
		if severity(k) > severity(worst) {
			worst = k
		}
	}
	return worst
}

// severity orders revocation answers: revoked, then not proven, unknown, no source, good.
func severity(k verdict.Check) int {
	switch k.Reason {
	case "":
		return 0
	case verdict.NoRevocationSource:
		return 1
	case verdict.RevocationUnknown:
		return 2
	case verdict.NoProofOfExistence:
		return 3
	}
	return 4
}

// state is what the lists and answers at hand say of one certificate.
type state struct {
	// revoked are the revocations, each with the time of the list or answer that states it.
	revoked []stated
	// clear is the time of the newest list or answer that would state one and does not.
	clear time.Time
	// good: one speaks for the moment and states none. why says what is wrong with one that does not speak.
	good bool
	why  string
	// sourced: the certificate names a source.
	sourced bool
}

type stated struct {
	Revoked
	by time.Time
}

// silent notes why a list or an answer says nothing. One that a message carries counts only if it says something.
func (s *state) silent(carried bool, text string) {
	if text != "" && (s.sourced || !carried) {
		s.why = text
	}
}

// cleared notes a list or an answer of a time that states no revocation.
func (s *state) cleared(at time.Time) {
	if at.After(s.clear) {
		s.clear = at
	}
}

// worst is the revocation that counts from the earliest time. One that was only on hold counts no more once something newer
// does not state it; every other one does not lapse, whatever a newer list says.
func (s *state) worst() (Revoked, bool) {
	var first Revoked
	found := false
	for _, r := range s.revoked {
		if r.Reason == ReasonCertificateHold && s.clear.After(r.by) {
			continue
		}
		if !found || r.since().Before(first.since()) {
			first, found = r.Revoked, true
		}
	}
	return first, found
}

func (p Policy) revocationOf(c, issuer *Certificate, use Use, m Moment) verdict.Check {
	s := state{sourced: len(c.RevocationSources()) > 0}
	for i, l := range p.CRLs {
		carried := i >= len(p.CRLs)-p.carriedCRLs
		if !bytes.Equal(l.rawIssuer, issuer.RawSubject) || carried && !p.Spend() {
			continue
		}
		if !p.Cache.listSigned(l, issuer) {
			s.silent(carried, "the list that bears the issuer's name is not signed by the issuer's key")
			continue
		}
		s.ask(l, c, m, carried)
	}
	for i, r := range p.OCSP {
		carried, asked := i >= len(p.OCSP)-p.carriedOCSP, p
		if !carried {
			asked.budget = nil
		}
		s.silent(carried, asked.answer(r, c, issuer, m, &s))
	}
	r, revoked := s.worst()
	switch {
	case p.budget != nil && p.budget.over:
		return verdict.Fail(verdict.CheckRevocation, verdict.Limit,
			"more than %d signatures to check; the evidence was not looked through", MaxSignatureChecks)
	case revoked:
		return judgeRevoked(c, r, use, m)
	case s.good:
		return verdict.Pass(verdict.CheckRevocation)
	case s.why != "":
		return unknownRevocation(c, s.why)
	case s.sourced:
		return unknownRevocation(c, "its revocation source was not consulted")
	}
	return noSource(c)
}

// ask takes in what a list, which the issuer has signed, says of the certificate. Revocation does not lapse: even an old
// list that names it counts.
func (s *state) ask(l *RevocationList, c *Certificate, m Moment, carried bool) {
	if l.scope == foreignScope {
		s.silent(carried, "the list is indirect or has an unknown critical extension")
		return
	}
	named := false
	for _, r := range l.of(c) {
		if l.scope == partScope && r.Reason == ReasonRemoveFromCRL {
			if !l.ThisUpdate.After(m.Now) {
				s.cleared(l.ThisUpdate)
			}
			continue
		}
		s.revoked = append(s.revoked, stated{r, l.ThisUpdate})
		named = true
	}
	switch {
	case named:
	case l.scope == partScope:
		s.silent(carried, "the list is for a part of the certificates or of the time, and does not name it")
	case l.ThisUpdate.After(m.Now):
		s.silent(carried, fmt.Sprintf("the list of %s does not speak for the time asked about", stamp(l.ThisUpdate)))
	default:
		s.cleared(l.ThisUpdate)
		if l.speaksFor(c, m) {
			s.good = true
		} else {
			s.silent(carried, fmt.Sprintf("the list of %s does not speak for the time asked about", stamp(l.ThisUpdate)))
		}
	}
}

// since is the time from which a revocation counts: the invalidity date if it has an earlier one, whatever the reason.
func (r Revoked) since() time.Time {
	if !r.InvalidFrom.IsZero() && r.InvalidFrom.Before(r.At) {
		return r.InvalidFrom
	}
	return r.At
}

func judgeRevoked(c *Certificate, r Revoked, use Use, m Moment) verdict.Check {
	const name = verdict.CheckRevocation
	from := r.since()
	switch {
	case !from.After(m.At):
		return verdict.Fail(name, verdict.Revoked, "certificate of %s was revoked from %s, signing time %s",
			c.SubjectText(), stamp(from), stamp(m.At))
	case m.sighted() && from.After(m.Seen):
		return verdict.Pass(name)
	case use == UseTimestamp && !harmless(r.Reason):
		// Whoever has the key of an authority, or of a CA above it, can write any time into a token: none that nobody saw
		// before the revocation counts (RFC 3161 4).
		return verdict.Fail(name, verdict.Revoked, "certificate of %s was revoked on %s as no longer to be trusted at any time",
			c.SubjectText(), stamp(r.At))
	case use != UseTimestamp:
		return verdict.Unknown(name, verdict.NoProofOfExistence,
			"certificate of %s was revoked from %s, the earlier signing time %s is not proven", c.SubjectText(), stamp(from), stamp(m.At))
	}
	return verdict.Pass(name)
}

// harmless are the reasons that leave older tokens of a time-stamp authority standing (RFC 3161 4); no reason is none of
// them.
func harmless(reason int) bool {
	return reason == ReasonAffiliationChanged || reason == ReasonSuperseded || reason == ReasonCessationOfOperation
}

func unknownRevocation(c *Certificate, why string) verdict.Check {
	return verdict.Unknown(verdict.CheckRevocation, verdict.RevocationUnknown, "%s: %s", c.SubjectText(), why)
}

func noSource(c *Certificate) verdict.Check {
	return verdict.Unknown(verdict.CheckRevocation, verdict.NoRevocationSource,
		"%s: no revocation source exists", c.SubjectText())
}
