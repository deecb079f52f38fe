package keys_test

import (
	"strings"
	"testing"

	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/keystest"
)

// scopes gives a store and two scopes of it, the first for throwing away.
func scopes(t *testing.T) (store keys.Store, a, b *keys.Scope) {
	t.Helper()
	e := engine.New(new(keystest.Memory), engine.Options{})
	return e, keys.NewScope(e, "a-", true), keys.NewScope(e, "b-", false)
}

// TestScope: two scopes of one store do not see each other's keys, and their names are their own.
func TestScope(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store, a, b := scopes(t)
	for _, s := range []keys.Store{a, b, store} {
		infos, err := s.Create(ctx, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
		if err != nil || infos[0].Ref.Name != "k" {
			t.Fatalf("created %v, %v", infos, err)
		}
	}
	first, err := a.Public(ctx, keys.Ref{Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if whole, err := store.Public(ctx, keys.Ref{Name: "a-k"}); err != nil || !whole.Public.Equal(first.Public) {
		t.Errorf("the store sees another key: %v", err)
	}
	if other, err := b.Public(ctx, keys.Ref{Name: "k"}); err != nil || other.Public.Equal(first.Public) {
		t.Errorf("the other scope sees this key: %v", err)
	}
	for _, s := range []keys.Store{a, b} {
		list, err := s.List(ctx, "", 0)
		if err != nil || len(list) != 1 || list[0].Name != "k" {
			t.Errorf("list %v, %v", list, err)
		}
		if list, err = s.List(ctx, "k", 0); err != nil || len(list) != 0 {
			t.Errorf("list after the last %v, %v", list, err)
		}
	}
	_, err = a.Describe(ctx, strings.Repeat("x", keys.MaxName-1))
	checkErr(t, "a name that does not fit behind the prefix", err, keys.ErrInvalid)
	_, err = a.Describe(ctx, "")
	checkErr(t, "no name", err, keys.ErrInvalid)
}

// TestScopeDiscard: keys of a scope for throwing away are destroyed, those of others stay.
func TestScopeDiscard(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store, a, b := scopes(t)
	for _, s := range []keys.Store{a, b} {
		if _, err := s.Create(ctx, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign}, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to do
		if left, err := a.Discard(ctx); err != nil || len(left) != 0 {
			t.Fatal(left, err)
		}
	}
	list, err := store.List(ctx, "", 0)
	if err != nil || len(list) != 4 {
		t.Fatalf("list %v, %v", list, err)
	}
	for _, k := range list {
		want := keys.StateEnabled
		if strings.HasPrefix(k.Name, "a-") {
			want = keys.StateDestroyed
		}
		if k.State != want {
			t.Errorf("key %s is %s, want %s", k.Name, k.State, want)
		}
	}
	_, err = b.Discard(ctx)
	checkErr(t, "discard what is not destroyable", err, keys.ErrDenied)
}
