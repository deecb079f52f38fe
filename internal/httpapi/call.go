package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

// Access says who may call a route. The zero value lets nobody in.
type Access int

// The kinds of access.
const (
	Closed   Access = iota
	Public          // anybody
	SignedIn        // any account
	ByRole          // an account with one of the route's roles
)

// Route is one method and path with its rule.
type Route struct {
	Method string
	Path   string // as gorilla/mux has it
	Access Access
	Roles  []directory.Role
	// Key makes the Idempotency-Key compulsory.
	Key    bool
	Handle Handler
}

// Handler answers a call, or returns the error that becomes the answer.
type Handler func(w http.ResponseWriter, c *Call) error

// Call is one request, authenticated as its route asks.
type Call struct {
	*http.Request
	// ID is the request id, made here.
	ID string
	// Account is empty on public routes.
	Account directory.Account
	// Key is the Idempotency-Key, where the route asks for one.
	Key   string
	token string
}

// Caller is the account as the hub knows it.
func (c *Call) Caller() hub.Caller {
	return hub.Caller{Account: c.Account.ID, Org: c.Account.Org, Request: c.ID}
}

// Var is a variable of the path.
func (c *Call) Var(name string) string { return mux.Vars(c.Request)[name] }

// Audit makes a record of this call.
func (c *Call) Audit(action, object, outcome string) transport.AuditRecord {
	return transport.AuditRecord{
		Account: c.Account.ID, Org: c.Account.Org, Action: action, Object: object, Outcome: outcome, Request: c.ID,
	}
}

// mount builds the router. A route without a rule is a mistake in the program.
func (s *Server) mount() error {
	s.router = mux.NewRouter().SkipClean(true)
	s.router.NotFoundHandler = s.handler(Route{Access: Public, Handle: func(http.ResponseWriter, *Call) error {
		return api.NewProblem(api.NotFound, "")
	}})
	s.router.MethodNotAllowedHandler = s.handler(Route{Access: Public, Handle: func(http.ResponseWriter, *Call) error {
		return api.NewProblem(api.MethodNotAllowed, "")
	}})
	for _, r := range s.routes {
		if r.Access == Closed || (r.Access == ByRole) != (len(r.Roles) > 0) {
			return errors.New("route " + r.Method + " " + r.Path + " has no access rule")
		}
		s.router.Handle(r.Path, s.handler(r)).Methods(r.Method)
	}
	return nil
}

// handler puts around a route what all routes share.
func (s *Server) handler(r Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := &Call{Request: req}
		began := s.c.Clock()
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					panic(v)
				}
				s.c.Logger.ErrorContext(req.Context(), "panic", slog.String("request", c.ID), slog.Any("value", v),
					slog.String("stack", string(debug.Stack())))
				s.fail(w, c, errors.New("panic"))
			}
			s.c.Logger.DebugContext(req.Context(), "request", slog.String("request", c.ID), slog.String("method", req.Method),
				slog.String("route", r.Path), slog.String("account", c.Account.ID), slog.Duration("took", s.c.Clock().Sub(began)))
		}()
		id, err := transport.NewID(began, s.c.Rand)
		if err != nil {
			s.fail(w, c, err)
			return
		}
		c.ID = id
		w.Header().Set(api.HeaderRequestID, id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if err := s.admit(c, r); err != nil {
			s.fail(w, c, err)
			return
		}
		if err := r.Handle(w, c); err != nil {
			s.fail(w, c, err)
		}
	})
}

// admit says who the caller is and whether the route is open to it.
func (s *Server) admit(c *Call, r Route) error {
	if r.Access == Public {
		if err := s.public(c.Request, 1); err != nil {
			return err
		}
		return s.takeKey(c, r)
	}
	if err := s.public(c.Request, 0); err != nil { // too many false logins came from there
		return err
	}
	token, ok := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	if !ok || len(c.Header.Values("Authorization")) != 1 {
		return errors.Join(s.public(c.Request, 1), api.NewProblem(api.Unauthenticated, ""))
	}
	a, err := s.c.Directory.Authenticate(c.Context(), token)
	if errors.Is(err, directory.ErrUnauthenticated) {
		err = errors.Join(s.public(c.Request, 1), err)
	}
	if err != nil {
		return err
	}
	c.Account, c.token = a, token
	if err := s.known(a.Org); err != nil {
		return err
	}
	if r.Access == ByRole && !a.Has(r.Roles...) {
		rec := c.Audit("http.refuse", r.Method+" "+r.Path, string(api.Forbidden))
		if err := s.c.Auditor.Record(c.Context(), rec); err != nil {
			return err
		}
		return api.NewProblem(api.Forbidden, "this needs one of the roles "+joinRoles(r.Roles))
	}
	return s.takeKey(c, r)
}

