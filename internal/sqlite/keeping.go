package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	return inserted("decision on "+k.Exchange, t.exec(`INSERT INTO keepings (id, exchange, kind, state, keeping) VALUES (?, ?, ?, ?, ?)`,
		k.ID, k.Exchange, string(k.Kind), string(k.State), string(text)))
}

// MoveKeeping implements hub.Tx.
func (t *tx) MoveKeeping(k hub.Keeping, from hub.KeepingState) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return t.changed(`UPDATE keepings SET state = ?, keeping = ? WHERE id = ? AND state = ?`,
		string(k.State), string(text), k.ID, string(from))
}

// DisposeExchange implements hub.Tx.
func (t *tx) DisposeExchange(exchange, entry string) error {
	return t.changed(`UPDATE exchanges SET disposed = ?, envelope = NULL WHERE id = ?`, entry, exchange)
}

func scanKeeping(s scanner) (k hub.Keeping, err error) {
	text, err := scanText(s)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal([]byte(text), &k)
}

// Keeping implements hub.Reader.
func (r reader) Keeping(id string) (hub.Keeping, error) {
	return first(r.q, scanKeeping, `SELECT keeping FROM keepings WHERE id = ?`, id)
}

// Keepings implements hub.Reader.
func (r reader) Keepings(exchange string) ([]hub.Keeping, error) {
	return all(r.q, scanKeeping, `SELECT keeping FROM keepings WHERE exchange = ? ORDER BY n`, exchange)
}

// ListKeepings implements hub.Reader.
func (r reader) ListKeepings(f hub.KeepingFilter) ([]hub.Keeping, error) {
	return all(r.q, scanKeeping, `SELECT keeping FROM keepings WHERE kind = ?1 AND (?2 = '' OR state = ?2)
		AND n < coalesce((SELECT n FROM keepings WHERE id = ?3), 9223372036854775807) ORDER BY n DESC LIMIT ?4`,
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
		n, err := first(t.q, scanCount, `SELECT n FROM records WHERE id = ?`, id)
		if err != nil {
			return err
		}
		err = t.changed(`UPDATE records SET number = '', title = '', issued_on = '', record = ?, disposed = 1 WHERE id = ?`, string(text), id)
		if err != nil {
			return fmt.Errorf("forget record %s: %w", id, err)
		}
		if err := t.exec(`DELETE FROM record_terms WHERE rowid = ?`, n); err != nil {
			return fmt.Errorf("forget the terms of record %s: %w", id, err)
		}
		return t.index(n, archive.TermsOf(r, archive.Content{}))
	})
}

// DispatchOf implements embedded.Database.
func (d *DB) DispatchOf(ctx context.Context, sender, exchange string) (p office.Dispatch, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		p, err = first(r.q, scanDispatch, `SELECT dispatch FROM dispatches WHERE office = ? AND dispatch ->> '$.exchange' = ?`, sender, exchange)
		return err
	})
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
		return t.changed(`UPDATE dispatches SET dispatch = ? WHERE id = ? AND office = ? AND state = ?`,
			string(text), p.ID, p.Office, string(p.State))
	})
}
