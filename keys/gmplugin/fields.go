package gmplugin

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys"
	"yinxin/keys/engine"
)

// handler answers one request.
type handler func(ctx context.Context, d *framework.FieldData) (*logical.Response, error)

// operation makes Vault's form of a handler, whose errors are those of package keys.
func operation(h handler, summary string) framework.OperationHandler {
	return &framework.PathOperation{
		Summary: summary,
		Callback: func(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
			resp, err := h(engine.WithCaller(ctx, req.EntityID), d)
			if err != nil {
				return refuse(err)
			}
			return resp, nil
		},
	}
}

// updates are the operations of verbs that clients call often: PATCH skips a round trip that Vault makes for POST.
func updates(h handler, summary string) map[logical.Operation]framework.OperationHandler {
	op := operation(h, summary)
	return map[logical.Operation]framework.OperationHandler{logical.UpdateOperation: op, logical.PatchOperation: op}
}

func only(op logical.Operation, h handler, summary string) map[logical.Operation]framework.OperationHandler {
	return map[logical.Operation]framework.OperationHandler{op: operation(h, summary)}
}

// answer turns a structure with JSON names into a response.
func answer(v any) (*logical.Response, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode response: %w", err)
	}
	var data map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&data); err != nil {
		return nil, fmt.Errorf("encode response: %w", err)
	}
	return &logical.Response{Data: data}, nil
}

// nameField is the key's name in a path.
func nameField() *framework.FieldSchema {
	return &framework.FieldSchema{Type: framework.TypeString, Description: "Name of the key.", Required: true}
}

func versionField() *framework.FieldSchema {
	return &framework.FieldSchema{Type: framework.TypeInt, Description: "Version of the key; 0 or absent is the current one."}
}

func text(description string) *framework.FieldSchema {
	return &framework.FieldSchema{Type: framework.TypeString, Description: description}
}

func flag(description string) *framework.FieldSchema {
	return &framework.FieldSchema{Type: framework.TypeBool, Description: description}
}

func number(description string) *framework.FieldSchema {
	return &framework.FieldSchema{Type: framework.TypeInt, Description: description}
}

// field gives the value of a field, or the zero value where it is absent or the path declares none of that name. Values
// of another type have been refused before.
func field[T any](d *framework.FieldData, name string) T {
	value, _, err := d.GetOkErr(name)
	if err != nil {
		value = nil
	}
	v, _ := value.(T)
	return v
}

func stringOf(d *framework.FieldData, name string) string { return field[string](d, name) }

func intOf(d *framework.FieldData, name string) int { return field[int](d, name) }

// splitList reads a list that was given as one text.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func refOf(d *framework.FieldData) keys.Ref {
	return keys.Ref{Name: stringOf(d, "name"), Version: intOf(d, "key_version")}
}

// decodeField reads a field of lists and maps into a structure, refusing unknown names.
func decodeField(d *framework.FieldData, field string, into any) error {
	data, err := json.Marshal(d.Raw[field])
	if err != nil {
		return fmt.Errorf("%w: %s: %w", keys.ErrInvalid, field, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%w: %s does not have the form that the path's help describes", keys.ErrInvalid, field)
	}
	return nil
}

// bytesField reads a base64 field; nil if it is absent.
func bytesField(d *framework.FieldData, field string) (*[]byte, error) {
	if _, given := d.Raw[field]; !given {
		return nil, nil //nolint:nilnil // absent is a value here
	}
	data, err := base64.StdEncoding.Strict().DecodeString(stringOf(d, field))
	if err != nil {
		return nil, fmt.Errorf("%w: %s is no base64", keys.ErrInvalid, field)
	}
	return &data, nil
}
