package gmwire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// FuzzParseResults: what is read is what JSON would read; whatever is no list of results is refused.
func FuzzParseResults(f *testing.F) {
	for _, s := range []string{
		`[{"signature":"vault:v1:eA==","key_version":1,"reference":"r"},{"error":"e","code":"invalid"}]`,
		`[{"plaintext":"eA==","valid":true}]`, `[{"plaintext":7}]`, `[{"key_version":-1}]`, `[{"key_version":1.5}]`, `[1]`, `{}`, `[{"new":[]}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var value any
		if d.Decode(&value) != nil {
			return
		}
		got, err := gmwire.ParseResults(value)
		if err != nil {
			return
		}
		var want []gmwire.Result
		canonical, err := json.Marshal(value)
		if err != nil || json.Unmarshal(canonical, &want) != nil {
			return // JSON is stricter or laxer with letters in another case, and with base64
		}
		for i := range want {
			if got[i].Signature != "" && want[i].Signature == "" || got[i].KeyVersion != 0 && got[i].KeyVersion != want[i].KeyVersion {
				t.Errorf("%s: %+v, not %+v", text, got[i], want[i])
			}
		}
	})
}

// TestParseResults: each field arrives, a value of another type is refused.
func TestParseResults(t *testing.T) {
	t.Parallel()
	read := func(text string) ([]gmwire.Result, error) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var value any
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		return gmwire.ParseResults(value)
	}
	valid, plain := true, []byte("x")
	want := gmwire.Result{
		Signature: "s", Plaintext: &plain, Ciphertext: "c", HMAC: "h", Valid: &valid, KeyVersion: 7, Reference: "r", Error: "e", Code: "k",
	}
	text, err := json.Marshal([]gmwire.Result{want, {}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(string(text))
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff([]gmwire.Result{want, {}}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		`null`, `{}`, `"x"`, `[null]`, `[[]]`, `[{"signature":1}]`, `[{"plaintext":"!"}]`, `[{"plaintext":1}]`, `[{"valid":"true"}]`,
		`[{"key_version":"1"}]`, `[{"key_version":-1}]`, `[{"key_version":1e300}]`,
	} {
		if got, err := read(bad); err == nil {
			t.Errorf("%s is read as %+v", bad, got)
		}
	}
}

// FuzzSignatures: signatures that come apart are what was joined, and nothing else comes apart.
func FuzzSignatures(f *testing.F) {
	f.Add([]byte{0x30, 0, 0x30, 1, 7}, 2)
	f.Add([]byte{0x30, 0x81, 0x80}, 1)
	f.Add([]byte{}, 0)
	f.Add([]byte{0x30}, -75)
	f.Fuzz(func(t *testing.T, joined []byte, n int) {
		apart, err := gmwire.SplitSignatures(joined, n)
		if err != nil {
			return
		}
		if len(apart) != n || !bytes.Equal(gmwire.JoinSignatures(apart), joined) {
			t.Errorf("%x comes apart into %d: %x", joined, n, apart)
		}
		for _, sig := range apart {
			if len(sig) < 2 || sig[0] != 0x30 || int(sig[1]) != len(sig)-2 {
				t.Errorf("%x is no sequence", sig)
			}
		}
	})
}
