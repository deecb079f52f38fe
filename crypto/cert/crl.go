package cert

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// MaxCRLSize bounds a revocation list, in bytes of DER.
const MaxCRLSize = 20 << 20

// Reason codes of a revocation (RFC 5280, 5.3.1).
const (
	ReasonUnspecified          = 0
	ReasonKeyCompromise        = 1
	ReasonAffiliationChanged   = 3
	ReasonSuperseded           = 4
	ReasonCessationOfOperation = 5
	ReasonCertificateHold      = 6
)

var oidInvalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}

// RevocationList is a parsed CRL. It says nothing until the issuer's key has been found to have signed it.
type RevocationList struct {
	// Raw is the whole DER.
	Raw []byte
	// ThisUpdate and NextUpdate bound the time for which the list speaks, in UTC. NextUpdate may be zero.
	ThisUpdate, NextUpdate time.Time
	// Number is the list's number, nil if it has none.
	Number *big.Int

	x       *smx509.RevocationList
	sum     [32]byte // SM3 of Raw
	revoked map[string]*smx509.RevocationListEntry
}

// ParseCRL reads a revocation list in DER or PEM.
func ParseCRL(data []byte) (*RevocationList, error) {
	if len(data) > 2*MaxCRLSize {
		return nil, fmt.Errorf("%w: revocation list of %d bytes", ErrMalformed, len(data))
	}
	if block, _ := pem.Decode(data); block != nil && block.Type == pemCRL {
		data = block.Bytes
	}
	if len(data) > MaxCRLSize {
		return nil, fmt.Errorf("%w: revocation list of %d bytes", ErrMalformed, len(data))
	}
	x, err := smx509.ParseRevocationList(data)
	if err != nil {
		return nil, fmt.Errorf("%w: revocation list: %w", ErrMalformed, err)
	}
	if len(x.Raw) != len(data) {
		return nil, fmt.Errorf("%w: data after the revocation list", ErrMalformed)
	}
	l := &RevocationList{
		Raw: bytes.Clone(x.Raw), ThisUpdate: x.ThisUpdate.UTC(), NextUpdate: x.NextUpdate.UTC(), Number: x.Number,
		x: x, sum: gm.SM3(x.Raw), revoked: make(map[string]*smx509.RevocationListEntry, len(x.RevokedCertificateEntries)),
	}
	for i := range x.RevokedCertificateEntries {
		e := &x.RevokedCertificateEntries[i]
		l.revoked[string(e.SerialNumber.Bytes())] = e
	}
	return l, nil
}

// PEM writes the list as one PEM block.
func (l *RevocationList) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCRL, Bytes: l.Raw})
}

// complete reports whether the list is a whole one that this package understands: delta lists, indirect lists and
// lists for part of the certificates say so in critical extensions.
func (l *RevocationList) complete() bool {
	for _, e := range l.x.Extensions {
		if e.Critical {
			return false
		}
	}
	for i := range l.x.RevokedCertificateEntries {
		for _, e := range l.x.RevokedCertificateEntries[i].Extensions {
			if e.Critical {
				return false
			}
		}
	}
	return true
}

// speaksFor reports whether the list tells the state of c for the moment: it is current, or it was made after what was
// signed had been seen; and c had not left it by expiring.
func (l *RevocationList) speaksFor(c *Certificate, m Moment) bool {
	if l.ThisUpdate.After(m.Now) || l.ThisUpdate.After(c.NotAfter) {
		return false
	}
	if m.sighted() && !l.ThisUpdate.Before(m.Seen) {
		return true
	}
	return !l.NextUpdate.IsZero() && !m.Now.After(l.NextUpdate)
}

