package keystest

import (
	"bytes"
	"context"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
)

// GuardedStore is a store with a quorum, and with keys that come and go.
type GuardedStore interface {
	Backend
	keys.Council
	keys.Keeper
}

// Chamber is a fresh, empty store and four persons, of whom the first three are to be its custodians.
type Chamber struct {
	Store GuardedStore
	// Members are the custodians of the rule.
	Members []keys.Member
	// As gives the store as a person uses it. 3 is somebody who is no custodian.
	As func(t *testing.T, who int) (context.Context, GuardedStore)
	// Nobody is an ID of the right form that no person has; empty where the store knows no persons.
	Nobody string
}

// RunCouncil holds a store to the semantics of keys.Council.
func RunCouncil(t *testing.T, open func(t *testing.T) Chamber) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, c Chamber)
	}{
		{"BeforeTheRule", testBeforeTheRule},
		{"SingleHandedIsRefused", testSingleHanded},
		{"EveryVerb", testEveryVerb},
		{"WhoMay", testWhoMay},
		{"Basis", testBasis},
		{"NewRule", testNewRule},
		{"BackupTakesConsent", testBackupTakesConsent},
		{"WhatIsConsentedTo", testWhatIsConsentedTo},
		{"SealWithApproval", testSealWithApproval},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// rule makes the first rule: two of three, and who proposes does not count.
func (c Chamber) rule(t *testing.T) {
	t.Helper()
	if err := c.Store.SetQuorum(t.Context(), keys.Quorum{Needed: 2, Members: c.Members}); err != nil {
		t.Fatal(err)
	}
}

func (c Chamber) propose(t *testing.T, who int, act keys.Act) (keys.Proposal, error) {
	t.Helper()
	ctx, s := c.As(t, who)
	return s.Propose(ctx, act)
}

func (c Chamber) approve(t *testing.T, who int, p keys.Proposal) (keys.Proposal, error) {
	t.Helper()
	ctx, s := c.As(t, who)
	return s.ApproveProposal(ctx, p.ID, p.Digest)
}

// decide has 0 propose and 1 and 2 approve.
func (c Chamber) decide(t *testing.T, act keys.Act) {
	t.Helper()
	p, err := c.propose(t, 0, act)
	if err != nil {
		t.Fatalf("propose %s: %v", act.Verb, err)
	}
	if p.State != keys.ProposalOpen || p.Needed != 2 || p.Have != 0 {
		t.Errorf("proposed %+v", p)
	}
	if p, err = c.approve(t, 1, p); err != nil || p.State != keys.ProposalOpen || p.Have != 1 {
		t.Fatalf("first consent to %s: %+v, %v", act.Verb, p, err)
	}
	if p, err = c.approve(t, 2, p); err != nil || p.State != keys.ProposalDone {
		t.Fatalf("second consent to %s: %+v, %v", act.Verb, p, err)
	}
	kept := must[keys.Proposal](t)(c.Store.Proposal(t.Context(), p.ID))
	if kept.State != keys.ProposalDone || len(kept.Consents) != 3 || kept.Act.Verb != act.Verb || kept.Ended.IsZero() {
		t.Errorf("on record: %+v", kept)
	}
}

func testBeforeTheRule(t *testing.T, c Chamber) {
	ctx := t.Context()
	create(t, c.Store, keys.CreateOptions{Name: "k", Purpose: keys.PurposeDecrypt, Destroyable: true})
	if q := must[keys.Quorum](t)(c.Store.Quorum(ctx)); q.Needed != 0 {
		t.Errorf("a new store has the rule %+v", q)
	}
	_, err := c.propose(t, 0, keys.Act{Verb: keys.VerbVoid, Key: "k"})
	wants(t, "propose without a rule", err, keys.ErrConflict)
	for name, bad := range map[string]keys.Quorum{
		"nobody":          {Needed: 1},
		"one of one":      {Needed: 1, Members: c.Members[:1]},
		"one, and counts": {Needed: 1, Members: c.Members, ProposerCounts: true},
		"all three":       {Needed: 3, Members: c.Members}, // the proposer does not count: two are left
		"one twice":       {Needed: 2, Members: []keys.Member{c.Members[0], c.Members[1], c.Members[0]}},
		"no ID":           {Needed: 2, Members: append([]keys.Member{{Name: "x"}}, c.Members...)},
	} {
		wants(t, "rule "+name, c.Store.SetQuorum(ctx, bad), keys.ErrInvalid)
	}
	if c.Nobody != "" { // such a rule would close the store for ever
		nobody := append([]keys.Member{{ID: c.Nobody, Name: c.Members[0].Name}}, c.Members[1:]...)
		wants(t, "rule with nobody", c.Store.SetQuorum(ctx, keys.Quorum{Needed: 2, Members: nobody}), keys.ErrInvalid)
	}
	c.rule(t)
	wants(t, "a second first rule", c.Store.SetQuorum(ctx, keys.Quorum{Needed: 2, Members: c.Members}), keys.ErrDenied)
}

// retired makes a key of three versions, of which the minima have left the first two behind.
func retired(t *testing.T, s GuardedStore, name string) {
	t.Helper()
	create(t, s, keys.CreateOptions{Name: name, Purpose: keys.PurposeDecrypt, Destroyable: true})
	for n := range 2 {
		must[keys.PublicInfo](t)(s.Rotate(t.Context(), name, n+1))
	}
	must[keys.KeyInfo](t)(s.Configure(t.Context(), name, keys.Change{MinUse: new(3), MinDecrypt: new(3)}))
}

// testSingleHanded: with a rule nobody does a guarded verb alone, custodians included; what tightens stays free.
func testSingleHanded(t *testing.T, c Chamber) {
	retired(t, c.Store, "k")
	create(t, c.Store, keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal})
	c.rule(t)
	if err := c.Store.SetState(t.Context(), keys.Ref{Name: "k", Version: 1}, keys.StateDisabled); err != nil {
		t.Errorf("disable: %v", err)
	}
	ctx, own := c.As(t, 0)
	for _, s := range []GuardedStore{c.Store, own} {
		_, err := s.Configure(ctx, "k", keys.Change{MinUse: new(2), MinDecrypt: new(1)})
		wants(t, "lower the minima", err, keys.ErrDenied)
		_, err = s.Configure(ctx, "k", keys.Change{MinDecrypt: new(1)})
		wants(t, "lower one minimum", err, keys.ErrDenied)
		wants(t, "enable", s.SetState(ctx, keys.Ref{Name: "k", Version: 1}, keys.StateEnabled), keys.ErrDenied)
		wants(t, "destroy", s.SetState(ctx, keys.Ref{Name: "k", Version: 1}, keys.StateDestroyed), keys.ErrDenied)
		wants(t, "destroy later", s.SetState(ctx, keys.Ref{Name: "k"}, keys.StatePending), keys.ErrDenied)
		wants(t, "trim", s.Trim(ctx, "k", 2), keys.ErrDenied)
		wants(t, "void", s.Void(ctx, "seal"), keys.ErrDenied)
		_, err = s.Restore(ctx, []byte(`{"format":"`+engine.BackupFormat+`","name":"k"}`))
		wants(t, "restore", err, keys.ErrDenied)
		wants(t, "rule", s.SetQuorum(ctx, keys.Quorum{Needed: 2, Members: c.Members}), keys.ErrDenied)
	}
	info := must[keys.KeyInfo](t)(c.Store.Describe(t.Context(), "k"))
	if info.State != keys.StateEnabled || info.MinDecrypt != 3 || info.Versions[0].State != keys.StateDisabled {
		t.Errorf("after refusals %+v", info)
	}
}

