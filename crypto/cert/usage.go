package cert

import (
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/verdict"
)

// Use is what a certificate is asked to be good for.
type Use int

// The uses. A dual certificate (双证书) is one of UseSign and one of UseEncrypt, never both at once.
const (
	// UseSign: digitalSignature or nonRepudiation, and none of the encryption usages; not a CA.
	UseSign Use = iota + 1
	// UseEncrypt: keyEncipherment, dataEncipherment or keyAgreement, and none of the signing usages; not a CA.
	UseEncrypt
	// UseIssue: a CA with keyCertSign.
	UseIssue
	// UseTimestamp: UseSign with the extended key usage timeStamping, critical and alone (RFC 3161, 2.3).
	UseTimestamp
	// UseMake: the key usages of UseSign, and an extended key usage, where there is one, that allows making seals (制章):
	// yinxin's own or any. A certificate without one is not marked at all, as those of makers are that other software issued.
	UseMake
)

// mayIssueLists: a CA with cRLSign.
func (c *Certificate) mayIssueLists() bool { return c.IsCA && c.x.KeyUsage&smx509.KeyUsageCRLSign != 0 }

// String names the use.
func (u Use) String() string {
	switch u {
	case UseSign:
		return "signing"
	case UseEncrypt:
		return "encryption"
	case UseIssue:
		return "issuing certificates"
	case UseTimestamp:
		return "time-stamping"
	case UseMake:
		return "making seals"
	}
	return fmt.Sprintf("use %d", int(u))
}

const (
	signBits    = smx509.KeyUsageDigitalSignature | smx509.KeyUsageContentCommitment
	encryptBits = smx509.KeyUsageKeyEncipherment | smx509.KeyUsageDataEncipherment | smx509.KeyUsageKeyAgreement
	issueBits   = smx509.KeyUsageCertSign | smx509.KeyUsageCRLSign
)

var (
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	// documentSigning (RFC 9336) and its older private form: extended usages that a document signer may carry.
	oidDocumentSigning   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}
	oidMSDocumentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 10, 3, 12}
	// sealMaking is yinxin's own, for no standard marks seal makers: a random UUID under the arc that is open to such, in
	// parts that every reader of certificates takes (one arc of 128 bits, as under 2.25, is refused by Go's). See docs/seals.md.
	oidSealMaking = asn1.ObjectIdentifier{1, 2, 840, 113556, 1, 8000, 2554, 51734, 18997, 35110, 18918, 33694, 8677352, 15725386}
)

// CheckUse returns an error wrapping ErrKeyUsage unless the certificate is good for the use. Signers and encrypters ask
// it before they act; verifiers get the same answer as a check from Policy.Judge.
func (c *Certificate) CheckUse(use Use) error {
	if k := c.judgeUse(use); k.Status != verdict.Passed {
		return fmt.Errorf("%w: %s", ErrKeyUsage, k.Detail)
	}
	return nil
}

func (c *Certificate) judgeUse(use Use) verdict.Check {
	usage := c.x.KeyUsage
	fits := false
	switch use {
	case UseSign, UseTimestamp, UseMake:
		fits = usage&signBits != 0 && usage&(encryptBits|issueBits) == 0 && !c.IsCA
	case UseEncrypt:
		fits = usage&encryptBits != 0 && usage&(signBits|issueBits) == 0 && !c.IsCA
	case UseIssue:
		fits = c.IsCA && usage&smx509.KeyUsageCertSign != 0
	}
	if !fits {
		return verdict.Fail(verdict.CheckKeyUsage, verdict.KeyUsage,
			"certificate of %s is not for %s", c.SubjectText(), use)
	}
	if !c.extendedFits(use) {
		return verdict.Fail(verdict.CheckKeyUsage, verdict.EKU,
			"extended key usage of %s does not allow %s", c.SubjectText(), use)
	}
	return verdict.Pass(verdict.CheckKeyUsage)
}

// judgeUseOf judges the use of c and of the issuers between it and the root: an issuer whose own extended key usage
// leaves a purpose out cannot give it (RFC 5280 4.2.1.12 as all verifiers read it).
func judgeUseOf(c *Certificate, path []*Certificate, use Use) verdict.Check {
	k := c.judgeUse(use)
	if k.Status != verdict.Passed || len(path) < 3 {
		return k
	}
	for _, issuer := range path[1 : len(path)-1] {
		if !issuer.passesOn(use) {
			return verdict.Fail(verdict.CheckKeyUsage, verdict.EKU,
				"extended key usage of the issuer %s does not allow certificates for %s", issuer.SubjectText(), use)
		}
	}
	return k
}

// passesOn reports whether an issuer's extended key usage, if it has one, leaves room for the use.
func (c *Certificate) passesOn(use Use) bool {
	known := c.x.ExtKeyUsage
	if present, _ := c.hasExtension(oidExtKeyUsage); !present || slices.Contains(known, smx509.ExtKeyUsageAny) {
		return true
	}
	if use == UseTimestamp {
		return slices.Contains(known, smx509.ExtKeyUsageTimeStamping)
	}
	return use != UseSign && use != UseMake || c.extendedFits(use)
}

// extendedFits judges the extended key usage. None at all leaves a signer unrestricted; one that is wholly about other
// things (TLS servers, time-stamping, code) does not sign documents. That of a person logging in (clientAuth) does: it is
// all that many signing certificates on USB keys bear.
func (c *Certificate) extendedFits(use Use) bool {
	known, unknown := c.x.ExtKeyUsage, c.x.UnknownExtKeyUsage
	if present, _ := c.hasExtension(oidExtKeyUsage); present && len(known)+len(unknown) == 0 {
		return false // a list of no usages allows none
	}
	if use == UseTimestamp {
		_, critical := c.hasExtension(oidExtKeyUsage)
		return critical && len(unknown) == 0 && len(known) == 1 && known[0] == smx509.ExtKeyUsageTimeStamping
	}
	switch {
	case use != UseSign && use != UseMake, len(known)+len(unknown) == 0, slices.Contains(known, smx509.ExtKeyUsageAny):
		return true
	case use == UseMake:
		return slices.ContainsFunc(unknown, oidSealMaking.Equal)
	}
	for _, k := range known {
		switch k {
		case smx509.ExtKeyUsageEmailProtection, smx509.ExtKeyUsageClientAuth:
			return true
		}
	}
	for _, k := range unknown {
		if k.Equal(oidDocumentSigning) || k.Equal(oidMSDocumentSigning) {
			return true
		}
	}
	return false
}
