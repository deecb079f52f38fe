package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestVaultServerIsNamedOrMissing: tests are told of a server that is there; one that is not is listed, not passed over.
func TestVaultServerIsNamedOrMissing(t *testing.T) {
	h := repository(t)
	h.cache = t.TempDir()
	t.Setenv("PATH", t.TempDir()) // neither vault nor go
	t.Setenv(vaultVariable, "")
	if env := h.vaultEnv(); env != nil {
		t.Errorf("nothing is built, and tests are told %v", env)
	}
	if got := h.vaultServer(t.Context()); len(got.missing) != 1 || !strings.HasPrefix(got.missing[0], "vault") {
		t.Errorf("cannot build: %+v", got)
	}
	path, err := h.vaultPath()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := h.vaultServer(t.Context()); got.passed != 1 || len(got.missing) != 0 {
		t.Errorf("built: %+v", got)
	}
	if env := h.vaultEnv(); !slices.Equal(env, []string{vaultVariable + "=" + path}) {
		t.Errorf("built: tests are told %v", env)
	}
	t.Setenv(vaultVariable, filepath.Join(t.TempDir(), "none"))
	if got := h.vaultServer(t.Context()); len(got.missing) != 1 {
		t.Errorf("the named server is not there: %+v", got)
	}
	t.Setenv(vaultVariable, path)
	if got, env := h.vaultServer(t.Context()), h.vaultEnv(); got.passed != 1 || env != nil {
		t.Errorf("the caller's own choice: %+v, %v", got, env)
	}
}

// TestOpenBaoServerIsNamedOrMissing: the same of the OpenBao server.
func TestOpenBaoServerIsNamedOrMissing(t *testing.T) {
	h := repository(t)
	h.cache = t.TempDir()
	t.Setenv("PATH", t.TempDir())
	t.Setenv(openBaoVariable, "")
	if got := h.openBaoServer(t.Context()); len(got.missing) != 1 || !strings.HasPrefix(got.missing[0], "openbao") {
		t.Errorf("cannot build: %+v", got)
	}
	path, err := h.serverPath(openBaoModule)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := h.openBaoServer(t.Context()); got.passed != 1 || !slices.Contains(h.vaultEnv(), openBaoVariable+"="+path) {
		t.Errorf("built: %+v, tests are told %v", got, h.vaultEnv())
	}
	t.Setenv(openBaoVariable, filepath.Join(t.TempDir(), "none"))
	if got := h.openBaoServer(t.Context()); len(got.missing) != 1 {
		t.Errorf("the named server is not there: %+v", got)
	}
}
