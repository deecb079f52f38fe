package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/transport/api"
)

// server answers the n-th request with the n-th answer, the last one for ever.
func server(t *testing.T, answers ...http.HandlerFunc) (*Client, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		answers[min(i, len(answers)-1)](w, r)
	}))
	t.Cleanup(ts.Close)
	c, err := New(ts.URL, Options{Pause: time.Millisecond, Token: "secret-token"})
	if err != nil {
		t.Fatal(err)
	}
	return c, &n
}

func answer(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func problemAnswer(code api.Code) http.HandlerFunc {
	return answer(api.MeaningOf(code).Status, api.TypeProblem, `{"code":"`+string(code)+`","retryable":`+
		map[bool]string{true: "true", false: "false"}[api.MeaningOf(code).Retryable]+`}`)
}

func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"exchange"`)
	panic(http.ErrAbortHandler)
}

func TestRetries(t *testing.T) {
	good := answer(http.StatusCreated, api.TypeJSON, `{"exchange":{"id":"x"}}`)
	for _, tt := range []struct {
		name    string
		answers []http.HandlerFunc
		key     string
		tries   int32
		code    api.Code // of the problem; empty: success
	}{
		{"at once", []http.HandlerFunc{good}, "k", 1, ""},
		{"away for a while", []http.HandlerFunc{problemAnswer(api.Dependency), good}, "k", 2, ""},
		{"reply cut off", []http.HandlerFunc{cut, good}, "k", 2, ""},
		{"a proxy's page", []http.HandlerFunc{answer(502, "text/html", "<h1>Bad Gateway</h1>"), good}, "k", 2, ""},
		{"refused", []http.HandlerFunc{problemAnswer(api.InvalidAddressee), good}, "k", 1, api.InvalidAddressee},
		{"away for ever", []http.HandlerFunc{problemAnswer(api.Dependency)}, "k", 4, api.Dependency},
		{"without a key", []http.HandlerFunc{problemAnswer(api.Dependency), good}, "", 1, api.Dependency},
		{"no hub at all", []http.HandlerFunc{answer(404, "text/plain", "nothing here")}, "k", 1, api.Internal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var bodies []string
			for i, a := range tt.answers {
				tt.answers[i] = func(w http.ResponseWriter, r *http.Request) {
					b, _ := io.ReadAll(r.Body)
					bodies = append(bodies, r.Header.Get(api.HeaderIdempotencyKey)+" "+string(b))
					a(w, r)
				}
			}
			c, n := server(t, tt.answers...)
			sub, err := c.SubmitBytes(t.Context(), tt.key, []byte("envelope"))
			if n.Load() != tt.tries {
				t.Errorf("%d tries, want %d", n.Load(), tt.tries)
			}
			for _, b := range bodies {
				if b != tt.key+" envelope" {
					t.Errorf("sent %q", b)
				}
			}
			if tt.code == "" {
				if err != nil || sub.Exchange.ID != "x" {
					t.Errorf("got %+v, %v", sub, err)
				}
				return
			}
			var p *api.Problem
			if !errors.As(err, &p) || p.Code != tt.code {
				t.Errorf("error %v, want %s", err, tt.code)
			}
			if strings.Contains(err.Error(), "secret-token") {
				t.Error("the token is in the error")
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	ts := httptest.NewServer(http.NotFoundHandler())
	ts.Close()
	c, err := New(ts.URL, Options{Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Whoami(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Whoami(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestDownloadIsWholeOrAnError(t *testing.T) {
	c, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100_000))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	if err := c.Envelope(t.Context(), "d", io.Discard); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a download that was cut off: %v", err)
	}
	c, _ = server(t, answer(200, api.TypeEnvelope, "whole"))
	var out strings.Builder
	if err := c.Envelope(t.Context(), "d", &out); err != nil || out.String() != "whole" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestReceiptPending(t *testing.T) {
	c, n := server(t, answer(202, api.TypeJSON, `{}`), answer(202, api.TypeJSON, `{}`), answer(200, api.TypeReceipt, "receipt"))
	if _, err := c.Receipt(t.Context(), "e"); !errors.Is(err, ErrPending) {
		t.Errorf("error %v, want pending", err)
	}
	body, err := c.WaitReceipt(t.Context(), "e")
	if err != nil || string(body) != "receipt" || n.Load() != 3 {
		t.Errorf("got %q, %v after %d", body, err, n.Load())
	}
}

func TestAddress(t *testing.T) {
	for _, good := range []string{"http://127.0.0.1:8080", "https://hub.example/", "https://hub.example/under"} {
		if _, err := New(good, Options{}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "hub.example", "ftp://hub", "http://", "https://user:pw@hub", "https://hub?x=1", "://"} {
		if _, err := New(bad, Options{}); err == nil {
			t.Errorf("%q was taken", bad)
		} else if strings.Contains(bad, "pw") && strings.Contains(err.Error(), "pw") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
}
