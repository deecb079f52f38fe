package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"yinxin/archive/tlog"
)

// How a hub comes to lead and notices that it no longer does.
const (
	leadPause = 250 * time.Millisecond // between tries
	leadPulse = time.Second            // between looks at the own session
	leadLock  = 1                      // beside laneLocks
)

// Lead waits until no other hub leads and then runs fn, whose context ends when this hub no longer
// leads. One hub at a time integrates the log, so that no work is done twice. This is a saving and no
// safety: what keeps the log one is the compare-and-swap of Publish. A hub that dies stops leading at
// once, since the lock is its session's.
func (d *DB) Lead(ctx context.Context, fn func(context.Context) error) error {
	for {
		conn, err := d.lead(ctx)
		if err == nil && conn != nil {
			return d.leading(ctx, conn, fn)
		}
		if err != nil && ctx.Err() == nil && errors.Is(err, ErrClosed) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(leadPause):
		}
	}
}

// lead tries to take the lock on a session of its own; nil means that another hub has it.
func (d *DB) lead(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Deadline)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
	if err != nil {
		return nil, storageError(err)
	}
	var ok bool
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(laneLocks)<<32|leadLock<<31).Scan(&ok)
	if err != nil || !ok {
		return nil, errors.Join(storageError(err), conn.Close(ctx))
	}
	return conn, nil
}

// leading runs fn while the session lives.
func (d *DB) leading(ctx context.Context, conn *pgx.Conn, fn func(context.Context) error) error {
	lost, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- fn(lost) }()
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(stop) // the lock goes with the session, closed or lost
	}()
	for {
		select {
		case err := <-ended:
			cancel()
			return err
		case <-time.After(leadPulse):
		}
		pulse, stop := context.WithTimeout(ctx, d.o.Deadline)
		err := conn.Ping(pulse)
		stop()
		if err != nil {
			cancel()
			return fmt.Errorf("no longer leading: %w", errors.Join(storageError(err), <-ended))
		}
	}
}

// idle tells quickly that the log has nothing to do.
func (d *DB) idle(ctx context.Context) (bool, error) {
	return first(d.alone(ctx), scanOne[bool], `SELECT NOT EXISTS (SELECT 1 FROM unplaced)
		AND coalesce((SELECT max(n) + 1 FROM places), 0) <= (SELECT size FROM log_head)`)
}

var _ tlog.Queue = (*DB)(nil)
