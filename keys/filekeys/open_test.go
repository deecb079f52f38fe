package filekeys_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// mustCreate makes keys.
func mustCreate(t testing.TB, s *filekeys.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := s.Create(t.Context(), keys.CreateOptions{Name: name, Purpose: keys.PurposeSign}); err != nil {
			t.Fatal(err)
		}
	}
}

// sign signs with the current version.
func sign(t testing.TB, s *filekeys.Store, name string) error {
	t.Helper()
	out, err := s.Sign(t.Context(), keys.Ref{Name: name}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
	if err != nil {
		return err
	}
	return out[0].Err
}

func mustClose(t testing.TB, s *filekeys.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k")
	mustClose(t, s)
	for _, wrong := range []string{"", "x", string(passphrase()) + " ", strings.ToUpper(string(passphrase()))} {
		if _, err := filekeys.Open(ctx, dir, []byte(wrong), filekeys.Options{}); !errors.Is(err, filekeys.ErrPassphrase) {
			t.Errorf("open with %q: %v", wrong, err)
		}
	}
	o := filekeys.Options{KDF: cheap()}
	o.KDF.Time = 2
	if err := filekeys.ChangePassphrase(ctx, dir, []byte("wrong"), []byte("new"), o); !errors.Is(err, filekeys.ErrPassphrase) {
		t.Errorf("change with a wrong passphrase: %v", err)
	}
	if err := filekeys.ChangePassphrase(ctx, dir, passphrase(), nil, o); err == nil {
		t.Error("changed to an empty passphrase")
	}
	if err := filekeys.ChangePassphrase(ctx, dir, passphrase(), []byte("new"), o); err != nil {
		t.Fatal(err)
	}
	if _, err := filekeys.Open(ctx, dir, passphrase(), filekeys.Options{}); !errors.Is(err, filekeys.ErrPassphrase) {
		t.Errorf("the old passphrase: %v", err)
	}
	s, err := filekeys.Open(ctx, dir, []byte("new"), filekeys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sign(t, s, "k"); err != nil {
		t.Errorf("after the change of the passphrase: %v", err)
	}
	mustClose(t, s)
}

// TestManyWrongPassphrases: a thousand guesses open nothing, change nothing, and each costs what the derivation is set to.
func TestManyWrongPassphrases(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k")
	mustClose(t, s)
	before := snapshot(t, dir)
	for n := range 1000 {
		guess := fmt.Appendf(nil, "%s%d", passphrase(), n)
		if _, err := filekeys.Open(t.Context(), dir, guess, filekeys.Options{}); !errors.Is(err, filekeys.ErrPassphrase) || strings.Contains(err.Error(), string(guess)) {
			t.Fatalf("guess %d: %v", n, err)
		}
	}
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Errorf("guesses changed the store:\n%s", diff)
	}
	opened, err := filekeys.Open(t.Context(), dir, passphrase(), filekeys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, opened)
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	_, used := create(t, filekeys.Options{})
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dir string
		pass      []byte
		o         filekeys.Options
		want      error
	}{
		{"over a store", used, passphrase(), filekeys.Options{KDF: cheap()}, filekeys.ErrExists},
		{"over other files", foreign, passphrase(), filekeys.Options{KDF: cheap()}, filekeys.ErrExists},
		{"without a passphrase", t.TempDir(), nil, filekeys.Options{KDF: cheap()}, nil},
		{"read-only", t.TempDir(), passphrase(), filekeys.Options{KDF: cheap(), ReadOnly: true}, nil},
		{"with too little memory", t.TempDir(), passphrase(), filekeys.Options{KDF: filekeys.KDF{MemoryKiB: 1024, Time: 1, Threads: 1}}, nil},
		{"with too much memory", t.TempDir(), passphrase(), filekeys.Options{KDF: filekeys.KDF{MemoryKiB: 1 << 30, Time: 1, Threads: 1}}, nil},
	} {
		s, err := filekeys.Create(ctx, c.dir, c.pass, c.o)
		if err == nil {
			t.Errorf("created %s", c.name)
			mustClose(t, s)
			continue
		}
		if c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("create %s: %v, want %v", c.name, err, c.want)
		}
	}
	var insecure *filekeys.InsecureError
	if _, err := filekeys.Create(ctx, shared, passphrase(), filekeys.Options{KDF: cheap()}); !errors.As(err, &insecure) {
		t.Errorf("create in a shared directory: %v", err)
	}
	if _, err := filekeys.Open(ctx, foreign, passphrase(), filekeys.Options{}); !errors.Is(err, filekeys.ErrNoStore) {
		t.Errorf("open a foreign directory: %v", err)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k")
	mustClose(t, s)
	entry := oneEntry(t, dir, "policy~k@")
	for _, c := range []struct {
		path string
		good fs.FileMode
		bad  []fs.FileMode
	}{
		{dir, 0o700, []fs.FileMode{0o750, 0o701, 0o777}},
		{filepath.Join(dir, "entries"), 0o700, []fs.FileMode{0o740}},
		{filepath.Join(dir, "store.json"), 0o600, []fs.FileMode{0o640, 0o604}},
		{filepath.Join(dir, "head"), 0o600, []fs.FileMode{0o620}},
		{entry, 0o600, []fs.FileMode{0o660}},
	} {
		info, err := os.Stat(c.path)
		if err != nil || info.Mode().Perm() != c.good {
			t.Errorf("%s has mode %v, want %v (%v)", c.path, info.Mode().Perm(), c.good, err)
		}
		for _, mode := range c.bad {
			if err := os.Chmod(c.path, mode); err != nil {
				t.Fatal(err)
			}
			var insecure *filekeys.InsecureError
			if err := use(t, dir); !errors.As(err, &insecure) || insecure.Path != c.path {
				t.Errorf("%s with mode %v: %v", c.path, mode, err)
			}
		}
		if err := os.Chmod(c.path, c.good); err != nil {
			t.Fatal(err)
		}
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := errors.Join(os.Rename(entry, moved), os.Symlink(moved, entry)); err != nil {
		t.Fatal(err)
	}
	var insecure *filekeys.InsecureError
	if err := use(t, dir); !errors.As(err, &insecure) {
		t.Errorf("a symbolic link: %v", err)
	}
	if err := os.Rename(moved, entry); err != nil {
		t.Fatal(err)
	}
	if err := use(t, dir); err != nil {
		t.Errorf("all modes right: %v", err)
	}
}

// use opens the store in dir and signs with key k.
func use(t testing.TB, dir string) error {
	t.Helper()
	s, err := filekeys.Open(t.Context(), dir, passphrase(), filekeys.Options{})
	if err != nil {
		return err
	}
	defer mustClose(t, s)
	return sign(t, s, "k")
}

// oneEntry finds the entry file whose name begins with prefix.
func oneEntry(t testing.TB, dir, prefix string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "entries", prefix+"*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("entries %s*: %v %v", prefix, found, err)
	}
	return found[0]
}

