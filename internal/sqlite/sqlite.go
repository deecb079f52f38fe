// Package sqlite keeps a hub in one SQLite file: exchanges, evidence, the queue of
// the log, the directory, the archive's index and the audit. It is the embedded
// default.
//
// It promises that what Update did is on the disk when Update returns (WAL with
// synchronous=FULL), that several updates share one commit without seeing each
// other's failure (group commit over savepoints, by the single writer goroutine),
// and that the schema itself refuses what the state machine forbids. Readers have
// a pool of their own and never wait for the writer.
//
// It does not survive two processes that write one file: the file is locked at
// Open, and the second process is refused. Large envelopes are not its business;
// they go to a blob store.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"yinxin/internal/audit"
	"yinxin/internal/durable"
	"yinxin/transport/directory"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options of a database. The zero value is good.
type Options struct {
	// AuditKey makes the audit chain an HMAC; see audit.NewChain.
	AuditKey []byte
	// MaxBatch is the most updates that share a commit; zero means 128.
	MaxBatch int
	// Gather is how long the writer waits for company once a second update is there;
	// zero means 1 ms. A lone update never waits.
	Gather time.Duration
	// ReadOnly opens the file beside the process that writes it, or without one: nothing is locked, made or brought up to
	// date, and every change is ErrReadOnly.
	ReadOnly bool
	// Fault, where set, is asked at the named points of a commit; an error from it is
	// what the callers get. Tests use it to let a hub die at these points.
	Fault func(Point) error
}

// Point is a place where a fault can be put.
type Point string

// The points of a commit.
const (
	BeforeCommit Point = "before_commit" // nothing of the batch will be kept
	AfterCommit  Point = "after_commit"  // the batch is durable, the callers do not learn of it
)

// DB is an open database. It implements hub.Store, directory.Store, tlog.Queue and
// archive.Index, and audit.Store.
type DB struct {
	writer  *sql.DB
	readers *sql.DB
	lock    *durable.Held
	path    string
	o       Options
	chain   audit.Chain

	queue   chan *update
	closing chan struct{}
	done    chan struct{}
	once    sync.Once

	idle      chan *readConn // connections that read and are free
	readConns int

	mu       sync.RWMutex
	orgs     map[string]directory.Organisation // read offices, dropped when one is saved
	orgEpoch int
}

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("database is closed")

// ErrReadOnly is returned by every change of a database that was opened for reading.
var ErrReadOnly = errors.New("database was opened for reading")

// ErrSchema: the file has another schema than this program, and was opened for reading.
var ErrSchema = errors.New("database schema is not that of this program")

// lockWait is how long Open waits for a process that is just ending.
const lockWait = 2 * time.Second

// Open opens or creates the database file and brings its schema up to date.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if o.MaxBatch <= 0 {
		o.MaxBatch = 128
	}
	if o.Gather <= 0 {
		o.Gather = time.Millisecond
	}
	chain, err := audit.NewChain(o.AuditKey)
	if err != nil {
		return nil, err
	}
	var lock *durable.Held
	if !o.ReadOnly {
		if lock, err = durable.Lock(ctx, path+".lock", true, lockWait); err != nil {
			return nil, fmt.Errorf("open database %s: %w", filepath.Base(path), err)
		}
	}
	d := &DB{
		lock: lock, path: path, o: o, chain: chain, orgs: map[string]directory.Organisation{},
		queue: make(chan *update, o.MaxBatch), closing: make(chan struct{}), done: make(chan struct{}),
	}
	if err := d.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", filepath.Base(path), err), d.release())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, path string) error {
	if d.o.ReadOnly {
		return d.openReadOnly(ctx, path)
	}
	var err error
	if d.writer, err = pool(path, "_txlock=immediate&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(4000)", 1); err != nil {
		return err
	}
	if err := migrate(ctx, d.writer); err != nil {
		return err
	}
	if err := d.openReaders(ctx, path, max(4, runtime.NumCPU())); err != nil {
		return err
	}
	w, err := newWriter(ctx, d)
	if err != nil {
		return err
	}
	go w.run()
	return d.indexOld(ctx)
}

// schemaQuery gives the version of a file's schema.
const schemaQuery = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`

// openReadOnly opens a file that must be there, with readers alone.
func (d *DB) openReadOnly(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	close(d.done) // there is no writer to wait for
	if err := d.openReaders(ctx, path, max(4, runtime.NumCPU())); err != nil {
		return err
	}
	var have int64
	err := d.view(ctx, func(r reader) (err error) {
		have, err = first(r.q, scanCount, schemaQuery)
		return err
	})
	if err != nil {
		return err
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	if want := int64(len(files)); have != want {
		return fmt.Errorf("%w: it has version %d, this program has %d", ErrSchema, have, want)
	}
	return nil
}

func (d *DB) openReaders(ctx context.Context, path string, n int) error {
	var err error
	if d.readers, err = pool(path, "_pragma=query_only(1)", n); err != nil {
		return err
	}
	d.idle = make(chan *readConn, n)
	for range n {
		conn, err := d.readers.Conn(ctx)
		if err != nil {
			return err
		}
		d.idle <- &readConn{conn: conn, stmt: map[string]*sql.Stmt{}}
	}
	d.readConns = n
	return nil
}

// pool opens connections. A WAL database needs journal_mode once; the others are
// set on every connection.
func pool(path, pragmas string, size int) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=cache_size(-16384)&" + pragmas
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Close ends the writer after the updates that it has taken and closes the file.
func (d *DB) Close() error {
	var err error
	d.once.Do(func() {
		close(d.closing)
		<-d.done
		err = d.release()
	})
	return err
}

func (d *DB) release() error {
	var errs []error
	for range d.readConns { // waits for the reads that are running
		errs = append(errs, (<-d.idle).close())
	}
	for _, p := range []*sql.DB{d.readers, d.writer} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(errs...)
}
