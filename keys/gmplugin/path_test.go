package gmplugin_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
)

// caller asks a backend as Vault's command line does: every value is text.
type caller struct {
	t    *testing.T
	b    logical.Backend
	view logical.Storage
}

func newCaller(t *testing.T) caller {
	t.Helper()
	view := new(logical.InmemStorage)
	return caller{t, mount(t, view), view}
}

func (c caller) ask(op logical.Operation, path string, data map[string]any) (*logical.Response, error) {
	c.t.Helper()
	return c.b.HandleRequest(c.t.Context(), &logical.Request{Operation: op, Path: path, Data: data, Storage: c.view})
}

// must gives the data of a call that has to work.
func (c caller) must(op logical.Operation, path string, data map[string]any) map[string]any {
	c.t.Helper()
	resp, err := c.ask(op, path, data)
	if err != nil || resp.IsError() {
		c.t.Fatalf("%s %s: %v %v", op, path, err, resp.Error())
	}
	if resp == nil {
		return nil
	}
	return resp.Data
}

func (c caller) text(v any) string {
	c.t.Helper()
	s, ok := v.(string)
	if !ok {
		c.t.Fatalf("%v is no text", v)
	}
	return s
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// TestCommandLine walks through the verbs with single calls, as people type them.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	made := c.must(logical.UpdateOperation, "keys/office.sign", map[string]any{
		"purpose": "sign", "destroyable": "true", "labels": []string{"office=a"}, "type": "sm2",
	})
	if !strings.HasPrefix(c.text(made["public_key"]), "-----BEGIN PUBLIC KEY-----") {
		t.Errorf("made %v", made)
	}
	for _, encoding := range []string{"asn1", ""} {
		signed := c.must(logical.PatchOperation, "sign/office.sign", map[string]any{"input": b64("公文"), "encoding": encoding})
		valid := c.must(logical.UpdateOperation, "verify/office.sign", map[string]any{"input": b64("公文"), "signature": signed["signature"]})
		wrong := c.must(logical.UpdateOperation, "verify/office.sign", map[string]any{"input": b64("公文!"), "signature": signed["signature"]})
		if valid["valid"] != true || wrong["valid"] != false || !strings.HasPrefix(c.text(signed["signature"]), "vault:v1:") {
			t.Errorf("signed %v, verified %v and %v", signed, valid, wrong)
		}
	}
	raw := c.must(logical.UpdateOperation, "sign/office.sign", map[string]any{"input": b64("x"), "encoding": "raw"})
	if got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.text(raw["signature"]), "vault:v1:")); err != nil || len(got) != 64 {
		t.Errorf("raw signature of %d bytes, %v", len(got), err)
	}
	c.must(logical.UpdateOperation, "keys/w", map[string]any{"purpose": "wrap"})
	dk := c.must(logical.UpdateOperation, "datakey/plaintext/w", map[string]any{"associated_data": b64("doc")})
	opened := c.must(logical.UpdateOperation, "decrypt/w", map[string]any{"ciphertext": dk["ciphertext"], "associated_data": b64("doc")})
	if opened["plaintext"] != dk["plaintext"] {
		t.Errorf("data key %v opens as %v", dk, opened)
	}
	if only := c.must(logical.UpdateOperation, "datakey/wrapped/w", nil); only["plaintext"] != nil {
		t.Error("datakey/wrapped shows the key")
	}
	if many := c.must(logical.UpdateOperation, "datakey/wrapped/w", map[string]any{"count": "3"}); len(many["batch_results"].([]any)) != 3 {
		t.Errorf("count 3 gives %v", many)
	}
	c.must(logical.UpdateOperation, "keys/w/rotate", nil)
	moved := c.must(logical.UpdateOperation, "rewrap/w", map[string]any{"ciphertext": dk["ciphertext"], "associated_data": b64("doc")})
	if !strings.HasPrefix(c.text(moved["ciphertext"]), "vault:v2:") {
		t.Errorf("rewrapped %v", moved)
	}
	c.must(logical.UpdateOperation, "keys/m", map[string]any{"purpose": "mac"})
	tag := c.must(logical.UpdateOperation, "hmac/m", map[string]any{"input": b64("x")})
	for input, want := range map[string]bool{"x": true, "y": false} {
		got := c.must(logical.UpdateOperation, "verify/m/hmac", map[string]any{"input": b64(input), "hmac": tag["hmac"]})
		if got["valid"] != want {
			t.Errorf("tag of %q: %v", input, got)
		}
	}
	csr := c.must(logical.UpdateOperation, "keys/office.sign/csr", map[string]any{"common_name": "A", "organization": "B"})
	if !strings.Contains(c.text(csr["csr"]), "CERTIFICATE REQUEST") {
		t.Errorf("request %v", csr)
	}
	if info := c.must(logical.ReadOperation, "info", nil); info["self_test"] != true || info["status"] != "ok" {
		t.Errorf("info %v", info)
	}
	about := c.must(logical.ReadOperation, "keys/office.sign", nil)
	if pems, ok := about["public_keys"].(map[string]any); !ok || pems["1"] != made["public_key"] {
		t.Errorf("described %v", about)
	}
}

