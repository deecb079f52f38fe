package seal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Status is what may be done with a registered seal.
type Status string

// The statuses of a seal. A voided seal never comes back.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Voided    Status = "voided"
)

// Registry errors.
var (
	// ErrUnknownSeal means that no seal of that identity is registered.
	ErrUnknownSeal = errors.New("seal: not registered")
	// ErrPartialRegister means, beside ErrUnknownSeal, that only a part of a registry was looked through.
	ErrPartialRegister = errors.New("seal: only a part of the register")
	// ErrNoRegister means that there is no registry to ask.
	ErrNoRegister = errors.New("seal: no register")
	// ErrTransition means that the change of status is not allowed, or goes back in time.
	ErrTransition = errors.New("seal: change of status not allowed")
	// ErrNotInForce means that the seal may not be used at that time.
	ErrNotInForce = errors.New("seal: not in force")
	// ErrApproval means that the approval does not permit this use.
	ErrApproval = errors.New("seal: approval does not permit this use")
)

// Change is one entry of a seal's history. By and Reason are for people.
type Change struct {
	To     Status    `json:"to"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Record is what the registry keeps of a seal.
type Record struct {
	// ID is the seal's esID.
	ID     string `json:"id"`
	Name   string `json:"name"`
	Type   int    `json:"type"`
	Office string `json:"office"`
	// Keeper is who keeps the seal and operates it.
	Keeper string `json:"keeper"`
	// Key names the signing key in the key store, such as "store:seal-a".
	Key string `json:"key"`
	// ESL is the seal file, SM3 its digest.
	ESL []byte   `json:"esl"`
	SM3 [32]byte `json:"sm3"`
	// From and To bound its use, as the seal itself says.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// History begins with the registration, oldest first; it is only ever appended to.
	History []Change `json:"history"`
}

// StatusAt is the status at a time; false before the seal was registered. A change counts from its own instant on.
func (r Record) StatusAt(t time.Time) (Status, bool) {
	c, known := r.lastChange(t)
	return c.To, known
}

// lastChange is the change that counts at a time; false before the seal was registered.
func (r Record) lastChange(t time.Time) (last Change, known bool) {
	for _, c := range r.History {
		if c.At.After(t) {
			break
		}
		last, known = c, true
	}
	return last, known
}

// InForce answers whether the seal could be used at a time: registered, active, within its validity. The error wraps
// ErrNotInForce and says why not.
func (r Record) InForce(t time.Time) error {
	if why := r.notInForce(t); why != "" {
		return fmt.Errorf("%w: %s", ErrNotInForce, why)
	}
	return nil
}

// notInForce says why the seal could not be used at a time, and since when; empty if it could.
func (r Record) notInForce(t time.Time) string {
	if t.Before(r.From) || t.After(r.To) {
		return fmt.Sprintf("seal %s is valid from %s to %s", r.ID, stamp(r.From), stamp(r.To))
	}
	last, known := r.lastChange(t)
	switch {
	case !known:
		return fmt.Sprintf("seal %s was not registered before %s", r.ID, stamp(t))
	case last.To != Active:
		return fmt.Sprintf("seal %s was %s at %s", r.ID, last.To, stamp(last.At))
	}
	return ""
}

// Append returns the record with one more change. Allowed are: the registration (to active, first), active to suspended
// or voided, suspended to active or voided. A change may not stand before the last one.
func (r Record) Append(c Change) (Record, error) {
	var from Status
	if n := len(r.History); n > 0 {
		last := r.History[n-1]
		if c.At.Before(last.At) {
			return r, fmt.Errorf("%w: %s is before the last change", ErrTransition, stamp(c.At))
		}
		from = last.To
	}
	allowed := map[Status][]Status{
		"": {Active}, Active: {Suspended, Voided}, Suspended: {Active, Voided}, Voided: nil,
	}
	if slices.Contains(allowed[from], c.To) {
		r.History = append(slices.Clip(r.History), c)
		return r, nil
	}
	return r, fmt.Errorf("%w: %s from %q to %q", ErrTransition, r.ID, from, c.To)
}

// Approval is the permission to put one seal on one document: it names the exact bytes that will be signed.
type Approval struct {
	ID     string `json:"id"`
	SealID string `json:"seal_id"`
	// Document is the SM3 of the document before sealing, ToBeSigned the Digest of the prepared sealing, or what covers the
	// digests of both forms of a document that is sealed as OFD and as PDF.
	Document   [32]byte  `json:"document"`
	ToBeSigned [32]byte  `json:"to_be_signed"`
	Operator   string    `json:"operator"`
	Approver   string    `json:"approver"`
	At         time.Time `json:"at"`
	// Until bounds when it may be used; zero is no bound.
	Until time.Time `json:"until,omitzero"`
}

// Permits returns nil if the approval allows the use that is about to be made of the seal at the time: the same operator,
// the same unsealed document, the same bytes to be signed. Else the error wraps ErrApproval, or ErrNotInForce where the
// seal itself may not be used then.
func (a Approval) Permits(r Record, u Use, at time.Time) error {
	refuse := func(why string) error { return fmt.Errorf("%w: %s", ErrApproval, why) }
	switch {
	case a.Approver == "" || a.ID == "":
		return refuse("nobody approved")
	case a.Approver == a.Operator:
		return refuse("operator and approver are one person")
	case a.Operator != u.Operator:
		return refuse("given to another operator")
	case a.SealID != r.ID || u.SealID != r.ID:
		return refuse("given for another seal")
	case a.Document != u.Document:
		return refuse("given for another document")
	case a.ToBeSigned != u.ToBeSigned:
		return refuse("given for other bytes: the document or the stamps were changed since")
	case at.Before(a.At) || !a.Until.IsZero() && at.After(a.Until):
		return refuse("not valid at this time")
	}
	return r.InForce(at)
}

// Registry keeps seals and their uses. Implementations promise: what returns without error is durable; a history is only
// ever appended to, by Append's rules, and of two changes at once one fails with ErrTransition. A use is entered together
// with its entry in the evidence log, by the hub; of a seal that is not in force at its time with ErrNotInForce, and a
// second one of one approval with ErrApproval, it is refused.
type Registry interface {
	AddSeal(ctx context.Context, r Record) error
	Seal(ctx context.Context, id string) (Record, error)
	ChangeSeal(ctx context.Context, id string, c Change) error
	Uses(ctx context.Context, sealID string) ([]Use, error)
}
