package embedded_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"yinxin/internal/httpapi"
	"yinxin/internal/httpapi/apitest"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/directory"
)

// web serves a system and logs accounts in.
type web struct {
	*exchange
	server *httpapi.Server
	url    string
}

func serve(t *testing.T) *web {
	t.Helper()
	x := start(t)
	server, err := x.Server()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(apitest.Load(x.t).Hold(x.t, server))
	t.Cleanup(s.Close)
	return &web{exchange: x, server: server, url: s.URL}
}

func (w *web) login(account string) *client.Client {
	w.t.Helper()
	secret, err := w.Directory.SetSecret(w.t.Context(), account, "")
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := client.New(w.url, client.Options{Tries: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := c.Login(w.t.Context(), account, secret); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// status sends a request with a JSON body and returns the status and the answer's text.
func (w *web) status(method, path, token, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", api.TypeJSON)
	req.Header.Set(api.HeaderIdempotencyKey, "k")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text := make([]byte, 4096)
	n, _ := resp.Body.Read(text)
	return resp.StatusCode, string(text[:n])
}

// bodies are well-formed requests for the routes of the office service that take one.
func bodies(path string) string {
	switch {
	case strings.HasSuffix(path, "/decision"):
		return `{"unsealed_sm3":"` + strings.Repeat("0", 64) + `","digest":"` + strings.Repeat("0", 64) + `","approve":true}`
	case strings.HasSuffix(path, "/return"):
		return `{"reason":"01","text":"x"}`
	case strings.HasSuffix(path, "/decline"):
		return `{"reason":"x"}`
	case strings.HasSuffix(path, "/status"):
		return `{"to":"voided"}`
	}
	return `{}`
}

// fill puts an id where a path has its variable, whose pattern may hold braces of its own.
func fill(path, id string) string {
	depth, start := 0, strings.IndexByte(path, '{')
	for i := start; i < len(path); i++ {
		switch path[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return path[:start] + id + path[i+1:]
			}
		}
	}
	return path
}

func TestOfficeRoutesShowNothingToOthers(t *testing.T) {
	w := serve(t)
	d := w.ask()
	w.send()
	delivery := w.delivery(recipient)
	others := map[string]*client.Client{}
	for _, a := range []string{"yxcz-clerk", "yxcz-approver", "admin", "custodian", "archivist"} {
		others[a] = w.login(a)
	}
	for _, r := range w.server.Routes() {
		if !strings.HasPrefix(r.Path, api.Prefix+"/office/") || !strings.Contains(r.Path, "{") || strings.Contains(r.Path, "/seals/") {
			continue
		}
		id := d.ID
		if strings.Contains(r.Path, "/deliveries/") {
			id = delivery
		}
		path := fill(r.Path, id)
		if got, _ := w.status(r.Method, path, "", bodies(path)); got != http.StatusUnauthorized {
			t.Errorf("%s %s without a login: %d, want 401", r.Method, path, got)
		}
		for account, c := range others {
			a, err := w.Directory.Account(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			want := http.StatusNotFound
			if !a.Has(r.Roles...) {
				want = http.StatusForbidden
			}
			got, text := w.status(r.Method, path, c.Token(), bodies(path))
			if got != want {
				t.Errorf("%s %s as %s: %d, want %d: %s", r.Method, path, account, got, want, text)
			}
			missing := fill(r.Path, "01a20000-0000-7000-8000-000000000000")
			gotMissing, textMissing := w.status(r.Method, missing, c.Token(), bodies(path))
			if gotMissing != got || stripInstance(textMissing) != stripInstance(text) {
				t.Errorf("%s %s as %s: another office's object answers %d %s, a missing one %d %s", r.Method, path, account, got, text, gotMissing, textMissing)
			}
		}
	}
}

var instance = regexp.MustCompile(`"instance":"[^"]*"`)

func stripInstance(s string) string { return instance.ReplaceAllString(s, "") }

func TestOfficeRolesOverHTTP(t *testing.T) {
	w := serve(t)
	for _, tt := range []struct {
		account, method, path string
		want                  int
	}{
		{"yxzf-clerk", http.MethodPost, "/office/organisations", http.StatusForbidden},
		{"custodian", http.MethodPost, "/office/organisations", http.StatusForbidden},
		{"admin", http.MethodPost, "/office/seals", http.StatusForbidden},
		{"yxzf-approver", http.MethodPost, "/office/dispatches", http.StatusForbidden},
		{"archivist", http.MethodGet, "/office/dispatches", http.StatusForbidden},
		{"admin", http.MethodPost, "/office/certificates", http.StatusUnprocessableEntity}, // may, but the key is none
	} {
		c := w.login(tt.account)
		if got, text := w.status(tt.method, api.Prefix+tt.path, c.Token(), `{}`); got != tt.want {
			t.Errorf("%s %s as %s: %d, want %d: %s", tt.method, tt.path, tt.account, got, tt.want, text)
		}
	}
	for _, r := range w.server.Routes() {
		if slices.Contains(r.Roles, directory.Approver) && slices.Contains(r.Roles, directory.Clerk) && r.Method != http.MethodGet {
			t.Errorf("%s %s lets both clerks and approvers act", r.Method, r.Path)
		}
	}
}

func TestCustodianOfAHubSeesItsSealsAndChangesThem(t *testing.T) {
	w := serve(t)
	id := w.seal("YXZF")
	c := w.login("custodian")
	got, err := c.Seals(t.Context(), "YXZF", client.Page{})
	if err != nil || len(got.Items) != 1 || got.Items[0].ID != id || got.Items[0].Status != "active" {
		t.Fatalf("seals: %+v, %v", got, err)
	}
	clerkSees, err := w.login("yxcz-clerk").Seals(t.Context(), "YXZF", client.Page{})
	if err != nil || len(clerkSees.Items) != 1 || clerkSees.Items[0].Office != "YXCZ" {
		t.Errorf("another office's clerk asks for YXZF and sees %+v, %v; want its own alone", clerkSees, err)
	}
	if _, err := c.ChangeSeal(t.Context(), id, api.SealChange{To: "voided", Reason: "worn"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ChangeSeal(t.Context(), id, api.SealChange{To: "active"}); err == nil {
		t.Error("a voided seal came back")
	}
	if _, err := w.login("yxzf-clerk").AskForSeal(t.Context(), api.DispatchRequest{Draft: w.noticeText(), Seal: id, To: []string{"YXJY"}}); err == nil {
		t.Error("a voided seal was asked for")
	}
}
