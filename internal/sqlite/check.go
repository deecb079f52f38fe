package sqlite

import (
	"context"

	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// Logged lists entries in the order of the log, those from the given index on, with their receipts; entries that no
// checkpoint covers yet have none.
func (d *DB) Logged(ctx context.Context, from uint64, limit int) (out []hub.Logged, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, func(s scanner) (l hub.Logged, err error) {
			var sum []byte
			var at int64
			e := &l.Evidence
			err = s.Scan(&l.Index, &e.ID, &e.Exchange, &e.Sender, &e.Delivery, &e.Recipient, &e.Event, &at, &sum, &e.Leaf,
				&e.Statement, &l.Receipt)
			e.Digest, e.Time, e.Ready = digest(sum), fromMillis(at), len(l.Receipt) > 0
			return l, err
		}, `SELECT e.n - 1, e.id, e.exchange, e.sender, e.delivery, e.recipient, e.event, e.at, e.digest, e.leaf, e.statement, r.body
			FROM entries e LEFT JOIN receipts r ON r.n = e.n WHERE e.n > ? ORDER BY e.n LIMIT ?`, from, limit)
		return err
	})
	return out, err
}

// ExchangeIDs lists exchanges oldest first, those after the given one.
func (d *DB) ExchangeIDs(ctx context.Context, after string, limit int) (out []string, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanText, `SELECT id FROM exchanges
			WHERE n > coalesce((SELECT n FROM exchanges WHERE id = ?), 0) ORDER BY n LIMIT ?`, after, limit)
		return err
	})
	return out, err
}

// DispatchesAfter lists the dispatches of all offices oldest first, those after the given one.
func (d *DB) DispatchesAfter(ctx context.Context, after string, limit int) (out []office.Dispatch, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanDispatch, `SELECT dispatch FROM dispatches
			WHERE n > coalesce((SELECT n FROM dispatches WHERE id = ?), 0) ORDER BY n LIMIT ?`, after, limit)
		return err
	})
	return out, err
}
