package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/hub"
)

// submit takes an envelope. The body is streamed; it is answered 201 with the
// receipt, or 202 while the receipt is being built.
func (s *Server) submit(w http.ResponseWriter, c *Call) error {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != api.TypeEnvelope {
		return api.NewProblem(api.UnsupportedFormat, "send "+api.TypeEnvelope)
	}
	if limit := s.c.Hub.MaxEnvelope(); c.ContentLength > limit {
		return api.NewProblem(api.TooLarge, "the limit is "+strconv.FormatInt(limit, 10)+" bytes")
	}
	body, leave, err := s.admitBody(c)
	if err != nil {
		return err
	}
	sub, err := s.c.Hub.Submit(c.Context(), c.Caller(), c.Key, body)
	leave()
	if err != nil {
		return err
	}
	return s.submitted(w, c, sub)
}

// smallBody is the size up to which a submission is read before it takes a place, so that no place waits for a slow client,
// in bytes.
const smallBody = 64 << 10

// admitBody waits for a place for a submission. A small one is read first; places of large ones are others.
func (s *Server) admitBody(c *Call) (body io.Reader, leave func(), err error) {
	if c.ContentLength < 0 || c.ContentLength > smallBody {
		leave, err = s.bulk.enter(c.Context(), c.Account.Org)
		return c.Body, leave, err
	}
	data := make([]byte, c.ContentLength)
	n, err := io.ReadFull(c.Body, data)
	body = bytes.NewReader(data[:n])
	if err != nil { // the hub says what a broken upload is, and notes it
		body = io.MultiReader(body, failing{err})
	}
	leave, err = s.small.enter(c.Context(), c.Account.Org)
	return body, leave, err
}

// failing is a reader that has failed.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// submitted answers a submission: 201 with the receipt, or 202 while that is being built.
func (s *Server) submitted(w http.ResponseWriter, c *Call, sub hub.Submission) error {
	out := api.Submission{Exchange: wireExchange(hub.Track{Exchange: sub.Exchange, Deliveries: sub.Deliveries}), Repeated: sub.Repeated}
	var err error
	out.Receipt, err = s.await(c, sub.Exchange.Entry)
	w.Header().Set("Location", api.Prefix+"/exchanges/"+sub.Exchange.ID)
	switch {
	case errors.Is(err, hub.ErrPending):
		w.Header().Set("Retry-After", "1")
		writeJSON(w, http.StatusAccepted, out)
		return nil
	case err != nil:
		return err
	}
	writeJSON(w, http.StatusCreated, out)
	return nil
}

// maxPreferred is the longest wait that a client may ask for.
const maxPreferred = 30 * time.Second

// await waits for a receipt as long as the client prefers (RFC 7240), else as configured.
func (s *Server) await(c *Call, entry string) ([]byte, error) {
	wait := s.c.Wait
	for pref := range strings.SplitSeq(c.Header.Get("Prefer"), ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(pref), "="); {
		case name == "respond-async":
			wait = 0
		case name == "wait":
			if n, err := strconv.Atoi(value); err == nil && n >= 0 {
				wait = min(time.Duration(n)*time.Second, maxPreferred)
			}
		}
	}
	ctx, cancel := context.WithTimeout(c.Context(), wait)
	defer cancel()
	return s.c.Hub.WaitReceipt(ctx, c.Caller(), entry)
}

func (s *Server) listExchanges() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Exchange], error) {
		p, err := pageOf(c)
		if err != nil {
			return api.List[api.Exchange]{}, err
		}
		got, err := s.c.Hub.Outbox(ctx, c.Caller(), hub.Page{After: p.After, Limit: p.Limit + 1})
		if err != nil {
			return api.List[api.Exchange]{}, err
		}
		items := make([]api.Exchange, 0, len(got))
		for _, t := range got {
			items = append(items, wireExchange(t))
		}
		return list(items, p.Limit, func(x api.Exchange) string { return x.ID }), nil
	})
}

func (s *Server) track() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.Exchange, error) {
		t, err := s.c.Hub.Track(ctx, c.Caller(), c.Var("id"))
		return wireExchange(t), err
	})
}

// senderAct makes the handler of an act of the sender on one recipient's delivery.
func senderAct(statement bool, act func(context.Context, *Call, api.Statement) (hub.Moved, error)) Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.Statement) (api.Moved, error) {
		if !transport.ValidCode(in.Recipient) {
			return api.Moved{}, api.NewProblem(api.Validation, "", api.Fault{Pointer: "/recipient", Detail: "is not the code of an office"})
		}
		if err := checkStatement(in.Statement, statement); err != nil {
			return api.Moved{}, err
		}
		m, err := act(ctx, c, in)
		if err != nil {
			return api.Moved{}, err
		}
		return wireMoved(m), nil
	})
}

