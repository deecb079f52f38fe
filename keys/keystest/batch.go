package keystest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

func testBounds(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign})
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	create(t, b, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC})
	for _, n := range []int{0, keys.MaxBatch + 1, 10_000} {
		_, err := b.Sign(ctx, keys.Ref{Name: "s"}, keys.PurposeSign, make([]keys.SignItem, n))
		wants(t, "sign batch", err, keys.ErrInvalid)
		_, err = b.Decrypt(ctx, "w", keys.PurposeWrap, make([]keys.Ciphertext, n))
		wants(t, "decrypt batch", err, keys.ErrInvalid)
		_, err = b.DataKey(ctx, keys.Ref{Name: "w"}, make([][]byte, n))
		wants(t, "data key batch", err, keys.ErrInvalid)
		_, err = b.Rewrap(ctx, "w", make([]keys.Ciphertext, n))
		wants(t, "rewrap batch", err, keys.ErrInvalid)
		_, err = b.HMAC(ctx, keys.Ref{Name: "m"}, make([][]byte, n))
		wants(t, "HMAC batch", err, keys.ErrInvalid)
	}
	out, err := b.Sign(ctx, keys.Ref{Name: "s"}, keys.PurposeSign, make([]keys.SignItem, keys.MaxBatch))
	if err != nil || len(out) != keys.MaxBatch {
		t.Errorf("full batch: %d results, %v", len(out), err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	wants(t, "cancelled context", canSign(ended, b, keys.Ref{Name: "s"}, keys.PurposeSign), context.Canceled)
	if h := b.Health(ctx); h.Status != keys.HealthOK {
		t.Errorf("health %+v", h)
	}
}

// testBadItems: in a batch of every verb, what is wrong with one item is that item's alone, in its place.
func testBadItems(t *testing.T, b Backend) {
	ctx := t.Context()
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	create(t, b, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC})
	made := must[[]keys.DataKey](t)(b.DataKey(ctx, keys.Ref{Name: "w"}, [][]byte{[]byte("a"), make([]byte, keys.MaxCiphertext+1), nil}))
	wants(t, "data key for a long document id", made[1].Err, keys.ErrInvalid)
	if made[0].Err != nil || made[2].Err != nil || made[1].Plain != nil || made[1].Wrapped.Data != nil {
		t.Fatalf("data keys around a bad one: %v %v", made[0].Err, made[2].Err)
	}
	good := made[0].Wrapped
	flipped, unnamed, unknown, long := good, good, good, good
	flipped.Data = append(bytes.Clone(good.Data[:len(good.Data)-1]), good.Data[len(good.Data)-1]^1)
	unnamed.Version, unknown.Version, long.AAD = 0, 9, make([]byte, keys.MaxCiphertext+1)
	must[keys.PublicInfo](t)(b.Rotate(ctx, "w", 1))
	items := []keys.Ciphertext{good, flipped, made[2].Wrapped, unnamed, unknown, long, good}
	classes := []error{nil, gm.ErrDecrypt, nil, keys.ErrInvalid, keys.ErrNotFound, gm.ErrDecrypt, nil}
	for i, r := range must[[]keys.RewrapResult](t)(b.Rewrap(ctx, "w", items)) {
		switch {
		case classes[i] != nil:
			wants(t, fmt.Sprintf("rewrap item %d", i), r.Err, classes[i])
		case r.Err != nil || r.Wrapped.Version != 2:
			t.Errorf("rewrap item %d, a good one: version %d, %v", i, r.Wrapped.Version, r.Err)
		}
	}
	for i, r := range must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, items)) {
		switch {
		case i == 3: // of no version: the current one, which is not its own
			wants(t, "unwrap item 3", r.Err, gm.ErrDecrypt)
		case classes[i] != nil:
			wants(t, fmt.Sprintf("unwrap item %d", i), r.Err, classes[i])
		case r.Err != nil || len(r.Plain) != keys.DataKeySize:
			t.Errorf("unwrap item %d, a good one: %v", i, r.Err)
		}
	}
	tagged := must[[]keys.TagResult](t)(b.HMAC(ctx, keys.Ref{Name: "m"}, [][]byte{[]byte("a"), make([]byte, keys.MaxMessage+1), []byte("a")}))
	wants(t, "tag of a long input", tagged[1].Err, keys.ErrInvalid)
	if tagged[0].Err != nil || tagged[2].Err != nil || tagged[1].Tag != nil || !bytes.Equal(tagged[0].Tag, tagged[2].Tag) {
		t.Errorf("tags around a bad input: %v %v", tagged[0].Err, tagged[2].Err)
	}
}

// testBigItems: items at their bounds pass, also where a batch of them is more than one request of a backend may carry.
func testBigItems(t *testing.T, b Backend) {
	ctx := t.Context()
	info := create(t, b, keys.CreateOptions{Name: "s", Purpose: keys.PurposeSign})
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	create(t, b, keys.CreateOptions{Name: "m", Purpose: keys.PurposeMAC})
	var messages []keys.SignItem
	var inputs, aad [][]byte
	for i := range 10 {
		big := bytes.Repeat([]byte{byte(i)}, keys.MaxMessage)
		messages, inputs = append(messages, keys.SignItem{Message: big}), append(inputs, big)
		aad = append(aad, big[:keys.MaxCiphertext])
	}
	for i, r := range must[[]keys.SignResult](t)(b.Sign(ctx, info.Ref, keys.PurposeSign, messages)) {
		if r.Err != nil || !gm.Verify(info.Public, messages[i].Message, r.Signature) {
			t.Errorf("message %d: %v, or it does not verify", i, r.Err)
		}
	}
	for i, tag := range tags(t, b, keys.Ref{Name: "m"}, inputs...) {
		if !bytes.Equal(tag, tags(t, b, keys.Ref{Name: "m"}, inputs[i])[0]) {
			t.Errorf("tag %d of a batch is another one than alone", i)
		}
	}
	var wrapped []keys.Ciphertext
	made := must[[]keys.DataKey](t)(b.DataKey(ctx, keys.Ref{Name: "w"}, aad))
	for _, k := range made {
		wrapped = append(wrapped, k.Wrapped)
	}
	must[keys.PublicInfo](t)(b.Rotate(ctx, "w", 1))
	for i, r := range must[[]keys.PlainResult](t)(b.Decrypt(ctx, "w", keys.PurposeWrap, rewrap(t, b, "w", wrapped))) {
		if made[i].Err != nil || r.Err != nil || !bytes.Equal(r.Plain, made[i].Plain) {
			t.Errorf("data key %d: %v %v", i, made[i].Err, r.Err)
		}
	}
}
