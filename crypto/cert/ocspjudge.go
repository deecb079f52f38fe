package cert

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/gm"
)

// ocspFresh is how long an answer that names no next update is taken for the present state.
const ocspFresh = time.Hour

// answer takes in what an OCSP response says of c, or tells why it says nothing. An empty text with nothing taken in means
// that the response is about other certificates.
func (p Policy) answer(r *OCSPResponse, c, issuer *Certificate, m Moment, s *state) (why string) {
	if r.Status != OCSPSuccessful {
		return fmt.Sprintf("the OCSP responder gave status %d", r.Status)
	}
	var by *Certificate
	for i := range r.entries {
		e := &r.entries[i]
		if !e.id.matches(c, issuer) {
			continue
		}
		if by == nil {
			if by, why = p.empowered(r, issuer); why != "" {
				return why
			}
		}
		switch {
		case e.status == 'r':
			// Revocation does not lapse: even an old answer counts.
			s.revoked = append(s.revoked, stated{Revoked{Serial: c.Serial, At: e.revokedAt, Reason: e.reason}, e.thisUpdate})
			return ""
		case e.status == 'u':
			why = "the OCSP responder does not know the certificate"
		case r.foreign || e.foreign:
			why = "the OCSP response has an unknown critical extension"
		case by != issuer && !by.ValidAt(m.Now):
			// Nobody keeps the keys of responders that have ended: they may state any time.
			why = "the OCSP responder's certificate has ended since it answered"
		case e.thisUpdate.After(r.ProducedAt) || r.ProducedAt.After(m.Now):
			why = "the OCSP response states times that cannot be"
		case !e.speaksFor(c, m):
			why = fmt.Sprintf("the OCSP response of %s does not speak for the time asked about", stamp(e.thisUpdate))
		default:
			s.good = true
			s.cleared(e.thisUpdate)
		}
	}
	return why
}

// speaksFor is RevocationList.speaksFor for an OCSP answer.
func (e *ocspEntry) speaksFor(c *Certificate, m Moment) bool {
	if e.thisUpdate.After(m.Now) || e.thisUpdate.After(c.NotAfter) {
		return false
	}
	if m.sighted() && !e.thisUpdate.Before(m.Seen) {
		return true
	}
	if e.nextUpdate.IsZero() {
		return !m.Now.After(e.thisUpdate.Add(ocspFresh))
	}
	return !m.Now.After(e.nextUpdate)
}

// empowered returns the certificate of the response's signer, or says why it may not speak for the issuer: it is the issuer's
// own key, or that of a certificate which the issuer's key has signed for OCSP signing, valid when it answered and not on a
// list at hand (RFC 6960 4.2.2.2).
func (p Policy) empowered(r *OCSPResponse, issuer *Certificate) (by *Certificate, why string) {
	if !r.sm2 {
		return nil, "the OCSP response is not signed by SM2"
	}
	for _, c := range append([]*Certificate{issuer}, r.certs...) {
		if r.responder != nil && !bytes.Equal(r.responder, c.RawSubject) || !p.Spend() || !gm.Verify(c.PublicKey, r.tbs, r.signature) {
			continue
		}
		switch {
		case c.PublicKey.Equal(issuer.PublicKey):
			return issuer, ""
		case !bytes.Equal(c.RawIssuer, issuer.RawSubject) || !p.Spend() || !signedBy(c, issuer):
			return nil, "the OCSP response is signed by somebody whom the issuer has not empowered"
		case !c.forOCSP() || len(c.x.UnhandledCriticalExtensions) > 0:
			return nil, "the OCSP response is signed by a certificate that is not for OCSP"
		case !c.ValidAt(r.ProducedAt):
			return nil, "the OCSP responder's certificate was not valid when it answered"
		case p.listed(c, issuer):
			return nil, "the OCSP responder's certificate has been revoked"
		}
		return c, ""
	}
	return nil, "the OCSP response is not signed by the issuer or by a responder in it"
}

// forOCSP: the extended key usage OCSPSigning, for signing, and no CA.
func (c *Certificate) forOCSP() bool {
	if c.IsCA || c.x.KeyUsage&smx509.KeyUsageDigitalSignature == 0 {
		return false
	}
	return slices.Contains(c.x.ExtKeyUsage, smx509.ExtKeyUsageOCSPSigning)
}

// listed reports whether a list of the issuer names c, at whatever time: a responder's key that was ever lost answers
// nothing. The extension id-pkix-ocsp-nocheck asks not to look for a list; one at hand is heard all the same.
func (p Policy) listed(c, issuer *Certificate) bool {
	for _, l := range p.CRLs {
		if bytes.Equal(l.rawIssuer, issuer.RawSubject) && l.names(c) && p.Spend() && l.signedBy(issuer) {
			return true
		}
	}
	return false
}
