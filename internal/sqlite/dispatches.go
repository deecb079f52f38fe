package sqlite

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
		return t.exec(`INSERT INTO dispatches (id, office, state, dispatch) VALUES (?, ?, ?, ?)`,
			p.ID, p.Office, string(p.State), string(text))
	})
}

// SaveDispatch implements office.Dispatches.
func (d *DB) SaveDispatch(ctx context.Context, p office.Dispatch, was office.State) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		err := t.changed(`UPDATE dispatches SET state = ?, dispatch = ? WHERE id = ? AND office = ? AND state = ?`,
			string(p.State), string(text), p.ID, p.Office, string(was))
		if errors.Is(err, hub.ErrStale) {
			return fmt.Errorf("save dispatch %s: %w", p.ID, office.ErrState)
		}
		return err
	})
}

func scanDispatch(s scanner) (p office.Dispatch, err error) {
	var text string
	if err := s.Scan(&text); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(text), &p)
}

// Dispatch implements office.Dispatches.
func (d *DB) Dispatch(ctx context.Context, code, id string) (p office.Dispatch, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		p, err = first(r.q, scanDispatch, `SELECT dispatch FROM dispatches WHERE id = ? AND office = ?`, id, code)
		return err
	})
	if errors.Is(err, hub.ErrNotFound) {
		return p, office.ErrNotFound
	}
	return p, err
}

// ListDispatches implements office.Dispatches.
func (d *DB) ListDispatches(ctx context.Context, code string, state office.State, limit int) (out []office.Dispatch, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanDispatch, `SELECT dispatch FROM dispatches
			WHERE office = ?1 AND (?2 = '' OR state = ?2) ORDER BY n DESC LIMIT ?3`, code, string(state), limit)
		return err
	})
	return out, err
}

// UnfinishedDispatches lists dispatches that were approved and have not reached the hub, of all offices, oldest first:
// what a start has to go on with.
func (d *DB) UnfinishedDispatches(ctx context.Context, limit int) (out []office.Dispatch, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanDispatch,
			`SELECT dispatch FROM dispatches WHERE state IN ('approved', 'packed') ORDER BY n LIMIT ?`, limit)
		return err
	})
	return out, err
}
