package durable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrLocked says that another process (or another handle of this one) holds the lock.
var ErrLocked = errors.New("locked by another process")

// lockPoll is how often Lock looks again while it waits.
const lockPoll = 20 * time.Millisecond

// Held is an advisory lock on a file, released by Close and by the end of the process, however it ends.
type Held struct{ f *os.File }

// Lock takes an advisory lock on the file at path, which it makes with mode 0600 if there is none: exclusive (one
// holder) or shared (many holders, no exclusive one). Where the lock is taken it tries again until wait has passed and
// then returns ErrLocked; a wait of zero tries once. It works between processes of one machine, not over network file
// systems.
func Lock(ctx context.Context, path string, exclusive bool, wait time.Duration) (*Held, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		err := lockFile(f, exclusive)
		if err == nil {
			return &Held{f: f}, nil
		}
		if !errors.Is(err, ErrLocked) || wait <= 0 {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, errors.Join(err, ctx.Err()))
		case <-deadline.C:
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case <-time.After(lockPoll):
		}
	}
}

// Close releases the lock. The file stays.
func (h *Held) Close() error { return h.f.Close() }

// RemoveStale removes the temporary files in dir that no living process is writing, and tells how many. Files of
// running writers are left alone: they are locked.
func RemoveStale(dir string) (int, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("remove stale files: %w", err)
	}
	removed := 0
	for _, n := range names {
		if !strings.HasPrefix(n.Name(), TempPrefix) || !n.Type().IsRegular() {
			continue
		}
		gone, err := removeIfFree(filepath.Join(dir, n.Name()))
		if err != nil {
			return removed, fmt.Errorf("remove stale files: %w", err)
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

// removeIfFree removes path if its lock can be had.
func removeIfFree(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if err := lockFile(f, true); err != nil {
		if errors.Is(err, ErrLocked) {
			return false, nil
		}
		return false, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, nil
}
