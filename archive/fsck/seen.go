package fsck

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"yinxin/archive/tlog"
	"yinxin/verdict"
)

// seen holds older checkpoints against the log. Each must be signed by the log's key; that the log extends it is proven
// from the tiles.
func (k *check) seen(ctx context.Context, now tlog.Checkpoint) error {
	for _, name := range slices.Sorted(maps.Keys(k.o.Seen)) {
		old, err := tlog.OpenCheckpoint(k.o.Seen[name], tlog.Keys(k.o.Keys...)...)
		if err == nil {
			err = tlog.CheckExtends(ctx, asFiles{k.f}, old, now)
		}
		if err == nil {
			continue
		}
		reason, ok := tlog.ReasonOf(err)
		if !ok {
			return err
		}
		k.find(name, reason, "%v", err)
	}
	return nil
}

// asFiles gives the readers of tlog a log that has the three methods.
type asFiles struct{ f Fetcher }

// Fetch implements tlog.Fetcher.
func (a asFiles) Fetch(ctx context.Context, path string) ([]byte, error) {
	if path == tlog.CheckpointPath {
		return a.f.Checkpoint(ctx)
	}
	t, err := tlog.ParseTile(path)
	if err != nil {
		return nil, err
	}
	if t.Tree == tlog.Entries {
		return a.f.Bundle(ctx, t)
	}
	return a.f.Tile(ctx, t)
}

// listed judges a listing of a log's folder: files that no log of this size has, and smaller partial tiles left by earlier
// batches, which must be the front of what stands there now. A reader who checks takes no harm from either; both say that
// somebody was at work there.
func (k *check) listed(ctx context.Context, size uint64) error {
	wanted := map[string]bool{tlog.CheckpointPath: true}
	for _, t := range tlog.TilesOf(size) {
		wanted[t.Path()] = true
	}
	for _, p := range k.o.Paths {
		if wanted[p] || tlog.IsGapPath(p) { // a statement is no file of the tree; whoever reads one opens it
			continue
		}
		t, err := tlog.ParseTile(p)
		if err != nil || !older(t, size) {
			k.find(p, verdict.Uncovered, "the log has no such file")
			continue
		}
		if err := k.partial(ctx, t, size); err != nil {
			return err
		}
	}
	return nil
}

// older reports whether a smaller tree than one of the size had this partial tile.
func older(t tlog.Tile, size uint64) bool {
	n := size >> (tileHeight * t.Level)
	return t.Width < tlog.TileWidth && t.Index*tlog.TileWidth+uint64(t.Width) <= n
}

// tileHeight is how many tree levels a tile has.
const tileHeight = 8

// partial holds an old partial tile against the one that holds its hashes today.
func (k *check) partial(ctx context.Context, old tlog.Tile, size uint64) error {
	now := old
	now.Width = int(min(tlog.TileWidth, size>>(tileHeight*old.Level)-old.Index*tlog.TileWidth))
	fetch := k.f.Tile
	if old.Tree == tlog.Entries {
		fetch = k.f.Bundle
	}
	was, err := fetch(ctx, old)
	if bad, err := k.damaged(old, was, err); bad || err != nil {
		return err
	}
	is, err := fetch(ctx, now)
	if err != nil {
		return nil //nolint:nilerr // that file has its own finding
	}
	if !bytes.HasPrefix(is, was) {
		k.find(old.Path(), verdict.Proof, "a stale partial tile that is not the front of %s", now.Path())
	}
	return nil
}
