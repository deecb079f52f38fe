package tlog_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	stdtlog "golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
)

// naiveRoot is RFC 6962 section 2.1 word for word.
func naiveRoot(hash func(...[]byte) [32]byte, leaves [][]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return hash()
	case 1:
		return hash([]byte{0}, leaves[0])
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, r := naiveRoot(hash, leaves[:k]), naiveRoot(hash, leaves[k:])
	return hash([]byte{1}, l[:], r[:])
}

func sha256Of(parts ...[]byte) [32]byte { return sha256.Sum256(bytes.Join(parts, nil)) }

func entries(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = entryOf(i)
	}
	return all
}

func TestRootsAreThoseOfRFC6962(t *testing.T) {
	l := newLog(t)
	total := 0
	for _, n := range []int{1, 1, 1, 2, 3, 56, 192, 1, 255, 513} {
		p := l.grow(t, n)
		total += n
		want := [2][32]byte{naiveRoot(gm.SM3, entries(total)), naiveRoot(sha256Of, entries(total))}
		if got := [2][32]byte{p.Checkpoint.Root, p.Checkpoint.TwinRoot}; got != want {
			t.Fatalf("size %d: roots differ from the definition", total)
		}
		verifyLog(t, l.tiles, l.verifier, total)
	}
}

// The twin tree must be readable by a common tool: x/mod's own tlog reads our SHA-256 tiles and agrees.
func TestTwinTreeIsReadByAnIndependentImplementation(t *testing.T) {
	l := newLog(t)
	p := l.grow(t, 700)
	r := stdReader{l.tiles}
	tree := stdtlog.Tree{N: int64(p.Checkpoint.Size), Hash: stdtlog.Hash(p.Checkpoint.TwinRoot)}
	hashes := stdtlog.TileHashReader(tree, r)
	for _, i := range []int64{0, 255, 256, 511, 699} {
		proof, err := stdtlog.ProveRecord(tree.N, i, hashes)
		if err != nil {
			t.Fatal(err)
		}
		if err := stdtlog.CheckRecord(proof, tree.N, tree.Hash, i, stdtlog.RecordHash(entryOf(int(i)))); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}

type stdReader struct{ f tlog.Fetcher }

func (stdReader) Height() int                        { return 8 }
func (stdReader) SaveTiles([]stdtlog.Tile, [][]byte) {}
func (r stdReader) ReadTiles(tiles []stdtlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		own := tlog.Tile{Tree: tlog.SHA256Tree, Level: t.L, Index: uint64(t.N), Width: t.W}
		data, err := r.f.Fetch(context.Background(), own.Path())
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func TestEveryProofHoldsAndItsMutationsDoNot(t *testing.T) {
	ctx := context.Background()
	l := newLog(t)
	var placed []tlog.Placed
	for _, n := range []int{1, 2, 4, 250, 43} {
		placed = append(slices.Clip(placed), l.grow(t, n).Leaves...)
	}
	c := verifyLog(t, l.tiles, l.verifier, 300)
	for _, i := range []uint64{0, 1, 6, 255, 256, 257, 299} {
		_, hashes, err := tlog.ProveInclusion(ctx, l.tiles, c, i)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.VerifyInclusion(entryOf(int(i)), i, hashes, c); err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		e, err := tlog.ReadEntry(ctx, l.tiles, c, i)
		if err != nil || !bytes.Equal(e, entryOf(int(i))) {
			t.Fatalf("ReadEntry(%d) = %q, %v", i, e, err)
		}
	}
	// The proofs made in memory at publication are those that the tiles give.
	last := placed[len(placed)-1]
	_, hashes, err := tlog.ProveInclusion(ctx, l.tiles, c, last.Index)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(hashes, last.Proof); d != "" {
		t.Fatal(d)
	}

	const at = 270
	_, good, err := tlog.ProveInclusion(ctx, l.tiles, c, at)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]tlog.Hash(nil), good...)
	flipped[1][5] ^= 1
	swapped := append([]tlog.Hash(nil), good...)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	node := bytes.Join([][]byte{good[0][:], good[1][:]}, nil) // a node's preimage offered as a leaf
	other := c
	other.Root[0] ^= 1
	shorter := c
	shorter.Size = at
	twinAsSM3 := c
	twinAsSM3.Root = c.TwinRoot
	for _, m := range []struct {
		name   string
		entry  []byte
		index  uint64
		hashes []tlog.Hash
		c      tlog.Checkpoint
	}{
		{"extra hash", entryOf(at), at, append(append([]tlog.Hash(nil), good...), tlog.Hash{}), c},
		{"missing hash", entryOf(at), at, good[:len(good)-1], c},
		{"no hash", entryOf(at), at, nil, c},
		{"flipped hash", entryOf(at), at, flipped, c},
		{"reordered hashes", entryOf(at), at, swapped, c},
		{"wrong index", entryOf(at), at + 1, good, c},
		{"index beyond size", entryOf(at), 300, good, c},
		{"index at a shorter tree's size", entryOf(at), at, good, shorter},
		{"size 0", entryOf(at), 0, nil, tlog.Checkpoint{Origin: origin, Root: c.Root}},
		{"other entry", entryOf(at + 1), at, good, c},
		{"node as leaf", node, at, good[1:], c},
		{"empty entry", nil, at, good, c},
		{"other root", entryOf(at), at, good, other},
		{"SHA-256 root for SM3", entryOf(at), at, good, twinAsSM3},
	} {
		t.Run(m.name, func(t *testing.T) {
			wantError(t, tlog.VerifyInclusion(m.entry, m.index, m.hashes, m.c), tlog.ErrProof)
		})
	}
}

