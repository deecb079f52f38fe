package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/keystest"
)

// chamber is a store in memory that believes who its callers say they are.
func chamber(e *engine.Engine) keystest.Chamber {
	ids := []string{"li", "wang", "zhao", "stranger"}
	return keystest.Chamber{
		Store: e, Members: []keys.Member{{ID: ids[0], Name: "李"}, {ID: ids[1]}, {ID: ids[2]}},
		As: func(t *testing.T, who int) (context.Context, keystest.GuardedStore) { return as(t, ids[who]), e },
	}
}

func TestCouncil(t *testing.T) {
	t.Parallel()
	keystest.RunCouncil(t, func(*testing.T) keystest.Chamber {
		return chamber(engine.New(new(keystest.Memory), engine.Options{}))
	})
}

func TestKeeper(t *testing.T) {
	t.Parallel()
	keystest.RunKeeper(t, engine.New(new(keystest.Memory), engine.Options{}), engine.New(new(keystest.Memory), engine.Options{}))
}

// TestProposalExpires: after its life a proposal is done by nobody.
func TestProposalExpires(t *testing.T) {
	t.Parallel()
	now := time.Now()
	e := engine.New(new(keystest.Memory), engine.Options{Now: func() time.Time { return now }})
	if _, err := e.Create(t.Context(), keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal}); err != nil {
		t.Fatal(err)
	}
	c := chamber(e)
	if err := e.SetQuorum(t.Context(), keys.Quorum{Needed: 2, Members: c.Members}); err != nil {
		t.Fatal(err)
	}
	p, err := e.Propose(as(t, "li"), keys.Act{Verb: keys.VerbVoid, Key: "seal"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.ApproveProposal(as(t, "wang"), p.ID, p.Digest); err != nil {
		t.Fatal(err)
	}
	now = now.Add(engine.ProposalLife + time.Second)
	if _, err := e.ApproveProposal(as(t, "zhao"), p.ID, p.Digest); !errors.Is(err, keys.ErrConflict) {
		t.Errorf("approve what has expired: %v", err)
	}
	if p, err = e.Proposal(t.Context(), p.ID); err != nil || p.State != keys.ProposalExpired {
		t.Errorf("it is %s, %v", p.State, err)
	}
}

// TestProposalTampered: a storage that alters a proposal between look and consent is noticed.
func TestProposalTampered(t *testing.T) {
	t.Parallel()
	m := new(keystest.Memory)
	e := engine.New(m, engine.Options{})
	if _, err := e.Create(t.Context(), keys.CreateOptions{Name: "a", Purpose: keys.PurposeSeal}, keys.CreateOptions{Name: "b", Purpose: keys.PurposeSeal}); err != nil {
		t.Fatal(err)
	}
	if err := e.SetQuorum(t.Context(), keys.Quorum{Needed: 2, Members: chamber(e).Members}); err != nil {
		t.Fatal(err)
	}
	p, err := e.Propose(as(t, "li"), keys.Act{Verb: keys.VerbVoid, Key: "a"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Get(t.Context(), "proposal/"+p.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.Set("proposal/"+p.ID, []byte(replaceOnce(string(data), `"key":"a"`, `"key":"b"`)))
	if _, err := e.ApproveProposal(as(t, "wang"), p.ID, p.Digest); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("approve what was altered: %v", err)
	}
	m.Set("config/quorum", []byte(`{"schema":1,"rule":{"needed":0,"members":null}}`))
	if err := e.Void(t.Context(), "a"); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("void with the rule damaged: %v", err)
	}
}

// TestDecisionCrash: whatever write fails, an approved act is done or not, and never without its consents.
func TestDecisionCrash(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 4; n++ {
		for _, fault := range []keystest.Fault{keystest.FailLost, keystest.FailDone} {
			m := new(keystest.Memory)
			e := engine.New(m, engine.Options{})
			infos, err := e.Create(t.Context(), keys.CreateOptions{Name: "k", Purpose: keys.PurposeMAC, Destroyable: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := e.SetState(t.Context(), infos[0].Ref, keys.StateDisabled); err != nil {
				t.Fatal(err)
			}
			if err := e.SetQuorum(t.Context(), keys.Quorum{Needed: 2, Members: chamber(e).Members}); err != nil {
				t.Fatal(err)
			}
			p, err := e.Propose(as(t, "li"), keys.Act{Verb: keys.VerbDestroy, Key: "k", State: keys.StateDestroyed})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.ApproveProposal(as(t, "wang"), p.ID, p.Digest); err != nil {
				t.Fatal(err)
			}
			m.Fail(func(i int, _ string) keystest.Fault {
				if i == n {
					return fault
				}
				return keystest.Done
			})
			_, err = e.ApproveProposal(as(t, "zhao"), p.ID, p.Digest)
			m.Fail(nil)
			again := engine.New(m.Snapshot(), engine.Options{})
			info, derr := again.Describe(t.Context(), "k")
			now, perr := again.Proposal(t.Context(), p.ID)
			if derr != nil || perr != nil {
				t.Fatalf("write %d fails as %v: %v, %v", n, fault, derr, perr)
			}
			if err == nil && (info.State != keys.StateDestroyed || now.State != keys.ProposalDone) {
				t.Errorf("write %d fails as %v: done, but the key is %s and the proposal %s", n, fault, info.State, now.State)
			}
			if now.State == keys.ProposalDone && info.State != keys.StateDestroyed {
				t.Errorf("write %d fails as %v: on record as done, but the key is %s", n, fault, info.State)
			}
		}
	}
}

// TestUpkeep: keys rotate when their time has come, a key in pending deletion goes when it is due, not before.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	now := time.Now()
	e := engine.New(new(keystest.Memory), engine.Options{Now: func() time.Time { return now }})
	ctx := t.Context()
	if _, err := e.Create(ctx, keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign, RotateEvery: time.Hour}); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("a sign key that rotates by itself: %v", err)
	}
	if _, err := e.Create(ctx, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap, RotateEvery: 48 * time.Hour},
		keys.CreateOptions{Name: "gone", Purpose: keys.PurposeSign, Destroyable: true}); err != nil {
		t.Fatal(err)
	}
	if err := e.SetState(ctx, keys.Ref{Name: "gone"}, keys.StatePending); err != nil {
		t.Fatal(err)
	}
	look := func(hours int, versions int, state keys.State) {
		t.Helper()
		now = now.Add(time.Duration(hours) * time.Hour)
		if err := e.Upkeep(ctx); err != nil {
			t.Fatal(err)
		}
		w, err := e.Describe(ctx, "w")
		if err != nil || w.Latest != versions {
			t.Errorf("%d versions, want %d, %v", w.Latest, versions, err)
		}
		gone, err := e.Describe(ctx, "gone")
		if err != nil || gone.State != state || gone.Versions[0].Public == nil {
			t.Errorf("the key is %s, want %s, %v", gone.State, state, err)
		}
	}
	look(0, 1, keys.StatePending)
	look(47, 1, keys.StatePending)
	look(1, 2, keys.StatePending)
	look(1, 2, keys.StatePending)
	look(30*24-49-1, 3, keys.StatePending)
	look(1, 3, keys.StateDestroyed)
}

func replaceOnce(text, from, to string) string { return strings.Replace(text, from, to, 1) }
