package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/receipt"
)

// Submission is the outcome of a submission.
type Submission struct {
	Exchange   transport.Exchange
	Deliveries []transport.Delivery
	// Repeated: the exchange existed already, with the same bytes.
	Repeated bool
}

// Submit accepts an envelope (受理). When it returns without an error, exchange,
// deliveries and evidence are durable; the receipt of Exchange.Entry follows with the
// next batch of the log.
//
// The same bytes again, under the same exchange id or the same idempotency key, are
// the same exchange. Other bytes are a *Refusal with duplicate_conflict. A refused
// submission leaves evidence and no content, and does not stand in the way of a
// later good one.
func (h *Hub) Submit(ctx context.Context, c Caller, key string, body io.Reader) (Submission, error) {
	if !ValidKey(key) {
		return Submission{}, &Refusal{Code: api.Malformed, Detail: "the idempotency key is missing or not visible ASCII", Faults: []api.Fault{
			{Pointer: api.HeaderIdempotencyKey, Detail: fmt.Sprintf("1 to %d visible ASCII characters", api.MaxIdempotencyKey)},
		}}
	}
	if err := h.room(ctx); err != nil {
		return Submission{}, err
	}
	s, err := h.spool(ctx, body)
	if err != nil {
		return Submission{}, h.deniedSubmission(ctx, c, err)
	}
	defer s.drop()
	return h.submit(ctx, c, key, s)
}

// submit judges a submission that is here, and accepts it.
func (h *Hub) submit(ctx context.Context, c Caller, key string, s *spooled) (Submission, error) {
	in, err := h.inspect(ctx, c, s)
	if err != nil {
		return h.refused(ctx, c, key, s, in.exchange, err)
	}
	sub, err := h.accept(ctx, c, key, s, in)
	if errors.Is(err, ErrExists) {
		return h.existing(ctx, c, key, s, in.exchange)
	}
	if err != nil {
		return Submission{}, asRefusal(err)
	}
	h.p.Wake()
	h.wakeWorker()
	h.changed(sub.Exchange)
	return sub, nil
}

// ValidKey reports whether a text may be an idempotency key.
func ValidKey(key string) bool {
	if key == "" || len(key) > api.MaxIdempotencyKey {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

// queueLife is how long a look at the length of the log's queue is believed.
const queueLife = 100 * time.Millisecond

// room refuses new submissions when too many entries wait for the log: nothing is
// promised that could not be proven for long.
func (h *Hub) room(ctx context.Context) error {
	waiting, full, err := h.waiting(ctx)
	if err != nil {
		return err
	}
	if full {
		return refuse(api.Dependency, "%d entries wait for the evidence log", waiting)
	}
	return nil
}

// Full tells whether so many entries wait for the log that new submissions are refused.
func (h *Hub) Full(ctx context.Context) (bool, error) {
	_, full, err := h.waiting(ctx)
	return full, err
}

func (h *Hub) waiting(ctx context.Context) (int64, bool, error) {
	n, err := h.Waiting(ctx)
	return n, n >= h.cfg.QueueBound, err
}

// Waiting counts entries whose receipts are not built yet, as of a moment ago.
func (h *Hub) Waiting(ctx context.Context) (int64, error) {
	now := h.p.Clock()
	h.mu.Lock()
	q := h.queue
	h.mu.Unlock()
	if age := now.Sub(q.at); !q.at.IsZero() && age >= 0 && age < queueLife {
		return q.waiting, nil
	}
	q.at = now
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		q.waiting, err = r.Waiting()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count waiting entries: %w", err)
	}
	h.mu.Lock()
	h.queue = q
	h.mu.Unlock()
	return q.waiting, nil
}

// accept writes a checked submission: everything is made ready outside of the
// transaction, which then only writes.
func (h *Hub) accept(ctx context.Context, c Caller, key string, s *spooled, in inspected) (Submission, error) {
	if err := h.keep(ctx, s); err != nil {
		return Submission{}, err
	}
	at := h.now()
	x := transport.Exchange{
		ID: in.exchange, Sender: c.Org, Account: c.Account, Body: s.sum, Size: s.size, Urgency: in.urgency,
		DocumentSM3: in.sm3, DocumentSHA256: in.sha256, AcceptedAt: at, LastTime: at,
		Refers: in.refers,
	}
	ev, err := h.next(&x, receipt.Entry{Event: transport.SubmissionAcceptance, Time: at, Object: s.sum}, "", nil)
	if err != nil {
		return Submission{}, err
	}
	x.Entry = ev.ID
	ds, err := h.deliveries(x, in.recipients)
	if err != nil {
		return Submission{}, err
	}
	stored := Envelope{SM3: s.sum, Size: s.size, Inline: s.inline}
	err = h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(c, at, "exchange.submit", x.ID, transport.Allowed, "")); err != nil {
			return err
		}
		err := t.SaveIdempotent(Idempotent{Org: c.Org, Key: key, Request: submitDigest(s), Entry: ev.ID, At: at})
		if err != nil {
			return err
		}
		if err := t.InsertExchange(x, stored, ds); err != nil {
			return err
		}
		if err := t.AppendEntry(ev); err != nil {
			return err
		}
		if err := h.refer(t, x, ds); err != nil {
			return err
		}
		return t.Enqueue(Job{Kind: JobRoute, Target: x.ID, RunAt: at})
	})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return h.reject(ctx, c, s, x.ID, refusal)
	}
	if err != nil {
		return Submission{}, fmt.Errorf("accept exchange %s: %w", x.ID, err)
	}
	return Submission{Exchange: x, Deliveries: ds}, nil
}

