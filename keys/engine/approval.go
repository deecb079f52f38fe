package engine

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// ApprovalLife is how long an approval may be used.
const ApprovalLife = 24 * time.Hour

// approvalIDSize is the length of an approval's ID before hex, in bytes.
const approvalIDSize = 16

type callerKey struct{}

// WithCaller says in a context who calls: the lasting identity of a person or service, such as a Vault entity, never a
// token or a name. Empty means that nobody is known.
func WithCaller(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, callerKey{}, id)
}

func callerOf(ctx context.Context) string {
	id, _ := ctx.Value(callerKey{}).(string)
	return id
}

// approvalEntry is the consent of one person to one signature. It is removed before the signature is made.
type approvalEntry struct {
	Schema   int       `json:"schema"`
	Name     string    `json:"name"`
	Digest   []byte    `json:"digest"`
	Approver string    `json:"approver"`
	Expires  time.Time `json:"expires"`
	// Signature is the approver's over approvalDigest, where the store cannot tell who calls.
	Signature []byte `json:"signature,omitempty"`
}

// What custodians of a store that cannot tell who calls sign: that they approve, and that they sign with an approval.
const (
	approvalMark = "yinxin approval v1\n"
	useMark      = "yinxin use of an approval v1\n"
)

// approvalDigest is what a consent to a signature, or to its use, is about.
func approvalDigest(mark, id string, a approvalEntry) ([]byte, error) {
	data, err := json.Marshal(struct {
		ID       string    `json:"id"`
		Name     string    `json:"name"`
		Digest   []byte    `json:"digest"`
		Approver string    `json:"approver"`
		Expires  time.Time `json:"expires"`
	}{id, a.Name, a.Digest, a.Approver, a.Expires})
	if err != nil {
		return nil, fmt.Errorf("canonical form of the approval: %w", err)
	}
	sum := gm.SM3([]byte(mark), data)
	return sum[:], nil
}

// person gives the caller, who in a store that cannot tell who calls must be a custodian of its rule: else whoever holds
// the store would be as many persons as keys can be made.
func (e *Engine) person(ctx context.Context) (string, error) {
	if e.proof != nil {
		_, caller, err := e.member(ctx)
		return caller, err
	}
	caller := callerOf(ctx)
	if caller == "" {
		return "", fmt.Errorf("%w: it needs a person; this caller has no identity", keys.ErrDenied)
	}
	return caller, nil
}

func approvalPath(name, id string) string { return "approval/" + name + "/" + id }

// Approve implements keys.Approver. The approver is the caller of the context, proven by signature where the store asks for
// one (Options.Proof).
func (e *Engine) Approve(ctx context.Context, name string, digest []byte) (keys.Approval, error) {
	k, err := e.load(ctx, name)
	if err != nil {
		return keys.Approval{}, err
	}
	switch {
	case !k.policy.ApprovalRequired:
		return keys.Approval{}, fmt.Errorf("%w: key %s takes no approvals", keys.ErrInvalid, name)
	case len(digest) != len(gm.Digest{}):
		return keys.Approval{}, fmt.Errorf("%w: digest of %d bytes, not %d", keys.ErrInvalid, len(digest), len(gm.Digest{}))
	}
	approver, err := e.person(ctx)
	if err != nil {
		return keys.Approval{}, fmt.Errorf("approve for key %s: %w", name, err)
	}
	random := make([]byte, approvalIDSize)
	if _, err := io.ReadFull(e.rand, random); err != nil {
		return keys.Approval{}, fmt.Errorf("approve for key %s: %w", name, classify(err))
	}
	a := keys.Approval{ID: hex.EncodeToString(random), Expires: e.now().Add(ApprovalLife).UTC().Truncate(time.Second)}
	entry := approvalEntry{Schema: schema, Name: name, Digest: digest, Approver: approver, Expires: a.Expires}
	consent, err := approvalDigest(approvalMark, a.ID, entry)
	if err != nil {
		return keys.Approval{}, err
	}
	if entry.Signature, err = e.prove(ctx, approver, consent); err != nil {
		return keys.Approval{}, fmt.Errorf("approve for key %s: %w", name, err)
	}
	data, err := json.Marshal(entry)
	if err != nil {
		return keys.Approval{}, fmt.Errorf("approve for key %s: %w", name, err)
	}
	if err := e.apply(ctx, []Write{{Path: approvalPath(name, a.ID), Value: data}}); err != nil {
		return keys.Approval{}, fmt.Errorf("approve for key %s: %w", name, err)
	}
	return a, nil
}

// consume takes the approval of a signature away, durably, or refuses the signature. Of two that bring the same approval
// one gets it.
func (e *Engine) consume(ctx context.Context, k *key, items []keys.SignItem) error {
	name := k.policy.Name
	switch {
	case len(items) != 1 || items[0].Digest == nil:
		return fmt.Errorf("%w: key %s signs one digest at a time, each with an approval", keys.ErrDenied, name)
	case items[0].Approval == "":
		return fmt.Errorf("%w: key %s signs only what another person has approved", keys.ErrDenied, name)
	}
	caller, err := e.person(ctx)
	if err != nil {
		return fmt.Errorf("sign with key %s: %w", name, err)
	}
	id := items[0].Approval
	if err := keys.CheckApproval(id); err != nil {
		return err
	}
	defer e.lock(name)()
	data, err := e.storage.Get(ctx, approvalPath(name, id))
	if errors.Is(err, keys.ErrNotFound) {
		return fmt.Errorf("%w: no such approval for key %s; each serves once", keys.ErrDenied, name)
	}
	if err != nil {
		return fmt.Errorf("approval for key %s: %w", name, classify(err))
	}
	var a approvalEntry
	if err := decodeStrict(data, &a); err != nil || a.Schema != schema || a.Name != name || a.Approver == "" {
		return damaged(name, "approval is malformed")
	}
	if err := e.checkPersons(ctx, id, a, caller); err != nil {
		return fmt.Errorf("approval for key %s: %w", name, err)
	}
	switch {
	case subtle.ConstantTimeCompare(a.Digest, items[0].Digest) != 1:
		return fmt.Errorf("%w: the approval for key %s is for another digest", keys.ErrDenied, name)
	case a.Approver == caller:
		return fmt.Errorf("%w: who approved for key %s does not sign with it", keys.ErrDenied, name)
	case !e.now().Before(a.Expires):
		return fmt.Errorf("%w: the approval for key %s has expired", keys.ErrDenied, name)
	}
	if err := e.apply(ctx, []Write{{Path: approvalPath(name, id)}}); err != nil {
		return fmt.Errorf("approval for key %s: %w", name, err)
	}
	return nil
}

// checkPersons checks, in a store that cannot tell who calls, that the approver signed the approval and is still a custodian, and
// that the caller signs for its use.
func (e *Engine) checkPersons(ctx context.Context, id string, a approvalEntry, caller string) error {
	if e.proof == nil {
		return nil
	}
	rule, err := e.Quorum(ctx)
	if err != nil {
		return err
	}
	if !rule.Has(a.Approver) {
		return fmt.Errorf("%w: who approved is no custodian of the store any more", keys.ErrDenied)
	}
	consent, err := approvalDigest(approvalMark, id, a)
	if err != nil {
		return err
	}
	if err := e.proof(a.Approver, consent, a.Signature); err != nil {
		return err
	}
	use, err := approvalDigest(useMark, id, a)
	if err != nil {
		return err
	}
	_, err = e.prove(ctx, caller, use)
	return err
}
