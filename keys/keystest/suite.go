package keystest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
)

// Backend is a key store under test.
type Backend interface {
	keys.Provider
	keys.Admin
}

// Run holds a backend to the semantics of package keys. open gives a fresh, empty store each time.
func Run(t *testing.T, open func(t *testing.T) Backend) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, b Backend)
	}{
		{"Names", testNames},
		{"Create", testCreate},
		{"SignEveryPurpose", testSignEveryPurpose},
		{"PurposeIsChecked", testPurposeIsChecked},
		{"SignBatch", testSignBatch},
		{"MessageOnly", testMessageOnly},
		{"OwnUID", testOwnUID},
		{"Rotate", testRotate},
		{"States", testStates},
		{"Destroy", testDestroy},
		{"Minima", testMinima},
		{"Decrypt", testDecrypt},
		{"DataKeys", testDataKeys},
		{"HMAC", testHMAC},
		{"Certificates", testCertificates},
		{"SealNeedsCertificate", testSealNeedsCertificate},
		{"Authority", testAuthority},
		{"Handles", testHandles},
		{"List", testList},
		{"Bounds", testBounds},
		{"BadItems", testBadItems},
		{"BigItems", testBigItems},
		{"Concurrent", testConcurrent},
		{"NothingLeaks", testNothingLeaks},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// wants fails unless err is of the class.
func wants(t *testing.T, what string, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%s: error %v, want %v", what, err, class)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// create makes one key.
func create(t *testing.T, b Backend, o keys.CreateOptions) keys.PublicInfo {
	t.Helper()
	infos, err := b.Create(t.Context(), o)
	if err != nil {
		t.Fatalf("create %s: %v", o.Name, err)
	}
	if len(infos) != 1 {
		t.Fatalf("create %s: %d infos", o.Name, len(infos))
	}
	return infos[0]
}

// signOne signs a message and returns the signature, the version and the item's error.
func signOne(t *testing.T, b Backend, ref keys.Ref, p keys.Purpose, msg string) keys.SignResult {
	t.Helper()
	out, err := b.Sign(t.Context(), ref, p, []keys.SignItem{{Message: gm.Message(msg)}})
	if err != nil {
		t.Fatalf("sign with %s: %v", ref, err)
	}
	return out[0]
}

func testNames(t *testing.T, b Backend) {
	for _, name := range []string{
		"", "A", "a/b", "..", "a..b", ".a", "a.", "-a", "_a", "a b", "a~b", "a@1", "名", "a\x00", strings.Repeat("a", keys.MaxName+1),
	} {
		_, err := b.Create(t.Context(), keys.CreateOptions{Name: name, Purpose: keys.PurposeSign})
		wants(t, fmt.Sprintf("create %q", name), err, keys.ErrInvalid)
		_, err = b.Public(t.Context(), keys.Ref{Name: name})
		wants(t, fmt.Sprintf("public %q", name), err, keys.ErrInvalid)
	}
	for _, name := range []string{"a", "0", "office-a", "a.b.c", "a_b", strings.Repeat("a", keys.MaxName)} {
		create(t, b, keys.CreateOptions{Name: name, Purpose: keys.PurposeSign})
	}
}

func testCreate(t *testing.T, b Backend) {
	ctx := t.Context()
	_, err := b.Public(ctx, keys.Ref{Name: "k"})
	wants(t, "public of no key", err, keys.ErrNotFound)
	_, err = b.Create(ctx, keys.CreateOptions{Name: "k", Purpose: "all"})
	wants(t, "unknown purpose", err, keys.ErrInvalid)
	_, err = b.Create(ctx, keys.CreateOptions{Name: "k", Purpose: keys.PurposeMAC, UID: "x"})
	wants(t, "UID of a MAC key", err, keys.ErrInvalid)
	_, err = b.Create(ctx)
	wants(t, "no keys", err, keys.ErrInvalid)
	_, err = b.Create(ctx, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign}, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	wants(t, "one name twice", err, keys.ErrInvalid)

	var all []keys.CreateOptions
	for _, p := range keys.Purposes() {
		all = append(all, keys.CreateOptions{Name: "k-" + string(p), Purpose: p, Labels: map[string]string{"office": "a"}})
	}
	infos, err := b.Create(ctx, all...)
	if err != nil {
		t.Fatal(err)
	}
	for i, info := range infos {
		p := keys.Purposes()[i]
		if info.Ref != (keys.Ref{Name: "k-" + string(p), Version: 1}) || info.Purpose != p || info.Type != p.Type() ||
			info.State != keys.StateEnabled || info.Created.IsZero() || (info.Public != nil) != (info.Type == keys.TypeSM2) {
			t.Errorf("created %+v", info)
		}
		got := must[keys.PublicInfo](t)(b.Public(ctx, keys.Ref{Name: info.Ref.Name}))
		if diff := cmp.Diff(info, got, cmp.Comparer(samePublic)); diff != "" {
			t.Errorf("public of %s (-created +read):\n%s", info.Ref, diff)
		}
	}
	_, err = b.Create(ctx, keys.CreateOptions{Name: "new", Purpose: keys.PurposeSign}, all[0])
	wants(t, "existing name", err, keys.ErrConflict)
	_, err = b.Public(ctx, keys.Ref{Name: "new"})
	wants(t, "the other key of a refused batch", err, keys.ErrNotFound)
	info := must[keys.KeyInfo](t)(b.Describe(ctx, "k-seal"))
	if info.Labels["office"] != "a" || info.Latest != 1 || info.Current != 1 || len(info.Versions) != 1 {
		t.Errorf("described %+v", info)
	}
}

func samePublic(a, b *ecdsa.PublicKey) bool {
	return bytes.Equal(gm.MarshalPublicKey(a), gm.MarshalPublicKey(b)) && (a == nil) == (b == nil)
}

func testSignEveryPurpose(t *testing.T, b Backend) {
	for _, p := range keys.Purposes() {
		if !p.Signs() || p == keys.PurposeSeal {
			continue // seal keys need a certificate: testSealNeedsCertificate
		}
		info := create(t, b, keys.CreateOptions{Name: string(p), Purpose: p})
		r := signOne(t, b, keys.Ref{Name: string(p)}, p, "message")
		if r.Err != nil || r.Version != 1 || !gm.Verify(info.Public, gm.Message("message"), r.Signature) {
			t.Errorf("purpose %s: %+v does not verify", p, r)
		}
		if gm.Verify(info.Public, gm.Message("massage"), r.Signature) {
			t.Errorf("purpose %s: signature verifies another message", p)
		}
	}
}

// testPurposeIsChecked crosses every key with every purpose and verb: only its own works.
func testPurposeIsChecked(t *testing.T, b Backend) {
	ctx := t.Context()
	for _, p := range keys.Purposes() {
		create(t, b, keys.CreateOptions{Name: string(p), Purpose: p})
	}
	item := []keys.SignItem{{Message: gm.Message("m")}}
	for _, key := range keys.Purposes() {
		for _, asked := range keys.Purposes() {
			_, err := b.Sign(ctx, keys.Ref{Name: string(key)}, asked, item)
			switch {
			case !asked.Signs():
				wants(t, fmt.Sprintf("sign with %s key as %s", key, asked), err, keys.ErrInvalid)
			case key != asked:
				wants(t, fmt.Sprintf("sign with %s key as %s", key, asked), err, keys.ErrDenied)
			case key == keys.PurposeSeal:
				wants(t, "sign with seal key", err, keys.ErrConflict)
			case err != nil:
				t.Errorf("sign with %s key as %s: %v", key, asked, err)
			}
		}
		for _, asked := range []keys.Purpose{keys.PurposeDecrypt, keys.PurposeWrap} {
			if key == asked {
				continue
			}
			_, err := b.Decrypt(ctx, string(key), asked, []keys.Ciphertext{{Data: []byte("x")}})
			wants(t, fmt.Sprintf("decrypt with %s key as %s", key, asked), err, keys.ErrDenied)
		}
		if key != keys.PurposeWrap {
			_, err := b.DataKey(ctx, keys.Ref{Name: string(key)}, [][]byte{nil})
			wants(t, fmt.Sprintf("data key of %s key", key), err, keys.ErrDenied)
			_, err = b.Rewrap(ctx, string(key), []keys.Ciphertext{{Version: 1}})
			wants(t, fmt.Sprintf("rewrap with %s key", key), err, keys.ErrDenied)
		}
		if key != keys.PurposeMAC {
			_, err := b.HMAC(ctx, keys.Ref{Name: string(key)}, [][]byte{nil})
			wants(t, fmt.Sprintf("HMAC with %s key", key), err, keys.ErrDenied)
		}
	}
	_, err := b.Sign(ctx, keys.Ref{Name: "sign"}, "everything", item)
	wants(t, "unknown purpose", err, keys.ErrInvalid)
	_, err = b.Decrypt(ctx, "sign", keys.PurposeSign, []keys.Ciphertext{{Data: []byte("x")}})
	wants(t, "decrypt as sign", err, keys.ErrInvalid)
}

func testSignBatch(t *testing.T, b Backend) {
	info := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	e, err := gm.ComputeDigest(info.Public, gm.DefaultID, gm.Message("hashed"))
	if err != nil {
		t.Fatal(err)
	}
	items := []keys.SignItem{
		{Message: gm.Message("one"), Reference: "1"},
		{Digest: e[:31], Reference: "2"},
		{Digest: e[:], Reference: "3"},
		{Reference: "4"},
		{Message: gm.Message("both"), Digest: e[:], Reference: "5"},
		{Message: gm.Message{}, Reference: "6"},
		{Message: make(gm.Message, keys.MaxMessage+1), Reference: "7"},
	}
	out, err := b.Sign(t.Context(), info.Ref, keys.PurposeSign, items)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != len(items) {
		t.Fatalf("%d results for %d items", len(out), len(items))
	}
	for i, r := range out {
		if r.Reference != items[i].Reference {
			t.Errorf("item %d has the reference %q", i, r.Reference)
		}
		good := i == 0 || i == 2 || i == 5
		if !good {
			wants(t, "item "+r.Reference, r.Err, keys.ErrInvalid)
			continue
		}
		msg := items[i].Message
		if i == 2 {
			msg = gm.Message("hashed")
		}
		if r.Err != nil || !gm.Verify(info.Public, msg, r.Signature) {
			t.Errorf("item %s: %v, or it does not verify", r.Reference, r.Err)
		}
	}
}

func testMessageOnly(t *testing.T, b Backend) {
	info := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign, MessageOnly: true})
	out, err := b.Sign(t.Context(), info.Ref, keys.PurposeSign, []keys.SignItem{{Digest: make([]byte, 32)}, {Message: gm.Message("m")}})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "digest", out[0].Err, keys.ErrDenied)
	if out[1].Err != nil || !gm.Verify(info.Public, gm.Message("m"), out[1].Signature) {
		t.Errorf("message: %v, or it does not verify", out[1].Err)
	}
}

