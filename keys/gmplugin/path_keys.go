package gmplugin

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// createFields describe a new key.
func createFields() map[string]*framework.FieldSchema {
	return map[string]*framework.FieldSchema{
		"name":              nameField(),
		"purpose":           text("What the key is for, for its whole life: seal, sign, decrypt, wrap, checkpoint, timestamp, issue, make or mac."),
		"type":              text("sm2, sm4 or hmac-sm3; it follows from the purpose and is only checked."),
		"uid":               text("SM2 signer ID; empty is the default one, 1234567812345678."),
		"message_only":      flag("Refuse ready digests: the engine then sees every message that it signs."),
		"destroyable":       flag("Permit the state destroyed. Fixed at creation."),
		"approval_required": flag("Sign one digest at a time, each with another person's approval (approvals/NAME). Seal keys only; fixed at creation."),
		"rotate_every":      {Type: framework.TypeDurationSecond, Description: "Add a version by itself whenever the newest is that old; wrap and mac keys only, at least 1h."},
		"labels":            {Type: framework.TypeKVPairs, Description: "The owner's notes, such as the office."},
	}
}

// keyPaths are the life cycle of keys. Longer patterns stand before those that they begin with.
func (b *backend) keyPaths() []*framework.Path {
	name := "keys/" + framework.GenericNameRegex("name")
	chain := &framework.FieldSchema{
		Type: framework.TypeStringSlice, Description: "Certificate chain, leaf first; each PEM, or DER in base64.",
	}
	versioned := func(more map[string]*framework.FieldSchema) map[string]*framework.FieldSchema {
		fields := map[string]*framework.FieldSchema{"name": nameField(), "key_version": versionField()}
		maps.Copy(fields, more)
		return fields
	}
	return []*framework.Path{
		{
			Pattern: "keys/?$",
			Fields: map[string]*framework.FieldSchema{
				"after": text("List the names after this one."), "limit": number("At most so many; 0 is all."),
				"batch_input": {Type: framework.TypeSlice, Description: "Keys to make, each with the fields of keys/NAME."},
			},
			Operations: map[logical.Operation]framework.OperationHandler{
				logical.ListOperation:   operation(b.list, "List the keys."),
				logical.UpdateOperation: operation(b.createMany, "Make several keys."),
			},
			HelpSynopsis:    "List keys, or make several at once.",
			HelpDescription: "The list has names under keys and what is public about each under key_info. Several keys are made all or none, save for a crash in the middle.",
		},
		{
			Pattern:         name + "/rotate",
			Fields:          versioned(map[string]*framework.FieldSchema{"expect_latest": number("Rotate only if this is the newest version; 0 is whatever it is.")}),
			Operations:      only(logical.UpdateOperation, b.rotate, "Add a version."),
			HelpSynopsis:    "Add a version to a key.",
			HelpDescription: "Of a key with certificates the old version stays current until the new one has a certificate.",
		},
		{
			Pattern:         name + "/state",
			Fields:          versioned(map[string]*framework.FieldSchema{"state": text("enabled, disabled, pending_deletion or destroyed.")}),
			Operations:      only(logical.UpdateOperation, b.state, "Enable, disable or destroy a key or a version."),
			HelpSynopsis:    "Change the state of a key (key_version 0) or of a version.",
			HelpDescription: "Only what is disabled, in a key that was made destroyable, can be destroyed. That is final; the public part stays. A key in pending_deletion goes after 30 days; disabling it calls that off. Where a quorum is set, enabling and destroying are proposed (proposals).",
		},
		{
			Pattern:         name + "/trim",
			Fields:          versioned(map[string]*framework.FieldSchema{"min_available": number("Lowest version that stays.")}),
			Operations:      only(logical.UpdateOperation, b.trim, "Destroy the private parts of old versions."),
			HelpSynopsis:    "Destroy the versions below a number, which both minima have passed, of a destroyable key.",
			HelpDescription: "Final. Public parts and certificates stay. Where a quorum is set, it is proposed (proposals).",
		},
		{
			Pattern:         name + "/void",
			Fields:          map[string]*framework.FieldSchema{"name": nameField()},
			Operations:      only(logical.UpdateOperation, b.void, "End a seal key for ever."),
			HelpSynopsis:    "Void a seal key: it never seals again.",
			HelpDescription: "Final. Its public part and certificates stay. Where a quorum is set, it is proposed (proposals).",
		},
		{
			Pattern: name + "/config",
			Fields: versioned(map[string]*framework.FieldSchema{
				"min_use": number("Lowest version that still signs and wraps."), "min_decrypt": number("Lowest version that still decrypts and unwraps."),
				"labels": {Type: framework.TypeKVPairs, Description: "Replace all labels."},
			}),
			Operations:      only(logical.UpdateOperation, b.configure, "Change minima and labels."),
			HelpSynopsis:    "Change settings of a key; absent fields stay.",
			HelpDescription: "Minima lie between 1 and the newest version, min_decrypt not above min_use. Where a quorum is set, lowering one is proposed (proposals).",
		},
		{
			Pattern: name + "/csr",
			Fields: versioned(map[string]*framework.FieldSchema{
				"subject":     text("Subject as DER of Name, base64; or give common_name and organization."),
				"common_name": text("Common name of the subject."), "organization": text("Organisation of the subject."),
			}),
			Operations:      only(logical.UpdateOperation, b.request, "Make a certificate request."),
			HelpSynopsis:    "Make a PKCS#10 request (SM2 with SM3) signed by a version.",
			HelpDescription: "Version 0 is the newest, since that is the one without a certificate.",
		},
		{
			Pattern: name + "/certificate",
			Fields:  versioned(map[string]*framework.FieldSchema{"certificate_chain": chain}),
			Operations: map[logical.Operation]framework.OperationHandler{
				logical.UpdateOperation: operation(b.importCertificate, "Store a certificate chain."),
				logical.ReadOperation:   operation(b.certificates, "Read the certificate chain of a version."),
			},
			HelpSynopsis:    "Store or read the certificate chain of a version.",
			HelpDescription: "The leaf must carry the key of the version; of version 0 the version whose key matches is taken.",
		},
		{
			Pattern:         name + "/public/" + framework.GenericNameRegex("version"),
			Fields:          map[string]*framework.FieldSchema{"name": nameField(), "version": text("A number, or current.")},
			Operations:      only(logical.ReadOperation, b.public, "Read the public part of a version."),
			HelpSynopsis:    "Public key, state and certificates of one version.",
			HelpDescription: "Readable for ever, also of destroyed versions. Apart from state and certificates it never changes.",
		},
		{
			Pattern: name,
			Fields:  createFields(),
			Operations: map[logical.Operation]framework.OperationHandler{
				logical.UpdateOperation: operation(b.create, "Make a key."),
				logical.ReadOperation:   operation(b.describe, "Read all that is public about a key."),
			},
			HelpSynopsis:    "Make a key with its first version, or read what is public about it.",
			HelpDescription: "An existing name, a destroyed key's included, is a conflict. Nothing gives a private key out.",
		},
	}
}

