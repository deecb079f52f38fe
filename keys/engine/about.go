package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// about says what an act is about, as the store knows it, for those who are asked to consent: custodians see no sealed backup from
// inside, and no member's name but what the proposer wrote.
func (e *Engine) about(ctx context.Context, act *keys.Act) (a keys.About, err error) {
	switch act.Verb {
	case keys.VerbQuorum:
		if act.Quorum != nil {
			return e.aboutRule(ctx, *act.Quorum)
		}
		a.Recovery, err = e.recoveryPoint(ctx)
		return a, err
	case keys.VerbRestore:
		return e.aboutRestore(ctx, act)
	case keys.VerbBackup:
		if a.Recovery, err = e.recoveryPoint(ctx); err == nil && a.Recovery == nil {
			err = errNoRecovery()
		}
		if err != nil {
			return a, err
		}
		if act.Key == "" {
			a.Keys, err = e.List(ctx, "", 0)
			return a, err
		}
	case keys.VerbTrim, keys.VerbLoosen, keys.VerbDestroy, keys.VerbVoid:
	}
	info, err := e.Describe(ctx, act.Key)
	a.Keys = []keys.KeyInfo{info}
	return a, err
}

// aboutRule gives the rule that goes and the names that the store itself has for the members of the one that comes.
func (e *Engine) aboutRule(ctx context.Context, next keys.Quorum) (a keys.About, err error) {
	now, err := e.Quorum(ctx)
	if err != nil {
		return a, err
	}
	a.Rule = &now
	a.Members, err = e.namesOf(next)
	return a, err
}

// namesOf gives the members of a rule with the names that the store has for them, nil where it has none; a member who is nobody
// is refused.
func (e *Engine) namesOf(q keys.Quorum) ([]keys.Member, error) {
	if e.nameOf == nil {
		return nil, nil
	}
	out := make([]keys.Member, len(q.Members))
	for i, m := range q.Members {
		name, err := e.nameOf(m.ID)
		if err != nil {
			return nil, classify(err)
		}
		out[i] = keys.Member{ID: m.ID, Name: name}
	}
	return out, nil
}

// aboutRestore opens the backup, names its key in the act and says what is in it.
func (e *Engine) aboutRestore(ctx context.Context, act *keys.Act) (a keys.About, err error) {
	b, err := parseBackup(act.Backup)
	if err != nil {
		return a, err
	}
	if act.Key != "" && act.Key != b.Name {
		return a, fmt.Errorf("%w: the backup is of key %s, not %s", keys.ErrInvalid, b.Name, act.Key)
	}
	act.Key = b.Name
	if _, err := e.load(ctx, b.Name); err == nil {
		return a, fmt.Errorf("%w: key %s exists: a restore replaces nothing", keys.ErrConflict, b.Name)
	} else if !errors.Is(err, keys.ErrNotFound) {
		return a, err
	}
	content, err := e.openBackup(ctx, b)
	if err != nil {
		return a, err
	}
	k, writes, err := content.check(b.Name)
	if err != nil {
		return a, err
	}
	for _, w := range writes {
		clear(w.Value)
	}
	a.Keys = []keys.KeyInfo{k.policy.info()}
	return a, nil
}

// recoveryPoint is the recovery key, nil where none is set.
func (e *Engine) recoveryPoint(ctx context.Context) ([]byte, error) {
	pub, err := e.RecoveryKey(ctx)
	if errors.Is(err, keys.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return gm.MarshalPublicKey(pub), nil
}

func errNoRecovery() error { return fmt.Errorf("%w: no recovery key is set", keys.ErrConflict) }

// backupConsent gives what decides whether a key may be backed up to a recovery key: where there is a rule, a proposal that was
// carried out less than its life ago, for that recovery key and the key as it is now.
func (e *Engine) backupConsent(ctx context.Context, recovery []byte) (func(*policy) error, error) {
	rule, err := e.Quorum(ctx)
	if err != nil {
		return nil, err
	}
	if rule.Needed == 0 {
		return func(*policy) error { return nil }, nil
	}
	all, err := e.proposals(ctx, "", 0)
	if err != nil {
		return nil, err
	}
	var granted []keys.KeyInfo
	for _, p := range all {
		if e.grants(p, rule, recovery, e.now()) {
			granted = append(granted, p.About.Keys...)
		}
	}
	return func(p *policy) error {
		hint := ""
		for _, was := range granted {
			if was.Name == p.Name && sameInfo(was, p.info()) {
				return nil
			}
			if was.Name == p.Name {
				hint = "; the key has changed since it was consented to"
			}
		}
		return fmt.Errorf("%w: %s needs the consent of %d of %d custodians: propose it%s",
			keys.ErrDenied, keys.VerbBackup, rule.Needed, len(rule.Members), hint)
	}, nil
}

// grants tells whether a proposal lets keys be backed up now. Its consents are counted anew, by the rule of today.
func (e *Engine) grants(p keys.Proposal, rule keys.Quorum, recovery []byte, now time.Time) bool {
	if p.Act.Verb != keys.VerbBackup || p.State != keys.ProposalDone || !now.Before(p.Expires) || !bytes.Equal(p.About.Recovery, recovery) {
		return false
	}
	digest, err := ProposalDigest(p)
	return err == nil && bytes.Equal(digest, p.Digest) && e.counted(p, rule).Have >= rule.Needed
}

func sameInfo(a, b keys.KeyInfo) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
