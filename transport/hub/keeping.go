package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/receipt"
)

// KeepingKind is what a decision about a deposited record is.
type KeepingKind string

// The kinds of decisions.
const (
	// LegalHold (冻结): the record is kept whatever its retention period says.
	LegalHold KeepingKind = "hold"
	// Disposal (销毁): the record is destroyed after its retention period, and a tombstone stays.
	Disposal KeepingKind = "disposal"
)

// KeepingState is where a decision stands.
type KeepingState string

// The states. A hold begins as held, a disposal as proposed.
const (
	Held      KeepingState = "held"
	Released  KeepingState = "released"
	Proposed  KeepingState = "proposed"
	Approved  KeepingState = "approved" // and being carried out; nothing stops it any more
	Declined  KeepingState = "declined"
	Destroyed KeepingState = "destroyed"
)

// KeepingStates lists every state.
func KeepingStates() []KeepingState {
	return []KeepingState{Held, Released, Proposed, Approved, Declined, Destroyed}
}

// Next lists the states that may follow.
func (s KeepingState) Next() []KeepingState {
	switch s {
	case Held:
		return []KeepingState{Released}
	case Proposed:
		return []KeepingState{Approved, Declined}
	case Approved:
		return []KeepingState{Destroyed}
	case Released, Declined, Destroyed:
	}
	return nil
}

// Begins reports whether a decision of this kind begins in the state.
func (k KeepingKind) Begins(s KeepingState) bool {
	return k == LegalHold && s == Held || k == Disposal && s == Proposed
}

// Keeping is a decision about the record of an exchange, as it stands now.
type Keeping struct {
	ID       string       `json:"id"`
	Exchange string       `json:"exchange"`
	Kind     KeepingKind  `json:"kind"`
	State    KeepingState `json:"state"`
	// Basis is why: the case that a hold is for, the appraisal (鉴定) that a disposal rests on.
	Basis string `json:"basis"`
	// By is the account that placed or proposed it, at the time At.
	By string    `json:"by"`
	At time.Time `json:"at"`
	// BackupsUntil is, of a disposal, the day (yyyy-mm-dd) after which no backup holds the record any more.
	BackupsUntil string `json:"backups_until,omitempty"`
	// DecidedBy is the other person, who released, approved or declined it, and Why its words.
	DecidedBy string    `json:"decided_by,omitempty"`
	DecidedAt time.Time `json:"decided_at,omitzero"`
	Why       string    `json:"why,omitempty"`
	// Entry and Statement are the evidence of a hold that was placed; EndEntry and EndStatement that of its release, or of
	// what was destroyed. The statements are signed by the archive, and the entries name their SM3.
	Entry        string `json:"entry,omitempty"`
	Statement    []byte `json:"statement,omitempty"`
	EndEntry     string `json:"end_entry,omitempty"`
	EndStatement []byte `json:"end_statement,omitempty"`
}

// KeepingFilter selects decisions of all records.
type KeepingFilter struct {
	Kind KeepingKind
	// State limits the list; empty means all.
	State KeepingState
	Page  Page
}

// Stating signs a decision as it will stand, in the name of the archive. It may call a key service, and is not called inside a transaction.
type Stating func(ctx context.Context, k Keeping) ([]byte, error)

// PlaceHold keeps a record from being disposed of (冻结). A record that is being disposed of already cannot be held.
func (h *Hub) PlaceHold(ctx context.Context, c Caller, exchange, basis string, sign Stating) (Keeping, error) {
	k, err := h.newKeeping(ctx, c, exchange, basis, LegalHold, Held)
	if err != nil {
		return k, err
	}
	if standing, err := h.standingHold(ctx, k); err != nil || standing.ID != "" {
		return standing, err
	}
	if k.Statement, err = sign(ctx, k); err != nil {
		return k, fmt.Errorf("state a hold: %w", err)
	}
	err = h.decided(ctx, c, "archive.hold", &k, func(t Tx, x *transport.Exchange) error {
		if err := mayHold(t, x.ID); err != nil {
			return err
		}
		ev, err := h.mark(t, x, receipt.Entry{Event: transport.LegalHold, Time: k.At, Object: gm.SM3(k.Statement)})
		if err != nil {
			return err
		}
		k.Entry = ev.ID
		return t.InsertKeeping(k)
	})
	return k, err
}

// standingHold is the hold that the same person placed in the same words, if it stands: an answer that was lost is given again.
func (h *Hub) standingHold(ctx context.Context, k Keeping) (standing Keeping, err error) {
	err = h.p.Store.View(ctx, func(r Reader) error {
		ks, err := r.Keepings(k.Exchange)
		for _, other := range ks {
			if other.State == Held && other.By == k.By && other.Basis == k.Basis {
				standing = other
			}
		}
		return err
	})
	return standing, err
}

