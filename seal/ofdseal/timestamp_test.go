package ofdseal_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// stamperEnds is when the certificate of the time-stamp authority ends, after all others.
var stamperEnds = sealingTime.AddDate(6, 0, 0)

// stamper is a time-stamp authority of the world at a fixed time.
func (w *world) stamper(t testing.TB, at time.Time) func(sum [32]byte) ([]byte, error) {
	t.Helper()
	key := mustKey(t)
	c, err := w.authority.IssueTimestamp(cert.Subject("TSA", "Test"), key.PublicKey(), cert.IssueOptions{NotAfter: stamperEnds})
	if err != nil {
		t.Fatal(err)
	}
	a, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: key, Certificate: c, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
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

// TestTimeStamp embeds a token: it proves the time, so that the seal holds after the certificates have ended.
func TestTimeStamp(t *testing.T) {
	w := mustWorld(t)
	at := sealingTime.Add(time.Minute)
	stamp := w.stamper(t, at)
	sealed := w.mustApply(t, mustRead(t, "u2.ofd"), func(o *ofdseal.PrepareOptions) { o.TimeStamp = stamp })
	f := ofdseal.VerifyFile(sealed, w.options())
	s := f.Signatures[0]
	if f.Verdict != verdict.Passed || f.Warned(verdict.TimeClaimed) || s.TimeSource != verdict.TimeFromTimestamp || !s.Time.Equal(at) {
		t.Errorf("%s (%s), %s of %v, warnings %v %+v", f.Verdict, f.Reason, s.TimeSource, s.Time, f.Warnings, faulty(f))
	}
	late := seal.VerifyOptions{Policy: w.options().Policy, Now: sealingTime.AddDate(4, 0, 0)} // the signer's certificate has ended
	if f = ofdseal.VerifyFile(sealed, late); f.Signatures[0].TimeSource != verdict.TimeFromTimestamp || f.Reason == verdict.NoProofOfExistence {
		t.Errorf("after the certificates: %s (%s) %+v", f.Verdict, f.Reason, faulty(f))
	}
	late.Now = stamperEnds.AddDate(0, 0, 1)
	f = ofdseal.VerifyFile(sealed, late)
	if f.Verdict == verdict.Passed || !f.Warned(verdict.NoProofOfExistence) || f.Signatures[0].TimeSource != verdict.TimeFromSigner {
		t.Errorf("after the authority: %s (%s), warnings %v", f.Verdict, f.Reason, f.Warnings)
	}
	late.Proven = &seal.ProvenTime{At: at.AddDate(1, 0, 0), Source: verdict.TimeFromLog}
	if f = ofdseal.VerifyFile(sealed, late); f.Warned(verdict.NoProofOfExistence) || f.Signatures[0].TimeSource != verdict.TimeFromLog {
		t.Errorf("after the authority, seen by a log: %s (%s), warnings %v", f.Verdict, f.Reason, f.Warnings)
	}
	if f := ofdseal.VerifyFile(sealed, seal.VerifyOptions{Now: sealingTime.AddDate(0, 0, 1)}); f.Verdict != verdict.Indeterminate || f.Reason != verdict.NoTrustAnchor {
		t.Errorf("without roots: %s (%s)", f.Verdict, f.Reason)
	}
	// T-12: a token of another signature, put into this one.
	var other [32]byte
	foreign, err := stamp(other)
	if err != nil {
		t.Fatal(err)
	}
	mixFor := func(stamp func([32]byte) ([]byte, error)) verdict.File {
		f := mustUnpack(t, w.mustApply(t, mustRead(t, "u2.ofd")))
		p, err := ses.ParseSignature([]byte(f.data[value0]))
		if err != nil {
			t.Fatal(err)
		}
		token, err := stamp(gm.SM3(p.Value))
		if err != nil {
			t.Fatal(err)
		}
		again, err := ses.MarshalSignature(p.RawToSign, p.Cert, p.Value, token)
		if err != nil {
			t.Fatal(err)
		}
		f.data[value0] = string(again.Raw)
		return ofdseal.VerifyFile(f.mustPack(t), w.options())
	}
	mix := func(token []byte) verdict.File {
		return mixFor(func([32]byte) ([]byte, error) { return token, nil })
	}
	if got := mix(foreign); got.Verdict != verdict.Failed || got.Reason != verdict.TimestampImprint || got.Signatures[0].TimeSource != verdict.TimeFromSigner {
		t.Errorf("token of another signature: %s (%s)", got.Verdict, got.Reason)
	}
	if got := mixFor(w.stamper(t, sealingTime.Add(-time.Hour))); got.Verdict != verdict.Failed || got.Reason != verdict.TimestampTime || got.Signatures[0].TimeSource != verdict.TimeFromSigner {
		t.Errorf("a token from before the sealing: %s (%s)", got.Verdict, got.Reason)
	}
	if got := mix([]byte("no token")); got.Verdict != verdict.Failed || got.Reason != verdict.TimestampInvalid {
		t.Errorf("no token: %s (%s)", got.Verdict, got.Reason)
	}
	if got := mix(nil); got.Verdict != verdict.Passed || !got.Warned(verdict.TimeClaimed) {
		t.Errorf("the twin without a token: %s (%s)", got.Verdict, got.Reason)
	}
}

func TestTimeStampRefusals(t *testing.T) {
	w := mustWorld(t)
	o := w.prepareOptions()
	away := errors.New("away")
	o.TimeStamp = func([32]byte) ([]byte, error) { return nil, away }
	p, err := ofdseal.Prepare(mustRead(t, "u2.ofd"), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sign(rand.Reader, w.signer.key); !errors.Is(err, away) {
		t.Errorf("authority away: %v", err)
	}
	o.TimeStamp = func([32]byte) ([]byte, error) { sum := gm.SM3([]byte("x")); return sum[:], nil }
	if p, err = ofdseal.Prepare(mustRead(t, "u2.ofd"), o); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sign(rand.Reader, w.signer.key); !errors.Is(err, ofdseal.ErrSelfCheck) {
		t.Errorf("a token that is none: %v, want ErrSelfCheck", err)
	}
}

// TestTimeStampOfSignature is TestTimeStamp for a digital signature, whose token stands beside its value.
func TestTimeStampOfSignature(t *testing.T) {
	w := mustWorld(t)
	at := sealingTime.Add(time.Minute)
	sign := func(stamp func([32]byte) ([]byte, error)) ([]byte, error) {
		o := w.prepareOptions()
		o.Seal, o.Stamps, o.TimeStamp = nil, nil, stamp
		p, err := ofdseal.Prepare(mustRead(t, "u2.ofd"), o)
		if err != nil {
			t.Fatal(err)
		}
		return p.Sign(rand.Reader, w.signer.key)
	}
	late := seal.VerifyOptions{Policy: w.options().Policy, Now: sealingTime.AddDate(4, 0, 0)} // the signer's certificate has ended
	signed, err := sign(w.stamper(t, at))
	if err != nil {
		t.Fatal(err)
	}
	f := ofdseal.VerifyFile(signed, late)
	if s := f.Signatures[0]; s.TimeSource != verdict.TimeFromTimestamp || !s.Time.Equal(at) {
		t.Errorf("time %v from %s", s.Time, s.TimeSource)
	}
	late.Now = stamperEnds.AddDate(0, 0, 1) // the authority's too: nothing proves the time any more
	if f = ofdseal.VerifyFile(signed, late); f.Reason != verdict.NoProofOfExistence || f.Signatures[0].TimeSource != verdict.TimeFromSigner {
		t.Errorf("%s (%s), time from %s", f.Verdict, f.Reason, f.Signatures[0].TimeSource)
	}
	if f = ofdseal.VerifyFile(signed, w.options()); f.Verdict != verdict.Passed || f.Warned(verdict.TimeClaimed) {
		t.Errorf("%s (%s), warnings %v", f.Verdict, f.Reason, f.Warnings)
	}
	if signed, err = sign(nil); err != nil {
		t.Fatal(err)
	}
	if f = ofdseal.VerifyFile(signed, w.options()); f.Verdict != verdict.Passed || !f.Warned(verdict.TimeClaimed) {
		t.Errorf("the twin without a token: %s (%s)", f.Verdict, f.Reason)
	}
	other := w.stamper(t, at)
	if _, err = sign(func([32]byte) ([]byte, error) { return other([32]byte{}) }); !errors.Is(err, ofdseal.ErrSelfCheck) {
		t.Errorf("a token of something else: %v, want ErrSelfCheck", err)
	}
}
