package tsp_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/asn1"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

// rand is crypto/rand as a value.
type rand struct{}

func (rand) Read(p []byte) (int, error) { return crand.Read(p) }

// server runs a handler and returns its address.
func server(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// client asks the addresses without waiting between attempts; pauses collects how long it would have waited.
func (o *office) client(t *testing.T, pauses *[]time.Duration, shape func(*tsp.ClientOptions), urls ...string) *tsp.Client {
	t.Helper()
	options := tsp.ClientOptions{
		URLs: urls, Trust: o.pki.Policy(), Now: func() time.Time { return *o.clock }, Timeout: 5 * time.Second,
		Sleep: func(_ context.Context, d time.Duration) error {
			if pauses != nil {
				*pauses = append(*pauses, d)
			}
			return nil
		},
	}
	if shape != nil {
		shape(&options)
	}
	c, err := tsp.NewClient(options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClient(t *testing.T) {
	o := newOffice(t, nil)
	url := server(t, o)
	sum := gm.SM3([]byte("a seal"))
	token, err := o.client(t, nil, nil, url).Stamp(t.Context(), sum, now)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, token.Judge(sum, o.trust()), verdict.Passed, "")
}

// TestClientRetries: a failure on the way is tried again with growing pauses, then the next authority is asked.
func TestClientRetries(t *testing.T) {
	o := newOffice(t, nil)
	sum := gm.SM3([]byte("a seal"))
	var calls atomic.Int32
	flaky := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		o.ServeHTTP(w, r)
	}))
	var pauses []time.Duration
	if _, err := o.client(t, &pauses, nil, flaky).Stamp(t.Context(), sum, now); err != nil || calls.Load() != 3 {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
	if len(pauses) != 2 || pauses[1] != 2*pauses[0] {
		t.Errorf("pauses %v", pauses)
	}
	down := server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	if _, err := o.client(t, nil, nil, down, server(t, o)).Stamp(t.Context(), sum, now); err != nil {
		t.Errorf("with a second authority: %v", err)
	}
	if _, err := o.client(t, nil, nil, down).Stamp(t.Context(), sum, now); !errors.Is(err, tsp.ErrUnavailable) {
		t.Errorf("with none that answers: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.client(t, nil, nil, server(t, o)).Stamp(canceled, sum, now); !errors.Is(err, tsp.ErrUnavailable) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestClientRefuses is T-13: answers that are garbage, slow, replayed, too large or by the wrong authority give no token
// and are not asked for again.
func TestClientRefuses(t *testing.T) {
	o := newOffice(t, nil)
	rogue := newOffice(t, nil)
	sum := gm.SM3([]byte("a seal"))
	replayed, err := o.Respond(newRequest(t, sum, nil).Raw)
	if err != nil {
		t.Fatal(err)
	}
	reply := func(contentType string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(body)
		}
	}
	late := newOffice(t, nil)
	late.pki, late.Authority = o.pki, o.Authority
	tests := []struct {
		name   string
		answer http.Handler
		want   verdict.Reason
	}{
		{"the twin", o, ""},
		{"garbage", reply(tsp.ReplyType, []byte("garbage")), verdict.TimestampInvalid},
		{"too large", reply(tsp.ReplyType, bytes.Repeat([]byte{0x30}, tsp.MaxResponse+1)), verdict.TimestampInvalid},
		{"another media type", reply("text/html", replayed), verdict.TimestampInvalid},
		{"a replayed token", reply(tsp.ReplyType, replayed), verdict.TimestampNonce},
		{"a rogue authority", rogue, verdict.TimestampChain},
		{"not found", http.NotFoundHandler(), verdict.TimestampStatus},
		{"a redirect", http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect), verdict.TimestampStatus},
		{"about other data", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			asked, err := tsp.ParseRequest(body)
			if err != nil {
				t.Error(err)
			}
			// The right nonce and another imprint: the digest is the only run of 32 bytes in the request.
			real, _ := asked.Sum()
			lie := gm.SM3([]byte("another"))
			answer, err := o.Respond(bytes.Replace(body, real[:], lie[:], 1))
			if err != nil {
				t.Error(err)
			}
			reply(tsp.ReplyType, answer)(w, r)
		}), verdict.TimestampImprint},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int32
			url := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls.Add(1); tt.answer.ServeHTTP(w, r) }))
			_, err := o.client(t, nil, nil, url).Stamp(t.Context(), sum, now)
			refused, ok := errors.AsType[*tsp.RefusedError](err)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (!ok || refused.Reason != tt.want || !errors.Is(err, tsp.ErrUnavailable)):
				t.Errorf("%v, want %s", err, tt.want)
			}
			if calls.Load() != 1 {
				t.Errorf("%d calls", calls.Load())
			}
		})
	}
	t.Run("slow", func(t *testing.T) {
		gate := make(chan struct{})
		url := server(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-gate:
			case <-r.Context().Done():
			}
		}))
		defer close(gate)
		c := o.client(t, nil, func(c *tsp.ClientOptions) { c.Timeout, c.Attempts = 50*time.Millisecond, 2 }, url)
		if _, err := c.Stamp(t.Context(), sum, now); !errors.Is(err, tsp.ErrUnavailable) {
			t.Error(err)
		}
	})
	t.Run("a policy that was not asked for", func(t *testing.T) {
		c := o.client(t, nil, func(c *tsp.ClientOptions) { c.Policy = asn1.ObjectIdentifier{2, 999, 3161, 9} }, server(t, o))
		_, err := c.Stamp(t.Context(), sum, now)
		if refused, ok := errors.AsType[*tsp.RefusedError](err); !ok || refused.Reason != verdict.TimestampStatus {
			t.Error(err)
		}
	})
	t.Run("a stale clock at the authority", func(t *testing.T) {
		behind := now
		c := o.client(t, nil, func(c *tsp.ClientOptions) { c.Now = func() time.Time { return behind.Add(time.Hour) } }, server(t, o))
		_, err := c.Stamp(t.Context(), sum, time.Time{})
		if refused, ok := errors.AsType[*tsp.RefusedError](err); !ok || refused.Reason != verdict.TimestampTime {
			t.Error(err)
		}
	})
}

