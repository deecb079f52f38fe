package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"yinxin/transport"
)

// Options of a Directory.
type Options struct {
	// Clock gives the present time.
	Clock func() time.Time
	// Rand gives salts, secrets and tokens.
	Rand io.Reader
	// SessionLife is how long a login lasts; zero means 12 hours.
	SessionLife time.Duration
	// MaxFailures is how many failed logins an account has from one source before it must wait there; zero means 5.
	MaxFailures int
	// FailureWait is how long it must wait then; zero means one minute.
	FailureWait time.Duration
}

// Directory keeps the rules over a Store.
type Directory struct {
	store Store
	o     Options
	// hashing bounds the memory of logins that run at once.
	hashing  chan struct{}
	throttle *throttle
	decoy    string
}

// New makes a Directory over a store.
func New(store Store, o Options) (*Directory, error) {
	if o.SessionLife == 0 {
		o.SessionLife = 12 * time.Hour
	}
	if o.MaxFailures == 0 {
		o.MaxFailures = 5
	}
	if o.FailureWait == 0 {
		o.FailureWait = time.Minute
	}
	decoy, err := hashOfNothing(o.Rand)
	if err != nil {
		return nil, err
	}
	return &Directory{
		store: store, o: o, decoy: decoy,
		hashing: make(chan struct{}, 4), throttle: newThrottle(o.MaxFailures, o.FailureWait),
	}, nil
}

// Organisation returns an office by its code, or ErrNotFound.
func (d *Directory) Organisation(ctx context.Context, code string) (Organisation, error) {
	return d.store.Organisation(ctx, code)
}

// Organisations lists offices by code.
func (d *Directory) Organisations(ctx context.Context, after string, limit int) ([]Organisation, error) {
	return d.store.Organisations(ctx, after, limit)
}

// Admit refuses, as ErrConflict, an office whose code another one has, be it in other
// letters, or whose name another one has that takes part. What it is asked before
// anything is made for a new office, SaveOrganisation asks again.
func (d *Directory) Admit(ctx context.Context, o Organisation) error {
	alike, err := d.store.Namesakes(ctx, o.Code, o.Name)
	if err != nil {
		return fmt.Errorf("look for offices like %s: %w", o.Code, err)
	}
	named := false
	for _, other := range alike {
		switch {
		case other.Code == o.Code:
			named = other.Name == o.Name // it has that name already
		case strings.EqualFold(other.Code, o.Code):
			return fmt.Errorf("%w: code %s, which is %s", ErrConflict, o.Code, other.Code)
		}
	}
	for _, other := range alike {
		if other.Code != o.Code && other.Name == o.Name && other.Status == Active && o.Status != Closed && !named {
			return fmt.Errorf("%w: the name of %s", ErrConflict, other.Code)
		}
	}
	return nil
}

// SaveOrganisation validates an office and stores it, new or changed.
func (d *Directory) SaveOrganisation(ctx context.Context, o Organisation) error {
	if o.Status == "" {
		o.Status = Active
	}
	if err := o.Validate(); err != nil {
		return err
	}
	if err := d.Admit(ctx, o); err != nil {
		return err
	}
	if o.Parent != "" {
		if err := d.checkParent(ctx, o); err != nil {
			return err
		}
	}
	o.Changed = d.o.Clock().UTC()
	if err := d.store.SaveOrganisation(ctx, o); err != nil {
		return fmt.Errorf("save organisation %s: %w", o.Code, err)
	}
	return nil
}

// maxDepth bounds the tree of offices.
const maxDepth = 16

// checkParent refuses an unknown superior office and a ring of offices.
func (d *Directory) checkParent(ctx context.Context, o Organisation) error {
	code := o.Parent
	for range maxDepth {
		p, err := d.store.Organisation(ctx, code)
		if errors.Is(err, ErrNotFound) {
			return &InvalidError{Faults: []FieldError{{"parent", "names no known office"}}}
		}
		if err != nil {
			return fmt.Errorf("load organisation %s: %w", code, err)
		}
		if p.Parent == "" {
			return nil
		}
		if p.Parent == o.Code {
			break
		}
		code = p.Parent
	}
	return &InvalidError{Faults: []FieldError{{"parent", "makes a ring or a tree that is too deep"}}}
}

// AddAccount stores a new account. With an empty secret it makes a one-time one of
// 160 random bits. The secret is returned once and stored only as its hash.
func (d *Directory) AddAccount(ctx context.Context, a Account, secret string) (string, error) {
	if a.Status == "" {
		a.Status = Active
	}
	if err := a.Validate(); err != nil {
		return "", err
	}
	if _, err := d.store.Organisation(ctx, a.Org); errors.Is(err, ErrNotFound) {
		return "", &InvalidError{Faults: []FieldError{{"org", "names no known office"}}}
	} else if err != nil {
		return "", fmt.Errorf("load organisation %s: %w", a.Org, err)
	}
	if _, err := d.store.Account(ctx, a.ID); err == nil {
		return "", fmt.Errorf("account %s: %w", a.ID, ErrConflict)
	} else if !errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("load account %s: %w", a.ID, err)
	}
	return d.keep(ctx, a, secret)
}

