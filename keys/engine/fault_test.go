package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
	"yinxin/keys/keystest"
)

// change is one changing verb over a store made by setUp.
type change struct {
	name string
	run  func(ctx context.Context, e *engine.Engine, c certificates) error
}

// certificates are made before the faults begin.
type certificates struct{ sign []byte }

func changes() []change {
	return []change{
		{"create", func(ctx context.Context, e *engine.Engine, _ certificates) error {
			_, err := e.Create(ctx, keys.CreateOptions{Name: "new-1", Purpose: keys.PurposeSign}, keys.CreateOptions{Name: "new-2", Purpose: keys.PurposeMAC})
			return err
		}},
		{"rotate", func(ctx context.Context, e *engine.Engine, _ certificates) error {
			_, err := e.Rotate(ctx, "s", 2)
			return err
		}},
		{"disable", func(ctx context.Context, e *engine.Engine, _ certificates) error {
			return e.SetState(ctx, keys.Ref{Name: "s", Version: 1}, keys.StateDisabled)
		}},
		{"destroy", func(ctx context.Context, e *engine.Engine, _ certificates) error {
			return e.SetState(ctx, keys.Ref{Name: "old"}, keys.StateDestroyed)
		}},
		{"configure", func(ctx context.Context, e *engine.Engine, _ certificates) error {
			two := 2
			_, err := e.Configure(ctx, "s", keys.Change{MinUse: &two})
			return err
		}},
		{"certify", func(ctx context.Context, e *engine.Engine, c certificates) error {
			_, err := e.ImportCertificate(ctx, keys.Ref{Name: "s"}, [][]byte{c.sign})
			return err
		}},
	}
}

// setUp makes a store with keys for every change.
func setUp(t *testing.T) (*keystest.Memory, certificates) {
	t.Helper()
	ctx := t.Context()
	m := new(keystest.Memory)
	e := engine.New(m, engine.Options{})
	infos, err := e.Create(ctx, keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign},
		keys.CreateOptions{Name: "old", Purpose: keys.PurposeSign, Destroyable: true}, keys.CreateOptions{Name: "root", Purpose: keys.PurposeIssue})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := keys.Signer(ctx, e, keys.Ref{Name: "root"}, keys.PurposeIssue)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cert.NewRoot(cert.Station{Signer: signer}, cert.Subject("root", ""), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ca.IssueSigning(cert.Subject("s", ""), infos[0].Public, cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Rotate(ctx, "s", 1)
	if err = errors.Join(err, e.SetState(ctx, keys.Ref{Name: "old"}, keys.StateDisabled)); err != nil {
		t.Fatal(err)
	}
	return m, certificates{sign: c.Raw}
}

// TestEveryWriteFails makes each write of each change fail, lost or done, with and without a restart afterwards. The
// store must stay consistent, old public keys must stay, and the change must then be possible or be there already.
func TestEveryWriteFails(t *testing.T) {
	t.Parallel()
	for _, c := range changes() {
		base, certs := setUp(t)
		trial := base.Snapshot()
		if err := c.run(t.Context(), engine.New(trial, engine.Options{}), certs); err != nil {
			t.Fatalf("%s without a fault: %v", c.name, err)
		}
		for n := 1; n <= trial.Writes(); n++ {
			for _, fault := range []keystest.Fault{keystest.FailLost, keystest.FailDone} {
				for _, restart := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/write=%d/done=%t/restart=%t", c.name, n, fault == keystest.FailDone, restart), func(t *testing.T) {
						t.Parallel()
						failWrite(t, c, base.Snapshot(), certs, n, fault, restart)
					})
				}
			}
		}
	}
}

