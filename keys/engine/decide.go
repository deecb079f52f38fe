package engine

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// decision is an approved proposal: its last state is written together with the act.
type decision struct{ done Write }

// writes are what is written after the act.
func (d *decision) writes() []Write {
	if d == nil {
		return nil
	}
	return []Write{d.done}
}

// ApproveProposal implements keys.Council.
func (e *Engine) ApproveProposal(ctx context.Context, id string, digest []byte) (keys.Proposal, error) {
	e.voting.Lock()
	defer e.voting.Unlock()
	p, err := e.approve(ctx, id, digest)
	if err != nil {
		return keys.Proposal{}, fmt.Errorf("approve proposal %s: %w", id, err)
	}
	return p, nil
}

func (e *Engine) approve(ctx context.Context, id string, digest []byte) (keys.Proposal, error) {
	var none keys.Proposal
	rule, caller, err := e.member(ctx)
	if err != nil {
		return none, err
	}
	p, err := e.readProposal(ctx, id)
	if err != nil {
		return none, err
	}
	given := slices.ContainsFunc(p.Consents, func(c keys.Consent) bool { return c.Member == caller })
	switch {
	case p.State != keys.ProposalOpen:
		return none, fmt.Errorf("%w: the proposal is %s", keys.ErrConflict, p.State)
	case subtle.ConstantTimeCompare(digest, p.Digest) != 1:
		return none, fmt.Errorf("%w: the proposal has another digest than the one approved: look at it again", keys.ErrConflict)
	case caller == p.Proposer && !rule.ProposerCounts:
		return none, fmt.Errorf("%w: who proposes does not approve", keys.ErrDenied)
	case given:
		return none, fmt.Errorf("%w: this custodian has consented already", keys.ErrConflict)
	}
	now := e.now().UTC().Truncate(time.Second)
	proven, err := e.prove(ctx, caller, p.Digest)
	if err != nil {
		return none, err
	}
	p.Consents = append(p.Consents, keys.Consent{Member: caller, Time: now, Signature: proven})
	p = e.counted(p, rule)
	if p.Have >= p.Needed {
		return e.carryOut(ctx, p, rule, caller)
	}
	write, err := proposalWrite(p)
	if err != nil {
		return none, err
	}
	return p, e.apply(ctx, []Write{write})
}

// carryOut does what was approved, on the state that it was proposed on.
func (e *Engine) carryOut(ctx context.Context, p keys.Proposal, rule keys.Quorum, caller string) (keys.Proposal, error) {
	basis, err := e.basis(ctx, p.Act)
	if err != nil {
		return keys.Proposal{}, err
	}
	if !slices.Equal(basis, p.Basis) {
		return keys.Proposal{}, fmt.Errorf("%w: key %s has changed since this was proposed: propose it again", keys.ErrConflict, p.Act.Key)
	}
	done := p
	done.State, done.Ended, done.By = keys.ProposalDone, e.now().UTC().Truncate(time.Second), caller
	done.Act.Backup = nil // its digest stays in the proposal's
	write, err := proposalWrite(done)
	if err != nil {
		return keys.Proposal{}, err
	}
	if err := e.act(ctx, p.Act, &decision{done: write}); err != nil {
		return keys.Proposal{}, err
	}
	return e.counted(done, rule), nil
}

// act does a guarded verb.
func (e *Engine) act(ctx context.Context, a keys.Act, d *decision) error {
	ref := keys.Ref{Name: a.Key, Version: a.Version}
	switch {
	case a.Verb == keys.VerbTrim:
		return e.trim(ctx, a.Key, a.Version, d)
	case a.Verb == keys.VerbLoosen && a.State == "":
		_, err := e.configure(ctx, a.Key, keys.Change{MinUse: a.MinUse, MinDecrypt: a.MinDecrypt}, d)
		return err
	case a.Verb == keys.VerbLoosen, a.Verb == keys.VerbDestroy:
		return e.setState(ctx, ref, a.State, d)
	case a.Verb == keys.VerbVoid:
		return e.void(ctx, a.Key, d)
	case a.Verb == keys.VerbRestore:
		_, err := e.restore(ctx, a.Backup, d)
		return err
	case a.Verb == keys.VerbBackup: // what is done is the consent; Backup looks for it
		return e.apply(ctx, d.writes())
	}
	write, err := e.ruleWrite(a)
	if err != nil {
		return err
	}
	return e.apply(ctx, append([]Write{write}, d.writes()...))
}

