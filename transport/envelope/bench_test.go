package envelope_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/envelope"
)

const benchSize = 32 << 20

// probes are what packing and opening cannot beat: one pass of SM3, one of SM4-GCM, over the same bytes.
func probes(b *testing.B, data []byte) map[string]func() {
	b.Helper()
	aead, err := gm.NewSM4GCM(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	out := make([]byte, 0, 64<<10+16)
	nonce := make([]byte, 12)
	return map[string]func(){
		"sm3": func() { gm.SM3(data) },
		"sm4-gcm": func() {
			for at := 0; at < len(data); at += 64 << 10 {
				aead.Seal(out[:0], nonce, data[at:at+64<<10], nil)
			}
		},
	}
}

// against runs act and probe in turn and reports both rates.
func against(b *testing.B, size int, act, probe func()) {
	b.Helper()
	var acting, probing time.Duration
	for b.Loop() {
		start := time.Now()
		act()
		middle := time.Now()
		probe()
		acting += middle.Sub(start)
		probing += time.Since(middle)
	}
	rate := func(d time.Duration) float64 { return float64(size) * float64(b.N) / 1e6 / d.Seconds() }
	b.ReportMetric(rate(acting), "MB/s")
	b.ReportMetric(rate(probing), "probe-MB/s")
}

func benchPack(b *testing.B, w *world, data []byte, out io.Writer) {
	b.Helper()
	_, err := envelope.Pack(out, envelope.PackOptions{
		Exchange: "ex-1", Sender: w.a.Code, Own: w.a.DecryptCert, Sign: w.a.Sign(),
		Recipients: []envelope.Recipient{
			{Code: w.b.Code, Role: transport.To, Certificate: w.b.DecryptCert},
			{Code: w.c.Code, Role: transport.CC, Certificate: w.c.DecryptCert},
		},
		Files: []envelope.Source{{Name: "document.ofd", Content: bytes.NewReader(data)}},
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkPack(b *testing.B) {
	w := newWorld(b)
	data := make([]byte, benchSize)
	for name, probe := range probes(b, data) {
		b.Run("probe="+name, func(b *testing.B) {
			against(b, benchSize, func() { benchPack(b, w, data, io.Discard) }, probe)
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	w := newWorld(b)
	data := make([]byte, benchSize)
	var packed bytes.Buffer
	benchPack(b, w, data, &packed)
	for name, probe := range probes(b, data) {
		b.Run("probe="+name, func(b *testing.B) {
			against(b, benchSize, func() {
				o, err := envelope.Open(bytes.NewReader(packed.Bytes()), int64(packed.Len()), w.openOptions(w.b, envelope.Discard{}))
				if err != nil || !o.Released() {
					b.Fatal(err)
				}
			}, probe)
		})
	}
}

// BenchmarkPackSmall is what an ordinary document costs: three SM2 signatures and key wraps, hardly any bytes.
func BenchmarkPackSmall(b *testing.B) {
	w := newWorld(b)
	data := make([]byte, 40<<10)
	start := time.Now()
	for b.Loop() {
		benchPack(b, w, data, io.Discard)
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "envelopes/s")
}
