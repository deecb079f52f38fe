package cert_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"
	"github.com/google/go-cmp/cmp"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/testvectors"
	"yinxin/testvectors/forge"
	"yinxin/verdict"
)

// TestChain: each way in which a chain breaks, beside the same chain whole.
func TestChain(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	rogue := custom(t, nil, "root", asCA) // the same name, another key
	inter := custom(t, root, "sub", asCA)
	leaf := custom(t, inter, "leaf", nil)
	rogueInter := custom(t, rogue, "sub", asCA)
	rogueLeaf := custom(t, rogueInter, "leaf", nil)
	tight := custom(t, nil, "tight", both(asCA, func(c *smx509.Certificate) { c.MaxPathLenZero = true }))
	under := custom(t, tight, "sub", asCA)
	notCA := custom(t, root, "sub", nil)
	noSign := custom(t, root, "sub", both(asCA, usage(smx509.KeyUsageCRLSign)))
	odd := custom(t, root, "sub", both(asCA, criticalUnknown))
	self := custom(t, nil, "self", nil)

	tests := []struct {
		name          string
		leaf          *holder
		roots, inters []*cert.Certificate
		status        verdict.Status
		reason        verdict.Reason
	}{
		{"through an intermediate", leaf, certs(root), certs(inter), verdict.Passed, ""},
		{"directly", custom(t, root, "x", nil), certs(root), nil, verdict.Passed, ""},
		{"two roots of one name, either order", leaf, certs(rogue, root), certs(rogueInter, inter), verdict.Passed, ""},
		{"the root itself as an intermediate too", leaf, certs(root), certs(root, inter, leaf), verdict.Passed, ""},
		{"trusted as itself", self, certs(self), nil, verdict.Passed, ""},
		{"intermediate is the anchor", leaf, certs(inter), nil, verdict.Passed, ""},
		{"no root given", leaf, nil, certs(inter, root), verdict.Indeterminate, verdict.NoTrustAnchor},
		{"intermediate missing", leaf, certs(root), nil, verdict.Failed, verdict.CertificateChain},
		{"self-signed, not trusted", self, certs(root), nil, verdict.Failed, verdict.CertificateChain},
		{"rogue chain under the same names", rogueLeaf, certs(root), certs(inter, rogueInter, rogue), verdict.Failed, verdict.CertificateChain},
		{"rogue leaf beside the true intermediate", rogueLeaf, certs(root), certs(inter), verdict.Failed, verdict.CertificateChain},
		{"issuer is no CA", custom(t, notCA, "x", nil), certs(root), certs(notCA), verdict.Failed, verdict.CertificateChain},
		{"issuer may not sign certificates", custom(t, noSign, "x", nil), certs(root), certs(noSign), verdict.Failed, verdict.CertificateChain},
		{"path length kept", custom(t, tight, "x", nil), certs(tight), nil, verdict.Passed, ""},
		{"path length exceeded", custom(t, under, "x", nil), certs(tight), certs(under), verdict.Failed, verdict.CertificateChain},
		{"unknown critical extension in the leaf", custom(t, root, "x", criticalUnknown), certs(root), nil, verdict.Failed, verdict.CertificateChain},
		{"unknown critical extension in an issuer", custom(t, odd, "x", nil), certs(root), certs(odd), verdict.Failed, verdict.CertificateChain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := cert.Policy{Roots: tt.roots, Intermediates: tt.inters}
			expect(t, p.Judge(tt.leaf.c, cert.UseSign, cert.Moment{At: now, Now: now}), verdict.CheckCertificateChain, tt.status, tt.reason)
		})
	}
}

// TestChainBounds: hostile sets of certificates end in bounded work.
func TestChainBounds(t *testing.T) {
	root := custom(t, nil, "root", asCA)

	chain := []*holder{root}
	for i := range cert.MaxDepth {
		chain = append(chain, custom(t, chain[i], fmt.Sprintf("level %d", i), asCA))
	}
	at := cert.Moment{At: now, Now: now}
	for depth, want := range map[int]verdict.Reason{cert.MaxDepth - 2: "", cert.MaxDepth - 1: verdict.Limit} {
		leaf := custom(t, chain[depth], "leaf", nil)
		p := cert.Policy{Roots: certs(root), Intermediates: certs(chain...)}
		if got := find(t, p.Judge(leaf.c, cert.UseSign, at), verdict.CheckCertificateChain); got.Reason != want {
			t.Errorf("%d intermediates: %s %s", depth, got.Reason, got.Detail)
		}
	}

	// Sixteen CAs of one name, each certified by each other one that has the same name: the paths explode.
	keys := make([]*holder, 4)
	for i := range keys {
		keys[i] = custom(t, nil, "twin", asCA)
	}
	var web []*holder
	for _, parent := range keys {
		for _, child := range keys {
			web = append(web, customKey(t, parent, "twin", child.key, asCA))
		}
	}
	leaf := custom(t, keys[0], "leaf", nil)
	start := time.Now()
	p := cert.Policy{Roots: certs(root), Intermediates: certs(web...)}
	for range 12 { // twins with other keys that signed nothing
		p.Intermediates = append(p.Intermediates, custom(t, nil, "twin", asCA).c)
	}
	expect(t, p.Judge(leaf.c, cert.UseSign, at), verdict.CheckCertificateChain, verdict.Failed, verdict.Limit)
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %s", d)
	}
	p.Roots = append(p.Roots, keys[0].c)
	expect(t, p.Judge(leaf.c, cert.UseSign, at), verdict.CheckCertificateChain, verdict.Passed, "")
}

