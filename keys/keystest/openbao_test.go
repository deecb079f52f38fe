package keystest_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"yinxin/keys"
	"yinxin/keys/keystest"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

// TestConformanceOnOpenBao holds the same plugin and client to the same suites on an OpenBao core.
func TestConformanceOnOpenBao(t *testing.T) {
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{Program: vaulttest.OpenBao(t), NoAudit: true})
	s.Must(t, "POST", "sys/auth/userpass", map[string]any{"type": "userpass"})
	fresh := func(t *testing.T) *vaultkeys.Store {
		mount := s.Mount(t)
		return open(t, s, mount, custodian(t, s, mount))
	}
	var people atomic.Int64
	t.Run("Store", func(t *testing.T) {
		t.Parallel()
		keystest.Run(t, func(t *testing.T) keystest.Backend { return fresh(t) })
	})
	t.Run("Keeper", func(t *testing.T) {
		t.Parallel()
		keystest.RunKeeper(t, fresh(t), fresh(t))
	})
	t.Run("Council", func(t *testing.T) {
		t.Parallel()
		keystest.RunCouncil(t, func(t *testing.T) keystest.Chamber {
			mount := s.Mount(t)
			c := keystest.Chamber{Store: open(t, s, mount, custodian(t, s, mount))}
			var stores []*vaultkeys.Store
			for range 4 {
				id, token := s.Person(t, fmt.Sprintf("person-%d", people.Add(1)), "a", "all-"+mount)
				c.Members = append(c.Members, keys.Member{ID: id})
				stores = append(stores, openWith(t, s, mount, vaultkeys.Token(token)))
			}
			c.Members = c.Members[:3]
			c.As = func(t *testing.T, who int) (context.Context, keystest.GuardedStore) { return t.Context(), stores[who] }
			return c
		})
	})
}