func (s *Server) takeKey(c *Call, r Route) error {
	if !r.Key {
		return nil
	}
	keys := c.Header.Values(api.HeaderIdempotencyKey)
	if len(keys) != 1 || !hub.ValidKey(keys[0]) {
		return api.NewProblem(api.Malformed, "an Idempotency-Key is required", api.Fault{
			Pointer: api.HeaderIdempotencyKey, Detail: "one field of 1 to 128 visible ASCII characters",
		})
	}
	c.Key = keys[0]
	return nil
}

func joinRoles(roles []directory.Role) string {
	words := make([]string, 0, len(roles))
	for _, r := range roles {
		words = append(words, string(r))
	}
	return strings.Join(words, ", ")
}

// jsonTimeout is how long a JSON request may take to arrive.
const jsonTimeout = 10 * time.Second

// serveJSON makes a handler of a function over decoded JSON. A request type of
// struct{} takes no body.
func serveJSON[Req, Resp any](fn func(ctx context.Context, c *Call, in Req) (Resp, error)) Handler {
	return serveStatus(http.StatusOK, fn)
}

// serveStatus is serveJSON with another status for success.
func serveStatus[Req, Resp any](status int, fn func(ctx context.Context, c *Call, in Req) (Resp, error)) Handler {
	return func(w http.ResponseWriter, c *Call) error {
		var in Req
		if _, none := any(in).(struct{}); !none {
			if err := readJSON(w, c, &in); err != nil {
				return err
			}
		}
		out, err := fn(c.Context(), c, in)
		if err != nil {
			return err
		}
		if _, none := any(out).(struct{}); none {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		writeJSON(w, status, out)
		return nil
	}
}

// readJSON reads exactly one JSON value with known fields alone.
func readJSON(w http.ResponseWriter, c *Call, into any) error {
	return readJSONUpTo(w, c, into, api.MaxJSON, jsonTimeout)
}

// readJSONUpTo is readJSON with bounds of its own.
func readJSONUpTo(w http.ResponseWriter, c *Call, into any, limit int64, timeout time.Duration) error {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != api.TypeJSON {
		return api.NewProblem(api.UnsupportedFormat, "send "+api.TypeJSON)
	}
	if paced, ok := c.Body.(*pacedBody); ok {
		paced.hurry(timeout)
	}
	setReadDeadline(w, timeout)
	body, err := io.ReadAll(http.MaxBytesReader(w, c.Body, limit))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return api.NewProblem(api.TooLarge, "the limit is "+strconv.FormatInt(big.Limit, 10)+" bytes")
	case isTimeout(err):
		return api.NewProblem(api.Timeout, "")
	case err != nil:
		return api.NewProblem(api.Malformed, "the request was cut off")
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return api.NewProblem(api.Malformed, "not the JSON that is expected here")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return api.NewProblem(api.Malformed, "bytes after the JSON value")
	}
	return nil
}

// setReadDeadline bounds the time of reading. A server without deadlines (a test's
// recorder) has none to set.
func setReadDeadline(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(d)) //nolint:forbidigo // a deadline of the connection is wall time
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // our own types always marshal
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", api.TypeJSON)
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// limit reads the limit and the cursor of a list.
func pageOf(c *Call) (hub.Page, error) {
	q := c.URL.Query()
	p := hub.Page{After: q.Get("cursor"), Limit: api.DefaultLimit}
	if p.After != "" && !transport.ValidCode(p.After) {
		return p, api.NewProblem(api.Validation, "", api.Fault{Pointer: "cursor", Detail: "is not a cursor of this list"})
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > api.MaxLimit {
			return p, api.NewProblem(api.Validation, "", api.Fault{Pointer: "limit", Detail: "is not 1 to 200"})
		}
		p.Limit = n
	}
	return p, nil
}

// list makes a page: one item more than the limit says that there is a next page.
func list[T any](items []T, limit int, id func(T) string) api.List[T] {
	out := api.List[T]{Items: slices.Clip(items)}
	if out.Items == nil {
		out.Items = []T{}
	}
	if len(items) > limit {
		out.Items = items[:limit]
		out.Next = id(items[limit-1])
	}
	return out
}
