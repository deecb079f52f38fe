package cert

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/verdict"
)

// Bounds of chain building.
const (
	// MaxSignatureChecks is the most signatures checked for one verdict: on a certificate, or on a signature with its chain,
	// its revocation evidence, its time-stamps and its counter-signatures together.
	MaxSignatureChecks = 100
	// MaxDepth is the longest chain, leaf and root included.
	MaxDepth = 10
)

// errBudget: chain building gave up.
var errBudget = errors.New("cert: too many signature checks")

// judgeChains looks for a chain to a root and returns the checks of the best one: the chain, its usages and, unless
// switched off, its revocation. Which certificates lie in a message, and in which order, is anybody's choice, so a chain
// that ends at a root but fails in any of them does not hide one that passes in all.
func (p Policy) judgeChains(c *Certificate, use Use, m Moment) []verdict.Check {
	if len(p.Roots) == 0 {
		chain := verdict.Unknown(verdict.CheckCertificateChain, verdict.NoTrustAnchor, "no root certificate was given")
		// A certificate that was not valid at the signing time is wrong whoever issued it.
		if v := judgeValidity(c, m, "certificate of"); v.Status == verdict.Failed {
			chain = v
		}
		return p.complete(c, nil, use, m, chain)
	}
	s := search{policy: p, use: use, moment: m}
	err := s.walk([]*Certificate{c})
	if s.best == nil {
		return p.complete(c, nil, use, m, s.unfound(c, err))
	}
	return s.best
}

// complete adds the checks of usage and revocation to that of a chain.
func (p Policy) complete(c *Certificate, path []*Certificate, use Use, m Moment, chain verdict.Check) []verdict.Check {
	checks := []verdict.Check{chain, judgeUseOf(c, path, use)}
	if p.Setting() != verdict.RevocationOff {
		checks = append(checks, p.judgeRevocation(c, path, use, m))
	}
	return checks
}

// search is one depth-first walk from a leaf towards the roots. Every step costs one signature check, so the budget
// bounds the whole walk whatever the certificates say of each other.
type search struct {
	policy Policy
	use    Use
	moment Moment

	best []verdict.Check // of the best chain so far
	rank int
	cut  bool // a chain went on beyond MaxDepth
}

// unfound says why there is no chain to a root.
func (s *search) unfound(c *Certificate, err error) verdict.Check {
	const name = verdict.CheckCertificateChain
	switch {
	case errors.Is(err, errBudget):
		return verdict.Fail(name, verdict.Limit, "more than %d signatures to check", MaxSignatureChecks)
	case s.cut:
		return verdict.Fail(name, verdict.Limit, "a chain of %s is longer than %d certificates", c.SubjectText(), MaxDepth)
	}
	return verdict.Fail(name, verdict.CertificateChain,
		"the chain of %s (issuer %s) ends at none of the given roots", c.SubjectText(), c.IssuerText())
}

// walk extends path; it stops early once a chain passes in everything.
func (s *search) walk(path []*Certificate) error {
	last := path[len(path)-1]
	for _, root := range s.policy.Roots {
		if root.Equal(last) {
			s.offer(path)
			return nil
		}
	}
	for i, candidates := range [2][]*Certificate{s.policy.Roots, s.policy.Intermediates} {
		for _, issuer := range candidates {
			if !bytes.Equal(issuer.RawSubject, last.RawIssuer) || onPath(path, issuer) {
				continue
			}
			if len(path) == MaxDepth {
				s.cut = true
				return nil
			}
			if !s.policy.Spend() {
				return errBudget
			}
			if !s.policy.Cache.signed(last, issuer) {
				continue
			}
			longer := slices.Concat(path, []*Certificate{issuer})
			if i == 0 {
				s.offer(longer)
			} else if err := s.walk(longer); err != nil {
				return err
			}
			if s.best != nil && s.rank == 0 {
				return nil
			}
		}
	}
	return nil
}

