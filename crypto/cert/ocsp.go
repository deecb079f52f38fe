package cert

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/gm"
)

// Bounds of OCSP messages.
const (
	MaxOCSPRequest  = 16 << 10
	MaxOCSPResponse = 256 << 10
	// MaxOCSPEntries bounds the certificates asked about or answered for, maxResponderCerts those in an answer.
	MaxOCSPEntries    = 64
	maxResponderCerts = 4
	// MaxOCSPNonce is the longest nonce in bytes (RFC 9654), and ocspNonce the length of ours.
	MaxOCSPNonce = 128
	ocspNonce    = 32
)

var (
	oidOCSPBasic = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
)

// Context tags of RFC 6960.
const (
	ctx0     = cbasn1.Tag(0xa0)
	ctx1     = cbasn1.Tag(0xa1)
	ctx2     = cbasn1.Tag(0xa2)
	ctx0Prim = cbasn1.Tag(0x80)
	ctx2Prim = cbasn1.Tag(0x82)
)

// certID names a certificate by hashes of its issuer's name and key, and its serial number (RFC 6960 4.1.1).
type certID struct {
	raw             []byte
	sm3             bool
	nameSum, keySum []byte
	serial          *big.Int
	hash            asn1.ObjectIdentifier
}

// matches reports whether the ID is of c under the issuer. Only IDs by SM3 are compared: SHA-1, which many responders
// use, has no place here, so an answer by it says nothing.
func (id certID) matches(c, issuer *Certificate) bool {
	if !id.sm3 || id.serial.Cmp(c.Serial) != 0 {
		return false
	}
	name, key := gm.SM3(issuer.RawSubject), gm.SM3(gm.MarshalPublicKey(issuer.PublicKey))
	return bytes.Equal(id.nameSum, name[:]) && bytes.Equal(id.keySum, key[:])
}

func addCertID(b *cryptobyte.Builder, serial *big.Int, issuer *Certificate) {
	name, key := gm.SM3(issuer.RawSubject), gm.SM3(gm.MarshalPublicKey(issuer.PublicKey))
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(gm.OIDSM3)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(name[:])
		b.AddASN1OctetString(key[:])
		b.AddASN1BigInt(serial)
	})
}

func readCertID(in *cryptobyte.String) (certID, bool) {
	var raw, seq, alg, name, key cryptobyte.String
	id := certID{serial: new(big.Int)}
	if !in.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
		return id, false
	}
	id.raw = raw
	if !raw.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&id.hash) ||
		!seq.ReadASN1(&name, cbasn1.OCTET_STRING) || !seq.ReadASN1(&key, cbasn1.OCTET_STRING) ||
		!seq.ReadASN1Integer(id.serial) || !seq.Empty() || id.serial.BitLen() > 8*64 {
		return id, false
	}
	if !alg.Empty() {
		var null cryptobyte.String
		if !alg.ReadASN1(&null, cbasn1.NULL) || !null.Empty() || !alg.Empty() {
			return id, false
		}
	}
	id.nameSum, id.keySum, id.sm3 = name, key, id.hash.Equal(gm.OIDSM3)
	return id, true
}

// extensions are the two things that matter of a list of extensions.
type extensions struct {
	nonce []byte
	// foreign: there is a critical one that is not known.
	foreign bool
}

func readExtensions(in cryptobyte.String) (extensions, bool) {
	var e extensions
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return e, false
	}
	for !list.Empty() {
		var ext, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&ext, cbasn1.SEQUENCE) || !ext.ReadASN1ObjectIdentifier(&oid) ||
			ext.PeekASN1Tag(cbasn1.BOOLEAN) && !ext.ReadASN1Boolean(&critical) ||
			!ext.ReadASN1(&value, cbasn1.OCTET_STRING) || !ext.Empty() {
			return e, false
		}
		if !oid.Equal(oidOCSPNonce) {
			e.foreign = e.foreign || critical
			continue
		}
		var nonce cryptobyte.String
		if e.nonce != nil || !value.ReadASN1(&nonce, cbasn1.OCTET_STRING) || !value.Empty() || len(nonce) == 0 || len(nonce) > MaxOCSPNonce {
			return e, false
		}
		e.nonce = nonce
	}
	return e, true
}

func addNonce(b *cryptobyte.Builder, nonce []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidOCSPNonce)
			b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
		})
	})
}

// OCSPRequest asks a responder about certificates (RFC 6960 4.1). Nothing in this package sends it.
type OCSPRequest struct {
	// Raw is the whole request.
	Raw []byte
	// Nonce ties the answer to the request; nil if there is none.
	Nonce []byte

	ids     []certID
	foreign bool
}

