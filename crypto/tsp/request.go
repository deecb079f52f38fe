package tsp

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cms"
)

// nonceSize is the size of the nonces that NewRequest draws, in bytes.
const nonceSize = 16

// Request is a TimeStampReq (RFC 3161 2.4.1).
type Request struct {
	// Raw is the whole request.
	Raw []byte
	// Policy is the policy asked for, nil if any will do.
	Policy asn1.ObjectIdentifier
	// Nonce ties the answer to the request; nil if there is none.
	Nonce *big.Int
	// Certificates asks for the authority's certificate in the token.
	Certificates bool

	imprint   imprint
	extension bool
}

// NewRequest asks for a time-stamp over the SM3 digest, with a nonce drawn from random and with the authority's
// certificate. A nil policy leaves the choice to the authority.
func NewRequest(sum [32]byte, policy asn1.ObjectIdentifier, random io.Reader) (*Request, error) {
	raw := make([]byte, nonceSize)
	if _, err := io.ReadFull(random, raw); err != nil {
		return nil, fmt.Errorf("make time-stamp request: draw nonce: %w", err)
	}
	raw[0] = raw[0]&0x7f | 0x40 // always of full length
	nonce := new(big.Int).SetBytes(raw)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, sum)
		if policy != nil {
			b.AddASN1ObjectIdentifier(policy)
		}
		b.AddASN1BigInt(nonce)
		b.AddASN1Boolean(true)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("make time-stamp request: %w", err)
	}
	return ParseRequest(der)
}

// ParseRequest reads a request: strict DER, at most MaxRequest bytes. What hash it uses is for the authority to judge.
func ParseRequest(der []byte) (*Request, error) {
	if err := cms.CheckDER(der, MaxRequest); err != nil {
		return nil, fmt.Errorf("%w: request: %w", ErrMalformed, err)
	}
	r := &Request{Raw: bytes.Clone(der)}
	in := cryptobyte.String(r.Raw)
	var body cryptobyte.String
	var version int64
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 1 {
		return nil, wrongForm("version of the request")
	}
	var ok bool
	if r.imprint, ok = readImprint(&body); !ok {
		return nil, wrongForm("imprint of the request")
	}
	if body.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) && !body.ReadASN1ObjectIdentifier(&r.Policy) {
		return nil, wrongForm("policy of the request")
	}
	if body.PeekASN1Tag(cbasn1.INTEGER) {
		if r.Nonce, ok = readNumber(&body); !ok {
			return nil, wrongForm("nonce of the request")
		}
	}
	if r.Certificates, ok = readFlag(&body); !ok {
		return nil, wrongForm("certReq of the request")
	}
	if body.PeekASN1Tag(tag0Cons) {
		r.extension = body.SkipASN1(tag0Cons)
	}
	if !body.Empty() {
		return nil, wrongForm("data after the request")
	}
	return r, nil
}

// Sum is the SM3 digest asked about; false if the request hashes by another algorithm.
func (r *Request) Sum() ([32]byte, bool) {
	if !r.imprint.bySM3() {
		return [32]byte{}, false
	}
	return [32]byte(r.imprint.digest), true
}
