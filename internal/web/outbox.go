package web

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// outboxRow is one exchange in the list.
type outboxRow struct {
	hub.Track
	// Dispatch is the document's way out of the office, nil for one that came in an envelope of the office's own making.
	Dispatch *office.Dispatch
	Volume   *volume
	progress
}

// progress counts how far the recipients are.
type progress struct {
	Total, Signed, Late, Returned, Ended int
}

func (s *Server) progressOf(ds []transport.Delivery) progress {
	p := progress{Total: len(ds)}
	for _, d := range ds {
		switch d.State {
		case transport.Acknowledged, transport.Archived:
			p.Signed++
		case transport.Returned:
			p.Returned++
		}
		if d.State.Ended() {
			p.Ended++
		}
		if late(d, s.c.Clock()) {
			p.Late++
		}
	}
	return p
}

// outboxPage lists what the office sent, and what is on its way out.
type outboxPage struct {
	Filter  string // "", "open", "late", "returned"
	Pending []dispatchRow
	Rows    []outboxRow
	Next    string
	Tabs    []tab
}

// dispatchRow is one document that has not left yet.
type dispatchRow struct {
	office.Dispatch
	Volume *volume
}

func dispatchKey(c *call, id string) string { return "dispatch/" + c.account.Org + "/" + id }

// maxDispatches bounds the dispatches that a list looks at.
const maxDispatches = 500

func (s *Server) outbox(c *call) error {
	q := c.URL.Query()
	p := outboxPage{Filter: q.Get("show")}
	for _, key := range []string{"", "open", "late", "returned"} {
		p.Tabs = append(p.Tabs, tab{Key: key, Address: withQuery(q, "show", key), Here: key == p.Filter})
	}
	all, err := s.c.Office.List(c.Context(), c.person(), "", maxDispatches)
	if err != nil {
		return err
	}
	byExchange := map[string]*office.Dispatch{}
	for i, d := range all {
		if d.State == office.Sent {
			byExchange[d.Exchange] = &all[i]
		} else if q.Get("after") == "" && p.Filter == "" {
			p.Pending = append(p.Pending, dispatchRow{d, s.shelf.get(dispatchKey(c, d.ID))})
		}
	}
	tracks, next, err := s.findOutbox(c, p.Filter, q.Get("after"))
	if err != nil {
		return err
	}
	if next != "" {
		p.Next = withQuery(q, "after", next)
	}
	for _, t := range tracks {
		row := outboxRow{Track: t, Dispatch: byExchange[t.Exchange.ID], progress: s.progressOf(t.Deliveries)}
		if row.Dispatch != nil {
			row.Volume = s.shelf.get(dispatchKey(c, row.Dispatch.ID))
		}
		p.Rows = append(p.Rows, row)
	}
	return c.show(http.StatusOK, "outbox", p)
}

func (s *Server) findOutbox(c *call, filter, after string) ([]hub.Track, string, error) {
	keep := func(t hub.Track) bool {
		p := s.progressOf(t.Deliveries)
		switch filter {
		case "open":
			return p.Ended < p.Total
		case "late":
			return p.Late > 0
		case "returned":
			return p.Returned > 0
		}
		return true
	}
	if after != "" && !transport.ValidCode(after) {
		after = ""
	}
	var out []hub.Track
	for looked := 0; looked < maxScan; {
		got, err := s.c.Exchange.Outbox(c.Context(), c.caller(), hub.Page{After: after, Limit: pageSize + 1})
		if err != nil {
			return nil, "", err
		}
		for _, t := range got {
			if keep(t) {
				if len(out) == pageSize {
					return out, out[pageSize-1].Exchange.ID, nil
				}
				out = append(out, t)
			}
			after = t.Exchange.ID
		}
		if looked += len(got); len(got) <= pageSize {
			return out, "", nil
		}
	}
	return out, after, nil
}

// dispatchVolume is the document of a dispatch: sealed where it was packed, else the draft.
func (s *Server) dispatchVolume(c *call, d office.Dispatch) (*volume, error) {
	key := dispatchKey(c, d.ID)
	if d.Envelope != "" {
		return c.shelve(key+"/sealed", s.c.Office.Sealed, d.ID)
	}
	if v := s.shelf.get(key); v != nil {
		return v, nil
	}
	data, _, err := s.c.Office.Preview(c.Context(), c.person(), d.ID)
	if err != nil {
		return nil, err
	}
	v, err := draftVolume(data, s.c.Faces)
	if err == nil {
		s.shelf.put(key, v)
	}
	return v, err
}

// dispatchTitle is the title of one row of a list, read when the row comes into sight.
func (s *Server) dispatchTitle(c *call) error {
	d, err := s.c.Office.Dispatch(c.Context(), c.person(), c.variable("id"))
	if err != nil {
		return err
	}
	v, err := s.dispatchVolume(c, d)
	if err != nil {
		return err
	}
	s.shelf.put(dispatchKey(c, d.ID), v) // a list wants the title alone, sealed or not
	return c.part("outbox", "dispatch-title", dispatchRow{d, v})
}

