package keys

import (
	"context"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
)

// Store is a store of keys with its administration.
type Store interface {
	Provider
	Admin
}

// Scope is a part of a store: the keys whose names begin with a prefix, seen by names without it. Several users of one
// store, each with a scope, do not see one another's keys. It is a matter of names: rights are the store's.
type Scope struct {
	store       Store
	prefix      string
	destroyable bool
}

var _ Store = (*Scope)(nil)

// NewScope makes a scope. destroyable makes every key of it destroyable, for keys that are thrown away.
func NewScope(store Store, prefix string, destroyable bool) *Scope {
	return &Scope{store: store, prefix: prefix, destroyable: destroyable}
}

func (s *Scope) in(name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	return s.prefix + name, CheckName(s.prefix + name)
}

// call runs do with the full name of a key.
func call[T any](s *Scope, name string, do func(name string) (T, error)) (T, error) {
	full, err := s.in(name)
	if err != nil {
		var none T
		return none, err
	}
	return do(full)
}

func (s *Scope) public(info PublicInfo, err error) (PublicInfo, error) {
	info.Ref.Name = strings.TrimPrefix(info.Ref.Name, s.prefix)
	return info, err
}

func (s *Scope) info(info KeyInfo, err error) (KeyInfo, error) {
	info.Name = strings.TrimPrefix(info.Name, s.prefix)
	return info, err
}

// Public implements Provider.
func (s *Scope) Public(ctx context.Context, ref Ref) (PublicInfo, error) {
	return call(s, ref.Name, func(name string) (PublicInfo, error) { return s.public(s.store.Public(ctx, Ref{name, ref.Version})) })
}

// Sign implements Provider.
func (s *Scope) Sign(ctx context.Context, ref Ref, purpose Purpose, items []SignItem) ([]SignResult, error) {
	return call(s, ref.Name, func(name string) ([]SignResult, error) {
		return s.store.Sign(ctx, Ref{name, ref.Version}, purpose, items)
	})
}

// Decrypt implements Provider.
func (s *Scope) Decrypt(ctx context.Context, name string, purpose Purpose, items []Ciphertext) ([]PlainResult, error) {
	return call(s, name, func(name string) ([]PlainResult, error) { return s.store.Decrypt(ctx, name, purpose, items) })
}

// DataKey implements Provider.
func (s *Scope) DataKey(ctx context.Context, ref Ref, aad [][]byte) ([]DataKey, error) {
	return call(s, ref.Name, func(name string) ([]DataKey, error) { return s.store.DataKey(ctx, Ref{name, ref.Version}, aad) })
}

// Rewrap implements Provider.
func (s *Scope) Rewrap(ctx context.Context, name string, items []Ciphertext) ([]RewrapResult, error) {
	return call(s, name, func(name string) ([]RewrapResult, error) { return s.store.Rewrap(ctx, name, items) })
}

// HMAC implements Provider.
func (s *Scope) HMAC(ctx context.Context, ref Ref, inputs [][]byte) ([]TagResult, error) {
	return call(s, ref.Name, func(name string) ([]TagResult, error) { return s.store.HMAC(ctx, Ref{name, ref.Version}, inputs) })
}

// Health implements Provider.
func (s *Scope) Health(ctx context.Context) Health { return s.store.Health(ctx) }

// Create implements Admin.
func (s *Scope) Create(ctx context.Context, options ...CreateOptions) ([]PublicInfo, error) {
	full := make([]CreateOptions, len(options))
	for i, o := range options {
		name, err := s.in(o.Name)
		if err != nil {
			return nil, err
		}
		full[i] = o
		full[i].Name, full[i].Destroyable = name, o.Destroyable || s.destroyable
	}
	infos, err := s.store.Create(ctx, full...)
	for i := range infos {
		infos[i], _ = s.public(infos[i], nil)
	}
	return infos, err
}

// Rotate implements Admin.
func (s *Scope) Rotate(ctx context.Context, name string, expectLatest int) (PublicInfo, error) {
	return call(s, name, func(name string) (PublicInfo, error) { return s.public(s.store.Rotate(ctx, name, expectLatest)) })
}

// SetState implements Admin.
func (s *Scope) SetState(ctx context.Context, ref Ref, state State) error {
	name, err := s.in(ref.Name)
	if err != nil {
		return err
	}
	return s.store.SetState(ctx, Ref{name, ref.Version}, state)
}

// Configure implements Admin.
func (s *Scope) Configure(ctx context.Context, name string, change Change) (KeyInfo, error) {
	return call(s, name, func(name string) (KeyInfo, error) { return s.info(s.store.Configure(ctx, name, change)) })
}

// Describe implements Admin.
func (s *Scope) Describe(ctx context.Context, name string) (KeyInfo, error) {
	return call(s, name, func(name string) (KeyInfo, error) { return s.info(s.store.Describe(ctx, name)) })
}

// List implements Admin.
func (s *Scope) List(ctx context.Context, after string, limit int) ([]KeyInfo, error) {
	if limit < 0 {
		return nil, fmt.Errorf("%w: limit %d", ErrInvalid, limit)
	}
	all, err := s.store.List(ctx, s.prefix+after, 0)
	if err != nil {
		return nil, err
	}
	var infos []KeyInfo
	for _, info := range all {
		if name, ours := strings.CutPrefix(info.Name, s.prefix); ours && name > after && (limit == 0 || len(infos) < limit) {
			info.Name = name
			infos = append(infos, info)
		}
	}
	return infos, nil
}

// Request implements Admin.
func (s *Scope) Request(ctx context.Context, ref Ref, subject pkix.Name) ([]byte, error) {
	return call(s, ref.Name, func(name string) ([]byte, error) { return s.store.Request(ctx, Ref{name, ref.Version}, subject) })
}

// ImportCertificate implements Admin.
func (s *Scope) ImportCertificate(ctx context.Context, ref Ref, chain [][]byte) (Ref, error) {
	return call(s, ref.Name, func(name string) (Ref, error) {
		got, err := s.store.ImportCertificate(ctx, Ref{name, ref.Version}, chain)
		got.Name = strings.TrimPrefix(got.Name, s.prefix)
		return got, err
	})
}

// Certificates implements Admin.
func (s *Scope) Certificates(ctx context.Context, ref Ref) ([][]byte, error) {
	return call(s, ref.Name, func(name string) ([][]byte, error) { return s.store.Certificates(ctx, Ref{name, ref.Version}) })
}

// Discard destroys all keys of the scope, which must be destroyable. Where the store has a quorum, whose consent that takes, it
// disables them and gives the names that they have in the store.
func (s *Scope) Discard(ctx context.Context) (left []string, err error) {
	infos, err := s.List(ctx, "", 0)
	if err != nil {
		return nil, fmt.Errorf("discard keys: %w", err)
	}
	guarded := false
	if council, ok := s.store.(Council); ok {
		rule, err := council.Quorum(ctx)
		if err != nil && !errors.Is(err, ErrDenied) { // who may not read the rule learns of it when destroying is refused
			return nil, fmt.Errorf("discard keys: %w", err)
		}
		guarded = rule.Needed > 0
	}
	for _, info := range infos {
		if info.State == StateDestroyed {
			continue
		}
		err := s.SetState(ctx, Ref{Name: info.Name}, StateDisabled)
		switch {
		case err == nil && guarded:
			left = append(left, s.prefix+info.Name)
		case err == nil:
			err = s.SetState(ctx, Ref{Name: info.Name}, StateDestroyed)
		}
		if err != nil {
			return left, fmt.Errorf("discard key %s: %w", info.Name, err)
		}
	}
	return left, nil
}
