package vaultkeys

import (
	"context"
	"encoding/hex"
	"fmt"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// signed is what the engine answered for one item, not verified yet.
type signed struct {
	version   int
	signature []byte
	err       error
}

// sign signs a batch.
func (s *Store) sign(ctx context.Context, g signGroup, items []keys.SignItem) ([]keys.SignResult, error) {
	return inRequests(items, func(i keys.SignItem) int { return len(i.Message) }, func(items []keys.SignItem) ([]keys.SignResult, error) {
		answers, err := s.askSignatures(ctx, g, items)
		if err != nil {
			return nil, err
		}
		out := make([]keys.SignResult, len(items))
		for i, a := range answers {
			out[i] = s.signResult(ctx, g.ref, items[i], a)
		}
		return out, nil
	})
}

// signResult is what an answer says of one item, checked.
func (s *Store) signResult(ctx context.Context, ref keys.Ref, item keys.SignItem, a signed) keys.SignResult {
	r := keys.SignResult{Version: a.version, Reference: item.Reference, Err: a.err}
	if n := len(item.Message); n > keys.MaxMessage {
		r.Err = fmt.Errorf("%w: message of %d bytes, at most %d", keys.ErrInvalid, n, keys.MaxMessage)
	}
	if r.Err == nil {
		r.Signature, r.Err = s.checkedSignature(ctx, ref, item, a)
	}
	return r
}

// askSignatures makes the call, in the form that suits what is asked: one digest for a seal key alone, since policies of seal
// keys allow no batches; digests alone in the short form; else items.
func (s *Store) askSignatures(ctx context.Context, g signGroup, items []keys.SignItem) ([]signed, error) {
	path, in := "sign/"+g.ref.Name, map[string]any{"purpose": g.purpose}
	if g.ref.Version != 0 {
		in["key_version"] = g.ref.Version
	}
	switch digests := digestsOf(items); {
	case g.purpose == keys.PurposeSeal && len(items) == 1 && items[0].Digest != nil && items[0].Message == nil:
		return s.askSeal(ctx, g.ref, path, in, items[0])
	case g.purpose != keys.PurposeSeal && digests != "":
		in["digests"] = digests
		return s.askDigests(ctx, g, path, in, len(items))
	}
	in["batch_input"] = signItems(items)
	results, err := s.batch(ctx, path, in, len(items))
	if err != nil {
		return nil, err
	}
	out := make([]signed, len(results))
	for i, r := range results {
		out[i] = signedOf(g.ref, r)
	}
	return out, nil
}

func (s *Store) askSeal(ctx context.Context, ref keys.Ref, path string, in map[string]any, item keys.SignItem) ([]signed, error) {
	in["digest"] = item.Digest
	if item.Approval != "" {
		in["approval"] = item.Approval
	}
	var out gmwire.Result
	found, err := s.call(ctx, use, path, in, &out)
	if err == nil && !found {
		err = errEmpty
	}
	if err != nil {
		return nil, err
	}
	return []signed{signedOf(ref, out)}, nil
}

// askDigests signs many digests in the short form: one answer holds all signatures, by one version.
func (s *Store) askDigests(ctx context.Context, g signGroup, path string, in map[string]any, n int) ([]signed, error) {
	var answer struct {
		Version    int    `json:"key_version"`
		Signatures []byte `json:"signatures"`
	}
	found, err := s.call(ctx, use, path, in, &answer)
	if err != nil {
		return nil, err
	}
	signatures, err := gmwire.SplitSignatures(answer.Signatures, n)
	if !found || err != nil || answer.Version < 1 {
		return nil, malformed("signature with", g.ref)
	}
	out := make([]signed, n)
	for i, sig := range signatures {
		out[i] = signed{version: answer.Version, signature: sig}
	}
	return out, nil
}

// digestsOf are the digests of items that consist of nothing else; nothing if one does not.
func digestsOf(items []keys.SignItem) string {
	out := make([]byte, 0, len(items)*hex.EncodedLen(len(gm.Digest{})))
	for _, item := range items {
		if item.Message != nil || item.Approval != "" || len(item.Digest) != len(gm.Digest{}) {
			return ""
		}
		out = hex.AppendEncode(out, item.Digest)
	}
	return string(out)
}

// signItems are the items of a request. A message over the bound, which Vault would refuse with all others, goes empty.
func signItems(items []keys.SignItem) []gmwire.Item {
	batch := make([]gmwire.Item, len(items))
	for i := range items {
		batch[i].Approval = items[i].Approval
		if len(items[i].Message) > keys.MaxMessage {
			continue
		}
		if items[i].Message != nil {
			batch[i].SetInput(items[i].Message)
		}
		if items[i].Digest != nil {
			batch[i].Digest = &items[i].Digest
		}
	}
	return batch
}

// signedOf reads one result.
func signedOf(ref keys.Ref, r gmwire.Result) signed {
	out := signed{version: r.KeyVersion, err: itemError(r)}
	if out.err != nil {
		return out
	}
	n, sig, err := gmwire.ParseVersioned(r.Signature)
	if err != nil || n != r.KeyVersion {
		out.err = malformed("signature with", ref)
	}
	out.signature = sig
	return out
}

// checkedSignature verifies what the engine signed with the public key of the version that it names.
func (s *Store) checkedSignature(ctx context.Context, ref keys.Ref, item keys.SignItem, a signed) ([]byte, error) {
	if a.version < 1 || (ref.Version != 0 && a.version != ref.Version) {
		return nil, malformed("signature with", ref)
	}
	info, err := s.verificationKey(ctx, keys.Ref{Name: ref.Name, Version: a.version})
	if err != nil {
		return nil, fmt.Errorf("public key of the signature: %w", err)
	}
	valid := false
	switch {
	case info.Public == nil:
	case item.Digest != nil && len(item.Digest) == len(gm.Digest{}):
		valid = gm.VerifyDigest(info.Public, gm.Digest(item.Digest), a.signature)
	case item.Message != nil:
		valid = gm.VerifyID(info.Public, info.UID, item.Message, a.signature)
	}
	if !valid {
		return nil, &keys.UnavailableError{Err: fmt.Errorf("the signature that came back does not verify with key %s", info.Ref)}
	}
	return a.signature, nil
}
