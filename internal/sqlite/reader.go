package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"yinxin/transport"
	"yinxin/transport/hub"
)

// querier runs a constant query: the writer inside its transaction, a snapshot
// inside a View.
type querier interface {
	query(text string, args ...any) (*sql.Rows, error)
}

// reader implements hub.Reader.
type reader struct{ q querier }

// View runs fn over one snapshot; see hub.Store.
func (d *DB) View(ctx context.Context, fn func(hub.Reader) error) error {
	return d.view(ctx, func(r reader) error { return fn(r) })
}

func (d *DB) view(ctx context.Context, fn func(reader) error) (err error) {
	var c *readConn
	select {
	case c = <-d.idle:
	case <-d.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.idle <- c }()
	if err := c.exec(`BEGIN`); err != nil {
		return fmt.Errorf("begin to read: %w", storageError(err))
	}
	defer func() { err = errors.Join(err, c.exec(`ROLLBACK`)) }()
	return fn(reader{q: c})
}

// readConn is one connection that reads, with its prepared statements. Reads are
// short and local, so they are not interrupted.
type readConn struct {
	conn *sql.Conn
	stmt map[string]*sql.Stmt
}

func (c *readConn) prepared(text string) (*sql.Stmt, error) {
	if s, ok := c.stmt[text]; ok {
		return s, nil
	}
	s, err := c.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	c.stmt[text] = s
	return s, nil
}

func (c *readConn) exec(text string) error {
	s, err := c.prepared(text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background())
	return err
}