func testOwnUID(t *testing.T, b Backend) {
	info := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign, UID: "alice@example"})
	r := signOne(t, b, info.Ref, keys.PurposeSign, "m")
	if !gm.VerifyID(info.Public, "alice@example", gm.Message("m"), r.Signature) || gm.Verify(info.Public, gm.Message("m"), r.Signature) {
		t.Error("signature was not made with the key's own ID")
	}
	s, err := keys.Signer(t.Context(), b, info.Ref, keys.PurposeSign)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := gm.Sign(nil, s, gm.Message("m"))
	if err != nil || !gm.VerifyID(info.Public, "alice@example", gm.Message("m"), sig) {
		t.Errorf("handle: %v, or not the key's own ID", err)
	}
	_, err = cert.CreateRequest(s, cert.Subject("x", "y"), nil)
	wants(t, "certificate request with another ID", err, keys.ErrInvalid)
}

func testRotate(t *testing.T, b Backend) {
	ctx := t.Context()
	first := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	old := signOne(t, b, keys.Ref{Name: "k"}, keys.PurposeSign, "m")
	_, err := b.Rotate(ctx, "k", 2)
	wants(t, "rotate expecting 2", err, keys.ErrConflict)
	_, err = b.Rotate(ctx, "none", 0)
	wants(t, "rotate no key", err, keys.ErrNotFound)
	second := must[keys.PublicInfo](t)(b.Rotate(ctx, "k", 1))
	if second.Ref.Version != 2 || samePublic(first.Public, second.Public) {
		t.Fatalf("rotated to %+v", second)
	}
	_, err = b.Rotate(ctx, "k", 1)
	wants(t, "rotate again expecting 1", err, keys.ErrConflict)
	if r := signOne(t, b, keys.Ref{Name: "k"}, keys.PurposeSign, "m"); r.Version != 2 || !gm.Verify(second.Public, gm.Message("m"), r.Signature) {
		t.Errorf("after rotation version %d signs", r.Version)
	}
	if r := signOne(t, b, keys.Ref{Name: "k", Version: 1}, keys.PurposeSign, "m"); r.Version != 1 || !gm.Verify(first.Public, gm.Message("m"), r.Signature) {
		t.Errorf("asked for version 1, version %d signs", r.Version)
	}
	kept := must[keys.PublicInfo](t)(b.Public(ctx, keys.Ref{Name: "k", Version: 1}))
	if !gm.Verify(kept.Public, gm.Message("m"), old.Signature) {
		t.Error("the old signature does not verify with the kept public key")
	}
	for _, v := range []int{-1, 3} {
		_, err := b.Public(ctx, keys.Ref{Name: "k", Version: v})
		wants(t, fmt.Sprintf("public of version %d", v), err, keys.ErrNotFound)
		_, err = b.Sign(ctx, keys.Ref{Name: "k", Version: v}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
		wants(t, fmt.Sprintf("sign with version %d", v), err, keys.ErrNotFound)
	}
}

// canSign gives the error of signing one message.
func canSign(ctx context.Context, b Backend, ref keys.Ref, p keys.Purpose) error {
	_, err := b.Sign(ctx, ref, p, []keys.SignItem{{Message: gm.Message("m")}})
	return err
}

func testStates(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	must[keys.PublicInfo](t)(b.Rotate(ctx, "k", 1))
	set := func(version int, s keys.State) {
		t.Helper()
		if err := b.SetState(ctx, keys.Ref{Name: "k", Version: version}, s); err != nil {
			t.Fatal(err)
		}
	}
	set(2, keys.StateDisabled)
	wants(t, "sign with disabled version", canSign(ctx, b, keys.Ref{Name: "k", Version: 2}, keys.PurposeSign), keys.ErrDenied)
	if r := signOne(t, b, keys.Ref{Name: "k"}, keys.PurposeSign, "m"); r.Version != 1 {
		t.Errorf("with version 2 disabled version %d is current", r.Version)
	}
	set(2, keys.StateDisabled) // again: no change, no error
	set(2, keys.StateEnabled)
	set(0, keys.StateDisabled)
	for v := range 3 {
		wants(t, fmt.Sprintf("sign with version %d of a disabled key", v), canSign(ctx, b, keys.Ref{Name: "k", Version: v}, keys.PurposeSign), keys.ErrDenied)
	}
	if info := must[keys.PublicInfo](t)(b.Public(ctx, keys.Ref{Name: "k"})); info.State != keys.StateDisabled || info.Public == nil {
		t.Errorf("public of a disabled key: %+v", info)
	}
	_, err := b.Rotate(ctx, "k", 0)
	wants(t, "rotate a disabled key", err, keys.ErrDenied)
	set(0, keys.StateEnabled)
	if err := canSign(ctx, b, keys.Ref{Name: "k"}, keys.PurposeSign); err != nil {
		t.Errorf("sign with the key enabled again: %v", err)
	}
	wants(t, "unknown state", b.SetState(ctx, keys.Ref{Name: "k"}, "asleep"), keys.ErrInvalid)
	wants(t, "unknown version", b.SetState(ctx, keys.Ref{Name: "k", Version: 3}, keys.StateDisabled), keys.ErrNotFound)
	wants(t, "unknown key", b.SetState(ctx, keys.Ref{Name: "x"}, keys.StateDisabled), keys.ErrNotFound)
}

func testDestroy(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "kept", Purpose: keys.PurposeSign})
	if err := b.SetState(ctx, keys.Ref{Name: "kept"}, keys.StateDisabled); err != nil {
		t.Fatal(err)
	}
	wants(t, "destroy what is not destroyable", b.SetState(ctx, keys.Ref{Name: "kept"}, keys.StateDestroyed), keys.ErrDenied)

	info := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign, Destroyable: true})
	must[keys.PublicInfo](t)(b.Rotate(ctx, "k", 1))
	r := signOne(t, b, info.Ref, keys.PurposeSign, "m")
	wants(t, "destroy an enabled version", b.SetState(ctx, info.Ref, keys.StateDestroyed), keys.ErrConflict)
	for _, s := range []keys.State{keys.StateDisabled, keys.StateDestroyed} {
		if err := b.SetState(ctx, info.Ref, s); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, "sign with a destroyed version", canSign(ctx, b, info.Ref, keys.PurposeSign), keys.ErrDenied)
	wants(t, "enable a destroyed version", b.SetState(ctx, info.Ref, keys.StateEnabled), keys.ErrDenied)
	if err := canSign(ctx, b, keys.Ref{Name: "k"}, keys.PurposeSign); err != nil {
		t.Errorf("sign with the other version: %v", err)
	}
	kept := must[keys.PublicInfo](t)(b.Public(ctx, info.Ref))
	if kept.State != keys.StateDestroyed || !gm.Verify(kept.Public, gm.Message("m"), r.Signature) {
		t.Errorf("public part of a destroyed version: %+v", kept)
	}
	for _, s := range []keys.State{keys.StateDisabled, keys.StateDestroyed} {
		if err := b.SetState(ctx, keys.Ref{Name: "k"}, s); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, "sign with a destroyed key", canSign(ctx, b, keys.Ref{Name: "k"}, keys.PurposeSign), keys.ErrDenied)
	_, err := b.Create(ctx, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	wants(t, "name of a destroyed key", err, keys.ErrConflict)
	if d := must[keys.KeyInfo](t)(b.Describe(ctx, "k")); len(d.Versions) != 2 || len(d.Versions[0].Public) != 65 {
		t.Errorf("destroyed key lost its public part: %+v", d)
	}
}

