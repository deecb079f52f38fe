package ofdseal_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"syscall"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/seal/ofdseal"
	"yinxin/verdict"
)

// beside runs do and, in turn with it, the probe, and reports how often in a second of processor time each was done. A
// round does the one once and the other n times. The time is what this process has had the processor for, garbage
// collection included: what else runs on the machine does not count.
func beside(b *testing.B, n int, do, probe func()) {
	b.Helper()
	var work, measure time.Duration
	rounds := 0
	for b.Loop() {
		start := processor(b)
		do()
		done := processor(b)
		for range n {
			probe()
		}
		work, measure = work+done-start, measure+processor(b)-done
		rounds++
	}
	b.ReportMetric(float64(rounds)/work.Seconds(), "docs/cpu-s")
	b.ReportMetric(float64(rounds*n)/measure.Seconds(), "probe-docs/cpu-s")
}

func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// besideLarge runs do and, in turn with it, the probe, and reports the megabytes a second of the fastest run of each:
// here reading and writing count, and what else runs on the machine only slows both.
func besideLarge(b *testing.B, do, probe, tidy func()) {
	b.Helper()
	const rounds = 4
	work, measure := time.Hour, time.Hour
	for b.Loop() {
		for range rounds {
			start := time.Now()
			do()
			done := time.Now()
			probe()
			work, measure = min(work, done.Sub(start)), min(measure, time.Since(done))
			tidy()
		}
	}
	b.ReportMetric(largeSize/1e6/work.Seconds(), "MB/s")
	b.ReportMetric(largeSize/1e6/measure.Seconds(), "probe-MB/s")
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
	beside(b, 20, func() { w.mustApply(b, in) }, verification(b))
}

// BenchmarkVerify judges a small sealed document; the probe is SM2 verifications.
func BenchmarkVerify(b *testing.B) {
	w := mustWorld(b)
	sealed, o := w.mustApply(b, small(b)), w.options()
	beside(b, 10, func() {
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
	var sealed *os.File
	besideLarge(b, func() { sealed = w.mustSealFile(b, in) }, digest(), func() {
		_, _ = sealed.Close(), os.Remove(sealed.Name())
	})
}

// BenchmarkVerifyLarge judges a sealed document of 100 MB; the probe is SM3 over as many bytes.
func BenchmarkVerifyLarge(b *testing.B) {
	w := mustWorld(b)
	sealed := w.mustSealFile(b, mustLarge(b))
	besideLarge(b, func() { w.mustVerifyFile(b, sealed) }, digest(), func() {})
}
