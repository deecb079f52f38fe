package keystest

import (
	"crypto"
	"fmt"
	"strings"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// testHandles checks crypto.Signer and crypto.Decrypter over the backend.
func testHandles(t *testing.T, b Backend) {
	ctx := t.Context()
	info := create(t, b, keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign})
	inbox := create(t, b, keys.CreateOptions{Name: "d", Purpose: keys.PurposeDecrypt})
	create(t, b, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC})
	for _, c := range []struct {
		name    string
		purpose keys.Purpose
		want    error
	}{
		{"s", keys.PurposeSeal, keys.ErrDenied},
		{"d", keys.PurposeSign, keys.ErrDenied},
		{"m", keys.PurposeSign, keys.ErrDenied},
		{"d", keys.PurposeDecrypt, keys.ErrInvalid},
		{"x", keys.PurposeSign, keys.ErrNotFound},
		{"S", keys.PurposeSign, keys.ErrInvalid},
	} {
		_, err := keys.Signer(ctx, b, keys.Ref{Name: c.name}, c.purpose)
		wants(t, fmt.Sprintf("signer of %s for %s", c.name, c.purpose), err, c.want)
	}
	_, err := keys.Decrypter(ctx, b, keys.Ref{Name: "s"})
	wants(t, "decrypter of a signing key", err, keys.ErrDenied)

	s := must[crypto.Signer](t)(keys.Signer(ctx, b, keys.Ref{Name: "s"}, keys.PurposeSign))
	testSigner(t, s, info)
	must[keys.PublicInfo](t)(b.Rotate(ctx, "s", 1))
	sig := must[[]byte](t)(gm.Sign(nil, s, gm.Message("m")))
	if !gm.Verify(info.Public, gm.Message("m"), sig) {
		t.Error("a rotation moved the handle")
	}
	if err := b.SetState(ctx, info.Ref, keys.StateDisabled); err != nil {
		t.Fatal(err)
	}
	_, err = gm.Sign(nil, s, gm.Message("m"))
	wants(t, "handle of a disabled version", err, keys.ErrDenied)

	d := must[crypto.Decrypter](t)(keys.Decrypter(ctx, b, keys.Ref{Name: "d"}))
	must[keys.PublicInfo](t)(b.Rotate(ctx, "d", 1))
	ct := must[[]byte](t)(gm.Encrypt(nil, inbox.Public, []byte("file key")))
	if plain, err := d.Decrypt(nil, ct, nil); err != nil || string(plain) != "file key" {
		t.Errorf("decrypt: %q, %v", plain, err)
	}
	_, err = d.Decrypt(nil, ct[:len(ct)-1], nil)
	wants(t, "damaged ciphertext", err, gm.ErrDecrypt)
}

// testSigner checks the two ways of handing data to a handle.
func testSigner(t *testing.T, s crypto.Signer, info keys.PublicInfo) {
	t.Helper()
	msg := gm.Message("公文")
	sig := must[[]byte](t)(s.Sign(nil, msg, gm.SignMessage))
	if !gm.Verify(info.Public, msg, sig) {
		t.Error("signature of a message does not verify")
	}
	e, err := gm.ComputeDigest(info.Public, gm.DefaultID, msg)
	if err != nil {
		t.Fatal(err)
	}
	sig = must[[]byte](t)(s.Sign(nil, e[:], gm.SignDigest))
	if !gm.Verify(info.Public, msg, sig) {
		t.Error("signature of a digest does not verify")
	}
	_, err = s.Sign(nil, msg, gm.SignDigest)
	wants(t, "message as digest", err, keys.ErrInvalid)
	_, err = s.Sign(nil, e[:], nil)
	wants(t, "neither message nor digest", err, keys.ErrInvalid)
	_, err = s.Sign(nil, e[:], crypto.SHA256)
	wants(t, "foreign options", err, keys.ErrInvalid)
	if !info.Public.Equal(s.Public()) {
		t.Error("handle has another public key")
	}
	if d, ok := s.(keys.Describer); !ok || d.KeyInfo().Ref != info.Ref {
		t.Error("handle does not tell its key")
	}
}

// testNothingLeaks prints all that a caller gets and looks for the secrets in it.
func testNothingLeaks(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	dk := must[[]keys.DataKey](t)(b.DataKey(ctx, keys.Ref{Name: "w"}, [][]byte{[]byte("doc")}))[0]
	plain := must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, []keys.Ciphertext{dk.Wrapped}))[0]
	for _, text := range []string{
		fmt.Sprint(dk), fmt.Sprintf("%s %v %+v", dk, dk, dk), dk.LogValue().String(), plain.LogValue().String(),
	} {
		if strings.Contains(text, fmt.Sprint(dk.Plain)) || strings.Contains(text, fmt.Sprintf("%x", dk.Plain)) {
			t.Error("a data key shows in a text")
		}
	}
}
