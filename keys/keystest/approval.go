package keystest

import (
	"bytes"
	"context"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
)

// testSealWithApproval: a seal key that needs approvals seals for one person what another one has approved, once.
func testSealWithApproval(t *testing.T, c Chamber) {
	ctx := t.Context()
	c.rule(t)
	ca := authority(t, c.Store)
	info := create(t, c.Store, keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal, ApprovalRequired: true})
	leaf := must[*cert.Certificate](t)(ca.IssueSigning(cert.Subject("Seal", "Tests"), info.Public, cert.IssueOptions{}))
	must[keys.Ref](t)(c.Store.ImportCertificate(ctx, info.Ref, [][]byte{leaf.Raw}))
	if public := must[keys.PublicInfo](t)(c.Store.Public(ctx, keys.Ref{Name: "seal"})); !info.ApprovalRequired || !public.ApprovalRequired {
		t.Error("what is public about the key does not tell that it wants approvals")
	}
	digest, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	wants(t, "seal without approval", c.seal(t, 1, info, digest, ""), keys.ErrDenied)
	id := c.consent(t, 0, "seal", digest)
	wants(t, "seal another digest", c.seal(t, 1, info, other, id), keys.ErrDenied)
	wants(t, "seal by who approved", c.seal(t, 0, info, digest, id), keys.ErrDenied)
	if err := c.seal(t, 1, info, digest, id); err != nil {
		t.Errorf("seal with an approval: %v", err)
	}
	wants(t, "seal twice with it", c.seal(t, 2, info, digest, id), keys.ErrDenied)
	ctx, store := c.As(t, 0)
	if approver, ok := store.(keys.Approver); ok {
		_, err := approver.Approve(ctx, "root", digest)
		wants(t, "approve for a key that takes none", err, keys.ErrInvalid)
	}
}

// consent has somebody approve a signature.
func (c Chamber) consent(t *testing.T, who int, name string, digest []byte) string {
	t.Helper()
	ctx, store := c.As(t, who)
	approver, ok := store.(keys.Approver)
	if !ok {
		t.Fatal("the store takes no approvals")
	}
	return must[keys.Approval](t)(approver.Approve(ctx, name, digest)).ID
}

// seal has somebody seal a digest with an approval.
func (c Chamber) seal(t *testing.T, who int, info keys.PublicInfo, digest []byte, approval string) error {
	t.Helper()
	ctx, store := c.As(t, who)
	return SealWith(ctx, t, store, info, digest, approval)
}

// SealWith seals a digest with an approval, and fails the test if what comes back does not verify.
func SealWith(ctx context.Context, t *testing.T, store keys.Provider, info keys.PublicInfo, digest []byte, approval string) error {
	t.Helper()
	out, err := store.Sign(ctx, info.Ref, keys.PurposeSeal, []keys.SignItem{{Digest: digest, Approval: approval}})
	if err == nil {
		err = out[0].Err
	}
	if err == nil && !gm.VerifyDigest(info.Public, gm.Digest(digest), out[0].Signature) {
		t.Error("the signature does not verify")
	}
	return err
}