// judgeRevocation judges every certificate of the path but the root; the worst answer counts. Without a path only the
// certificate itself can be asked about, and no list can be trusted.
func (p Policy) judgeRevocation(c *Certificate, path []*Certificate, use Use, m Moment) verdict.Check {
	if len(path) == 0 {
		if len(c.RevocationSources()) > 0 || p.configured() {
			return unknownRevocation(c, "without a chain to a root no list can be relied on")
		}
		return noSource(c)
	}
	worst := verdict.Pass(verdict.CheckRevocation)
	for i, c := range path[:len(path)-1] {
		if k := p.revocationOf(c, path[i+1], use, m); severity(k) > severity(worst) {
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

func (p Policy) revocationOf(c, issuer *Certificate, use Use, m Moment) verdict.Check {
	var found *smx509.RevocationListEntry
	why, good := "", false
	sourced := len(c.RevocationSources()) > 0
	silent := func(carried bool, text string) {
		if text != "" && (sourced || !carried) {
			why = text
		}
	}
	for i, l := range p.CRLs {
		carried := i >= len(p.CRLs)-p.carriedCRLs
		if !bytes.Equal(l.x.RawIssuer, issuer.RawSubject) || carried && !p.Spend() {
			continue
		}
		switch {
		case !p.Cache.listSigned(l, issuer):
			silent(carried, "the list that bears the issuer's name is not signed by the issuer's key")
		case l.revoked[string(c.Serial.Bytes())] != nil:
			// Revocation does not lapse: even an old list that names the certificate counts.
			found = earlier(found, l.revoked[string(c.Serial.Bytes())])
		case !l.complete():
			silent(carried, "the list is partial or has an unknown critical extension")
		case !l.speaksFor(c, m):
			silent(carried, fmt.Sprintf("the list of %s does not speak for the time asked about", stamp(l.ThisUpdate)))
		default:
			good = true
		}
	}
	for i, r := range p.OCSP {
		carried, asked := i >= len(p.OCSP)-p.carriedOCSP, p
		if !carried {
			asked.budget = nil
		}
		entry, fine, text := asked.answer(r, c, issuer, m)
		if entry != nil {
			found = earlier(found, entry)
		}
		good = good || fine
		silent(carried, text)
	}
	switch {
	case p.budget != nil && p.budget.over:
		return verdict.Fail(verdict.CheckRevocation, verdict.Limit,
			"more than %d signatures to check; the evidence was not looked through", MaxSignatureChecks)
	case found != nil:
		return judgeEntry(c, found, use, m)
	case good:
		return verdict.Pass(verdict.CheckRevocation)
	case why != "":
		return unknownRevocation(c, why)
	case sourced:
		return unknownRevocation(c, "its revocation source was not consulted")
	case p.configured():
		return unknownRevocation(c, "no list of its issuer and no answer about it is at hand")
	}
	return noSource(c)
}

// since is the time from which a revocation counts: for a compromised key, the back-dated invalidity date if there is one.
func since(e *smx509.RevocationListEntry) time.Time {
	t := e.RevocationTime.UTC()
	if e.ReasonCode != ReasonKeyCompromise {
		return t
	}
	for _, x := range e.Extensions {
		var from time.Time
		if !x.Id.Equal(oidInvalidityDate) {
			continue
		}
		if rest, err := asn1.UnmarshalWithParams(x.Value, &from, "generalized"); err == nil && len(rest) == 0 && from.Before(t) {
			t = from.UTC()
		}
	}
	return t
}

func earlier(a, b *smx509.RevocationListEntry) *smx509.RevocationListEntry {
	if a == nil || since(b).Before(since(a)) {
		return b
	}
	return a
}

func judgeEntry(c *Certificate, e *smx509.RevocationListEntry, use Use, m Moment) verdict.Check {
	const name = verdict.CheckRevocation
	from := since(e)
	switch {
	case !from.After(m.At):
		return verdict.Fail(name, verdict.Revoked, "certificate of %s was revoked from %s, signing time %s",
			c.SubjectText(), stamp(from), stamp(m.At))
	case m.sighted() && from.After(m.Seen):
		return verdict.Pass(name)
	case use == UseTimestamp && !harmless(e.ReasonCode):
		// Whoever has the key of an authority, or of a CA above it, can write any time into a token: none that nobody saw
		// before the revocation counts (RFC 3161 4).
		return verdict.Fail(name, verdict.Revoked, "certificate of %s was revoked on %s as no longer to be trusted at any time",
			c.SubjectText(), stamp(e.RevocationTime))
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
