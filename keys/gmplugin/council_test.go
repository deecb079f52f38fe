package gmplugin_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys"
	"yinxin/keys/keystest"
	"yinxin/keys/vaultkeys"
)

// TestCouncil: as on a real Vault, with the entity that the front gives out for a token.
func TestCouncil(t *testing.T) {
	t.Parallel()
	keystest.RunCouncil(t, func(t *testing.T) keystest.Chamber {
		view := new(logical.InmemStorage)
		server := httptest.NewServer(&front{t: t, backend: mount(t, view), view: view})
		t.Cleanup(server.Close)
		as := func(token string) keystest.GuardedStore {
			s, err := vaultkeys.Open(vaultkeys.Config{Address: server.URL, Mount: "gm", Login: vaultkeys.Token(token)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
		who := []string{"entity-li", "entity-wang", "entity-zhao", "entity-stranger"}
		return keystest.Chamber{
			Store: as("t"), Members: []keys.Member{{ID: who[0]}, {ID: who[1]}, {ID: who[2], Name: "赵"}}, Nobody: "li",
			As: func(t *testing.T, i int) (context.Context, keystest.GuardedStore) { return t.Context(), as(who[i]) },
		}
	})
}

func TestKeeper(t *testing.T) {
	t.Parallel()
	keystest.RunKeeper(t, open(t, new(logical.InmemStorage)), open(t, new(logical.InmemStorage)))
}
