// Package apitest holds a server to docs/openapi.yaml: every request that a test makes and every answer that it gets is
// compared with the file. Tests alone import it.
package apitest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Document is the file as it was read.
type Document struct {
	*openapi3.T
	router routers.Router
}

// Load reads docs/openapi.yaml and refuses one that is not valid.
func Load(tb testing.TB) *Document {
	tb.Helper()
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		tb.Fatal("where am I?")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(filepath.Dir(here), "..", "..", "..", "docs", "openapi.yaml"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		tb.Fatalf("docs/openapi.yaml: %v", err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		tb.Fatal(err)
	}
	return &Document{T: doc, router: router}
}

// Hold puts the file beside a handler: what does not fit fails the test. Event streams and names with slashes, which the
// file cannot describe, pass unseen.
func (d *Document) Hold(tb testing.TB, next http.Handler) http.Handler {
	tb.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") || strings.HasPrefix(r.URL.Path, "/log/") || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		route, vars, err := d.router.FindRoute(r)
		if err != nil { // unknown to the file: then it must be unknown to the server
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			if rec.Code != http.StatusNotFound && rec.Code != http.StatusMethodNotAllowed {
				tb.Errorf("%s %s is not in docs/openapi.yaml and answers %d", r.Method, r.URL.Path, rec.Code)
			}
			replay(w, rec)
			return
		}
		var sent bytes.Buffer
		isJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
		if isJSON {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				next.ServeHTTP(w, r)
				return
			}
			sent.Write(body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		d.compare(tb, route, vars, r, sent.Bytes(), rec)
		replay(w, rec)
	})
}

func (d *Document) compare(
	tb testing.TB, route *routers.Route, vars map[string]string, r *http.Request, sent []byte, rec *httptest.ResponseRecorder,
) {
	r = r.Clone(context.Background())
	r.Body = io.NopCloser(bytes.NewReader(sent))
	binary := !strings.Contains(rec.Header().Get("Content-Type"), "json")
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: vars, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeRequestBody: len(sent) == 0, IncludeResponseStatus: true,
		ExcludeResponseBody: binary,
	}}
	if rec.Code < http.StatusBadRequest {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			tb.Errorf("%s %s was answered %d; the file does not know the request: %v", r.Method, r.URL.Path, rec.Code, err)
		}
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())),
		Options: in.Options,
	})
	if err != nil {
		tb.Errorf("%s %s: answer %d is not the one of the file: %v", r.Method, r.URL.Path, rec.Code, err)
	}
}

func replay(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}
