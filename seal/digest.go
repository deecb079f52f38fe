package seal

import (
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
)

// KeyDigest tells the digest that the key of a certificate will be given when the document is sealed: Z and all that is signed
// are in it (GB/T 32918.2). An approval in a store of keys names it, while [Prepared.Digest] names what is signed without the
// signer. Nothing is signed here, and no key is needed.
func KeyDigest(p Prepared, signer *cert.Certificate) (gm.Digest, error) {
	probe := &probe{public: signer.PublicKey}
	_, err := p.Sign(nil, probe)
	switch {
	case err == nil:
		return gm.Digest{}, errors.New("digest for the key: sealing asked the key for nothing")
	case !errors.Is(err, errProbe):
		return gm.Digest{}, fmt.Errorf("digest for the key: %w", err)
	}
	return probe.digest, nil
}

// errProbe ends a sealing that is there for its digest.
var errProbe = errors.New("seal: nothing is signed")

// probe stands in for a key, and keeps what it is asked to sign.
type probe struct {
	public *ecdsa.PublicKey
	digest gm.Digest
}

func (p *probe) Public() crypto.PublicKey { return p.public }

func (p *probe) Sign(_ io.Reader, data []byte, opts crypto.SignerOpts) ([]byte, error) {
	var err error
	if p.digest, err = gm.DigestFor(p.public, data, opts); err != nil {
		return nil, err
	}
	return nil, errProbe
}
