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
)

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
