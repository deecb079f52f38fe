package vaultkeys

import (
	"context"
	"sync"
	"time"

	"yinxin/keys"
)

// maxFlights is how many batches of one group are under way at once.
const maxFlights = 1

// maxGather bounds how long a batch waits for as many items as the last one had: those who got their results of that one are
// about to come again. It waits no longer than the last one was under way. A caller that was alone waits for nobody.
const maxGather = 5 * time.Millisecond

// coalescer sends single items of concurrent callers together. A lone caller's item leaves at once; those that come while
// batches of the same group are under way wait for one to return and leave together then, so that load makes batches and
// quiet makes no delay.
type coalescer[Group comparable, In, Out any] struct {
	// send hands over a batch of at most keys.MaxBatch and gives as many results, or an error that concerns all.
	send func(g Group, in []In) ([]Out, error)
	now  func() time.Time

	mu     sync.Mutex
	groups map[Group]*waiting[In, Out]
}

// waiting are the items of a group.
type waiting[In, Out any] struct {
	flights int
	queue   []*ticket[In, Out]
	// enough, while a batch gathers, is closed when the queue is as long as wanted.
	wanted int
	enough chan struct{}
}

// ticket is one caller's item.
type ticket[In, Out any] struct {
	in   In
	out  Out
	err  error
	done chan struct{}
}

// do hands one item over and waits for its result or for ctx.
func (c *coalescer[Group, In, Out]) do(ctx context.Context, g Group, in In) (Out, error) {
	t := &ticket[In, Out]{in: in, done: make(chan struct{})}
	c.mu.Lock()
	if c.groups == nil {
		c.groups = make(map[Group]*waiting[In, Out])
	}
	w := c.groups[g]
	if w == nil {
		w = new(waiting[In, Out])
		c.groups[g] = w
	}
	w.queue = append(w.queue, t)
	if w.enough != nil && len(w.queue) >= w.wanted {
		close(w.enough)
		w.enough = nil
	}
	if w.flights < maxFlights {
		w.flights++
		go c.fly(g, w)
	}
	c.mu.Unlock()
	select {
	case <-t.done:
		return t.out, t.err
	case <-ctx.Done():
		var none Out
		return none, ctx.Err()
	}
}

// fly sends what waits until nothing does.
func (c *coalescer[Group, In, Out]) fly(g Group, w *waiting[In, Out]) {
	last, took := 1, time.Duration(0)
	for {
		c.gather(w, last, min(took, maxGather))
		c.mu.Lock()
		n := min(len(w.queue), keys.MaxBatch)
		batch := w.queue[:n:n]
		w.queue = w.queue[n:]
		if n == 0 {
			w.flights--
			if w.flights == 0 {
				delete(c.groups, g)
			}
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		last = n
		in := make([]In, n)
		for i, t := range batch {
			in[i] = t.in
		}
		start := c.now()
		out, err := c.send(g, in)
		took = c.now().Sub(start)
		for i, t := range batch {
			if t.err = err; err == nil {
				t.out = out[i]
			}
			close(t.done)
		}
	}
}

// gather waits for a while until the queue is as long as the last batch was.
func (c *coalescer[Group, In, Out]) gather(w *waiting[In, Out], last int, while time.Duration) {
	c.mu.Lock()
	if last == 1 || len(w.queue) >= last {
		c.mu.Unlock()
		return
	}
	enough := make(chan struct{})
	w.wanted, w.enough = last, enough
	c.mu.Unlock()
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-enough:
	case <-timer.C:
	}
	c.mu.Lock()
	w.enough = nil
	c.mu.Unlock()
}
