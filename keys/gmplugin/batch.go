package gmplugin

import (
	"encoding/base64"
	"fmt"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// batch is what a call asks for: its items, and for each the error that it had when it was read. An item that cannot be
// read fails alone, as one that the engine refuses does.
type batch struct {
	items []gmwire.Item
	errs  []error
	// many tells that it was given as batch_input; a single call is a batch of one.
	many bool
}

func batchField() *framework.FieldSchema {
	return &framework.FieldSchema{
		Type: framework.TypeSlice,
		Description: fmt.Sprintf("Items to handle in one call, at most %d, more refuse the call; each has the fields of a single call and a "+
			"reference. batch_results has one result an item, in order: a bad item has error and code there and touches no other.", keys.MaxBatch),
	}
}

// batchOf gives the batch of a call; single reads the fields of a single one.
func batchOf(d *framework.FieldData, single func(*gmwire.Item) error) (batch, error) {
	given, many := d.Raw["batch_input"]
	if !many {
		b := batch{items: make([]gmwire.Item, 1), errs: make([]error, 1)}
		return b, single(&b.items[0])
	}
	list, ok := given.([]any)
	if !ok {
		return batch{}, fmt.Errorf("%w: batch_input is no list", keys.ErrInvalid)
	}
	if len(list) < 1 || len(list) > keys.MaxBatch {
		return batch{}, fmt.Errorf("%w: batch of %d items, 1 to %d are allowed", keys.ErrInvalid, len(list), keys.MaxBatch)
	}
	b := batch{items: make([]gmwire.Item, len(list)), errs: make([]error, len(list)), many: true}
	for i, one := range list {
		b.errs[i] = readItem(one, &b.items[i])
	}
	return b, nil
}

// fail sets the error of an item, unless it has one.
func (b *batch) fail(i int, err error) {
	if b.errs[i] == nil {
		b.errs[i] = err
	}
}

// readItem reads an element of batch_input, refusing names that an item does not have. It goes without a way through JSON,
// since it is done for every item of every batch. Of a bad item the reference is read all the same, where there is one.
func readItem(from any, item *gmwire.Item) error {
	fields, ok := from.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: an item is no object", keys.ErrInvalid)
	}
	var failed error
	for name, value := range fields {
		if value == nil {
			continue
		}
		if err := setField(item, name, value); err != nil {
			failed = fmt.Errorf("%w: item: %w", keys.ErrInvalid, err)
		}
	}
	if failed != nil {
		return failed
	}
	var err error
	item.Input, err = item.TakeInput()
	item.InputParts = nil
	return err
}

func setField(item *gmwire.Item, name string, value any) error {
	if name == "input_parts" {
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s is no list", name)
		}
		for _, v := range list {
			part, err := decodeBytes(name, v)
			if err != nil {
				return err
			}
			item.InputParts = append(item.InputParts, part)
		}
		return nil
	}
	switch name {
	case "input", "digest", "associated_data":
		data, err := decodeBytes(name, value)
		switch {
		case err != nil:
			return err
		case name == "input":
			item.Input = &data
		case name == "digest":
			item.Digest = &data
		default:
			item.AssociatedData = data
		}
		return nil
	}
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("%q is no text", name)
	}
	switch name {
	case "ciphertext":
		item.Ciphertext = text
	case "signature":
		item.Signature = text
	case "hmac":
		item.HMAC = text
	case "approval":
		item.Approval = text
	case "reference":
		item.Reference = text
	default:
		return fmt.Errorf("it has no field %q", name)
	}
	return nil
}

// decodeBytes reads base64. What it refuses is not quoted.
func decodeBytes(name string, value any) ([]byte, error) {
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%s is no text", name)
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no base64", name)
	}
	return data, nil
}

// answer gives the results: a batch as batch_results, a single call as the fields of its result or its error.
func (b *batch) answer(out []gmwire.Result) (*logical.Response, error) {
	if !b.many {
		if b.errs[0] != nil {
			return nil, b.errs[0]
		}
		return &logical.Response{Data: resultFields(out[0])}, nil
	}
	all := make([]any, len(out))
	for i := range out {
		out[i].Reference = b.items[i].Reference
		if err := b.errs[i]; err != nil {
			code, _ := gmwire.CodeOf(err)
			out[i] = gmwire.Result{KeyVersion: out[i].KeyVersion, Reference: out[i].Reference, Code: code, Error: err.Error()}
		}
		all[i] = resultFields(out[i])
	}
	return &logical.Response{Data: map[string]any{"batch_results": all}}, nil
}

// resultFields is what the JSON of a result has, without the way through JSON: it is made for every item of every batch.
func resultFields(r gmwire.Result) map[string]any {
	fields := make(map[string]any, 3)
	put := func(name, text string) {
		if text != "" {
			fields[name] = text
		}
	}
	put("signature", r.Signature)
	put("ciphertext", r.Ciphertext)
	put("hmac", r.HMAC)
	put("reference", r.Reference)
	put("error", r.Error)
	put("code", r.Code)
	if r.Plaintext != nil {
		fields["plaintext"] = base64.StdEncoding.EncodeToString(*r.Plaintext)
	}
	if r.Valid != nil {
		fields["valid"] = *r.Valid
	}
	if r.KeyVersion != 0 {
		fields["key_version"] = r.KeyVersion
	}
	return fields
}