func TestValidity(t *testing.T) {
	root := custom(t, nil, "root", both(asCA, func(c *smx509.Certificate) {
		c.NotBefore, c.NotAfter = now.AddDate(-10, 0, 0), now.AddDate(10, 0, 0)
	}))
	leaf := custom(t, root, "leaf", nil) // a year to both sides of now
	shortRoot := custom(t, nil, "short", both(asCA, func(c *smx509.Certificate) { c.NotAfter = now.AddDate(0, 1, 0) }))
	outliving := custom(t, shortRoot, "leaf", nil)
	before, after, inside := now.AddDate(-2, 0, 0), now.AddDate(2, 0, 0), now
	tests := []struct {
		name   string
		h      *holder
		root   *holder
		m      cert.Moment
		status verdict.Status
		reason verdict.Reason
	}{
		{"inside, now too", leaf, root, cert.Moment{At: inside, Now: inside}, verdict.Passed, ""},
		{"no signing time, valid now", leaf, root, cert.Moment{Now: inside}, verdict.Passed, ""},
		{"first second", leaf, root, cert.Moment{At: leaf.c.NotBefore, Now: inside}, verdict.Passed, ""},
		{"last second", leaf, root, cert.Moment{At: leaf.c.NotAfter, Now: leaf.c.NotAfter}, verdict.Passed, ""},
		{"claimed in the future", leaf, root, cert.Moment{At: inside.AddDate(0, 1, 0), Now: inside}, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"proven, the verifier's clock is behind", leaf, root, cert.Moment{At: inside.AddDate(0, 1, 0), Proven: true, Now: inside}, verdict.Passed, ""},
		{"a clock a little ahead", leaf, root, cert.Moment{At: inside.Add(time.Minute), Now: inside}, verdict.Passed, ""},
		{"claimed before", leaf, root, cert.Moment{At: before, Now: inside}, verdict.Failed, verdict.CertNotYetValid},
		{"proven before", leaf, root, cert.Moment{At: before, Proven: true, Now: inside}, verdict.Failed, verdict.CertNotYetValid},
		{"claimed after", leaf, root, cert.Moment{At: after, Now: after.AddDate(0, 0, 1)}, verdict.Failed, verdict.CertExpired},
		{"proven after", leaf, root, cert.Moment{At: after, Proven: true, Now: after}, verdict.Failed, verdict.CertExpired},
		{"claimed inside, expired since", leaf, root, cert.Moment{At: inside, Now: after}, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"proven inside, expired since", leaf, root, cert.Moment{At: inside, Proven: true, Now: after}, verdict.Passed, ""},
		{"no signing time, expired", leaf, root, cert.Moment{Now: after}, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"issuer expired since", outliving, shortRoot, cert.Moment{At: inside, Now: now.AddDate(0, 2, 0)}, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"issuer expired before", outliving, shortRoot, cert.Moment{At: now.AddDate(0, 2, 0), Now: now.AddDate(0, 3, 0)}, verdict.Failed, verdict.CertExpired},
		{"claimed after, no root", leaf, nil, cert.Moment{At: after, Now: after.AddDate(0, 0, 1)}, verdict.Failed, verdict.CertExpired},
		{"expired since, no root", leaf, nil, cert.Moment{At: inside, Now: after}, verdict.Indeterminate, verdict.NoTrustAnchor},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p cert.Policy
			if tt.root != nil {
				p.Roots = certs(tt.root)
			}
			expect(t, p.Judge(tt.h.c, cert.UseSign, tt.m), verdict.CheckCertificateChain, tt.status, tt.reason)
		})
	}
}

