// Package fsck verifies a whole evidence log from outside: from its public files and its key alone, without the database
// that made them. It reads every entry, computes both trees anew and holds every stored tile, the signed roots and every
// older checkpoint at hand against them.
//
// It promises to find every byte of the log that is not what the signed checkpoint covers, and to name the file: it goes on
// behind a damaged one. Where a bundle and a tile contradict each other, the file that both trees speak against is named.
// It does not promise that an entry is true, nor that others are shown the same log: for that it takes older checkpoints
// (from receipts, witnesses, mirrors) and says stale or fork.
package fsck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"yinxin/archive/tlog"
	"yinxin/verdict"
)

// Fetcher is what a log must let itself be asked. Errors wrap fs.ErrNotExist where there is no such file.
type Fetcher interface {
	// Checkpoint returns the newest signed checkpoint.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Tile returns the hashes of a tile of either tree.
	Tile(ctx context.Context, t tlog.Tile) ([]byte, error)
	// Bundle returns the entries of a bundle.
	Bundle(ctx context.Context, t tlog.Tile) ([]byte, error)
}

// Files is a log of static files, in a folder or over HTTP. Partial tiles that were replaced are read from the full ones.
func Files(f tlog.Fetcher) Fetcher { return files{f} }

type files struct{ f tlog.Fetcher }

func (f files) Checkpoint(ctx context.Context) ([]byte, error) {
	return f.f.Fetch(ctx, tlog.CheckpointPath)
}

func (f files) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	return tlog.FetchTile(ctx, f.f, t)
}

func (f files) Bundle(ctx context.Context, t tlog.Tile) ([]byte, error) {
	return tlog.FetchTile(ctx, f.f, t)
}

// Options of a check.
type Options struct {
	// Keys are the log's keys, past ones too.
	Keys []*tlog.Verifier
	// Seen are signed checkpoints that the log must extend, by a name for the report.
	Seen map[string][]byte
	// Entry, where set, judges one entry; a reason other than "" is a finding. It is called from several goroutines.
	Entry func(index uint64, entry []byte) (verdict.Reason, string)
	// Paths, where the log's files can be listed, are all of them: strays and stale partial tiles are found too.
	Paths []string
	// Workers read bundles side by side; zero means one a processor.
	Workers int
}

// Finding is one thing that is wrong.
type Finding struct {
	// Path is the file, or the name of an older checkpoint.
	Path   string         `json:"path"`
	Reason verdict.Reason `json:"reason"`
	Detail string         `json:"detail"`
}

// Report is what a check found. Without findings everything holds.
type Report struct {
	Origin   string    `json:"origin"`
	Size     uint64    `json:"size"`
	Root     string    `json:"root"`
	TwinRoot string    `json:"twin_root"`
	Tiles    int       `json:"tiles"`
	Bytes    int64     `json:"bytes"`
	Findings []Finding `json:"findings"`
	// Note is the signed checkpoint that the log was held against: with an older one it is the evidence of a fork.
	Note []byte `json:"-"`
}

// MaxFindings bounds a report; the check ends when it is reached.
const MaxFindings = 1000

var errEnough = errors.New("fsck: too many findings")

// Check verifies a log. The error is for what could not be looked at; what is wrong stands in the report.
func Check(ctx context.Context, f Fetcher, o Options) (*Report, error) {
	signed, err := f.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("check log: fetch checkpoint: %w", err)
	}
	k := &check{f: f, o: o, report: &Report{Note: signed, Findings: []Finding{}}}
	c, err := tlog.OpenCheckpoint(signed, tlog.Keys(o.Keys...)...)
	if reason, ok := tlog.ReasonOf(err); ok {
		k.find(tlog.CheckpointPath, reason, "%v", err)
		return k.report, nil
	}
	if err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	k.report.Origin, k.report.Size = c.Origin, c.Size
	k.report.Root, k.report.TwinRoot = c.Root.String(), c.TwinRoot.String()
	if err := k.run(ctx, c); err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("check log %s: %w", c.Origin, err)
	}
	slices.SortFunc(k.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Detail, b.Detail))
	})
	return k.report, nil
}

