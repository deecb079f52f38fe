package gmplugin

import (
	"context"
	"fmt"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// quorumPaths are the rule of the custodians and what they propose.
func (b *backend) quorumPaths() []*framework.Path {
	id := map[string]*framework.FieldSchema{"id": text("ID of the proposal.")}
	proposal := "proposals/" + framework.GenericNameRegex("id")
	return []*framework.Path{
		{
			Pattern: "config/quorum",
			Fields: map[string]*framework.FieldSchema{
				"needed":          number("How many consents a guarded verb needs (m)."),
				"members":         {Type: framework.TypeSlice, Description: "The custodians (n): entity IDs, or objects with id and name."},
				"proposer_counts": flag("Count the proposer's own consent as one of the m."),
			},
			Operations: map[logical.Operation]framework.OperationHandler{
				logical.ReadOperation:   operation(b.readQuorum, "Read the rule."),
				logical.UpdateOperation: operation(b.setQuorum, "Make the first rule."),
			},
			HelpSynopsis:    "How many of which custodians must consent to trim, loosen, destroy, restore, void and back up.",
			HelpDescription: "The first rule is free; every later one is itself proposed (verb quorum). Members are entities of Vault by their IDs, anything else is refused: give each person one entity, with aliases for all its log-ins.",
		},
		{
			Pattern:         proposal + "/approve",
			Fields:          map[string]*framework.FieldSchema{"id": id["id"], "digest": text("The proposal's digest (base64), as it was looked at.")},
			Operations:      only(logical.UpdateOperation, b.approveProposal, "Consent to a proposal."),
			HelpSynopsis:    "Consent, as the calling entity, to the proposal with that digest.",
			HelpDescription: "The last consent that is needed does the act in the same call. The proposer does not consent, unless the rule counts it.",
		},
		{
			Pattern:         proposal + "/reject",
			Fields:          id,
			Operations:      only(logical.UpdateOperation, b.rejectProposal, "End a proposal."),
			HelpSynopsis:    "End a proposal; any custodian can.",
			HelpDescription: "It stays on record.",
		},
		{
			Pattern:         proposal,
			Fields:          id,
			Operations:      only(logical.ReadOperation, b.readProposal, "Read a proposal."),
			HelpSynopsis:    "Read what is proposed, its digest, who consented and what became of it.",
			HelpDescription: "Ended proposals stay readable.",
		},
		{
			Pattern: "proposals/?$",
			Fields: map[string]*framework.FieldSchema{
				"after": text("List those after this ID."), "limit": number("At most so many; 0 is all."),
				"act": {Type: framework.TypeMap, Description: "What is proposed: verb (trim, loosen, destroy, restore, void, quorum, backup), key, and version, state, min_use, min_decrypt, backup, quorum or recovery as the verb needs."},
			},
			Operations: map[logical.Operation]framework.OperationHandler{
				logical.ListOperation:   operation(b.listProposals, "List proposals."),
				logical.UpdateOperation: operation(b.propose, "Propose a guarded verb."),
			},
			HelpSynopsis:    "List proposals, or propose a guarded verb as a custodian.",
			HelpDescription: "A proposal lives 24 hours and is done only on the state of the key that it was made on.",
		},
	}
}

func (b *backend) readQuorum(ctx context.Context, _ *framework.FieldData) (*logical.Response, error) {
	rule, err := b.engine.Quorum(ctx)
	if err != nil {
		return nil, err
	}
	return answer(rule)
}

func (b *backend) setQuorum(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	rule := keys.Quorum{Needed: intOf(d, "needed"), ProposerCounts: field[bool](d, "proposer_counts")}
	given, _ := d.Raw["members"].([]any)
	if texts, ok := d.Raw["members"].(string); ok { // the command line gives a list as one text
		for _, id := range splitList(texts) {
			given = append(given, id)
		}
	}
	for i, one := range given {
		switch m := one.(type) {
		case string:
			rule.Members = append(rule.Members, keys.Member{ID: m})
		case map[string]any:
			id, _ := m["id"].(string)
			name, _ := m["name"].(string)
			rule.Members = append(rule.Members, keys.Member{ID: id, Name: name})
		default:
			return nil, fmt.Errorf("%w: member %d is neither an ID nor an object with id and name", keys.ErrInvalid, i+1)
		}
	}
	return nil, b.engine.SetQuorum(ctx, rule)
}

func (b *backend) propose(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	if _, given := d.Raw["act"]; !given {
		return nil, fmt.Errorf("%w: no act given", keys.ErrInvalid)
	}
	var act keys.Act
	if err := decodeField(d, "act", &act); err != nil {
		return nil, err
	}
	return proposal(b.engine.Propose(ctx, act))
}

// proposal answers with a proposal.
func proposal(p keys.Proposal, err error) (*logical.Response, error) {
	if err != nil {
		return nil, err
	}
	return answer(p)
}

func (b *backend) approveProposal(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	digest, err := bytesField(d, "digest")
	if err != nil {
		return nil, err
	}
	if digest == nil {
		return nil, fmt.Errorf("%w: no digest given", keys.ErrInvalid)
	}
	return proposal(b.engine.ApproveProposal(ctx, stringOf(d, "id"), *digest))
}

func (b *backend) rejectProposal(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	return proposal(b.engine.RejectProposal(ctx, stringOf(d, "id")))
}

func (b *backend) readProposal(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	return proposal(b.engine.Proposal(ctx, stringOf(d, "id")))
}

func (b *backend) listProposals(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	list, err := b.engine.Proposals(ctx, stringOf(d, "after"), intOf(d, "limit"))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	about := make(map[string]any, len(list))
	for i, p := range list {
		p.Act.Backup, p.About = nil, keys.About{} // a list stays small; the proposal itself has them
		resp, err := answer(p)
		if err != nil {
			return nil, err
		}
		ids[i], about[p.ID] = p.ID, resp.Data
	}
	return logical.ListResponseWithInfo(ids, about), nil
}

// keepPaths are what a store needs to take keys in and to outlive its loss.
func (b *backend) keepPaths() []*framework.Path {
	name := framework.GenericNameRegex("name")
	return []*framework.Path{
		{
			Pattern:         "wrapping_key",
			Operations:      only(logical.ReadOperation, b.wrappingKey, "Read the public wrapping key."),
			HelpSynopsis:    "Public key that others encrypt keys to; its private part never leaves.",
			HelpDescription: "A CA envelopes encryption pairs for it, and the holder of the recovery key forwards backups to it.",
		},
		{
			Pattern: "config/recovery",
			Fields:  map[string]*framework.FieldSchema{"public": text("Recovery key as uncompressed point 04‖x‖y, base64.")},
			Operations: map[logical.Operation]framework.OperationHandler{
				logical.ReadOperation:   operation(b.readRecovery, "Read the recovery key."),
				logical.UpdateOperation: operation(b.setRecovery, "Set the recovery key where there is no quorum."),
			},
			HelpSynopsis:    "Public SM2 key that backups are sealed to; its private part is kept offline.",
			HelpDescription: "Where a quorum is set it is proposed (verb quorum), the first one too.",
		},
		{
			Pattern: "envelope/" + name + "/import",
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "enveloped": text("SM2EnvelopedKey (GB/T 35276) as DER, base64."),
				"with": text("The sign key of this mount that it was enveloped for; absent: the wrapping key."), "with_version": number("Version of that key; 0 is the current one."),
			},
			Operations:      only(logical.UpdateOperation, b.importEnveloped, "Import an encryption pair that a CA made."),
			HelpSynopsis:    "Take an encryption pair of a CA into a decrypt key, as its first or next version.",
			HelpDescription: "Only keys that decrypt are imported. The private key is not seen outside the engine.",
		},
		{
			Pattern:         "backup/" + name,
			Fields:          map[string]*framework.FieldSchema{"name": nameField()},
			Operations:      only(logical.UpdateOperation, b.backup, "Seal a key to the recovery key."),
			HelpSynopsis:    "Back up a key with all versions and certificates, sealed to the recovery key.",
			HelpDescription: "Only the holder of the recovery key can forward it to a store that restores it. Where a quorum is set, that must have consented within a day (verb backup), and neither key may have changed since.",
		},
		{
			Pattern:         "restore/?$",
			Fields:          map[string]*framework.FieldSchema{"backup": text("A backup forwarded to this mount's wrapping key, base64.")},
			Operations:      only(logical.UpdateOperation, b.restore, "Restore a key."),
			HelpSynopsis:    "Bring a key back; it never replaces one that exists.",
			HelpDescription: "Where a quorum is set it is proposed (verb restore).",
		},
	}
}

