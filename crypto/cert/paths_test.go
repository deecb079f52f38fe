package cert_test

import (
	"bytes"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/testvectors/forge"
	"yinxin/verdict"
)

// TestEveryPathIsJudged: the certificates of a message are unsigned, so their order decides nothing: a twin of an issuer that
// is revoked, not for this use, or ended does not hide a good one.
func TestEveryPathIsJudged(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	inter := custom(t, root, "sub", asCA)
	twin := func(shape func(*smx509.Certificate)) *holder {
		return customKey(t, root, "sub", inter.key, both(asCA, shape))
	}
	revoked := twin(func(*smx509.Certificate) {})
	other := twin(eku(smx509.ExtKeyUsageServerAuth))
	ended := twin(func(c *smx509.Certificate) { c.NotAfter = now.AddDate(0, 0, -1) })
	long := twin(func(c *smx509.Certificate) { c.ExtraExtensions = []pkix.Extension{requireExplicit(true)} })
	leaf := custom(t, inter, "leaf", nil)
	crls := lists(crlOf(t, inter, nil), crlOf(t, root, nil, smx509.RevocationListEntry{
		SerialNumber: revoked.c.Serial, RevocationTime: now.AddDate(0, 0, -20), ReasonCode: cert.ReasonSuperseded,
	}))
	for _, tt := range []struct {
		name   string
		bag    []*holder
		check  verdict.CheckName
		status verdict.Status
		reason verdict.Reason
	}{
		{"revoked, good", []*holder{revoked, inter}, verdict.CheckRevocation, verdict.Passed, ""},
		{"good, revoked", []*holder{inter, revoked}, verdict.CheckRevocation, verdict.Passed, ""},
		{"for TLS servers, good", []*holder{other, inter}, verdict.CheckKeyUsage, verdict.Passed, ""},
		{"good, for TLS servers", []*holder{inter, other}, verdict.CheckKeyUsage, verdict.Passed, ""},
		{"all of them", []*holder{ended, revoked, other, long, inter}, verdict.CheckRevocation, verdict.Passed, ""},
		{"revoked alone", []*holder{revoked}, verdict.CheckRevocation, verdict.Failed, verdict.Revoked},
		{"for TLS servers alone", []*holder{other}, verdict.CheckKeyUsage, verdict.Failed, verdict.EKU},
		{"ended alone", []*holder{ended}, verdict.CheckCertificateChain, verdict.Failed, verdict.CertExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := cert.Policy{Roots: certs(root), Intermediates: certs(tt.bag...), CRLs: crls}
			checks := p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now.Add(time.Hour)})
			expect(t, checks, tt.check, tt.status, tt.reason)
			for _, k := range checks {
				if tt.status == verdict.Passed && k.Status != verdict.Passed {
					t.Errorf("%s: %s (%s)", k.Name, k.Reason, k.Detail)
				}
			}
		})
	}
}

// requireExplicit is policyConstraints with requireExplicitPolicy 0.
func requireExplicit(critical bool) pkix.Extension {
	return pkix.Extension{Id: []int{2, 5, 29, 36}, Critical: critical, Value: []byte{0x30, 0x03, 0x80, 0x01, 0x00}}
}

// TestPolicies: what an issuer requires of certificate policies is held to, critical or not (RFC 5280 6.1).
func TestPolicies(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	policies := func(oids ...[]int) pkix.Extension {
		list := forge.Seq()
		for _, o := range oids {
			list.Kids = append(list.Kids, forge.Seq(forge.OID(o...)))
		}
		return pkix.Extension{Id: []int{2, 5, 29, 32}, Value: list.Bytes()}
	}
	with := func(extensions ...pkix.Extension) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, extensions...) }
	}
	one, two, anyPolicy := []int{1, 2, 3, 1}, []int{1, 2, 3, 2}, []int{2, 5, 29, 32, 0}
	inhibit := pkix.Extension{Id: []int{2, 5, 29, 54}, Critical: true, Value: []byte{0x02, 0x01, 0x00}}
	mapping := pkix.Extension{Id: []int{2, 5, 29, 33}, Critical: true, Value: forge.Seq(forge.Seq(forge.OID(one...), forge.OID(two...))).Bytes()}
	for _, tt := range []struct {
		name   string
		issuer []pkix.Extension
		leaf   []pkix.Extension
		want   verdict.Reason
	}{
		{"required, none", []pkix.Extension{requireExplicit(true)}, nil, verdict.CertificateChain},
		{"required but not critical, none", []pkix.Extension{requireExplicit(false)}, nil, verdict.CertificateChain},
		{"required, in both", []pkix.Extension{requireExplicit(true), policies(one)}, []pkix.Extension{policies(one)}, ""},
		{"required, different ones", []pkix.Extension{requireExplicit(true), policies(one)}, []pkix.Extension{policies(two)}, verdict.CertificateChain},
		{"required, mapped", []pkix.Extension{requireExplicit(true), policies(one), mapping}, []pkix.Extension{policies(two)}, ""},
		{"required, any allowed above", []pkix.Extension{requireExplicit(true), policies(anyPolicy)}, []pkix.Extension{policies(two)}, ""},
		{"required, any alone below", []pkix.Extension{requireExplicit(true), policies(one), inhibit}, []pkix.Extension{policies(anyPolicy)}, verdict.CertificateChain},
		{"any inhibited, none required", []pkix.Extension{inhibit}, nil, ""},
		{"no policies", nil, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inter := custom(t, root, "sub", both(asCA, with(tt.issuer...)))
			leaf := custom(t, inter, "leaf", with(tt.leaf...))
			p := cert.Policy{Roots: certs(root), Intermediates: certs(inter)}
			status := verdict.Passed
			if tt.want != "" {
				status = verdict.Failed
			}
			expect(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now.Add(time.Hour)}), verdict.CheckCertificateChain, status, tt.want)
		})
	}
}

