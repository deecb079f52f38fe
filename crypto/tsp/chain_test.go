package tsp_test

import (
	"math/big"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

// subOffice is a time-stamp authority under an intermediate CA that has its own clock, as whoever stole its key has.
type subOffice struct {
	pki   *certtest.PKI
	sub   *cert.Authority
	key   *gm.PrivateKey
	cert  *cert.Certificate
	clock time.Time
}

// newSubOffice makes one whose certificates name lists at an address, if any.
func newSubOffice(t *testing.T, lists ...string) *subOffice {
	t.Helper()
	o := &subOffice{pki: certtest.New(t, "Root", now), key: certtest.Key(t), clock: now}
	subKey := certtest.Key(t)
	c, err := o.pki.IssueIntermediate(cert.Subject("Sub", "Test"), subKey.PublicKey(), cert.IssueOptions{NotBefore: now.AddDate(-2, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if o.sub, err = cert.OpenAuthority(cert.Station{Signer: subKey, Now: func() time.Time { return o.clock }}, c); err != nil {
		t.Fatal(err)
	}
	o.cert, err = o.sub.IssueTimestamp(cert.Subject("TSA", "Test"), o.key.PublicKey(), cert.IssueOptions{
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(2, 0, 0), CRLs: lists,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// stamp gets a token of the given time over a digest.
func (o *subOffice) stamp(t *testing.T, at time.Time, sum [32]byte) []byte {
	t.Helper()
	a, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: o.key, Certificate: o.cert, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	der, err := a.Respond(newRequest(t, sum, nil).Raw)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	return r.Token
}

// list is a revocation list of the authority at a time.
func list(t *testing.T, a *cert.Authority, this, next time.Time, key *gm.PrivateKey, revoked ...cert.Revoked) *cert.RevocationList {
	t.Helper()
	station := cert.Station{Signer: key, Now: func() time.Time { return this }}
	if a, err := cert.OpenAuthority(station, a.Certificate); err != nil {
		t.Fatal(err)
	} else if l, err := a.IssueCRL(big.NewInt(1), next, revoked); err != nil {
		t.Fatal(err)
	} else {
		return l
	}
	return nil
}

// TestCompromisedIssuer: whoever has the key of a CA above an authority makes authorities and tokens of any time, so a token
// does not vouch for its own chain. Only what somebody else saw before stands.
func TestCompromisedIssuer(t *testing.T) {
	stamped, revoked := now.AddDate(0, 0, -10), now.AddDate(0, 0, -5)
	tests := []struct {
		name   string
		entry  cert.Revoked
		seen   time.Time
		status verdict.Status
		reason verdict.Reason
	}{
		{"key lost later", cert.Revoked{At: revoked, Reason: cert.ReasonKeyCompromise}, time.Time{}, verdict.Failed, verdict.Revoked},
		{"CA lost later", cert.Revoked{At: revoked, Reason: 2}, time.Time{}, verdict.Failed, verdict.Revoked},
		{"no reason, later", cert.Revoked{At: revoked}, time.Time{}, verdict.Failed, verdict.Revoked},
		{"on hold later", cert.Revoked{At: revoked, Reason: cert.ReasonCertificateHold}, time.Time{}, verdict.Failed, verdict.Revoked},
		{"superseded later", cert.Revoked{At: revoked, Reason: cert.ReasonSuperseded}, time.Time{}, verdict.Passed, ""},
		{"superseded before", cert.Revoked{At: stamped.AddDate(0, 0, -1), Reason: cert.ReasonSuperseded}, time.Time{}, verdict.Failed, verdict.Revoked},
		{"key lost after the token was seen", cert.Revoked{At: revoked, Reason: cert.ReasonKeyCompromise}, revoked.Add(-time.Hour), verdict.Passed, ""},
		{"key lost before the token was seen", cert.Revoked{At: revoked, Reason: cert.ReasonKeyCompromise}, revoked.Add(time.Hour), verdict.Failed, verdict.Revoked},
		{
			"key said to be lost before the token was seen",
			cert.Revoked{At: revoked, Reason: cert.ReasonKeyCompromise, InvalidFrom: stamped.Add(time.Hour)},
			revoked.Add(-time.Hour), verdict.Failed, verdict.Revoked,
		},
	}
	o := newSubOffice(t)
	sum := gm.SM3([]byte("a seal"))
	token := o.stamp(t, stamped, sum)
	current, err := o.listBy(now.Add(-time.Hour), now.AddDate(0, 0, 7))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.entry.Serial = o.sub.Certificate.Serial
			p := o.pki.Policy().With(o.sub.Certificate)
			p.CRLs = []*cert.RevocationList{list(t, o.pki.Authority, now.Add(-time.Hour), now.AddDate(0, 0, 7), o.pki.Key, tt.entry), current}
			expect(t, tsp.JudgeToken(token, sum, tsp.JudgeOptions{Policy: p, Seen: tt.seen, Now: now}), tt.status, tt.reason)
		})
	}
}

// TestForgedWithStolenIssuer is the whole attack: from one stolen and revoked CA key a signer, an authority, a token of
// before the theft, and lists of that time inside the message. The twin is the same under a CA that is not revoked.
func TestForgedWithStolenIssuer(t *testing.T) {
	o := newSubOffice(t, "http://crl.example.test/sub.crl")
	at := now.AddDate(0, 0, -10)
	key := certtest.Key(t)
	signer, err := o.sub.IssueSigning(cert.Subject("Mayor", "Test"), key.PublicKey(), cert.IssueOptions{
		NotBefore: at.AddDate(0, 0, -90), CRLs: []string{"http://crl.example.test/sub.crl"},
	})
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("content")
	der, err := cms.Sign(content, cms.SignOptions{Signer: key, Certificate: signer, Chain: []*cert.Certificate{o.sub.Certificate}, Time: at})
	if err != nil {
		t.Fatal(err)
	}
	der, err = cms.Stamp(der, func(sum [32]byte) ([]byte, error) { return o.stamp(t, at, sum), nil })
	if err != nil {
		t.Fatal(err)
	}
	old, err := o.listBy(at.Add(time.Hour), at.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	current, err := o.listBy(now.Add(-time.Hour), now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	lost := cert.Revoked{Serial: o.sub.Certificate.Serial, At: now.AddDate(0, 0, -5), Reason: cert.ReasonKeyCompromise}
	tests := []struct {
		name    string
		carried *cert.RevocationList
		revoked []cert.Revoked
		status  verdict.Status
		reason  verdict.Reason
	}{
		{"twin", current, nil, verdict.Passed, ""},
		{"the CA is revoked", current, []cert.Revoked{lost}, verdict.Failed, verdict.Revoked},
		{"the CA is revoked, the list is old", old, []cert.Revoked{lost}, verdict.Failed, verdict.Revoked},
		{"the list is of then and no longer speaks", old, nil, verdict.Indeterminate, verdict.RevocationUnknown},
	}
	for _, tt := range tests {
		for _, set := range []verdict.Setting{verdict.RevocationAuto, verdict.RevocationRequire} {
			t.Run(tt.name+" "+string(set), func(t *testing.T) {
				p := o.pki.Policy()
				p.Revocation = set
				p.CRLs = []*cert.RevocationList{list(t, o.pki.Authority, now.Add(-time.Hour), now.AddDate(0, 0, 7), o.pki.Key, tt.revoked...)}
				stapled, err := cms.Staple(der, []*cert.RevocationList{tt.carried}, nil)
				if err != nil {
					t.Fatal(err)
				}
				s, err := cms.ParseSigned(stapled)
				if err != nil {
					t.Fatal(err)
				}
				v := tsp.JudgeSigned(s, gm.SM3(content), false, cms.JudgeOptions{Policy: p, Now: now})[0]
				if v.Verdict != tt.status || v.Reason != tt.reason {
					t.Errorf("%s %s, want %s %s: %+v", v.Verdict, v.Reason, tt.status, tt.reason, v.Checks)
				}
			})
		}
	}
}

// listBy is a list without entries by the intermediate CA.
func (o *subOffice) listBy(this, next time.Time) (*cert.RevocationList, error) {
	o.clock = this
	return o.sub.IssueCRL(big.NewInt(1), next, nil)
}

// TestLapsedToken: when the authority's certificate has ended and nobody saw the token before, it is as if there were none,
// with a warning: the signature stands while its own certificate does.
func TestLapsedToken(t *testing.T) {
	o := newSubOffice(t)
	short := o.pki.PartyWith("Short", cert.IssueOptions{NotAfter: now.AddDate(1, 0, 0)})
	long := o.pki.PartyWith("Long", cert.IssueOptions{NotAfter: now.AddDate(5, 0, 0)})
	content := []byte("content")
	for _, tt := range []struct {
		name   string
		party  *certtest.Party
		given  time.Time
		status verdict.Status
		reason verdict.Reason
		source string
		warned bool
	}{
		{"signer good still", long, time.Time{}, verdict.Passed, "", verdict.TimeFromSigner, true},
		{"signer ended too", short, time.Time{}, verdict.Indeterminate, verdict.NoProofOfExistence, verdict.TimeFromSigner, true},
		{"seen by a log before", short, now.AddDate(0, 6, 0), verdict.Passed, "", verdict.TimeFromLog, false},
		{"seen by a log after", long, now.AddDate(2, 6, 0), verdict.Passed, "", verdict.TimeFromLog, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der, err := cms.Sign(content, cms.SignOptions{Signer: tt.party.SignKey, Certificate: tt.party.SigningCert, Chain: []*cert.Certificate{o.sub.Certificate}, Time: now})
			if err != nil {
				t.Fatal(err)
			}
			der, err = cms.Stamp(der, func(sum [32]byte) ([]byte, error) { return o.stamp(t, now, sum), nil })
			if err != nil {
				t.Fatal(err)
			}
			s, err := cms.ParseSigned(der)
			if err != nil {
				t.Fatal(err)
			}
			options := cms.JudgeOptions{Policy: o.pki.Policy(), Now: now.AddDate(3, 0, 0)}
			if !tt.given.IsZero() {
				options.At, options.TimeSource = tt.given, verdict.TimeFromLog
			}
			v := tsp.JudgeSigned(s, gm.SM3(content), false, options)[0]
			if v.Verdict != tt.status || v.Reason != tt.reason || v.TimeSource != tt.source {
				t.Errorf("%s %s, time by %s; want %s %s, %s: %+v", v.Verdict, v.Reason, v.TimeSource, tt.status, tt.reason, tt.source, v.Checks)
			}
			if v.Warned(verdict.NoProofOfExistence) != tt.warned || v.Warned(verdict.TimeClaimed) != (tt.source == verdict.TimeFromSigner) {
				t.Errorf("warnings %v", v.Warnings)
			}
			for _, c := range v.Checks {
				if c.Name == verdict.CheckTimestamp && tt.warned {
					t.Errorf("a check for a token that proves nothing: %+v", c)
				}
			}
		})
	}
}
