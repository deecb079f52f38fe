package tlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"golang.org/x/mod/sumdb/note"
)

// Leaf is an entry with its place in the log.
type Leaf struct {
	Index uint64
	Entry []byte
}

// Head is the published state of a log as its [Queue] keeps it: the tree size and the signed checkpoint. The zero value
// is a log that has published nothing.
type Head struct {
	Size uint64
	Note []byte
}

// Placed is one entry of a publication: where it stands and the inclusion proof for the publication's own checkpoint.
// With the entry and the checkpoint it is a receipt, ready to be built once and stored.
type Placed struct {
	Index uint64
	Proof []Hash
}

// Publication makes the tree grow from Old entries to Head.Size.
type Publication struct {
	Old        uint64
	Head       Head
	Checkpoint Checkpoint // Head.Note, opened
	Leaves     []Placed   // one for every index in [Old, Head.Size), in order
}

// Queue is the durable side of sequencing, in the database that holds the entries.
type Queue interface {
	// Assign returns the leaves that follow the published ones: a run of indexes without a gap that begins at the
	// published size, at most limit of them. Leaves that have an index already come first and keep it for ever; then
	// pending entries, in the order of their commit, get the next indexes. On return every index in the answer is
	// durable. An entry that was given an index never changes.
	Assign(ctx context.Context, limit int) ([]Leaf, error)

	// Published returns the newest publication.
	Published(ctx context.Context) (Head, error)

	// Publish does, in one durable transaction and only if the published size is p.Old: sets the head to p.Head and
	// marks the entries [p.Old, p.Head.Size) as published, each with its proof. Else it changes nothing and returns
	// an error that wraps [ErrConflict]. After any other error the caller takes the outcome for unknown.
	Publish(ctx context.Context, p Publication) error
}

// File is one static file with its relative, slash-separated path.
type File struct {
	Path string
	Data []byte
}

// Tiles is the durable side of a log's static files.
type Tiles interface {
	Fetcher

	// Put stores tiles and bundles. When it returns nil, all are durable. A path that holds the same bytes already is
	// fine; one that holds other bytes is left alone and the error wraps [ErrTileConflict]. After an error any part
	// of the files may have been stored. Partial tiles may be dropped once the full one in their place is durable.
	Put(ctx context.Context, files []File) error

	// SetCheckpoint replaces the file at [CheckpointPath], atomically and durably.
	SetCheckpoint(ctx context.Context, signed []byte) error
}

// Config is what a [Sequencer] works with. All but BatchLimit is needed.
type Config struct {
	Queue    Queue
	Tiles    Tiles
	Signer   note.Signer     // the log's key; its name is the origin
	Verifier []note.Verifier // the log's keys, past ones too; nil means Signer's own, if it is made by NewSigner
	// BatchLimit is the largest number of entries under one checkpoint; 0 means DefaultBatch.
	BatchLimit int
	// Passive: Open compares queue, checkpoint file and tiles, and repairs nothing: for a look beside a sequencer at work.
	Passive bool
}

// DefaultBatch is the batch limit where none is set.
const DefaultBatch = 1024

// Sequencer integrates entries into the log, one batch after another:
//
//	1 assign indexes (durable)   2 compute the roots   3 write tiles (durable)   4 sign   5 publish by compare-and-swap
//
// and then replaces the checkpoint file, which only repeats what step 5 decided. It may die or fail anywhere: doing it
// again leads to the same tree. One Sequencer is used by one goroutine. A second Sequencer on the same log does no harm:
// one of them loses the compare-and-swap and stops with [ErrStopped].
type Sequencer struct {
	cfg     Config
	origin  string
	edge    *edge // nil: state unknown, reload before the next batch
	stopped error
}

