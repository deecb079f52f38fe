package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"yinxin/archive/blob"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/receipt"
)

// How the worker takes jobs.
const (
	jobBatch = 64               // at a time
	JobLease = 15 * time.Second // a crashed worker's jobs come back after this
	jobPause = time.Second      // between looks without a wake
	maxWait  = time.Hour        // between tries of one job
	// parked is when a deposit that the archive refused is looked at again: an operator may have put right what was wrong.
	parked    = 7 * 24 * time.Hour
	waitProof = 50 * time.Millisecond
)

// Run does the work that changes call for, until ctx ends. It may be stopped and
// started at any time; what was not finished is done again.
func (h *Hub) Run(ctx context.Context) error {
	if h.cfg.Shared {
		ctx, stop := context.WithCancel(ctx)
		var watch sync.WaitGroup
		watch.Go(func() { h.watchReceipts(ctx) })
		defer watch.Wait()
		defer stop()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n, err := h.Work(ctx)
		if err != nil && ctx.Err() == nil {
			h.p.Log.ErrorContext(ctx, "worker", slog.Any("error", err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n > 0 {
			continue
		}
		timer.Reset(jobPause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.jobs:
		case <-timer.C:
		}
	}
}

// Work does the jobs that are due now and returns how many it took.
func (h *Hub) Work(ctx context.Context) (int, error) {
	var jobs []Job
	now := h.now()
	due := false
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		due, err = r.JobsDue(now)
		return err
	})
	if err != nil || !due {
		return 0, err
	}
	err = h.p.Store.Update(ctx, func(t Tx) (err error) {
		jobs, err = t.ClaimJobs(now, now.Add(JobLease), jobBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("claim jobs: %w", err)
	}
	var wg sync.WaitGroup
	for _, j := range jobs {
		wg.Go(func() { h.work(ctx, j) })
	}
	wg.Wait()
	return len(jobs), nil
}

// work does one job. A failure puts it off; nothing is ever dropped.
func (h *Hub) work(ctx context.Context, j Job) {
	err := h.do(ctx, j)
	if err == nil {
		return
	}
	wait := h.backoff(j.Attempts)
	switch {
	case ctx.Err() != nil: // the hub stops: give the job back, so that the next start need not wait for the lease
		wait, ctx = 0, context.WithoutCancel(ctx)
	case errors.Is(err, ErrPending):
		wait = waitProof
	case errors.Is(err, ErrNotDeposited):
		h.park(ctx, j, err)
		return
	default:
		h.p.Log.WarnContext(ctx, "job put off", slog.String("kind", string(j.Kind)), slog.String("target", j.Target),
			slog.Int("attempts", j.Attempts), slog.Any("error", err))
	}
	err = h.p.Store.Update(ctx, func(t Tx) error { return t.RetryJob(j.ID, h.now().Add(wait), err.Error()) })
	if wait < jobPause { // the worker would sleep past it
		time.AfterFunc(wait, h.wakeWorker)
	}
	if err != nil {
		h.p.Log.ErrorContext(ctx, "job waits for its lease", slog.String("kind", string(j.Kind)), slog.String("target", j.Target),
			slog.Any("error", err))
	}
}

// park puts a deposit that the archive refused away, and says so in the audit, in one transaction.
func (h *Hub) park(ctx context.Context, j Job, cause error) {
	h.p.Log.ErrorContext(ctx, "the archive refuses a record; an operator has to look", slog.String("exchange", j.Target), slog.Any("error", cause))
	at, code := h.now(), api.SealInvalid
	if r, ok := errors.AsType[*Refusal](cause); ok {
		code = r.Code
	}
	err := h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(Caller{Org: h.cfg.Code}, at, "exchange.deposit", j.Target, string(code), cause.Error())); err != nil {
			return err
		}
		return t.RetryJob(j.ID, at.Add(parked), cause.Error())
	})
	if err != nil {
		h.p.Log.ErrorContext(ctx, "job waits for its lease", slog.String("target", j.Target), slog.Any("error", err))
	}
}

// backoff doubles with each try, up to an hour.
func (h *Hub) backoff(tries int) time.Duration {
	wait := h.cfg.Backoff
	for range tries - 1 {
		if wait *= 2; wait > maxWait {
			return maxWait
		}
	}
	return wait
}

func (h *Hub) do(ctx context.Context, j Job) error {
	switch j.Kind {
	case JobRoute:
		return h.route(ctx, j)
	case JobDeliver:
		return h.deliver(ctx, j)
	case JobOverdue:
		return h.overdue(ctx, j)
	case JobDeposit:
		return h.deposit(ctx, j)
	case JobUrge:
		return h.urge(ctx, j)
	case JobEscalate:
		return h.escalate(ctx, j)
	case JobCheck:
		return h.senderLooked(ctx, j)
	case JobSupplement:
		return h.supplement(ctx, j)
	case JobDispose:
		return h.dispose(ctx, j)
	}
	return fmt.Errorf("unknown job %s", j.Kind)
}

