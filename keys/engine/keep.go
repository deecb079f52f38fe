package engine

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// wrappingPath is the entry of the wrapping key. It holds a secret.
const wrappingPath = "wrapping/key"

// wrappingEntry is the stored wrapping key.
type wrappingEntry struct {
	Schema int    `json:"schema"`
	Secret []byte `json:"secret"`
}

// recoveryEntry is the stored recovery key.
type recoveryEntry struct {
	Schema int    `json:"schema"`
	Public []byte `json:"public"`
}

// WrappingKey implements keys.Keeper. The first call makes the key.
func (e *Engine) WrappingKey(ctx context.Context) (*ecdsa.PublicKey, error) {
	k, err := e.wrappingKey(ctx)
	if err != nil {
		return nil, err
	}
	return k.PublicKey(), nil
}

func (e *Engine) wrappingKey(ctx context.Context) (*gm.PrivateKey, error) {
	defer e.lock(wrappingPath)()
	if e.sealed() {
		return nil, keys.ErrSealed
	}
	data, err := e.storage.Get(ctx, wrappingPath)
	if errors.Is(err, keys.ErrNotFound) {
		return e.makeWrappingKey(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("wrapping key: %w", classify(err))
	}
	defer clear(data)
	var entry wrappingEntry
	if err := decodeStrict(data, &entry); err != nil || entry.Schema != schema {
		return nil, damaged("", "the wrapping key does not parse")
	}
	defer clear(entry.Secret)
	k, err := gm.ImportScalar(entry.Secret)
	if err != nil {
		return nil, damaged("", "the wrapping key is malformed")
	}
	return k, nil
}

func (e *Engine) makeWrappingKey(ctx context.Context) (*gm.PrivateKey, error) {
	k, err := gm.GenerateKey(e.rand)
	if err != nil {
		return nil, fmt.Errorf("wrapping key: %w", classify(err))
	}
	secret := k.ExportScalar()
	defer clear(secret)
	data, err := json.Marshal(wrappingEntry{Schema: schema, Secret: secret})
	if err != nil {
		return nil, fmt.Errorf("wrapping key: %w", err)
	}
	if err := e.apply(ctx, []Write{{Path: wrappingPath, Value: data}}); err != nil {
		return nil, fmt.Errorf("wrapping key: %w", err)
	}
	return k, nil
}

// ImportEnveloped implements keys.Keeper.
func (e *Engine) ImportEnveloped(ctx context.Context, name string, with keys.Ref, enveloped []byte) (keys.PublicInfo, error) {
	opener, err := e.opener(ctx, with)
	if err != nil {
		return keys.PublicInfo{}, fmt.Errorf("import into key %s: %w", name, err)
	}
	pair, err := opener.OpenEnvelopedKey(enveloped)
	if err != nil {
		return keys.PublicInfo{}, fmt.Errorf("import into key %s: %w", name, errOpen())
	}
	_, err = e.load(ctx, name)
	if errors.Is(err, keys.ErrNotFound) {
		return e.importNew(ctx, name, pair)
	}
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return e.importVersion(ctx, name, pair)
}

// opener is the private key that an import was encrypted to.
func (e *Engine) opener(ctx context.Context, with keys.Ref) (*gm.PrivateKey, error) {
	if with.Name == "" {
		return e.wrappingKey(ctx)
	}
	use, err := e.inUse(ctx, with, keys.PurposeSign)
	if err != nil {
		return nil, err
	}
	return use.secret.sm2, nil
}

func (e *Engine) importNew(ctx context.Context, name string, pair *gm.PrivateKey) (keys.PublicInfo, error) {
	defer e.lock(name)()
	if _, err := e.loadLocked(ctx, name); !errors.Is(err, keys.ErrNotFound) {
		return keys.PublicInfo{}, fmt.Errorf("%w: key %s exists", keys.ErrConflict, name)
	}
	v, write, err := e.versionOf(name, 1, pair)
	if err != nil {
		return keys.PublicInfo{}, err
	}
	p := firstPolicy(keys.CreateOptions{Name: name, Purpose: keys.PurposeDecrypt}, v)
	k, err := e.save(ctx, nil, p, []Write{write}, nil)
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return k.publicInfo(1), nil
}

func (e *Engine) importVersion(ctx context.Context, name string, pair *gm.PrivateKey) (keys.PublicInfo, error) {
	var n int
	k, err := e.change(ctx, name, func(p *policy) (before, after []Write, err error) {
		n = len(p.Versions) + 1
		switch {
		case p.Purpose != keys.PurposeDecrypt:
			return nil, nil, fmt.Errorf("%w: the purpose of key %s is %s: only keys that decrypt are imported", keys.ErrDenied, name, p.Purpose)
		case p.State != keys.StateEnabled:
			return nil, nil, fmt.Errorf("%w: key %s is %s", keys.ErrDenied, name, p.State)
		case n > MaxVersions:
			return nil, nil, fmt.Errorf("%w: key %s has %d versions, which is the most", keys.ErrDenied, name, n-1)
		}
		point := gm.MarshalPublicKey(pair.PublicKey())
		for i, v := range p.Versions {
			if slices.Equal(v.Public, point) {
				return nil, nil, fmt.Errorf("%w: that pair is version %d of key %s already", keys.ErrConflict, i+1, name)
			}
		}
		v, write, err := e.versionOf(name, n, pair)
		if err != nil {
			return nil, nil, err
		}
		p.Versions = append(p.Versions, v)
		return []Write{write}, nil, nil
	})
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return k.publicInfo(n), nil
}

// versionOf is a version whose key came from outside.
func (e *Engine) versionOf(name string, n int, pair *gm.PrivateKey) (policyVersion, Write, error) {
	v := policyVersion{
		State: keys.StateEnabled, Created: e.now().UTC().Truncate(time.Microsecond), Public: gm.MarshalPublicKey(pair.PublicKey()),
	}
	secret := pair.ExportScalar()
	defer clear(secret)
	data, err := json.Marshal(versionEntry{Schema: schema, Name: name, Version: n, Type: keys.TypeSM2, Secret: secret})
	if err != nil {
		return v, Write{}, fmt.Errorf("import into key %s: %w", name, err)
	}
	return v, Write{Path: versionPath(name, n), Value: data}, nil
}

// RecoveryKey implements keys.Keeper.
func (e *Engine) RecoveryKey(ctx context.Context) (*ecdsa.PublicKey, error) {
	if e.sealed() {
		return nil, keys.ErrSealed
	}
	data, err := e.storage.Get(ctx, recoveryPath)
	if err != nil {
		return nil, fmt.Errorf("recovery key: %w", classify(err))
	}
	var entry recoveryEntry
	if err := decodeStrict(data, &entry); err != nil || entry.Schema != schema {
		return nil, damaged("", "the recovery key does not parse")
	}
	return parseRecovery(entry.Public)
}

func parseRecovery(point []byte) (*ecdsa.PublicKey, error) {
	pub, err := gm.ParsePublicKey(point)
	if err != nil {
		return nil, fmt.Errorf("%w: recovery key: %w", keys.ErrInvalid, err)
	}
	return pub, nil
}

func recoveryWrite(point []byte) (Write, error) {
	data, err := json.Marshal(recoveryEntry{Schema: schema, Public: point})
	if err != nil {
		return Write{}, fmt.Errorf("recovery key: %w", err)
	}
	return Write{Path: recoveryPath, Value: data}, nil
}

// SetRecoveryKey implements keys.Keeper.
func (e *Engine) SetRecoveryKey(ctx context.Context, pub *ecdsa.PublicKey) error {
	point := gm.MarshalPublicKey(pub)
	if _, err := parseRecovery(point); err != nil {
		return err
	}
	e.voting.Lock()
	defer e.voting.Unlock()
	if err := e.singleHanded(ctx, keys.VerbQuorum, false); err != nil { // the first one too: whoever sets it reads every backup
		return err
	}
	if _, err := e.recoveryPoint(ctx); err != nil {
		return err
	}
	write, err := recoveryWrite(point)
	if err != nil {
		return err
	}
	return e.apply(ctx, []Write{write})
}
