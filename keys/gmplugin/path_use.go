package gmplugin

import (
	"context"
	"crypto/hmac"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// usePaths are the verbs that use keys.
func (b *backend) usePaths() []*framework.Path {
	name := framework.GenericNameRegex("name")
	purpose := text("What the caller uses the key for; refused unless it is the key's own purpose. Absent: the key's own.")
	aad := text("Associated data (base64) that a data key is bound to, such as a document id.")
	return []*framework.Path{
		{
			Pattern: "sign/" + name,
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "key_version": versionField(), "purpose": purpose, "batch_input": batchField(),
				"input":    text("Message (base64) to be signed whole; the engine computes Z and e."),
				"digest":   text("e = SM3(Z‖M) (base64, 32 bytes), computed with the public key of key_version."),
				"approval": text("ID of another person's approval of the digest, for keys with approval_required."),
				"encoding": text("Form of the signature: asn1 (default) or raw, r‖s of 64 bytes."),
				"digests":  digestsField(),
			},
			Operations:      updates(b.sign, "Sign a message, a digest or a batch with an SM2 key."),
			HelpSynopsis:    "Sign with an SM2 key.",
			HelpDescription: "Gives the signature as vault:vN:base64, where N is the version that signed. Seal keys sign only with a version that has a certificate.",
		},
		{
			Pattern: "approvals/" + name,
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "digest": text("e (base64, 32 bytes) that may be signed once."),
			},
			Operations:      only(logical.UpdateOperation, b.approve, "Approve one signature by somebody else."),
			HelpSynopsis:    "Approve one signature over a digest by a key with approval_required.",
			HelpDescription: "The approver is the caller's entity. Another entity then signs that digest with the approval's ID, once, within 24 hours.",
		},
		{
			Pattern: "verify/" + name + "/hmac",
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "batch_input": batchField(),
				"input": text("Data (base64) that was tagged."), "hmac": text("The tag, vault:vN:base64."),
			},
			Operations:      updates(b.verifyHMAC, "Check an HMAC-SM3 tag in constant time."),
			HelpSynopsis:    "Check tags made by hmac/.",
			HelpDescription: "Says valid true or false for each item.",
		},
		{
			Pattern: "verify/" + name,
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "batch_input": batchField(),
				"input": text("Message (base64) that was signed."), "digest": text("e (base64, 32 bytes) that was signed."),
				"signature": text("The signature, vault:vN:base64, in ASN.1."),
			},
			Operations:      updates(b.verify, "Check an SM2 signature."),
			HelpSynopsis:    "Check signatures, for auditors.",
			HelpDescription: "Also for disabled and destroyed versions: old signatures stay verifiable. Programs check locally, with keys/NAME/public/VERSION.",
		},
		{
			Pattern: "decrypt/" + name,
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "purpose": purpose, "batch_input": batchField(), "associated_data": aad,
				"ciphertext": text("vault:vN:base64 of SM2Cipher in ASN.1 (GB/T 35276), or of a wrapped data key."),
			},
			Operations:      updates(b.decrypt, "Open SM2 ciphertexts or unwrap data keys."),
			HelpSynopsis:    "Decrypt with an SM2 key, or unwrap with an SM4 key.",
			HelpDescription: "Every cryptographic failure has one text.",
		},
		{
			Pattern: "datakey/" + framework.GenericNameRegex("form") + "/" + name,
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "key_version": versionField(), "batch_input": batchField(), "associated_data": aad,
				"form":  text("plaintext gives the data key and its wrapped form, wrapped the latter alone."),
				"count": number("How many data keys to make for the one associated_data; 1 if absent."),
			},
			Operations:      updates(b.dataKey, "Make SM4 data keys wrapped by the key."),
			HelpSynopsis:    "Make data keys of 128 bits.",
			HelpDescription: "Each is random, wrapped with SM4-GCM and bound to its associated data, key and version.",
		},
		{
			Pattern: "rewrap/" + name,
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "batch_input": batchField(), "associated_data": aad, "ciphertext": text("A wrapped data key, vault:vN:base64."),
			},
			Operations:      updates(b.rewrap, "Wrap data keys anew under the current version."),
			HelpSynopsis:    "Move wrapped data keys to the current version without showing them.",
			HelpDescription: "Items that are there already come back unchanged. A bad item of a batch fails alone; nothing is lost by that.",
		},
		{
			Pattern: "hmac/" + name,
			Fields: map[string]*framework.FieldSchema{
				"name": nameField(), "key_version": versionField(), "batch_input": batchField(), "input": text("Data (base64)."),
			},
			Operations:      updates(b.hmac, "Compute HMAC-SM3."),
			HelpSynopsis:    "Tag data with HMAC-SM3.",
			HelpDescription: "Gives vault:vN:base64, where N is the version that computed it.",
		},
	}
}

