package postgres

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
	err = d.update(ctx, func(t *tx) (err error) {
		n, err = first(t.q, scanOne[int], `INSERT INTO record_items (fonds, class, last) VALUES ($1, $2, 1)
			ON CONFLICT (fonds, class) DO UPDATE SET last = record_items.last + 1 RETURNING last`, fonds, class)
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
	r := e.Record
	return d.update(ctx, func(t *tx) error {
		err := t.exec("record "+r.ID, `INSERT INTO records (id, code, exchange, issuer, number, title, record, package)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			r.ID, r.ArchivalCode, r.Exchange, r.Issuer, r.Number, r.Title, string(body), e.Package.String())
		if err != nil {
			return err
		}
		return t.exec("parties of record "+r.ID, `INSERT INTO record_parties (office, n)
			SELECT DISTINCT o, r.n FROM unnest($1::text[]) o, records r WHERE r.id = $2`,
			append([]string{r.Issuer}, r.Parties...), r.ID)
	})
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

// FindRecords implements archive.Index. Text and title are looked for as they stand, so that a
// percent sign in a title is a percent sign.
func (d *DB) FindRecords(ctx context.Context, q archive.Query) ([]archive.Entry, error) {
	limit := q.Limit
	if limit <= 0 || limit > maxRecords {
		limit = maxRecords
	}
	return all(d.alone(ctx), scanRecord, `SELECT record::text, package FROM records
		WHERE ($1 = '' OR strpos(title, $1) > 0 OR strpos(number, $1) > 0)
		AND ($2 = '' OR number = $2)
		AND ($3 = '' OR strpos(title, $3) > 0)
		AND ($4 = '' OR exchange = $4)
		AND ($5 = '' OR n IN (SELECT n FROM record_parties WHERE office = $5))
		AND n < coalesce((SELECT n FROM records WHERE id = $6), 9223372036854775807)
		ORDER BY n DESC LIMIT $7`, q.Text, q.Number, q.Title, q.Exchange, q.Office, q.After, limit)
}

// Record implements archive.Index.
func (d *DB) Record(ctx context.Context, idOrCode string) (archive.Entry, error) {
	e, err := first(d.alone(ctx), scanRecord, `SELECT record::text, package FROM records WHERE id = $1 OR code = $1`, idOrCode)
	if errors.Is(err, hub.ErrNotFound) {
		return e, fmt.Errorf("%s: %w", idOrCode, archive.ErrNotFound)
	}
	return e, err
}
