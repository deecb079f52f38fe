package gm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"pgregory.net/rapid"

	"yinxin/crypto/gm"
	"yinxin/testvectors/boundtest"
	"yinxin/testvectors/forge/hand"
)

func newKey(t testing.TB) *gm.PrivateKey {
	t.Helper()
	k, err := gm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSelfTest(t *testing.T) {
	if err := gm.SelfTest(); err != nil {
		t.Fatal(err)
	}
}

func TestSignerOpts(t *testing.T) {
	key := newKey(t)
	msg := gm.Message("the message")
	e, err := gm.ComputeDigest(key.PublicKey(), gm.DefaultID, msg)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		data []byte
		opts crypto.SignerOpts
		want error
	}{
		{"message", msg, gm.SignMessage, nil},
		{"digest", e[:], gm.SignDigest, nil},
		{"option of the certificate library", msg, sm2.DefaultSM2SignerOpts, nil},
		{"empty message", nil, gm.SignMessage, nil},
		{"no option", e[:], nil, gm.ErrSignerOpts},
		{"a crypto.Hash", e[:], crypto.SHA256, gm.ErrSignerOpts},
		{"unknown option", e[:], gm.SignerOpt(9), gm.ErrSignerOpts},
		{"library option with an ID of its own", msg, sm2.NewSM2SignerOption(true, []byte("other")), gm.ErrSignerOpts},
		{"library option for a raw hash", e[:], sm2.NewSM2SignerOption(false, nil), gm.ErrSignerOpts},
		{"message where a digest is said", msg, gm.SignDigest, gm.ErrSignerOpts},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sig, err := key.Sign(rand.Reader, tt.data, tt.opts)
			if !errors.Is(err, tt.want) {
				t.Fatalf("sign: %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			of := msg
			if tt.data == nil {
				of = nil
			}
			if !gm.Verify(key.PublicKey(), of, sig) {
				t.Error("signature does not verify as one of the message")
			}
		})
	}
}

// TestDigestIsNotAMessage: a signature over e is one of the message, and a signature over bytes that happen to be e is not.
func TestDigestIsNotAMessage(t *testing.T) {
	key := newKey(t)
	e, err := gm.ComputeDigest(key.PublicKey(), gm.DefaultID, gm.Message("m"))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := gm.SignPrecomputed(nil, key, e)
	if err != nil || !gm.Verify(key.PublicKey(), gm.Message("m"), sig) {
		t.Fatalf("signature over e: %v", err)
	}
	sig, err = gm.Sign(nil, key, e[:])
	if err != nil || gm.Verify(key.PublicKey(), gm.Message("m"), sig) {
		t.Error("a signature of the message e is taken for one of m")
	}
}

func TestIDIsLiteral(t *testing.T) {
	key := newKey(t)
	for _, id := range []string{"", "1", gm.DefaultID, strings.Repeat("x", gm.MaxIDSize)} {
		e, err := gm.ComputeDigest(key.PublicKey(), id, gm.Message("m"))
		if err != nil {
			t.Fatal(err)
		}
		sig, err := gm.SignPrecomputed(nil, key, e)
		if err != nil {
			t.Fatal(err)
		}
		if !gm.VerifyID(key.PublicKey(), id, gm.Message("m"), sig) {
			t.Errorf("ID of %d bytes: does not verify", len(id))
		}
		if gm.Verify(key.PublicKey(), gm.Message("m"), sig) != (id == gm.DefaultID) {
			t.Errorf("ID of %d bytes: taken for the default", len(id))
		}
	}
	if _, err := gm.ComputeDigest(key.PublicKey(), strings.Repeat("x", gm.MaxIDSize+1), nil); !errors.Is(err, gm.ErrID) {
		t.Errorf("ID too long: %v", err)
	}
}

