package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"yinxin/archive/tlog"
	"yinxin/transport"
	"yinxin/transport/hub"
)

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