func TestLocking(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k")
	for _, readOnly := range []bool{false, true} {
		if _, err := filekeys.Open(ctx, dir, passphrase(), filekeys.Options{ReadOnly: readOnly}); !errors.Is(err, filekeys.ErrLocked) {
			t.Errorf("open beside a writer, read-only %t: %v", readOnly, err)
		}
	}
	if err := filekeys.ChangePassphrase(ctx, dir, passphrase(), []byte("x"), filekeys.Options{KDF: cheap()}); !errors.Is(err, filekeys.ErrLocked) {
		t.Errorf("change the passphrase beside a writer: %v", err)
	}
	opened := make(chan error, 1)
	go func() {
		waiter, err := filekeys.Open(ctx, dir, passphrase(), filekeys.Options{Wait: time.Minute})
		if err == nil {
			err = waiter.Close()
		}
		opened <- err
	}()
	mustClose(t, s)
	mustClose(t, s) // twice is no error
	if err := <-opened; err != nil {
		t.Errorf("waiting for the writer: %v", err)
	}
	one := open(t, dir, filekeys.Options{ReadOnly: true})
	two := open(t, dir, filekeys.Options{ReadOnly: true})
	for _, reader := range []*filekeys.Store{one, two} {
		if err := sign(t, reader, "k"); err != nil {
			t.Errorf("reader: %v", err)
		}
		if _, err := reader.Rotate(ctx, "k", 0); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("reader rotates: %v", err)
		}
	}
	if _, err := filekeys.Open(ctx, dir, passphrase(), filekeys.Options{}); !errors.Is(err, filekeys.ErrLocked) {
		t.Errorf("write beside readers: %v", err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s, _ := create(t, filekeys.Options{})
	mustCreate(t, s, "k")
	if err := sign(t, s, "k"); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	if err := sign(t, s, "k"); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("sign after Close: %v", err)
	}
	if _, err := s.Check(t.Context()); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("check after Close: %v", err)
	}
	if h := s.Health(t.Context()); h.Status != keys.HealthSealed {
		t.Errorf("health after Close: %+v", h)
	}
}

// TestNothingReadable looks through all files for what a key is called by its owner and for the passphrase.
func TestNothingReadable(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	_, err := s.Create(t.Context(), keys.CreateOptions{
		Name: "k", Purpose: keys.PurposeSign, Labels: map[string]string{"owner": "a very particular office"},
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Public(t.Context(), keys.Ref{Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	files := snapshot(t, dir)
	for name, data := range files {
		for _, secret := range [][]byte{[]byte("particular"), passphrase(), gm.MarshalPublicKey(info.Public)[1:17]} {
			if bytes.Contains(data, secret) {
				t.Errorf("%s shows %q", name, secret)
			}
		}
	}
	if len(files) < 5 {
		t.Errorf("looked at %d files only", len(files))
	}
}

// snapshot reads all files below dir.
func snapshot(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// restore makes dir hold exactly the files.
func restore(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	for name := range snapshot(t, dir) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
