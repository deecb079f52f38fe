package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// Public implements keys.Provider.
func (e *Engine) Public(ctx context.Context, ref keys.Ref) (keys.PublicInfo, error) {
	k, err := e.load(ctx, ref.Name)
	if err != nil {
		return keys.PublicInfo{}, err
	}
	n, err := k.resolve(ref.Version)
	if err != nil {
		return keys.PublicInfo{}, err
	}
	info := k.publicInfo(n)
	if k.policy.Versions[n-1].Certified {
		if info.Certificates, err = e.chain(ctx, k, n); err != nil {
			return keys.PublicInfo{}, err
		}
	}
	return info, nil
}

// publicInfo is the public part of a version, without certificates.
func (k *key) publicInfo(n int) keys.PublicInfo {
	p, v := k.policy, k.policy.Versions[n-1]
	return keys.PublicInfo{
		Ref: keys.Ref{Name: p.Name, Version: n}, Type: p.Type, Purpose: p.Purpose, State: p.stateOf(n), UID: p.UID,
		Public: k.public[n-1], Created: v.Created, ApprovalRequired: p.ApprovalRequired,
	}
}

// checkBatch bounds a batch.
func checkBatch(n int) error {
	if n < 1 || n > keys.MaxBatch {
		return fmt.Errorf("%w: batch of %d items, 1 to %d are allowed", keys.ErrInvalid, n, keys.MaxBatch)
	}
	return nil
}

// Sign implements keys.Provider.
func (e *Engine) Sign(ctx context.Context, ref keys.Ref, purpose keys.Purpose, items []keys.SignItem) ([]keys.SignResult, error) {
	if err := checkBatch(len(items)); err != nil {
		return nil, err
	}
	if !purpose.Signs() {
		return nil, fmt.Errorf("%w: purpose %q does not sign", keys.ErrInvalid, purpose)
	}
	use, err := e.inUse(ctx, ref, purpose)
	if err != nil {
		return nil, err
	}
	if use.key.policy.ApprovalRequired {
		if err := e.consume(ctx, use.key, items); err != nil {
			return nil, err
		}
	}
	results := make([]keys.SignResult, len(items))
	for i, item := range items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sig, err := e.signItem(use.key, use.version, use.secret.sm2, item)
		results[i] = keys.SignResult{Signature: sig, Version: use.version, Reference: item.Reference, Err: err}
	}
	return results, nil
}

func (e *Engine) signItem(k *key, n int, private *gm.PrivateKey, item keys.SignItem) ([]byte, error) {
	var digest gm.Digest
	switch {
	case (item.Message == nil) == (item.Digest == nil):
		return nil, fmt.Errorf("%w: an item has either a message or a digest", keys.ErrInvalid)
	case item.Digest != nil && k.policy.MessageOnly:
		return nil, fmt.Errorf("%w: key %s takes messages, no digests", keys.ErrDenied, k.policy.Name)
	case item.Digest != nil && len(item.Digest) != len(digest):
		return nil, fmt.Errorf("%w: digest of %d bytes, not %d", keys.ErrInvalid, len(item.Digest), len(digest))
	case len(item.Message) > keys.MaxMessage:
		return nil, fmt.Errorf("%w: message of %d bytes, at most %d", keys.ErrInvalid, len(item.Message), keys.MaxMessage)
	case item.Digest != nil:
		copy(digest[:], item.Digest)
	default:
		var err error
		if digest, err = gm.ComputeDigest(k.public[n-1], k.policy.UID, item.Message); err != nil {
			return nil, fmt.Errorf("%w: %w", keys.ErrInvalid, err)
		}
	}
	sig, err := gm.SignPrecomputed(e.rand, private, digest)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", k.policy.Name, classify(err))
	}
	return sig, nil
}

// errOpen is the one answer to every ciphertext that does not open.
func errOpen() error { return fmt.Errorf("%w: %w", keys.ErrInvalid, gm.ErrDecrypt) }

// Decrypt implements keys.Provider.
func (e *Engine) Decrypt(
	ctx context.Context, name string, purpose keys.Purpose, items []keys.Ciphertext,
) ([]keys.PlainResult, error) {
	if err := checkBatch(len(items)); err != nil {
		return nil, err
	}
	if purpose != keys.PurposeDecrypt && purpose != keys.PurposeWrap {
		return nil, fmt.Errorf("%w: purpose %q does not decrypt", keys.ErrInvalid, purpose)
	}
	k, err := e.forPurpose(ctx, name, purpose)
	if err != nil {
		return nil, err
	}
	if k.policy.State != keys.StateEnabled {
		return nil, fmt.Errorf("%w: key %s is %s", keys.ErrDenied, name, k.policy.State)
	}
	results := make([]keys.PlainResult, len(items))
	for i, item := range items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		results[i] = e.decryptItem(ctx, k, item)
	}
	return results, nil
}

// tooLong tells a ciphertext over the bounds.
func tooLong(c keys.Ciphertext) bool {
	return len(c.Data) > keys.MaxCiphertext || len(c.AAD) > keys.MaxCiphertext
}

func (e *Engine) decryptItem(ctx context.Context, k *key, item keys.Ciphertext) keys.PlainResult {
	n, err := k.mayDecrypt(item.Version)
	if err != nil {
		return keys.PlainResult{Err: err}
	}
	if tooLong(item) {
		return keys.PlainResult{Version: n, Err: errOpen()}
	}
	s, err := e.secretOf(ctx, k, n)
	if err != nil {
		return keys.PlainResult{Version: n, Err: err}
	}
	var plain []byte
	if k.policy.Purpose == keys.PurposeWrap {
		plain, err = s.unwrap(k.policy.Name, n, item)
	} else if len(item.AAD) != 0 {
		err = errOpen() // SM2 binds no associated data: to ignore it would be to pretend
	} else {
		plain, err = s.sm2.Decrypt(nil, item.Data, nil)
	}
	if err != nil {
		return keys.PlainResult{Version: n, Err: errOpen()}
	}
	return keys.PlainResult{Plain: plain, Version: n}
}

