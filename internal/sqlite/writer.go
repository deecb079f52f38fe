package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"yinxin/transport/hub"
)

// update is one call of Update on its way through the writer.
type update struct {
	ctx   context.Context
	fn    func(*tx) error
	reply chan error
	// refused is the error of fn. It is told after the commit, since fn may have seen
	// what an earlier update of the same batch wrote.
	refused error
	// crash is the value of a panic in fn, raised again in the goroutine of the caller.
	crash any
	stack []byte
}

// Update runs fn in a transaction; see hub.Store. Updates that arrive together share
// one commit.
func (d *DB) Update(ctx context.Context, fn func(hub.Tx) error) error {
	return d.update(ctx, func(t *tx) error { return fn(t) })
}

func (d *DB) update(ctx context.Context, fn func(*tx) error) error {
	if d.o.ReadOnly {
		return ErrReadOnly
	}
	u := &update{ctx: ctx, fn: fn, reply: make(chan error, 1)}
	select {
	case <-d.closing:
		return ErrClosed
	default:
	}
	select {
	case d.queue <- u:
	case <-d.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// From here on the outcome is the writer's, and it is always told: an abandoned
	// wait would turn a known outcome into an unknown one.
	var err error
	select {
	case err = <-u.reply:
	case <-d.done:
		select {
		case err = <-u.reply:
		default:
			return ErrClosed
		}
	}
	if u.crash != nil {
		panic(fmt.Sprintf("update panicked: %v\n%s", u.crash, u.stack)) //nolint:forbidigo // raises the caller's own panic again
	}
	return err
}

// writer owns the only connection that writes.
type writer struct {
	db   *DB
	conn *sql.Conn
	stmt map[string]*sql.Stmt
	// company is how many updates shared the last commit.
	company int
	// audit is the head of the audit chain as far as this transaction has come.
	audit link
}

// link is the newest row of the audit chain.
type link struct {
	n    uint64
	hash [32]byte
}

func newWriter(ctx context.Context, d *DB) (*writer, error) {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{db: d, conn: conn, stmt: map[string]*sql.Stmt{}}
	var hash []byte
	err = conn.QueryRowContext(ctx, `SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1`).Scan(&w.audit.n, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, errors.Join(fmt.Errorf("read audit head: %w", err), conn.Close())
	}
	copy(w.audit.hash[:], hash)
	// This process is alone on the file, so whoever leased a job is dead.
	if err := w.exec(`UPDATE jobs SET leased = 0 WHERE leased > 0`); err != nil {
		return nil, errors.Join(fmt.Errorf("free leased jobs: %w", err), conn.Close())
	}
	return w, nil
}

func (w *writer) run() {
	defer close(w.db.done)
	defer w.close()
	for {
		select {
		case u := <-w.db.queue:
			w.batch(u)
		case <-w.db.closing:
			for { // what was taken is still done
				select {
				case u := <-w.db.queue:
					w.batch(u)
				default:
					return
				}
			}
		}
	}
}

func (w *writer) close() {
	for _, s := range w.stmt {
		_ = s.Close()
	}
	_ = w.conn.Close()
}

// batch runs u and whatever arrives meanwhile in one transaction and answers all.
func (w *writer) batch(u *update) {
	before := w.audit
	if err := w.exec(`BEGIN IMMEDIATE`); err != nil {
		u.reply <- fmt.Errorf("begin: %w", storageError(err))
		return
	}
	batch, kept := make([]*update, 0, 16), 0
	timer := time.NewTimer(w.db.o.Gather)
	defer timer.Stop()
	for u != nil {
		batch = append(batch, u)
		if err := w.one(u); err != nil { // the transaction itself is gone: nobody's work is kept
			w.audit = before
			w.answer(batch, err)
			return
		}
		if u.refused == nil {
			kept++
		}
		u = w.next(len(batch), timer)
	}
	w.company = len(batch)
	w.commit(batch, kept, before)
}

// next gives another update for this batch, or nil. Where the batch before had company,
// its callers are likely to be back soon, and waiting for them saves commits; a lone
// update is not kept waiting.
func (w *writer) next(have int, timer *time.Timer) *update {
	if have >= w.db.o.MaxBatch {
		return nil
	}
	select {
	case u := <-w.db.queue:
		return u
	default:
	}
	if w.company < 2 && have < 2 || have > w.company {
		return nil
	}
	select {
	case u := <-w.db.queue:
		return u
	case <-timer.C:
		return nil
	}
}

// one runs one update under a savepoint. A refused update leaves nothing behind; an
// error says that the whole batch is lost.
func (w *writer) one(u *update) error {
	if u.refused = u.ctx.Err(); u.refused != nil {
		return nil //nolint:nilerr // it is the caller's error, not the batch's
	}
	if err := w.exec(`SAVEPOINT one`); err != nil {
		return fmt.Errorf("begin: %w", storageError(err))
	}
	before := w.audit
	if u.refused = w.call(u); u.refused != nil {
		w.audit = before
		if err := w.exec(`ROLLBACK TO one`); err != nil {
			return errors.Join(u.refused, fmt.Errorf("roll back: %w", err))
		}
	}
	if err := w.exec(`RELEASE one`); err != nil {
		return errors.Join(u.refused, fmt.Errorf("release: %w", storageError(err)))
	}
	return nil
}

var errPanicked = errors.New("update panicked")

// call runs fn and turns a panic into an error, so that the other updates of the
// batch and the writer go on.
func (w *writer) call(u *update) (err error) {
	t := &tx{reader: reader{q: w}, w: w}
	defer func() {
		t.ended = true
		if r := recover(); r != nil {
			u.crash, u.stack = r, debug.Stack()
			err = errPanicked
		}
	}()
	return u.fn(t)
}

// commit makes the batch durable and answers everybody in it.
func (w *writer) commit(batch []*update, kept int, before link) {
	if kept == 0 {
		_ = w.exec(`ROLLBACK`) // nothing was written
	} else if err := w.durable(before); err != nil {
		for _, u := range batch { // refusals too: they may rest on what is lost now
			u.reply <- err
		}
		return
	}
	for _, u := range batch {
		u.reply <- u.refused
	}
}

// durable commits. Its error wraps hub.ErrUnknownOutcome where the batch may have been
// kept all the same.
func (w *writer) durable(before link) error {
	if err := w.fault(BeforeCommit); err != nil {
		_ = w.exec(`ROLLBACK`)
		w.audit = before
		return err
	}
	if err := w.exec(`COMMIT`); err != nil {
		// A failed fsync does not say whether the frames will be found after a restart.
		_ = w.exec(`ROLLBACK`) // an error here says that the engine has rolled back itself
		w.audit = before
		w.reload()
		return fmt.Errorf("commit: %w: %w", hub.ErrUnknownOutcome, storageError(err))
	}
	if err := w.fault(AfterCommit); err != nil {
		return fmt.Errorf("%w: %w", hub.ErrUnknownOutcome, err)
	}
	return nil
}

// answer rolls the transaction back, if there still is one, and tells all of err.
func (w *writer) answer(us []*update, err error) {
	_ = w.exec(`ROLLBACK`) // an error here says that the engine has rolled back itself
	for _, u := range us {
		u.reply <- err
	}
}

// reload reads the head of the audit chain after a commit of unknown outcome.
func (w *writer) reload() {
	var l link
	var hash []byte
	row := w.conn.QueryRowContext(context.Background(), `SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1`)
	if err := row.Scan(&l.n, &hash); err == nil {
		copy(l.hash[:], hash)
		w.audit = l
	}
}

func (w *writer) fault(p Point) error {
	if w.db.o.Fault == nil {
		return nil
	}
	return w.db.o.Fault(p)
}

// prepared gives the statement for a text, prepared once. The texts are constants
// of this package.
func (w *writer) prepared(text string) (*sql.Stmt, error) {
	if s, ok := w.stmt[text]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	w.stmt[text] = s
	return s, nil
}

func (w *writer) exec(text string, args ...any) error {
	_, err := w.result(text, args...)
	return err
}

func (w *writer) result(text string, args ...any) (sql.Result, error) {
	s, err := w.prepared(text)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

// query makes the writer a querier, so that a Tx reads what it wrote.
func (w *writer) query(text string, args ...any) (*sql.Rows, error) {
	s, err := w.prepared(text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

// storageError names the failures that a caller can act on.
func storageError(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
			return ErrClosed
		}
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", hub.ErrStorageFull, err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w: %w", hub.ErrStorage, err)
	}
	return err
}

// taken reports whether err is a violated UNIQUE or PRIMARY KEY.
func taken(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
