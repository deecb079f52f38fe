package seal

import (
	"fmt"
	"time"

	"yinxin/crypto/cert"
)

// LifeYears is how long a seal is in force where nobody says, and never longer than its certificates.
const LifeYears = 2

// Term is from when to when a seal is to be in force; zero times take from now for LifeYears, within the certificates.
type Term struct{ From, To time.Time }

// Within completes a term, and refuses one in which a certificate, the maker's or a signer's, is not valid: the register would
// say that the seal is in force when nothing sealed with it passes. Refusals wrap [ErrMake].
func (t Term) Within(now time.Time, certs ...*cert.Certificate) (Term, error) {
	if t.From.IsZero() {
		t.From = now.UTC().Truncate(time.Second)
	}
	if t.To.IsZero() {
		t.To = t.From.AddDate(LifeYears, 0, 0)
		for _, c := range certs {
			if c.NotAfter.Before(t.To) {
				t.To = c.NotAfter
			}
		}
	}
	for _, c := range certs {
		if t.From.Before(c.NotBefore) || !t.From.Before(c.NotAfter) || t.To.After(c.NotAfter) {
			return t, fmt.Errorf("%w: a seal from %s to %s is valid when the certificate of %s is not (%s to %s)", ErrMake,
				t.From.Format(time.DateOnly), t.To.Format(time.DateOnly), c.SubjectText(), c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
		}
	}
	return t, nil
}