func testEveryVerb(t *testing.T, c Chamber) {
	ctx := t.Context()
	retired(t, c.Store, "k")
	create(t, c.Store, keys.CreateOptions{Name: "gone", Purpose: keys.PurposeMAC, Destroyable: true})
	create(t, c.Store, keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal})
	c.rule(t)
	c.decide(t, keys.Act{Verb: keys.VerbTrim, Key: "k", Version: 2})
	c.decide(t, keys.Act{Verb: keys.VerbLoosen, Key: "k", MinDecrypt: new(2)})
	info := must[keys.KeyInfo](t)(c.Store.Describe(ctx, "k"))
	if info.Versions[0].State != keys.StateDestroyed || info.Versions[1].State != keys.StateEnabled || info.MinDecrypt != 2 {
		t.Errorf("trimmed and loosened: %+v", info)
	}
	if pub := must[keys.PublicInfo](t)(c.Store.Public(ctx, keys.Ref{Name: "k", Version: 1})); pub.Public == nil {
		t.Error("the public key of a trimmed version is gone")
	}
	if err := c.Store.SetState(ctx, keys.Ref{Name: "k"}, keys.StateDisabled); err != nil {
		t.Fatal(err)
	}
	c.decide(t, keys.Act{Verb: keys.VerbLoosen, Key: "k", State: keys.StateEnabled})
	c.decide(t, keys.Act{Verb: keys.VerbDestroy, Key: "gone", State: keys.StatePending})
	if info = must[keys.KeyInfo](t)(c.Store.Describe(ctx, "gone")); info.State != keys.StatePending || info.DestroyAfter.IsZero() {
		t.Errorf("to be destroyed: %+v", info)
	}
	_, err := c.Store.HMAC(ctx, keys.Ref{Name: "gone"}, [][]byte{nil})
	wants(t, "use a key that is to be destroyed", err, keys.ErrDenied)
	if err := c.Store.SetState(ctx, keys.Ref{Name: "gone"}, keys.StateDisabled); err != nil {
		t.Errorf("call it off: %v", err)
	}
	c.decide(t, keys.Act{Verb: keys.VerbDestroy, Key: "gone", State: keys.StateDestroyed})
	c.decide(t, keys.Act{Verb: keys.VerbVoid, Key: "seal"})
	info = must[keys.KeyInfo](t)(c.Store.Describe(ctx, "seal"))
	if !info.Voided {
		t.Errorf("voided: %+v", info)
	}
	wants(t, "seal with a voided key", canSign(ctx, c.Store, keys.Ref{Name: "seal"}, keys.PurposeSeal), keys.ErrDenied)
	_, err = c.Store.Rotate(ctx, "seal", 1)
	wants(t, "rotate a voided key", err, keys.ErrDenied)
	wants(t, "enable a voided key", c.Store.SetState(ctx, keys.Ref{Name: "seal"}, keys.StateEnabled), keys.ErrDenied)
	if list := must[[]keys.Proposal](t)(c.Store.Proposals(ctx, "", 0)); len(list) != 6 {
		t.Errorf("%d proposals are on record", len(list))
	}
}

