package httpapi_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/internal/httpapi"
	"yinxin/internal/httpapi/apitest"
	"yinxin/internal/sqlite"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/directory"
	"yinxin/transport/envelope"
	"yinxin/transport/hub"
	"yinxin/transport/hub/hubtest"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "correct horse battery"

// site is a hub behind HTTP.
type site struct {
	*hubtest.Running
	t      *testing.T
	server *httpapi.Server
	url    string
	// settle makes the hub work after each commit, as its goroutines do in production.
	records []archive.Record
}

func newSite(t *testing.T, edit func(*hub.Config, *hub.Parts), change func(*httpapi.Config)) *site {
	t.Helper()
	w := hubtest.New(t)
	folder := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(folder, "hub.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &site{t: t, Running: w.Run(db, folder, edit)}
	for _, office := range []string{"A", "B", "C", "D", hubtest.ArchiveCode} {
		s.account("clerk-"+office, office, directory.Clerk)
	}
	s.account("root", "A", directory.Admin)
	c := httpapi.Config{
		Hub: s.Hub, Directory: s.Directory, Auditor: s.Auditor, Archive: s, Log: s.Log, LogKey: s.Key.String(), Roots: w.Root.PEM(),
		Rand: rand.Reader, Clock: w.Clock.Now, Wait: 20 * time.Millisecond,
	}
	if change != nil {
		change(&c)
	}
	if s.server, err = httpapi.New(c); err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(apitest.Load(t).Hold(t, s.server))
	t.Cleanup(ts.Close)
	s.url = ts.URL
	return s
}

func (s *site) account(id, office string, roles ...directory.Role) {
	s.t.Helper()
	_, err := s.Directory.AddAccount(s.t.Context(), directory.Account{ID: id, Org: office, Name: id, Roles: roles}, password)
	if err != nil {
		s.t.Fatal(err)
	}
}

// Find implements httpapi.Archive over a list.
func (s *site) Find(_ context.Context, q archive.Query) ([]archive.Record, error) {
	var out []archive.Record
	for _, r := range s.records {
		if q.Office == "" || r.Issuer == q.Office {
			out = append(out, r)
		}
	}
	return out, nil
}

// Retrieve implements httpapi.Archive over a list.
func (s *site) Retrieve(_ context.Context, id, office string) (archive.Entry, io.ReadSeekCloser, error) {
	for _, r := range s.records {
		if r.ID == id && (office == "" || r.Issuer == office) {
			text := "package of " + id
			return archive.Entry{Record: r, Package: blob.Ref(gm.SM3([]byte(text)))}, packageText{strings.NewReader(text)}, nil
		}
	}
	return archive.Entry{}, nil, archive.ErrNotFound
}

// packageText is a package in memory.
type packageText struct{ *strings.Reader }

// Close does nothing: there is nothing open.
func (packageText) Close() error { return nil }

func (s *site) login(account string) *client.Client {
	s.t.Helper()
	hc := &http.Client{Transport: &http.Transport{}}
	s.t.Cleanup(hc.CloseIdleConnections)
	c, err := client.New(s.url, client.Options{HTTP: hc, Pause: time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	if account == "" {
		return c
	}
	if _, err := c.Login(s.t.Context(), account, password); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *site) settle() {
	s.t.Helper()
	if err := s.Settle(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantProblem(t *testing.T, err error, code api.Code, status int) *api.Problem {
	t.Helper()
	var p *api.Problem
	if !errors.As(err, &p) || p.Code != code || p.Status != status {
		t.Fatalf("error %+v, want %s with %d", err, code, status)
	}
	return p
}

func TestPathOverHTTP(t *testing.T) {
	s := newSite(t, nil, nil)
	ctx := t.Context()
	a, c := s.login("clerk-A"), s.login("clerk-C")
	body := s.World.Pack(s.World.ID(), "A", []byte("a document"), nil, "C")

	pending := must(a.SubmitBytes(ctx, "k1", body))(t)
	if pending.Receipt != nil || pending.Exchange.Status != api.StatusOpen {
		t.Fatalf("before the log: %+v", pending)
	}
	if _, err := a.Receipt(ctx, pending.Exchange.Entry); !errors.Is(err, client.ErrPending) {
		t.Fatalf("receipt: %v, want pending", err)
	}
	s.settle()
	done := must(a.SubmitBytes(ctx, "k1", body))(t)
	if !done.Repeated || done.Exchange.Entry != pending.Exchange.Entry {
		t.Fatalf("the same submission: %+v", done)
	}
	for range 2 {
		if got := must(a.Receipt(ctx, done.Exchange.Entry))(t); !bytes.Equal(got, done.Receipt) {
			t.Error("the receipt is not the same byte for byte")
		}
	}

	in := must(c.Inbox(ctx, client.Page{}, "available"))(t)
	if len(in.Items) != 1 || in.Items[0].DocumentSM3 != done.Exchange.DocumentSM3 {
		t.Fatalf("inbox %+v", in)
	}
	d := in.Items[0]
	wantProblem(t, c.Envelope(ctx, d.ID, io.Discard), api.InvalidTransition, http.StatusConflict)
	x := exchangeOf(t, done.Exchange)
	opened := must(c.Open(ctx, "o", d.ID, s.World.Statement("C", transport.ContentHandover, x, "C", nil)))(t)
	if opened.Delivery.State != "opened" || opened.Entry.Event != "ContentHandover" {
		t.Fatalf("opened %+v", opened)
	}
	var file bytes.Buffer
	if err := c.Envelope(ctx, d.ID, &file); err != nil {
		t.Fatal(err)
	}
	mem := &envelope.Memory{Limit: 1 << 20}
	got, err := envelope.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), envelope.OpenOptions{
		Key: s.World.Office("C").EncryptionKey, Policy: s.World.Policy(), Now: s.World.Clock.Now(), Sink: mem,
	})
	if err != nil || !got.Released() || string(mem.Files[0].Data) != "a document" {
		t.Fatalf("open: %+v, %v", got, err)
	}
	must(c.Acknowledge(ctx, "a", d.ID, s.World.Statement("C", transport.ConsignmentAcceptance, x, "C", nil)))(t)
	s.settle()

	tracked := must(a.Track(ctx, done.Exchange.ID))(t)
	if tracked.Status != api.StatusArchived || tracked.Deliveries[0].State != "archived" || tracked.Package == "" {
		t.Errorf("tracked %+v", tracked)
	}
	events := 0
	for _, e := range append(tracked.Evidence, tracked.Deliveries[0].Evidence...) {
		data := must(a.WaitReceipt(ctx, e.ID))(t)
		f := receipt.VerifyBytes(data, receipt.VerifyOptions{
			Logs: []*tlog.Verifier{s.Key}, Policy: s.World.Policy(), Now: s.World.Clock.Now(),
		})
		if f.Verdict != verdict.Passed {
			t.Errorf("receipt of %s: %s %s", e.Event, f.Verdict, f.Reason)
		}
		events++
	}
	if events != 6 {
		t.Errorf("%d receipts, want 6", events)
	}
	if list := must(a.Exchanges(ctx, client.Page{Limit: 1}))(t); len(list.Items) != 1 || list.Next != "" {
		t.Errorf("outbox %+v", list)
	}
}

// exchangeOf makes what statements need of an exchange from the wire.
func exchangeOf(t *testing.T, x api.Exchange) transport.Exchange {
	t.Helper()
	return transport.Exchange{
		ID: x.ID, Sender: x.Sender, DocumentSM3: must(transport.ParseDigest(x.DocumentSM3))(t),
		DocumentSHA256: must(transport.ParseDigest(x.DocumentSHA256))(t),
	}
}

func TestLogOverHTTP(t *testing.T) {
	s := newSite(t, nil, nil)
	ctx := t.Context()
	a, nobody := s.login("clerk-A"), s.login("")
	sub := must(a.SubmitBytes(ctx, "k", s.World.Pack(s.World.ID(), "A", []byte("x"), nil, "C")))(t)
	s.settle()
	signed := must(nobody.Fetch(ctx, tlog.CheckpointPath))(t)
	key := must(tlog.ParseVerifier(string(must(nobody.LogKey(ctx))(t))))(t)
	cp := must(tlog.OpenCheckpoint(signed, key))(t)
	leaf := must(tlog.ReadEntry(ctx, nobody, cp, 0))(t)
	entry := must(receipt.ParseEntry(leaf))(t)
	if entry.ID != sub.Exchange.Entry {
		t.Errorf("entry 0 is %s", entry.ID)
	}
	if roots := must(nobody.Roots(ctx))(t); !bytes.Equal(roots, s.World.Root.PEM()) {
		t.Error("other roots")
	}
	for _, path := range []string{"tile/0/999", "tile/x", "tile/../checkpoint", "tile/0/000/..", "nothing"} {
		if _, err := nobody.Fetch(ctx, path); err == nil {
			t.Errorf("%s was served", path)
		}
	}
}

// TestEveryRouteHasItsRule calls each route as nobody, with a false token and with the
// wrong role.
func TestEveryRouteHasItsRule(t *testing.T) {
	s := newSite(t, nil, nil)
	s.account("idle", "A", directory.Custodian)
	idle := s.login("idle").Token()
	public := map[string]bool{
		"POST /api/v1/sessions": true, "GET /api/v1/log/key": true, "GET /api/v1/roots": true, "GET /log/checkpoint": true,
		"GET /log/gaps": true, "OPTIONS /api/v1/uploads": true,
		"GET /log/{file:(?:sha256/)?tile/[0-9A-Za-z/.]{1,120}}": true,
	}
	for _, r := range s.server.Routes() {
		name := r.Method + " " + r.Path
		if (r.Access == httpapi.Public) != public[name] {
			t.Errorf("%s: access %d; a new public route has to be listed here", name, r.Access)
		}
		if r.Access == httpapi.Public {
			continue
		}
		// A new account, or a decision on keeping a record, finds by itself that it was made already.
		again := strings.HasSuffix(r.Path, "/accounts") || isKeeping(r.Path)
		if r.Method == http.MethodPost && !r.Key && !again {
			t.Errorf("%s needs no Idempotency-Key", name)
		}
		for token, want := range map[string]int{"": 401, "not-a-token": 401, idle: 403} {
			if token == idle && r.Access != httpapi.ByRole {
				continue
			}
			if got := s.call(r.Method, fill(r.Path), token, nil, ""); got.status != want || got.problem.Code == "" && r.Method != http.MethodHead {
				t.Errorf("%s with token %q: %d %s, want %d", name, token, got.status, got.problem.Code, want)
			}
		}
	}
}

// fill puts something into the variables of a path.
func fill(path string) string { return fillWith(path, "018bcfe5-687b-7000-8000-000000000000") }

func fillWith(path, id string) string {
	for {
		a := strings.Index(path, "{")
		if a < 0 {
			return path
		}
		end, depth := a, 0
		for ; end < len(path); end++ {
			if path[end] == '{' {
				depth++
			}
			if path[end] == '}' {
				if depth--; depth == 0 {
					break
				}
			}
		}
		value := id
		if strings.HasPrefix(path[a:], "{id:[0-9a-f]{24}}") {
			value = "0123456789abcdef01234567"
		}
		if strings.HasPrefix(path[a:], "{number") {
			value = "1"
		}
		path = path[:a] + value + path[end+1:]
	}
}

type answer struct {
	status  int
	header  http.Header
	body    []byte
	problem api.Problem
}

func (s *site) call(method, path, token string, body []byte, contentType string, more ...string) answer {
	s.t.Helper()
	req := must(http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body)))(s.t)
	req.Header.Set(api.HeaderIdempotencyKey, "key")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	tr := &http.Transport{DisableKeepAlives: true}
	hc := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := hc.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	out := answer{status: resp.StatusCode, header: resp.Header, body: must(io.ReadAll(resp.Body))(s.t)}
	if resp.Header.Get("Content-Type") == api.TypeProblem && method != http.MethodHead {
		if err := json.Unmarshal(out.body, &out.problem); err != nil {
			s.t.Errorf("problem %q: %v", out.body, err)
		}
		if out.problem.Instance == "" || out.problem.Instance != resp.Header.Get(api.HeaderRequestID) {
			s.t.Errorf("problem %q does not name its request", out.body)
		}
	}
	return out
}

// isKeeping tells the routes that take a decision on keeping a record.
func isKeeping(path string) bool {
	return strings.Contains(path, "/keeping/{") || strings.HasSuffix(path, "/holds") || strings.HasSuffix(path, "/disposals")
}

// TestAnotherOfficeSeesNothing calls every route that takes an id with each id of an exchange between A and C, as a clerk of
// B, or as B's archivist or approver where the route is theirs: the answer is that for what does not exist.
func TestAnotherOfficeSeesNothing(t *testing.T) {
	s := newSite(t, nil, nil)
	ctx := t.Context()
	a, c, b := s.login("clerk-A"), s.login("clerk-C"), s.login("clerk-B")
	sub := must(a.SubmitBytes(ctx, "k", s.World.Pack(s.World.ID(), "A", []byte("x"), nil, "C")))(t)
	s.settle()
	s.records = []archive.Record{{ID: "018bcfe5-687b-7000-8000-00000000000a", Issuer: "A"}}
	d := must(c.Inbox(ctx, client.Page{}))(t).Items[0]
	upload := must(s.BeginUpload(ctx, hub.Caller{Account: "clerk-A", Org: "A"}, "u", 10))(t)
	ids := []string{sub.Exchange.ID, sub.Exchange.Entry, d.ID, s.records[0].ID, upload.ID}
	for _, e := range must(a.Track(ctx, sub.Exchange.ID))(t).Deliveries[0].Evidence {
		ids = append(ids, e.ID)
	}
	const unknown = "018bcfe5-687b-7000-8000-ffffffffffff"
	tried := 0
	tokens := map[directory.Role]string{directory.Clerk: b.Token()}
	for _, role := range []directory.Role{directory.Archivist, directory.Approver} {
		account := string(role) + "-B"
		s.account(account, "B", role)
		tokens[role] = s.login(account).Token()
	}
	for _, r := range s.server.Routes() {
		if !strings.Contains(r.Path, "{id:") || strings.Contains(r.Path, "/accounts/") { // accounts are the administrators'
			continue
		}
		token := tokens[directory.Clerk]
		if len(r.Roles) > 0 && !slices.Contains(r.Roles, directory.Clerk) && tokens[r.Roles[0]] != "" {
			token = tokens[r.Roles[0]]
		}
		body := must(json.Marshal(api.Statement{Statement: []byte("x")}))(t)
		if strings.Contains(r.Path, "/exchanges/") {
			st := api.Statement{Recipient: "C", Statement: []byte("x")}
			if strings.HasSuffix(r.Path, "/remind") {
				st.Statement = nil
			}
			body = must(json.Marshal(st))(t)
		}
		if isKeeping(r.Path) {
			body = []byte(`{"basis":"x"}`)
		}
		kind, tus := api.TypeJSON, []string{api.HeaderTus, "1.0.0", api.HeaderUploadOffset, "0"}
		if r.Method == http.MethodPatch {
			kind = api.TypePiece
		}
		none := s.call(r.Method, fillWith(r.Path, unknown), token, body, kind, tus...)
		for _, id := range ids {
			got := s.call(r.Method, fillWith(r.Path, id), token, body, kind, tus...)
			got.problem.Instance, none.problem.Instance = "", ""
			if got.status != http.StatusNotFound || got.problem.Detail != none.problem.Detail || got.problem.Code != none.problem.Code {
				t.Errorf("%s %s with %s: %d %+v; for what does not exist %d %+v", r.Method, r.Path, id, got.status, got.problem, none.status, none.problem)
			}
			tried++
		}
	}
	if tried < 60 {
		t.Errorf("only %d combinations tried", tried)
	}
	if n := len(must(b.Exchanges(ctx, client.Page{}))(t).Items) + len(must(b.Inbox(ctx, client.Page{}))(t).Items); n != 0 {
		t.Errorf("B lists %d things of others", n)
	}
	if n := len(must(b.SearchArchive(ctx, client.ArchiveQuery{}))(t).Items); n != 0 {
		t.Errorf("B finds %d records of others", n)
	}
	// Cursors of others are no way in either.
	others, errOthers := b.Exchanges(ctx, client.Page{Cursor: sub.Exchange.ID})
	_, errNone := b.Exchanges(ctx, client.Page{Cursor: unknown})
	if len(others.Items) != 0 || errOthers == nil || errNone == nil || errOthers.Error() != errNone.Error() {
		t.Errorf("a cursor of another office: %d items, %v; of nobody: %v", len(others.Items), errOthers, errNone)
	}
	// The positive twin: the parties see theirs.
	must(a.Track(ctx, sub.Exchange.ID))(t)
	must(c.Delivery(ctx, d.ID))(t)
	var pack bytes.Buffer
	if err := a.ArchivePackage(ctx, s.records[0].ID, &pack); err != nil || pack.Len() == 0 {
		t.Errorf("own record: %v", err)
	}
}

func TestBadRequests(t *testing.T) {
	s := newSite(t, func(c *hub.Config, _ *hub.Parts) { c.MaxEnvelope = 100 << 10 }, nil)
	token := s.login("clerk-A").Token()
	root := s.login("root").Token()
	good := s.World.Pack(s.World.ID(), "A", []byte("x"), nil, "C")
	const ex = "/api/v1/exchanges"
	for _, tt := range []struct {
		name         string
		method, path string
		token        string
		body         []byte
		kind         string
		more         []string
		status       int
		code         api.Code
	}{
		{"no such path", "GET", "/api/v1/nothing", token, nil, "", nil, 404, api.NotFound},
		{"another version", "GET", "/api/v0/exchanges", token, nil, "", nil, 404, api.NotFound},
		{"double slash", "GET", "//api/v1/exchanges", token, nil, "", nil, 404, api.NotFound},
		{"dots", "GET", "/api/v1/receipts/..%2fexchanges", token, nil, "", nil, 404, api.NotFound},
		{"encoded dots", "GET", "/api/v1/%2e%2e/v1/exchanges", token, nil, "", nil, 404, api.NotFound},
		{"semicolon", "GET", "/api/v1/exchanges;x", token, nil, "", nil, 404, api.NotFound},
		{"another method", "PATCH", ex, token, nil, "", nil, 405, api.MethodNotAllowed},
		{"method override", "POST", ex, token, nil, "", []string{"X-HTTP-Method-Override", "GET"}, 415, api.UnsupportedFormat},
		{"no key", "POST", ex, token, good, api.TypeEnvelope, []string{api.HeaderIdempotencyKey, ""}, 400, api.Malformed},
		{"key with a space", "POST", ex, token, good, api.TypeEnvelope, []string{api.HeaderIdempotencyKey, "a b"}, 400, api.Malformed},
		{"long key", "POST", ex, token, good, api.TypeEnvelope, []string{api.HeaderIdempotencyKey, strings.Repeat("k", 129)}, 400, api.Malformed},
		{"wrong type", "POST", ex, token, good, "text/plain", nil, 415, api.UnsupportedFormat},
		{"too large", "POST", ex, token, make([]byte, 100<<10+1), api.TypeEnvelope, nil, 413, api.TooLarge},
		{"not an envelope", "POST", ex, token, []byte("x"), api.TypeEnvelope, nil, 400, api.Malformed},
		{"not JSON", "POST", "/api/v1/sessions", "", []byte("{"), api.TypeJSON, nil, 400, api.Malformed},
		{"unknown field", "POST", "/api/v1/sessions", "", []byte(`{"account":"a","secret":"s","roles":["admin"]}`), api.TypeJSON, nil, 400, api.Malformed},
		{"two values", "POST", "/api/v1/sessions", "", []byte(`{} {}`), api.TypeJSON, nil, 400, api.Malformed},
		{"large JSON", "POST", "/api/v1/sessions", "", bytes.Repeat([]byte(" "), api.MaxJSON+1), api.TypeJSON, nil, 413, api.TooLarge},
		{"JSON as text", "POST", "/api/v1/sessions", "", []byte(`{}`), "text/plain", nil, 415, api.UnsupportedFormat},
		{"limit", "GET", ex + "?limit=201", token, nil, "", nil, 422, api.Validation},
		{"cursor", "GET", ex + "?cursor=%00", token, nil, "", nil, 422, api.Validation},
		{"state", "GET", "/api/v1/inbox?state=lost", token, nil, "", nil, 422, api.Validation},
		{"no statement", "POST", "/api/v1/deliveries/x/open", token, []byte(`{}`), api.TypeJSON, nil, 422, api.Validation},
		{"change unseen", "PUT", "/api/v1/organisations/A", root, []byte(`{"code":"A","name":"a","status":"active"}`), api.TypeJSON, nil, 428, api.PreconditionRequired},
		{"stale change", "PUT", "/api/v1/organisations/A", root, []byte(`{"code":"A","name":"a","status":"active"}`), api.TypeJSON, []string{"If-Match", `"x"`}, 412, api.PreconditionFailed},
		{"code and path", "PUT", "/api/v1/organisations/A", root, []byte(`{"code":"B","name":"a","status":"active"}`), api.TypeJSON, nil, 422, api.Validation},
		{"both seal roles", "POST", "/api/v1/accounts", root, []byte(`{"id":"x","org":"A","name":"x","roles":["seal_keeper","approver"],"status":""}`), api.TypeJSON, nil, 422, api.Validation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.call(tt.method, tt.path, tt.token, tt.body, tt.kind, tt.more...)
			if got.status != tt.status || got.problem.Code != tt.code {
				t.Errorf("%d %s, want %d %s", got.status, got.body, tt.status, tt.code)
			}
		})
	}
	if got := s.call("POST", ex, token, good, api.TypeEnvelope); got.status != http.StatusAccepted {
		t.Errorf("a good submission: %d %s", got.status, got.body)
	}
}