func testMinima(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign})
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	wrapped := must[[]keys.DataKey](t)(b.DataKey(ctx, keys.Ref{Name: "w"}, [][]byte{nil}))[0].Wrapped
	for _, name := range []string{"s", "w"} {
		must[keys.PublicInfo](t)(b.Rotate(ctx, name, 1))
	}
	one, two, three := 1, 2, 3
	for _, bad := range []keys.Change{{MinUse: &three}, {MinDecrypt: &two}, {MinUse: new(int)}, {MinDecrypt: new(int)}} {
		_, err := b.Configure(ctx, "s", bad)
		wants(t, "minima that do not fit", err, keys.ErrInvalid)
	}
	must[keys.KeyInfo](t)(b.Configure(ctx, "s", keys.Change{MinUse: &two}))
	wants(t, "sign below the minimum", canSign(ctx, b, keys.Ref{Name: "s", Version: 1}, keys.PurposeSign), keys.ErrDenied)
	must[keys.KeyInfo](t)(b.Configure(ctx, "w", keys.Change{MinUse: &two}))
	open := func() error {
		return must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, []keys.Ciphertext{wrapped}))[0].Err
	}
	if err := open(); err != nil {
		t.Errorf("unwrap below the minimum for use: %v", err)
	}
	_, err := b.DataKey(ctx, keys.Ref{Name: "w", Version: 1}, [][]byte{nil})
	wants(t, "wrap below the minimum", err, keys.ErrDenied)
	must[keys.KeyInfo](t)(b.Configure(ctx, "w", keys.Change{MinDecrypt: &two}))
	wants(t, "unwrap below the minimum", open(), keys.ErrDenied)
	must[keys.KeyInfo](t)(b.Configure(ctx, "w", keys.Change{MinDecrypt: &one}))
	if err := open(); err != nil {
		t.Errorf("unwrap after lowering the minimum: %v", err)
	}
	info := must[keys.KeyInfo](t)(b.Configure(ctx, "w", keys.Change{Labels: map[string]string{"a": "b"}}))
	if info.Labels["a"] != "b" || info.MinUse != 2 {
		t.Errorf("labels changed to %+v", info)
	}
	_, err = b.Configure(ctx, "w", keys.Change{Labels: map[string]string{"a": strings.Repeat("x", keys.MaxLabel+1)}})
	wants(t, "label too long", err, keys.ErrInvalid)
}

