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
		Public: k.public[n-1], Created: v.Created,
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

func (e *Engine) decryptItem(ctx context.Context, k *key, item keys.Ciphertext) keys.PlainResult {
	n, err := k.mayDecrypt(item.Version)
	if err != nil {
		return keys.PlainResult{Err: err}
	}
	if len(item.Data) > keys.MaxMessage || len(item.AAD) > keys.MaxMessage {
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
		plain := make([]byte, keys.DataKeySize)
		if _, err := io.ReadFull(e.rand, plain); err != nil {
			return nil, fmt.Errorf("data key of %s: %w", ref.Name, classify(err))
		}
		wrapped, err := e.wrap(use.secret, ref.Name, use.version, plain, aad[i])
		if err != nil {
			return nil, err
		}
		out[i] = keys.DataKey{Plain: plain, Wrapped: wrapped}
	}
	return out, nil
}

// Rewrap implements keys.Provider.
func (e *Engine) Rewrap(ctx context.Context, name string, items []keys.Ciphertext) ([]keys.Ciphertext, error) {
	if err := checkBatch(len(items)); err != nil {
		return nil, err
	}
	use, err := e.inUse(ctx, keys.Ref{Name: name}, keys.PurposeWrap)
	if err != nil {
		return nil, err
	}
	out := make([]keys.Ciphertext, len(items))
	for i, item := range items {
		if item.Version == use.version {
			out[i] = item
			continue
		}
		if item.Version == 0 {
			return nil, fmt.Errorf("rewrap item %d: %w: without its version", i, keys.ErrInvalid)
		}
		opened := e.decryptItem(ctx, use.key, item)
		if opened.Err != nil {
			return nil, fmt.Errorf("rewrap item %d: %w", i, opened.Err)
		}
		out[i], err = e.wrap(use.secret, name, use.version, opened.Plain, item.AAD)
		clear(opened.Plain)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// HMAC implements keys.Provider.
func (e *Engine) HMAC(ctx context.Context, ref keys.Ref, inputs [][]byte) ([][]byte, error) {
	if err := checkBatch(len(inputs)); err != nil {
		return nil, err
	}
	use, err := e.inUse(ctx, ref, keys.PurposeMAC)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(inputs))
	for i, input := range inputs {
		if len(input) > keys.MaxMessage {
			return nil, fmt.Errorf("%w: input %d has %d bytes, at most %d", keys.ErrInvalid, i, len(input), keys.MaxMessage)
		}
		tag := gm.HMACSM3(use.secret.mac, input)
		out[i] = tag[:]
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
	if len(aad) > keys.MaxMessage {
		return keys.Ciphertext{}, fmt.Errorf("%w: associated data of %d bytes, at most %d", keys.ErrInvalid, len(aad), keys.MaxMessage)
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
