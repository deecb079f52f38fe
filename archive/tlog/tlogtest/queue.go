// Package tlogtest holds what tests of a log need: a queue in memory and one conformance suite for every queue. It is
// imported by tests alone and promises nothing about speed.
package tlogtest

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"yinxin/archive/tlog"
)

// Queue is a [tlog.Queue] that a test can add entries to.
type Queue interface {
	tlog.Queue
	// Add commits an entry; it is pending afterwards.
	Add(ctx context.Context, entry []byte) error
	// Placed returns what was published for the entry at index, and false if it is not published.
	Placed(ctx context.Context, index uint64) (tlog.Placed, bool, error)
}

// Memory is a Queue in memory, as durable as the process.
type Memory struct {
	mu       sync.Mutex
	entries  [][]byte // in order of commit, which is the order of indexes
	assigned int
	head     tlog.Head
	placed   []tlog.Placed
}

// NewMemory makes an empty queue.
func NewMemory() *Memory { return &Memory{} }

// Add commits an entry.
func (m *Memory) Add(_ context.Context, entry []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, bytes.Clone(entry))
	return nil
}

// Assign gives indexes, as tlog.Queue asks.
func (m *Memory) Assign(_ context.Context, limit int) ([]tlog.Leaf, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := int(m.head.Size)
	to := min(len(m.entries), from+limit)
	m.assigned = max(m.assigned, to)
	leaves := make([]tlog.Leaf, 0, to-from)
	for i := from; i < to; i++ {
		leaves = append(leaves, tlog.Leaf{Index: uint64(i), Entry: bytes.Clone(m.entries[i])})
	}
	return leaves, nil
}

// Published returns the head.
func (m *Memory) Published(context.Context) (tlog.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head, nil
}

// Publish swaps the head.
func (m *Memory) Publish(_ context.Context, p tlog.Publication) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.head.Size != p.Old {
		return fmt.Errorf("%w: size is %d, not %d", tlog.ErrConflict, m.head.Size, p.Old)
	}
	if p.Head.Size > uint64(m.assigned) || uint64(len(p.Leaves)) != p.Head.Size-p.Old {
		return fmt.Errorf("publication of %d leaves to size %d, %d assigned", len(p.Leaves), p.Head.Size, m.assigned)
	}
	m.head = p.Head
	m.placed = append(m.placed, p.Leaves...)
	return nil
}

// Placed returns what was published for an index.
func (m *Memory) Placed(_ context.Context, index uint64) (tlog.Placed, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index >= uint64(len(m.placed)) {
		return tlog.Placed{}, false, nil
	}
	return m.placed[index], true, nil
}

// Restore puts the queue back to an earlier size, as restoring an old database would. The head must be one that was
// published then.
func (m *Memory) Restore(head tlog.Head) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = m.entries[:head.Size]
	m.placed = m.placed[:head.Size]
	m.assigned = int(head.Size)
	m.head = head
}
