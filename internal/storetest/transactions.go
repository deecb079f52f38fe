package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"yinxin/transport"
	"yinxin/transport/hub"
)

func roundTrip(t *testing.T, p Place) {
	s := p.Open(t, nil)
	x, e, ds, ev := sample(t, "C", "D")
	ds[0].Role = transport.CC
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		if err := tx.InsertExchange(x, e, ds); err != nil {
			return err
		}
		if err := tx.AppendEntry(ev); err != nil {
			return err
		}
		if _, err := tx.Exchange(x.ID); err != nil { // a transaction sees what it wrote
			return err
		}
		return tx.SaveIdempotent(hub.Idempotent{Org: "A", Key: "k", Request: x.Body, Entry: ev.ID, At: start})
	}))
	must(t, s.View(t.Context(), func(r hub.Reader) error {
		gotX, err1 := r.Exchange(x.ID)
		gotE, err2 := r.Envelope(x.ID)
		gotD, err3 := r.Deliveries(x.ID)
		gotEv, err4 := r.Evidence(ev.ID)
		gotI, err5 := r.Idempotent("A", "k")
		for _, d := range []string{
			cmp.Diff(x, gotX), cmp.Diff(e, gotE), cmp.Diff(ds, gotD), cmp.Diff(ev, gotEv, cmpopts.EquateEmpty()),
			cmp.Diff(hub.Idempotent{Org: "A", Key: "k", Request: x.Body, Entry: ev.ID, At: start}, gotI),
		} {
			if d != "" {
				t.Errorf("read back (-written +read):\n%s", d)
			}
		}
		return errors.Join(err1, err2, err3, err4, err5)
	}))
	must(t, s.View(t.Context(), func(r hub.Reader) error {
		_, err := r.Exchange(newID(t))
		wantIs(t, err, hub.ErrNotFound)
		_, err = r.Delivery(newID(t))
		wantIs(t, err, hub.ErrNotFound)
		_, err = r.Evidence(newID(t))
		wantIs(t, err, hub.ErrNotFound)
		_, err = r.Receipt(ev.ID)
		wantIs(t, err, hub.ErrNotFound)
		_, err = r.Envelope(newID(t))
		wantIs(t, err, hub.ErrNotFound)
		_, err = r.Idempotent("B", "k")
		wantIs(t, err, hub.ErrNotFound)
		_, err = r.Rejection("A", x.Body, "malformed")
		wantIs(t, err, hub.ErrNotFound)
		return nil
	}))
}

func allOrNothing(t *testing.T, p Place) {
	s := p.Open(t, nil)
	x, e, ds, ev := sample(t, "C")
	err := s.Update(t.Context(), func(tx hub.Tx) error {
		must(t, tx.Audit(transport.AuditRecord{At: start, Action: "a", Outcome: transport.Allowed}))
		must(t, tx.InsertExchange(x, e, ds))
		must(t, tx.AppendEntry(ev))
		must(t, tx.Enqueue(hub.Job{Kind: hub.JobRoute, Target: x.ID, RunAt: start}))
		return errRefused
	})
	wantIs(t, err, errRefused)
	if exists(t, s, x.ID) {
		t.Error("a refused update left its exchange")
	}
	must(t, s.View(t.Context(), func(r hub.Reader) error {
		if due, err := r.JobsDue(start); due || err != nil {
			t.Errorf("a refused update left its job (%v)", err)
		}
		if n, err := r.Waiting(); n != 0 || err != nil {
			t.Errorf("a refused update left its entry (%v)", err)
		}
		return nil
	}))
	if n, _, err := s.VerifyAudit(t.Context()); n != 0 || err != nil {
		t.Errorf("a refused update left %d audit rows (%v)", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Update(ctx, func(hub.Tx) error { t.Error("ran after the end of its context"); return nil }); err == nil {
		t.Error("an update with an ended context succeeded")
	}
}

func panics(t *testing.T, p Place) {
	s := p.Open(t, nil)
	x, e, ds, _ := sample(t, "C")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not come back to its caller")
			}
		}()
		_ = s.Update(t.Context(), func(tx hub.Tx) error {
			must(t, tx.InsertExchange(x, e, ds))
			panic("bug")
		})
	}()
	if exists(t, s, x.ID) {
		t.Error("a panic left its exchange")
	}
	y, _ := insert(t, s, "C")
	if !exists(t, s, y.ID) {
		t.Error("nothing can be written after a panic")
	}
}

