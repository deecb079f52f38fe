package keystest_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"yinxin/keys"
	"yinxin/keys/keystest"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

// people of the shared server: accounts are made once each and have names of their own.
var people struct {
	once sync.Once
	n    atomic.Int64
}

// entity makes a person with an account and gives the entity's ID and a token.
func entity(t *testing.T, s *vaulttest.Server, policy string) (id, token string) {
	t.Helper()
	people.once.Do(func() { s.Must(t, "POST", "sys/auth/userpass", map[string]any{"type": "userpass"}) })
	return s.Person(t, fmt.Sprintf("custodian-%d", people.n.Add(1)), "a", policy)
}

// TestCouncilOnVault: custodians are entities of a real Vault, each with an account of its own; the root token sets up
// the server and the mount and does nothing else.
func TestCouncilOnVault(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	keystest.RunCouncil(t, func(t *testing.T) keystest.Chamber {
		mount := s.Mount(t)
		c := keystest.Chamber{Store: open(t, s, mount, custodian(t, s, mount))}
		var stores []*vaultkeys.Store
		for range 4 {
			id, token := entity(t, s, "all-"+mount)
			c.Members = append(c.Members, keys.Member{ID: id})
			stores = append(stores, openWith(t, s, mount, vaultkeys.Token(token)))
		}
		c.Members, c.Nobody = c.Members[:3], "li"
		c.As = func(t *testing.T, who int) (context.Context, keystest.GuardedStore) { return t.Context(), stores[who] }
		return c
	})
}

func TestKeeperOnVault(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	a, b := s.Mount(t), s.Mount(t)
	keystest.RunKeeper(t, open(t, s, a, custodian(t, s, a)), open(t, s, b, custodian(t, s, b)))
}
