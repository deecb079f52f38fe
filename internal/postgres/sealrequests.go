package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"yinxin/seal"
	"yinxin/transport/hub"
)

var _ seal.Requests = (*DB)(nil)

// AddSealRequest implements seal.Requests.
func (d *DB) AddSealRequest(ctx context.Context, r seal.Request) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		return t.exec("request "+r.ID, `INSERT INTO seal_requests (id, office, state, request) VALUES ($1, $2, $3, $4)`,
			r.ID, r.Office, string(r.State), string(text))
	})
}

// SaveSealRequest implements seal.Requests.
func (d *DB) SaveSealRequest(ctx context.Context, r seal.Request, was seal.RequestState) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	err = d.update(ctx, func(t *tx) error {
		return t.exec("request "+r.ID, `WITH u AS (
				UPDATE seal_requests SET state = $1, request = $2 WHERE id = $3 AND office = $4 AND state = $5 RETURNING 1)
			SELECT must_change_one((SELECT count(*) FROM u))`, string(r.State), string(text), r.ID, r.Office, string(was))
	})
	if errors.Is(err, hub.ErrStale) {
		return fmt.Errorf("save request %s: %w", r.ID, seal.ErrTransition)
	}
	return err
}

func scanSealRequest(s scanner) (r seal.Request, err error) {
	text, err := scanOne[string](s)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(text), &r)
}

// SealRequest implements seal.Requests.
func (d *DB) SealRequest(ctx context.Context, id string) (seal.Request, error) {
	r, err := first(d.alone(ctx), scanSealRequest, `SELECT request::text FROM seal_requests WHERE id = $1`, id)
	if errors.Is(err, hub.ErrNotFound) {
		return r, fmt.Errorf("request %s: %w", id, seal.ErrUnknownRequest)
	}
	return r, err
}

// SealRequests implements seal.Requests.
func (d *DB) SealRequests(ctx context.Context, office, after string, limit int) ([]seal.Request, error) {
	return all(d.alone(ctx), scanSealRequest, `SELECT request::text FROM seal_requests
		WHERE ($1 = '' OR office = $1) AND ($2 = '' OR n < (SELECT n FROM seal_requests WHERE id = $2)) ORDER BY n DESC LIMIT $3`,
		office, after, limit)
}
