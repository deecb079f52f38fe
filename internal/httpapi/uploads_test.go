package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/internal/httpapi"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/hub"
)

const uploadsPath = "/api/v1/uploads"

// tusCall is a request of tus.
func (s *site) tusCall(method, path, token string, body []byte, more ...string) answer {
	s.t.Helper()
	kind := ""
	if method == http.MethodPatch {
		kind = api.TypePiece
	}
	return s.call(method, path, token, body, kind, append([]string{api.HeaderTus, "1.0.0"}, more...)...)
}

// TestUploadInPieces: an envelope comes in pieces, is submitted once however often that is asked, and is the same exchange as
// one that comes whole.
func TestUploadInPieces(t *testing.T) {
	s := newSite(t, nil, nil)
	token := s.login("clerk-A").Token()
	body := s.World.Pack(s.World.ID(), "A", bytes.Repeat([]byte("x"), 700<<10), nil, "C")
	begun := s.tusCall(http.MethodPost, uploadsPath, token, nil, api.HeaderUploadLength, fmt.Sprint(len(body)))
	at := begun.header.Get("Location")
	if begun.status != http.StatusCreated || begun.header.Get(api.HeaderUploadOffset) != "0" || begun.header.Get(api.HeaderUploadExpires) == "" {
		t.Fatalf("begin: %d %v", begun.status, begun.header)
	}
	if again := s.tusCall(http.MethodPost, uploadsPath, token, nil, api.HeaderUploadLength, fmt.Sprint(len(body))); again.header.Get("Location") != at {
		t.Errorf("the same key began another upload: %q", again.header.Get("Location"))
	}
	if other := s.tusCall(http.MethodPost, uploadsPath, token, nil, api.HeaderUploadLength, "5"); other.problem.Code != api.DuplicateConflict {
		t.Errorf("the same key with another length: %d %s", other.status, other.body)
	}
	if early := s.call(http.MethodPost, at+"/submit", token, nil, ""); early.problem.Code != api.InvalidTransition {
		t.Errorf("submitted before it was there: %d %s", early.status, early.body)
	}
	half := len(body) / 2
	sum := gm.SM3(body[half:])
	for _, step := range []struct {
		name   string
		offset int
		data   []byte
		sum    []byte
		code   api.Code
		want   int
	}{
		{"first half", 0, body[:half], nil, "", half},
		{"the same again", 0, body[:half], nil, api.OffsetMismatch, half},
		{"a gap", half + 1, body[half+1:], nil, api.OffsetMismatch, half},
		{"another checksum", half, body[half : half+10], sum[:], api.ChecksumMismatch, half},
		{"too much", half, append(bytes.Clone(body[half:]), 'x'), nil, api.TooLarge, half},
		{"the rest", half, body[half:], sum[:], "", len(body)},
	} {
		more := []string{api.HeaderUploadOffset, fmt.Sprint(step.offset)}
		if step.sum != nil {
			more = append(more, api.HeaderUploadChecksum, "sm3 "+base64.StdEncoding.EncodeToString(step.sum))
		}
		got := s.tusCall(http.MethodPatch, at, token, step.data, more...)
		if got.problem.Code != step.code || step.code == "" && got.status != http.StatusNoContent {
			t.Errorf("%s: %d %s, want %q", step.name, got.status, got.body, step.code)
		}
		if now := s.tusCall(http.MethodHead, at, token, nil); now.header.Get(api.HeaderUploadOffset) != fmt.Sprint(step.want) {
			t.Errorf("%s: at %q afterwards, want %d", step.name, now.header.Get(api.HeaderUploadOffset), step.want)
		}
	}
	first := s.call(http.MethodPost, at+"/submit", token, nil, "")
	second := s.call(http.MethodPost, at+"/submit", token, nil, "")
	if first.status != http.StatusAccepted || second.status != http.StatusAccepted || first.header.Get("Location") != second.header.Get("Location") {
		t.Fatalf("submit: %d %s, again %d %s", first.status, first.body, second.status, second.body)
	}
	whole := must(s.login("clerk-A").SubmitBytes(t.Context(), "whole", body))(t)
	if !whole.Repeated || "/api/v1/exchanges/"+whole.Exchange.ID != first.header.Get("Location") {
		t.Errorf("the same envelope in one piece is %+v", whole)
	}
}

