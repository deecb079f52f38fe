package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/hub"
)

// inbox lists the deliveries to the caller's office; state=available,opened limits it.
func (s *Server) inbox() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Delivery], error) {
		p, err := pageOf(c)
		if err != nil {
			return api.List[api.Delivery]{}, err
		}
		f := hub.InboxFilter{Page: hub.Page{After: p.After, Limit: p.Limit + 1}}
		if text := c.URL.Query().Get("state"); text != "" {
			for word := range strings.SplitSeq(text, ",") {
				if !transport.State(word).Known() {
					return api.List[api.Delivery]{}, api.NewProblem(api.Validation, "", api.Fault{Pointer: "state", Detail: "is not a state"})
				}
				f.States = append(f.States, transport.State(word))
			}
		}
		got, err := s.c.Hub.Inbox(ctx, c.Caller(), f)
		if err != nil {
			return api.List[api.Delivery]{}, err
		}
		items := make([]api.Delivery, 0, len(got))
		for _, r := range got {
			items = append(items, wireDelivery(r.Exchange, r.Delivery))
		}
		return list(items, p.Limit, func(d api.Delivery) string { return d.ID }), nil
	})
}

func (s *Server) showDelivery() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.Delivery, error) {
		r, err := s.c.Hub.Delivery(ctx, c.Caller(), c.Var("id"))
		if err != nil {
			return api.Delivery{}, err
		}
		out := wireDelivery(r.Exchange, r.Delivery)
		out.Evidence = wireEvidence(r.Evidence, r.Delivery.ID)
		return out, nil
	})
}

type recipientAct func(ctx context.Context, c hub.Caller, key, delivery string, statement []byte) (hub.Moved, error)

func byStatement(act recipientAct) Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.Statement) (api.Moved, error) {
		if in.Recipient != "" {
			return api.Moved{}, api.NewProblem(api.Validation, "", api.Fault{Pointer: "/recipient", Detail: "is not expected here"})
		}
		if err := checkStatement(in.Statement, true); err != nil {
			return api.Moved{}, err
		}
		m, err := act(ctx, c.Caller(), c.Key, c.Var("id"), in.Statement)
		if err != nil {
			return api.Moved{}, err
		}
		return wireMoved(m), nil
	})
}

func (s *Server) open() Handler        { return byStatement(s.c.Hub.Open) }
func (s *Server) acknowledge() Handler { return byStatement(s.c.Hub.Acknowledge) }
func (s *Server) giveBack() Handler    { return byStatement(s.c.Hub.Return) }

func (s *Server) listCopies() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Copy], error) {
		got, err := s.c.Hub.Copies(ctx, c.Caller(), c.Var("id"))
		items := make([]api.Copy, 0, len(got))
		for _, k := range got {
			items = append(items, wireCopy(k))
		}
		return api.List[api.Copy]{Items: items}, err
	})
}

func wireCopy(k transport.Copy) api.Copy {
	return api.Copy{Number: k.Number, Kind: string(k.Kind), Voided: k.Voided, Account: k.Account, At: k.At}
}

func wirePrinted(p hub.Printed) api.Printed {
	return api.Printed{Delivery: wireDelivery(p.Exchange, p.Delivery), Copy: wireCopy(p.Copy), Entry: wireEntry(p.Evidence)}
}

// print takes the next copy: it is counted before anybody renders it.
func (s *Server) print() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, _ struct{}) (api.Printed, error) {
		p, err := s.c.Hub.Print(ctx, c.Caller(), c.Key, c.Var("id"))
		if err != nil {
			return api.Printed{}, err
		}
		return wirePrinted(p), nil
	})
}

func (s *Server) voidCopy() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.Printed, error) {
		n, err := strconv.Atoi(c.Var("number"))
		if err != nil {
			return api.Printed{}, api.NewProblem(api.NotFound, "")
		}
		p, err := s.c.Hub.VoidCopy(ctx, c.Caller(), c.Key, c.Var("id"), n)
		if err != nil {
			return api.Printed{}, err
		}
		return wirePrinted(p), nil
	})
}

// receipt gives a receipt: 202 until it is built, then the same bytes for ever.
func (s *Server) receipt(w http.ResponseWriter, c *Call) error {
	body, err := s.await(c, c.Var("id"))
	if errors.Is(err, hub.ErrPending) {
		w.Header().Set("Retry-After", "1")
		writeJSON(w, http.StatusAccepted, api.Evidence{ID: c.Var("id")})
		return nil
	}
	if err != nil {
		return s.orGap(c.Context(), err)
	}
	tag := bytesTag(body)
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, immutable")
	if c.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", api.TypeReceipt)
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(c.Var("id"))+`.yxr"`)
	_, err = w.Write(body)
	return ignoreGone(err)
}

// ignoreGone drops the error of a client that went away: there is nobody to tell.
func ignoreGone(error) error { return nil }
