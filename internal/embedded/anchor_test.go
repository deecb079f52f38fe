package embedded_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/archive/tlog"
	"yinxin/archive/witness"
	"yinxin/crypto/gm"
)

// TestRestoredFolderIsBehindItsWitness (L-02): a hub whose whole folder was put back to an older state is told so by the
// witness outside of it, also once it has gone on and is as long as before.
func TestRestoredFolderIsBehindItsWitness(t *testing.T) {
	t.Parallel()
	x := start(t)
	x.send()
	x.shut()
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(backup, os.DirFS(filepath.Join(x.dir, "hub"))); err != nil {
		t.Fatal(err)
	}
	x.open()
	x.send()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tlog.NewCosigner("witness.example", key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(t.Context(), witness.Config{Dir: t.TempDir(), Key: signer, Logs: []*tlog.Verifier{x.LogKey}, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := w.Look(t.Context(), x.Log)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.HoldAgainst(t.Context(), seen, w.Key()); err != nil {
		t.Fatalf("the hub that was witnessed: %v", err)
	}
	x.shut()
	hub := filepath.Join(x.dir, "hub")
	if err := errors.Join(os.RemoveAll(hub), os.CopyFS(hub, os.DirFS(backup))); err != nil {
		t.Fatal(err)
	}
	x.open()
	if err := x.HoldAgainst(t.Context(), seen, w.Key()); !errors.Is(err, tlog.ErrStale) {
		t.Errorf("the restored hub: %v", err)
	}
	x.send()
	x.send()
	if err := x.HoldAgainst(t.Context(), seen, w.Key()); !errors.Is(err, tlog.ErrFork) {
		t.Errorf("the restored hub that went on: %v", err)
	}
	if err := x.HoldAgainst(t.Context(), x.note(), w.Key()); !errors.Is(err, tlog.ErrSignature) {
		t.Errorf("a checkpoint without the witness's line: %v", err)
	}
}

// note is the hub's own newest checkpoint.
func (x *exchange) note() []byte {
	x.t.Helper()
	note, err := x.Log.Fetch(x.t.Context(), tlog.CheckpointPath)
	if err != nil {
		x.t.Fatal(err)
	}
	return note
}
