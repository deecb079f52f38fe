package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"yinxin/archive"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// InsertKeeping implements hub.Tx.
func (t *tx) InsertKeeping(k hub.Keeping) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return t.exec("decision on "+k.Exchange, `INSERT INTO keepings (id, exchange, kind, state, keeping) VALUES ($1, $2, $3, $4, $5)`,
		k.ID, k.Exchange, string(k.Kind), string(k.State), string(text))
}

// MoveKeeping implements hub.Tx.
func (t *tx) MoveKeeping(k hub.Keeping, from hub.KeepingState) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return t.exec("decision "+k.ID, `WITH u AS (UPDATE keepings SET state = $1, keeping = $2 WHERE id = $3 AND state = $4 RETURNING 1)
		SELECT must_change_one((SELECT count(*) FROM u))`, string(k.State), string(text), k.ID, string(from))
}

// DisposeExchange implements hub.Tx.
func (t *tx) DisposeExchange(exchange, entry string) error {
	return t.exec("exchange "+exchange, `WITH u AS (UPDATE exchanges SET disposed = $1, envelope = NULL WHERE id = $2 RETURNING 1)
		SELECT must_change_one((SELECT count(*) FROM u))`, entry, exchange)
}

func scanKeeping(s scanner) (k hub.Keeping, err error) {
	text, err := scanOne[string](s)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal([]byte(text), &k)
}

// Keeping implements hub.Reader.
func (r reader) Keeping(id string) (hub.Keeping, error) {
	return first(r.q, scanKeeping, `SELECT keeping::text FROM keepings WHERE id = $1`, id)
}

// Keepings implements hub.Reader.
func (r reader) Keepings(exchange string) ([]hub.Keeping, error) {
	return all(r.q, scanKeeping, `SELECT keeping::text FROM keepings WHERE exchange = $1 ORDER BY n`, exchange)
}

// ListKeepings implements hub.Reader.
func (r reader) ListKeepings(f hub.KeepingFilter) ([]hub.Keeping, error) {
	return all(r.q, scanKeeping, `SELECT keeping::text FROM keepings WHERE kind = $1 AND ($2 = '' OR state = $2)
		AND n < coalesce((SELECT n FROM keepings WHERE id = $3), 9223372036854775807) ORDER BY n DESC LIMIT $4`,
		string(f.Kind), string(f.State), f.Page.After, f.Page.Limit)
}

// ForgetRecord implements archive.Index.
func (d *DB) ForgetRecord(ctx context.Context, id string, at time.Time) error {
	e, err := d.Record(ctx, id)
	if err != nil || !e.Record.DisposedAt.IsZero() {
		return err
	}
	r := e.Record.Forgotten(at)
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		return t.exec("forget record "+id, `WITH u AS (
				UPDATE records SET number = '', title = '', issued_on = '', record = $1, terms = $2::text::tsvector, disposed = true
				WHERE id = $3 RETURNING 1)
			SELECT must_change_one((SELECT count(*) FROM u))`, string(text), vector(archive.TermsOf(r, archive.Content{})), id)
	})
}

// DispatchOf implements embedded.Database.
func (d *DB) DispatchOf(ctx context.Context, sender, exchange string) (office.Dispatch, error) {
	p, err := first(d.alone(ctx), scanDispatch,
		`SELECT dispatch::text FROM dispatches WHERE office = $1 AND dispatch ->> 'exchange' = $2`, sender, exchange)
	if errors.Is(err, hub.ErrNotFound) {
		return p, office.ErrNotFound
	}
	return p, err
}

// ForgetDispatch implements embedded.Database.
func (d *DB) ForgetDispatch(ctx context.Context, p office.Dispatch) error {
	p.Draft, p.DraftKey, p.Envelope = "", nil, ""
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		return t.exec("dispatch "+p.ID, `WITH u AS (
				UPDATE dispatches SET dispatch = $1 WHERE id = $2 AND office = $3 AND state = $4 RETURNING 1)
			SELECT must_change_one((SELECT count(*) FROM u))`, string(text), p.ID, p.Office, string(p.State))
	})
}