func submitDigest(s *spooled) transport.Digest { return requestDigest(transport.Submit, "", s.sum) }

func (h *Hub) deliveries(x transport.Exchange, to []addressee) ([]transport.Delivery, error) {
	ds := make([]transport.Delivery, 0, len(to))
	for _, a := range to {
		id, err := h.newID(x.AcceptedAt)
		if err != nil {
			return nil, err
		}
		ds = append(ds, transport.Delivery{
			ID: id, Sender: x.Sender, Exchange: x.ID, Recipient: a.code, Role: a.role, State: transport.Accepted,
			ChangedAt: x.AcceptedAt, Copies: a.copies,
		})
	}
	return ds, nil
}

// existing answers a submission whose key or exchange id is taken: the same bytes
// get the first outcome, other bytes a conflict.
func (h *Hub) existing(ctx context.Context, c Caller, key string, s *spooled, exchange string) (Submission, error) {
	sub, found, err := h.repeat(ctx, c, key, s, exchange)
	if err == nil && !found {
		// The first one was refused or rolled back since; the client may try again.
		return Submission{}, refuse(api.InProgress, "")
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		return h.reject(ctx, c, s, exchange, r)
	}
	return sub, err
}

// repeat looks whether a submission was accepted before. found is false when it is
// new; the error is a *Refusal when its key or its id belongs to other bytes.
func (h *Hub) repeat(ctx context.Context, c Caller, key string, s *spooled, exchange string) (sub Submission, found bool, err error) {
	again := false
	err = h.p.Store.View(ctx, func(r Reader) error {
		i, err := r.Idempotent(c.Org, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		again = err == nil
		if again && i.Request != submitDigest(s) {
			return refuse(api.DuplicateConflict, "the idempotency key was used for another request")
		}
		if again { // the id that was accepted, whatever this header claims
			e, err := r.Evidence(i.Entry)
			if err != nil {
				return err
			}
			exchange = e.Exchange
		}
		sub.Exchange, err = r.Exchange(exchange)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if sub.Exchange.Sender != c.Org || sub.Exchange.Body != s.sum {
			refusal := refuse(api.DuplicateConflict, "the exchange id was used for another envelope")
			refusal.Conflict409 = true
			return refusal
		}
		found, sub.Repeated = true, true
		sub.Deliveries, err = r.Deliveries(exchange)
		return err
	})
	if err != nil || !found || again {
		return sub, found, err
	}
	return sub, found, h.bindKey(ctx, c, key, s, sub.Exchange.Entry)
}

// bindKey binds one more idempotency key to an accepted submission, so that the key
// cannot be used for other bytes later.
func (h *Hub) bindKey(ctx context.Context, c Caller, key string, s *spooled, entry string) error {
	at := h.now()
	err := h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(c, at, "exchange.submit", entry, transport.Allowed, "repeated")); err != nil {
			return err
		}
		return t.SaveIdempotent(Idempotent{Org: c.Org, Key: key, Request: submitDigest(s), Entry: entry, At: at})
	})
	if errors.Is(err, ErrExists) { // the same request at the same time
		return nil
	}
	return err
}

// refused answers a submission that did not pass the checks. One that was accepted
// before keeps its outcome, whatever has changed in the directory since.
func (h *Hub) refused(ctx context.Context, c Caller, key string, s *spooled, exchange string, cause error) (Submission, error) {
	var r *Refusal
	if !errors.As(cause, &r) {
		return Submission{}, cause
	}
	sub, found, err := h.repeat(ctx, c, key, s, exchange)
	var conflict *Refusal
	if found && err == nil {
		return sub, nil
	}
	if err != nil && !errors.As(err, &conflict) {
		return Submission{}, err
	}
	return h.reject(ctx, c, s, exchange, r)
}

// reject records a refusal without the content and returns it. The same bytes
// refused for the same reason are recorded once.
func (h *Hub) reject(ctx context.Context, c Caller, s *spooled, exchange string, r *Refusal) (Submission, error) {
	at := h.now()
	if !transport.ValidCode(exchange) {
		exchange = ""
	}
	ev, err := h.evidence(receipt.Entry{
		Event: transport.SubmissionRejection, Time: at, Exchange: exchange, Sender: c.Org, Hub: h.cfg.Code,
		Object: s.sum, Reason: string(r.Code),
	})
	if err != nil {
		return Submission{}, fmt.Errorf("record a rejection: %w", err)
	}
	entry := ev.ID
	err = h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(c, at, "exchange.submit", exchange, string(r.Code), "")); err != nil {
			return err
		}
		before, err := t.Rejection(c.Org, s.sum, string(r.Code))
		if err == nil {
			entry = before.Entry
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := t.AppendEntry(ev); err != nil {
			return err
		}
		return t.InsertRejection(Rejection{
			Entry: ev.ID, Sender: c.Org, Exchange: exchange, Body: s.sum, Code: string(r.Code), At: at,
		})
	})
	if err != nil {
		return Submission{}, fmt.Errorf("record a rejection: %w", asRefusal(err))
	}
	h.p.Wake()
	out := *r
	out.Entry = entry
	return Submission{}, &out
}

// deniedSubmission audits a submission that was not even read to its end.
func (h *Hub) deniedSubmission(ctx context.Context, c Caller, cause error) error {
	var r *Refusal
	if !errors.As(cause, &r) {
		return cause
	}
	// A client that went away ends its context; its refusal is recorded all the same.
	ctx = context.WithoutCancel(ctx)
	if err := h.p.Auditor.Record(ctx, h.audit(c, h.now(), "exchange.submit", "", string(r.Code), "")); err != nil {
		return fmt.Errorf("audit a refusal: %w", err)
	}
	return cause
}