func (b *backend) createMany(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	var batch []gmwire.NewKey
	if err := decodeField(d, "batch_input", &batch); err != nil {
		return nil, err
	}
	options := make([]keys.CreateOptions, len(batch))
	for i, k := range batch {
		options[i] = k.Options()
	}
	infos, err := b.engine.Create(ctx, options...)
	if err != nil {
		return nil, err
	}
	out := make([]gmwire.Public, len(infos))
	for i, info := range infos {
		out[i] = gmwire.NewPublic(info)
	}
	return answer(map[string]any{"batch_results": out})
}

func (b *backend) create(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	o := keys.CreateOptions{
		Name: stringOf(d, "name"), Purpose: keys.Purpose(stringOf(d, "purpose")), UID: stringOf(d, "uid"),
		MessageOnly: field[bool](d, "message_only"), ApprovalRequired: field[bool](d, "approval_required"),
		Destroyable: field[bool](d, "destroyable"), RotateEvery: time.Duration(intOf(d, "rotate_every")) * time.Second, Labels: labelsOf(d),
	}
	if t := keys.Type(stringOf(d, "type")); t != "" && t != o.Purpose.Type() {
		return nil, fmt.Errorf("%w: a key of purpose %q is of type %q, not %q", keys.ErrInvalid, o.Purpose, o.Purpose.Type(), t)
	}
	infos, err := b.engine.Create(ctx, o)
	if err != nil {
		return nil, err
	}
	return answer(gmwire.NewPublic(infos[0]))
}

// labelsOf gives the labels of a request; nil if there are none.
func labelsOf(d *framework.FieldData) map[string]string {
	if _, given := d.Raw["labels"]; !given {
		return nil
	}
	return field[map[string]string](d, "labels")
}

