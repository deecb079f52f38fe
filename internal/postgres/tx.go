package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"yinxin/internal/audit"
	"yinxin/transport"
	"yinxin/transport/hub"
)

// tx implements hub.Tx. What it reads of an exchange it reads under the exchange's lock, so that
// what fn decides on is still so when it commits.
type tx struct {
	reader
	s *session
}

// exec keeps a statement back; what names it in an error.
func (t *tx) exec(what, text string, args ...any) error {
	return t.s.add(statement{what: what, text: text, args: args})
}

const insertAudit = `INSERT INTO audit (lane, n, at, account, org, action, object, outcome, detail, request, hash)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

// Audit implements hub.Tx.
func (t *tx) Audit(r transport.AuditRecord) error {
	r.At = r.At.UTC().Truncate(time.Millisecond)
	if err := audit.Check(r); err != nil {
		return err
	}
	return t.s.add(statement{what: "audit " + r.Action, text: insertAudit, record: &r})
}

// Exchange implements hub.Reader, and locks the exchange.
func (t *tx) Exchange(id string) (transport.Exchange, error) {
	return first(t.q, scanExchange, `SELECT `+exchangeColumns+` FROM exchanges WHERE id = $1 FOR NO KEY UPDATE`, id)
}

// Delivery implements hub.Reader, and locks its exchange. The lock is a statement of its own, so
// that the delivery is read as it is when the lock is there.
func (t *tx) Delivery(id string) (transport.Delivery, error) {
	err := t.exec("lock the exchange of delivery "+id,
		`SELECT 1 FROM exchanges WHERE id = (SELECT exchange FROM deliveries WHERE id = $1) FOR NO KEY UPDATE`, id)
	if err != nil {
		return transport.Delivery{}, err
	}
	return t.reader.Delivery(id)
}

// Deliveries implements hub.Reader, and locks the exchange.
func (t *tx) Deliveries(exchange string) ([]transport.Delivery, error) {
	err := t.exec("lock exchange "+exchange, `SELECT 1 FROM exchanges WHERE id = $1 FOR NO KEY UPDATE`, exchange)
	if err != nil {
		return nil, err
	}
	return t.reader.Deliveries(exchange)
}

// InsertExchange implements hub.Tx.
func (t *tx) InsertExchange(x transport.Exchange, e hub.Envelope, ds []transport.Delivery) error {
	err := t.exec("exchange "+x.ID,
		`INSERT INTO exchanges (`+exchangeColumns+`, envelope) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
			$16, $17, $18, $19, $20, $21, $22)`,
		x.ID, x.Sender, x.Account, x.DocumentSM3[:], x.DocumentSHA256[:], string(x.Urgency), x.AcceptedAt, x.Entry,
		x.LastEntry[:], x.LastTime, x.Deposited, digestBytes(x.Package), e.SM3[:], e.Size,
		string(x.Refers.Kind), x.Refers.Exchange, string(x.Superseded.Kind), x.Superseded.Exchange, orNull(x.Checked), x.Unchecked, x.Disposed, e.Inline)
	if err != nil {
		return err
	}
	for _, d := range ds {
		err := t.exec("delivery to "+d.Recipient,
			`INSERT INTO deliveries (`+deliveryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			d.ID, d.Exchange, d.Sender, d.Recipient, string(d.Role), string(d.State), orNull(d.Due), d.Overdue, d.Reminders,
			d.Reason, d.Comment, d.SignNumber, digestBytes(d.Statement), d.ChangedAt,
			d.Copies, d.WithdrawalRequested, d.Escalated)
		if err != nil {
			return err
		}
	}
	return nil
}

// SaveExchange implements hub.Tx.
func (t *tx) SaveExchange(x transport.Exchange) error {
	return t.exec("exchange "+x.ID, `WITH u AS (
			UPDATE exchanges SET last_entry = $1, last_time = $2, deposited = $3, package = $4, superseded_kind = $5, superseded = $6,
			checked = $7, unchecked = $8 WHERE id = $9 RETURNING 1)
		SELECT must_change_one((SELECT count(*) FROM u))`,
		x.LastEntry[:], x.LastTime, x.Deposited, digestBytes(x.Package), string(x.Superseded.Kind), x.Superseded.Exchange,
		orNull(x.Checked), x.Unchecked, x.ID)
}

// MoveDelivery implements hub.Tx.
func (t *tx) MoveDelivery(d transport.Delivery, from transport.State) error {
	return t.exec("delivery "+d.ID, `WITH u AS (
			UPDATE deliveries SET state = $1, due = $2, overdue = $3, reminders = $4, reason = $5, comment = $6,
			sign_number = $7, statement = $8, changed_at = $9, copies = $10, withdrawal_requested = $11, escalated = $12
			WHERE id = $13 AND state = $14 RETURNING 1)
		SELECT must_change_one((SELECT count(*) FROM u))`,
		string(d.State), orNull(d.Due), d.Overdue, d.Reminders, d.Reason, d.Comment, d.SignNumber, digestBytes(d.Statement),
		d.ChangedAt, d.Copies, d.WithdrawalRequested, d.Escalated, d.ID, string(from))
}

// InsertCopy implements hub.Tx.
func (t *tx) InsertCopy(c transport.Copy) error {
	return t.exec("copy", `INSERT INTO copies (delivery, number, kind, voided, account, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.Delivery, c.Number, string(c.Kind), c.Voided, c.Account, c.At)
}