// TestCutUpload closes the connection in the middle of a body: nothing is kept, and the
// whole upload under the same key is accepted.
func TestCutUpload(t *testing.T) {
	s := newSite(t, nil, nil)
	a := s.login("clerk-A")
	body := s.World.Pack(s.World.ID(), "A", bytes.Repeat([]byte("x"), 200<<10), nil, "C")
	conn := must(net.Dial("tcp", strings.TrimPrefix(s.url, "http://")))(t)
	head := "POST /api/v1/exchanges HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + a.Token() +
		"\r\nIdempotency-Key: k\r\nContent-Type: " + api.TypeEnvelope + "\r\nContent-Length: 999999\r\n\r\n"
	must(conn.Write(append([]byte(head), body[:150<<10]...)))(t)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	reply := must(io.ReadAll(conn))(t)
	_ = conn.Close()
	if !bytes.Contains(reply, []byte(`"malformed"`)) {
		t.Errorf("the cut upload was answered %q", reply)
	}
	if n := len(must(a.Exchanges(t.Context(), client.Page{}))(t).Items); n != 0 {
		t.Fatalf("a cut upload left %d exchanges", n)
	}
	if sub := must(a.SubmitBytes(t.Context(), "k", body))(t); sub.Repeated {
		t.Error("the whole upload was taken for a repeat of the cut one")
	}
}