func failWrite(t *testing.T, c change, m *keystest.Memory, certs certificates, n int, fault keystest.Fault, restart bool) {
	t.Helper()
	ctx := t.Context()
	e := engine.New(m, engine.Options{})
	before, err := e.Describe(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	m.Fail(func(i int, _ string) keystest.Fault {
		if i == n {
			return fault
		}
		return keystest.Done
	})
	err = c.run(ctx, e, certs)
	if !errors.Is(err, keys.ErrUnavailable) || !errors.Is(err, keystest.ErrInjected) {
		t.Fatalf("error %v, want unavailable", err)
	}
	if restart {
		m = m.Snapshot()
		e = engine.New(m, engine.Options{})
	}
	m.Fail(nil)
	consistent(t, e)
	after, err := e.Describe(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range before.Versions {
		if !bytes.Equal(v.Public, after.Versions[i].Public) {
			t.Errorf("public key of version %d has changed", i+1)
		}
	}
	if err := c.run(ctx, e, certs); err != nil && !errors.Is(err, keys.ErrConflict) {
		t.Errorf("second try: %v", err)
	}
	consistent(t, e)
	if _, err := e.Tidy(ctx); err != nil {
		t.Errorf("tidy: %v", err)
	}
	if info, err := e.Describe(ctx, "old"); err == nil && info.State == keys.StateDestroyed {
		if _, err := m.Get(ctx, "version/old/1"); !errors.Is(err, keys.ErrNotFound) {
			t.Errorf("the secret of a destroyed version is still there: %v", err)
		}
	}
}

// consistent checks that every version that should work does, with the public key it shows.
func consistent(t *testing.T, e *engine.Engine) {
	t.Helper()
	ctx := t.Context()
	infos, err := e.List(ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range infos {
		for _, v := range k.Versions {
			ref := keys.Ref{Name: k.Name, Version: v.Version}
			info, err := e.Public(ctx, ref)
			if err != nil {
				t.Errorf("public key %s: %v", ref, err)
			}
			if !k.Purpose.Signs() || info.State != keys.StateEnabled || v.Version < k.MinUse {
				continue
			}
			out, err := e.Sign(ctx, ref, k.Purpose, []keys.SignItem{{Message: gm.Message("m")}})
			if err != nil || out[0].Err != nil || !gm.Verify(info.Public, gm.Message("m"), out[0].Signature) {
				t.Errorf("sign with %s: %v, or it does not verify", ref, err)
			}
		}
	}
}

// flip makes the base64 letter at i another one.
func flip(s string, i int) string {
	letter := "A"
	if s[i] == 'A' {
		letter = "B"
	}
	return s[:i] + letter + s[i+1:]
}

// TestDamage alters stored entries: each is noticed, and no error quotes a secret.
func TestDamage(t *testing.T) {
	t.Parallel()
	m, _ := setUp(t)
	ctx := t.Context()
	get := func(path string) string {
		t.Helper()
		v, err := m.Get(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		return string(v)
	}
	policy, version := get("policy/s"), get("version/s/2")
	secret := version[strings.Index(version, `"secret":"`)+10:][:40]
	for _, c := range []struct {
		name, path, value string
	}{
		{"policy cut", "policy/s", policy[:len(policy)/2]},
		{"policy of another key", "policy/s", get("policy/old")},
		{"policy with a strange field", "policy/s", strings.Replace(policy, `"schema"`, `"x":1,"schema"`, 1)},
		{"policy of another schema", "policy/s", strings.Replace(policy, `"schema":1`, `"schema":2`, 1)},
		{"policy with trailing data", "policy/s", policy + "{}"},
		{"purpose of another type", "policy/s", strings.Replace(policy, `"purpose":"sign"`, `"purpose":"mac"`, 1)},
		{"unknown purpose", "policy/s", strings.Replace(policy, `"purpose":"sign"`, `"purpose":"x"`, 1)},
		{"unknown state", "policy/s", strings.Replace(policy, `"state":"enabled"`, `"state":"x"`, 1)},
		{"unknown state of a version", "policy/s", policy[:strings.LastIndex(policy, "enabled")] + "x" + policy[strings.LastIndex(policy, "enabled")+7:]},
		{"no versions", "policy/s", policy[:strings.Index(policy, `"versions"`)] + `"versions":[]}`},
		{"minimum zero", "policy/s", strings.Replace(policy, `"min_use":1`, `"min_use":0`, 1)},
		{"point off the curve", "policy/s", flip(policy, strings.Index(policy, `"public":"`)+20)},
		{"version cut", "version/s/2", version[:len(version)-30]},
		{"version of another number", "version/s/2", get("version/s/1")},
		{"version of another key", "version/s/2", strings.Replace(get("version/old/1"), `"version":1`, `"version":2`, 1)},
		{"secret of another version", "version/s/2", strings.Replace(get("version/s/1"), `"version":1`, `"version":2`, 1)},
		{"secret too short", "version/s/2", strings.Replace(version, secret, secret[:36], 1)},
		{"version missing", "version/s/2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			damaged := m.Snapshot()
			damaged.Set(c.path, []byte(c.value))
			if c.value == "" {
				damaged.Set(c.path, nil)
			}
			e := engine.New(damaged, engine.Options{})
			_, err := e.Sign(ctx, keys.Ref{Name: "s", Version: 2}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
			if !errors.Is(err, keys.ErrUnavailable) && !errors.Is(err, keys.ErrNotFound) {
				t.Errorf("error %v, want unavailable or not found", err)
			}
			if err != nil && strings.Contains(err.Error(), secret[:8]) {
				t.Error("the error quotes a secret")
			}
			if _, err := e.Public(ctx, keys.Ref{Name: "old"}); err != nil {
				t.Errorf("another key suffers: %v", err)
			}
		})
	}
	if _, err := engine.New(m, engine.Options{}).Sign(ctx, keys.Ref{Name: "s", Version: 2}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}}); err != nil {
		t.Errorf("undamaged: %v", err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	m, _ := setUp(t)
	ctx := t.Context()
	e := engine.New(m, engine.Options{})
	item := []keys.SignItem{{Message: gm.Message("m")}}
	if _, err := e.Sign(ctx, keys.Ref{Name: "s"}, keys.PurposeSign, item); err != nil {
		t.Fatal(err)
	}
	e.Close()
	ref := keys.Ref{Name: "s"}
	_, sign := e.Sign(ctx, ref, keys.PurposeSign, item)
	_, public := e.Public(ctx, ref)
	_, created := e.Create(ctx, keys.CreateOptions{Name: "x", Purpose: keys.PurposeSign})
	_, rotated := e.Rotate(ctx, "s", 0)
	_, listed := e.List(ctx, "", 0)
	_, unknown := e.Public(ctx, keys.Ref{Name: "nobody"})
	for i, err := range []error{sign, public, created, rotated, listed, unknown, e.SetState(ctx, ref, keys.StateDisabled)} {
		if !errors.Is(err, keys.ErrSealed) {
			t.Errorf("verb %d after Close: %v", i, err)
		}
	}
	if h := e.Health(ctx); h.Status != keys.HealthSealed {
		t.Errorf("health %+v", h)
	}
}

func TestInvalidate(t *testing.T) {
	t.Parallel()
	m, _ := setUp(t)
	ctx := t.Context()
	one, two := engine.New(m, engine.Options{}), engine.New(m, engine.Options{})
	for _, e := range []*engine.Engine{one, two} {
		if _, err := e.Public(ctx, keys.Ref{Name: "s"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.SetState(ctx, keys.Ref{Name: "s"}, keys.StateDisabled); err != nil {
		t.Fatal(err)
	}
	two.Invalidate("s")
	_, err := two.Sign(ctx, keys.Ref{Name: "s"}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
	if !errors.Is(err, keys.ErrDenied) {
		t.Errorf("after Invalidate: %v", err)
	}
}

// drained is a random source that ends.
type drained struct{}

func (drained) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestNoRandomnessNoKeys(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	m, _ := setUp(t)
	e := engine.New(m, engine.Options{Rand: drained{}})
	for _, p := range keys.Purposes() {
		if _, err := e.Create(ctx, keys.CreateOptions{Name: "x", Purpose: p}); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("create %s: %v", p, err)
		}
	}
	out, err := e.Sign(ctx, keys.Ref{Name: "s"}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
	if err != nil || !errors.Is(out[0].Err, keys.ErrUnavailable) || out[0].Signature != nil {
		t.Errorf("sign: %v", err)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 8, 0, 0, 123456789, time.FixedZone("CST", 8*3600))
	e := engine.New(new(keystest.Memory), engine.Options{Now: func() time.Time { return at }})
	infos, err := e.Create(t.Context(), keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	if err != nil {
		t.Fatal(err)
	}
	if got := infos[0].Created; !got.Equal(at.Truncate(time.Microsecond)) || got.Location() != time.UTC {
		t.Errorf("created at %s", got)
	}
}

// TestDisableStopsAtOnce signs from several sides while the key is disabled: no signature begins after SetState returned.
func TestDisableStopsAtOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	m, _ := setUp(t)
	e := engine.New(m, engine.Options{})
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := e.Sign(ctx, keys.Ref{Name: "s"}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
				if err != nil && !errors.Is(err, keys.ErrDenied) {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		if err := e.SetState(ctx, keys.Ref{Name: "s"}, keys.StateDisabled); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Sign(ctx, keys.Ref{Name: "s"}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}}); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("signed with a disabled key: %v", err)
		}
		if err := e.SetState(ctx, keys.Ref{Name: "s"}, keys.StateEnabled); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wait.Wait()
}

func TestVersionsAreBounded(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := engine.New(new(keystest.Memory), engine.Options{})
	if _, err := e.Create(ctx, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < engine.MaxVersions; n++ {
		if _, err := e.Rotate(ctx, "m", n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Rotate(ctx, "m", 0); !errors.Is(err, keys.ErrDenied) {
		t.Errorf("one version too many: %v", err)
	}
}
