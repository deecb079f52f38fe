package cms_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
)

// TestOneTimeForEveryFailure is C-18: envelopes that do not open, whether for the wrapped key or for the padding, take one
// time, so that nobody learns by the clock how far opening got. The shortest time of many is compared, which a busy machine
// disturbs least; more rounds are taken until it has settled. The failing twin is an opener that stops at the wrapped key.
func TestOneTimeForEveryFailure(t *testing.T) {
	const apart = 1.25 // the longest of the shortest times over the shortest
	a := certtest.New(t, "root", now).Party("a")
	secret, iv := []byte("0123456789abcdef"), bytes.Repeat([]byte{1}, 16)
	whole := bytes.Repeat(content, 10_000)
	envelope := func(spoil func(*forge.Envelope)) *cms.EnvelopedData {
		f := forge.NewEnvelope(a.EncryptionCert.Raw, hand.Wrap(a.EncryptionCert.PublicKey, secret), iv, hand.CBC(secret, iv, whole))
		spoil(f)
		e, err := cms.ParseEnveloped(f.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	wrapped := func(key []byte) func(*forge.Envelope) {
		return func(e *forge.Envelope) { e.Key = hand.Wrap(a.EncryptionCert.PublicKey, key) }
	}
	failures := map[string]*cms.EnvelopedData{
		"the wrapped key's digest": envelope(func(e *forge.Envelope) {
			n := forge.Must(e.Key)
			n.At(2).Value[0] ^= 1
			e.Key = n.Bytes()
		}),
		"the wrapped key itself":   envelope(func(e *forge.Envelope) { e.Key[len(e.Key)-1] ^= 1 }),
		"a key of 15 bytes":        envelope(wrapped(secret[:15])),
		"a key of zeros":           envelope(wrapped(make([]byte, 16))),
		"another key":              envelope(wrapped([]byte("fedcba9876543210"))),
		"the padding's last byte":  envelope(func(e *forge.Envelope) { e.Ciphertext[len(e.Ciphertext)-17] ^= 0x80 }),
		"the padding's first byte": envelope(func(e *forge.Envelope) { e.Ciphertext[len(e.Ciphertext)-32] ^= 0x80 }),
	}
	shortest := map[string]time.Duration{}
	measure := func(name string, f func() error) {
		start := time.Now()
		err := f()
		took := time.Since(start)
		if !errors.Is(err, cms.ErrDecrypt) {
			t.Fatalf("%s: %v", name, err)
		}
		if best, ok := shortest[name]; !ok || took < best {
			shortest[name] = took
		}
	}
	// What an opener would take that stops at the wrapped key: hardly any ciphertext is behind it.
	short := envelope(func(e *forge.Envelope) { e.Key[len(e.Key)-1] ^= 1; e.Ciphertext = e.Ciphertext[:32] })
	var low, high time.Duration
	for range 20 {
		for range 25 {
			for name, e := range failures {
				measure(name, func() error { _, err := e.Open(a.EncryptionCert, a.EncryptKey); return err })
			}
			measure("stops early", func() error { _, err := short.Open(a.EncryptionCert, a.EncryptKey); return err })
		}
		low, high = time.Hour, 0
		for name := range failures {
			low, high = min(low, shortest[name]), max(high, shortest[name])
		}
		if float64(high) <= apart*float64(low) {
			break
		}
	}
	if float64(high) > apart*float64(low) {
		t.Errorf("failures differ in time: %v", shortest)
	}
	if early := shortest["stops early"]; float64(low) <= apart*float64(early) {
		t.Errorf("the measure does not tell an opener that stops early: %s against %s", early, low)
	}
}
