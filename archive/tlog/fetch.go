package tlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/transparency-dev/merkle/compact"
)

// Fetcher reads a log's static files: from a folder, over HTTP, out of a package. It is all that a reader needs.
type Fetcher interface {
	// Fetch returns the whole file at path ([CheckpointPath] or a [Tile.Path]). The error wraps fs.ErrNotExist when
	// there is no such file. What comes back is not trusted: every reader checks it against a signed root.
	Fetch(ctx context.Context, path string) ([]byte, error)
}

// FetchTile reads the bytes of a tile; where a partial one is gone it takes the front of the full one, which replaced it.
func FetchTile(ctx context.Context, f Fetcher, t Tile) ([]byte, error) { return fetchTile(ctx, f, t) }

// TilesOf lists every tile of a log of the size: of both trees on every level, and of the entries.
func TilesOf(size uint64) []Tile {
	var tiles []Tile
	add := func(tree Tree, level int, n uint64) {
		for i := range n / TileWidth {
			tiles = append(tiles, Tile{Tree: tree, Level: level, Index: i, Width: TileWidth})
		}
		if rest := n % TileWidth; rest > 0 {
			tiles = append(tiles, Tile{Tree: tree, Level: level, Index: n / TileWidth, Width: int(rest)})
		}
	}
	for level, n := 0, size; n > 0; level, n = level+1, n/TileWidth {
		add(SM3Tree, level, n)
		add(SHA256Tree, level, n)
	}
	add(Entries, 0, size)
	return tiles
}

func fetchTile(ctx context.Context, f Fetcher, t Tile) ([]byte, error) {
	data, err := f.Fetch(ctx, t.Path())
	if err == nil || t.Width == TileWidth || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	whole, fullErr := f.Fetch(ctx, t.full().Path())
	if fullErr != nil {
		return nil, err
	}
	if t.Tree != Entries {
		if _, err := parseHashes(whole, TileWidth); err != nil {
			return nil, err
		}
		return whole[:t.Width*HashSize], nil
	}
	entries, err := ParseBundle(whole, TileWidth)
	if err != nil {
		return nil, err
	}
	return marshalBundle(entries[:t.Width]), nil
}

func fetchHashes(ctx context.Context, f Fetcher, t Tile) ([]Hash, error) {
	data, err := fetchTile(ctx, f, t)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	hashes, err := parseHashes(data, t.Width)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	return hashes, nil
}

// widthAt is the width of tile number index at the tile level in a tree of size entries; 0 where there is none.
func widthAt(size uint64, level int, index uint64) int {
	n := size >> (tileHeight * level) // hashes on this level
	if index > n/TileWidth {
		return 0
	}
	if index < n/TileWidth {
		return TileWidth
	}
	return int(n % TileWidth)
}

// reader gives node hashes of one tree of a given size, out of its tiles. A tile is fetched once.
type reader struct {
	f     Fetcher
	tree  Tree
	size  uint64
	tiles map[Tile][]Hash
}

func newReader(f Fetcher, tree Tree, size uint64) *reader {
	return &reader{f: f, tree: tree, size: size, tiles: make(map[Tile][]Hash)}
}

// node returns the hash of a complete subtree. The hash is as good as the tile: not yet proven.
func (r *reader) node(ctx context.Context, id compact.NodeID) ([]byte, error) {
	level := int(id.Level) / tileHeight
	shift := id.Level % tileHeight
	first := id.Index << shift // first hash of the subtree on the tile's bottom row
	t := Tile{Tree: r.tree, Level: level, Index: first / TileWidth}
	if t.Width = widthAt(r.size, level, t.Index); t.Width == 0 {
		return nil, fmt.Errorf("%w: node %d/%d is outside a tree of size %d", ErrProof, id.Level, id.Index, r.size)
	}
	row, ok := r.tiles[t]
	if !ok {
		var err error
		if row, err = fetchHashes(ctx, r.f, t); err != nil {
			return nil, err
		}
		r.tiles[t] = row
	}
	from := int(first % TileWidth)
	if from+1<<shift > len(row) {
		return nil, fmt.Errorf("%w: node %d/%d is not complete in a tree of size %d", ErrProof, id.Level, id.Index, r.size)
	}
	return subtree(r.tree, row[from:from+1<<shift]), nil
}

// subtree hashes a power-of-two row of nodes up to their common parent.
func subtree(tree Tree, row []Hash) []byte {
	if len(row) == 1 {
		h := row[0]
		return h[:]
	}
	half := len(row) / 2
	return tree.hasher().HashChildren(subtree(tree, row[:half]), subtree(tree, row[half:]))
}

// nodes reads many.
func (r *reader) nodes(ctx context.Context, ids []compact.NodeID) ([][]byte, error) {
	hashes := make([][]byte, 0, len(ids))
	for _, id := range ids {
		h, err := r.node(ctx, id)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// root computes the root of the first n entries out of the tiles.
func (r *reader) root(ctx context.Context, n uint64) (Hash, error) {
	hashes, err := r.nodes(ctx, compact.RangeNodes(0, n, nil))
	if err != nil {
		return Hash{}, err
	}
	return foldRoot(r.tree, hashes), nil
}

// foldRoot joins the roots of the perfect subtrees of a tree, from left to right, into its root.
func foldRoot(tree Tree, hashes [][]byte) Hash {
	h := tree.hasher()
	if len(hashes) == 0 {
		return Hash(h.EmptyRoot())
	}
	root := hashes[len(hashes)-1]
	for i := len(hashes) - 2; i >= 0; i-- {
		root = h.HashChildren(hashes[i], root)
	}
	return Hash(root)
}

// ReadEntry returns the entry at index of the tree that c describes. The caller proves it with [ProveInclusion].
func ReadEntry(ctx context.Context, f Fetcher, c Checkpoint, index uint64) ([]byte, error) {
	if index >= c.Size {
		return nil, fmt.Errorf("%w: index %d in a tree of size %d", ErrProof, index, c.Size)
	}
	t := Tile{Tree: Entries, Index: index / TileWidth, Width: widthAt(c.Size, 0, index/TileWidth)}
	data, err := fetchTile(ctx, f, t)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	entries, err := ParseBundle(data, t.Width)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	return entries[index%TileWidth], nil
}
