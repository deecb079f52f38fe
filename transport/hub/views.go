package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"yinxin/archive/blob"
	"yinxin/transport"
	"yinxin/transport/envelope"
)

// Track is what a sender sees of its exchange.
type Track struct {
	Exchange   transport.Exchange
	Deliveries []transport.Delivery
	Evidence   []Evidence
	// KnownSince is when this hub first accepted the very document. Track alone fills it.
	KnownSince time.Time
}

// Track shows the caller's own exchange with each recipient's state and all evidence.
func (h *Hub) Track(ctx context.Context, c Caller, exchange string) (Track, error) {
	var t Track
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		if t.Exchange, err = h.ownExchange(r, c, exchange); err != nil {
			return err
		}
		if t.KnownSince, err = knownSince(r, t.Exchange); err != nil {
			return err
		}
		if t.Deliveries, err = r.Deliveries(exchange); err != nil {
			return err
		}
		t.Evidence, err = r.ExchangeEvidence(exchange)
		return err
	})
	return t, err
}

// EvidenceOf lists the entries of an exchange that the caller may see, in the order in which they were written: all of them
// for the sender and for the archive. An exchange of which it may see none is not found.
func (h *Hub) EvidenceOf(ctx context.Context, c Caller, exchange string) ([]Evidence, error) {
	var seen []Evidence
	err := h.p.Store.View(ctx, func(r Reader) error {
		all, err := r.ExchangeEvidence(exchange)
		for _, e := range all {
			if h.maySee(c, e) {
				seen = append(seen, e)
			}
		}
		return err
	})
	if err == nil && len(seen) == 0 {
		err = notFound()
	}
	return seen, err
}

// Outbox lists the exchanges that the caller's office sent, newest first.
func (h *Hub) Outbox(ctx context.Context, c Caller, p Page) ([]Track, error) {
	var out []Track
	err := h.p.Store.View(ctx, func(r Reader) error {
		if p.After != "" {
			if _, err := h.ownExchange(r, c, p.After); err != nil {
				return noCursor(err)
			}
		}
		xs, err := r.Outbox(c.Org, p)
		if err != nil {
			return err
		}
		for _, x := range xs {
			ds, err := r.Deliveries(x.ID)
			if err != nil {
				return err
			}
			out = append(out, Track{Exchange: x, Deliveries: ds})
		}
		return nil
	})
	return out, err
}

// noCursor refuses to go on after what is not in the list; any other error stays.
func noCursor(err error) error {
	_, refused := errors.AsType[*Refusal](err)
	if err == nil || refused || errors.Is(err, ErrNotFound) {
		return invalid("cursor", "is not a cursor of this list")
	}
	return err
}

// Received is what a recipient sees: its own delivery and what the header says of
// the document. Other recipients do not appear.
type Received struct {
	Exchange transport.Exchange
	Delivery transport.Delivery
	// Evidence is that of this delivery alone.
	Evidence []Evidence
	// KnownSince is when this hub first accepted the very document. Delivery alone fills it.
	KnownSince time.Time
}

// Inbox lists the deliveries to the caller's office, newest first.
func (h *Hub) Inbox(ctx context.Context, c Caller, f InboxFilter) ([]Received, error) {
	var out []Received
	err := h.p.Store.View(ctx, func(r Reader) error {
		if f.Page.After != "" {
			if d, err := r.Delivery(f.Page.After); err != nil || !arrived(c, d) {
				return noCursor(err)
			}
		}
		ds, err := r.Inbox(c.Org, f)
		if err != nil {
			return err
		}
		for _, d := range ds {
			x, err := r.Exchange(d.Exchange)
			if err != nil {
				return err
			}
			if x.Superseded, err = supersededBy(r, x); err != nil {
				return err
			}
			out = append(out, Received{Exchange: x, Delivery: d})
		}
		return nil
	})
	return out, err
}

// Delivery shows one delivery to the caller's office.
func (h *Hub) Delivery(ctx context.Context, c Caller, id string) (Received, error) {
	var out Received
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		out.Delivery, err = r.Delivery(id)
		if errors.Is(err, ErrNotFound) || err == nil && !arrived(c, out.Delivery) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if out.Exchange, err = r.Exchange(out.Delivery.Exchange); err != nil {
			return err
		}
		if out.KnownSince, err = knownSince(r, out.Exchange); err != nil {
			return err
		}
		if out.Exchange.Superseded, err = supersededBy(r, out.Exchange); err != nil {
			return err
		}
		out.Evidence, err = r.ExchangeEvidence(out.Delivery.Exchange)
		out.Evidence = slices.DeleteFunc(out.Evidence, func(e Evidence) bool { return e.Delivery != id })
		return err
	})
	return out, err
}

// Download is an envelope as one party gets it: the payload with its own header alone. It is to be closed.
type Download struct {
	*envelope.Single
	body blob.Reader
}

// Close releases what the download reads from.
func (d *Download) Close() error { return d.body.Close() }

// writeTo writes the whole and closes.
func (d *Download) writeTo(w io.Writer) error {
	_, err := io.Copy(w, io.NewSectionReader(d, 0, d.Size()))
	return errors.Join(err, d.Close())
}

// Envelope writes what [Hub.OpenEnvelope] gives.
func (h *Hub) Envelope(ctx context.Context, c Caller, delivery string, w io.Writer) error {
	d, err := h.OpenEnvelope(ctx, c, delivery)
	if err != nil {
		return err
	}
	return d.writeTo(w)
}

// OpenEnvelope gives the envelope as this recipient gets it. It is there between the opening and the end of the delivery;
// access to what was withdrawn or returned is gone.
func (h *Hub) OpenEnvelope(ctx context.Context, c Caller, delivery string) (*Download, error) {
	got, err := h.Delivery(ctx, c, delivery)
	if err != nil {
		return nil, err
	}
	switch got.Delivery.State {
	case transport.Opened, transport.Acknowledged, transport.Archived:
	case transport.Available:
		return nil, asRefusal(&transport.TransitionError{Act: "fetch before it is opened", State: got.Delivery.State})
	default:
		return nil, notFound()
	}
	rec := h.audit(c, h.now(), "delivery.fetch", delivery, transport.Allowed, "")
	if err := h.p.Auditor.Record(ctx, rec); err != nil {
		return nil, fmt.Errorf("audit a fetch: %w", err)
	}
	return h.openFor(ctx, got.Exchange.ID, c.Org)
}

// OwnEnvelope writes what [Hub.OpenOwnEnvelope] gives.
func (h *Hub) OwnEnvelope(ctx context.Context, c Caller, exchange string, w io.Writer) error {
	d, err := h.OpenOwnEnvelope(ctx, c, exchange)
	if err != nil {
		return err
	}
	return d.writeTo(w)
}

// OpenOwnEnvelope gives the sender's own copy: the sender can always reopen what it sent.
func (h *Hub) OpenOwnEnvelope(ctx context.Context, c Caller, exchange string) (*Download, error) {
	err := h.p.Store.View(ctx, func(r Reader) error {
		_, err := h.ownExchange(r, c, exchange)
		return err
	})
	if err != nil {
		return nil, err
	}
	rec := h.audit(c, h.now(), "exchange.fetch", exchange, transport.Allowed, "")
	if err := h.p.Auditor.Record(ctx, rec); err != nil {
		return nil, fmt.Errorf("audit a fetch: %w", err)
	}
	return h.openFor(ctx, exchange, c.Org)
}
