package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"yinxin/internal/durable"
)

// Sink takes the files of an envelope as it is opened.
type Sink interface {
	// Create begins a file of the stated size. The name is safe (see [SafeName]) but it must not be seen before Commit.
	Create(name string, size int64) (Pending, error)
}

// Pending is a file that has no name yet. It ends in Commit or Abort; Abort after Commit does nothing.
type Pending interface {
	io.Writer
	Commit() error
	Abort()
}

// Dir is a Sink that puts files into an existing folder: written beside, fsync-ed, then linked to their names, readable by
// the owner alone. A file that exists is never replaced: the error is fs.ErrExist.
type Dir string

type dirFile struct {
	*durable.File
	path string
}

func (f dirFile) Commit() error { return f.CommitExclusive(f.path) }

// Create begins a file in the folder.
func (d Dir) Create(name string, _ int64) (Pending, error) {
	path := filepath.Join(string(d), name)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	f, err := durable.Disk{}.CreateTemp(string(d), 0o600)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	return dirFile{f, path}, nil
}

// ErrTooLarge: the files are larger than a Memory sink takes.
var ErrTooLarge = errors.New("envelope: files are too large to be held in memory")

// Memory is a Sink that keeps files in memory, for small documents and for callers that store them elsewhere.
type Memory struct {
	// Limit bounds the files together, in bytes.
	Limit int64
	// Files are those that were released, in order.
	Files []MemoryFile

	used int64
}

// MemoryFile is a released file.
type MemoryFile struct {
	Name string
	Data []byte
}

type memoryFile struct {
	bytes.Buffer
	m    *Memory
	name string
}

func (f *memoryFile) Commit() error {
	f.m.Files = append(f.m.Files, MemoryFile{f.name, f.Bytes()})
	return nil
}

func (f *memoryFile) Abort() {}

// Create begins a file in memory.
func (m *Memory) Create(name string, size int64) (Pending, error) {
	if size > m.Limit-m.used {
		return nil, ErrTooLarge
	}
	m.used += size
	f := &memoryFile{m: m, name: name}
	f.Grow(int(size))
	return f, nil
}

// Get returns a released file's content.
func (m *Memory) Get(name string) ([]byte, bool) {
	for _, f := range m.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// Discard is a Sink that keeps nothing: for checking with a key that an envelope opens.
type Discard struct{}

// Create begins a file that goes nowhere.
func (Discard) Create(string, int64) (Pending, error) { return discarded{}, nil }

type discarded struct{}

func (discarded) Write(p []byte) (int, error) { return len(p), nil }
func (discarded) Commit() error               { return nil }
func (discarded) Abort()                      {}
