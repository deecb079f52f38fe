package postgres

import (
	"context"
	"errors"
	"time"

	"yinxin/transport/hub"
)

var _ hub.Uploads = (*DB)(nil)

const uploadColumns = `id, office, account, key, length, received, state, mark, outcome, at, expires, version`

func scanUpload(s scanner) (u hub.Upload, err error) {
	var outcome string
	err = s.Scan(&u.ID, &u.Office, &u.Account, &u.Key, &u.Length, &u.Received, &u.State, &u.Mark, &outcome, &u.At, &u.Expires, &u.Version)
	if err != nil {
		return u, err
	}
	u.At, u.Expires = u.At.UTC(), u.Expires.UTC()
	u.Outcome, err = hub.ParseOutcome(outcome)
	return u, err
}

// AddUpload implements hub.Uploads. A lock of the office makes counting and adding one step, whichever hub does it; nothing
// else waits for it.
func (d *DB) AddUpload(ctx context.Context, u hub.Upload, open int, bytes int64) (got hub.Upload, err error) {
	err = d.update(ctx, func(t *tx) error {
		err := t.exec("lock uploads", `SELECT pg_advisory_xact_lock(hashtextextended('uploads of ' || $1, 0))`, u.Office)
		if err != nil {
			return err
		}
		got, err = first(t.q, scanUpload, `SELECT `+uploadColumns+` FROM uploads WHERE office = $1 AND key = $2`, u.Office, u.Key)
		if !errors.Is(err, hub.ErrNotFound) {
			return err
		}
		fits, err := first(t.q, func(s scanner) (fits bool, err error) { return fits, s.Scan(&fits) },
			`SELECT count(*) < $1 AND coalesce(sum(length), 0) + $2 <= $3 FROM uploads WHERE office = $4 AND outcome = ''`,
			open, u.Length, bytes, u.Office)
		if err != nil {
			return err
		}
		if !fits {
			return hub.ErrQuota
		}
		got = u
		return t.exec("upload "+u.ID, `INSERT INTO uploads (`+uploadColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, $10, $11)`,
			u.ID, u.Office, u.Account, u.Key, u.Length, u.Received, u.State, u.Mark, u.At, u.Expires, u.Version)
	})
	return got, err
}

// Upload implements hub.Uploads.
func (d *DB) Upload(ctx context.Context, id string) (u hub.Upload, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		u, err = first(r.q, scanUpload, `SELECT `+uploadColumns+` FROM uploads WHERE id = $1`, id)
		return err
	})
	return u, err
}

// SaveUpload implements hub.Uploads.
func (d *DB) SaveUpload(ctx context.Context, u hub.Upload) error {
	outcome, err := hub.MarshalOutcome(u.Outcome)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		return t.exec("upload "+u.ID, `WITH u AS (
				UPDATE uploads SET received = $1, state = $2, mark = $3, outcome = $4, expires = $5, version = version + 1
				WHERE id = $6 AND version = $7 RETURNING 1)
			SELECT must_change_one((SELECT count(*) FROM u))`,
			u.Received, u.State, u.Mark, outcome, u.Expires, u.ID, u.Version)
	})
}

// ExpiredUploads implements hub.Uploads.
func (d *DB) ExpiredUploads(ctx context.Context, now time.Time, limit int) (out []hub.Upload, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanUpload, `SELECT `+uploadColumns+` FROM uploads WHERE expires < $1 ORDER BY expires, id LIMIT $2`, now, limit)
		return err
	})
	return out, err
}

// RemoveUpload implements hub.Uploads.
func (d *DB) RemoveUpload(ctx context.Context, id string) error {
	return d.update(ctx, func(t *tx) error { return t.exec("upload "+id, `DELETE FROM uploads WHERE id = $1`, id) })
}