func TestConsistency(t *testing.T) {
	ctx := context.Background()
	l := newLog(t)
	var olds []tlog.Checkpoint
	for _, n := range []int{1, 2, 61, 192, 3, 300} {
		olds = append(olds, l.grow(t, n).Checkpoint)
	}
	now := olds[len(olds)-1]
	for _, old := range olds {
		root, hashes, err := tlog.ProveConsistency(ctx, l.tiles, old.Size, now)
		if err != nil {
			t.Fatal(err)
		}
		if root != old.Root {
			t.Fatalf("old root of size %d differs", old.Size)
		}
		if err := tlog.VerifyConsistency(old, now, hashes); err != nil {
			t.Fatalf("size %d: %v", old.Size, err)
		}
		if err := tlog.CheckExtends(ctx, l.tiles, old, now); err != nil {
			t.Fatalf("size %d: %v", old.Size, err)
		}
	}
	old := olds[2]
	_, hashes, err := tlog.ProveConsistency(ctx, l.tiles, old.Size, now)
	if err != nil {
		t.Fatal(err)
	}
	forked := old
	forked.Root[3] ^= 1
	twinForked := old
	twinForked.TwinRoot[3] ^= 1
	elsewhere := old
	elsewhere.Origin = "other.example/log"
	sameSize := now
	sameSize.Root[0] ^= 1
	wantError(t, tlog.VerifyConsistency(forked, now, hashes), tlog.ErrProof)
	wantError(t, tlog.VerifyConsistency(old, now, hashes[1:]), tlog.ErrProof)
	wantError(t, tlog.VerifyConsistency(old, now, append(hashes, tlog.Hash{})), tlog.ErrProof)
	wantError(t, tlog.VerifyConsistency(now, old, hashes), tlog.ErrStale)
	wantError(t, tlog.VerifyConsistency(sameSize, now, nil), tlog.ErrFork)
	wantError(t, tlog.CheckExtends(ctx, l.tiles, forked, now), tlog.ErrFork)
	wantError(t, tlog.CheckExtends(ctx, l.tiles, twinForked, now), tlog.ErrFork)
	wantError(t, tlog.CheckExtends(ctx, l.tiles, sameSize, now), tlog.ErrFork)
	wantError(t, tlog.CheckExtends(ctx, l.tiles, now, old), tlog.ErrStale)
	wantError(t, tlog.CheckExtends(ctx, l.tiles, elsewhere, now), tlog.ErrWrongLog)
}

// A second log under the same name and key with other entries: its receipts do not extend ours.
func TestCheckExtendsFindsASplitView(t *testing.T) {
	ctx := context.Background()
	l := newLog(t)
	l.grow(t, 5)
	fork := &testLog{queue: l.queue, tiles: l.tiles.clone(), signer: l.signer, verifier: l.verifier}
	fork.queue = cloneQueue(t, l, 5)
	fork.notes = map[uint64][]byte{}
	fork.open(t)
	if err := fork.queue.Add(ctx, []byte("shown to one reader only")); err != nil {
		t.Fatal(err)
	}
	fp, err := fork.seq.Integrate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l.grow(t, 1)
	mine := checkpoint(t, l.tiles, l.verifier)
	wantError(t, tlog.CheckExtends(ctx, l.tiles, fp.Checkpoint, mine), tlog.ErrFork)
	l.grow(t, 10)
	wantError(t, tlog.CheckExtends(ctx, l.tiles, fp.Checkpoint, checkpoint(t, l.tiles, l.verifier)), tlog.ErrFork)
}

