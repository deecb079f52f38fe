package filekeys_test

import (
	"path/filepath"
	"testing"

	"yinxin/keys/filekeys"
	"yinxin/keys/keystest"
)

// cheap are the least parameters that are allowed, so that tests are quick.
func cheap() filekeys.KDF { return filekeys.KDF{MemoryKiB: filekeys.MinMemoryKiB, Time: 1, Threads: 1} }

// passphrase opens the stores of these tests.
func passphrase() []byte { return []byte("correct horse battery staple") }

// create makes a store in a fresh directory.
func create(t testing.TB, o filekeys.Options) (*filekeys.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	o.KDF = cheap()
	s, err := filekeys.Create(t.Context(), dir, passphrase(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, dir
}

// open opens an existing store.
func open(t testing.TB, dir string, o filekeys.Options) *filekeys.Store {
	t.Helper()
	s, err := filekeys.Open(t.Context(), dir, passphrase(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	keystest.Run(t, func(t *testing.T) keystest.Backend {
		s, _ := create(t, filekeys.Options{})
		return s
	})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	keystest.RunReopen(t, s, func(keystest.Backend) keystest.Backend {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return open(t, dir, filekeys.Options{})
	})
}
