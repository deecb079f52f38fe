// Package engine is what a key store means, apart from where it keeps its bytes: versions, states, purposes, minima,
// batches, data keys, certificates by version. keys/filekeys runs it over an encrypted directory, the Vault plugin over
// Vault's storage; both therefore behave alike, which keys/keystest checks.
//
// # What it promises
//
//   - A key has one purpose and type for life; every use states the purpose and is refused with keys.ErrDenied if it is
//     another one.
//   - No operation gives a private or secret key out, and no code here could.
//   - Public keys and certificates of all versions stay readable for ever, also of destroyed ones; a name is never used
//     twice.
//   - Each change is durable when its call returns without error, if the storage keeps its own promise. After a crash in
//     the middle of a change the key is as before or as after, never between: a version is written before the policy
//     that names it, and removed after.
//   - Once a quorum is set, what cannot be undone or weakens a key is done only by a proposal that enough different members
//     have approved, on the state that they looked at.
//   - After an error of the storage the state is read again from there, so that memory never runs ahead of it.
//
// # What it does not promise
//
// It knows who calls only as far as WithCaller says, or a signature shows (Options.Proof); rights and audit stand in front
// of it. A quorum binds those who reach the keys through the engine, not those who can write its storage. Secrets that it
// uses are in this process's memory, where Go cannot promise to wipe them.
//
// # Entries
//
//	policy/<name>       all that is public about a key, JSON, schema 1
//	version/<name>/<n>  the secret of one version, JSON, schema 1
//	approval/<name>/<id> one person's consent to one signature, JSON, schema 1, until it is used
//	cert/<name>/<n>     the certificate chain of one version, JSON, schema 1
//	proposal/<id>       a proposal and what became of it, JSON, schema 1; never removed
//	config/quorum       the rule, config/recovery the recovery key
//	wrapping/key        the secret of the store's wrapping key
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"sync"
	"time"

	"yinxin/keys"
)

// Storage keeps the engine's entries. Paths are slash-separated parts of the letters that keys.CheckName allows.
// Implementations are safe for concurrent use. They return errors of package keys where one fits; any other error is
// taken as keys.ErrUnavailable.
type Storage interface {
	// Get gives a copy of the value, or keys.ErrNotFound.
	Get(ctx context.Context, path string) ([]byte, error)
	// Put stores the value, durably when it returns. The engine wipes value afterwards: it must not be kept.
	Put(ctx context.Context, path string, value []byte) error
	// Delete removes the entry, durably when it returns. A missing entry is no error.
	Delete(ctx context.Context, path string) error
	// List gives the paths that begin with prefix, sorted.
	List(ctx context.Context, prefix string) ([]string, error)
}

// Write is one change of an entry: a new value, or its removal if Value is nil.
type Write struct {
	Path  string
	Value []byte
}

// Applier is a Storage that makes several changes at once: all or none, durable on return. The engine uses it where the
// storage has it and else makes the changes one by one, in their order, which is safe too.
type Applier interface {
	Apply(ctx context.Context, writes []Write) error
}

// Options of an engine. The zero value works.
type Options struct {
	// Rand gives keys and nonces; nil means crypto/rand. It must be safe for concurrent use.
	Rand io.Reader
	// Now gives creation times; nil means time.Now.
	Now func() time.Time
	// Proof checks a member's signature over the digest of a proposal, in stores that do not know who calls; with a nil
	// digest it only says whether the ID is one that can be checked (else keys.ErrInvalid). nil: the caller of the context
	// (WithCaller) has been authenticated.
	Proof func(member string, digest, signature []byte) error
	// Person gives the name that the store has for a member; keys.ErrInvalid for an ID that is nobody's, who could never consent.
	// nil: the store knows no persons.
	Person func(member string) (name string, err error)
}

// stripes is how many locks the names share.
const stripes = 64

// maxCached bounds the keys held in memory.
const maxCached = 4096

// Engine is a keys.Provider and keys.Admin over a Storage. It is safe for concurrent use; the storage must have no other
// writer, unless that one calls Invalidate.
type Engine struct {
	storage Storage
	rand    io.Reader
	now     func() time.Time
	proof   func(member string, digest, signature []byte) error
	nameOf  func(member string) (string, error)

	// voting serialises everything about proposals and settings of the store. It is taken before locks, never after.
	voting sync.Mutex
	// locks serialise loading and changing of a key; use of a loaded key takes none of them.
	locks [stripes]sync.Mutex

	mu     sync.RWMutex // guards what follows
	cache  map[string]*key
	closed bool
}

var (
	_ keys.Provider = (*Engine)(nil)
	_ keys.Admin    = (*Engine)(nil)
	_ keys.Approver = (*Engine)(nil)
	_ keys.Council  = (*Engine)(nil)
	_ keys.Keeper   = (*Engine)(nil)
)