func TestNameConstraints(t *testing.T) {
	constrained := both(asCA, func(c *smx509.Certificate) {
		c.PermittedDNSDomainsCritical = true
		c.PermittedDNSDomains = []string{"gov.test"}
	})
	root := custom(t, nil, "root", asCA)
	inter := custom(t, root, "sub", constrained)
	names := func(dns ...string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.DNSNames = dns }
	}
	mail := func(c *smx509.Certificate) {
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkixMail("a@other.test"))
	}
	tests := []struct {
		name  string
		shape func(*smx509.Certificate)
		want  verdict.Reason
	}{
		{"no names", nil, ""},
		{"inside", names("a.gov.test"), ""},
		{"outside", names("a.other.test"), verdict.NameConstraints},
		{"one of two outside", names("a.gov.test", "other.test"), verdict.NameConstraints},
		{"mail address in the subject", mail, verdict.NameConstraints},
		{"a name that only ends alike", names("notgov.test"), verdict.NameConstraints},
		{"the subtree itself", names("gov.test"), ""},
		{"an IDN outside", names("xn--fiqs8s.test"), verdict.NameConstraints},
		{"an IDN inside", names("xn--fiqs8s.gov.test"), ""},
		{"a form of name that is not constrained", func(c *smx509.Certificate) { c.IPAddresses = []net.IP{{192, 0, 2, 1}} }, ""},
		{"an empty subject", func(c *smx509.Certificate) {
			c.Subject = pkix.Name{}
			c.DNSNames = []string{"other.test"}
		}, verdict.NameConstraints},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf := custom(t, inter, "leaf", tt.shape)
			p := cert.Policy{Roots: certs(root), Intermediates: certs(inter)}
			status := verdict.Passed
			if tt.want != "" {
				status = verdict.Failed
			}
			expect(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now}), verdict.CheckCertificateChain, status, tt.want)
		})
	}
	free := custom(t, root, "leaf", both(names("a.other.test"), mail))
	expect(t, cert.Policy{Roots: certs(root)}.Judge(free.c, cert.UseSign, cert.Moment{Now: now}),
		verdict.CheckCertificateChain, verdict.Passed, "")
}

// TestSampleCertificates: certificates made by other software, among them a rogue CA with the names of the true one.
func TestSampleCertificates(t *testing.T) {
	load := func(name string) *cert.Certificate {
		data, err := testvectors.Read("ofd/keys/" + name + "-cert.pem")
		if err != nil {
			t.Fatal(err)
		}
		list, err := cert.ParsePEM(data)
		if err != nil {
			t.Fatal(err)
		}
		return list[0]
	}
	p := cert.Policy{Roots: []*cert.Certificate{load("root")}}
	rogues := p.With(load("rogue-root"))
	at := cert.Moment{At: now, Now: now}
	tests := []struct {
		name   string
		p      cert.Policy
		m      cert.Moment
		status verdict.Status
		reason verdict.Reason
	}{
		{"userA", p, at, verdict.Passed, ""},
		{"userB", p, at, verdict.Passed, ""},
		{"maker", rogues, at, verdict.Passed, ""},
		{"rogue-maker", rogues, at, verdict.Failed, verdict.CertificateChain},
		{"rogue-maker", p, at, verdict.Failed, verdict.CertificateChain},
		{"expired", p, at, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"expired", p, cert.Moment{At: now, Now: now.Add(time.Hour)}, verdict.Failed, verdict.CertExpired},
		{"expired", p, cert.Moment{At: now.AddDate(-5, 0, 0), Proven: true, Now: now}, verdict.Passed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(tt.name)
			expect(t, tt.p.Judge(c, cert.UseSign, tt.m), verdict.CheckCertificateChain, tt.status, tt.reason)
			expect(t, tt.p.Judge(c, cert.UseSign, tt.m), verdict.CheckKeyUsage, verdict.Passed, "")
		})
	}
}

func TestJudgeInto(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office").SigningCert
	for _, proven := range []bool{false, true} {
		var s verdict.Signature
		pki.Policy().JudgeInto(&s, a, cert.UseSign, cert.Moment{At: now, Proven: proven, Now: now})
		s.Judge(verdict.RevocationAuto)
		if s.Verdict != verdict.Passed || s.Warned(verdict.TimeClaimed) == proven || !s.Warned(verdict.NoRevocationSource) {
			t.Errorf("proven %v: %s, warnings %v", proven, s.Verdict, s.Warnings)
		}
	}
}

func pkixMail(address string) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: address}
}

// TestNameConstraintsOfUnknownForm: a critical constraint on a form of name that is not understood (a directory name)
// closes the chain instead of being passed over.
func TestNameConstraintsOfUnknownForm(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	value := forge.Seq(&forge.Node{Tag: 0xa0, Kids: []*forge.Node{
		forge.Seq(&forge.Node{Tag: 0xa4, Kids: []*forge.Node{forge.Must(root.c.RawSubject)}}),
	}}).Bytes()
	inter := custom(t, root, "sub", both(asCA, func(c *smx509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 30}, Critical: true, Value: value}}
	}))
	leaf := custom(t, inter, "leaf", nil)
	p := cert.Policy{Roots: certs(root), Intermediates: certs(inter)}
	if k := find(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{Now: now}), verdict.CheckCertificateChain); k.Status != verdict.Failed {
		t.Errorf("%s (%s)", k.Status, k.Detail)
	}
}

