package postgres

import (
	"context"
	"fmt"

	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/internal/audit"
	"yinxin/transport"
)

const headQuery = `SELECT size, note FROM log_head`

func scanHead(s scanner) (h tlog.Head, err error) {
	err = s.Scan(&h.Size, &h.Note)
	return h, err
}

// Assign implements tlog.Queue. The row of log_head is the lock: of several hubs one gives
// places at a time, and what it gave is durable when it lets go.
func (d *DB) Assign(ctx context.Context, limit int) (leaves []tlog.Leaf, err error) {
	if idle, err := d.idle(ctx); err != nil || idle { // it is asked many times a second
		return nil, err
	}
	err = d.update(ctx, func(t *tx) error {
		if err := t.exec("lock the log", `SELECT 1 FROM log_head FOR UPDATE`); err != nil {
			return err
		}
		err := t.exec("give places", `WITH room AS (
				SELECT h.size, coalesce((SELECT max(n) + 1 FROM places), 0) AS next FROM log_head h),
			taken AS (
				DELETE FROM unplaced WHERE k IN (
					SELECT u.k FROM unplaced u ORDER BY u.k LIMIT greatest((SELECT $1 - (next - size) FROM room), 0))
				RETURNING k)
			INSERT INTO places (n, k) SELECT (SELECT next FROM room) + row_number() OVER (ORDER BY k) - 1, k FROM taken`, limit)
		if err != nil {
			return err
		}
		leaves, err = all(t.q, func(s scanner) (l tlog.Leaf, err error) {
			err = s.Scan(&l.Index, &l.Entry)
			return l, err
		}, `SELECT p.n, e.leaf FROM places p JOIN entries e ON e.k = p.k
			WHERE p.n >= (SELECT size FROM log_head) ORDER BY p.n LIMIT $1`, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return leaves, nil
}

// Published implements tlog.Queue.
func (d *DB) Published(ctx context.Context) (tlog.Head, error) {
	return first(d.alone(ctx), scanHead, headQuery)
}

// Checkpoints are all that were ever published, oldest first.
func (d *DB) Checkpoints(ctx context.Context) ([][]byte, error) {
	return all(d.alone(ctx), scanOne[[]byte], `SELECT note FROM checkpoints ORDER BY size`)
}

// Publish implements tlog.Queue. Its proofs go as two arrays, so that a batch is one statement.
func (d *DB) Publish(ctx context.Context, p tlog.Publication) error {
	return d.update(ctx, func(t *tx) error {
		h, err := first(t.q, scanHead, headQuery+` FOR UPDATE`)
		if err != nil {
			return err
		}
		if h.Size != p.Old {
			return fmt.Errorf("%w: published %d, expected %d", tlog.ErrConflict, h.Size, p.Old)
		}
		indexes, proofs := make([]int64, len(p.Leaves)), make([][]byte, len(p.Leaves))
		for i, l := range p.Leaves {
			indexes[i], proofs[i] = int64(l.Index), make([]byte, 0, len(l.Proof)*tlog.HashSize)
			for _, h := range l.Proof {
				proofs[i] = append(proofs[i], h[:]...)
			}
		}
		if err := t.exec("head", `UPDATE log_head SET size = $1, note = $2`, p.Head.Size, p.Head.Note); err != nil {
			return err
		}
		if err := t.exec("checkpoint", `INSERT INTO checkpoints (size, note) VALUES ($1, $2)`, p.Head.Size, p.Head.Note); err != nil {
			return err
		}
		return t.exec("prove entries", `WITH u AS (
				UPDATE places p SET size = $1, proof = g.proof FROM unnest($2::bigint[], $3::bytea[]) AS g (n, proof)
				WHERE p.n = g.n RETURNING 1)
			SELECT must_change_one((SELECT count(*) FROM u) - cardinality($2::bigint[]) + 1)`, p.Head.Size, indexes, proofs)
	})
}

// AppendAudit implements audit.Store.
func (d *DB) AppendAudit(ctx context.Context, r transport.AuditRecord) error {
	return d.update(ctx, func(t *tx) error { return t.Audit(r) })
}

// auditPage is how many rows are read at a time.
const auditPage = 1000

// VerifyAudit walks every lane of the audit and returns the number of rows and the SM3 over the
// heads of the lanes in their order. The error is an *audit.BrokenError where a row is not the
// one that was written.
func (d *DB) VerifyAudit(ctx context.Context) (rows uint64, head [32]byte, err error) {
	lanes, err := all(d.alone(ctx), scanOne[int32], `SELECT DISTINCT lane FROM audit ORDER BY lane`)
	if err != nil {
		return 0, head, err
	}
	heads := make([]byte, 0, 32*len(lanes))
	for _, lane := range lanes {
		n, h, err := d.verifyLane(ctx, lane)
		rows += n
		if err != nil {
			return rows, head, fmt.Errorf("audit lane %d: %w", lane, err)
		}
		heads = append(heads, h[:]...)
	}
	return rows, gm.SM3(heads), nil
}

func (d *DB) verifyLane(ctx context.Context, lane int32) (uint64, [32]byte, error) {
	return d.chain.Verify(audit.Start(lane), func(yield func(audit.Row, error) bool) {
		after := uint64(0)
		for {
			page, err := d.laneRows(ctx, lane, after, auditPage)
			if err != nil {
				yield(audit.Row{}, err)
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
				after = row.N
			}
			if len(page) < auditPage {
				return
			}
		}
	})
}

// AuditRows lists rows of all lanes after the given number, roughly in the order in which they were written; their
// numbers are those of this list, which may have gaps, and not those of the lanes.
func (d *DB) AuditRows(ctx context.Context, after uint64, limit int) ([]audit.Row, error) {
	return all(d.alone(ctx), scanAudit, `SELECT k, at, account, org, action, object, outcome, detail, request, hash FROM audit
		WHERE k > $1 ORDER BY k LIMIT $2`, after, limit)
}

func scanAudit(s scanner) (row audit.Row, err error) {
	var hash []byte
	c := &row.Record
	err = s.Scan(&row.N, &c.At, &c.Account, &c.Org, &c.Action, &c.Object, &c.Outcome, &c.Detail, &c.Request, &hash)
	c.At = c.At.UTC()
	copy(row.Hash[:], hash)
	return row, err
}

func (d *DB) laneRows(ctx context.Context, lane int32, after uint64, limit int) ([]audit.Row, error) {
	return all(d.alone(ctx), scanAudit, `SELECT n, at, account, org, action, object, outcome, detail, request, hash FROM audit
		WHERE lane = $1 AND n > $2 ORDER BY n LIMIT $3`, lane, after, limit)
}

// alone asks one question outside of any transaction.
func (d *DB) alone(ctx context.Context) querier { return question{d, ctx} }

// question is a querier for one query.
type question struct {
	db  *DB
	ctx context.Context
}

func (q question) fetch(scan func(scanner) error, text string, args ...any) error {
	ctx, cancel := context.WithTimeout(q.ctx, q.db.o.Deadline)
	defer cancel()
	rows, err := q.db.pool.Query(ctx, text, args...)
	if err != nil {
		return storageError(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return storageError(rows.Err())
}
