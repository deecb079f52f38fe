package fsck_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"yinxin/archive/fsck"
	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

func check(t *testing.T, l *tlogtest.Log, o fsck.Options) *fsck.Report {
	t.Helper()
	o.Keys = []*tlog.Verifier{l.Key}
	r, err := fsck.Check(t.Context(), fsck.Files(l.Files), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newLog(t *testing.T, batches ...int) *tlogtest.Log {
	t.Helper()
	l := tlogtest.NewLog(t, "hub.example/log")
	l.Grow(t, "entry", batches...)
	return l
}

func TestSoundLog(t *testing.T) {
	t.Parallel()
	for _, batches := range [][]int{{1}, {255, 1}, {256}, {300, 700, 1}, {1000, 1000}} {
		l, seen := newLog(t, batches...), map[string][]byte{}
		for size, note := range l.Notes {
			seen[fmt.Sprint(size)] = note
		}
		r := check(t, l, fsck.Options{Seen: seen, Paths: l.Files.Paths()})
		if len(r.Findings) != 0 {
			t.Errorf("%v: %+v", batches, r.Findings)
		}
		if r.Bytes == 0 || r.Size == 0 {
			t.Errorf("%v: nothing was read: %+v", batches, r)
		}
	}
}

// TestEveryFlipIsFound: 200 single-byte flips anywhere in the log's files, one at a time, and each names its file.
func TestEveryFlipIsFound(t *testing.T) {
	t.Parallel()
	l := newLog(t, 300, 700, 23)
	in := slices.DeleteFunc(l.Files.Paths(), func(p string) bool { return p == tlog.CheckpointPath })
	for i := range 200 {
		seed := gm.SM3([]byte("flip"), []byte{byte(i)}) // the same places in every run
		path := in[int(seed[0])%len(in)]
		sound := l.Files.Get(path)
		flipped := bytes.Clone(sound)
		at := int(binary.BigEndian.Uint32(seed[4:])) % len(flipped)
		flipped[at] ^= 1 << (seed[8] % 8)
		l.Files.Set(path, flipped)
		r := check(t, l, fsck.Options{Paths: l.Files.Paths()})
		if !slices.ContainsFunc(r.Findings, func(f fsck.Finding) bool { return f.Path == path }) {
			t.Errorf("byte %d of %s was flipped: %+v", at, path, r.Findings)
		}
		l.Files.Set(path, sound)
	}
	if r := check(t, l, fsck.Options{Paths: l.Files.Paths()}); len(r.Findings) != 0 {
		t.Errorf("afterwards: %+v", r.Findings)
	}
}

// TestDamage: every way of L-06 to damage a log, by name.
func TestDamage(t *testing.T) {
	t.Parallel()
	change := func(path string, how func([]byte) []byte) func(*tlogtest.Log) {
		return func(l *tlogtest.Log) { l.Files.Set(path, how(l.Files.Get(path))) }
	}
	gone := func([]byte) []byte { return nil }
	cut := func(b []byte) []byte { return b[:100] }
	for _, tt := range []struct {
		name   string
		damage func(*tlogtest.Log)
		path   string
		want   verdict.Reason
	}{
		{"a tile is gone", change("tile/0/001", gone), "tile/0/001", verdict.MissingEntry},
		{"a bundle is gone", change("tile/entries/000", gone), "tile/entries/000", verdict.MissingEntry},
		{"a tile is cut", change("sha256/tile/0/000", cut), "sha256/tile/0/000", verdict.Proof},
		{"a bundle is cut", change("tile/entries/001", cut), "tile/entries/001", verdict.Proof},
		{"bytes after a bundle", change("tile/entries/001", func(b []byte) []byte { return append(b, 0) }), "tile/entries/001", verdict.Proof},
		{"leaves change places", change("tile/0/000", func(b []byte) []byte {
			return slices.Concat(b[:96], b[128:160], b[96:128], b[160:])
		}), "tile/0/000", verdict.Proof},
		{"an upper tile", change("tile/1/000.p/2", func(b []byte) []byte { b[40] ^= 1; return b }), "tile/1/000.p/2", verdict.Proof},
		{"a stale partial tile", change("tile/0/002.p/7", func([]byte) []byte {
			return bytes.Repeat([]byte{7}, 7*tlog.HashSize)
		}), "tile/0/002.p/7", verdict.Proof},
		{"a file beyond the end", change("tile/0/003", func([]byte) []byte { return make([]byte, 8192) }), "tile/0/003", verdict.Uncovered},
		{"a file of another kind", change("tile/notes.txt", func([]byte) []byte { return []byte{1} }), "tile/notes.txt", verdict.Uncovered},
		{"the checkpoint of another name", change(tlog.CheckpointPath, func(b []byte) []byte {
			return bytes.Replace(b, []byte("hub."), []byte("bub."), 1)
		}), tlog.CheckpointPath, verdict.WrongLog},
		{"the checkpoint of another size", change(tlog.CheckpointPath, func(b []byte) []byte {
			return bytes.Replace(b, []byte("\n600\n"), []byte("\n500\n"), 1)
		}), tlog.CheckpointPath, verdict.CheckpointSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t, 100, 500)
			tt.damage(l)
			r := check(t, l, fsck.Options{Paths: l.Files.Paths()})
			if !slices.ContainsFunc(r.Findings, func(f fsck.Finding) bool { return f.Path == tt.path && f.Reason == tt.want }) {
				t.Errorf("want %s %s, got %+v", tt.path, tt.want, r.Findings)
			}
		})
	}
}

