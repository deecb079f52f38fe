package hub

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/verdict"
)

// office is what the directory says of one office, with its signing certificate read.
type office struct {
	directory.Organisation
	cert    *cert.Certificate
	issuers []*cert.Certificate
}

// certCache remembers certificates that were read and, for a short time, that their
// chain was good, since one office signs many documents.
type certCache struct {
	mu    sync.Mutex
	read  map[[32]byte][]*cert.Certificate // by SM3 of the PEM text
	fresh map[[32]byte]time.Time           // by SM3 of the certificate: good until
}

// How long a good chain is believed, and how many certificates are remembered.
const (
	chainLife = time.Minute
	maxCached = 10_000
)

func (c *certCache) parse(pem []byte) ([]*cert.Certificate, error) {
	key := gm.SM3(pem)
	c.mu.Lock()
	got, ok := c.read[key]
	c.mu.Unlock()
	if ok {
		return got, nil
	}
	certs, err := cert.ParsePEM(pem)
	if err != nil {
		return nil, err
	}
	if len(certs) == 0 {
		return nil, errors.New("no certificate")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil || len(c.read) >= maxCached {
		c.read = map[[32]byte][]*cert.Certificate{}
	}
	c.read[key] = certs
	return certs, nil
}

// good reports whether the chain of this certificate was found good a moment ago.
func (c *certCache) good(leaf *cert.Certificate, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Before(c.fresh[leaf.SM3()])
}

func (c *certCache) remember(leaf *cert.Certificate, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fresh == nil || len(c.fresh) >= maxCached {
		c.fresh = map[[32]byte]time.Time{}
	}
	c.fresh[leaf.SM3()] = until
}

// signing returns an office with its signing certificate.
func (h *Hub) signing(ctx context.Context, code string) (office, error) {
	o, err := h.p.Directory.Organisation(ctx, code)
	if err != nil {
		return office{}, fmt.Errorf("look up office %s: %w", code, err)
	}
	if len(o.SigningCert) == 0 {
		return office{Organisation: o}, refuse(api.SenderMismatch, "office %s has no signing certificate in the directory", code)
	}
	certs, err := h.certs.parse(o.SigningCert)
	if err != nil {
		return office{}, fmt.Errorf("read signing certificate of %s: %w", code, err)
	}
	return office{Organisation: o, cert: certs[0], issuers: certs[1:]}, nil
}

// trusted checks that the office's signing certificate is good now: its chain, its
// use and its revocation. What cannot be known is not good: a hub that accepts
// answers for it.
func (h *Hub) trusted(o office) error {
	now := h.p.Clock()
	if h.certs.good(o.cert, now) {
		return nil
	}
	for _, k := range h.p.Policy().With(o.issuers...).Judge(o.cert, cert.UseSign, cert.Moment{At: now, Now: now}) {
		if k.Status == verdict.Passed || k.Reason == verdict.NoRevocationSource {
			continue
		}
		return refuse(api.SenderMismatch, "signing certificate of %s: %s (%s)", o.Code, k.Reason, k.Name)
	}
	h.certs.remember(o.cert, now.Add(chainLife))
	return nil
}

// requestDigest names a request for its idempotency key: what is done, to what, with
// which bytes.
func requestDigest(act transport.Act, target string, body transport.Digest) transport.Digest {
	b := make([]byte, 0, 128)
	for _, s := range []string{string(act), target} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return gm.SM3(append(b, body[:]...))
}
