package postgres

import (
	"time"

	"yinxin/transport"
	"yinxin/transport/hub"
)

// querier runs a query of constant text: a session, or one connection of the pool for a
// question that stands alone.
type querier interface {
	fetch(scan func(scanner) error, text string, args ...any) error
}

// scanner is what a row gives.
type scanner interface{ Scan(dest ...any) error }

// reader implements hub.Reader.
type reader struct{ q querier }

// all reads every row of a query.
func all[T any](q querier, scan func(scanner) (T, error), text string, args ...any) (out []T, err error) {
	err = q.fetch(func(s scanner) error {
		v, err := scan(s)
		out = append(out, v)
		return err
	}, text, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
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

// orNull writes a time that is not set as NULL.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func fromNull(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
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
	var checked *time.Time
	err = s.Scan(&x.ID, &x.Sender, &x.Account, &sm3, &sha, &x.Urgency, &x.AcceptedAt, &x.Entry, &last, &x.LastTime,
		&x.Deposited, &pack, &body, &x.Size, &x.Refers.Kind, &x.Refers.Exchange, &x.Superseded.Kind, &x.Superseded.Exchange,
		&checked, &x.Unchecked, &x.Disposed)
	x.DocumentSM3, x.DocumentSHA256, x.LastEntry = digest(sm3), digest(sha), digest(last)
	x.Package, x.Body = digest(pack), digest(body)
	x.AcceptedAt, x.LastTime, x.Checked = x.AcceptedAt.UTC(), x.LastTime.UTC(), fromNull(checked)
	return x, err
}

const deliveryColumns = `id, exchange, sender, recipient, role, state, due, overdue, reminders, reason, comment, sign_number,
	statement, changed_at, copies, withdrawal_requested, escalated`

func scanDelivery(s scanner) (d transport.Delivery, err error) {
	var statement []byte
	var due *time.Time
	err = s.Scan(&d.ID, &d.Exchange, &d.Sender, &d.Recipient, &d.Role, &d.State, &due, &d.Overdue, &d.Reminders, &d.Reason,
		&d.Comment, &d.SignNumber, &statement, &d.ChangedAt, &d.Copies, &d.WithdrawalRequested, &d.Escalated)
	d.Statement, d.Due, d.ChangedAt = digest(statement), fromNull(due), d.ChangedAt.UTC()
	return d, err
}

const evidenceColumns = `e.id, e.exchange, e.sender, e.delivery, e.recipient, e.event, e.at, e.digest, e.leaf, e.statement`

// evidence gives the targets of evidenceColumns and what is to be done after the scan.
func evidence(e *hub.Evidence) (into []any, done func()) {
	var sum []byte
	into = []any{&e.ID, &e.Exchange, &e.Sender, &e.Delivery, &e.Recipient, &e.Event, &e.Time, &sum, &e.Leaf, &e.Statement}
	return into, func() { e.Digest, e.Time = digest(sum), e.Time.UTC() }
}

func scanEvidence(s scanner) (e hub.Evidence, err error) {
	into, done := evidence(&e)
	err = s.Scan(append(into, &e.Ready)...)
	done()
	return e, err
}

// Exchange implements hub.Reader.
func (r reader) Exchange(id string) (transport.Exchange, error) {
	return first(r.q, scanExchange, `SELECT `+exchangeColumns+` FROM exchanges WHERE id = $1`, id)
}

// Outbox implements hub.Reader.
func (r reader) Outbox(sender string, p hub.Page) ([]transport.Exchange, error) {
	return all(r.q, scanExchange, `SELECT `+exchangeColumns+` FROM exchanges WHERE sender = $1
		AND n < coalesce((SELECT n FROM exchanges WHERE id = $2 AND sender = $1), 9223372036854775807)
		ORDER BY n DESC LIMIT $3`, sender, p.After, p.Limit)
}

// Referring implements hub.Reader.
func (r reader) Referring(exchange string) ([]transport.Exchange, error) {
	return all(r.q, scanExchange, `SELECT `+exchangeColumns+` FROM exchanges WHERE refers = $1 AND refers <> '' ORDER BY n`, exchange)
}

// Copies implements hub.Reader.
func (r reader) Copies(delivery string) ([]transport.Copy, error) {
	return all(r.q, func(s scanner) (c transport.Copy, err error) {
		err = s.Scan(&c.Delivery, &c.Number, &c.Kind, &c.Voided, &c.Account, &c.At)
		c.At = c.At.UTC()
		return c, err
	}, `SELECT delivery, number, kind, voided, account, at FROM copies WHERE delivery = $1 ORDER BY number`, delivery)
}

// Delivery implements hub.Reader.
func (r reader) Delivery(id string) (transport.Delivery, error) {
	return first(r.q, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE id = $1`, id)
}

// Deliveries implements hub.Reader.
func (r reader) Deliveries(exchange string) ([]transport.Delivery, error) {
	return all(r.q, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE exchange = $1 ORDER BY n`, exchange)
}

// Inbox implements hub.Reader. What has not arrived yet is not in the box.
func (r reader) Inbox(recipient string, f hub.InboxFilter) ([]transport.Delivery, error) {
	states := make([]string, 0, len(f.States))
	for _, s := range f.States {
		states = append(states, string(s))
	}
	return all(r.q, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE recipient = $1
		AND n < coalesce((SELECT n FROM deliveries WHERE id = $2 AND recipient = $1), 9223372036854775807)
		AND state NOT IN ('accepted', 'routed', 'rejected', 'failed')
		AND (cardinality($3::text[]) = 0 OR state::text = ANY ($3))
		ORDER BY n DESC LIMIT $4`, recipient, f.Page.After, states, f.Page.Limit)
}

// Evidence implements hub.Reader.
func (r reader) Evidence(entry string) (hub.Evidence, error) {
	return first(r.q, scanEvidence, `SELECT `+evidenceColumns+`, p.body IS NOT NULL
		FROM entries e LEFT JOIN places p ON p.k = e.k WHERE e.id = $1`, entry)
}

// ExchangeEvidence implements hub.Reader.
func (r reader) ExchangeEvidence(exchange string) ([]hub.Evidence, error) {
	return all(r.q, scanEvidence, `SELECT `+evidenceColumns+`, p.body IS NOT NULL
		FROM entries e LEFT JOIN places p ON p.k = e.k WHERE e.exchange = $1 ORDER BY e.k`, exchange)
}

// scanOne reads a row of one column.
func scanOne[T any](s scanner) (v T, err error) {
	err = s.Scan(&v)
	return v, err
}

// Receipt implements hub.Reader.
func (r reader) Receipt(entry string) ([]byte, error) {
	return first(r.q, scanOne[[]byte],
		`SELECT p.body FROM entries e JOIN places p ON p.k = e.k WHERE e.id = $1 AND p.body IS NOT NULL`, entry)
}

// Ready implements hub.Reader.
func (r reader) Ready(entries []string) ([]string, error) {
	return all(r.q, scanOne[string],
		`SELECT e.id FROM entries e JOIN places p ON p.k = e.k WHERE e.id = ANY ($1) AND p.body IS NOT NULL`, entries)
}

// Envelope implements hub.Reader.
func (r reader) Envelope(exchange string) (hub.Envelope, error) {
	return first(r.q, func(s scanner) (e hub.Envelope, err error) {
		var sum []byte
		err = s.Scan(&sum, &e.Size, &e.Inline)
		e.SM3 = digest(sum)
		return e, err
	}, `SELECT envelope_sm3, size, envelope FROM exchanges WHERE id = $1`, exchange)
}

// Idempotent implements hub.Reader.
func (r reader) Idempotent(org, key string) (hub.Idempotent, error) {
	return first(r.q, func(s scanner) (i hub.Idempotent, err error) {
		var request []byte
		err = s.Scan(&i.Org, &i.Key, &request, &i.Entry, &i.At)
		i.Request, i.At = digest(request), i.At.UTC()
		return i, err
	}, `SELECT org, key, request, entry, at FROM idempotency WHERE org = $1 AND key = $2`, org, key)
}

// Rejection implements hub.Reader.
func (r reader) Rejection(sender string, body transport.Digest, code string) (hub.Rejection, error) {
	return first(r.q, func(s scanner) (j hub.Rejection, err error) {
		var sum []byte
		err = s.Scan(&j.Entry, &j.Sender, &j.Exchange, &sum, &j.Code, &j.At)
		j.Body, j.At = digest(sum), j.At.UTC()
		return j, err
	}, `SELECT entry, sender, exchange, body, code, at FROM rejections WHERE sender = $1 AND body = $2 AND code = $3`,
		sender, body[:], code)
}

// Waiting implements hub.Reader: entries without a place in the log, and those whose receipt
// is not built.
func (r reader) Waiting() (int64, error) {
	return first(r.q, scanOne[int64], `SELECT (SELECT count(*) FROM unplaced) + (SELECT count(*) FROM places WHERE body IS NULL)`)
}

// JobsDue implements hub.Reader.
func (r reader) JobsDue(now time.Time) (bool, error) {
	return first(r.q, scanOne[bool], `SELECT EXISTS (SELECT 1 FROM jobs WHERE run_at <= $1 AND leased <= $1)`, now)
}

// Proven implements hub.Reader.
func (r reader) Proven(limit int) ([]hub.Proven, error) {
	return all(r.q, func(s scanner) (p hub.Proven, err error) {
		var proof []byte
		into, done := evidence(&p.Evidence)
		err = s.Scan(append(into, &p.Index, &proof, &p.Checkpoint)...)
		done()
		for ; len(proof) >= 32; proof = proof[32:] {
			p.Proof = append(p.Proof, [32]byte(proof))
		}
		return p, err
	}, `SELECT `+evidenceColumns+`, p.n, p.proof, c.note
		FROM places p JOIN entries e ON e.k = p.k JOIN checkpoints c ON c.size = p.size
		WHERE p.body IS NULL ORDER BY p.n LIMIT $1`, limit)
}
