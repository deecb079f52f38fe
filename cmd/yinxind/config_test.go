package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/examples"
)

func TestExampleConfiguration(t *testing.T) {
	data, err := examples.Files.ReadFile("hub.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	if c.Hub.Code != "HUB" || c.Database.Connections != 24 || c.Log.Anchor == "" {
		t.Errorf("the example reads as %+v", c)
	}
}

func TestConfigurationFaults(t *testing.T) {
	good := `hub: {code: H, authority: a}
listen: {address: "127.0.0.1:0"}
data: d
log: {origin: o/log}
keys: {folder: k, passphrase_file: p}
`
	if _, err := parseConfig([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"unknown key":        {good + "colour: red\n", "colour"},
		"twice":              {good + "---\n" + good, "more than one document"},
		"empty":              {"", "EOF"},
		"open to the world":  {strings.Replace(good, "127.0.0.1:0", "0.0.0.0:80", 1), "has no certificate"},
		"operations outside": {strings.Replace(good, `:0"`, `:0", operations: "0.0.0.0:1"`, 1), "listen.operations"},
		"half a certificate": {strings.Replace(good, `:0"`, `:0", certificate: c`, 1), "belong together"},
		"two key stores":     {strings.Replace(good, "folder: k", "folder: k, vault: {address: a, mount: m, token_file: t}", 1), "one of folder and vault"},
		"vault half told":    {strings.Replace(good, "folder: k, passphrase_file: p", "vault: {address: a}", 1), "keys.vault.mount is missing; keys.vault.token_file"},
		"all faults at once": {"data: ''\n", "hub.code \"\" is no code; hub.authority is missing; log.origin"},
		"archive, no fonds":  {strings.Replace(good, "code: H", "code: H, archive: X", 1), "hub.fonds"},
	} {
		if _, err := parseConfig([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	data, err := examples.Files.ReadFile("hub.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("hub: {code: [}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseConfig(data); err == nil && c.Validate() != nil {
			t.Error("a configuration that is not valid was taken")
		}
	})
}

// TestInitAndServe: init can be repeated and shows secrets once; a hub whose database is behind its anchor is refused.
func TestInitAndServe(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase of tests\n"), 0o600))
	config := filepath.Join(dir, "hub.yaml")
	must(os.WriteFile(config, []byte(`hub: {code: HUB, archive: ARCHIVE, fonds: Z001, authority: tests}
listen: {address: "127.0.0.1:0"}
data: `+dir+`/data
log: {origin: tests/log, folder: `+dir+`/log, anchor: `+dir+`/anchor}
keys: {folder: `+dir+`/keys, passphrase_file: `+dir+`/passphrase}
`), 0o600))
	if code, _, errs := call(t, "serve", "--config", config); code != exitNotFound || !strings.Contains(errs, "not_found") {
		t.Errorf("serve before init: exit %d, %s", code, errs)
	}
	code, out, errs := call(t, "init", "--json", "--config", config, "--admin", "wang")
	var first made
	if code != 0 || json.Unmarshal([]byte(out), &first) != nil || len(first.Accounts) != 1 || first.Accounts[0].Secret == "" {
		t.Fatalf("init: exit %d, %s%s", code, out, errs)
	}
	code, out, errs = call(t, "init", "--json", "--config", config, "--admin", "wang")
	var second made
	if code != 0 || json.Unmarshal([]byte(out), &second) != nil || len(second.Accounts) != 0 || second.LogKey != first.LogKey {
		t.Errorf("init once more: exit %d, %s%s", code, out, errs)
	}
	if code, _, errs := call(t, "serve", "--config", filepath.Join(dir, "none.yaml")); code != exitNotFound {
		t.Errorf("no such file: exit %d, %s", code, errs)
	}
	if code, _, errs := call(t, "serve"); code != exitUsage {
		t.Errorf("no --config: exit %d, %s", code, errs)
	}
	must(os.WriteFile(filepath.Join(dir, "anchor"), []byte("nonsense"), 0o600))
	if code, _, errs := call(t, "init", "--config", config); code == 0 {
		t.Errorf("an anchor that is none: exit %d, %s", code, errs)
	}
}

func call(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr strings.Builder
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(errors.New("the test has ended"))
	code = run(ctx, args, &env{stdout: &stdout, stderr: &stderr, now: time.Now, rand: rand.Reader})
	return code, stdout.String(), stderr.String()
}
