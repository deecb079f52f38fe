package durable_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/internal/durable"
)

func TestLock(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "lock")
	lock := func(exclusive bool) (*durable.Held, error) { return durable.Lock(ctx, path, exclusive, 0) }
	first, err := lock(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, exclusive := range []bool{true, false} {
		if _, err := lock(exclusive); !errors.Is(err, durable.ErrLocked) {
			t.Errorf("second lock, exclusive %t: %v", exclusive, err)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		shared, err := lock(false)
		if err != nil {
			t.Fatal(err)
		}
		defer shared.Close()
	}
	if _, err := lock(true); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("exclusive beside shared: %v", err)
	}
	if _, err := durable.Lock(ctx, filepath.Join(path, "x"), true, 0); err == nil {
		t.Error("lock below a file")
	}
}

func TestLockWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := durable.Lock(t.Context(), path, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Lock(t.Context(), path, true, 50*time.Millisecond); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("waited in vain: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := durable.Lock(ended, path, true, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	got := make(chan error, 1)
	go func() {
		second, err := durable.Lock(t.Context(), path, true, time.Minute)
		if err == nil {
			err = second.Close()
		}
		got <- err
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("waiting for a lock that is released: %v", err)
	}
}

// TestRemoveStale tells the file of a dead writer from that of a living one.
func TestRemoveStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{durable.TempPrefix + "dead", "other"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	alive, err := durable.Disk{}.CreateTemp(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alive.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := durable.RemoveStale(dir); n != 1 || err != nil {
		t.Errorf("removed %d files, %v", n, err)
	}
	if err := alive.Commit(filepath.Join(dir, "alive")); err != nil {
		t.Errorf("the living writer: %v", err)
	}
	got, temps := contents(t, dir)
	if len(got) != 2 || got["alive"] != "x" || temps != 0 {
		t.Errorf("left: %v and %d temporary files", got, temps)
	}
	if _, err := durable.RemoveStale(filepath.Join(dir, "no")); err == nil {
		t.Error("no error for a missing directory")
	}
}
