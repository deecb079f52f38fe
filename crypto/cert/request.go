package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/gm"
)

// Request is a certificate request (PKCS#10) whose own signature holds: the sender has the key.
type Request struct {
	Subject   pkix.Name
	PublicKey *ecdsa.PublicKey
	Raw       []byte
}

// CreateRequest makes a request for the key behind signer, in DER. A nil random means crypto/rand.
func CreateRequest(signer crypto.Signer, subject pkix.Name, random io.Reader) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	der, err := smx509.CreateCertificateRequest(random, &smx509.CertificateRequest{
		Subject: subject, SignatureAlgorithm: smx509.SM2WithSM3,
	}, signer)
	if err != nil {
		return nil, fmt.Errorf("create certificate request: %w", err)
	}
	return der, nil
}

// RequestPEM writes a request as one PEM block.
func RequestPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemRequest, Bytes: der})
}

// ParseRequest reads a request in DER or PEM and checks its signature.
func ParseRequest(data []byte) (*Request, error) {
	if block, _ := pem.Decode(data); block != nil && block.Type == pemRequest {
		data = block.Bytes
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: request of %d bytes", ErrMalformed, len(data))
	}
	r, err := smx509.ParseCertificateRequest(data)
	if err != nil {
		return nil, fmt.Errorf("%w: request: %w", ErrMalformed, err)
	}
	pub, ok := r.PublicKey.(*ecdsa.PublicKey)
	if !ok || !bytes.HasPrefix(r.RawSubjectPublicKeyInfo, spkiPrefix) || gm.CheckPublicKey(pub) != nil {
		return nil, fmt.Errorf("%w: request", ErrNotSM2)
	}
	if r.SignatureAlgorithm != smx509.SM2WithSM3 {
		return nil, fmt.Errorf("%w: request", ErrNotSM2)
	}
	if err := r.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: the request is not signed by its own key", ErrMalformed)
	}
	return &Request{Subject: r.Subject, PublicKey: pub, Raw: bytes.Clone(r.Raw)}, nil
}
