package sqlite

import (
	"errors"
	"fmt"
	"time"

	"yinxin/internal/audit"
	"yinxin/transport"
	"yinxin/transport/hub"
)

// tx implements hub.Tx over the writer's connection.
type tx struct {
	reader
	w *writer
	// ended is set when fn has returned: a Tx that was kept is refused.
	ended bool
}

var errEnded = errors.New("transaction has ended")

func (t *tx) exec(text string, args ...any) error {
	if t.ended {
		return errEnded
	}
	return storageError(t.w.exec(text, args...))
}

// changed runs a statement that must change exactly one row; otherwise it is stale.
func (t *tx) changed(text string, args ...any) error {
	if t.ended {
		return errEnded
	}
	r, err := t.w.result(text, args...)
	if err != nil {
		return storageError(err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return hub.ErrStale
	}
	return nil
}

// inserted turns a taken key into hub.ErrExists.
func inserted(what string, err error) error {
	if err == nil {
		return nil
	}
	if taken(err) {
		return fmt.Errorf("%s: %w", what, hub.ErrExists)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Audit implements hub.Tx.
func (t *tx) Audit(r transport.AuditRecord) error {
	r.At = r.At.UTC().Truncate(time.Millisecond)
	if err := audit.Check(r); err != nil {
		return err
	}
	next := link{n: t.w.audit.n + 1}
	next.hash = t.w.db.chain.Next(t.w.audit.hash, next.n, r)
	err := t.exec(`INSERT INTO audit (n, at, account, org, action, object, outcome, detail, request, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		next.n, millis(r.At), r.Account, r.Org, r.Action, r.Object, r.Outcome, r.Detail, r.Request, next.hash[:])
	if err != nil {
		return fmt.Errorf("audit %s: %w", r.Action, err)
	}
	t.w.audit = next
	return nil
}

// InsertExchange implements hub.Tx.
func (t *tx) InsertExchange(x transport.Exchange, e hub.Envelope, ds []transport.Delivery) error {
	err := t.exec(`INSERT INTO exchanges (`+exchangeColumns+`, envelope) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		x.ID, x.Sender, x.Account, x.DocumentSM3[:], x.DocumentSHA256[:], string(x.Urgency), millis(x.AcceptedAt), x.Entry,
		x.LastEntry[:], millis(x.LastTime), x.Deposited, digestBytes(x.Package), e.SM3[:], e.Size,
		string(x.Refers.Kind), x.Refers.Exchange, string(x.Superseded.Kind), x.Superseded.Exchange, millis(x.Checked), x.Unchecked, x.Disposed, e.Inline)
	if err != nil {
		return inserted("exchange "+x.ID, err)
	}
	for _, d := range ds {
		err := t.exec(`INSERT INTO deliveries (`+deliveryColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			d.ID, d.Exchange, d.Sender, d.Recipient, string(d.Role), string(d.State), millis(d.Due), d.Overdue, d.Reminders,
			d.Reason, d.Comment, d.SignNumber, digestBytes(d.Statement), millis(d.ChangedAt),
			d.Copies, d.WithdrawalRequested, d.Escalated)
		if err != nil {
			return inserted("delivery to "+d.Recipient, err)
		}
	}
	return nil
}

// SaveExchange implements hub.Tx.
func (t *tx) SaveExchange(x transport.Exchange) error {
	return t.changed(`UPDATE exchanges SET last_entry = ?, last_time = ?, deposited = ?, package = ?, superseded_kind = ?,
		superseded = ?, checked = ?, unchecked = ? WHERE id = ?`,
		x.LastEntry[:], millis(x.LastTime), x.Deposited, digestBytes(x.Package), string(x.Superseded.Kind), x.Superseded.Exchange,
		millis(x.Checked), x.Unchecked, x.ID)
}

// MoveDelivery implements hub.Tx.
func (t *tx) MoveDelivery(d transport.Delivery, from transport.State) error {
	return t.changed(`UPDATE deliveries SET state = ?, due = ?, overdue = ?, reminders = ?, reason = ?, comment = ?,
		sign_number = ?, statement = ?, changed_at = ?, copies = ?, withdrawal_requested = ?, escalated = ? WHERE id = ? AND state = ?`,
		string(d.State), millis(d.Due), d.Overdue, d.Reminders, d.Reason, d.Comment, d.SignNumber, digestBytes(d.Statement),
		millis(d.ChangedAt), d.Copies, d.WithdrawalRequested, d.Escalated, d.ID, string(from))
}

// InsertCopy implements hub.Tx.
func (t *tx) InsertCopy(c transport.Copy) error {
	return inserted("copy", t.exec(`INSERT INTO copies (delivery, number, kind, voided, account, at) VALUES (?, ?, ?, ?, ?, ?)`,
		c.Delivery, c.Number, string(c.Kind), c.Voided, c.Account, millis(c.At)))
}

// VoidCopy implements hub.Tx.
func (t *tx) VoidCopy(delivery string, number int) error {
	return t.changed(`UPDATE copies SET voided = 1 WHERE delivery = ? AND number = ? AND voided = 0`, delivery, number)
}

// AppendEntry implements hub.Tx.
func (t *tx) AppendEntry(e hub.Evidence) error {
	return inserted("entry "+e.ID, t.exec(`INSERT INTO entries (id, exchange, sender, delivery, recipient, event, at, digest, leaf, statement)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID, e.Exchange, e.Sender, e.Delivery, e.Recipient, string(e.Event), millis(e.Time), e.Digest[:], e.Leaf, e.Statement))
}

// InsertRejection implements hub.Tx.
func (t *tx) InsertRejection(r hub.Rejection) error {
	return inserted("rejection", t.exec(`INSERT INTO rejections (entry, sender, exchange, body, code, at) VALUES (?, ?, ?, ?, ?, ?)`,
		r.Entry, r.Sender, r.Exchange, r.Body[:], r.Code, millis(r.At)))
}

// SaveIdempotent implements hub.Tx.
func (t *tx) SaveIdempotent(i hub.Idempotent) error {
	return inserted("idempotency key", t.exec(`INSERT INTO idempotency (org, key, request, entry, at) VALUES (?, ?, ?, ?, ?)`,
		i.Org, i.Key, i.Request[:], i.Entry, millis(i.At)))
}

// Enqueue implements hub.Tx.
func (t *tx) Enqueue(j hub.Job) error {
	return t.exec(`INSERT INTO jobs (kind, target, run_at) VALUES (?, ?, ?)`, string(j.Kind), j.Target, millis(j.RunAt))
}

// ClaimJobs implements hub.Tx.
func (t *tx) ClaimJobs(now, lease time.Time, limit int) ([]hub.Job, error) {
	if t.ended {
		return nil, errEnded
	}
	return all(t.w, func(s scanner) (j hub.Job, err error) {
		var at int64
		err = s.Scan(&j.ID, &j.Kind, &j.Target, &at, &j.Attempts, &j.Why)
		j.RunAt = fromMillis(at)
		return j, err
	}, `UPDATE jobs SET leased = ?1, attempts = attempts + 1
		WHERE id IN (SELECT id FROM jobs WHERE run_at <= ?2 AND leased <= ?2 ORDER BY run_at, id LIMIT ?3)
		RETURNING id, kind, target, run_at, attempts, why`, millis(lease), millis(now), limit)
}

// FinishJob implements hub.Tx. A job that is gone already is no error: its work was
// done by whoever removed it.
func (t *tx) FinishJob(id int64) error {
	return t.exec(`DELETE FROM jobs WHERE id = ?`, id)
}

// RetryJob implements hub.Tx.
func (t *tx) RetryJob(id int64, at time.Time, why string) error {
	return t.exec(`UPDATE jobs SET run_at = ?, leased = 0, why = ? WHERE id = ?`, millis(at), audit.Clean(why), id)
}

// SaveReceipt implements hub.Tx.
func (t *tx) SaveReceipt(entry string, data []byte) error {
	err := t.changed(`UPDATE receipts SET body = ? WHERE body IS NULL AND n = (SELECT n FROM entries WHERE id = ?)`, data, entry)
	if !errors.Is(err, hub.ErrStale) {
		return err
	}
	have, err := t.Receipt(entry)
	if err != nil {
		return fmt.Errorf("receipt of %s has no proof yet: %w", entry, err)
	}
	if string(have) != string(data) {
		return fmt.Errorf("receipt of %s: %w", entry, hub.ErrExists)
	}
	return nil
}
