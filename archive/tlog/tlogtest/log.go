package tlogtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"testing"

	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
)

// Files is a log's folder in memory. Unlike a real one it lets its files be overwritten.
type Files struct {
	mu    sync.Mutex
	files map[string][]byte
}

// Fetch implements tlog.Fetcher.
func (f *Files) Fetch(_ context.Context, path string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.files[path]
	if !ok {
		return nil, fmt.Errorf("fetch %s: %w", path, fs.ErrNotExist)
	}
	return bytes.Clone(data), nil
}

// Put implements tlog.Tiles.
func (f *Files) Put(_ context.Context, files []tlog.File) error {
	for _, file := range files {
		f.Set(file.Path, file.Data)
	}
	return nil
}

// SetCheckpoint implements tlog.Tiles.
func (f *Files) SetCheckpoint(_ context.Context, signed []byte) error {
	f.Set(tlog.CheckpointPath, signed)
	return nil
}

// Set overwrites a file; nil removes it.
func (f *Files) Set(path string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if data == nil {
		delete(f.files, path)
		return
	}
	f.files[path] = bytes.Clone(data)
}

// Get gives the bytes of a file.
func (f *Files) Get(path string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return bytes.Clone(f.files[path])
}

// Paths lists the files.
func (f *Files) Paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.files))
}

// Log is a log in memory with its key.
type Log struct {
	Files  *Files
	Key    *tlog.Verifier
	Signer tlog.Signer
	// Notes are the checkpoints that were published, by size.
	Notes map[uint64][]byte

	queue *Memory
	seq   *tlog.Sequencer
	n     int
}

// NewLog makes an empty log with a new key.
func NewLog(t testing.TB, origin string) *Log {
	t.Helper()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tlog.NewSigner(origin, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := tlog.NewVerifier(origin, key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return open(t, verifier, signer)
}

// Twin makes an empty log with the same key: the hub that shows two histories.
func (l *Log) Twin(t testing.TB) *Log {
	t.Helper()
	return open(t, l.Key, l.Signer)
}

func open(t testing.TB, key *tlog.Verifier, signer tlog.Signer) *Log {
	t.Helper()
	l := &Log{Files: &Files{files: map[string][]byte{}}, Key: key, Signer: signer, Notes: map[uint64][]byte{}, queue: NewMemory()}
	var err error
	if l.seq, err = tlog.Open(t.Context(), tlog.Config{Queue: l.queue, Tiles: l.Files, Signer: signer}); err != nil {
		t.Fatal(err)
	}
	return l
}

// Grow appends batches of entries whose text begins with word.
func (l *Log) Grow(t testing.TB, word string, batches ...int) {
	t.Helper()
	for _, size := range batches {
		entries := make([]string, size)
		for i := range entries {
			entries[i] = fmt.Sprintf("%s %d", word, l.n+i)
		}
		l.Append(t, entries...)
	}
}

// Append appends one batch of entries.
func (l *Log) Append(t testing.TB, entries ...string) {
	t.Helper()
	for _, e := range entries {
		if err := l.queue.Add(t.Context(), []byte(e)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := l.seq.Integrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.n += len(p.Leaves)
	l.Notes[p.Head.Size] = p.Head.Note
}
