package ofdseal_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/document/ofd"
	"yinxin/seal/ofdseal"
	"yinxin/verdict"
)

// probeTime is how long a probe runs.
const probeTime = 300 * time.Millisecond

// rate is how often do can be done in a second.
func rate(do func()) float64 {
	n, start := 0, time.Now()
	for time.Since(start) < probeTime {
		do()
		n++
	}
	return float64(n) / time.Since(start).Seconds()
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
	for b.Loop() {
		w.mustApply(b, in)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
	b.StopTimer()
	b.ReportMetric(rate(verification(b)), "probe-docs/s")
}

// BenchmarkVerify judges a small sealed document; the probe is SM2 verifications.
func BenchmarkVerify(b *testing.B) {
	w := mustWorld(b)
	sealed, o := w.mustApply(b, small(b)), w.options()
	for b.Loop() {
		if f := ofdseal.VerifyFile(sealed, o); f.Verdict != verdict.Passed {
			b.Fatal(f.Reason)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
	b.StopTimer()
	b.ReportMetric(rate(verification(b)), "probe-docs/s")
}

const largeSize = 100_000_000

// large is an OFD with an attachment that does not compress.
func large(b *testing.B) []byte {
	b.Helper()
	pkg, err := ofd.Open(small(b))
	if err != nil {
		b.Fatal(err)
	}
	noise := make([]byte, largeSize)
	if _, err := rand.Read(noise); err != nil {
		b.Fatal(err)
	}
	out, err := pkg.Replace(ofd.File{Name: "Doc_0/Res/data.csv", Data: noise})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// digest is SM3 over as much as the large document holds, the probe of large documents.
func digest(b *testing.B) float64 {
	b.Helper()
	data := bytes.Repeat([]byte("SM3 probe "), largeSize/10)
	return rate(func() { gm.SM3(data) }) * largeSize / 1e6
}

// BenchmarkSealLarge seals a document of 100 MB; the probe is SM3 over as many bytes.
func BenchmarkSealLarge(b *testing.B) {
	w, in := mustWorld(b), large(b)
	for b.Loop() {
		w.mustApply(b, in)
	}
	b.ReportMetric(float64(b.N)*largeSize/1e6/b.Elapsed().Seconds(), "MB/s")
	b.StopTimer()
	b.ReportMetric(digest(b), "probe-MB/s")
}

// BenchmarkVerifyLarge judges a sealed document of 100 MB; the probe is SM3 over as many bytes.
func BenchmarkVerifyLarge(b *testing.B) {
	w := mustWorld(b)
	sealed, o := w.mustApply(b, large(b)), w.options()
	for b.Loop() {
		if f := ofdseal.VerifyFile(sealed, o); f.Verdict != verdict.Passed {
			b.Fatal(f.Reason)
		}
	}
	b.ReportMetric(float64(b.N)*largeSize/1e6/b.Elapsed().Seconds(), "MB/s")
	b.StopTimer()
	b.ReportMetric(digest(b), "probe-MB/s")
}
