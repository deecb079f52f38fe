package vaultkeys

import (
	"context"
	"errors"
	"fmt"

	"yinxin/keys"
	"yinxin/keys/gmwire"
)

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
	a, err := s.signs.do(ctx, g, items[0]) // each caller checks its own answer, while the next batch is under way
	if err != nil {
		return nil, err
	}
	return []keys.SignResult{s.signResult(ctx, g.ref, items[0], a)}, nil
}

// sendSigns sends a batch that belongs to several callers: it ends with none of them.
func (s *Store) sendSigns(g signGroup, items []keys.SignItem) ([]signed, error) {
	return s.askSignatures(s.ctx, g, items)
}

// maxRequest bounds what one request carries in bytes; a batch with more goes in several.
const maxRequest = 8 << 20

// inRequests sends a batch in as many requests as its size needs.
func inRequests[In, Out any](items []In, size func(In) int, send func([]In) ([]Out, error)) ([]Out, error) {
	var all []Out
	for len(items) > 0 {
		n, sum := 0, 0
		for n < len(items) && (n == 0 || sum+size(items[n]) <= maxRequest) {
			sum += size(items[n])
			n++
		}
		out, err := send(items[:n])
		if err != nil {
			return nil, err
		}
		all, items = append(all, out...), items[n:]
	}
	return all, nil
}

func ciphertextSize(c keys.Ciphertext) int { return len(c.Data) + len(c.AAD) }

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
	return inRequests(items, ciphertextSize, func(items []keys.Ciphertext) ([]keys.PlainResult, error) {
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
	})
}

// ciphertexts are the items of a request. One over the bounds, which Vault would refuse with all others, goes empty.
func ciphertexts(items []keys.Ciphertext) []gmwire.Item {
	out := make([]gmwire.Item, len(items))
	for i, c := range items {
		if tooLong(c) {
			c.Data, c.AAD = nil, nil
		}
		out[i] = gmwire.Item{Ciphertext: gmwire.Versioned(c.Version, c.Data), AssociatedData: c.AAD}
	}
	return out
}

func tooLong(c keys.Ciphertext) bool {
	return len(c.Data) > keys.MaxCiphertext || len(c.AAD) > keys.MaxCiphertext
}

// results are what decode reads of an answer to a batch.
type results []gmwire.Result

// batch makes a call with batch_input and gives its results, as many as there were items.
func (s *Store) batch(ctx context.Context, path string, in map[string]any, n int) ([]gmwire.Result, error) {
	var out results
	if _, err := s.call(ctx, use, path, in, &out); err != nil {
		return nil, err
	}
	if len(out) != n {
		return nil, &keys.UnavailableError{Err: fmt.Errorf("the engine gave %d results for %d items", len(out), n)}
	}
	return out, nil
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
