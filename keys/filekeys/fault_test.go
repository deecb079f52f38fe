package filekeys_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"yinxin/internal/durable"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// faults makes one step of the writes fail, counted since arm.
type faults struct {
	n, at atomic.Int64
	done  atomic.Bool
}

// arm makes step at fail from here on; 0 disarms. done tells whether it takes effect all the same.
func (f *faults) arm(at int64, done bool) {
	f.done.Store(done)
	f.at.Store(at)
	f.n.Store(0)
}

// disk is a Disk with these faults.
func (f *faults) disk() durable.Disk {
	return durable.Disk{Hook: func(_ durable.Step, path string, act func() error) error {
		if f.n.Add(1) != f.at.Load() {
			return act()
		}
		if f.done.Load() {
			if err := act(); err != nil {
				return err
			}
		}
		return fmt.Errorf("injected at %s: %w", filepath.Base(path), syscall.ENOSPC)
	}}
}

// TestEveryWriteFails makes each step of a rotation fail, lost and done: the store works on in its old state and takes
// the change when asked again; opened afresh instead, it is in its old or its new state.
func TestEveryWriteFails(t *testing.T) {
	t.Parallel()
	counted := &faults{}
	s, dir := create(t, filekeys.Options{Disk: counted.disk()})
	mustCreate(t, s, "k")
	base := snapshot(t, dir)
	counted.arm(0, false)
	if _, err := s.Rotate(t.Context(), "k", 1); err != nil {
		t.Fatal(err)
	}
	steps := counted.n.Load()
	if steps < 10 {
		t.Fatalf("a rotation has %d steps", steps)
	}
	for at := int64(1); at <= steps; at++ {
		for _, done := range []bool{false, true} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("step=%d/done=%t/restart=%t", at, done, restart), func(t *testing.T) {
					t.Parallel()
					failRotation(t, base, at, done, restart)
				})
			}
		}
	}
}

func failRotation(t *testing.T, base map[string][]byte, at int64, done, restart bool) {
	t.Helper()
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.MkdirAll(filepath.Join(dir, "entries"), 0o700); err != nil {
		t.Fatal(err)
	}
	restore(t, dir, base)
	f := &faults{}
	s := open(t, dir, filekeys.Options{Disk: f.disk()})
	if err := sign(t, s, "k"); err != nil {
		t.Fatal(err)
	}
	f.arm(at, done)
	_, err := s.Rotate(ctx, "k", 1)
	if !errors.Is(err, keys.ErrUnavailable) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("rotate: %v, want unavailable", err)
	}
	f.arm(0, false)
	if err := sign(t, s, "k"); err != nil {
		t.Errorf("after the failure: %v", err)
	}
	if restart {
		mustClose(t, s)
		s = open(t, dir, filekeys.Options{})
	}
	info, err := s.Describe(ctx, "k")
	if err != nil || (info.Latest != 1 && (!restart || info.Latest != 2)) {
		t.Fatalf("after the failure: %+v, %v", info, err)
	}
	next, err := s.Rotate(ctx, "k", info.Latest)
	if err != nil || next.Ref.Version != info.Latest+1 {
		t.Fatalf("second try: %v, %v", next.Ref, err)
	}
	if err := sign(t, s, "k"); err != nil {
		t.Errorf("after the second try: %v", err)
	}
	mustClose(t, s)
	s = open(t, dir, filekeys.Options{})
	if info, err := s.Describe(ctx, "k"); err != nil || info.Latest != next.Ref.Version {
		t.Errorf("opened afresh: %+v, %v", info, err)
	}
	r, err := s.Check(ctx)
	if err != nil || len(r.Damaged) != 0 {
		t.Errorf("check: %+v, %v", r, err)
	}
	for name := range snapshot(t, dir) {
		if strings.Contains(name, durable.TempPrefix) {
			t.Errorf("%s is left", name)
		}
	}
}

// crash is the panic that stands for the end of the process.
type crash struct{}

// TestCrash ends the process model before and after each step of a change that no goroutine makes (the head), and of the
// making of a store.
func TestCrash(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		dir := filepath.Join(t.TempDir(), "keys")
		if !crashCreate(t, dir, at) {
			if at < 8 {
				t.Errorf("making a store has only %d steps", at-1)
			}
			return
		}
		dir = copied(t, dir) // the lock of the dead process goes with it; here it would stay
		s, err := filekeys.Create(t.Context(), dir, passphrase(), filekeys.Options{KDF: cheap()})
		if filekeys.Exists(dir) && errors.Is(err, filekeys.ErrExists) {
			s, err = filekeys.Open(t.Context(), dir, passphrase(), filekeys.Options{})
		}
		if err != nil {
			t.Fatalf("after a crash at step %d: %v", at, err)
		}
		mustCreate(t, s, "k")
		if err := sign(t, s, "k"); err != nil {
			t.Errorf("after a crash at step %d: %v", at, err)
		}
		mustClose(t, s)
	}
}

// copied is a copy of the store directory, which may be unfinished.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "keys")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return to
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "entries")); err == nil {
		if err := os.Mkdir(filepath.Join(to, "entries"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	restore(t, to, snapshot(t, dir))
	return to
}

// crashCreate makes a store and crashes at a step; false if there are fewer steps.
func crashCreate(t *testing.T, dir string, at int) (crashed bool) {
	t.Helper()
	defer func() {
		switch r := recover(); r {
		case nil:
		case crash{}:
			crashed = true
		default:
			panic(r)
		}
	}()
	n := 0
	s, err := filekeys.Create(t.Context(), dir, passphrase(), filekeys.Options{KDF: cheap(), Disk: durable.Disk{
		Hook: func(_ durable.Step, _ string, act func() error) error {
			if n++; n != at {
				return act()
			}
			if at%2 == 0 {
				_ = act()
			}
			panic(crash{})
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	return false
}

// TestLeftovers: what an interrupted change left is warned of while it is newer than the head, is never used, and goes
// once the store has moved on.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k")
	early := snapshot(t, dir)
	if _, err := s.Rotate(t.Context(), "k", 1); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	version := oneEntry(t, dir, "version~k~2@")
	data, err := os.ReadFile(version)
	if err != nil {
		t.Fatal(err)
	}
	early[filepath.Join("entries", filepath.Base(version))] = data
	early[filepath.Join("entries", durable.TempPrefix+"x")] = []byte("half")
	restore(t, dir, early)

	s = open(t, dir, filekeys.Options{})
	if !warned(s, filekeys.WarnNewerEntries) {
		t.Error("no warning of entries newer than the head")
	}
	if info, err := s.Describe(t.Context(), "k"); err != nil || info.Latest != 1 {
		t.Errorf("a leftover is used: %+v, %v", info, err)
	}
	if _, err := s.Rotate(t.Context(), "k", 1); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = open(t, dir, filekeys.Options{})
	if warned(s, filekeys.WarnNewerEntries) {
		t.Error("still warned after the store has moved on")
	}
	mustClose(t, s)
	for name := range snapshot(t, dir) {
		if filepath.Base(name) == filepath.Base(version) || strings.Contains(name, durable.TempPrefix) {
			t.Errorf("%s is left", name)
		}
	}
}
