package hub

import (
	"context"
	"errors"
	"fmt"

	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// Moved is the outcome of an act: the delivery as it is now and the entry of the act.
type Moved struct {
	Exchange transport.Exchange
	Delivery transport.Delivery
	Evidence Evidence
	// Repeated: the same request was done before, and this is its outcome.
	Repeated bool
}

// Open hands the content over (读取): the recipient says, signed with its office's
// key, that it takes it. Envelope gives the bytes from then on.
func (h *Hub) Open(ctx context.Context, c Caller, key, delivery string, statement []byte) (Moved, error) {
	return h.byRecipient(ctx, c, key, transport.Open, delivery, statement)
}

// Acknowledge signs for a delivery (签收).
func (h *Hub) Acknowledge(ctx context.Context, c Caller, key, delivery string, statement []byte) (Moved, error) {
	return h.byRecipient(ctx, c, key, transport.Acknowledge, delivery, statement)
}

// Return sends a delivery back (退回) with the reason that stands in the statement.
func (h *Hub) Return(ctx context.Context, c Caller, key, delivery string, statement []byte) (Moved, error) {
	return h.byRecipient(ctx, c, key, transport.Return, delivery, statement)
}

// AcknowledgeReturn says that the sender saw the return (确认退回).
func (h *Hub) AcknowledgeReturn(ctx context.Context, c Caller, key, exchange, recipient string, statement []byte) (Moved, error) {
	return h.bySender(ctx, c, key, transport.AcknowledgeReturn, exchange, recipient, statement)
}

// Withdraw takes a delivery back before it is signed for (撤回). Which of a withdrawal
// and a sign-for comes first is decided by the Store, once.
func (h *Hub) Withdraw(ctx context.Context, c Caller, key, exchange, recipient string, statement []byte) (Moved, error) {
	return h.bySender(ctx, c, key, transport.Withdraw, exchange, recipient, statement)
}

// RequestWithdrawal asks a recipient to give back what was handed over (请求退还). It is recorded once and forces nothing.
func (h *Hub) RequestWithdrawal(ctx context.Context, c Caller, key, exchange, recipient string, statement []byte) (Moved, error) {
	return h.bySender(ctx, c, key, transport.RequestWithdrawal, exchange, recipient, statement)
}

// Remind urges a recipient (催办). It needs no statement: the hub's evidence is of the
// reminder alone.
func (h *Hub) Remind(ctx context.Context, c Caller, key, exchange, recipient string) (Moved, error) {
	return h.bySender(ctx, c, key, transport.Remind, exchange, recipient, nil)
}

// byRecipient finds the caller's own delivery. One that has not arrived is not there.
func (h *Hub) byRecipient(ctx context.Context, c Caller, key string, act transport.Act, delivery string, statement []byte) (Moved, error) {
	var m Moved
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		m.Delivery, err = r.Delivery(delivery)
		if errors.Is(err, ErrNotFound) || err == nil && !arrived(c, m.Delivery) {
			return notFound()
		}
		if err != nil {
			return err
		}
		m.Exchange, err = r.Exchange(m.Delivery.Exchange)
		return err
	})
	if err != nil {
		return Moved{}, err
	}
	return h.act(ctx, c, key, act, m, statement)
}

// arrived reports whether a delivery is the caller's and was ever put into its box.
func arrived(c Caller, d transport.Delivery) bool {
	switch d.State {
	case transport.Accepted, transport.Routed, transport.Rejected, transport.Failed:
		return false
	}
	return c.Org != "" && c.Org == d.Recipient
}

// bySender finds a delivery of the caller's own exchange.
func (h *Hub) bySender(
	ctx context.Context, c Caller, key string, act transport.Act, exchange, recipient string, statement []byte,
) (Moved, error) {
	var m Moved
	err := h.p.Store.View(ctx, func(r Reader) (err error) {
		if m.Exchange, err = h.ownExchange(r, c, exchange); err != nil {
			return err
		}
		ds, err := r.Deliveries(exchange)
		if err != nil {
			return err
		}
		for _, d := range ds {
			if d.Recipient == recipient {
				m.Delivery = d
				return nil
			}
		}
		return notFound()
	})
	if err != nil {
		return Moved{}, err
	}
	return h.act(ctx, c, key, act, m, statement)
}

// ownExchange loads an exchange that the caller's office sent.
func (h *Hub) ownExchange(r Reader, c Caller, exchange string) (transport.Exchange, error) {
	x, err := r.Exchange(exchange)
	if errors.Is(err, ErrNotFound) || err == nil && (c.Org == "" || x.Sender != c.Org) {
		return transport.Exchange{}, notFound()
	}
	return x, err
}

