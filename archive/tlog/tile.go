package tlog

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// TileWidth is the number of hashes, or of entries, in a full tile (C2SP tlog-tiles: height 8).
const TileWidth = 256

// tileHeight is the number of tree levels that one tile spans.
const tileHeight = 8

// MaxLevel is the highest tile level of a tree with 64-bit indexes.
const MaxLevel = 7

// MaxEntry is the size of the largest entry, in bytes: its length is a 16-bit number in an entry bundle.
const MaxEntry = 65535

// MaxPath bounds the text that [ParseTile] looks at, in bytes.
const MaxPath = 128

// CheckpointPath is where the newest signed checkpoint lies.
const CheckpointPath = "checkpoint"

// Tree says what a tile holds.
type Tree int

// The three kinds of static files beside the checkpoint.
const (
	// SM3Tree is the log's own tree: tile/L/N.
	SM3Tree Tree = iota
	// SHA256Tree is the twin over the same leaves: sha256/tile/L/N.
	SHA256Tree
	// Entries are the leaves themselves: tile/entries/N, each a 16-bit big-endian length and the entry.
	Entries
)

// Tile names one static file: a full tile, or a partial one of Width hashes or entries.
type Tile struct {
	Tree  Tree
	Level int    // 0 is the leaves; always 0 for Entries
	Index uint64 // from the left, at this level
	Width int    // 1 to TileWidth; TileWidth is a full tile
}

// Path gives the tile's relative path, slash-separated: tile/0/x001/067, tile/entries/000.p/12, sha256/tile/1/000.p/3.
func (t Tile) Path() string {
	var b strings.Builder
	switch t.Tree {
	case Entries:
		b.WriteString("tile/entries/")
	case SHA256Tree:
		b.WriteString("sha256/tile/" + strconv.Itoa(t.Level) + "/")
	default:
		b.WriteString("tile/" + strconv.Itoa(t.Level) + "/")
	}
	b.WriteString(indexPath(t.Index))
	if t.Width != TileWidth {
		b.WriteString(".p/" + strconv.Itoa(t.Width))
	}
	return b.String()
}

// full is the complete tile in the same place.
func (t Tile) full() Tile { t.Width = TileWidth; return t }

// indexPath writes n in groups of three digits, all but the last prefixed with x.
func indexPath(n uint64) string {
	p := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		p = fmt.Sprintf("x%03d/%s", n%1000, p)
	}
	return p
}

// ParseTile reads a path as [Tile.Path] writes it. Every other spelling of the same tile is refused with [ErrMalformed],
// so a path that passes can be joined to a folder.
func ParseTile(path string) (Tile, error) {
	bad := fmt.Errorf("%w: tile path", ErrMalformed)
	if len(path) > MaxPath {
		return Tile{}, bad
	}
	t := Tile{Width: TileWidth}
	rest, twin := strings.CutPrefix(path, "sha256/")
	if twin {
		t.Tree = SHA256Tree
	}
	rest, ok := strings.CutPrefix(rest, "tile/")
	if !ok {
		return Tile{}, bad
	}
	level, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return Tile{}, bad
	}
	if level == "entries" && !twin {
		t.Tree = Entries
	} else if len(level) != 1 || level[0] < '0' || level[0] > '0'+MaxLevel {
		return Tile{}, bad
	} else {
		t.Level = int(level[0] - '0')
	}
	if number, width, partial := strings.Cut(rest, ".p/"); partial {
		w, err := strconv.Atoi(width)
		if err != nil || w < 1 || w >= TileWidth {
			return Tile{}, bad
		}
		rest, t.Width = number, w
	}
	digits := strings.ReplaceAll(strings.ReplaceAll(rest, "/", ""), "x", "")
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return Tile{}, bad
	}
	t.Index = n
	if t.Path() != path { // one spelling only
		return Tile{}, bad
	}
	return t, nil
}

// marshalHashes is the content of a hash tile.
func marshalHashes(hashes []Hash) []byte {
	b := make([]byte, 0, len(hashes)*HashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// parseHashes reads the content of a hash tile of exactly width hashes.
func parseHashes(data []byte, width int) ([]Hash, error) {
	if len(data) != width*HashSize {
		return nil, fmt.Errorf("%w: hash tile of %d bytes, want %d", ErrTile, len(data), width*HashSize)
	}
	hashes := make([]Hash, width)
	for i := range hashes {
		copy(hashes[i][:], data[i*HashSize:])
	}
	return hashes, nil
}

// marshalBundle is the content of an entry bundle.
func marshalBundle(entries [][]byte) []byte {
	size := 0
	for _, e := range entries {
		size += 2 + len(e)
	}
	b := make([]byte, 0, size)
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
		b = append(b, e...)
	}
	return b
}

// ParseBundle reads an entry bundle of exactly width entries. The entries share data's memory.
func ParseBundle(data []byte, width int) ([][]byte, error) {
	if width < 1 || width > TileWidth {
		return nil, fmt.Errorf("%w: bundle width %d", ErrTile, width)
	}
	entries := make([][]byte, 0, width)
	for len(entries) < width {
		if len(data) < 2 {
			return nil, fmt.Errorf("%w: bundle ends after %d of %d entries", ErrTile, len(entries), width)
		}
		n := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+n {
			return nil, fmt.Errorf("%w: bundle ends inside entry %d", ErrTile, len(entries))
		}
		entries = append(entries, data[2:2+n:2+n])
		data = data[2+n:]
	}
	if len(data) != 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last entry of a bundle", ErrTile, len(data))
	}
	return entries, nil
}
