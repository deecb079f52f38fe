// Package postgres keeps a hub in a PostgreSQL database: exchanges, evidence, the queue of
// the log, the directory, the archive's index and the audit. It is the store of a hub that
// runs as a service, and many hubs may share one database.
//
// It promises that what Update did is durable when Update returns, as far as the server's
// synchronous_commit is on (Open refuses a server where it is not); that acts on one exchange
// follow each other, since each locks the exchange first; that a transaction which only
// writes costs one round trip; that no transaction waits for another office's; and that the
// schema itself refuses what the state machine forbids, by enums, checks and triggers.
//
// Writes inside Update travel together: one may be told of its failure only when Update
// returns. Audit rows are chained in lanes, one for each connection that writes (see
// internal/audit). Offices are remembered for a second, so another hub may take that long to
// notice a change of the directory.
//
// It does not bring the schema up to date by itself: Migrate does, and Open refuses an older
// schema. A newer one is accepted, so that hubs can be replaced one after another.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"yinxin/internal/audit"
	"yinxin/transport/hub"
)

// Options of a database. The zero value is good.
type Options struct {
	// AuditKey makes the audit chain an HMAC; see audit.NewChain. All hubs of a database
	// have the same one.
	AuditKey []byte
	// Connections is the most connections that this process uses; zero means 24.
	Connections int
	// Deadline bounds one exchange of words with the server, so that a cut line does not
	// hold a caller for ever; zero means 15 s.
	Deadline time.Duration
	// Fault, where set, is asked at the named points of a commit; an error from it is what
	// the caller gets. Tests use it.
	Fault func(Point) error
}

// Point is a place where a fault can be put.
type Point string

// The points of a commit.
const (
	BeforeCommit Point = "before_commit" // nothing will be kept
	AfterCommit  Point = "after_commit"  // the change is durable, the caller does not learn of it
)

// DB is an open database. It implements hub.Store, directory.Store, tlog.Queue, archive.Index,
// seal.Registry, office.Dispatches and audit.Store.
type DB struct {
	pool  *pgxpool.Pool
	url   string
	o     Options
	chain audit.Chain
	cache offices
}

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("database is closed")

// ErrSchema: the database has an older schema than this program, or none.
var ErrSchema = errors.New("database schema is not up to date")

// ErrNotDurable: the server is set to acknowledge commits before they are on the disk.
var ErrNotDurable = errors.New("the database server does not commit durably")

const defaultConnections = 24

// Open connects to the database that url names (postgres://… or key=value words).
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if o.Connections <= 0 {
		o.Connections = defaultConnections
	}
	if o.Deadline <= 0 {
		o.Deadline = 15 * time.Second
	}
	chain, err := audit.NewChain(o.AuditKey)
	if err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("database url cannot be read") // the library's words may repeat a password
	}
	cfg.MaxConns = int32(min(o.Connections, 1000))
	cfg.ConnConfig.ConnectTimeout = min(o.Deadline, 5*time.Second)
	// A connection that lay idle is asked before it is used. One that the network has forgotten costs this much, and not a deadline.
	cfg.PingTimeout = min(o.Deadline, 2*time.Second)
	cfg.ConnConfig.RuntimeParams["application_name"] = "yinxind"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// What a dead hub has locked must not stay locked: its sessions are ended by the server.
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "30s"
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = "10s"
	d := &DB{url: url, o: o, chain: chain, cache: offices{known: map[string]knownOffice{}}}
	cfg.AfterConnect = d.takeLane
	if d.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := d.check(ctx); err != nil {
		d.pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := d.indexOld(ctx); err != nil {
		d.pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return d, nil
}

// check refuses a database that cannot keep the promises of this package.
func (d *DB) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.o.Deadline)
	defer cancel()
	have, err := schemaVersion(ctx, d.pool)
	if err != nil {
		return storageError(err)
	}
	want, err := newestMigration()
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("%w: it has version %d, this program needs %d", ErrSchema, have, want)
	}
	var commit, fsync string
	err = d.pool.QueryRow(ctx, `SELECT current_setting('synchronous_commit'), current_setting('fsync')`).Scan(&commit, &fsync)
	if err != nil {
		return storageError(err)
	}
	if commit == "off" || fsync == "off" {
		return fmt.Errorf("%w: synchronous_commit=%s, fsync=%s", ErrNotDurable, commit, fsync)
	}
	return nil
}

// Ping asks the server for a word.
func (d *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.o.Deadline)
	defer cancel()
	return storageError(d.pool.Ping(ctx))
}

// Close waits for what is running and closes the connections.
func (d *DB) Close() error {
	d.pool.Close()
	return nil
}

// laneLocks is the space of the advisory locks that say which lanes have a writer.
const laneLocks = 0x79696e78 // "yinx"

// lane is the chain of audit rows that one connection continues. It lives with its connection.
type lane struct {
	id   int32
	head link
}

// link is the newest row of a lane.
type link struct {
	n    uint64
	hash [32]byte
}

// laneKey finds the lane in the data of a connection.
const laneKey = "yinxin lane"

// takeLane gives a new connection the first lane that no other one has. The lock goes with the
// session. It only saves trouble: two writers of one lane are kept apart by its primary key.
func (d *DB) takeLane(ctx context.Context, conn *pgx.Conn) error {
	var l lane
	err := conn.QueryRow(ctx, `SELECT g FROM generate_series(1, 100000) g WHERE pg_try_advisory_lock($1, g) LIMIT 1`,
		int32(laneLocks)).Scan(&l.id)
	if err != nil {
		return fmt.Errorf("take an audit lane: %w", err)
	}
	l.head.hash = audit.Start(l.id)
	var hash []byte
	err = conn.QueryRow(ctx, `SELECT n, hash FROM audit WHERE lane = $1 ORDER BY n DESC LIMIT 1`, l.id).Scan(&l.head.n, &hash)
	switch {
	case err == nil:
		copy(l.head.hash[:], hash)
	case isUndefinedTable(err): // Open says what is wrong
	case !errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("read the head of audit lane %d: %w", l.id, err)
	}
	conn.PgConn().CustomData()[laneKey] = &l
	return nil
}

// offices remembers offices for a moment: they are asked for with every submission.
type offices struct {
	mu    sync.Mutex
	known map[string]knownOffice
	epoch int
}

var _ hub.Store = (*DB)(nil)
