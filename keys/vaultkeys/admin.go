package vaultkeys

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"yinxin/keys"
	"yinxin/keys/gmwire"
)

// Create implements keys.Admin.
func (s *Store) Create(ctx context.Context, options ...keys.CreateOptions) ([]keys.PublicInfo, error) {
	if len(options) == 0 || len(options) > keys.MaxBatch {
		return nil, fmt.Errorf("%w: create %d keys at once, 1 to %d are allowed", keys.ErrInvalid, len(options), keys.MaxBatch)
	}
	batch := make([]gmwire.NewKey, len(options))
	for i, o := range options {
		if err := keys.CheckName(o.Name); err != nil {
			return nil, err
		}
		batch[i] = gmwire.KeyOf(o)
	}
	if len(options) == 1 { // by its own path, so that policies may speak of names
		return s.createOne(ctx, batch[0])
	}
	var out struct {
		Results []gmwire.Public `json:"batch_results"`
	}
	if _, err := s.call(ctx, change, "keys", map[string]any{"batch_input": batch}, &out); err != nil {
		return nil, err
	}
	if len(out.Results) != len(options) {
		return nil, errEmpty
	}
	infos := make([]keys.PublicInfo, len(options))
	for i, p := range out.Results {
		var err error
		if infos[i], err = s.learn(keys.Ref{Name: options[i].Name, Version: 1}, p); err != nil {
			return nil, err
		}
	}
	return infos, nil
}

func (s *Store) createOne(ctx context.Context, k gmwire.NewKey) ([]keys.PublicInfo, error) {
	name := k.Name
	in, err := fieldsOf(k)
	if err != nil {
		return nil, err
	}
	var p gmwire.Public
	found, err := s.call(ctx, change, "keys/"+name, in, &p)
	if err == nil && !found {
		err = errEmpty
	}
	if err != nil {
		return nil, err
	}
	info, err := s.learn(keys.Ref{Name: name, Version: 1}, p)
	if err != nil {
		return nil, err
	}
	return []keys.PublicInfo{info}, nil
}

// fieldsOf gives the fields of a new key without its name, which stands in the path.
func fieldsOf(k gmwire.NewKey) (map[string]any, error) {
	k.Name = ""
	text, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("%w: new key: %w", keys.ErrInvalid, err)
	}
	var in map[string]any
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("%w: new key: %w", keys.ErrInvalid, err)
	}
	delete(in, "name")
	return in, nil
}

// Approve implements keys.Approver: the approver is the entity that is logged in.
func (s *Store) Approve(ctx context.Context, name string, digest []byte) (keys.Approval, error) {
	var a keys.Approval
	if err := keys.CheckName(name); err != nil {
		return a, err
	}
	found, err := s.call(ctx, change, "approvals/"+name, map[string]any{"digest": digest}, &a)
	if err == nil && (!found || a.ID == "") {
		err = errEmpty
	}
	return a, err
}

// change posts to a path below keys/NAME.
func (s *Store) change(ctx context.Context, name, below string, in map[string]any, out any) error {
	if err := keys.CheckName(name); err != nil {
		return err
	}
	found, err := s.call(ctx, change, "keys/"+name+"/"+below, in, out)
	if err == nil && out != nil && !found {
		return errEmpty
	}
	return err
}

// Rotate implements keys.Admin.
func (s *Store) Rotate(ctx context.Context, name string, expectLatest int) (keys.PublicInfo, error) {
	var p gmwire.Public
	if err := s.change(ctx, name, "rotate", map[string]any{"expect_latest": expectLatest}, &p); err != nil {
		return keys.PublicInfo{}, err
	}
	return s.learn(keys.Ref{Name: name}, p)
}

// SetState implements keys.Admin.
func (s *Store) SetState(ctx context.Context, ref keys.Ref, state keys.State) error {
	return s.change(ctx, ref.Name, "state", map[string]any{"key_version": ref.Version, "state": state}, nil)
}

// Configure implements keys.Admin.
func (s *Store) Configure(ctx context.Context, name string, c keys.Change) (keys.KeyInfo, error) {
	in := make(map[string]any)
	if c.MinUse != nil {
		in["min_use"] = *c.MinUse
	}
	if c.MinDecrypt != nil {
		in["min_decrypt"] = *c.MinDecrypt
	}
	if c.Labels != nil {
		in["labels"] = c.Labels
	}
	var info keys.KeyInfo
	err := s.change(ctx, name, "config", in, &info)
	return info, err
}

// Describe implements keys.Admin.
func (s *Store) Describe(ctx context.Context, name string) (keys.KeyInfo, error) {
	var info keys.KeyInfo
	if err := keys.CheckName(name); err != nil {
		return info, err
	}
	found, err := s.call(ctx, read, "keys/"+name, nil, &info)
	if err == nil && !found {
		err = errEmpty
	}
	return info, err
}

// List implements keys.Admin.
func (s *Store) List(ctx context.Context, after string, limit int) ([]keys.KeyInfo, error) {
	var out struct {
		Keys []string                `json:"keys"`
		Info map[string]keys.KeyInfo `json:"key_info"`
	}
	if _, err := s.call(ctx, list, "keys", map[string]any{"after": after, "limit": limit}, &out); err != nil {
		return nil, err
	}
	var infos []keys.KeyInfo
	for _, name := range out.Keys {
		info, ok := out.Info[name]
		if !ok {
			return nil, errEmpty
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// Request implements keys.Admin.
func (s *Store) Request(ctx context.Context, ref keys.Ref, subject pkix.Name) ([]byte, error) {
	name, err := asn1.Marshal(subject.ToRDNSequence())
	if err != nil {
		return nil, fmt.Errorf("%w: subject: %w", keys.ErrInvalid, err)
	}
	var out struct {
		CSR string `json:"csr"`
	}
	if err := s.change(ctx, ref.Name, "csr", map[string]any{"key_version": ref.Version, "subject": name}, &out); err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(out.CSR))
	if block == nil {
		return nil, &keys.UnavailableError{Err: errors.New("the engine's request is no PEM")}
	}
	return block.Bytes, nil
}

// ImportCertificate implements keys.Admin.
func (s *Store) ImportCertificate(ctx context.Context, ref keys.Ref, chain [][]byte) (keys.Ref, error) {
	var out keys.Ref
	err := s.change(ctx, ref.Name, "certificate", map[string]any{"key_version": ref.Version, "certificate_chain": chain}, &out)
	return out, err
}

// Certificates implements keys.Admin.
func (s *Store) Certificates(ctx context.Context, ref keys.Ref) ([][]byte, error) {
	if err := keys.CheckName(ref.Name); err != nil {
		return nil, err
	}
	var out struct {
		Chain [][]byte `json:"certificate_chain"`
	}
	found, err := s.call(ctx, read, "keys/"+ref.Name+"/certificate", map[string]any{"key_version": ref.Version}, &out)
	if err == nil && (!found || len(out.Chain) == 0) {
		err = errEmpty
	}
	for _, der := range out.Chain {
		if len(der) == 0 {
			return nil, errEmpty
		}
	}
	return out.Chain, err
}
