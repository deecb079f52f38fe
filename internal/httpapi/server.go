// Package httpapi is the HTTP edge of a hub: it says who a caller is, what it may
// do, and speaks JSON, problem objects and file bodies.
//
// It promises that every route has a stated access rule and is refused by default,
// that what belongs to another office is answered like what does not exist, that
// an error leaves the hub as one of the closed list of codes and never as an inner
// message, and that sizes, times and concurrency of requests are bounded.
//
// It holds no rules of the exchange: those are in transport/hub and the packages
// beside it. Each resource has one file; routes.go is the list of all routes.
package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

// Archive finds and hands out records. An empty office means an archivist, who sees all.
type Archive interface {
	Find(ctx context.Context, q archive.Query) ([]archive.Record, error)
	Retrieve(ctx context.Context, idOrCode, office string) (archive.Entry, io.ReadSeekCloser, error)
}

// Config is what the edge serves. Archive, Keeper, Log, LogKey, Roots, Ready, Logger and Extra are optional.
type Config struct {
	Hub       *hub.Hub
	Directory *directory.Directory
	Auditor   hub.Auditor
	Archive   Archive
	Keeper    Keeper
	// Log is read for /log/…, LogKey is its verifier key (vkey), Roots the trust anchors (PEM).
	Log    tlog.Fetcher
	LogKey string
	Roots  []byte
	// Ready says whether the hub can work; nil means always.
	Ready  func(ctx context.Context) api.Health
	Logger *slog.Logger
	Rand   io.Reader
	Clock  func() time.Time
	// Wait is how long a submission waits for its receipt before it is answered 202;
	// zero means two seconds.
	Wait time.Duration
	// Limits bounds what one party may ask.
	Limits Limits
	// Pulse is the rhythm of signs of life in an event stream; zero means 15 seconds.
	Pulse time.Duration
	// Extra adds routes, such as those of the office service.
	Extra []func(*Server) []Route
}

// Server serves the routes of a hub.
type Server struct {
	c      Config
	router *mux.Router
	routes []Route
	// small and bulk are the places of submissions that are here already, and of those that are still coming.
	small, bulk        *fair
	offices, addresses *rates
	saving             chan struct{} // one conditional change of the directory at a time
}

// New makes a Server.
func New(c Config) (*Server, error) {
	if c.Hub == nil || c.Directory == nil || c.Auditor == nil || c.Rand == nil || c.Clock == nil {
		return nil, errors.New("http interface lacks one of its parts")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Wait == 0 {
		c.Wait = 2 * time.Second
	}
	c.Limits.setDefaults()
	if c.Pulse == 0 {
		c.Pulse = eventPulse
	}
	if c.Ready == nil {
		c.Ready = func(context.Context) api.Health { return api.Health{Ready: true} }
	}
	s := &Server{
		c: c, small: newFair(c.Limits.Places), bulk: newFair(c.Limits.Places), saving: make(chan struct{}, 1),
		offices: newRates(c.Limits.Office, c.Clock), addresses: newRates(c.Limits.Address, c.Clock),
	}
	s.routes = append(s.all(), s.keepingRoutes()...)
	for _, extra := range c.Extra {
		s.routes = append(s.routes, extra(s)...)
	}
	return s, s.mount()
}

// ServeHTTP serves a request of the inside and of the public.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// Routes lists what is served, for documentation and for the test that holds every
// route to its access rule.
func (s *Server) Routes() []Route { return append([]Route(nil), s.routes...) }

// Operations serves /healthz and /readyz, for a listener of its own.
func (s *Server) Operations() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n")
	})
	m.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		health := s.c.Ready(r.Context())
		status := http.StatusOK
		if !health.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, health)
	})
	return m
}

// Limits of a connection.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 32 << 10
	shutdownWait  = 10 * time.Second
)

// stopping is the key under which a request's context holds the channel that closes when the server stops.
type stopping struct{}

// Serve serves handler on a listener until ctx ends, then lets running requests
// finish for a while. Clients that are slow are let go.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, logger *slog.Logger) error {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	srv := &http.Server{
		Handler: Paced(handler), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		// A request that has no end of its own, such as an event stream, ends when the server stops; others finish.
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), stopping{}, ctx.Done())
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
	defer cancel()
	err := srv.Shutdown(stop)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