// dispatchImage draws a page of a dispatch.
func (s *Server) dispatchImage(c *call) error {
	d, err := s.c.Office.Dispatch(c.Context(), c.person(), c.variable("id"))
	if err != nil {
		return err
	}
	v, err := s.dispatchVolume(c, d)
	if err != nil {
		return err
	}
	return c.image(v)
}

// exchangePage is one document that the office sent, with each recipient's part.
type exchangePage struct {
	hub.Track
	progress
	Dispatch *office.Dispatch
	Volume   *volume
	Pages    []pageView
	Rows     []recipientRow
	Timeline []step
	Clerk    bool
	Fault    string
}

// recipientRow is one recipient's part and what may be done about it now.
type recipientRow struct {
	transport.Delivery
	Name                             string
	Late                             bool
	OpenedAt, SignedAt               *hub.Evidence
	CanRemind, CanWithdraw, CanClose bool
}

func (s *Server) exchange(c *call) error { return s.showExchange(c, http.StatusOK, "") }

func (s *Server) showExchange(c *call, status int, fault string) error {
	t, err := s.c.Exchange.Track(c.Context(), c.caller(), c.variable("id"))
	if err != nil {
		return err
	}
	p := exchangePage{Track: t, progress: s.progressOf(t.Deliveries), Timeline: c.timeline(t.Evidence), Clerk: c.person().Clerk, Fault: fault}
	for _, d := range t.Deliveries {
		p.Rows = append(p.Rows, s.recipient(c, t, d))
	}
	if p.Dispatch, err = s.dispatchOf(c, t.Exchange.ID); err != nil {
		return err
	}
	if p.Dispatch != nil && p.Clerk {
		if p.Volume, err = s.dispatchVolume(c, *p.Dispatch); err != nil {
			return err
		}
		p.Pages = p.Volume.Pages("/dispatches/" + p.Dispatch.ID)
	}
	return c.show(status, "exchange", p)
}

func (s *Server) recipient(c *call, t hub.Track, d transport.Delivery) recipientRow {
	row := recipientRow{Delivery: d, Name: c.officeName(d.Recipient), Late: late(d, s.c.Clock())}
	for i, e := range t.Evidence {
		if e.Delivery != d.ID {
			continue
		}
		switch e.Event {
		case transport.ContentHandover:
			row.OpenedAt = &t.Evidence[i]
		case transport.ConsignmentAcceptance:
			row.SignedAt = &t.Evidence[i]
		}
	}
	clerk := c.person().Clerk
	row.CanRemind = clerk && allows(d.State, transport.Remind)
	row.CanWithdraw = clerk && allows(d.State, transport.Withdraw)
	row.CanClose = clerk && allows(d.State, transport.AcknowledgeReturn)
	return row
}

// allows asks the state machine whether an act is possible now, so that no page offers what the hub refuses.
func allows(s transport.State, act transport.Act) bool {
	_, _, err := transport.Step(s, act)
	return err == nil
}

// dispatchOf finds the dispatch by which an exchange left the office, nil where there is none here.
func (s *Server) dispatchOf(c *call, exchange string) (*office.Dispatch, error) {
	all, err := s.c.Office.List(c.Context(), c.person(), office.Sent, maxDispatches)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(d office.Dispatch) bool { return d.Exchange == exchange })
	if i < 0 {
		return nil, nil //nolint:nilnil // no dispatch is an answer, as the comment says
	}
	return &all[i], nil
}

// senderAct makes the handler of an act of the sender on one recipient's part.
func (s *Server) senderAct(done string, act func(ctx context.Context, c *call, exchange, recipient string) error) handler {
	return func(c *call) error {
		if err := c.form("recipient", "text"); err != nil {
			return err
		}
		recipient := c.value("recipient")
		if !transport.ValidCode(recipient) {
			return api.NewProblem(api.Malformed, "")
		}
		exchange := c.variable("id")
		err := act(c.Context(), c, exchange, recipient)
		if errors.Is(err, errText) {
			return s.showExchange(c, http.StatusUnprocessableEntity, "fault.text")
		}
		if err != nil {
			return err
		}
		s.counted.forget(c.account.Org)
		return c.redirect("/outbox/" + exchange + "?done=" + done)
	}
}

// errText says that an act lacks its sentence.
var errText = errors.New("console: a sentence is missing or too long")

func (s *Server) remind() handler {
	return s.senderAct("reminded", func(ctx context.Context, c *call, exchange, recipient string) error {
		_, err := s.c.Exchange.Remind(ctx, c.caller(), c.id, exchange, recipient)
		return err
	})
}

func (s *Server) withdraw() handler {
	return s.senderAct("withdrawn", func(ctx context.Context, c *call, exchange, recipient string) error {
		text := c.value("text")
		if text == "" || len([]rune(text)) > transport.MaxCommentRunes {
			return errText
		}
		_, err := s.c.Office.Withdraw(ctx, c.person(), exchange, recipient, text)
		return err
	})
}

func (s *Server) acknowledgeReturn() handler {
	return s.senderAct("closed", func(ctx context.Context, c *call, exchange, recipient string) error {
		_, err := s.c.Office.AcknowledgeReturn(ctx, c.person(), exchange, recipient)
		return err
	})
}
