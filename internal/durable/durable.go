// Package durable writes files so that a name, once it can be seen, holds whole content that survives a crash of the
// process, of the machine and a cut of power.
//
// # What it promises
//
// Each exported write returns nil only when its effect is on stable storage, as far as the operating system can tell.
// The sequences, in this order, are:
//
//	WriteFile        create temp · write · fsync temp · rename temp to path · fsync directory
//	CreateExclusive  create temp · write · fsync temp · link temp to path (fails if path exists) · fsync directory · remove temp
//	WriteFiles       for every file: create temp · write · fsync temp; then for every file, in the order given: rename;
//	                 then fsync of the directory once
//	MkdirAll         for every missing directory, outermost first: mkdir · fsync parent
//	Remove           unlink · fsync directory
//	File.Commit      fsync · rename to path · fsync directory
//
// What is replaced is a file or a link, never a folder, a device or a pipe (ErrNotFile). The file is closed last, so that its lock (see RemoveStale) is held until it has its name. The temporary file lies in the directory of the target (so that rename stays inside one file system) and its name
// begins with TempPrefix. A write that reports an error before its rename leaves path as it was. A write that reports an
// error at or after its rename (the directory could not be synced) has an unknown outcome: path holds either the whole
// old or the whole new content, never a mixture, and the caller has to treat the write as not acknowledged.
//
// After a failed fsync the kernel may have dropped the pages; a temporary file is therefore never synced twice but
// thrown away, and a repeated write starts from the bytes in memory.
//
// # What it does not promise
//
// Nothing about devices that lie about their cache, about two names at once (WriteFiles is not atomic over its files:
// after a crash any subset of the renames may have happened), and nothing about readers on a network file system.
//
// Disk.Hook is the seam through which tests make each single step fail, fail after having been done, or stop the
// process model there.
package durable

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// TempPrefix begins the name of each temporary file. A file with this prefix that no living process holds is garbage of
// an interrupted write and may be removed.
const TempPrefix = ".tmp-"

// Step names one system call of a sequence, as Hook sees it.
type Step string

// The steps of the sequences in the package comment.
const (
	StepCreate  Step = "create"
	StepWrite   Step = "write"
	StepSync    Step = "sync"
	StepRename  Step = "rename"
	StepLink    Step = "link"
	StepRemove  Step = "remove"
	StepMkdir   Step = "mkdir"
	StepSyncDir Step = "sync directory"
)

// Hook stands around one step. It decides whether the step is made (by calling act) and what the sequence sees as its
// result: returning an error without calling act is "failed and lost", returning an error after act succeeded is
// "failed but done". A nil Hook makes every step plainly.
type Hook func(step Step, path string, act func() error) error

// Disk performs the sequences of the package comment. The zero value works on the real file system and is ready to use;
// the functions of the package are its methods.
type Disk struct {
	// Hook, if not nil, stands around each step. For tests.
	Hook Hook
}

// do makes one step through the hook.
func (d Disk) do(step Step, path string, act func() error) error {
	if d.Hook == nil {
		return act()
	}
	return d.Hook(step, path, act)
}

// WriteFile puts data at path, replacing what was there, by the sequence in the package comment. The file gets exactly
// the mode perm, whatever the umask.
func (d Disk) WriteFile(path string, data []byte, perm fs.FileMode) error {
	f, err := d.CreateTemp(filepath.Dir(path), perm)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if _, err := f.Write(data); err != nil {
		f.Abort()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Commit(path)
}

// CreateExclusive puts data at path and fails with an error that is fs.ErrExist where path already exists, without
// touching what is there.
func (d Disk) CreateExclusive(path string, data []byte, perm fs.FileMode) error {
	f, err := d.CreateTemp(filepath.Dir(path), perm)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	if _, err := f.Write(data); err != nil {
		f.Abort()
		return fmt.Errorf("create %s: %w", path, err)
	}
	return f.CommitExclusive(path)
}

// MkdirAll makes dir and its missing parents with the mode perm (less the umask) and makes their names durable. An existing directory is
// left as it is, its mode included.
func (d Disk) MkdirAll(dir string, perm fs.FileMode) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("make directory %s: %w", dir, &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a directory")})
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make directory %s: %w", dir, err)
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := d.MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	err = d.do(StepMkdir, dir, func() error { return os.Mkdir(dir, perm) })
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory %s: %w", dir, err)
	}
	return d.SyncDir(parent)
}

