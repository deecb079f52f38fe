package gmplugin_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/crypto/gm"
	"yinxin/keys"
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

// TestDigests: digests in the short form have one signature each, in order, or none has; what is no list of digests is refused.
func TestDigests(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	c.must(logical.UpdateOperation, "keys/s", map[string]any{"purpose": "sign"})
	c.must(logical.UpdateOperation, "keys/whole", map[string]any{"purpose": "sign", "message_only": true})
	c.must(logical.UpdateOperation, "keys/m", map[string]any{"purpose": "mac"})
	var text strings.Builder
	digests := make([]gm.Digest, 5)
	for i := range digests {
		digests[i] = gm.SM3([]byte{byte(i)})
		text.WriteString(hex.EncodeToString(digests[i][:]))
	}
	got := c.must(logical.PatchOperation, "sign/s", map[string]any{"digests": text.String(), "purpose": "sign", "key_version": 1})
	joined, err := base64.StdEncoding.DecodeString(c.text(got["signatures"]))
	if err != nil || got["key_version"] != 1 {
		t.Fatalf("%v: %v", got, err)
	}
	signatures, err := gmwire.SplitSignatures(joined, len(digests))
	if err != nil {
		t.Fatal(err)
	}
	for i, sig := range signatures {
		verified := c.must(logical.UpdateOperation, "verify/s", map[string]any{"digest": b64(string(digests[i][:])), "signature": gmwire.Versioned(1, sig)})
		if verified["valid"] != true {
			t.Errorf("signature %d: %v", i, verified)
		}
	}
	one := text.String()[:64]
	for name, x := range map[string]struct {
		path string
		in   map[string]any
		want string
	}{
		"none":            {"sign/s", map[string]any{"digests": ""}, gmwire.CodeInvalid},
		"half of one":     {"sign/s", map[string]any{"digests": one + one[:32]}, gmwire.CodeInvalid},
		"no hex":          {"sign/s", map[string]any{"digests": one[:63] + "g"}, gmwire.CodeInvalid},
		"too many":        {"sign/s", map[string]any{"digests": strings.Repeat(one, keys.MaxBatch+1)}, gmwire.CodeInvalid},
		"with a batch":    {"sign/s", map[string]any{"digests": one, "batch_input": []any{}}, gmwire.CodeInvalid},
		"with an input":   {"sign/s", map[string]any{"digests": one, "input": b64("x")}, gmwire.CodeInvalid},
		"with approval":   {"sign/s", map[string]any{"digests": one, "approval": "x"}, gmwire.CodeInvalid},
		"another version": {"sign/s", map[string]any{"digests": one, "key_version": 2}, gmwire.CodeNotFound},
		"another purpose": {"sign/s", map[string]any{"digests": one, "purpose": "seal"}, gmwire.CodeDenied},
		"messages alone":  {"sign/whole", map[string]any{"digests": one}, gmwire.CodeDenied},
		"signs nothing":   {"sign/m", map[string]any{"digests": one}, gmwire.CodeInvalid},
	} {
		resp, err := c.ask(logical.PatchOperation, x.path, x.in)
		if err == nil || !resp.IsError() || !strings.HasPrefix(resp.Error().Error(), "gm "+x.want+":") {
			t.Errorf("%s: %v %v, want %s", name, resp, err, x.want)
		}
	}
}