func TestUploadRefusals(t *testing.T) {
	s := newSite(t, func(c *hub.Config, _ *hub.Parts) {
		c.Uploads, c.MaxEnvelope = hub.UploadLimits{Open: 2, Bytes: 250}, 200
	}, nil)
	token, other := s.login("clerk-A").Token(), s.login("clerk-B").Token()
	begin := func(token, key, length string) answer {
		return s.tusCall(http.MethodPost, uploadsPath, token, nil, api.HeaderUploadLength, length, api.HeaderIdempotencyKey, key)
	}
	at := begin(token, "a", "200").header.Get("Location")
	for _, tt := range []struct {
		name string
		got  answer
		code api.Code
	}{
		{"no version", s.call(http.MethodPost, uploadsPath, token, nil, "", api.HeaderUploadLength, "5"), api.PreconditionFailed},
		{"no length", s.tusCall(http.MethodPost, uploadsPath, token, nil), api.Malformed},
		{"a length in words", begin(token, "b", "ten"), api.Malformed},
		{"a signed length", begin(token, "b", "+5"), api.Malformed},
		{"nothing", begin(token, "b", "0"), api.Validation},
		{"too large", begin(token, "b", "201"), api.TooLarge},
		{"a name", s.tusCall(http.MethodPost, uploadsPath, token, nil, api.HeaderUploadLength, "5", "Upload-Metadata", "filename eA=="), api.Validation},
		{"more than the quota", begin(token, "b", "51"), api.RateLimited},
		{"another office", s.tusCall(http.MethodPatch, at, other, []byte("x"), api.HeaderUploadOffset, "0"), api.NotFound},
		{"another type", s.call(http.MethodPatch, at, token, []byte("x"), "text/plain", api.HeaderTus, "1.0.0", api.HeaderUploadOffset, "0"), api.UnsupportedFormat},
		{"no offset", s.tusCall(http.MethodPatch, at, token, []byte("x")), api.Malformed},
		{"SHA-1", s.tusCall(http.MethodPatch, at, token, []byte("x"), api.HeaderUploadOffset, "0", api.HeaderUploadChecksum, "sha1 AAAA"), api.Malformed},
	} {
		if tt.got.problem.Code != tt.code {
			t.Errorf("%s: %d %s, want %s", tt.name, tt.got.status, tt.got.body, tt.code)
		}
	}
	if b := begin(other, "a", "200"); b.status != http.StatusCreated {
		t.Errorf("the quota of one office counts for another: %d", b.status)
	}
	if c := begin(token, "b", "50"); c.status != http.StatusCreated {
		t.Errorf("within the quota: %d %s", c.status, c.body)
	}
	if c := begin(token, "c", "0"+""); c.status == http.StatusCreated {
		t.Error("more uploads than are allowed")
	}
	if gone := s.tusCall(http.MethodDelete, at, token, nil); gone.status != http.StatusNoContent {
		t.Errorf("give up: %d %s", gone.status, gone.body)
	}
	if c := begin(token, "c", "200"); c.status != http.StatusCreated {
		t.Errorf("after one was given up: %d %s", c.status, c.body)
	}
	s.World.Clock.Move(25 * time.Hour)
	if n := must(s.Sweep(t.Context()))(t); n != 3 {
		t.Errorf("%d uploads swept, want 3", n)
	}
	if o := s.call(http.MethodOptions, uploadsPath, "", nil, ""); o.status != 204 || o.header.Get("Tus-Max-Size") != "200" || o.header.Get("Tus-Version") != "1.0.0" {
		t.Errorf("options: %d %v", o.status, o.header)
	}
}