func testWhoMay(t *testing.T, c Chamber) {
	ctx := t.Context()
	retired(t, c.Store, "k")
	c.rule(t)
	act := keys.Act{Verb: keys.VerbTrim, Key: "k", Version: 2}
	_, err := c.propose(t, 3, act)
	wants(t, "a stranger proposes", err, keys.ErrDenied)
	_, err = c.Store.Propose(ctx, act)
	wants(t, "nobody proposes", err, keys.ErrDenied)
	p, err := c.propose(t, 0, act)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.approve(t, 0, p)
	wants(t, "the proposer approves", err, keys.ErrDenied)
	_, err = c.approve(t, 3, p)
	wants(t, "a stranger approves", err, keys.ErrDenied)
	_, err = c.Store.ApproveProposal(ctx, p.ID, p.Digest)
	wants(t, "nobody approves", err, keys.ErrDenied)
	other := p
	other.Digest = bytes.Repeat([]byte{1}, 32)
	_, err = c.approve(t, 1, other)
	wants(t, "approve another digest", err, keys.ErrConflict)
	if _, err = c.approve(t, 1, p); err != nil {
		t.Fatal(err)
	}
	_, err = c.approve(t, 1, p)
	wants(t, "approve twice", err, keys.ErrConflict)
	other.ID = "00112233445566778899aabbccddeeff"
	_, err = c.approve(t, 1, other)
	wants(t, "approve what is not there", err, keys.ErrNotFound)
	other.ID = "../config"
	_, err = c.approve(t, 1, other)
	wants(t, "approve a path", err, keys.ErrInvalid)
	outside, s := c.As(t, 3)
	_, err = s.RejectProposal(outside, p.ID)
	wants(t, "a stranger rejects", err, keys.ErrDenied)
	inside, s := c.As(t, 2)
	if p, err = s.RejectProposal(inside, p.ID); err != nil || p.State != keys.ProposalRejected {
		t.Fatalf("rejected: %+v, %v", p, err)
	}
	_, err = c.approve(t, 2, p)
	wants(t, "approve what was rejected", err, keys.ErrConflict)
	if info := must[keys.KeyInfo](t)(c.Store.Describe(ctx, "k")); info.Versions[0].State != keys.StateEnabled {
		t.Error("what was rejected has been done")
	}
	for name, bad := range map[string]keys.Act{
		"no verb": {Key: "k"}, "free verb": {Verb: "rotate", Key: "k"}, "no key": {Verb: keys.VerbVoid},
		"both": {Verb: keys.VerbLoosen, Key: "k", State: keys.StateEnabled, MinUse: new(1)}, "neither": {Verb: keys.VerbLoosen, Key: "k"},
		"disable": {Verb: keys.VerbDestroy, Key: "k", State: keys.StateDisabled}, "no number": {Verb: keys.VerbTrim, Key: "k"},
		"no backup": {Verb: keys.VerbRestore}, "no rule": {Verb: keys.VerbQuorum},
		"weak rule": {Verb: keys.VerbQuorum, Quorum: &keys.Quorum{Needed: 1, Members: c.Members[:1]}},
		// What does not belong to the verb, which nobody would look for.
		"a rule with a trim":       {Verb: keys.VerbTrim, Key: "k", Version: 2, Quorum: &keys.Quorum{Needed: 2, Members: c.Members}},
		"a state with a trim":      {Verb: keys.VerbTrim, Key: "k", Version: 2, State: keys.StateDestroyed},
		"a version with a void":    {Verb: keys.VerbVoid, Key: "k", Version: 1},
		"a version with minima":    {Verb: keys.VerbLoosen, Key: "k", Version: 1, MinUse: new(1)},
		"minima with a destroy":    {Verb: keys.VerbDestroy, Key: "k", State: keys.StateDestroyed, MinUse: new(1)},
		"no version of a destroy":  {Verb: keys.VerbDestroy, Key: "k", State: keys.StateDestroyed, Version: -1},
		"a key with a rule":        {Verb: keys.VerbQuorum, Key: "k", Quorum: &keys.Quorum{Needed: 2, Members: c.Members}},
		"a backup with a void":     {Verb: keys.VerbVoid, Key: "k", Backup: []byte("x")},
		"a recovery with a backup": {Verb: keys.VerbBackup, Key: "k", Recovery: []byte("x")},
		"both rule and recovery":   {Verb: keys.VerbQuorum, Quorum: &keys.Quorum{Needed: 2, Members: c.Members}, Recovery: gm.MarshalPublicKey(must[*gm.PrivateKey](t)(gm.GenerateKey(nil)).PublicKey())},
	} {
		_, err := c.propose(t, 0, bad)
		wants(t, "propose "+name, err, keys.ErrInvalid)
	}
	_, err = c.propose(t, 0, keys.Act{Verb: keys.VerbVoid, Key: "none"})
	wants(t, "propose for no key", err, keys.ErrNotFound)
}

