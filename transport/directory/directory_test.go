package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// memory is a Store in memory.
type memory struct {
	mu       sync.Mutex
	orgs     map[string]Organisation
	accounts map[string]Account
	sessions map[string]Session
}

func newMemory() *memory {
	return &memory{orgs: map[string]Organisation{}, accounts: map[string]Account{}, sessions: map[string]Session{}}
}

func get[V any](m *memory, from map[string]V, key string) (V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := from[key]
	if !ok {
		return v, ErrNotFound
	}
	return v, nil
}

func put[V any](m *memory, into map[string]V, key string, v V) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	into[key] = v
	return nil
}

func (m *memory) Organisation(_ context.Context, code string) (Organisation, error) {
	return get(m, m.orgs, code)
}

func (m *memory) Organisations(context.Context, string, int) ([]Organisation, error) { return nil, nil }

func (m *memory) Namesakes(_ context.Context, code, name string) (out []Organisation, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.orgs {
		if strings.EqualFold(o.Code, code) || o.Name == name {
			out = append(out, o)
		}
	}
	return out, nil
}

func (m *memory) SaveOrganisation(_ context.Context, o Organisation) error {
	return put(m, m.orgs, o.Code, o)
}

func (m *memory) Account(_ context.Context, id string) (Account, error) {
	return get(m, m.accounts, id)
}

func (m *memory) Accounts(context.Context, string, string, int) ([]Account, error) { return nil, nil }

func (m *memory) SaveAccount(_ context.Context, a Account) error { return put(m, m.accounts, a.ID, a) }

func (m *memory) Session(_ context.Context, h string) (Session, error) { return get(m, m.sessions, h) }

func (m *memory) SaveSession(_ context.Context, s Session) error {
	return put(m, m.sessions, s.TokenHash, s)
}

func (m *memory) Sessions(_ context.Context, account string) (out []Session, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		if s.Account == account {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Session) int { return b.Created.Compare(a.Created) })
	return out, nil
}

func (m *memory) DeleteSession(_ context.Context, h string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, h)
	return nil
}