// ruleWrite is the change that verb quorum makes.
func (e *Engine) ruleWrite(a keys.Act) (Write, error) {
	if a.Quorum != nil {
		if _, err := e.namesOf(*a.Quorum); err != nil {
			return Write{}, err
		}
		return quorumWrite(*a.Quorum)
	}
	return recoveryWrite(a.Recovery)
}

// RejectProposal implements keys.Council.
func (e *Engine) RejectProposal(ctx context.Context, id string) (keys.Proposal, error) {
	e.voting.Lock()
	defer e.voting.Unlock()
	var none keys.Proposal
	rule, caller, err := e.member(ctx)
	if err != nil {
		return none, err
	}
	p, err := e.readProposal(ctx, id)
	if err != nil {
		return none, err
	}
	if p.State != keys.ProposalOpen {
		return none, fmt.Errorf("reject proposal %s: %w: it is %s", id, keys.ErrConflict, p.State)
	}
	no := gm.SM3([]byte("yinxin rejection v1\n"), p.Digest)
	if _, err := e.prove(ctx, caller, no[:]); err != nil { // over files the caller shows who it is here too
		return none, err
	}
	p.State, p.Ended, p.By = keys.ProposalRejected, e.now().UTC().Truncate(time.Second), caller
	p.Act.Backup = nil
	write, err := proposalWrite(p)
	if err != nil {
		return none, err
	}
	if err := e.apply(ctx, []Write{write}); err != nil {
		return none, fmt.Errorf("reject proposal %s: %w", id, err)
	}
	return e.counted(p, rule), nil
}

// Trim implements keys.Admin.
func (e *Engine) Trim(ctx context.Context, name string, below int) error {
	return e.trim(ctx, name, below, nil)
}

// trim destroys the versions below a number, which the minima must have retired.
func (e *Engine) trim(ctx context.Context, name string, below int, d *decision) error {
	_, err := e.change(ctx, name, func(p *policy) (before, after []Write, err error) {
		switch {
		case below < 1 || below > len(p.Versions):
			return nil, nil, fmt.Errorf("%w: key %s has versions 1 to %d; %d is to stay", keys.ErrInvalid, name, len(p.Versions), below)
		case !p.Destroyable:
			return nil, nil, fmt.Errorf("%w: key %s was created as not destroyable", keys.ErrDenied, name)
		case below > p.MinDecrypt:
			return nil, nil, fmt.Errorf("%w: key %s still decrypts and is verified from version %d on: raise its minima first",
				keys.ErrConflict, name, p.MinDecrypt)
		}
		if err := e.singleHanded(ctx, keys.VerbTrim, d != nil); err != nil {
			return nil, nil, err
		}
		for n := 1; n < below; n++ {
			if p.Versions[n-1].State == keys.StateDestroyed {
				continue
			}
			p.Versions[n-1].State = keys.StateDestroyed
			after = append(after, Write{Path: versionPath(name, n)})
		}
		if len(after) == 0 && d == nil {
			return nil, nil, errUnchanged
		}
		return nil, append(after, d.writes()...), nil
	})
	return err
}

// Void implements keys.Admin.
func (e *Engine) Void(ctx context.Context, name string) error { return e.void(ctx, name, nil) }

// void ends a seal key for ever.
func (e *Engine) void(ctx context.Context, name string, d *decision) error {
	_, err := e.change(ctx, name, func(p *policy) (before, after []Write, err error) {
		switch {
		case p.Purpose != keys.PurposeSeal:
			return nil, nil, fmt.Errorf("%w: key %s is no seal's: only these are voided", keys.ErrInvalid, name)
		case p.Voided && d == nil:
			return nil, nil, errUnchanged
		}
		if err := e.singleHanded(ctx, keys.VerbVoid, d != nil); err != nil {
			return nil, nil, err
		}
		p.Voided = true
		if p.State == keys.StateEnabled {
			p.State = keys.StateDisabled
		}
		return nil, d.writes(), nil
	})
	return err
}
