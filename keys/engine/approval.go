package engine

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
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
}

func approvalPath(name, id string) string { return "approval/" + name + "/" + id }

// Approve implements keys.Approver. The approver is the caller of the context.
func (e *Engine) Approve(ctx context.Context, name string, digest []byte) (keys.Approval, error) {
	k, err := e.load(ctx, name)
	if err != nil {
		return keys.Approval{}, err
	}
	approver := callerOf(ctx)
	switch {
	case !k.policy.ApprovalRequired:
		return keys.Approval{}, fmt.Errorf("%w: key %s takes no approvals", keys.ErrInvalid, name)
	case approver == "":
		return keys.Approval{}, fmt.Errorf("%w: an approval needs a person; this caller has no identity", keys.ErrDenied)
	case len(digest) != len(gm.Digest{}):
		return keys.Approval{}, fmt.Errorf("%w: digest of %d bytes, not %d", keys.ErrInvalid, len(digest), len(gm.Digest{}))
	}
	random := make([]byte, approvalIDSize)
	if _, err := io.ReadFull(e.rand, random); err != nil {
		return keys.Approval{}, fmt.Errorf("approve for key %s: %w", name, classify(err))
	}
	a := keys.Approval{ID: hex.EncodeToString(random), Expires: e.now().Add(ApprovalLife).UTC().Truncate(time.Second)}
	data, err := json.Marshal(approvalEntry{Schema: schema, Name: name, Digest: digest, Approver: approver, Expires: a.Expires})
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
	name, caller := k.policy.Name, callerOf(ctx)
	switch {
	case len(items) != 1 || items[0].Digest == nil:
		return fmt.Errorf("%w: key %s signs one digest at a time, each with an approval", keys.ErrDenied, name)
	case items[0].Approval == "":
		return fmt.Errorf("%w: key %s signs only what another person has approved", keys.ErrDenied, name)
	case caller == "":
		return fmt.Errorf("%w: key %s signs for a person; this caller has no identity", keys.ErrDenied, name)
	}
	id := items[0].Approval
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != approvalIDSize || strings.ToLower(id) != id {
		return fmt.Errorf("%w: that is no approval's ID", keys.ErrInvalid)
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
