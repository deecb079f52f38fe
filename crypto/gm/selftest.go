package gm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// Known answers of SelfTest.
const (
	// GB/T 32905-2016 annex A.1: SM3("abc").
	katSM3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
	// RFC 8998 A.1: SM4-GCM.
	katKey   = "0123456789abcdeffedcba9876543210"
	katNonce = "00001234567800000000abcd"
	katAAD   = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
	katPlain = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd" +
		"eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
	katSealed = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735" +
		"d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d" + "83de3541e4c2b58177e065a9bf7b62ec"
	// gmsm sm2_dsa_test.go TestVerifyZeroHash: gmsm v0.44.0 on amd64 wrongly refuses this valid signature over e = 0.
	katPub = "04ef4de57af00ae424c00c4caadff7193f804a19dd73a7e2954db9d0d15ab4cbba" +
		"67728c3f4572878b7a674735da9fde1682fe2d9e0799c4a5cde57e3d473039a2"
	katSig = "3046022100be0ea64e1ec06f0d247093f3ccbbadcfb6260224272f86ddb78326e7cd6c7560" +
		"022100e9f6ab2fcc48a2cef94838e66b5c7e21fd8e4de25990dd98ca5243f4966f2853"
)

// SelfTest runs known answers of SM3, SM4-GCM and SM2 verification, and a fresh sign, verify, encrypt, decrypt round. A
// program calls it at start, so that a broken build or machine stops before it signs anything.
func SelfTest() error {
	if sum := SM3([]byte("abc")); hex.EncodeToString(sum[:]) != katSM3 {
		return errors.New("gm self-test: SM3 known answer differs")
	}
	if err := selfTestGCM(); err != nil {
		return err
	}
	pub, err := ParsePublicKey(unhex(katPub))
	if err != nil || !VerifyDigest(pub, Digest{}, unhex(katSig)) {
		return errors.New("gm self-test: a known good SM2 signature is refused")
	}
	if VerifyDigest(pub, Digest{31: 1}, unhex(katSig)) {
		return errors.New("gm self-test: a known bad SM2 signature is accepted")
	}
	return selfTestPair()
}

func selfTestGCM() error {
	aead, err := NewSM4GCM(unhex(katKey))
	if err != nil {
		return fmt.Errorf("gm self-test: %w", err)
	}
	if got := aead.Seal(nil, unhex(katNonce), unhex(katPlain), unhex(katAAD)); !bytes.Equal(got, unhex(katSealed)) {
		return errors.New("gm self-test: SM4-GCM known answer differs")
	}
	return nil
}

func selfTestPair() error {
	key, err := GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("gm self-test: %w", err)
	}
	sig, err := Sign(nil, key, Message("self-test"))
	if err != nil || !Verify(key.PublicKey(), Message("self-test"), sig) {
		return errors.New("gm self-test: a fresh SM2 signature does not verify")
	}
	ct, err := Encrypt(nil, key.PublicKey(), []byte("self-test"))
	if err != nil {
		return fmt.Errorf("gm self-test: %w", err)
	}
	if pt, err := key.Decrypt(nil, ct, nil); err != nil || string(pt) != "self-test" {
		return errors.New("gm self-test: a fresh SM2 ciphertext does not open")
	}
	return nil
}

// unhex decodes a constant of this file; a wrong one gives a wrong answer above.
func unhex(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}
