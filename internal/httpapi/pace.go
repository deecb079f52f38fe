package httpapi

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// A body, in both directions, must move at this rate at least, measured over the patience.
const (
	patience = 30 * time.Second
	slowest  = 16 << 10 // bytes a second
)

// pace moves a deadline on as bytes pass: within each while of patience so many must have passed that the rate holds. What was
// quick before buys no pause later.
type pace struct {
	patience time.Duration
	set      func(time.Time) error
	due      time.Time
	n        int64
}

// before is called before bytes are waited for, after when n have passed.
func (p *pace) before() {
	if p.due.IsZero() {
		p.due = time.Now().Add(p.patience) //nolint:forbidigo // a deadline of the connection is wall time
		_ = p.set(p.due)
	}
}

func (p *pace) after(n int) {
	if p.n += int64(n); p.n >= int64(p.patience.Seconds()*slowest) {
		p.n, p.due = 0, time.Time{}
	}
}

// Paced lets slow clients go: of requests, whatever their handler, and of answers. A handler may set other deadlines.
func Paced(next http.Handler) http.Handler { return pacedBy(next, patience) }

func pacedBy(next http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &pacedBody{ReadCloser: r.Body, pace: pace{patience: patience, set: out.SetReadDeadline}}
		}
		// A deadline that an earlier answer on this connection left behind would end this one.
		_ = out.SetWriteDeadline(time.Time{})
		next.ServeHTTP(&pacedAnswer{ResponseWriter: w, pace: pace{patience: patience, set: out.SetWriteDeadline}}, r)
	})
}

type pacedBody struct {
	io.ReadCloser
	pace pace
	// stopped: somebody else has ended the reading.
	mu      sync.Mutex
	stopped bool
}

// Read implements io.Reader.
func (p *pacedBody) Read(b []byte) (int, error) {
	p.mu.Lock()
	if !p.stopped {
		p.pace.before()
	}
	p.mu.Unlock()
	n, err := p.ReadCloser.Read(b)
	p.pace.after(n)
	return n, err
}

// stop makes a Read that waits end, and all that follow.
func (p *pacedBody) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	_ = p.pace.set(time.Unix(1, 0))
}

// hurry makes the whole body due after d.
func (p *pacedBody) hurry(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace.patience = min(p.pace.patience, d)
}

type pacedAnswer struct {
	http.ResponseWriter
	pace pace
}

// Write implements io.Writer.
func (p *pacedAnswer) Write(b []byte) (int, error) {
	p.pace.before()
	n, err := p.ResponseWriter.Write(b)
	p.pace.after(n)
	return n, err
}

// Unwrap lets http.ResponseController through.
func (p *pacedAnswer) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Connections bounds the connections of a listener: of one address (loopback is not counted) and all together. What comes
// beyond is closed at once. Zero: 4,096 and 256.
type Connections struct{ All, PerAddress int }

// bounded is a listener with Connections.
type bounded struct {
	net.Listener
	c Connections

	mu  sync.Mutex
	all int
	by  map[string]int
}

// Bounded bounds the connections of a listener.
func Bounded(l net.Listener, c Connections) net.Listener {
	if c.All == 0 {
		c.All = 4096
	}
	if c.PerAddress == 0 {
		c.PerAddress = 256
	}
	return &bounded{Listener: l, c: c, by: map[string]int{}}
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		name := addressName(conn.RemoteAddr().String())
		if b.enter(name) {
			return &boundedConn{Conn: conn, leave: sync.OnceFunc(func() { b.leave(name) })}, nil
		}
		_ = conn.Close()
	}
}

func (b *bounded) enter(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= b.c.All || name != "" && b.by[name] >= b.c.PerAddress {
		return false
	}
	b.all++
	if name != "" {
		b.by[name]++
	}
	return true
}

func (b *bounded) leave(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if name == "" {
		return
	}
	if b.by[name]--; b.by[name] == 0 {
		delete(b.by, name)
	}
}

type boundedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
