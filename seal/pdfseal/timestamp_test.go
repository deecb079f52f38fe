package pdfseal_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/document/pdf/pdftest"
	"yinxin/seal"
	"yinxin/seal/pdfseal"
	"yinxin/verdict"
)

// stamper is a time-stamp authority of the world at a fixed time.
func (w *world) stamper(t testing.TB, at time.Time) func(sum [32]byte) ([]byte, error) {
	t.Helper()
	key := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	c := must[*cert.Certificate](t)(w.root.IssueTimestamp(cert.Subject("TSA", "Test"), key.PublicKey(), cert.IssueOptions{}))
	a := must[*tsp.Authority](t)(tsp.NewAuthority(tsp.AuthorityOptions{Signer: key, Certificate: c, Now: func() time.Time { return at }}))
	return func(sum [32]byte) ([]byte, error) {
		q, err := tsp.NewRequest(sum, nil, rand.Reader)
		if err != nil {
			return nil, err
		}
		answer, err := a.Respond(q.Raw)
		if err != nil {
			return nil, err
		}
		r, err := tsp.ParseResponse(answer)
		if err != nil {
			return nil, err
		}
		return r.Token, nil
	}
}

// TestTimeStamp embeds a token beside the signature value: it proves the time, also after the certificates have ended.
func TestTimeStamp(t *testing.T) {
	w := newWorld(t)
	at := now.Add(time.Minute)
	apply := func(stamp func([32]byte) ([]byte, error)) ([]byte, error) {
		p := must[*pdfseal.Prepared](t)(pdfseal.Prepare(pdftest.Document("hello").Bytes(), pdfseal.PrepareOptions{
			Seal: w.seal, SignerCert: w.office.cert, Time: now, Stamps: []seal.Stamp{{X: 100, Y: 200}}, TimeStamp: stamp,
		}))
		return p.Sign(rand.Reader, w.office.key)
	}
	sealed := must[[]byte](t)(apply(w.stamper(t, at)))
	f := w.verify(sealed)
	if s := f.Signatures[0]; f.Verdict != verdict.Passed || f.Warned(verdict.TimeClaimed) || s.TimeSource != verdict.TimeFromTimestamp || !s.Time.Equal(at) {
		t.Errorf("%s (%s), %s of %v, warnings %v", f.Verdict, f.Reason, s.TimeSource, s.Time, f.Warnings)
	}
	if f = w.verify(must[[]byte](t)(apply(nil))); f.Verdict != verdict.Passed || !f.Warned(verdict.TimeClaimed) {
		t.Errorf("the twin without a token: %s (%s)", f.Verdict, f.Reason)
	}
	foreign := w.stamper(t, at)
	if _, err := apply(func([32]byte) ([]byte, error) { return foreign([32]byte{}) }); !errors.Is(err, pdfseal.ErrSelfCheck) {
		t.Errorf("a token of something else: %v, want ErrSelfCheck", err)
	}
	away := errors.New("away")
	if _, err := apply(func([32]byte) ([]byte, error) { return nil, away }); !errors.Is(err, away) {
		t.Errorf("authority away: %v", err)
	}
}
