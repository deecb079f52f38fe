package httpapi

import (
	"context"
	"slices"
	"sync"

	"yinxin/transport/api"
)

// fair lets a bounded number of requests in at once. Those that wait are let in office by office, one of each in turn, so that
// a hundred requests of one office stand in nobody's way but its own. An office holds three quarters of the places at most,
// and as many as there are places may wait; what comes beyond is refused at once.
type fair struct {
	places int

	mu      sync.Mutex
	taken   int
	held    map[string]int
	waiting map[string][]chan struct{}
	turn    []string // the offices that wait, the next one first
}

func newFair(places int) *fair {
	return &fair{places: places, held: map[string]int{}, waiting: map[string][]chan struct{}{}}
}

// most is how many places one office may hold.
func (f *fair) most() int { return max(1, f.places-f.places/4) }

// enter waits for a place. leave gives it back, and is to be called once.
func (f *fair) enter(ctx context.Context, office string) (leave func(), err error) {
	f.mu.Lock()
	if f.taken < f.places && f.held[office] < f.most() && len(f.waiting[office]) == 0 {
		f.take(office)
		f.mu.Unlock()
		return func() { f.leave(office) }, nil
	}
	if len(f.waiting[office]) >= f.places {
		f.mu.Unlock()
		return nil, api.NewProblem(api.RateLimited, "too many requests of this office wait")
	}
	in := make(chan struct{})
	if len(f.waiting[office]) == 0 {
		f.turn = append(f.turn, office)
	}
	f.waiting[office] = append(f.waiting[office], in)
	f.mu.Unlock()
	select {
	case <-in:
		return func() { f.leave(office) }, nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.waiting[office], in)
	if i < 0 { // let in just now
		f.give(office)
		return nil, ctx.Err()
	}
	f.waiting[office] = slices.Delete(f.waiting[office], i, i+1)
	f.unqueue(office)
	return nil, ctx.Err()
}

func (f *fair) take(office string) {
	f.taken++
	f.held[office]++
}

func (f *fair) leave(office string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.give(office)
}

// give gives a place back and lets in who is next. The lock is held.
func (f *fair) give(office string) {
	f.taken--
	if f.held[office]--; f.held[office] == 0 {
		delete(f.held, office)
	}
	for i := 0; i < len(f.turn) && f.taken < f.places; {
		next := f.turn[i]
		if f.held[next] >= f.most() {
			i++
			continue
		}
		in := f.waiting[next][0]
		f.waiting[next] = f.waiting[next][1:]
		f.turn = append(slices.Delete(f.turn, i, i+1), next) // its next one waits behind the others
		f.unqueue(next)
		f.take(next)
		close(in)
	}
}

// unqueue takes an office that waits for nothing out of the turn.
func (f *fair) unqueue(office string) {
	if len(f.waiting[office]) > 0 {
		return
	}
	delete(f.waiting, office)
	f.turn = slices.DeleteFunc(f.turn, func(o string) bool { return o == office })
}