// keep hashes the secret and saves the account.
func (d *Directory) keep(ctx context.Context, a Account, secret string) (string, error) {
	if secret == "" {
		made, err := randomText(d.o.Rand, secretBytes)
		if err != nil {
			return "", err
		}
		secret = made
	}
	if len(secret) < MinSecretLength || len(secret) > MaxSecretLength {
		return "", &InvalidError{Faults: []FieldError{{"secret", fmt.Sprintf("has not %d to %d bytes", MinSecretLength, MaxSecretLength)}}}
	}
	hash, err := hashSecret(d.o.Rand, secret)
	if err != nil {
		return "", err
	}
	a.Secret, a.Epoch = hash, a.Epoch+1
	a.Roles = slices.Compact(slices.Sorted(slices.Values(a.Roles)))
	if err := d.store.SaveAccount(ctx, a); err != nil {
		return "", fmt.Errorf("save account %s: %w", a.ID, err)
	}
	return secret, nil
}

// SetSecret gives an account a new secret and ends its sessions.
func (d *Directory) SetSecret(ctx context.Context, id, secret string) (string, error) {
	a, err := d.store.Account(ctx, id)
	if err != nil {
		return "", fmt.Errorf("load account %s: %w", id, err)
	}
	return d.keep(ctx, a, secret)
}

// SetAccount changes name, roles and status of an account and ends its sessions.
// Office and secret stay.
func (d *Directory) SetAccount(ctx context.Context, id, name string, roles []Role, status Status) error {
	a, err := d.store.Account(ctx, id)
	if err != nil {
		return fmt.Errorf("load account %s: %w", id, err)
	}
	a.Name, a.Roles, a.Status, a.Epoch = name, roles, status, a.Epoch+1
	if err := a.Validate(); err != nil {
		return err
	}
	if err := d.store.SaveAccount(ctx, a); err != nil {
		return fmt.Errorf("save account %s: %w", id, err)
	}
	return nil
}

// Account returns an account by its id, or ErrNotFound.
func (d *Directory) Account(ctx context.Context, id string) (Account, error) {
	return d.store.Account(ctx, id)
}

// Accounts lists the accounts of an office by id; an empty office lists all.
func (d *Directory) Accounts(ctx context.Context, org, after string, limit int) ([]Account, error) {
	return d.store.Accounts(ctx, org, after, limit)
}

// Login is LogIn from no particular source.
func (d *Directory) Login(ctx context.Context, id, secret string) (string, Session, error) {
	return d.LogIn(ctx, Attempt{Account: id, Secret: secret})
}

// LogIn checks the secret and opens a session. It returns the token, which is
// stored nowhere. The error is ErrUnauthenticated for whatever is wrong, or
// ErrRateLimited.
func (d *Directory) LogIn(ctx context.Context, try Attempt) (string, Session, error) {
	id := try.Account
	if len(try.Secret) > MaxSecretLength || !transport.ValidCode(id) {
		return "", Session{}, ErrUnauthenticated
	}
	if d.throttle.mustWait(id, try.Source, d.o.Clock()) {
		return "", Session{}, ErrRateLimited
	}
	a, err := d.store.Account(ctx, id)
	known := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", Session{}, fmt.Errorf("load account: %w", err)
	}
	hash := a.Secret
	if !known {
		hash = d.decoy // the same work, so that the time does not tell
	}
	good, err := d.compare(ctx, hash, try.Secret)
	if err != nil {
		return "", Session{}, err
	}
	if !good || !known || a.Status != Active {
		d.throttle.fail(id, try.Source, d.o.Clock())
		return "", Session{}, ErrUnauthenticated
	}
	if org, err := d.store.Organisation(ctx, a.Org); err != nil || org.Status != Active {
		return "", Session{}, ErrUnauthenticated
	}
	d.throttle.succeed(id, try.Source)
	return d.open(ctx, a, try)
}

func (d *Directory) compare(ctx context.Context, hash, secret string) (bool, error) {
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return checkSecret(hash, secret)
}

func (d *Directory) open(ctx context.Context, a Account, try Attempt) (string, Session, error) {
	token, err := randomText(d.o.Rand, tokenBytes)
	if err != nil {
		return "", Session{}, err
	}
	s := Session{
		TokenHash: hashToken(token), Account: a.ID, Epoch: a.Epoch,
		Expires: d.o.Clock().UTC().Add(d.o.SessionLife), Created: d.o.Clock().UTC().Truncate(time.Millisecond),
		Source: try.Source, Agent: cleanAgent(try.Agent),
	}
	if err := d.store.SaveSession(ctx, s); err != nil {
		return "", Session{}, fmt.Errorf("save session: %w", err)
	}
	return token, s, nil
}

// Authenticate returns the account of a token as it is now, roles included, or
// ErrUnauthenticated.
func (d *Directory) Authenticate(ctx context.Context, token string) (Account, error) {
	if token == "" || len(token) > MaxSecretLength {
		return Account{}, ErrUnauthenticated
	}
	s, err := d.store.Session(ctx, hashToken(token))
	if errors.Is(err, ErrNotFound) {
		return Account{}, ErrUnauthenticated
	}
	if err != nil {
		return Account{}, fmt.Errorf("load session: %w", err)
	}
	a, err := d.store.Account(ctx, s.Account)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Account{}, fmt.Errorf("load account: %w", err)
	}
	if err != nil || a.Status != Active || a.Epoch != s.Epoch || !d.o.Clock().Before(s.Expires) {
		return Account{}, ErrUnauthenticated
	}
	return a, nil
}

// Logout ends the session of a token. An unknown token is no error.
func (d *Directory) Logout(ctx context.Context, token string) error {
	if err := d.store.DeleteSession(ctx, hashToken(token)); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("delete session: %w", err)
	}
	return nil
}
