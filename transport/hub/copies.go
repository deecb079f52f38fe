package hub

import (
	"context"
	"errors"

	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/receipt"
)

// Printed is the outcome of taking or voiding a copy.
type Printed struct {
	Moved
	Copy transport.Copy
}

// Print takes the next numbered copy of a delivery for printing (打印): it is counted, with evidence, before anybody
// renders it. Beyond the sender's allowance the copy is a reference copy. The same key gives the same copy.
func (h *Hub) Print(ctx context.Context, c Caller, key, delivery string) (Printed, error) {
	return h.copyAct(ctx, c, key, transport.Print, delivery, func(t Tx, m *Moved, at applied) (transport.Copy, error) {
		have, err := t.Copies(delivery)
		if err != nil {
			return transport.Copy{}, err
		}
		x := m.Exchange
		if x.Superseded, err = supersededBy(t, x); err != nil {
			return transport.Copy{}, err
		}
		next, ok := transport.NextCopy(m.Delivery, x, have)
		if !ok {
			return next, errNoNumber()
		}
		next.Account, next.At = c.Account, at.at
		return next, t.InsertCopy(next)
	})
}

// VoidCopy says that a copy was spoilt (作废). The copy stays, its number is not used again, and an official one may be
// printed in its place.
func (h *Hub) VoidCopy(ctx context.Context, c Caller, key, delivery string, number int) (Printed, error) {
	return h.copyAct(ctx, c, key, transport.VoidCopy, delivery, func(t Tx, _ *Moved, _ applied) (transport.Copy, error) {
		have, err := t.Copies(delivery)
		if err != nil {
			return transport.Copy{}, err
		}
		for _, k := range have {
			if k.Number != number {
				continue
			}
			if k.Voided {
				return k, refuse(api.InvalidTransition, "copy %d is void already", number)
			}
			k.Voided = true
			return k, t.VoidCopy(delivery, number)
		}
		return transport.Copy{}, notFound()
	}, number)
}

// Copies lists the printed copies of a delivery, to its recipient alone.
func (h *Hub) Copies(ctx context.Context, c Caller, delivery string) ([]transport.Copy, error) {
	if _, err := h.Delivery(ctx, c, delivery); err != nil {
		return nil, err
	}
	var out []transport.Copy
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		out, err = r.Copies(delivery)
		return err
	})
	return out, err
}

// copyAct does an act on a copy of the caller's own delivery in one transaction.
func (h *Hub) copyAct(
	ctx context.Context, c Caller, key string, act transport.Act, delivery string,
	take func(Tx, *Moved, applied) (transport.Copy, error), numbers ...int,
) (Printed, error) {
	if _, err := h.Delivery(ctx, c, delivery); err != nil {
		return Printed{}, err
	}
	p := Printed{Moved: Moved{Delivery: transport.Delivery{ID: delivery}}}
	o := applied{at: h.now()}
	request := requestDigest(act, delivery, numbersDigest(numbers))
	err := h.p.Store.Update(ctx, func(t Tx) error {
		done, err := h.repeatedAct(t, c, key, request, &p.Moved)
		if err != nil {
			return err
		}
		if done {
			return p.readCopy()
		}
		if err := t.Audit(h.audit(c, o.at, "delivery."+string(act), delivery, transport.Allowed, "")); err != nil {
			return err
		}
		if p.Delivery, err = t.Delivery(delivery); err != nil {
			return err
		}
		if p.Exchange, err = t.Exchange(p.Delivery.Exchange); err != nil {
			return err
		}
		if _, _, err := transport.Step(p.Delivery.State, act); err != nil {
			return err
		}
		if p.Copy, err = take(t, &p.Moved, o); err != nil {
			return err
		}
		o.copy = p.Copy.Number
		if act == transport.Print {
			o.reason = string(p.Copy.Kind)
		}
		if p.Evidence, err = h.apply(t, &p.Exchange, &p.Delivery, act, o); err != nil {
			return err
		}
		return t.SaveIdempotent(Idempotent{Org: c.Org, Key: key, Request: request, Entry: p.Evidence.ID, At: o.at})
	})
	if errors.Is(err, ErrExists) { // another copy was taken at the same moment
		err = refuse(api.InProgress, "")
	}
	if err != nil {
		return Printed{}, h.denied(ctx, c, act, delivery, asRefusal(err))
	}
	h.p.Wake()
	h.changed(p.Exchange, p.Delivery)
	return p, nil
}

// readCopy gives a repeat the copy of the first time, from its evidence.
func (p *Printed) readCopy() error {
	e, err := receipt.ParseEntry(p.Evidence.Leaf)
	if err != nil {
		return errors.Join(ErrStorage, err)
	}
	p.Copy = transport.Copy{Delivery: p.Delivery.ID, Number: e.Copy, Kind: transport.CopyKind(e.Reason), At: e.Time, Voided: e.Event == transport.CopyVoided}
	return nil
}

func numbersDigest(numbers []int) transport.Digest {
	b := []byte{}
	for _, n := range numbers {
		b = append(b, byte(n>>16), byte(n>>8), byte(n))
	}
	return gm.SM3(b)
}
