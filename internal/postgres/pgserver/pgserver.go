// Package pgserver runs a private PostgreSQL server from the programs that are installed
// (Debian: postgresql), for tests, fault experiments and benchmarks. It listens on loopback,
// keeps its data in a folder of its own, and runs as an unprivileged user where the caller is
// root, since PostgreSQL refuses root.
//
// It is no way to run a production database.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNotInstalled: the server's programs are not on this machine.
var ErrNotInstalled = errors.New("PostgreSQL is not installed")

// Mode is how a server is stopped.
type Mode syscall.Signal

// The ways to stop a server, as pg_ctl names them.
const (
	// Fast ends sessions, writes everything and stops.
	Fast = Mode(syscall.SIGINT)
	// Immediate stops as in a crash: nothing is written any more.
	Immediate = Mode(syscall.SIGQUIT)
)

// Server is one server with its data.
type Server struct {
	bin      string
	dir      string
	port     int
	settings []string
	identity *syscall.Credential

	mu      sync.Mutex
	running *process
}

type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Bin finds the folder with the server's programs.
func Bin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrNotInstalled
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// New makes a server with an empty cluster in a new folder inside root (empty: the system's folder
// for temporary files), and starts it. settings are of the form name=value, as in postgresql.conf.
func New(ctx context.Context, root string, settings ...string) (_ *Server, err error) {
	s := &Server{settings: settings}
	if s.bin, err = Bin(); err != nil {
		return nil, err
	}
	if s.identity, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(root, "yinxin-postgres-"); err != nil {
		return nil, fmt.Errorf("make the folder of the server: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Remove())
		}
	}()
	if s.identity != nil {
		if err := os.Chown(s.dir, int(s.identity.Uid), int(s.identity.Gid)); err != nil {
			return nil, fmt.Errorf("give the folder to the server: %w", err)
		}
	}
	if s.port, err = freePort(ctx); err != nil {
		return nil, err
	}
	// Checksums, so that a flipped bit is found; no sync, since an empty cluster can be made again.
	out, err := s.command(ctx, "initdb", "-D", s.data(), "-U", "yinxin", "-A", "trust", "-E", "UTF8", "--locale=C", "-k", "-N").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.Start(ctx)
}

// unprivileged is who runs the server where this process is root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil is the credential of whoever calls
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("there is no unprivileged user to run PostgreSQL")
}

func freePort(ctx context.Context) (int, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close() //nolint:errcheck // the port is free again, or the start says so
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("find a free port: no TCP address")
	}
	return addr.Port, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Dir is the folder of the cluster.
func (s *Server) Dir() string { return s.data() }

func (s *Server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...) //nolint:gosec // the server's own programs
	c.Dir = s.dir
	c.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.identity}
	return c
}

// Set replaces the settings for the next start.
func (s *Server) Set(settings ...string) { s.settings = settings }

// Start starts a server that is stopped, and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return errors.New("server is running")
	}
	args := []string{"-D", s.data()}
	for _, set := range append([]string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.port), "unix_socket_directories=", "max_connections=200",
		"shared_buffers=64MB", "log_min_messages=fatal", "timezone=UTC", "max_wal_size=512MB",
	}, s.settings...) {
		args = append(args, "-c", set)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close()
	c := s.command(context.WithoutCancel(ctx), "postgres", args...)
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	p := &process{cmd: c, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The signal at the death of the parent is bound to the thread that started the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait() // how it ended is seen by whoever waits for it
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	s.running = p
	return s.answer(ctx, p)
}

// answer waits until the server takes connections.
func (s *Server) answer(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.done:
			s.running = nil
			log, _ := os.ReadFile(filepath.Join(s.dir, "server.log"))
			return fmt.Errorf("postgres ended: %s", strings.TrimSpace(string(log)))
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop stops the server and waits for its end.
func (s *Server) Stop(mode Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.running
	if p == nil {
		return nil
	}
	s.running = nil
	if err := p.cmd.Process.Signal(syscall.Signal(mode)); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop postgres: %w", err)
	}
	<-p.done
	return nil
}

// Remove stops the server and removes its data.
func (s *Server) Remove() error {
	return errors.Join(s.Stop(Immediate), os.RemoveAll(s.dir))
}

// URL is how a client reaches a database of this server.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://yinxin@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Create makes a database as a copy of a template; "" is an empty one.
func (s *Server) Create(ctx context.Context, name, template string) (err error) {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	text := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		text += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	if _, err := conn.Exec(ctx, text); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// File is where the rows of a table lie, below Dir. Experiments damage it.
func (s *Server) File(ctx context.Context, database, table string) (path string, err error) {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return "", fmt.Errorf("file of table %s: %w", table, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := conn.QueryRow(ctx, `SELECT pg_relation_filepath($1::regclass)`, table).Scan(&path); err != nil {
		return "", fmt.Errorf("file of table %s: %w", table, err)
	}
	return path, nil
}
