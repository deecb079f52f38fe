package hub

import (
	"context"
	"fmt"
	"time"

	"yinxin/transport"
	"yinxin/transport/receipt"
)

// SealUse is one use of a seal (用印). The hub knows neither seals nor documents: what was done stands in a statement of
// which it logs the digest.
type SealUse struct {
	// Seal is the seal's identity, Approval the one approval that it was used on, At the sealing time.
	Seal, Approval string
	At             time.Time
	// SM3 and SHA256 are those of the sealed document, Statement is the SM3 of what says by whom and where it was sealed.
	SM3, SHA256, Statement transport.Digest
	// Record gives the text that the register of seals keeps of it; it names the entry.
	Record func(entry string) (string, error)
}

// RegisteredUse is what the register of seals keeps of a use.
type RegisteredUse struct {
	// ID is that of the entry.
	ID, Seal, Approval string
	At                 time.Time
	Record             string
}

// ApplySeal records that an office used a seal: the register of its uses and the evidence log say so together, or neither
// does. It returns the entry. What the register refuses, a seal that is not in force or an approval that was used, is its error.
func (h *Hub) ApplySeal(ctx context.Context, c Caller, u SealUse) (string, error) {
	at := h.now()
	ev, err := h.evidence(receipt.Entry{
		Event: transport.SealApplied, Time: at, Sender: c.Org, Hub: h.cfg.Code, DocumentSM3: u.SM3, DocumentSHA256: u.SHA256, Object: u.Statement,
	})
	if err != nil {
		return "", fmt.Errorf("record a use of seal %s: %w", u.Seal, err)
	}
	record, err := u.Record(ev.ID)
	if err != nil {
		return "", err
	}
	err = h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(c, at, "seal.use", u.Seal, transport.Allowed, "")); err != nil {
			return err
		}
		if err := t.InsertSealUse(RegisteredUse{ID: ev.ID, Seal: u.Seal, Approval: u.Approval, At: u.At, Record: record}); err != nil {
			return err
		}
		return t.AppendEntry(ev)
	})
	if err != nil {
		return "", fmt.Errorf("record a use of seal %s: %w", u.Seal, err)
	}
	h.p.Wake()
	return ev.ID, nil
}
