package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// RecipientID names a recipient's encryption certificate: by issuer and serial number, or by its key identifier.
type RecipientID struct {
	// RawIssuer is the issuer's name in DER, Serial the serial number; both are empty where KeyID stands.
	RawIssuer []byte
	Serial    *big.Int
	// KeyID is the subject key identifier.
	KeyID []byte
}

// OpenOptions relax what an envelope may look like, each for a named kind of writer. The zero value is strict.
type OpenOptions struct {
	// KeyExchangeOID also reads 1.2.156.10197.1.301.2 (SM2-2, key exchange) where SM2-3 belongs, as GmSSL writes it.
	KeyExchangeOID bool
}

// EnvelopedData is a parsed envelope.
type EnvelopedData struct {
	// Raw is the whole message.
	Raw []byte
	// Profile is the family of object identifiers that the outer layer uses.
	Profile Profile

	recipients []recipientInfo
	iv         []byte
	ciphertext []byte
}

type recipientInfo struct {
	id identity
	// keyID, where set, stands in place of id.
	keyID []byte
	key   []byte
}

// maxKeyID bounds a key identifier, in bytes.
const maxKeyID = 64

// names reports whether the recipient is named as c is. A key identifier is a hint that anybody can copy into a
// certificate, so it never matches an empty one, and opening needs the private key all the same.
func (r *recipientInfo) names(c *cert.Certificate) bool {
	if r.keyID != nil {
		return bytes.Equal(r.keyID, c.SubjectKeyID())
	}
	return r.id.names(c)
}

// Encrypt makes an envelope (GB/T 35275-2017 clause 9) of SM4-CBC content, its key encrypted by SM2 to each recipient's
// encryption certificate. A signing certificate is refused. It is meant for keys and small content. A nil random means
// crypto/rand.
func Encrypt(content []byte, to []*cert.Certificate, random io.Reader) ([]byte, error) {
	return EncryptAs(ProfileGBT, content, to, random)
}

// EncryptAs is Encrypt in either profile.
func EncryptAs(p Profile, content []byte, to []*cert.Certificate, random io.Reader) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	if len(to) == 0 || len(to) > MaxRecipients || len(content) > MaxSize/2 {
		return nil, fmt.Errorf("encrypt message: %w: %d recipients, %d bytes", ErrOptions, len(to), len(content))
	}
	secret := make([]byte, gm.KeySize+gm.BlockSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("encrypt message: draw key: %w", err)
	}
	key, iv := secret[:gm.KeySize], secret[gm.KeySize:]
	defer clear(key)
	recipients, err := wrap(p, key, to, random)
	if err != nil {
		return nil, fmt.Errorf("encrypt message: %w", err)
	}
	ciphertext, err := gm.EncryptCBC(key, iv, content)
	if err != nil {
		return nil, fmt.Errorf("encrypt message: %w", err)
	}
	return contentInfo(p.enveloped(), func(b *cryptobyte.Builder) {
		b.AddASN1Int64(p.envelopeVersion())
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(recipients) })
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(p.data())
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(gm.OIDSM4CBC)
				b.AddASN1OctetString(iv)
			})
			b.AddASN1(implicit0, func(b *cryptobyte.Builder) { b.AddBytes(ciphertext) })
		})
	})
}

// envelopeVersion is 1 in GB/T 35275 and 0 in RFC 5652, for the envelope and for its recipients alike.
func (p Profile) envelopeVersion() int64 {
	if p == ProfileRFC {
		return 0
	}
	return 1
}

// wrap encrypts the content key for each recipient and returns the recipients in DER order.
func wrap(p Profile, key []byte, to []*cert.Certificate, random io.Reader) ([]byte, error) {
	infos := make([][]byte, 0, len(to))
	for i, c := range to {
		if err := c.CheckUse(cert.UseEncrypt); err != nil {
			return nil, err
		}
		for _, o := range to[:i] {
			if o.Equal(c) {
				return nil, fmt.Errorf("%w: recipient %s stands twice", ErrOptions, c.SubjectText())
			}
		}
		wrapped, err := gm.Encrypt(random, c.PublicKey, key)
		if err != nil {
			return nil, fmt.Errorf("wrap key for %s: %w", c.SubjectText(), err)
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(p.envelopeVersion())
			addIdentity(b, c)
			addAlgorithm(b, gm.OIDSM2Encryption, p.digestParams())
			b.AddASN1OctetString(wrapped)
		})
		der, err := b.Bytes()
		if err != nil {
			return nil, fmt.Errorf("wrap key for %s: %w", c.SubjectText(), err)
		}
		infos = append(infos, der)
	}
	sortDER(infos)
	return bytes.Join(infos, nil), nil
}

// ParseEnveloped reads an envelope of either family. What is refused gives a *verdict.ContainerError: not_der,
// trailing_data, limit, malformed, alg_mismatch.
func ParseEnveloped(der []byte) (*EnvelopedData, error) {
	return ParseEnvelopedWith(der, OpenOptions{})
}

// ParseEnvelopedWith is ParseEnveloped with options.
func ParseEnvelopedWith(der []byte, o OpenOptions) (*EnvelopedData, error) {
	if err := CheckDER(der, MaxSize); err != nil {
		return nil, err
	}
	e := &EnvelopedData{Raw: bytes.Clone(der)}
	body, oid, ok := readContentInfo(e.Raw)
	switch {
	case !ok:
		return nil, malformed("not a ContentInfo")
	case oid.Equal(oidGBTEnveloped):
		e.Profile = ProfileGBT
	case oid.Equal(oidRFCEnveloped):
		e.Profile = ProfileRFC
	default:
		return nil, malformed("content type is not enveloped data")
	}
	var version int64
	var recipients, content cryptobyte.String
	if !body.ReadASN1Integer(&version) || version < 0 || version > 2 ||
		!body.ReadASN1(&recipients, cbasn1.SET) || !body.ReadASN1(&content, cbasn1.SEQUENCE) || !body.Empty() {
		return nil, malformed("enveloped data")
	}
	if err := e.parseRecipients(recipients, o); err != nil {
		return nil, err
	}
	return e, e.parseContent(content)
}

