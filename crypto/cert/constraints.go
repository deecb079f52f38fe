package cert

import (
	"encoding/asn1"
	"errors"
	"time"

	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/verdict"
)

// Extensions by which an issuer narrows what lies below it.
var (
	oidNameConstraints   = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicyMappings    = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidPolicyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
	oidInhibitAnyPolicy  = asn1.ObjectIdentifier{2, 5, 29, 54}
	oidEmailAddress      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

// judgeConstraints applies name constraints and certificate policies (RFC 5280 4.2.1.10 to 4.2.1.14, 6.1), where an issuer
// has any, critical or not, by the library's own verifier over exactly this chain, every certificate of which is valid at
// that time. What it does not look at, judgeNames does; a constraint on directory names, or on any other form that neither
// knows, closes the chain.
func judgeConstraints(path []*Certificate, at time.Time) verdict.Check {
	const name = verdict.CheckCertificateChain
	if check := judgeNames(path); check.Status != verdict.Passed {
		return check
	}
	leaf := path[0]
	named, narrowed := false, false
	for _, c := range path[1:] {
		if value := c.extension(oidNameConstraints); value != nil {
			named = true
			if !knownForms(value) {
				return verdict.Fail(name, verdict.NameConstraints, "%s has name constraints of a form that is not judged", c.SubjectText())
			}
		}
		for _, oid := range []asn1.ObjectIdentifier{oidPolicyMappings, oidPolicyConstraints, oidInhibitAnyPolicy} {
			narrowed = narrowed || c.extension(oid) != nil
		}
	}
	if !named && !narrowed {
		return verdict.Pass(name)
	}
	roots, between := smx509.NewCertPool(), smx509.NewCertPool()
	roots.AddCert(path[len(path)-1].x)
	for _, c := range path[1 : len(path)-1] {
		between.AddCert(c.x)
	}
	_, err := leaf.x.Verify(smx509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny},
	})
	return constraintCheck(leaf, err)
}

// constraintCheck names what the library's verifier found.
func constraintCheck(leaf *Certificate, err error) verdict.Check {
	const name = verdict.CheckCertificateChain
	if err == nil {
		return verdict.Pass(name)
	}
	if invalid, ok := errors.AsType[smx509.CertificateInvalidError](err); ok {
		switch invalid.Reason {
		case smx509.TooManyConstraints:
			return verdict.Fail(name, verdict.Limit, "too many names of %s to compare with the constraints of its issuers", leaf.SubjectText())
		case smx509.NoValidChains:
			return verdict.Fail(name, verdict.CertificateChain, "the certificate policies of %s are not those that its issuers require", leaf.SubjectText())
		}
	}
	return outsideNames(leaf)
}

// extension is the value of an extension, nil if the certificate has none.
func (c *Certificate) extension(oid asn1.ObjectIdentifier) []byte {
	for _, e := range c.x.Extensions {
		if e.Id.Equal(oid) {
			return e.Value
		}
	}
	return nil
}

// knownForms reports whether name constraints are on hosts, mail addresses, URIs and IP addresses alone.
func knownForms(value cryptobyte.String) bool {
	var all cryptobyte.String
	if !value.ReadASN1(&all, cbasn1.SEQUENCE) || !value.Empty() {
		return false
	}
	for !all.Empty() {
		var trees cryptobyte.String
		var tag cbasn1.Tag
		if !all.ReadAnyASN1(&trees, &tag) || tag != ctx0 && tag != ctx1 {
			return false
		}
		for !trees.Empty() {
			var tree, base cryptobyte.String
			if !trees.ReadASN1(&tree, cbasn1.SEQUENCE) || !tree.ReadAnyASN1(&base, &tag) {
				return false
			}
			switch tag {
			case cbasn1.Tag(0x81), cbasn1.Tag(0x82), cbasn1.Tag(0x86), cbasn1.Tag(0x87):
			default:
				return false
			}
		}
	}
	return true
}
