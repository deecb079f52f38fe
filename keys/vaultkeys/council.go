package vaultkeys

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/gmwire"
)

// Quorum implements keys.Council.
func (s *Store) Quorum(ctx context.Context) (keys.Quorum, error) {
	var q keys.Quorum
	found, err := s.call(ctx, read, "config/quorum", nil, &q)
	if err == nil && !found {
		err = errEmpty
	}
	return q, err
}

// SetQuorum implements keys.Council.
func (s *Store) SetQuorum(ctx context.Context, q keys.Quorum) error {
	in := map[string]any{"needed": q.Needed, "members": q.Members, "proposer_counts": q.ProposerCounts}
	_, err := s.call(ctx, change, "config/quorum", in, nil)
	return err
}

// Trim implements keys.Council.
func (s *Store) Trim(ctx context.Context, name string, below int) error {
	return s.change(ctx, name, "trim", map[string]any{"min_available": below}, nil)
}

// Void implements keys.Council.
func (s *Store) Void(ctx context.Context, name string) error {
	return s.change(ctx, name, "void", map[string]any{}, nil)
}

// Propose implements keys.Council: the proposer is the entity that is logged in.
func (s *Store) Propose(ctx context.Context, act keys.Act) (keys.Proposal, error) {
	return s.proposal(ctx, change, "proposals", map[string]any{"act": act})
}

// ApproveProposal implements keys.Council.
func (s *Store) ApproveProposal(ctx context.Context, id string, digest []byte) (keys.Proposal, error) {
	if err := checkID(id); err != nil {
		return keys.Proposal{}, err
	}
	return s.proposal(ctx, change, "proposals/"+id+"/approve", map[string]any{"digest": digest})
}

// RejectProposal implements keys.Council.
func (s *Store) RejectProposal(ctx context.Context, id string) (keys.Proposal, error) {
	if err := checkID(id); err != nil {
		return keys.Proposal{}, err
	}
	return s.proposal(ctx, change, "proposals/"+id+"/reject", map[string]any{})
}

// Proposal implements keys.Council. What Vault answers is held to its digest, so that what is shown is what is approved.
func (s *Store) Proposal(ctx context.Context, id string) (keys.Proposal, error) {
	if err := checkID(id); err != nil {
		return keys.Proposal{}, err
	}
	p, err := s.proposal(ctx, read, "proposals/"+id, nil)
	if err != nil || p.State != keys.ProposalOpen {
		return p, err
	}
	digest, err := engine.ProposalDigest(p)
	if err == nil && (p.ID != id || hex.EncodeToString(digest) != hex.EncodeToString(p.Digest)) {
		err = &keys.UnavailableError{Err: fmt.Errorf("proposal %s is not what its digest says", id)}
	}
	return p, err
}

// Proposals implements keys.Council.
func (s *Store) Proposals(ctx context.Context, after string, limit int) ([]keys.Proposal, error) {
	var out struct {
		IDs  []string                 `json:"keys"`
		Info map[string]keys.Proposal `json:"key_info"`
	}
	if _, err := s.call(ctx, list, "proposals", map[string]any{"after": after, "limit": limit}, &out); err != nil {
		return nil, err
	}
	var found []keys.Proposal
	for _, id := range out.IDs {
		p, ok := out.Info[id]
		if !ok {
			return nil, errEmpty
		}
		found = append(found, p)
	}
	return found, nil
}

// checkID refuses what could be another path.
func checkID(id string) error {
	if raw, err := hex.DecodeString(id); err != nil || len(raw) == 0 {
		return fmt.Errorf("%w: that is no proposal's ID", keys.ErrInvalid)
	}
	return nil
}

func (s *Store) proposal(ctx context.Context, v verb, path string, in map[string]any) (keys.Proposal, error) {
	var p keys.Proposal
	found, err := s.call(ctx, v, path, in, &p)
	if err == nil && (!found || p.ID == "") {
		err = errEmpty
	}
	return p, err
}

// WrappingKey implements keys.Keeper.
func (s *Store) WrappingKey(ctx context.Context) (*ecdsa.PublicKey, error) {
	return s.point(ctx, "wrapping_key")
}

// RecoveryKey implements keys.Keeper.
func (s *Store) RecoveryKey(ctx context.Context) (*ecdsa.PublicKey, error) {
	return s.point(ctx, "config/recovery")
}

func (s *Store) point(ctx context.Context, path string) (*ecdsa.PublicKey, error) {
	var p gmwire.Point
	found, err := s.call(ctx, read, path, nil, &p)
	if err == nil && !found {
		err = errEmpty
	}
	if err != nil {
		return nil, err
	}
	return p.Key()
}

// SetRecoveryKey implements keys.Keeper.
func (s *Store) SetRecoveryKey(ctx context.Context, pub *ecdsa.PublicKey) error {
	_, err := s.call(ctx, change, "config/recovery", map[string]any{"public": gm.MarshalPublicKey(pub)}, nil)
	return err
}

// ImportEnveloped implements keys.Keeper.
func (s *Store) ImportEnveloped(ctx context.Context, name string, with keys.Ref, enveloped []byte) (keys.PublicInfo, error) {
	if err := keys.CheckName(name); err != nil {
		return keys.PublicInfo{}, err
	}
	in := map[string]any{"enveloped": enveloped}
	if with.Name != "" {
		in["with"], in["with_version"] = with.Name, with.Version
	}
	var p gmwire.Public
	found, err := s.call(ctx, change, "envelope/"+name+"/import", in, &p)
	if err == nil && !found {
		err = errEmpty
	}
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return s.learn(keys.Ref{Name: name}, p)
}

// Backup implements keys.Keeper.
func (s *Store) Backup(ctx context.Context, name string) ([]byte, error) {
	if err := keys.CheckName(name); err != nil {
		return nil, err
	}
	var out struct {
		Backup []byte `json:"backup"`
	}
	_, err := s.call(ctx, change, "backup/"+name, map[string]any{}, &out)
	if err == nil && len(out.Backup) == 0 {
		err = errEmpty
	}
	return out.Backup, err
}

// Restore implements keys.Keeper.
func (s *Store) Restore(ctx context.Context, backup []byte) (keys.PublicInfo, error) {
	name, err := engine.BackupName(backup)
	if err != nil {
		return keys.PublicInfo{}, err
	}
	var p gmwire.Public
	found, err := s.call(ctx, change, "restore", map[string]any{"backup": backup}, &p)
	if err == nil && !found {
		err = errEmpty
	}
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return s.learn(keys.Ref{Name: name}, p)
}