// Open reads the state of the log and returns a sequencer that is ready to append. It needs no key. It fails with
// [ErrRollback], [ErrFork] or [ErrTile] when the queue, the published checkpoint file and the tiles do not fit together.
func Open(ctx context.Context, cfg Config) (*Sequencer, error) {
	if cfg.BatchLimit <= 0 {
		cfg.BatchLimit = DefaultBatch
	}
	if own, ok := cfg.Signer.(note.Verifier); ok && len(cfg.Verifier) == 0 {
		cfg.Verifier = []note.Verifier{own}
	}
	s := &Sequencer{cfg: cfg, origin: cfg.Signer.Name()}
	if err := s.reload(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Size is the published size that the sequencer last saw.
func (s *Sequencer) Size() uint64 {
	if s.edge == nil {
		return 0
	}
	return s.edge.head.Size
}

// reload takes the state from the queue and the tiles, compares it with the published checkpoint file, and repairs a
// file that is behind, as after a crash between steps 5 and 6.
func (s *Sequencer) reload(ctx context.Context) error {
	s.edge = nil
	head, err := s.cfg.Queue.Published(ctx)
	if err != nil {
		return fmt.Errorf("read published head: %w", err)
	}
	c := Checkpoint{Origin: s.origin}
	if head.Size > 0 || len(head.Note) > 0 {
		if c, err = OpenCheckpoint(head.Note, s.cfg.Verifier...); err != nil {
			return fmt.Errorf("open published checkpoint of size %d: %w", head.Size, err)
		}
		if c.Size != head.Size || c.Origin != s.origin {
			return fmt.Errorf("%w: published head says size %d, its checkpoint %s %d", ErrMalformed, head.Size, c.Origin, c.Size)
		}
	}
	behind, err := s.compareFile(ctx, head, c)
	if errors.Is(err, ErrRollback) {
		// Another sequencer may have published between the two looks.
		if now, again := s.cfg.Queue.Published(ctx); again == nil && now.Size > head.Size {
			return s.reload(ctx)
		}
	}
	if err != nil {
		return err
	}
	e, err := openEdge(ctx, s.cfg.Tiles, head, c)
	if err != nil {
		return fmt.Errorf("open log at size %d: %w", head.Size, err)
	}
	if behind && !s.cfg.Passive {
		if err := s.cfg.Tiles.SetCheckpoint(ctx, head.Note); err != nil {
			return fmt.Errorf("repair checkpoint file: %w", err)
		}
	}
	s.edge = e
	return nil
}

// compareFile holds the queue's head c against the checkpoint file, which lies elsewhere and so notices a restored
// database. It reports whether the file is behind.
func (s *Sequencer) compareFile(ctx context.Context, head Head, c Checkpoint) (behind bool, err error) {
	signed, err := s.cfg.Tiles.Fetch(ctx, CheckpointPath)
	if errors.Is(err, fs.ErrNotExist) {
		return head.Size > 0, nil
	}
	if err != nil {
		return false, fmt.Errorf("read checkpoint file: %w", err)
	}
	if bytes.Equal(signed, head.Note) {
		return false, nil
	}
	file, err := OpenCheckpoint(signed, s.cfg.Verifier...)
	if err != nil {
		return false, fmt.Errorf("open checkpoint file: %w", err)
	}
	if file.Size > head.Size {
		return false, fmt.Errorf("%w: queue at size %d, published file at %d", ErrRollback, head.Size, file.Size)
	}
	if err := CheckExtends(ctx, s.cfg.Tiles, file, c); err != nil {
		return false, fmt.Errorf("compare checkpoint file with the queue: %w", err)
	}
	return true, nil
}

// Integrate takes one batch through all steps and returns its publication; its Leaves are empty when there was nothing to
// do. After an error the next call reads the state anew and goes on where the durable state stands: entries are neither
// lost nor logged twice. [ErrStopped] is final.
func (s *Sequencer) Integrate(ctx context.Context) (Publication, error) {
	if s.stopped != nil {
		return Publication{}, s.stopped
	}
	if s.edge == nil {
		if err := s.reload(ctx); err != nil {
			return Publication{}, err
		}
	}
	p, err := s.integrate(ctx)
	if err != nil {
		s.edge = nil
		if errors.Is(err, ErrConflict) {
			s.stopped = fmt.Errorf("%w: %w", ErrStopped, err)
			return Publication{}, s.stopped
		}
		return Publication{}, err
	}
	return p, nil
}

func (s *Sequencer) integrate(ctx context.Context) (Publication, error) {
	leaves, err := s.cfg.Queue.Assign(ctx, s.cfg.BatchLimit)
	if err != nil {
		return Publication{}, fmt.Errorf("assign indexes: %w", err)
	}
	if len(leaves) == 0 {
		return Publication{}, nil
	}
	next, batch, err := s.compute(leaves)
	if err != nil {
		return Publication{}, err
	}
	if err := s.cfg.Tiles.Put(ctx, batch.files); err != nil {
		return Publication{}, fmt.Errorf("write tiles of size %d: %w", next.head.Size, err)
	}
	c := batch.checkpoint
	signed, err := SignCheckpoint(c, s.cfg.Signer)
	if err != nil {
		return Publication{}, err
	}
	if _, err := OpenCheckpoint(signed, s.cfg.Verifier...); err != nil {
		return Publication{}, fmt.Errorf("check own signature: %w", err)
	}
	next.head.Note = signed
	p := Publication{Old: s.edge.head.Size, Head: next.head, Checkpoint: c, Leaves: batch.placed}
	if err := s.cfg.Queue.Publish(ctx, p); err != nil {
		return Publication{}, fmt.Errorf("publish size %d: %w", c.Size, err)
	}
	s.edge = next
	if err := s.cfg.Tiles.SetCheckpoint(ctx, signed); err != nil {
		return Publication{}, fmt.Errorf("write checkpoint file of size %d: %w", c.Size, err)
	}
	return p, nil
}

// batch is what computing one batch gives.
type batch struct {
	checkpoint Checkpoint
	files      []File
	placed     []Placed
}

// compute appends leaves to a copy of the edge, without touching anything durable.
func (s *Sequencer) compute(leaves []Leaf) (*edge, batch, error) {
	old := s.edge.head.Size
	e, err := s.edge.clone()
	if err != nil {
		return nil, batch{}, err
	}
	var b batch
	emit := func(t Tile, row []Hash) { b.files = append(b.files, File{Path: t.Path(), Data: marshalHashes(row)}) }
	known := make(map[compact.NodeID][]byte, 2*len(leaves)+64)
	for i, id := range compact.RangeNodes(0, old, nil) {
		known[id] = s.edge.sm3.rng.Hashes()[i]
	}
	visit := func(id compact.NodeID, hash []byte) { known[id] = hash }
	for i, l := range leaves {
		if l.Index != old+uint64(i) {
			return nil, batch{}, fmt.Errorf("%w: index %d where %d is next", ErrEntry, l.Index, old+uint64(i))
		}
		if len(l.Entry) == 0 || len(l.Entry) > MaxEntry {
			return nil, batch{}, fmt.Errorf("%w: entry %d has %d bytes", ErrEntry, l.Index, len(l.Entry))
		}
		if err := e.sm3.append(sm3Hasher{}.HashLeaf(l.Entry), emit, visit); err != nil {
			return nil, batch{}, err
		}
		if err := e.twin.append(sha256Hasher{}.HashLeaf(l.Entry), emit, nil); err != nil {
			return nil, batch{}, err
		}
		if e.bundle = append(e.bundle, l.Entry); len(e.bundle) == TileWidth {
			b.bundle(e, Tile{Tree: Entries, Index: l.Index / TileWidth, Width: TileWidth})
			e.bundle = nil
		}
	}
	size := old + uint64(len(leaves))
	e.sm3.partials(old, emit)
	e.twin.partials(old, emit)
	if len(e.bundle) > 0 {
		b.bundle(e, Tile{Tree: Entries, Index: size / TileWidth, Width: len(e.bundle)})
	}
	e.head = Head{Size: size}
	b.checkpoint = Checkpoint{Origin: s.origin, Size: size, Root: e.sm3.root(), TwinRoot: e.twin.root()}
	b.placed, err = place(leaves, b.checkpoint, known)
	return e, b, err
}

func (b *batch) bundle(e *edge, t Tile) {
	b.files = append(b.files, File{Path: t.Path(), Data: marshalBundle(e.bundle)})
}

// place makes the proofs of a batch in memory: every sibling on the way of a new leaf is either a new node or one of the
// perfect subtrees of the old tree.
func place(leaves []Leaf, c Checkpoint, known map[compact.NodeID][]byte) ([]Placed, error) {
	placed := make([]Placed, len(leaves))
	for i, l := range leaves {
		n, err := proof.Inclusion(l.Index, c.Size)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrProof, err)
		}
		nodes := make([][]byte, len(n.IDs))
		for j, id := range n.IDs {
			if nodes[j] = known[id]; nodes[j] == nil {
				return nil, fmt.Errorf("%w: node %d/%d of entry %d", ErrProof, id.Level, id.Index, l.Index)
			}
		}
		hashes, err := rehash(n, nodes, SM3Tree)
		if err != nil {
			return nil, err
		}
		// The nodes are those that gave the root, so that one proof at each end tells whether the others hold too; a
		// receipt is checked again when it is composed.
		if i == 0 || i == len(leaves)-1 {
			if err := VerifyInclusion(l.Entry, l.Index, hashes, c); err != nil {
				return nil, err
			}
		}
		placed[i] = Placed{Index: l.Index, Proof: hashes}
	}
	return placed, nil
}

