package hub

import (
	"context"
	"fmt"

	"yinxin/transport"
	"yinxin/transport/receipt"
)

// StateGap logs that the log was put back to an older state and goes on: an entry that names the SM3 of the signed statement
// of what was lost. It returns the entry's id.
func (h *Hub) StateGap(ctx context.Context, c Caller, statement transport.Digest) (string, error) {
	at := h.now()
	ev, err := h.evidence(receipt.Entry{Event: transport.LogGap, Time: at, Sender: h.cfg.Code, Hub: h.cfg.Code, Object: statement})
	if err != nil {
		return "", fmt.Errorf("state a gap: %w", err)
	}
	err = h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(c, at, "log.recover", statement.String(), transport.Allowed, "")); err != nil {
			return err
		}
		return t.AppendEntry(ev)
	})
	if err != nil {
		return "", fmt.Errorf("state a gap: %w", err)
	}
	h.p.Wake()
	return ev.ID, nil
}