// system is the hub itself in the audit.
func (h *Hub) system() Caller { return Caller{Account: "hub", Org: h.cfg.Code} }

// change does what a job found out in one transaction with the end of the job.
func (h *Hub) change(ctx context.Context, j Job, fn func(t Tx, at time.Time) error) error {
	at := h.now()
	err := h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(h.system(), at, "job."+string(j.Kind), j.Target, transport.Allowed, "")); err != nil {
			return err
		}
		if err := fn(t, at); err != nil {
			return err
		}
		return t.FinishJob(j.ID)
	})
	if err == nil {
		h.p.Wake()
		h.wakeWorker()
		h.tellOf(ctx, j)
	}
	return err
}

// tellOf tells the watchers what a job may have changed. What cannot be read is not told: it is a convenience.
func (h *Hub) tellOf(ctx context.Context, j Job) {
	if h.watching.none() {
		return
	}
	switch j.Kind {
	case JobDeliver, JobOverdue, JobUrge, JobEscalate:
		if d, x, err := h.load(ctx, j.Target); err == nil {
			h.changed(x, d)
		}
	case JobDispose: // the archive's own affair
	case JobRoute, JobDeposit, JobCheck, JobSupplement:
		var x transport.Exchange
		var ds []transport.Delivery
		err := h.p.Store.View(ctx, func(r Reader) (err error) {
			if x, err = r.Exchange(j.Target); err != nil {
				return err
			}
			ds, err = r.Deliveries(j.Target)
			return err
		})
		if err == nil {
			h.changed(x, ds...)
		}
	}
}

