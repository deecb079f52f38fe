// Package tsp makes, asks for and judges time-stamps: RFC 3161 with SM2 and SM3.
//
// It promises that a token proves a time only if everything about it holds: strict DER of the expected structure, one
// signer, the imprint of exactly this data by SM3, a certificate that is for time-stamping alone (critical extended key
// usage), bound by signingCertificateV2, trusted and not revoked at the stated time, a policy that the caller accepts, the
// nonce where one was sent, and a time that is neither in the future nor before the data can have existed. The client
// releases nothing that it has not judged so itself. The authority refuses to stamp when its clock has run backwards or
// its owner says that the clock is not to be relied on.
//
// It does not promise that an old token still proves something after its certificate has expired or its algorithms have
// become weak: renewal is the archive's matter. The authority is for tests and pilots. The national texts on time-stamps
// were not at hand; the package is shaped after RFC 3161 with the algorithms of GB/T 32905 and 32918.
package tsp

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// Bounds on what is read.
const (
	// MaxRequest and MaxResponse are the largest messages in bytes; a token is no larger than a response.
	MaxRequest  = 16 << 10
	MaxResponse = 256 << 10
	// MaxNumber bounds serial numbers and nonces, in bytes. RFC 3161 asks for at least 20.
	MaxNumber = 32
	// maxText bounds the texts of a refusal.
	maxText = 16
)

// Media types over HTTP (RFC 3161 3.4).
const (
	QueryType = "application/timestamp-query"
	ReplyType = "application/timestamp-reply"
)

// OIDs. Treat them as constants.
var (
	oidTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	// PilotPolicy is the policy that the small authority names unless it is given another: the arc for examples
	// (RFC 6996 style, ITU-T X.660 2.999), so that nobody takes its tokens for those of a qualified authority.
	PilotPolicy = asn1.ObjectIdentifier{2, 999, 3161, 1}
)

// ErrMalformed: not a request or response of the expected form.
var ErrMalformed = errors.New("tsp: malformed")

// Tags of implicit and explicit context fields.
const (
	tag0     = cbasn1.Tag(0x80)
	tag1     = cbasn1.Tag(0x81)
	tag0Cons = cbasn1.Tag(0xa0)
	tag1Cons = cbasn1.Tag(0xa1)
	dirName  = cbasn1.Tag(0xa4)
)

// imprint is MessageImprint: which algorithm, and the digest.
type imprint struct {
	algorithm asn1.ObjectIdentifier
	plain     bool // parameters absent or NULL
	digest    []byte
}

// by reports whether the imprint is in form a digest of 32 bytes by the algorithm.
func (m imprint) by(algorithm asn1.ObjectIdentifier) bool {
	return m.plain && m.algorithm.Equal(algorithm) && len(m.digest) == len(gm.Digest{})
}

func (m imprint) bySM3() bool { return m.by(gm.OIDSM3) }

func readImprint(in *cryptobyte.String) (imprint, bool) {
	var seq, alg, digest, params cryptobyte.String
	var m imprint
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&alg, cbasn1.SEQUENCE) ||
		!seq.ReadASN1(&digest, cbasn1.OCTET_STRING) || !seq.Empty() || !alg.ReadASN1ObjectIdentifier(&m.algorithm) {
		return m, false
	}
	m.digest, m.plain = digest, true
	if !alg.Empty() {
		m.plain = alg.ReadASN1(&params, cbasn1.NULL) && params.Empty() && alg.Empty()
	}
	return m, true
}

// addImprint writes an SM3 imprint; its parameters are NULL, as other implementations write them.
func addImprint(b *cryptobyte.Builder, sum [32]byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(gm.OIDSM3)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(sum[:])
	})
}

// readNumber reads an INTEGER that is not negative and no longer than MaxNumber.
func readNumber(in *cryptobyte.String) (*big.Int, bool) {
	n := new(big.Int)
	if !in.ReadASN1Integer(n) || n.Sign() < 0 || n.BitLen() > 8*MaxNumber {
		return nil, false
	}
	return n, true
}

// readFlag reads a BOOLEAN DEFAULT FALSE; DER never writes the default.
func readFlag(in *cryptobyte.String) (value, ok bool) {
	if !in.PeekASN1Tag(cbasn1.BOOLEAN) {
		return false, true
	}
	ok = in.ReadASN1Boolean(&value)
	return value, ok && value
}

func readAccuracy(in cryptobyte.String) (time.Duration, bool) {
	var seconds, millis, micros int64
	if in.PeekASN1Tag(cbasn1.INTEGER) && !in.ReadASN1Integer(&seconds) {
		return 0, false
	}
	for _, f := range []struct {
		tag cbasn1.Tag
		to  *int64
	}{{tag0, &millis}, {tag1, &micros}} {
		if !in.PeekASN1Tag(f.tag) {
			continue
		}
		var body cryptobyte.String
		if !in.ReadASN1(&body, f.tag) || len(body) == 0 || len(body) > 2 || body[0] >= 0x80 || len(body) == 2 && body[0] == 0 && body[1] < 0x80 {
			return 0, false
		}
		for _, c := range body {
			*f.to = *f.to<<8 | int64(c)
		}
		if *f.to < 1 || *f.to > 999 {
			return 0, false
		}
	}
	if !in.Empty() || seconds < 0 || seconds > 1<<30 {
		return 0, false
	}
	return time.Duration(seconds)*time.Second + time.Duration(millis)*time.Millisecond + time.Duration(micros)*time.Microsecond, true
}

// parseGenTime reads "YYYYMMDDhhmmss[.s…]Z" (RFC 3161 2.4.2): a fraction may stand there, but no trailing zero.
func parseGenTime(text string) (time.Time, bool) {
	body, found := cutZ(text)
	if !found || len(body) < 14 || len(body) == 15 || len(body) > 24 {
		return time.Time{}, false
	}
	layout := "20060102150405"
	if len(body) > 14 {
		if body[14] != '.' || body[len(body)-1] == '0' {
			return time.Time{}, false
		}
		layout += "." + "000000000"[:len(body)-15]
	}
	t, err := time.Parse(layout, body)
	return t.UTC(), err == nil && t.Format(layout) == body && !t.IsZero() // the zero time stands for none
}

func cutZ(text string) (string, bool) {
	if text == "" || text[len(text)-1] != 'Z' {
		return "", false
	}
	return text[:len(text)-1], true
}

func refuse(what string) *verdict.ContainerError {
	return verdict.Refuse(verdict.TimestampInvalid, "%s", what)
}

func wrongForm(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

func hasOID(list []asn1.ObjectIdentifier, oid asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(list, oid.Equal)
}
