package engine

import (
	"context"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"slices"

	"yinxin/crypto/cert"
	"yinxin/keys"
)

// Bounds of an imported chain.
const (
	// MaxChain is the most certificates in a chain.
	MaxChain = 8
	// MaxCertificate is the most bytes of one certificate.
	MaxCertificate = 64 << 10
)

// chainEntry is the stored chain of a version.
type chainEntry struct {
	Schema  int      `json:"schema"`
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Chain   [][]byte `json:"chain"` // DER, leaf first
}

// Request implements keys.Admin. The engine builds and signs the request itself, so that keys of every SM2 purpose, those
// that decrypt among them, can prove their possession without becoming usable as signing keys.
func (e *Engine) Request(ctx context.Context, ref keys.Ref, subject pkix.Name) ([]byte, error) {
	k, err := e.load(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	if k.policy.Type != keys.TypeSM2 {
		return nil, fmt.Errorf("%w: a key of type %s gets no certificate", keys.ErrInvalid, k.policy.Type)
	}
	if ref.Version == 0 {
		ref.Version = len(k.versions)
	}
	n, err := k.resolve(ref.Version)
	if err != nil {
		return nil, err
	}
	if state := k.policy.stateOf(n); state != keys.StateEnabled {
		return nil, fmt.Errorf("%w: version %d of key %s is %s", keys.ErrDenied, n, ref.Name, state)
	}
	s, err := e.secretOf(ctx, k, n)
	if err != nil {
		return nil, err
	}
	der, err := cert.CreateRequest(s.sm2, subject, e.rand)
	if err != nil {
		return nil, fmt.Errorf("%w: certificate request for key %s: %w", keys.ErrInvalid, ref.Name, err)
	}
	return der, nil
}

// ImportCertificate implements keys.Admin.
func (e *Engine) ImportCertificate(ctx context.Context, ref keys.Ref, chain [][]byte) (keys.Ref, error) {
	leaf, err := parseChain(chain)
	if err != nil {
		return keys.Ref{}, fmt.Errorf("import certificate for key %s: %w", ref.Name, err)
	}
	_, err = e.change(ctx, ref.Name, func(p *policy) (before, after []Write, err error) {
		n, err := p.certifiable(ref.Version, leaf)
		if err != nil {
			return nil, nil, fmt.Errorf("import certificate for key %s: %w", ref.Name, err)
		}
		ref.Version = n
		p.Versions[n-1].Certified = true
		data, err := json.Marshal(chainEntry{Schema: schema, Name: p.Name, Version: n, Chain: chain})
		if err != nil {
			return nil, nil, fmt.Errorf("import certificate for key %s: %w", ref.Name, err)
		}
		return []Write{{Path: certPath(p.Name, n), Value: data}}, nil, nil
	})
	if err != nil {
		return keys.Ref{}, err
	}
	return ref, nil
}

// parseChain refuses what is no chain of certificates and gives its leaf.
func parseChain(chain [][]byte) (*cert.Certificate, error) {
	if len(chain) < 1 || len(chain) > MaxChain {
		return nil, fmt.Errorf("%w: %d certificates, 1 to %d are allowed", keys.ErrInvalid, len(chain), MaxChain)
	}
	var leaf *cert.Certificate
	for i, der := range chain {
		if len(der) > MaxCertificate {
			return nil, fmt.Errorf("%w: certificate %d has %d bytes, at most %d", keys.ErrInvalid, i+1, len(der), MaxCertificate)
		}
		c, err := cert.Parse(der)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate %d: %w", keys.ErrInvalid, i+1, err)
		}
		if i == 0 {
			leaf = c
		}
	}
	return leaf, nil
}

// certifiable tells which version the certificate belongs to, refusing one of another key or for another use.
func (p *policy) certifiable(n int, leaf *cert.Certificate) (int, error) {
	if p.Type != keys.TypeSM2 {
		return 0, fmt.Errorf("%w: a key of type %s gets no certificate", keys.ErrInvalid, p.Type)
	}
	if n < 0 || n > len(p.Versions) {
		return 0, fmt.Errorf("%w: no version %d", keys.ErrNotFound, n)
	}
	if use := certificateUse(p.Purpose); use != 0 {
		if err := leaf.CheckUse(use); err != nil {
			return 0, fmt.Errorf("%w: purpose %s: %w", keys.ErrInvalid, p.Purpose, err)
		}
	}
	publics, err := p.publicKeys()
	if err != nil {
		return 0, err
	}
	for i, pub := range publics {
		if (n == 0 || n == i+1) && pub.Equal(leaf.PublicKey) {
			if p.Versions[i].State == keys.StateDestroyed {
				return 0, fmt.Errorf("%w: version %d is destroyed", keys.ErrDenied, i+1)
			}
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("%w: the certificate is for another public key", keys.ErrInvalid)
}

// certificateUse is what a certificate for a key of the purpose must allow; 0 where none applies.
func certificateUse(p keys.Purpose) cert.Use {
	switch p {
	case keys.PurposeSeal, keys.PurposeSign, keys.PurposeCheckpoint:
		return cert.UseSign
	case keys.PurposeMake:
		return cert.UseMake
	case keys.PurposeDecrypt:
		return cert.UseEncrypt
	case keys.PurposeTimestamp:
		return cert.UseTimestamp
	case keys.PurposeIssue:
		return cert.UseIssue
	case keys.PurposeWrap, keys.PurposeMAC:
	}
	return 0
}

// Certificates implements keys.Admin.
func (e *Engine) Certificates(ctx context.Context, ref keys.Ref) ([][]byte, error) {
	k, err := e.load(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	n, err := k.resolve(ref.Version)
	if err != nil {
		return nil, err
	}
	if !k.policy.Versions[n-1].Certified {
		return nil, fmt.Errorf("%w: version %d of key %s has no certificate", keys.ErrNotFound, n, ref.Name)
	}
	return e.chain(ctx, k, n)
}

// chain gives the chain of a certified version.
func (e *Engine) chain(ctx context.Context, k *key, n int) ([][]byte, error) {
	if known := k.chains[n-1].Load(); known != nil {
		return slices.Clone(*known), nil
	}
	name := k.policy.Name
	data, err := e.storage.Get(ctx, certPath(name, n))
	if err != nil {
		return nil, fmt.Errorf("certificate of key %s: %w", name, classify(err))
	}
	var entry chainEntry
	if err := decodeStrict(data, &entry); err != nil {
		return nil, damaged(name, "certificate of version %d: %s", n, err)
	}
	if entry.Schema != schema || entry.Name != name || entry.Version != n || len(entry.Chain) == 0 {
		return nil, damaged(name, "certificate of version %d belongs elsewhere", n)
	}
	k.chains[n-1].Store(&entry.Chain)
	return slices.Clone(entry.Chain), nil
}
