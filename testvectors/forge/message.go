package forge

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"time"
)

// Object identifiers that messages are made of. Treat them as constants.
var (
	OIDGBTData      = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 1}
	OIDGBTSigned    = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 2}
	OIDGBTEnveloped = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 3}
	OIDRFCData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	OIDRFCSigned    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	OIDTSTInfo      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

	OIDSM3             = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 401}
	OIDSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	OIDSM2Signature    = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301, 1}
	OIDSM2Encryption   = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301, 3}
	OIDSM2WithSM3      = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 501}
	OIDSM4CBC          = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104, 2}
	OIDSM4GCM          = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104, 8}
	OIDECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}

	OIDContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	OIDMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	OIDSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	OIDESS           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// Message is a signed message before it is written, open to every forgery. The reader under test has no part in it.
type Message struct {
	Outer, EContentType asn1.ObjectIdentifier
	Content             []byte // nil: detached
	Version             int
	Certs               [][]byte
	Signers             []*Signer
	// Trailing stands inside SignedData, after the signers.
	Trailing []byte
}

// Signer is one signer of it.
type Signer struct {
	// Issuer and Serial name its certificate, both in DER.
	Issuer, Serial []byte
	Version        int
	// Digest and Sig are the algorithms, with parameters in DER.
	Digest, Sig            asn1.ObjectIdentifier
	DigestParams, SigParam []byte
	// Attrs are the signed attributes, each in DER; nil: none. Sorted puts them in the order of a DER SET.
	Attrs  [][]byte
	Sorted bool
	// Sign makes the signature over what is signed, unless Value is set.
	Sign  func(signed []byte) []byte
	Value []byte
	// Unsigned are the attributes beside it, with their tag.
	Unsigned []byte
}

// NewMessage is a good message of the form of GB/T 35275 by the owner of a certificate.
func NewMessage(certificate, content []byte, at time.Time, tools Tools) *Message {
	return &Message{
		Outer: OIDGBTSigned, EContentType: OIDGBTData, Content: content, Version: 1,
		Certs: [][]byte{certificate}, Signers: []*Signer{NewSigner(certificate, content, at, tools)},
	}
}

// NewSigner is a good signer of a content.
func NewSigner(certificate, content []byte, at time.Time, tools Tools) *Signer {
	issuer, serial := Name(certificate)
	return &Signer{
		Issuer: issuer, Serial: serial, Version: 1, Digest: OIDSM3, Sig: OIDSM2Signature,
		DigestParams: asn1.NullBytes, SigParam: asn1.NullBytes, Sorted: true, Sign: tools.Sign,
		Attrs: [][]byte{
			Attr(OIDContentType, DER(OIDGBTData)), Attr(OIDMessageDigest, DER(tools.Sum(content))),
			Attr(OIDSigningTime, DER(at)), Attr(OIDESS, ESS(OIDSM3, tools.Sum(certificate))),
		},
	}
}

// Name takes issuer and serial number out of a certificate (RFC 5280 4.1), both in DER.
func Name(certificate []byte) (issuer, serial []byte) {
	tbs := Must(certificate).At(0)
	if tbs.At(0).Tag == 0xa0 { // the version
		tbs.Remove(0)
	}
	return tbs.At(2).Bytes(), tbs.At(0).Bytes()
}

// DER marshals what encoding/asn1 knows.
func DER(v any) []byte { return marshal(v).Bytes() }

// ESS is SigningCertificateV2 (RFC 5035) over the digest of a certificate; SHA-256 is named by leaving it out.
func ESS(hash asn1.ObjectIdentifier, sum []byte) []byte {
	id := sequence(Octets(sum).Bytes())
	if !hash.Equal(OIDSHA256) {
		id = sequence(sequence(DER(hash)), Octets(sum).Bytes())
	}
	return sequence(sequence(id))
}

// Attr writes an attribute with any number of values.
func Attr(oid asn1.ObjectIdentifier, values ...[]byte) []byte {
	return sequence(DER(oid), TLV(0x31, bytes.Join(values, nil)))
}

func sequence(parts ...[]byte) []byte { return TLV(0x30, bytes.Join(parts, nil)) }

// Attributes joins the signed attributes as they are sent.
func (s *Signer) Attributes() []byte {
	list := slices.Clone(s.Attrs)
	if s.Sorted {
		slices.SortFunc(list, bytes.Compare)
	}
	return bytes.Join(list, nil)
}

// Bytes writes the message.
func (m *Message) Bytes() []byte {
	econtent := DER(m.EContentType)
	if m.Content != nil {
		econtent = append(econtent, TLV(0xa0, Octets(m.Content).Bytes())...)
	}
	infos := make([][]byte, 0, len(m.Signers))
	for _, s := range m.Signers {
		infos = append(infos, s.bytes(m.Content))
	}
	slices.SortFunc(infos, bytes.Compare)
	body := [][]byte{DER(m.Version), TLV(0x31, sequence(DER(OIDSM3), asn1.NullBytes)), sequence(econtent)}
	if m.Certs != nil {
		body = append(body, TLV(0xa0, bytes.Join(m.Certs, nil)))
	}
	body = append(body, TLV(0x31, bytes.Join(infos, nil)), m.Trailing)
	return sequence(DER(m.Outer), TLV(0xa0, sequence(body...)))
}

func (s *Signer) bytes(content []byte) []byte {
	signed := content
	parts := [][]byte{DER(s.Version), sequence(s.Issuer, s.Serial), sequence(DER(s.Digest), s.DigestParams)}
	if s.Attrs != nil {
		joined := s.Attributes()
		signed = TLV(0x31, joined)
		parts = append(parts, TLV(0xa0, joined))
	}
	value := s.Value
	if value == nil {
		value = s.Sign(signed)
	}
	return sequence(append(parts, sequence(DER(s.Sig), s.SigParam), Octets(value).Bytes(), s.Unsigned)...)
}

// Envelope is an enveloped message before it is written.
type Envelope struct {
	Outer, Inner, KeyAlg, Alg asn1.ObjectIdentifier
	// Version is that of the message, Recipient that of its recipient; below zero there is none.
	Version, Recipient int
	// To is the certificate that the recipient is named by.
	To                  []byte
	Key, IV, Ciphertext []byte
}

// NewEnvelope is a good envelope of the form of GB/T 35275: what Key, IV and Ciphertext hold is made by the test.
func NewEnvelope(to, key, iv, ciphertext []byte) *Envelope {
	return &Envelope{
		Outer: OIDGBTEnveloped, Inner: OIDGBTData, KeyAlg: OIDSM2Encryption, Alg: OIDSM4CBC,
		Version: 1, Recipient: 1, To: to, Key: key, IV: iv, Ciphertext: ciphertext,
	}
}

// Bytes writes the message.
func (e *Envelope) Bytes() []byte {
	issuer, serial := Name(e.To)
	recipient := sequence(DER(e.Recipient), sequence(issuer, serial), sequence(DER(e.KeyAlg), asn1.NullBytes), Octets(e.Key).Bytes())
	if e.Recipient < 0 {
		recipient = nil
	}
	return sequence(DER(e.Outer), TLV(0xa0, sequence(DER(e.Version), TLV(0x31, recipient),
		sequence(DER(e.Inner), sequence(DER(e.Alg), Octets(e.IV).Bytes()), TLV(0x80, e.Ciphertext)))))
}