// TestClientGrace: work goes on for a while without time-stamps, and then no longer; one success starts anew.
func TestClientGrace(t *testing.T) {
	o := newOffice(t, nil)
	var up atomic.Bool
	url := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		o.ServeHTTP(w, r)
	}))
	c := o.client(t, nil, func(c *tsp.ClientOptions) { c.MaxFailure = time.Hour }, url)
	sum := gm.SM3([]byte("a seal"))
	step := func(after time.Duration, wantErr error) {
		t.Helper()
		*o.clock = now.Add(after)
		_, err := c.Stamp(t.Context(), sum, *o.clock)
		if (err == nil) != up.Load() {
			t.Errorf("after %s: %v", after, err)
		}
		if got := c.Accepts(); !errors.Is(got, wantErr) {
			t.Errorf("after %s: accepts %v, want %v", after, got, wantErr)
		}
	}
	if err := c.Accepts(); err != nil {
		t.Errorf("before anything was asked: %v", err)
	}
	step(0, nil)
	step(time.Hour, nil)
	step(time.Hour+time.Second, tsp.ErrTooLong)
	up.Store(true)
	step(time.Hour+2*time.Second, nil)
	up.Store(false)
	step(2*time.Hour, nil)
}

func TestServeHTTPRefuses(t *testing.T) {
	o := newOffice(t, nil)
	url := server(t, o)
	good := newRequest(t, gm.SM3([]byte("a seal")), nil).Raw
	tests := []struct {
		name, method, contentType string
		body                      []byte
		want                      int
	}{
		{"the twin", http.MethodPost, tsp.QueryType, good, http.StatusOK},
		{"a GET", http.MethodGet, tsp.QueryType, nil, http.StatusMethodNotAllowed},
		{"another media type", http.MethodPost, "text/plain", good, http.StatusUnsupportedMediaType},
		{"too large", http.MethodPost, tsp.QueryType, make([]byte, tsp.MaxRequest+1), http.StatusRequestEntityTooLarge},
		{"garbage is answered by a refusal", http.MethodPost, tsp.QueryType, []byte("garbage"), http.StatusOK},
	}
	for _, tt := range tests {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, url, bytes.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.contentType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, resp.StatusCode, tt.want)
		}
	}
	if _, err := tsp.NewClient(tsp.ClientOptions{}); !errors.Is(err, tsp.ErrOptions) {
		t.Errorf("a client without an address: %v", err)
	}
}