// DataKey implements keys.Provider.
func (e *Engine) DataKey(ctx context.Context, ref keys.Ref, aad [][]byte) ([]keys.DataKey, error) {
	if err := checkBatch(len(aad)); err != nil {
		return nil, err
	}
	use, err := e.inUse(ctx, ref, keys.PurposeWrap)
	if err != nil {
		return nil, err
	}
	out := make([]keys.DataKey, len(aad))
	for i := range aad {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = e.dataKey(use, ref.Name, aad[i])
	}
	return out, nil
}

// dataKey makes one data key. A failure leaves no half of it.
func (e *Engine) dataKey(use usable, name string, aad []byte) keys.DataKey {
	plain := make([]byte, keys.DataKeySize)
	if _, err := io.ReadFull(e.rand, plain); err != nil {
		return keys.DataKey{Err: fmt.Errorf("data key of %s: %w", name, classify(err))}
	}
	wrapped, err := e.wrap(use.secret, name, use.version, plain, aad)
	if err != nil {
		clear(plain)
		return keys.DataKey{Err: err}
	}
	return keys.DataKey{Plain: plain, Wrapped: wrapped}
}

// Rewrap implements keys.Provider.
func (e *Engine) Rewrap(ctx context.Context, name string, items []keys.Ciphertext) ([]keys.RewrapResult, error) {
	if err := checkBatch(len(items)); err != nil {
		return nil, err
	}
	use, err := e.inUse(ctx, keys.Ref{Name: name}, keys.PurposeWrap)
	if err != nil {
		return nil, err
	}
	out := make([]keys.RewrapResult, len(items))
	for i, item := range items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = e.rewrapItem(ctx, use, item)
	}
	return out, nil
}

func (e *Engine) rewrapItem(ctx context.Context, use usable, item keys.Ciphertext) keys.RewrapResult {
	switch {
	case item.Version == 0:
		return keys.RewrapResult{Err: fmt.Errorf("%w: a wrapped data key without its version", keys.ErrInvalid)}
	case tooLong(item):
		return keys.RewrapResult{Err: errOpen()}
	case item.Version == use.version:
		return keys.RewrapResult{Wrapped: item}
	}
	opened := e.decryptItem(ctx, use.key, item)
	if opened.Err != nil {
		return keys.RewrapResult{Err: opened.Err}
	}
	defer clear(opened.Plain)
	wrapped, err := e.wrap(use.secret, use.key.policy.Name, use.version, opened.Plain, item.AAD)
	if err != nil {
		return keys.RewrapResult{Err: err}
	}
	return keys.RewrapResult{Wrapped: wrapped}
}

// HMAC implements keys.Provider.
func (e *Engine) HMAC(ctx context.Context, ref keys.Ref, inputs [][]byte) ([]keys.TagResult, error) {
	if err := checkBatch(len(inputs)); err != nil {
		return nil, err
	}
	use, err := e.inUse(ctx, ref, keys.PurposeMAC)
	if err != nil {
		return nil, err
	}
	out := make([]keys.TagResult, len(inputs))
	for i, input := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(input) > keys.MaxMessage {
			out[i].Err = fmt.Errorf("%w: input of %d bytes, at most %d", keys.ErrInvalid, len(input), keys.MaxMessage)
			continue
		}
		tag := gm.HMACSM3(use.secret.mac, input)
		out[i] = keys.TagResult{Tag: tag[:], Version: use.version}
	}
	return out, nil
}

// Wrapped form: one byte wrapFormat, 12 bytes nonce, SM4-GCM ciphertext with its 16-byte tag. Nonces are random: with
// one version no more than 2^32 keys should be wrapped, so wrap keys are rotated.
const wrapFormat = 1

// wrapAAD binds a wrapped key to the key, its version and the caller's data. Names hold no zero byte.
func wrapAAD(name string, n int, aad []byte) []byte {
	var b bytes.Buffer
	b.WriteString("yinxin data key v1\x00" + name + "\x00")
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	b.Write(aad)
	return b.Bytes()
}

func (e *Engine) wrap(s *secret, name string, n int, plain, aad []byte) (keys.Ciphertext, error) {
	if len(aad) > keys.MaxCiphertext {
		return keys.Ciphertext{}, fmt.Errorf("%w: associated data of %d bytes, at most %d", keys.ErrInvalid, len(aad), keys.MaxCiphertext)
	}
	data := make([]byte, 1+s.aead.NonceSize(), 1+s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	data[0] = wrapFormat
	if _, err := io.ReadFull(e.rand, data[1:]); err != nil {
		return keys.Ciphertext{}, fmt.Errorf("wrap with key %s: %w", name, classify(err))
	}
	data = s.aead.Seal(data, data[1:], plain, wrapAAD(name, n, aad))
	return keys.Ciphertext{Version: n, Data: data, AAD: aad}, nil
}

func (s *secret) unwrap(name string, n int, c keys.Ciphertext) ([]byte, error) {
	head := 1 + s.aead.NonceSize()
	if len(c.Data) < head || c.Data[0] != wrapFormat {
		return nil, gm.ErrDecrypt
	}
	return s.aead.Open(nil, c.Data[1:head], c.Data[head:], wrapAAD(name, n, c.AAD))
}