// NewOCSPRequest asks about one certificate, with a nonce drawn from random.
func NewOCSPRequest(c, issuer *Certificate, random io.Reader) (*OCSPRequest, error) {
	nonce := make([]byte, ocspNonce)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("make OCSP request: draw nonce: %w", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addCertID(b, c.Serial, issuer) })
			})
			b.AddASN1(ctx2, func(b *cryptobyte.Builder) { addNonce(b, nonce) })
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("make OCSP request: %w", err)
	}
	return ParseOCSPRequest(der)
}

// ParseOCSPRequest reads a request in DER; a signature around it is refused, since it would not be checked.
func ParseOCSPRequest(der []byte) (*OCSPRequest, error) {
	if len(der) > MaxOCSPRequest {
		return nil, fmt.Errorf("%w: OCSP request of %d bytes", ErrMalformed, len(der))
	}
	r := &OCSPRequest{Raw: bytes.Clone(der)}
	in := cryptobyte.String(r.Raw)
	var outer, body, list, wrapped cryptobyte.String
	var has bool
	ok := in.ReadASN1(&outer, cbasn1.SEQUENCE) && in.Empty() && outer.ReadASN1(&body, cbasn1.SEQUENCE) && outer.Empty() &&
		body.SkipOptionalASN1(ctx0) && body.SkipOptionalASN1(ctx1) && body.ReadASN1(&list, cbasn1.SEQUENCE) &&
		body.ReadOptionalASN1(&wrapped, &has, ctx2) && body.Empty()
	for ok && !list.Empty() {
		var one cryptobyte.String
		var id certID
		ok = len(r.ids) < MaxOCSPEntries && list.ReadASN1(&one, cbasn1.SEQUENCE)
		if ok {
			id, ok = readCertID(&one)
			r.ids = append(r.ids, id)
			ok = ok && one.SkipOptionalASN1(ctx0) && one.Empty()
		}
	}
	if ok && has {
		var e extensions
		e, ok = readExtensions(wrapped)
		r.Nonce, r.foreign = e.nonce, e.foreign
	}
	if !ok || len(r.ids) == 0 {
		return nil, fmt.Errorf("%w: OCSP request", ErrMalformed)
	}
	return r, nil
}

// OCSP statuses of a whole response (RFC 6960 4.2.1).
const (
	OCSPSuccessful       = 0
	OCSPMalformedRequest = 1
	OCSPInternalError    = 2
	OCSPTryLater         = 3
	OCSPUnauthorized     = 6
)

// OCSPResponse is a parsed answer. It says nothing until a responder that the issuer has empowered is found to have
// signed it; Policy.Judge looks for that.
type OCSPResponse struct {
	// Raw is the whole response; kept with a document it is evidence (a stapled response).
	Raw []byte
	// Status is OCSPSuccessful, or one of the other statuses, with which there is nothing else.
	Status int
	// ProducedAt is when the responder signed, in UTC.
	ProducedAt time.Time
	// Nonce is the request's, nil if there is none.
	Nonce []byte

	tbs, signature []byte
	sm2            bool
	responder      []byte // the name in DER where the responder names itself so
	certs          []*Certificate
	entries        []ocspEntry
	foreign        bool
}

// ocspEntry is a SingleResponse.
type ocspEntry struct {
	id                     certID
	status                 byte // 'g'ood, 'r'evoked, 'u'nknown
	revokedAt              time.Time
	reason                 int
	thisUpdate, nextUpdate time.Time
	foreign                bool
}

// ParseOCSP reads a response in DER.
func ParseOCSP(der []byte) (*OCSPResponse, error) {
	if len(der) > MaxOCSPResponse {
		return nil, fmt.Errorf("%w: OCSP response of %d bytes", ErrMalformed, len(der))
	}
	r := &OCSPResponse{Raw: bytes.Clone(der)}
	in := cryptobyte.String(r.Raw)
	var outer, wrapped, typed, basic cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Enum(&r.Status) || r.Status < 0 || r.Status > OCSPUnauthorized {
		return nil, fmt.Errorf("%w: OCSP response", ErrMalformed)
	}
	if r.Status != OCSPSuccessful {
		if !outer.Empty() {
			return nil, fmt.Errorf("%w: OCSP response with status %d and an answer", ErrMalformed, r.Status)
		}
		return r, nil
	}
	if !outer.ReadASN1(&wrapped, ctx0) || !outer.Empty() || !wrapped.ReadASN1(&typed, cbasn1.SEQUENCE) || !wrapped.Empty() ||
		!typed.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidOCSPBasic) || !typed.ReadASN1(&basic, cbasn1.OCTET_STRING) ||
		!typed.Empty() || !r.parseBasic(basic) {
		return nil, fmt.Errorf("%w: OCSP response", ErrMalformed)
	}
	return r, nil
}