func (c *readConn) query(text string, args ...any) (*sql.Rows, error) {
	s, err := c.prepared(text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

func (c *readConn) close() error {
	var errs []error
	for _, s := range c.stmt {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

// scanner is what a row gives.
type scanner interface{ Scan(dest ...any) error }

// all reads every row of a query.
func all[T any](q querier, scan func(scanner) (T, error), text string, args ...any) (out []T, err error) {
	rows, err := q.query(text, args...)
	if err != nil {
		return nil, storageError(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, storageError(rows.Err())
}

// first reads the only row of a query, or hub.ErrNotFound.
func first[T any](q querier, scan func(scanner) (T, error), text string, args ...any) (T, error) {
	got, err := all(q, scan, text, args...)
	if err == nil && len(got) == 0 {
		err = hub.ErrNotFound
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return got[0], nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func digest(b []byte) (d transport.Digest) {
	copy(d[:], b)
	return d
}

func digestBytes(d transport.Digest) []byte {
	if d.IsZero() {
		return []byte{}
	}
	return d[:]
}

const exchangeColumns = `id, sender, account, document_sm3, document_sha256, urgency, accepted_at, entry, last_entry, last_time,
	deposited, package, envelope_sm3, size, refers_kind, refers, superseded_kind, superseded, checked, unchecked, disposed`

func scanExchange(s scanner) (x transport.Exchange, err error) {
	var sm3, sha, last, pack, body []byte
	var accepted, lastTime, checked int64
	err = s.Scan(&x.ID, &x.Sender, &x.Account, &sm3, &sha, &x.Urgency, &accepted, &x.Entry, &last, &lastTime,
		&x.Deposited, &pack, &body, &x.Size, &x.Refers.Kind, &x.Refers.Exchange, &x.Superseded.Kind, &x.Superseded.Exchange,
		&checked, &x.Unchecked, &x.Disposed)
	x.DocumentSM3, x.DocumentSHA256, x.LastEntry = digest(sm3), digest(sha), digest(last)
	x.Package, x.Body = digest(pack), digest(body)
	x.AcceptedAt, x.LastTime, x.Checked = fromMillis(accepted), fromMillis(lastTime), fromMillis(checked)
	return x, err
}

const deliveryColumns = `id, exchange, sender, recipient, role, state, due, overdue, reminders, reason, comment, sign_number,
	statement, changed_at, copies, withdrawal_requested, escalated`

func scanDelivery(s scanner) (d transport.Delivery, err error) {
	var statement []byte
	var due, changed int64
	err = s.Scan(&d.ID, &d.Exchange, &d.Sender, &d.Recipient, &d.Role, &d.State, &due, &d.Overdue, &d.Reminders, &d.Reason,
		&d.Comment, &d.SignNumber, &statement, &changed, &d.Copies, &d.WithdrawalRequested, &d.Escalated)
	d.Statement, d.Due, d.ChangedAt = digest(statement), fromMillis(due), fromMillis(changed)
	return d, err
}

const evidenceColumns = `e.id, e.exchange, e.sender, e.delivery, e.recipient, e.event, e.at, e.digest, e.leaf, e.statement, r.body IS NOT NULL`

func scanEvidence(s scanner) (e hub.Evidence, err error) {
	var sum []byte
	var at int64
	err = s.Scan(&e.ID, &e.Exchange, &e.Sender, &e.Delivery, &e.Recipient, &e.Event, &at, &sum, &e.Leaf, &e.Statement, &e.Ready)
	e.Digest, e.Time = digest(sum), fromMillis(at)
	return e, err
}

// Exchange implements hub.Reader.
func (r reader) Exchange(id string) (transport.Exchange, error) {
	return first(r.q, scanExchange, `SELECT `+exchangeColumns+` FROM exchanges WHERE id = ?`, id)
}

// Outbox implements hub.Reader.
func (r reader) Outbox(sender string, p hub.Page) ([]transport.Exchange, error) {
	return all(r.q, scanExchange, `SELECT `+exchangeColumns+` FROM exchanges WHERE sender = ?1
		AND n < coalesce((SELECT n FROM exchanges WHERE id = ?2 AND sender = ?1), 9223372036854775807)
		ORDER BY n DESC LIMIT ?3`, sender, p.After, p.Limit)
}

// Referring implements hub.Reader.
func (r reader) Referring(exchange string) ([]transport.Exchange, error) {
	return all(r.q, scanExchange, `SELECT `+exchangeColumns+` FROM exchanges WHERE refers = ? AND refers <> '' ORDER BY n`, exchange)
}

// Copies implements hub.Reader.
func (r reader) Copies(delivery string) ([]transport.Copy, error) {
	return all(r.q, func(s scanner) (c transport.Copy, err error) {
		var at int64
		err = s.Scan(&c.Delivery, &c.Number, &c.Kind, &c.Voided, &c.Account, &at)
		c.At = fromMillis(at)
		return c, err
	}, `SELECT delivery, number, kind, voided, account, at FROM copies WHERE delivery = ? ORDER BY number`, delivery)
}

// Delivery implements hub.Reader.
func (r reader) Delivery(id string) (transport.Delivery, error) {
	return first(r.q, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE id = ?`, id)
}

// Deliveries implements hub.Reader.
func (r reader) Deliveries(exchange string) ([]transport.Delivery, error) {
	return all(r.q, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE exchange = ? ORDER BY n`, exchange)
}

// Inbox implements hub.Reader. What has not arrived yet is not in the box.
func (r reader) Inbox(recipient string, f hub.InboxFilter) ([]transport.Delivery, error) {
	states := make([]string, 0, len(f.States))
	for _, s := range f.States {
		states = append(states, string(s))
	}
	return all(r.q, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE recipient = ?1
		AND n < coalesce((SELECT n FROM deliveries WHERE id = ?2 AND recipient = ?1), 9223372036854775807)
		AND state NOT IN ('accepted', 'routed', 'rejected', 'failed')
		AND (?3 = '' OR instr(?3, ',' || state || ',') > 0)
		ORDER BY n DESC LIMIT ?4`, recipient, f.Page.After, joined(states), f.Page.Limit)
}

// joined writes a list of words so that each stands between two commas.
func joined(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "," + strings.Join(words, ",") + ","
}

// Evidence implements hub.Reader.
func (r reader) Evidence(entry string) (hub.Evidence, error) {
	return first(r.q, scanEvidence, `SELECT `+evidenceColumns+` FROM entries e LEFT JOIN receipts r ON r.n = e.n WHERE e.id = ?`, entry)
}

// ExchangeEvidence implements hub.Reader.
func (r reader) ExchangeEvidence(exchange string) ([]hub.Evidence, error) {
	return all(r.q, scanEvidence, `SELECT `+evidenceColumns+` FROM entries e LEFT JOIN receipts r ON r.n = e.n
		WHERE e.exchange = ? ORDER BY e.n`, exchange)
}

func scanBytes(s scanner) (b []byte, err error) {
	err = s.Scan(&b)
	return b, err
}

func scanCount(s scanner) (n int64, err error) {
	err = s.Scan(&n)
	return n, err
}

// Receipt implements hub.Reader.
func (r reader) Receipt(entry string) ([]byte, error) {
	return first(r.q, scanBytes, `SELECT r.body FROM entries e JOIN receipts r ON r.n = e.n WHERE e.id = ? AND r.body IS NOT NULL`, entry)
}

// Ready implements hub.Reader.
func (r reader) Ready(entries []string) ([]string, error) {
	list, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	return all(r.q, scanText, `SELECT e.id FROM entries e JOIN receipts r ON r.n = e.n
		WHERE e.id IN (SELECT value FROM json_each(?)) AND r.body IS NOT NULL`, string(list))
}

// Envelope implements hub.Reader.
func (r reader) Envelope(exchange string) (hub.Envelope, error) {
	return first(r.q, func(s scanner) (e hub.Envelope, err error) {
		var sum []byte
		err = s.Scan(&sum, &e.Size, &e.Inline)
		e.SM3 = digest(sum)
		return e, err
	}, `SELECT envelope_sm3, size, envelope FROM exchanges WHERE id = ?`, exchange)
}

// Idempotent implements hub.Reader.
func (r reader) Idempotent(org, key string) (hub.Idempotent, error) {
	return first(r.q, func(s scanner) (i hub.Idempotent, err error) {
		var request []byte
		var at int64
		err = s.Scan(&i.Org, &i.Key, &request, &i.Entry, &at)
		i.Request, i.At = digest(request), fromMillis(at)
		return i, err
	}, `SELECT org, key, request, entry, at FROM idempotency WHERE org = ? AND key = ?`, org, key)
}

// Rejection implements hub.Reader.
func (r reader) Rejection(sender string, body transport.Digest, code string) (hub.Rejection, error) {
	return first(r.q, func(s scanner) (j hub.Rejection, err error) {
		var sum []byte
		var at int64
		err = s.Scan(&j.Entry, &j.Sender, &j.Exchange, &sum, &j.Code, &at)
		j.Body, j.At = digest(sum), fromMillis(at)
		return j, err
	}, `SELECT entry, sender, exchange, body, code, at FROM rejections WHERE sender = ? AND body = ? AND code = ?`,
		sender, body[:], code)
}

// Waiting implements hub.Reader: entries that the log has not published, and
// published ones whose receipt is not built.
func (r reader) Waiting() (int64, error) {
	return first(r.q, scanCount, `SELECT coalesce((SELECT max(n) FROM entries), 0) - (SELECT size FROM log_head)
		+ (SELECT count(*) FROM receipts WHERE body IS NULL)`)
}

// JobsDue implements hub.Reader.
func (r reader) JobsDue(now time.Time) (bool, error) {
	n, err := first(r.q, scanCount, `SELECT EXISTS (SELECT 1 FROM jobs WHERE run_at <= ?1 AND leased <= ?1)`, millis(now))
	return n > 0, err
}

// Proven implements hub.Reader.
func (r reader) Proven(limit int) ([]hub.Proven, error) {
	return all(r.q, func(s scanner) (p hub.Proven, err error) {
		var sum, proof []byte
		var at int64
		var n uint64
		e := &p.Evidence
		err = s.Scan(&n, &e.ID, &e.Exchange, &e.Sender, &e.Delivery, &e.Recipient, &e.Event, &at, &sum, &e.Leaf, &e.Statement,
			&proof, &p.Checkpoint)
		e.Digest, e.Time, p.Index = digest(sum), fromMillis(at), n-1
		for ; len(proof) >= 32; proof = proof[32:] {
			p.Proof = append(p.Proof, [32]byte(proof))
		}
		return p, err
	}, `SELECT e.n, e.id, e.exchange, e.sender, e.delivery, e.recipient, e.event, e.at, e.digest, e.leaf, e.statement, r.proof, c.note
		FROM receipts r JOIN entries e ON e.n = r.n JOIN checkpoints c ON c.size = r.size
		WHERE r.body IS NULL ORDER BY r.n LIMIT ?`, limit)
}
