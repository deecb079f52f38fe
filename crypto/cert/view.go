package cert

import (
	"iter"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// IssuerText names the issuer of the list for people, as Certificate.SubjectText does.
func (l *RevocationList) IssuerText() string { return l.issuer }

// Len is how many revocations the list states.
func (l *RevocationList) Len() int { return len(l.index) }

// Entries are the revocations that the list states, in its order. They are read one by one: a list may have a million.
func (l *RevocationList) Entries() iter.Seq[Revoked] {
	return func(yield func(Revoked) bool) {
		for rest := cryptobyte.String(l.entries); len(rest) > 0; {
			e, _ := readRevoked(rest)
			if !yield(e.revoked()) {
				return
			}
			rest = rest[e.size:]
		}
	}
}

// OCSPAnswer is what a response states of one certificate of an issuer that it names by digests alone. Nothing in it is
// judged.
type OCSPAnswer struct {
	Serial *big.Int
	// State is good, revoked or unknown; RevokedAt and Reason are for the second.
	State     string
	RevokedAt time.Time
	Reason    int
	// ThisUpdate and NextUpdate bound the time for which it speaks; NextUpdate may be zero.
	ThisUpdate, NextUpdate time.Time
}

// States are the answers in the response, in its order.
func (r *OCSPResponse) States() []OCSPAnswer {
	words := map[byte]string{'g': "good", 'r': "revoked", 'u': "unknown"}
	list := make([]OCSPAnswer, 0, len(r.entries))
	for _, e := range r.entries {
		list = append(list, OCSPAnswer{e.id.serial, words[e.status], e.revokedAt, e.reason, e.thisUpdate, e.nextUpdate})
	}
	return list
}

// Serials are the serial numbers of the certificates asked about.
func (r *OCSPRequest) Serials() []*big.Int {
	list := make([]*big.Int, 0, len(r.ids))
	for _, id := range r.ids {
		list = append(list, id.serial)
	}
	return list
}