func (b *backend) wrappingKey(ctx context.Context, _ *framework.FieldData) (*logical.Response, error) {
	pub, err := b.engine.WrappingKey(ctx)
	if err != nil {
		return nil, err
	}
	return answer(gmwire.NewPoint(pub))
}

func (b *backend) readRecovery(ctx context.Context, _ *framework.FieldData) (*logical.Response, error) {
	pub, err := b.engine.RecoveryKey(ctx)
	if err != nil {
		return nil, err
	}
	return answer(gmwire.NewPoint(pub))
}

func (b *backend) setRecovery(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	point, err := bytesField(d, "public")
	if err != nil {
		return nil, err
	}
	if point == nil {
		return nil, fmt.Errorf("%w: no public key given", keys.ErrInvalid)
	}
	pub, err := gmwire.Point{Point: *point}.Key()
	if err != nil {
		return nil, err
	}
	return nil, b.engine.SetRecoveryKey(ctx, pub)
}

func (b *backend) importEnveloped(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	der, err := bytesField(d, "enveloped")
	if err != nil {
		return nil, err
	}
	if der == nil {
		return nil, fmt.Errorf("%w: no enveloped key given", keys.ErrInvalid)
	}
	with := keys.Ref{Name: stringOf(d, "with"), Version: intOf(d, "with_version")}
	info, err := b.engine.ImportEnveloped(ctx, stringOf(d, "name"), with, *der)
	if err != nil {
		return nil, err
	}
	return answer(gmwire.NewPublic(info))
}

func (b *backend) backup(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	data, err := b.engine.Backup(ctx, stringOf(d, "name"))
	if err != nil {
		return nil, err
	}
	return answer(map[string]any{"backup": data})
}

func (b *backend) restore(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	data, err := bytesField(d, "backup")
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, fmt.Errorf("%w: no backup given", keys.ErrInvalid)
	}
	info, err := b.engine.Restore(ctx, *data)
	if err != nil {
		return nil, err
	}
	return answer(gmwire.NewPublic(info))
}
