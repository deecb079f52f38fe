package keystest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// rewrap moves data keys, all of which must move.
func rewrap(t *testing.T, b Backend, name string, items []keys.Ciphertext) []keys.Ciphertext {
	t.Helper()
	var out []keys.Ciphertext
	for i, r := range must[[]keys.RewrapResult](t)(b.Rewrap(t.Context(), name, items)) {
		if r.Err != nil {
			t.Fatalf("rewrap item %d: %v", i, r.Err)
		}
		out = append(out, r.Wrapped)
	}
	return out
}

// tags computes HMACs, all of which must come.
func tags(t *testing.T, b Backend, ref keys.Ref, inputs ...[]byte) [][]byte {
	t.Helper()
	var out [][]byte
	for i, r := range must[[]keys.TagResult](t)(b.HMAC(t.Context(), ref, inputs)) {
		if r.Err != nil {
			t.Fatalf("tag of input %d: %v", i, r.Err)
		}
		out = append(out, r.Tag)
	}
	return out
}

func testDataKeys(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	create(t, b, keys.CreateOptions{Name: "w2", Purpose: keys.PurposeWrap})
	made := must[[]keys.DataKey](t)(b.DataKey(ctx, keys.Ref{Name: "w"}, [][]byte{[]byte("doc-1"), []byte("doc-2"), nil}))
	var wrapped []keys.Ciphertext
	for i, k := range made {
		if len(k.Plain) != keys.DataKeySize || (i > 0 && bytes.Equal(k.Plain, made[0].Plain)) || bytes.Contains(k.Wrapped.Data, k.Plain) {
			t.Fatalf("data key %d is not a fresh wrapped key", i)
		}
		wrapped = append(wrapped, k.Wrapped)
	}
	for i, r := range must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, wrapped)) {
		if r.Err != nil || !bytes.Equal(r.Plain, made[i].Plain) {
			t.Errorf("unwrap %d: %v", i, r.Err)
		}
	}
	other, short := wrapped[0], wrapped[0]
	other.AAD, short.Data = []byte("doc-2"), short.Data[:10]
	flipped := keys.Ciphertext{Version: 1, AAD: wrapped[0].AAD, Data: bytes.Clone(wrapped[0].Data)}
	flipped.Data[20] ^= 1
	for i, r := range must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, []keys.Ciphertext{other, short, flipped})) {
		wants(t, fmt.Sprintf("wrong item %d", i), r.Err, gm.ErrDecrypt)
	}
	foreign := must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w2", keys.PurposeWrap, wrapped[:1]))
	wants(t, "another key", foreign[0].Err, gm.ErrDecrypt)

	must[keys.PublicInfo](t)(b.Rotate(ctx, "w", 1))
	moved := wrapped[0]
	moved.Version = 2
	r := must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, []keys.Ciphertext{moved}))
	wants(t, "another version", r[0].Err, gm.ErrDecrypt)
	again := rewrap(t, b, "w", wrapped)
	for i, r := range must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, again)) {
		if r.Err != nil || r.Version != 2 || !bytes.Equal(r.Plain, made[i].Plain) {
			t.Errorf("rewrapped %d: version %d, %v", i, r.Version, r.Err)
		}
	}
	same := rewrap(t, b, "w", again)
	if diff := cmp.Diff(again, same); diff != "" {
		t.Errorf("rewrapping again changed:\n%s", diff)
	}
}

func testHMAC(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC})
	inputs := [][]byte{[]byte("a"), []byte("b"), {}, nil}
	one := tags(t, b, keys.Ref{Name: "m"}, inputs...)
	if len(one) != 4 || len(one[0]) != 32 || bytes.Equal(one[0], one[1]) || !bytes.Equal(one[2], one[3]) {
		t.Fatalf("tags %x", one)
	}
	must[keys.PublicInfo](t)(b.Rotate(ctx, "m", 0))
	two := tags(t, b, keys.Ref{Name: "m"}, inputs[:1]...)
	old := tags(t, b, keys.Ref{Name: "m", Version: 1}, inputs[:1]...)
	if bytes.Equal(two[0], one[0]) || !bytes.Equal(old[0], one[0]) {
		t.Error("versions do not have keys of their own")
	}
	for want, version := range map[int]int{2: 0, 1: 1} {
		if r := must[[]keys.TagResult](t)(b.HMAC(ctx, keys.Ref{Name: "m", Version: version}, inputs[:1]))[0]; r.Version != want {
			t.Errorf("version %d tags where %d was asked for", r.Version, version)
		}
	}
}
