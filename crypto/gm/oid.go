package gm

import "encoding/asn1"

// Object identifiers (GB/T 33560, GM/T 0006). Treat them as constants.
var (
	// OIDCurveSM2 names the curve sm2p256v1; the algorithm of a public key stays id-ecPublicKey.
	OIDCurveSM2 = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301}
	// OIDSM2Signature is SM2-1, the signature algorithm that GB/T 35275 messages name.
	OIDSM2Signature = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301, 1}
	// OIDSM2Encryption is SM2-3, public key encryption.
	OIDSM2Encryption = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301, 3}
	// OIDSM2KeyExchange is SM2-2, key exchange; some software writes it where SM2-3 belongs.
	OIDSM2KeyExchange = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301, 2}
	// OIDSM2WithSM3 is the signature algorithm of certificates, CRLs and RFC 5652 messages.
	OIDSM2WithSM3 = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 501}
	// OIDSM3 is the hash.
	OIDSM3 = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 401}
	// OIDSM4CBC is SM4 in CBC mode with the IV as parameter.
	OIDSM4CBC = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104, 2}
	// OIDSM4GCM is SM4 in GCM mode.
	OIDSM4GCM = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104, 8}
)
