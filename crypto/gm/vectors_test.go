package gm_test

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdsa"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"

	gmcipher "github.com/emmansun/gmsm/cipher"
	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/kdf"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"

	"yinxin/crypto/gm"
	"yinxin/testvectors"
)

type hexb = testvectors.Hex

// vector holds the fields of every type of case; each test reads those of its type.
type vector struct {
	TC, Comment, Result                   string
	Msg, Digest, Key, PT, CT, IV, AAD     hexb
	Mode                                  string
	Tag, D, Pub, ID, ZA, E, K, R, S, DER  hexb
	Sig, C1, C3, C2, C1C3C2, C1C2C3, ASN1 hexb
	Iterations                            int
}

// each runs a subtest for every case of a set.
func each[T any](t *testing.T, path string, name func(T) string, run func(*testing.T, T)) {
	t.Helper()
	set, err := testvectors.Load[T](path)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range set.Vectors {
		t.Run(name(v), func(t *testing.T) { run(t, v) })
	}
}

func eachVector(t *testing.T, path string, run func(*testing.T, vector)) {
	t.Helper()
	each(t, path, func(v vector) string { return v.TC + " " + v.Comment }, run)
}

func want(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s = %x, want %x", what, got, want)
	}
}

func TestSM3Vectors(t *testing.T) {
	eachVector(t, "sm3/sm3-hash.json", func(t *testing.T, v vector) {
		sum := gm.SM3(v.Msg)
		want(t, "SM3", sum[:], v.Digest)
		half := len(v.Msg) / 2
		sum = gm.SM3(v.Msg[:half], v.Msg[half:])
		want(t, "SM3 of two parts", sum[:], v.Digest)
		h := gm.NewSM3()
		for _, b := range v.Msg {
			h.Write([]byte{b})
		}
		want(t, "SM3 byte by byte", h.Sum(nil), v.Digest)
	})
}

func TestSM4BlockVectors(t *testing.T) {
	eachVector(t, "sm4/sm4-block.json", func(t *testing.T, v vector) {
		block, err := sm4.NewCipher(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		out := bytes.Clone(v.PT)
		for range max(v.Iterations, 1) {
			block.Encrypt(out, out)
		}
		want(t, "ciphertext", out, v.CT)
		for range max(v.Iterations, 1) {
			block.Decrypt(out, out)
		}
		want(t, "plaintext", out, v.PT)
	})
}

func TestSM4ModeVectors(t *testing.T) {
	eachVector(t, "sm4/sm4-modes.json", func(t *testing.T, v vector) {
		switch v.Mode {
		case "ctr":
			block, err := sm4.NewCipher(v.Key)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]byte, len(v.PT))
			cipher.NewCTR(block, v.IV).XORKeyStream(out, v.PT)
			want(t, "CTR", out, v.CT)
		case "cbc":
			// The cases have no padding; EncryptCBC adds a block and begins with the same bytes.
			out, err := gm.EncryptCBC(v.Key, v.IV, v.PT)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "CBC", out[:len(v.CT)], v.CT)
			back, err := gm.DecryptCBC(v.Key, v.IV, out)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "CBC decrypted", back, v.PT)
		default:
			t.Fatalf("unknown mode %q", v.Mode)
		}
	})
}

