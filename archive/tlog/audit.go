package tlog

import (
	"bytes"
	"context"
	"fmt"
)

// Audit reads the whole log of c from outside, entry by entry, computes both trees anew and compares every tile, both
// roots and every entry bundle with them. visit, if not nil, is given each entry in order; its error ends the audit. It
// needs memory for one bundle and one tile a level. The error is [ErrTile] where the files do not belong to c.
func Audit(ctx context.Context, f Fetcher, c Checkpoint, visit func(index uint64, entry []byte) error) error {
	a := &audit{f: f, size: c.Size}
	var err error
	if a.sm3, err = newGrowth(ctx, f, SM3Tree, 0, Hash(sm3Hasher{}.EmptyRoot())); err != nil {
		return err
	}
	if a.twin, err = newGrowth(ctx, f, SHA256Tree, 0, Hash(sha256Hasher{}.EmptyRoot())); err != nil {
		return err
	}
	for index := uint64(0); index < c.Size; index += TileWidth {
		if err := a.bundle(ctx, index, visit); err != nil {
			return err
		}
	}
	a.sm3.partials(0, a.compare(ctx))
	a.twin.partials(0, a.compare(ctx))
	if a.err != nil {
		return a.err
	}
	if a.sm3.root() != c.Root || a.twin.root() != c.TwinRoot {
		return fmt.Errorf("%w: the entries give roots %s and %s", ErrTile, a.sm3.root(), a.twin.root())
	}
	return nil
}

type audit struct {
	f         Fetcher
	size      uint64
	sm3, twin *growth
	err       error // the first tile that differs
}

// bundle takes in the entries of one bundle.
func (a *audit) bundle(ctx context.Context, index uint64, visit func(uint64, []byte) error) error {
	t := Tile{Tree: Entries, Index: index / TileWidth, Width: widthAt(a.size, 0, index/TileWidth)}
	data, err := fetchTile(ctx, a.f, t)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	entries, err := ParseBundle(data, t.Width)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	for i, e := range entries {
		if err := a.sm3.append(sm3Hasher{}.HashLeaf(e), a.compare(ctx), nil); err != nil {
			return err
		}
		if err := a.twin.append(sha256Hasher{}.HashLeaf(e), a.compare(ctx), nil); err != nil {
			return err
		}
		if a.err != nil {
			return a.err
		}
		if visit == nil {
			continue
		}
		if err := visit(index+uint64(i), e); err != nil {
			return err
		}
	}
	return nil
}

// compare holds a computed tile against the stored one.
func (a *audit) compare(ctx context.Context) func(Tile, []Hash) {
	return func(t Tile, row []Hash) {
		if a.err != nil {
			return
		}
		stored, err := fetchTile(ctx, a.f, t)
		switch {
		case err != nil:
			a.err = fmt.Errorf("fetch %s: %w", t.Path(), err)
		case !bytes.Equal(stored, marshalHashes(row)):
			a.err = fmt.Errorf("%w: %s differs from its entries", ErrTile, t.Path())
		}
	}
}
