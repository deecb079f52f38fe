// Package vaultkeys is a keys.Provider and keys.Admin whose keys live in Vault behind the gm secrets engine
// (keys/gmplugin). Private keys never come here.
//
// # What it promises
//
//   - Errors are those of package keys. Sealed, standby without leader, cut off, rate-limited: keys.ErrSealed or
//     keys.ErrUnavailable, at once and not after retries; all works again by itself when Vault does. A Vault that does not
//     answer costs three callers their time; the others are refused at once, and one each second looks whether it is back.
//   - The login is renewed, and made anew when renewing comes to its end or the token is revoked.
//   - Every signature is verified here with the public key of the version that made it before it is handed out. Public
//     keys of versions are immutable and kept; while Vault is away their last known public part is answered from memory.
//   - Concurrent single signatures or decryptions with one key travel together, without delaying a lone one.
//   - Only what is safe to repeat is repeated, and only once: reads and uses of keys, never a change.
//
// # What it does not promise
//
// Rights are Vault's policies. Whoever holds the token can use what its policies allow.
package vaultkeys

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"yinxin/keys"
)

// Bounds of one call.
const (
	// DefaultTimeout bounds a call whose context has no earlier end.
	DefaultTimeout = 10 * time.Second
	// idleConnections are kept open; more concurrent calls open new ones.
	idleConnections = 64
)

// Config says where Vault is and how to log in.
type Config struct {
	// Address is Vault's URL, such as https://vault.example:8200 or unix:///run/vault.sock.
	Address string
	// Mount is where the engine is mounted, such as gm.
	Mount string
	Login Login
	// CACert is a PEM file of the CA of Vault's listener; empty means VAULT_CACERT, else the system's.
	CACert string
	// Timeout bounds each call; 0 means DefaultTimeout.
	Timeout time.Duration
	// Now measures pauses between looks at a Vault that does not answer; nil means time.Now.
	Now func() time.Time
}

// Store is keys in Vault. It is safe for concurrent use.
type Store struct {
	base    *api.Client
	mount   string
	login   Login
	timeout time.Duration

	breaker  breaker
	sessions sessions
	publics  publicCache
	signs    coalescer[signGroup, keys.SignItem, signed]
	opens    coalescer[openGroup, keys.Ciphertext, keys.PlainResult]

	ctx  context.Context //nolint:containedctx // ends with Close; batches and renewals belong to no caller
	stop context.CancelFunc
	work sync.WaitGroup
}

var (
	_ keys.Provider = (*Store)(nil)
	_ keys.Admin    = (*Store)(nil)
	_ keys.Approver = (*Store)(nil)
	_ keys.Council  = (*Store)(nil)
	_ keys.Keeper   = (*Store)(nil)
)

// Open prepares a store. It does not reach for Vault: a Vault that is away or sealed shows when a key is used.
func Open(c Config) (*Store, error) {
	if c.Login == nil {
		return nil, fmt.Errorf("%w: no way to log in to Vault", keys.ErrInvalid)
	}
	mount := strings.Trim(c.Mount, "/")
	if mount == "" {
		return nil, fmt.Errorf("%w: no mount named", keys.ErrInvalid)
	}
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, fmt.Errorf("%w: Vault client: %w", keys.ErrInvalid, config.Error)
	}
	config.Address = c.Address
	config.MaxRetries = 0 // the classes of errors decide here
	config.DisableRedirects = false
	if c.CACert != "" {
		if err := config.ConfigureTLS(&api.TLSConfig{CACert: c.CACert}); err != nil {
			return nil, fmt.Errorf("%w: CA certificate of Vault: %w", keys.ErrInvalid, err)
		}
	}
	if t, ok := transportOf(config); ok {
		t.MaxIdleConnsPerHost, t.MaxIdleConns = idleConnections, idleConnections
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("%w: Vault client: %w", keys.ErrInvalid, err)
	}
	client.ClearToken() // a token of the environment counts only where the login says so
	s := &Store{base: client, mount: mount, login: c.Login, timeout: c.Timeout}
	if s.timeout <= 0 {
		s.timeout = DefaultTimeout
	}
	if s.breaker.now = c.Now; c.Now == nil {
		s.breaker.now = time.Now
	}
	s.signs.now, s.opens.now = s.breaker.now, s.breaker.now
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.signs.send, s.opens.send = s.sendSigns, s.sendOpens
	return s, nil
}

