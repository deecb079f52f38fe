// Package storetest is the one conformance suite for the databases of a hub. What it
// says holds for every implementation of hub.Store, directory.Store and tlog.Queue,
// or the implementation is wrong. Tests alone import it.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/crypto/gm"
	"yinxin/internal/audit"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// Store is what a database offers.
type Store interface {
	hub.Store
	hub.Uploads
	directory.Store
	tlog.Queue
	audit.Store
	archive.Index
	seal.Registry
	seal.Requests
	office.Dispatches
	UnfinishedDispatches(ctx context.Context, limit int) ([]office.Dispatch, error)
	SealsOf(ctx context.Context, office string) ([]seal.Record, error)
	DispatchOf(ctx context.Context, sender, exchange string) (office.Dispatch, error)
	ForgetDispatch(ctx context.Context, p office.Dispatch) error
	VerifyAudit(ctx context.Context) (rows uint64, head [32]byte, err error)
	Close() error
}

// Fault is what a database is asked to suffer in its next commit.
type Fault int

// The faults of a commit.
const (
	None Fault = iota
	// Lost: the commit fails and nothing of it is kept.
	Lost
	// Kept: the commit is durable and the caller is told of a failure.
	Kept
)

// Place is where a database lives, so that it can be opened again.
type Place interface {
	// Open opens the database as it is after the last Close. next is asked before
	// each commit which fault it suffers; nil means none.
	Open(t *testing.T, next func() Fault) Store
}

// Exercise runs the suite; fresh gives a new and empty place for each test.
func Exercise(t *testing.T, fresh func(t *testing.T) Place) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, Place)
	}{
		{"round trip", roundTrip},
		{"arrows of dispatches", dispatchArrows},
		{"all or nothing", allOrNothing},
		{"a panic spoils nothing", panics},
		{"company does not mix", company},
		{"taken keys", takenKeys},
		{"a refusal rests on what is committed", refusals},
		{"arrows", arrows},
		{"negative ends have reasons", reasons},
		{"stale", stale},
		{"a kept transaction is refused", keptTx},
		{"marks stay", marks},
		{"copies", copies},
		{"lists", lists},
		{"jobs", jobs},
		{"receipts", receipts},
		{"a lost commit", lostCommit},
		{"a kept commit", keptCommit},
		{"reopen", reopen},
		{"directory", directories},
		{"records", records},
		{"finding", finding},
		{"arrows of decisions", keepingArrows},
		{"keeping", keeping},
		{"forgetting", forgetting},
		{"registers", registers},
		{"requests for seals", sealRequests},
		{"uploads", uploads},
	} {
		t.Run(tt.name, func(t *testing.T) { t.Parallel(); tt.run(t, fresh(t)) })
	}
	t.Run("log", func(t *testing.T) {
		tlogtest.ExerciseQueue(t, func(t *testing.T) tlogtest.Queue {
			p := fresh(t)
			return &queue{Store: p.Open(t, nil), place: p}
		}, func(t *testing.T, q tlogtest.Queue) tlogtest.Queue {
			old, ok := q.(*queue)
			if !ok {
				t.Fatal("another queue")
			}
			must(t, old.Close())
			return &queue{Store: old.place.Open(t, nil), place: old.place}
		})
	})
}

var start = time.UnixMilli(1_800_000_000_000).UTC()

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func newID(t testing.TB) string {
	id, err := transport.NewID(start, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sample makes an exchange with deliveries.
func sample(t testing.TB, recipients ...string) (transport.Exchange, hub.Envelope, []transport.Delivery, hub.Evidence) {
	body := []byte("envelope " + newID(t))
	x := transport.Exchange{
		ID: newID(t), Sender: "A", Account: "clerk", Body: gm.SM3(body), Size: int64(len(body)), DocumentSM3: gm.SM3([]byte("doc")),
		DocumentSHA256: transport.Digest{2}, Urgency: transport.Urgent, AcceptedAt: start, LastTime: start,
	}
	ev := entry(t, x.ID, "", transport.SubmissionAcceptance)
	x.Entry, x.LastEntry = ev.ID, ev.Digest
	var ds []transport.Delivery
	for _, r := range recipients {
		ds = append(ds, transport.Delivery{
			ID: newID(t), Sender: x.Sender, Exchange: x.ID, Recipient: r, Role: transport.To, State: transport.Accepted, ChangedAt: start,
		})
	}
	return x, hub.Envelope{SM3: x.Body, Size: x.Size, Inline: body}, ds, ev
}

func entry(t testing.TB, exchange, delivery string, event transport.Event) hub.Evidence {
	id := newID(t)
	leaf := []byte("leaf " + id)
	return hub.Evidence{
		ID: id, Exchange: exchange, Sender: "A", Delivery: delivery, Event: event, Time: start, Leaf: leaf, Digest: gm.SM3(leaf),
	}
}

func insert(t *testing.T, s Store, recipients ...string) (transport.Exchange, []transport.Delivery) {
	t.Helper()
	x, e, ds, ev := sample(t, recipients...)
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		if err := tx.InsertExchange(x, e, ds); err != nil {
			return err
		}
		return tx.AppendEntry(ev)
	}))
	return x, ds
}

var errRefused = errors.New("refused")

func exists(t *testing.T, s Store, id string) bool {
	t.Helper()
	err := s.View(t.Context(), func(r hub.Reader) error {
		_, err := r.Exchange(id)
		return err
	})
	if err != nil && !errors.Is(err, hub.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
