package hub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/hub"
	"yinxin/transport/hub/hubtest"
	"yinxin/transport/receipt"
)

func signed(context.Context, hub.Keeping) ([]byte, error) { return []byte("signed"), nil }

// person is somebody of the archive.
func person(account string) hub.Caller {
	return hub.Caller{Account: account, Org: hubtest.ArchiveCode, Request: "test"}
}

// deposited gives an exchange whose record is in the archive.
func deposited(t *testing.T, w *hubtest.World, r *hubtest.Running) string {
	t.Helper()
	sub := submit(t, r, w.ID(), "A", w.Pack(w.ID(), "A", []byte("a sealed document"), nil, "C"))
	settle(t, r)
	sign(t, r, "C")
	settle(t, r)
	return sub.Exchange.ID
}

func told(t *testing.T, r *hubtest.Running, exchange string) (all []transport.Event, last receipt.Entry) {
	t.Helper()
	got, err := r.EvidenceOf(t.Context(), person("a"), exchange)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range got {
		all = append(all, e.Event)
		if last, err = receipt.ParseEntry(e.Leaf); err != nil {
			t.Fatal(err)
		}
	}
	return all, last
}

// TestWhatComesAfterTheDepositIsKept: later evidence is handed to the archive together, after the delay, with the receipt of
// the deposit; and a supplement does not call for another one.
func TestWhatComesAfterTheDepositIsKept(t *testing.T) {
	w, r := start(t, nil)
	id := deposited(t, w, r)
	for range 2 {
		k, err := r.PlaceHold(t.Context(), person("a"), id, "case", signed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReleaseHold(t.Context(), person("b"), k.ID, "closed", signed); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, r)
	before, _ := told(t, r, id)
	if before[len(before)-1] != transport.LegalHoldRelease {
		t.Fatalf("supplemented at once: %v", before)
	}
	for range 3 {
		w.Clock.Move(2 * time.Hour)
		settle(t, r)
	}
	after, last := told(t, r, id)
	if len(after) != len(before)+1 || last.Event != transport.Supplement {
		t.Fatalf("events %v, want one supplement more than %v", after, before)
	}
	var all []byte
	ev, err := r.EvidenceOf(t.Context(), person("a"), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range ev[len(ev)-6 : len(ev)-1] { // the deposit and two holds with their releases
		body, err := r.Receipt(t.Context(), person("a"), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, body...)
	}
	if last.Object != gm.SM3(all) || ev[len(ev)-6].Event != transport.Deposit {
		t.Error("the supplement is not the receipts from the deposit on")
	}
}

// TestDisposalAndHold: the rules hold in the hub itself, whoever calls it.
func TestDisposalAndHold(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	id := deposited(t, w, r)
	_, err := r.PlaceHold(ctx, hubtest.Caller("A"), id, "case", signed)
	wantRefusal(t, err, api.NotFound)
	_, err = r.PlaceHold(ctx, person("a"), w.ID(), "case", signed)
	wantRefusal(t, err, api.NotFound)
	_, err = r.PlaceHold(ctx, person("a"), id, " ", signed)
	wantRefusal(t, err, api.Validation)
	away := errors.New("key store is sealed")
	if _, err = r.PlaceHold(ctx, person("a"), id, "case", func(context.Context, hub.Keeping) ([]byte, error) { return nil, away }); !errors.Is(err, away) {
		t.Errorf("without a key: %v", err)
	}
	if ks, err := r.Keepings(ctx, person("a"), id); err != nil || len(ks) != 0 {
		t.Errorf("a refused hold was kept: %+v, %v", ks, err)
	}
	p, err := r.ProposeDisposal(ctx, person("a"), id, "appraised", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.ProposeDisposal(ctx, person("c"), id, "again", "")
	wantRefusal(t, err, api.InvalidTransition)
	_, err = r.DecideDisposal(ctx, person("a"), p.ID, "", true)
	wantRefusal(t, err, api.Forbidden)
	_, err = r.ReleaseHold(ctx, person("b"), p.ID, "no hold at all", signed)
	wantRefusal(t, err, api.NotFound)
	k, err := r.PlaceHold(ctx, person("a"), id, "case", signed) // a hold comes between proposal and approval
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.PlaceHold(ctx, person("a"), id, "case", signed); err != nil || again.ID != k.ID {
		t.Errorf("said again: %v %s, want the hold %s that stands", err, again.ID, k.ID)
	}
	_, err = r.DecideDisposal(ctx, person("b"), p.ID, "", true)
	wantRefusal(t, err, api.InvalidTransition)
	if _, err = r.ReleaseHold(ctx, person("b"), k.ID, "closed", signed); err != nil {
		t.Fatal(err)
	}
	if p, err = r.DecideDisposal(ctx, person("b"), p.ID, "", true); err != nil || p.State != hub.Approved {
		t.Fatal(p.State, err)
	}
	_, err = r.PlaceHold(ctx, person("c"), id, "too late", signed)
	wantRefusal(t, err, api.InvalidTransition)
	settle(t, r)
	x, err := r.Track(ctx, hubtest.Caller("A"), id)
	if err != nil || x.Exchange.Disposed == "" {
		t.Fatalf("not disposed of: %+v, %v", x.Exchange, err)
	}
	_, last := told(t, r, id)
	if last.Event != transport.Disposal || last.Object != gm.SM3([]byte("tombstone of "+id)) {
		t.Errorf("the last entry is %+v", last)
	}
	wantRefusal(t, r.OwnEnvelope(ctx, hubtest.Caller("A"), id, new(discard)), api.Disposed)
	_, err = r.PlaceHold(ctx, person("a"), id, "case", signed)
	wantRefusal(t, err, api.Disposed)
	w.Clock.Move(48 * time.Hour)
	settle(t, r)
	if _, now := told(t, r, id); now.ID != last.ID {
		t.Errorf("after the disposal came %s", now.Event)
	}
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }
