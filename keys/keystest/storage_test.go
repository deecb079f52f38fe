package keystest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/keystest/vaulttest"
)

// TestStorageFull: while Vault cannot write, keys go on signing and every change is refused as unavailable; nothing is half
// made, no version is lost, and with room again the same changes work.
func TestStorageFull(t *testing.T) {
	t.Parallel()
	vaulttest.Program(t)
	vaulttest.SmallStorage(t)
	s := vaulttest.Start(t, vaulttest.Options{StorageSize: 12 << 20})
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	s.Must(t, "POST", "sys/mounts/kv", map[string]any{"type": "kv", "options": map[string]string{"version": "1"}})
	filled := fill(t, s)
	latest, refused := 1, 0
	for n := range 20 {
		made, err := store.Rotate(t.Context(), "k", 0)
		switch {
		case err == nil: // a little room was left
			latest = made.Ref.Version
		case !errors.Is(err, keys.ErrUnavailable):
			t.Errorf("rotate with full storage: %v", err)
		default:
			refused++
		}
		if _, err := store.Create(t.Context(), keys.CreateOptions{Name: fmt.Sprint("new", n), Purpose: keys.PurposeSign}); err != nil && !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("create with full storage: %v", err)
		}
		if err := signs(t.Context(), store, info); err != nil {
			t.Errorf("sign with full storage: %v", err)
		}
	}
	if refused == 0 {
		t.Fatal("the storage was never full")
	}
	for n := range filled {
		s.Must(t, "DELETE", fmt.Sprint("kv/", n), nil)
	}
	wholeKeys(t, s, store, mount, latest)
}

// fill writes until the storage takes no more, with ever smaller pieces, and tells how many there are.
func fill(t *testing.T, s *vaulttest.Server) int {
	t.Helper()
	n := 0
	for _, size := range []int{512 << 10, 64 << 10, 4 << 10, 1 << 10} {
		for full := 0; full < 2; {
			if _, err := s.Ask("POST", fmt.Sprint("kv/", n), s.Root, map[string]any{"x": strings.Repeat("x", size)}); err != nil {
				full++
				continue
			}
			if n++; n > 20_000 {
				t.Fatal("the storage does not fill")
			}
		}
	}
	return n
}

// wholeKeys: with room again all versions that were acknowledged sign, the next one is made, and every key that is listed works,
// also after the plugin has read everything anew.
func wholeKeys(t *testing.T, s *vaulttest.Server, store keys.Store, mount string, latest int) {
	t.Helper()
	for _, anew := range []bool{false, true} {
		if anew {
			s.Must(t, "POST", "sys/plugins/reload/backend", map[string]any{"mounts": []string{mount}})
		}
		made, err := store.Rotate(t.Context(), "k", 0)
		if err != nil || made.Ref.Version <= latest {
			t.Fatalf("rotate with room again: version %d after %d, %v", made.Ref.Version, latest, err)
		}
		list, err := store.List(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range list {
			for v := 1; v <= k.Latest; v++ {
				public, err := store.Public(t.Context(), keys.Ref{Name: k.Name, Version: v})
				if err == nil {
					err = signs(t.Context(), store, public)
				}
				if err != nil {
					t.Errorf("%s:v%d afterwards: %v", k.Name, v, err)
				}
			}
		}
		latest = made.Ref.Version
	}
}

// TestRotationsAtOnce: of many that rotate a key which they believe to be at the same version, one does; and each signature
// that is made meanwhile verifies with the version that it names.
func TestRotationsAtOnce(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	makeKey(t, store, "k", keys.PurposeSign)
	var wait sync.WaitGroup
	var over atomic.Bool
	for range 4 {
		wait.Go(func() {
			for !over.Load() {
				signedByItsVersion(t, store)
			}
		})
	}
	for latest := 1; latest < 6; latest++ {
		var won, lost atomic.Int64
		var rivals sync.WaitGroup
		for range 8 {
			rivals.Go(func() {
				made, err := store.Rotate(t.Context(), "k", latest)
				switch {
				case err == nil && made.Ref.Version == latest+1:
					won.Add(1)
				case errors.Is(err, keys.ErrConflict):
					lost.Add(1)
				default:
					t.Errorf("rotate: version %d, %v", made.Ref.Version, err)
				}
			})
		}
		rivals.Wait()
		if won.Load() != 1 || lost.Load() != 7 {
			t.Errorf("of 8 rotations of version %d %d took place, %d were refused", latest, won.Load(), lost.Load())
		}
	}
	over.Store(true)
	wait.Wait()
	if about, err := store.Describe(t.Context(), "k"); err != nil || about.Latest != 6 || len(about.Versions) != 6 {
		t.Errorf("afterwards %d versions, %v", about.Latest, err)
	}
}

func signedByItsVersion(t *testing.T, store keys.Store) {
	msg := gm.Message("公文")
	out, err := store.Sign(t.Context(), keys.Ref{Name: "k"}, keys.PurposeSign, []keys.SignItem{{Message: msg}})
	if err != nil || out[0].Err != nil {
		t.Errorf("sign while rotating: %v", err)
		return
	}
	public, err := store.Public(t.Context(), keys.Ref{Name: "k", Version: out[0].Version})
	if err != nil || !gm.Verify(public.Public, msg, out[0].Signature) {
		t.Errorf("a signature of version %d does not verify with it: %v", out[0].Version, err)
	}
}

// TestChangedPlugin: a plugin whose file was changed after its registration is not started again; keys are unavailable
// then, and work when the right file is back.
func TestChangedPlugin(t *testing.T) {
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{})
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	path := filepath.Join(s.Dir, "plugins", "vault-plugin-gm")
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(data []byte) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".new", data, 0o755), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	replace(append(slices.Clip(right), 0))
	if s.SignalPlugin(t, syscall.SIGKILL) == 0 {
		t.Fatal("no plugin ran")
	}
	for range 3 {
		if err := signs(t.Context(), store, info); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("sign with a changed plugin: %v", err)
		}
	}
	if left := s.PluginProcesses(t); len(left) != 0 {
		t.Errorf("a changed plugin runs: %v", left)
	}
	replace(right)
	eventually(t, "sign with the right plugin", func() error { return signs(t.Context(), store, info) })
}

// TestWrongPlace: a path at which no engine is mounted is unavailable, with a hint; another mount's keys are not there.
func TestWrongPlace(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	mount, other := s.Mount(t), s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	nowhere := openWith(t, s, "team/"+mount, rootOf(s))
	if err := signs(t.Context(), nowhere, info); !errors.Is(err, keys.ErrUnavailable) || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("sign where nothing is mounted: %v", err)
	}
	if err := signs(t.Context(), openWith(t, s, other, rootOf(s)), info); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("sign with a key of another mount: %v", err)
	}
	start := time.Now()
	if err := signs(t.Context(), open(t, s, other, custodian(t, s, mount)), info); !errors.Is(err, keys.ErrDenied) || time.Since(start) > 5*time.Second {
		t.Errorf("sign with a token of another mount: %v", err)
	}
}
