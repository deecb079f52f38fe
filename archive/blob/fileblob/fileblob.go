// Package fileblob keeps blobs as files of one directory: the embedded default of archive/blob.
//
// # Layout
//
//	DIR/incoming/.tmp-…      blobs being written; never read
//	DIR/3f/3f2a…             the blob whose SM3 begins with 3f, mode 0600
//
// # What it promises
//
// Put streams into incoming, syncs, renames to the name and syncs the directory (internal/durable), so a name shows
// whole, durable content or nothing. A blob put again replaces its file by the same content, which also heals a damaged
// one. Files of processes that died are removed by the next Open; those of living ones are not.
//
// Reads: the first Open of a blob in a process reads it whole and compares its SM3 with the name; meanwhile it keeps the
// SHA-256 of each piece of PieceSize bytes in memory. Every later read, by this Reader or another, checks each piece
// against that before a byte of it is given out. So a bit that rots between two reads, or while a client downloads in
// ranges, is an error in place of wrong bytes, and a range costs no second reading of the whole.
//
// # What it does not promise
//
// Anything on network file systems: the directory must be local, with working fsync and rename.
package fileblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"yinxin/archive/blob"
	"yinxin/internal/durable"
)

// PieceSize is how much is checked, and read, at once, in bytes.
const PieceSize = 64 << 10

// incoming is the directory of blobs being written.
const incoming = "incoming"

// Store is a blob.Store over one directory.
type Store struct {
	dir    string
	disk   durable.Disk
	pieces pieceCache
	// buffers holds free *[]byte of copySize bytes.
	buffers sync.Pool
}

var _ blob.Store = (*Store)(nil)

// Open opens the store in dir, making the directory (mode 0700) if it is missing, and removes what dead processes left
// unfinished. Several processes may have one store open.
func Open(dir string) (*Store, error) { return OpenOn(durable.Disk{}, dir) }

// OpenOn is Open with the writes going through disk, by which tests make them fail.
func OpenOn(disk durable.Disk, dir string) (*Store, error) {
	if err := disk.MkdirAll(filepath.Join(dir, incoming), 0o700); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	if _, err := durable.RemoveStale(filepath.Join(dir, incoming)); err != nil {
		return nil, fmt.Errorf("open blob store %s: %w", dir, err)
	}
	return &Store{
		dir:     dir,
		disk:    disk,
		pieces:  newPieceCache(maxCachedPieces),
		buffers: sync.Pool{New: func() any { b := make([]byte, copySize); return &b }},
	}, nil
}

// path is where a blob lies.
func (s *Store) path(ref blob.Ref) string {
	name := ref.String()
	return filepath.Join(s.dir, name[:2], name)
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, r io.Reader) (blob.Info, error) {
	info, err := s.put(ctx, r, nil)
	if err != nil {
		return blob.Info{}, fmt.Errorf("put blob: %w", classify(err))
	}
	return info, nil
}

// PutAs implements blob.Store.
func (s *Store) PutAs(ctx context.Context, want blob.Ref, r io.Reader) (blob.Info, error) {
	info, err := s.put(ctx, r, &want)
	if err != nil {
		return blob.Info{}, fmt.Errorf("put blob %s: %w", want, classify(err))
	}
	return info, nil
}

// Stat implements blob.Store.
func (s *Store) Stat(_ context.Context, ref blob.Ref) (blob.Info, error) {
	st, err := os.Lstat(s.path(ref))
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat blob %s: %w", ref, classify(err))
	}
	if !st.Mode().IsRegular() {
		return blob.Info{}, fmt.Errorf("stat blob %s: %w: not a regular file", ref, blob.ErrCorrupt)
	}
	return blob.Info{Ref: ref, Size: st.Size()}, nil
}

// Verify implements blob.Store.
func (s *Store) Verify(ctx context.Context, ref blob.Ref) (blob.Info, error) {
	f, size, err := s.openFile(ref)
	if err != nil {
		return blob.Info{}, fmt.Errorf("verify blob %s: %w", ref, err)
	}
	defer f.Close()
	if _, err := scan(ctx, f, size, ref); err != nil {
		s.pieces.forget(ref)
		return blob.Info{}, fmt.Errorf("verify blob %s: %w", ref, err)
	}
	return blob.Info{Ref: ref, Size: size}, nil
}

// Remove implements blob.Store.
func (s *Store) Remove(_ context.Context, ref blob.Ref) error {
	s.pieces.forget(ref)
	if err := s.disk.Remove(s.path(ref)); err != nil {
		return fmt.Errorf("remove blob %s: %w", ref, classify(err))
	}
	return nil
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, after blob.Ref, limit int) ([]blob.Info, error) {
	shards, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list blobs: %w", err)
	}
	start := after.String()
	var found []blob.Info
	for _, shard := range shards {
		if !shard.IsDir() || len(shard.Name()) != 2 || shard.Name() < start[:2] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("list blobs: %w", err)
		}
		more, err := s.listShard(shard.Name(), after, limit-len(found))
		if err != nil {
			return nil, fmt.Errorf("list blobs: %w", err)
		}
		if found = append(found, more...); len(found) >= limit {
			break
		}
	}
	return found, nil
}

// listShard lists one directory; names that are no blob of it are passed over.
func (s *Store) listShard(shard string, after blob.Ref, limit int) ([]blob.Info, error) {
	files, err := os.ReadDir(filepath.Join(s.dir, shard))
	if err != nil {
		return nil, err
	}
	var found []blob.Info
	for _, file := range files {
		if len(found) >= limit {
			break
		}
		ref, err := blob.ParseRef(file.Name())
		if err != nil || file.Name()[:2] != shard || file.Name() <= after.String() {
			continue
		}
		st, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		found = append(found, blob.Info{Ref: ref, Size: st.Size()})
	}
	return found, nil
}

// openFile opens a blob's file, which must be a regular one.
func (s *Store) openFile(ref blob.Ref) (*os.File, int64, error) {
	info, err := s.Stat(context.Background(), ref)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(s.path(ref))
	if err != nil {
		return nil, 0, classify(err)
	}
	return f, info.Size, nil
}

// classify maps errors of the file system to those of package blob.
func classify(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", blob.ErrNoSpace, err)
	}
	return err
}
