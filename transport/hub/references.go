package hub

import (
	"context"
	"errors"
	"time"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/receipt"
)

// refer does what the reference of an exchange that is being accepted calls for: it is held against the earlier exchange,
// which gets an entry that names the new envelope. All of it happens in the transaction of the acceptance, so that a
// correction is never there without the mark on what it corrects.
func (h *Hub) refer(t Tx, x transport.Exchange, ds []transport.Delivery) error {
	if x.Refers == (transport.Reference{}) {
		return nil
	}
	to := make([]string, 0, len(ds))
	for _, d := range ds {
		to = append(to, d.Recipient)
	}
	old, err := h.referred(t, x, to)
	if err != nil {
		return err
	}
	rule, _ := transport.ReferenceRuleFor(x.Refers.Kind)
	if rule.Supersedes {
		old.Superseded = transport.Reference{Kind: rule.Kind, Exchange: x.ID}
	}
	_, err = h.mark(t, &old, receipt.Entry{Event: rule.Event, Time: x.AcceptedAt, Object: x.Body})
	return err
}

// referred finds the earlier exchange and holds the reference against it; a *Refusal says what is wrong.
func (h *Hub) referred(r Reader, x transport.Exchange, to []string) (transport.Exchange, error) {
	old, err := h.ownExchange(r, Caller{Org: x.Sender}, x.Refers.Exchange)
	if _, refused := errors.AsType[*Refusal](err); refused {
		return old, invalid("refers/exchange", "is no exchange of this office")
	}
	if err != nil {
		return old, err
	}
	family, err := family(r, old, x.ID)
	if err != nil {
		return old, err
	}
	if err := transport.CheckReference(x, old, family, to); err != nil {
		return old, invalid("refers", "%v", err)
	}
	return old, nil
}

// checkReference looks before anything of the content is kept; the transaction looks again.
func (h *Hub) checkReference(ctx context.Context, c Caller, in inspected) error {
	if in.refers == (transport.Reference{}) {
		return nil
	}
	to := make([]string, 0, len(in.recipients))
	for _, a := range in.recipients {
		to = append(to, a.code)
	}
	x := transport.Exchange{ID: in.exchange, Sender: c.Org, DocumentSM3: in.sm3, DocumentSHA256: in.sha256, Refers: in.refers}
	return h.p.Store.View(ctx, func(r Reader) error {
		_, err := h.referred(r, x, to)
		return err
	})
}

// Holders are the deliveries of a document that the caller's office sent, of its reissues too, to those who have it or may
// take it.
func (h *Hub) Holders(ctx context.Context, c Caller, exchange string) (has []transport.Delivery, err error) {
	err = h.p.Store.View(ctx, func(r Reader) error {
		x, err := h.ownExchange(r, c, exchange)
		if err != nil {
			return err
		}
		all, err := family(r, x, "")
		has = transport.Holders(all)
		return err
	})
	return has, err
}

// family lists the deliveries of an exchange and of everything that reissued it, but for the exchange that asks.
func family(t Reader, old transport.Exchange, asking string) ([]transport.Delivery, error) {
	all, err := t.Deliveries(old.ID)
	if err != nil {
		return nil, err
	}
	later, err := t.Referring(old.ID)
	if err != nil {
		return nil, err
	}
	for _, x := range later {
		if x.Refers.Kind != transport.Reissues || x.ID == asking {
			continue
		}
		ds, err := t.Deliveries(x.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, ds...)
	}
	return all, nil
}

// supersededBy says which exchange settled the document of a delivery, where one did: that of the exchange itself, or of
// the one that it reissued.
func supersededBy(r Reader, x transport.Exchange) (transport.Reference, error) {
	if x.Refers.Kind != transport.Reissues {
		return x.Superseded, nil
	}
	first, err := r.Exchange(x.Refers.Exchange)
	if errors.Is(err, ErrNotFound) {
		return x.Superseded, nil
	}
	return first.Superseded, err
}

// knownSince is when the hub first accepted the document of an exchange: a reissue carries what was accepted before.
func knownSince(r Reader, x transport.Exchange) (time.Time, error) {
	if x.Refers.Kind != transport.Reissues {
		return x.AcceptedAt, nil
	}
	first, err := r.Exchange(x.Refers.Exchange)
	if errors.Is(err, ErrNotFound) || err == nil && first.DocumentSM3 != x.DocumentSM3 {
		return x.AcceptedAt, nil
	}
	return first.AcceptedAt, err
}

// errNoNumber says that a delivery has used up its copy numbers.
func errNoNumber() error { return refuse(api.InvalidTransition, "no copy number is left") }
