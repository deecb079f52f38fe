package check

import (
	"bytes"
	"context"
	"fmt"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/hub"
)

// exchanges leads every delivery through the states that its entries tell, and notes which blobs are named.
func (c *check) exchanges(ctx context.Context, i *Item) error {
	c.wanted = map[blob.Ref]use{}
	for after := ""; ; {
		ids, err := c.h.Database.ExchangeIDs(ctx, after, page)
		if err != nil {
			return fmt.Errorf("list exchanges: %w", err)
		}
		for _, id := range ids {
			if err := c.h.Database.View(ctx, func(r hub.Reader) error { return c.exchange(r, id, i) }); err != nil {
				return fmt.Errorf("exchange %s: %w", id, err)
			}
			after = id
		}
		c.o.Progress("exchanges", i.Counts["exchanges"], 0)
		if len(ids) < page {
			break
		}
	}
	i.Detail = fmt.Sprintf("%d exchanges with %d deliveries, each led through its entries; %d of %d envelopes in rows read",
		i.Counts["exchanges"], i.Counts["deliveries"], i.Counts["envelopes_read"], i.Counts["envelopes_in_rows"])
	return nil
}

func (c *check) exchange(r hub.Reader, id string, i *Item) error {
	x, err := r.Exchange(id)
	if err != nil {
		return err
	}
	ds, err := r.Deliveries(id)
	if err != nil {
		return err
	}
	entries, err := r.ExchangeEvidence(id)
	if err != nil {
		return err
	}
	i.Counts["exchanges"]++
	i.Counts["deliveries"] += uint64(len(ds))
	chain(x, ds, entries, i)
	e, err := r.Envelope(id)
	if err != nil {
		return err
	}
	if x.Disposed != "" { // envelope, package and supplements are gone, by decision
		i.Counts["disposed"]++
		return nil
	}
	c.supplements(entries)
	if x.Package != (transport.Digest{}) {
		c.want(blob.Ref(x.Package), -1, "the record package of exchange "+id)
	}
	if len(e.Inline) == 0 {
		c.want(blob.Ref(e.SM3), e.Size, "the envelope of exchange "+id)
		return nil
	}
	i.Counts["envelopes_in_rows"]++
	read, err := c.o.Read.takes(blob.Ref(e.SM3), c.o.Rand)
	if err != nil || !read {
		return err
	}
	i.Counts["envelopes_read"]++
	if gm.SM3(e.Inline) != e.SM3 || int64(len(e.Inline)) != e.Size {
		i.find(BlobDamaged, "the envelope of exchange "+id, "the row holds other bytes than its digest says")
	}
	return nil
}

// supplements notes what the archive keeps of an exchange beside its package, as the entries name it.
func (c *check) supplements(entries []hub.Evidence) {
	for _, e := range entries {
		if e.Event != transport.Supplement {
			continue
		}
		t, err := told(e)
		if err != nil {
			continue // chain has found it
		}
		c.want(blob.Ref(t.Object), -1, "a supplement of exchange "+e.Exchange)
	}
}

// chain holds the entries of an exchange against each other, the exchange and its deliveries.
func chain(x transport.Exchange, ds []transport.Delivery, entries []hub.Evidence, i *Item) {
	states := make(map[string]transport.State, len(ds))
	for _, d := range ds {
		states[d.ID] = transport.Accepted
	}
	var last transport.Digest
	where := "exchange " + x.ID
	for n, e := range entries {
		t, err := told(e)
		if err != nil {
			i.find(EntryDiffers, fmt.Sprintf("%s, entry %s", where, e.ID), "%v", err)
			return
		}
		if !bytes.Equal(t.Previous[:], last[:]) || t.Exchange != x.ID {
			i.find(ChainBroken, where, "entry %d of %d does not follow the one before it", n+1, len(entries))
			return
		}
		last = e.Digest
		if err := lead(states, e); err != nil {
			i.find(StateDiffers, where, "%v", err)
			return
		}
	}
	switch {
	case len(entries) == 0:
		i.find(ChainBroken, where, "it has no entry")
		return
	case entries[0].ID != x.Entry || entries[0].Event != transport.SubmissionAcceptance:
		i.find(ChainBroken, where, "its first entry is %s %s, not its acceptance %s", entries[0].Event, entries[0].ID, x.Entry)
	case last != x.LastEntry:
		i.find(ChainBroken, where, "its last entry is not the one that it names")
	}
	for _, d := range ds {
		if states[d.ID] != d.State {
			i.find(StateDiffers, fmt.Sprintf("%s, delivery %s to %s", where, d.ID, d.Recipient), "the row says %s, the entries lead to %s", d.State, states[d.ID])
		}
	}
}

// lead moves deliveries by one entry.
func lead(states map[string]transport.State, e hub.Evidence) error {
	for _, r := range transport.Rules() {
		if r.Event != e.Event || r.To == "" {
			continue
		}
		if r.Whole {
			for id, s := range states {
				if r.Allows(s) {
					states[id] = r.To
				}
			}
			return nil
		}
		s, ok := states[e.Delivery]
		if !ok {
			return fmt.Errorf("entry %s is about the delivery %q, which the exchange has not", e.ID, e.Delivery)
		}
		if !r.Allows(s) {
			return fmt.Errorf("entry %s (%s) is not possible in state %s", e.ID, e.Event, s)
		}
		states[e.Delivery] = r.To
		return nil
	}
	return nil // it leaves a mark and moves nothing
}

// audit verifies the chain of who did what.
func (c *check) audit(ctx context.Context, i *Item) error {
	rows, head, err := c.h.Database.VerifyAudit(ctx)
	i.Counts["rows"] = rows
	i.Detail = fmt.Sprintf("%d rows, each bound to the one before it, head %x", rows, head[:8])
	return auditFault(err, i)
}
