package cert

import (
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/gm"
)

// ocspValidity is how long an answer of the small responder speaks.
const ocspValidity = time.Hour

// OCSPState is what a responder knows of a certificate.
type OCSPState struct {
	// Known: the issuer has issued a certificate with this serial number.
	Known bool
	// Revoked is its revocation, nil if it is good.
	Revoked *Revoked
}

// Responder answers OCSP requests for one issuer, for tests and pilots. The station's key is the issuer's own, or that of
// a certificate from IssueOCSPResponder.
type Responder struct {
	Station
	// Issuer is the CA that is spoken for, Certificate the responder's own (which may be the same).
	Issuer, Certificate *Certificate
	// State looks a serial number up.
	State func(serial *big.Int) OCSPState
	// Validity is how long an answer speaks; zero means one hour.
	Validity time.Duration
}

// IssueOCSPResponder certifies an OCSP responder for this authority.
func (a *Authority) IssueOCSPResponder(subject pkix.Name, pub *ecdsa.PublicKey, o IssueOptions) (*Certificate, error) {
	return a.issue(subject, pub, o, LeafLifetime, func(t *smx509.Certificate) {
		t.KeyUsage = smx509.KeyUsageDigitalSignature
		t.ExtKeyUsage = []smx509.ExtKeyUsage{smx509.ExtKeyUsageOCSPSigning}
	})
}

// Respond answers a request. The answer is always a response; the error says why it holds no status of a certificate.
func (r *Responder) Respond(request []byte) ([]byte, error) {
	q, err := ParseOCSPRequest(request)
	if err != nil {
		return ocspRefusal(OCSPMalformedRequest), err
	}
	if q.foreign {
		return ocspRefusal(OCSPMalformedRequest), fmt.Errorf("%w: unknown critical extension", ErrMalformed)
	}
	der, err := r.answer(q)
	if err != nil {
		return ocspRefusal(OCSPInternalError), fmt.Errorf("answer OCSP request: %w", err)
	}
	return der, nil
}

func ocspRefusal(status byte) []byte { return []byte{0x30, 0x03, 0x0a, 0x01, status} }

func (r *Responder) answer(q *OCSPRequest) ([]byte, error) {
	if r.State == nil || r.Signer == nil {
		return nil, errors.New("cert: a responder needs a key and a state")
	}
	now := r.now().Truncate(time.Second)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(ctx1, func(b *cryptobyte.Builder) { b.AddBytes(r.Certificate.RawSubject) })
		b.AddASN1GeneralizedTime(now)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, id := range q.ids {
				r.addEntry(b, id, now)
			}
		})
		if q.Nonce != nil {
			b.AddASN1(ctx1, func(b *cryptobyte.Builder) { addNonce(b, q.Nonce) })
		}
	})
	tbs, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	sig, err := gm.Sign(r.rand(), r.Signer, tbs)
	if err != nil {
		return nil, err
	}
	return r.wrap(tbs, sig)
}

// addEntry writes the SingleResponse for one certificate. An ID that is not of our issuer is unknown here.
func (r *Responder) addEntry(b *cryptobyte.Builder, id certID, now time.Time) {
	state := OCSPState{}
	if id.matches(&Certificate{Serial: id.serial}, r.Issuer) {
		state = r.State(id.serial)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(id.raw)
		switch {
		case !state.Known:
			b.AddASN1(ctx2Prim, func(*cryptobyte.Builder) {})
		case state.Revoked == nil:
			b.AddASN1(ctx0Prim, func(*cryptobyte.Builder) {})
		default:
			b.AddASN1(ctx1, func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(state.Revoked.At.UTC())
				if state.Revoked.Reason != ReasonUnspecified {
					b.AddASN1(ctx0, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(state.Revoked.Reason)) })
				}
			})
		}
		b.AddASN1GeneralizedTime(now)
		validity := r.Validity
		if validity == 0 {
			validity = ocspValidity
		}
		b.AddASN1(ctx0, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(now.Add(validity)) })
	})
}

// wrap writes BasicOCSPResponse and OCSPResponse around what was signed.
func (r *Responder) wrap(tbs, sig []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(OCSPSuccessful)
		b.AddASN1(ctx0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSPBasic)
				b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(tbs)
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(gm.OIDSM2WithSM3) })
						b.AddASN1BitString(sig)
						if !r.Certificate.Equal(r.Issuer) {
							b.AddASN1(ctx0, func(b *cryptobyte.Builder) {
								b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(r.Certificate.Raw) })
							})
						}
					})
				})
			})
		})
	})
	return b.Bytes()
}