// check is one run. Findings and counts are shared by the workers.
type check struct {
	f  Fetcher
	o  Options
	mu sync.Mutex
	// report is guarded by mu, as are leaves.
	report *Report
	leaves []leaf
	// above are the hashes of the level above the bundles, by tree.
	above [2][]tlog.Hash
	edge  [2][tlog.MaxLevel + 1][]tlog.Hash
}

// leaf is the front of a leaf hash with its index: enough to find entries that stand twice.
type leaf struct {
	front [8]byte
	index uint64
}

var trees = [2]tlog.Tree{tlog.SM3Tree, tlog.SHA256Tree}

func (k *check) find(path string, reason verdict.Reason, format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.report.Findings) < MaxFindings {
		k.report.Findings = append(k.report.Findings, Finding{path, reason, fmt.Sprintf(format, args...)})
	}
}

func (k *check) full() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.report.Findings) >= MaxFindings
}

func (k *check) run(ctx context.Context, c tlog.Checkpoint) error {
	if err := k.bundles(ctx, c.Size); err != nil {
		return err
	}
	for i := range trees {
		if err := k.levels(ctx, i); err != nil {
			return err
		}
	}
	if root := tlog.SM3Tree.EdgeRoot(k.edge[0]); root != c.Root {
		k.find(tlog.CheckpointPath, verdict.Proof, "the entries have the root %s, the checkpoint %s", root, c.Root)
	}
	if root := tlog.SHA256Tree.EdgeRoot(k.edge[1]); root != c.TwinRoot {
		k.find(tlog.CheckpointPath, verdict.Proof, "the entries have the twin root %s, the checkpoint %s", root, c.TwinRoot)
	}
	k.doubles()
	if err := k.listed(ctx, c.Size); err != nil {
		return err
	}
	return k.seen(ctx, c)
}

// bundles reads all entries and the lowest tiles of both trees.
func (k *check) bundles(ctx context.Context, size uint64) error {
	full := size / tlog.TileWidth
	for i := range trees {
		k.above[i] = make([]tlog.Hash, full)
	}
	workers := k.o.Workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i := range (size + tlog.TileWidth - 1) / tlog.TileWidth {
		if ctx.Err() != nil {
			break
		}
		width := int(min(tlog.TileWidth, size-i*tlog.TileWidth))
		g.Go(func() error {
			if k.full() {
				return errEnough
			}
			return k.bundle(ctx, i, width)
		})
	}
	return g.Wait()
}

// bundle holds one bundle and its two tiles against each other.
func (k *check) bundle(ctx context.Context, index uint64, width int) error {
	t := tlog.Tile{Tree: tlog.Entries, Index: index, Width: width}
	entries, bad, err := k.entries(ctx, t)
	if err != nil {
		return err
	}
	var computed, stored, settled [2][]tlog.Hash
	wrong := [2]bool{}
	for i, tree := range trees {
		row := tlog.Tile{Tree: tree, Index: index, Width: width}
		if stored[i], wrong[i], err = k.hashes(ctx, row); err != nil {
			return err
		}
		for _, e := range entries {
			computed[i] = append(computed[i], tree.LeafHash(e))
		}
		wrong[i] = wrong[i] || !bad && !slices.Equal(stored[i], computed[i])
	}
	// Two trees that speak against one bundle: it is the bundle. Then, or where it cannot be read, the tiles stand in.
	if !bad && wrong[0] && wrong[1] && stored[0] != nil && stored[1] != nil {
		k.find(t.Path(), verdict.Proof, "the entries are not those of their leaves")
		bad, wrong = true, [2]bool{}
	}
	for i, tree := range trees {
		settled[i] = computed[i]
		switch {
		case bad && stored[i] != nil:
			settled[i] = stored[i]
		case bad:
			settled[i] = make([]tlog.Hash, width) // nothing is known: the root will say so too
		case wrong[i] && stored[i] != nil:
			k.find(tlog.Tile{Tree: tree, Index: index, Width: width}.Path(), verdict.Proof, "the hashes are not those of the entries")
		}
	}
	k.settle(index, width, settled)
	if bad {
		return nil
	}
	return k.judge(index, entries, settled[0])
}

