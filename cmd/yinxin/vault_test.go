package main

import (
	"bytes"
	"crypto/rand"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/keys"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

// vaultDemo runs the demo with its keys in a Vault and gives exit code, standard output and error.
func vaultDemo(t *testing.T, address, mount, token string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	set := map[string]string{"VAULT_TOKEN": token, "HOME": t.TempDir(), "YINXIN_HOME": t.TempDir()}
	e := &env{
		stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(name string) string { return set[name] },
		now: time.Now, rand: rand.Reader, home: set["YINXIN_HOME"],
	}
	args := []string{"demo", "--out", filepath.Join(t.TempDir(), "out"), "--keys", "vault:" + address + "/" + mount}
	return run(t.Context(), args, e), out.String(), errs.String()
}

// TestDemoInVault: the whole path with every private key in a real Vault, under a token that may use this mount alone.
// Afterwards the run's keys are destroyed; their public parts stay.
func TestDemoInVault(t *testing.T) { //nolint:tparallel // the last subtest seals the server
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{})
	mount := s.Mount(t)
	s.Policy(t, "demo", `path "`+mount+`/*" { capabilities = ["create", "read", "update", "patch", "list"] }
path "`+mount+`/keys" { capabilities = ["update", "list"] }`)
	token := s.Token(t, "1h", "demo")
	code, stdout, stderr := vaultDemo(t, s.Address, mount, token)
	if code != exitDone || !strings.Contains(stdout, "everything passed") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	store, err := vaultkeys.Open(vaultkeys.Config{Address: s.Address, Mount: mount, Login: vaultkeys.Token(token)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	list, err := store.List(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	purposes := map[keys.Purpose]int{}
	for _, k := range list {
		purposes[k.Purpose]++
		if k.State != keys.StateDestroyed || !strings.HasPrefix(k.Name, "demo-") {
			t.Errorf("key %s of the demo is %s", k.Name, k.State)
		}
	}
	for _, p := range []keys.Purpose{keys.PurposeIssue, keys.PurposeMake, keys.PurposeCheckpoint, keys.PurposeSeal, keys.PurposeSign, keys.PurposeDecrypt} {
		if purposes[p] == 0 {
			t.Errorf("no key of purpose %s was in Vault", p)
		}
	}

	t.Run("refused", func(t *testing.T) {
		code, _, stderr := vaultDemo(t, s.Address, mount, "hvs.wrong")
		if code != exitRefused || strings.Contains(stderr, "hvs.wrong") {
			t.Errorf("with a wrong token: exit %d\n%s", code, stderr)
		}
	})
	t.Run("sealed", func(t *testing.T) {
		s.Seal(t)
		start := time.Now()
		code, _, stderr := vaultDemo(t, s.Address, mount, token)
		if code != exitRefused || !strings.Contains(stderr, "sealed") || time.Since(start) > 5*time.Second {
			t.Errorf("sealed: exit %d after %s\n%s", code, time.Since(start), stderr)
		}
	})
}

func TestDemoWithoutVault(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil { // nobody listens there now
		t.Fatal(err)
	}
	if code, _, stderr := vaultDemo(t, "http://"+l.Addr().String(), "gm", "t"); code != exitUnreachable {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if code, _, stderr := vaultDemo(t, "", "", "t"); code != exitUsage {
		t.Errorf("no address: exit %d\n%s", code, stderr)
	}
}
