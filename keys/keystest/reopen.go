package keystest

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
)

// RunReopen shows that all is as before after a restart: reopen gives the same store as b, which it ends.
func RunReopen(t *testing.T, b Backend, reopen func(b Backend) Backend) {
	t.Helper()
	ctx := t.Context()
	ca := authority(t, b)
	sign := create(t, b, keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign, Labels: map[string]string{"a": "b"}})
	decrypt := create(t, b, keys.CreateOptions{Name: "d", Purpose: keys.PurposeDecrypt})
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	create(t, b, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC})
	must[keys.PublicInfo](t)(b.Rotate(ctx, "s", 1))
	c := must[*cert.Certificate](t)(ca.IssueSigning(cert.Subject("A", "B"), sign.Public, cert.IssueOptions{}))
	must[keys.Ref](t)(b.ImportCertificate(ctx, keys.Ref{Name: "s"}, [][]byte{c.Raw}))
	dk := must[[]keys.DataKey](t)(b.DataKey(ctx, keys.Ref{Name: "w"}, [][]byte{[]byte("doc")}))[0]
	tag := tags(t, b, keys.Ref{Name: "m"}, []byte("x"))[0]
	ct := must[[]byte](t)(gm.Encrypt(nil, decrypt.Public, []byte("hello")))
	before := must[[]keys.KeyInfo](t)(b.List(ctx, "", 0))

	b = reopen(b)
	if diff := cmp.Diff(before, must[[]keys.KeyInfo](t)(b.List(ctx, "", 0))); diff != "" {
		t.Errorf("after reopening (-before +after):\n%s", diff)
	}
	if r := signOne(t, b, keys.Ref{Name: "s"}, keys.PurposeSign, "m"); r.Version != 1 || !gm.Verify(sign.Public, gm.Message("m"), r.Signature) {
		t.Errorf("version %d signs after reopening", r.Version)
	}
	if r := must[[]keys.PlainResult](t)(b.Decrypt(ctx, "d", keys.PurposeDecrypt, []keys.Ciphertext{{Version: 1, Data: ct}}))[0]; string(r.Plain) != "hello" {
		t.Errorf("decrypt after reopening: %v", r.Err)
	}
	if r := must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, []keys.Ciphertext{dk.Wrapped}))[0]; !bytes.Equal(r.Plain, dk.Plain) {
		t.Errorf("unwrap after reopening: %v", r.Err)
	}
	if again := tags(t, b, keys.Ref{Name: "m"}, []byte("x"))[0]; !bytes.Equal(tag, again) {
		t.Error("HMAC differs after reopening")
	}
	if got := must[[][]byte](t)(b.Certificates(ctx, sign.Ref)); !bytes.Equal(got[0], c.Raw) {
		t.Error("certificate differs after reopening")
	}
}
