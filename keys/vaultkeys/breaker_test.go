package vaultkeys_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/keys"
	"yinxin/keys/vaultkeys"
)

// hands is a clock that a test moves.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) read() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// TestSilentVault: a Vault that does not answer costs three callers their time. The others are told at once, with the time
// to try again; one a second looks, and with the first answer all work again. Callers that leave count for nothing.
func TestSilentVault(t *testing.T) {
	t.Parallel()
	var answers atomic.Bool
	var requests atomic.Int64
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/auth/token/lookup-self" { // the renewal, which is of no caller
			w.WriteHeader(http.StatusForbidden)
			return
		}
		requests.Add(1)
		if !answers.Load() {
			select {
			case <-ended:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"errors":["gm conflict: as it is"]}`))
	}))
	defer server.Close()
	defer close(ended)
	const patience = 100 * time.Millisecond
	clock := &hands{now: time.Unix(1_800_000_000, 0)}
	s, err := vaultkeys.Open(vaultkeys.Config{
		Address: server.URL, Mount: "gm", Login: vaultkeys.Token("t"), Timeout: patience, Now: clock.read,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ask := func(ctx context.Context) error {
		_, err := s.Describe(ctx, "k")
		return err
	}
	for range 5 {
		ctx, leave := context.WithTimeout(t.Context(), patience/10)
		if err := ask(ctx); err == nil {
			t.Fatal("an answer from nowhere")
		}
		leave()
	}
	for n := range 3 {
		var away *keys.UnavailableError
		if err := ask(t.Context()); !errors.As(err, &away) || away.RetryAfter != 0 {
			t.Fatalf("call %d: %v", n, err)
		}
	}
	before := requests.Load()
	for range 20 {
		var away *keys.UnavailableError
		start := time.Now()
		if err := ask(t.Context()); !errors.As(err, &away) || away.RetryAfter != time.Second || time.Since(start) > patience/2 {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
	}
	if requests.Load() != before {
		t.Error("a Vault that does not answer goes on being asked")
	}
	clock.move(time.Second)
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() { _ = ask(t.Context()) })
	}
	wait.Wait()
	if looked := requests.Load() - before; looked != 1 {
		t.Errorf("%d calls look whether Vault is back", looked)
	}
	answers.Store(true)
	clock.move(time.Second)
	for range 3 {
		if err := ask(t.Context()); !errors.Is(err, keys.ErrConflict) {
			t.Errorf("with an answer: %v", err)
		}
	}
}
