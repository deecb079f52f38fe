package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"yinxin/transport"
	"yinxin/transport/hub"
)

// statement is one that waits to be sent.
type statement struct {
	text string
	args []any
	// record is the audit record that becomes the arguments when the statement is sent, since
	// its hash depends on the lane.
	record *transport.AuditRecord
	// what is named in an error.
	what string
}

// session is one transaction on its way. Statements that give no rows are kept back and sent
// with the next query or with the commit, so that a transaction which only writes is one
// round trip.
type session struct {
	ctx      context.Context
	db       *DB
	conn     *pgxpool.Conn
	opening  string // how the transaction begins
	begun    bool
	queued   []statement
	sent     bool // statements of fn have left: they cannot be sent again
	lane     *lane
	head     link // of the lane, as far as this transaction has come
	spoiled  error
	finished bool
}

const (
	beginUpdate = `BEGIN ISOLATION LEVEL READ COMMITTED`
	beginView   = `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY`
)

var errEnded = errors.New("transaction has ended")

// open takes a connection.
func (d *DB) open(ctx context.Context, opening string) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, storageError(err)
	}
	s := &session{ctx: ctx, db: d, conn: conn, opening: opening}
	s.lane, _ = conn.Conn().PgConn().CustomData()[laneKey].(*lane)
	if s.lane == nil {
		conn.Release()
		return nil, errors.New("connection has no audit lane")
	}
	s.head = s.lane.head
	return s, nil
}

// add keeps a statement for the next time something is sent.
func (s *session) add(st statement) error {
	if s.finished {
		return errEnded
	}
	if s.spoiled != nil {
		return s.spoiled
	}
	s.queued = append(s.queued, st)
	return nil
}

// fetch sends what is kept back and one query, and hands each of its rows to scan.
func (s *session) fetch(scan func(scanner) error, text string, args ...any) error {
	if s.finished {
		return errEnded
	}
	if s.spoiled != nil {
		return s.spoiled
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.db.o.Deadline)
	defer cancel()
	b, names := s.batch()
	b.Queue(text, args...)
	err := s.send(ctx, b, names, func(r pgx.BatchResults) error {
		rows, err := r.Query()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	s.sent = true
	if err != nil {
		s.spoiled = storageError(err)
		return s.spoiled
	}
	return nil
}

// batch makes one message of the beginning and of all that is kept back.
func (s *session) batch() (*pgx.Batch, []string) {
	b, names := &pgx.Batch{}, make([]string, 0, len(s.queued)+1)
	if !s.begun {
		b.Queue(s.opening)
		names = append(names, "begin")
	}
	for _, st := range s.queued {
		args := st.args
		if st.record != nil {
			args = s.link(*st.record)
		}
		b.Queue(st.text, args...)
		names = append(names, st.what)
	}
	return b, names
}

// link gives the row that follows in the lane.
func (s *session) link(r transport.AuditRecord) []any {
	next := link{n: s.head.n + 1}
	next.hash = s.db.chain.Next(s.head.hash, next.n, r)
	s.head = next
	return []any{s.lane.id, next.n, r.At, r.Account, r.Org, r.Action, r.Object, r.Outcome, r.Detail, r.Request, next.hash[:]}
}

// send sends a batch, reads the outcome of the statements that names names, and lets last read
// what follows them.
func (s *session) send(ctx context.Context, b *pgx.Batch, names []string, last func(pgx.BatchResults) error) (err error) {
	r := s.conn.SendBatch(ctx, b)
	defer func() {
		if e := r.Close(); err == nil {
			err = e
		}
	}()
	for _, name := range names {
		if _, err := r.Exec(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	s.begun, s.queued = true, s.queued[:0]
	return last(r)
}

// commit sends what is kept back together with the commit. Whoever has come so far wants to
// know the outcome, so the caller's context no longer ends it.
func (s *session) commit() error {
	if s.spoiled != nil {
		return s.spoiled
	}
	if err := s.db.fault(BeforeCommit); err != nil {
		return err
	}
	if !s.begun && len(s.queued) == 0 {
		return nil
	}
	var err error
	for range 3 {
		if err = s.tryCommit(); err == nil || s.sent || !again(err) && !s.lostLane(err) {
			break
		}
		if e := s.renew(); e != nil {
			return errors.Join(storageError(err), e)
		}
	}
	switch {
	case err == nil:
		s.lane.head = s.head
		if err := s.db.fault(AfterCommit); err != nil {
			return fmt.Errorf("%w: %w", hub.ErrUnknownOutcome, err)
		}
		return nil
	case undone(err):
		return storageError(err)
	}
	s.discard()
	return fmt.Errorf("commit: %w: %w", hub.ErrUnknownOutcome, storageError(err))
}

func (s *session) tryCommit() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.db.o.Deadline)
	defer cancel()
	kept := s.queued
	b, names := s.batch()
	b.Queue(`COMMIT`)
	err := s.send(ctx, b, append(names, "commit"), func(pgx.BatchResults) error { return nil })
	if err != nil {
		s.queued = kept // for another try
		return err
	}
	s.begun = false
	return nil
}

// lostLane reports whether another writer has continued the lane of this connection, as after a
// line that was cut without the server noticing.
func (s *session) lostLane(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == codeUnique && e.TableName == "audit"
}

// renew takes another connection, and so another lane, for another try.
func (s *session) renew() error {
	s.discard()
	conn, err := s.db.pool.Acquire(s.ctx)
	if err != nil {
		return storageError(err)
	}
	s.conn, s.begun = conn, false
	s.lane, _ = conn.Conn().PgConn().CustomData()[laneKey].(*lane)
	if s.lane == nil {
		return errors.New("connection has no audit lane")
	}
	s.head = s.lane.head
	return nil
}

// discard closes the connection: nobody knows what it is in the middle of.
func (s *session) discard() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Conn().Close(ctx) // it is given up
	s.conn.Release()
	s.conn = nil
}

// end gives the connection back, and undoes what was not committed.
func (s *session) end() {
	s.finished = true
	if s.conn == nil {
		return
	}
	if !s.begun && s.conn.Conn().PgConn().TxStatus() == 'I' {
		s.conn.Release()
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.db.o.Deadline)
	defer cancel()
	if _, err := s.conn.Exec(ctx, `ROLLBACK`); err != nil {
		s.discard()
		return
	}
	s.conn.Release()
}

func (d *DB) fault(p Point) error {
	if d.o.Fault == nil {
		return nil
	}
	return d.o.Fault(p)
}

// View runs fn over one snapshot; see hub.Store.
func (d *DB) View(ctx context.Context, fn func(hub.Reader) error) error {
	return d.view(ctx, func(r reader) error { return fn(r) })
}

func (d *DB) view(ctx context.Context, fn func(reader) error) error {
	s, err := d.open(ctx, beginView)
	if err != nil {
		return err
	}
	defer s.end()
	return fn(reader{q: s})
}

// Update runs fn in a transaction; see hub.Store.
func (d *DB) Update(ctx context.Context, fn func(hub.Tx) error) error {
	return d.update(ctx, func(t *tx) error { return fn(t) })
}

func (d *DB) update(ctx context.Context, fn func(*tx) error) error {
	s, err := d.open(ctx, beginUpdate)
	if err != nil {
		return err
	}
	defer s.end()
	if err := fn(&tx{reader{q: s}, s}); err != nil {
		return err
	}
	return s.commit()
}
