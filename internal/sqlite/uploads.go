package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yinxin/transport/hub"
)

var _ hub.Uploads = (*DB)(nil)

const uploadColumns = `id, office, account, key, length, received, state, mark, outcome, at, expires, version`

func scanUpload(s scanner) (u hub.Upload, err error) {
	var at, expires int64
	var outcome string
	err = s.Scan(&u.ID, &u.Office, &u.Account, &u.Key, &u.Length, &u.Received, &u.State, &u.Mark, &outcome, &at, &expires, &u.Version)
	if err != nil {
		return u, err
	}
	u.At, u.Expires = fromMillis(at), fromMillis(expires)
	u.Outcome, err = hub.ParseOutcome(outcome)
	return u, err
}

// AddUpload implements hub.Uploads. The one writer makes counting and adding one step.
func (d *DB) AddUpload(ctx context.Context, u hub.Upload, open int, bytes int64) (got hub.Upload, err error) {
	err = d.update(ctx, func(t *tx) error {
		got, err = first(t.q, scanUpload, `SELECT `+uploadColumns+` FROM uploads WHERE office = ? AND key = ?`, u.Office, u.Key)
		if !errors.Is(err, hub.ErrNotFound) {
			return err
		}
		fits, err := first(t.q, func(s scanner) (fits bool, err error) { return fits, s.Scan(&fits) },
			`SELECT count(*) < ?1 AND coalesce(sum(length), 0) + ?2 <= ?3 FROM uploads WHERE office = ?4 AND outcome = ''`,
			open, u.Length, bytes, u.Office)
		if err != nil {
			return err
		}
		if !fits {
			return hub.ErrQuota
		}
		got = u
		return inserted("upload", t.exec(`INSERT INTO uploads (`+uploadColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?)`,
			u.ID, u.Office, u.Account, u.Key, u.Length, u.Received, u.State, u.Mark, millis(u.At), millis(u.Expires), u.Version))
	})
	return got, err
}

// Upload implements hub.Uploads.
func (d *DB) Upload(ctx context.Context, id string) (u hub.Upload, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		u, err = first(r.q, scanUpload, `SELECT `+uploadColumns+` FROM uploads WHERE id = ?`, id)
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
		err := t.changed(`UPDATE uploads SET received = ?, state = ?, mark = ?, outcome = ?, expires = ?, version = version + 1
			WHERE id = ? AND version = ?`, u.Received, u.State, u.Mark, outcome, millis(u.Expires), u.ID, u.Version)
		if err != nil {
			return fmt.Errorf("upload %s: %w", u.ID, err)
		}
		return nil
	})
}

// ExpiredUploads implements hub.Uploads.
func (d *DB) ExpiredUploads(ctx context.Context, now time.Time, limit int) (out []hub.Upload, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanUpload, `SELECT `+uploadColumns+` FROM uploads WHERE expires < ? ORDER BY expires, n LIMIT ?`, millis(now), limit)
		return err
	})
	return out, err
}

// RemoveUpload implements hub.Uploads.
func (d *DB) RemoveUpload(ctx context.Context, id string) error {
	return d.update(ctx, func(t *tx) error { return t.exec(`DELETE FROM uploads WHERE id = ?`, id) })
}
