package filekeys_test

import (
	"context"
	"errors"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/keys/keystest"
)

// chamber is a file store and four persons with a key of their own each.
func chamber(t *testing.T) keystest.Chamber {
	t.Helper()
	s, _ := create(t, filekeys.Options{})
	c := keystest.Chamber{Store: s}
	var people []*gm.PrivateKey
	for range 4 {
		k, err := gm.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, k)
		c.Members = append(c.Members, keys.Member{ID: filekeys.MemberID(k.PublicKey())})
	}
	c.Members = c.Members[:3]
	c.As = func(t *testing.T, who int) (context.Context, keystest.GuardedStore) {
		ctx, err := filekeys.As(t.Context(), people[who])
		if err != nil {
			t.Fatal(err)
		}
		return ctx, s
	}
	return c
}

func TestCouncil(t *testing.T) {
	t.Parallel()
	keystest.RunCouncil(t, chamber)
}

func TestKeeper(t *testing.T) {
	t.Parallel()
	a, _ := create(t, filekeys.Options{})
	b, _ := create(t, filekeys.Options{})
	keystest.RunKeeper(t, a, b)
}

// TestMembersHaveKeys: a rule whose members could not be told apart is refused.
func TestMembersHaveKeys(t *testing.T) {
	t.Parallel()
	s, _ := create(t, filekeys.Options{})
	rule := keys.Quorum{Needed: 2, Members: []keys.Member{{ID: "li"}, {ID: "wang"}, {ID: "zhao"}}}
	if err := s.SetQuorum(t.Context(), rule); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("names for members: %v", err)
	}
}
