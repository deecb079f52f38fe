// Package cms reads and writes signed and enveloped messages shaped after GB/T 35275-2017 (PKCS#7 with SM2, SM3, SM4),
// and the same in RFC 5652 clothes for other readers.
//
// It promises a strict front: DER alone, nothing after the message, bounds on size, depth, elements, certificates and
// attributes, before anything is believed. It promises that every signature it writes has signed attributes
// (contentType, messageDigest, signingTime, signingCertificateV2 with SM3) and is checked before it is released, and
// that a message is judged by comparing each of them, so that attributes passed off as content do not verify. Each
// signer gets a verdict.Signature of its own, with named checks and reasons.
//
// It does not promise secrecy against a sender who alters an envelope in transit: SM4-CBC has no MAC, so an envelope
// should hold something signed or a key that is checked otherwise. It writes no large content: documents of any size
// are signed detached and encrypted by crypto/stream. Time-stamp tokens beside a signature are handed out unjudged, counter-
// signatures are judged as to the signature that they are about; revocation lists and OCSP responses in a message count as
// far as their issuers have signed them; other unsigned attributes are bounded and passed over.
package cms

import (
	"encoding/asn1"
	"errors"

	"yinxin/crypto/gm"
)

// Profile chooses the object identifiers of a written message. Both are read.
type Profile int

const (
	// ProfileGBT writes the content types of GB/T 35275 and the signature OID SM2-1. It is the default.
	ProfileGBT Profile = iota
	// ProfileRFC writes those of RFC 5652 and SM2-with-SM3, for OpenSSL, Tongsuo and Bouncy Castle.
	ProfileRFC
)

// String names the profile as in configuration: "gbt" or "rfc".
func (p Profile) String() string {
	if p == ProfileRFC {
		return "rfc"
	}
	return "gbt"
}

// Bounds on a message that is read.
const (
	// MaxSize is the largest message in bytes, content included.
	MaxSize = 16 << 20
	// MaxDepth and MaxElements bound the DER structure; the content itself is one element.
	MaxDepth    = 32
	MaxElements = 20000
	// MaxCertificates, MaxSigners, MaxAttributes and MaxRecipients bound the lists.
	MaxCertificates = 16
	MaxSigners      = 16
	MaxAttributes   = 32
	MaxRecipients   = 256
	// MaxEvidence bounds the revocation lists and OCSP responses in a message.
	MaxEvidence = 16
)

// Errors. Messages that are refused for their form give a *verdict.ContainerError instead.
var (
	// ErrDecrypt is the one answer to an envelope that is addressed to the key but does not open.
	ErrDecrypt = gm.ErrDecrypt
	// ErrNotRecipient: the envelope is not addressed to this certificate ("not for me", which says nothing of forgery).
	ErrNotRecipient = errors.New("cms: not addressed to this certificate")
	// ErrSelfCheck: a signature that was just made does not verify, and was not released.
	ErrSelfCheck = errors.New("cms: fresh signature does not verify")
	// ErrOptions: an option that signing or encrypting needs is missing or out of bounds.
	ErrOptions = errors.New("cms: options")
)

// Content types of both families, and attributes. Treat them as constants.
var (
	oidGBTData      = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 1}
	oidGBTSigned    = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 2}
	oidGBTEnveloped = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 3}
	oidRFCData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidRFCSigned    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidRFCEnveloped = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}

	oidContentType          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidTimestampToken       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidCounterSignature     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	oidSHA256               = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

func (p Profile) data() asn1.ObjectIdentifier {
	if p == ProfileRFC {
		return oidRFCData
	}
	return oidGBTData
}

func (p Profile) signed() asn1.ObjectIdentifier {
	if p == ProfileRFC {
		return oidRFCSigned
	}
	return oidGBTSigned
}

func (p Profile) enveloped() asn1.ObjectIdentifier {
	if p == ProfileRFC {
		return oidRFCEnveloped
	}
	return oidGBTEnveloped
}

func isData(oid asn1.ObjectIdentifier) bool { return oid.Equal(oidGBTData) || oid.Equal(oidRFCData) }
