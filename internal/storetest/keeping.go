package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/archive"
	"yinxin/transport"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

func decision(t *testing.T, exchange string, kind hub.KeepingKind, state hub.KeepingState) hub.Keeping {
	return hub.Keeping{ID: newID(t), Exchange: exchange, Kind: kind, State: state, Basis: "basis", By: "archivist", At: start}
}

func insertKeeping(t *testing.T, s Store, k hub.Keeping) error {
	return s.Update(t.Context(), func(tx hub.Tx) error { return tx.InsertKeeping(k) })
}

func moveKeeping(t *testing.T, s Store, k hub.Keeping, to hub.KeepingState) error {
	from := k.State
	k.State = to
	return s.Update(t.Context(), func(tx hub.Tx) error { return tx.MoveKeeping(k, from) })
}

// keepingArrows tries every beginning and every change of state of a decision: the database allows those of
// hub.KeepingState and no other.
func keepingArrows(t *testing.T, p Place) {
	s := p.Open(t, nil)
	way := map[hub.KeepingState][]hub.KeepingState{
		hub.Held: {hub.Held}, hub.Released: {hub.Held, hub.Released}, hub.Proposed: {hub.Proposed},
		hub.Approved: {hub.Proposed, hub.Approved}, hub.Declined: {hub.Proposed, hub.Declined},
		hub.Destroyed: {hub.Proposed, hub.Approved, hub.Destroyed},
	}
	for _, kind := range []hub.KeepingKind{hub.LegalHold, hub.Disposal} {
		for _, from := range hub.KeepingStates() {
			x, _ := insert(t, s, "C")
			if err := insertKeeping(t, s, decision(t, x.ID, kind, from)); (err == nil) != kind.Begins(from) {
				t.Errorf("%s begins as %s: %v", kind, from, err)
			}
			if !kind.Begins(way[from][0]) {
				continue
			}
			for _, to := range hub.KeepingStates() {
				x, e, ds, ev := sample(t, "C")
				k := decision(t, x.ID, kind, way[from][0])
				must(t, s.Update(t.Context(), func(tx hub.Tx) error { // all in one, for the sake of time
					err := errors.Join(tx.InsertExchange(x, e, ds), tx.AppendEntry(ev), tx.InsertKeeping(k))
					for _, step := range way[from][1:] {
						was := k.State
						k.State = step
						err = errors.Join(err, tx.MoveKeeping(k, was))
					}
					return err
				}))
				err := moveKeeping(t, s, k, to)
				if allowed := slices.Contains(from.Next(), to); (err == nil) != allowed {
					t.Errorf("%s from %s to %s: %v, allowed is %t", kind, from, to, err, allowed)
				}
			}
		}
	}
}

// keeping: holds and disposals exclude each other in the database, an envelope goes with the disposal alone, and nothing
// is found by what a forgotten record said.
func keeping(t *testing.T, p Place) {
	s, ctx := p.Open(t, nil), t.Context()
	x, _ := insert(t, s, "C")
	hold, disposal := decision(t, x.ID, hub.LegalHold, hub.Held), decision(t, x.ID, hub.Disposal, hub.Proposed)
	must(t, insertKeeping(t, s, hold))
	must(t, insertKeeping(t, s, disposal))
	wantIs(t, insertKeeping(t, s, decision(t, x.ID, hub.Disposal, hub.Proposed)), hub.ErrExists)
	if moveKeeping(t, s, disposal, hub.Approved) == nil {
		t.Error("what is held was approved for disposal")
	}
	dispose := func(entry string) error {
		return s.Update(ctx, func(tx hub.Tx) error { return tx.DisposeExchange(x.ID, entry) })
	}
	must(t, moveKeeping(t, s, hold, hub.Released))
	wantIs(t, moveKeeping(t, s, hold, hub.Released), hub.ErrStale)
	must(t, moveKeeping(t, s, disposal, hub.Approved))
	disposal.State = hub.Approved
	if insertKeeping(t, s, decision(t, x.ID, hub.LegalHold, hub.Held)) == nil {
		t.Error("what is being disposed of was held")
	}
	if dispose("e") == nil {
		t.Error("an envelope went before its record was destroyed")
	}
	disposal.EndStatement, disposal.EndEntry = []byte("tombstone"), "e"
	must(t, moveKeeping(t, s, disposal, hub.Destroyed))
	must(t, dispose("e"))
	if dispose("f") == nil {
		t.Error("disposed of twice")
	}
	must(t, s.View(ctx, func(r hub.Reader) error {
		got, err := r.Exchange(x.ID)
		must(t, err)
		e, err := r.Envelope(x.ID)
		if err != nil || got.Disposed != "e" || e.Inline != nil || e.SM3 != x.Body {
			t.Errorf("after the disposal: %q, %d bytes of envelope, %v", got.Disposed, len(e.Inline), err)
		}
		disposal.State = hub.Destroyed
		if one, err := r.Keeping(disposal.ID); err != nil || !cmp.Equal(one, disposal) {
			t.Errorf("read %+v, %v", one, err)
		}
		both, err := r.Keepings(x.ID)
		if err != nil || len(both) != 2 || both[0].ID != hold.ID {
			t.Errorf("decisions of an exchange: %+v, %v", both, err)
		}
		for state, want := range map[hub.KeepingState]int{"": 1, hub.Destroyed: 1, hub.Proposed: 0} {
			l, err := r.ListKeepings(hub.KeepingFilter{Kind: hub.Disposal, State: state, Page: hub.Page{Limit: 5}})
			if err != nil || len(l) != want {
				t.Errorf("disposals in state %q: %d, %v", state, len(l), err)
			}
		}
		l, err := r.ListKeepings(hub.KeepingFilter{Kind: hub.Disposal, Page: hub.Page{After: disposal.ID, Limit: 5}})
		if err != nil || len(l) != 0 {
			t.Errorf("after the oldest: %d, %v", len(l), err)
		}
		return nil
	}))
	if err := s.Update(ctx, func(tx hub.Tx) error { // evidence goes on after the disposal
		x, err := tx.Exchange(x.ID)
		if err != nil {
			return err
		}
		x.LastEntry = transport.Digest{9}
		return tx.SaveExchange(x)
	}); err != nil {
		t.Error(err)
	}
}

