package web

import (
	"net/http"
	"sync"
	"time"

	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// counts is what waits for an office. A count of maxCount means that many or more.
type counts struct {
	Waiting  int // to be signed for
	Late     int // of those, over their limit
	Returned int // sent back to this office, not seen yet
	Pending  int // for an approver
}

const maxCount = 100

// countersLife is how long counts are believed; an own act forgets them at once.
const countersLife = 3 * time.Second

// counters remembers counts for a moment, since every page shows them.
type counters struct {
	mu    sync.Mutex
	clock func() time.Time
	of    map[string]counted
}

type counted struct {
	at time.Time
	n  counts
}

func newCounters(clock func() time.Time) *counters {
	return &counters{clock: clock, of: map[string]counted{}}
}

func (k *counters) forget(office string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, office)
}

func (k *counters) get(office string) (counts, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.of[office]
	return c.n, ok && k.clock().Sub(c.at) < countersLife
}

func (k *counters) put(office string, n counts) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of[office] = counted{k.clock(), n}
}

// count says what waits for the reader's office.
func (c *call) count() (counts, error) {
	if n, ok := c.s.counted.get(c.account.Org); ok {
		return n, nil
	}
	var n counts
	got, err := c.s.c.Exchange.Inbox(c.Context(), c.caller(), hub.InboxFilter{
		States: []transport.State{transport.Available, transport.Opened}, Page: hub.Page{Limit: maxCount},
	})
	if err != nil {
		return n, err
	}
	n.Waiting = len(got)
	for _, r := range got {
		if late(r.Delivery, c.s.c.Clock()) {
			n.Late++
		}
	}
	sent, err := c.s.c.Exchange.Outbox(c.Context(), c.caller(), hub.Page{Limit: maxCount})
	if err != nil {
		return n, err
	}
	for _, t := range sent {
		n.Returned += c.s.progressOf(t.Deliveries).Returned
	}
	pending, err := c.s.c.Office.List(c.Context(), c.person(), office.Pending, maxCount)
	if err != nil {
		return n, err
	}
	n.Pending = len(pending)
	c.s.counted.put(c.account.Org, n)
	return n, nil
}

// homePage is what waits for the reader.
type homePage struct {
	Counts    counts
	Clerk     bool
	Approver  bool
	Archivist bool
	Waiting   []inboxRow
	Roles     []directory.Role
}

// homeRows is how many waiting documents the first page names.
const homeRows = 8

func (s *Server) home(c *call) error {
	p := homePage{Clerk: c.account.Has(directory.Clerk), Approver: c.account.Has(directory.Approver), Archivist: c.account.Has(directory.Archivist), Roles: c.account.Roles}
	var err error
	if p.Counts, err = c.count(); err != nil {
		return err
	}
	if p.Clerk {
		got, err := s.c.Exchange.Inbox(c.Context(), c.caller(), hub.InboxFilter{
			States: []transport.State{transport.Available, transport.Opened}, Page: hub.Page{Limit: homeRows},
		})
		if err != nil {
			return err
		}
		for _, r := range got {
			row := inboxRow{Received: r, SenderName: c.officeName(r.Exchange.Sender), Readable: readable(r.Delivery.State)}
			if row.Readable {
				row.Volume = s.shelf.get(deliveryKey(c, r))
			}
			p.Waiting = append(p.Waiting, row)
		}
	}
	return c.show(http.StatusOK, "home", p)
}