func TestTamperedFilesAreFound(t *testing.T) {
	ctx := context.Background()
	l := newLog(t)
	l.grow(t, 300)
	c := verifyLog(t, l.tiles, l.verifier, 300)
	for path := range l.tiles.files {
		if path == tlog.CheckpointPath {
			continue
		}
		tampered := l.tiles.clone()
		tampered.files[path][len(tampered.files[path])/2] ^= 1
		wantError(t, tlog.Audit(ctx, tampered, c, nil), tlog.ErrTile)
		cut := l.tiles.clone()
		cut.files[path] = cut.files[path][:len(cut.files[path])-1]
		wantError(t, tlog.Audit(ctx, cut, c, nil), tlog.ErrTile)
	}
	// A proof out of a damaged tile is an error, never a proof that does not hold.
	damaged := l.tiles.clone()
	damaged.files["tile/0/000"][40] ^= 1
	_, _, err := tlog.ProveInclusion(ctx, damaged, c, 0)
	wantError(t, err, tlog.ErrTile)
	_, _, err = tlog.ProveConsistency(ctx, damaged, 3, c)
	wantError(t, err, tlog.ErrTile)
	reordered := l.tiles.clone()
	b := reordered.files["tile/entries/001.p/44"]
	size := len(b) / 44 // all entries of this bundle have one length
	swapped := append(append(append([]byte(nil), b[size:2*size]...), b[:size]...), b[2*size:]...)
	reordered.files["tile/entries/001.p/44"] = swapped
	wantError(t, tlog.Audit(ctx, reordered, c, nil), tlog.ErrTile)
}

