package cert_test

import (
	"crypto/x509/pkix"
	"net/url"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/verdict"
)

// TestNamesWhereTheLibraryDoesNotLook is T-02 for what the library's verifier passes over: nobody's certificates, mail addresses
// in subjects above the leaf, wildcards, and hosts below one that alone was permitted.
func TestNamesWhereTheLibraryDoesNotLook(t *testing.T) {
	uri := func(text string) func(*smx509.Certificate) {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return func(c *smx509.Certificate) { c.URIs = []*url.URL{u} }
	}
	mail := func(address string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.EmailAddresses = []string{address} }
	}
	host := func(name string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.DNSNames = []string{name} }
	}
	nobody := func(c *smx509.Certificate) { c.Subject = pkix.Name{} }
	mailInSubject := func(c *smx509.Certificate) {
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkixMail("a@gov.test"))
	}
	mails := func(permitted ...string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.PermittedEmailAddresses = permitted }
	}
	uris := func(permitted ...string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.PermittedURIDomains = permitted }
	}
	without := func(excluded ...string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.ExcludedDNSDomains = excluded }
	}
	none := func(*smx509.Certificate) {}
	tests := []struct {
		name                 string
		issuer, middle, leaf func(*smx509.Certificate)
		want                 verdict.Reason
	}{
		{"no constraints", none, none, both(host("*.gov.test"), mailInSubject), ""},
		{"nobody, no constraints", none, none, nobody, verdict.NameConstraints},
		{"nobody under constraints", mails("gov.test"), none, nobody, verdict.NameConstraints},
		{"a host in place of a name", none, none, both(nobody, host("a.gov.test")), verdict.NameConstraints},
		{"an issuer that is nobody", none, nobody, none, verdict.NameConstraints},
		{"mail at the host", mails("gov.test"), none, mail("a@gov.test"), ""},
		{"mail at the host, other case", mails("gov.test"), none, mail("a@GOV.test"), ""},
		{"mail below the host", mails("gov.test"), none, mail("a@b.gov.test"), verdict.NameConstraints},
		{"mail below the domain", mails(".gov.test"), none, mail("a@b.gov.test"), ""},
		{"mail at the domain itself", mails(".gov.test"), none, mail("a@gov.test"), verdict.NameConstraints},
		{"one of two hosts", mails("x.test", "gov.test"), none, mail("a@gov.test"), ""},
		{"the address itself", mails("a@gov.test"), none, mail("a@gov.test"), ""},
		{"another address", mails("a@gov.test"), none, mail("b@gov.test"), verdict.NameConstraints},
		{"mail of an issuer below the host", mails("gov.test"), mail("a@b.gov.test"), none, verdict.NameConstraints},
		{"mail in an issuer's subject", mails("gov.test"), mailInSubject, none, verdict.NameConstraints},
		{"the URI's host", uris("gov.test"), none, uri("https://gov.test:443/x"), ""},
		{"a URI below the host", uris("gov.test"), none, uri("https://b.gov.test/"), verdict.NameConstraints},
		{"a URI below the domain", uris(".gov.test"), none, uri("https://b.gov.test/"), ""},
		{"a wildcard over what is excluded", without("a.gov.test"), none, host("*.gov.test"), verdict.NameConstraints},
		{"a host beside what is excluded", without("a.gov.test"), none, host("b.gov.test"), ""},
	}
	root := custom(t, nil, "root", asCA)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			issuer := custom(t, root, "issuer", both(asCA, tt.issuer))
			middle := custom(t, issuer, "middle", both(asCA, tt.middle))
			leaf := custom(t, middle, "leaf", tt.leaf)
			p := cert.Policy{Roots: certs(root), Intermediates: certs(issuer, middle)}
			status := verdict.Passed
			if tt.want != "" {
				status = verdict.Failed
			}
			expect(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now}), verdict.CheckCertificateChain, status, tt.want)
		})
	}
}