// New makes an engine over storage.
func New(storage Storage, o Options) *Engine {
	e := &Engine{storage: storage, rand: o.Rand, now: o.Now, proof: o.Proof, nameOf: o.Person, cache: make(map[string]*key)}
	if e.rand == nil {
		e.rand = rand.Reader
	}
	if e.now == nil {
		e.now = time.Now
	}
	return e
}

// Close forgets all secrets; everything afterwards is keys.ErrSealed. Calls under way may still end well.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for _, k := range e.cache {
		k.wipe()
	}
	e.cache = nil
}

// Invalidate forgets what is cached of a key, after another writer changed it.
func (e *Engine) Invalidate(name string) {
	defer e.lock(name)()
	e.forget(name)
}

// Health implements keys.Provider.
func (e *Engine) Health(ctx context.Context) keys.Health {
	if e.sealed() {
		return keys.Health{Status: keys.HealthSealed, Detail: "the store has been closed"}
	}
	h := keys.Health{Status: keys.HealthOK}
	rule, err := e.Quorum(ctx)
	switch {
	case err != nil:
		h.Detail = err.Error()
	case rule.Needed == 0:
		h.Warnings = append(h.Warnings, keys.Warning{
			Code: keys.WarnNoQuorum,
			Text: "no quorum is set: one custodian alone can destroy, loosen, restore, void and take a copy of keys",
		})
	}
	return h
}

func (e *Engine) sealed() bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.closed
}

// lock takes the locks of the names, always in the same order, and gives what releases them.
func (e *Engine) lock(names ...string) func() {
	var which []int
	for _, name := range names {
		h := fnv.New32a()
		_, _ = io.WriteString(h, name) // never fails
		which = append(which, int(h.Sum32()%stripes))
	}
	slices.Sort(which)
	which = slices.Compact(which)
	for _, i := range which {
		e.locks[i].Lock()
	}
	return func() {
		for _, i := range which {
			e.locks[i].Unlock()
		}
	}
}

// load gives a key, from the cache or from storage.
func (e *Engine) load(ctx context.Context, name string) (*key, error) {
	k, err := e.cached(name)
	if k != nil || err != nil {
		return k, err
	}
	if err := keys.CheckName(name); err != nil {
		return nil, err
	}
	defer e.lock(name)()
	return e.loadLocked(ctx, name)
}

// cached gives a key that is in memory, or nil.
func (e *Engine) cached(name string) (*key, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return nil, keys.ErrSealed
	}
	return e.cache[name], nil
}

// loadLocked is load for those who hold the key's lock.
func (e *Engine) loadLocked(ctx context.Context, name string) (*key, error) {
	k, err := e.cached(name)
	if k != nil || err != nil {
		return k, err
	}
	data, err := e.storage.Get(ctx, policyPath(name))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, classify(err))
	}
	p, err := parsePolicy(data, name)
	if err != nil {
		return nil, err
	}
	k, err = newKey(p, nil)
	if err != nil {
		return nil, err
	}
	return k, e.remember(k)
}

// remember puts a key into the cache.
func (e *Engine) remember(k *key) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return keys.ErrSealed
	}
	if len(e.cache) >= maxCached {
		for name := range e.cache {
			delete(e.cache, name)
			break
		}
	}
	e.cache[k.policy.Name] = k
	return nil
}

func (e *Engine) forget(names ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names {
		delete(e.cache, name)
	}
}

// apply makes changes, all at once where the storage can, and wipes their values.
func (e *Engine) apply(ctx context.Context, writes []Write) error {
	defer func() {
		for _, w := range writes {
			clear(w.Value)
		}
	}()
	if e.sealed() {
		return keys.ErrSealed
	}
	if a, ok := e.storage.(Applier); ok {
		return classify(a.Apply(ctx, writes))
	}
	for _, w := range writes {
		var err error
		if w.Value == nil {
			err = e.storage.Delete(ctx, w.Path)
		} else {
			err = e.storage.Put(ctx, w.Path, w.Value)
		}
		if err != nil {
			return classify(err)
		}
	}
	return nil
}

// save writes a changed policy, with other writes before or after it, and puts it into the cache. Whatever the error,
// the cache then holds nothing of the key, so that the next use reads what the storage has.
func (e *Engine) save(ctx context.Context, old *key, changed *policy, before, after []Write) (*key, error) {
	k, err := newKey(changed, old)
	if err != nil {
		return nil, err
	}
	data, err := changed.marshal()
	if err != nil {
		return nil, err
	}
	writes := slices.Concat(before, []Write{{Path: policyPath(changed.Name), Value: data}}, after)
	if err := e.apply(ctx, writes); err != nil {
		e.forget(changed.Name)
		return nil, fmt.Errorf("key %s: %w", changed.Name, err)
	}
	return k, e.remember(k)
}

// classify makes an error one of the set of package keys, or the context's.
func classify(err error) error {
	if err == nil || keys.Classified(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &keys.UnavailableError{Err: err}
}
