package tlog_test

import (
	"context"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/compact"

	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/crypto/gm"
)

// BenchmarkAppend takes batches of 64 entries of an evidence entry's size through all steps of the sequencer, on a disk
// that syncs every write, and compares that with the bare SM3 Merkle tree over the same entries.
func BenchmarkAppend(b *testing.B) {
	for _, m := range []struct {
		name  string
		tiles func(b *testing.B) tlog.Tiles
	}{
		{"tiles=memory", func(*testing.B) tlog.Tiles { return newMemTiles() }},
		{"tiles=disk", func(b *testing.B) tlog.Tiles {
			dir, err := tlog.OpenDir(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			return dir
		}},
	} {
		b.Run(m.name, func(b *testing.B) { benchAppend(b, m.tiles(b)) })
	}
}

func benchAppend(b *testing.B, tiles tlog.Tiles) {
	const batch = 64
	ctx := context.Background()
	signer, _ := newKey(b, origin)
	q := tlogtest.NewMemory()
	seq, err := tlog.Open(ctx, tlog.Config{Queue: q, Tiles: tiles, Signer: signer, BatchLimit: batch})
	if err != nil {
		b.Fatal(err)
	}
	entry := make([]byte, 700)
	var acting, probing time.Duration
	raw := (&compact.RangeFactory{Hash: rawNode}).NewEmptyRange(0)
	for b.Loop() {
		for range batch {
			if err := q.Add(ctx, entry); err != nil {
				b.Fatal(err)
			}
		}
		start := time.Now()
		if p, err := seq.Integrate(ctx); err != nil || len(p.Leaves) != batch {
			b.Fatalf("%d leaves, %v", len(p.Leaves), err)
		}
		middle := time.Now()
		for range batch {
			leaf := gm.SM3([]byte{0}, entry)
			if err := raw.Append(leaf[:], nil); err != nil {
				b.Fatal(err)
			}
		}
		acting += middle.Sub(start)
		probing += time.Since(middle)
	}
	rate := func(d time.Duration) float64 { return float64(batch) * float64(b.N) / d.Seconds() }
	b.ReportMetric(rate(acting), "entries/s")
	b.ReportMetric(rate(probing), "probe-entries/s")
}

func rawNode(l, r []byte) []byte {
	d := gm.SM3([]byte{1}, l, r)
	return d[:]
}
