package tlog_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/crypto/gm"
)

const origin = "hub.example/log"

// newKey makes a log key.
func newKey(t testing.TB, name string) (note.Signer, *tlog.Verifier) {
	t.Helper()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := tlog.NewSigner(name, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v, err := tlog.NewVerifier(name, key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// memTiles is a log folder in memory.
type memTiles struct {
	mu    sync.Mutex
	files map[string][]byte
}

func newMemTiles() *memTiles { return &memTiles{files: make(map[string][]byte)} }

func (m *memTiles) Fetch(_ context.Context, path string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[path]
	if !ok {
		return nil, fmt.Errorf("fetch %s: %w", path, fs.ErrNotExist)
	}
	return bytes.Clone(data), nil
}

func (m *memTiles) Put(_ context.Context, files []tlog.File) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range files {
		if have, ok := m.files[f.Path]; ok && !bytes.Equal(have, f.Data) {
			return fmt.Errorf("%w: %s", tlog.ErrTileConflict, f.Path)
		}
		m.files[f.Path] = bytes.Clone(f.Data)
	}
	return nil
}

func (m *memTiles) SetCheckpoint(_ context.Context, signed []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[tlog.CheckpointPath] = bytes.Clone(signed)
	return nil
}

func (m *memTiles) clone() *memTiles {
	c := newMemTiles()
	for k, v := range m.files {
		c.files[k] = bytes.Clone(v)
	}
	return c
}

// testLog is a log with everything at hand.
type testLog struct {
	queue    *tlogtest.Memory
	tiles    *memTiles
	signer   note.Signer
	verifier *tlog.Verifier
	seq      *tlog.Sequencer
	added    int
	notes    map[uint64][]byte // every published checkpoint by size
}

func newLog(t testing.TB) *testLog {
	t.Helper()
	l := &testLog{queue: tlogtest.NewMemory(), tiles: newMemTiles(), notes: make(map[uint64][]byte)}
	l.signer, l.verifier = newKey(t, origin)
	l.open(t)
	return l
}

func (l *testLog) config() tlog.Config {
	return tlog.Config{Queue: l.queue, Tiles: l.tiles, Signer: l.signer}
}

func (l *testLog) open(t testing.TB) {
	t.Helper()
	var err error
	if l.seq, err = tlog.Open(context.Background(), l.config()); err != nil {
		t.Fatal(err)
	}
}

func entryOf(i int) []byte { return []byte(fmt.Sprintf("entry %d of the log", i)) }

func (l *testLog) add(t testing.TB, n int) {
	t.Helper()
	for range n {
		if err := l.queue.Add(context.Background(), entryOf(l.added)); err != nil {
			t.Fatal(err)
		}
		l.added++
	}
}

// grow adds n entries and publishes them.
func (l *testLog) grow(t testing.TB, n int) tlog.Publication {
	t.Helper()
	l.add(t, n)
	p, err := l.seq.Integrate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Leaves) != n {
		t.Fatalf("published %d leaves, want %d", len(p.Leaves), n)
	}
	l.notes[p.Head.Size] = p.Head.Note
	return p
}

// checkpoint opens the published checkpoint file as an outsider.
func checkpoint(t testing.TB, f tlog.Fetcher, v *tlog.Verifier) tlog.Checkpoint {
	t.Helper()
	signed, err := f.Fetch(context.Background(), tlog.CheckpointPath)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tlog.OpenCheckpoint(signed, v)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verifyLog re-verifies the whole log from outside: signature, tiles, entries, both roots, and that it holds exactly the
// added entries in order.
func verifyLog(t testing.TB, f tlog.Fetcher, v *tlog.Verifier, want int) tlog.Checkpoint {
	t.Helper()
	c := checkpoint(t, f, v)
	if c.Size != uint64(want) {
		t.Fatalf("published size %d, want %d", c.Size, want)
	}
	err := tlog.Audit(context.Background(), f, c, func(i uint64, e []byte) error {
		if !bytes.Equal(e, entryOf(int(i))) {
			return fmt.Errorf("entry %d is %q", i, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error = %v, want %v", err, want)
	}
}

// cloneQueue copies the published part of a log's queue.
func cloneQueue(t testing.TB, l *testLog, size int) *tlogtest.Memory {
	t.Helper()
	ctx := context.Background()
	q := tlogtest.NewMemory()
	for i := range size {
		if err := q.Add(ctx, entryOf(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Assign(ctx, size); err != nil {
		t.Fatal(err)
	}
	head, err := l.queue.Published(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p := tlog.Publication{Head: head}
	for i := range size {
		placed, _, err := l.queue.Placed(ctx, uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		p.Leaves = append(p.Leaves, placed)
	}
	if err := q.Publish(ctx, p); err != nil {
		t.Fatal(err)
	}
	return q
}