// TestHistories: older checkpoints show that a log was rolled back or shows another history, and that it is another log.
func TestHistories(t *testing.T) {
	t.Parallel()
	l := newLog(t, 300, 300)
	fork := l.Twin(t)
	fork.Grow(t, "other", 300, 300, 50)
	stranger := newLog(t, 10)
	r := check(t, l, fsck.Options{Seen: map[string][]byte{
		"early": l.Notes[300], "same": l.Notes[600],
		"forked": fork.Notes[300], "forked-now": fork.Notes[600], "ahead": fork.Notes[650],
		"strange": stranger.Notes[10], "torn": []byte("no note"),
	}})
	got := map[string]verdict.Reason{}
	for _, f := range r.Findings {
		got[f.Path] = f.Reason
	}
	want := map[string]verdict.Reason{
		"forked": verdict.Fork, "forked-now": verdict.Fork, "ahead": verdict.Stale, "strange": verdict.WrongLog, "torn": verdict.Malformed,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEntriesAreJudged(t *testing.T) {
	t.Parallel()
	l := newLog(t, 300)
	r := check(t, l, fsck.Options{Entry: func(index uint64, _ []byte) (verdict.Reason, string) {
		if index == 299 {
			return verdict.Malformed, "no evidence"
		}
		return "", ""
	}})
	if len(r.Findings) != 1 || r.Findings[0].Path != "entry 299" {
		t.Errorf("%+v", r.Findings)
	}
}

// TestEntryTwice: two indexes for one entry are a finding, however well the tree is made.
func TestEntryTwice(t *testing.T) {
	t.Parallel()
	l := newLog(t, 1)
	l.Append(t, "a", "b", "a")
	if r := check(t, l, fsck.Options{}); len(r.Findings) != 1 || r.Findings[0].Reason != verdict.DuplicateEntry || r.Findings[0].Path != "entry 3" {
		t.Errorf("%+v", r.Findings)
	}
}

// away is a log that cannot be reached.
type away struct{ fsck.Fetcher }

var errAway = errors.New("the line is dead")

func (away) Tile(context.Context, tlog.Tile) ([]byte, error) { return nil, errAway }

func TestUnreachableIsNoVerdict(t *testing.T) {
	t.Parallel()
	l := newLog(t, 300)
	_, err := fsck.Check(t.Context(), away{fsck.Files(l.Files)}, fsck.Options{Keys: []*tlog.Verifier{l.Key}})
	if !errors.Is(err, errAway) {
		t.Errorf("%v", err)
	}
}
