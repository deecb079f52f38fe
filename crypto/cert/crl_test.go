package cert_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/verdict"
)

// crlOf makes a list with any content by any CA.
func crlOf(t testing.TB, ca *holder, shape func(*smx509.RevocationList), revoked ...smx509.RevocationListEntry) *cert.RevocationList {
	t.Helper()
	issuer, err := smx509.ParseCertificate(ca.c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &smx509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: now.AddDate(0, 0, -1), NextUpdate: now.AddDate(0, 0, 7), RevokedCertificateEntries: revoked,
	}
	if shape != nil {
		shape(tmpl)
	}
	der, err := smx509.CreateRevocationList(rand.Reader, tmpl, issuer, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := cert.ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func critical(id ...int) func(*smx509.RevocationList) {
	return func(l *smx509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: id, Critical: true, Value: []byte{0x30, 0}}}
	}
}

func updates(this, next time.Time) func(*smx509.RevocationList) {
	return func(l *smx509.RevocationList) { l.ThisUpdate, l.NextUpdate = this, next }
}

func TestRevocation(t *testing.T) {
	root, rogue := custom(t, nil, "root", asCA), custom(t, nil, "root", asCA)
	otherRoot := custom(t, nil, "other root", asCA)
	inter := custom(t, root, "sub", asCA)
	leaf := custom(t, inter, "leaf", nil)
	sourced := custom(t, root, "leaf", func(c *smx509.Certificate) { c.CRLDistributionPoints = []string{"http://example.test/crl"} })
	direct := custom(t, root, "leaf", nil)
	revokedAt := func(h *holder, at time.Time) smx509.RevocationListEntry {
		return smx509.RevocationListEntry{SerialNumber: h.c.Serial, RevocationTime: at}
	}
	day := 24 * time.Hour
	good, goodInter := crlOf(t, root, nil), crlOf(t, inter, nil)
	m := cert.Moment{At: now, Now: now}
	proven := cert.Moment{At: now.Add(-30 * day), Proven: true, Now: now}

	tests := []struct {
		name   string
		h      *holder
		crls   []*cert.RevocationList
		m      cert.Moment
		status verdict.Status
		reason verdict.Reason
	}{
		{"no source, no list", direct, nil, m, verdict.Indeterminate, verdict.NoRevocationSource},
		{"source named, no list", sourced, nil, m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"on no list", direct, lists(good), m, verdict.Passed, ""},
		{"source named, list at hand", sourced, lists(good), m, verdict.Passed, ""},
		{"both lists of the chain", leaf, lists(good, goodInter), m, verdict.Passed, ""},
		{"the intermediate's list is missing", leaf, lists(good), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"the root's list is missing", leaf, lists(goodInter), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"another root's list", direct, lists(crlOf(t, otherRoot, nil)), m, verdict.Indeterminate, verdict.NoRevocationSource},
		{"another root's list, source named", sourced, lists(crlOf(t, otherRoot, nil)), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"the list of another CA below the root", leaf, lists(crlOf(t, custom(t, root, "other sub", asCA), nil)), m, verdict.Indeterminate, verdict.NoRevocationSource},
		{"a rogue list under the same name", direct, lists(crlOf(t, rogue, nil)), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"a rogue list cannot revoke", direct, lists(crlOf(t, rogue, nil, revokedAt(direct, now.Add(-day))), good), m, verdict.Passed, ""},
		{"stale", direct, lists(crlOf(t, root, updates(now.Add(-20*day), now.Add(-day)))), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"from the future", direct, lists(crlOf(t, root, updates(now.Add(day), now.Add(2*day)))), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"stale, but made after a proven time", direct, lists(crlOf(t, root, updates(now.Add(-20*day), now.Add(-day)))), proven, verdict.Passed, ""},
		{"stale, made before a proven time", direct, lists(crlOf(t, root, updates(now.Add(-50*day), now.Add(-40*day)))), proven, verdict.Indeterminate, verdict.RevocationUnknown},
		{
			"made after the certificate ended", direct, lists(crlOf(t, root, updates(now.AddDate(1, 1, 0), now.AddDate(1, 2, 0)))),
			cert.Moment{At: now, Proven: true, Now: now.AddDate(1, 1, 1)},
			verdict.Indeterminate, verdict.RevocationUnknown,
		},
		{"delta list", direct, lists(crlOf(t, root, critical(2, 5, 29, 27))), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"list for a part", direct, lists(crlOf(t, root, critical(2, 5, 29, 28))), m, verdict.Indeterminate, verdict.RevocationUnknown},
		{"revoked before", direct, lists(crlOf(t, root, nil, revokedAt(direct, now.Add(-day)))), m, verdict.Failed, verdict.Revoked},
		{"revoked at that second", direct, lists(crlOf(t, root, nil, revokedAt(direct, now))), m, verdict.Failed, verdict.Revoked},
		{
			"revoked after a claimed time", direct, lists(crlOf(t, root, nil, revokedAt(direct, now.Add(-day)))),
			cert.Moment{At: now.Add(-30 * day), Now: now},
			verdict.Indeterminate, verdict.NoProofOfExistence,
		},
		{"revoked after a proven time", direct, lists(crlOf(t, root, nil, revokedAt(direct, now.Add(-day)))), proven, verdict.Passed, ""},
		{"revoked on a stale list, absent from a current one", direct, lists(
			crlOf(t, root, updates(now.Add(-20*day), now.Add(-10*day)), revokedAt(direct, now.Add(-25*day))), good), m, verdict.Failed, verdict.Revoked},
		{"the intermediate is revoked", leaf, lists(crlOf(t, root, nil, revokedAt(inter, now.Add(-day))), goodInter), m, verdict.Failed, verdict.Revoked},
		{"another one is revoked", direct, lists(crlOf(t, root, nil, revokedAt(leaf, now.Add(-day)))), m, verdict.Passed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := cert.Policy{Roots: certs(root), Intermediates: certs(inter), CRLs: tt.crls}
			expect(t, p.Judge(tt.h.c, cert.UseSign, tt.m), verdict.CheckRevocation, tt.status, tt.reason)
		})
	}
}