// cutting breaks the connection of uploads and downloads after so many bytes, while it has cuts left.
type cutting struct {
	http.RoundTripper
	after int64
	cuts  atomic.Int32
}

// RoundTrip implements http.RoundTripper.
func (c *cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch && c.cuts.Add(-1) >= 0 {
		r = r.Clone(r.Context())
		r.Body = &cutBody{ReadCloser: r.Body, left: c.after}
	}
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/envelope") && c.cuts.Add(-1) >= 0 {
		resp.Body = &cutBody{ReadCloser: resp.Body, left: c.after}
	}
	return resp, err
}

type cutBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (c *cutBody) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}

// TestCutTransfersGoOn: an upload and a download whose connections break go on where they ended, and bring the same bytes.
func TestCutTransfersGoOn(t *testing.T) {
	s := newSite(t, nil, nil)
	body := s.World.Pack(s.World.ID(), "A", bytes.Repeat([]byte("0123456789"), 300<<10), nil, "C")
	cut := &cutting{RoundTripper: &http.Transport{}, after: 700 << 10}
	cut.cuts.Store(3)
	a := must(client.New(s.url, client.Options{HTTP: &http.Client{Transport: cut}, Token: s.login("clerk-A").Token(), Pause: time.Millisecond, Tries: 2}))(t)
	t.Cleanup(cut.RoundTripper.(*http.Transport).CloseIdleConnections)
	var told int64
	sub := must(a.Upload(t.Context(), "k", bytes.NewReader(body), int64(len(body)), func(sent, _ int64) { told = max(told, sent) }))(t)
	if sub.Exchange.Size != int64(len(body)) || sub.Exchange.EnvelopeSM3 != fmt.Sprintf("%x", gm.SM3(body)) || told != int64(len(body)) {
		t.Fatalf("uploaded %+v, told %d", sub.Exchange, told)
	}
	if left := cut.cuts.Load(); left > -1 {
		t.Errorf("%d cuts left: nothing was cut", left)
	}
	if again := must(a.Upload(t.Context(), "k", bytes.NewReader(body), int64(len(body)), nil))(t); !again.Repeated || again.Exchange.ID != sub.Exchange.ID {
		t.Errorf("the same upload again: %+v", again)
	}
	var whole, inPieces bytes.Buffer
	if err := a.OwnEnvelope(t.Context(), sub.Exchange.ID, &whole); err != nil {
		t.Fatal(err)
	}
	cut.cuts.Store(3)
	if err := a.OwnEnvelope(t.Context(), sub.Exchange.ID, &inPieces); err != nil || !bytes.Equal(whole.Bytes(), inPieces.Bytes()) {
		t.Errorf("a download in pieces: %d of %d bytes, %v", inPieces.Len(), whole.Len(), err)
	}
}