func TestForeignCurve(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := make([]byte, 32)
	sig, err := ecdsa.SignASN1(rand.Reader, p256, e)
	if err != nil {
		t.Fatal(err)
	}
	if gm.VerifyDigest(&p256.PublicKey, gm.Digest(e), sig) || gm.Verify(&p256.PublicKey, nil, sig) || gm.VerifyDigest(nil, gm.Digest(e), sig) {
		t.Error("a key of another curve, or none, verifies")
	}
	off := &ecdsa.PublicKey{Curve: sm2.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	unreduced := &ecdsa.PublicKey{Curve: sm2.P256(), X: new(big.Int).Lsh(big.NewInt(1), 256), Y: big.NewInt(1)}
	for name, pub := range map[string]*ecdsa.PublicKey{"off the curve": off, "unreduced": unreduced, "empty": {Curve: sm2.P256()}} {
		if gm.Verify(pub, gm.Message("m"), sig) || gm.VerifyDigest(pub, gm.Digest(e), sig) {
			t.Errorf("a key %s verifies", name)
		}
	}
	if _, err := gm.Encrypt(nil, &p256.PublicKey, []byte("x")); !errors.Is(err, gm.ErrPublicKey) {
		t.Errorf("encrypt to a key of another curve: %v", err)
	}
	if gm.MarshalPublicKey(&p256.PublicKey) != nil {
		t.Error("a key of another curve is marshalled")
	}
	good := gm.MarshalPublicKey(newKey(t).PublicKey())
	for _, bad := range [][]byte{nil, {0}, good[:64], append(bytes.Clone(good), 0), append([]byte{2 + good[64]&1}, good[1:33]...), make([]byte, 65)} {
		if _, err := gm.ParsePublicKey(bad); !errors.Is(err, gm.ErrPublicKey) {
			t.Errorf("point %x: %v", bad, err)
		}
	}
	if pub, err := gm.ParsePublicKey(good); err != nil || !bytes.Equal(gm.MarshalPublicKey(pub), good) {
		t.Errorf("a good point: %v", err)
	}
}

// TestRandomFailure: signing, key generation and encryption fail closed when the random source errs.
func TestRandomFailure(t *testing.T) {
	key := newKey(t)
	broken := iotest.ErrReader(errors.New("no entropy"))
	if sig, err := key.Sign(broken, []byte("m"), gm.SignMessage); err == nil {
		t.Errorf("signed %x", sig)
	}
	if _, err := gm.GenerateKey(broken); err == nil {
		t.Error("a key was generated")
	}
	if _, err := gm.Encrypt(broken, key.PublicKey(), []byte("m")); err == nil {
		t.Error("encrypted")
	}
}

// TestNoncesDiffer: a random source that repeats does not repeat r across messages, since the nonce is hedged.
// repeated counts signatures whose r was there before.
func repeated(t *testing.T, sigs func(yield func([]byte) bool)) int {
	t.Helper()
	seen, again := map[[32]byte]bool{}, 0
	for sig := range sigs {
		var v struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(sig, &v); err != nil {
			t.Fatal(err)
		}
		var r [32]byte
		v.R.FillBytes(r[:])
		if seen[r] {
			again++
		}
		seen[r] = true
	}
	return again
}

// TestNoncesDiffer is C-16: no r repeats in a hundred thousand signatures of one message, and none where the source of
// randomness gives nothing but zeros, since the nonce is hedged; a signer that repeats its k is found by the same count.
func TestNoncesDiffer(t *testing.T) {
	key := newKey(t)
	sign := func(random io.Reader, n int, message func(int) []byte) func(func([]byte) bool) {
		return func(yield func([]byte) bool) {
			for i := range n {
				sig, err := key.Sign(random, message(i), gm.SignMessage)
				if err != nil {
					t.Fatal(err)
				}
				if !yield(sig) {
					return
				}
			}
		}
	}
	same := func(int) []byte { return []byte("the same message") }
	numbered := func(i int) []byte { return fmt.Appendf(nil, "message %d", i) }
	if n := repeated(t, sign(nil, 100_000, same)); n > 0 {
		t.Errorf("one message: r repeats %d times", n)
	}
	if n := repeated(t, sign(zeros{}, 1000, numbered)); n > 0 {
		t.Errorf("no randomness, many messages: r repeats %d times", n)
	}
	if n := repeated(t, sign(zeros{}, 10, same)); n != 9 {
		t.Errorf("no randomness, one message: r repeats %d times, want 9: the count finds nothing", n)
	}
}

// zeros is a source of randomness that has none.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestScalars(t *testing.T) {
	key := newKey(t)
	again, err := gm.ImportScalar(key.ExportScalar())
	if err != nil || !again.Equal(key) {
		t.Fatalf("import of an exported scalar: %v", err)
	}
	n := sm2.P256().Params().N.Bytes()
	small := make([]byte, 32)
	copy(small[28:], []byte{0xff, 0xff, 0xff, 0xff})
	border := make([]byte, 32)
	border[27] = 1 // 2^32, the smallest accepted
	nLess1, nLess2 := bytes.Clone(n), bytes.Clone(n)
	nLess1[31]--
	nLess2[31] -= 2
	tests := []struct {
		name   string
		scalar []byte
		ok     bool
	}{
		{"zero", make([]byte, 32), false},
		{"2^32-1", small, false},
		{"2^32", border, true},
		{"n-2", nLess2, true},
		{"n-1", nLess1, false},
		{"n", n, false},
		{"31 bytes", n[1:], false},
		{"33 bytes", append([]byte{0}, border...), false},
		{"none", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := gm.ImportScalar(tt.scalar)
			if tt.ok != (err == nil) || err != nil && !errors.Is(err, gm.ErrWeakKey) {
				t.Fatalf("import: %v, want ok %v", err, tt.ok)
			}
			if tt.ok && !bytes.Equal(k.ExportScalar(), tt.scalar) {
				t.Error("exported scalar differs")
			}
		})
	}
}

