package embedded_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/internal/embedded"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/transport/api"
	"yinxin/transport/office"
)

// custodian is a person of a file store, known by the own key.
type custodian struct{ key *gm.PrivateKey }

func newCustodian(t *testing.T) custodian {
	t.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return custodian{k}
}

func (c custodian) id() string { return filekeys.MemberID(c.key.PublicKey()) }

// approve consents to one signature.
func (c custodian) approve(t *testing.T, s *filekeys.Store, u *office.KeyUse, digests ...[32]byte) []string {
	t.Helper()
	ctx, err := filekeys.As(t.Context(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range digests {
		a, err := s.Approve(ctx, u.Name, d[:])
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	return ids
}

// entity is a store in which the hub is somebody, as a login to Vault is an entity.
type entity struct {
	*filekeys.Store
	who custodian
}

func (e entity) Sign(ctx context.Context, ref keys.Ref, purpose keys.Purpose, items []keys.SignItem) ([]keys.SignResult, error) {
	ctx, err := filekeys.As(ctx, e.who.key)
	if err != nil {
		return nil, err
	}
	return e.Store.Sign(ctx, ref, purpose, items)
}

// startApproved starts an exchange whose first office has a sealing key that wants approvals.
func startApproved(t *testing.T, wrap func(*filekeys.Store) embedded.KeyStore) *exchange {
	t.Helper()
	return startWith(t, wrap, func(s *filekeys.Store) {
		_, err := s.Create(t.Context(), keys.CreateOptions{
			Name: "office.yxzf.seal", Purpose: keys.PurposeSeal, ApprovalRequired: true, Labels: map[string]string{"office": "YXZF"},
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestHostedSealTakesApprovalsOfTheKeyStore: with a sealing key that wants approvals the hub seals what another person approved in the
// key store, both digests of it, once; without them the decision is refused and can be taken again, and approvals that the store
// refuses end the dispatch, so that nothing waits to be sealed unasked.
func TestHostedSealTakesApprovalsOfTheKeyStore(t *testing.T) {
	hub, person, third := newCustodian(t), newCustodian(t), newCustodian(t)
	x := startApproved(t, func(s *filekeys.Store) embedded.KeyStore { return entity{s, hub} })
	rule := keys.Quorum{Needed: 2}
	for _, c := range []custodian{hub, person, third} {
		rule.Members = append(rule.Members, keys.Member{ID: c.id(), Name: c.id()[:20]})
	}
	if err := x.keys.SetQuorum(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	d := x.ask()
	u := d.KeyUse
	if u == nil || u.Name != "office.yxzf.seal" || u.Version != 1 || len(u.Chain) == 0 || u.OFD == u.PDF {
		t.Fatalf("what the sealing key will be asked: %+v", u)
	}
	good := person.approve(t, x.keys, u, u.OFD, u.PDF)
	for what, ids := range map[string][]string{
		"none": nil, "one": good[:1], "one twice": {good[0], good[0]}, "three": append(slices.Clone(good), good[0]), "no IDs": {"a", "b"},
	} {
		in := approving(d)
		in.KeyApprovals = ids
		_, err := x.Office.Decide(t.Context(), approver, d.ID, in)
		if !errors.Is(err, office.ErrKeyApproval) || office.CodeOf(err) != api.PreconditionRequired {
			t.Errorf("%s: %v", what, err)
		}
		if now, err := x.Office.Dispatch(t.Context(), drafter, d.ID); err != nil || now.State != office.Pending {
			t.Errorf("%s: the dispatch is %s, %v", what, now.State, err)
		}
	}
	in := approving(d)
	in.KeyApprovals = []string{good[1], good[0]} // in any order
	if got, err := x.Office.Decide(t.Context(), approver, d.ID, in); err != nil || got.State != office.Sent {
		t.Fatalf("with both approvals: %s, %v", got.State, err)
	}

	other := x.ask()
	x.deniedKey(other, good)                                         // spent
	x.deniedKey(x.ask(), person.approve(t, x.keys, u, u.OFD, u.PDF)) // of another dispatch
	other = x.ask()
	x.deniedKey(other, hub.approve(t, x.keys, u, other.KeyUse.OFD, other.KeyUse.PDF)) // by who seals

	waiting, late := x.ask(), x.ask()
	late.KeyApprovals = person.approve(t, x.keys, u, late.KeyUse.OFD, late.KeyUse.PDF)
	if err := x.keys.SetState(t.Context(), keys.Ref{Name: u.Name}, keys.StateDisabled); err != nil {
		t.Fatal(err)
	}
	in = approving(waiting)
	in.KeyApprovals = late.KeyApprovals
	if got, err := x.Office.Decide(t.Context(), approver, waiting.ID, in); !errors.Is(err, keys.ErrDenied) || got.State != office.Pending {
		t.Errorf("with a disabled key: %s, %v", got.State, err)
	}
	late = x.approved(late)
	if err := x.Office.Resume(t.Context(), late.Office, late.ID); err != nil && !errors.Is(err, keys.ErrDenied) {
		t.Error(err)
	}
	x.nothingLeft(late.ID)
}

// deniedKey: approvals that the key store refuses end the dispatch.
func (x *exchange) deniedKey(d office.Dispatch, ids []string) {
	x.t.Helper()
	in := approving(d)
	in.KeyApprovals = ids
	got, err := x.Office.Decide(x.t.Context(), approver, d.ID, in)
	if !errors.Is(err, keys.ErrDenied) || office.CodeOf(err) != api.PreconditionFailed || got.State != office.Failed {
		x.t.Errorf("approvals that are not good: %s, %v", got.State, err)
	}
	x.nothingLeft(d.ID)
}

// nothingLeft: the dispatch has failed, says why, and will not be sealed later.
func (x *exchange) nothingLeft(id string) {
	x.t.Helper()
	now, err := x.Office.Dispatch(x.t.Context(), drafter, id)
	if err != nil || now.State != office.Failed || now.Comment == "" {
		x.t.Errorf("the dispatch is %s (%s), %v", now.State, now.Comment, err)
	}
	if left, err := x.Database.UnfinishedDispatches(x.t.Context(), 10); err != nil || len(left) != 0 {
		x.t.Errorf("%d dispatches are left, %v", len(left), err)
	}
}

// TestNamelessHubRefusesApprovals: over files nobody could tell that the hub is another person than who approved. A seal whose key
// wants that is refused when it is asked for, and approvals for a key that wants none when they are handed on.
func TestNamelessHubRefusesApprovals(t *testing.T) {
	x := startApproved(t, nil)
	if _, err := x.Office.Ask(t.Context(), drafter, x.request()); !errors.Is(err, office.ErrNameless) || office.CodeOf(err) != api.Forbidden {
		t.Errorf("asked for: %v", err)
	}
}
