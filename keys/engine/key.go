package engine

import (
	"context"
	"crypto/cipher"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// macKeySize is the length of an HMAC-SM3 key in bytes: that of the digest.
const macKeySize = 32

// key is a loaded key: an immutable policy and its versions, whose secrets come when first needed.
type key struct {
	policy   *policy
	public   []*ecdsa.PublicKey
	versions []*version
	// chains are the certificate chains that have been read; a change of the key begins with none.
	chains []atomic.Pointer[[][]byte]
}

// version holds the secret of one version once it has been read. It is shared by successive keys of one name.
type version struct {
	secret atomic.Pointer[secret]
	mu     sync.Mutex // held while the secret is read
}

// secret is the usable form of a version's secret; the field that fits the key's type is set.
type secret struct {
	sm2  *gm.PrivateKey
	aead cipher.AEAD
	mac  []byte
}

// LogValue keeps secrets out of logs.
func (*secret) LogValue() slog.Value { return slog.StringValue("redacted") }

// String keeps secrets out of texts.
func (*secret) String() string { return "redacted" }

// newKey prepares a policy for use, taking over from old the secrets of versions that still have one.
func newKey(p *policy, old *key) (*key, error) {
	k := &key{
		policy:   p,
		versions: make([]*version, len(p.Versions)),
		chains:   make([]atomic.Pointer[[][]byte], len(p.Versions)),
	}
	var err error
	if k.public, err = p.publicKeys(); err != nil {
		return nil, err
	}
	for i := range k.versions {
		if old != nil && i < len(old.versions) && p.Versions[i].State != keys.StateDestroyed {
			k.versions[i] = old.versions[i]
			continue
		}
		k.versions[i] = new(version)
	}
	return k, nil
}

// wipe forgets the secrets.
func (k *key) wipe() {
	for _, v := range k.versions {
		v.secret.Store(nil)
	}
}

// resolve turns a version of a request into a number that exists.
func (k *key) resolve(n int) (int, error) {
	if n == 0 {
		return k.policy.current(), nil
	}
	if n < 0 || n > len(k.versions) {
		return 0, fmt.Errorf("%w: key %s has no version %d", keys.ErrNotFound, k.policy.Name, n)
	}
	return n, nil
}

// mayUse resolves a version and refuses one that must not sign or wrap.
func (k *key) mayUse(n int) (int, error) {
	n, err := k.resolve(n)
	if err != nil {
		return 0, err
	}
	switch p := k.policy; {
	case p.Voided:
		return 0, fmt.Errorf("%w: seal key %s has been voided", keys.ErrDenied, p.Name)
	case p.stateOf(n) != keys.StateEnabled:
		return 0, fmt.Errorf("%w: version %d of key %s is %s", keys.ErrDenied, n, p.Name, p.stateOf(n))
	case n < p.MinUse:
		return 0, fmt.Errorf("%w: version %d of key %s is below the minimum %d", keys.ErrDenied, n, p.Name, p.MinUse)
	case p.Purpose == keys.PurposeSeal && !p.Versions[n-1].Certified:
		return 0, fmt.Errorf("%w: version %d of seal key %s has no certificate", keys.ErrConflict, n, p.Name)
	}
	return n, nil
}

// mayDecrypt resolves a version and refuses one that must not decrypt or unwrap.
func (k *key) mayDecrypt(n int) (int, error) {
	n, err := k.resolve(n)
	if err != nil {
		return 0, err
	}
	switch p := k.policy; {
	case p.stateOf(n) != keys.StateEnabled:
		return 0, fmt.Errorf("%w: version %d of key %s is %s", keys.ErrDenied, n, p.Name, p.stateOf(n))
	case n < p.MinDecrypt:
		return 0, fmt.Errorf("%w: version %d of key %s is below the minimum %d", keys.ErrDenied, n, p.Name, p.MinDecrypt)
	}
	return n, nil
}

// forPurpose loads a key and refuses a purpose that is not its own.
func (e *Engine) forPurpose(ctx context.Context, name string, purpose keys.Purpose) (*key, error) {
	if purpose.Type() == "" {
		return nil, fmt.Errorf("%w: unknown purpose %q", keys.ErrInvalid, purpose)
	}
	k, err := e.load(ctx, name)
	if err != nil {
		return nil, err
	}
	if k.policy.Purpose != purpose {
		return nil, fmt.Errorf("%w: the purpose of key %s is %s, not %s", keys.ErrDenied, name, k.policy.Purpose, purpose)
	}
	return k, nil
}

// usable is a version of a key that may sign, wrap or compute codes now, with its secret.
type usable struct {
	key     *key
	version int
	secret  *secret
}

// inUse finds the version that ref names (0: the newest) and refuses another purpose and a version that must not be used.
func (e *Engine) inUse(ctx context.Context, ref keys.Ref, purpose keys.Purpose) (usable, error) {
	k, err := e.forPurpose(ctx, ref.Name, purpose)
	if err != nil {
		return usable{}, err
	}
	n, err := k.mayUse(ref.Version)
	if err != nil {
		return usable{}, err
	}
	s, err := e.secretOf(ctx, k, n)
	if err != nil {
		return usable{}, err
	}
	return usable{key: k, version: n, secret: s}, nil
}

// versionEntry is the stored secret of a version. Name and number stand in it, so that an entry which a storage without
// bound paths hands out for another is noticed.
type versionEntry struct {
	Schema  int       `json:"schema"`
	Name    string    `json:"name"`
	Version int       `json:"version"`
	Type    keys.Type `json:"type"`
	Secret  []byte    `json:"secret"`
}

// secretOf gives the secret of version n, reading it when it is used first.
func (e *Engine) secretOf(ctx context.Context, k *key, n int) (*secret, error) {
	v := k.versions[n-1]
	if s := v.secret.Load(); s != nil {
		return s, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.secret.Load(); s != nil {
		return s, nil
	}
	if e.sealed() {
		return nil, keys.ErrSealed
	}
	data, err := e.storage.Get(ctx, versionPath(k.policy.Name, n))
	if err != nil {
		return nil, fmt.Errorf("version %d of key %s: %w", n, k.policy.Name, classify(err))
	}
	defer clear(data)
	s, err := k.parseVersion(data, n)
	if err != nil {
		return nil, err
	}
	v.secret.Store(s)
	return s, nil
}

// parseVersion reads a version entry and compares it with the policy.
func (k *key) parseVersion(data []byte, n int) (*secret, error) {
	p := k.policy
	var entry versionEntry
	if err := decodeStrict(data, &entry); err != nil {
		return nil, damaged(p.Name, "version %d does not parse", n) // the cause could quote the secret
	}
	defer clear(entry.Secret)
	if entry.Schema != schema || entry.Name != p.Name || entry.Version != n || entry.Type != p.Type {
		return nil, damaged(p.Name, "entry of version %d belongs elsewhere", n)
	}
	s, err := parseSecret(p.Type, entry.Secret)
	if err != nil {
		return nil, damaged(p.Name, "secret of version %d is malformed", n)
	}
	if s.sm2 != nil && !s.sm2.PublicKey().Equal(k.public[n-1]) {
		return nil, damaged(p.Name, "private key of version %d is not that of its public key", n)
	}
	return s, nil
}

func parseSecret(t keys.Type, b []byte) (*secret, error) {
	var s secret
	var err error
	switch t {
	case keys.TypeSM2:
		s.sm2, err = gm.ImportScalar(b)
	case keys.TypeSM4:
		s.aead, err = gm.NewSM4GCM(b)
	case keys.TypeHMACSM3:
		if len(b) != macKeySize {
			return nil, errDamaged
		}
		s.mac = append([]byte(nil), b...)
	default:
		return nil, errDamaged
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// generate makes the secret of a new version: its public part for the policy and the entry to be stored.
func (e *Engine) generate(name string, n int, t keys.Type) (policyVersion, Write, error) {
	v := policyVersion{State: keys.StateEnabled, Created: e.now().UTC().Truncate(time.Microsecond)}
	var raw []byte
	switch t {
	case keys.TypeSM2:
		k, err := gm.GenerateKey(e.rand)
		if err != nil {
			return v, Write{}, fmt.Errorf("generate key %s: %w", name, classify(err))
		}
		raw, v.Public = k.ExportScalar(), gm.MarshalPublicKey(k.PublicKey())
	case keys.TypeSM4, keys.TypeHMACSM3:
		size := gm.KeySize
		if t == keys.TypeHMACSM3 {
			size = macKeySize
		}
		raw = make([]byte, size)
		if _, err := io.ReadFull(e.rand, raw); err != nil {
			return v, Write{}, fmt.Errorf("generate key %s: %w", name, classify(err))
		}
	}
	defer clear(raw)
	data, err := json.Marshal(versionEntry{Schema: schema, Name: name, Version: n, Type: t, Secret: raw})
	if err != nil {
		return v, Write{}, fmt.Errorf("generate key %s: %w", name, err)
	}
	return v, Write{Path: versionPath(name, n), Value: data}, nil
}