// VoidCopy implements hub.Tx.
func (t *tx) VoidCopy(delivery string, number int) error {
	return t.exec("copy", `WITH u AS (
			UPDATE copies SET voided = true WHERE delivery = $1 AND number = $2 AND NOT voided RETURNING 1)
		SELECT must_change_one((SELECT count(*) FROM u))`, delivery, number)
}

// AppendEntry implements hub.Tx.
func (t *tx) AppendEntry(e hub.Evidence) error {
	return t.exec("entry "+e.ID, `INSERT INTO entries (id, exchange, sender, delivery, recipient, event, at, digest, leaf, statement)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.ID, e.Exchange, e.Sender, e.Delivery, e.Recipient, string(e.Event), e.Time, e.Digest[:], e.Leaf, e.Statement)
}

// InsertRejection implements hub.Tx.
func (t *tx) InsertRejection(r hub.Rejection) error {
	return t.exec("rejection", `INSERT INTO rejections (entry, sender, exchange, body, code, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.Entry, r.Sender, r.Exchange, r.Body[:], r.Code, r.At)
}

// SaveIdempotent implements hub.Tx.
func (t *tx) SaveIdempotent(i hub.Idempotent) error {
	return t.exec("idempotency key", `INSERT INTO idempotency (org, key, request, entry, at) VALUES ($1, $2, $3, $4, $5)`,
		i.Org, i.Key, i.Request[:], i.Entry, i.At)
}

// Enqueue implements hub.Tx.
func (t *tx) Enqueue(j hub.Job) error {
	return t.exec("job "+string(j.Kind), `INSERT INTO jobs (kind, target, run_at) VALUES ($1, $2, $3)`, string(j.Kind), j.Target, j.RunAt)
}

// ClaimJobs implements hub.Tx. Two hubs that claim at once get different jobs, and neither waits.
func (t *tx) ClaimJobs(now, lease time.Time, limit int) ([]hub.Job, error) {
	jobs, err := all(t.q, func(s scanner) (j hub.Job, err error) {
		err = s.Scan(&j.ID, &j.Kind, &j.Target, &j.RunAt, &j.Attempts, &j.Why)
		j.RunAt = j.RunAt.UTC()
		return j, err
	}, `UPDATE jobs SET leased = $1, attempts = attempts + 1 WHERE id IN (
			SELECT id FROM jobs WHERE run_at <= $2 AND leased <= $2 ORDER BY run_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
		RETURNING id, kind, target, run_at, attempts, why`, lease, now, limit)
	slices.SortFunc(jobs, func(a, b hub.Job) int { return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.ID, b.ID)) })
	return jobs, err
}

// FinishJob implements hub.Tx. A job that is gone already is no error: its work was done by
// whoever removed it.
func (t *tx) FinishJob(id int64) error {
	return t.exec("job", `DELETE FROM jobs WHERE id = $1`, id)
}

// RetryJob implements hub.Tx.
func (t *tx) RetryJob(id int64, at time.Time, why string) error {
	return t.exec("job", `UPDATE jobs SET run_at = $1, leased = 'epoch', why = $2 WHERE id = $3`, at, audit.Clean(why), id)
}

// SaveReceipt implements hub.Tx.
func (t *tx) SaveReceipt(entry string, data []byte) error {
	return t.exec(fmt.Sprintf("receipt of %s", entry), `SELECT save_receipt($1, $2)`, entry, data)
}
