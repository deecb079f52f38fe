package vaultkeys

import (
	"context"
	"fmt"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// DataKey implements keys.Provider.
func (s *Store) DataKey(ctx context.Context, ref keys.Ref, aad [][]byte) ([]keys.DataKey, error) {
	if err := checkUse(ref.Name, len(aad), keys.PurposeWrap); err != nil {
		return nil, err
	}
	return inRequests(aad, func(a []byte) int { return len(a) }, func(aad [][]byte) ([]keys.DataKey, error) {
		return s.dataKeyRequest(ctx, ref, aad)
	})
}

func (s *Store) dataKeyRequest(ctx context.Context, ref keys.Ref, aad [][]byte) ([]keys.DataKey, error) {
	batch, out := make([]gmwire.Item, len(aad)), make([]keys.DataKey, len(aad))
	for i, a := range aad {
		if len(a) > keys.MaxCiphertext { // refused here, with an empty item in its place
			out[i].Err = fmt.Errorf("%w: associated data of %d bytes, at most %d", keys.ErrInvalid, len(a), keys.MaxCiphertext)
			continue
		}
		batch[i].AssociatedData = a
	}
	answers, err := s.batch(ctx, "datakey/plaintext/"+ref.Name, map[string]any{"batch_input": batch, "key_version": ref.Version}, len(aad))
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		if out[i].Err == nil {
			out[i].Err = itemError(a)
		}
		if out[i].Err != nil {
			continue
		}
		n, data, err := gmwire.ParseVersioned(a.Ciphertext)
		if err != nil || n < 1 || a.Plaintext == nil || len(*a.Plaintext) != keys.DataKeySize {
			out[i].Err = malformed("data key of", ref)
			continue
		}
		out[i] = keys.DataKey{Plain: *a.Plaintext, Wrapped: keys.Ciphertext{Version: n, Data: data, AAD: aad[i]}}
	}
	return out, nil
}

// malformed is an answer for one item that is none of the engine's.
func malformed(what string, ref keys.Ref) error {
	return &keys.UnavailableError{Err: fmt.Errorf("%s key %s: malformed answer", what, ref)}
}

// Rewrap implements keys.Provider.
func (s *Store) Rewrap(ctx context.Context, name string, items []keys.Ciphertext) ([]keys.RewrapResult, error) {
	if err := checkUse(name, len(items), keys.PurposeWrap); err != nil {
		return nil, err
	}
	return inRequests(items, ciphertextSize, func(items []keys.Ciphertext) ([]keys.RewrapResult, error) {
		return s.rewrapRequest(ctx, name, items)
	})
}

func (s *Store) rewrapRequest(ctx context.Context, name string, items []keys.Ciphertext) ([]keys.RewrapResult, error) {
	answers, err := s.batch(ctx, "rewrap/"+name, map[string]any{"batch_input": ciphertexts(items)}, len(items))
	if err != nil {
		return nil, err
	}
	out := make([]keys.RewrapResult, len(items))
	for i, a := range answers {
		if out[i].Err = itemError(a); out[i].Err == nil && tooLong(items[i]) {
			out[i].Err = gmwire.Error(gmwire.CodeDecrypt, "")
		}
		if out[i].Err != nil {
			continue
		}
		n, data, err := gmwire.ParseVersioned(a.Ciphertext)
		if err != nil || n < 1 {
			out[i].Err = malformed("rewrap with", keys.Ref{Name: name})
			continue
		}
		out[i].Wrapped = keys.Ciphertext{Version: n, Data: data, AAD: items[i].AAD}
	}
	return out, nil
}

// HMAC implements keys.Provider.
func (s *Store) HMAC(ctx context.Context, ref keys.Ref, inputs [][]byte) ([]keys.TagResult, error) {
	if err := checkUse(ref.Name, len(inputs), keys.PurposeMAC); err != nil {
		return nil, err
	}
	return inRequests(inputs, func(in []byte) int { return len(in) }, func(inputs [][]byte) ([]keys.TagResult, error) {
		return s.hmacRequest(ctx, ref, inputs)
	})
}

func (s *Store) hmacRequest(ctx context.Context, ref keys.Ref, inputs [][]byte) ([]keys.TagResult, error) {
	batch, out := make([]gmwire.Item, len(inputs)), make([]keys.TagResult, len(inputs))
	for i, input := range inputs {
		if len(input) > keys.MaxMessage { // refused here, with an empty item in its place
			out[i].Err = fmt.Errorf("%w: input of %d bytes, at most %d", keys.ErrInvalid, len(input), keys.MaxMessage)
			input = nil
		}
		batch[i].SetInput(append([]byte{}, input...))
	}
	answers, err := s.batch(ctx, "hmac/"+ref.Name, map[string]any{"batch_input": batch, "key_version": ref.Version}, len(inputs))
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		if out[i].Err == nil {
			out[i].Err = itemError(a)
		}
		if out[i].Err != nil {
			continue
		}
		n, tag, err := gmwire.ParseVersioned(a.HMAC)
		if err != nil || n < 1 || len(tag) != len(gm.Digest{}) {
			out[i].Err = malformed("HMAC with", ref)
			continue
		}
		out[i] = keys.TagResult{Tag: tag, Version: n}
	}
	return out, nil
}
