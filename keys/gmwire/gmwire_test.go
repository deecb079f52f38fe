package gmwire_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// FuzzParseVersioned: what is taken is written back as it was, and nothing else is taken.
func FuzzParseVersioned(f *testing.F) {
	for _, s := range []string{"vault:v1:eA==", "eA==", "vault:v0:eA==", "vault:v01:eA==", "vault:v1", "vault:v1:", "vault:v1:e", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, data, err := gmwire.ParseVersioned(s)
		if err != nil {
			if !errors.Is(err, keys.ErrInvalid) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again, same, err := gmwire.ParseVersioned(gmwire.Versioned(n, data))
		if n < 0 || err != nil || again != n || !bytes.Equal(same, data) {
			t.Errorf("%q is version %d of %x, and again %d of %x, %v", s, n, data, again, same, err)
		}
	})
}

// TestErrorsTravel: every class of error is the same class on the other side; other texts are not taken for ours.
func TestErrorsTravel(t *testing.T) {
	t.Parallel()
	for _, class := range []error{
		keys.ErrSealed, keys.ErrDenied, keys.ErrNotFound, keys.ErrConflict, keys.ErrInvalid, gm.ErrDecrypt,
		&keys.UnavailableError{Err: errors.New("disk full")},
	} {
		err := fmt.Errorf("key k: %w", class)
		got, ours := gmwire.ParseText(gmwire.Text(err))
		if !ours || !keys.Classified(got) || (!errors.Is(got, class) && !errors.Is(class, keys.ErrUnavailable)) {
			t.Errorf("%v arrives as %v", err, got)
		}
	}
	if _, status := gmwire.CodeOf(errors.New("of no class")); status != 500 {
		t.Errorf("an error of no class has status %d", status)
	}
	for _, text := range []string{"", "permission denied", "denied: x", "gm nothing: x", "gm denied"} {
		if err, ours := gmwire.ParseText(text); ours {
			t.Errorf("%q is taken for %v", text, err)
		}
	}
}

// TestLongInput: an input longer than Vault's bound for strings travels in pieces and arrives whole.
func TestLongInput(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, gmwire.MaxString, gmwire.MaxString + 1, keys.MaxMessage} {
		var item gmwire.Item
		data := bytes.Repeat([]byte{7}, n)
		item.SetInput(data)
		got, err := item.TakeInput()
		if err != nil || !bytes.Equal(*got, data) || (item.Input == nil) != (n > gmwire.MaxString) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	both := gmwire.Item{Input: &[]byte{1}, InputParts: [][]byte{{2}}}
	if _, err := both.TakeInput(); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("input and parts: %v", err)
	}
}
