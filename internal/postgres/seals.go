package postgres

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
		err := t.exec("seal "+r.ID, `INSERT INTO seals (id, office, record) VALUES ($1, $2, $3)`, r.ID, r.Office, string(record))
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
	return t.exec("change of seal "+id, `INSERT INTO seal_changes (seal, status, at, by, reason) VALUES ($1, $2, $3, $4, $5)`,
		id, string(c.To), c.At, c.By, c.Reason)
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
		ids, err := all(r.q, scanOne[string], `SELECT id FROM seals WHERE $1 = '' OR office = $1 ORDER BY n`, office)
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
		text, err := scanOne[string](s)
		if err != nil {
			return rec, err
		}
		return rec, json.Unmarshal([]byte(text), &rec)
	}, `SELECT record::text FROM seals WHERE id = $1`, id)
	if errors.Is(err, hub.ErrNotFound) {
		return rec, fmt.Errorf("seal %s: %w", id, seal.ErrUnknownSeal)
	}
	if err != nil {
		return rec, err
	}
	rec.History, err = all(r.q, func(s scanner) (c seal.Change, err error) {
		err = s.Scan(&c.To, &c.At, &c.By, &c.Reason)
		c.At = c.At.UTC()
		return c, err
	}, `SELECT status, at, by, reason FROM seal_changes WHERE seal = $1 ORDER BY n`, id)
	return rec, err
}

// lockSeal keeps the standing of a seal as it is until the transaction ends.
func (t *tx) lockSeal(id string) error {
	return t.exec("lock seal "+id, `SELECT 1 FROM seals WHERE id = $1 FOR NO KEY UPDATE`, id)
}

// ChangeSeal implements seal.Registry.
func (d *DB) ChangeSeal(ctx context.Context, id string, c seal.Change) error {
	return d.update(ctx, func(t *tx) error {
		if err := t.lockSeal(id); err != nil {
			return err
		}
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

// InsertSealUse implements hub.Tx. Whether the approval was used is asked before, for a write says so only at the end; the
// lock on the seal keeps it true, and the index where an approval names another seal.
func (t *tx) InsertSealUse(u hub.RegisteredUse) error {
	if err := t.lockSeal(u.Seal); err != nil {
		return err
	}
	r, err := t.seal(u.Seal)
	if err != nil {
		return err
	}
	if err := r.InForce(u.At); err != nil {
		return err
	}
	if u.Approval != seal.ApprovalNone {
		_, err := first(t.q, func(s scanner) (string, error) { return scanOne[string](s) }, `SELECT id FROM seal_uses WHERE approval = $1`, u.Approval)
		if err == nil {
			return fmt.Errorf("approval %s was used before: %w", u.Approval, seal.ErrApproval)
		}
		if !errors.Is(err, hub.ErrNotFound) {
			return err
		}
	}
	return t.exec("use of seal "+u.Seal, `INSERT INTO seal_uses (id, seal, approval, used) VALUES ($1, $2, $3, $4)`,
		u.ID, u.Seal, u.Approval, u.Record)
}

// Uses implements seal.Registry, oldest first.
func (d *DB) Uses(ctx context.Context, sealID string) ([]seal.Use, error) {
	return all(d.alone(ctx), func(s scanner) (u seal.Use, err error) {
		text, err := scanOne[string](s)
		if err != nil {
			return u, err
		}
		return u, json.Unmarshal([]byte(text), &u)
	}, `SELECT used::text FROM seal_uses WHERE seal = $1 ORDER BY n`, sealID)
}