func forgetting(t *testing.T, p Place) {
	s, ctx := p.Open(t, nil), t.Context()
	for i, title := range []string{"关于防汛的通知", "关于防火的通知"} {
		must(t, s.AddRecord(ctx, archive.Entry{Record: archive.Record{
			ID: fmt.Sprint("r", i), ArchivalCode: fmt.Sprint("Z109-", i), Exchange: fmt.Sprint("x", i), Issuer: "A", IssuerName: "甲局", Number: fmt.Sprint("府发", i),
			Title: title, IssuedOn: "2010-01-02", Retention: "D10", DocumentSM3: fmt.Sprint("sm3", i), Parties: []string{"A"}, DepositedAt: start,
		}, Package: [32]byte{byte(i + 1)}}, archive.Content{Text: "请各单位做好准备"}))
	}
	for range 2 { // again is no harm
		must(t, s.ForgetRecord(ctx, "r0", start.Add(time.Hour)))
	}
	for name, c := range map[string]struct {
		q    archive.Query
		want int
	}{
		"a word of both": {archive.Query{Text: "通知"}, 1}, "the text": {archive.Query{Text: "准备"}, 1}, "its own title": {archive.Query{Title: "防汛"}, 0},
		"its number": {archive.Query{Number: "府发0"}, 0}, "its exchange": {archive.Query{Exchange: "x0"}, 1}, "all": {archive.Query{}, 2},
		"all that is kept": {archive.Query{Kept: true}, 1}, "its office": {archive.Query{Office: "A"}, 2}, "kept, of a class": {archive.Query{Retention: "D10", Kept: true}, 1},
	} {
		if got, err := s.FindRecords(ctx, c.q); err != nil || len(got) != c.want {
			t.Errorf("%s: %d records, %v; want %d", name, len(got), err, c.want)
		}
	}
	e, err := s.Record(ctx, "Z109-0")
	want := archive.Entry{Package: [32]byte{1}, Record: archive.Record{
		ID: "r0", ArchivalCode: "Z109-0", Retention: "D10", Exchange: "x0", Issuer: "A", DocumentSM3: "sm3" + "0", Parties: []string{"A"},
		DepositedAt: start, DisposedAt: start.Add(time.Hour),
	}}
	if d := cmp.Diff(want, e); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	wantIs(t, s.ForgetRecord(ctx, "none", start), archive.ErrNotFound)
	d := office.Dispatch{ID: "d", Office: "A", State: office.Pending, Exchange: "x0", Draft: "blob", DraftKey: []byte{1}}
	must(t, s.AddDispatch(ctx, d))
	found, err := s.DispatchOf(ctx, "A", "x0")
	must(t, err)
	must(t, s.ForgetDispatch(ctx, found))
	if found, err = s.DispatchOf(ctx, "A", "x0"); err != nil || found.Draft != "" || found.DraftKey != nil || found.State != office.Pending {
		t.Errorf("a forgotten dispatch: %+v, %v", found, err)
	}
	_, err = s.DispatchOf(ctx, "B", "x0")
	wantIs(t, err, office.ErrNotFound)
}
