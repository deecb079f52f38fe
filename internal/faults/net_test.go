package faults

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Mutants of what bounds the time that others may take.
var (
	// NoDeadline waits for the database for ever.
	NoDeadline = &Mutant{Name: "no deadline", Edits: []Edit{{
		File: "internal/postgres/postgres.go",
		Old:  "		o.Deadline = 15 * time.Second\n",
		New:  "		o.Deadline = 15 * time.Hour\n",
	}}}
	// NoHeaderTimeout waits for the head of a request for ever.
	NoHeaderTimeout = &Mutant{Name: "no header read timeout", Edits: []Edit{{
		File: "internal/httpapi/server.go",
		Old:  "ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,",
		New:  "ReadHeaderTimeout: 0 * headerTimeout, IdleTimeout: 60 * idleTimeout,",
	}}}
)

// line is what a network does to bytes on their way.
type line int32

// The lines.
const (
	sound  line = iota
	down        // nothing passes, in either direction, and new connections get no answer
	oneWay      // the server's answers are lost: a commit is done and its reply is not seen
	resets      // connections are cut
	sliced      // bytes arrive a few at a time
	dead        // the connections there are stay silent for ever, new ones work: a box between has forgotten them
)

// maxOpen bounds the connections of two hubs to their database.
const maxOpen = 100

// proxy stands between hubs and their database.
type proxy struct {
	to  string
	l   net.Listener
	now atomic.Int32

	mu    sync.Mutex
	links []*link
	most  int // links at once, ever
}

// link is one connection through the proxy; once silent it stays so.
type link struct {
	client, server net.Conn
	silent         atomic.Bool
}

func newProxy(ctx context.Context, to string) (*proxy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{to: to, l: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(ctx, c)
		}
	}()
	return p, nil
}

// connections is the most that there were at once.
func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

func (p *proxy) line() line { return line(p.now.Load()) }

// set changes the line; some faults are done to the connections that there are.
func (p *proxy) set(to line) {
	p.now.Store(int32(to))
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.links {
		switch to {
		case resets:
			_ = k.client.Close()
			_ = k.server.Close()
		case dead:
			k.silent.Store(true)
		default:
		}
	}
}

func (p *proxy) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	for p.line() == down && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	s, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.to)
	if err != nil {
		return
	}
	defer s.Close()
	k := &link{client: c, server: s}
	p.mu.Lock()
	p.links = append(p.links, k)
	p.most = max(p.most, len(p.links))
	p.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { p.pass(k, c, s, false) })
	wg.Go(func() { p.pass(k, s, c, true) })
	wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = slices.DeleteFunc(p.links, func(other *link) bool { return other == k })
}

// pass copies one direction. What is on its way while the line is down waits; answers on a one-way line are lost, and the
// connection with them.
func (p *proxy) pass(k *link, from, to net.Conn, answers bool) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		for p.line() == down {
			time.Sleep(5 * time.Millisecond)
		}
		if answers && p.line() == oneWay {
			k.silent.Store(true)
		}
		switch {
		case k.silent.Load(): // read and forgotten
		case p.line() == sliced:
			for part := range slices.Chunk(buf[:n], 512) {
				time.Sleep(time.Millisecond)
				if _, err := to.Write(part); err != nil {
					return
				}
			}
		default:
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestNetwork is E-09: the line between two hubs and their database is cut, in both directions and in one, so that commits
// are done whose reply is lost; connections are reset, slow, and forgotten by the network. Nothing is accepted twice, connections stay
// bounded, and soon after each the hubs work again.
func TestNetwork(t *testing.T) {
	var p *proxy
	faults := []line{resets, oneWay}
	if long {
		faults = []line{down, resets, sliced, oneWay, dead}
	}
	x := experiment{hubs: 2, postgres: true, docs: 20, fails: len(faults)}
	x.prepare = func(t *testing.T, w *world) {
		t.Helper()
		u, err := url.Parse(w.cluster.Database)
		must(t, err)
		p, err = newProxy(t.Context(), u.Host)
		must(t, err)
		t.Cleanup(func() { _ = p.l.Close() })
		u.Host = p.l.Addr().String()
		// Jobs on connections that are dead wait for the deadline, then for their lease, and then their turn.
		w.cluster.Settle = 90 * time.Second
		w.direct, w.cluster.Database = w.cluster.Database, u.String()
	}
	x.trouble = func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
		t.Helper()
		for {
			for _, fault := range faults {
				if !w.some(ctx, 3) || ctx.Err() != nil {
					return
				}
				began := time.Now()
				p.set(fault)
				if fault != dead {
					time.Sleep(200*time.Millisecond + upTo(time.Second))
				}
				p.set(sound)
				out := time.Since(began)
				healed := time.Now()
				if !w.some(ctx, 2) && ctx.Err() == nil {
					w.journal.Break("line %d: nothing was acknowledged for %s after it was sound again", fault, patience)
					return
				}
				t.Logf("line %d for %s, works again after %s, at most %d connections",
					fault, out.Round(time.Millisecond), time.Since(healed).Round(time.Millisecond), p.connections())
				count.Add(1)
			}
		}
	}
	x.after = func(_ *testing.T, w *world, _ *Sender) {
		if most := p.connections(); most > maxOpen {
			w.journal.Break("%d connections to the database at once", most)
		}
	}
	hold(t, x, NoDeadline)
}

