package gm

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/subtle"
	"fmt"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// KeySize and BlockSize of SM4, in bytes.
const (
	KeySize   = 16
	BlockSize = 16
)

// HMACSM3 computes HMAC with SM3 over the concatenation of parts.
func HMACSM3(key []byte, parts ...[]byte) [32]byte {
	m := hmac.New(sm3.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	var tag [32]byte
	m.Sum(tag[:0])
	return tag
}

// HKDF derives n bytes (at most 8160) from ikm by HKDF (RFC 5869) with SM3. info separates uses of one key.
func HKDF(ikm, salt []byte, info string, n int) ([]byte, error) {
	key, err := hkdf.Key(sm3.New, ikm, salt, info, n)
	if err != nil {
		return nil, fmt.Errorf("derive key %s: %w", info, err)
	}
	return key, nil
}

// NewSM4GCM returns SM4-GCM with 12-byte nonces and 16-byte tags. A nonce must never repeat under one key. A key of zeros is
// one that somebody forgot to draw: ErrWeakKey.
func NewSM4GCM(key []byte) (cipher.AEAD, error) {
	block, err := newSM4(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("gm: SM4-GCM: %w", err)
	}
	return aead, nil
}

// EncryptCBC pads (PKCS#7) and encrypts with SM4-CBC. It authenticates nothing: only CMS EnvelopedData, whose form
// asks for it, should use it, and only around content that is signed.
func EncryptCBC(key, iv, plaintext []byte) ([]byte, error) {
	block, err := newSM4(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != BlockSize {
		return nil, fmt.Errorf("gm: SM4-CBC: IV of %d bytes", len(iv))
	}
	pad := BlockSize - len(plaintext)%BlockSize
	out := make([]byte, len(plaintext)+pad)
	copy(out, plaintext)
	for i := len(plaintext); i < len(out); i++ {
		out[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out, nil
}

// DecryptCBC decrypts SM4-CBC and removes the padding; ErrDecrypt for anything that does not fit, after the same work.
func DecryptCBC(key, iv, ciphertext []byte) ([]byte, error) {
	block, err := newSM4(key)
	if err != nil || len(iv) != BlockSize || len(ciphertext) == 0 || len(ciphertext)%BlockSize != 0 {
		return nil, ErrDecrypt
	}
	out := make([]byte, len(ciphertext))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, ciphertext)
	n, ok := unpad(out)
	if ok != 1 {
		return nil, ErrDecrypt
	}
	return out[:n], nil
}

// unpad looks at every byte of the last block whatever it finds, so that its time tells nothing.
func unpad(b []byte) (int, int) {
	last := b[len(b)-BlockSize:]
	pad := int(last[BlockSize-1])
	ok := subtle.ConstantTimeLessOrEq(1, pad) & subtle.ConstantTimeLessOrEq(pad, BlockSize)
	for i := range BlockSize {
		inPad := subtle.ConstantTimeLessOrEq(BlockSize-i, pad)
		same := subtle.ConstantTimeByteEq(last[i], byte(pad))
		ok &= subtle.ConstantTimeSelect(inPad, same, 1)
	}
	return len(b) - subtle.ConstantTimeSelect(ok, pad, 0), ok
}

// allZero looks at every byte whatever it finds.
func allZero(b []byte) bool {
	var any byte
	for _, c := range b {
		any |= c
	}
	return any == 0
}

func newSM4(key []byte) (cipher.Block, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("gm: SM4 key of %d bytes", len(key))
	}
	if allZero(key) {
		return nil, ErrWeakKey
	}
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("gm: SM4: %w", err)
	}
	return block, nil
}
