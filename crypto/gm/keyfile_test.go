package gm_test

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/testvectors/boundtest"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
)

// keyInfo is a PrivateKeyInfo: {version, {id-ecPublicKey, curve}, OCTET STRING of {1, scalar, [0] curve, [1] public key}}.
func keyInfo(scalar, public []byte) *forge.Node {
	body := forge.Seq(forge.Int(1), forge.Octets(scalar))
	if public != nil {
		body.Kids = append(body.Kids, &forge.Node{Tag: 0xa1, Kids: []*forge.Node{{Tag: 3, Value: append([]byte{0}, public...)}}})
	}
	return forge.Seq(forge.Int(0), forge.Seq(forge.OID(1, 2, 840, 10045, 2, 1), forge.OID(1, 2, 156, 10197, 1, 301)), forge.Octets(body.Bytes()))
}

// lockedInfo encrypts it by PBES2 with PBKDF2, HMAC-SHA-256 and SM4-CBC: {{PBES2, {{PBKDF2, {salt, count, PRF}}, {SM4, IV}}}, data}.
func lockedInfo(t testing.TB, plain []byte, passphrase string) *forge.Node {
	t.Helper()
	salt, iv := []byte("salt and pepper!"), []byte("a vector of 16 B")
	secret, err := pbkdf2.Key(sha256.New, passphrase, salt, 1000, 16)
	if err != nil {
		t.Fatal(err)
	}
	kdf := forge.Seq(forge.Octets(salt), forge.Int(1000), forge.Seq(forge.OID(1, 2, 840, 113549, 2, 9), forge.Null()))
	return forge.Seq(
		forge.Seq(forge.OID(1, 2, 840, 113549, 1, 5, 13), forge.Seq(
			forge.Seq(forge.OID(1, 2, 840, 113549, 1, 5, 12), kdf),
			forge.Seq(forge.OID(1, 2, 156, 10197, 1, 104, 2), forge.Octets(iv)))),
		forge.Octets(hand.CBC(secret, iv, plain)))
}

