//go:build !js

package tsp

import (
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
)

// ErrOptions: an option that the authority or the client needs is missing or wrong.
var ErrOptions = errors.New("tsp: options")

// serialSize makes serial numbers unique without a store that counts them.
const serialSize = 16

// AuthorityOptions are what an authority works with.
type AuthorityOptions struct {
	// Signer is the handle of the key (purpose timestamp) that belongs to Certificate, which must be for time-stamping
	// alone.
	Signer      crypto.Signer
	Certificate *cert.Certificate
	// Chain are certificates to be put beside the authority's where a request asks for certificates.
	Chain []*cert.Certificate
	// Policy is the policy named in every token; nil means PilotPolicy.
	Policy asn1.ObjectIdentifier
	// Accuracy is stated in every token, in whole milliseconds below an hour; zero states none.
	Accuracy time.Duration
	// Now is the clock; nil means the machine's.
	Now func() time.Time
	// Trusted, if set, is asked before each stamp whether the clock may be relied on; an error refuses to stamp.
	Trusted func() error
	// Rand gives serial numbers; nil means crypto/rand.
	Rand io.Reader
	// Log hears of every token and refusal; nil is silent.
	Log *slog.Logger
}

// Authority answers requests for time-stamps. It is an http.Handler and safe for concurrent use.
type Authority struct {
	o    AuthorityOptions
	mu   sync.Mutex
	last time.Time // the latest time that was stamped
}

// NewAuthority checks the options: the certificate must be for time-stamping, valid now, and that of the key.
func NewAuthority(o AuthorityOptions) (*Authority, error) {
	if o.Signer == nil || o.Certificate == nil {
		return nil, fmt.Errorf("%w: an authority needs a key and its certificate", ErrOptions)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Policy == nil {
		o.Policy = PilotPolicy
	}
	if o.Accuracy < 0 || o.Accuracy >= time.Hour || o.Accuracy%time.Millisecond != 0 {
		return nil, fmt.Errorf("%w: accuracy %s", ErrOptions, o.Accuracy)
	}
	if err := o.Certificate.CheckUse(cert.UseTimestamp); err != nil {
		return nil, fmt.Errorf("time-stamp authority: %w", err)
	}
	if err := o.Certificate.MatchesKey(o.Signer.Public()); err != nil {
		return nil, fmt.Errorf("time-stamp authority: %w", err)
	}
	if now := o.Now(); !o.Certificate.ValidAt(now) {
		return nil, fmt.Errorf("%w: the certificate of %s is not valid at %s", ErrOptions, o.Certificate.SubjectText(), now.UTC().Format(time.RFC3339))
	}
	return &Authority{o: o}, nil
}

// Respond answers one request. The answer is always a response; the error says why there is no token in it.
func (a *Authority) Respond(request []byte) ([]byte, error) {
	token, failure, err := a.stamp(request)
	r := &Response{Status: Granted, Failure: NoFailure, Token: token}
	if err != nil {
		r = &Response{Status: Rejection, Failure: failure, Text: failure.String()}
	}
	der, marshalErr := r.marshal()
	if marshalErr != nil {
		return nil, fmt.Errorf("answer time-stamp request: %w", marshalErr)
	}
	return der, err
}

func (a *Authority) stamp(request []byte) ([]byte, Failure, error) {
	req, err := ParseRequest(request)
	if err != nil {
		return nil, BadDataFormat, err
	}
	sum, ok := req.Sum()
	switch {
	case !ok:
		return nil, BadAlgorithm, fmt.Errorf("%w: imprint by %s", ErrMalformed, req.imprint.algorithm)
	case req.extension:
		return nil, UnacceptedExtension, wrongForm("request with extensions")
	case req.Policy != nil && !req.Policy.Equal(a.o.Policy):
		return nil, UnacceptedPolicy, fmt.Errorf("%w: policy %s", ErrMalformed, req.Policy)
	}
	now, err := a.time()
	if err != nil {
		return nil, TimeNotAvailable, err
	}
	token, err := a.sign(req, sum, now)
	if err != nil {
		return nil, SystemFailure, fmt.Errorf("make time-stamp: %w", err)
	}
	return token, NoFailure, nil
}

// time reads the clock and refuses one that has run backwards, is not to be relied on, or has left the validity of the
// certificate.
func (a *Authority) time() (time.Time, error) {
	if a.o.Trusted != nil {
		if err := a.o.Trusted(); err != nil {
			return time.Time{}, fmt.Errorf("the clock is not to be relied on: %w", err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.o.Now().UTC().Truncate(time.Second)
	if now.Before(a.last) {
		return now, fmt.Errorf("the clock ran backwards, from %s to %s", a.last.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	if !a.o.Certificate.ValidAt(now) {
		return now, fmt.Errorf("the certificate is not valid at %s", now.Format(time.RFC3339))
	}
	a.last = now
	return now, nil
}

// sign writes TSTInfo and signs it.
func (a *Authority) sign(req *Request, sum [32]byte, now time.Time) ([]byte, error) {
	serial := make([]byte, serialSize)
	if _, err := io.ReadFull(a.o.Rand, serial); err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(a.o.Policy)
		addImprint(b, sum)
		b.AddASN1BigInt(new(big.Int).SetBytes(serial))
		b.AddASN1GeneralizedTime(now)
		if a.o.Accuracy > 0 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addAccuracy(b, a.o.Accuracy) })
		}
		if req.Nonce != nil {
			b.AddASN1BigInt(req.Nonce)
		}
	})
	info, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write TSTInfo: %w", err)
	}
	return cms.Sign(info, cms.SignOptions{
		Signer: a.o.Signer, Certificate: a.o.Certificate, Chain: a.o.Chain, Time: now, Profile: cms.ProfileRFC, Rand: a.o.Rand,
		ContentType: oidTSTInfo, Use: cert.UseTimestamp, OmitCertificates: !req.Certificates,
	})
}

func addAccuracy(b *cryptobyte.Builder, accuracy time.Duration) {
	if s := int64(accuracy / time.Second); s > 0 {
		b.AddASN1Int64(s)
	}
	if ms := int64(accuracy % time.Second / time.Millisecond); ms > 0 {
		b.AddASN1Int64WithTag(ms, tag0)
	}
}

// ServeHTTP answers a POST of QueryType (RFC 3161 3.4).
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "time-stamp requests are posted", http.StatusMethodNotAllowed)
		return
	}
	if r.Header.Get("Content-Type") != QueryType {
		http.Error(w, "want "+QueryType, http.StatusUnsupportedMediaType)
		return
	}
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxRequest))
	if err != nil {
		http.Error(w, "the request is too large or was cut off", http.StatusRequestEntityTooLarge)
		return
	}
	answer, err := a.Respond(request)
	if a.o.Log != nil {
		if err != nil {
			a.o.Log.WarnContext(r.Context(), "time-stamp refused", slog.String("cause", err.Error()))
		} else {
			a.o.Log.InfoContext(r.Context(), "time-stamp granted")
		}
	}
	if answer == nil {
		http.Error(w, "no answer could be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", ReplyType)
	_, _ = w.Write(answer) // the reader has gone away; there is nobody to tell
}
