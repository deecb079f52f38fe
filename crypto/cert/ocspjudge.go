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

// answer looks for what an OCSP response says of c: an entry if it is revoked, good, or why it says nothing. An empty
// why with neither means that the response is about other certificates.
func (p Policy) answer(r *OCSPResponse, c, issuer *Certificate, m Moment) (entry *smx509.RevocationListEntry, good bool, why string) {
	if r.Status != OCSPSuccessful {
		return nil, false, fmt.Sprintf("the OCSP responder gave status %d", r.Status)
	}
	asked := false
	for i := range r.entries {
		e := &r.entries[i]
		if !e.id.matches(c, issuer) {
			continue
		}
		if !asked {
			if why := p.empowered(r, issuer); why != "" {
				return nil, false, why
			}
			asked = true
		}
		switch {
		case e.status == 'r':
			// Revocation does not lapse: even an old answer counts.
			return &smx509.RevocationListEntry{SerialNumber: c.Serial, RevocationTime: e.revokedAt, ReasonCode: e.reason}, false, ""
		case e.status == 'u':
			why = "the OCSP responder does not know the certificate"
		case r.foreign || e.foreign:
			why = "the OCSP response has an unknown critical extension"
		case !e.speaksFor(c, m):
			why = fmt.Sprintf("the OCSP response of %s does not speak for the time asked about", stamp(e.thisUpdate))
		default:
			good = true
		}
	}
	return nil, good, why
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

// empowered says why the signer of the response may not speak for the issuer, nothing if it may: it is the issuer's own
// key, or that of a certificate which the issuer's key has signed for OCSP signing, valid when it answered and not on a
// list at hand (RFC 6960 4.2.2.2).
func (p Policy) empowered(r *OCSPResponse, issuer *Certificate) string {
	if !r.sm2 {
		return "the OCSP response is not signed by SM2"
	}
	for _, c := range append([]*Certificate{issuer}, r.certs...) {
		if r.responder != nil && !bytes.Equal(r.responder, c.RawSubject) || !p.Spend() || !gm.Verify(c.PublicKey, r.tbs, r.signature) {
			continue
		}
		switch {
		case c.PublicKey.Equal(issuer.PublicKey):
			return ""
		case !bytes.Equal(c.RawIssuer, issuer.RawSubject) || !p.Spend() || !signedBy(c, issuer):
			return "the OCSP response is signed by somebody whom the issuer has not empowered"
		case !c.forOCSP() || len(c.x.UnhandledCriticalExtensions) > 0:
			return "the OCSP response is signed by a certificate that is not for OCSP"
		case !c.ValidAt(r.ProducedAt):
			return "the OCSP responder's certificate was not valid when it answered"
		case p.listed(c, issuer):
			return "the OCSP responder's certificate has been revoked"
		}
		return ""
	}
	return "the OCSP response is not signed by the issuer or by a responder in it"
}

// forOCSP: the extended key usage OCSPSigning, for signing, and no CA.
func (c *Certificate) forOCSP() bool {
	if c.IsCA || c.x.KeyUsage&smx509.KeyUsageDigitalSignature == 0 {
		return false
	}
	return slices.Contains(c.x.ExtKeyUsage, smx509.ExtKeyUsageOCSPSigning)
}

// listed reports whether a list of the issuer names c, at whatever time: a responder's key that was ever lost answers
// nothing. With the extension id-pkix-ocsp-nocheck the issuer asks not to look.
func (p Policy) listed(c, issuer *Certificate) bool {
	if present, _ := c.hasExtension(oidOCSPNoCheck); present {
		return false
	}
	for _, l := range p.CRLs {
		if bytes.Equal(l.x.RawIssuer, issuer.RawSubject) && l.revoked[string(c.Serial.Bytes())] != nil && p.Spend() &&
			l.x.CheckSignatureFrom(issuer.x) == nil {
			return true
		}
	}
	return false
}