func testDecrypt(t *testing.T, b Backend) {
	ctx := t.Context()
	first := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeDecrypt})
	second := must[keys.PublicInfo](t)(b.Rotate(ctx, "k", 1))
	c1 := must[[]byte](t)(gm.Encrypt(nil, first.Public, []byte("one")))
	c2 := must[[]byte](t)(gm.Encrypt(nil, second.Public, []byte("two")))
	broken := bytes.Clone(c1)
	broken[len(broken)-1] ^= 1
	items := []keys.Ciphertext{
		{Version: 1, Data: c1},
		{Version: 2, Data: c2},
		{Data: c2},
		{Version: 2, Data: c1},
		{Version: 1, Data: broken},
		{Version: 1, Data: nil},
		{Version: 1, Data: append(bytes.Clone(c1), 0)},
		{Version: 1, Data: c1, AAD: []byte("x")},
		{Version: 3, Data: c1},
	}
	want := []string{"one", "two", "two"}
	out, err := b.Decrypt(ctx, "k", keys.PurposeDecrypt, items)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out {
		switch {
		case i < len(want):
			if r.Err != nil || string(r.Plain) != want[i] || r.Version == 0 {
				t.Errorf("item %d: %q of version %d, %v", i, r.Plain, r.Version, r.Err)
			}
		case i == len(items)-1:
			wants(t, "unknown version", r.Err, keys.ErrNotFound)
		default:
			wants(t, fmt.Sprintf("item %d", i), r.Err, keys.ErrInvalid)
			wants(t, fmt.Sprintf("item %d", i), r.Err, gm.ErrDecrypt)
			if r.Err != nil && r.Err.Error() != out[3].Err.Error() {
				t.Errorf("item %d fails with a text of its own: %v", i, r.Err)
			}
			if r.Plain != nil {
				t.Errorf("item %d: plaintext beside an error", i)
			}
		}
	}
}

