package tlog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/internal/durable"
)

func TestMemoryQueueConforms(t *testing.T) {
	tlogtest.ExerciseQueue(t, func(*testing.T) tlogtest.Queue { return tlogtest.NewMemory() }, nil)
}

var errInjected = errors.New("injected fault")

// faults makes call number `at` fail, with the effect lost or applied.
type faults struct {
	at      int
	applied bool
	calls   int
	what    string // the call that failed
}

func (f *faults) around(what string, act func() error) error {
	f.calls++
	if f.calls != f.at {
		return act()
	}
	f.what = what
	if f.applied {
		if err := act(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", what, errInjected)
}

type faultyQueue struct {
	tlogtest.Queue
	f *faults
}

func (q faultyQueue) Assign(ctx context.Context, limit int) (leaves []tlog.Leaf, err error) {
	fault := q.f.around("assign", func() error { leaves, err = q.Queue.Assign(ctx, limit); return err })
	return leaves, fault
}

func (q faultyQueue) Published(ctx context.Context) (head tlog.Head, err error) {
	fault := q.f.around("published", func() error { head, err = q.Queue.Published(ctx); return err })
	return head, fault
}

func (q faultyQueue) Publish(ctx context.Context, p tlog.Publication) error {
	return q.f.around("publish", func() error { return q.Queue.Publish(ctx, p) })
}

type faultyTiles struct {
	tlog.Tiles
	f *faults
}

func (m faultyTiles) Fetch(ctx context.Context, path string) (data []byte, err error) {
	fault := m.f.around("fetch", func() error { data, err = m.Tiles.Fetch(ctx, path); return nil })
	if fault != nil {
		return nil, fault
	}
	return data, err
}

func (m faultyTiles) Put(ctx context.Context, files []tlog.File) error {
	return m.f.around("put", func() error {
		if !m.f.applied || m.f.calls != m.f.at {
			return m.Tiles.Put(ctx, files)
		}
		return m.Tiles.Put(ctx, files[:(len(files)+1)/2]) // applied in part: any subset may be there
	})
}

func (m faultyTiles) SetCheckpoint(ctx context.Context, signed []byte) error {
	return m.f.around("set checkpoint", func() error { return m.Tiles.SetCheckpoint(ctx, signed) })
}

type faultySigner struct {
	note.Signer
	f *faults
}

func (s faultySigner) Sign(msg []byte) (sig []byte, err error) {
	fault := s.f.around("sign", func() error { sig, err = s.Signer.Sign(msg); return err })
	return sig, fault
}

// TestEveryCallFailsBothWays makes each call of a run fail once, lost and applied, with the process going on or dying
// there; afterwards the log must hold every entry once, in order, and every checkpoint ever signed must be extended by it.
func TestEveryCallFailsBothWays(t *testing.T) {
	seen := map[string]bool{}
	for _, applied := range []bool{false, true} {
		for _, dies := range []bool{false, true} {
			for at := 1; ; at++ {
				what, calls := faultRun(t, &faults{at: at, applied: applied}, dies)
				if calls < at {
					break
				}
				seen[what] = true
			}
		}
	}
	for _, what := range []string{"assign", "published", "publish", "fetch", "put", "set checkpoint", "sign"} {
		if !seen[what] {
			t.Errorf("no fault was injected into %s", what)
		}
	}
}

func faultRun(t *testing.T, f *faults, dies bool) (what string, calls int) {
	t.Helper()
	ctx := context.Background()
	l := newLog(t)
	l.grow(t, 250)
	recorder := &recordingSigner{Signer: l.signer}
	cfg := tlog.Config{
		Queue: faultyQueue{l.queue, f}, Tiles: faultyTiles{l.tiles, f}, Signer: faultySigner{recorder, f},
		Verifier: []note.Verifier{l.verifier}, BatchLimit: 7,
	}
	var seq *tlog.Sequencer
	for range 8 {
		l.add(t, 3)
		if seq == nil {
			s, err := tlog.Open(ctx, cfg)
			if err != nil {
				wantError(t, err, errInjected)
				continue
			}
			seq = s
		}
		if _, err := seq.Integrate(ctx); err != nil {
			wantError(t, err, errInjected)
			if dies {
				seq = nil
			}
		}
	}
	l.open(t)
	for {
		p, err := l.seq.Integrate(ctx)
		if err != nil {
			t.Fatalf("fault %d (%s): %v", f.at, f.what, err)
		}
		if len(p.Leaves) == 0 {
			break
		}
	}
	c := verifyLog(t, l.tiles, l.verifier, l.added)
	for i := range uint64(l.added) {
		placed, ok, err := l.queue.Placed(ctx, i)
		if err != nil || !ok || placed.Index != i {
			t.Fatalf("fault %d (%s): entry %d is placed as %+v, %v, %v", f.at, f.what, i, placed, ok, err)
		}
	}
	// Nothing that was signed, published or not, may contradict the log: never two trees of one size.
	for _, signed := range recorder.signed {
		if err := tlog.CheckExtends(ctx, l.tiles, signed, c); err != nil {
			t.Fatalf("fault %d (%s): signed size %d: %v", f.at, f.what, signed.Size, err)
		}
	}
	return f.what, f.calls
}

type recordingSigner struct {
	note.Signer
	signed []tlog.Checkpoint
}

func (s *recordingSigner) Sign(msg []byte) ([]byte, error) {
	sig, err := s.Signer.Sign(msg)
	c, perr := tlog.ParseCheckpoint([]byte(string(msg) + "\n— x AAAAAAA=\n"))
	if perr != nil {
		return nil, perr
	}
	s.signed = append(s.signed, c)
	return sig, err
}

// TestEveryDiskStepFailsBothWays does the same one level down: each system call of the log folder fails once.
func TestEveryDiskStepFailsBothWays(t *testing.T) {
	for _, applied := range []bool{false, true} {
		for at := 1; ; at++ {
			f := &faults{at: at, applied: applied}
			if diskRun(t, f) < at {
				break
			}
		}
	}
}

func diskRun(t *testing.T, f *faults) int {
	t.Helper()
	ctx := context.Background()
	root := t.TempDir()
	hook := func(step durable.Step, _ string, act func() error) error {
		if step == durable.StepSync || step == durable.StepSyncDir {
			act = func() error { return nil } // no power is cut here, so the test need not wait for the device
		}
		return f.around(string(step), act)
	}
	q := tlogtest.NewMemory()
	signer, v := newKey(t, origin)
	added := 0
	var seq *tlog.Sequencer
	for range 3 {
		for range 100 {
			if err := q.Add(ctx, entryOf(added)); err != nil {
				t.Fatal(err)
			}
			added++
		}
		if seq == nil {
			// One folder writer at a time keeps the numbering of the steps stable enough to reach them all.
			dir, err := tlog.OpenDirOn(root, durable.Disk{Hook: locked(hook)})
			if err != nil {
				wantError(t, err, errInjected)
				continue
			}
			if seq, err = tlog.Open(ctx, tlog.Config{Queue: q, Tiles: dir, Signer: signer}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := seq.Integrate(ctx); err != nil {
			wantError(t, err, errInjected)
			seq = nil
		}
	}
	dir, err := tlog.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if seq, err = tlog.Open(ctx, tlog.Config{Queue: q, Tiles: dir, Signer: signer}); err != nil {
		t.Fatal(err)
	}
	if _, err := seq.Integrate(ctx); err != nil {
		t.Fatalf("step %d (%s): %v", f.at, f.what, err)
	}
	verifyLog(t, dir, v, added)
	return f.calls
}

// locked serialises a hook.
func locked(h durable.Hook) durable.Hook {
	turn := make(chan struct{}, 1)
	return func(step durable.Step, path string, act func() error) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		return h(step, path, act)
	}
}

func TestSecondSequencerLosesAndStops(t *testing.T) {
	ctx := context.Background()
	l := newLog(t)
	l.grow(t, 3)
	other, err := tlog.Open(ctx, l.config())
	if err != nil {
		t.Fatal(err)
	}
	// Both have read size 3. The first publishes 5; the second tries to, with the batch it was handed before.
	stale := &staleQueue{Memory: l.queue}
	l.add(t, 2)
	if stale.leaves, err = l.queue.Assign(ctx, 10); err != nil {
		t.Fatal(err)
	}
	second, err := tlog.Open(ctx, tlog.Config{Queue: stale, Tiles: l.tiles, Signer: l.signer})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Integrate(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = second.Integrate(ctx)
	wantError(t, err, tlog.ErrStopped)
	wantError(t, err, tlog.ErrConflict)
	l.add(t, 1)
	_, err = second.Integrate(ctx)
	wantError(t, err, tlog.ErrStopped)
	if _, err := other.Integrate(ctx); err != nil {
		t.Fatal(err)
	}
	verifyLog(t, l.tiles, l.verifier, 6)
}

type staleQueue struct {
	*tlogtest.Memory
	leaves []tlog.Leaf
}

func (q *staleQueue) Assign(context.Context, int) ([]tlog.Leaf, error) { return q.leaves, nil }

func TestOpenRefusesWhatDoesNotFitTogether(t *testing.T) {
	ctx := context.Background()
	l := newLog(t)
	old := l.grow(t, 260)
	l.grow(t, 40)
	open := func(q tlog.Queue, tiles tlog.Tiles) error {
		_, err := tlog.Open(ctx, tlog.Config{Queue: q, Tiles: tiles, Signer: l.signer})
		return err
	}
	if err := open(l.queue, l.tiles); err != nil {
		t.Fatal(err)
	}
	t.Run("restored database", func(t *testing.T) {
		q := cloneQueue(t, l, 300)
		q.Restore(old.Head)
		wantError(t, open(q, l.tiles), tlog.ErrRollback)
	})
	t.Run("empty database beside a published log", func(t *testing.T) {
		wantError(t, open(tlogtest.NewMemory(), l.tiles), tlog.ErrRollback)
	})
	t.Run("file of another history", func(t *testing.T) {
		tiles := l.tiles.clone()
		c := checkpoint(t, l.tiles, l.verifier)
		c.Root[0] ^= 1
		signed, err := tlog.SignCheckpoint(c, l.signer)
		if err != nil {
			t.Fatal(err)
		}
		tiles.files[tlog.CheckpointPath] = signed
		wantError(t, open(l.queue, tiles), tlog.ErrFork)
		c.Size = 259
		if signed, err = tlog.SignCheckpoint(c, l.signer); err != nil {
			t.Fatal(err)
		}
		tiles.files[tlog.CheckpointPath] = signed
		wantError(t, open(l.queue, tiles), tlog.ErrFork)
	})
	t.Run("file of another log", func(t *testing.T) {
		tiles := l.tiles.clone()
		stranger, _ := newKey(t, "other.example/log")
		signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: "other.example/log", Size: 1}, stranger)
		if err != nil {
			t.Fatal(err)
		}
		tiles.files[tlog.CheckpointPath] = signed
		wantError(t, open(l.queue, tiles), tlog.ErrWrongLog)
	})
	t.Run("damaged edge tile", func(t *testing.T) {
		for _, path := range []string{"tile/0/001.p/44", "tile/1/000.p/1", "sha256/tile/0/001.p/44", "tile/entries/001.p/44"} {
			tiles := l.tiles.clone()
			tiles.files[path][9] ^= 1
			wantError(t, open(l.queue, tiles), tlog.ErrTile)
		}
	})
	t.Run("file behind, as after a crash", func(t *testing.T) {
		tiles := l.tiles.clone()
		tiles.files[tlog.CheckpointPath] = old.Head.Note
		if err := open(l.queue, tiles); err != nil {
			t.Fatal(err)
		}
		if c := checkpoint(t, tiles, l.verifier); c.Size != 300 {
			t.Fatalf("checkpoint file of size %d was not repaired", c.Size)
		}
	})
}

// An entry that changed after it got its index meets its own tile.
func TestChangedEntryIsNeverSignedTwice(t *testing.T) {
	ctx := context.Background()
	l := newLog(t)
	f := &faults{}
	q := &swappingQueue{Memory: l.queue}
	seq, err := tlog.Open(ctx, tlog.Config{Queue: q, Tiles: l.tiles, Signer: faultySigner{l.signer, f}, Verifier: []note.Verifier{l.verifier}})
	if err != nil {
		t.Fatal(err)
	}
	l.add(t, 2)
	f.at = f.calls + 1
	_, err = seq.Integrate(ctx) // tiles written, signing fails
	wantError(t, err, errInjected)
	q.swap = true
	_, err = seq.Integrate(ctx)
	wantError(t, err, tlog.ErrTileConflict)
	q.swap = false
	if _, err := seq.Integrate(ctx); err != nil {
		t.Fatal(err)
	}
	verifyLog(t, l.tiles, l.verifier, 2)
}

type swappingQueue struct {
	*tlogtest.Memory
	swap bool
}

func (q *swappingQueue) Assign(ctx context.Context, limit int) ([]tlog.Leaf, error) {
	leaves, err := q.Memory.Assign(ctx, limit)
	if q.swap {
		leaves[1].Entry = []byte("something else")
	}
	return leaves, err
}

func TestGapsAndOversizedEntriesAreRefused(t *testing.T) {
	ctx := context.Background()
	for name, leaves := range map[string][]tlog.Leaf{
		"gap":       {{Index: 0, Entry: entryOf(0)}, {Index: 2, Entry: entryOf(2)}},
		"duplicate": {{Index: 0, Entry: entryOf(0)}, {Index: 0, Entry: entryOf(0)}},
		"not next":  {{Index: 1, Entry: entryOf(1)}},
		"empty":     {{Index: 0}},
		"oversized": {{Index: 0, Entry: make([]byte, tlog.MaxEntry+1)}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			seq, err := tlog.Open(ctx, tlog.Config{Queue: &staleQueue{l.queue, leaves}, Tiles: l.tiles, Signer: l.signer})
			if err != nil {
				t.Fatal(err)
			}
			_, err = seq.Integrate(ctx)
			wantError(t, err, tlog.ErrEntry)
		})
	}
}

func TestRunBatchesAndEnds(t *testing.T) {
	l := newLog(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	wake := make(chan struct{}, 1)
	published := make(chan tlog.Publication, 16)
	done := make(chan error, 1)
	go func() {
		done <- l.seq.Run(ctx, wake, tlog.Timing{Gather: time.Millisecond, Pause: time.Hour, Retry: time.Millisecond},
			func(p tlog.Publication, err error) {
				if err == nil {
					published <- p
				}
			})
	}()
	l.add(t, 5)
	wake <- struct{}{}
	total := 0
	for total < 5 {
		select {
		case p := <-published:
			total += len(p.Leaves)
		case <-ctx.Done():
			t.Fatal("nothing was published")
		}
	}
	cancel()
	wantError(t, <-done, context.Canceled)
	verifyLog(t, l.tiles, l.verifier, 5)
}
