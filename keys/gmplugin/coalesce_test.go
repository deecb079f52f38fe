package gmplugin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/vaultkeys"
)

// meddler counts requests below a path, delays them and may spoil answers.
type meddler struct {
	http.Handler
	path     string
	delay    time.Duration
	requests atomic.Int64
	spoil    atomic.Pointer[http.HandlerFunc]
}

// ServeHTTP implements http.Handler.
func (m *meddler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, m.path) {
		m.requests.Add(1)
		time.Sleep(m.delay)
		if f := m.spoil.Load(); f != nil {
			(*f)(w, r)
			return
		}
	}
	m.Handler.ServeHTTP(w, r)
}

func meddle(t *testing.T, path string, delay time.Duration) (*meddler, *vaultkeys.Store) {
	t.Helper()
	view := new(logical.InmemStorage)
	m := &meddler{Handler: &front{t: t, backend: mount(t, view), view: view}, path: path, delay: delay}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	s, err := vaultkeys.Open(vaultkeys.Config{Address: server.URL, Mount: "gm", Login: vaultkeys.Token("t"), Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return m, s
}

// TestCoalescing: concurrent single signatures with one key travel together, a bad one fails alone, and a caller that
// leaves takes nobody along.
func TestCoalescing(t *testing.T) {
	t.Parallel()
	m, s := meddle(t, "/v1/gm/sign/", 20*time.Millisecond)
	made, err := s.Create(t.Context(), keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	if err != nil {
		t.Fatal(err)
	}
	const callers = 64
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			ctx := t.Context()
			if i%16 == 3 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Millisecond)
				defer cancel()
			}
			item := keys.SignItem{Message: gm.Message{byte(i)}}
			if digest := gm.SM3(item.Message); i < callers/2 { // these go in the short form, as long as no bad one is among them
				item = keys.SignItem{Digest: digest[:]}
			}
			if i%16 == 5 {
				item = keys.SignItem{Digest: []byte("short")}
			}
			out, err := s.Sign(ctx, keys.Ref{Name: "k"}, keys.PurposeSign, []keys.SignItem{item})
			switch {
			case i%16 == 3:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("caller %d left: %v", i, err)
				}
			case i%16 == 5:
				if err != nil || !errors.Is(out[0].Err, keys.ErrInvalid) {
					t.Errorf("bad item %d: %v %v", i, err, out)
				}
			case err != nil || out[0].Err != nil || !verifies(made[0], item, out[0].Signature):
				t.Errorf("caller %d: %v %v", i, err, out)
			}
		})
	}
	wait.Wait()
	if n := m.requests.Load(); n > callers/8 {
		t.Errorf("%d callers made %d requests", callers, n)
	}
}

// verifies holds a signature against what it was asked for.
func verifies(info keys.PublicInfo, item keys.SignItem, sig []byte) bool {
	if item.Message != nil {
		return gm.Verify(info.Public, item.Message, sig)
	}
	return gm.VerifyDigest(info.Public, gm.Digest(item.Digest), sig)
}

// TestWrongSignature: a signature that does not verify with the version it names is never handed out.
func TestWrongSignature(t *testing.T) {
	t.Parallel()
	m, s := meddle(t, "/v1/gm/sign/", 0)
	made, err := s.Create(t.Context(), keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign}, keys.CreateOptions{Name: "other", Purpose: keys.PurposeSign})
	if err != nil {
		t.Fatal(err)
	}
	digest := gm.SM3([]byte("m"))
	items := map[string]keys.SignItem{"message": {Message: gm.Message("m")}, "digest": {Digest: digest[:]}}
	sign := func(item keys.SignItem) (keys.SignResult, error) {
		out, err := s.Sign(t.Context(), made[0].Ref, keys.PurposeSign, []keys.SignItem{item})
		if err != nil {
			return keys.SignResult{}, err
		}
		return out[0], out[0].Err
	}
	for name, item := range items {
		if r, err := sign(item); err != nil || !verifies(made[0], item, r.Signature) {
			t.Fatalf("sign a %s: %v", name, err)
		}
	}
	swap := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/v1/gm/sign/other"
		m.Handler.ServeHTTP(w, r)
	})
	m.spoil.Store(&swap)
	for name, item := range items {
		if r, err := sign(item); !errors.Is(err, keys.ErrUnavailable) || r.Signature != nil {
			t.Errorf("%s: a signature of another key comes through: %v", name, err)
		}
	}
	answers := func(data string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":` + data + `}`)) }
	}
	for _, data := range []string{`{}`, `{"key_version":1,"signatures":""}`, `{"key_version":1,"signatures":"MAAwAA=="}`, `{"key_version":2,"signatures":"MAA="}`, `{"key_version":0,"signatures":"MAA="}`, `{"key_version":1,"signatures":"MAA="}`, `{"key_version":"1","signatures":7}`} {
		f := answers(data)
		m.spoil.Store(&f)
		if r, err := sign(items["digest"]); !errors.Is(err, keys.ErrUnavailable) || r.Signature != nil {
			t.Errorf("%s passes for a signature: %v", data, err)
		}
	}
}

// TestBadAnswers: whatever answers in Vault's place, the client gives an error of package keys, in time.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"nothing":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, keys.ErrUnavailable},
		"no JSON":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, keys.ErrUnavailable},
		"other data":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":{"batch_results":[]}}`)) }, keys.ErrUnavailable},
		"bad gateway":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, keys.ErrUnavailable},
		"server error":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, keys.ErrUnavailable},
		"rate limit":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, keys.ErrUnavailable},
		"cut off":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, keys.ErrUnavailable},
		"forbidden":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, keys.ErrDenied},
		"no such mount": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, keys.ErrUnavailable},
		"sealed": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"errors":["Vault is sealed"]}`))
		}, keys.ErrSealed},
	} {
		m, s := meddle(t, "/v1/gm/", 0) // anew: one that had no answers leaves its Vault alone for a while
		m.spoil.Store(&c.answer)
		_, err := s.Sign(t.Context(), keys.Ref{Name: "k"}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: sign: %v, want %v", name, err, c.want)
		}
		if _, err := s.Describe(t.Context(), "k"); !errors.Is(err, c.want) && name != "other data" {
			t.Errorf("%s: describe: %v, want %v", name, err, c.want)
		}
	}
}

// TestParseStore reads names of stores.
func TestParseStore(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"http://127.0.0.1:8200/gm":             {"http://127.0.0.1:8200", "gm"},
		"vault.example:8200/gm/":               {"https://vault.example:8200", "gm"},
		"https://vault.example/gm":             {"https://vault.example", "gm"},
		"gm":                                   {"http://fallback", "gm"},
		"":                                     {},
		"http://127.0.0.1:8200":                {},
		"https://user:secret@vault.example/gm": {},
	} {
		address, mount, err := vaultkeys.ParseStore(text, "http://fallback")
		if address != want[0] || mount != want[1] || (err != nil) != (want[0] == "") {
			t.Errorf("%q: %q %q %v", text, address, mount, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error quotes the password", text)
		}
	}
}
