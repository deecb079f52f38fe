package filekeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"yinxin/internal/durable"
	"yinxin/keys"
)

// Mark names one state of one store. It is not secret.
type Mark struct {
	// Store is the store's id, hexadecimal.
	Store string `json:"store"`
	// Generation counts the changes of the store.
	Generation uint64 `json:"generation"`
	// Digest is the SM3 of the head of that generation, hexadecimal.
	Digest string `json:"digest"`
}

// Anchor remembers the newest Mark of a store in a place that is not rolled back together with its directory: another
// volume, another machine, a witness.
type Anchor interface {
	// Load gives the mark, or keys.ErrNotFound where none was ever saved.
	Load(ctx context.Context) (Mark, error)
	// Save replaces the mark, durably when it returns.
	Save(ctx context.Context, m Mark) error
}

// Errors of the comparison with an anchor.
var (
	// ErrRolledBack: the directory is an earlier state than the anchor has seen, or a branch beside it.
	ErrRolledBack = errors.New("key store has been rolled back")
	// ErrAnchor: the anchor cannot decide: it has no mark, that of another store, or one too old to be compared.
	ErrAnchor = errors.New("key store cannot be compared with its anchor")
)

// FileAnchor keeps the mark in one file. It protects only if that file lies where a restore or an intruder of the
// store's directory does not reach; a path inside the directory is refused by Open.
type FileAnchor struct {
	Path string
	// Disk makes the writes; the zero value is the real one.
	Disk durable.Disk
}

// maxMark bounds the file, in bytes.
const maxMark = 4 << 10

// Load implements Anchor.
func (a FileAnchor) Load(context.Context) (Mark, error) {
	var m Mark
	info, err := os.Stat(a.Path)
	if err == nil && info.Size() > maxMark {
		return m, fmt.Errorf("%w: %s has %d bytes", ErrAnchor, a.Path, info.Size())
	}
	data, err := os.ReadFile(a.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("anchor %s: %w", a.Path, keys.ErrNotFound)
	}
	if err != nil {
		return m, fmt.Errorf("anchor: %w", err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return Mark{}, fmt.Errorf("%w: %s: %w", ErrAnchor, a.Path, err)
	}
	return m, nil
}

// Save implements Anchor.
func (a FileAnchor) Save(_ context.Context, m Mark) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("anchor: %w", err)
	}
	if err := a.Disk.WriteFile(a.Path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("anchor: %w", err)
	}
	return nil
}

// outside refuses an anchor that would be rolled back together with dir.
func (a FileAnchor) outside(dir string) error {
	anchor, err := resolved(a.Path)
	if err != nil {
		return fmt.Errorf("anchor %s: %w", a.Path, err)
	}
	store, err := resolved(dir)
	if err != nil {
		return fmt.Errorf("anchor %s: %w", a.Path, err)
	}
	rel, err := filepath.Rel(store, anchor)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("%w: %s lies inside the store", ErrAnchor, a.Path)
	}
	return nil
}

// resolved is the absolute path with the symbolic links of its directory followed.
func resolved(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(abs)), nil
}

// compare judges the head against the anchor. behind tells that the head is a genuine successor of the mark, as after
// a crash between the two writes, so that the mark may follow.
func compare(head *head, m Mark) (behind bool, err error) {
	own := head.mark
	switch {
	case m.Store != own.Store:
		return false, fmt.Errorf("%w: it belongs to store %s, this is %s", ErrAnchor, m.Store, own.Store)
	case m == own:
		return false, nil
	case m.Generation >= own.Generation:
		return false, fmt.Errorf("%w: the anchor has seen generation %d, the directory has %d", ErrRolledBack, m.Generation, own.Generation)
	}
	for _, earlier := range head.Previous {
		if earlier.Generation > m.Generation {
			continue
		}
		if earlier == (pastHead{m.Generation, m.Digest}) {
			return true, nil
		}
		return false, fmt.Errorf("%w: it does not continue generation %d that the anchor has seen", ErrRolledBack, m.Generation)
	}
	return false, fmt.Errorf("%w: its mark of generation %d is too old for generation %d", ErrAnchor, m.Generation, own.Generation)
}
