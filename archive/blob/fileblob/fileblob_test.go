package fileblob_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"yinxin/archive/blob"
	"yinxin/archive/blob/blobtest"
	"yinxin/archive/blob/fileblob"
	"yinxin/crypto/gm"
	"yinxin/internal/durable"
)

func open(t testing.TB, disk durable.Disk) (*fileblob.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blobs")
	s, err := fileblob.OpenOn(disk, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func path(dir string, ref blob.Ref) string { return filepath.Join(dir, ref.String()[:2], ref.String()) }

func unfinished(t *testing.T, dir string) int {
	t.Helper()
	names, err := os.ReadDir(filepath.Join(dir, "incoming"))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Target {
		s, dir := open(t, durable.Disk{})
		return blobtest.Target{
			Store:      s,
			Unfinished: func(t *testing.T) int { t.Helper(); return unfinished(t, dir) },
			Alter: func(t *testing.T, ref blob.Ref, change func([]byte) []byte) {
				t.Helper()
				data, err := os.ReadFile(path(dir, ref))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path(dir, ref), change(data), 0o600); err != nil { // in place, as rot does
					t.Fatal(err)
				}
			},
		}
	})
}

// TestEveryWriteFails makes each step of a Put fail, lost and done, for a small blob, a large one, and one that is there
// already: an error, nothing half visible, and the next Put works.
func TestEveryWriteFails(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10, 600 << 10} {
		data := blobtest.Content(size, 1)
		for at := int64(1); ; at++ {
			reached := false
			for _, done := range []bool{false, true} {
				reached = failPut(t, data, at, done) || reached
			}
			if !reached {
				if at < 6 {
					t.Errorf("a Put has only %d steps", at-1)
				}
				break
			}
		}
	}
}

// TestEarlyFlushFails makes the fsync fail that a large Put begins while it still writes.
func TestEarlyFlushFails(t *testing.T) {
	t.Parallel()
	var failed atomic.Bool
	s, dir := open(t, durable.Disk{Hook: func(step durable.Step, _ string, act func() error) error {
		if step == durable.StepSync && failed.CompareAndSwap(false, true) {
			return syscall.EIO
		}
		return act()
	}})
	data := blobtest.Content(9<<20, 1)
	if _, err := s.Put(t.Context(), bytes.NewReader(data)); !errors.Is(err, syscall.EIO) {
		t.Errorf("put: %v", err)
	}
	if _, err := s.Stat(t.Context(), blob.Ref(gm.SM3(data))); !errors.Is(err, blob.ErrNotFound) || unfinished(t, dir) != 0 {
		t.Errorf("after the failure: %v", err)
	}
	blobtest.Put(t, s, data)
}

// failPut puts data with a fault at one step; false if there are fewer steps.
func failPut(t *testing.T, data []byte, at int64, done bool) bool {
	t.Helper()
	var n, armed atomic.Int64
	s, dir := open(t, durable.Disk{Hook: func(_ durable.Step, _ string, act func() error) error {
		if armed.Load() == 0 || n.Add(1) != at {
			return act()
		}
		if done {
			if err := act(); err != nil {
				return err
			}
		}
		return syscall.ENOSPC
	}})
	ref := blob.Ref(gm.SM3(data))
	armed.Store(1)
	_, err := s.Put(t.Context(), bytes.NewReader(data))
	armed.Store(0)
	if n.Load() < at {
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	if !errors.Is(err, blob.ErrNoSpace) {
		t.Fatalf("step %d: %v, want no space", at, err)
	}
	if unfinished(t, dir) != 0 {
		t.Errorf("step %d leaves an unfinished file", at)
	}
	if _, err := s.Verify(t.Context(), ref); err != nil && !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("step %d: %v", at, err)
	}
	blobtest.Put(t, s, data)
	if _, err := s.Verify(t.Context(), ref); err != nil {
		t.Errorf("second Put after step %d: %v", at, err)
	}
	return true
}

// crash is the panic that stands for the end of the process.
type crash struct{}

// TestCrash ends a small Put at each step: the blob is there whole or not at all, and a new process clears the rest.
func TestCrash(t *testing.T) {
	t.Parallel()
	data := blobtest.Content(1000, 1)
	ref := blob.Ref(gm.SM3(data))
	for at := 1; at <= 14; at++ {
		dir := crashPut(t, data, at)
		copied := filepath.Join(t.TempDir(), "blobs")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil { // without the locks of the dead process
			t.Fatal(err)
		}
		s, err := fileblob.Open(copied)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(t.Context(), ref); err != nil && !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("crash at step %d: %v", at, err)
		}
		if unfinished(t, copied) != 0 {
			t.Errorf("crash at step %d: unfinished files after reopening", at)
		}
		blobtest.Put(t, s, data)
	}
}