// Run integrates batch after batch until ctx ends or the sequencer stops for good ([ErrStopped]); it returns why. A value
// on wake says that there are entries; without one it looks every pause. Entries that arrive within gather after a wake
// go into the same batch. report, if not nil, is told of every batch that was published and every error; after an error
// Run waits for retry before it tries again.
func (s *Sequencer) Run(ctx context.Context, wake <-chan struct{}, t Timing, report func(Publication, error)) error {
	if report == nil {
		report = func(Publication, error) {}
	}
	for {
		p, err := s.Integrate(ctx)
		wait := t.Pause
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrStopped):
			report(p, err)
			return err
		case err != nil:
			report(p, err)
			wait = t.Retry
		case len(p.Leaves) > 0:
			report(p, nil)
			if len(p.Leaves) == s.cfg.BatchLimit {
				continue
			}
		}
		if err := sleep(ctx, wake, wait, t.Gather); err != nil {
			return err
		}
	}
}

// Timing says how long [Sequencer.Run] waits. The zero value is replaced by DefaultTiming.
type Timing struct {
	Gather time.Duration // after a wake, for company
	Pause  time.Duration // without a wake
	Retry  time.Duration // after an error
}

// DefaultTiming gives batches of about 5 ms.
func DefaultTiming() Timing {
	return Timing{Gather: 5 * time.Millisecond, Pause: time.Second, Retry: 250 * time.Millisecond}
}

func sleep(ctx context.Context, wake <-chan struct{}, wait, gather time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	case <-wake:
	}
	timer.Reset(gather)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