func testList(t *testing.T, b Backend) {
	ctx := t.Context()
	for _, name := range []string{"c", "a", "b", "a-b", "a.b"} {
		create(t, b, keys.CreateOptions{Name: name, Purpose: keys.PurposeMAC})
	}
	for _, c := range []struct {
		after string
		limit int
		want  string
	}{
		{"", 0, "a a-b a.b b c"}, {"", 2, "a a-b"}, {"a-b", 2, "a.b b"}, {"c", 0, ""}, {"bb", 5, "c"},
	} {
		var names []string
		for _, k := range must[[]keys.KeyInfo](t)(b.List(ctx, c.after, c.limit)) {
			names = append(names, k.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("list after %q limit %d: %q, want %q", c.after, c.limit, got, c.want)
		}
	}
	_, err := b.List(ctx, "", -1)
	wants(t, "negative limit", err, keys.ErrInvalid)
}

// testConcurrent uses and rotates one key from many sides; each signature must verify with the version it names.
func testConcurrent(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	var wait sync.WaitGroup
	results := make(chan keys.SignResult, 200)
	for range 4 {
		wait.Go(func() {
			for range 25 {
				out, err := b.Sign(ctx, keys.Ref{Name: "k"}, keys.PurposeSign, []keys.SignItem{{Message: gm.Message("m")}})
				if err != nil {
					t.Errorf("sign: %v", err)
					return
				}
				results <- out[0]
			}
		})
	}
	rotated := make(chan int, 20)
	for range 2 {
		wait.Go(func() {
			for range 5 {
				info, err := b.Rotate(ctx, "k", 0)
				if err != nil {
					t.Errorf("rotate: %v", err)
					return
				}
				rotated <- info.Ref.Version
			}
		})
	}
	wait.Wait()
	close(results)
	close(rotated)
	seen := map[int]bool{}
	for v := range rotated {
		if seen[v] {
			t.Errorf("version %d was made twice", v)
		}
		seen[v] = true
	}
	for r := range results {
		info, err := b.Public(ctx, keys.Ref{Name: "k", Version: r.Version})
		if err != nil || r.Err != nil || !gm.Verify(info.Public, gm.Message("m"), r.Signature) {
			t.Fatalf("signature of version %d: %v %v, or it does not verify", r.Version, err, r.Err)
		}
	}
}