// TestReplyLost breaks the connection after the commit, before the reply: the client
// sends again by itself and gets the one exchange.
func TestReplyLost(t *testing.T) {
	s := newSite(t, nil, nil)
	var lost atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/exchanges") && lost.Add(1) <= 2 {
			s.server.ServeHTTP(httptest.NewRecorder(), r) // done, and nobody hears of it
			panic(http.ErrAbortHandler)
		}
		s.server.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	hc := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(hc.CloseIdleConnections)
	a := must(client.New(front.URL, client.Options{HTTP: hc, Token: s.login("clerk-A").Token(), Pause: time.Millisecond}))(t)
	sub := must(a.SubmitBytes(t.Context(), "k", s.World.Pack(s.World.ID(), "A", []byte("x"), nil, "C")))(t)
	if !sub.Repeated || lost.Load() != 3 {
		t.Errorf("after %d requests: %+v", lost.Load(), sub)
	}
	if n := len(must(a.Exchanges(t.Context(), client.Page{}))(t).Items); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
	front.Close()
	_, err := a.Whoami(t.Context())
	if !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("a hub that is away: %v", err)
	}
}

func TestConflictStatuses(t *testing.T) {
	s := newSite(t, nil, nil)
	ctx := t.Context()
	a := s.login("clerk-A")
	id := s.World.ID()
	must(a.SubmitBytes(ctx, "k1", s.World.Pack(id, "A", []byte("one"), nil, "C")))(t)
	_, err := a.SubmitBytes(ctx, "k2", s.World.Pack(id, "A", []byte("two"), nil, "C"))
	p := wantProblem(t, err, api.DuplicateConflict, http.StatusConflict)
	s.settle()
	must(a.Receipt(ctx, p.Evidence))(t)
	_, err = a.SubmitBytes(ctx, "k1", s.World.Pack(s.World.ID(), "A", []byte("three"), nil, "C"))
	wantProblem(t, err, api.DuplicateConflict, http.StatusUnprocessableEntity)
}

