// Package storetest is the one conformance suite for the databases of a hub. What it
// says holds for every implementation of hub.Store, directory.Store and tlog.Queue,
// or the implementation is wrong. Tests alone import it.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/crypto/gm"
	"yinxin/internal/audit"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

// Store is what a database offers.
type Store interface {
	hub.Store
	directory.Store
	tlog.Queue
	audit.Store
	archive.Index
	seal.Registry
	seal.Requests
	SealsOf(ctx context.Context, office string) ([]seal.Record, error)
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
		{"registers", registers},
		{"requests for seals", sealRequests},
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

// walk gives the shortest list of states from the start to s.
func walk(s transport.State) []transport.State {
	paths := map[transport.State][]transport.State{transport.Accepted: {transport.Accepted}}
	for todo := []transport.State{transport.Accepted}; len(todo) > 0; todo = todo[1:] {
		for _, r := range transport.Rules() {
			_, to, err := transport.Step(todo[0], r.Act)
			if _, seen := paths[to]; err == nil && !seen {
				paths[to] = append(slices.Clone(paths[todo[0]]), to)
				todo = append(todo, to)
			}
		}
	}
	return paths[s]
}

// allowed reports whether the machine has an arrow.
func allowed(from, to transport.State) bool {
	for _, r := range transport.Rules() {
		if _, got, err := transport.Step(from, r.Act); err == nil && got == to {
			return true
		}
	}
	return false
}

// bring takes a new delivery to a state.
func bring(t *testing.T, s Store, state transport.State) transport.Delivery {
	t.Helper()
	_, ds := insert(t, s, "C")
	d := ds[0]
	d.Reason, d.Statement = "99", transport.Digest{1} // what any state may ask for
	for _, to := range walk(state)[1:] {
		from := d.State
		d.State = to
		must(t, s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(d, from) }))
	}
	return d
}

// arrows tries every pair of states: the database itself allows what the machine
// draws and refuses the rest.
func arrows(t *testing.T, p Place) {
	s := p.Open(t, nil)
	for _, from := range transport.States() {
		for _, to := range append(transport.States(), "lost", "") {
			d := bring(t, s, from)
			d.State = to
			err := s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(d, from) })
			if want := from == to || allowed(from, to); (err == nil) != want {
				t.Errorf("%s to %s: error %v, machine allows it: %v", from, to, err, want)
			}
		}
	}
	for _, state := range transport.States() {
		x, e, ds, _ := sample(t, "C")
		ds[0].State, ds[0].Reason, ds[0].Statement = state, "99", transport.Digest{1}
		err := s.Update(t.Context(), func(tx hub.Tx) error { return tx.InsertExchange(x, e, ds) })
		if (err == nil) != (state == transport.Accepted) {
			t.Errorf("a delivery begins as %s: error %v", state, err)
		}
	}
}

// reasons: the ends that say no have a reason, and a party's act its statement.
func reasons(t *testing.T, p Place) {
	s := p.Open(t, nil)
	for _, r := range transport.Rules() {
		if r.To == "" || len(r.From) == 0 {
			continue
		}
		from := r.From[0]
		try := func(change func(*transport.Delivery)) error {
			d := bring(t, s, from)
			d.State = r.To
			change(&d)
			return s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(d, from) })
		}
		if err := try(func(d *transport.Delivery) { d.Reason = "" }); (err == nil) == r.Reason && r.Act != transport.AcknowledgeReturn {
			t.Errorf("%s without a reason: %v", r.Act, err)
		}
		if err := try(func(d *transport.Delivery) { d.Statement = transport.Digest{} }); r.Statement && err == nil {
			t.Errorf("%s without a statement was taken", r.Act)
		}
		must(t, try(func(*transport.Delivery) {}))
	}
}

func stale(t *testing.T, p Place) {
	s := p.Open(t, nil)
	_, ds := insert(t, s, "C")
	d := ds[0]
	d.State = transport.Routed
	must(t, s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(d, transport.Accepted) }))
	wantIs(t, s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(d, transport.Accepted) }), hub.ErrStale)
	d.ID = newID(t)
	wantIs(t, s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(d, transport.Routed) }), hub.ErrStale)
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

