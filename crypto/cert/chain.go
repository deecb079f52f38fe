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

// judgeChain looks for a chain to a root and returns the best one found, leaf first, with its check. The path is nil
// where no chain leads to a root.
func (p Policy) judgeChain(c *Certificate, m Moment) ([]*Certificate, verdict.Check) {
	const name = verdict.CheckCertificateChain
	if len(p.Roots) == 0 {
		// A certificate that was not valid at the signing time is wrong whoever issued it.
		if v := judgeValidity(c, m, "certificate of"); v.Status == verdict.Failed {
			return nil, v
		}
		return nil, verdict.Unknown(name, verdict.NoTrustAnchor, "no root certificate was given")
	}
	s := search{policy: p, moment: m}
	err := s.walk([]*Certificate{c})
	switch {
	case s.path != nil:
		return s.path, s.check
	case errors.Is(err, errBudget):
		return nil, verdict.Fail(name, verdict.Limit, "more than %d signatures to check", MaxSignatureChecks)
	}
	return nil, verdict.Fail(name, verdict.CertificateChain,
		"the chain of %s (issuer %s) ends at none of the given roots", c.SubjectText(), c.IssuerText())
}

// search is one depth-first walk from a leaf towards the roots. Every step costs one signature check, so the budget
// bounds the whole walk whatever the certificates say of each other.
type search struct {
	policy Policy
	moment Moment

	path  []*Certificate // the best chain so far
	check verdict.Check
}

// walk extends path; it stops early once a chain passes.
func (s *search) walk(path []*Certificate) error {
	last := path[len(path)-1]
	for _, root := range s.policy.Roots {
		if root.Equal(last) {
			s.offer(path)
			return nil
		}
	}
	if len(path) == MaxDepth {
		return nil
	}
	for i, candidates := range [2][]*Certificate{s.policy.Roots, s.policy.Intermediates} {
		for _, issuer := range candidates {
			if !bytes.Equal(issuer.RawSubject, last.RawIssuer) || onPath(path, issuer) {
				continue
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
			if s.path != nil && s.check.Status == verdict.Passed {
				return nil
			}
		}
	}
	return nil
}

// offer judges a chain that ends at a root and keeps it if it is better than the one at hand.
func (s *search) offer(path []*Certificate) {
	check := judgePath(path, s.moment)
	if s.path == nil || rank(check.Status) < rank(s.check.Status) {
		s.path, s.check = path, check
	}
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
	if check := judgeNames(path); check.Status != verdict.Passed {
		return check
	}
	best := verdict.Pass(name)
	for i, c := range path {
		what := "issuer"
		if i == 0 {
			what = "certificate of"
		}
		if v := judgeValidity(c, m, what); rank(v.Status) > rank(best.Status) {
			best = v
		}
	}
	return best
}

// limited reports whether the issuer has a path length.
func limited(c *Certificate) bool {
	return c.x.BasicConstraintsValid && (c.x.MaxPathLen > 0 || c.x.MaxPathLenZero)
}

// judgeNames applies name constraints, where an issuer has them, by the library's own verifier over exactly this chain.
// That verifier does not look at mail addresses inside the subject, so such a subject does not pass under constraints.
func judgeNames(path []*Certificate) verdict.Check {
	const name = verdict.CheckCertificateChain
	constrained := false
	for _, c := range path[1:] {
		if present, _ := c.hasExtension([]int{2, 5, 29, 30}); present {
			constrained = true
		}
	}
	if !constrained {
		return verdict.Pass(name)
	}
	leaf := path[0]
	for _, atv := range leaf.Subject.Names {
		if atv.Type.Equal([]int{1, 2, 840, 113549, 1, 9, 1}) {
			return verdict.Fail(name, verdict.NameConstraints,
				"%s has a mail address in its subject under an issuer with name constraints", leaf.SubjectText())
		}
	}
	roots, between := smx509.NewCertPool(), smx509.NewCertPool()
	roots.AddCert(path[len(path)-1].x)
	for _, c := range path[1 : len(path)-1] {
		between.AddCert(c.x)
	}
	_, err := leaf.x.Verify(smx509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: shared(path),
		KeyUsages: []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny},
	})
	if err != nil {
		return verdict.Fail(name, verdict.NameConstraints, "a name of %s is outside what its issuers may name", leaf.SubjectText())
	}
	return verdict.Pass(name)
}

// shared returns a time at which the whole chain is valid, if there is one: name constraints are judged apart from
// validity, which has its own reasons.
func shared(path []*Certificate) time.Time {
	t := path[0].NotBefore
	for _, c := range path {
		if c.NotBefore.After(t) {
			t = c.NotBefore
		}
	}
	return t
}
