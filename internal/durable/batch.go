package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
)

// batchFiles bounds how many files of a batch are open at once.
const batchFiles = 128

// batchWriters bounds how many files of a batch are written and synced at once. File systems with a journal commit
// concurrent fsyncs together, which is where a batch gains.
const batchWriters = 8

// Entry is one file of WriteFiles.
type Entry struct {
	// Name is the file's name inside the directory, without a separator.
	Name string
	// Data is the whole content.
	Data []byte
}

// WriteFiles puts several files into one directory with one fsync of that directory. It is durable on return without
// error, but not atomic: after an error or a crash each file holds its whole old or its whole new content (or does not
// exist), independently of the others. Callers that need more write a commit record afterwards.
func (d Disk) WriteFiles(dir string, entries []Entry, perm fs.FileMode) error {
	for _, e := range entries {
		if e.Name == "" || filepath.Base(e.Name) != e.Name {
			return fmt.Errorf("write files into %s: name %q is not a plain file name", dir, e.Name)
		}
	}
	for group := range slices.Chunk(entries, batchFiles) {
		if err := d.writeGroup(dir, group, perm); err != nil {
			return err
		}
	}
	return d.SyncDir(dir)
}

// writeGroup writes and renames a bounded number of files, all of which are open at once.
func (d Disk) writeGroup(dir string, group []Entry, perm fs.FileMode) error {
	files := make([]*File, len(group))
	errs := make([]error, len(group))
	slots := make(chan struct{}, batchWriters)
	var wait sync.WaitGroup
	for i, e := range group {
		slots <- struct{}{}
		wait.Go(func() {
			files[i], errs[i] = d.settled(dir, e.Data, perm)
			<-slots
		})
	}
	wait.Wait()
	failure := errors.Join(errs...)
	for i, f := range files {
		if f == nil {
			continue
		}
		if failure != nil {
			f.Abort()
			continue
		}
		failure = f.rename(filepath.Join(dir, group[i].Name))
	}
	if failure != nil {
		return fmt.Errorf("write files into %s: %w", dir, failure)
	}
	return nil
}

// settled writes data into a temporary file of dir and makes the content durable, without giving it its name.
func (d Disk) settled(dir string, data []byte, perm fs.FileMode) (*File, error) {
	f, err := d.CreateTemp(dir, perm)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(data); err != nil {
		f.Abort()
		return nil, err
	}
	if err := f.settle(); err != nil {
		return nil, err
	}
	return f, nil
}

// WriteFiles is Disk.WriteFiles on the real file system.
func WriteFiles(dir string, entries []Entry, perm fs.FileMode) error {
	return Disk{}.WriteFiles(dir, entries, perm)
}
