package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/transport/hub"
)

// NextItem implements archive.Index.
func (d *DB) NextItem(ctx context.Context, fonds, class string) (n int, err error) {
	err = d.update(ctx, func(t *tx) error {
		err := t.exec(`INSERT INTO record_items (fonds, class, last) VALUES (?, ?, 1)
			ON CONFLICT (fonds, class) DO UPDATE SET last = last + 1`, fonds, class)
		if err != nil {
			return err
		}
		got, err := first(t.q, scanCount, `SELECT last FROM record_items WHERE fonds = ? AND class = ?`, fonds, class)
		n = int(got)
		return err
	})
	return n, err
}

// AddRecord implements archive.Index.
func (d *DB) AddRecord(ctx context.Context, e archive.Entry) error {
	body, err := json.Marshal(e.Record)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		have, err := first(t.q, scanText, `SELECT id FROM records WHERE exchange = ?`, e.Record.Exchange)
		if err == nil {
			return fmt.Errorf("exchange %s has the record %s: %w", e.Record.Exchange, have, hub.ErrExists)
		}
		if !errors.Is(err, hub.ErrNotFound) {
			return err
		}
		err = t.exec(`INSERT INTO records (id, code, exchange, issuer, number, title, record, package) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			e.Record.ID, e.Record.ArchivalCode, e.Record.Exchange, e.Record.Issuer, e.Record.Number, e.Record.Title,
			string(body), e.Package.String())
		if err != nil {
			return inserted("record "+e.Record.ID, err)
		}
		for _, office := range append([]string{e.Record.Issuer}, e.Record.Parties...) {
			err := t.exec(`INSERT OR IGNORE INTO record_parties (office, n) SELECT ?, n FROM records WHERE id = ?`, office, e.Record.ID)
			if err != nil {
				return fmt.Errorf("party of record %s: %w", e.Record.ID, err)
			}
		}
		return nil
	})
}

func scanText(s scanner) (v string, err error) {
	err = s.Scan(&v)
	return v, err
}

func scanRecord(s scanner) (e archive.Entry, err error) {
	var body, ref string
	if err := s.Scan(&body, &ref); err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(body), &e.Record); err != nil {
		return e, err
	}
	e.Package, err = blob.ParseRef(ref)
	return e, err
}

// maxRecords is the most that one search returns.
const maxRecords = 200

// FindRecords implements archive.Index. Text and title are looked for as they stand,
// so that a percent sign in a title is a percent sign.
func (d *DB) FindRecords(ctx context.Context, q archive.Query) (out []archive.Entry, err error) {
	limit := q.Limit
	if limit <= 0 || limit > maxRecords {
		limit = maxRecords
	}
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanRecord, `SELECT record, package FROM records
			WHERE (?1 = '' OR instr(title, ?1) > 0 OR instr(number, ?1) > 0)
			AND (?2 = '' OR number = ?2)
			AND (?3 = '' OR instr(title, ?3) > 0)
			AND (?4 = '' OR exchange = ?4)
			AND (?5 = '' OR n IN (SELECT n FROM record_parties WHERE office = ?5))
			AND n < coalesce((SELECT n FROM records WHERE id = ?6), 9223372036854775807)
			ORDER BY n DESC LIMIT ?7`, q.Text, q.Number, q.Title, q.Exchange, q.Office, q.After, limit)
		return err
	})
	return out, err
}

// Record implements archive.Index.
func (d *DB) Record(ctx context.Context, idOrCode string) (e archive.Entry, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		e, err = first(r.q, scanRecord, `SELECT record, package FROM records WHERE id = ?1 OR code = ?1`, idOrCode)
		return err
	})
	if errors.Is(err, hub.ErrNotFound) {
		return e, fmt.Errorf("%s: %w", idOrCode, archive.ErrNotFound)
	}
	return e, err
}
