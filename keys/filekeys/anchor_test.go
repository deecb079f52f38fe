package filekeys_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// anchorAt is an anchor file in a fresh directory.
func anchorAt(t *testing.T) filekeys.FileAnchor {
	t.Helper()
	return filekeys.FileAnchor{Path: filepath.Join(t.TempDir(), "anchor")}
}

// reopen opens the store with the anchor and closes it again.
func reopen(t *testing.T, dir string, a filekeys.Anchor) error {
	t.Helper()
	s, err := filekeys.Open(t.Context(), dir, passphrase(), filekeys.Options{Anchor: a})
	if err != nil {
		return err
	}
	return s.Close()
}

func warned(s *filekeys.Store, code string) bool {
	return slices.ContainsFunc(s.Health(context.Background()).Warnings, func(w keys.Warning) bool { return w.Code == code && w.Text != "" })
}

// TestRollback puts a directory back: with an anchor that is refused, without one it is announced that it could not be.
func TestRollback(t *testing.T) {
	t.Parallel()
	anchor := anchorAt(t)
	s, dir := create(t, filekeys.Options{Anchor: anchor})
	if warned(s, keys.WarnNoAnchor) {
		t.Error("warns of no anchor beside one")
	}
	empty := snapshot(t, dir)
	mustCreate(t, s, "k")
	early := snapshot(t, dir)
	if err := s.SetState(t.Context(), keys.Ref{Name: "k"}, keys.StateDisabled); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	late := snapshot(t, dir)
	if err := reopen(t, dir, anchor); err != nil {
		t.Errorf("nothing put back: %v", err)
	}

	restore(t, dir, empty)
	if err := reopen(t, dir, anchor); !errors.Is(err, filekeys.ErrRolledBack) {
		t.Errorf("put back to the beginning: %v", err)
	}
	restore(t, dir, early)
	if err := reopen(t, dir, anchor); !errors.Is(err, filekeys.ErrRolledBack) {
		t.Errorf("put back: %v", err)
	}
	blind := open(t, dir, filekeys.Options{})
	if !warned(blind, keys.WarnNoAnchor) {
		t.Error("without an anchor there is no warning")
	}
	if r, err := blind.Check(t.Context()); err != nil || r.Anchored {
		t.Errorf("check without an anchor: %+v, %v", r, err)
	}
	// A branch: the earlier state goes on by itself, past the generation that the anchor has seen.
	mustCreate(t, blind, "other")
	mustCreate(t, blind, "another")
	mustClose(t, blind)
	if err := reopen(t, dir, anchor); !errors.Is(err, filekeys.ErrRolledBack) {
		t.Errorf("a branch: %v", err)
	}
	restore(t, dir, late)
	if err := reopen(t, dir, anchor); err != nil {
		t.Errorf("put right again: %v", err)
	}
}

func TestAnchorLags(t *testing.T) {
	t.Parallel()
	anchor := anchorAt(t)
	s, dir := create(t, filekeys.Options{Anchor: anchor})
	old, err := os.ReadFile(anchor.Path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		mustCreate(t, s, fmt.Sprintf("k%d", i))
	}
	mustClose(t, s)
	current, err := os.ReadFile(anchor.Path)
	if err != nil {
		t.Fatal(err)
	}
	// As after a crash between head and anchor: the store is ahead, and the anchor follows.
	if err := os.WriteFile(anchor.Path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, dir, anchor); err != nil {
		t.Errorf("an anchor behind: %v", err)
	}
	if got, err := os.ReadFile(anchor.Path); err != nil || string(got) != string(current) {
		t.Errorf("the anchor did not follow: %s, %v", got, err)
	}
	// So far behind that the store no longer knows the mark.
	s = open(t, dir, filekeys.Options{})
	for i := range 70 {
		if err := s.SetState(t.Context(), keys.Ref{Name: "k0"}, []keys.State{keys.StateDisabled, keys.StateEnabled}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, s)
	if err := reopen(t, dir, anchor); !errors.Is(err, filekeys.ErrAnchor) {
		t.Errorf("an anchor too far behind: %v", err)
	}
}

func TestAnchorRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	mine, theirs := anchorAt(t), anchorAt(t)
	s, dir := create(t, filekeys.Options{Anchor: mine})
	other, _ := create(t, filekeys.Options{Anchor: theirs})
	mustClose(t, s)
	mustClose(t, other)
	inside := filekeys.FileAnchor{Path: filepath.Join(dir, "anchor")}
	linked := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	garbage, huge := anchorAt(t), anchorAt(t)
	if err := errors.Join(os.WriteFile(garbage.Path, []byte("{"), 0o600), os.WriteFile(huge.Path, make([]byte, 1<<20), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		anchor filekeys.Anchor
		want   error
	}{
		{"its own", mine, nil},
		{"that of another store", theirs, filekeys.ErrAnchor},
		{"without a mark", anchorAt(t), filekeys.ErrAnchor},
		{"inside the store", inside, filekeys.ErrAnchor},
		{"inside through a link", filekeys.FileAnchor{Path: filepath.Join(linked, "anchor")}, filekeys.ErrAnchor},
		{"garbage", garbage, filekeys.ErrAnchor},
		{"huge", huge, filekeys.ErrAnchor},
	} {
		if err := reopen(t, dir, c.anchor); !errors.Is(err, c.want) {
			t.Errorf("anchor %s: %v, want %v", c.name, err, c.want)
		}
	}
	adopted := anchorAt(t)
	s, err := filekeys.Open(ctx, dir, passphrase(), filekeys.Options{Anchor: adopted, AdoptAnchor: true})
	if err != nil {
		t.Fatalf("adopt: %v", err)
	}
	mustClose(t, s)
	if err := reopen(t, dir, adopted); err != nil {
		t.Errorf("after adoption: %v", err)
	}
}

// TestAnchorCannotBeWritten makes the anchor fail: the change is reported as failed, and what was done is seen.
func TestAnchorCannotBeWritten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	anchor := filekeys.FileAnchor{Path: filepath.Join(folder, "sub", "anchor")}
	if err := os.Mkdir(filepath.Dir(anchor.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	s, dir := create(t, filekeys.Options{Anchor: anchor})
	mustCreate(t, s, "k")
	if err := os.Rename(filepath.Join(folder, "sub"), filepath.Join(folder, "away")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rotate(t.Context(), "k", 1); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("rotate: %v", err)
	}
	if info, err := s.Describe(t.Context(), "k"); err != nil || info.Latest != 2 {
		t.Errorf("after the failure: %+v, %v", info, err)
	}
	mustClose(t, s)
	if err := os.Rename(filepath.Join(folder, "away"), filepath.Join(folder, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, dir, anchor); err != nil {
		t.Errorf("with the anchor back: %v", err)
	}
}
