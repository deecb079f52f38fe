package hub_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"yinxin/internal/sqlite"
	"yinxin/transport/hub"
	"yinxin/transport/hub/hubtest"
)

// BenchmarkAccept measures accepted documents a second through Hub.Submit (10 KB
// payload, one recipient, the archive and the sender's copy; 16 submitters) and, in
// turns within the same run, the raw rate of SQLite for three rows a document in
// commits of 16, synchronous=FULL as here. Reported: docs/s, rows/s of the probe as
// probe_docs/s, their ratio, and CPU per document.
func BenchmarkAccept(b *testing.B) {
	const rounds, submitters = 3, 16
	w := hubtest.New(b)
	folder := b.TempDir()
	r := w.Run(open(b, filepath.Join(folder, "hub.db"), sqlite.Options{}), folder, func(c *hub.Config, p *hub.Parts) {
		c.QueueBound = 1 << 40 // the log does not run here
		p.Clock = time.Now
	})
	probe := newProbe(b, filepath.Join(folder, "probe.db"))
	n := max(b.N, 200)
	payload := make([]byte, 10<<10)
	if _, err := rand.Read(payload); err != nil {
		b.Fatal(err)
	}
	var docs, raw, ratio, cpu float64
	b.ResetTimer()
	for round := range rounds {
		b.StopTimer()
		bodies := make([][]byte, n)
		for i := range bodies {
			bodies[i] = w.Pack(w.ID(), "A", payload, nil, "C")
		}
		p := probe.run(b, n)
		b.StartTimer()
		began, busy := time.Now(), cpuTime()
		var next atomic.Int64
		var wg sync.WaitGroup
		for range submitters {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
					key := fmt.Sprintf("%d-%d-%d", n, round, i)
					if _, err := r.Submit(context.Background(), hubtest.Caller("A"), key, bytes.NewReader(bodies[i])); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		took := time.Since(began)
		b.StopTimer()
		p = (p + probe.run(b, n)) / 2 // the disk's mood before and after
		d := float64(n) / took.Seconds()
		docs, raw, ratio = docs+d/rounds, raw+p/rounds, ratio+d/p/rounds
		cpu += float64((cpuTime() - busy).Microseconds()) / float64(n) / rounds
		b.StartTimer()
	}
	b.ReportMetric(docs, "docs/s")
	b.ReportMetric(raw, "probe-docs/s")
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(cpu, "cpu-µs/doc")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// probe is SQLite with nothing of ours: three rows a document, 16 documents a commit.
type probe struct {
	db   *sql.DB
	next int
}

func newProbe(b *testing.B, path string) *probe {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { _ = db.Close() })
	for _, t := range []string{"a", "b", "c"} {
		if _, err := db.ExecContext(b.Context(), `CREATE TABLE `+t+` (id TEXT PRIMARY KEY, data BLOB)`); err != nil {
			b.Fatal(err)
		}
	}
	return &probe{db: db}
}

// run returns documents a second.
func (p *probe) run(b *testing.B, n int) float64 {
	b.Helper()
	began := time.Now()
	data := make([]byte, 300)
	for done := 0; done < n; {
		tx, err := p.db.BeginTx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		for range 16 {
			p.next++
			for _, t := range [...]string{
				`INSERT INTO a VALUES (?, ?)`, `INSERT INTO b VALUES (?, ?)`, `INSERT INTO c VALUES (?, ?)`,
			} {
				if _, err := tx.ExecContext(b.Context(), t, fmt.Sprintf("%020d", p.next), data); err != nil {
					b.Fatal(err)
				}
			}
			done++
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}
