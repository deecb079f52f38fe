package cms_test

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
)

var now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

var (
	oidGBTData   = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 1}
	oidGBTSigned = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 2}
	oidRFCData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidRFCSigned = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSHA256    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSA     = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}

	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidESS           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// message is a signed message before it is written, open to every forgery. It is independent of the code under test.
type message struct {
	outer, eContentType asn1.ObjectIdentifier
	content             []byte // nil: detached
	version             int64
	certs               [][]byte
	signers             []*signer
	trailing            []byte // inside SignedData, after the signers
}

type signer struct {
	named                 *cert.Certificate
	version               int64
	digest, sig           asn1.ObjectIdentifier
	digestParams, sigPara []byte
	attrs                 [][]byte // each in DER; nil: none
	sorted                bool
	sign                  func(signed []byte) []byte
	value                 []byte // set: used instead of sign
	unsigned              []byte
}

// whole is a good message of profile gbt by a party over a content.
func whole(t testing.TB, a *certtest.Party, content []byte) *message {
	t.Helper()
	return &message{
		outer: oidGBTSigned, eContentType: oidGBTData, content: content, version: 1,
		certs: [][]byte{a.SigningCert.Raw}, signers: []*signer{wholeSigner(t, a, content)},
	}
}

func wholeSigner(t testing.TB, a *certtest.Party, content []byte) *signer {
	t.Helper()
	return &signer{
		named: a.SigningCert, version: 1, digest: gm.OIDSM3, sig: gm.OIDSM2Signature,
		digestParams: asn1.NullBytes, sigPara: asn1.NullBytes, sorted: true, sign: signWith(t, a.SignKey),
		attrs: [][]byte{
			attr(t, oidContentType, der(t, oidGBTData)), attr(t, oidMessageDigest, digestOf(t, content)),
			attr(t, oidSigningTime, der(t, now)), attr(t, oidESS, ess(t, gm.OIDSM3, a.SigningCert)),
		},
	}
}

func signWith(t testing.TB, key *gm.PrivateKey) func([]byte) []byte {
	return func(signed []byte) []byte {
		sig, err := gm.Sign(nil, key, signed)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
}

func der(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func digestOf(t testing.TB, content []byte) []byte {
	sum := gm.SM3(content)
	return der(t, sum[:])
}

// ess is SigningCertificateV2 by SM3, or by SHA-256 with the algorithm left out.
func ess(t testing.TB, hash asn1.ObjectIdentifier, c *cert.Certificate) []byte {
	sum := c.SM3()
	return essOf(t, hash, sum[:])
}

func essOf(t testing.TB, hash asn1.ObjectIdentifier, sum []byte) []byte {
	type algorithm struct{ Algorithm asn1.ObjectIdentifier }
	type id struct {
		Algorithm algorithm
		Hash      []byte
	}
	type bare struct{ Hash []byte }
	if hash.Equal(oidSHA256) {
		return der(t, struct{ Certs []bare }{[]bare{{sum}}})
	}
	return der(t, struct{ Certs []id }{[]id{{algorithm{hash}, sum}}})
}

// attr writes an attribute with any number of values.
func attr(t testing.TB, oid asn1.ObjectIdentifier, values ...[]byte) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			for _, v := range values {
				b.AddBytes(v)
			}
		})
	})
	return b.BytesOrPanic()
}

// attrsOf joins the attributes as they are sent.
func (s *signer) attrsOf() []byte {
	list := slices.Clone(s.attrs)
	if s.sorted {
		slices.SortFunc(list, bytes.Compare)
	}
	return bytes.Join(list, nil)
}

func tlv(tag cbasn1.Tag, body []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(body) })
	return b.BytesOrPanic()
}

func seq(parts ...[]byte) []byte { return tlv(cbasn1.SEQUENCE, bytes.Join(parts, nil)) }

func (m *message) marshal(t testing.TB) []byte {
	t.Helper()
	econtent := der(t, m.eContentType)
	if m.content != nil {
		econtent = append(econtent, tlv(0xa0, der(t, m.content))...)
	}
	infos := make([][]byte, 0, len(m.signers))
	for _, s := range m.signers {
		infos = append(infos, s.marshal(t, m.content))
	}
	slices.SortFunc(infos, bytes.Compare)
	body := [][]byte{
		der(t, m.version), tlv(cbasn1.SET, seq(der(t, gm.OIDSM3), asn1.NullBytes)), seq(econtent),
	}
	if m.certs != nil {
		body = append(body, tlv(0xa0, bytes.Join(m.certs, nil)))
	}
	body = append(body, tlv(cbasn1.SET, bytes.Join(infos, nil)), m.trailing)
	return seq(der(t, m.outer), tlv(0xa0, seq(body...)))
}

func (s *signer) marshal(t testing.TB, content []byte) []byte {
	t.Helper()
	signed := content
	parts := [][]byte{der(t, s.version), seq(s.named.RawIssuer, der(t, s.named.Serial)), seq(der(t, s.digest), s.digestParams)}
	if s.attrs != nil {
		joined := s.attrsOf()
		signed = tlv(cbasn1.SET, joined)
		parts = append(parts, tlv(0xa0, joined))
	}
	value := s.value
	if value == nil {
		value = s.sign(signed)
	}
	parts = append(parts, seq(der(t, s.sig), s.sigPara), der(t, value), s.unsigned)
	return seq(parts...)
}
