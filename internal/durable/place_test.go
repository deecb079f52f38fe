package durable_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"yinxin/internal/durable"
)

// TestOnlyFilesAreReplaced: a folder, and what is no file at all, stays as it is, and no temporary file stays behind.
func TestOnlyFilesAreReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	l, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Mkdir(at("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("file"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("file"), at("link")); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]fs.FileMode{"socket": fs.ModeSocket, "folder": fs.ModeDir} {
		if err := durable.WriteFile(at(name), []byte("new"), 0o600); !errors.Is(err, durable.ErrNotFile) {
			t.Errorf("%s: %v", name, err)
		}
		if err := durable.WriteFiles(dir, []durable.Entry{{Name: name, Data: []byte("new")}}, 0o600); !errors.Is(err, durable.ErrNotFile) {
			t.Errorf("%s, among others: %v", name, err)
		}
		if st, err := os.Lstat(at(name)); err != nil || st.Mode().Type() != kind {
			t.Errorf("%s is something else now: %v", name, err)
		}
	}
	if err := durable.WriteFile(at("link"), []byte("new"), 0o600); err != nil {
		t.Errorf("a link: %v", err)
	}
	for name, want := range map[string]string{"file": "old", "link": "new"} {
		if got, err := os.ReadFile(at(name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	left, err := filepath.Glob(at(durable.TempPrefix + "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