func (e *EnvelopedData) parseRecipients(in cryptobyte.String, o OpenOptions) error {
	for !in.Empty() {
		if len(e.recipients) == MaxRecipients {
			return verdict.Refuse(verdict.Limit, "more than %d recipients", MaxRecipients)
		}
		r, err := parseRecipient(&in, o)
		if err != nil {
			return err
		}
		e.recipients = append(e.recipients, r)
	}
	if len(e.recipients) == 0 {
		return malformed("envelope without recipients")
	}
	return nil
}

// parseRecipient reads KeyTransRecipientInfo: version 0 or 1 with issuer and serial number, 2 with a key identifier.
func parseRecipient(in *cryptobyte.String, o OpenOptions) (recipientInfo, error) {
	var r recipientInfo
	var body, key, keyID cryptobyte.String
	var version int64
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version < 0 || version > 2 {
		return r, malformed("version of the recipient")
	}
	var ok bool
	if version == 2 {
		ok = body.ReadASN1(&keyID, implicit0) && len(keyID) > 0 && len(keyID) <= maxKeyID
		r.keyID = keyID
	} else {
		r.id, ok = readIdentity(&body)
	}
	if !ok {
		return r, malformed("name of the recipient")
	}
	a, ok := readAlgorithm(&body)
	if !ok || !body.ReadASN1(&key, cbasn1.OCTET_STRING) || !body.Empty() {
		return r, malformed("recipient")
	}
	if !a.is(gm.OIDSM2Encryption) && !(o.KeyExchangeOID && a.is(gm.OIDSM2KeyExchange)) {
		return r, verdict.Refuse(verdict.AlgMismatch, "key encryption %s is not SM2", a.oid)
	}
	r.key = key
	return r, nil
}

func (e *EnvelopedData) parseContent(in cryptobyte.String) error {
	var oid asn1.ObjectIdentifier
	var ciphertext cryptobyte.String
	if !in.ReadASN1ObjectIdentifier(&oid) || !isData(oid) {
		return malformed("content of the envelope is not data")
	}
	a, ok := readAlgorithm(&in)
	if !ok {
		return malformed("content encryption algorithm")
	}
	if !a.oid.Equal(gm.OIDSM4CBC) {
		return verdict.Refuse(verdict.AlgMismatch, "content encryption %s is not SM4-CBC", a.oid)
	}
	if e.iv, ok = octets(a.params); !ok || len(e.iv) != gm.BlockSize {
		return malformed("IV of the content encryption")
	}
	if !in.ReadASN1(&ciphertext, implicit0) || !in.Empty() {
		return malformed("encrypted content")
	}
	e.ciphertext = ciphertext
	return nil
}

// Recipients names those to whom the envelope is addressed.
func (e *EnvelopedData) Recipients() []RecipientID {
	out := make([]RecipientID, len(e.recipients))
	for i, r := range e.recipients {
		out[i] = RecipientID{RawIssuer: r.id.issuer, Serial: r.id.serial, KeyID: r.keyID}
	}
	return out
}

// AddressedTo reports whether the envelope names the certificate.
func (e *EnvelopedData) AddressedTo(c *cert.Certificate) bool {
	return e.recipient(c) != nil
}

func (e *EnvelopedData) recipient(c *cert.Certificate) *recipientInfo {
	for i := range e.recipients {
		if e.recipients[i].names(c) {
			return &e.recipients[i]
		}
	}
	return nil
}

// Open decrypts the content with the key of the certificate c. ErrNotRecipient: not addressed to c. ErrDecrypt: it does
// not open, for whatever cause, after the same work. Other errors are those of the key's handle (away, denied).
func (e *EnvelopedData) Open(c *cert.Certificate, key crypto.Decrypter) ([]byte, error) {
	r := e.recipient(c)
	if r == nil {
		return nil, ErrNotRecipient
	}
	if err := c.MatchesKey(key.Public()); err != nil {
		return nil, fmt.Errorf("open envelope: %w", err)
	}
	secret, err := key.Decrypt(nil, r.key, nil)
	if err != nil && !errors.Is(err, gm.ErrDecrypt) {
		return nil, fmt.Errorf("open envelope: %w", err)
	}
	defer clear(secret)
	// A wrapped key that does not open, or is none that anybody draws, is replaced by one that opens nothing, so that the
	// time and the answer are those of a content that does not open.
	sound := err == nil && len(secret) == gm.KeySize && !bytes.Equal(secret, make([]byte, gm.KeySize))
	if !sound {
		secret = bytes.Repeat([]byte{0x5a}, gm.KeySize)
	}
	content, err := gm.DecryptCBC(secret, e.iv, e.ciphertext)
	if err != nil || !sound {
		return nil, ErrDecrypt
	}
	return content, nil
}

// Decrypt is ParseEnveloped and Open.
func Decrypt(der []byte, c *cert.Certificate, key crypto.Decrypter) ([]byte, error) {
	e, err := ParseEnveloped(der)
	if err != nil {
		return nil, err
	}
	return e.Open(c, key)
}
