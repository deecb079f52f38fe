package backup

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"yinxin/crypto/gm"
)

func pair(t testing.TB) *gm.PrivateKey {
	t.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSealed: each of several readers opens a file, nobody else does, and no byte of it can be changed unnoticed.
func TestSealed(t *testing.T) {
	t.Parallel()
	one, two, other := pair(t), pair(t), pair(t)
	plain := bytes.Repeat([]byte("rows and rows "), 10_000)
	var out bytes.Buffer
	w, err := newSealing(&out, []*ecdsa.PublicKey{one.PublicKey(), two.PublicKey()}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	read := func(data []byte, key *gm.PrivateKey) ([]byte, error) {
		r, err := openSealed(bytes.NewReader(data), key)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	for _, key := range []*gm.PrivateKey{one, two} {
		if got, err := read(out.Bytes(), key); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("a reader: %d bytes, %v", len(got), err)
		}
	}
	if _, err := read(out.Bytes(), other); !errors.Is(err, ErrNotForKey) {
		t.Errorf("a stranger: %v", err)
	}
	if bytes.Contains(out.Bytes(), []byte("rows and rows")) {
		t.Error("it can be read without a key")
	}
	for at := 0; at < out.Len(); at += 1 + out.Len()/200 {
		bad := bytes.Clone(out.Bytes())
		bad[at] ^= 1
		if got, err := read(bad, one); err == nil && bytes.Equal(got, plain) {
			// The head names readers in text: a change in the other one's part changes nothing for this one.
			if _, err := read(bad, two); err == nil {
				t.Errorf("byte %d of %d was changed unnoticed", at, out.Len())
			}
		}
	}
}

func FuzzOpenSealed(f *testing.F) {
	key := pair(f)
	var out bytes.Buffer
	w, err := newSealing(&out, []*ecdsa.PublicKey{key.PublicKey()}, rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(sealedMagic + "{\"to\":[]}\n"))
	f.Add([]byte(sealedMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := openSealed(bytes.NewReader(data), key)
		if err != nil {
			return
		}
		if got, err := io.ReadAll(r); err == nil && string(got) != "x" {
			t.Errorf("it opens to %q", got)
		}
	})
}
