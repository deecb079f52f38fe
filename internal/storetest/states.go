package storetest

import (
	"slices"
	"testing"

	"yinxin/transport"
	"yinxin/transport/hub"
)

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