// Close ends renewals, and revokes the login where Store made it. Everything afterwards is keys.ErrSealed.
func (s *Store) Close() error {
	last := s.sessions.close()
	s.stop()
	s.work.Wait()
	if last == nil || !last.own {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if err := last.client.Auth().Token().RevokeSelfWithContext(ctx, ""); err != nil {
		return fmt.Errorf("revoke the login to Vault: %w", classify(ctx, err))
	}
	return nil
}

// ParseStore splits ADDR/MOUNT of a store named vault:ADDR/MOUNT. An address without a scheme is https; where it is empty, fallback
// stands in, which is VAULT_ADDR.
func ParseStore(text, fallback string) (address, mount string, err error) {
	cut := strings.LastIndexByte(strings.TrimSuffix(text, "/"), '/')
	address, mount = strings.TrimSuffix(text[:max(cut, 0)], "/"), strings.Trim(text[cut+1:], "/")
	if strings.HasSuffix(address, ":") || strings.HasSuffix(address, ":/") || mount == "" {
		return "", "", fmt.Errorf("%w: %q: want vault:ADDR/MOUNT", keys.ErrInvalid, text)
	}
	if address == "" {
		address = fallback
	}
	if address == "" {
		return "", "", fmt.Errorf("%w: %q names no address, and VAULT_ADDR is not set", keys.ErrInvalid, text)
	}
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || (u.Host == "" && u.Scheme != "unix") || u.User != nil { // not quoted: it could hold a password
		return "", "", fmt.Errorf("%w: that is no address of a Vault", keys.ErrInvalid)
	}
	return address, mount, nil
}

// errClosed is what callers of a closed store get.
var errClosed = fmt.Errorf("%w: the store has been closed", keys.ErrSealed)

// healthTime bounds a look at Vault's health: who asks for it waits for nothing else.
const healthTime = 2 * time.Second

// Health implements keys.Provider.
func (s *Store) Health(ctx context.Context) keys.Health {
	ctx, cancel := context.WithTimeout(ctx, min(s.timeout, healthTime))
	defer cancel()
	h, err := s.base.Sys().HealthWithContext(ctx)
	switch {
	case err != nil:
		return keys.Health{Status: keys.HealthUnreachable, Detail: classify(ctx, err).Error()}
	case !h.Initialized:
		return keys.Health{Status: keys.HealthSealed, Detail: "Vault is not initialised; run: vault operator init"}
	case h.Sealed:
		return keys.Health{Status: keys.HealthSealed, Detail: "Vault is sealed; run: vault operator unseal"}
	case h.Standby && !s.led(ctx, h):
		return keys.Health{Status: keys.HealthNoLeader, Detail: "this Vault stands by, and no server of its cluster leads"}
	}
	_, err = s.sessions.get(ctx, s)
	switch {
	case errors.Is(err, keys.ErrDenied):
		return keys.Health{Status: keys.HealthDenied, Detail: err.Error()}
	case errors.Is(err, keys.ErrSealed):
		return keys.Health{Status: keys.HealthSealed, Detail: err.Error()}
	case err != nil:
		return keys.Health{Status: keys.HealthNoLeader, Detail: err.Error()}
	}
	return keys.Health{Status: keys.HealthOK}
}

// led tells whether a Vault that stands by reaches one that leads, to which it hands requests on.
func (s *Store) led(ctx context.Context, h *api.HealthResponse) bool {
	if h.HAConnectionHealthy != nil && !*h.HAConnectionHealthy {
		return false
	}
	leader, err := s.base.Sys().LeaderWithContext(ctx)
	return err == nil && leader.LeaderAddress != ""
}
