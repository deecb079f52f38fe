package keystest_test

import (
	"context"
	"errors"
	"maps"
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
	"yinxin/keys/vaultkeys"
)

// appRole makes a role and gives a login with it.
func appRole(t *testing.T, s *vaulttest.Server, name, policy string, more map[string]any) vaultkeys.Login {
	t.Helper()
	s.Policy(t, name, policy)
	role := map[string]any{"token_policies": []string{name}, "token_no_default_policy": true}
	maps.Copy(role, more)
	s.Must(t, "POST", "auth/approle/role/"+name, role)
	id, _ := s.Must(t, "GET", "auth/approle/role/"+name+"/role-id", nil)["role_id"].(string)
	return vaultkeys.AppRole("approle", id, func() (string, error) {
		data, err := s.Ask("POST", "auth/approle/role/"+name+"/secret-id", s.Root, map[string]any{})
		secret, _ := data["secret_id"].(string)
		return secret, err
	})
}

func openWith(t *testing.T, s *vaulttest.Server, mount string, login vaultkeys.Login) *vaultkeys.Store {
	t.Helper()
	store, err := vaultkeys.Open(vaultkeys.Config{Address: s.Address, Mount: mount, Login: login})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func makeKey(t *testing.T, store keys.Admin, name string, purpose keys.Purpose) keys.PublicInfo {
	t.Helper()
	infos, err := store.Create(t.Context(), keys.CreateOptions{Name: name, Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	return infos[0]
}

// signs makes one signature and holds it against the public key.
func signs(ctx context.Context, store keys.Provider, info keys.PublicInfo) error {
	msg := gm.Message("公文")
	out, err := store.Sign(ctx, info.Ref, info.Purpose, []keys.SignItem{{Message: msg}})
	switch {
	case err != nil:
		return err
	case out[0].Err != nil:
		return out[0].Err
	case !gm.Verify(info.Public, msg, out[0].Signature):
		return errors.New("the signature does not verify")
	}
	return nil
}

// onEach runs a fault on a Vault and on an OpenBao, each a server of its own.
func onEach(t *testing.T, o vaulttest.Options, fault func(t *testing.T, s *vaulttest.Server)) {
	t.Helper()
	t.Run("Vault", func(t *testing.T) {
		t.Parallel()
		fault(t, vaulttest.Start(t, o))
	})
	t.Run("OpenBao", func(t *testing.T) {
		t.Parallel()
		o := o
		o.Program, o.NoAudit = vaulttest.OpenBao(t), true
		fault(t, vaulttest.Start(t, o))
	})
}

// eventually waits until a use works again.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	err := try()
	for end := time.Now().Add(15 * time.Second); err != nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		err = try()
	}
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// TestSealedVault: a sealed Vault says so at once, what is public stays at hand, and all recovers by itself.
func TestSealedVault(t *testing.T) {
	t.Parallel()
	onEach(t, vaulttest.Options{}, sealedVault)
}

func sealedVault(t *testing.T, s *vaulttest.Server) {
	t.Helper()
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	s.Seal(t)
	start := time.Now()
	if err := signs(t.Context(), store, info); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("sign: %v", err)
	}
	if _, err := store.Rotate(t.Context(), "k", 1); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("rotate: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("a sealed Vault took %s to say so", took)
	}
	if h := store.Health(t.Context()); h.Status != keys.HealthSealed {
		t.Errorf("health %+v", h)
	}
	if got, err := store.Public(t.Context(), info.Ref); err != nil || !got.Public.Equal(info.Public) {
		t.Errorf("public key while sealed: %v", err)
	}
	if err := s.Unseal(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "sign after unsealing", func() error { return signs(t.Context(), store, info) })
	if got, err := store.Describe(t.Context(), "k"); err != nil || got.Latest != 1 {
		t.Errorf("after unsealing version %d is the latest, %v", got.Latest, err)
	}
}

// TestStoppedVault: a Vault that is gone is unavailable, within the time of the call, and works again after a restart.
func TestStoppedVault(t *testing.T) {
	t.Parallel()
	onEach(t, vaulttest.Options{Durable: true}, stoppedVault)
}

func stoppedVault(t *testing.T, s *vaulttest.Server) {
	t.Helper()
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	s.Stop()
	start := time.Now()
	if err := signs(t.Context(), store, info); !errors.Is(err, keys.ErrUnavailable) || time.Since(start) > time.Second {
		t.Errorf("sign after %s: %v", time.Since(start), err)
	}
	if h := store.Health(t.Context()); h.Status != keys.HealthUnreachable {
		t.Errorf("health %+v", h)
	}
	s.Restart(t)
	if err := s.Unseal(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "sign after the restart", func() error { return signs(t.Context(), store, info) })
}

// TestLogins: a revoked or expiring login is made anew, a token that is somebody's own is not; policies decide.
func TestLogins(t *testing.T) { //nolint:tparallel // the subtests share one server and its quotas
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{})
	s.Must(t, "POST", "sys/auth/approle", map[string]any{"type": "approle"})
	mount := s.Mount(t)
	info := makeKey(t, open(t, s, mount, custodian(t, s, mount)), "k", keys.PurposeSign)
	hub := `path "` + mount + `/sign/k" { capabilities = ["patch"] }
path "` + mount + `/keys/+/public/+" { capabilities = ["read"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
`
	t.Run("revoked", func(t *testing.T) {
		store := openWith(t, s, mount, appRole(t, s, "revoked", hub, nil))
		for range 2 {
			if err := signs(t.Context(), store, info); err != nil {
				t.Fatal(err)
			}
			for _, accessor := range s.Accessors(t, "revoked") {
				s.Must(t, "POST", "auth/token/revoke-accessor", map[string]any{"accessor": accessor})
			}
		}
		if err := signs(t.Context(), store, info); err != nil {
			t.Errorf("after revoking: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if left := s.Accessors(t, "revoked"); len(left) != 0 {
			t.Errorf("%d logins are left after closing", len(left))
		}
		if err := signs(t.Context(), store, info); !errors.Is(err, keys.ErrSealed) {
			t.Errorf("after closing: %v", err)
		}
	})
	t.Run("own token revoked", func(t *testing.T) {
		s.Policy(t, "own", hub)
		token := s.Token(t, "1h", "own")
		store := openWith(t, s, mount, vaultkeys.Token(token))
		if err := signs(t.Context(), store, info); err != nil {
			t.Fatal(err)
		}
		s.Must(t, "POST", "auth/token/revoke", map[string]any{"token": token})
		err := signs(t.Context(), store, info)
		if !errors.Is(err, keys.ErrDenied) || strings.Contains(err.Error(), token) {
			t.Errorf("after revoking: %v", err)
		}
	})
	t.Run("expiring", func(t *testing.T) {
		store := openWith(t, s, mount, appRole(t, s, "expiring", hub, map[string]any{"token_ttl": "2s", "token_max_ttl": "4s"}))
		for end := time.Now().Add(7 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if err := signs(t.Context(), store, info); err != nil {
				t.Fatalf("past the life of a token: %v", err)
			}
		}
	})
	t.Run("policy", func(t *testing.T) {
		store := openWith(t, s, mount, appRole(t, s, "policy", hub, nil))
		if _, err := store.Rotate(t.Context(), "k", 1); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("rotate: %v", err)
		}
		if logins := s.Accessors(t, "policy"); len(logins) != 1 {
			t.Errorf("a denial made %d logins", len(logins))
		}
		if err := signs(t.Context(), store, info); err != nil {
			t.Errorf("sign after a denial: %v", err)
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		store := openWith(t, s, mount, vaultkeys.AppRole("approle", "nobody", func() (string, error) { return "canary-secret", nil }))
		err := signs(t.Context(), store, info)
		if !errors.Is(err, keys.ErrDenied) || strings.Contains(err.Error(), "canary") {
			t.Errorf("sign: %v", err)
		}
		if h := store.Health(t.Context()); h.Status != keys.HealthDenied {
			t.Errorf("health %+v", h)
		}
	})
	t.Run("rate limit", func(t *testing.T) {
		store := openWith(t, s, mount, appRole(t, s, "rate", hub, nil))
		if err := signs(t.Context(), store, info); err != nil {
			t.Fatal(err)
		}
		s.Must(t, "POST", "sys/quotas/rate-limit/gm", map[string]any{"path": mount, "rate": 1})
		var limited *keys.UnavailableError
		for range 5 {
			if err := signs(t.Context(), store, info); errors.As(err, &limited) {
				break
			}
		}
		if limited == nil || limited.RetryAfter <= 0 {
			t.Errorf("over the limit: %v", limited)
		}
		s.Must(t, "DELETE", "sys/quotas/rate-limit/gm", nil)
		eventually(t, "sign below the limit", func() error { return signs(t.Context(), store, info) })
	})
}

// TestKilledPlugin: the plugin's process dies over and over while keys are used and rotated. No signature is wrong, no
// version is lost, every error has its class, and afterwards all works.
func TestKilledPlugin(t *testing.T) {
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{})
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	ctx, stop := context.WithTimeout(t.Context(), 6*time.Second)
	defer stop()
	var wait sync.WaitGroup
	var good, bad atomic.Int64
	for range 4 {
		wait.Go(func() {
			for ctx.Err() == nil {
				err := signs(t.Context(), store, info)
				switch {
				case err == nil:
					good.Add(1)
				case keys.Classified(err):
					bad.Add(1)
				default:
					t.Errorf("sign: %v", err)
				}
			}
		})
	}
	acknowledged := 1
	wait.Go(func() {
		for ctx.Err() == nil {
			made, err := store.Rotate(t.Context(), "k", 0)
			if err == nil {
				acknowledged = max(acknowledged, made.Ref.Version)
			} else if !keys.Classified(err) {
				t.Errorf("rotate: %v", err)
			}
		}
	})
	killed := 0
	for ctx.Err() == nil {
		time.Sleep(700 * time.Millisecond)
		killed += s.SignalPlugin(t, syscall.SIGKILL)
	}
	wait.Wait()
	t.Logf("%d signatures, %d classified errors, %d kills, %d rotations", good.Load(), bad.Load(), killed, acknowledged-1)
	if killed < 3 || good.Load() == 0 {
		t.Errorf("%d kills, %d signatures: nothing was tried", killed, good.Load())
	}
	eventually(t, "sign afterwards", func() error { return signs(t.Context(), store, info) })
	about, err := store.Describe(t.Context(), "k")
	if err != nil || about.Latest < acknowledged {
		t.Fatalf("version %d was acknowledged, %d is the latest, %v", acknowledged, about.Latest, err)
	}
	for n := 1; n <= about.Latest; n += max(1, about.Latest/20) {
		public, err := store.Public(t.Context(), keys.Ref{Name: "k", Version: n})
		if err != nil {
			t.Fatal(err)
		}
		if err := signs(t.Context(), store, public); err != nil {
			t.Errorf("version %d: %v", n, err)
		}
	}
}

// TestWrongChecksum: a plugin whose file is not the registered one does not run.
func TestWrongChecksum(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	if err := s.Register("gm-wrong", strings.Repeat("ab", 32)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Ask("POST", "sys/mounts/gm-wrong", s.Root, map[string]any{"type": "gm-wrong"})
	if err == nil {
		_, err = s.Ask("GET", "gm-wrong/info", s.Root, nil)
	}
	if vaulttest.Status(err) < 400 {
		t.Errorf("a plugin of another checksum runs: %v", err)
	}
}

// TestBigRequests: a batch over the bound is refused as a whole, a message at the bound is signed.
func TestBigRequests(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	mount := s.Mount(t)
	token := custodian(t, s, mount)
	store := open(t, s, mount, token)
	info := makeKey(t, store, "k", keys.PurposeSign)
	many := slices.Repeat([]any{map[string]any{"input": ""}}, 10_000)
	if _, err := s.Ask("PATCH", mount+"/sign/k", token, map[string]any{"batch_input": many}); vaulttest.Status(err) != 400 {
		t.Errorf("10 000 items: %v", err)
	}
	msg := make(gm.Message, keys.MaxMessage)
	out, err := store.Sign(t.Context(), info.Ref, keys.PurposeSign, []keys.SignItem{{Message: msg}, {Message: gm.Message("m")}})
	if err != nil || out[0].Err != nil || !gm.Verify(info.Public, msg, out[0].Signature) {
		t.Errorf("a message at the bound: %v", err)
	}
}

// TestSealedInMidBatch: Vault is sealed while batches are under way and keys are rotated. Every batch is signed whole and
// right or ends with an error of its class, and no version that was acknowledged is lost.
func TestSealedInMidBatch(t *testing.T) {
	t.Parallel()
	onEach(t, vaulttest.Options{}, sealedInMidBatch)
}

func sealedInMidBatch(t *testing.T, s *vaulttest.Server) {
	t.Helper()
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	msg := gm.Message("公文")
	items := slices.Repeat([]keys.SignItem{{Message: msg}}, keys.MaxBatch)
	var wait sync.WaitGroup
	var whole, refused, latest atomic.Int64
	ended := make(chan struct{})
	for range 3 {
		wait.Go(func() {
			for refused.Load() == 0 {
				out, err := store.Sign(t.Context(), info.Ref, keys.PurposeSign, items)
				if err != nil {
					refused.Add(1)
					if !errors.Is(err, keys.ErrSealed) && !errors.Is(err, keys.ErrUnavailable) {
						t.Errorf("a batch ends with %v", err)
					}
					continue
				}
				for _, r := range out {
					if r.Err != nil || !gm.Verify(info.Public, msg, r.Signature) {
						t.Errorf("an item of a batch that came back: %v, or its signature is wrong", r.Err)
					}
				}
				whole.Add(1)
			}
		})
	}
	wait.Go(func() {
		for refused.Load() == 0 {
			if made, err := store.Rotate(t.Context(), "k", 0); err == nil {
				latest.Store(int64(made.Ref.Version))
			}
		}
	})
	go func() { wait.Wait(); close(ended) }()
	time.Sleep(300 * time.Millisecond)
	s.Seal(t)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("a batch hangs on a sealed Vault")
	}
	if whole.Load() == 0 || latest.Load() < 2 {
		t.Errorf("%d batches, version %d: nothing was under way", whole.Load(), latest.Load())
	}
	if err := s.Unseal(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "sign after unsealing", func() error { return signs(t.Context(), store, info) })
	if about, err := store.Describe(t.Context(), "k"); err != nil || int64(about.Latest) < latest.Load() {
		t.Errorf("version %d was acknowledged, %d is the latest, %v", latest.Load(), about.Latest, err)
	}
}