// TestKeyNeverPrints looks for the scalar in every way a value gets printed.
func TestKeyNeverPrints(t *testing.T) {
	key := newKey(t)
	d := fmt.Sprintf("%x", key.ExportScalar())
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", slog.Any("key", key), slog.Any("in", struct{ K *gm.PrivateKey }{key}))
	js, err := json.Marshal(map[string]any{"key": key})
	if err != nil {
		t.Fatal(err)
	}
	prints := []string{log.String(), string(js)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		prints = append(prints, fmt.Sprintf(verb, key), fmt.Sprintf(verb, []any{key}))
	}
	for _, p := range prints {
		if strings.Contains(p, d[:16]) || !strings.Contains(p, "redacted") {
			t.Errorf("printed %q", p)
		}
	}
}

func TestPKCS8(t *testing.T) {
	key := newKey(t)
	plain, err := gm.MarshalPKCS8PEM(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := gm.MarshalPKCS8PEM(key, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if gm.IsEncryptedPEM(plain) || !gm.IsEncryptedPEM(locked) || gm.IsEncryptedPEM(nil) {
		t.Error("IsEncryptedPEM")
	}
	tests := []struct {
		name       string
		pem        []byte
		passphrase string
		want       error
	}{
		{"plain", plain, "", nil},
		{"plain, passphrase not needed", plain, "x", nil},
		{"encrypted", locked, "correct horse", nil},
		{"wrong passphrase", locked, "battery staple", gm.ErrPassphrase},
		{"no passphrase", locked, "", gm.ErrPassphrase},
		{"cut off", locked[:len(locked)/2], "correct horse", gm.ErrKeyFile},
		{"no PEM", []byte("key"), "", gm.ErrKeyFile},
		{"other block", bytes.ReplaceAll(plain, []byte("PRIVATE KEY"), []byte("CERTIFICATE")), "", gm.ErrKeyFile},
		{"large", append(plain, make([]byte, 64<<10)...), "", gm.ErrKeyFile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := gm.ParsePKCS8PEM(tt.pem, []byte(tt.passphrase))
			if !errors.Is(err, tt.want) {
				t.Fatalf("parse: %v, want %v", err, tt.want)
			}
			if tt.want == nil && !got.Equal(key) {
				t.Error("another key came back")
			}
		})
	}
}

// TestEncryptOneByte: for one byte the derived key is all zeros once in 256 times, and what is made then must open too.
func TestEncryptOneByte(t *testing.T) {
	key := newKey(t)
	for i := range 2000 {
		ct, err := gm.Encrypt(nil, key.PublicKey(), []byte{7})
		if err != nil {
			t.Fatal(err)
		}
		if pt, err := key.Decrypt(nil, ct, nil); err != nil || !bytes.Equal(pt, []byte{7}) {
			t.Fatalf("try %d: %x, %v", i, pt, err)
		}
	}
}

func TestEncryptBounds(t *testing.T) {
	key := newKey(t)
	for n, ok := range map[int]bool{0: false, 1: true, 16: true, gm.MaxPlaintext: true, gm.MaxPlaintext + 1: false} {
		ct, err := gm.Encrypt(nil, key.PublicKey(), make([]byte, n))
		if ok != (err == nil) {
			t.Errorf("%d bytes: %v", n, err)
			continue
		}
		if !ok {
			continue
		}
		pt, err := key.Decrypt(nil, ct, nil)
		if err != nil || len(pt) != n {
			t.Errorf("%d bytes: back %d, %v", n, len(pt), err)
		}
		if _, err := newKey(t).Decrypt(nil, ct, nil); err != gm.ErrDecrypt { //nolint:errorlint // the one error, unwrapped, is the promise
			t.Errorf("wrong key: %v", err)
		}
		if _, err := key.Decrypt(nil, append(ct, 0), nil); err != gm.ErrDecrypt { //nolint:errorlint // as above
			t.Errorf("trailing byte: %v", err)
		}
	}
}

func TestCBC(t *testing.T) {
	key, iv := []byte("0123456789abcdef"), make([]byte, 16)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "plain")
		ct, err := gm.EncryptCBC(key, iv, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gm.DecryptCBC(key, iv, ct)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("back %x, %v", got, err)
		}
		cut := rapid.IntRange(0, len(ct)-1).Draw(t, "cut")
		if got, err := gm.DecryptCBC(key, iv, ct[:cut]); err == nil && cut%16 != 0 {
			t.Fatalf("cut ciphertext opens: %x", got)
		}
	})
}