func TestSM4AEADVectors(t *testing.T) {
	for _, path := range []string{"sm4/sm4-gcm.json", "sm4/sm4-ccm.json"} {
		eachVector(t, path, func(t *testing.T, v vector) {
			aead, err := gm.NewSM4GCM(v.Key)
			if v.Mode == "ccm" {
				var block cipher.Block
				if block, err = sm4.NewCipher(v.Key); err == nil {
					aead, err = gmcipher.NewCCM(block)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			sealed := aead.Seal(nil, v.IV, v.Msg, v.AAD)
			want(t, "sealed", sealed, append(bytes.Clone(v.CT), v.Tag...))
			if got, err := aead.Open(nil, v.IV, sealed, v.AAD); err != nil || !bytes.Equal(got, v.Msg) {
				t.Errorf("open: %x, %v", got, err)
			}
			sealed[0] ^= 1
			if _, err := aead.Open(nil, v.IV, sealed, v.AAD); err == nil {
				t.Error("a changed ciphertext opens")
			}
		})
	}
}

func public(t *testing.T, point []byte) *ecdsa.PublicKey {
	t.Helper()
	pub, err := gm.ParsePublicKey(point)
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

// TestSM2SignVectors checks Z, e, verification and, by the textbook with the given k, the values r and s.
func TestSM2SignVectors(t *testing.T) {
	eachVector(t, "sm2/sm2-sign.json", func(t *testing.T, v vector) {
		pub := public(t, v.Pub)
		// The e below goes by our own Z; the library's must be the same, since certificates are checked by it.
		za, err := sm2.CalculateZA(pub, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "Z", za, v.ZA)
		e, err := gm.ComputeDigest(pub, string(v.ID), gm.Message(v.Msg))
		if err != nil {
			t.Fatal(err)
		}
		want(t, "e", e[:], v.E)
		r, s := textbookSign(v.D, v.K, v.E)
		want(t, "r", r.FillBytes(make([]byte, 32)), v.R)
		want(t, "s", s.FillBytes(make([]byte, 32)), v.S)
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "DER", der, v.DER)
		if !gm.VerifyID(pub, string(v.ID), gm.Message(v.Msg), v.DER) || !gm.VerifyDigest(pub, e, v.DER) {
			t.Error("signature does not verify")
		}
	})
}

// textbookSign is GB/T 32918.2 6.1 with a given k, written for the test alone: it leaks its time.
func textbookSign(d, k, e []byte) (r, s *big.Int) {
	c := sm2.P256()
	n := c.Params().N
	D, K, E := new(big.Int).SetBytes(d), new(big.Int).SetBytes(k), new(big.Int).SetBytes(e)
	x1, _ := c.ScalarBaseMult(K.FillBytes(make([]byte, 32)))
	r = new(big.Int).Add(E, x1)
	r.Mod(r, n)
	inv := new(big.Int).ModInverse(new(big.Int).Add(D, big.NewInt(1)), n)
	s = new(big.Int).Sub(K, new(big.Int).Mul(r, D))
	s.Mul(s, inv).Mod(s, n)
	return r, s
}

func TestSM2VerifyVectors(t *testing.T) {
	for _, path := range []string{"sm2/sm2-verify-valid.json", "sm2/sm2-verify-invalid.json"} {
		eachVector(t, path, func(t *testing.T, v vector) {
			pub, err := gm.ParsePublicKey(v.Pub)
			ok := err == nil && gm.VerifyID(pub, string(v.ID), gm.Message(v.Msg), v.Sig)
			if wantOK := v.Result == "valid"; ok != wantOK {
				t.Errorf("verified %v, want %v", ok, wantOK)
			}
			offCurve := v.Comment == "public key off the curve"
			if (err != nil) != offCurve || err != nil && !errors.Is(err, gm.ErrPublicKey) {
				t.Errorf("parse public key: %v", err)
			}
		})
	}
}

func TestSM2VerifyDigestVectors(t *testing.T) {
	eachVector(t, "sm2/sm2-verify-digest.json", func(t *testing.T, v vector) {
		if got := gm.VerifyDigest(public(t, v.Pub), gm.Digest(v.E), v.Sig); got != (v.Result == "valid") {
			t.Errorf("verified %v, want %s", got, v.Result)
		}
	})
}

func TestSM2EncryptVectors(t *testing.T) {
	eachVector(t, "sm2/sm2-encrypt.json", func(t *testing.T, v vector) {
		key, err := gm.ImportScalar(v.D)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "public key", gm.MarshalPublicKey(key.PublicKey()), v.Pub)
		got, err := key.Decrypt(nil, v.ASN1, nil)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "plaintext", got, v.Msg)
		if len(v.K) > 0 {
			c1, c3, c2 := textbookEncrypt(v.Pub, v.K, v.Msg)
			want(t, "C1", c1, v.C1)
			want(t, "C3", c3, v.C3)
			want(t, "C2", c2, v.C2)
		}
		for _, raw := range [][]byte{v.C1C3C2, v.C1C2C3} {
			if _, err := key.Decrypt(nil, raw, nil); !errors.Is(err, gm.ErrDecrypt) {
				t.Errorf("raw form where ASN.1 is agreed: %v", err)
			}
		}
	})
}

