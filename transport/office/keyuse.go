package office

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"

	"yinxin/crypto/cert"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/transport"
)

// KeyUse is what will be asked of a sealing key that signs only what another person has approved in its store: one digest for
// each form of the document. Each needs an approval of its own there, which the decision hands on ([Decision]).
type KeyUse struct {
	// Name and Version are the key's in its store; Chain is its certificate and the issuers of that, as DER.
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Chain   [][]byte `json:"chain"`
	// OFD and PDF are the digests that the key will be given (seal.KeyDigest).
	OFD transport.Digest `json:"ofd"`
	PDF transport.Digest `json:"pdf"`
}

// keyUses is how many approvals a use of the seal takes: one for the OFD, one for its PDF copy.
const keyUses = 2

var (
	// ErrKeyApproval: the sealing key signs only what was approved in its store, and the decision hands on no such approvals.
	ErrKeyApproval = errors.New("office: the sealing key wants an approval in its store for each of its two digests")
	// ErrNoKeyApproval: approvals of a key store were handed on where the sealing key takes none.
	ErrNoKeyApproval = errors.New("office: the sealing key takes no approvals of its store")
	// ErrNameless: the sealing key wants approvals, and its store could not tell this service, which would use them, from others.
	ErrNameless = errors.New("office: the sealing key wants approvals, which this service cannot use in its store")
)

// errKeyDenied says that the store of keys refused to sign with the sealing key. Trying again does not change that: an approval is
// spent or for something else, or the key may not sign any more.
var errKeyDenied = errors.New("office: the store of keys refused the sealing key's signature")

// keyOf tells about the key behind a signer.
func keyOf(s crypto.Signer) keys.PublicInfo {
	if d, ok := s.(keys.Describer); ok {
		return d.KeyInfo()
	}
	return keys.PublicInfo{}
}

// checkKey refuses a sealing key that would not sign.
func (s *Service) checkKey(signer crypto.Signer) error {
	info := keyOf(signer)
	switch {
	case info.State != keys.StateEnabled:
		return fmt.Errorf("sealing key %s is %s: %w: %w", info.Ref, info.State, errKeyDenied, keys.ErrDenied)
	case info.ApprovalRequired && s.Nameless:
		return fmt.Errorf("sealing key %s: %w", info.Ref, ErrNameless)
	}
	return nil
}

// keyUse tells what the sealing key will be asked; nil for a key that takes no approvals.
func (p prepared) keyUse() (*KeyUse, error) {
	info := keyOf(p.signer)
	if !info.ApprovalRequired {
		return nil, nil //nolint:nilnil // nothing is to be approved, which is no error
	}
	u := &KeyUse{Name: info.Ref.Name, Version: info.Ref.Version, Chain: info.Certificates}
	var err error
	if u.OFD, err = keyDigest(p.ofd, p.cert); err != nil {
		return nil, err
	}
	u.PDF, err = keyDigest(p.pdf, p.cert)
	return u, err
}

func keyDigest(p seal.Prepared, c *cert.Certificate) (transport.Digest, error) {
	d, err := seal.KeyDigest(p, c)
	return transport.Digest(d), err
}

// checkKeyUse refuses approvals that cannot be those of what will be signed. Whether they are good the store tells when the key
// signs, for it takes each away.
func (p prepared) checkKeyUse(d Dispatch) error {
	u, err := p.keyUse()
	switch {
	case err != nil:
		return err
	case u == nil && len(d.KeyApprovals) > 0:
		return ErrNoKeyApproval
	case u == nil:
		return nil
	case d.KeyUse == nil || d.KeyUse.OFD != u.OFD || d.KeyUse.PDF != u.PDF:
		return fmt.Errorf("of the sealing key: %w", ErrDigestChanged)
	case len(d.KeyApprovals) != keyUses || d.KeyApprovals[0] == d.KeyApprovals[1]:
		return ErrKeyApproval
	case slices.ContainsFunc(d.KeyApprovals, func(id string) bool { return keys.CheckApproval(id) != nil }):
		return fmt.Errorf("%w: one is no approval's ID", ErrKeyApproval)
	}
	return nil
}

// signForm seals one form of the document. Which approval is whose is not asked: the store refuses an approval of another digest
// and leaves it as it is.
func (s *Service) signForm(ctx context.Context, p prepared, form seal.Prepared, d Dispatch) ([]byte, error) {
	info := keyOf(p.signer)
	if !info.ApprovalRequired {
		out, err := form.Sign(s.Rand, p.signer)
		return out, denied(err)
	}
	digest, err := seal.KeyDigest(form, p.cert)
	if err != nil {
		return nil, err
	}
	err = ErrKeyApproval
	for _, id := range d.KeyApprovals {
		var signer crypto.Signer
		if signer, err = keys.ApprovedSigner(ctx, s.Keys, info.Ref, digest, id); err != nil {
			return nil, err
		}
		var out []byte
		if out, err = form.Sign(s.Rand, signer); err == nil || !errors.Is(err, keys.ErrDenied) {
			return out, err
		}
	}
	return nil, denied(err)
}

// denied marks a signature that the store of keys refused.
func denied(err error) error {
	if errors.Is(err, keys.ErrDenied) {
		return fmt.Errorf("%w: %w", errKeyDenied, err)
	}
	return err
}