func TestSessions(t *testing.T) {
	s := newSite(t, nil, nil)
	ctx := t.Context()
	a := s.login("clerk-A")
	if me := must(a.Whoami(ctx))(t); me.Org != "A" || me.Secret != "" {
		t.Errorf("whoami %+v", me)
	}
	for account, secret := range map[string]string{"clerk-A": "wrong password", "nobody": password, "": "", "clerk-B": password + "x"} {
		_, err := s.login("").Login(ctx, account, secret)
		wantProblem(t, err, api.Unauthenticated, http.StatusUnauthorized)
	}
	token := a.Token()
	if err := a.Logout(ctx); err != nil {
		t.Fatal(err)
	}
	if got := s.call("GET", "/api/v1/sessions/current", token, nil, ""); got.status != 401 {
		t.Errorf("a token after logout: %d", got.status)
	}
	b := s.login("clerk-B")
	if err := s.Directory.SetAccount(ctx, "clerk-B", "b", []directory.Role{directory.Supervisor}, directory.Active); err != nil {
		t.Fatal(err)
	}
	_, err := b.Whoami(ctx)
	wantProblem(t, err, api.Unauthenticated, http.StatusUnauthorized) // the roles changed
	s.login("clerk-C")
	s.World.Clock.Move(13 * time.Hour)
	if got := s.call("GET", "/api/v1/sessions/current", s.login("clerk-C").Token(), nil, ""); got.status != 200 {
		t.Errorf("a fresh login: %d", got.status)
	}
	for range 5 {
		_, _ = s.login("").Login(ctx, "clerk-D", "wrong password")
	}
	_, err = s.login("").Login(ctx, "clerk-D", password)
	wantProblem(t, err, api.RateLimited, http.StatusTooManyRequests)
	s.World.Clock.Move(2 * time.Minute)
	d, elsewhere := s.login("clerk-D"), s.login("clerk-D")
	open := must(d.Sessions(ctx))(t)
	if len(open.Items) != 2 || open.Items[0].Source != "127.0.0.1" || open.Items[0].Current == open.Items[1].Current {
		t.Fatalf("open logins %+v", open)
	}
	other := open.Items[0]
	if other.Current {
		other = open.Items[1]
	}
	_ = wantProblem(t, s.login("clerk-C").RevokeSession(ctx, other.ID), api.NotFound, http.StatusNotFound)
	if err := d.RevokeSession(ctx, other.ID); err != nil {
		t.Fatal(err)
	}
	_, err = elsewhere.Whoami(ctx)
	wantProblem(t, err, api.Unauthenticated, http.StatusUnauthorized)
	_ = wantProblem(t, d.RevokeAccount(ctx, "clerk-C"), api.Forbidden, http.StatusForbidden)
	if err := s.login("root").RevokeAccount(ctx, "clerk-D"); err != nil {
		t.Fatal(err)
	}
	_, err = d.Whoami(ctx)
	wantProblem(t, err, api.Unauthenticated, http.StatusUnauthorized)
}

