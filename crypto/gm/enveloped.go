package gm

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxEnvelopedKey bounds an SM2EnvelopedKey, in bytes; a real one has about 250.
const MaxEnvelopedKey = 1024

// envelopedKey is the outline of SM2EnvelopedKey (GB/T 35276): it is looked at before the library, which would panic on
// lengths that are no multiple of a block.
type envelopedKey struct {
	Algorithm  asn1.RawValue
	Key        asn1.RawValue
	Public     asn1.BitString
	PrivateKey asn1.BitString
}

// OpenEnvelopedKey opens an encryption pair that a CA made and enveloped for k (SM2EnvelopedKey of GB/T 35276: a private
// key under SM4, whose key is encrypted to k). ErrDecrypt for anything that is none, is for another key, or holds a weak
// key or one that is not that of the public key beside it.
func (k *PrivateKey) OpenEnvelopedKey(der []byte) (*PrivateKey, error) {
	var outline envelopedKey
	if len(der) > MaxEnvelopedKey {
		return nil, ErrDecrypt
	}
	rest, err := asn1.Unmarshal(der, &outline)
	if err != nil || len(rest) > 0 || !plainAlgorithm(outline.Algorithm.Bytes) || outline.PrivateKey.BitLength != ScalarSize*8 || len(outline.Public.Bytes) != 65 {
		return nil, ErrDecrypt
	}
	inner, err := k.Decrypt(nil, outline.Key.FullBytes, nil)
	if err != nil || len(inner) != KeySize {
		return nil, ErrDecrypt
	}
	clear(inner)
	opened, err := sm2.ParseEnvelopedPrivateKey(k.key, der)
	if err != nil {
		return nil, ErrDecrypt
	}
	scalar := opened.D.FillBytes(make([]byte, ScalarSize))
	defer clear(scalar)
	return importOpened(scalar)
}

// plainAlgorithm reports whether an AlgorithmIdentifier, without its tag, has no parameters or NULL; the library judges the
// algorithm itself.
func plainAlgorithm(alg cryptobyte.String) bool {
	return alg.SkipASN1(cbasn1.OBJECT_IDENTIFIER) && (alg.Empty() || bytes.Equal(alg, asn1.NullBytes))
}

func importOpened(scalar []byte) (*PrivateKey, error) {
	k, err := ImportScalar(scalar)
	if err != nil {
		return nil, ErrDecrypt
	}
	return k, nil
}

// EnvelopeKey is what a CA does with an encryption pair that it made: it envelopes it for the holder of pub.
func EnvelopeKey(random io.Reader, pub *ecdsa.PublicKey, pair *PrivateKey) ([]byte, error) {
	if err := CheckPublicKey(pub); err != nil {
		return nil, err
	}
	der, err := sm2.MarshalEnvelopedPrivateKey(orRand(random), pub, pair.key)
	if err != nil {
		return nil, fmt.Errorf("envelope SM2 key: %w", err)
	}
	return der, nil
}
