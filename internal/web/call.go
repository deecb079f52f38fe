package web

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// access says who may call a route. The zero value lets nobody in.
type access int

const (
	closed   access = iota
	public          // anybody
	signedIn        // any account
	byRole          // an account with one of the route's roles
)

// route is one method and path with its rule.
type route struct {
	method, path string
	access       access
	roles        []directory.Role
	handle       handler
}

// handler answers a call, or returns the error that becomes the page.
type handler func(c *call) error

// call is one request, admitted as its route asks.
type call struct {
	*http.Request
	w       http.ResponseWriter
	s       *Server
	id      string
	account directory.Account
	token   string
	lang    language
	look    look
	names   map[string]string // of offices, by code, looked up for this page
}

func (c *call) caller() hub.Caller {
	return hub.Caller{Account: c.account.ID, Org: c.account.Org, Request: c.id}
}

func (c *call) person() office.Person { return office.PersonOf(c.account) }

func (c *call) variable(name string) string { return mux.Vars(c.Request)[name] }

// fragment reports whether htmx asks for a part of a page.
func (c *call) fragment() bool { return c.Header.Get("Hx-Request") == "true" }

// note writes an act of this call to the audit; the act may be done only when it returns nil.
func (c *call) note(action, object, outcome string) error {
	return c.s.c.Auditor.Record(c.Context(), transport.AuditRecord{
		Account: c.account.ID, Org: c.account.Org, Action: action, Object: object, Outcome: outcome, Request: c.id,
	})
}

// officeName is the name of an office, or its code where the directory does not have it.
func (c *call) officeName(code string) string {
	if name, ok := c.names[code]; ok {
		return name
	}
	name := code
	if o, err := c.s.c.Accounts.Organisation(c.Context(), code); err == nil {
		name = o.Name
	}
	if c.names == nil {
		c.names = map[string]string{}
	}
	c.names[code] = name
	return name
}

// redirect goes on to a page of this console, as the answer to a form.
func (c *call) redirect(path string) error {
	if c.fragment() {
		c.w.Header().Set("Hx-Redirect", path)
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(c.w, c.Request, path, http.StatusSeeOther)
	return nil
}

// mount builds the router. A route without a rule is a mistake in the program.
func (s *Server) mount() error {
	s.router = mux.NewRouter().SkipClean(true)
	missing := func(code api.Code) http.Handler {
		return s.handler(route{access: public, handle: func(*call) error { return api.NewProblem(code, "") }})
	}
	s.router.NotFoundHandler, s.router.MethodNotAllowedHandler = missing(api.NotFound), missing(api.MethodNotAllowed)
	for _, r := range s.routes {
		if r.access == closed || (r.access == byRole) != (len(r.roles) > 0) {
			return errors.New("page " + r.method + " " + r.path + " has no access rule")
		}
		methods := []string{r.method}
		if r.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		s.router.Handle(r.path, s.handler(r)).Methods(methods...)
	}
	return nil
}

// policy is the Content-Security-Policy of every page: this host alone, and nothing inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// handler puts around a route what all routes share.
func (s *Server) handler(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := &call{Request: req, w: w, s: s}
		c.lang, c.look = languageOf(req), lookOf(req)
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					panic(v)
				}
				s.c.Log.ErrorContext(req.Context(), "panic", slog.String("request", c.id), slog.Any("value", v),
					slog.String("stack", string(debug.Stack())))
				c.fail(errors.New("panic"))
			}
		}()
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.c.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		err := s.admit(c, r)
		if err == nil {
			err = r.handle(c)
		}
		if err != nil {
			c.fail(err)
		}
	})
}

// admit gives the call its id and says who the caller is and whether the route is open to it.
func (s *Server) admit(c *call, r route) (err error) {
	if c.id, err = s.newID(); err != nil {
		return err
	}
	c.w.Header().Set(api.HeaderRequestID, c.id)
	if err := s.cross.Check(c.Request); err != nil {
		return api.NewProblem(api.Forbidden, "cross_origin")
	}
	if token := s.sessionToken(c.Request); token != "" {
		a, err := s.c.Accounts.Authenticate(c.Context(), token)
		if err != nil && !errors.Is(err, directory.ErrUnauthenticated) {
			return err
		}
		if err == nil {
			c.account, c.token = a, token
		}
	}
	switch {
	case r.access == public:
		return nil
	case c.token == "":
		return api.NewProblem(api.Unauthenticated, "")
	case r.access == byRole && !c.account.Has(r.roles...):
		if err := c.note("http.refuse", r.method+" "+r.path, string(api.Forbidden)); err != nil {
			return err
		}
		return api.NewProblem(api.Forbidden, "")
	}
	return nil
}

// formTimeout is how long the fields of a form may take to arrive.
const formTimeout = 10 * time.Second

// maxForm bounds a form without files, in bytes.
const maxForm = 256 << 10

// form reads a form's fields. One that is not among fields, or comes twice without "*" behind its name, is refused:
// nothing is assigned that the page did not ask for.
func (c *call) form(fields ...string) error {
	return c.formUpTo(maxForm, formTimeout, fields...)
}

func (c *call) formUpTo(limit int64, timeout time.Duration, fields ...string) error {
	// A server without deadlines (a test's recorder) has none to set.
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(timeout)) //nolint:forbidigo // a deadline of the connection is wall time
	c.Body = http.MaxBytesReader(c.w, c.Body, limit)
	var err error
	if strings.HasPrefix(c.Header.Get("Content-Type"), "multipart/form-data") {
		err = c.ParseMultipartForm(limit)
	} else {
		err = c.ParseForm()
	}
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		return api.NewProblem(api.TooLarge, "")
	}
	if err != nil {
		return api.NewProblem(api.Malformed, "")
	}
	single, many := map[string]bool{}, map[string]bool{}
	for _, f := range fields {
		if name, ok := strings.CutSuffix(f, "*"); ok {
			many[name] = true
		} else {
			single[f] = true
		}
	}
	for name, values := range c.PostForm {
		if !many[name] && (!single[name] || len(values) > 1) {
			return api.NewProblem(api.Malformed, "field")
		}
	}
	return nil
}

// value is a field of the form without the space around it.
func (c *call) value(name string) string { return strings.TrimSpace(c.PostForm.Get(name)) }