func crashPut(t *testing.T, data []byte, at int) (dir string) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil && r != (crash{}) {
			panic(r)
		}
	}()
	n := 0
	armed := false
	s, dir := open(t, durable.Disk{Hook: func(_ durable.Step, _ string, act func() error) error {
		if !armed {
			return act()
		}
		if n++; n*2 == at {
			_ = act()
		}
		if n == (at+1)/2 {
			panic(crash{})
		}
		return act()
	}})
	armed = true
	_, _ = s.Put(t.Context(), bytes.NewReader(data))
	return dir
}

// TestReopen shows that a living writer is not disturbed by another process that opens the store, and a dead one's file
// goes.
func TestReopen(t *testing.T) {
	t.Parallel()
	s, dir := open(t, durable.Disk{})
	stale := filepath.Join(dir, "incoming", durable.TempPrefix+"dead")
	if err := os.WriteFile(stale, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := blobtest.Content(1<<20, 1)
	opened := false
	info, err := s.Put(t.Context(), io.MultiReader(bytes.NewReader(data[:700_000]), readerFunc(func([]byte) (int, error) {
		_, err := fileblob.Open(dir)
		opened = true
		if err != nil {
			return 0, err
		}
		return 0, io.EOF
	}), bytes.NewReader(data[700_000:])))
	if err != nil || info.Ref != blob.Ref(gm.SM3(data)) || !opened {
		t.Errorf("put while another process opens: %+v, %v", info, err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead writer's file: %v", err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestModesAndStrangers(t *testing.T) {
	t.Parallel()
	s, dir := open(t, durable.Disk{})
	ref := blobtest.Put(t, s, []byte("x"))
	for p, want := range map[string]fs.FileMode{dir: 0o700, filepath.Dir(path(dir, ref)): 0o700, path(dir, ref): 0o600} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (%v)", p, info.Mode().Perm(), want, err)
		}
	}
	strange := []string{"zz/notablob", "incoming/x", ref.String()[:2] + "/readme", "aa/" + ref.String()}
	for _, name := range strange {
		p := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o700), os.WriteFile(p, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if infos, err := s.List(t.Context(), blob.Ref{}, 100); err != nil || len(infos) != 1 || infos[0].Ref != ref {
		t.Errorf("listed %v, %v", infos, err)
	}
	link := blob.Ref{0xbb}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path(dir, link)), 0o700), os.Symlink(path(dir, ref), path(dir, link))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), link); !errors.Is(err, blob.ErrCorrupt) {
		t.Errorf("a symbolic link: %v", err)
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fileblob.Open(file); err == nil {
		t.Error("opened a file")
	}
}

// TestRot flips one bit in each of 200 blobs: all are found, by Verify and by Open, none is given out.
func TestRot(t *testing.T) {
	t.Parallel()
	s, dir := open(t, durable.Disk{})
	found := 0
	for i := range 200 {
		ref := blobtest.Put(t, s, blobtest.Content(500+i*37, byte(i)))
		if i%2 == 0 { // half of them have been read before
			if _, err := blob.ReadAll(t.Context(), s, ref, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(path(dir, ref))
		if err != nil {
			t.Fatal(err)
		}
		data[i*13%len(data)] ^= 1 << (i % 8)
		if err := os.WriteFile(path(dir, ref), data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, read := blob.ReadAll(t.Context(), s, ref, 1<<20)
		_, verified := s.Verify(t.Context(), ref)
		if errors.Is(read, blob.ErrCorrupt) && errors.Is(verified, blob.ErrCorrupt) {
			found++
		}
	}
	if found != 200 {
		t.Errorf("%d of 200 found", found)
	}
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20, 100 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			s, _ := open(b, durable.Disk{})
			data := blobtest.Content(size, 1)
			b.SetBytes(int64(size))
			for i := 0; b.Loop(); i++ {
				data[0], data[1], data[2] = byte(i), byte(i>>8), byte(i>>16)
				info, err := s.Put(b.Context(), bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				if size > 1<<20 {
					if err := s.Remove(b.Context(), info.Ref); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("rawWrite+fsync100MiB", func(b *testing.B) {
		data := blobtest.Content(100<<20, 1)
		b.SetBytes(int64(len(data)))
		path := filepath.Join(b.TempDir(), "f")
		for b.Loop() {
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			_, err = f.Write(data)
			if err := errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("rawSM3", func(b *testing.B) {
		data := blobtest.Content(100<<20, 1)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			gm.SM3(data)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	s, _ := open(b, durable.Disk{})
	data := blobtest.Content(100<<20, 1)
	ref := blobtest.Put(b, s, data)
	buf := make([]byte, 1<<20)
	read := func(b *testing.B, s *fileblob.Store) {
		b.Helper()
		r, err := s.Open(b.Context(), ref)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if n, err := r.Read(buf); n == 0 || err != nil {
				break
			}
		}
		_ = r.Close()
	}
	b.Run("again", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			read(b, s)
		}
	})
}