// TestCBCPadding walks every last byte of a last block: only right padding is removed, and every failure is the same.
func TestCBCPadding(t *testing.T) {
	key, iv := []byte("0123456789abcdef"), make([]byte, 16)
	for pad := range 256 {
		for _, spoil := range []bool{false, true} {
			block := bytes.Repeat([]byte{byte(pad)}, 16)
			if spoil {
				block[15-min(max(pad, 2), 16)+1] ^= 0xff // the first byte of the padding
			}
			ct, err := gm.EncryptCBC(key, iv, block)
			if err != nil {
				t.Fatal(err)
			}
			got, err := gm.DecryptCBC(key, iv, ct[:16])
			want := pad >= 1 && pad <= 16 && (!spoil || pad == 1)
			if want != (err == nil) || err != nil && err != gm.ErrDecrypt { //nolint:errorlint // the one error, unwrapped, is the promise
				t.Errorf("padding %d, spoilt %v: %d bytes, %v", pad, spoil, len(got), err)
			}
			if err == nil && len(got) != 16-pad {
				t.Errorf("padding %d leaves %d bytes", pad, len(got))
			}
		}
	}
	for _, bad := range []struct{ key, iv, ct []byte }{
		{key[:8], iv, make([]byte, 16)}, {key, iv[:8], make([]byte, 16)}, {key, iv, nil}, {key, iv, make([]byte, 17)},
	} {
		if _, err := gm.DecryptCBC(bad.key, bad.iv, bad.ct); !errors.Is(err, gm.ErrDecrypt) {
			t.Errorf("bad input: %v", err)
		}
	}
}

// TestHKDF compares with RFC 5869 written out over HMACSM3.
func TestHKDF(t *testing.T) {
	ikm, salt, info := []byte("input key"), []byte("salt"), "use"
	prk := gm.HMACSM3(salt, ikm)
	var want, block []byte
	for i := byte(1); len(want) < 100; i++ {
		tag := gm.HMACSM3(prk[:], block, []byte(info), []byte{i})
		block = tag[:]
		want = append(want, block...)
	}
	got, err := gm.HKDF(ikm, salt, info, 100)
	if err != nil || !bytes.Equal(got, want[:100]) {
		t.Errorf("HKDF = %x, %v, want %x", got, err, want[:100])
	}
	if other, _ := gm.HKDF(ikm, salt, "other use", 100); bytes.Equal(other, got) {
		t.Error("info does not separate")
	}
	if _, err := gm.HKDF(ikm, salt, info, 32*255+1); err == nil {
		t.Error("too much output")
	}
}

func TestKeySizes(t *testing.T) {
	for _, n := range []int{0, 15, 17, 32} {
		if _, err := gm.NewSM4GCM(make([]byte, n)); err == nil {
			t.Errorf("GCM key of %d bytes", n)
		}
		if _, err := gm.EncryptCBC(make([]byte, n), make([]byte, 16), nil); err == nil {
			t.Errorf("CBC key of %d bytes", n)
		}
	}
	if _, err := gm.EncryptCBC([]byte("0123456789abcdef"), make([]byte, 12), nil); err == nil {
		t.Error("CBC IV of 12 bytes")
	}
}

// TestZeroKey is C-21 for SM4: a key of zeros is none, one with a single bit is one.
func TestZeroKey(t *testing.T) {
	zero, one := make([]byte, gm.KeySize), append(make([]byte, gm.KeySize-1), 1)
	iv, block := make([]byte, gm.BlockSize), make([]byte, 2*gm.BlockSize)
	for _, tt := range []struct {
		key  []byte
		want error
	}{{zero, gm.ErrWeakKey}, {one, nil}} {
		if _, err := gm.NewSM4GCM(tt.key); !errors.Is(err, tt.want) {
			t.Errorf("GCM with %x: %v", tt.key, err)
		}
		ct, err := gm.EncryptCBC(tt.key, iv, block)
		if !errors.Is(err, tt.want) || tt.want != nil && ct != nil {
			t.Errorf("CBC with %x: %v", tt.key, err)
		}
	}
	ct := hand.CBC(zero, iv, block) // as another implementation would make it
	if got, err := gm.DecryptCBC(zero, iv, ct); !errors.Is(err, gm.ErrDecrypt) || got != nil {
		t.Errorf("decrypt with zeros: %x, %v", got, err)
	}
	if got, err := gm.DecryptCBC(one, iv, hand.CBC(one, iv, block)); err != nil || !bytes.Equal(got, block) {
		t.Errorf("decrypt with one bit: %x, %v", got, err)
	}
}