// Route (分发) finds each addressee: one that is known and open is routed, another one
// refused with evidence.
func (h *Hub) route(ctx context.Context, j Job) error {
	var ds []transport.Delivery
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		ds, err = r.Deliveries(j.Target)
		return err
	})
	if err != nil {
		return err
	}
	closed := map[string]bool{}
	for _, d := range ds {
		if closed[d.Recipient], err = h.isClosed(ctx, d.Recipient); err != nil {
			return err
		}
	}
	return h.change(ctx, j, func(t Tx, at time.Time) error {
		x, err := t.Exchange(j.Target)
		if err != nil {
			return err
		}
		if err := t.Enqueue(Job{Kind: JobCheck, Target: x.ID, RunAt: x.AcceptedAt.Add(h.cfg.SenderLooks)}); err != nil {
			return err
		}
		ds, err := t.Deliveries(j.Target)
		if err != nil {
			return err
		}
		for _, d := range ds {
			if d.State != transport.Accepted { // withdrawn meanwhile, or routed by an earlier try
				continue
			}
			if err := h.routeOne(t, &x, d, at, closed[d.Recipient]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *Hub) routeOne(t Tx, x *transport.Exchange, d transport.Delivery, at time.Time, closed bool) error {
	if closed {
		_, err := h.apply(t, x, &d, transport.RefuseRoute, applied{
			at: at, reason: receipt.InvalidAddressee,
			change: func(d *transport.Delivery) { d.Reason = receipt.InvalidAddressee },
		})
		return err
	}
	if _, err := h.apply(t, x, &d, transport.Route, applied{at: at}); err != nil {
		return err
	}
	return t.Enqueue(Job{Kind: JobDeliver, Target: d.ID, RunAt: at})
}

// Deliver (投递) puts a delivery into the recipient's box. It says so only when the
// content is there to be read.
func (h *Hub) deliver(ctx context.Context, j Job) error {
	d, x, err := h.load(ctx, j.Target)
	if err != nil {
		return err
	}
	if d.State != transport.Routed {
		return h.change(ctx, j, func(Tx, time.Time) error { return nil })
	}
	if err := h.consign(ctx, d); err != nil {
		if j.Attempts < h.cfg.Tries {
			return err
		}
		h.p.Log.ErrorContext(ctx, "delivery given up", slog.String("delivery", d.ID), slog.Int("tries", j.Attempts), slog.Any("error", err))
		return h.failDelivery(ctx, j, err)
	}
	return h.moveBy(ctx, j, transport.Deliver, "", func(t Tx, d *transport.Delivery, at time.Time) error {
		d.Due = h.cfg.due(x.Urgency, at)
		return h.startClocks(t, *d, x.Urgency, at)
	})
}

// consign checks that the content can be read and carries it where that is needed.
func (h *Hub) consign(ctx context.Context, d transport.Delivery) error {
	b, err := h.body(ctx, d.Exchange)
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	if h.p.Carrier == nil {
		return nil
	}
	return h.p.Carrier.Carry(ctx, d)
}

func (h *Hub) failDelivery(ctx context.Context, j Job, cause error) error {
	reason := receipt.Unreachable
	if errors.Is(cause, blob.ErrNotFound) || errors.Is(cause, blob.ErrCorrupt) || errors.Is(cause, ErrStorage) {
		reason = receipt.StorageFailed
	}
	return h.moveBy(ctx, j, transport.FailDelivery, reason, func(_ Tx, d *transport.Delivery, _ time.Time) error {
		d.Reason = reason
		return nil
	})
}

// overdue marks a delivery whose limit passed (逾期). It ends nothing.
func (h *Hub) overdue(ctx context.Context, j Job) error {
	return h.moveBy(ctx, j, transport.MarkOverdue, receipt.DeadlinePassed, func(_ Tx, d *transport.Delivery, _ time.Time) error {
		d.Overdue = true
		return nil
	})
}

// moveBy does an act of the hub on a delivery and ends the job. Where the state no
// longer allows the act, somebody else has acted, and there is nothing to do.
func (h *Hub) moveBy(
	ctx context.Context, j Job, act transport.Act, reason string, change func(Tx, *transport.Delivery, time.Time) error,
) error {
	return h.change(ctx, j, func(t Tx, at time.Time) error {
		d, err := t.Delivery(j.Target)
		if err != nil {
			return err
		}
		if _, _, err := transport.Step(d.State, act); err != nil || act == transport.MarkOverdue && d.Overdue {
			return nil //nolint:nilerr // a refusal of the machine means that the work is done
		}
		x, err := t.Exchange(d.Exchange)
		if err != nil {
			return err
		}
		var failed error
		_, err = h.apply(t, &x, &d, act, applied{at: at, reason: reason, change: func(d *transport.Delivery) {
			failed = change(t, d, at)
		}})
		return errors.Join(failed, err)
	})
}

func (h *Hub) load(ctx context.Context, delivery string) (d transport.Delivery, x transport.Exchange, err error) {
	err = h.p.Store.View(ctx, func(r Reader) (err error) {
		if d, err = r.Delivery(delivery); err != nil {
			return err
		}
		x, err = r.Exchange(d.Exchange)
		return err
	})
	return d, x, err
}

// deposit (归档) hands the record to the archive when all its receipts are built, and
// notes the package that the archive keeps.
func (h *Hub) deposit(ctx context.Context, j Job) error {
	rec, err := h.record(ctx, j.Target)
	if err != nil {
		return err
	}
	if rec.Exchange.Deposited != "" {
		return h.change(ctx, j, func(Tx, time.Time) error { return nil })
	}
	kept, err := h.p.Archiver.Deposit(ctx, rec)
	if err != nil {
		return fmt.Errorf("deposit %s: %w", j.Target, err)
	}
	return h.change(ctx, j, func(t Tx, at time.Time) error { return h.deposited(t, j.Target, kept, at) })
}

// record gathers what the archive gets.
func (h *Hub) record(ctx context.Context, exchange string) (Record, error) {
	var rec Record
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		if rec.Exchange, err = r.Exchange(exchange); err != nil {
			return err
		}
		if rec.KnownSince, err = knownSince(r, rec.Exchange); err != nil {
			return err
		}
		if rec.Deliveries, err = r.Deliveries(exchange); err != nil {
			return err
		}
		if rec.Evidence, err = r.ExchangeEvidence(exchange); err != nil {
			return err
		}
		for _, e := range rec.Evidence {
			body, err := r.Receipt(e.ID)
			if errors.Is(err, ErrNotFound) {
				return ErrPending
			}
			if err != nil {
				return err
			}
			rec.Receipts = append(rec.Receipts, body)
		}
		return nil
	})
	rec.Envelope = func(ctx context.Context, w io.Writer) error {
		d, err := h.openFor(ctx, exchange, h.cfg.Archive)
		if err != nil {
			return err
		}
		return d.writeTo(w)
	}
	return rec, err
}

// deposited writes the entry of the deposit and archives what was signed for.
func (h *Hub) deposited(t Tx, exchange string, kept transport.Digest, at time.Time) error {
	x, err := t.Exchange(exchange)
	if err != nil || x.Deposited != "" {
		return err
	}
	ev, err := h.next(&x, receipt.Entry{Event: transport.Deposit, Time: at, Object: kept}, "", nil)
	if err != nil {
		return err
	}
	if err := t.AppendEntry(ev); err != nil {
		return err
	}
	x.Deposited, x.Package = ev.ID, kept
	if err := t.SaveExchange(x); err != nil {
		return err
	}
	ds, err := t.Deliveries(exchange)
	if err != nil {
		return err
	}
	for _, d := range ds {
		from := d.State
		_, to, err := transport.Step(from, transport.DepositRecord)
		if err != nil {
			continue // an end of its own stays as it is
		}
		d.State, d.ChangedAt = to, ev.Time
		if err := t.MoveDelivery(d, from); err != nil {
			return err
		}
	}
	return nil
}
