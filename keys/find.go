package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
)

// DecrypterFor is Decrypter for what was encrypted to whichever version: of a ref without a version it takes the one whose
// public key is wanted, the current one before the older ones before those that have no certificate yet, and the current one
// where none is wanted. So a letter to a certificate that a rotation has replaced opens as long as its version may decrypt;
// afterwards the store refuses it. Nothing is decrypted to find the version.
func DecrypterFor(ctx context.Context, p Provider, ref Ref, wanted func(*ecdsa.PublicKey) bool) (crypto.Decrypter, error) {
	current, err := Decrypter(ctx, p, ref)
	if err != nil || ref.Version != 0 || wanted == nil {
		return current, err
	}
	h, _ := current.(*decrypter)
	if wanted(h.info.Public) {
		return current, nil
	}
	for v := h.info.Ref.Version - 1; v > 0; v-- {
		d, err := Decrypter(ctx, p, Ref{Name: ref.Name, Version: v})
		if err != nil || wanted(d.Public().(*ecdsa.PublicKey)) { //nolint:forcetypeassert // Decrypter has checked the key
			return d, err
		}
	}
	for v := h.info.Ref.Version + 1; ; v++ {
		d, err := Decrypter(ctx, p, Ref{Name: ref.Name, Version: v})
		if errors.Is(err, ErrNotFound) {
			return current, nil
		}
		if err != nil || wanted(d.Public().(*ecdsa.PublicKey)) { //nolint:forcetypeassert // Decrypter has checked the key
			return d, err
		}
	}
}