// textbookEncrypt is GB/T 32918.4 6.1 with a given k.
func textbookEncrypt(pub, k, msg []byte) (c1, c3, c2 []byte) {
	c := sm2.P256()
	point := func(x, y *big.Int) []byte {
		return append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
	}
	k = new(big.Int).SetBytes(k).FillBytes(make([]byte, 32))
	c1 = append([]byte{4}, point(c.ScalarBaseMult(k))...)
	shared := point(c.ScalarMult(new(big.Int).SetBytes(pub[1:33]), new(big.Int).SetBytes(pub[33:]), k))
	c2 = kdf.Kdf(gm.NewSM3, shared, len(msg))
	for i := range c2 {
		c2[i] ^= msg[i]
	}
	sum := gm.SM3(shared[:32], msg, shared[32:])
	return c1, sum[:], c2
}

func TestSM2DecryptInvalidVectors(t *testing.T) {
	eachVector(t, "sm2/sm2-decrypt-invalid.json", func(t *testing.T, v vector) {
		key, err := gm.ImportScalar(v.D)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := key.Decrypt(nil, v.ASN1, nil); err != gm.ErrDecrypt || got != nil { //nolint:errorlint // the one error, unwrapped, is the promise
			t.Errorf("decrypt: %x, %v, want the one error", got, err)
		}
	})
}

// TestSM2ExchangeVectors covers the library's key exchange. Package gm has none; the vectors guard the arithmetic.
func TestSM2ExchangeVectors(t *testing.T) {
	// The names of the fields differ by case alone, which a struct cannot tell apart.
	type raw = map[string]any
	each(t, "sm2/sm2-kx.json", func(v raw) string { return v["tc"].(string) }, func(t *testing.T, v raw) {
		get := func(name string) []byte {
			var h hexb
			if err := h.UnmarshalText([]byte(v[name].(string))); err != nil {
				t.Fatal(err)
			}
			return h
		}
		private := func(name string) *ecdh.PrivateKey {
			k, err := ecdh.P256().NewPrivateKey(get(name))
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		dA, dB, rA, rB := private("dA"), private("dB"), private("rA"), private("rB")
		want(t, "RA", rA.PublicKey().Bytes(), get("RA"))
		want(t, "RB", rB.PublicKey().Bytes(), get("RB"))
		u, err := dA.SM2MQV(rA, dB.PublicKey(), rB.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		other, err := dB.SM2MQV(rB, dA.PublicKey(), rA.PublicKey())
		if err != nil || !other.Equal(u) {
			t.Fatalf("the two sides differ: %v", err)
		}
		key, err := u.SM2SharedKey(false, int(v["klen"].(float64)), dA.PublicKey(), dB.PublicKey(), get("idA"), get("idB"))
		if err != nil {
			t.Fatal(err)
		}
		want(t, "key", key, get("key"))
		confirmed := func(prefix byte) []byte {
			zA, _ := dA.PublicKey().SM2ZA(gm.NewSM3(), get("idA"))
			zB, _ := dB.PublicKey().SM2ZA(gm.NewSM3(), get("idB"))
			xy := u.Bytes()[1:]
			inner := gm.SM3(xy[:32], zA, zB, get("RA")[1:], get("RB")[1:])
			sum := gm.SM3([]byte{prefix}, xy[32:], inner[:])
			return sum[:]
		}
		want(t, "S1", confirmed(2), get("s1"))
		want(t, "S2", confirmed(3), get("s2"))
	})
}