func lists(l ...*cert.RevocationList) []*cert.RevocationList { return l }

// TestRevocationBackdated: a revocation counts from its invalidity date, whatever its reason.
func TestRevocationBackdated(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.PartyWith("office", cert.IssueOptions{NotBefore: now.AddDate(-1, 0, 0)}).SigningCert
	signed := cert.Moment{At: now.AddDate(0, 0, -10), Proven: true, Now: now}
	for _, tt := range []struct {
		name   string
		r      cert.Revoked
		status verdict.Status
	}{
		{"compromised, back-dated before the signature", cert.Revoked{Reason: cert.ReasonKeyCompromise, InvalidFrom: now.AddDate(0, 0, -20)}, verdict.Failed},
		{"compromised, back-dated after the signature", cert.Revoked{Reason: cert.ReasonKeyCompromise, InvalidFrom: now.AddDate(0, 0, -5)}, verdict.Passed},
		{"compromised, not back-dated", cert.Revoked{Reason: cert.ReasonKeyCompromise}, verdict.Passed},
		{"superseded, back-dated", cert.Revoked{Reason: cert.ReasonSuperseded, InvalidFrom: now.AddDate(0, 0, -20)}, verdict.Failed},
		{"superseded, not back-dated", cert.Revoked{Reason: cert.ReasonSuperseded}, verdict.Passed},
		{"CA compromised, back-dated", cert.Revoked{Reason: cert.ReasonCACompromise, InvalidFrom: now.AddDate(0, 0, -20)}, verdict.Failed},
		{"no reason, back-dated", cert.Revoked{InvalidFrom: now.AddDate(0, 0, -20)}, verdict.Failed},
		{"affiliation changed, back-dated", cert.Revoked{Reason: cert.ReasonAffiliationChanged, InvalidFrom: now.AddDate(0, 0, -20)}, verdict.Failed},
		{"an invalidity date after the revocation", cert.Revoked{Reason: cert.ReasonKeyCompromise, InvalidFrom: now.AddDate(0, 0, 5)}, verdict.Passed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.r.Serial, tt.r.At = a.Serial, now.AddDate(0, 0, -1)
			l, err := pki.IssueCRL(big.NewInt(7), now.AddDate(0, 0, 7), []cert.Revoked{tt.r})
			if err != nil {
				t.Fatal(err)
			}
			p := pki.Policy()
			p.CRLs = lists(l)
			if got := find(t, p.Judge(a, cert.UseSign, signed), verdict.CheckRevocation); got.Status != tt.status {
				t.Errorf("%s %s: %s", got.Status, got.Reason, got.Detail)
			}
		})
	}
}

// TestRevocationSettings: what each setting makes of each state, through the verdict on a whole signature.
func TestRevocationSettings(t *testing.T) {
	pki := certtest.New(t, "root", now)
	plain := pki.Party("office").SigningCert
	sourced := pki.PartyWith("office", cert.IssueOptions{OCSP: []string{"http://example.test/ocsp"}}).SigningCert
	tests := []struct {
		set  verdict.Setting
		c    *cert.Certificate
		want verdict.Status
	}{
		{"", plain, verdict.Passed},
		{verdict.RevocationAuto, plain, verdict.Passed},
		{verdict.RevocationAuto, sourced, verdict.Indeterminate},
		{verdict.RevocationRequire, plain, verdict.Indeterminate},
		{verdict.RevocationRequire, sourced, verdict.Indeterminate},
		{verdict.RevocationOff, plain, verdict.Passed},
		{verdict.RevocationOff, sourced, verdict.Passed},
	}
	for _, tt := range tests {
		p := pki.Policy()
		p.Revocation = tt.set
		var s verdict.Signature
		p.JudgeInto(&s, tt.c, cert.UseSign, cert.Moment{At: now, Proven: true, Now: now})
		s.Judge(p.Setting())
		if s.Verdict != tt.want {
			t.Errorf("%q, sources %v: %s %s, want %s", tt.set, tt.c.RevocationSources(), s.Verdict, s.Reason, tt.want)
		}
		if off := len(s.Checks) == 2; off != (tt.set == verdict.RevocationOff) {
			t.Errorf("%q: %d checks", tt.set, len(s.Checks))
		}
	}
}

// TestRevocationWithoutRoot: without a chain no list is believed.
func TestRevocationWithoutRoot(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	leaf := custom(t, root, "leaf", nil)
	p := cert.Policy{CRLs: lists(crlOf(t, root, nil))}
	expect(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{Now: now}), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
	expect(t, cert.Policy{}.Judge(leaf.c, cert.UseSign, cert.Moment{Now: now}), verdict.CheckRevocation, verdict.Indeterminate, verdict.NoRevocationSource)
}

func TestParseCRL(t *testing.T) {
	l := crlOf(t, custom(t, nil, "root", asCA), nil)
	for name, good := range map[string][]byte{"DER": l.Raw, "PEM": l.PEM()} {
		if got, err := cert.ParseCRL(good); err != nil || !bytes.Equal(got.Raw, l.Raw) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "trailing": append(bytes.Clone(l.Raw), 0), "cut off": l.Raw[:len(l.Raw)-1],
		"too large": make([]byte, cert.MaxCRLSize+1), "far too large": make([]byte, 2*cert.MaxCRLSize+1),
	} {
		if _, err := cert.ParseCRL(bad); !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