// settle hands what is known of a row to the level above, or to the edge.
func (k *check) settle(index uint64, width int, rows [2][]tlog.Hash) {
	for i, tree := range trees {
		if width == tlog.TileWidth {
			k.above[i][index] = tree.Subtree(rows[i])
			continue
		}
		k.edge[i][0] = rows[i] // the one partial row: no other worker writes here
	}
}

// entries reads a bundle; bad says that it is missing or cannot be read as one.
func (k *check) entries(ctx context.Context, t tlog.Tile) (entries [][]byte, bad bool, err error) {
	data, err := k.f.Bundle(ctx, t)
	if damaged, err := k.damaged(t, data, err); damaged || err != nil {
		return nil, damaged, err
	}
	entries, err = tlog.ParseBundle(data, t.Width)
	if err != nil {
		k.find(t.Path(), verdict.Proof, "%v", err)
		return nil, true, nil
	}
	return entries, false, nil
}

// hashes reads a tile; what cannot be read is nil.
func (k *check) hashes(ctx context.Context, t tlog.Tile) (row []tlog.Hash, bad bool, err error) {
	data, err := k.f.Tile(ctx, t)
	if damaged, err := k.damaged(t, data, err); damaged || err != nil {
		return nil, damaged, err
	}
	if len(data) != t.Width*tlog.HashSize {
		k.find(t.Path(), verdict.Proof, "%d bytes, not %d", len(data), t.Width*tlog.HashSize)
		return nil, true, nil
	}
	row = make([]tlog.Hash, t.Width)
	for i := range row {
		copy(row[i][:], data[i*tlog.HashSize:])
	}
	return row, false, nil
}

// damaged counts what was read, and tells a file that is missing or no tile from a log that cannot be reached.
func (k *check) damaged(t tlog.Tile, data []byte, err error) (bool, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.find(t.Path(), verdict.MissingEntry, "there is no such file")
		return true, nil
	case errors.Is(err, tlog.ErrTile), errors.Is(err, tlog.ErrMalformed):
		k.find(t.Path(), verdict.Proof, "%v", err)
		return true, nil
	case err != nil:
		return false, fmt.Errorf("fetch %s: %w", t.Path(), err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.report.Tiles++
	k.report.Bytes += int64(len(data))
	return false, nil
}

// judge asks for the verdict on each entry and remembers its leaf.
func (k *check) judge(index uint64, entries [][]byte, hashes []tlog.Hash) error {
	own := make([]leaf, len(entries))
	for i, e := range entries {
		at := index*tlog.TileWidth + uint64(i)
		own[i] = leaf{[8]byte(hashes[i][:8]), at}
		if k.o.Entry == nil {
			continue
		}
		if reason, detail := k.o.Entry(at, e); reason != "" {
			k.find(fmt.Sprintf("entry %d", at), reason, "%s", detail)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.leaves = append(k.leaves, own...)
	return nil
}

// levels holds the tiles above the entries against what the entries give.
func (k *check) levels(ctx context.Context, i int) error {
	row := k.above[i]
	for level := 1; len(row) > 0; level++ {
		var above []tlog.Hash
		for from := 0; from < len(row); from += tlog.TileWidth {
			part := row[from:min(from+tlog.TileWidth, len(row))]
			t := tlog.Tile{Tree: trees[i], Level: level, Index: uint64(from / tlog.TileWidth), Width: len(part)}
			stored, bad, err := k.hashes(ctx, t)
			if err != nil {
				return err
			}
			if !bad && !slices.Equal(stored, part) {
				k.find(t.Path(), verdict.Proof, "the hashes are not those of the level below")
			}
			if len(part) == tlog.TileWidth {
				above = append(above, trees[i].Subtree(part))
			} else {
				k.edge[i][level] = part
			}
		}
		row = above
	}
	return nil
}

// doubles finds entries that stand twice: a sequencer never logs one entry at two places.
func (k *check) doubles() {
	slices.SortFunc(k.leaves, func(a, b leaf) int {
		return cmp.Or(slices.Compare(a.front[:], b.front[:]), cmp.Compare(a.index, b.index))
	})
	for i := 1; i < len(k.leaves); i++ {
		if a, b := k.leaves[i-1], k.leaves[i]; a.front == b.front {
			k.find(fmt.Sprintf("entry %d", b.index), verdict.DuplicateEntry, "it stands at %d already", a.index)
		}
	}
}