// act does one act of a party: the statement is judged first, outside of the
// transaction; the state decides inside it.
func (h *Hub) act(ctx context.Context, c Caller, key string, act transport.Act, m Moved, statement []byte) (Moved, error) {
	o := applied{at: h.now(), statement: statement}
	request := requestDigest(act, m.Delivery.ID, gm.SM3(statement))
	if rule, ok := transport.RuleFor(act); ok && rule.Statement {
		s, err := h.judgeStatement(ctx, c, rule.Event, m, statement)
		if err != nil {
			return Moved{}, h.denied(ctx, c, act, m.Delivery.ID, err)
		}
		o.reason = s.Reason
		switch act {
		case transport.AcknowledgeReturn: // the words of the return stay
		case transport.RequestWithdrawal: // and so do those of the sign-for
			o.change = func(d *transport.Delivery) { d.WithdrawalRequested = true }
		default:
			o.change = func(d *transport.Delivery) {
				d.Reason, d.Comment, d.SignNumber = s.Reason, s.Text, s.Number
			}
		}
	} else if act == transport.Remind {
		o.change = func(d *transport.Delivery) { d.Reminders++ }
	}
	err := h.p.Store.Update(ctx, func(t Tx) error { return h.actIn(t, c, key, request, act, &m, o) })
	if err != nil {
		return Moved{}, h.denied(ctx, c, act, m.Delivery.ID, asRefusal(err))
	}
	h.p.Wake()
	h.wakeWorker()
	h.changed(m.Exchange, m.Delivery)
	return m, nil
}

func (h *Hub) actIn(t Tx, c Caller, key string, request transport.Digest, act transport.Act, m *Moved, o applied) error {
	if done, err := h.repeatedAct(t, c, key, request, m); done || err != nil {
		return err
	}
	if err := t.Audit(h.audit(c, o.at, "delivery."+string(act), m.Delivery.ID, transport.Allowed, "")); err != nil {
		return err
	}
	var err error
	if m.Delivery, err = t.Delivery(m.Delivery.ID); err != nil {
		return err
	}
	if act == transport.RequestWithdrawal && m.Delivery.WithdrawalRequested {
		return refuse(api.InvalidTransition, "the document was asked back already")
	}
	if m.Exchange, err = t.Exchange(m.Delivery.Exchange); err != nil {
		return err
	}
	if m.Evidence, err = h.apply(t, &m.Exchange, &m.Delivery, act, o); err != nil {
		return err
	}
	return t.SaveIdempotent(Idempotent{Org: c.Org, Key: key, Request: request, Entry: m.Evidence.ID, At: o.at})
}

// repeatedAct recognises an idempotency key. The same request gives the outcome of
// the first time; another one is refused.
func (h *Hub) repeatedAct(t Tx, c Caller, key string, request transport.Digest, m *Moved) (bool, error) {
	i, err := t.Idempotent(c.Org, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if i.Request != request {
		return false, refuse(api.DuplicateConflict, "the idempotency key was used for another request")
	}
	if m.Evidence, err = t.Evidence(i.Entry); err != nil {
		return false, err
	}
	if m.Delivery, err = t.Delivery(m.Delivery.ID); err != nil {
		return false, err
	}
	if m.Exchange, err = t.Exchange(m.Delivery.Exchange); err != nil {
		return false, err
	}
	m.Repeated = true
	return true, nil
}

// judgeStatement reads a party's statement and checks that it is about this delivery
// and signed by the caller's office with the certificate of the directory.
func (h *Hub) judgeStatement(ctx context.Context, c Caller, event transport.Event, m Moved, der []byte) (receipt.Statement, error) {
	s, err := receipt.ParseStatement(der)
	if err != nil {
		return receipt.Statement{}, refuse(api.Malformed, "the statement cannot be read: %v", err)
	}
	entry := receipt.Entry{
		Event: event, Exchange: m.Exchange.ID, Sender: m.Exchange.Sender, Recipient: m.Delivery.Recipient, Reason: s.Reason,
		DocumentSM3: m.Exchange.DocumentSM3, DocumentSHA256: m.Exchange.DocumentSHA256,
	}
	if err := s.Matches(entry); err != nil {
		return receipt.Statement{}, refuse(api.Validation, "%v", err)
	}
	own, err := h.signing(ctx, c.Org)
	if err != nil {
		return receipt.Statement{}, err
	}
	if signer := s.SignerCertificate(); signer == nil || !signer.Equal(own.cert) {
		return receipt.Statement{}, refuse(api.SenderMismatch, "the statement is not signed with the certificate of office %s", c.Org)
	}
	now := h.p.Clock()
	v := s.Judge(cms.JudgeOptions{Policy: h.p.Policy().With(own.issuers...), At: now, TimeSource: "log", Now: now})
	if v.Verdict != verdict.Passed {
		return receipt.Statement{}, refuse(api.SignatureInvalid, "statement: %s", v.Reason)
	}
	return s.Statement, nil
}

// denied writes down that an act was refused and returns the refusal. Where even
// that cannot be written, the answer says so.
func (h *Hub) denied(ctx context.Context, c Caller, act transport.Act, object string, refusal error) error {
	var r *Refusal
	if !errors.As(refusal, &r) {
		return refusal
	}
	rec := h.audit(c, h.now(), "delivery."+string(act), object, string(r.Code), "")
	if err := h.p.Auditor.Record(context.WithoutCancel(ctx), rec); err != nil {
		return fmt.Errorf("audit a refusal: %w", err)
	}
	return refusal
}

// asRefusal gives the errors of state machine and store the code that both sides know.
func asRefusal(err error) error {
	var te *transport.TransitionError
	switch {
	case errors.As(err, &te):
		return refuse(api.InvalidTransition, "%v", te)
	case errors.Is(err, ErrStale):
		return refuse(api.InvalidTransition, "the state changed meanwhile")
	case errors.Is(err, ErrStorageFull):
		return refuse(api.StorageFull, "")
	}
	return err
}