// TestForgedKeyFiles: key files of others, made here by hand, open; one that was spoilt is refused by name, without a panic and
// before it makes its reader work for long.
func TestForgedKeyFiles(t *testing.T) {
	key, other := newKey(t), newKey(t)
	scalar, public := key.ExportScalar(), gm.MarshalPublicKey(key.PublicKey())
	weak := make([]byte, 32)
	weak[31] = 5
	plain := func(edit func(n *forge.Node)) []byte {
		n := keyInfo(scalar, public)
		edit(n)
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: n.Bytes()})
	}
	inner := func(edit func(n *forge.Node)) []byte {
		return plain(func(n *forge.Node) {
			body := forge.Must(n.At(2).Value)
			edit(body)
			n.At(2).Value = body.Bytes()
		})
	}
	locked := func(edit func(n *forge.Node)) []byte {
		n := lockedInfo(t, keyInfo(scalar, public).Bytes(), "correct horse")
		edit(n)
		return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: n.Bytes()})
	}
	holding := func(plain []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: lockedInfo(t, plain, "correct horse").Bytes()})
	}
	kdf := func(n *forge.Node) *forge.Node { return n.At(0, 1, 0, 1) }
	enc := func(n *forge.Node) *forge.Node { return n.At(0, 1, 1) }
	curve := func(n *forge.Node) {
		n.Insert(2, &forge.Node{Tag: 0xa0, Kids: []*forge.Node{forge.OID(1, 2, 156, 10197, 1, 301)}})
	}
	tests := []struct {
		name string
		text []byte
		want error
	}{
		{"plain", plain(func(*forge.Node) {}), nil},
		{"without a public key", inner(func(n *forge.Node) { n.Remove(2) }), nil},
		{"with the curve inside", inner(curve), nil},
		{"with another curve inside", inner(func(n *forge.Node) {
			curve(n)
			n.At(2, 0).Set(forge.OID(1, 2, 840, 10045, 3, 1, 7))
		}), gm.ErrKeyFile},
		{"another public key", inner(func(n *forge.Node) { n.At(2, 0).Value = append([]byte{0}, gm.MarshalPublicKey(other.PublicKey())...) }), gm.ErrKeyFile},
		{"bytes behind", append(plain(func(*forge.Node) {})[:0:0], pem.EncodeToMemory(&pem.Block{
			Type: "PRIVATE KEY", Bytes: append(keyInfo(scalar, nil).Bytes(), 0),
		})...), gm.ErrKeyFile},
		{"something behind inside", inner(func(n *forge.Node) { n.Kids = append(n.Kids, forge.Null()) }), gm.ErrKeyFile},
		{"version 6", plain(func(n *forge.Node) { n.At(0).Value[0] = 5 }), gm.ErrKeyFile},
		{"version 2 with its public key", plain(func(n *forge.Node) {
			n.At(0).Value[0] = 1
			n.Insert(3, &forge.Node{Tag: 0x81, Value: append([]byte{0}, public...)})
		}), nil},
		{"version 2 with another", plain(func(n *forge.Node) {
			n.At(0).Value[0] = 1
			n.Insert(3, &forge.Node{Tag: 0x81, Value: append([]byte{0}, gm.MarshalPublicKey(other.PublicKey())...)})
		}), gm.ErrKeyFile},
		{"a long scalar", inner(func(n *forge.Node) { n.At(1).Value = append(make([]byte, 8), scalar...) }), gm.ErrKeyFile},
		{"P-256", plain(func(n *forge.Node) { n.At(1, 1).Set(forge.OID(1, 2, 840, 10045, 3, 1, 7)) }), gm.ErrKeyFile},
		{"a small scalar", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyInfo(weak, nil).Bytes()}), gm.ErrWeakKey},

		{"encrypted", locked(func(*forge.Node) {}), nil},
		{"with the key's length", locked(func(n *forge.Node) { kdf(n).Insert(2, forge.Int(16)) }), nil},
		{"with another length", locked(func(n *forge.Node) { kdf(n).Insert(2, forge.Int(32)) }), gm.ErrKeyFile},
		{"a length beyond memory", locked(func(n *forge.Node) { kdf(n).Insert(2, forge.Int(1<<40)) }), gm.ErrKeyFile},
		{"no rounds", locked(func(n *forge.Node) { kdf(n).At(1).Set(forge.Int(0)) }), gm.ErrKeyFile},
		{"negative rounds", locked(func(n *forge.Node) { kdf(n).At(1).Set(forge.Int(-1)) }), gm.ErrKeyFile},
		{"ten million rounds", locked(func(n *forge.Node) { kdf(n).At(1).Set(forge.Int(10_000_000)) }), gm.ErrKeyFile},
		{"rounds beyond numbers", locked(func(n *forge.Node) { kdf(n).At(1).Value = bytes.Repeat([]byte{1}, 20) }), gm.ErrKeyFile},
		{"a long salt", locked(func(n *forge.Node) { kdf(n).At(0).Value = make([]byte, 2000) }), gm.ErrKeyFile},
		{"HMAC-SHA-1 by default", locked(func(n *forge.Node) { kdf(n).Remove(2) }), gm.ErrKeyFile},
		{"HMAC-SHA-1", locked(func(n *forge.Node) { kdf(n).At(2, 0).Set(forge.OID(1, 2, 840, 113549, 2, 7)) }), gm.ErrKeyFile},
		{"a short vector", locked(func(n *forge.Node) { enc(n).At(1).Value = make([]byte, 8) }), gm.ErrKeyFile},
		{"Triple DES", locked(func(n *forge.Node) {
			enc(n).At(0).Set(forge.OID(1, 2, 840, 113549, 3, 7))
			enc(n).At(1).Value = make([]byte, 8)
		}), gm.ErrKeyFile},
		{"scrypt", locked(func(n *forge.Node) { n.At(0, 1, 0, 0).Set(forge.OID(1, 3, 6, 1, 4, 1, 11591, 4, 11)) }), gm.ErrKeyFile},
		{"PBES1", locked(func(n *forge.Node) { n.At(0, 0).Set(forge.OID(1, 2, 840, 113549, 1, 5, 10)) }), gm.ErrKeyFile},
		{"half a block", locked(func(n *forge.Node) { n.At(1).Value = n.At(1).Value[8:] }), gm.ErrKeyFile},
		{"no data", locked(func(n *forge.Node) { n.At(1).Value = nil }), gm.ErrKeyFile},
		{"something behind the data", locked(func(n *forge.Node) { n.Kids = append(n.Kids, forge.Null()) }), gm.ErrKeyFile},
		{"changed data", locked(func(n *forge.Node) { v := n.At(1).Value; v[len(v)-1] ^= 1 }), gm.ErrPassphrase},
		{"another salt", locked(func(n *forge.Node) { kdf(n).At(0).Value[0] ^= 1 }), gm.ErrPassphrase},
		{"a small scalar inside", holding(keyInfo(weak, nil).Bytes()), gm.ErrWeakKey},
		{"no key inside", holding([]byte("not a key")), gm.ErrPassphrase},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			got, err := gm.ParsePKCS8PEM(tt.text, []byte("correct horse"))
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if tt.want == nil && !got.Equal(key) {
				t.Error("another key came back")
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %s", d)
			}
		})
	}
}

// FuzzLockedKeyFile fuzzes key files that a passphrase is given for.
func FuzzLockedKeyFile(f *testing.F) {
	n := lockedInfo(f, keyInfo(bytes.Repeat([]byte{7}, 32), nil).Bytes(), "x")
	f.Add(n.Bytes())
	n.At(0, 1, 1, 1).Value = make([]byte, 8)
	f.Add(n.Bytes())
	f.Fuzz(boundtest.Fuzz(1000, func(t *testing.T, der []byte) {
		text := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
		if k, err := gm.ParsePKCS8PEM(text, []byte("x")); err == nil && k.PublicKey() == nil {
			t.Fatal("a key without a public key")
		}
	}))
}
