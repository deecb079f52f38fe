package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/internal/httpapi"
	"yinxin/internal/httpapi/apitest"
	"yinxin/transport/api"
	"yinxin/transport/hub"
)

// TestRouterAndFileAgree holds the router and docs/openapi.yaml to each other: every route stands in the file with the same
// rule of access and the same demand for an idempotency key, and the file names nothing that is not served. With -v it
// prints the table.
func TestRouterAndFileAgree(t *testing.T) {
	s := newSite(t, nil, nil)
	doc := apitest.Load(t)
	served := map[string]bool{}
	for _, r := range append(s.server.Routes(), httpapi.OfficeService{}.Routes(nil)...) {
		path := httpapi.Template(r.Path)
		name := r.Method + " " + path
		if served[name] {
			t.Errorf("%s is served twice", name)
		}
		served[name] = true
		item := doc.Paths.Find(path)
		if item == nil || item.GetOperation(r.Method) == nil {
			t.Errorf("%s is not in docs/openapi.yaml", name)
			continue
		}
		op := item.GetOperation(r.Method)
		want := accessWord(r)
		if got := fmt.Sprint(op.Extensions["x-access"]); got != want || want == "" {
			t.Errorf("%s: the file says access %q, the router %q", name, got, want)
		}
		if (r.Access == httpapi.Public) != (op.Security != nil && len(*op.Security) == 0) {
			t.Errorf("%s: public and its security disagree", name)
		}
		if r.Key != (op.Parameters.GetByInAndName("header", api.HeaderIdempotencyKey) != nil) {
			t.Errorf("%s: the router asks for an idempotency key: %v", name, r.Key)
		}
		t.Logf("%-7s %-60s %s", r.Method, path, want)
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if !served[method+" "+path] {
				t.Errorf("%s %s stands in docs/openapi.yaml and is not served", method, path)
			}
		}
	}
	var codes []string
	for _, m := range api.Meanings() {
		codes = append(codes, string(m.Code))
	}
	enum := doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Enum
	if len(enum) != len(codes) {
		t.Errorf("the file has %d problem codes, the interface %d", len(enum), len(codes))
	}
	for _, c := range enum {
		if !slices.Contains(codes, fmt.Sprint(c)) {
			t.Errorf("the file has the problem code %v", c)
		}
	}
}

// accessWord is a route's rule as the file has it; empty for a route that nobody gave one.
func accessWord(r httpapi.Route) string {
	switch r.Access {
	case httpapi.Public:
		return "public"
	case httpapi.SignedIn:
		return "signed-in"
	case httpapi.ByRole:
		return fmt.Sprint(r.Roles)
	}
	return ""
}

// TestSchemasAreTheWireTypes: every wire type has its schema with the same members, so that none is added to one alone.
func TestSchemasAreTheWireTypes(t *testing.T) {
	doc := apitest.Load(t)
	types := map[string]reflect.Type{}
	for _, v := range []any{
		api.Account{},
		api.ArchiveRecord{},
		api.CertifyRequest{},
		api.Copy{},
		api.Decision{},
		api.Delivery{},
		api.Dispatch{},
		api.DispatchRequest{},
		api.DisposalProposal{},
		api.Evidence{},
		api.Exchange{},
		api.Fault{},
		api.GiveBack{},
		api.Keeping{},
		api.KeepingBasis{},
		api.KeptRecord{},
		api.LogGap{},
		api.Login{},
		api.Moved{},
		api.NamedFile{},
		api.OpenLogin{},
		api.OpenedDocument{},
		api.Organisation{},
		api.Printed{},
		api.Problem{},
		api.Reference{},
		api.Refused{},
		api.Reissuing{},
		api.Seal{},
		api.SealChange{},
		api.SealMaking{},
		api.SealPlace{},
		api.SealRegistration{},
		api.SealRequest{},
		api.SealStanding{},
		api.SealTerm{},
		api.SealUse{},
		api.SealingKey{},
		api.SenderAct{},
		api.Session{},
		api.SignFor{},
		api.Statement{},
		api.Submission{},
	} {
		types[reflect.TypeOf(v).Name()] = reflect.TypeOf(v)
	}
	for name, schema := range doc.Components.Schemas {
		typ, known := types[name]
		if !known {
			t.Errorf("schema %s is of no wire type that this test knows", name)
			continue
		}
		delete(types, name)
		members := map[string]bool{}
		for field := range typ.Fields() {
			if word, _, _ := strings.Cut(field.Tag.Get("json"), ","); word != "-" {
				members[word] = true
			}
		}
		for member := range schema.Value.Properties {
			if !members[member] {
				t.Errorf("schema %s has the member %s, the wire type has not", name, member)
			}
			delete(members, member)
		}
		for member := range members {
			t.Errorf("schema %s lacks the member %s", name, member)
		}
	}
	for name := range types {
		t.Errorf("the wire type %s has no schema", name)
	}
}