func checkStatement(der []byte, needed bool) error {
	if len(der) > api.MaxStatement || (len(der) > 0) != needed {
		return api.NewProblem(api.Validation, "", api.Fault{Pointer: "/statement", Detail: "is missing, not expected here, or too long"})
	}
	return nil
}

func (s *Server) withdraw() Handler {
	return senderAct(true, func(ctx context.Context, c *Call, in api.Statement) (hub.Moved, error) {
		return s.c.Hub.Withdraw(ctx, c.Caller(), c.Key, c.Var("id"), in.Recipient, in.Statement)
	})
}

func (s *Server) remind() Handler {
	return senderAct(false, func(ctx context.Context, c *Call, in api.Statement) (hub.Moved, error) {
		return s.c.Hub.Remind(ctx, c.Caller(), c.Key, c.Var("id"), in.Recipient)
	})
}

func (s *Server) requestWithdrawal() Handler {
	return senderAct(true, func(ctx context.Context, c *Call, in api.Statement) (hub.Moved, error) {
		return s.c.Hub.RequestWithdrawal(ctx, c.Caller(), c.Key, c.Var("id"), in.Recipient, in.Statement)
	})
}

// check says that the sender looked. It is written once, so that a repeat is harmless.
func (s *Server) check() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.Exchange, error) {
		x, err := s.c.Hub.Check(ctx, c.Caller(), c.Var("id"))
		return wireExchange(hub.Track{Exchange: x}), err
	})
}

func (s *Server) acknowledgeReturn() Handler {
	return senderAct(true, func(ctx context.Context, c *Call, in api.Statement) (hub.Moved, error) {
		return s.c.Hub.AcknowledgeReturn(ctx, c.Caller(), c.Key, c.Var("id"), in.Recipient, in.Statement)
	})
}

// wireExchange shows an exchange to its sender.
func wireExchange(t hub.Track) api.Exchange {
	x := t.Exchange
	out := api.Exchange{
		ID: x.ID, Sender: x.Sender, Status: api.StatusOpen, DocumentSM3: x.DocumentSM3.String(),
		DocumentSHA256: x.DocumentSHA256.String(), EnvelopeSM3: x.Body.String(), Size: x.Size, Urgency: string(x.Urgency),
		AcceptedAt: x.AcceptedAt, Entry: x.Entry,
	}
	out.Refers, out.Superseded, out.Unchecked = wireReference(x.Refers), wireReference(x.Superseded), x.Unchecked
	if !x.Checked.IsZero() {
		out.CheckedAt = &x.Checked
	}
	ended := !slices.ContainsFunc(t.Deliveries, func(d transport.Delivery) bool { return !d.State.Ended() })
	if ended && len(t.Deliveries) > 0 {
		out.Status = api.StatusEnded
	}
	if x.Deposited != "" {
		out.Status, out.Package = api.StatusArchived, x.Package.String()
	}
	for _, d := range t.Deliveries {
		w := wireDelivery(x, d)
		w.Evidence = wireEvidence(t.Evidence, d.ID)
		out.Deliveries = append(out.Deliveries, w)
	}
	out.Evidence = wireEvidence(t.Evidence, "")
	return out
}

// wireEvidence lists the entries of one delivery; of the whole exchange for "".
func wireEvidence(all []hub.Evidence, delivery string) []api.Evidence {
	var out []api.Evidence
	for _, e := range all {
		if e.Delivery == delivery {
			out = append(out, wireEntry(e))
		}
	}
	return out
}

func wireEntry(e hub.Evidence) api.Evidence {
	return api.Evidence{
		ID: e.ID, Event: string(e.Event), Time: e.Time, Recipient: e.Recipient, SM3: e.Digest.String(), Ready: e.Ready,
	}
}

func wireDelivery(x transport.Exchange, d transport.Delivery) api.Delivery {
	out := api.Delivery{
		ID: d.ID, Exchange: d.Exchange, Sender: d.Sender, Recipient: d.Recipient, Role: string(d.Role), State: string(d.State),
		Urgency: string(x.Urgency), DocumentSM3: x.DocumentSM3.String(), DocumentSHA256: x.DocumentSHA256.String(),
		Overdue: d.Overdue, Reminders: d.Reminders, Reason: d.Reason, Comment: d.Comment, SignNumber: d.SignNumber,
		ChangedAt: d.ChangedAt, Copies: d.Copies, WithdrawalRequested: d.WithdrawalRequested, Escalated: d.Escalated,
		Refers: wireReference(x.Refers), Superseded: wireReference(x.Superseded),
	}
	if !d.Due.IsZero() {
		out.Due = &d.Due
	}
	return out
}

func wireReference(r transport.Reference) *api.Reference {
	if r == (transport.Reference{}) {
		return nil
	}
	return &api.Reference{Kind: string(r.Kind), Exchange: r.Exchange}
}

func wireMoved(m hub.Moved) api.Moved {
	return api.Moved{Delivery: wireDelivery(m.Exchange, m.Delivery), Entry: wireEntry(m.Evidence)}
}
