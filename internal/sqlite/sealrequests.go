package sqlite

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
		return t.exec(`INSERT INTO seal_requests (id, office, state, request) VALUES (?, ?, ?, ?)`,
			r.ID, r.Office, string(r.State), string(text))
	})
}

// SaveSealRequest implements seal.Requests.
func (d *DB) SaveSealRequest(ctx context.Context, r seal.Request, was seal.RequestState) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		err := t.changed(`UPDATE seal_requests SET state = ?, request = ? WHERE id = ? AND office = ? AND state = ?`,
			string(r.State), string(text), r.ID, r.Office, string(was))
		if errors.Is(err, hub.ErrStale) {
			return fmt.Errorf("save request %s: %w", r.ID, seal.ErrTransition)
		}
		return err
	})
}

func scanSealRequest(s scanner) (r seal.Request, err error) {
	var text string
	if err := s.Scan(&text); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(text), &r)
}

// SealRequest implements seal.Requests.
func (d *DB) SealRequest(ctx context.Context, id string) (out seal.Request, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = first(r.q, scanSealRequest, `SELECT request FROM seal_requests WHERE id = ?`, id)
		return err
	})
	if errors.Is(err, hub.ErrNotFound) {
		return out, fmt.Errorf("request %s: %w", id, seal.ErrUnknownRequest)
	}
	return out, err
}

// SealRequests implements seal.Requests.
func (d *DB) SealRequests(ctx context.Context, office, after string, limit int) (out []seal.Request, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanSealRequest, `SELECT request FROM seal_requests
			WHERE (?1 = '' OR office = ?1) AND (?2 = '' OR n < (SELECT n FROM seal_requests WHERE id = ?2)) ORDER BY n DESC LIMIT ?3`,
			office, after, limit)
		return err
	})
	return out, err
}
