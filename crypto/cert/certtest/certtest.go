// Package certtest makes a small PKI for tests: a root, and parties with dual certificates. Keys are fresh in each test;
// nothing here may be used outside tests.
package certtest

import (
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
)

// PKI is a certificate authority with its key in memory.
type PKI struct {
	*cert.Authority
	Key *gm.PrivateKey
	Now time.Time
	tb  testing.TB
}

// Party has both halves of a dual certificate.
type Party struct {
	Name                        string
	SignKey, EncryptKey         *gm.PrivateKey
	SigningCert, EncryptionCert *cert.Certificate
}

// Key makes a fresh key.
func Key(tb testing.TB) *gm.PrivateKey {
	tb.Helper()
	k, err := gm.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// New makes a root of the given name that was made a year before now, so that certificates may begin in the past.
func New(tb testing.TB, name string, now time.Time) *PKI {
	tb.Helper()
	key := Key(tb)
	root, err := cert.NewRoot(cert.Station{Signer: key, Now: func() time.Time { return now }},
		cert.Subject(name, "Test"), cert.IssueOptions{NotBefore: now.AddDate(-10, 0, 0)})
	if err != nil {
		tb.Fatal(err)
	}
	return &PKI{Authority: root, Key: key, Now: now, tb: tb}
}

// Party makes a party with both certificates.
func (p *PKI) Party(name string) *Party {
	p.tb.Helper()
	return p.PartyWith(name, cert.IssueOptions{})
}

// PartyWith is Party with options for both certificates.
func (p *PKI) PartyWith(name string, o cert.IssueOptions) *Party {
	p.tb.Helper()
	y := &Party{Name: name, SignKey: Key(p.tb), EncryptKey: Key(p.tb)}
	var err error
	if y.SigningCert, err = p.IssueSigning(cert.Subject(name, "Test"), y.SignKey.PublicKey(), o); err != nil {
		p.tb.Fatal(err)
	}
	if y.EncryptionCert, err = p.IssueEncryption(cert.Subject(name, "Test"), y.EncryptKey.PublicKey(), o); err != nil {
		p.tb.Fatal(err)
	}
	return y
}

// Policy trusts this root alone.
func (p *PKI) Policy() cert.Policy {
	return cert.Policy{Roots: []*cert.Certificate{p.Certificate}}
}
