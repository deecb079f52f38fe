package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/seal"
	"yinxin/transport/hub"
)

// sealRecord is a seal that was registered at start.
func sealRecord(id, office string) seal.Record {
	return seal.Record{
		ID: id, Name: "市政府", Type: 1, Office: office, Keeper: "li", Key: "store:x", ESL: []byte{1, 2}, SM3: [32]byte{3},
		From: start, To: start.AddDate(1, 0, 0), History: []seal.Change{{To: seal.Active, At: start, By: "custodian", Reason: "registered"}},
	}
}

// registers: the register of seals, its history and its log of use (seal.Registry).
func registers(t *testing.T, p Place) {
	s, ctx := p.Open(t, nil), t.Context()
	_, err := s.Seal(ctx, "s1")
	wantIs(t, err, seal.ErrUnknownSeal)
	r := sealRecord("s1", "A")
	must(t, s.AddSeal(ctx, r))
	if s.AddSeal(ctx, sealRecord("s1", "B")) == nil {
		t.Error("a second seal of one identity was registered")
	}
	must(t, s.AddSeal(ctx, sealRecord("s2", "B")))
	got, err := s.Seal(ctx, "s1")
	if d := cmp.Diff(r, got); err != nil || d != "" {
		t.Fatalf("seal (-written +read): %v\n%s", err, d)
	}
	if of, err := s.SealsOf(ctx, "A"); err != nil || len(of) != 1 || of[0].ID != "s1" {
		t.Errorf("seals of A: %+v, %v", of, err)
	}
	if of, err := s.SealsOf(ctx, ""); err != nil || len(of) != 2 || of[0].ID != "s1" || of[1].ID != "s2" {
		t.Errorf("seals of all: %+v, %v", of, err)
	}
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	use := seal.Use{
		ID: "u1", SealID: "s1", Document: [32]byte{1}, Sealed: [32]byte{2}, ToBeSigned: [32]byte{3}, Stamps: []seal.Stamp{{Page: 1, X: 2, Y: 3}},
		Operator: "wang", Approver: "zhao", ApprovalID: "a1", At: hour(1),
	}
	enter := func(u seal.Use) error {
		record, err := json.Marshal(u)
		must(t, err)
		return s.Update(ctx, func(tx hub.Tx) error {
			return tx.InsertSealUse(hub.RegisteredUse{ID: u.ID, Seal: u.SealID, Approval: u.ApprovalID, At: u.At, Record: string(record)})
		})
	}
	must(t, enter(use))
	again := use
	again.ID = "u2"
	wantIs(t, enter(again), seal.ErrApproval)
	again.SealID = "s2" // nor may one approval serve for another seal
	wantIs(t, enter(again), seal.ErrApproval)
	wantIs(t, enter(seal.Use{ID: "u4", SealID: "none", ApprovalID: "a9", At: hour(1)}), seal.ErrUnknownSeal)
	must(t, s.ChangeSeal(ctx, "s1", seal.Change{To: seal.Suspended, At: hour(2), By: "custodian"}))
	wantIs(t, s.ChangeSeal(ctx, "s1", seal.Change{To: seal.Suspended, At: hour(3)}), seal.ErrTransition)
	wantIs(t, s.ChangeSeal(ctx, "s1", seal.Change{To: seal.Active, At: hour(1)}), seal.ErrTransition) // before the last
	wantIs(t, s.ChangeSeal(ctx, "none", seal.Change{To: seal.Voided, At: hour(3)}), seal.ErrUnknownSeal)
	late := seal.Use{ID: "u3", SealID: "s1", ApprovalID: seal.ApprovalNone, At: hour(3)}
	wantIs(t, enter(late), seal.ErrNotInForce)
	must(t, s.ChangeSeal(ctx, "s1", seal.Change{To: seal.Active, At: hour(4), By: "custodian"}))
	for i := range 2 { // what nobody approved may stand there often
		must(t, enter(seal.Use{ID: fmt.Sprintf("n%d", i), SealID: "s1", ApprovalID: seal.ApprovalNone, At: hour(5)}))
	}
	uses, err := s.Uses(ctx, "s1")
	if err != nil || len(uses) != 3 {
		t.Fatalf("uses: %+v, %v", uses, err)
	}
	if d := cmp.Diff(use, uses[0]); d != "" {
		t.Errorf("use (-written +read):\n%s", d)
	}
	must(t, s.ChangeSeal(ctx, "s1", seal.Change{To: seal.Voided, At: hour(6), By: "custodian"}))
	wantIs(t, s.ChangeSeal(ctx, "s1", seal.Change{To: seal.Active, At: hour(7)}), seal.ErrTransition)
	if got, err = s.Seal(ctx, "s1"); err != nil || len(got.History) != 4 || got.InForce(hour(5)) != nil || got.InForce(hour(2)) == nil {
		t.Errorf("history: %+v, %v", got.History, err)
	}
}

// sealRequests: requests for seals move along their arrows alone (seal.Requests).
func sealRequests(t *testing.T, p Place) {
	s, ctx := p.Open(t, nil), t.Context()
	_, err := s.SealRequest(ctx, "r1")
	wantIs(t, err, seal.ErrUnknownRequest)
	r := seal.Request{
		ID: "r1", Office: "A", Requester: "wang", CreatedAt: start, Name: "市政府", BottomLine: "专用章", Diameter: 42, Keeper: "li",
		State: seal.Requested, Reason: "更名", SigningRequest: []byte{7},
	}
	must(t, s.AddSealRequest(ctx, r))
	if s.AddSealRequest(ctx, r) == nil {
		t.Error("a second request of one id was taken")
	}
	got, err := s.SealRequest(ctx, "r1")
	if d := cmp.Diff(r, got); err != nil || d != "" {
		t.Fatalf("request (-written +read): %v\n%s", err, d)
	}
	made, err := r.Advance(seal.Made, "custodian", start.Add(time.Hour))
	must(t, err)
	made.SealID, made.ESL = "s1", []byte{9}
	must(t, s.SaveSealRequest(ctx, made, seal.Requested))
	wantIs(t, s.SaveSealRequest(ctx, made, seal.Requested), seal.ErrTransition) // somebody else was quicker
	back := made
	back.State = seal.Requested
	if s.SaveSealRequest(ctx, back, seal.Made) == nil {
		t.Error("the database let a made seal be requested again")
	}
	must(t, s.AddSealRequest(ctx, seal.Request{ID: "r2", Office: "B", State: seal.Requested}))
	must(t, s.AddSealRequest(ctx, seal.Request{ID: "r3", Office: "A", State: seal.Requested}))
	for name, tt := range map[string]struct {
		office, after string
		limit         int
		want          string
	}{
		"all": {"", "", 9, "r3 r2 r1"}, "an office's": {"A", "", 9, "r3 r1"}, "after": {"", "r3", 9, "r2 r1"}, "limit": {"", "", 1, "r3"},
		"after the last": {"A", "r1", 9, ""}, "after nothing": {"", "none", 9, ""},
	} {
		list, err := s.SealRequests(ctx, tt.office, tt.after, tt.limit)
		var all []string
		for _, q := range list {
			all = append(all, q.ID)
		}
		ids := strings.Join(all, " ")
		if err != nil || ids != tt.want {
			t.Errorf("%s: %q, %v; want %q", name, ids, err, tt.want)
		}
	}
	if got, err = s.SealRequest(ctx, "r1"); err != nil || got.State != seal.Made || string(got.ESL) != "\t" {
		t.Errorf("after it was made: %+v, %v", got, err)
	}
}
