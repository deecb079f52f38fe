package vaultkeys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// transportOf gives the transport of a client's configuration, to tune it.
func transportOf(c *api.Config) (*http.Transport, bool) {
	if c.HttpClient == nil {
		return nil, false
	}
	t, ok := c.HttpClient.Transport.(*http.Transport)
	return t, ok
}

// verb is one way to call Vault.
type verb int

const (
	read   verb = iota // GET, safe to repeat
	list               // GET with list=true, safe to repeat
	use                // PATCH: using a key, safe to repeat
	change             // POST: changing something, never repeated
)

// call asks the engine. in is nil or a JSON object, out takes what comes back; false if nothing came back.
func (s *Store) call(ctx context.Context, v verb, path string, in map[string]any, out any) (bool, error) {
	if err := s.breaker.admit(); err != nil {
		return false, err
	}
	own, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	found, err := s.ask(own, v, path, in, out)
	if ctx.Err() == nil { // a caller that left tells nothing of Vault
		s.breaker.note(err)
	}
	return found, err
}

func (s *Store) ask(ctx context.Context, v verb, path string, in map[string]any, out any) (bool, error) {
	current, err := s.sessions.get(ctx, s)
	if err != nil {
		return false, err
	}
	secret, err := s.send(ctx, current, v, path, in)
	switch {
	case err == nil:
	case isForbidden(err):
		if current, err = s.afterForbidden(ctx, current, err); err != nil {
			return false, err
		}
		secret, err = s.send(ctx, current, v, path, in)
	case v != change && isInternal(err): // the plugin died in mid-call: Vault has started it again by now
		secret, err = s.send(ctx, current, v, path, in)
	}
	if err != nil {
		return false, classify(ctx, err)
	}
	if secret == nil || secret.Data == nil || out == nil {
		return false, nil
	}
	return true, decode(secret.Data, out)
}

func (s *Store) send(ctx context.Context, current *session, v verb, path string, in map[string]any) (*api.Secret, error) {
	l := current.client.Logical()
	path = s.mount + "/" + path
	switch v {
	case read, list:
		query := make(map[string][]string, len(in)+1)
		for k, value := range in {
			query[k] = []string{fmt.Sprint(value)}
		}
		if v == list {
			query["list"] = []string{"true"}
		}
		return l.ReadWithDataWithContext(ctx, path, query)
	case use:
		return l.JSONMergePatch(ctx, path, in)
	}
	return l.WriteWithContext(ctx, path, in)
}

// afterForbidden tells a refused token from a refused request: it gives a new login, or the refusal.
func (s *Store) afterForbidden(ctx context.Context, current *session, cause error) (*session, error) {
	if _, ours := engineError(cause); ours {
		return nil, classify(ctx, cause)
	}
	_, err := current.client.Auth().Token().LookupSelfWithContext(ctx)
	if err == nil || !isForbidden(err) {
		return nil, classify(ctx, cause) // the token is good: its policies forbid it
	}
	s.sessions.drop(current)
	return s.sessions.get(ctx, s)
}

// decode moves Vault's maps into a structure.
func decode(data map[string]any, out any) error {
	if batch, ok := out.(*results); ok {
		read, err := gmwire.ParseResults(data["batch_results"])
		if err != nil {
			return &keys.UnavailableError{Err: fmt.Errorf("answer of the engine: %w", err)}
		}
		*batch = read
		return nil
	}
	text, err := json.Marshal(data)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		err = d.Decode(out)
	}
	if err != nil {
		return &keys.UnavailableError{Err: fmt.Errorf("answer of the engine: %w", err)}
	}
	return nil
}

func statusOf(err error) int {
	if answer, ok := errors.AsType[*api.ResponseError](err); ok {
		return answer.StatusCode
	}
	return 0
}

func isForbidden(err error) bool { return statusOf(err) == http.StatusForbidden }

func isInternal(err error) bool {
	_, ours := engineError(err)
	return statusOf(err) == http.StatusInternalServerError && !ours
}

// engineError gives the error that the engine itself answered, if it is one.
func engineError(err error) (error, bool) { //nolint:revive // the error is the result here, not the outcome
	var answer *api.ResponseError
	if !errors.As(err, &answer) {
		return nil, false
	}
	for _, text := range answer.Errors {
		text = strings.TrimSpace(text)
		if _, rest, ok := strings.Cut(text, "error occurred:"); ok { // Vault wraps some of the plugin's errors in a list of one
			text = strings.TrimPrefix(strings.TrimSpace(rest), "* ")
		}
		if found, ok := gmwire.ParseText(text); ok {
			return found, true
		}
	}
	return nil, false
}

// classify turns what the client of Vault reports into an error of package keys, or that of the context. Nothing of a
// request is quoted.
func classify(ctx context.Context, err error) error {
	if err == nil || keys.Classified(err) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("ask Vault: %w", context.Canceled)
	}
	var answer *api.ResponseError
	if !errors.As(err, &answer) {
		return &keys.UnavailableError{Err: fmt.Errorf("%w: %w", errNoAnswer, err)} // a deadline too: Vault did not answer in time
	}
	if found, ok := engineError(err); ok {
		return found
	}
	text := fmt.Sprintf("Vault answered %d: %s", answer.StatusCode, plainText(answer.Errors))
	switch {
	case answer.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: %s", keys.ErrDenied, text)
	case answer.StatusCode == http.StatusServiceUnavailable && strings.Contains(strings.ToLower(text), "sealed"),
		answer.StatusCode == http.StatusNotImplemented:
		return fmt.Errorf("%w: %s", keys.ErrSealed, text)
	case answer.StatusCode == http.StatusNotFound:
		return &keys.UnavailableError{Err: fmt.Errorf("%s: is the engine mounted there?", text)}
	case answer.StatusCode == http.StatusBadRequest, answer.StatusCode == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %s", keys.ErrInvalid, text)
	}
	return &keys.UnavailableError{RetryAfter: retryAfter(err), Err: errors.New(text)}
}

// plainText puts Vault's errors into one line. Vault lays a list of errors out over several, also one of a single error.
func plainText(texts []string) string {
	text := strings.Join(strings.Fields(strings.Join(texts, "; ")), " ")
	return strings.TrimPrefix(text, "1 error occurred: * ")
}

// retryAfter is the wait that Vault suggests. Its client hands no headers out with an error, so that a rate limit gets the
// second after which Vault counts anew.
func retryAfter(err error) time.Duration {
	if statusOf(err) == http.StatusTooManyRequests {
		return time.Second
	}
	return 0
}

// versionText names a version in a path.
func versionText(n int) string {
	if n == 0 {
		return "current"
	}
	return strconv.Itoa(n)
}
