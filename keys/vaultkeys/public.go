package vaultkeys

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"sync"

	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// maxCached bounds the versions whose public part is kept.
const maxCached = 4096

// publicCache keeps public parts as they were last seen.
type publicCache struct {
	mu    sync.RWMutex
	known map[keys.Ref]keys.PublicInfo
}

func (c *publicCache) get(ref keys.Ref) (keys.PublicInfo, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	info, ok := c.known[ref]
	return info, ok
}

// put remembers a version. It refuses another public key for a version that is known: such keys never change.
func (c *publicCache) put(info keys.PublicInfo) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.known[info.Ref]
	if ok && (old.Purpose != info.Purpose || !samePublic(old.Public, info.Public)) {
		return &keys.UnavailableError{Err: fmt.Errorf("key %s is no longer the one it was", info.Ref)}
	}
	if c.known == nil {
		c.known = make(map[keys.Ref]keys.PublicInfo)
	}
	if len(c.known) >= maxCached && !ok {
		for ref := range c.known {
			delete(c.known, ref)
			break
		}
	}
	c.known[info.Ref] = info
	return nil
}

func samePublic(a, b *ecdsa.PublicKey) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}

// Public implements keys.Provider. While Vault is away a version that was seen before is answered as it was last seen.
func (s *Store) Public(ctx context.Context, ref keys.Ref) (keys.PublicInfo, error) {
	if err := keys.CheckName(ref.Name); err != nil {
		return keys.PublicInfo{}, err
	}
	if ref.Version < 0 {
		return keys.PublicInfo{}, fmt.Errorf("%w: version %d of key %s", keys.ErrNotFound, ref.Version, ref.Name)
	}
	var p gmwire.Public
	found, err := s.call(ctx, read, "keys/"+ref.Name+"/public/"+versionText(ref.Version), nil, &p)
	if errors.Is(err, keys.ErrSealed) || errors.Is(err, keys.ErrUnavailable) {
		if known, ok := s.publics.get(ref); ok {
			return known, nil
		}
	}
	if err == nil && !found {
		err = errEmpty
	}
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return s.learn(ref, p)
}

// errEmpty is an answer without the data that the engine always gives.
var errEmpty = &keys.UnavailableError{Err: errors.New("the engine answered nothing; is it mounted there?")}

// learn checks a public part that came in against what was asked and known, and remembers it.
func (s *Store) learn(asked keys.Ref, p gmwire.Public) (keys.PublicInfo, error) {
	info, err := p.Info()
	if err != nil {
		return keys.PublicInfo{}, &keys.UnavailableError{Err: err}
	}
	if info.Ref.Name != asked.Name || (asked.Version != 0 && info.Ref.Version != asked.Version) {
		return keys.PublicInfo{}, &keys.UnavailableError{Err: fmt.Errorf("asked for key %s, the engine gave %s", asked, info.Ref)}
	}
	return info, s.publics.put(info)
}

// verificationKey gives the public part of a version for verifying, which never changes.
func (s *Store) verificationKey(ctx context.Context, ref keys.Ref) (keys.PublicInfo, error) {
	if info, ok := s.publics.get(ref); ok {
		return info, nil
	}
	return s.Public(ctx, ref)
}
