package gmwire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
)

// errResult is an element of batch_results that is none.
var errResult = errors.New("a result is malformed")

// ParseResults reads batch_results as JSON's own types, without a second way through JSON: it is done for every item of every
// batch. Names that are not known are passed over, so that an older client reads a newer engine.
func ParseResults(from any) ([]Result, error) {
	list, ok := from.([]any)
	if !ok {
		return nil, errResult
	}
	out := make([]Result, len(list))
	for i, one := range list {
		fields, ok := one.(map[string]any)
		if !ok {
			return nil, errResult
		}
		for name, value := range fields {
			if err := out[i].set(name, value); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (r *Result) set(name string, value any) error {
	var text *string
	switch name {
	case "signature":
		text = &r.Signature
	case "ciphertext":
		text = &r.Ciphertext
	case "hmac":
		text = &r.HMAC
	case "reference":
		text = &r.Reference
	case "error":
		text = &r.Error
	case "code":
		text = &r.Code
	case "plaintext":
		return r.setPlaintext(value)
	case "valid":
		valid, ok := value.(bool)
		if !ok {
			return errResult
		}
		r.Valid = &valid
	case "key_version":
		number, ok := value.(json.Number)
		n, err := number.Int64()
		if !ok || err != nil || n < 0 || n > MaxVersion {
			return errResult
		}
		r.KeyVersion = int(n)
	}
	if text == nil {
		return nil
	}
	got, ok := value.(string)
	if !ok {
		return errResult
	}
	*text = got
	return nil
}

func (r *Result) setPlaintext(value any) error {
	text, ok := value.(string)
	if !ok {
		return errResult
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return errResult // not quoted: it is a secret
	}
	r.Plaintext = &data
	return nil
}