func TestPartialTilesGiveWayToFullOnes(t *testing.T) {
	ctx := context.Background()
	dir, err := tlog.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := newLog(t)
	old := l.grow(t, 200).Checkpoint
	l.grow(t, 100)
	for path, data := range l.tiles.files {
		if path == tlog.CheckpointPath {
			continue
		}
		if err := dir.Put(ctx, []tlog.File{{Path: path, Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	full := []tlog.File{{Path: "tile/0/000", Data: l.tiles.files["tile/0/000"]}, {Path: "tile/entries/000", Data: l.tiles.files["tile/entries/000"]}}
	if err := dir.Put(ctx, full); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Fetch(ctx, "tile/0/000.p/200"); err == nil {
		t.Fatal("the partial tile is still there")
	}
	_, hashes, err := tlog.ProveInclusion(ctx, dir, old, 17)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.VerifyInclusion(entryOf(17), 17, hashes, old); err != nil {
		t.Fatal(err)
	}
	if e, err := tlog.ReadEntry(ctx, dir, old, 199); err != nil || !bytes.Equal(e, entryOf(199)) {
		t.Fatalf("entry 199 = %q, %v", e, err)
	}
}

func TestTilePaths(t *testing.T) {
	for _, c := range []struct {
		tile tlog.Tile
		path string
	}{
		{tlog.Tile{Width: 256}, "tile/0/000"},
		{tlog.Tile{Width: 12}, "tile/0/000.p/12"},
		{tlog.Tile{Index: 1234067, Width: 256}, "tile/0/x001/x234/067"},
		{tlog.Tile{Level: 7, Index: 999, Width: 1}, "tile/7/999.p/1"},
		{tlog.Tile{Tree: tlog.Entries, Index: 1000, Width: 255}, "tile/entries/x001/000.p/255"},
		{tlog.Tile{Tree: tlog.SHA256Tree, Level: 1, Index: 2, Width: 256}, "sha256/tile/1/002"},
	} {
		if got := c.tile.Path(); got != c.path {
			t.Errorf("%+v: path %s, want %s", c.tile, got, c.path)
		}
		if got, err := tlog.ParseTile(c.path); err != nil || got != c.tile {
			t.Errorf("%s: %+v, %v", c.path, got, err)
		}
	}
	for _, bad := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/8/000", "tile/63/000",
		"tile/00/000", "tile/-1/000", "tile/0/x000/001", "tile/0/001/000", "tile/0/x1/000", "tile/0/000.p/0",
		"tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "sha256/tile/entries/000",
		"tile/0/../0/000", "/tile/0/000", "tile/0/000/", "tile/0/+01", "tile//000", "checkpoint",
		"tile/0/" + strings.Repeat("x999/", 40) + "999",
	} {
		if _, err := tlog.ParseTile(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestCheckpointTextAndKeys(t *testing.T) {
	signer, v := newKey(t, origin)
	c := tlog.Checkpoint{Origin: origin, Size: 12, Root: tlog.Hash{1}, TwinRoot: tlog.Hash{2}}
	signed, err := tlog.SignCheckpoint(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tlog.OpenCheckpoint(signed, v)
	if err != nil || !cmp.Equal(got, c) {
		t.Fatalf("got %+v, %v", got, err)
	}
	again, err := tlog.ParseVerifier(v.String() + "\n")
	if err != nil || again.String() != v.String() || again.KeyHash() != v.KeyHash() {
		t.Fatalf("key text does not read back: %v", err)
	}
	text := string(signed)
	_, stranger := newKey(t, origin)
	_, elsewhere := newKey(t, "other.example/log")
	line := text[strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1:]
	raw, _ := base64.StdEncoding.DecodeString(strings.Fields(line)[2])
	raw[10] ^= 1
	badLine := fmt.Sprintf("— %s %s\n", origin, base64.StdEncoding.EncodeToString(raw))
	decoy := fmt.Sprintf("— %s %s\n", "grease.example", base64.StdEncoding.EncodeToString([]byte("12345")))
	for _, m := range []struct {
		name string
		text string
		keys []note.Verifier
		want error
	}{
		{"as it is", text, []note.Verifier{v}, nil},
		{"unknown line beside it", text + decoy, []note.Verifier{stranger, v}, nil},
		{"signed by another key of the same name", text, []note.Verifier{stranger}, tlog.ErrWrongLog},
		{"key of another log", text, []note.Verifier{elsewhere}, tlog.ErrWrongLog},
		{"no key", text, nil, tlog.ErrWrongLog},
		{"forged line", strings.Replace(text, line, badLine, 1), []note.Verifier{v}, tlog.ErrSignature},
		{"the same key twice", text + badLine, []note.Verifier{v}, tlog.ErrMalformed},
		{"other size", strings.Replace(text, "\n12\n", "\n13\n", 1), []note.Verifier{v}, tlog.ErrSignature},
		{"size with a leading zero", strings.Replace(text, "\n12\n", "\n012\n", 1), []note.Verifier{v}, tlog.ErrMalformed},
		{"no twin root", strings.Replace(text, "sha256 ", "sha512 ", 1), []note.Verifier{v}, tlog.ErrMalformed},
		{"no signature", text[:strings.Index(text, "\n\n")+2], []note.Verifier{v}, tlog.ErrMalformed},
		{"carriage returns", strings.ReplaceAll(text, "\n", "\r\n"), []note.Verifier{v}, tlog.ErrMalformed},
		{"extension line", strings.Replace(text, "\n\n", "\nmore\n\n", 1), []note.Verifier{v}, tlog.ErrSignature},
		{"second twin root", strings.Replace(text, "\n\n", "\nsha256 x\n\n", 1), []note.Verifier{v}, tlog.ErrMalformed},
		{"empty", "", []note.Verifier{v}, tlog.ErrMalformed},
		{"too large", text + strings.Repeat(decoy, 2000), []note.Verifier{v}, tlog.ErrMalformed},
	} {
		t.Run(m.name, func(t *testing.T) {
			_, err := tlog.OpenCheckpoint([]byte(m.text), m.keys...)
			if m.want == nil && err != nil {
				t.Fatal(err)
			}
			if m.want != nil {
				wantError(t, err, m.want)
				if r, ok := tlog.ReasonOf(err); !ok || !r.Known() {
					t.Fatalf("no reason for %v", err)
				}
			}
		})
	}
	key := v.String()
	for _, bad := range []string{
		"", "x", "a+b", strings.Replace(key, "+", "+0", 1), strings.ToUpper(key), key + "=", key[:len(key)-2],
		"other" + key, "a+00000001+AQ==", strings.Replace(key, origin, "with space", 1), strings.Repeat("x", 2000),
	} {
		if _, err := tlog.ParseVerifier(bad); err == nil {
			t.Errorf("key %q was accepted", bad)
		}
	}
	if _, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: "a b", Size: 1}, signer); err == nil {
		t.Error("signed a checkpoint of another origin")
	}
}

// A log that grows in any batches is the same log.
func TestBatchesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 90), 1, 8).Draw(r, "batches")
		total := 0
		for _, n := range sizes {
			total += n
		}
		one, many := newLog(t), newLog(t)
		whole := one.grow(t, total)
		var last tlog.Publication
		for i, n := range sizes {
			if i%3 == 2 {
				many.open(t) // a restart in between
			}
			last = many.grow(t, n)
		}
		if !whole.Checkpoint.SameTree(last.Checkpoint) {
			r.Fatalf("batches %v give another tree", sizes)
		}
		verifyLog(t, many.tiles, many.verifier, total)
	})
}
