package cert

import (
	"bytes"
	"slices"
	"strings"

	"yinxin/verdict"
)

// judgeNames applies what the library's verifier leaves out of the rules on names. Every certificate of a chain names somebody
// (RFC 5280 4.1.2.4, and 4.1.2.6 for whoever signs documents). Below an issuer with constraints no subject has a mail address,
// which that verifier does not compare; no host has a wildcard, which stands for names on both sides of a constraint; no
// address of IPv4 is written as one of IPv6, which it takes for another; and a host that is permitted for mail addresses or URIs is that host alone, unless a dot stands before it (4.2.1.10).
func judgeNames(path []*Certificate) verdict.Check {
	const name = verdict.CheckCertificateChain
	for i, c := range path {
		if len(c.Subject.Names) == 0 {
			return verdict.Fail(name, verdict.NameConstraints, "the certificate with the serial number %s names nobody", c.SerialText())
		}
		if i == 0 || c.extension(oidNameConstraints) == nil {
			continue
		}
		for _, below := range path[:i] {
			if below.mailInSubject() {
				return verdict.Fail(name, verdict.NameConstraints,
					"%s has a mail address in its subject under an issuer with name constraints", below.SubjectText())
			}
			if !below.within(c) {
				return outsideNames(below)
			}
		}
	}
	return verdict.Pass(name)
}

func outsideNames(c *Certificate) verdict.Check {
	return verdict.Fail(verdict.CheckCertificateChain, verdict.NameConstraints, "a name of %s is outside what its issuers may name", c.SubjectText())
}

func (c *Certificate) mailInSubject() bool {
	for _, atv := range c.Subject.Names {
		if atv.Type.Equal(oidEmailAddress) {
			return true
		}
	}
	return false
}

// within reports whether the hosts, mail addresses and URIs of c keep to the issuer's constraints as far as judgeNames looks.
func (c *Certificate) within(issuer *Certificate) bool {
	for _, host := range c.x.DNSNames {
		if strings.Contains(host, "*") {
			return false
		}
	}
	for _, r := range slices.Concat(issuer.x.PermittedIPRanges, issuer.x.ExcludedIPRanges) {
		for _, ip := range c.x.IPAddresses {
			if mapped(ip) || mapped(r.IP) {
				return false
			}
		}
	}
	for _, address := range c.x.EmailAddresses {
		at := strings.LastIndexByte(address, '@')
		whole := slices.Contains(issuer.x.PermittedEmailAddresses, address)
		if !whole && !hostPermitted(address[at+1:], issuer.x.PermittedEmailAddresses) {
			return false
		}
	}
	for _, uri := range c.x.URIs {
		if !hostPermitted(uri.Hostname(), issuer.x.PermittedURIDomains) {
			return false
		}
	}
	return true
}

// mapped reports whether an address of IPv4 is written as one of IPv6 (::ffff:192.0.2.1).
func mapped(ip []byte) bool {
	return len(ip) == 16 && bytes.Equal(ip[:12], []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})
}

// hostPermitted reports whether a host is one of those permitted, or lies below one that begins with a dot; an empty list
// permits all.
func hostPermitted(host string, permitted []string) bool {
	return len(permitted) == 0 || slices.ContainsFunc(permitted, func(p string) bool {
		return strings.EqualFold(host, p) ||
			strings.HasPrefix(p, ".") && len(host) > len(p) && strings.EqualFold(host[len(host)-len(p):], p)
	})
}
