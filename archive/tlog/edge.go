package tlog

import (
	"context"
	"fmt"
	"slices"

	"github.com/transparency-dev/merkle/compact"
)

// growth is one tree at its right edge: all that is needed to append. It is built from at most one partial tile a level,
// so opening a log costs the same at any size.
type growth struct {
	tree Tree
	rng  *compact.Range
	rows [MaxLevel + 1][]Hash // the hashes of the partial tile on each tile level
}

// newGrowth reads the right edge of a tree of size entries and checks it against the signed root.
func newGrowth(ctx context.Context, f Fetcher, tree Tree, size uint64, root Hash) (*growth, error) {
	g := &growth{tree: tree}
	for level := MaxLevel; level >= 0; level-- {
		n := size >> (tileHeight * level)
		width := int(n % TileWidth)
		if width == 0 {
			continue
		}
		row, err := fetchHashes(ctx, f, Tile{Tree: tree, Level: level, Index: n / TileWidth, Width: width})
		if err != nil {
			return nil, err
		}
		g.rows[level] = row
	}
	left := perfect(tree, g.rows)
	if got := foldRoot(tree, left); got != root {
		return nil, fmt.Errorf("%w: the tiles of size %d give root %s, the checkpoint %s", ErrTile, size, got, root)
	}
	var err error
	g.rng, err = g.factory().NewRange(0, size, left)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTile, err)
	}
	return g, nil
}

func (g *growth) factory() *compact.RangeFactory {
	return &compact.RangeFactory{Hash: g.tree.hasher().HashChildren}
}

func (g *growth) clone() (*growth, error) {
	c := &growth{tree: g.tree}
	var err error
	if c.rng, err = c.factory().NewRange(0, g.rng.End(), slices.Clone(g.rng.Hashes())); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTile, err)
	}
	for i, row := range g.rows {
		c.rows[i] = slices.Clone(row)
	}
	return c, nil
}

// append adds one leaf hash. Tiles that become full go to emit; visit sees every new node.
func (g *growth) append(leaf []byte, emit func(Tile, []Hash), visit compact.VisitFn) error {
	err := g.rng.Append(leaf, func(id compact.NodeID, hash []byte) {
		if visit != nil {
			visit(id, hash)
		}
		if id.Level%tileHeight != 0 {
			return
		}
		level := int(id.Level) / tileHeight
		g.rows[level] = append(g.rows[level], Hash(hash))
		if len(g.rows[level]) == TileWidth {
			emit(Tile{Tree: g.tree, Level: level, Index: id.Index / TileWidth, Width: TileWidth}, g.rows[level])
			g.rows[level] = nil
		}
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTile, err)
	}
	return nil
}

// partials emits the partial tiles that changed since the tree had oldSize entries.
func (g *growth) partials(oldSize uint64, emit func(Tile, []Hash)) {
	size := g.rng.End()
	for level, row := range g.rows {
		shift := tileHeight * level
		if len(row) > 0 && size>>shift != oldSize>>shift {
			emit(Tile{Tree: g.tree, Level: level, Index: (size >> shift) / TileWidth, Width: len(row)}, row)
		}
	}
}

func (g *growth) root() Hash {
	return foldRoot(g.tree, g.rng.Hashes())
}

// edge is the whole log at its right edge: both trees and the entries of the last, partial bundle.
type edge struct {
	head   Head
	sm3    *growth
	twin   *growth
	bundle [][]byte
}

// openEdge reads the edge of the published log; c is its opened checkpoint, the zero value for an empty log.
func openEdge(ctx context.Context, f Fetcher, head Head, c Checkpoint) (*edge, error) {
	e := &edge{head: head}
	if head.Size == 0 {
		c.Root, c.TwinRoot = Hash(sm3Hasher{}.EmptyRoot()), Hash(sha256Hasher{}.EmptyRoot())
	}
	var err error
	if e.sm3, err = newGrowth(ctx, f, SM3Tree, head.Size, c.Root); err != nil {
		return nil, err
	}
	if e.twin, err = newGrowth(ctx, f, SHA256Tree, head.Size, c.TwinRoot); err != nil {
		return nil, err
	}
	width := int(head.Size % TileWidth)
	if width == 0 {
		return e, nil
	}
	t := Tile{Tree: Entries, Index: head.Size / TileWidth, Width: width}
	data, err := fetchTile(ctx, f, t)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	if e.bundle, err = ParseBundle(data, width); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	for i, entry := range e.bundle {
		if LeafHash(entry) != e.sm3.rows[0][i] || Hash(sha256Hasher{}.HashLeaf(entry)) != e.twin.rows[0][i] {
			return nil, fmt.Errorf("%w: %s does not hold the entries of its leaves", ErrTile, t.Path())
		}
	}
	return e, nil
}

func (e *edge) clone() (*edge, error) {
	c := &edge{head: e.head, bundle: slices.Clone(e.bundle)}
	var err error
	if c.sm3, err = e.sm3.clone(); err != nil {
		return nil, err
	}
	c.twin, err = e.twin.clone()
	return c, err
}