func (b *backend) rotate(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	info, err := b.engine.Rotate(ctx, stringOf(d, "name"), intOf(d, "expect_latest"))
	if err != nil {
		return nil, err
	}
	return answer(gmwire.NewPublic(info))
}

func (b *backend) state(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	return nil, b.engine.SetState(ctx, refOf(d), keys.State(stringOf(d, "state")))
}

func (b *backend) trim(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	return nil, b.engine.Trim(ctx, stringOf(d, "name"), intOf(d, "min_available"))
}

func (b *backend) void(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	return nil, b.engine.Void(ctx, stringOf(d, "name"))
}

func (b *backend) configure(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	change := keys.Change{Labels: labelsOf(d)}
	for field, into := range map[string]**int{"min_use": &change.MinUse, "min_decrypt": &change.MinDecrypt} {
		if _, given := d.Raw[field]; given {
			n := intOf(d, field)
			*into = &n
		}
	}
	info, err := b.engine.Configure(ctx, stringOf(d, "name"), change)
	if err != nil {
		return nil, err
	}
	return answer(info)
}

func (b *backend) describe(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	info, err := b.engine.Describe(ctx, stringOf(d, "name"))
	if err != nil {
		return nil, err
	}
	resp, err := answer(info)
	if err != nil || info.Type != keys.TypeSM2 {
		return resp, err
	}
	pems := make(map[string]any, len(info.Versions))
	for _, v := range info.Versions {
		pub, err := gm.ParsePublicKey(v.Public)
		if err != nil {
			return nil, err
		}
		pems[strconv.Itoa(v.Version)] = keys.PublicPEM(pub)
	}
	resp.Data["public_keys"] = pems
	return resp, nil
}

func (b *backend) list(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	infos, err := b.engine.List(ctx, stringOf(d, "after"), intOf(d, "limit"))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(infos))
	about := make(map[string]any, len(infos))
	for i, info := range infos {
		resp, err := answer(info)
		if err != nil {
			return nil, err
		}
		names[i], about[info.Name] = info.Name, resp.Data
	}
	return logical.ListResponseWithInfo(names, about), nil
}

func (b *backend) public(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	ref := keys.Ref{Name: stringOf(d, "name")}
	if v := stringOf(d, "version"); v != "current" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%w: version %q: want a number or current", keys.ErrInvalid, v)
		}
		ref.Version = n
	}
	info, err := b.engine.Public(ctx, ref)
	if err != nil {
		return nil, err
	}
	return answer(gmwire.NewPublic(info))
}

func (b *backend) request(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	subject, err := subjectOf(d)
	if err != nil {
		return nil, err
	}
	der, err := b.engine.Request(ctx, refOf(d), subject)
	if err != nil {
		return nil, err
	}
	return answer(map[string]any{"csr": string(cert.RequestPEM(der))})
}

// subjectOf reads the subject of a request. Attributes keep their order.
func subjectOf(d *framework.FieldData) (pkix.Name, error) {
	der, err := bytesField(d, "subject")
	if err != nil {
		return pkix.Name{}, err
	}
	if der == nil {
		return cert.Subject(stringOf(d, "common_name"), stringOf(d, "organization")), nil
	}
	var rdn pkix.RDNSequence
	if rest, err := asn1.Unmarshal(*der, &rdn); err != nil || len(rest) > 0 {
		return pkix.Name{}, fmt.Errorf("%w: subject is no Name", keys.ErrInvalid)
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdn)
	name.ExtraNames = name.Names // all attributes, in their order
	return name, nil
}

func (b *backend) importCertificate(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	given := field[[]string](d, "certificate_chain")
	var chain [][]byte
	for i, text := range given {
		if parsed, err := cert.ParsePEM([]byte(text)); err == nil {
			for _, c := range parsed {
				chain = append(chain, c.Raw)
			}
			continue
		}
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate %d is neither PEM nor base64", keys.ErrInvalid, i+1)
		}
		chain = append(chain, der)
	}
	ref, err := b.engine.ImportCertificate(ctx, refOf(d), chain)
	if err != nil {
		return nil, err
	}
	return answer(ref)
}

func (b *backend) certificates(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	chain, err := b.engine.Certificates(ctx, refOf(d))
	if err != nil {
		return nil, err
	}
	return answer(map[string]any{"certificate_chain": chain})
}
