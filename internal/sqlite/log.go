package sqlite

import (
	"context"
	"fmt"

	"yinxin/archive/tlog"
	"yinxin/internal/audit"
	"yinxin/transport"
)

// Assign implements tlog.Queue. An entry's index is its row number less one: the
// database has one writer and forbids deletion, so the numbers run without a gap
// and are durable with the entry. Nothing is left to be written here.
func (d *DB) Assign(ctx context.Context, limit int) (leaves []tlog.Leaf, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		leaves, err = all(r.q, func(s scanner) (l tlog.Leaf, err error) {
			err = s.Scan(&l.Index, &l.Entry)
			return l, err
		}, `SELECT n - 1, leaf FROM entries WHERE n > (SELECT size FROM log_head) ORDER BY n LIMIT ?`, limit)
		return err
	})
	return leaves, err
}

func scanHead(s scanner) (h tlog.Head, err error) {
	err = s.Scan(&h.Size, &h.Note)
	return h, err
}

const headQuery = `SELECT size, note FROM log_head`

// Published implements tlog.Queue.
func (d *DB) Published(ctx context.Context) (h tlog.Head, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		h, err = first(r.q, scanHead, headQuery)
		return err
	})
	return h, err
}

// Checkpoints are all that were ever published, oldest first.
func (d *DB) Checkpoints(ctx context.Context) (out [][]byte, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanBytes, `SELECT note FROM checkpoints ORDER BY size`)
		return err
	})
	return out, err
}

// Publish implements tlog.Queue.
func (d *DB) Publish(ctx context.Context, p tlog.Publication) error {
	return d.update(ctx, func(t *tx) error {
		h, err := first(t.q, scanHead, headQuery)
		if err != nil {
			return err
		}
		if h.Size != p.Old {
			return fmt.Errorf("%w: published %d, expected %d", tlog.ErrConflict, h.Size, p.Old)
		}
		if err := t.exec(`UPDATE log_head SET size = ?, note = ?`, p.Head.Size, p.Head.Note); err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO checkpoints (size, note) VALUES (?, ?)`, p.Head.Size, p.Head.Note); err != nil {
			return err
		}
		for _, l := range p.Leaves {
			proof := make([]byte, 0, len(l.Proof)*tlog.HashSize)
			for _, h := range l.Proof {
				proof = append(proof, h[:]...)
			}
			err := t.exec(`INSERT INTO receipts (n, size, proof) VALUES (?, ?, ?)`, l.Index+1, p.Head.Size, proof)
			if err != nil {
				return fmt.Errorf("place entry %d: %w", l.Index, err)
			}
		}
		return nil
	})
}

// AppendAudit implements audit.Store.
func (d *DB) AppendAudit(ctx context.Context, r transport.AuditRecord) error {
	return d.update(ctx, func(t *tx) error { return t.Audit(r) })
}

// auditPage is how many rows are read at a time.
const auditPage = 1000

// VerifyAudit walks the whole audit chain and returns its length and head. The error
// is an *audit.BrokenError where a row is not the one that was written.
func (d *DB) VerifyAudit(ctx context.Context) (rows uint64, head [32]byte, err error) {
	return d.chain.Verify(audit.Start(0), func(yield func(audit.Row, error) bool) {
		after := uint64(0)
		for {
			page, err := d.AuditRows(ctx, after, auditPage)
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

// AuditRows lists rows of the audit after the given number, oldest first.
func (d *DB) AuditRows(ctx context.Context, after uint64, limit int) (rows []audit.Row, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		rows, err = all(r.q, func(s scanner) (row audit.Row, err error) {
			var at int64
			var hash []byte
			c := &row.Record
			err = s.Scan(&row.N, &at, &c.Account, &c.Org, &c.Action, &c.Object, &c.Outcome, &c.Detail, &c.Request, &hash)
			c.At = fromMillis(at)
			copy(row.Hash[:], hash)
			return row, err
		}, `SELECT n, at, account, org, action, object, outcome, detail, request, hash FROM audit WHERE n > ? ORDER BY n LIMIT ?`,
			after, limit)
		return err
	})
	return rows, err
}
