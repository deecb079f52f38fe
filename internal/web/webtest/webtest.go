// Package webtest starts the console over a whole system and drives a real browser against it. A test that uses it fails
// on whatever the browser complains of: errors on its console, violations of the content policy, requests to another host.
//
// It is for tests alone.
package webtest

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"yinxin/examples"
	"yinxin/internal/embedded"
	"yinxin/internal/web"
	"yinxin/keys/filekeys"
)

// Hub is a running system with its console.
type Hub struct {
	*embedded.System
	t       *testing.T
	URL     string
	secrets map[string]string
}

// Start runs the example's offices on a free port of loopback. The verifier for browsers may be nil.
func Start(t *testing.T, verifier web.Verifier) *Hub {
	t.Helper()
	data, err := examples.Files.ReadFile("exchange.yaml")
	if err != nil {
		t.Fatal(err)
	}
	setup, err := embedded.ParseSetup(data)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	store, err := filekeys.Create(t.Context(), filepath.Join(dir, "keys"), []byte("a passphrase for tests"), filekeys.Options{
		KDF: filekeys.KDF{MemoryKiB: filekeys.MinMemoryKiB, Time: 1, Threads: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &Hub{t: t, secrets: map[string]string{}}
	h.System, err = embedded.Open(t.Context(), embedded.Config{
		Dir: filepath.Join(dir, "hub"), Keys: store, Code: "HUB", Archive: setup.ArchiveCode(), Fonds: "Z001",
		Origin: "test.yinxin/log", Authority: "云溪市公文交换 测试根", Clock: time.Now, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(errors.Join(err, store.Close()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, h.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	logins, err := h.Apply(t.Context(), setup)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logins {
		h.secrets[l.Account] = l.Secret
	}
	handler, err := h.Handler(verifier)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	if server.Listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections() // a live connection would hold the end up
		server.Close()
	})
	h.URL = server.URL
	return h
}

// Secret is the login secret of an account of the example.
func (h *Hub) Secret(account string) string {
	h.t.Helper()
	s, ok := h.secrets[account]
	if !ok {
		h.t.Fatalf("the example has no account %s", account)
	}
	return s
}

// Get fetches what anybody may have.
func (h *Hub) Get(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return body
}

// Console is another console of the same system, to look at its rules.
func (h *Hub) Console(t *testing.T) *web.Server {
	t.Helper()
	s, err := h.System.Console(nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
