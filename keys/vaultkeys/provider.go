package vaultkeys

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"sync"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// maxCached bounds the versions whose public part is kept.
const maxCached = 4096

// publicCache keeps public parts as they were last seen.
type publicCache struct {
	mu    sync.RWMutex
	known map[keys.Ref]keys.PublicInfo
}

func (c *publicCache) get(ref keys.Ref) (keys.PublicInfo, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	info, ok := c.known[ref]
	return info, ok
}

// put remembers a version. It refuses another public key for a version that is known: such keys never change.
func (c *publicCache) put(info keys.PublicInfo) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.known[info.Ref]
	if ok && (old.Purpose != info.Purpose || !samePublic(old.Public, info.Public)) {
		return &keys.UnavailableError{Err: fmt.Errorf("key %s is no longer the one it was", info.Ref)}
	}
	if c.known == nil {
		c.known = make(map[keys.Ref]keys.PublicInfo)
	}
	if len(c.known) >= maxCached && !ok {
		for ref := range c.known {
			delete(c.known, ref)
			break
		}
	}
	c.known[info.Ref] = info
	return nil
}

func samePublic(a, b *ecdsa.PublicKey) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}

// Public implements keys.Provider. While Vault is away a version that was seen before is answered as it was last seen.
func (s *Store) Public(ctx context.Context, ref keys.Ref) (keys.PublicInfo, error) {
	if err := keys.CheckName(ref.Name); err != nil {
		return keys.PublicInfo{}, err
	}
	if ref.Version < 0 {
		return keys.PublicInfo{}, fmt.Errorf("%w: version %d of key %s", keys.ErrNotFound, ref.Version, ref.Name)
	}
	var p gmwire.Public
	found, err := s.call(ctx, read, "keys/"+ref.Name+"/public/"+versionText(ref.Version), nil, &p)
	if errors.Is(err, keys.ErrSealed) || errors.Is(err, keys.ErrUnavailable) {
		if known, ok := s.publics.get(ref); ok {
			return known, nil
		}
	}
	if err == nil && !found {
		err = errEmpty
	}
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return s.learn(ref, p)
}

// errEmpty is an answer without the data that the engine always gives.
var errEmpty = &keys.UnavailableError{Err: errors.New("the engine answered nothing; is it mounted there?")}

// learn checks a public part that came in against what was asked and known, and remembers it.
func (s *Store) learn(asked keys.Ref, p gmwire.Public) (keys.PublicInfo, error) {
	info, err := p.Info()
	if err != nil {
		return keys.PublicInfo{}, &keys.UnavailableError{Err: err}
	}
	if info.Ref.Name != asked.Name || (asked.Version != 0 && info.Ref.Version != asked.Version) {
		return keys.PublicInfo{}, &keys.UnavailableError{Err: fmt.Errorf("asked for key %s, the engine gave %s", asked, info.Ref)}
	}
	return info, s.publics.put(info)
}

// verificationKey gives the public part of a version for verifying, which never changes.
func (s *Store) verificationKey(ctx context.Context, ref keys.Ref) (keys.PublicInfo, error) {
	if info, ok := s.publics.get(ref); ok {
		return info, nil
	}
	return s.Public(ctx, ref)
}

// checkUse refuses early what the engine would refuse.
func checkUse(name string, n int, purpose keys.Purpose) error {
	if err := keys.CheckName(name); err != nil {
		return err
	}
	if purpose == "" {
		return fmt.Errorf("%w: no purpose given", keys.ErrInvalid)
	}
	if n < 1 || n > keys.MaxBatch {
		return fmt.Errorf("%w: batch of %d items, 1 to %d are allowed", keys.ErrInvalid, n, keys.MaxBatch)
	}
	return nil
}

// signGroup are signatures that may travel together, openGroup decryptions.
type (
	signGroup struct {
		ref     keys.Ref
		purpose keys.Purpose
	}
	openGroup struct {
		name    string
		purpose keys.Purpose
	}
)

// coalesced is the largest item that travels with others, in bytes.
const coalesced = 4 << 10

// Sign implements keys.Provider.
func (s *Store) Sign(ctx context.Context, ref keys.Ref, purpose keys.Purpose, items []keys.SignItem) ([]keys.SignResult, error) {
	if err := checkUse(ref.Name, len(items), purpose); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g := signGroup{ref, purpose}
	if len(items) > 1 || len(items[0].Message) > coalesced || purpose == keys.PurposeSeal {
		return s.sign(ctx, g, items)
	}
	r, err := s.signs.do(ctx, g, items[0])
	if err != nil {
		return nil, err
	}
	return []keys.SignResult{r}, nil
}

// sendSigns sends a batch that belongs to several callers: it ends with none of them.
func (s *Store) sendSigns(g signGroup, items []keys.SignItem) ([]keys.SignResult, error) {
	return s.sign(s.ctx, g, items)
}

// maxRequest bounds the messages of one request in bytes; a batch with more goes in several.
const maxRequest = 8 << 20

