package filekeys_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/filekeys"
	"yinxin/keys/keystest"
)

// chamber is a file store and four persons with a key of their own each.
func chamber(t *testing.T) keystest.Chamber {
	t.Helper()
	s, _ := create(t, filekeys.Options{})
	c := keystest.Chamber{Store: s}
	var people []*gm.PrivateKey
	for range 4 {
		k, err := gm.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, k)
		c.Members = append(c.Members, keys.Member{ID: filekeys.MemberID(k.PublicKey())})
	}
	c.Members = c.Members[:3]
	c.As = func(t *testing.T, who int) (context.Context, keystest.GuardedStore) {
		ctx, err := filekeys.As(t.Context(), people[who])
		if err != nil {
			t.Fatal(err)
		}
		return ctx, s
	}
	return c
}

func TestCouncil(t *testing.T) {
	t.Parallel()
	keystest.RunCouncil(t, chamber)
}

func TestKeeper(t *testing.T) {
	t.Parallel()
	a, _ := create(t, filekeys.Options{})
	b, _ := create(t, filekeys.Options{})
	keystest.RunKeeper(t, a, b)
}

// TestMembersHaveKeys: a rule whose members could not be told apart is refused.
func TestMembersHaveKeys(t *testing.T) {
	t.Parallel()
	s, _ := create(t, filekeys.Options{})
	rule := keys.Quorum{Needed: 2, Members: []keys.Member{{ID: "li"}, {ID: "wang"}, {ID: "zhao"}}}
	if err := s.SetQuorum(t.Context(), rule); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("names for members: %v", err)
	}
}

// TestApprovalsAreProven: in a file store an approval needs the signature of a custodian, and so does its use: neither the holder of
// the passphrase alone, nor an invented person, nor a name without its key, nor who is no custodian any more seals.
func TestApprovalsAreProven(t *testing.T) {
	t.Parallel()
	c := chamber(t)
	store, ok := c.Store.(*filekeys.Store)
	if !ok {
		t.Fatal("no file store")
	}
	info := sealKey(t, store)
	digest := bytes.Repeat([]byte{1}, 32)
	as := func(who int) context.Context { ctx, _ := c.As(t, who); return ctx }
	denied := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, keys.ErrDenied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	approve := func(ctx context.Context) (string, error) {
		a, err := store.Approve(ctx, "seal", digest)
		return a.ID, err
	}
	if _, err := approve(as(0)); !errors.Is(err, keys.ErrConflict) {
		t.Errorf("an approval without a rule: %v", err)
	}
	if err := store.SetQuorum(t.Context(), keys.Quorum{Needed: 2, Members: c.Members}); err != nil {
		t.Fatal(err)
	}
	_, err := approve(t.Context())
	denied("an approval by nobody", err)
	_, err = approve(as(3))
	denied("an approval by who is no custodian", err)
	_, err = approve(engine.WithCaller(t.Context(), c.Members[0].ID))
	denied("an approval without a signature", err)
	_, err = approve(engine.WithCaller(as(1), c.Members[0].ID)) // signed by another one
	denied("an approval in another's name", err)
	id, err := approve(as(0))
	if err != nil {
		t.Fatal(err)
	}
	seal := func(ctx context.Context) error { return keystest.SealWith(ctx, t, store, info, digest, id) }
	denied("sealing by nobody", seal(t.Context()))
	denied("sealing by who is no custodian", seal(as(3)))
	denied("sealing without a signature", seal(engine.WithCaller(t.Context(), c.Members[1].ID)))
	denied("sealing in another's name", seal(engine.WithCaller(as(0), c.Members[1].ID)))
	if err := seal(as(1)); err != nil {
		t.Errorf("sealing by another custodian: %v", err)
	}

	if id, err = approve(as(0)); err != nil {
		t.Fatal(err)
	}
	rule := keys.Quorum{Needed: 1, Members: c.Members[1:]}
	p, err := store.Propose(as(1), keys.Act{Verb: keys.VerbQuorum, Quorum: &rule})
	for _, who := range []int{0, 2} {
		if err == nil {
			p, err = store.ApproveProposal(as(who), p.ID, p.Digest)
		}
	}
	if err != nil || p.State != keys.ProposalDone {
		t.Fatalf("another rule: %s %v", p.State, err)
	}
	denied("sealing with the approval of who is no custodian any more", seal(as(1)))
}

// sealKey makes a certified seal key that needs approvals.
func sealKey(t *testing.T, s *filekeys.Store) keys.PublicInfo {
	t.Helper()
	infos, err := s.Create(t.Context(), keys.CreateOptions{Name: "root", Purpose: keys.PurposeIssue},
		keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal, ApprovalRequired: true})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := keys.Signer(t.Context(), s, infos[0].Ref, keys.PurposeIssue)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cert.NewRoot(cert.Station{Signer: signer}, cert.Subject("Root", "Tests"), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.IssueSigning(cert.Subject("Seal", "Tests"), infos[1].Public, cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ImportCertificate(t.Context(), infos[1].Ref, [][]byte{leaf.Raw}); err != nil {
		t.Fatal(err)
	}
	return infos[1]
}
