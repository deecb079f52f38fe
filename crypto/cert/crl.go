package cert

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"

	"yinxin/crypto/gm"
)

// MaxCRLSize bounds a revocation list, in bytes of DER.
const MaxCRLSize = 20 << 20

// Reason codes of a revocation (RFC 5280, 5.3.1).
const (
	ReasonUnspecified          = 0
	ReasonKeyCompromise        = 1
	ReasonCACompromise         = 2
	ReasonAffiliationChanged   = 3
	ReasonSuperseded           = 4
	ReasonCessationOfOperation = 5
	ReasonCertificateHold      = 6
	ReasonRemoveFromCRL        = 8
	ReasonPrivilegeWithdrawn   = 9
	ReasonAACompromise         = 10
)

// RevocationList is a parsed CRL. It says nothing until the issuer's key has been found to have signed it.
type RevocationList struct {
	// Raw is the whole DER.
	Raw []byte
	// ThisUpdate and NextUpdate bound the time for which the list speaks, in UTC. NextUpdate may be zero.
	ThisUpdate, NextUpdate time.Time
	// Number is the list's number, nil if it has none.
	Number *big.Int

	sum                       [32]byte // SM3 of Raw
	rawIssuer, tbs, signature []byte
	issuer                    string // for people
	sm2                       bool   // the signature is SM2 with SM3
	scope                     scope
	entries                   []byte   // the entries, one after the other
	index                     []uint32 // where in entries each begins, in the order of their serial numbers
}

// scope is which certificates a list speaks of.
type scope int

const (
	// wholeScope: all of its issuer.
	wholeScope scope = iota
	// partScope: some of its issuer, or what changed since another list. What it names is revoked, about the others it says
	// nothing.
	partScope
	// foreignScope: those of other issuers too, or nobody knows which. It says nothing.
	foreignScope
)

// ParseCRL reads a revocation list in DER or PEM.
func ParseCRL(data []byte) (*RevocationList, error) {
	if len(data) > 2*MaxCRLSize {
		return nil, fmt.Errorf("%w: revocation list of %d bytes", ErrMalformed, len(data))
	}
	if block, _ := pem.Decode(data); block != nil && block.Type == pemCRL {
		data = block.Bytes
	}
	if len(data) > MaxCRLSize {
		return nil, fmt.Errorf("%w: revocation list of %d bytes", ErrMalformed, len(data))
	}
	l := &RevocationList{Raw: bytes.Clone(data), sum: gm.SM3(data), scope: wholeScope}
	if what := l.parse(); what != "" {
		return nil, fmt.Errorf("%w: revocation list: %s", ErrMalformed, what)
	}
	return l, nil
}

// PEM writes the list as one PEM block.
func (l *RevocationList) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCRL, Bytes: l.Raw})
}

// signedBy reports whether the issuer's key, which may sign lists, made the signature.
func (l *RevocationList) signedBy(issuer *Certificate) bool {
	return l.sm2 && issuer.mayIssueLists() && gm.Verify(issuer.PublicKey, l.tbs, l.signature)
}

// of are the entries about a certificate of the list's issuer.
func (l *RevocationList) of(c *Certificate) []Revoked {
	serial := integer(c.Serial)
	i, found := slices.BinarySearchFunc(l.index, serial, func(at uint32, want []byte) int {
		return bytes.Compare(l.serialAt(at), want)
	})
	if !found {
		return nil
	}
	var all []Revoked
	for ; i < len(l.index); i++ {
		e, _ := readRevoked(l.entries[l.index[i]:])
		if !bytes.Equal(e.serial, serial) {
			break
		}
		all = append(all, e.revoked())
	}
	return all
}

// names reports whether the list has an entry about a certificate of its issuer.
func (l *RevocationList) names(c *Certificate) bool {
	return l.scope != foreignScope && len(l.of(c)) > 0
}

// speaksFor reports whether the list tells the state of c for the moment: it is current, or it was made after what was
// signed had been seen; and c had not left it by expiring.
func (l *RevocationList) speaksFor(c *Certificate, m Moment) bool {
	if l.ThisUpdate.After(m.Now) || l.ThisUpdate.After(c.NotAfter) {
		return false
	}
	if m.sighted() && !l.ThisUpdate.Before(m.Seen) {
		return true
	}
	return !l.NextUpdate.IsZero() && !m.Now.After(l.NextUpdate)
}
