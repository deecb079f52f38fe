package keys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// liar is a provider that answers otherwise than asked.
type liar struct {
	keys.Provider
	info    keys.PublicInfo
	results int
	itemErr error
}

func (l liar) Public(context.Context, keys.Ref) (keys.PublicInfo, error) { return l.info, nil }

func (l liar) Sign(context.Context, keys.Ref, keys.Purpose, []keys.SignItem) ([]keys.SignResult, error) {
	out := make([]keys.SignResult, l.results)
	for i := range out {
		out[i].Err = l.itemErr
	}
	return out, nil
}

func (l liar) Decrypt(context.Context, string, keys.Purpose, []keys.Ciphertext) ([]keys.PlainResult, error) {
	out := make([]keys.PlainResult, l.results)
	for i := range out {
		out[i].Err = l.itemErr
	}
	return out, nil
}

// TestHandlesTrustNoProvider: a provider that gives too few or too many results, or a foreign key, is noticed.
func TestHandlesTrustNoProvider(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	k, err := gm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	info := keys.PublicInfo{Ref: keys.Ref{Name: "k", Version: 1}, Purpose: keys.PurposeSign, UID: gm.DefaultID, Public: k.PublicKey()}
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		l    liar
		want error
	}{
		{"one result", liar{info: info, results: 1}, nil},
		{"no result", liar{info: info}, errAny},
		{"two results", liar{info: info, results: 2}, errAny},
		{"an item's error", liar{info: info, results: 1, itemErr: broken}, broken},
	} {
		s, err := keys.Signer(ctx, c.l, keys.Ref{Name: "k"}, keys.PurposeSign)
		if err != nil {
			t.Fatal(err)
		}
		_, err = gm.Sign(nil, s, gm.Message("m"))
		checkErr(t, c.name+", sign", err, c.want)
		c.l.info.Purpose = keys.PurposeDecrypt
		d, err := keys.Decrypter(ctx, c.l, keys.Ref{Name: "k"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Decrypt(nil, []byte("x"), nil)
		checkErr(t, c.name+", decrypt", err, c.want)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, pub := range map[string]*ecdsa.PublicKey{"none": nil, "of another curve": &p256.PublicKey} {
		wrong := info
		wrong.Public = pub
		_, err := keys.Signer(ctx, liar{info: wrong}, keys.Ref{Name: "k"}, keys.PurposeSign)
		checkErr(t, "public key "+name, err, keys.ErrInvalid)
	}
	if _, err := keys.PublicKey(ctx, liar{}, keys.Ref{Name: "k"}); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("public key of a symmetric key: %v", err)
	}
	if pub, err := keys.PublicKey(ctx, liar{info: info}, keys.Ref{Name: "k"}); err != nil || !pub.Equal(k.PublicKey()) {
		t.Errorf("public key: %v", err)
	}
}

// errAny stands for an error of no class.
var errAny = errors.New("any")

func checkErr(t *testing.T, what string, err, want error) {
	t.Helper()
	switch {
	case errors.Is(want, errAny):
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	case !errors.Is(err, want):
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("sign: %w", &keys.UnavailableError{RetryAfter: 2 * time.Second, Err: fs.ErrPermission})
	if !errors.Is(err, keys.ErrUnavailable) || !errors.Is(err, fs.ErrPermission) || errors.Is(err, keys.ErrSealed) {
		t.Errorf("%v has the wrong classes", err)
	}
	var u *keys.UnavailableError
	if !errors.As(err, &u) || u.RetryAfter != 2*time.Second {
		t.Errorf("%v does not tell when to try again", err)
	}
	for _, class := range []error{keys.ErrSealed, keys.ErrDenied, keys.ErrNotFound, keys.ErrConflict, keys.ErrInvalid, err} {
		if !keys.Classified(fmt.Errorf("x: %w", class)) {
			t.Errorf("%v is not in the set", class)
		}
	}
	if keys.Classified(fs.ErrClosed) || keys.Classified(nil) {
		t.Error("the set is not closed")
	}
}

func TestPurposes(t *testing.T) {
	t.Parallel()
	signs := 0
	for _, p := range keys.Purposes() {
		if p.Type() == "" {
			t.Errorf("purpose %s has no type", p)
		}
		if p.Signs() {
			signs++
		}
	}
	if len(keys.Purposes()) != 9 || signs != 6 || keys.Purpose("x").Type() != "" || keys.Purpose("").Signs() {
		t.Errorf("%d purposes, %d sign", len(keys.Purposes()), signs)
	}
	if got := fmt.Sprint(keys.Ref{Name: "k"}, keys.Ref{Name: "k", Version: 3}); got != "k k:v3" {
		t.Errorf("refs print as %s", got)
	}
}

// FuzzCheckName: a name that is taken is safe as a part of a path and of an URI.
func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"office-a", "a.b", "..", "", "A", "a/b", "a.", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := keys.CheckName(s)
		if err != nil {
			if !errors.Is(err, keys.ErrInvalid) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if len(s) > keys.MaxName || filepath.Base(s) != s || strings.ToLower(s) != s || strings.ContainsAny(s, "/\\~@%?#: \x00") ||
			strings.Contains(s, "..") || strings.HasPrefix(s, ".") || strings.HasPrefix(s, "-") {
			t.Errorf("%q is taken", s)
		}
	})
}

// noter is a provider that keeps what it was asked to sign.
type noter struct {
	liar
	asked *[]keys.SignItem
}

func (n noter) Sign(_ context.Context, _ keys.Ref, _ keys.Purpose, items []keys.SignItem) ([]keys.SignResult, error) {
	*n.asked = append(*n.asked, items...)
	return make([]keys.SignResult, len(items)), nil
}

// TestApprovedSigner: the handle brings the approval with the digest that was approved, and asks for nothing else.
func TestApprovedSigner(t *testing.T) {
	t.Parallel()
	k, err := gm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ref := keys.Ref{Name: "k", Version: 1}
	info := keys.PublicInfo{Ref: ref, Purpose: keys.PurposeSeal, UID: gm.DefaultID, Public: k.PublicKey()}
	var asked []keys.SignItem
	p := noter{liar{info: info}, &asked}
	digest, err := gm.ComputeDigest(k.PublicKey(), gm.DefaultID, gm.Message("m"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.ApprovedSigner(t.Context(), p, ref, digest, ""); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("without an approval: %v", err)
	}
	s, err := keys.ApprovedSigner(t.Context(), p, ref, digest, "id")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gm.Sign(nil, s, gm.Message("n")); !errors.Is(err, keys.ErrDenied) || len(asked) != 0 {
		t.Errorf("another message: %v, asked for %d", err, len(asked))
	}
	if _, err := gm.Sign(nil, s, gm.Message("m")); err != nil || len(asked) != 1 || asked[0].Approval != "id" || gm.Digest(asked[0].Digest) != digest {
		t.Errorf("what was approved: %v, %+v", err, asked)
	}
	p.info.Purpose = keys.PurposeSign
	if _, err := keys.ApprovedSigner(t.Context(), p, ref, digest, "id"); !errors.Is(err, keys.ErrDenied) {
		t.Errorf("with a key of another purpose: %v", err)
	}
}