// company: of many updates at once, some refused, exactly the others are kept, and the
// audit chain has no gap.
func company(t *testing.T, p Place) {
	s := p.Open(t, nil)
	const n = 64
	var wg sync.WaitGroup
	ids := make([]string, n)
	for i := range n {
		wg.Go(func() {
			x, e, ds, ev := sample(t, "C")
			ids[i] = x.ID
			err := s.Update(t.Context(), func(tx hub.Tx) error {
				rec := transport.AuditRecord{At: start, Action: "a", Object: strconv.Itoa(i), Outcome: transport.Allowed}
				if err := errors.Join(tx.Audit(rec), tx.InsertExchange(x, e, ds), tx.AppendEntry(ev)); err != nil {
					return err
				}
				if i%3 == 0 {
					return errRefused
				}
				return nil
			})
			if i%3 == 0 {
				wantIs(t, err, errRefused)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	kept := uint64(0)
	for i, id := range ids {
		if got := exists(t, s, id); got != (i%3 != 0) {
			t.Errorf("update %d kept: %v", i, got)
		}
		if i%3 != 0 {
			kept++
		}
	}
	if rows, _, err := s.VerifyAudit(t.Context()); rows != kept || err != nil {
		t.Errorf("%d audit rows, want %d (%v)", rows, kept, err)
	}
	leaves, err := s.Assign(t.Context(), n)
	must(t, err)
	for i, l := range leaves {
		if l.Index != uint64(i) {
			t.Fatalf("entry %d has the index %d", i, l.Index)
		}
	}
	if len(leaves) != int(kept) {
		t.Errorf("%d entries, want %d", len(leaves), kept)
	}
}

func takenKeys(t *testing.T, p Place) {
	s := p.Open(t, nil)
	x, ds := insert(t, s, "C")
	update := func(fn func(hub.Tx) error) error { return s.Update(t.Context(), fn) }
	y, e, dy, ev := sample(t, "C")
	y.ID = x.ID
	wantIs(t, update(func(tx hub.Tx) error { return tx.InsertExchange(y, e, nil) }), hub.ErrExists)
	y.ID, dy[0].Exchange, dy[0].ID = newID(t), "", ds[0].ID
	dy[0].Exchange = y.ID
	wantIs(t, update(func(tx hub.Tx) error { return tx.InsertExchange(y, e, dy) }), hub.ErrExists)
	two := []transport.Delivery{dy[0], dy[0]}
	two[0].ID, two[1].ID = newID(t), newID(t)
	wantIs(t, update(func(tx hub.Tx) error { return tx.InsertExchange(y, e, two) }), hub.ErrExists)
	must(t, update(func(tx hub.Tx) error { return tx.AppendEntry(ev) }))
	wantIs(t, update(func(tx hub.Tx) error { return tx.AppendEntry(ev) }), hub.ErrExists)
	i := hub.Idempotent{Org: "A", Key: "k", Request: x.Body, Entry: ev.ID, At: start}
	must(t, update(func(tx hub.Tx) error { return tx.SaveIdempotent(i) }))
	wantIs(t, update(func(tx hub.Tx) error { return tx.SaveIdempotent(i) }), hub.ErrExists)
	i.Org = "B"
	must(t, update(func(tx hub.Tx) error { return tx.SaveIdempotent(i) }))
	r := hub.Rejection{Entry: ev.ID, Sender: "A", Body: x.Body, Code: "malformed", At: start}
	must(t, update(func(tx hub.Tx) error { return tx.InsertRejection(r) }))
	r.Entry = newID(t)
	wantIs(t, update(func(tx hub.Tx) error { return tx.InsertRejection(r) }), hub.ErrExists)
}

// refusals: whoever is told that a key is taken can look up by whom.
func refusals(t *testing.T, p Place) {
	s := p.Open(t, nil)
	for round := range 20 {
		key := strconv.Itoa(round)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				err := s.Update(t.Context(), func(tx hub.Tx) error {
					return tx.SaveIdempotent(hub.Idempotent{Org: "A", Key: key, Request: transport.Digest{1}, Entry: "e", At: start})
				})
				if err != nil && !errors.Is(err, hub.ErrExists) {
					t.Error(err)
				}
				err = s.View(t.Context(), func(r hub.Reader) error { _, err := r.Idempotent("A", key); return err })
				if err != nil {
					t.Errorf("key %s after its update: %v", key, err)
				}
			})
		}
		wg.Wait()
	}
}

func keptTx(t *testing.T, p Place) {
	s := p.Open(t, nil)
	var kept hub.Tx
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		kept = tx
		return tx.Audit(transport.AuditRecord{At: start, Action: "a", Outcome: transport.Allowed})
	}))
	if err := kept.Enqueue(hub.Job{Kind: hub.JobRoute, Target: "x", RunAt: start}); err == nil {
		t.Error("a transaction that has ended wrote")
	}
	if err := kept.FinishJob(1); err == nil {
		t.Error("a transaction that has ended wrote")
	}
}
