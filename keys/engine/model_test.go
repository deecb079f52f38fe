package engine_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/keystest"
)

// model is what a key should be, in the simplest words.
type model struct {
	state       keys.State
	versions    []keys.State
	public      [][]byte
	minUse      int
	destroyable bool
}

// usable tells whether version n may sign.
func (m *model) usable(n int) bool {
	return m.state == keys.StateEnabled && m.versions[n-1] == keys.StateEnabled && n >= m.minUse
}

// TestModel drives random changes and restarts and compares every key with its model after each.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		storage := new(keystest.Memory)
		e := engine.New(storage, engine.Options{})
		models := map[string]*model{}
		pick := func(t *rapid.T) (string, *model) {
			name := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")
			return name, models[name]
		}
		expect := func(err, want error) {
			if !errors.Is(err, want) {
				t.Fatalf("error %v, want %v", err, want)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				name, m := pick(t)
				destroyable := rapid.Bool().Draw(t, "destroyable")
				infos, err := e.Create(ctx, keys.CreateOptions{Name: name, Purpose: keys.PurposeSign, Destroyable: destroyable})
				if m != nil {
					expect(err, keys.ErrConflict)
					return
				}
				expect(err, nil)
				models[name] = &model{
					state: keys.StateEnabled, versions: []keys.State{keys.StateEnabled},
					public: [][]byte{gm.MarshalPublicKey(infos[0].Public)}, minUse: 1, destroyable: destroyable,
				}
			},
			"rotate": func(t *rapid.T) {
				name, m := pick(t)
				expected := rapid.IntRange(0, 3).Draw(t, "expected")
				info, err := e.Rotate(ctx, name, expected)
				switch {
				case m == nil:
					expect(err, keys.ErrNotFound)
				case expected != 0 && expected != len(m.versions):
					expect(err, keys.ErrConflict)
				case m.state != keys.StateEnabled:
					expect(err, keys.ErrDenied)
				default:
					expect(err, nil)
					m.versions = append(m.versions, keys.StateEnabled)
					m.public = append(m.public, gm.MarshalPublicKey(info.Public))
				}
			},
			"state": func(t *rapid.T) {
				name, m := pick(t)
				n := rapid.IntRange(0, 2).Draw(t, "version")
				to := rapid.SampledFrom([]keys.State{keys.StateEnabled, keys.StateDisabled, keys.StateDestroyed}).Draw(t, "state")
				err := e.SetState(ctx, keys.Ref{Name: name, Version: n}, to)
				if m == nil || n > len(m.versions) {
					expect(err, keys.ErrNotFound)
					return
				}
				now := &m.state
				if n > 0 {
					now = &m.versions[n-1]
				}
				switch {
				case *now == to:
					expect(err, nil)
				case *now == keys.StateDestroyed, to == keys.StateDestroyed && !m.destroyable:
					expect(err, keys.ErrDenied)
				case to == keys.StateDestroyed && *now != keys.StateDisabled:
					expect(err, keys.ErrConflict)
				default:
					expect(err, nil)
					*now = to
					if to == keys.StateDestroyed && n == 0 {
						for i := range m.versions {
							m.versions[i] = keys.StateDestroyed
						}
					}
				}
			},
			"minimum": func(t *rapid.T) {
				name, m := pick(t)
				n := rapid.IntRange(0, 3).Draw(t, "minimum")
				_, err := e.Configure(ctx, name, keys.Change{MinUse: &n})
				switch {
				case m == nil:
					expect(err, keys.ErrNotFound)
				case n < 1 || n > len(m.versions):
					expect(err, keys.ErrInvalid)
				default:
					expect(err, nil)
					m.minUse = n
				}
			},
			"restart": func(*rapid.T) { e = engine.New(storage, engine.Options{}) },
			"": func(t *rapid.T) {
				for name, m := range models {
					compareModel(t, e, name, m)
				}
			},
		})
	})
}

// compareModel asks the engine about every version.
func compareModel(t *rapid.T, e *engine.Engine, name string, m *model) {
	ctx := t.Context()
	current := len(m.versions)
	for i, state := range slices.Backward(m.versions) {
		if state == keys.StateEnabled {
			current = i + 1
			break
		}
	}
	for n := 1; n <= len(m.versions); n++ {
		info, err := e.Public(ctx, keys.Ref{Name: name, Version: n})
		if err != nil || !bytes.Equal(gm.MarshalPublicKey(info.Public), m.public[n-1]) {
			t.Fatalf("public key of version %d of %s: %v, or another one", n, name, err)
		}
		out, err := e.Sign(ctx, info.Ref, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
		if !m.usable(n) {
			if !errors.Is(err, keys.ErrDenied) {
				t.Fatalf("version %d of %s signs: %v", n, name, err)
			}
			continue
		}
		if err != nil || !gm.Verify(info.Public, gm.Message("m"), out[0].Signature) {
			t.Fatalf("version %d of %s: %v, or it does not verify", n, name, err)
		}
	}
	if info, err := e.Public(ctx, keys.Ref{Name: name}); err != nil || info.Ref.Version != current {
		t.Fatalf("current version of %s is %v, want %d (%v)", name, info.Ref, current, err)
	}
}
