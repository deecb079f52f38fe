package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"fmt"
	"io"

	"yinxin/crypto/gm"
)

// Signer makes a crypto.Signer for one version of a key. Key, version, purpose and SM2 signer ID are fixed from here on:
// a later rotation does not move the handle, and the provider refuses every signature if the purpose is not the key's
// own. Version 0 is resolved once, to the current version. ctx bounds each later use of the handle, since crypto.Signer
// takes none.
//
// Sign honours gm.SignMessage, gm.SignDigest and the option of the certificate library (see gm.OptsTakeMessage); the
// digest is computed here, so that only 32 bytes travel to the provider. The rand argument of Sign is not used: the
// provider has its own randomness.
func Signer(ctx context.Context, p Provider, ref Ref, purpose Purpose) (crypto.Signer, error) {
	if !purpose.Signs() {
		return nil, fmt.Errorf("%w: purpose %q does not sign", ErrInvalid, purpose)
	}
	info, err := handleInfo(ctx, p, ref, purpose)
	if err != nil {
		return nil, fmt.Errorf("signer for key %s: %w", ref, err)
	}
	return &signer{ctx: ctx, provider: p, info: info}, nil
}

// ApprovedSigner is Signer with a seal key that was created with ApprovalRequired: the handle hands the approval of that ID to the
// store with the signature over digest, and refuses with ErrDenied whatever else it is asked to sign, so that nothing spends the
// approval but what was approved. The store takes the approval once; over files ctx says who seals (filekeys.As).
func ApprovedSigner(ctx context.Context, p Provider, ref Ref, digest gm.Digest, approval string) (crypto.Signer, error) {
	if approval == "" {
		return nil, fmt.Errorf("%w: no approval for key %s", ErrInvalid, ref)
	}
	info, err := handleInfo(ctx, p, ref, PurposeSeal)
	if err != nil {
		return nil, fmt.Errorf("signer for key %s: %w", ref, err)
	}
	return &signer{ctx: ctx, provider: p, info: info, approved: &digest, approval: approval}, nil
}

// Decrypter makes a crypto.Decrypter for one version of a key of PurposeDecrypt. It opens SM2Cipher in ASN.1
// (GB/T 35276) alone; every cryptographic failure is gm.ErrDecrypt. ctx and version are fixed as in Signer.
func Decrypter(ctx context.Context, p Provider, ref Ref) (crypto.Decrypter, error) {
	info, err := handleInfo(ctx, p, ref, PurposeDecrypt)
	if err != nil {
		return nil, fmt.Errorf("decrypter for key %s: %w", ref, err)
	}
	return &decrypter{ctx: ctx, provider: p, info: info}, nil
}

// Describer is implemented by the handles of this package.
type Describer interface {
	// KeyInfo tells which version of which key the handle uses.
	KeyInfo() PublicInfo
}

// handleInfo resolves ref and refuses a purpose early; the provider checks it again at each use.
func handleInfo(ctx context.Context, p Provider, ref Ref, purpose Purpose) (PublicInfo, error) {
	info, err := p.Public(ctx, ref)
	if err != nil {
		return PublicInfo{}, err
	}
	if info.Purpose != purpose {
		return PublicInfo{}, fmt.Errorf("%w: its purpose is %s, not %s", ErrDenied, info.Purpose, purpose)
	}
	if err := gm.CheckPublicKey(info.Public); err != nil {
		return PublicInfo{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return info, nil
}

// signer is the handle that Signer makes.
type signer struct {
	ctx      context.Context //nolint:containedctx // crypto.Signer has no place for one
	provider Provider
	info     PublicInfo
	// approved, if not nil, is all that may be signed, and approval the ID of its approval.
	approved *gm.Digest
	approval string
}

// KeyInfo implements Describer.
func (s *signer) KeyInfo() PublicInfo { return s.info }

// Public implements crypto.Signer; the type is *ecdsa.PublicKey.
func (s *signer) Public() crypto.PublicKey { return s.info.Public }

// Sign implements crypto.Signer.
func (s *signer) Sign(_ io.Reader, data []byte, opts crypto.SignerOpts) ([]byte, error) {
	digest, err := s.digest(data, opts)
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", s.info.Ref, err)
	}
	if s.approved != nil && gm.Digest(digest) != *s.approved {
		return nil, fmt.Errorf("sign with key %s: %w: this is not the digest that was approved", s.info.Ref, ErrDenied)
	}
	results, err := s.provider.Sign(s.ctx, s.info.Ref, s.info.Purpose, []SignItem{{Digest: digest, Approval: s.approval}})
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", s.info.Ref, err)
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("sign with key %s: provider gave %d results for one item", s.info.Ref, len(results))
	}
	if results[0].Err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", s.info.Ref, results[0].Err)
	}
	return results[0].Signature, nil
}

// digest turns what a caller of crypto.Signer hands over into e.
func (s *signer) digest(data []byte, opts crypto.SignerOpts) ([]byte, error) {
	message, err := gm.OptsTakeMessage(opts)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !message {
		if len(data) != len(gm.Digest{}) {
			return nil, fmt.Errorf("%w: a digest has %d bytes, not %d", ErrInvalid, len(gm.Digest{}), len(data))
		}
		return data, nil
	}
	if _, ours := opts.(gm.SignerOpt); !ours && s.info.UID != gm.DefaultID {
		// Certificates and revocation lists are defined with the default ID; a signature with another would be made in
		// vain.
		return nil, fmt.Errorf("%w: certificates need the default SM2 ID, the key has its own", ErrInvalid)
	}
	e, err := gm.ComputeDigest(s.info.Public, s.info.UID, gm.Message(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return e[:], nil
}

// decrypter is the handle that Decrypter makes.
type decrypter struct {
	ctx      context.Context //nolint:containedctx // crypto.Decrypter has no place for one
	provider Provider
	info     PublicInfo
}

// KeyInfo implements Describer.
func (d *decrypter) KeyInfo() PublicInfo { return d.info }

// Public implements crypto.Decrypter; the type is *ecdsa.PublicKey.
func (d *decrypter) Public() crypto.PublicKey { return d.info.Public }

// Decrypt implements crypto.Decrypter. The options are not used: there is one form of ciphertext, as in gm.PrivateKey.
func (d *decrypter) Decrypt(_ io.Reader, msg []byte, _ crypto.DecrypterOpts) ([]byte, error) {
	items := []Ciphertext{{Version: d.info.Ref.Version, Data: msg}}
	results, err := d.provider.Decrypt(d.ctx, d.info.Ref.Name, PurposeDecrypt, items)
	if err != nil {
		return nil, fmt.Errorf("decrypt with key %s: %w", d.info.Ref, err)
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("decrypt with key %s: provider gave %d results for one item", d.info.Ref, len(results))
	}
	if results[0].Err != nil {
		return nil, fmt.Errorf("decrypt with key %s: %w", d.info.Ref, results[0].Err)
	}
	return results[0].Plain, nil
}

// PublicKey is a short way to the public key of a version.
func PublicKey(ctx context.Context, p Provider, ref Ref) (*ecdsa.PublicKey, error) {
	info, err := p.Public(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("public key %s: %w", ref, err)
	}
	if info.Public == nil {
		return nil, fmt.Errorf("public key %s: %w: a key of type %s has none", ref, ErrInvalid, info.Type)
	}
	return info.Public, nil
}