func lists(t *testing.T, p Place) {
	s := p.Open(t, nil)
	var xs []string
	for range 5 {
		x, ds := insert(t, s, "C", "D")
		xs = append([]string{x.ID}, xs...)
		for _, to := range []transport.State{transport.Routed, transport.Available} {
			from := ds[0].State
			ds[0].State = to
			must(t, s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(ds[0], from) }))
		}
	}
	must(t, s.View(t.Context(), func(r hub.Reader) error {
		out, err := r.Outbox("A", hub.Page{Limit: 3})
		if err != nil || len(out) != 3 || out[0].ID != xs[0] || out[2].ID != xs[2] {
			t.Errorf("first page of the outbox: %d, %v", len(out), err)
		}
		out, err = r.Outbox("A", hub.Page{After: xs[2], Limit: 3})
		if err != nil || len(out) != 2 || out[0].ID != xs[3] {
			t.Errorf("second page of the outbox: %d, %v", len(out), err)
		}
		if out, err = r.Outbox("B", hub.Page{Limit: 3}); err != nil || len(out) != 0 {
			t.Errorf("outbox of another office: %d, %v", len(out), err)
		}
		in, err := r.Inbox("C", hub.InboxFilter{Page: hub.Page{Limit: 2}})
		if err != nil || len(in) != 2 || in[0].Exchange != xs[0] {
			t.Errorf("first page of the inbox: %d, %v", len(in), err)
		}
		in, err = r.Inbox("C", hub.InboxFilter{Page: hub.Page{After: in[1].ID, Limit: 9}})
		if err != nil || len(in) != 3 || in[0].Exchange != xs[2] {
			t.Errorf("second page of the inbox: %d, %v", len(in), err)
		}
		if in, err = r.Inbox("D", hub.InboxFilter{Page: hub.Page{Limit: 9}}); err != nil || len(in) != 0 {
			t.Errorf("what has not arrived is in the box: %d, %v", len(in), err)
		}
		in, err = r.Inbox("C", hub.InboxFilter{States: []transport.State{transport.Opened}, Page: hub.Page{Limit: 9}})
		if err != nil || len(in) != 0 {
			t.Errorf("opened deliveries: %d, %v", len(in), err)
		}
		in, err = r.Inbox("C", hub.InboxFilter{
			States: []transport.State{transport.Opened, transport.Available}, Page: hub.Page{Limit: 9},
		})
		if err != nil || len(in) != 5 {
			t.Errorf("available deliveries: %d, %v", len(in), err)
		}
		return nil
	}))
}

func jobs(t *testing.T, p Place) {
	s := p.Open(t, nil)
	claim := func(at time.Time, limit int) (out []hub.Job) {
		must(t, s.Update(t.Context(), func(tx hub.Tx) (err error) {
			out, err = tx.ClaimJobs(at, at.Add(time.Minute), limit)
			return err
		}))
		return out
	}
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		return errors.Join(
			tx.Enqueue(hub.Job{Kind: hub.JobRoute, Target: "one", RunAt: start}),
			tx.Enqueue(hub.Job{Kind: hub.JobDeliver, Target: "two", RunAt: start.Add(time.Second)}),
			tx.Enqueue(hub.Job{Kind: hub.JobOverdue, Target: "later", RunAt: start.Add(time.Hour)}),
		)
	}))
	if got := claim(start.Add(-time.Second), 9); len(got) != 0 {
		t.Errorf("claimed %v too early", got)
	}
	first := claim(start.Add(2*time.Second), 1)
	second := claim(start.Add(2*time.Second), 9)
	if len(first) != 1 || first[0].Target != "one" || first[0].Attempts != 1 || len(second) != 1 || second[0].Target != "two" {
		t.Fatalf("claimed %v and %v", first, second)
	}
	if got := claim(start.Add(30*time.Second), 9); len(got) != 0 {
		t.Errorf("claimed %v, which is leased", got)
	}
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		return errors.Join(tx.FinishJob(first[0].ID), tx.RetryJob(second[0].ID, start.Add(5*time.Second), "line\nbroken"))
	}))
	again := claim(start.Add(6*time.Second), 9)
	if len(again) != 1 || again[0].Target != "two" || again[0].Attempts != 2 || again[0].Why == "" {
		t.Fatalf("after the retry: %v", again)
	}
	if got := claim(start.Add(10*time.Minute), 9); len(got) != 1 || got[0].Target != "two" {
		t.Errorf("a lease that ran out: %v", got) // its worker died
	}
	must(t, s.Update(t.Context(), func(tx hub.Tx) error { return tx.FinishJob(again[0].ID) }))
	must(t, s.Update(t.Context(), func(tx hub.Tx) error { return tx.FinishJob(again[0].ID) }))
	if err := s.Update(t.Context(), func(tx hub.Tx) error {
		return tx.Enqueue(hub.Job{Kind: "unknown", Target: "x", RunAt: start})
	}); err == nil {
		t.Error("a job of an unknown kind was taken")
	}
}