// testBasis: what was looked at is what is done, or nothing.
func testBasis(t *testing.T, c Chamber) {
	retired(t, c.Store, "k")
	c.rule(t)
	p, err := c.propose(t, 0, keys.Act{Verb: keys.VerbTrim, Key: "k", Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.approve(t, 1, p); err != nil {
		t.Fatal(err)
	}
	must[keys.PublicInfo](t)(c.Store.Rotate(t.Context(), "k", 3))
	_, err = c.approve(t, 2, p)
	wants(t, "approve on another state", err, keys.ErrConflict)
	if info := must[keys.KeyInfo](t)(c.Store.Describe(t.Context(), "k")); info.Versions[1].State != keys.StateEnabled {
		t.Error("it was done on another state")
	}
}

// testNewRule: the rule changes by its own rule, and a member who has gone no longer counts.
func testNewRule(t *testing.T, c Chamber) {
	retired(t, c.Store, "k")
	c.rule(t)
	waiting, err := c.propose(t, 0, keys.Act{Verb: keys.VerbTrim, Key: "k", Version: 2})
	if err != nil {
		t.Fatal(err)
	}
	if waiting, err = c.approve(t, 2, waiting); err != nil || waiting.Have != 1 {
		t.Fatalf("waiting: %+v, %v", waiting, err)
	}
	c.decide(t, keys.Act{Verb: keys.VerbQuorum, Quorum: &keys.Quorum{Needed: 2, Members: c.Members[:2], ProposerCounts: true}})
	if q := must[keys.Quorum](t)(c.Store.Quorum(t.Context())); len(q.Members) != 2 || !q.ProposerCounts {
		t.Errorf("the rule is %+v", q)
	}
	if now := must[keys.Proposal](t)(c.Store.Proposal(t.Context(), waiting.ID)); now.Have != 1 { // the proposer counts now, the third person does not
		t.Errorf("%d consents count", now.Have)
	}
	_, err = c.approve(t, 2, waiting)
	wants(t, "who has gone approves", err, keys.ErrDenied)
	if p, err := c.approve(t, 1, waiting); err != nil || p.State != keys.ProposalDone {
		t.Errorf("two who are members: %+v, %v", p, err)
	}
}

// testBackupTakesConsent: nobody alone names the recovery key, the first one neither, nor takes a copy of a key; a consent serves for
// that key as it was, and that recovery key.
func testBackupTakesConsent(t *testing.T, c Chamber) {
	ctx := t.Context()
	create(t, c.Store, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	create(t, c.Store, keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal})
	c.rule(t)
	first, second := must[*gm.PrivateKey](t)(gm.GenerateKey(nil)).PublicKey(), must[*gm.PrivateKey](t)(gm.GenerateKey(nil)).PublicKey()
	wants(t, "set the first recovery key", c.Store.SetRecoveryKey(ctx, first), keys.ErrDenied)
	_, err := c.propose(t, 0, keys.Act{Verb: keys.VerbBackup, Key: "k"})
	wants(t, "propose a backup to no recovery key", err, keys.ErrConflict)
	c.decide(t, keys.Act{Verb: keys.VerbQuorum, Recovery: gm.MarshalPublicKey(first)})
	refused := func(what, name string) {
		t.Helper()
		_, err := c.Store.Backup(ctx, name)
		wants(t, what, err, keys.ErrDenied)
	}
	refused("back up alone", "k")
	_, err = c.propose(t, 0, keys.Act{Verb: keys.VerbBackup, Key: "none"})
	wants(t, "propose a backup of no key", err, keys.ErrNotFound)
	c.decide(t, keys.Act{Verb: keys.VerbBackup, Key: "k"})
	if data := must[[]byte](t)(c.Store.Backup(ctx, "k")); !engine.SealedTo(data, first) {
		t.Error("the backup is sealed to another key")
	}
	refused("back up what was not consented to", "seal")
	c.decide(t, keys.Act{Verb: keys.VerbBackup})
	must[[]byte](t)(c.Store.Backup(ctx, "seal"))
	must[keys.PublicInfo](t)(c.Store.Rotate(ctx, "k", 1))
	refused("back up what has changed since", "k")
	c.decide(t, keys.Act{Verb: keys.VerbQuorum, Recovery: gm.MarshalPublicKey(second)})
	refused("back up to another recovery key", "seal")
}

// testWhatIsConsentedTo: a proposal shows what the store knows of it: the rule that goes, who the members are, what is in a backup.
func testWhatIsConsentedTo(t *testing.T, c Chamber) {
	ctx := t.Context()
	c.rule(t)
	liar := keys.Quorum{Needed: 2, Members: []keys.Member{{ID: c.Members[0].ID, Name: "another's name"}, c.Members[1], c.Members[2]}}
	p, err := c.propose(t, 0, keys.Act{Verb: keys.VerbQuorum, Quorum: &liar})
	if err != nil {
		t.Fatal(err)
	}
	p = must[keys.Proposal](t)(c.Store.Proposal(ctx, p.ID))
	if p.About.Rule == nil || p.About.Rule.Needed != 2 || len(p.About.Rule.Members) != 3 {
		t.Errorf("the rule that goes: %+v", p.About.Rule)
	}
	if c.Nobody != "" {
		if len(p.About.Members) != 3 || p.About.Members[0].Name == "" || p.About.Members[0].Name == liar.Members[0].Name {
			t.Errorf("the members as the store knows them: %+v", p.About.Members)
		}
		_, err := c.propose(t, 0, keys.Act{Verb: keys.VerbQuorum, Quorum: &keys.Quorum{Needed: 2, Members: append([]keys.Member{{ID: c.Nobody}}, c.Members...)}})
		wants(t, "propose a rule with nobody", err, keys.ErrInvalid)
	}

	from := engine.New(new(Memory), engine.Options{})
	create(t, from, keys.CreateOptions{Name: "back", Purpose: keys.PurposeSeal, ApprovalRequired: true})
	recovery := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	if err := from.SetRecoveryKey(ctx, recovery.PublicKey()); err != nil {
		t.Fatal(err)
	}
	target, err := c.Store.WrappingKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sealed := must[[]byte](t)(from.Backup(ctx, "back"))
	_, err = c.propose(t, 0, keys.Act{Verb: keys.VerbRestore, Backup: sealed})
	wants(t, "propose what does not open here", err, keys.ErrInvalid)
	forwarded := must[[]byte](t)(engine.Forward(nil, sealed, recovery, target))
	_, err = c.propose(t, 0, keys.Act{Verb: keys.VerbRestore, Key: "other", Backup: forwarded})
	wants(t, "propose under another name", err, keys.ErrInvalid)
	act := keys.Act{Verb: keys.VerbRestore, Backup: forwarded}
	p, err = c.propose(t, 0, act)
	if err != nil {
		t.Fatal(err)
	}
	info := must[keys.PublicInfo](t)(from.Public(ctx, keys.Ref{Name: "back"}))
	p = must[keys.Proposal](t)(c.Store.Proposal(ctx, p.ID))
	if k := p.About.Keys; p.Act.Key != "back" || len(k) != 1 || k[0].Name != "back" || k[0].Purpose != keys.PurposeSeal || !k[0].ApprovalRequired ||
		len(k[0].Versions) != 1 || keys.Fingerprint(k[0].Versions[0].Public) != keys.Fingerprint(gm.MarshalPublicKey(info.Public)) {
		t.Errorf("what is restored: %+v", p)
	}
	c.decide(t, act)
	if back := must[keys.PublicInfo](t)(c.Store.Public(ctx, keys.Ref{Name: "back"})); !back.Public.Equal(info.Public) {
		t.Error("another key was restored")
	}
	_, err = c.propose(t, 0, act)
	wants(t, "propose to restore over a key", err, keys.ErrConflict)
}

// RunKeeper holds a store to the semantics of keys.Keeper; other is a second, empty store of the same kind.
func RunKeeper(t *testing.T, store, other GuardedStore) {
	t.Helper()
	ctx := t.Context()
	create(t, store, keys.CreateOptions{Name: "sign", Purpose: keys.PurposeSign})
	t.Run("Enveloped", func(t *testing.T) { testEnveloped(t, store) })
	t.Run("Backup", func(t *testing.T) { testBackup(ctx, t, store, other) })
}

func testEnveloped(t *testing.T, store GuardedStore) {
	ctx := t.Context()
	first, second := must[*gm.PrivateKey](t)(gm.GenerateKey(nil)), must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	own := must[keys.PublicInfo](t)(store.Public(ctx, keys.Ref{Name: "sign"}))
	wrapping, err := store.WrappingKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	toSign := must[[]byte](t)(gm.EnvelopeKey(nil, own.Public, first))
	info := must[keys.PublicInfo](t)(store.ImportEnveloped(ctx, "inbox", keys.Ref{Name: "sign"}, toSign))
	if info.Ref.Version != 1 || info.Purpose != keys.PurposeDecrypt || !info.Public.Equal(first.PublicKey()) {
		t.Errorf("imported %+v", info)
	}
	toWrapping := must[[]byte](t)(gm.EnvelopeKey(nil, wrapping, second))
	if info = must[keys.PublicInfo](t)(store.ImportEnveloped(ctx, "inbox", keys.Ref{}, toWrapping)); info.Ref.Version != 2 {
		t.Errorf("the second is version %d", info.Ref.Version)
	}
	for i, pair := range []*gm.PrivateKey{first, second} {
		ct := must[[]byte](t)(gm.Encrypt(nil, pair.PublicKey(), []byte("公文")))
		out, err := store.Decrypt(ctx, "inbox", keys.PurposeDecrypt, []keys.Ciphertext{{Version: i + 1, Data: ct}})
		if err != nil || out[0].Err != nil || string(out[0].Plain) != "公文" {
			t.Errorf("open with imported version %d: %v", i+1, err)
		}
	}
	_, err = store.ImportEnveloped(ctx, "inbox", keys.Ref{}, toWrapping)
	wants(t, "import twice", err, keys.ErrConflict)
	_, err = store.ImportEnveloped(ctx, "other", keys.Ref{}, toSign)
	wants(t, "import what is for another key", err, gm.ErrDecrypt)
	_, err = store.ImportEnveloped(ctx, "other", keys.Ref{Name: "none"}, toSign)
	wants(t, "import with no key", err, keys.ErrNotFound)
	_, err = store.ImportEnveloped(ctx, "other", keys.Ref{Name: "inbox"}, toSign)
	wants(t, "import with a key that does not sign", err, keys.ErrDenied)
	_, err = store.ImportEnveloped(ctx, "sign", keys.Ref{}, toWrapping)
	wants(t, "import into a sign key", err, keys.ErrDenied)
	for at := 0; at < len(toSign); at += 7 { // damage anywhere: one error, and nothing made
		bad := bytes.Clone(toSign)
		bad[at] ^= 0x40
		_, err = store.ImportEnveloped(ctx, "other", keys.Ref{Name: "sign"}, bad)
		wants(t, "import what is damaged", err, gm.ErrDecrypt)
	}
	_, err = store.Public(ctx, keys.Ref{Name: "other"})
	wants(t, "a key that was refused", err, keys.ErrNotFound)
}

func testBackup(ctx context.Context, t *testing.T, store, other GuardedStore) {
	info := must[keys.PublicInfo](t)(store.Public(ctx, keys.Ref{Name: "sign"}))
	_, err := store.RecoveryKey(ctx)
	wants(t, "the recovery key of a new store", err, keys.ErrNotFound)
	_, err = store.Backup(ctx, "sign")
	wants(t, "back up without a recovery key", err, keys.ErrConflict)
	recovery := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	if err := store.SetRecoveryKey(ctx, recovery.PublicKey()); err != nil {
		t.Fatal(err)
	}
	must[keys.PublicInfo](t)(store.Rotate(ctx, "sign", 1))
	sealed := must[[]byte](t)(store.Backup(ctx, "sign"))
	_, err = store.Backup(ctx, "none")
	wants(t, "back up no key", err, keys.ErrNotFound)
	target, err := other.WrappingKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Restore(ctx, sealed)
	wants(t, "restore what was not forwarded", err, keys.ErrInvalid)
	stranger := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	_, err = engine.Forward(nil, sealed, stranger, target)
	wants(t, "forward with another key", err, keys.ErrDenied)
	forwarded := must[[]byte](t)(engine.Forward(nil, sealed, recovery, target))
	_, err = store.Restore(ctx, forwarded)
	wants(t, "restore what is for another store", err, keys.ErrInvalid)
	bad := bytes.Replace(forwarded, []byte(`"name":"sign"`), []byte(`"name":"sigm"`), 1)
	_, err = other.Restore(ctx, bad)
	wants(t, "restore under another name", err, gm.ErrDecrypt)
	back := must[keys.PublicInfo](t)(other.Restore(ctx, forwarded))
	if back.Ref != (keys.Ref{Name: "sign", Version: 2}) {
		t.Errorf("restored %+v", back)
	}
	r := signOne(t, other, keys.Ref{Name: "sign", Version: 1}, keys.PurposeSign, "m")
	if r.Err != nil || !gm.Verify(info.Public, gm.Message("m"), r.Signature) {
		t.Errorf("sign with the restored key: %v", r.Err)
	}
	_, err = other.Restore(ctx, forwarded)
	wants(t, "restore over a key", err, keys.ErrConflict)
}