// purposeOf is the purpose that a caller states, or the key's own.
func (b *backend) purposeOf(ctx context.Context, d *framework.FieldData, name string) (keys.Purpose, error) {
	if _, given := d.Raw["purpose"]; given {
		return keys.Purpose(stringOf(d, "purpose")), nil
	}
	info, err := b.engine.Public(ctx, keys.Ref{Name: name})
	return info.Purpose, err
}

func (b *backend) sign(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	if _, given := d.Raw["digests"]; given {
		return b.signDigests(ctx, d)
	}
	batch, err := batchOf(d, func(i *gmwire.Item) (err error) {
		i.Approval = stringOf(d, "approval")
		if i.Input, err = bytesField(d, "input"); err != nil {
			return err
		}
		i.Digest, err = bytesField(d, "digest")
		return err
	})
	if err != nil {
		return nil, err
	}
	raw := false
	switch encoding := stringOf(d, "encoding"); encoding {
	case "", "asn1":
	case "raw":
		raw = true
	default:
		return nil, fmt.Errorf("%w: encoding %q: want asn1 or raw", keys.ErrInvalid, encoding)
	}
	ref := refOf(d)
	purpose, err := b.purposeOf(ctx, d, ref.Name)
	if err != nil {
		return nil, err
	}
	input := make([]keys.SignItem, len(batch.items))
	for i, item := range batch.items {
		input[i].Approval = item.Approval
		if item.Input != nil {
			input[i].Message = *item.Input
		}
		if item.Digest != nil {
			input[i].Digest = *item.Digest
		}
	}
	signed, err := b.engine.Sign(ctx, ref, purpose, input)
	if err != nil {
		return nil, err
	}
	out := make([]gmwire.Result, len(signed))
	for i, s := range signed {
		out[i].KeyVersion = s.Version
		sig, err := s.Signature, s.Err
		if err == nil && raw {
			sig, err = rawSignature(sig)
		}
		batch.fail(i, err)
		out[i].Signature = gmwire.Versioned(s.Version, sig)
	}
	return batch.answer(out)
}

func (b *backend) approve(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	digest, err := bytesField(d, "digest")
	if err != nil {
		return nil, err
	}
	if digest == nil {
		return nil, fmt.Errorf("%w: no digest given", keys.ErrInvalid)
	}
	a, err := b.engine.Approve(ctx, stringOf(d, "name"), *digest)
	if err != nil {
		return nil, err
	}
	return answer(a)
}

// rawSignature turns SEQUENCE{r, s} into r‖s.
func rawSignature(der []byte) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}

func (b *backend) verify(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	batch, err := batchOf(d, func(i *gmwire.Item) (err error) {
		i.Signature = stringOf(d, "signature")
		if i.Input, err = bytesField(d, "input"); err != nil {
			return err
		}
		i.Digest, err = bytesField(d, "digest")
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]gmwire.Result, len(batch.items))
	for i, item := range batch.items {
		valid, version, err := b.verifyItem(ctx, stringOf(d, "name"), item)
		batch.fail(i, err)
		out[i].Valid, out[i].KeyVersion = &valid, version
	}
	return batch.answer(out)
}

func (b *backend) verifyItem(ctx context.Context, name string, item gmwire.Item) (bool, int, error) {
	n, sig, err := gmwire.ParseVersioned(item.Signature)
	if err != nil {
		return false, 0, err
	}
	info, err := b.engine.Public(ctx, keys.Ref{Name: name, Version: n})
	switch {
	case err != nil:
		return false, 0, err
	case info.Public == nil || !info.Purpose.Signs():
		return false, 0, fmt.Errorf("%w: key %s signs nothing", keys.ErrDenied, name)
	case (item.Input == nil) == (item.Digest == nil):
		return false, 0, fmt.Errorf("%w: an item has either an input or a digest", keys.ErrInvalid)
	case item.Input != nil:
		return gm.VerifyID(info.Public, info.UID, gm.Message(*item.Input), sig), info.Ref.Version, nil
	case len(*item.Digest) != len(gm.Digest{}):
		return false, 0, fmt.Errorf("%w: digest of %d bytes, not %d", keys.ErrInvalid, len(*item.Digest), len(gm.Digest{}))
	}
	return gm.VerifyDigest(info.Public, gm.Digest(*item.Digest), sig), info.Ref.Version, nil
}

// ciphertexts reads what a batch holds. The error of an item that does not parse is kept, and nothing stands in its place.
func (b *batch) ciphertexts() []keys.Ciphertext {
	out := make([]keys.Ciphertext, len(b.items))
	for i, item := range b.items {
		n, data, err := gmwire.ParseVersioned(item.Ciphertext)
		if b.fail(i, err); b.errs[i] == nil {
			out[i] = keys.Ciphertext{Version: n, Data: data, AAD: item.AssociatedData}
		}
	}
	return out
}

func ciphertextItem(d *framework.FieldData) func(*gmwire.Item) error {
	return func(i *gmwire.Item) error {
		i.Ciphertext = stringOf(d, "ciphertext")
		aad, err := bytesField(d, "associated_data")
		if aad != nil {
			i.AssociatedData = *aad
		}
		return err
	}
}