// TestRanges: a part is what it says, of the same envelope alone.
func TestRanges(t *testing.T) {
	s := newSite(t, nil, nil)
	a := s.login("clerk-A")
	sub := must(a.SubmitBytes(t.Context(), "k", s.World.Pack(s.World.ID(), "A", bytes.Repeat([]byte("x"), 100<<10), nil, "C")))(t)
	path := "/api/v1/exchanges/" + sub.Exchange.ID + "/envelope"
	get := func(more ...string) answer { return s.call(http.MethodGet, path, a.Token(), nil, "", more...) }
	whole := get()
	tag := whole.header.Get("ETag")
	if whole.status != 200 || !strings.HasPrefix(tag, `"sm3-`) || whole.header.Get("Accept-Ranges") != "bytes" || get().header.Get("ETag") != tag {
		t.Fatalf("whole: %d %v", whole.status, whole.header)
	}
	n := len(whole.body)
	for _, tt := range []struct {
		name string
		more []string
		want int
		body []byte
	}{
		{"the beginning", []string{"Range", "bytes=0-9"}, 206, whole.body[:10]},
		{"across header and payload", []string{"Range", "bytes=10-70000"}, 206, whole.body[10:70001]},
		{"the end", []string{"Range", "bytes=-20"}, 206, whole.body[n-20:]},
		{"the rest", []string{"Range", fmt.Sprintf("bytes=%d-", n/2), "If-Range", tag}, 206, whole.body[n/2:]},
		{"of another envelope", []string{"Range", "bytes=5-", "If-Range", `"sm3-00"`}, 200, whole.body},
		{"not changed", []string{"If-None-Match", tag}, 304, nil},
		{"behind the end", []string{"Range", fmt.Sprintf("bytes=%d-", n)}, 416, nil},
	} {
		got := get(tt.more...)
		if got.status != tt.want || tt.want < 300 && !bytes.Equal(got.body, tt.body) {
			t.Errorf("%s: %d with %d bytes, want %d with %d", tt.name, got.status, len(got.body), tt.want, len(tt.body))
		}
		if tt.want == 416 && (got.problem.Code != api.RangeUnsatisfiable || got.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", n)) {
			t.Errorf("%s: %s %v", tt.name, got.body, got.header)
		}
	}
}

// TestRatesAreLimited: an office that asks too much is told when to come again; the others are not.
func TestRatesAreLimited(t *testing.T) {
	s := newSite(t, nil, func(c *httpapi.Config) { c.Limits.Office = httpapi.Rate{PerSecond: 0.5, Burst: 3} })
	a, b := s.login("clerk-A").Token(), s.login("clerk-B").Token()
	last := answer{}
	for range 4 {
		last = s.call(http.MethodGet, "/api/v1/inbox", a, nil, "")
	}
	if last.status != http.StatusTooManyRequests || last.problem.Code != api.RateLimited || last.header.Get("Retry-After") != "2" {
		t.Errorf("too much: %d %s, Retry-After %q", last.status, last.body, last.header.Get("Retry-After"))
	}
	if got := s.call(http.MethodGet, "/api/v1/inbox", b, nil, ""); got.status != 200 {
		t.Errorf("another office: %d", got.status)
	}
	s.World.Clock.Move(2 * time.Second)
	if got := s.call(http.MethodGet, "/api/v1/inbox", a, nil, ""); got.status != 200 {
		t.Errorf("after the wait: %d", got.status)
	}
}

// TestSlowUploadsOfOneOfficeDoNotStopAnother: one office fills all the places it can get with uploads that stand still.
func TestSlowUploadsOfOneOfficeDoNotStopAnother(t *testing.T) {
	s := newSite(t, nil, func(c *httpapi.Config) { c.Limits.Places = 4 })
	slow, token := s.login("clerk-B").Token(), s.login("clerk-A")
	ctx, stop := context.WithCancel(t.Context())
	hold, feed := io.Pipe()
	defer feed.Close()
	done := make(chan struct{}, 8)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	for range cap(done) {
		req := must(http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1/exchanges", io.NopCloser(hold)))(t)
		req.Header.Set("Authorization", "Bearer "+slow)
		req.Header.Set(api.HeaderIdempotencyKey, "k")
		req.Header.Set("Content-Type", api.TypeEnvelope)
		go func() {
			if resp, err := tr.RoundTrip(req); err == nil {
				_ = resp.Body.Close()
			}
			done <- struct{}{}
		}()
	}
	time.Sleep(50 * time.Millisecond) // they take their places
	body := s.World.Pack(s.World.ID(), "A", bytes.Repeat([]byte("x"), 100<<10), nil, "C")
	quick, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := token.SubmitBytes(quick, "k", body); err != nil {
		t.Errorf("another office's large envelope: %v", err)
	}
	stop()
	_ = feed.CloseWithError(io.ErrUnexpectedEOF)
	for range cap(done) {
		<-done
	}
}