// ReleaseHold ends a hold (解冻). Somebody else than who placed it must do it.
func (h *Hub) ReleaseHold(ctx context.Context, c Caller, id, why string, sign Stating) (Keeping, error) {
	k, err := h.decide(ctx, c, id, why, LegalHold, Released)
	if err != nil {
		return k, err
	}
	if k.EndStatement, err = sign(ctx, k); err != nil {
		return k, fmt.Errorf("state the release of a hold: %w", err)
	}
	err = h.decided(ctx, c, "archive.release", &k, func(t Tx, x *transport.Exchange) error {
		ev, err := h.mark(t, x, receipt.Entry{Event: transport.LegalHoldRelease, Time: k.DecidedAt, Object: gm.SM3(k.EndStatement)})
		if err != nil {
			return err
		}
		k.EndEntry = ev.ID
		return t.MoveKeeping(k, Held)
	})
	return k, err
}

// ProposeDisposal asks for a record to be destroyed (销毁鉴定). Whether its retention period has ended is the archive's to
// say before. A record under a hold, or with a proposal that is open, is refused.
func (h *Hub) ProposeDisposal(ctx context.Context, c Caller, exchange, basis, backupsUntil string) (Keeping, error) {
	if _, err := time.Parse(time.DateOnly, backupsUntil); err != nil && backupsUntil != "" {
		return Keeping{}, invalid("backups_until", "is not a date, yyyy-mm-dd")
	}
	k, err := h.newKeeping(ctx, c, exchange, basis, Disposal, Proposed)
	if err != nil {
		return k, err
	}
	k.BackupsUntil = backupsUntil
	err = h.decided(ctx, c, "archive.propose", &k, func(t Tx, x *transport.Exchange) error {
		if err := mayDispose(t, x.ID, ""); err != nil {
			return err
		}
		return t.InsertKeeping(k)
	})
	return k, err
}

// DecideDisposal approves or declines a proposal. Nobody decides on what they proposed themselves. What is approved is
// destroyed by a job, and logged when it is.
func (h *Hub) DecideDisposal(ctx context.Context, c Caller, id, why string, approve bool) (Keeping, error) {
	to, action := Declined, "archive.decline"
	if approve {
		to, action = Approved, "archive.approve"
	}
	k, err := h.decide(ctx, c, id, why, Disposal, to)
	if err != nil {
		return k, err
	}
	err = h.decided(ctx, c, action, &k, func(t Tx, x *transport.Exchange) error {
		if approve {
			if err := mayDispose(t, x.ID, k.ID); err != nil {
				return err
			}
			if err := t.Enqueue(Job{Kind: JobDispose, Target: k.ID, RunAt: k.DecidedAt}); err != nil {
				return err
			}
		}
		return t.MoveKeeping(k, Proposed)
	})
	return k, err
}

// Keepings lists the decisions about the record of an exchange, oldest first, to the archive.
func (h *Hub) Keepings(ctx context.Context, c Caller, exchange string) (ks []Keeping, err error) {
	if !h.ofArchive(c) {
		return nil, notFound()
	}
	err = h.p.Store.View(ctx, func(r Reader) error {
		ks, err = r.Keepings(exchange)
		return err
	})
	return ks, err
}

// ListKeepings lists decisions about all records, newest first, to the archive.
func (h *Hub) ListKeepings(ctx context.Context, c Caller, f KeepingFilter) (ks []Keeping, err error) {
	if !h.ofArchive(c) {
		return nil, notFound()
	}
	err = h.p.Store.View(ctx, func(r Reader) error {
		ks, err = r.ListKeepings(f)
		return err
	})
	return ks, err
}

// ofArchive reports whether the caller is of the office that keeps the records.
func (h *Hub) ofArchive(c Caller) bool { return h.cfg.Archive != "" && c.Org == h.cfg.Archive }

// decided audits and does one decision in one transaction, and tells the log. A refusal is audited, too.
func (h *Hub) decided(ctx context.Context, c Caller, action string, k *Keeping, do func(Tx, *transport.Exchange) error) error {
	err := h.p.Store.Update(ctx, func(t Tx) error {
		if err := t.Audit(h.audit(c, h.now(), action, k.Exchange, transport.Allowed, k.ID)); err != nil {
			return err
		}
		x, err := t.Exchange(k.Exchange)
		if err != nil {
			return err
		}
		return do(t, &x)
	})
	if err = asRefusal(err); err == nil {
		h.p.Wake()
		h.wakeWorker()
		return nil
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		rec := h.audit(c, h.now(), action, k.Exchange, string(r.Code), r.Detail)
		if err := h.p.Auditor.Record(context.WithoutCancel(ctx), rec); err != nil {
			return fmt.Errorf("audit a refusal: %w", err)
		}
	}
	return err
}

