package cert_test

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

var now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// holder is a certificate with its key, CA or not.
type holder struct {
	c   *cert.Certificate
	key *gm.PrivateKey
}

// custom makes certificates that the Authority would never issue. A nil parent means self-signed; shape alters the
// template of a good leaf.
func custom(t testing.TB, parent *holder, name string, shape func(*smx509.Certificate)) *holder {
	t.Helper()
	return customKey(t, parent, name, certtest.Key(t), shape)
}

func customKey(t testing.TB, parent *holder, name string, key *gm.PrivateKey, shape func(*smx509.Certificate)) *holder {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &smx509.Certificate{
		SerialNumber: serial, Subject: cert.Subject(name, "Test"), SignatureAlgorithm: smx509.SM2WithSM3,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: smx509.KeyUsageDigitalSignature | smx509.KeyUsageContentCommitment,
	}
	if shape != nil {
		shape(tmpl)
	}
	issuer, signer := tmpl, key
	if parent != nil {
		if issuer, err = smx509.ParseCertificate(parent.c.Raw); err != nil {
			t.Fatal(err)
		}
		signer = parent.key
	}
	der, err := smx509.CreateCertificate(rand.Reader, tmpl, issuer, key.PublicKey(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{c, key}
}

// asCA shapes a CA.
func asCA(tmpl *smx509.Certificate) {
	tmpl.KeyUsage = smx509.KeyUsageCertSign | smx509.KeyUsageCRLSign
	tmpl.BasicConstraintsValid, tmpl.IsCA = true, true
}

// both applies two shapes.
func both(a, b func(*smx509.Certificate)) func(*smx509.Certificate) {
	return func(t *smx509.Certificate) { a(t); b(t) }
}

func criticalUnknown(tmpl *smx509.Certificate) {
	tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, pkix.Extension{
		Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: asn1.NullBytes,
	})
}

// find returns the check of that name.
func find(t testing.TB, checks []verdict.Check, name verdict.CheckName) verdict.Check {
	t.Helper()
	for _, c := range checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s in %v", name, checks)
	return verdict.Check{}
}

// expect compares a check with the wanted status and reason.
func expect(t testing.TB, checks []verdict.Check, name verdict.CheckName, status verdict.Status, reason verdict.Reason) {
	t.Helper()
	if c := find(t, checks, name); c.Status != status || c.Reason != reason {
		t.Errorf("%s: %s %s (%s), want %s %s", name, c.Status, c.Reason, c.Detail, status, reason)
	}
}

func certs(list ...*holder) []*cert.Certificate {
	out := make([]*cert.Certificate, len(list))
	for i, h := range list {
		out[i] = h.c
	}
	return out
}
