package fileblob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"yinxin/archive/blob"
	"yinxin/internal/durable"
)

// stagePrefix begins the names of staged content in incoming; DIR/incoming/stage-NAME. The file is locked by whoever holds it.
const stagePrefix = "stage-"

func (s *Store) stagePath(name string) string {
	return filepath.Join(s.dir, incoming, stagePrefix+name)
}

// Stage implements blob.Stager. The mark is not needed: a name is one file.
func (s *Store) Stage(ctx context.Context, name, _ string, size int64) (blob.Staged, error) {
	var st blob.Staged
	var err error
	if name == "" {
		st, err = s.stageTemp()
	} else {
		st, err = s.stageNamed(ctx, name, size)
	}
	if err != nil {
		return nil, fmt.Errorf("stage content: %w", classify(err))
	}
	return st, nil
}

// flusher lets the device begin with what is written, so that the last fsync has little to do.
type flusher struct {
	unflushed int64
	running   atomic.Bool
	wait      sync.WaitGroup
}

// wrote counts bytes, and flushes beside the caller when there are enough of them.
func (f *flusher) wrote(n int, flush func()) {
	if f.unflushed += int64(n); f.unflushed < flushSize || !f.running.CompareAndSwap(false, true) {
		return
	}
	f.unflushed = 0
	f.wait.Go(func() {
		flush()
		f.running.Store(false)
	})
}

// temp is staged content without a name.
type temp struct {
	s *Store
	f *durable.File
	flusher
}

func (s *Store) stageTemp() (*temp, error) {
	f, err := s.disk.CreateTemp(filepath.Join(s.dir, incoming), 0o600)
	if err != nil {
		return nil, err
	}
	return &temp{s: s, f: f}, nil
}

// Write implements io.Writer.
func (t *temp) Write(p []byte) (int, error) {
	n, err := t.f.Write(p)
	t.wrote(n, func() { _ = t.f.Flush() }) // remembered by the file, whose next Write or Commit reports it
	return n, classified(err)
}

// ReadAt implements io.ReaderAt.
func (t *temp) ReadAt(p []byte, off int64) (int, error) { return t.f.ReadAt(p, off) }

// Sync implements blob.Staged. Nothing finds it again.
func (t *temp) Sync(context.Context, int64) (string, error) { return "", classified(t.f.Flush()) }

// Keep implements blob.Staged.
func (t *temp) Keep(_ context.Context, info blob.Info) error {
	t.wait.Wait()
	path := t.s.path(info.Ref)
	err := t.s.disk.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = t.f.Commit(path)
	}
	if err != nil {
		return fmt.Errorf("keep blob %s: %w", info.Ref, classify(err))
	}
	return nil
}

// Close implements blob.Staged.
func (t *temp) Close() error {
	t.wait.Wait()
	t.f.Abort()
	return nil
}

// named is staged content that others may go on with.
type named struct {
	s    *Store
	f    *os.File
	lock *durable.Held
	flusher
}

func (s *Store) stageNamed(ctx context.Context, name string, size int64) (_ *named, err error) {
	if !blob.StageName(name) {
		return nil, blob.ErrStageName
	}
	path := s.stagePath(name)
	lock, err := durable.Lock(ctx, path, true, 0)
	if errors.Is(err, durable.ErrLocked) {
		return nil, blob.ErrBusy
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := cut(f, size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if size == 0 { // its name is as durable as what will be promised of it
		if err := s.disk.SyncDir(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return &named{s: s, f: f, lock: lock}, nil
}

// cut takes away what was written and never promised, and stands at the end.
func cut(f *os.File, size int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() < size {
		return fmt.Errorf("%w: %d bytes of %d are there", blob.ErrCorrupt, st.Size(), size)
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	_, err = f.Seek(size, 0)
	return err
}

// Write implements io.Writer.
func (n *named) Write(p []byte) (int, error) {
	got, err := n.f.Write(p)
	n.wrote(got, func() { _ = n.f.Sync() }) // the Sync that promises something tells of its own failure
	return got, classified(err)
}

// ReadAt implements io.ReaderAt.
func (n *named) ReadAt(p []byte, off int64) (int, error) { return n.f.ReadAt(p, off) }

// Sync implements blob.Staged.
func (n *named) Sync(context.Context, int64) (string, error) { return "", classified(n.f.Sync()) }

// Keep implements blob.Staged.
func (n *named) Keep(_ context.Context, info blob.Info) error {
	n.wait.Wait()
	path, old := n.s.path(info.Ref), n.f.Name()
	err := n.s.disk.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = n.f.Sync()
	}
	if err == nil {
		err = os.Rename(old, path)
	}
	if err == nil {
		err = n.s.disk.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("keep blob %s: %w", info.Ref, classify(err))
	}
	return nil
}

// Close implements blob.Staged.
func (n *named) Close() error {
	n.wait.Wait()
	return errors.Join(n.f.Close(), n.lock.Close())
}

// Unstage implements blob.Stager.
func (s *Store) Unstage(ctx context.Context, name string) error {
	if !blob.StageName(name) {
		return fmt.Errorf("take staged content away: %w", blob.ErrStageName)
	}
	path := s.stagePath(name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := durable.Lock(ctx, path, true, 0)
	if errors.Is(err, durable.ErrLocked) {
		return fmt.Errorf("take staged content away: %w", blob.ErrBusy)
	}
	if err != nil {
		return fmt.Errorf("take staged content away: %w", err)
	}
	err = s.disk.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, lock.Close())
}

// classified is classify of an error that may be none.
func classified(err error) error {
	if err == nil {
		return nil
	}
	return classify(err)
}
