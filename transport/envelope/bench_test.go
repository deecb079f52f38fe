package envelope_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/internal/durable"
	"yinxin/transport"
	"yinxin/transport/envelope"
)

// Large files are measured as a sender has them: on disk, in the page cache, streamed.
const (
	benchSize = 1 << 30
	probeSize = 256 << 20
)

// slower is the rate in bytes a second, on one core, of the slower of SM3 and SM4-GCM: what nobody who must do both with
// two cores can beat. Both are measured at this moment, on this machine.
func slower(b *testing.B) float64 {
	b.Helper()
	aead, err := gm.NewSM4GCM([]byte("0123456789abcdef"))
	if err != nil {
		b.Fatal(err)
	}
	data, out, nonce := make([]byte, 1<<20), make([]byte, 0, 64<<10+16), make([]byte, 12)
	start := time.Now()
	h := gm.NewSM3()
	for range probeSize / len(data) {
		h.Write(data)
	}
	middle := time.Now()
	for range probeSize / len(data) {
		for at := 0; at < len(data); at += 64 << 10 {
			aead.Seal(out[:0], nonce, data[at:at+64<<10], nil)
		}
	}
	return probeSize / max(middle.Sub(start), time.Since(middle)).Seconds()
}

// against runs act with the probe before and after, and reports the rate, the probe, and how much memory act needed.
func against(b *testing.B, act func()) {
	b.Helper()
	var acting, used time.Duration
	probe := slower(b)
	for b.Loop() {
		start, before := time.Now(), processorTime(b)
		act()
		acting += time.Since(start)
		used += processorTime(b) - before
		probe += slower(b)
	}
	b.ReportMetric(benchSize*float64(b.N)/1e6/acting.Seconds(), "MB/s")
	b.ReportMetric(probe/float64(b.N+1)/1e6, "probe-MB/s")
	b.ReportMetric(used.Seconds()/acting.Seconds(), "cores")
}

// processorTime is what this process has used of the cores so far, in the kernel too.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchFile is a file of that size that lies in the page cache.
func benchFile(b *testing.B, size int64) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "large.bin")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(f, io.LimitReader(zeros{}, size)); err != nil {
		b.Fatal(err)
	}
	// What the kernel would write back while the processor is measured is written back before.
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchPack(tb testing.TB, w *world, in io.Reader, out io.Writer) {
	tb.Helper()
	_, err := envelope.Pack(out, envelope.PackOptions{
		Exchange: "ex-1", Sender: w.a.Code, Own: w.a.DecryptCert, Sign: w.a.Sign(), Document: -1,
		Recipients: []envelope.Recipient{
			{Code: w.b.Code, Role: transport.To, Certificate: w.b.DecryptCert},
			{Code: w.c.Code, Role: transport.CC, Certificate: w.c.DecryptCert},
		},
		Files: []envelope.Source{{Name: "large.bin", Content: in}},
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func withFile(tb testing.TB, path string, do func(f *os.File)) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	do(f)
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

// packedFile is an envelope of one large file.
func packedFile(tb testing.TB, w *world, in string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "large.yxe")
	out, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	withFile(tb, in, func(f *os.File) { benchPack(tb, w, f, out) })
	if err := out.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

func benchOpen(tb testing.TB, w *world, path string, sink envelope.Sink) {
	tb.Helper()
	withFile(tb, path, func(f *os.File) {
		st, err := f.Stat()
		if err != nil {
			tb.Fatal(err)
		}
		o, err := envelope.Open(f, st.Size(), w.openOptions(w.b, sink))
		if err != nil || !o.Released() {
			tb.Fatal(err, o)
		}
	})
}

// BenchmarkPack is the part of packing that the processor bounds: 1 GiB from the page cache, written nowhere.
func BenchmarkPack(b *testing.B) {
	w, in := newWorld(b), benchFile(b, benchSize)
	against(b, func() {
		withFile(b, in, func(f *os.File) { benchPack(b, w, f, io.Discard) })
	})
}

// BenchmarkOpen is the part of opening that the processor bounds.
func BenchmarkOpen(b *testing.B) {
	w := newWorld(b)
	path := packedFile(b, w, benchFile(b, benchSize))
	against(b, func() { benchOpen(b, w, path, envelope.Discard{}) })
}

// BenchmarkVerifyOutside is what a hub does with an envelope: every signature, and one pass over the payload.
func BenchmarkVerifyOutside(b *testing.B) {
	w := newWorld(b)
	path := packedFile(b, w, benchFile(b, benchSize))
	against(b, func() {
		withFile(b, path, func(f *os.File) {
			st, err := f.Stat()
			if err != nil {
				b.Fatal(err)
			}
			if v := envelope.VerifyOutside("x", f, st.Size(), envelope.VerifyOptions{Policy: w.ca.Policy(), Now: now()}); v.Verdict != "passed" {
				b.Fatal(v)
			}
		})
	})
}

// BenchmarkMemory is by how much packing and opening 1 GiB raise the process's peak of resident memory.
func BenchmarkMemory(b *testing.B) {
	w, in := newWorld(b), benchFile(b, benchSize)
	// The peak begins anew, so that what ran before in this process hides nothing.
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600); err != nil {
		b.Skip("needs /proc")
	}
	before := peak(b)
	for b.Loop() {
		benchOpen(b, w, packedFile(b, w, in), envelope.Discard{})
	}
	grown := peak(b) - before
	b.ReportMetric(grown, "MiB-grown")
	if grown >= 64 {
		b.Errorf("resident memory grew by %.0f MiB", grown)
	}
}

// peak is the highest resident memory of this process so far, in MiB.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("needs /proc")
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.TrimSpace(strings.Split(rest, "kB")[0]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}

// BenchmarkPackDurable is packing onto the disk with fsync; its probe writes the same bytes durably without packing.
func BenchmarkPackDurable(b *testing.B) {
	const size = 256 << 20
	w, in := newWorld(b), benchFile(b, size)
	dir := b.TempDir()
	write := func(name string, fill func(out io.Writer)) time.Duration {
		start := time.Now()
		out, err := durable.Disk{}.CreateTemp(dir, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer out.Abort()
		fill(out)
		if err := out.Commit(filepath.Join(dir, name)); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	var acting, probing time.Duration
	for b.Loop() {
		withFile(b, in, func(f *os.File) {
			acting += write("packed", func(out io.Writer) { benchPack(b, w, f, out) })
		})
		withFile(b, in, func(f *os.File) {
			probing += write("copied", func(out io.Writer) {
				if _, err := io.Copy(out, f); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	b.ReportMetric(size*float64(b.N)/1e6/acting.Seconds(), "MB/s")
	b.ReportMetric(size*float64(b.N)/1e6/probing.Seconds(), "probe-MB/s")
}

// BenchmarkPackSmall is what an ordinary document costs: three SM2 signatures and key wraps, hardly any bytes.
func BenchmarkPackSmall(b *testing.B) {
	w := newWorld(b)
	data := make([]byte, 40<<10)
	start := time.Now()
	for b.Loop() {
		benchPack(b, w, bytes.NewReader(data), io.Discard)
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "envelopes/s")
}
