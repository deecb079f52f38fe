package filekeys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
)

// memberPrefix stands before the public key in a custodian's ID.
const memberPrefix = "sm2:"

// consentMark stands before a digest that a custodian signs, so that the signature is good for nothing else.
const consentMark = "yinxin consent v1\n"

// MemberID is what a custodian of a file store is called in its quorum: the person's own SM2 public key. A file store
// cannot tell persons apart in any other way: two keys of one person count as two, and whoever has the store's passphrase
// can rewrite the folder with another program and ask nobody. The quorum of a file store keeps honest people from acting
// alone and proves afterwards who consented; against the holder of the passphrase it is no defence.
func MemberID(pub *ecdsa.PublicKey) string {
	return memberPrefix + hex.EncodeToString(gm.MarshalPublicKey(pub))
}

// As says in a context which custodian acts: the one who holds the private key of signer, which signs each consent.
func As(ctx context.Context, signer crypto.Signer) (context.Context, error) {
	pub, ok := signer.Public().(*ecdsa.PublicKey)
	if !ok || gm.CheckPublicKey(pub) != nil {
		return nil, fmt.Errorf("%w: a custodian has an SM2 key", keys.ErrInvalid)
	}
	ctx = engine.WithCaller(ctx, MemberID(pub))
	return engine.WithVote(ctx, func(digest []byte) ([]byte, error) {
		return gm.Sign(nil, signer, consentMessage(digest))
	}), nil
}

func consentMessage(digest []byte) gm.Message { return append([]byte(consentMark), digest...) }

// proof is engine.Options.Proof of a file store.
func proof(member string, digest, signature []byte) error {
	text, ok := strings.CutPrefix(member, memberPrefix)
	point, err := hex.DecodeString(text)
	if !ok || err != nil || strings.ToLower(text) != text {
		return fmt.Errorf("%w: %q is no custodian of a file store: want sm2: and the public key", keys.ErrInvalid, member)
	}
	pub, err := gm.ParsePublicKey(point)
	if err != nil {
		return fmt.Errorf("%w: the public key of a custodian: %w", keys.ErrInvalid, err)
	}
	if digest != nil && !gm.Verify(pub, consentMessage(digest), signature) {
		return fmt.Errorf("%w: the custodian's signature does not verify", keys.ErrDenied)
	}
	return nil
}
