package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"yinxin/transport"
	"yinxin/transport/receipt"
)

// supplementLater enqueues, for an entry that came after the deposit, that the archive takes it in with what else comes
// until then. More jobs than one are no harm: the later ones find nothing to do.
func (h *Hub) supplementLater(t Tx, x transport.Exchange, ev Evidence) error {
	if !h.deposits() || x.Deposited == "" || x.Disposed != "" || ev.Event == transport.Supplement || ev.Event == transport.Disposal {
		return nil
	}
	return t.Enqueue(Job{Kind: JobSupplement, Target: x.ID, RunAt: ev.Time.Add(h.cfg.SupplementDelay)})
}

// supplement (补充归档) hands the archive the receipts that came since the deposit, or since the last supplement, the
// receipt of that one with them.
func (h *Hub) supplement(ctx context.Context, j Job) error {
	rec, err := h.record(ctx, j.Target)
	if err != nil {
		return err
	}
	from := lastKept(rec.Evidence)
	if from < 0 || rec.Exchange.Disposed != "" || from == len(rec.Evidence)-1 {
		return h.change(ctx, j, func(Tx, time.Time) error { return nil })
	}
	head := rec.Exchange.LastEntry
	rec.Evidence, rec.Receipts, rec.First = rec.Evidence[from:], rec.Receipts[from:], from+1
	kept, err := h.p.Archiver.Supplement(ctx, rec)
	if err != nil {
		return fmt.Errorf("supplement %s: %w", j.Target, err)
	}
	return h.change(ctx, j, func(t Tx, at time.Time) error {
		x, err := t.Exchange(j.Target)
		if err != nil {
			return err
		}
		err = mayHold(t, x.ID)
		if _, refused := errors.AsType[*Refusal](err); refused || err != nil {
			if refused { // it is being disposed of: what was gathered is nobody's any more
				err = nil
			}
			return err
		}
		if x.LastEntry != head { // more has come meanwhile, which this supplement would hide: try again with it
			return ErrStale
		}
		_, err = h.mark(t, &x, receipt.Entry{Event: transport.Supplement, Time: at, Object: kept})
		return err
	})
}

// lastKept is the place of the newest entry that says what the archive keeps, or -1.
func lastKept(all []Evidence) int {
	for i, e := range slices.Backward(all) {
		if e.Event == transport.Deposit || e.Event == transport.Supplement {
			return i
		}
	}
	return -1
}
