package filekeys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"yinxin/internal/durable"
	"yinxin/keys"
	"yinxin/keys/engine"
)

// storage is the engine.Storage of an open store.
type storage struct {
	dir      string
	disk     durable.Disk
	rand     io.Reader
	sealer   *sealer
	anchor   Anchor // nil: none
	readOnly bool

	mu   sync.RWMutex
	head *head
	// last is the highest generation ever tried, so that none is used twice, not even after a failure.
	last uint64
	// abandoned are files of failed changes, which go once a later change has made sure that no head names them.
	abandoned []string
	closed    bool
}

var (
	_ engine.Storage = (*storage)(nil)
	_ engine.Applier = (*storage)(nil)
)

// Get implements engine.Storage.
func (s *storage) Get(_ context.Context, path string) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, keys.ErrSealed
	}
	live, ok := s.head.Entries[path]
	if !ok {
		return nil, fmt.Errorf("entry %s: %w", path, keys.ErrNotFound)
	}
	plain, err := s.read(path, live)
	if err != nil {
		return nil, &keys.UnavailableError{Err: err}
	}
	return plain, nil
}

// read reads and checks one live entry.
func (s *storage) read(path string, live liveEntry) ([]byte, error) {
	name := fileName(path, live.Generation)
	data, err := readPrivate(filepath.Join(s.dir, entriesDir, name), maxEntry+int64(sealedHead)+sealedTag)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, damagedf("%s is missing", name)
	}
	if err != nil {
		return nil, err
	}
	if digestOf(data) != live.SM3 {
		return nil, damagedf("%s is not the file that the head names", name)
	}
	plain, generation, err := s.sealer.open(s.sealer.entries, path, data)
	if err != nil {
		return nil, err
	}
	if generation != live.Generation {
		return nil, damagedf("%s holds generation %d", name, generation)
	}
	return plain, nil
}

// List implements engine.Storage.
func (s *storage) List(_ context.Context, prefix string) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, keys.ErrSealed
	}
	var paths []string
	for path := range s.head.Entries {
		if strings.HasPrefix(path, prefix) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// Put implements engine.Storage.
func (s *storage) Put(ctx context.Context, path string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return s.Apply(ctx, []engine.Write{{Path: path, Value: value}})
}

// Delete implements engine.Storage.
func (s *storage) Delete(ctx context.Context, path string) error {
	return s.Apply(ctx, []engine.Write{{Path: path}})
}

// Apply implements engine.Applier. Its order: new entry files, synced with their directory; the new head, by rename,
// which makes the change; the anchor; only then are the files removed that the new head does not name.
//
// When it fails before the head is renamed nothing has changed. When it fails at or after that, the directory holds the
// old head or the new one; memory keeps the old one and the next change puts a newer head over either, so that what was
// reported as failed is undone. Where only the anchor could not follow, the change stands and is reported as failed.
func (s *storage) Apply(ctx context.Context, writes []engine.Write) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return keys.ErrSealed
	case s.readOnly:
		return fmt.Errorf("%w: the store was opened for reading", keys.ErrDenied)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.last++
	next := s.head.next(s.last)
	files, replaced, err := s.prepare(next, writes)
	if err != nil || (len(files) == 0 && len(replaced) == 0) {
		return err
	}
	data, err := s.sealer.marshalHead(next, s.rand)
	if err != nil {
		return err
	}
	for _, f := range files {
		s.abandoned = append(s.abandoned, f.Name) // until the head names them
	}
	if err := s.disk.WriteFiles(filepath.Join(s.dir, entriesDir), files, 0o600); err != nil {
		return &keys.UnavailableError{Err: err}
	}
	if err := s.disk.WriteFile(filepath.Join(s.dir, headName), data, 0o600); err != nil {
		return &keys.UnavailableError{Err: err}
	}
	s.head = next
	s.sweep(files, replaced)
	if s.anchor != nil {
		if err := s.anchor.Save(ctx, next.mark); err != nil {
			return &keys.UnavailableError{Err: fmt.Errorf("the change is made, but: %w", err)}
		}
	}
	return nil
}

// prepare enters the writes into next and gives the files to be written and the names of those that they replace.
func (s *storage) prepare(next *head, writes []engine.Write) (files []durable.Entry, replaced []string, err error) {
	seen := make(map[string]bool, len(writes))
	for _, w := range writes {
		if err := checkPath(w.Path); err != nil {
			return nil, nil, err
		}
		if seen[w.Path] || len(w.Value) > maxEntry {
			return nil, nil, fmt.Errorf("%w: entry %s is written twice at once, or is too long", keys.ErrInvalid, w.Path)
		}
		seen[w.Path] = true
		if old, ok := next.Entries[w.Path]; ok {
			replaced = append(replaced, fileName(w.Path, old.Generation))
			delete(next.Entries, w.Path)
		}
		if w.Value == nil {
			continue
		}
		data, err := s.sealer.seal(s.sealer.entries, s.rand, w.Path, next.Generation, w.Value)
		if err != nil {
			return nil, nil, &keys.UnavailableError{Err: err}
		}
		next.Entries[w.Path] = liveEntry{Generation: next.Generation, SM3: digestOf(data)}
		files = append(files, durable.Entry{Name: fileName(w.Path, next.Generation), Data: data})
	}
	return files, replaced, nil
}

// sweep removes files that the durable head does not name: those just replaced and those of failed changes. A file that
// cannot be removed is harmless and is met again by the next Open.
func (s *storage) sweep(written []durable.Entry, replaced []string) {
	keep := make(map[string]bool, len(written))
	for _, f := range written {
		keep[f.Name] = true
	}
	for _, name := range append(s.abandoned, replaced...) {
		if !keep[name] {
			_ = os.Remove(filepath.Join(s.dir, entriesDir, name))
		}
	}
	s.abandoned = nil
}

// tidy removes what interrupted changes left behind, and gives the names of entry files that are newer than the head:
// they come from a change that never finished, or the head has been put back. These are kept.
func (s *storage) tidy() (newer []string, err error) {
	for _, dir := range []string{s.dir, filepath.Join(s.dir, entriesDir)} {
		if s.readOnly {
			break
		}
		if _, err := durable.RemoveStale(dir); err != nil {
			return nil, err
		}
	}
	live := make(map[string]bool, len(s.head.Entries))
	for path, e := range s.head.Entries {
		live[fileName(path, e.Generation)] = true
	}
	files, err := os.ReadDir(filepath.Join(s.dir, entriesDir))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		generation, ok := fileGeneration(f.Name())
		switch {
		case live[f.Name()] || !ok:
		case generation > s.head.Generation:
			s.last = max(s.last, generation)
			newer = append(newer, f.Name())
		case !s.readOnly:
			// No later head can name it: an entry stays in every head from its own generation until it is replaced.
			if err := os.Remove(filepath.Join(s.dir, entriesDir, f.Name())); err != nil {
				return nil, err
			}
		}
	}
	return newer, nil
}

// close ends every further use; it says false where that has been done before.
func (s *storage) close() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.closed
	s.closed = true
	s.sealer = nil
	s.head = nil
	return first
}