// newKeeping begins a decision about a record that was deposited.
func (h *Hub) newKeeping(ctx context.Context, c Caller, exchange, basis string, kind KeepingKind, state KeepingState) (Keeping, error) {
	k := Keeping{Exchange: exchange, Kind: kind, State: state, Basis: strings.TrimSpace(basis), By: c.Account, At: h.now()}
	if !h.ofArchive(c) {
		return k, notFound()
	}
	if err := checkWords("basis", k.Basis); err != nil {
		return k, err
	}
	x, err := h.exchangeOf(ctx, exchange)
	switch {
	case err != nil:
		return k, err
	case x.Deposited == "":
		return k, notFound()
	case x.Disposed != "":
		return k, refuse(api.Disposed, "the record was disposed of")
	}
	k.ID, err = h.newID(k.At)
	return k, err
}

// decide leads a decision to its next state, by another person.
func (h *Hub) decide(ctx context.Context, c Caller, id, why string, kind KeepingKind, to KeepingState) (k Keeping, err error) {
	if !h.ofArchive(c) {
		return k, notFound()
	}
	err = h.p.Store.View(ctx, func(r Reader) error {
		k, err = r.Keeping(id)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && k.Kind != kind:
		return k, notFound()
	case err != nil:
		return k, err
	case !follows(k.State, to):
		return k, refuse(api.InvalidTransition, "it is %s", k.State)
	case k.By == c.Account:
		return k, refuse(api.Forbidden, "another person than %s must decide", k.By)
	}
	if why = strings.TrimSpace(why); why != "" || to != Approved { // an approval may stand on the proposal's own basis
		if err := checkWords("basis", why); err != nil {
			return k, err
		}
	}
	k.State, k.DecidedBy, k.DecidedAt, k.Why = to, c.Account, h.now(), why
	return k, nil
}

func follows(from, to KeepingState) bool {
	return slices.Contains(from.Next(), to)
}

// checkWords refuses a text that says nothing, is too long, or could forge a line.
func checkWords(field, text string) error {
	if text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > transport.MaxCommentRunes ||
		strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		return invalid(field, "is not one line of 1 to %d characters", transport.MaxCommentRunes)
	}
	return nil
}

// mayHold refuses to hold what is being destroyed.
func mayHold(r Reader, exchange string) error {
	ks, err := r.Keepings(exchange)
	for _, k := range ks {
		if k.State == Approved || k.State == Destroyed {
			return refuse(api.InvalidTransition, "its disposal was approved on %s", k.DecidedAt.Format(time.DateOnly))
		}
	}
	return err
}

// mayDispose refuses to destroy what is held, or twice.
func mayDispose(r Reader, exchange, besides string) error {
	ks, err := r.Keepings(exchange)
	for _, k := range ks {
		switch {
		case k.State == Held:
			return refuse(api.InvalidTransition, "it is under a legal hold: %s", k.Basis)
		case k.Kind == Disposal && k.State != Declined && k.ID != besides:
			return refuse(api.InvalidTransition, "its disposal is %s already", k.State)
		}
	}
	return err
}

func (h *Hub) exchangeOf(ctx context.Context, id string) (x transport.Exchange, err error) {
	err = h.p.Store.View(ctx, func(r Reader) error {
		x, err = r.Exchange(id)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		err = notFound()
	}
	return x, err
}

// dispose destroys what was approved: the archive's part first, then the envelope; the entry is written when nothing of
// them is left. A try that died in between is done again.
func (h *Hub) dispose(ctx context.Context, j Job) error {
	var k Keeping
	var e Envelope
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		if k, err = r.Keeping(j.Target); err != nil {
			return err
		}
		e, err = r.Envelope(k.Exchange)
		return err
	})
	if err != nil {
		return err
	}
	if k.State != Approved {
		return h.change(ctx, j, func(Tx, time.Time) error { return nil })
	}
	proof, err := h.p.Archiver.Destroy(ctx, k)
	if err != nil {
		return fmt.Errorf("dispose of %s: %w", k.Exchange, err)
	}
	if e.Inline == nil {
		if err := h.p.Blobs.Remove(ctx, blob.Ref(e.SM3)); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("dispose of the envelope of %s: %w", k.Exchange, err)
		}
	}
	return h.change(ctx, j, func(t Tx, at time.Time) error {
		x, err := t.Exchange(k.Exchange)
		if err != nil {
			return err
		}
		ev, err := h.mark(t, &x, receipt.Entry{Event: transport.Disposal, Time: at, Object: gm.SM3(proof)})
		if err != nil {
			return err
		}
		k.State, k.EndEntry, k.EndStatement = Destroyed, ev.ID, proof
		if err := t.MoveKeeping(k, Approved); err != nil {
			return err
		}
		return t.DisposeExchange(x.ID, ev.ID)
	})
}
