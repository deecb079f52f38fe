package vaultkeys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"yinxin/keys"
)

// Login gets a token. Implementations are asked again whenever the last token is at its end.
type Login interface {
	// login gives the token and whether it was made for this store alone, which then revokes it at its end.
	login(ctx context.Context, client *api.Client) (token string, own bool, err error)
}

// Token logs in with a token that somebody else made. It is renewed, not revoked.
func Token(token string) Login { return tokenLogin(func() (string, error) { return token, nil }) }

// TokenFile reads the token from a file each time, so that an agent may replace it.
func TokenFile(path string) Login {
	return tokenLogin(func() (string, error) {
		data, err := os.ReadFile(path)
		return strings.TrimSpace(string(data)), err
	})
}

type tokenLogin func() (string, error)

func (l tokenLogin) login(context.Context, *api.Client) (string, bool, error) {
	token, err := l()
	if err != nil {
		return "", false, fmt.Errorf("%w: read the Vault token: %w", keys.ErrDenied, err)
	}
	if token == "" {
		return "", false, fmt.Errorf("%w: the Vault token is empty", keys.ErrDenied)
	}
	return token, false, nil
}

// AppRole logs in by role; secret gives the SecretID anew each time. mount is usually "approle".
func AppRole(mount, roleID string, secret func() (string, error)) Login {
	return requestLogin(func() (string, map[string]any, error) {
		id, err := secret()
		if err != nil {
			return "", nil, err
		}
		return mount, map[string]any{"role_id": roleID, "secret_id": id}, nil
	})
}

// Certificate logs in with the TLS client certificate that the listener sees. mount is usually "cert".
func Certificate(mount, role string) Login {
	return requestLogin(func() (string, map[string]any, error) { return mount, map[string]any{"name": role}, nil })
}

// requestLogin posts to auth/MOUNT/login.
type requestLogin func() (mount string, body map[string]any, err error)

func (l requestLogin) login(ctx context.Context, client *api.Client) (string, bool, error) {
	mount, body, err := l()
	if err != nil {
		return "", false, fmt.Errorf("%w: credentials for Vault: %w", keys.ErrDenied, err)
	}
	secret, err := client.Logical().WriteWithContext(ctx, "auth/"+strings.Trim(mount, "/")+"/login", body)
	if err != nil {
		var answer *api.ResponseError
		if errors.As(err, &answer) && answer.StatusCode == http.StatusBadRequest { // wrong credentials are a 400 there
			return "", false, fmt.Errorf("%w: log in to Vault: %s", keys.ErrDenied, strings.Join(answer.Errors, "; "))
		}
		return "", false, fmt.Errorf("log in to Vault: %w", classify(ctx, err))
	}
	if secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "" {
		return "", false, &keys.UnavailableError{Err: errors.New("log in to Vault: the answer holds no token")}
	}
	return secret.Auth.ClientToken, true, nil
}

// session is one login with a client of its own, which no later login touches.
type session struct {
	client *api.Client
	own    bool
}

// sessions holds the current login.
type sessions struct {
	mu      sync.Mutex
	current *session
	closed  bool
}

// get gives the current login, making one where there is none. Concurrent callers wait for the same one.
func (c *sessions) get(ctx context.Context, s *Store) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.current != nil {
		return c.current, nil
	}
	client, err := s.base.Clone()
	if err != nil {
		return nil, fmt.Errorf("%w: Vault client: %w", keys.ErrInvalid, err)
	}
	token, own, err := s.login.login(ctx, client)
	if err != nil {
		return nil, err
	}
	client.SetToken(token)
	made := &session{client: client, own: own}
	c.current = made
	s.work.Go(func() { s.renew(made) })
	return made, nil
}

// drop forgets a login that no longer works; another one that came since stays.
func (c *sessions) drop(old *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == old {
		c.current = nil
	}
}

func (c *sessions) is(s *session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current == s
}

func (c *sessions) close() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	last := c.current
	c.current = nil
	return last
}

// Times of renewal.
const (
	// renewShare of the remaining life passes before renewing.
	renewNumerator, renewDenominator = 2, 3
	minRenew                         = 100 * time.Millisecond
	retryRenew                       = 2 * time.Second
)

// renew keeps one login alive. It ends when the login cannot be prolonged; then the login is dropped while its token is
// still good, so that the next call makes a new one.
func (s *Store) renew(session *session) {
	life, renewable, err := s.lookup(session)
	for err == nil && life > 0 {
		if !s.sleep(max(life*renewNumerator/renewDenominator, minRenew)) {
			return
		}
		if !s.sessions.is(session) {
			return
		}
		before := life
		if renewable {
			life, renewable, err = s.prolong(session)
		}
		if !renewable || life < before/2 { // the end of its greatest life is near
			break
		}
		for err != nil && !errors.Is(err, keys.ErrDenied) {
			if !s.sleep(retryRenew) {
				return
			}
			life, renewable, err = s.prolong(session)
		}
	}
	if err == nil && life == 0 {
		return // a token without end
	}
	s.sessions.drop(session)
}

// sleep waits; false if the store was closed.
func (s *Store) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *Store) lookup(session *session) (time.Duration, bool, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	secret, err := session.client.Auth().Token().LookupSelfWithContext(ctx)
	return tokenLife(ctx, secret, err)
}

func (s *Store) prolong(session *session) (time.Duration, bool, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	secret, err := session.client.Auth().Token().RenewSelfWithContext(ctx, 0)
	return tokenLife(ctx, secret, err)
}

// tokenLife reads the remaining life of a token; 0 is without end.
func tokenLife(ctx context.Context, secret *api.Secret, err error) (time.Duration, bool, error) {
	if err != nil {
		return 0, false, classify(ctx, err)
	}
	life, err := secret.TokenTTL()
	if err != nil {
		return 0, false, &keys.UnavailableError{Err: err}
	}
	renewable, err := secret.TokenIsRenewable()
	if err != nil {
		return 0, false, &keys.UnavailableError{Err: err}
	}
	return life, renewable, nil
}
