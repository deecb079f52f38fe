package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"yinxin/transport/office"
)

// dispatchArrows tries every change of state of a dispatch: the database allows those of office.State.Next and no other.
func dispatchArrows(t *testing.T, p Place) {
	s, ctx := p.Open(t, nil), t.Context()
	for _, from := range office.States() {
		for _, to := range office.States() {
			d := office.Dispatch{ID: fmt.Sprintf("%s-%s", from, to), Office: "A", State: from}
			must(t, s.AddDispatch(ctx, d))
			d.State = to
			err := s.SaveDispatch(ctx, d, from)
			if allowed := slices.Contains(from.Next(), to); (err == nil) != allowed {
				t.Errorf("%s to %s: %v, allowed is %t", from, to, err, allowed)
			}
			if got, e := s.Dispatch(ctx, "A", d.ID); e != nil || (err == nil) != (got.State == to) && from != to {
				t.Errorf("%s to %s: now %s, %v", from, to, got.State, e)
			}
		}
	}
	d := office.Dispatch{ID: "pending-failed", Office: "A", State: office.Failed}
	if err := s.SaveDispatch(ctx, d, office.Approved); !errors.Is(err, office.ErrState) {
		t.Errorf("saved from another state: %v, want ErrState", err)
	}
	unfinished, err := s.UnfinishedDispatches(ctx, 100)
	must(t, err)
	for _, d := range unfinished {
		if d.State != office.Approved && d.State != office.Packed {
			t.Errorf("%s is unfinished in state %s", d.ID, d.State)
		}
	}
}
