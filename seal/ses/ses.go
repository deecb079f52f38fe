// Package ses reads and writes electronic seals and seal signatures: SESeal and SES_Signature, shaped after
// GB/T 38540-2020 (version 4), its successor in the same shape (version 5, as read by other software), and
// GM/T 0031-2014 (version 1).
//
// It promises strictness: DER alone, no trailing bytes, every tag as the structure asks, booleans written even when
// false, versions that fit the shape. Parsing keeps the bytes that signatures are made over, so that nothing is ever
// verified over a re-encoding, and what it parses it marshals back byte for byte; of version 1, where other software
// writes certificates and times in several forms, only its own form.
//
// It verifies nothing: it holds no trust, no time and no key. See seal and seal/ofdseal.
package ses

import (
	"encoding/asn1"
	"time"

	"yinxin/crypto/gm"
)

// Limits of what is parsed.
const (
	// MaxSize is the largest seal or seal signature in bytes.
	MaxSize = 16 << 20
	// MaxSigners is the largest number of certificates or digests in a seal's list.
	MaxSigners = 1024
	// MaxExtensions is the largest number of extensions in one list.
	MaxExtensions = 64
	maxDepth      = 32
)

// Versions of the structures.
const (
	Version1 = 1
	Version4 = 4
	Version5 = 5
)

// Types of a seal (property.type). Version 4 leaves the number to the business; these are the usual two.
const (
	TypeOrganisation = 1
	TypePerson       = 2
)

// Seal is SESeal (GB/T 38540-2020, 7.1).
type Seal struct {
	// Raw is the whole structure, RawInfo the DER of eSealInfo: what the maker signs. Both as read.
	Raw, RawInfo []byte
	// Version is 1 by the shape, 4 or 5 by the shape and the header.
	Version int
	Info    SealInfo
	// MakerCert is the DER of the maker's certificate.
	MakerCert []byte
	// Algorithm is the maker's signature algorithm, Value the signature (DER of r and s).
	Algorithm asn1.ObjectIdentifier
	Value     []byte
	// TimeStamp is the seal's own time-stamp (version 5 alone), nil if absent.
	TimeStamp []byte
}

// SealInfo is SES_SealInfo.
type SealInfo struct {
	Header   Header
	SealID   string // esID
	Property Property
	Picture  Picture
	// Extensions is extDatas, nil if absent.
	Extensions []Extension
}

// Header is SES_Header.
type Header struct {
	ID      string // always "ES"
	Version int
	Vendor  string // vid, ASCII
}

// Property is SES_ESPropertyInfo.
type Property struct {
	Type int
	Name string
	// SignerCerts (certListType 1) or SignerCertDigests (certListType 2): who may use the seal. Exactly one is non-nil.
	SignerCerts       [][]byte
	SignerCertDigests []CertDigest
	Created           time.Time
	From, To          time.Time // validStart, validEnd
}

// CertDigest is CertDigestObj: the digest of a signer's certificate.
type CertDigest struct {
	Type  string // name of the digest; the OID of SM3 is written
	Value []byte
}

// Picture is SES_ESPictrueInfo (the spelling is the standard's).
type Picture struct {
	Type          string // PNG, JPG, BMP, GIF, OFD …
	Data          []byte
	Width, Height int // whole millimetres
}

// Extension is ExtData.
type Extension struct {
	ID       asn1.ObjectIdentifier
	Critical bool
	Value    []byte
}

// Signature is SES_Signature (GB/T 38540-2020, 7.2).
type Signature struct {
	// Raw is the whole structure, RawToSign the DER of toSign: what the signer signs. Both as read.
	Raw, RawToSign []byte
	ToBeSigned     ToBeSigned
	// Cert is the DER of the signer's certificate.
	Cert      []byte
	Algorithm asn1.ObjectIdentifier
	Value     []byte
	// TimeStamp is the token over the signature value, nil if absent.
	TimeStamp []byte
}

// ToBeSigned is TBS_Sign.
type ToBeSigned struct {
	Version int
	Seal    *Seal
	// Time is timeInfo, the signer's claim; zero if there is a TimeToken instead. ZoneAssumed says that it stands there
	// without a zone (version 1 alone) and was read as the time of China, UTC+8.
	Time        time.Time
	ZoneAssumed bool
	// TimeToken is timeInfo of version 1 where it is no time that can be read, such as a time-stamp token.
	TimeToken []byte
	// SignerCert is the signer's certificate, which version 1 alone keeps in here.
	SignerCert []byte
	DataHash   []byte // SM3 of the bytes of Signature.xml
	// PropertyInfo is the place that the signature was made for: the package path of Signature.xml.
	PropertyInfo string
	Extensions   []Extension
}

// Unknown returns the first critical extension of a list; nil if there is none. No extension of seals is known here, and
// whoever marked one as critical does not want the seal to count for those who cannot read it.
func Unknown(list []Extension) *Extension {
	for i := range list {
		if list[i].Critical {
			return &list[i]
		}
	}
	return nil
}

// Lists reports whether the seal's list of signers holds the certificate (DER), or its SM3 digest.
func (s *Seal) Lists(cert []byte) bool {
	for _, c := range s.Info.Property.SignerCerts {
		if string(c) == string(cert) {
			return true
		}
	}
	sum := gm.SM3(cert)
	for _, d := range s.Info.Property.SignerCertDigests {
		if string(d.Value) == string(sum[:]) && digestIsSM3(d.Type) {
			return true
		}
	}
	return false
}

// digestIsSM3 reads the free text that names the digest of a list entry.
func digestIsSM3(name string) bool {
	switch name {
	case gm.OIDSM3.String(), "SM3", "sm3":
		return true
	}
	return false
}