func TestAdministration(t *testing.T) {
	s := newSite(t, nil, nil)
	ctx := t.Context()
	root := s.login("root")
	e := must(root.SaveOrganisation(ctx, api.Organisation{Code: "E", Name: "新机关", Parent: "A", Status: "active"}, ""))(t)
	if e.Name != "新机关" {
		t.Errorf("saved %+v", e)
	}
	_, err := root.SaveOrganisation(ctx, e, "")
	wantProblem(t, err, api.PreconditionFailed, http.StatusPreconditionFailed)
	e, tag, err := root.OrganisationTag(ctx, "E")
	if err != nil {
		t.Fatal(err)
	}
	e.Name = "更名机关"
	must(root.SaveOrganisation(ctx, e, tag))(t)
	_, err = root.SaveOrganisation(ctx, e, tag)
	wantProblem(t, err, api.PreconditionFailed, http.StatusPreconditionFailed)

	made := must(root.AddAccount(ctx, api.Account{ID: "wang", Org: "E", Name: "王", Roles: []string{"clerk"}}))(t)
	if len(made.Secret) < 20 {
		t.Errorf("made secret of %d characters", len(made.Secret))
	}
	must(s.login("").Login(ctx, "wang", made.Secret))(t)
	_, err = root.AddAccount(ctx, api.Account{ID: "wang", Org: "E", Name: "王", Roles: []string{"clerk"}})
	wantProblem(t, err, api.Conflict, http.StatusConflict)
	if l := must(root.Accounts(ctx, "E", client.Page{}))(t); len(l.Items) != 1 || l.Items[0].Secret != "" {
		t.Errorf("accounts %+v", l)
	}
	first := must(root.Organisations(ctx, client.Page{Limit: 4}))(t)
	rest := must(root.Organisations(ctx, client.Page{Limit: 4, Cursor: first.Next}))(t)
	if len(first.Items) != 4 || len(rest.Items) != 2 || rest.Next != "" {
		t.Errorf("pages of %d and %d offices, next %q", len(first.Items), len(rest.Items), rest.Next)
	}
}