// sign signs a batch, in as many requests as its size needs.
func (s *Store) sign(ctx context.Context, g signGroup, items []keys.SignItem) ([]keys.SignResult, error) {
	var out []keys.SignResult
	for len(items) > 0 {
		n, size := 0, 0
		for n < len(items) && (n == 0 || size+len(items[n].Message) <= maxRequest) {
			size += len(items[n].Message)
			n++
		}
		signed, err := s.signRequest(ctx, g, items[:n])
		if err != nil {
			return nil, err
		}
		out, items = append(out, signed...), items[n:]
	}
	return out, nil
}

func (s *Store) signRequest(ctx context.Context, g signGroup, items []keys.SignItem) ([]keys.SignResult, error) {
	batch := make([]gmwire.Item, len(items))
	tooLong := make([]error, len(items))
	for i := range items {
		batch[i].Reference, batch[i].Approval = items[i].Reference, items[i].Approval
		if n := len(items[i].Message); n > keys.MaxMessage { // refused here, with an empty item in its place
			tooLong[i] = fmt.Errorf("%w: message of %d bytes, at most %d", keys.ErrInvalid, n, keys.MaxMessage)
			continue
		}
		if items[i].Message != nil {
			batch[i].SetInput(items[i].Message)
		}
		if items[i].Digest != nil {
			batch[i].Digest = &items[i].Digest
		}
	}
	answers, err := s.askSignatures(ctx, g, batch)
	if err != nil {
		return nil, err
	}
	out := make([]keys.SignResult, len(items))
	for i, a := range answers {
		out[i] = keys.SignResult{Version: a.KeyVersion, Reference: items[i].Reference, Err: itemError(a)}
		if tooLong[i] != nil {
			out[i].Err = tooLong[i]
		}
		if out[i].Err != nil {
			continue
		}
		if out[i].Signature, err = s.checkedSignature(ctx, g.ref, items[i], a); err != nil {
			out[i].Signature, out[i].Err = nil, err
		}
	}
	return out, nil
}

// askSignatures makes the call. One digest for a seal key travels alone, since policies of seal keys allow no batches.
func (s *Store) askSignatures(ctx context.Context, g signGroup, batch []gmwire.Item) ([]gmwire.Result, error) {
	path, in := "sign/"+g.ref.Name, map[string]any{"purpose": g.purpose}
	if g.ref.Version != 0 {
		in["key_version"] = g.ref.Version
	}
	if g.purpose != keys.PurposeSeal || len(batch) != 1 || batch[0].Digest == nil || batch[0].Input != nil {
		in["batch_input"] = batch
		return s.batch(ctx, path, in, len(batch))
	}
	in["digest"] = batch[0].Digest
	if batch[0].Approval != "" {
		in["approval"] = batch[0].Approval
	}
	var out gmwire.Result
	found, err := s.call(ctx, use, path, in, &out)
	if err == nil && !found {
		err = errEmpty
	}
	return []gmwire.Result{out}, err
}

// checkedSignature verifies what the engine signed with the public key of the version that it names.
func (s *Store) checkedSignature(ctx context.Context, ref keys.Ref, item keys.SignItem, a gmwire.Result) ([]byte, error) {
	n, sig, err := gmwire.ParseVersioned(a.Signature)
	if err != nil || n != a.KeyVersion || (ref.Version != 0 && n != ref.Version) {
		return nil, &keys.UnavailableError{Err: fmt.Errorf("signature with key %s: malformed answer", ref)}
	}
	info, err := s.verificationKey(ctx, keys.Ref{Name: ref.Name, Version: n})
	if err != nil {
		return nil, fmt.Errorf("public key of the signature: %w", err)
	}
	valid := false
	switch {
	case info.Public == nil:
	case item.Digest != nil && len(item.Digest) == len(gm.Digest{}):
		valid = gm.VerifyDigest(info.Public, gm.Digest(item.Digest), sig)
	case item.Message != nil:
		valid = gm.VerifyID(info.Public, info.UID, item.Message, sig)
	}
	if !valid {
		return nil, &keys.UnavailableError{Err: fmt.Errorf("the signature that came back does not verify with key %s", info.Ref)}
	}
	return sig, nil
}

// Decrypt implements keys.Provider.
func (s *Store) Decrypt(
	ctx context.Context, name string, purpose keys.Purpose, items []keys.Ciphertext,
) ([]keys.PlainResult, error) {
	if err := checkUse(name, len(items), purpose); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g := openGroup{name, purpose}
	if len(items) > 1 || len(items[0].Data) > coalesced || len(items[0].AAD) > coalesced {
		return s.open(ctx, g, items)
	}
	r, err := s.opens.do(ctx, g, items[0])
	if err != nil {
		return nil, err
	}
	return []keys.PlainResult{r}, nil
}

func (s *Store) sendOpens(g openGroup, items []keys.Ciphertext) ([]keys.PlainResult, error) {
	return s.open(s.ctx, g, items)
}

