package gmplugin_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys/gmwire"
)

// TestBatchItems: for every verb, an item that cannot be read has its error in its place with its reference, and the good
// ones around it have their results.
func TestBatchItems(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	c.must(logical.UpdateOperation, "keys/s", map[string]any{"purpose": "sign"})
	c.must(logical.UpdateOperation, "keys/w", map[string]any{"purpose": "wrap"})
	c.must(logical.UpdateOperation, "keys/m", map[string]any{"purpose": "mac"})
	signed := c.must(logical.UpdateOperation, "sign/s", map[string]any{"input": b64("x")})
	key := c.must(logical.UpdateOperation, "datakey/plaintext/w", nil)
	tag := c.must(logical.UpdateOperation, "hmac/m", map[string]any{"input": b64("x")})
	c.must(logical.UpdateOperation, "keys/w/rotate", nil)
	for path, x := range map[string]struct {
		good   map[string]any
		result string
	}{
		"sign/s":              {map[string]any{"input": b64("x")}, "signature"},
		"verify/s":            {map[string]any{"input": b64("x"), "signature": signed["signature"]}, "valid"},
		"decrypt/w":           {map[string]any{"ciphertext": key["ciphertext"]}, "plaintext"},
		"datakey/plaintext/w": {map[string]any{"associated_data": b64("x")}, "plaintext"},
		"datakey/wrapped/w":   {map[string]any{"associated_data": b64("x")}, "ciphertext"},
		"rewrap/w":            {map[string]any{"ciphertext": key["ciphertext"]}, "ciphertext"},
		"hmac/m":              {map[string]any{"input": b64("x")}, "hmac"},
		"verify/m/hmac":       {map[string]any{"input": b64("x"), "hmac": tag["hmac"]}, "valid"},
	} {
		batch := []any{
			x.good, "no object",
			map[string]any{"reference": "r", "input": 7, "associated_data": 7, "ciphertext": 7},
			map[string]any{"associated_data": "!", "input": "!", "ciphertext": "!"},
			map[string]any{"reference": "r", "inputs": "secret"},
			x.good,
		}
		results, ok := c.must(logical.PatchOperation, path, map[string]any{"batch_input": batch})["batch_results"].([]any)
		if !ok || len(results) != len(batch) {
			t.Errorf("%s: %v", path, results)
			continue
		}
		for i, one := range results {
			r, ok := one.(map[string]any)
			switch {
			case !ok:
				t.Errorf("%s: result %d is %v", path, i, one)
			case i == 0 || i == len(batch)-1:
				if r[x.result] == nil || r[x.result] == false || r["error"] != nil {
					t.Errorf("%s: good item %d gives %v", path, i, r)
				}
			case r["code"] != gmwire.CodeInvalid || r["error"] == nil || r[x.result] != nil:
				t.Errorf("%s: bad item %d gives %v", path, i, r)
			case strings.Contains(c.text(r["error"]), "secret"):
				t.Errorf("%s: the error quotes a value: %v", path, r)
			case (i == 2 || i == 4) && r["reference"] != "r":
				t.Errorf("%s: bad item %d lost its reference: %v", path, i, r)
			}
		}
	}
}

// FuzzBatchItems: whatever an item holds, each item has one result, and the good one among them works.
func FuzzBatchItems(f *testing.F) {
	f.Add("input", "eA==", "digest", "")
	f.Add("input_parts", "eA==", "reference", "r")
	f.Add("inputs", "x", "approval", "y")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		c := newCaller(t)
		c.must(logical.UpdateOperation, "keys/s", map[string]any{"purpose": "sign"})
		batch := []any{
			map[string]any{name1: value1, name2: value2},
			map[string]any{name1: []any{value1, value2}, name2: nil},
			map[string]any{"input": b64("x")},
		}
		results, ok := c.must(logical.PatchOperation, "sign/s", map[string]any{"batch_input": batch})["batch_results"].([]any)
		if !ok || len(results) != len(batch) {
			t.Fatalf("results %v", results)
		}
		for i, one := range results {
			r, ok := one.(map[string]any)
			if !ok || (r["signature"] == nil) == (r["error"] == nil) || (i == 2 && r["signature"] == nil) {
				t.Errorf("item %d gives %v", i, one)
			}
		}
	})
}
