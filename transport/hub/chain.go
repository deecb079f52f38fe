package hub

import (
	"fmt"
	"time"

	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/receipt"
)

// next writes the next entry of an exchange's chain of evidence: it names the entry
// before it, and its time is never before that one's. x carries the new head, to be
// saved by the caller.
func (h *Hub) next(x *transport.Exchange, e receipt.Entry, delivery string, statement []byte) (Evidence, error) {
	e.Exchange, e.Sender, e.Hub = x.ID, x.Sender, h.cfg.Code
	e.DocumentSM3, e.DocumentSHA256 = x.DocumentSM3, x.DocumentSHA256
	e.Previous = x.LastEntry
	if e.Time.Before(x.LastTime) {
		e.Time = x.LastTime
	}
	if len(statement) > 0 {
		e.Statement = gm.SM3(statement)
	}
	ev, err := h.evidence(e)
	if err != nil {
		return Evidence{}, err
	}
	ev.Exchange, ev.Delivery, ev.Statement = x.ID, delivery, statement
	x.LastEntry, x.LastTime = ev.Digest, ev.Time
	return ev, nil
}

// evidence gives an entry its id and its canonical bytes.
func (h *Hub) evidence(e receipt.Entry) (Evidence, error) {
	id, err := h.newID(e.Time)
	if err != nil {
		return Evidence{}, err
	}
	e.ID = id
	leaf, err := e.Marshal()
	if err != nil {
		return Evidence{}, fmt.Errorf("write entry %s: %w", e.Event, err)
	}
	return Evidence{
		ID: id, Sender: e.Sender, Recipient: e.Recipient, Event: e.Event, Time: e.Time,
		Leaf: leaf, Digest: gm.SM3(leaf),
	}, nil
}

// applied is what an act leaves behind, beside the move itself.
type applied struct {
	at        time.Time
	reason    string
	statement []byte
	copy      int
	change    func(*transport.Delivery)
}

// apply does an act of the state machine to a delivery inside a transaction: asks
// the machine, appends the entry, moves the delivery. It returns the entry.
func (h *Hub) apply(t Tx, x *transport.Exchange, d *transport.Delivery, act transport.Act, o applied) (Evidence, error) {
	from := d.State
	rule, to, err := transport.Step(from, act)
	if err != nil {
		return Evidence{}, err
	}
	if o.change != nil {
		o.change(d)
	}
	entry := receipt.Entry{Event: rule.Event, Time: o.at, Recipient: d.Recipient, Reason: o.reason}
	switch act {
	case transport.Deliver:
		entry.Due, entry.Copy = d.Due, d.Copies
	case transport.Print, transport.VoidCopy:
		entry.Copy = o.copy
	}
	ev, err := h.next(x, entry, d.ID, o.statement)
	if err != nil {
		return Evidence{}, err
	}
	d.State, d.ChangedAt = to, ev.Time
	if len(o.statement) > 0 && to != from { // a mark does not hide the statement that moved the delivery
		d.Statement = gm.SM3(o.statement)
	}
	if err := t.AppendEntry(ev); err != nil {
		return Evidence{}, err
	}
	if err := h.supplementLater(t, *x, ev); err != nil {
		return Evidence{}, err
	}
	if err := t.MoveDelivery(*d, from); err != nil {
		return Evidence{}, fmt.Errorf("move delivery %s: %w", d.ID, err)
	}
	if err := t.SaveExchange(*x); err != nil {
		return Evidence{}, fmt.Errorf("save exchange %s: %w", x.ID, err)
	}
	if to.Ended() && to != from && h.deposits() {
		if err := h.depositWhenEnded(t, x); err != nil {
			return Evidence{}, err
		}
	}
	return ev, nil
}

// deposits reports whether this hub has an archive.
func (h *Hub) deposits() bool { return h.p.Archiver != nil && h.cfg.Archive != "" }

// depositWhenEnded enqueues the deposit when every recipient has ended.
func (h *Hub) depositWhenEnded(t Tx, x *transport.Exchange) error {
	if x.Deposited != "" {
		return nil
	}
	ds, err := t.Deliveries(x.ID)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if !d.State.Ended() {
			return nil
		}
	}
	return t.Enqueue(Job{Kind: JobDeposit, Target: x.ID, RunAt: x.LastTime})
}
