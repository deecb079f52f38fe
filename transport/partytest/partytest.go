// Package partytest makes offices with keys and dual certificates for tests of what offices sign and open. It is imported
// by tests alone; every key is made anew.
package partytest

import (
	"crypto/rand"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
)

// Clock is the time at which everything in such a test happens.
func Clock() time.Time { return time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC) }

// Authority is a root that certifies parties.
type Authority struct {
	CA *cert.Authority
}

// Party is an office with a dual certificate.
type Party struct {
	Code        string
	SignKey     *gm.PrivateKey
	SignCert    *cert.Certificate
	DecryptKey  *gm.PrivateKey
	DecryptCert *cert.Certificate
}

// NewKey makes a key.
func NewKey(t testing.TB) *gm.PrivateKey {
	t.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// NewAuthority makes a root.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	ca, err := cert.NewRoot(cert.Station{Signer: NewKey(t), Now: Clock}, cert.Subject("Test root", "Test"), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{CA: ca}
}

// Policy trusts this root alone.
func (a *Authority) Policy() cert.Policy {
	return cert.Policy{Roots: []*cert.Certificate{a.CA.Certificate}}
}

// Party makes an office. An empty code makes certificates that name none.
func (a *Authority) Party(t testing.TB, code string) *Party {
	t.Helper()
	p := &Party{Code: code, SignKey: NewKey(t), DecryptKey: NewKey(t)}
	name := cert.Subject("Office "+code, "Test")
	name.SerialNumber = code
	var err error
	if p.SignCert, err = a.CA.IssueSigning(name, p.SignKey.PublicKey(), cert.IssueOptions{}); err != nil {
		t.Fatal(err)
	}
	if p.DecryptCert, err = a.CA.IssueEncryption(name, p.DecryptKey.PublicKey(), cert.IssueOptions{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// Sign are the options with which the office signs.
func (p *Party) Sign() cms.SignOptions {
	return cms.SignOptions{Signer: p.SignKey, Certificate: p.SignCert, Time: Clock()}
}
