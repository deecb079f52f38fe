package hub

import (
	"sync"

	"yinxin/transport"
)

// Change says that something of the caller's office is new: one of its sent exchanges, or a delivery in its box. It names
// what to look at and nothing of its content.
type Change struct {
	// Exchange is set for the sender, Delivery for the recipient.
	Exchange string
	Delivery string
}

// maxPending is how many changes wait for a slow watcher; what comes then is one change that names nothing.
const maxPending = 64

// watchers are those who want to hear of changes, by office.
type watchers struct {
	mu  sync.Mutex
	all map[string]map[*watcher]struct{}
}

type watcher struct{ ch chan Change }

// Watch tells of changes that concern the caller's office and that this hub made itself, until stop is called. A reader
// that falls behind gets a Change without a name: look at everything. Other hubs on the same database do not tell; a
// client looks at its lists now and then all the same.
func (h *Hub) Watch(c Caller) (changes <-chan Change, stop func()) {
	w := &watcher{ch: make(chan Change, maxPending+1)}
	h.watching.mu.Lock()
	defer h.watching.mu.Unlock()
	if h.watching.all == nil {
		h.watching.all = map[string]map[*watcher]struct{}{}
	}
	if h.watching.all[c.Org] == nil {
		h.watching.all[c.Org] = map[*watcher]struct{}{}
	}
	h.watching.all[c.Org][w] = struct{}{}
	return w.ch, func() {
		h.watching.mu.Lock()
		defer h.watching.mu.Unlock()
		delete(h.watching.all[c.Org], w)
		if len(h.watching.all[c.Org]) == 0 {
			delete(h.watching.all, c.Org)
		}
	}
}

// say tells the watchers of an office. It never waits.
func (ws *watchers) say(org string, c Change) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all[org] {
		switch {
		case len(w.ch) < maxPending:
			w.ch <- c
		case len(w.ch) == maxPending:
			w.ch <- Change{}
		}
	}
}

// changed tells both parties of a committed change; a recipient only of what has arrived.
func (h *Hub) changed(x transport.Exchange, ds ...transport.Delivery) {
	h.watching.say(x.Sender, Change{Exchange: x.ID})
	for _, d := range ds {
		if arrived(Caller{Org: d.Recipient}, d) {
			h.watching.say(d.Recipient, Change{Delivery: d.ID})
		}
	}
}

// none reports whether nobody watches.
func (ws *watchers) none() bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return len(ws.all) == 0
}