// offer judges a chain that ends at a root and keeps its checks if they are better than those at hand.
func (s *search) offer(path []*Certificate) {
	chain := judgePath(path, s.moment)
	if s.best != nil && max(rank(chain.Status), rank(judgeUseOf(path[0], path, s.use).Status)) >= s.rank {
		return
	}
	checks := s.policy.complete(path[0], path, s.use, s.moment, chain)
	if r := s.worst(checks); s.best == nil || r < s.rank {
		s.best, s.rank = checks, r
	}
}

// worst ranks the checks of a chain. That no revocation source exists is no reason to look for another chain, where it
// does not lower the verdict.
func (s *search) worst(checks []verdict.Check) int {
	r := 0
	for _, k := range checks {
		if k.Reason == verdict.NoRevocationSource && s.policy.Setting() != verdict.RevocationRequire {
			continue
		}
		r = max(r, rank(k.Status))
	}
	return r
}

func rank(s verdict.Status) int {
	switch s {
	case verdict.Passed:
		return 0
	case verdict.Indeterminate:
		return 1
	default:
		return 2
	}
}

// signedBy reports whether issuer's key made c's signature. Rules about issuers are judged later, with their reason.
func signedBy(c, issuer *Certificate) bool {
	return issuer.x.CheckSignature(c.x.SignatureAlgorithm, c.x.RawTBSCertificate, c.x.Signature) == nil
}

// onPath keeps a certificate, or the same subject with the same key in another certificate, from appearing twice.
func onPath(path []*Certificate, c *Certificate) bool {
	for _, p := range path {
		if p.Equal(c) || (bytes.Equal(p.RawSubject, c.RawSubject) && p.PublicKey.Equal(c.PublicKey)) {
			return true
		}
	}
	return false
}

// judgePath judges a chain whose signatures hold, leaf first, root last.
func judgePath(path []*Certificate, m Moment) verdict.Check {
	const name = verdict.CheckCertificateChain
	below := 0 // intermediates below the issuer at hand, self-issued ones not counted (RFC 5280, 4.2.1.9)
	for i, c := range path {
		if u := c.x.UnhandledCriticalExtensions; len(u) > 0 {
			return verdict.Fail(name, verdict.CertificateChain,
				"certificate of %s has the unknown critical extension %s", c.SubjectText(), u[0])
		}
		if i == 0 {
			continue
		}
		if !c.IsCA || c.x.KeyUsage&smx509.KeyUsageCertSign == 0 {
			return verdict.Fail(name, verdict.CertificateChain, "%s may not issue certificates", c.SubjectText())
		}
		if limited(c) && below > c.x.MaxPathLen {
			return verdict.Fail(name, verdict.CertificateChain,
				"the chain below %s is longer than its path length %d", c.SubjectText(), c.x.MaxPathLen)
		}
		if !bytes.Equal(c.RawSubject, c.RawIssuer) {
			below++
		}
	}
	worst := verdict.Pass(name)
	for i, c := range path {
		what := "issuer"
		if i == 0 {
			what = "certificate of"
		}
		if v := judgeValidity(c, m, what); rank(v.Status) > rank(worst.Status) {
			worst = v
		}
	}
	t, together := shared(path)
	if worst.Status == verdict.Failed || !together { // then some certificate was not valid, whatever the moment
		return worst
	}
	if check := judgeConstraints(path, t); check.Status != verdict.Passed {
		return check
	}
	return worst
}

// limited reports whether the issuer has a path length.
func limited(c *Certificate) bool {
	return c.x.BasicConstraintsValid && (c.x.MaxPathLen > 0 || c.x.MaxPathLenZero)
}

// shared returns a time at which the whole chain is valid, if there is one: constraints are judged apart from validity,
// which has its own reasons.
func shared(path []*Certificate) (t time.Time, together bool) {
	for _, c := range path {
		if c.NotBefore.After(t) {
			t = c.NotBefore
		}
	}
	return t, !slices.ContainsFunc(path, func(c *Certificate) bool { return t.After(c.NotAfter) })
}