func FuzzDecrypt(f *testing.F) {
	key, err := gm.ImportScalar(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	ct, err := gm.Encrypt(nil, key.PublicKey(), []byte("sixteen byte key"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ct)
	f.Add([]byte{0x30, 0})
	f.Fuzz(boundtest.Fuzz(1000, func(t *testing.T, ct []byte) {
		if pt, err := key.Decrypt(nil, ct, nil); err != nil && (err != gm.ErrDecrypt || pt != nil) { //nolint:errorlint // the one error, unwrapped, is the promise
			t.Fatalf("%x, %v", pt, err)
		}
	}))
}

func FuzzOpenEnvelopedKey(f *testing.F) {
	key, err := gm.ImportScalar(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	pair, err := gm.ImportScalar(bytes.Repeat([]byte{9}, 32))
	if err != nil {
		f.Fatal(err)
	}
	der, err := gm.EnvelopeKey(nil, key.PublicKey(), pair)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(der[:len(der)-1])
	f.Add(append(bytes.Clone(der), 0))
	f.Add([]byte{0x30, 0})
	f.Fuzz(boundtest.Fuzz(1000, func(t *testing.T, der []byte) {
		opened, err := key.OpenEnvelopedKey(der)
		if err != nil {
			if err != gm.ErrDecrypt || opened != nil { //nolint:errorlint // the one error, unwrapped, is the promise
				t.Fatalf("%v", err)
			}
			return
		}
		if len(der) > gm.MaxEnvelopedKey || gm.CheckPublicKey(opened.PublicKey()) != nil {
			t.Fatal("a key that cannot be is taken")
		}
	}))
}

func FuzzParsePKCS8PEM(f *testing.F) {
	key, err := gm.ImportScalar(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	plain, err := gm.MarshalPKCS8PEM(key, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(boundtest.Fuzz(1000, func(t *testing.T, text []byte) {
		k, err := gm.ParsePKCS8PEM(text, nil)
		if err == nil && k.PublicKey() == nil {
			t.Fatal("a key without a public key")
		}
	}))
}

// against runs act and probe in turn, a hundred of each at a time, and reports the rates of both.
func against(b *testing.B, act, probe func()) {
	b.Helper()
	const turn = 100
	var acting, probing time.Duration
	for b.Loop() {
		start := time.Now()
		for range turn {
			act()
		}
		middle := time.Now()
		for range turn {
			probe()
		}
		acting += middle.Sub(start)
		probing += time.Since(middle)
	}
	rate := func(d time.Duration) float64 { return turn * float64(b.N) / d.Seconds() }
	b.ReportMetric(rate(acting), "ops/s")
	b.ReportMetric(rate(probing), "probe-ops/s")
}

// BenchmarkSign signs a message through this package; the probe is the library's own signing of the same message.
func BenchmarkSign(b *testing.B) {
	key, raw := newKey(b), rawKey(b)
	against(b, func() {
		if _, err := gm.Sign(nil, key, gm.Message("message")); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := raw.Sign(rand.Reader, []byte("message"), sm2.DefaultSM2SignerOpts); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkVerify verifies through this package; the probe is the library's own verification of the same signature.
func BenchmarkVerify(b *testing.B) {
	key := newKey(b)
	sig, err := gm.Sign(nil, key, gm.Message("message"))
	if err != nil {
		b.Fatal(err)
	}
	against(b, func() {
		if !gm.Verify(key.PublicKey(), gm.Message("message"), sig) {
			b.Fatal("does not verify")
		}
	}, func() {
		if !sm2.VerifyASN1WithSM2(key.PublicKey(), nil, []byte("message"), sig) {
			b.Fatal("does not verify")
		}
	})
}

func rawKey(b *testing.B) *sm2.PrivateKey {
	b.Helper()
	k, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	return k
}

func BenchmarkSM3(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		gm.SM3(data)
	}
}

func BenchmarkSM4GCM(b *testing.B) {
	aead, err := gm.NewSM4GCM([]byte("0123456789abcdef"))
	if err != nil {
		b.Fatal(err)
	}
	data, out, nonce := make([]byte, 64<<10), make([]byte, 0, 64<<10+16), make([]byte, 12)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		out = aead.Seal(out[:0], nonce, data, nil)
	}
}
