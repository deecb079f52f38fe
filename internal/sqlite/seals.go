package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"yinxin/seal"
	"yinxin/transport/hub"
)

var _ seal.Registry = (*DB)(nil)

// AddSeal implements seal.Registry. The history begins with the record's own.
func (d *DB) AddSeal(ctx context.Context, r seal.Record) error {
	history := r.History
	r.History = nil
	record, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		err := t.exec(`INSERT INTO seals (id, office, record) VALUES (?, ?, ?)`, r.ID, r.Office, string(record))
		if taken(err) {
			return fmt.Errorf("seal %s: %w", r.ID, hub.ErrExists)
		}
		if err != nil {
			return err
		}
		for _, c := range history {
			if err := t.addChange(r.ID, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) addChange(id string, c seal.Change) error {
	return t.exec(`INSERT INTO seal_changes (seal, status, at, by, reason) VALUES (?, ?, ?, ?, ?)`,
		id, string(c.To), millis(c.At), c.By, c.Reason)
}

// Seal implements seal.Registry.
func (d *DB) Seal(ctx context.Context, id string) (r seal.Record, err error) {
	err = d.view(ctx, func(rd reader) (err error) {
		r, err = rd.seal(id)
		return err
	})
	return r, err
}

// SealsOf lists the seals of an office, or of all where none is named, oldest first.
func (d *DB) SealsOf(ctx context.Context, office string) (out []seal.Record, err error) {
	err = d.view(ctx, func(r reader) error {
		ids, err := all(r.q, func(s scanner) (id string, err error) { return id, s.Scan(&id) },
			`SELECT id FROM seals WHERE ?1 = '' OR office = ?1 ORDER BY n`, office)
		if err != nil {
			return err
		}
		for _, id := range ids {
			one, err := r.seal(id)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

func (r reader) seal(id string) (seal.Record, error) {
	rec, err := first(r.q, func(s scanner) (rec seal.Record, err error) {
		var text string
		if err := s.Scan(&text); err != nil {
			return rec, err
		}
		return rec, json.Unmarshal([]byte(text), &rec)
	}, `SELECT record FROM seals WHERE id = ?`, id)
	if errors.Is(err, hub.ErrNotFound) {
		return rec, fmt.Errorf("seal %s: %w", id, seal.ErrUnknownSeal)
	}
	if err != nil {
		return rec, err
	}
	rec.History, err = all(r.q, func(s scanner) (c seal.Change, err error) {
		var at int64
		err = s.Scan(&c.To, &at, &c.By, &c.Reason)
		c.At = fromMillis(at)
		return c, err
	}, `SELECT status, at, by, reason FROM seal_changes WHERE seal = ? ORDER BY n`, id)
	return rec, err
}

// ChangeSeal implements seal.Registry.
func (d *DB) ChangeSeal(ctx context.Context, id string, c seal.Change) error {
	return d.update(ctx, func(t *tx) error {
		r, err := t.seal(id)
		if err != nil {
			return err
		}
		if _, err := r.Append(c); err != nil {
			return err
		}
		return t.addChange(id, c)
	})
}

// InsertSealUse implements hub.Tx.
func (t *tx) InsertSealUse(u hub.RegisteredUse) error {
	r, err := t.seal(u.Seal)
	if err != nil {
		return err
	}
	if err := r.InForce(u.At); err != nil {
		return err
	}
	err = t.exec(`INSERT INTO seal_uses (id, seal, approval, used) VALUES (?, ?, ?, ?)`, u.ID, u.Seal, u.Approval, u.Record)
	if taken(err) {
		return fmt.Errorf("approval %s was used before: %w", u.Approval, seal.ErrApproval)
	}
	return err
}

// Uses implements seal.Registry, oldest first.
func (d *DB) Uses(ctx context.Context, sealID string) (out []seal.Use, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, func(s scanner) (u seal.Use, err error) {
			var text string
			if err := s.Scan(&text); err != nil {
				return u, err
			}
			return u, json.Unmarshal([]byte(text), &u)
		}, `SELECT used FROM seal_uses WHERE seal = ? ORDER BY n`, sealID)
		return err
	})
	return out, err
}