func receipts(t *testing.T, p Place) {
	s := p.Open(t, nil)
	ctx := t.Context()
	x, _ := insert(t, s, "C")
	save := func(data string) error {
		return s.Update(ctx, func(tx hub.Tx) error { return tx.SaveReceipt(x.Entry, []byte(data)) })
	}
	if save("early") == nil {
		t.Error("a receipt was stored before its entry was published")
	}
	leaves, err := s.Assign(ctx, 9)
	if err != nil || len(leaves) != 1 {
		t.Fatalf("assigned %d entries, %v", len(leaves), err)
	}
	must(t, s.Publish(ctx, tlog.Publication{Head: tlog.Head{Size: 1, Note: []byte("note")}, Leaves: []tlog.Placed{{Proof: []tlog.Hash{{7}}}}}))
	must(t, s.View(ctx, func(r hub.Reader) error {
		got, err := r.Proven(9)
		if err != nil || len(got) != 1 || got[0].Evidence.ID != x.Entry || got[0].Index != 0 || string(got[0].Checkpoint) != "note" ||
			len(got[0].Proof) != 1 || got[0].Proof[0] != [32]byte{7} {
			t.Errorf("proven: %+v, %v", got, err)
		}
		n, err := r.Waiting()
		if n != 1 {
			t.Errorf("%d entries wait, want 1", n)
		}
		return err
	}))
	must(t, save("receipt"))
	must(t, save("receipt"))
	wantIs(t, save("another"), hub.ErrExists)
	must(t, s.View(ctx, func(r hub.Reader) error {
		got, err := r.Receipt(x.Entry)
		if err != nil || string(got) != "receipt" {
			t.Errorf("receipt %q, %v", got, err)
		}
		ev, err := r.Evidence(x.Entry)
		if err != nil || !ev.Ready {
			t.Errorf("evidence %+v, %v", ev, err)
		}
		if ready, err := r.Ready([]string{newID(t), x.Entry}); err != nil || !slices.Equal(ready, []string{x.Entry}) {
			t.Errorf("ready %v, %v", ready, err)
		}
		left, err := r.Proven(9)
		if len(left) != 0 {
			t.Errorf("%d receipts are still to be built", len(left))
		}
		return err
	}))
}

func lostCommit(t *testing.T, p Place) {
	next := None
	s := p.Open(t, func() Fault { return next })
	x, e, ds, ev := sample(t, "C")
	write := func(tx hub.Tx) error {
		rec := transport.AuditRecord{At: start, Action: "a", Outcome: transport.Allowed}
		return errors.Join(tx.Audit(rec), tx.InsertExchange(x, e, ds), tx.AppendEntry(ev))
	}
	next = Lost
	if err := s.Update(t.Context(), write); err == nil {
		t.Fatal("a lost commit succeeded")
	}
	next = None
	if exists(t, s, x.ID) {
		t.Error("a lost commit is visible")
	}
	must(t, s.Update(t.Context(), write)) // and can be done again
	if n, _, err := s.VerifyAudit(t.Context()); n != 1 || err != nil {
		t.Errorf("%d audit rows, %v", n, err)
	}
}

func keptCommit(t *testing.T, p Place) {
	next := None
	s := p.Open(t, func() Fault { return next })
	x, e, ds, ev := sample(t, "C")
	next = Kept
	err := s.Update(t.Context(), func(tx hub.Tx) error { return errors.Join(tx.InsertExchange(x, e, ds), tx.AppendEntry(ev)) })
	wantIs(t, err, hub.ErrUnknownOutcome)
	next = None
	if !exists(t, s, x.ID) {
		t.Error("a kept commit is gone")
	}
	must(t, s.Close())
	s = p.Open(t, nil)
	if !exists(t, s, x.ID) {
		t.Error("a kept commit is gone after a restart")
	}
}

func reopen(t *testing.T, p Place) {
	s := p.Open(t, nil)
	x, _ := insert(t, s, "C")
	rec := transport.AuditRecord{At: start, Action: "a", Outcome: transport.Allowed}
	must(t, s.AppendAudit(t.Context(), rec))
	must(t, s.Close())
	if err := s.Update(t.Context(), func(hub.Tx) error { return nil }); err == nil {
		t.Error("a closed database wrote")
	}
	if err := s.View(t.Context(), func(hub.Reader) error { return nil }); err == nil {
		t.Error("a closed database read")
	}
	s = p.Open(t, nil)
	if !exists(t, s, x.ID) {
		t.Error("the exchange is gone after a restart")
	}
	must(t, s.AppendAudit(t.Context(), rec))
	if n, _, err := s.VerifyAudit(t.Context()); n != 2 || err != nil {
		t.Errorf("audit over a restart: %d rows, %v", n, err)
	}
}
