package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/transport/receipt"
)

// receiptBatch is how many receipts are built in one transaction.
const receiptBatch = 256

// BuildReceipts builds and stores the receipt of every entry that a published
// checkpoint covers, and returns how many it built. It is the step after a
// publication of the log, and is called at the start for what a crash left over. A
// receipt is stored once and never changes.
func (h *Hub) BuildReceipts(ctx context.Context) (int, error) {
	built := 0
	for {
		n, err := h.buildSome(ctx)
		built += n
		if err != nil || n == 0 {
			return built, err
		}
	}
}

func (h *Hub) buildSome(ctx context.Context) (int, error) {
	var proven []Proven
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		proven, err = r.Proven(receiptBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list proven entries: %w", err)
	}
	if len(proven) == 0 {
		return 0, nil
	}
	bodies := make([][]byte, len(proven))
	for i, p := range proven {
		if bodies[i], err = h.compose(ctx, p); err != nil {
			return 0, fmt.Errorf("build receipt %s: %w", p.Evidence.ID, err)
		}
	}
	err = h.p.Store.Update(ctx, func(t Tx) error {
		for i, p := range proven {
			if err := t.SaveReceipt(p.Evidence.ID, bodies[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, ErrExists) { // another builder was first, and its receipts stand; the next call does what is left
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("store receipts: %w", err)
	}
	h.tell(proven)
	return len(proven), nil
}

func (h *Hub) compose(ctx context.Context, p Proven) ([]byte, error) {
	placed := tlog.Placed{Index: p.Index, Proof: make([]tlog.Hash, 0, len(p.Proof))}
	for _, x := range p.Proof {
		placed.Proof = append(placed.Proof, x)
	}
	r, err := receipt.Compose(p.Evidence.Leaf, placed, p.Checkpoint, p.Evidence.Statement, h.issuersOf(ctx, p.Evidence))
	if err != nil {
		return nil, err
	}
	return r.Marshal()
}

// issuersOf gives the certificates above that of the office which signed the
// statement of an entry, so that the receipt can be judged from a root alone. They
// help and prove nothing: where the directory no longer has them, the receipt goes
// without, rather than never.
func (h *Hub) issuersOf(ctx context.Context, e Evidence) []*cert.Certificate {
	by, _ := receipt.StatementBy(e.Event)
	if len(e.Statement) == 0 || by == receipt.NoParty {
		return nil
	}
	code := e.Recipient
	if by == receipt.Sender {
		code = e.Sender
	}
	own, err := h.signing(ctx, code)
	if err != nil || len(own.issuers) > receipt.MaxCertificates {
		h.p.Log.WarnContext(ctx, "receipt goes without issuer certificates", slog.String("entry", e.ID), slog.String("office", code))
		return nil
	}
	return own.issuers
}

// tell wakes those who wait for these receipts.
func (h *Hub) tell(built []Proven) {
	entries := make([]string, len(built))
	for i, p := range built {
		entries[i] = p.Evidence.ID
	}
	h.ready(entries)
}

// ready wakes those who wait for the receipts of these entries.
func (h *Hub) ready(entries []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range entries {
		for _, ch := range h.waiters[e] {
			close(ch)
		}
		delete(h.waiters, e)
	}
}

// receiptPause is how often a hub that shares its Store looks for the receipts that its callers
// wait for: another hub may build them.
const receiptPause = 20 * time.Millisecond

// watchReceipts looks for receipts that another hub has built, until ctx ends. All who wait
// share one query.
func (h *Hub) watchReceipts(ctx context.Context) {
	ticker := time.NewTicker(receiptPause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		h.mu.Lock()
		wanted := slices.Collect(maps.Keys(h.waiters))
		h.mu.Unlock()
		if len(wanted) == 0 {
			continue
		}
		var found []string
		err := h.p.Store.View(ctx, func(r Reader) (err error) {
			found, err = r.Ready(wanted)
			return err
		})
		if err != nil { // those who wait get ErrPending at their end, and the worker tells of the store
			continue
		}
		h.ready(found)
	}
}

// Receipt returns the receipt of an entry (.yxr), or ErrPending until it is built;
// from then on always the same bytes. An entry of other offices is not found.
func (h *Hub) Receipt(ctx context.Context, c Caller, entry string) ([]byte, error) {
	var body []byte
	err := h.p.Store.View(ctx, func(r Reader) error {
		e, err := r.Evidence(entry)
		if errors.Is(err, ErrNotFound) || err == nil && !h.maySee(c, e) {
			return notFound()
		}
		if err != nil {
			return err
		}
		body, err = r.Receipt(entry)
		if errors.Is(err, ErrNotFound) {
			return ErrPending
		}
		return err
	})
	return body, err
}

// maySee: the sender sees all evidence of its exchanges, a recipient that of its own
// delivery, the archive that of every exchange.
func (h *Hub) maySee(c Caller, e Evidence) bool {
	if c.Org == "" {
		return false
	}
	return c.Org == e.Sender || c.Org == e.Recipient && e.Delivery != "" || c.Org == h.cfg.Archive && e.Exchange != ""
}

// WaitReceipt returns the receipt as Receipt does, and waits for it as long as ctx
// lasts: then the error is ErrPending.
func (h *Hub) WaitReceipt(ctx context.Context, c Caller, entry string) ([]byte, error) {
	ready, forget := h.watch(entry)
	defer forget()
	for {
		// The watch stands before the look, so that nothing falls between them.
		body, err := h.Receipt(context.WithoutCancel(ctx), c, entry)
		if !errors.Is(err, ErrPending) {
			return body, err
		}
		select {
		case <-ready:
			ready = nil // it is stored now; a second ErrPending waits for ctx
		case <-ctx.Done():
			return nil, ErrPending
		}
	}
}

func (h *Hub) watch(entry string) (<-chan struct{}, func()) {
	ch := make(chan struct{})
	h.mu.Lock()
	h.waiters[entry] = append(h.waiters[entry], ch)
	h.mu.Unlock()
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		left := h.waiters[entry][:0]
		for _, w := range h.waiters[entry] {
			if w != ch {
				left = append(left, w)
			}
		}
		if len(left) == 0 {
			delete(h.waiters, entry)
			return
		}
		h.waiters[entry] = left
	}
}
