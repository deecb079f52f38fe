package ofdseal_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/seal/ofdseal"
	"yinxin/verdict"
)

// beside runs do and, in turn with it, the probe, and reports how often a second each was done, times scale: what disturbs
// the machine disturbs both. A round does the one once and the other n times.
func beside(b *testing.B, unit string, scale float64, n int, do, probe func()) {
	b.Helper()
	var work, measure time.Duration
	rounds := 0
	for b.Loop() {
		start := time.Now()
		do()
		work += time.Since(start)
		start = time.Now()
		for range n {
			probe()
		}
		measure += time.Since(start)
		rounds++
	}
	b.ReportMetric(float64(rounds)*scale/work.Seconds(), unit)
	b.ReportMetric(float64(rounds*n)*scale/measure.Seconds(), "probe-"+unit)
}

// verification is one SM2 verification, the probe of small documents.
func verification(b *testing.B) func() {
	b.Helper()
	key, message := mustKey(b), gm.Message("message")
	value, err := gm.Sign(rand.Reader, key, message)
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if !gm.Verify(key.PublicKey(), message, value) {
			b.Fatal("the probe does not verify")
		}
	}
}

// small is the sample of about 20 KB.
func small(b *testing.B) []byte {
	b.Helper()
	return mustRead(b, "u2.ofd")
}

// BenchmarkSeal seals a small document with the key in memory, self-check included; the probe is SM2 verifications.
func BenchmarkSeal(b *testing.B) {
	w, in := mustWorld(b), small(b)
	beside(b, "docs/s", 1, 20, func() { w.mustApply(b, in) }, verification(b))
}

// BenchmarkVerify judges a small sealed document; the probe is SM2 verifications.
func BenchmarkVerify(b *testing.B) {
	w := mustWorld(b)
	sealed, o := w.mustApply(b, small(b)), w.options()
	beside(b, "docs/s", 1, 10, func() {
		if f := ofdseal.VerifyFile(sealed, o); f.Verdict != verdict.Passed {
			b.Fatal(f.Reason)
		}
	}, verification(b))
}

// digest is SM3 over as much as the large document holds, the probe of large documents.
func digest() func() {
	data := bytes.Repeat([]byte("SM3 probe "), largeSize/10)
	return func() { gm.SM3(data) }
}

// BenchmarkReadLarge reads the structure of a document of 100 MB.
func BenchmarkReadLarge(b *testing.B) {
	in := mustLarge(b)
	for b.Loop() {
		mustOpenFile(b, in)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms")
}

// BenchmarkSealLarge seals a document of 100 MB from file to file; the probe is SM3 over as many bytes.
func BenchmarkSealLarge(b *testing.B) {
	w, in := mustWorld(b), mustLarge(b)
	beside(b, "MB/s", largeSize/1e6, 1, func() {
		f := w.mustSealFile(b, in)
		_, _ = f.Close(), os.Remove(f.Name())
	}, digest())
}

// BenchmarkVerifyLarge judges a sealed document of 100 MB; the probe is SM3 over as many bytes.
func BenchmarkVerifyLarge(b *testing.B) {
	w := mustWorld(b)
	sealed := w.mustSealFile(b, mustLarge(b))
	beside(b, "MB/s", largeSize/1e6, 1, func() { w.mustVerifyFile(b, sealed) }, digest())
}
