//go:build !js

package tsp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"yinxin/crypto/cert"
	"yinxin/verdict"
)

// Errors of the client.
var (
	// ErrUnavailable: no authority gave a token that holds. Trying again later may help.
	ErrUnavailable = errors.New("tsp: no time-stamp could be had")
	// ErrTooLong: no authority has given a token for longer than the client may go on without one.
	ErrTooLong = errors.New("tsp: time-stamps have been unavailable for too long")
)

// RefusedError is an answer without a token, or with one that does not hold.
type RefusedError struct {
	URL    string
	Reason verdict.Reason
	Detail string
}

// Error says who refused what.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("time-stamp authority %s: %s: %s", e.URL, e.Reason, e.Detail)
}

// Defaults of ClientOptions.
const (
	DefaultAttempts   = 3
	DefaultTimeout    = 10 * time.Second
	DefaultBackoff    = 200 * time.Millisecond
	DefaultMaxFailure = 4 * time.Hour
)

// ClientOptions say whom to ask and what to accept.
type ClientOptions struct {
	// URLs are the authorities, asked in this order; configuration alone names them, never a document.
	URLs []string
	// HTTP makes the calls; nil means a client of its own. Redirects are never followed.
	HTTP *http.Client
	// Timeout bounds each call, Attempts the calls to each authority, Backoff the first pause, which doubles. Zero means
	// the defaults.
	Timeout  time.Duration
	Attempts int
	Backoff  time.Duration
	// MaxFailure is how long Accepts lets the owner go on while no authority answers; zero means DefaultMaxFailure.
	MaxFailure time.Duration
	// Policy is asked for, and is then the only one accepted; nil accepts any.
	Policy asn1.ObjectIdentifier
	// Trust is whom to believe.
	Trust cert.Policy
	// Skew and MaxAccuracy as in JudgeOptions.
	Skew, MaxAccuracy time.Duration
	// Now is the clock, Rand gives nonces, Sleep waits between attempts; nil means the machine's.
	Now   func() time.Time
	Rand  io.Reader
	Sleep func(ctx context.Context, d time.Duration) error
}

// Client asks authorities for time-stamps over HTTP. It is safe for concurrent use.
type Client struct {
	o    ClientOptions
	http *http.Client

	mu    sync.Mutex
	since time.Time // when the present row of failures began; zero: the last try went well
}

// NewClient fills in the defaults.
func NewClient(o ClientOptions) (*Client, error) {
	if len(o.URLs) == 0 {
		return nil, fmt.Errorf("%w: a client needs the address of an authority", ErrOptions)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Attempts == 0 {
		o.Attempts = DefaultAttempts
	}
	if o.Backoff == 0 {
		o.Backoff = DefaultBackoff
	}
	if o.MaxFailure == 0 {
		o.MaxFailure = DefaultMaxFailure
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	h := http.Client{}
	if o.HTTP != nil {
		h = *o.HTTP
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{o: o, http: &h}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Stamp returns a token over the SM3 digest that holds in every respect, judged as by Token.Judge with the nonce that was
// sent. notBefore, if set, is when the data came into being. Calls that fail on the way, and answers with a 5xx or 429
// status, are tried again; refusals and tokens that do not hold are not, but the next authority is asked. If none helps,
// the error is ErrUnavailable around the causes.
func (c *Client) Stamp(ctx context.Context, sum [32]byte, notBefore time.Time) (*Token, error) {
	var causes []error
	for _, url := range c.o.URLs {
		t, err := c.ask(ctx, url, sum, notBefore)
		if err == nil {
			c.note(true)
			return t, nil
		}
		causes = append(causes, err)
		if ctx.Err() != nil {
			break
		}
	}
	c.note(false)
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, errors.Join(causes...))
}

// note keeps the time since which nothing has worked.
func (c *Client) note(good bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case good:
		c.since = time.Time{}
	case c.since.IsZero():
		c.since = c.o.Now()
	}
}

// Accepts returns ErrTooLong once no authority has helped for longer than MaxFailure, so that the owner stops taking in
// work that it could not prove the time of. Until then, and after any success, it returns nil.
func (c *Client) Accepts() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() || c.o.Now().Sub(c.since) <= c.o.MaxFailure {
		return nil
	}
	return fmt.Errorf("%w: since %s", ErrTooLong, c.since.UTC().Format(time.RFC3339))
}

// errAgain marks a failure that another attempt may cure.
var errAgain = errors.New("try again")

// ask asks one authority, several times if need be.
func (c *Client) ask(ctx context.Context, url string, sum [32]byte, notBefore time.Time) (*Token, error) {
	pause := c.o.Backoff
	for n := 1; ; n++ {
		t, err := c.once(ctx, url, sum, notBefore)
		if err == nil || !errors.Is(err, errAgain) || n == c.o.Attempts {
			return t, err
		}
		if sleepErr := c.o.Sleep(ctx, pause); sleepErr != nil {
			return nil, errors.Join(err, sleepErr)
		}
		pause *= 2
	}
}

// once makes one call; every call has a nonce of its own.
func (c *Client) once(ctx context.Context, url string, sum [32]byte, notBefore time.Time) (*Token, error) {
	req, err := NewRequest(sum, c.o.Policy, c.o.Rand)
	if err != nil {
		return nil, err
	}
	answer, err := c.post(ctx, url, req.Raw)
	if err != nil {
		return nil, err
	}
	resp, err := ParseResponse(answer)
	if err != nil {
		return nil, &RefusedError{url, verdict.TimestampInvalid, err.Error()}
	}
	if resp.Token == nil {
		return nil, &RefusedError{url, verdict.TimestampStatus, fmt.Sprintf("status %d, %s: %s", resp.Status, resp.Failure, resp.Text)}
	}
	t, err := ParseToken(resp.Token)
	if err != nil {
		return nil, &RefusedError{url, verdict.TimestampInvalid, err.Error()}
	}
	o := JudgeOptions{
		Policy: c.o.Trust, Nonce: req.Nonce, NotBefore: notBefore, Now: c.o.Now(), Skew: c.o.Skew, MaxAccuracy: c.o.MaxAccuracy,
	}
	if c.o.Policy != nil {
		o.Policies = []asn1.ObjectIdentifier{c.o.Policy}
	}
	// A fresh token is of this very moment.
	if o.NotBefore.IsZero() {
		o.NotBefore = o.Now
	}
	if j := t.Judge(sum, o); !j.Proven() {
		return nil, &RefusedError{url, j.Check.Reason, j.Check.Detail}
	}
	return t, nil
}

// post sends a request and reads the answer within its bounds.
func (c *Client) post(ctx context.Context, url string, body []byte) (answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("time-stamp authority %s: %w", url, err)
	}
	req.Header.Set("Content-Type", QueryType)
	req.Header.Set("Accept", ReplyType)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAgain, err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	switch {
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("%w: time-stamp authority %s: HTTP status %d", errAgain, url, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, &RefusedError{url, verdict.TimestampStatus, fmt.Sprintf("HTTP status %d", resp.StatusCode)}
	case resp.Header.Get("Content-Type") != ReplyType:
		return nil, &RefusedError{url, verdict.TimestampInvalid, "the answer is not a time-stamp reply"}
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, MaxResponse+1))
	if err != nil {
		return nil, fmt.Errorf("%w: time-stamp authority %s: %w", errAgain, url, err)
	}
	return answer, nil
}