// TestConstraintReasons: constraints that are not judged, that take too much work, or that stand beside a certificate that had
// ended each have their reason.
func TestConstraintReasons(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	tree := func(tag byte, base *forge.Node) pkix.Extension {
		value := forge.Seq(&forge.Node{Tag: tag, Kids: []*forge.Node{forge.Seq(base)}}).Bytes()
		return pkix.Extension{Id: []int{2, 5, 29, 30}, Value: value}
	}
	directory := &forge.Node{Tag: 0xa4, Kids: []*forge.Node{forge.Must(root.c.RawSubject)}}
	hosts := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("a%d.test", i))
		}
		return names
	}
	constrained := func(names ...string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, names }
	}
	extended := func(e pkix.Extension) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.ExtraExtensions = []pkix.Extension{e} }
	}
	named := func(names ...string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.DNSNames = names }
	}
	ipv4 := &forge.Node{Tag: 0x87, Value: []byte{10, 0, 0, 0, 255, 0, 0, 0}}
	ipv6 := &forge.Node{Tag: 0x87, Value: slices.Concat(make([]byte, 10), []byte{255, 255, 10, 0, 0, 0}, bytes.Repeat([]byte{255}, 13), make([]byte, 3))}
	address := func(ip ...byte) func(*smx509.Certificate) { // as it stands: the library would write an IPv4 one short
		return extended(pkix.Extension{Id: []int{2, 5, 29, 17}, Value: forge.Seq(&forge.Node{Tag: 0x87, Value: ip}).Bytes()})
	}
	early := func(c *smx509.Certificate) { c.NotAfter = now.AddDate(0, 0, -60) }
	late := func(c *smx509.Certificate) { c.NotBefore = now.AddDate(0, 0, -30); c.DNSNames = []string{"a0.test"} }
	for _, tt := range []struct {
		name         string
		issuer, leaf func(*smx509.Certificate)
		want         verdict.Reason
	}{
		{"twin", constrained(hosts(1)...), named("a0.test"), ""},
		{"directory names, not critical", extended(tree(0xa0, directory)), nil, verdict.NameConstraints},
		{"excluded directory names, not critical", extended(tree(0xa1, directory)), nil, verdict.NameConstraints},
		{"hosts, not critical", extended(tree(0xa0, &forge.Node{Tag: 0x82, Value: []byte("a0.test")})), named("b.test"), verdict.NameConstraints},
		{"hosts, not critical, inside", extended(tree(0xa0, &forge.Node{Tag: 0x82, Value: []byte("a0.test")})), named("x.a0.test"), ""},
		{"never valid together", both(constrained(hosts(1)...), early), late, verdict.CertExpired},
		{"an excluded address", extended(tree(0xa1, ipv4)), address(10, 1, 2, 3), verdict.NameConstraints},
		{"an excluded address, as one of IPv6", extended(tree(0xa1, ipv4)), address(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3), verdict.NameConstraints},
		{"an address beside the excluded ones", extended(tree(0xa1, ipv4)), address(11, 1, 2, 3), ""},
		{"an address of IPv6 beside them", extended(tree(0xa1, ipv4)), address(32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 10, 1, 2, 3), ""},
		{"excluded addresses as those of IPv6", extended(tree(0xa1, ipv6)), address(10, 1, 2, 3), verdict.NameConstraints},
		{"too many to compare", constrained(hosts(600)...), named(hosts(600)...), verdict.Limit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inter := custom(t, root, "sub", both(asCA, tt.issuer))
			leaf := custom(t, inter, "leaf", tt.leaf)
			p := cert.Policy{Roots: certs(root), Intermediates: certs(inter)}
			status := verdict.Passed
			if tt.want != "" {
				status = verdict.Failed
			}
			expect(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now.Add(time.Hour)}), verdict.CheckCertificateChain, status, tt.want)
		})
	}
}

// TestTwinsCostBounded is T-08 with revocation: sixteen twins of an issuer and lists in the message end in bounded work.
func TestTwinsCostBounded(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	inter := custom(t, root, "sub", asCA)
	leaf := custom(t, inter, "leaf", nil)
	var entries []smx509.RevocationListEntry
	var bag []*holder
	for range 16 {
		twin := customKey(t, root, "sub", inter.key, asCA)
		bag = append(bag, twin)
		entries = append(entries, smx509.RevocationListEntry{SerialNumber: new(big.Int).Set(twin.c.Serial), RevocationTime: now.AddDate(0, 0, -1)})
	}
	carried := make([]*cert.RevocationList, 16)
	for i := range carried {
		carried[i] = crlOf(t, root, nil, entries...)
	}
	p := cert.Policy{Roots: certs(root)}.With(certs(bag...)...).WithEvidence(carried, nil)
	start := time.Now()
	for _, k := range p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now.Add(time.Hour)}) {
		if k.Name == verdict.CheckRevocation && k.Status != verdict.Failed {
			t.Errorf("%s (%s)", k.Reason, k.Detail)
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %s", d)
	}
}
