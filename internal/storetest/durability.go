package storetest

import (
	"errors"
	"testing"

	"yinxin/transport"
	"yinxin/transport/hub"
)

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
