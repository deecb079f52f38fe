package gmplugin

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

const digestSize = len(gm.Digest{})

func digestsField() *framework.FieldSchema {
	return &framework.FieldSchema{
		Type: framework.TypeString,
		Description: fmt.Sprintf("Digests e (hex, 64 digits each, one after the other), at most %d, to be signed by one version, all or none: the short "+
			"form of batch_input. signatures (base64) has one ASN.1 signature a digest, one after the other in order. Goes with key_version and purpose alone.", keys.MaxBatch),
	}
}

// signDigests signs many digests that travel as one text: Vault copies and tags every text of a request several times over,
// which for a batch of items costs more than the signatures. In hex, so that the audit log of a mount that shows the field
// (audit_non_hmac_request_keys) can be searched for a digest.
func (b *backend) signDigests(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	for _, other := range []string{"batch_input", "input", "digest", "approval", "encoding"} {
		if _, given := d.Raw[other]; given {
			return nil, fmt.Errorf("%w: digests go without %s", keys.ErrInvalid, other)
		}
	}
	items, err := digestsOf(stringOf(d, "digests"))
	if err != nil {
		return nil, err
	}
	ref := refOf(d)
	purpose, err := b.purposeOf(ctx, d, ref.Name)
	if err != nil {
		return nil, err
	}
	results, err := b.engine.Sign(ctx, ref, purpose, items)
	if err != nil {
		return nil, err
	}
	signatures := make([][]byte, len(results))
	for i, r := range results {
		if r.Err != nil {
			return nil, fmt.Errorf("digest %d: %w", i+1, r.Err)
		}
		signatures[i] = r.Signature
	}
	return &logical.Response{Data: map[string]any{
		"key_version": results[0].Version, "signatures": gmwire.Versioned(0, gmwire.JoinSignatures(signatures)),
	}}, nil
}

func digestsOf(text string) ([]keys.SignItem, error) {
	all, err := hex.DecodeString(text)
	n := len(all) / digestSize
	if err != nil || len(all)%digestSize != 0 || n < 1 || n > keys.MaxBatch {
		return nil, fmt.Errorf("%w: digests is not 1 to %d digests in hex", keys.ErrInvalid, keys.MaxBatch)
	}
	items := make([]keys.SignItem, 0, n)
	for digest := range slices.Chunk(all, digestSize) {
		items = append(items, keys.SignItem{Digest: digest})
	}
	return items, nil
}
