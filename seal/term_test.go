package seal

import (
	"errors"
	"testing"
	"time"

	"yinxin/crypto/cert"
)

// TestTermIsWithinTheCertificates: what is left out ends with the first certificate, what is given is refused beyond one.
func TestTermIsWithinTheCertificates(t *testing.T) {
	long := &cert.Certificate{NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(5, 0, 0)}
	short := &cert.Certificate{NotBefore: noon.AddDate(0, 0, -1), NotAfter: noon.AddDate(1, 0, 0)}
	for name, tt := range map[string]struct {
		term  Term
		certs []*cert.Certificate
		to    time.Time // zero: refused
	}{
		"nothing said":            {Term{}, []*cert.Certificate{long}, noon.AddDate(LifeYears, 0, 0)},
		"nothing said, short":     {Term{}, []*cert.Certificate{long, short}, short.NotAfter},
		"to the last second":      {Term{To: short.NotAfter}, []*cert.Certificate{long, short}, short.NotAfter},
		"a second longer":         {Term{To: short.NotAfter.Add(time.Second)}, []*cert.Certificate{long, short}, time.Time{}},
		"from before the signer":  {Term{From: noon.AddDate(0, 0, -2)}, []*cert.Certificate{long, short}, time.Time{}},
		"from after the signer's": {Term{From: noon.AddDate(2, 0, 0)}, []*cert.Certificate{long, short}, time.Time{}},
	} {
		got, err := tt.term.Within(noon, tt.certs...)
		if tt.to.IsZero() != errors.Is(err, ErrMake) || !tt.to.IsZero() && !got.To.Equal(tt.to) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
