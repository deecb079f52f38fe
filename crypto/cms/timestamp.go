package cms

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/gm"
)

// AddTimestamp puts a time-stamp token beside the signature of signer i, as an unsigned attribute (RFC 3161 annex A),
// and returns the new message. What the token must stamp is SM3 of SignatureValue(i); crypto/tsp judges it. The
// signature itself is not touched. With several signers their order may change, since they stand in a DER SET.
func AddTimestamp(der []byte, i int, token []byte) ([]byte, error) {
	s, err := ParseSigned(der)
	if err != nil {
		return nil, fmt.Errorf("add time-stamp: %w", err)
	}
	if i < 0 || i >= len(s.signers) {
		return nil, fmt.Errorf("add time-stamp: %w: no signer %d", ErrOptions, i)
	}
	if err := CheckDER(token, MaxSize); err != nil {
		return nil, fmt.Errorf("add time-stamp: token: %w", err)
	}
	body, oid, _ := readContentInfo(s.Raw) // it parsed above
	var before [][]byte
	var last cryptobyte.String
	for !body.Empty() {
		var tag cbasn1.Tag
		if last != nil {
			before = append(before, last)
		}
		if !body.ReadAnyASN1Element(&last, &tag) {
			return nil, malformed("signed data")
		}
	}
	infos, err := stampSigner(last, i, token)
	if err != nil {
		return nil, err
	}
	out, err := contentInfo(oid, func(b *cryptobyte.Builder) {
		b.AddBytes(bytes.Join(before, nil))
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(infos) })
	})
	if err != nil {
		return nil, fmt.Errorf("add time-stamp: %w", err)
	}
	_, err = ParseSigned(out)
	return out, err
}

// Stamp adds the time-stamp token that stamp gives for the SM3 of the one signature of the message.
func Stamp(der []byte, stamp func(sum [32]byte) ([]byte, error)) ([]byte, error) {
	s, err := ParseSigned(der)
	if err != nil {
		return nil, fmt.Errorf("add time-stamp: %w", err)
	}
	if s.Signers() != 1 {
		return nil, fmt.Errorf("add time-stamp: %w: %d signers", ErrOptions, s.Signers())
	}
	token, err := stamp(gm.SM3(s.SignatureValue(0)))
	if err != nil {
		return nil, fmt.Errorf("add time-stamp: %w", err)
	}
	return AddTimestamp(der, 0, token)
}

// stampSigner rewrites the SET of signers with the token in the i-th.
func stampSigner(set cryptobyte.String, i int, token []byte) ([]byte, error) {
	var in cryptobyte.String
	if !set.ReadASN1(&in, cbasn1.SET) {
		return nil, malformed("signers")
	}
	var infos [][]byte
	for !in.Empty() {
		var raw, body, unsigned cryptobyte.String
		if !in.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
			return nil, malformed("signer")
		}
		if len(infos) != i {
			infos = append(infos, raw)
			continue
		}
		if !raw.ReadASN1(&body, cbasn1.SEQUENCE) {
			return nil, malformed("signer")
		}
		var parts []byte
		for !body.Empty() {
			var part cryptobyte.String
			var tag cbasn1.Tag
			if !body.ReadAnyASN1Element(&part, &tag) {
				return nil, malformed("signer")
			}
			if tag == explicit1 {
				unsigned = part
				continue
			}
			parts = append(parts, part...)
		}
		attrs, err := withToken(unsigned, token)
		if err != nil {
			return nil, err
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(parts)
			b.AddASN1(explicit1, func(b *cryptobyte.Builder) { b.AddBytes(attrs) })
		})
		info, err := b.Bytes()
		if err != nil {
			return nil, fmt.Errorf("add time-stamp: %w", err)
		}
		infos = append(infos, info)
	}
	sortDER(infos)
	return bytes.Join(infos, nil), nil
}

// withToken adds the token to unsigned attributes, which may be missing.
func withToken(unsigned cryptobyte.String, token []byte) ([]byte, error) {
	var in cryptobyte.String
	var attrs [][]byte
	if len(unsigned) > 0 && !unsigned.ReadASN1(&in, explicit1) {
		return nil, malformed("unsigned attributes")
	}
	for !in.Empty() {
		var a cryptobyte.String
		if !in.ReadASN1Element(&a, cbasn1.SEQUENCE) {
			return nil, malformed("unsigned attributes")
		}
		attrs = append(attrs, a)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidTimestampToken)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(token) })
	})
	a, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("add time-stamp: %w", err)
	}
	attrs = append(attrs, a)
	sortDER(attrs)
	return bytes.Join(attrs, nil), nil
}
