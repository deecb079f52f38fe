package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"yinxin/transport/hub"
	"yinxin/transport/office"
)

var _ office.Dispatches = (*DB)(nil)

// AddDispatch implements office.Dispatches.
func (d *DB) AddDispatch(ctx context.Context, p office.Dispatch) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		return t.exec("dispatch "+p.ID, `INSERT INTO dispatches (id, office, state, dispatch) VALUES ($1, $2, $3, $4)`,
			p.ID, p.Office, string(p.State), string(text))
	})
}

// SaveDispatch implements office.Dispatches.
func (d *DB) SaveDispatch(ctx context.Context, p office.Dispatch, was office.State) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	err = d.update(ctx, func(t *tx) error {
		return t.exec("dispatch "+p.ID, `WITH u AS (
				UPDATE dispatches SET state = $1, dispatch = $2 WHERE id = $3 AND office = $4 AND state = $5 RETURNING 1)
			SELECT must_change_one((SELECT count(*) FROM u))`, string(p.State), string(text), p.ID, p.Office, string(was))
	})
	if errors.Is(err, hub.ErrStale) {
		return fmt.Errorf("save dispatch %s: %w", p.ID, office.ErrState)
	}
	return err
}

func scanDispatch(s scanner) (p office.Dispatch, err error) {
	text, err := scanOne[string](s)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(text), &p)
}

// Dispatch implements office.Dispatches.
func (d *DB) Dispatch(ctx context.Context, code, id string) (office.Dispatch, error) {
	p, err := first(d.alone(ctx), scanDispatch, `SELECT dispatch::text FROM dispatches WHERE id = $1 AND office = $2`, id, code)
	if errors.Is(err, hub.ErrNotFound) {
		return p, office.ErrNotFound
	}
	return p, err
}

// ListDispatches implements office.Dispatches.
func (d *DB) ListDispatches(ctx context.Context, code string, state office.State, limit int) ([]office.Dispatch, error) {
	return all(d.alone(ctx), scanDispatch, `SELECT dispatch::text FROM dispatches
		WHERE office = $1 AND ($2 = '' OR state = $2) ORDER BY n DESC LIMIT $3`, code, string(state), limit)
}

// UnfinishedDispatches lists dispatches that were approved and have not reached the hub, of all
// offices, oldest first: what a start has to go on with.
func (d *DB) UnfinishedDispatches(ctx context.Context, limit int) ([]office.Dispatch, error) {
	return all(d.alone(ctx), scanDispatch,
		`SELECT dispatch::text FROM dispatches WHERE state IN ('approved', 'packed') ORDER BY n LIMIT $1`, limit)
}
