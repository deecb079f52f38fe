package web

import (
	"net/http"
	"net/url"
	"slices"

	"yinxin/transport"
	"yinxin/transport/hub"
)

// pageSize is how many rows a list shows.
const pageSize = 50

// maxScan bounds the rows that a filter looks through for one page of a list.
const maxScan = 2000

// tab is one view of a list with the states that it holds.
type tab struct {
	Key    string
	states []transport.State
	// Address is where it is, and Here says that it is being shown.
	Address string
	Here    bool
}

func inboxTabs() []tab {
	return []tab{
		{Key: "waiting", states: []transport.State{transport.Available, transport.Opened}},
		{Key: "signed", states: []transport.State{transport.Acknowledged, transport.Archived}},
		{Key: "returned", states: []transport.State{transport.Returned, transport.ReturnAcknowledged}},
		{Key: "all"},
	}
}

// inboxRow is one delivery in the list.
type inboxRow struct {
	hub.Received
	SenderName string
	// Volume is the opened document, nil where it does not lie on the shelf.
	Volume *volume
	// Readable says that it was opened and may be looked at again.
	Readable bool
}

// inboxPage is the list of what came to the office. The filters are the address, so that a view can be kept and sent on.
type inboxPage struct {
	Tabs    []tab
	Tab     string
	Urgency string
	Sender  string
	Overdue bool
	Rows    []inboxRow
	Senders []directoryName
	Next    string
}

type directoryName struct{ Code, Name string }

func (s *Server) inbox(c *call) error {
	q := c.URL.Query()
	p := inboxPage{Tab: q.Get("tab"), Urgency: q.Get("urgency"), Sender: q.Get("sender"), Overdue: q.Get("overdue") == "1", Tabs: inboxTabs()}
	i := slices.IndexFunc(p.Tabs, func(t tab) bool { return t.Key == p.Tab })
	if i < 0 {
		i, p.Tab = 0, p.Tabs[0].Key
	}
	for k := range p.Tabs {
		p.Tabs[k].Address, p.Tabs[k].Here = withQuery(q, "tab", p.Tabs[k].Key), k == i
	}
	rows, next, err := s.findInbox(c, p.Tabs[i].states, q.Get("after"), func(r hub.Received) bool {
		return (p.Urgency == "" || string(r.Exchange.Urgency) == p.Urgency) && (p.Sender == "" || r.Exchange.Sender == p.Sender) &&
			(!p.Overdue || late(r.Delivery, s.c.Clock()))
	})
	if err != nil {
		return err
	}
	if next != "" {
		p.Next = withQuery(q, "after", next)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		row := inboxRow{Received: r, SenderName: c.officeName(r.Exchange.Sender), Readable: readable(r.Delivery.State)}
		if row.Readable {
			row.Volume = s.shelf.get(deliveryKey(c, r))
		}
		p.Rows = append(p.Rows, row)
		if !seen[r.Exchange.Sender] {
			seen[r.Exchange.Sender] = true
			p.Senders = append(p.Senders, directoryName{r.Exchange.Sender, row.SenderName})
		}
	}
	return c.show(http.StatusOK, "inbox", p)
}

// findInbox gives a page of deliveries that a filter keeps, and where the next page begins.
func (s *Server) findInbox(c *call, states []transport.State, after string, keep func(hub.Received) bool) ([]hub.Received, string, error) {
	if after != "" && !transport.ValidCode(after) {
		after = ""
	}
	var out []hub.Received
	for looked := 0; looked < maxScan; {
		got, err := s.c.Exchange.Inbox(c.Context(), c.caller(), hub.InboxFilter{States: states, Page: hub.Page{After: after, Limit: pageSize + 1}})
		if err != nil {
			return nil, "", err
		}
		for _, r := range got {
			if keep(r) {
				if len(out) == pageSize {
					return out, out[pageSize-1].Delivery.ID, nil
				}
				out = append(out, r)
			}
			after = r.Delivery.ID
		}
		if looked += len(got); len(got) <= pageSize {
			return out, "", nil
		}
	}
	return out, after, nil
}

// withQuery is the same list with one filter changed, from its beginning.
func withQuery(q url.Values, key, value string) string {
	n := url.Values{}
	for k, v := range q {
		if k != "after" && k != "done" && len(v) == 1 && v[0] != "" {
			n.Set(k, v[0])
		}
	}
	n.Set(key, value)
	return "?" + n.Encode()
}

// readable reports whether a delivery was opened and its content may be looked at again.
func readable(s transport.State) bool {
	return s == transport.Opened || s == transport.Acknowledged || s == transport.Archived
}

func deliveryKey(c *call, r hub.Received) string {
	return "delivery/" + c.account.Org + "/" + r.Delivery.ID + "/" + r.Exchange.DocumentSM3.String()
}

// deliveryTitle is the title and the verdict of one row, opened when the row comes into sight.
func (s *Server) deliveryTitle(c *call) error {
	r, err := s.c.Exchange.Delivery(c.Context(), c.caller(), c.variable("id"))
	if err != nil {
		return err
	}
	row := inboxRow{Received: r, SenderName: c.officeName(r.Exchange.Sender), Readable: readable(r.Delivery.State)}
	if row.Readable {
		if row.Volume, err = c.shelve(deliveryKey(c, r), s.c.Office.Reopen, r.Delivery.ID); err != nil {
			return err
		}
	}
	return c.part("inbox", "row-title", row)
}
