package tlogtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"yinxin/archive/tlog"
)

// ExerciseQueue runs the conformance suite of [tlog.Queue]. open returns a queue that is new and empty, and reopen, if not
// nil, the same queue as after a restart of the process.
func ExerciseQueue(t *testing.T, open func(t *testing.T) Queue, reopen func(t *testing.T, q Queue) Queue) {
	t.Helper()
	if reopen == nil {
		reopen = func(_ *testing.T, q Queue) Queue { return q }
	}
	t.Run("empty", func(t *testing.T) { exerciseEmpty(t, open(t)) })
	t.Run("assign keeps indexes", func(t *testing.T) { exerciseAssign(t, open(t), reopen) })
	t.Run("publish swaps", func(t *testing.T) { exercisePublish(t, open(t), reopen) })
	t.Run("limit", func(t *testing.T) { exerciseLimit(t, open(t)) })
}

func exerciseEmpty(t *testing.T, q Queue) {
	ctx := context.Background()
	head, err := q.Published(ctx)
	if err != nil || head.Size != 0 || len(head.Note) != 0 {
		t.Fatalf("Published of an empty queue = %+v, %v", head, err)
	}
	if leaves, err := q.Assign(ctx, 10); err != nil || len(leaves) != 0 {
		t.Fatalf("Assign of an empty queue = %v, %v", leaves, err)
	}
	if _, ok, err := q.Placed(ctx, 0); ok || err != nil {
		t.Fatalf("Placed(0) of an empty queue = %v, %v", ok, err)
	}
}

func exerciseAssign(t *testing.T, q Queue, reopen func(*testing.T, Queue) Queue) {
	ctx := context.Background()
	add(t, q, 0, 3)
	wantLeaves(t, q, 10, 0, 3)
	wantLeaves(t, q, 10, 0, 3) // again: nothing was published
	q = reopen(t, q)
	add(t, q, 3, 5)
	wantLeaves(t, q, 10, 0, 5)
	if head, err := q.Published(ctx); err != nil || head.Size != 0 {
		t.Fatalf("assigning published something: %+v, %v", head, err)
	}
}

func exercisePublish(t *testing.T, q Queue, reopen func(*testing.T, Queue) Queue) {
	ctx := context.Background()
	add(t, q, 0, 4)
	wantLeaves(t, q, 3, 0, 3)
	p := publication(0, 3)
	if err := q.Publish(ctx, p); err != nil {
		t.Fatal(err)
	}
	if err := q.Publish(ctx, p); !errors.Is(err, tlog.ErrConflict) {
		t.Fatalf("publishing from an old size: %v, want ErrConflict", err)
	}
	q = reopen(t, q)
	head, err := q.Published(ctx)
	if err != nil || head.Size != 3 || string(head.Note) != string(p.Head.Note) {
		t.Fatalf("Published = %+v, %v", head, err)
	}
	for i := range uint64(3) {
		got, ok, err := q.Placed(ctx, i)
		if err != nil || !ok || got.Index != i || len(got.Proof) != 1 || got.Proof[0] != p.Leaves[i].Proof[0] {
			t.Fatalf("Placed(%d) = %+v, %v, %v", i, got, ok, err)
		}
	}
	if _, ok, err := q.Placed(ctx, 3); ok || err != nil {
		t.Fatalf("entry 3 is placed before it is published: %v, %v", ok, err)
	}
	wantLeaves(t, q, 10, 3, 4)
}

func exerciseLimit(t *testing.T, q Queue) {
	ctx := context.Background()
	add(t, q, 0, 7)
	wantLeaves(t, q, 5, 0, 5)
	wantLeaves(t, q, 2, 0, 2) // a smaller limit later: the front of what has indexes already
	if err := q.Publish(ctx, publication(0, 2)); err != nil {
		t.Fatal(err)
	}
	wantLeaves(t, q, 2, 2, 4)
	wantLeaves(t, q, 10, 2, 7)
}

func entry(i int) []byte { return []byte(fmt.Sprintf("entry %d", i)) }

func add(t *testing.T, q Queue, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := q.Add(context.Background(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func wantLeaves(t *testing.T, q Queue, limit, from, to int) {
	t.Helper()
	leaves, err := q.Assign(context.Background(), limit)
	if err != nil {
		t.Fatal(err)
	}
	if len(leaves) != to-from {
		t.Fatalf("Assign(%d) gave %d leaves, want %d", limit, len(leaves), to-from)
	}
	for i, l := range leaves {
		if l.Index != uint64(from+i) || string(l.Entry) != string(entry(from+i)) {
			t.Fatalf("leaf %d is %d %q", from+i, l.Index, l.Entry)
		}
	}
}

func publication(from, to int) tlog.Publication {
	p := tlog.Publication{Old: uint64(from), Head: tlog.Head{Size: uint64(to), Note: []byte(fmt.Sprintf("note %d", to))}}
	for i := from; i < to; i++ {
		p.Leaves = append(p.Leaves, tlog.Placed{Index: uint64(i), Proof: []tlog.Hash{{byte(i), byte(to)}}})
	}
	return p
}