func (s *Store) open(ctx context.Context, g openGroup, items []keys.Ciphertext) ([]keys.PlainResult, error) {
	in := map[string]any{"batch_input": ciphertexts(items), "purpose": g.purpose}
	answers, err := s.batch(ctx, "decrypt/"+g.name, in, len(items))
	if err != nil {
		return nil, err
	}
	out := make([]keys.PlainResult, len(items))
	for i, a := range answers {
		out[i] = keys.PlainResult{Version: a.KeyVersion, Err: itemError(a)}
		if out[i].Err == nil && a.Plaintext == nil {
			out[i].Err = errEmpty
		}
		if out[i].Err == nil {
			out[i].Plain = *a.Plaintext
		}
	}
	return out, nil
}

func ciphertexts(items []keys.Ciphertext) []gmwire.Item {
	out := make([]gmwire.Item, len(items))
	for i, c := range items {
		out[i] = gmwire.Item{Ciphertext: gmwire.Versioned(c.Version, c.Data), AssociatedData: c.AAD}
	}
	return out
}

// batch makes a call with batch_input and gives its results, as many as there were items.
func (s *Store) batch(ctx context.Context, path string, in map[string]any, n int) ([]gmwire.Result, error) {
	var out struct {
		Results []gmwire.Result `json:"batch_results"`
	}
	if _, err := s.call(ctx, use, path, in, &out); err != nil {
		return nil, err
	}
	if len(out.Results) != n {
		return nil, &keys.UnavailableError{Err: fmt.Errorf("the engine gave %d results for %d items", len(out.Results), n)}
	}
	return out.Results, nil
}

// itemError gives the error of one result.
func itemError(r gmwire.Result) error {
	if r.Error == "" && r.Code == "" {
		return nil
	}
	if err := gmwire.Error(r.Code, r.Error); err != nil {
		return err
	}
	return &keys.UnavailableError{Err: errors.New(r.Error)}
}

// DataKey implements keys.Provider.
func (s *Store) DataKey(ctx context.Context, ref keys.Ref, aad [][]byte) ([]keys.DataKey, error) {
	if err := checkUse(ref.Name, len(aad), keys.PurposeWrap); err != nil {
		return nil, err
	}
	batch := make([]gmwire.Item, len(aad))
	for i := range aad {
		batch[i].AssociatedData = aad[i]
	}
	answers, err := s.batch(ctx, "datakey/plaintext/"+ref.Name, map[string]any{"batch_input": batch, "key_version": ref.Version}, len(aad))
	if err != nil {
		return nil, err
	}
	out := make([]keys.DataKey, len(aad))
	for i, a := range answers {
		if err := itemError(a); err != nil {
			return nil, err
		}
		n, data, err := gmwire.ParseVersioned(a.Ciphertext)
		if err != nil || n < 1 || a.Plaintext == nil || len(*a.Plaintext) != keys.DataKeySize {
			return nil, &keys.UnavailableError{Err: fmt.Errorf("data key of %s: malformed answer", ref)}
		}
		out[i] = keys.DataKey{Plain: *a.Plaintext, Wrapped: keys.Ciphertext{Version: n, Data: data, AAD: aad[i]}}
	}
	return out, nil
}

// Rewrap implements keys.Provider.
func (s *Store) Rewrap(ctx context.Context, name string, items []keys.Ciphertext) ([]keys.Ciphertext, error) {
	if err := checkUse(name, len(items), keys.PurposeWrap); err != nil {
		return nil, err
	}
	answers, err := s.batch(ctx, "rewrap/"+name, map[string]any{"batch_input": ciphertexts(items)}, len(items))
	if err != nil {
		return nil, err
	}
	out := make([]keys.Ciphertext, len(items))
	for i, a := range answers {
		n, data, err := gmwire.ParseVersioned(a.Ciphertext)
		if err != nil || n < 1 {
			return nil, &keys.UnavailableError{Err: fmt.Errorf("rewrap with key %s: malformed answer", name)}
		}
		out[i] = keys.Ciphertext{Version: n, Data: data, AAD: items[i].AAD}
	}
	return out, nil
}

// HMAC implements keys.Provider.
func (s *Store) HMAC(ctx context.Context, ref keys.Ref, inputs [][]byte) ([][]byte, error) {
	if err := checkUse(ref.Name, len(inputs), keys.PurposeMAC); err != nil {
		return nil, err
	}
	batch := make([]gmwire.Item, len(inputs))
	for i := range inputs {
		if len(inputs[i]) > keys.MaxMessage {
			return nil, fmt.Errorf("%w: input %d has %d bytes, at most %d", keys.ErrInvalid, i, len(inputs[i]), keys.MaxMessage)
		}
		batch[i].SetInput(append([]byte{}, inputs[i]...))
	}
	answers, err := s.batch(ctx, "hmac/"+ref.Name, map[string]any{"batch_input": batch, "key_version": ref.Version}, len(inputs))
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(inputs))
	for i, a := range answers {
		_, tag, err := gmwire.ParseVersioned(a.HMAC)
		if err != nil || len(tag) != len(gm.Digest{}) {
			return nil, &keys.UnavailableError{Err: fmt.Errorf("HMAC with key %s: malformed answer", ref)}
		}
		out[i] = tag
	}
	return out, nil
}