func (b *backend) decrypt(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	batch, err := batchOf(d, ciphertextItem(d))
	if err != nil {
		return nil, err
	}
	name := stringOf(d, "name")
	purpose, err := b.purposeOf(ctx, d, name)
	if err != nil {
		return nil, err
	}
	opened, err := b.engine.Decrypt(ctx, name, purpose, batch.ciphertexts())
	if err != nil {
		return nil, err
	}
	out := make([]gmwire.Result, len(opened))
	for i := range opened {
		batch.fail(i, opened[i].Err)
		out[i] = gmwire.Result{KeyVersion: opened[i].Version, Plaintext: &opened[i].Plain}
	}
	return batch.answer(out)
}

func (b *backend) dataKey(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	form := stringOf(d, "form")
	if form != "plaintext" && form != "wrapped" {
		return nil, fmt.Errorf("%w: data keys come as plaintext or wrapped, not %q", keys.ErrInvalid, form)
	}
	batch, err := batchOf(d, ciphertextItem(d))
	if err != nil {
		return nil, err
	}
	if count := intOf(d, "count"); !batch.many && count > 1 {
		if count > keys.MaxBatch {
			return nil, fmt.Errorf("%w: %d data keys, at most %d", keys.ErrInvalid, count, keys.MaxBatch)
		}
		batch.items, batch.errs, batch.many = slices.Repeat(batch.items, count), make([]error, count), true
	}
	aad := make([][]byte, len(batch.items))
	for i, item := range batch.items {
		aad[i] = item.AssociatedData
	}
	made, err := b.engine.DataKey(ctx, refOf(d), aad)
	if err != nil {
		return nil, err
	}
	out := make([]gmwire.Result, len(made))
	for i := range made {
		batch.fail(i, made[i].Err)
		out[i].Ciphertext, out[i].KeyVersion = gmwire.Versioned(made[i].Wrapped.Version, made[i].Wrapped.Data), made[i].Wrapped.Version
		if form == "plaintext" {
			out[i].Plaintext = &made[i].Plain
		}
	}
	return batch.answer(out)
}

func (b *backend) rewrap(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	batch, err := batchOf(d, ciphertextItem(d))
	if err != nil {
		return nil, err
	}
	moved, err := b.engine.Rewrap(ctx, stringOf(d, "name"), batch.ciphertexts())
	if err != nil {
		return nil, err
	}
	out := make([]gmwire.Result, len(moved))
	for i, m := range moved {
		batch.fail(i, m.Err)
		out[i] = gmwire.Result{Ciphertext: gmwire.Versioned(m.Wrapped.Version, m.Wrapped.Data), KeyVersion: m.Wrapped.Version}
	}
	return batch.answer(out)
}

func hmacItem(d *framework.FieldData) func(*gmwire.Item) error {
	return func(i *gmwire.Item) (err error) {
		i.HMAC = stringOf(d, "hmac")
		i.Input, err = bytesField(d, "input")
		return err
	}
}

// inputs are what a batch wants tagged.
func (b *batch) inputs() [][]byte {
	out := make([][]byte, len(b.items))
	for i, item := range b.items {
		if item.Input == nil {
			b.fail(i, fmt.Errorf("%w: no input given", keys.ErrInvalid))
			continue
		}
		out[i] = *item.Input
	}
	return out
}

func (b *backend) hmac(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	batch, err := batchOf(d, hmacItem(d))
	if err != nil {
		return nil, err
	}
	tags, err := b.engine.HMAC(ctx, refOf(d), batch.inputs())
	if err != nil {
		return nil, err
	}
	out := make([]gmwire.Result, len(tags))
	for i, tag := range tags {
		batch.fail(i, tag.Err)
		out[i] = gmwire.Result{HMAC: gmwire.Versioned(tag.Version, tag.Tag), KeyVersion: tag.Version}
	}
	return batch.answer(out)
}

func (b *backend) verifyHMAC(ctx context.Context, d *framework.FieldData) (*logical.Response, error) {
	batch, err := batchOf(d, hmacItem(d))
	if err != nil {
		return nil, err
	}
	input := batch.inputs()
	out := make([]gmwire.Result, len(batch.items))
	for i, item := range batch.items {
		if batch.errs[i] != nil {
			continue
		}
		var valid bool
		valid, out[i].KeyVersion, err = b.verifyTag(ctx, stringOf(d, "name"), item.HMAC, input[i:i+1])
		batch.fail(i, err)
		out[i].Valid = &valid
	}
	return batch.answer(out)
}

func (b *backend) verifyTag(ctx context.Context, name, tag string, input [][]byte) (bool, int, error) {
	n, got, err := gmwire.ParseVersioned(tag)
	if err != nil {
		return false, 0, err
	}
	want, err := b.engine.HMAC(ctx, keys.Ref{Name: name, Version: n}, input)
	if err == nil {
		err = want[0].Err
	}
	if err != nil {
		return false, n, err
	}
	return hmac.Equal(got, want[0].Tag), want[0].Version, nil
}