// TestUsageOfIssuers is T-03 one level up: an issuer whose own extended usage leaves a purpose out cannot give it.
func TestUsageOfIssuers(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	under := func(uses ...smx509.ExtKeyUsage) *holder { return custom(t, root, "sub", both(asCA, eku(uses...))) }
	tsa := func(c *smx509.Certificate) {
		c.KeyUsage = smx509.KeyUsageDigitalSignature
		c.ExtraExtensions = []pkix.Extension{{
			Id: []int{2, 5, 29, 37}, Critical: true, Value: forge.Seq(forge.OID(1, 3, 6, 1, 5, 5, 7, 3, 8)).Bytes(),
		}}
	}
	tests := []struct {
		name  string
		inter *holder
		leaf  func(*smx509.Certificate)
		use   cert.Use
		want  verdict.Reason
	}{
		{"issuer without usages, signer", under(), nil, cert.UseSign, ""},
		{"issuer without usages, time-stamps", under(), tsa, cert.UseTimestamp, ""},
		{"issuer for anything, time-stamps", under(smx509.ExtKeyUsageAny), tsa, cert.UseTimestamp, ""},
		{"issuer for time-stamps, time-stamps", under(smx509.ExtKeyUsageTimeStamping), tsa, cert.UseTimestamp, ""},
		{"issuer for TLS servers, time-stamps", under(smx509.ExtKeyUsageServerAuth), tsa, cert.UseTimestamp, verdict.EKU},
		{"issuer for time-stamps, signer", under(smx509.ExtKeyUsageTimeStamping), nil, cert.UseSign, verdict.EKU},
		{"issuer for mail, signer", under(smx509.ExtKeyUsageEmailProtection), nil, cert.UseSign, ""},
		{"issuer for mail, seal maker", under(smx509.ExtKeyUsageEmailProtection), nil, cert.UseMake, verdict.EKU},
		{"issuer without usages, seal maker", under(), nil, cert.UseMake, ""},
		{"issuer for anything, seal maker", under(smx509.ExtKeyUsageAny), nil, cert.UseMake, ""},
		{"signer for time-stamps", under(), eku(smx509.ExtKeyUsageTimeStamping), cert.UseSign, verdict.EKU},
		{"signer for TLS servers", under(), eku(smx509.ExtKeyUsageServerAuth), cert.UseSign, verdict.EKU},
		{"signer for anything", under(), eku(smx509.ExtKeyUsageAny), cert.UseSign, ""},
		{"time-stamps and more", under(), eku(smx509.ExtKeyUsageTimeStamping, smx509.ExtKeyUsageAny), cert.UseTimestamp, verdict.EKU},
		{"time-stamps, not critical", under(), eku(smx509.ExtKeyUsageTimeStamping), cert.UseTimestamp, verdict.EKU},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf := custom(t, tt.inter, "leaf", tt.leaf)
			p := cert.Policy{Roots: certs(root), Intermediates: certs(tt.inter)}
			status := verdict.Passed
			if tt.want != "" {
				status = verdict.Failed
			}
			expect(t, p.Judge(leaf.c, tt.use, cert.Moment{Now: now}), verdict.CheckKeyUsage, status, tt.want)
		})
	}
}

// TestCache: with a cache every answer is the one without it, and a signature that does not hold is not remembered.
func TestCache(t *testing.T) {
	root, rogue := custom(t, nil, "root", asCA), custom(t, nil, "root", asCA)
	inter := custom(t, root, "sub", asCA)
	leaf, forged := custom(t, inter, "leaf", nil), custom(t, rogue, "leaf", nil)
	list := crlOf(t, root, updates(now.Add(-time.Hour), now.Add(time.Hour)))
	var cache cert.Cache
	with := cert.Policy{Roots: certs(root), Intermediates: certs(inter), CRLs: lists(list), Cache: &cache}
	without := with
	without.Cache = nil
	for round := range 3 {
		for name, c := range map[string]*holder{"good": leaf, "forged": forged} {
			for _, at := range []time.Time{now, now.AddDate(3, 0, 0)} {
				m := cert.Moment{At: at, Now: at}
				if diff := cmp.Diff(without.Judge(c.c, cert.UseSign, m), with.Judge(c.c, cert.UseSign, m)); diff != "" {
					t.Errorf("round %d, %s at %s (-without +with):\n%s", round, name, at, diff)
				}
			}
		}
	}
}