func TestNewRefuses(t *testing.T) {
	s := newSite(t, nil, nil)
	_, err := httpapi.New(httpapi.Config{
		Hub: s.Hub, Directory: s.Directory, Auditor: s.Auditor, Rand: rand.Reader, Clock: s.World.Clock.Now,
		Extra: []func(*httpapi.Server) []httpapi.Route{func(*httpapi.Server) []httpapi.Route {
			return []httpapi.Route{{Method: "GET", Path: "/open"}}
		}},
	})
	if err == nil {
		t.Error("a route without an access rule was mounted")
	}
}

func TestOperations(t *testing.T) {
	ready := api.Health{Ready: true, Degraded: []string{"keys sealed"}}
	s := newSite(t, nil, func(c *httpapi.Config) { c.Ready = func(context.Context) api.Health { return ready } })
	h := s.server.Operations()
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w
	}
	if w := get("/healthz"); w.Code != 200 {
		t.Errorf("healthz %d", w.Code)
	}
	if w := get("/readyz"); w.Code != 200 || !strings.Contains(w.Body.String(), "keys sealed") {
		t.Errorf("readyz %d %s", w.Code, w.Body)
	}
	ready.Ready = false
	if w := get("/readyz"); w.Code != 503 {
		t.Errorf("readyz %d when not ready", w.Code)
	}
}