// parseBasic reads BasicOCSPResponse.
func (r *OCSPResponse) parseBasic(in cryptobyte.String) bool {
	var body, tbs, alg, wrapped, list cryptobyte.String
	var bits asn1.BitString
	var has bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!body.ReadASN1(&alg, cbasn1.SEQUENCE) || !body.ReadASN1BitString(&bits) ||
		bits.BitLength%8 != 0 || !body.ReadOptionalASN1(&wrapped, &has, ctx0) || !body.Empty() {
		return false
	}
	r.tbs, r.signature, r.sm2 = tbs, bits.Bytes, isSM2WithSM3(alg)
	if has && (!wrapped.ReadASN1(&list, cbasn1.SEQUENCE) || !wrapped.Empty()) {
		return false
	}
	for n := 0; !list.Empty(); n++ {
		var raw cryptobyte.String
		if n == maxResponderCerts || !list.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
			return false
		}
		if c, err := Parse(raw); err == nil { // one that is not SM2 cannot have signed this
			r.certs = append(r.certs, c)
		}
	}
	var data cryptobyte.String
	return tbs.ReadASN1(&data, cbasn1.SEQUENCE) && r.parseData(data)
}

// parseData reads ResponseData.
func (r *OCSPResponse) parseData(in cryptobyte.String) bool {
	var who, list, wrapped cryptobyte.String
	var tag cbasn1.Tag
	var has bool
	if !in.SkipOptionalASN1(ctx0) || !in.ReadAnyASN1(&who, &tag) || tag != ctx1 && tag != ctx2 ||
		!readGeneralized(&in, &r.ProducedAt) || !in.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!in.ReadOptionalASN1(&wrapped, &has, ctx1) || !in.Empty() {
		return false
	}
	if tag == ctx1 {
		r.responder = who
	}
	for !list.Empty() {
		e, ok := readEntry(&list)
		if !ok || len(r.entries) == MaxOCSPEntries {
			return false
		}
		r.entries = append(r.entries, e)
	}
	if has {
		e, ok := readExtensions(wrapped)
		r.Nonce, r.foreign = e.nonce, e.foreign
		return ok
	}
	return true
}

// readEntry reads SingleResponse.
func readEntry(in *cryptobyte.String) (ocspEntry, bool) {
	var e ocspEntry
	var body, status, wrapped, next cryptobyte.String
	var tag cbasn1.Tag
	var has bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return e, false
	}
	var ok bool
	if e.id, ok = readCertID(&body); !ok || !body.ReadAnyASN1(&status, &tag) {
		return e, false
	}
	switch tag {
	case ctx0Prim:
		e.status, ok = 'g', status.Empty()
	case ctx2Prim:
		e.status, ok = 'u', status.Empty()
	case ctx1:
		e.status = 'r'
		ok = readGeneralized(&status, &e.revokedAt) && status.ReadOptionalASN1(&wrapped, &has, ctx0) && status.Empty() &&
			(!has || wrapped.ReadASN1Enum(&e.reason) && wrapped.Empty())
	default:
		ok = false
	}
	if !ok || !readGeneralized(&body, &e.thisUpdate) || !body.ReadOptionalASN1(&next, &has, ctx0) ||
		has && (!readGeneralized(&next, &e.nextUpdate) || !next.Empty()) ||
		!body.ReadOptionalASN1(&wrapped, &has, ctx1) || !body.Empty() {
		return e, false
	}
	if has {
		x, ok := readExtensions(wrapped)
		e.foreign = x.foreign
		return e, ok
	}
	return e, true
}

// Answers reports whether the response answers this request: its nonce is the one that was sent, and it speaks of the
// certificate asked about. Whoever fetches a response asks this; a stapled response was somebody else's answer and has
// only its times to show that it is fresh.
func (r *OCSPResponse) Answers(q *OCSPRequest) bool {
	if r.Status != OCSPSuccessful || q.Nonce != nil && !bytes.Equal(r.Nonce, q.Nonce) {
		return false
	}
	for _, id := range q.ids {
		found := false
		for _, e := range r.entries {
			found = found || bytes.Equal(e.id.raw, id.raw)
		}
		if !found {
			return false
		}
	}
	return true
}
