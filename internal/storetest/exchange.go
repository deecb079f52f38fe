package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/transport"
	"yinxin/transport/hub"
)

// marks: references and marks read back as they were written, and the database lets nobody take one away.
func marks(t *testing.T, p Place) {
	s := p.Open(t, nil)
	old, _ := insert(t, s, "C")
	x, e, ds, ev := sample(t, "C", "D")
	x.Refers = transport.Reference{Kind: transport.Corrects, Exchange: old.ID}
	ds[0].Copies = 3
	old.Superseded = transport.Reference{Kind: transport.Corrects, Exchange: x.ID}
	old.Checked = start.Add(time.Minute)
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		if err := tx.InsertExchange(x, e, ds); err != nil {
			return err
		}
		if err := tx.AppendEntry(ev); err != nil {
			return err
		}
		return tx.SaveExchange(old)
	}))
	d := ds[0]
	d.State, d.Overdue, d.Escalated, d.WithdrawalRequested, d.Reminders = transport.Available, true, true, true, 2
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		routed := ds[0]
		routed.State = transport.Routed
		if err := tx.MoveDelivery(routed, transport.Accepted); err != nil {
			return err
		}
		return tx.MoveDelivery(d, transport.Routed)
	}))
	must(t, s.View(t.Context(), func(r hub.Reader) error {
		later, err := r.Referring(old.ID)
		if err != nil {
			return err
		}
		if diff := cmp.Diff([]transport.Exchange{x}, later); diff != "" {
			t.Errorf("referring (-want +got):\n%s", diff)
		}
		if none, err := r.Referring(x.ID); err != nil || len(none) != 0 {
			t.Errorf("nothing refers to the later one: %v, %v", none, err)
		}
		got, err := r.Exchange(old.ID)
		if diff := cmp.Diff(old, got); diff != "" || err != nil {
			t.Errorf("marks of the exchange (-want +got):\n%s %v", diff, err)
		}
		back, err := r.Delivery(d.ID)
		if diff := cmp.Diff(d, back); diff != "" {
			t.Errorf("marks of the delivery (-want +got):\n%s", diff)
		}
		return err
	}))
	for name, change := range map[string]func(*transport.Delivery){
		"overdue":   func(d *transport.Delivery) { d.Overdue = false },
		"escalated": func(d *transport.Delivery) { d.Escalated = false },
		"asked":     func(d *transport.Delivery) { d.WithdrawalRequested = false },
		"reminders": func(d *transport.Delivery) { d.Reminders = 1 },
		"copies":    func(d *transport.Delivery) { d.Copies = 9 },
	} {
		less := d
		change(&less)
		if err := s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveDelivery(less, transport.Available) }); err == nil {
			t.Errorf("%s was changed back", name)
		}
	}
	for name, change := range map[string]func(*transport.Exchange){
		"superseded": func(x *transport.Exchange) { x.Superseded.Exchange = newID(t) },
		"checked":    func(x *transport.Exchange) { x.Checked = start.Add(time.Hour) },
	} {
		less := old
		change(&less)
		if err := s.Update(t.Context(), func(tx hub.Tx) error { return tx.SaveExchange(less) }); err == nil {
			t.Errorf("%s was changed", name)
		}
	}
}

// copies: a number is used once, no more official copies are kept than allowed, and a void copy stays void.
func copies(t *testing.T, p Place) {
	s := p.Open(t, nil)
	x, e, ds, ev := sample(t, "C")
	ds[0].Copies = 1
	must(t, s.Update(t.Context(), func(tx hub.Tx) error {
		if err := tx.InsertExchange(x, e, ds); err != nil {
			return err
		}
		return tx.AppendEntry(ev)
	}))
	take := func(n int, kind transport.CopyKind) error {
		return s.Update(t.Context(), func(tx hub.Tx) error {
			return tx.InsertCopy(transport.Copy{Delivery: ds[0].ID, Number: n, Kind: kind, Account: "a", At: start})
		})
	}
	must(t, take(1, transport.OfficialCopy))
	wantIs(t, take(1, transport.ReferenceCopy), hub.ErrExists)
	if take(2, transport.OfficialCopy) == nil {
		t.Error("a second official copy was kept, one is allowed")
	}
	must(t, take(2, transport.ReferenceCopy))
	if take(3, "forged") == nil || take(0, transport.ReferenceCopy) == nil {
		t.Error("a copy of an unknown kind or without a number was kept")
	}
	void := func(n int) error {
		return s.Update(t.Context(), func(tx hub.Tx) error { return tx.VoidCopy(ds[0].ID, n) })
	}
	must(t, void(1))
	wantIs(t, void(1), hub.ErrStale)
	wantIs(t, void(7), hub.ErrStale)
	must(t, take(3, transport.OfficialCopy))
	must(t, s.View(t.Context(), func(r hub.Reader) error {
		got, err := r.Copies(ds[0].ID)
		want := []transport.Copy{
			{Delivery: ds[0].ID, Number: 1, Kind: transport.OfficialCopy, Voided: true, Account: "a", At: start},
			{Delivery: ds[0].ID, Number: 2, Kind: transport.ReferenceCopy, Account: "a", At: start},
			{Delivery: ds[0].ID, Number: 3, Kind: transport.OfficialCopy, Account: "a", At: start},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("copies (-want +got):\n%s", diff)
		}
		return err
	}))
}
