package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

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
func (d *DB) AddRecord(ctx context.Context, e archive.Entry, c archive.Content) error {
	return d.update(ctx, func(t *tx) error { return t.addRecord(e, c) })
}

func (t *tx) addRecord(e archive.Entry, c archive.Content) error {
	body, err := json.Marshal(e.Record)
	if err != nil {
		return err
	}
	have, err := first(t.q, scanText, `SELECT id FROM records WHERE exchange = ?`, e.Record.Exchange)
	if err == nil {
		return fmt.Errorf("exchange %s has the record %s: %w", e.Record.Exchange, have, hub.ErrExists)
	}
	if !errors.Is(err, hub.ErrNotFound) {
		return err
	}
	err = t.exec(`INSERT INTO records (id, code, exchange, issuer, number, title, issued_on, record, package, indexed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
		e.Record.ID, e.Record.ArchivalCode, e.Record.Exchange, e.Record.Issuer, e.Record.Number, e.Record.Title,
		e.Record.IssuedOn, string(body), e.Package.String())
	if err != nil {
		return inserted("record "+e.Record.ID, err)
	}
	n, err := first(t.q, scanCount, `SELECT n FROM records WHERE id = ?`, e.Record.ID)
	if err != nil {
		return err
	}
	if err := t.index(n, archive.TermsOf(e.Record, c)); err != nil {
		return fmt.Errorf("index record %s: %w", e.Record.ID, err)
	}
	for _, office := range append([]string{e.Record.Issuer}, e.Record.Parties...) {
		if err := t.exec(`INSERT OR IGNORE INTO record_parties (office, n) VALUES (?, ?)`, office, n); err != nil {
			return fmt.Errorf("party of record %s: %w", e.Record.ID, err)
		}
	}
	return nil
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

// index stores the terms of a record under its number.
func (t *tx) index(n int64, terms archive.Terms) error {
	return t.exec(`INSERT INTO record_terms (rowid, title, text, single, facet) VALUES (?, ?, ?, ?, ?)`, n,
		strings.Join(terms.Title, " "), strings.Join(terms.Text, " "), strings.Join(terms.Singles, " "), strings.Join(terms.Facets, " "))
}

// indexOld gives terms to records of a file that was made before there were any. The text of their documents lies in their
// packages and is not read for it.
func (d *DB) indexOld(ctx context.Context) error {
	type old struct {
		n    int64
		body string
	}
	for {
		var page []old
		err := d.view(ctx, func(r reader) (err error) {
			page, err = all(r.q, func(s scanner) (o old, err error) {
				err = s.Scan(&o.n, &o.body)
				return o, err
			}, `SELECT n, record FROM records WHERE indexed = 0 LIMIT 500`)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		err = d.update(ctx, func(t *tx) error {
			for _, o := range page {
				var r archive.Record
				if err := json.Unmarshal([]byte(o.body), &r); err != nil {
					return err
				}
				if err := t.index(o.n, archive.TermsOf(r, archive.Content{})); err != nil {
					return err
				}
				if err := t.exec(`UPDATE records SET indexed = 1 WHERE n = ?`, o.n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("index records: %w", err)
		}
	}
}

// maxRecords is the most that one search returns.
const maxRecords = 200

// match writes a query in the language of FTS5. Terms are letters and digits, so nothing in them is an operator.
func match(q archive.TermQuery) string {
	var all []string
	column := func(name string, terms []string) { all = append(all, name+` : "`+strings.Join(terms, " ")+`"`) }
	for _, f := range q.Facets {
		all = append(all, `facet : ("`+strings.Join(f, `" OR "`)+`")`)
	}
	for _, p := range q.Title {
		column("title", p)
	}
	for _, p := range q.Text {
		column("text", p)
	}
	for _, s := range q.Singles {
		column("single", []string{s})
	}
	return strings.Join(all, " AND ")
}

// FindRecords implements archive.Index. Terms find the records; a title is then compared as it stands, so that a percent
// sign in a title is a percent sign.
func (d *DB) FindRecords(ctx context.Context, q archive.Query) (out []archive.Entry, err error) {
	limit := q.Limit
	if limit <= 0 || limit > maxRecords {
		limit = maxRecords
	}
	terms := q.Terms()
	from := `FROM records r WHERE ?1 = ''`
	order := `r.n`
	if !terms.Empty() {
		from, order = `FROM record_terms t JOIN records r ON r.n = t.rowid WHERE record_terms MATCH ?1`, `t.rowid`
	}
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanRecord, `SELECT r.record, r.package `+from+`
			AND (?2 = '' OR instr(r.title, ?2) > 0)
			AND (?3 = '' OR r.issued_on >= ?3) AND (?4 = '' OR r.issued_on <= ?4)
			AND `+order+` < coalesce((SELECT n FROM records WHERE id = ?5), 9223372036854775807)
			AND (?7 = 0 OR r.disposed = 0)
			ORDER BY `+order+` DESC LIMIT ?6`, match(terms), literal(q.Title), q.From, q.To, q.After, limit, q.Kept)
		return err
	})
	return out, err
}

// literal is a title that is compared as it stands: one word. Several words may stand apart.
func literal(title string) string {
	if strings.ContainsFunc(title, unicode.IsSpace) {
		return ""
	}
	return title
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
