package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

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
func (d *DB) AddRecord(ctx context.Context, e archive.Entry, c archive.Content) error {
	body, err := json.Marshal(e.Record)
	if err != nil {
		return err
	}
	r := e.Record
	return d.update(ctx, func(t *tx) error {
		err := t.exec("record "+r.ID, `INSERT INTO records (id, code, exchange, issuer, number, title, issued_on, record, package, terms)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::tsvector)`,
			r.ID, r.ArchivalCode, r.Exchange, r.Issuer, r.Number, r.Title, r.IssuedOn, string(body), e.Package.String(),
			vector(archive.TermsOf(r, c)))
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

// Weights of lexemes: those of the title can be asked for alone.
const titleWeight = "A"

// vector writes terms as a tsvector: the text in its order, the title first; single characters and facets without a place.
func vector(t archive.Terms) string {
	places := map[string][]string{}
	for i, term := range t.Text {
		at := strconv.Itoa(i + 1)
		if i < len(t.Title) {
			at += titleWeight
		}
		places[term] = append(places[term], at)
	}
	var b strings.Builder
	for term, at := range places {
		b.WriteString(" '" + term + "':" + strings.Join(at, ","))
	}
	for _, term := range append(slices.Clone(t.Singles), t.Facets...) {
		if places[term] == nil {
			b.WriteString(" '" + term + "'")
		}
	}
	return b.String()
}

// tsquery writes a query in the language of PostgreSQL. Terms are letters and digits, so nothing in them is an operator.
func tsquery(q archive.TermQuery) string {
	var all []string
	phrase := func(terms []string, weight string) {
		quoted := make([]string, len(terms))
		for i, t := range terms {
			quoted[i] = "'" + t + "'" + weight
		}
		all = append(all, "("+strings.Join(quoted, " <-> ")+")")
	}
	for _, f := range q.Facets {
		all = append(all, "('"+strings.Join(f, "' | '")+"')")
	}
	for _, p := range q.Title {
		phrase(p, ":"+titleWeight)
	}
	for _, p := range q.Text {
		phrase(p, "")
	}
	for _, s := range q.Singles {
		phrase([]string{s}, "")
	}
	return strings.Join(all, " & ")
}

// FindRecords implements archive.Index. Terms find the records; a title is then compared as it stands, so that a percent
// sign in a title is a percent sign.
func (d *DB) FindRecords(ctx context.Context, q archive.Query) ([]archive.Entry, error) {
	limit := q.Limit
	if limit <= 0 || limit > maxRecords {
		limit = maxRecords
	}
	terms, title := q.Terms(), q.Title
	if strings.ContainsFunc(title, unicode.IsSpace) {
		title = "" // several words may stand apart
	}
	found := `$1 = ''`
	if !terms.Empty() {
		found = `terms @@ $1::text::tsquery`
	}
	return all(d.alone(ctx), scanRecord, `SELECT record::text, package FROM records WHERE `+found+`
		AND ($2 = '' OR strpos(title, $2) > 0)
		AND ($3 = '' OR issued_on >= $3) AND ($4 = '' OR issued_on <= $4)
		AND n < coalesce((SELECT n FROM records WHERE id = $5), 9223372036854775807)
		AND NOT ($7 AND disposed)
		ORDER BY n DESC LIMIT $6`, tsquery(terms), title, q.From, q.To, q.After, limit, q.Kept)
}

// indexOld gives terms to records of a database that was made before there were any. The text of their documents lies in
// their packages and is not read for it.
func (d *DB) indexOld(ctx context.Context) error {
	type old struct {
		n    int64
		body string
	}
	for {
		page, err := all(d.alone(ctx), func(s scanner) (o old, err error) {
			err = s.Scan(&o.n, &o.body)
			return o, err
		}, `SELECT n, record::text FROM records WHERE terms IS NULL LIMIT 500`)
		if err != nil || len(page) == 0 {
			return err
		}
		err = d.update(ctx, func(t *tx) error {
			for _, o := range page {
				var r archive.Record
				if err := json.Unmarshal([]byte(o.body), &r); err != nil {
					return err
				}
				err := t.exec("index record "+r.ID, `UPDATE records SET terms = $2::text::tsvector WHERE n = $1 AND terms IS NULL`,
					o.n, vector(archive.TermsOf(r, archive.Content{})))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// Record implements archive.Index.
func (d *DB) Record(ctx context.Context, idOrCode string) (archive.Entry, error) {
	e, err := first(d.alone(ctx), scanRecord, `SELECT record::text, package FROM records WHERE id = $1 OR code = $1`, idOrCode)
	if errors.Is(err, hub.ErrNotFound) {
		return e, fmt.Errorf("%s: %w", idOrCode, archive.ErrNotFound)
	}
	return e, err
}
