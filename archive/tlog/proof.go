package tlog

import (
	"bytes"
	"context"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
)

// MaxProof is the number of hashes in the longest proof that is read: a tree of 2^63 entries needs no more, and a
// consistency proof at most one more than an inclusion proof.
const MaxProof = 64

// ProveInclusion makes the inclusion proof of the entry at index in the tree of c, out of the tiles, and checks it
// against c's root before returning it: damaged tiles give [ErrTile], never a proof that does not hold.
func ProveInclusion(ctx context.Context, f Fetcher, c Checkpoint, index uint64) (leaf Hash, hashes []Hash, err error) {
	if index >= c.Size {
		return Hash{}, nil, fmt.Errorf("%w: index %d in a tree of size %d", ErrProof, index, c.Size)
	}
	n, err := proof.Inclusion(index, c.Size)
	if err != nil {
		return Hash{}, nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	r := newReader(f, SM3Tree, c.Size)
	if hashes, err = r.proof(ctx, n); err != nil {
		return Hash{}, nil, err
	}
	own, err := r.node(ctx, compact.NewNodeID(0, index))
	if err != nil {
		return Hash{}, nil, err
	}
	leaf = Hash(own)
	if err := verifyInclusion(leaf, index, hashes, c); err != nil {
		return Hash{}, nil, fmt.Errorf("%w: inclusion of %d", ErrTile, index)
	}
	return leaf, hashes, nil
}

// VerifyInclusion checks that entry stands at index in the tree of c. The error is [ErrProof] or nil.
func VerifyInclusion(entry []byte, index uint64, hashes []Hash, c Checkpoint) error {
	if len(entry) == 0 || len(entry) > MaxEntry {
		return fmt.Errorf("%w: entry of %d bytes", ErrProof, len(entry))
	}
	return verifyInclusion(LeafHash(entry), index, hashes, c)
}

func verifyInclusion(leaf Hash, index uint64, hashes []Hash, c Checkpoint) error {
	if err := proof.VerifyInclusion(sm3Hasher{}, index, c.Size, leaf[:], raw(hashes), c.Root[:]); err != nil {
		return fmt.Errorf("%w: entry %d in a tree of size %d", ErrProof, index, c.Size)
	}
	return nil
}

// ProveConsistency makes the proof that the tree of c begins with its own first oldSize entries, and gives the root that
// the old tree had. Damaged tiles give [ErrTile].
func ProveConsistency(ctx context.Context, f Fetcher, oldSize uint64, c Checkpoint) (oldRoot Hash, hashes []Hash, err error) {
	return proveConsistency(ctx, f, SM3Tree, oldSize, c.Size, c.Root)
}

func proveConsistency(ctx context.Context, f Fetcher, tree Tree, oldSize, size uint64, root Hash) (Hash, []Hash, error) {
	n, err := proof.Consistency(oldSize, size)
	if err != nil {
		return Hash{}, nil, fmt.Errorf("%w: %w", ErrStale, err)
	}
	r := newReader(f, tree, size)
	hashes, err := r.proof(ctx, n)
	if err != nil {
		return Hash{}, nil, err
	}
	oldRoot, err := r.root(ctx, oldSize)
	if err != nil {
		return Hash{}, nil, err
	}
	if oldSize == 0 { // nothing to prove: every tree extends the empty one
		return oldRoot, nil, nil
	}
	if err := proof.VerifyConsistency(tree.hasher(), oldSize, size, raw(hashes), oldRoot[:], root[:]); err != nil {
		return Hash{}, nil, fmt.Errorf("%w: consistency of %d with %d", ErrTile, oldSize, size)
	}
	return oldRoot, hashes, nil
}

// VerifyConsistency checks that the tree of c extends the tree of old. The error is [ErrStale] when c is shorter,
// [ErrFork] when both have one size and other roots, [ErrProof] when the proof does not hold, or nil.
func VerifyConsistency(old, c Checkpoint, hashes []Hash) error {
	switch {
	case old.Size > c.Size:
		return fmt.Errorf("%w: size %d after %d", ErrStale, c.Size, old.Size)
	case old.Size == c.Size && !old.SameTree(c):
		return fmt.Errorf("%w: two roots of size %d", ErrFork, c.Size)
	case old.Size == 0 && old.Root != Hash(sm3Hasher{}.EmptyRoot()):
		return fmt.Errorf("%w: root of an empty tree", ErrProof)
	}
	if err := proof.VerifyConsistency(sm3Hasher{}, old.Size, c.Size, raw(hashes), old.Root[:], c.Root[:]); err != nil {
		return fmt.Errorf("%w: size %d to %d", ErrProof, old.Size, c.Size)
	}
	return nil
}

// CheckExtends finds out, from the log's own files, whether the tree of now extends the tree of old, in both trees. A
// receipt whose checkpoint the published log does not extend is stale or forked, and this says which, with the reason:
//
//   - nil: it does.
//   - [ErrWrongLog]: they have different origins.
//   - [ErrStale]: now is shorter than old. The log was rolled back, or now is an old copy.
//   - [ErrFork]: the tree of now does not begin with the tree of old. Keep both signed notes: they prove it.
//   - [ErrTile]: the files do not belong to now, so nothing can be said.
//   - any other error: the files could not be read.
//
// Both checkpoints must have been opened with the log's key.
func CheckExtends(ctx context.Context, f Fetcher, old, now Checkpoint) error {
	switch {
	case old.Origin != now.Origin:
		return fmt.Errorf("%w: %s and %s", ErrWrongLog, old.Origin, now.Origin)
	case old.Size > now.Size:
		return fmt.Errorf("%w: its size is %d, the checkpoint's %d", ErrStale, now.Size, old.Size)
	case old.Size == now.Size && !old.SameTree(now):
		return fmt.Errorf("%w: two roots of size %d", ErrFork, now.Size)
	case old.Size == now.Size:
		return nil
	}
	for _, t := range [...]struct {
		tree     Tree
		old, now Hash
	}{{SM3Tree, old.Root, now.Root}, {SHA256Tree, old.TwinRoot, now.TwinRoot}} {
		root, _, err := proveConsistency(ctx, f, t.tree, old.Size, now.Size, t.now)
		if err != nil {
			return err
		}
		if root != t.old {
			return fmt.Errorf("%w: size %d had root %s, the published log has %s there", ErrFork, old.Size, t.old, root)
		}
	}
	return nil
}

// Extension proves that one tree extends another, in both trees.
type Extension struct{ SM3, SHA256 []Hash }

// ProveExtension makes the proof that c extends the tree that the log had at oldSize, in both trees. Damaged tiles give
// [ErrTile]; an old size beyond c gives [ErrStale].
func ProveExtension(ctx context.Context, f Fetcher, oldSize uint64, c Checkpoint) (x Extension, err error) {
	if _, x.SM3, err = proveConsistency(ctx, f, SM3Tree, oldSize, c.Size, c.Root); err != nil {
		return Extension{}, err
	}
	if _, x.SHA256, err = proveConsistency(ctx, f, SHA256Tree, oldSize, c.Size, c.TwinRoot); err != nil {
		return Extension{}, err
	}
	return x, nil
}

// VerifyExtension checks, in both trees, that c extends old. The error is that of [VerifyConsistency].
func VerifyExtension(old, c Checkpoint, x Extension) error {
	if err := VerifyConsistency(old, c, x.SM3); err != nil {
		return err
	}
	if old.Size == 0 && old.TwinRoot != Hash(sha256Hasher{}.EmptyRoot()) {
		return fmt.Errorf("%w: twin root of an empty tree", ErrProof)
	}
	if err := proof.VerifyConsistency(sha256Hasher{}, old.Size, c.Size, raw(x.SHA256), old.TwinRoot[:], c.TwinRoot[:]); err != nil {
		return fmt.Errorf("%w: twin tree, size %d to %d", ErrProof, old.Size, c.Size)
	}
	return nil
}

// EmptyTree is the checkpoint of a log without entries: what every tree extends.
func EmptyTree(origin string) Checkpoint {
	return Checkpoint{Origin: origin, Root: Hash(sm3Hasher{}.EmptyRoot()), TwinRoot: Hash(sha256Hasher{}.EmptyRoot())}
}

// proof reads the nodes of a proof and folds them into its final form.
func (r *reader) proof(ctx context.Context, n proof.Nodes) ([]Hash, error) {
	nodes, err := r.nodes(ctx, n.IDs)
	if err != nil {
		return nil, err
	}
	return rehash(n, nodes, r.tree)
}

func rehash(n proof.Nodes, nodes [][]byte, tree Tree) ([]Hash, error) {
	folded, err := n.Rehash(nodes, tree.hasher().HashChildren)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	hashes := make([]Hash, len(folded))
	for i, h := range folded {
		hashes[i] = Hash(bytes.Clone(h))
	}
	return hashes, nil
}

func raw(hashes []Hash) [][]byte {
	s := make([][]byte, len(hashes))
	for i := range hashes {
		s[i] = hashes[i][:]
	}
	return s
}
