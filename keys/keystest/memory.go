// Package keystest is what every key store must pass, and storage for tests. Only tests import it.
//
// Run is the conformance suite: it runs over the engine on memory, over keys/filekeys and over the Vault engine, with the
// same expectations. Memory is an engine.Storage in a map whose writes can be made to fail, before or after they took
// effect.
package keystest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"yinxin/keys"
	"yinxin/keys/engine"
)

// ErrInjected is the failure that Memory injects.
var ErrInjected = errors.New("injected failure")

// Memory is an engine.Storage in a map. The zero value is empty and works.
type Memory struct {
	mu      sync.Mutex
	entries map[string][]byte
	// writes counts the writes so far.
	writes int
	fail   func(n int, path string) Fault
}

// Fault is how a write of Memory goes.
type Fault int

// The faults.
const (
	Done     Fault = iota // it works
	FailLost              // an error, and nothing happened
	FailDone              // an error, but it happened
)

var _ engine.Storage = (*Memory)(nil)

// Fail sets how writes go from here on: f is asked with the number of the write, counted from 1 since this call. nil ends
// the faults.
func (m *Memory) Fail(f func(n int, path string) Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes, m.fail = 0, f
}

// Writes tells how many writes there were since the last Fail.
func (m *Memory) Writes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// Snapshot gives a copy of all entries, as a crash would leave them.
func (m *Memory) Snapshot() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &Memory{entries: make(map[string][]byte, len(m.entries))}
	for k, v := range m.entries {
		c.entries[k] = bytes.Clone(v)
	}
	return c
}

// Get implements engine.Storage.
func (m *Memory) Get(_ context.Context, path string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.entries[path]
	if !ok {
		return nil, fmt.Errorf("entry %s: %w", path, keys.ErrNotFound)
	}
	return bytes.Clone(v), nil
}

// Put implements engine.Storage.
func (m *Memory) Put(_ context.Context, path string, value []byte) error {
	value = bytes.Clone(value)
	return m.write(path, func() { m.entries[path] = value })
}

// Delete implements engine.Storage.
func (m *Memory) Delete(_ context.Context, path string) error {
	return m.write(path, func() { delete(m.entries, path) })
}

func (m *Memory) write(path string, act func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil {
		m.entries = make(map[string][]byte)
	}
	m.writes++
	fault := Done
	if m.fail != nil {
		fault = m.fail(m.writes, path)
	}
	if fault == Done || fault == FailDone {
		act()
	}
	if fault == Done {
		return nil
	}
	return ErrInjected
}

// List implements engine.Storage.
func (m *Memory) List(_ context.Context, prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var paths []string
	for _, path := range slices.Sorted(maps.Keys(m.entries)) {
		if strings.HasPrefix(path, prefix) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// Set puts an entry as it is, past every fault, for tests of damaged storage. A nil value removes it.
func (m *Memory) Set(path string, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if value == nil {
		delete(m.entries, path)
		return
	}
	m.entries[path] = bytes.Clone(value)
}
