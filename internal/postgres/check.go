package postgres

import (
	"context"

	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// Logged lists entries in the order of the log, those from the given index on, with their receipts; entries that no
// checkpoint covers yet have none.
func (d *DB) Logged(ctx context.Context, from uint64, limit int) ([]hub.Logged, error) {
	return all(d.alone(ctx), func(s scanner) (l hub.Logged, err error) {
		var sum []byte
		e := &l.Evidence
		err = s.Scan(&l.Index, &e.ID, &e.Exchange, &e.Sender, &e.Delivery, &e.Recipient, &e.Event, &e.Time, &sum, &e.Leaf,
			&e.Statement, &l.Receipt)
		e.Digest, e.Time, e.Ready = digest(sum), e.Time.UTC(), len(l.Receipt) > 0
		return l, err
	}, `SELECT p.n, e.id, e.exchange, e.sender, e.delivery, e.recipient, e.event, e.at, e.digest, e.leaf, e.statement, p.body
		FROM places p JOIN entries e ON e.k = p.k WHERE p.n >= $1 ORDER BY p.n LIMIT $2`, from, limit)
}

// ExchangeIDs lists exchanges oldest first, those after the given one.
func (d *DB) ExchangeIDs(ctx context.Context, after string, limit int) ([]string, error) {
	return all(d.alone(ctx), scanOne[string], `SELECT id FROM exchanges
		WHERE n > coalesce((SELECT n FROM exchanges WHERE id = $1), 0) ORDER BY n LIMIT $2`, after, limit)
}

// DispatchesAfter lists the dispatches of all offices oldest first, those after the given one.
func (d *DB) DispatchesAfter(ctx context.Context, after string, limit int) ([]office.Dispatch, error) {
	return all(d.alone(ctx), scanDispatch, `SELECT dispatch::text FROM dispatches
		WHERE n > coalesce((SELECT n FROM dispatches WHERE id = $1), 0) ORDER BY n LIMIT $2`, after, limit)
}
