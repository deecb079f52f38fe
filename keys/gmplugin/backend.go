// Package gmplugin is the key engine as a Vault secrets plugin: it decodes fields, calls keys/engine and encodes what
// comes back, nothing else. cmd/vault-plugin-gm serves it; keys/vaultkeys is its client.
//
// # What it promises
//
// Private keys stay in Vault's storage and in the memory of the plugin's process: no path gives one out. A refusal of the
// engine reaches the caller with its class (keys/gmwire). On a standby nothing is changed before the first write, which
// Vault then forwards to the active node. Another node's write is noticed through Invalidate.
//
// # What it does not promise
//
// Who may call which path is decided by Vault's policies in front of it. Secrets pass as byte slices through gRPC, and Go
// cannot promise to wipe them.
package gmplugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/gmwire"
)

// Version is the version that the plugin tells Vault.
const Version = "v0.1.0"

// backend is one mount.
type backend struct {
	*framework.Backend

	engine *engine.Engine
	// tested is set once the algorithms have given the known answers.
	tested atomic.Bool
	// tidied is set once this process has removed what crashes left behind.
	tidied atomic.Bool
}

// Factory makes the backend of a mount; it is a logical.Factory.
func Factory(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
	if config == nil || config.StorageView == nil {
		return nil, errors.New("secrets engine gm: Vault gave no storage")
	}
	b := new(backend)
	b.engine = engine.New(&storage{config.StorageView}, engine.Options{Person: b.person})
	b.Backend = &framework.Backend{
		BackendType:    logical.TypeLogical,
		Help:           strings.TrimSpace(helpBackend),
		RunningVersion: Version,
		Paths: slices.Concat(
			b.infoPaths(), b.usePaths(), b.keyPaths(), b.quorumPaths(), b.keepPaths(),
		),
		PathsSpecial:   &logical.Paths{SealWrapStorage: []string{"version/", "wrapping/"}},
		InitializeFunc: func(context.Context, *logical.InitializationRequest) error { return b.selfTest() },
		Invalidate:     b.invalidate,
		PeriodicFunc:   b.periodic,
		Clean:          func(context.Context) { b.engine.Close() },
	}
	for _, p := range b.Paths {
		p.DisplayAttrs = &framework.DisplayAttributes{OperationPrefix: "gm"} // of the operations in Vault's OpenAPI document
	}
	if err := b.Setup(ctx, config); err != nil {
		return nil, fmt.Errorf("secrets engine gm: %w", err)
	}
	return b, nil
}

// person gives the name of an entity. A member that is no entity, such as one that was named by its account, could never consent,
// and a rule of such members would close the mount for ever.
func (b *backend) person(id string) (string, error) {
	entity, err := b.System().EntityInfo(id)
	if err != nil {
		return "", err
	}
	if entity.GetID() != id || entity.GetDisabled() {
		return "", fmt.Errorf("%w: member %q is no entity of this Vault, or a disabled one: want its ID (vault read identity/entity/name/NAME)", keys.ErrInvalid, id)
	}
	return entity.GetName(), nil
}

// selfTest computes the known answers of SM2, SM3 and SM4; a mount whose algorithms are wrong does not start.
func (b *backend) selfTest() error {
	if err := gm.SelfTest(); err != nil {
		return fmt.Errorf("secrets engine gm: self-test: %w", err)
	}
	b.tested.Store(true)
	return nil
}

// upkeepTime bounds one round of upkeep.
const upkeepTime = 30 * time.Second

// periodic does what time asks for, on the node that writes: automatic rotation, deletion that is due, expired approvals.
func (b *backend) periodic(ctx context.Context, _ *logical.Request) error {
	if !b.WriteSafeReplicationState() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, upkeepTime)
	defer cancel()
	if !b.tidied.Load() {
		if _, err := b.engine.Tidy(ctx); err != nil {
			return fmt.Errorf("secrets engine gm: %w", err)
		}
		b.tidied.Store(true)
	}
	if err := b.engine.Upkeep(ctx); err != nil {
		return fmt.Errorf("secrets engine gm: %w", err)
	}
	return nil
}

// invalidate forgets what is cached of the key whose entry another node wrote.
func (b *backend) invalidate(_ context.Context, path string) {
	_, rest, _ := strings.Cut(path, "/") // policy/NAME, version/NAME/N, cert/NAME/N
	name, _, _ := strings.Cut(rest, "/")
	b.engine.Invalidate(name)
}

// storage is the engine's storage in Vault's.
type storage struct{ view logical.Storage }

var _ engine.Storage = (*storage)(nil)

// Get implements engine.Storage. The value is copied: the engine wipes what it reads.
func (s *storage) Get(ctx context.Context, path string) ([]byte, error) {
	entry, err := s.view.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	if entry == nil {
		return nil, fmt.Errorf("entry %s: %w", path, keys.ErrNotFound)
	}
	return slices.Clone(entry.Value), nil
}

// Put implements engine.Storage. The value is copied: the engine wipes its own.
func (s *storage) Put(ctx context.Context, path string, value []byte) error {
	return s.view.Put(ctx, &logical.StorageEntry{Key: path, Value: slices.Clone(value), SealWrap: secretPath(path)})
}

// secretPath tells the entries that hold a secret.
func secretPath(path string) bool {
	return strings.HasPrefix(path, "version/") || strings.HasPrefix(path, "wrapping/")
}

// Delete implements engine.Storage.
func (s *storage) Delete(ctx context.Context, path string) error { return s.view.Delete(ctx, path) }

// List implements engine.Storage for prefixes that end with a slash and have entries directly below.
func (s *storage) List(ctx context.Context, prefix string) ([]string, error) {
	names, err := s.view.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(names))
	for _, name := range names {
		if !strings.HasSuffix(name, "/") {
			paths = append(paths, prefix+name)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// refuse turns an error of the engine into Vault's: a text with the class in front and the status of the class.
func refuse(err error) (*logical.Response, error) {
	if strings.Contains(err.Error(), logical.ErrReadOnly.Error()) {
		return nil, logical.ErrReadOnly // a standby: Vault forwards the request
	}
	code, status := gmwire.CodeOf(err)
	switch code {
	case gmwire.CodeDenied:
		return logical.ErrorResponse(gmwire.Text(err)), logical.ErrPermissionDenied
	case gmwire.CodeInvalid, gmwire.CodeDecrypt, gmwire.CodeNotFound:
		return logical.ErrorResponse(gmwire.Text(err)), logical.ErrInvalidRequest
	}
	return nil, logical.CodedError(status, gmwire.Text(err))
}
