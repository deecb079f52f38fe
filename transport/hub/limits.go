package hub

import (
	"context"
	"time"

	"yinxin/transport"
	"yinxin/transport/receipt"
)

// Reminders says when the hub urges a recipient by itself (自动催办) and when it tells the supervisor (升级督办). All spans are
// counted as the limit itself is. Zero values take the defaults; a negative one switches that part off.
type Reminders struct {
	// Before is how long before the limit the first reminder comes; default 4 h.
	Before time.Duration
	// Every is the rhythm after the limit, Most how many come then; default 8 h, 3.
	Every time.Duration
	Most  int
	// Escalate is how long after the limit the supervisor is told; default 24 h.
	Escalate time.Duration
}

func (r *Reminders) setDefaults() {
	if r.Before == 0 {
		r.Before = 4 * time.Hour
	}
	if r.Every == 0 {
		r.Every = 8 * time.Hour
	}
	if r.Most == 0 {
		r.Most = 3
	}
	if r.Escalate == 0 {
		r.Escalate = 24 * time.Hour
	}
}

// add counts a span as the limits of this urgency count: 特急 by the clock on the wall, all else in working time.
func (c *Config) add(u transport.Urgency, t time.Time, d time.Duration) time.Time {
	if u == transport.ExtraUrgent {
		return t.Add(d)
	}
	return c.Calendar.Add(t, d)
}

// due is when the limit to sign for falls of what arrives now; zero where there is none.
func (c *Config) due(u transport.Urgency, at time.Time) time.Time {
	limit := c.SignFor[u]
	if limit <= 0 {
		return time.Time{}
	}
	return c.add(u, at, limit).Truncate(time.Millisecond)
}

// warnAt is when the first reminder comes: so long before the limit that the span fits, and never before the arrival.
func (c *Config) warnAt(u transport.Urgency, at, due time.Time) (time.Time, bool) {
	limit := c.SignFor[u]
	if c.Reminders.Before < 0 || c.Reminders.Before >= limit {
		return due, false
	}
	return c.add(u, at, limit-c.Reminders.Before).Truncate(time.Millisecond), true
}

// startClocks enqueues what follows from the limit of a delivery that has just arrived.
func (h *Hub) startClocks(t Tx, d transport.Delivery, u transport.Urgency, at time.Time) error {
	if d.Due.IsZero() {
		return nil
	}
	if err := t.Enqueue(Job{Kind: JobOverdue, Target: d.ID, RunAt: d.Due}); err != nil {
		return err
	}
	first, _ := h.cfg.warnAt(u, at, d.Due)
	if err := t.Enqueue(Job{Kind: JobUrge, Target: d.ID, RunAt: first}); err != nil {
		return err
	}
	if h.cfg.Reminders.Escalate < 0 {
		return nil
	}
	return t.Enqueue(Job{Kind: JobEscalate, Target: d.ID, RunAt: h.cfg.add(u, d.Due, h.cfg.Reminders.Escalate)})
}

// nextUrge says why a reminder is due now and when the next one comes; zero for none.
func (c *Config) nextUrge(u transport.Urgency, due, now time.Time) (reason string, next time.Time) {
	if now.Before(due) {
		return receipt.BeforeLimit, due
	}
	reason = receipt.AfterLimit
	if now.Sub(due) < time.Minute { // the job of the limit itself, at most a little late
		reason = receipt.AtLimit
	}
	if c.Reminders.Every < 0 {
		return reason, time.Time{}
	}
	at := due
	for range c.Reminders.Most {
		if at = c.add(u, at, c.Reminders.Every); at.After(now) {
			return reason, at
		}
	}
	return reason, time.Time{}
}

// urge reminds a recipient that has not signed for a delivery, and enqueues the next reminder.
func (h *Hub) urge(ctx context.Context, j Job) error {
	d, x, err := h.load(ctx, j.Target)
	if err != nil {
		return err
	}
	reason, next := h.cfg.nextUrge(x.Urgency, d.Due, h.now())
	return h.moveBy(ctx, j, transport.Urge, reason, func(t Tx, d *transport.Delivery, _ time.Time) error {
		d.Reminders++
		if next.IsZero() {
			return nil
		}
		return t.Enqueue(Job{Kind: JobUrge, Target: d.ID, RunAt: next})
	})
}

// escalate marks a delivery for the supervisor. It ends nothing.
func (h *Hub) escalate(ctx context.Context, j Job) error {
	return h.moveBy(ctx, j, transport.Escalate, receipt.DeadlinePassed, func(_ Tx, d *transport.Delivery, _ time.Time) error {
		d.Escalated = true
		return nil
	})
}

// Check says that the sender looked whether its recipients have the document. It is written once; a repeat gives the
// exchange as it is.
func (h *Hub) Check(ctx context.Context, c Caller, exchange string) (transport.Exchange, error) {
	var x transport.Exchange
	at := h.now()
	err := h.p.Store.Update(ctx, func(t Tx) (err error) {
		if x, err = h.ownExchange(t, c, exchange); err != nil || !x.Checked.IsZero() {
			return err
		}
		if err := t.Audit(h.audit(c, at, "exchange.check", exchange, transport.Allowed, "")); err != nil {
			return err
		}
		x.Checked = at
		_, err = h.mark(t, &x, receipt.Entry{Event: transport.SenderCheck, Time: at})
		return err
	})
	if err != nil {
		return transport.Exchange{}, asRefusal(err)
	}
	h.p.Wake()
	return x, nil
}

// senderLooked marks an exchange whose sender did not look in time while somebody did not have the document.
func (h *Hub) senderLooked(ctx context.Context, j Job) error {
	return h.change(ctx, j, func(t Tx, at time.Time) error {
		x, err := t.Exchange(j.Target)
		if err != nil || !x.Checked.IsZero() || x.Unchecked {
			return err
		}
		ds, err := t.Deliveries(x.ID)
		if err != nil {
			return err
		}
		for _, d := range ds {
			switch d.State {
			case transport.Accepted, transport.Routed, transport.Available, transport.Returned, transport.Rejected, transport.Failed:
				x.Unchecked = true
			}
		}
		if !x.Unchecked {
			return nil
		}
		_, err = h.mark(t, &x, receipt.Entry{Event: transport.SenderCheckExpiry, Time: at, Reason: receipt.DeadlinePassed})
		return err
	})
}

// mark leaves an entry about the whole exchange and saves its marks.
func (h *Hub) mark(t Tx, x *transport.Exchange, e receipt.Entry) (Evidence, error) {
	ev, err := h.next(x, e, "", nil)
	if err != nil {
		return ev, err
	}
	if err := t.AppendEntry(ev); err != nil {
		return ev, err
	}
	if err := h.supplementLater(t, *x, ev); err != nil {
		return ev, err
	}
	return ev, t.SaveExchange(*x)
}
