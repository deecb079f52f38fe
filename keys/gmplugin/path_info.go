package gmplugin

import (
	"context"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys"
)

const helpBackend = `
The gm secrets engine keeps SM2, SM4 and HMAC-SM3 keys and uses them on behalf of its callers. Every key has one purpose
for its whole life and any number of versions. Private keys never leave the engine; public keys and certificates of all
versions stay readable for ever.
`

func (b *backend) infoPaths() []*framework.Path {
	return []*framework.Path{{
		Pattern:         "info",
		Operations:      only(logical.ReadOperation, b.info, "Read version and self-test result."),
		HelpSynopsis:    "Version of the engine, and whether its algorithms gave the known answers.",
		HelpDescription: "Reading it also shows that the plugin runs.",
	}}
}

func (b *backend) info(ctx context.Context, _ *framework.FieldData) (*logical.Response, error) {
	health := b.engine.Health(ctx)
	return answer(map[string]any{
		"version": Version, "self_test": b.tested.Load(), "status": health.Status, "max_batch": keys.MaxBatch,
		"warnings": append([]keys.Warning{}, health.Warnings...),
	})
}