// TestRefusals: each class has its status and its code.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	c.must(logical.UpdateOperation, "keys/s", map[string]any{"purpose": "sign"})
	c.must(logical.UpdateOperation, "keys/d", map[string]any{"purpose": "decrypt"})
	c.must(logical.UpdateOperation, "keys/seal", map[string]any{"purpose": "seal"})
	for _, x := range []struct {
		path   string
		data   map[string]any
		status int
		code   string
	}{
		{"sign/s", map[string]any{"input": "!"}, 400, "gm invalid: "},
		{"sign/s", map[string]any{}, 400, "gm invalid: "},
		{"sign/s", map[string]any{"digest": b64("short")}, 400, "gm invalid: "},
		{"sign/s", map[string]any{"input": b64("x"), "encoding": "hex"}, 400, "gm invalid: "},
		{"sign/s", map[string]any{"input": b64("x"), "purpose": "seal"}, 403, "gm denied: "},
		{"sign/s", map[string]any{"input": b64("x"), "key_version": 9}, 400, "gm not_found: "},
		{"sign/nobody", map[string]any{"input": b64("x")}, 400, "gm not_found: "},
		{"sign/seal", map[string]any{"input": b64("x")}, 409, "gm conflict: "},
		{"sign/s", map[string]any{"batch_input": []any{}}, 400, "gm invalid: "},
		{"sign/s", map[string]any{"batch_input": "x"}, 400, ""},
		{"sign/s", map[string]any{"batch_input": map[string]any{"input": ""}}, 400, "gm invalid: "},
		{"sign/s", map[string]any{"batch_input": slices.Repeat([]any{map[string]any{"input": ""}}, keys.MaxBatch+1)}, 400, "gm invalid: "},
		{"sign/s", map[string]any{"batch_input": slices.Repeat([]any{map[string]any{"input": ""}}, 10_000)}, 400, "gm invalid: "},
		{"decrypt/d", map[string]any{"ciphertext": "vault:v1:" + b64("x")}, 400, "gm decrypt: "},
		{"decrypt/d", map[string]any{"ciphertext": "vault:v01:" + b64("x")}, 400, "gm invalid: "},
		{"datakey/bare/s", nil, 400, "gm invalid: "},
		{"keys/s", map[string]any{"purpose": "sign"}, 409, "gm conflict: "},
		{"keys/s2", map[string]any{"purpose": "sign", "type": "sm4"}, 400, "gm invalid: "},
		{"keys/S", map[string]any{"purpose": "sign"}, 400, "gm invalid: "},
		{"keys/s/rotate", map[string]any{"expect_latest": 5}, 409, "gm conflict: "},
		{"keys/s/state", map[string]any{"state": "gone"}, 400, "gm invalid: "},
	} {
		resp, err := c.ask(logical.UpdateOperation, x.path, x.data)
		status, shown := logical.RespondErrorCommon(&logical.Request{Operation: logical.UpdateOperation}, resp, err)
		logical.AdjustErrorStatusCode(&status, err)
		if shown == nil || status != x.status || !strings.HasPrefix(shown.Error(), x.code) {
			t.Errorf("%s %.60v: status %d %v, want %d %q", x.path, x.data, status, shown, x.status, x.code)
		}
	}
	if resp, err := c.ask(logical.ReadOperation, "export/s", nil); !errors.Is(err, logical.ErrUnsupportedPath) {
		t.Errorf("export: %v %v", resp, err)
	}
}

// TestHelp: every path explains itself and all its fields.
func TestHelp(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	for _, path := range []string{
		"info", "keys", "keys/k", "keys/k/rotate", "keys/k/state", "keys/k/config", "keys/k/csr", "keys/k/certificate",
		"keys/k/public/1", "sign/k", "approvals/k", "verify/k", "verify/k/hmac", "decrypt/k", "datakey/plaintext/k", "rewrap/k", "hmac/k",
	} {
		help := c.must(logical.HelpOperation, path, nil)
		if text := c.text(help["help"]); len(text) < 80 || strings.Contains(text, "<no ") {
			t.Errorf("help of %q: %s", path, text)
		}
	}
}

// entries gives all paths below prefix.
func entries(t *testing.T, view logical.Storage, prefix string) []string {
	t.Helper()
	paths, err := logical.CollectKeysWithPrefix(t.Context(), view, prefix)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}

