package gm_test

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"testing"

	gmcipher "github.com/emmansun/gmsm/cipher"
	"github.com/emmansun/gmsm/sm4"

	"yinxin/crypto/gm"
	"yinxin/testvectors/forge"
)

// TestSM2SignatureCorruptions spoils the signature of every good vector in every named way; none may verify, and the
// vector itself must. What it is about is spoilt too.
func TestSM2SignatureCorruptions(t *testing.T) {
	for _, path := range []string{"sm2/sm2-sign.json", "sm2/sm2-verify-valid.json"} {
		eachVector(t, path, func(t *testing.T, v vector) {
			sig := v.DER
			if len(sig) == 0 {
				sig = v.Sig
			}
			pub, id := public(t, v.Pub), string(v.ID)
			if !gm.VerifyID(pub, id, gm.Message(v.Msg), sig) {
				t.Fatal("the vector itself does not verify")
			}
			for _, s := range forge.Signatures(sig) {
				if bytes.Equal(s.Bytes, sig) {
					t.Fatalf("%s: nothing was spoilt", s.Name)
				}
				if gm.VerifyID(pub, id, gm.Message(v.Msg), s.Bytes) {
					t.Errorf("%s: verifies", s.Name)
				}
			}
			if gm.VerifyID(pub, id, gm.Message(append(bytes.Clone(v.Msg), 0)), sig) {
				t.Error("another message verifies")
			}
			if gm.VerifyID(pub, id+"x", gm.Message(v.Msg), sig) {
				t.Error("another ID verifies")
			}
			if gm.VerifyDigest(pub, gm.Digest(gm.SM3(v.Msg)), sig) {
				t.Error("the digest without Z verifies")
			}
		})
	}
}

// TestSM2CiphertextCorruptions spoils every ciphertext of the vectors; each gives the one error, and no plaintext.
func TestSM2CiphertextCorruptions(t *testing.T) {
	eachVector(t, "sm2/sm2-encrypt.json", func(t *testing.T, v vector) {
		key, err := gm.ImportScalar(v.D)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range forge.Ciphertexts(v.ASN1) {
			got, err := key.Decrypt(nil, s.Bytes, nil)
			if err != gm.ErrDecrypt || got != nil { //nolint:errorlint // the one error, unwrapped, is the promise
				t.Errorf("%s: %x, %v, want the one error", s.Name, got, err)
			}
		}
	})
}

// TestSM4AEADCorruptions does the same for the authenticated modes, nonce and associated data included.
func TestSM4AEADCorruptions(t *testing.T) {
	for _, path := range []string{"sm4/sm4-gcm.json", "sm4/sm4-ccm.json"} {
		eachVector(t, path, func(t *testing.T, v vector) {
			aead, err := gm.NewSM4GCM(v.Key)
			if v.Mode == "ccm" {
				var b cipher.Block
				if b, err = sm4.NewCipher(v.Key); err == nil {
					aead, err = gmcipher.NewCCM(b)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			sealed := append(bytes.Clone(v.CT), v.Tag...)
			if got, err := aead.Open(nil, v.IV, sealed, v.AAD); err != nil || !bytes.Equal(got, v.Msg) {
				t.Fatalf("the vector itself: %x, %v", got, err)
			}
			for _, s := range forge.Sealed(sealed, len(v.Tag)) {
				if got, err := aead.Open(nil, v.IV, s.Bytes, v.AAD); err == nil {
					t.Errorf("%s: opens as %x", s.Name, got)
				}
			}
			nonce := bytes.Clone(v.IV)
			nonce[0] ^= 1
			if _, err := aead.Open(nil, nonce, sealed, v.AAD); err == nil {
				t.Error("another nonce opens")
			}
			if _, err := aead.Open(nil, v.IV, sealed, append(bytes.Clone(v.AAD), 0)); err == nil {
				t.Error("other associated data opens")
			}
		})
	}
}

// TestEnvelopedKeyAlgorithm: the algorithm of an enveloped key has no parameters, or NULL.
func TestEnvelopedKeyAlgorithm(t *testing.T) {
	key, err := gm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := gm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := gm.EnvelopeKey(nil, key.PublicKey(), pair)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		params []*forge.Node
		want   error
	}{
		{"none", nil, nil},
		{"NULL", []*forge.Node{forge.Null()}, nil},
		{"a number", []*forge.Node{forge.Int(3)}, gm.ErrDecrypt},
		{"NULL twice", []*forge.Node{forge.Null(), forge.Null()}, gm.ErrDecrypt},
	} {
		n := forge.Must(der)
		n.At(0).Kids = append(n.At(0).Kids[:1:1], tt.params...)
		if _, err := key.OpenEnvelopedKey(n.Bytes()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
