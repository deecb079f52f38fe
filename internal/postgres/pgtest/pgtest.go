// Package pgtest gives each test a PostgreSQL database of its own: one private server for the
// test program, a migrated template, and CREATE DATABASE … TEMPLATE for each test. Tests alone
// import it.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"yinxin/internal/postgres"
	"yinxin/internal/postgres/pgserver"
)

const template = "yinxin_template"

var shared struct {
	mu      sync.Mutex
	server  *pgserver.Server
	failure error
	next    atomic.Int64
}

// Run runs the tests of a package and then removes the server, if one was started. It is what a
// TestMain returns to os.Exit.
func Run(m *testing.M) int {
	code := m.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		return code
	}
	if err := shared.server.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, "remove the database server:", err)
		return 1
	}
	return code
}

// Server is the server of this test program, started at the first call. A test without
// PostgreSQL is skipped, and names what it needs.
func Server(tb testing.TB) *pgserver.Server {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil && shared.failure == nil {
		shared.server, shared.failure = start()
	}
	if errors.Is(shared.failure, pgserver.ErrNotInstalled) {
		tb.Skip("needs initdb (Debian: postgresql)")
	}
	if shared.failure != nil {
		tb.Fatal(shared.failure)
	}
	return shared.server
}

// memory is a folder whose fsync costs nothing, where there is one. What these tests show does not
// depend on the disk; the fault experiments use one.
func memory() string {
	const shm = "/dev/shm"
	var fs syscall.Statfs_t
	if syscall.Statfs(shm, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < 1<<30 {
		return ""
	}
	return shm
}

func start() (*pgserver.Server, error) {
	ctx := context.Background()
	s, err := pgserver.New(ctx, memory())
	if err != nil {
		return nil, err
	}
	if err := s.Create(ctx, template, ""); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	if _, _, err := postgres.Migrate(ctx, s.URL(template)); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

// Database makes a fresh database with the present schema and returns its URL.
func Database(tb testing.TB) string { return database(tb, template) }

// Empty makes a fresh database without a schema and returns its URL.
func Empty(tb testing.TB) string { return database(tb, "") }

func database(tb testing.TB, from string) string {
	tb.Helper()
	s := Server(tb)
	name := fmt.Sprintf("test_%d", shared.next.Add(1))
	// One at a time: a template must have no other user.
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if err := s.Create(context.Background(), name, from); err != nil {
		tb.Fatal(err)
	}
	return s.URL(name)
}