// How many slow clients there are; the long form has those of the plan.
func slow() (heads, readers, uploads int) {
	if long {
		return 1000, 200, 10
	}
	return 150, 30, 5
}

// TestSlowClients is E-10: clients that send the head of a request byte by byte, read their answer never, or upload without an
// end. Good clients are served meanwhile; afterwards the slow ones have been shown out, and memory and descriptors are what they were.
func TestSlowClients(t *testing.T) {
	x := experiment{hubs: 1, docs: 20, fails: 1}
	x.trouble = func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
		t.Helper()
		if !w.some(ctx, 5) {
			return
		}
		before := w.descriptors(t)
		address := strings.TrimPrefix(w.cluster.Client(0).Address(), "http://")
		lines, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		heads, readers, uploads := slow()
		for range heads {
			wg.Go(func() { drip(lines, address, "GET /api/v1/exchanges HTTP/1.1\r\nHost: hub\r\nX-Slow: ") })
		}
		for range readers {
			wg.Go(func() {
				drip(lines, address, "GET /api/v1/roots HTTP/1.1\r\nHost: hub\r\n\r\n"+strings.Repeat("GET /api/v1/roots HTTP/1.1\r\nHost: hub\r\n\r\n", 50))
			})
		}
		for range uploads {
			wg.Go(func() {
				drip(lines, address, "POST /api/v1/exchanges HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer "+w.cluster.token+
					"\r\nIdempotency-Key: 0\r\nContent-Type: application/octet-stream\r\nContent-Length: 100000000\r\n\r\n")
			})
		}
		time.Sleep(500 * time.Millisecond)
		during := w.descriptors(t)
		if during < before+heads/2 {
			t.Errorf("%d descriptors with %d slow clients", during, heads)
		}
		if !w.some(ctx, 10) && ctx.Err() == nil {
			w.journal.Break("with slow clients nothing is acknowledged")
		}
		w.shownOut(t, before+readers+uploads+heads/10)
		stop()
		wg.Wait()
		if kb := w.memory(t); kb > 600<<10 {
			w.journal.Break("the hub holds %d MB", kb>>10)
		}
		count.Add(int64(10))
		<-ctx.Done()
	}
	x.after = func(_ *testing.T, w *world, _ *Sender) {
		if w.journal.Slowest > 5*time.Second {
			w.journal.Break("a good client waited for %s beside slow ones", w.journal.Slowest)
		}
	}
	hold(t, x, NoHeaderTimeout)
}

// drip sends a beginning, and then a byte a second for as long as it is let; it reads nothing.
func drip(ctx context.Context, address, begin string) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	if _, err := io.WriteString(c, begin); err != nil {
		return
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
		}
	}
}

// shownOut waits until most of the slow clients have lost their connection, as those must that do not end a head.
func (w *world) shownOut(t *testing.T, most int) {
	t.Helper()
	have := 0
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if have = w.descriptors(t); have <= most {
			return
		}
	}
	w.journal.Break("slow clients hold %d descriptors, at most %d were expected", have, most)
}

func (w *world) descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.cluster.Process(0)))
	must(t, err)
	return len(all)
}

// memory is what the hub holds in RAM, in kB.
func (w *world) memory(t *testing.T) (kb int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(w.cluster.Process(0)), "status"))
	must(t, err)
	for l := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(l, "VmRSS: %d kB", &kb); err == nil {
			return kb
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