// TestStorage: one entry per version, secrets nowhere else, and no public answer holds them.
func TestStorage(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	c.must(logical.UpdateOperation, "keys/k", map[string]any{"purpose": "sign"})
	c.must(logical.UpdateOperation, "keys/k/rotate", nil)
	want := []string{"policy/k", "version/k/1", "version/k/2"}
	if got := entries(t, c.view, ""); !slices.Equal(got, want) {
		t.Fatalf("entries %v, want %v", got, want)
	}
	entry, err := c.view.Get(t.Context(), "version/k/1")
	if err != nil {
		t.Fatal(err)
	}
	if special := c.b.SpecialPaths(); !slices.Contains(special.SealWrapStorage, "version/") {
		t.Error("versions are not seal-wrapped")
	}
	var stored struct{ Secret []byte }
	if err := json.Unmarshal(entry.Value, &stored); err != nil || len(stored.Secret) != gm.ScalarSize {
		t.Fatalf("stored secret of %d bytes, %v", len(stored.Secret), err)
	}
	var seen bytes.Buffer
	for _, path := range []string{"keys/k", "keys/k/public/1", "info"} {
		if err := json.NewEncoder(&seen).Encode(c.must(logical.ReadOperation, path, nil)); err != nil {
			t.Fatal(err)
		}
	}
	policy, err := c.view.Get(t.Context(), "policy/k")
	if err != nil {
		t.Fatal(err)
	}
	seen.Write(policy.Value)
	if text := base64.StdEncoding.EncodeToString(stored.Secret); strings.Contains(seen.String(), text) {
		t.Error("a private key shows outside its entry")
	}
}

// TestInvalidate: what another node wrote is used as soon as Vault says so, and not before.
func TestInvalidate(t *testing.T) {
	t.Parallel()
	view := new(logical.InmemStorage)
	a, b := caller{t, mount(t, view), view}, caller{t, mount(t, view), view}
	a.must(logical.UpdateOperation, "keys/k", map[string]any{"purpose": "sign", "destroyable": true})
	latest := func() string {
		return c2s(t, b.must(logical.ReadOperation, "keys/k", nil)["latest"])
	}
	if latest() != "1" {
		t.Fatal("the other node does not see the key")
	}
	a.must(logical.UpdateOperation, "keys/k/rotate", nil)
	for _, path := range entries(t, view, "") {
		b.b.InvalidateKey(t.Context(), path)
	}
	if latest() != "2" {
		t.Error("the other node does not see the new version")
	}
	b.must(logical.UpdateOperation, "sign/k", map[string]any{"input": "", "key_version": 1})
	for _, state := range []string{"disabled", "destroyed"} {
		a.must(logical.UpdateOperation, "keys/k/state", map[string]any{"state": state, "key_version": 1})
	}
	b.b.InvalidateKey(t.Context(), "policy/k")
	if resp, err := b.ask(logical.UpdateOperation, "sign/k", map[string]any{"input": "", "key_version": 1}); !errors.Is(err, logical.ErrPermissionDenied) {
		t.Errorf("a destroyed version signs on the other node: %v %v", resp, err)
	}
}

func c2s(t *testing.T, v any) string {
	t.Helper()
	n, ok := v.(json.Number)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	return n.String()
}

// TestStandby: a write on a standby comes back as Vault's own error, by which the request is forwarded; reading works.
func TestStandby(t *testing.T) {
	t.Parallel()
	view := new(logical.InmemStorage)
	active := caller{t, mount(t, view), view}
	active.must(logical.UpdateOperation, "keys/k", map[string]any{"purpose": "sign"})
	standby := caller{t, mount(t, readOnly{view}), readOnly{view}}
	for _, path := range []string{"keys/k/rotate", "keys/new"} {
		if _, err := standby.ask(logical.UpdateOperation, path, map[string]any{"purpose": "sign"}); !errors.Is(err, logical.ErrReadOnly) {
			t.Errorf("%s on a standby: %v", path, err)
		}
	}
	standby.must(logical.UpdateOperation, "sign/k", map[string]any{"input": b64("x")})
	if got := entries(t, view, ""); !slices.Equal(got, []string{"policy/k", "version/k/1"}) {
		t.Errorf("entries %v", got)
	}
}

// readOnly is the storage of a standby.
type readOnly struct{ logical.Storage }

// Put implements logical.Storage.
func (readOnly) Put(context.Context, *logical.StorageEntry) error { return logical.ErrReadOnly }

// Delete implements logical.Storage.
func (readOnly) Delete(context.Context, string) error { return logical.ErrReadOnly }

// TestStorageFaults: what Vault's storage refuses is the caller's to repeat, never a wrong answer.
func TestStorageFaults(t *testing.T) {
	t.Parallel()
	view := new(logical.InmemStorage)
	c := caller{t, mount(t, view), view}
	c.must(logical.UpdateOperation, "keys/k", map[string]any{"purpose": "sign"})
	view.Underlying().FailPut(true)
	resp, err := c.ask(logical.UpdateOperation, "keys/k/rotate", nil)
	status, shown := logical.RespondErrorCommon(&logical.Request{Operation: logical.UpdateOperation}, resp, err)
	logical.AdjustErrorStatusCode(&status, err)
	if status != http.StatusServiceUnavailable || !strings.HasPrefix(shown.Error(), "gm unavailable: ") {
		t.Errorf("rotate over full storage: %d %v", status, shown)
	}
	view.Underlying().FailPut(false)
	if got := c2s(t, c.must(logical.UpdateOperation, "keys/k/rotate", nil)["version"]); got != "2" {
		t.Errorf("after the fault version %s is made", got)
	}
	if engine.MaxVersions*200 > 1<<20 {
		t.Error("a policy can outgrow an entry of raft")
	}
}