func fresh(t *testing.T) (*Directory, *memory, *time.Time) {
	t.Helper()
	m, now := newMemory(), time.UnixMilli(1_800_000_000_000)
	d, err := New(m, Options{Clock: func() time.Time { return now }, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SaveOrganisation(t.Context(), Organisation{Code: "A", Name: "甲机关"}); err != nil {
		t.Fatal(err)
	}
	return d, m, &now
}

func TestLogin(t *testing.T) {
	d, m, now := fresh(t)
	ctx := t.Context()
	secret, err := d.AddAccount(ctx, Account{ID: "wang", Org: "A", Name: "王", Roles: []Role{Clerk, Approver, Clerk}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if stored := m.accounts["wang"]; strings.Contains(stored.Secret, secret) || !strings.HasPrefix(stored.Secret, "$argon2id$") {
		t.Errorf("stored secret %q", stored.Secret)
	}
	token, s, err := d.Login(ctx, "wang", secret)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.TokenHash, token) || len(token) < 40 {
		t.Errorf("session %+v for a token of %d characters", s, len(token))
	}
	a, err := d.Authenticate(ctx, token)
	if err != nil || a.ID != "wang" || len(a.Roles) != 2 {
		t.Fatalf("authenticated %+v, %v", a, err)
	}
	for name, bad := range map[string][2]string{
		"secret": {"wang", secret + "x"}, "account": {"li", secret}, "empty": {"", ""}, "long": {"wang", strings.Repeat("x", 300)},
	} {
		if _, _, err := d.Login(ctx, bad[0], bad[1]); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
	for _, bad := range []string{"", token + "x", token[1:], strings.Repeat("x", 1000)} {
		if _, err := d.Authenticate(ctx, bad); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("token %.20q: %v", bad, err)
		}
	}
	*now = now.Add(12 * time.Hour)
	if _, err := d.Authenticate(ctx, token); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("an old token: %v", err)
	}
}

func TestSessionsEndWithWhatTheyRestOn(t *testing.T) {
	for name, change := range map[string]func(*Directory, context.Context) error{
		"secret": func(d *Directory, ctx context.Context) error { _, err := d.SetSecret(ctx, "wang", ""); return err },
		"roles": func(d *Directory, ctx context.Context) error {
			return d.SetAccount(ctx, "wang", "王", []Role{Archivist}, Active)
		},
		"closing": func(d *Directory, ctx context.Context) error {
			return d.SetAccount(ctx, "wang", "王", []Role{Clerk}, Closed)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, _, _ := fresh(t)
			secret, err := d.AddAccount(t.Context(), Account{ID: "wang", Org: "A", Name: "王", Roles: []Role{Clerk}}, "")
			if err != nil {
				t.Fatal(err)
			}
			token, _, err := d.Login(t.Context(), "wang", secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(d, t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Authenticate(t.Context(), token); !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("the session goes on: %v", err)
			}
		})
	}
}

func TestFailuresMakeWait(t *testing.T) {
	d, _, now := fresh(t)
	secret, err := d.AddAccount(t.Context(), Account{ID: "wang", Org: "A", Name: "王", Roles: []Role{Clerk}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_, _, err = d.Login(t.Context(), "wang", "wrong")
	}
	if !errors.Is(err, ErrUnauthenticated) {
		t.Fatal(err)
	}
	if _, _, err := d.Login(t.Context(), "wang", secret); !errors.Is(err, ErrRateLimited) {
		t.Errorf("after five failures: %v", err)
	}
	*now = now.Add(2 * time.Minute)
	if _, _, err := d.Login(t.Context(), "wang", secret); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// TestNobodyLocksOthersOut: whoever guesses at an account, from one place or from many, keeps its owner out of no place where
// the owner has been; a guesser gets no more tries by changing places.
func TestNobodyLocksOthersOut(t *testing.T) {
	d, _, now := fresh(t)
	ctx := t.Context()
	secret, err := d.AddAccount(ctx, Account{ID: "wang", Org: "A", Name: "王", Roles: []Role{Clerk}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.LogIn(ctx, Attempt{Account: "wang", Secret: secret, Source: "10.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	d.decoy = "$" // guesses in this test cost nothing: the throttle decides before the hash does
	tried := 0
	for place := range 40 {
		for range 10 {
			source := "192.0.2." + string(rune('A'+place))
			if d.throttle.mustWait("wang", source, *now) {
				continue
			}
			d.throttle.fail("wang", source, *now)
			tried++
		}
	}
	if tried != 50 {
		t.Errorf("%d guesses in one wait, want 50", tried)
	}
	if _, _, err := d.LogIn(ctx, Attempt{Account: "wang", Secret: secret, Source: "10.0.0.1"}); err != nil {
		t.Errorf("the owner, from where she was before: %v", err)
	}
	if _, _, err := d.LogIn(ctx, Attempt{Account: "wang", Secret: secret, Source: "198.51.100.1"}); !errors.Is(err, ErrRateLimited) {
		t.Errorf("from a new place while somebody guesses: %v", err)
	}
	*now = now.Add(2 * time.Minute)
	if _, _, err := d.LogIn(ctx, Attempt{Account: "wang", Secret: secret, Source: "198.51.100.1"}); err != nil {
		t.Errorf("after the guessing: %v", err)
	}
	spray := 0
	for i := range 500 {
		account := "user" + string(rune('0'+i%10)) + string(rune('0'+i/10%10)) + string(rune('0'+i/100))
		if !d.throttle.mustWait(account, "203.0.113.9", *now) {
			d.throttle.fail(account, "203.0.113.9", *now)
			spray++
		}
	}
	if spray != 100 {
		t.Errorf("%d accounts were tried from one place, want 100", spray)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	d, _, now := fresh(t)
	ctx := t.Context()
	secrets := map[string]string{}
	for _, id := range []string{"wang", "li"} {
		s, err := d.AddAccount(ctx, Account{ID: id, Org: "A", Name: id, Roles: []Role{Clerk}}, "")
		if err != nil {
			t.Fatal(err)
		}
		secrets[id] = s
	}
	login := func(id, source string) string {
		t.Helper()
		*now = now.Add(time.Second)
		token, _, err := d.LogIn(ctx, Attempt{Account: id, Secret: secrets[id], Source: source, Agent: "yinxin\x1b[31m\u202e/1"})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	one, two, other := login("wang", "10.0.0.1"), login("wang", "10.0.0.2"), login("li", "10.0.0.3")
	got, err := d.Sessions(ctx, "wang")
	if err != nil || len(got) != 2 || got[0].Source != "10.0.0.2" || got[0].Agent != "yinxin[31m/1" {
		t.Fatalf("sessions %+v, %v", got, err)
	}
	lis, err := d.Sessions(ctx, "li")
	if err != nil || len(lis) != 1 {
		t.Fatalf("sessions %+v, %v", lis, err)
	}
	if err := d.Revoke(ctx, "wang", lis[0].ID()); !errors.Is(err, ErrNotFound) {
		t.Errorf("another's session: %v", err)
	}
	if err := d.Revoke(ctx, "wang", got[0].ID()); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]error{one: nil, two: ErrUnauthenticated, other: nil} {
		if _, err := d.Authenticate(ctx, token); !errors.Is(err, want) {
			t.Errorf("after the revocation: %v, want %v", err, want)
		}
	}
	if err := d.RevokeAll(ctx, "wang"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Authenticate(ctx, one); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("after all were ended: %v", err)
	}
	if got, err := d.Sessions(ctx, "wang"); err != nil || len(got) != 0 {
		t.Errorf("sessions %+v, %v", got, err)
	}
	if _, err := d.Authenticate(ctx, other); err != nil {
		t.Errorf("another's session: %v", err)
	}
}

// TestNoAccountHoldsBoth: whatever roles are asked for, none that is stored holds seal
// use with seal approval, or two of the three administrations.
func TestNoAccountHoldsBoth(t *testing.T) {
	d, m, _ := fresh(t)
	rapid.Check(t, func(rt *rapid.T) {
		roles := rapid.SliceOf(rapid.SampledFrom(Roles())).Draw(rt, "roles")
		a := Account{ID: "u", Org: "A", Name: "u", Roles: roles, Status: Active}
		err := a.Validate()
		has := func(r Role) bool { return slices.Contains(roles, r) }
		three := 0
		for _, r := range []Role{Admin, Security, Auditor} {
			if has(r) {
				three++
			}
		}
		bad := has(SealKeeper) && has(Approver) || three > 1 || len(roles) == 0
		if (err != nil) != bad {
			rt.Fatalf("roles %v: %v", roles, err)
		}
	})
	if _, err := d.AddAccount(t.Context(), Account{ID: "x", Org: "A", Name: "x", Roles: []Role{SealKeeper, Approver}}, ""); err == nil {
		t.Error("an account with both was stored")
	}
	if len(m.accounts) != 0 {
		t.Errorf("%d accounts", len(m.accounts))
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	d, _, _ := fresh(t)
	err := d.SaveOrganisation(t.Context(), Organisation{
		Code: "a/b", Name: "甲\u202e机关", Aliases: []string{" x"}, Parent: "..", Status: "gone", SigningCert: make([]byte, MaxCertificates+1),
	})
	var bad *InvalidError
	if !errors.As(err, &bad) {
		t.Fatalf("error %v", err)
	}
	var fields []string
	for _, f := range bad.Faults {
		fields = append(fields, f.Field)
	}
	if got, want := strings.Join(fields, " "), "code name aliases parent signing_cert status"; got != want {
		t.Errorf("faults in %q, want %q", got, want)
	}
	_, err = d.AddAccount(t.Context(), Account{ID: "", Org: "", Name: "", Roles: []Role{"king"}}, "")
	if !errors.As(err, &bad) || len(bad.Faults) != 4 {
		t.Errorf("account: %v", err)
	}
	_, err = d.AddAccount(t.Context(), Account{ID: "x", Org: "NONE", Name: "x", Roles: []Role{Clerk}}, "")
	if !errors.As(err, &bad) {
		t.Errorf("account of no office: %v", err)
	}
	_, err = d.AddAccount(t.Context(), Account{ID: "x", Org: "A", Name: "x", Roles: []Role{Clerk}}, "short")
	if !errors.As(err, &bad) || strings.Contains(err.Error(), "short") {
		t.Errorf("short secret: %v", err)
	}
}

// TestOneCodeAndOneNameEach: codes that differ in case alone are one code, and no two offices that take part share a name.
func TestOneCodeAndOneNameEach(t *testing.T) {
	d, _, _ := fresh(t)
	ctx := t.Context()
	for _, tt := range []struct {
		o    Organisation
		want error
	}{
		{Organisation{Code: "a", Name: "乙机关"}, ErrConflict},
		{Organisation{Code: "B", Name: "甲机关"}, ErrConflict},
		{Organisation{Code: "B", Name: "甲机关", Status: Closed}, nil},
		{Organisation{Code: "C", Name: "丙机关"}, nil},
		{Organisation{Code: "C", Name: "甲机关"}, ErrConflict},
		{Organisation{Code: "A", Name: "甲机关", Aliases: []string{"甲"}}, nil}, // its own name
		{Organisation{Code: "A", Name: "甲机关", Status: Closed}, nil},
		{Organisation{Code: "D", Name: "甲机关"}, nil}, // a successor
		{Organisation{Code: "d", Name: "丁机关"}, ErrConflict},
	} {
		if err := d.SaveOrganisation(ctx, tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%s %s: %v, want %v", tt.o.Code, tt.o.Name, err, tt.want)
		}
	}
}

func TestTree(t *testing.T) {
	d, _, _ := fresh(t)
	ctx := t.Context()
	for _, o := range []Organisation{{Code: "B", Name: "b", Parent: "A"}, {Code: "C", Name: "c", Parent: "B"}} {
		if err := d.SaveOrganisation(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	for name, o := range map[string]Organisation{
		"ring": {Code: "A", Name: "a", Parent: "C"}, "itself": {Code: "A", Name: "a", Parent: "A"}, "unknown": {Code: "D", Name: "d", Parent: "X"},
	} {
		var bad *InvalidError
		if err := d.SaveOrganisation(ctx, o); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCheckSecret(f *testing.F) {
	good, err := hashSecret(rand.Reader, "a good long secret")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("$argon2id$v=19$m=4194304,t=9,p=1$AAAA$AAAA")
	f.Fuzz(func(t *testing.T, encoded string) {
		ok, err := checkSecret(encoded, "another secret")
		if ok {
			t.Errorf("%q matched (%v)", encoded, err)
		}
	})
}
