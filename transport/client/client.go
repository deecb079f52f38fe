// Package client speaks to a hub over HTTP.
//
// It promises that a request which may have been done is sent again with the same
// idempotency key and the same bytes, so that a hub which dies between commit and
// reply leaves one exchange and one receipt; that what the hub refuses comes back as
// the *api.Problem it sent; and that a download is complete or an error.
//
// It verifies nothing: receipts and envelopes are judged by transport/receipt and
// transport/envelope.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"yinxin/transport/api"
)

// ErrUnreachable is wrapped where no answer of the hub came, after all tries.
var ErrUnreachable = errors.New("hub cannot be reached")

// ErrPending says that a receipt is not built yet.
var ErrPending = errors.New("receipt is not built yet")

// Options of a Client. The zero value is good.
type Options struct {
	// Token is that of an earlier Login.
	Token string
	// HTTP is the client to use; nil means one with sensible time limits.
	HTTP *http.Client
	// Tries is how often a request is sent at most; zero means 4.
	Tries int
	// Pause is the wait before the second try, doubled after each; zero means 200 ms.
	Pause time.Duration
	// Rand makes idempotency keys; nil means crypto/rand.
	Rand io.Reader
}

// Client speaks to one hub as one account. It may be used from many goroutines.
type Client struct {
	base string
	o    Options
}

// New makes a client of the hub at an address such as https://hub.example:8443.
func New(address string, o Options) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("hub address is not of the form https://host") // it may hold a password: not repeated
	}
	if o.HTTP == nil {
		t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // what it is by its documentation
		t.ResponseHeaderTimeout = 2 * time.Minute
		o.HTTP = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if o.Tries <= 0 {
		o.Tries = 4
	}
	if o.Pause <= 0 {
		o.Pause = 200 * time.Millisecond
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &Client{base: strings.TrimRight(u.String(), "/"), o: o}, nil
}

// Token is the token of the present login, empty without one.
func (c *Client) Token() string { return c.o.Token }

// Address is the hub's.
func (c *Client) Address() string { return c.base }

// NewKey makes an idempotency key of 128 random bits. Keep it with the request where
// the request may be repeated by another process.
func (c *Client) NewKey() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(c.o.Rand, b[:]); err != nil {
		return "", fmt.Errorf("make idempotency key: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// request is one call, so that it can be sent again.
type request struct {
	method, path string
	key          string
	header       http.Header
	// body opens the bytes anew for each try; nil for none.
	body func() (io.ReadCloser, error)
	size int64
	// twice says that sending again does no harm without a key.
	twice bool
	// stream leaves the body of the answer to the caller; else it is read whole, and
	// one that is cut off counts as no answer.
	stream bool
}

// send sends a request until it is answered, and returns an answer of the 2xx and 3xx
// statuses. Another one is an *api.Problem.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	pause := c.o.Pause
	for try := 1; ; try++ {
		resp, err := c.once(ctx, r)
		if err == nil {
			return resp, nil
		}
		var p *api.Problem
		again := !errors.As(err, &p) || p.Retryable
		if !again || ctx.Err() != nil || try == c.o.Tries || !r.twice && r.key == "" {
			return nil, err
		}
		wait := pause
		if p != nil && p.RetryAfter > 0 {
			wait = time.Duration(p.RetryAfter) * time.Second
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		case <-timer.C:
		}
		pause *= 2
	}
}

func (c *Client) once(ctx context.Context, r request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, nil)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		if req.Body, err = r.body(); err != nil {
			return nil, err
		}
		req.ContentLength = r.size
	}
	maps.Copy(req.Header, r.header)
	if r.key != "" {
		req.Header.Set(api.HeaderIdempotencyKey, r.key)
	}
	if c.o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.o.Token)
	}
	resp, err := c.o.HTTP.Do(req)
	if err != nil {
		// url.Error repeats the address, which a caller knows; what matters is why.
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return nil, fmt.Errorf("%s %s: %w: %w", r.method, r.path, ErrUnreachable, err)
	}
	if resp.StatusCode < 400 && r.stream {
		return resp, nil
	}
	defer drain(resp.Body) // this body: the answer's is replaced below
	if resp.StatusCode >= 400 {
		return nil, problem(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJSON))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %w", r.method, r.path, ErrUnreachable, err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// maxProblem bounds a problem object, maxJSON any other JSON answer.
const (
	maxProblem = 1 << 20
	maxJSON    = 64 << 20
)

// problem reads a problem object. An answer that is none (a proxy's page) becomes one
// by its status.
func problem(resp *http.Response) error {
	retry, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	var p api.Problem
	if err != nil || t != api.TypeProblem || json.Unmarshal(body, &p) != nil || p.Code == "" {
		p = *api.NewProblem(api.Internal, fmt.Sprintf("answer %s is not of a hub", resp.Status))
		p.Retryable = resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable ||
			resp.StatusCode == http.StatusGatewayTimeout
	}
	p.Status, p.RetryAfter = resp.StatusCode, retry
	return &p
}

// maxDrain is how much of an unread answer is worth keeping the connection.
const maxDrain = 64 << 10

func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxDrain)
	_ = body.Close()
}

// callJSON sends in (nil for none) and reads the answer into Out.
func callJSON[Out any](ctx context.Context, c *Client, method, path, key string, in any, header http.Header) (Out, error) {
	var out Out
	r := request{method: method, path: api.Prefix + path, key: key, header: header.Clone(), twice: method != http.MethodPost}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return out, err
		}
		if r.header == nil {
			r.header = http.Header{}
		}
		r.header.Set("Content-Type", api.TypeJSON)
		r.size = int64(len(body))
		r.body = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return out, err
	}
	if resp.StatusCode == http.StatusNoContent {
		return out, nil
	}
	return out, decode(resp, &out)
}

func decode(resp *http.Response, into any) error {
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("answer of the hub is not the expected JSON: %w", err)
	}
	return nil
}

// missing is a problem that is also fs.ErrNotExist.
type missing struct{ p *api.Problem }

// Error gives the problem's text.
func (m missing) Error() string { return m.p.Error() }

// Unwrap makes both kinds of errors.Is and errors.As work.
func (m missing) Unwrap() []error { return []error{m.p, fs.ErrNotExist} }
