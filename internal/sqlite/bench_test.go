package sqlite_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/internal/sqlite"
	"yinxin/transport"
	"yinxin/transport/hub"
)

// BenchmarkAcceptRows measures what an acceptance writes (audit, exchange with a 16 KB
// envelope, delivery, entry, idempotency key, job), from 16 goroutines, without any
// signature check: the part of the accept path that group commit decides.
func BenchmarkAcceptRows(b *testing.B) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "hub.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	body := make([]byte, 16<<10)
	sum := transport.Digest(gm.SM3(body))
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	began := time.Now()
	for range 16 {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := accept(db, body, sum); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "docs/s")
}

func accept(db *sqlite.DB, body []byte, sum transport.Digest) error {
	at := time.Now().UTC()
	var ids [3]string
	for i := range ids {
		var err error
		if ids[i], err = transport.NewID(at, rand.Reader); err != nil {
			return err
		}
	}
	x := transport.Exchange{
		ID: ids[0], Sender: "A", Account: "clerk", Body: sum, Size: int64(len(body)), DocumentSM3: sum, DocumentSHA256: sum,
		Urgency: transport.Normal, AcceptedAt: at, Entry: ids[2], LastEntry: sum, LastTime: at,
	}
	d := transport.Delivery{
		ID: ids[1], Sender: "A", Exchange: x.ID, Recipient: "C", Role: transport.To, State: transport.Accepted, ChangedAt: at,
	}
	return db.Update(context.Background(), func(t hub.Tx) error {
		err := t.Audit(transport.AuditRecord{At: at, Account: "clerk", Org: "A", Action: "exchange.submit", Object: x.ID, Outcome: transport.Allowed})
		if err != nil {
			return err
		}
		if err := t.SaveIdempotent(hub.Idempotent{Org: "A", Key: x.ID, Request: sum, Entry: x.Entry, At: at}); err != nil {
			return err
		}
		if err := t.InsertExchange(x, hub.Envelope{SM3: sum, Size: x.Size, Inline: body}, []transport.Delivery{d}); err != nil {
			return err
		}
		leaf := make([]byte, 600)
		err = t.AppendEntry(hub.Evidence{ID: x.Entry, Exchange: x.ID, Sender: "A", Event: transport.SubmissionAcceptance, Time: at, Leaf: leaf, Digest: sum})
		if err != nil {
			return err
		}
		return t.Enqueue(hub.Job{Kind: hub.JobRoute, Target: x.ID, RunAt: at})
	})
}
