package tlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"yinxin/internal/durable"
)

// maxFile bounds what [Dir.Fetch] reads: the largest legal file is a full bundle of the largest entries.
const maxFile = TileWidth * (2 + MaxEntry)

// Log files are public: anybody may serve and read them.
const (
	dirMode  fs.FileMode = 0o755
	fileMode fs.FileMode = 0o644
)

// Dir keeps the static files of one log in a folder. It is the embedded default for [Tiles]; any web server can serve the
// folder as it stands. Every write is durable on return (see internal/durable).
type Dir struct {
	root string
	disk durable.Disk
}

// OpenDir opens the folder of a log and makes it if it is not there.
func OpenDir(root string) (*Dir, error) { return openDir(root, durable.Disk{}) }

func openDir(root string, disk durable.Disk) (*Dir, error) {
	if err := disk.MkdirAll(root, dirMode); err != nil {
		return nil, fmt.Errorf("open log folder: %w", err)
	}
	return &Dir{root: root, disk: disk}, nil
}

// Fetch reads one file. A path that is neither [CheckpointPath] nor a tile's is refused with [ErrMalformed], so paths may
// come from outside.
func (d *Dir) Fetch(_ context.Context, name string) ([]byte, error) {
	if name != CheckpointPath {
		if _, err := ParseTile(name); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(d.at(name))
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%w: %s is larger than any tile", ErrTile, name)
	}
	return data, nil
}

func (d *Dir) at(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// Put stores tiles and bundles as [Tiles] asks; folders are written side by side, since a journal commits their fsyncs
// together.
func (d *Dir) Put(ctx context.Context, files []File) error {
	folders := make(map[string][]File)
	for _, f := range files {
		if _, err := ParseTile(f.Path); err != nil {
			return err
		}
		folders[path.Dir(f.Path)] = append(folders[path.Dir(f.Path)], f)
	}
	group, ctx := errgroup.WithContext(ctx)
	for folder, files := range folders {
		group.Go(func() error { return d.putFolder(ctx, folder, files) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	d.dropPartials(files)
	return nil
}

func (d *Dir) putFolder(ctx context.Context, folder string, files []File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.disk.MkdirAll(d.at(folder), dirMode); err != nil {
		return err
	}
	var missing []durable.Entry
	for _, f := range files {
		have, err := d.Fetch(ctx, f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, durable.Entry{Name: path.Base(f.Path), Data: f.Data})
		case err != nil:
			return err
		case !bytes.Equal(have, f.Data):
			return fmt.Errorf("%w: %s", ErrTileConflict, f.Path)
		}
	}
	if len(missing) == 0 {
		// All of it is there from an earlier try, whose fsync of the folder may have failed.
		return d.disk.SyncDir(d.at(folder))
	}
	return d.disk.WriteFiles(d.at(folder), missing, fileMode)
}

// dropPartials removes the partial tiles that a full one has replaced. Nothing depends on its success: readers take the
// full tile first where the partial one is gone, and a partial one that stayed is still true.
func (d *Dir) dropPartials(files []File) {
	for _, f := range files {
		if t, err := ParseTile(f.Path); err == nil && t.Width == TileWidth {
			_ = os.RemoveAll(d.at(f.Path + ".p"))
		}
	}
}

// SetCheckpoint replaces the checkpoint file, atomically and durably.
func (d *Dir) SetCheckpoint(_ context.Context, signed []byte) error {
	return d.disk.WriteFile(d.at(CheckpointPath), signed, fileMode)
}

// Paths lists the files of the log as they stand, without those that are just being written.
func (d *Dir) Paths(ctx context.Context) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(d.root, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // replaced meanwhile
		}
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), durable.TempPrefix) {
			return err
		}
		rel, err := filepath.Rel(d.root, name)
		paths = append(paths, filepath.ToSlash(rel))
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return nil, fmt.Errorf("list log %s: %w", d.root, err)
	}
	return paths, nil
}
