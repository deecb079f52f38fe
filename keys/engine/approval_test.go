package engine_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/keystest"
)

// sealKey makes a certified seal key that needs approvals.
func sealKey(t *testing.T, e *engine.Engine) keys.PublicInfo {
	t.Helper()
	ctx := t.Context()
	infos, err := e.Create(ctx, keys.CreateOptions{Name: "root", Purpose: keys.PurposeIssue},
		keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal, ApprovalRequired: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := keys.Signer(ctx, e, keys.Ref{Name: "root"}, keys.PurposeIssue)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cert.NewRoot(cert.Station{Signer: s}, cert.Subject("Root", "Tests"), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ca.IssueSigning(cert.Subject("Seal", "Tests"), infos[1].Public, cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.ImportCertificate(ctx, infos[1].Ref, [][]byte{c.Raw}); err != nil {
		t.Fatal(err)
	}
	return infos[1]
}

func as(t *testing.T, who string) context.Context {
	t.Helper()
	return engine.WithCaller(t.Context(), who)
}

// seals asks for one signature with an approval.
func seals(ctx context.Context, e *engine.Engine, info keys.PublicInfo, digest []byte, approval string) error {
	out, err := e.Sign(ctx, info.Ref, keys.PurposeSeal, []keys.SignItem{{Digest: digest, Approval: approval}})
	if err == nil {
		err = out[0].Err
	}
	if err == nil && !gm.VerifyDigest(info.Public, gm.Digest(digest), out[0].Signature) {
		return errors.New("the signature does not verify")
	}
	return err
}

// TestApproval: only another person's unexpired approval of the same digest lets a person sign, and only once.
func TestApproval(t *testing.T) {
	t.Parallel()
	now := time.Now()
	storage := new(keystest.Memory)
	e := engine.New(storage, engine.Options{Now: func() time.Time { return now }})
	info := sealKey(t, e)
	digest, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	approve := func() string {
		t.Helper()
		a, err := e.Approve(as(t, "boss"), "seal", digest)
		if err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	refused := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	id := approve()
	refused("without approval", seals(as(t, "li"), e, info, digest, ""), keys.ErrDenied)
	refused("with an invented one", seals(as(t, "li"), e, info, digest, "00112233445566778899aabbccddeeff"), keys.ErrDenied)
	refused("with a path", seals(as(t, "li"), e, info, digest, "../../policy/seal"), keys.ErrInvalid)
	refused("over another digest", seals(as(t, "li"), e, info, other, id), keys.ErrDenied)
	refused("by the approver", seals(as(t, "boss"), e, info, digest, id), keys.ErrDenied)
	refused("by nobody", seals(t.Context(), e, info, digest, id), keys.ErrDenied)
	_, err := e.Sign(as(t, "li"), info.Ref, keys.PurposeSeal, []keys.SignItem{{Digest: digest, Approval: id}, {Digest: digest, Approval: id}})
	refused("two at once", err, keys.ErrDenied)
	_, err = e.Sign(as(t, "li"), info.Ref, keys.PurposeSeal, []keys.SignItem{{Message: gm.Message("m"), Approval: id}})
	refused("a message", err, keys.ErrDenied)
	if err := seals(as(t, "li"), e, info, digest, id); err != nil {
		t.Errorf("approved: %v", err)
	}
	refused("a second time", seals(as(t, "li"), e, info, digest, id), keys.ErrDenied)

	id = approve()
	now = now.Add(engine.ApprovalLife)
	refused("expired", seals(as(t, "li"), e, info, digest, id), keys.ErrDenied)

	_, err = e.Approve(t.Context(), "seal", digest)
	refused("approval by nobody", err, keys.ErrDenied)
	_, err = e.Approve(as(t, "boss"), "seal", digest[1:])
	refused("approval of no digest", err, keys.ErrInvalid)
	_, err = e.Approve(as(t, "boss"), "root", digest)
	refused("approval for a key that takes none", err, keys.ErrInvalid)
	_, err = e.Create(t.Context(), keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign, ApprovalRequired: true})
	refused("approval for a signing key", err, keys.ErrInvalid)
	if k, err := e.Describe(t.Context(), "seal"); err != nil || !k.ApprovalRequired {
		t.Errorf("described %+v, %v", k, err)
	}
}

// TestApprovalServesOnce: of many that bring one approval at the same time, one signs; and where the store cannot forget
// the approval, nobody does.
func TestApprovalServesOnce(t *testing.T) {
	t.Parallel()
	storage := new(keystest.Memory)
	e := engine.New(storage, engine.Options{})
	info := sealKey(t, e)
	digest := bytes.Repeat([]byte{1}, 32)
	for range 20 {
		a, err := e.Approve(as(t, "boss"), "seal", digest)
		if err != nil {
			t.Fatal(err)
		}
		var signed atomic.Int64
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if err := seals(as(t, "li"), e, info, digest, a.ID); err == nil {
					signed.Add(1)
				} else if !errors.Is(err, keys.ErrDenied) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if n := signed.Load(); n != 1 {
			t.Fatalf("one approval made %d signatures", n)
		}
	}
	for fault, after := range map[keystest.Fault]error{keystest.FailLost: nil, keystest.FailDone: keys.ErrDenied} {
		a, err := e.Approve(as(t, "boss"), "seal", digest)
		if err != nil {
			t.Fatal(err)
		}
		storage.Fail(func(int, string) keystest.Fault { return fault })
		if err := seals(as(t, "li"), e, info, digest, a.ID); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("over a failing store: %v", err)
		}
		storage.Fail(nil)
		if err := seals(as(t, "li"), e, info, digest, a.ID); !errors.Is(err, after) {
			t.Errorf("after the fault: %v, want %v", err, after)
		}
	}
}