// SyncDir makes the names in dir durable.
func (d Disk) SyncDir(dir string) error {
	err := d.do(StepSyncDir, dir, func() error {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
	if err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// Remove unlinks path and makes that durable. A path that does not exist is an error that is fs.ErrNotExist.
func (d Disk) Remove(path string) error {
	if err := d.do(StepRemove, path, func() error { return os.Remove(path) }); err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return d.SyncDir(filepath.Dir(path))
}

// WriteFile is Disk.WriteFile on the real file system.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Disk{}.WriteFile(path, data, perm)
}

// CreateExclusive is Disk.CreateExclusive on the real file system.
func CreateExclusive(path string, data []byte, perm fs.FileMode) error {
	return Disk{}.CreateExclusive(path, data, perm)
}

// MkdirAll is Disk.MkdirAll on the real file system.
func MkdirAll(dir string, perm fs.FileMode) error { return Disk{}.MkdirAll(dir, perm) }

// SyncDir is Disk.SyncDir on the real file system.
func SyncDir(dir string) error { return Disk{}.SyncDir(dir) }

// Remove is Disk.Remove on the real file system.
func Remove(path string) error { return Disk{}.Remove(path) }

// File is a temporary file on its way to a name. It takes bytes by Write and ends in exactly one of Commit,
// CommitExclusive and Abort. It is not safe for concurrent use, save for Flush beside Write.
type File struct {
	disk Disk
	f    *os.File
	done bool

	mu sync.Mutex
	// failed is the first error of a write or flush: a file that lost bytes must never be committed.
	failed error
}

// CreateTemp begins a durable file in dir; Commit later moves it to a name, which may lie in another directory of the
// same file system. While the file is open the process holds an advisory lock on it, by which RemoveStale knows that it
// is not garbage.
func (d Disk) CreateTemp(dir string, perm fs.FileMode) (*File, error) {
	for range 16 {
		name := filepath.Join(dir, TempPrefix+randomSuffix())
		var f *os.File
		err := d.do(StepCreate, name, func() error {
			var err error
			f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
			return err
		})
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			if f != nil { // made, but reported as failed
				_ = f.Close()
				_ = os.Remove(name)
			}
			return nil, err
		}
		kept, err := holdTemp(f, perm)
		if err != nil {
			_ = f.Close()
			_ = os.Remove(name)
			return nil, err
		}
		if kept {
			return &File{disk: d, f: f}, nil
		}
		_ = f.Close()
	}
	return nil, fmt.Errorf("no free temporary name in %s", dir)
}

// holdTemp locks the new file and gives it its exact mode. It says false where a sweeper took the file between its
// creation and its lock.
func holdTemp(f *os.File, perm fs.FileMode) (bool, error) {
	if err := lockFile(f, true); err != nil {
		if errors.Is(err, ErrLocked) {
			return false, nil
		}
		return false, err
	}
	if err := f.Chmod(perm); err != nil {
		return false, err
	}
	_, err := os.Lstat(f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// randomSuffix is a fresh name part. The names need only be unlikely to meet; nothing secret depends on them, so the
// system's generator is used without being passed in.
func randomSuffix() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return hex.EncodeToString(b[:])
}

// Write adds p. After an error the file can only be aborted.
func (f *File) Write(p []byte) (int, error) {
	if err := f.failure(nil); err != nil {
		return 0, err
	}
	n := 0
	err := f.disk.do(StepWrite, f.f.Name(), func() error {
		var err error
		n, err = f.f.Write(p)
		return err
	})
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, f.failure(err)
}

// ReadAt reads back what was written, while the file is open.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.f.ReadAt(p, off) }

// Size is how much was written.
func (f *File) Size() (int64, error) {
	st, err := f.f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// Flush makes what has been written so far go to the device, so that Commit has less to wait for. It promises nothing
// by itself and may run while another goroutine writes; it must have returned before Commit. After an error the file can
// only be aborted.
func (f *File) Flush() error {
	return f.failure(f.disk.do(StepSync, f.f.Name(), f.f.Sync))
}

// failure records err if it is the first, and gives the first.
func (f *File) failure(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		f.failed = err
	}
	return f.failed
}

// Commit gives the file its name, replacing what was there. On return without error the content and the name are
// durable. The file is closed in any case; the temporary name is gone unless the process died.
func (f *File) Commit(path string) error {
	if err := f.settle(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.rename(path); err != nil {
		return err
	}
	return f.disk.SyncDir(filepath.Dir(path))
}

// CommitExclusive is Commit that fails with fs.ErrExist where path exists.
func (f *File) CommitExclusive(path string) error {
	if err := f.settle(); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	temp := f.f.Name()
	if err := f.disk.do(StepLink, path, func() error { return os.Link(temp, path) }); err != nil {
		f.Abort()
		return fmt.Errorf("create %s: %w", path, err)
	}
	err := f.disk.SyncDir(filepath.Dir(path))
	// The second name is only garbage, its loss or survival changes nothing: no sync, and its failure is no failure of
	// the write.
	_ = f.disk.do(StepRemove, temp, func() error { return os.Remove(temp) })
	f.close()
	return err
}

// Abort throws the file away. It may follow any error and does nothing after a Commit.
func (f *File) Abort() {
	if f.done {
		return
	}
	_ = os.Remove(f.f.Name())
	f.close()
}

// settle makes the content durable, or removes the file.
func (f *File) settle() error {
	if f.done {
		return fs.ErrClosed
	}
	if err := f.failure(nil); err != nil {
		f.Abort()
		return err
	}
	if err := f.disk.do(StepSync, f.f.Name(), f.f.Sync); err != nil {
		f.Abort()
		return err
	}
	return nil
}

// ErrNotFile: in the place of a file stands a folder, a device, a pipe or a socket, which no file may replace.
var ErrNotFile = errors.New("not a file")

// replaceable returns ErrNotFile where path is something that is no file. A link is replaced, not followed.
func replaceable(path string) error {
	st, err := os.Lstat(path)
	if err != nil || st.Mode().IsRegular() || st.Mode()&fs.ModeSymlink != 0 {
		return nil //nolint:nilerr // what cannot be seen is for the rename to tell
	}
	return fmt.Errorf("write %s: %w", path, ErrNotFile)
}

// rename gives a settled file its name, without syncing the directory, and closes it.
func (f *File) rename(path string) error {
	if err := replaceable(path); err != nil {
		f.Abort()
		return err
	}
	temp := f.f.Name()
	if err := f.disk.do(StepRename, path, func() error { return os.Rename(temp, path) }); err != nil {
		f.Abort() // removes nothing where the rename was done after all: the temporary name is gone then
		return fmt.Errorf("write %s: %w", path, err)
	}
	f.close()
	return nil
}

// close ends the use of the file and releases its lock. The content has been synced or is given up, so an error of close
// says nothing new.
func (f *File) close() {
	f.done = true
	_ = f.f.Close()
}