// TestRecordedCallsFitTheFile: an answer with a member that the file does not know, or without one that it demands, is
// noticed; so the comparison in every other test of this package means something.
func TestRecordedCallsFitTheFile(t *testing.T) {
	doc := apitest.Load(t)
	for name, body := range map[string]string{
		"a member too many": `{"id":"a","org":"A","name":"n","roles":[],"status":"active","shoe_size":43}`,
		"a member missing":  `{"id":"a","org":"A","roles":[]}`,
		"another type":      `{"id":"a","org":"A","name":7,"roles":[],"status":"active"}`,
		"no JSON":           `hello`,
	} {
		heard := &deafTB{TB: t}
		h := doc.Hold(heard, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", api.TypeJSON)
			_, _ = io.WriteString(w, body)
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/v1/sessions/current", nil))
		if heard.faults == 0 {
			t.Errorf("%s passed", name)
		}
	}
	heard := &deafTB{TB: t}
	doc.Hold(heard, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/v1/secret", nil))
	if heard.faults == 0 {
		t.Error("a route that the file does not know passed")
	}
}

// deafTB counts faults instead of failing.
type deafTB struct {
	testing.TB
	faults int
}

func (d *deafTB) Errorf(string, ...any) { d.faults++ }
func (d *deafTB) Helper()               {}

// TestEvents: each party hears of what concerns it and of nothing else, and the stream goes with its login.
func TestEvents(t *testing.T) {
	s := newSite(t, nil, func(c *httpapi.Config) { c.Pulse = 50 * time.Millisecond })
	ctx := t.Context()
	a, c, d := s.login("clerk-A"), s.login("clerk-C"), s.login("clerk-D")
	listen := func(token string) <-chan string {
		t.Helper()
		req := must(http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/events", nil))(t)
		req.Header.Set("Authorization", "Bearer "+token)
		hc := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp := must(hc.Do(req))(t) //nolint:bodyclose // the reader below closes it
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != api.TypeEvents {
			t.Fatalf("events: %s", resp.Status)
		}
		lines := make(chan string, 100)
		go func() {
			defer close(lines)
			defer func() { _ = resp.Body.Close() }()
			for r := bufio.NewScanner(resp.Body); r.Scan(); {
				if data, ok := strings.CutPrefix(r.Text(), "data: "); ok {
					lines <- data
				}
			}
		}()
		if first := <-lines; first != "{}" {
			t.Errorf("first event %s", first)
		}
		return lines
	}
	mine := listen(a.Token())
	theirs := listen(c.Token())
	others := listen(d.Token())
	id := s.World.ID()
	must(a.SubmitBytes(ctx, "k", s.World.Pack(id, "A", []byte("x"), nil, "C")))(t)
	s.settle()
	if got := <-mine; got != `{"exchange":"`+id+`"}` {
		t.Errorf("the sender heard %s", got)
	}
	inbox := must(s.Hub.Inbox(ctx, hub.Caller{Org: "C"}, hub.InboxFilter{Page: hub.Page{Limit: 1}}))(t)
	if got := <-theirs; got != `{"delivery":"`+inbox[0].Delivery.ID+`"}` {
		t.Errorf("the recipient heard %s", got)
	}
	if err := d.Logout(ctx); err != nil {
		t.Fatal(err)
	}
	for got := range others { // ends with the login
		t.Errorf("another office heard %s", got)
	}
	if got := s.call(http.MethodGet, "/api/v1/events", "", nil, ""); got.status != http.StatusUnauthorized {
		t.Errorf("without a login: %d", got.status)
	}
}
