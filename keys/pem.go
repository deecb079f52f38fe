package keys

import (
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/pem"

	"yinxin/crypto/gm"
)

// subjectPublicKeyInfo is SubjectPublicKeyInfo (RFC 5480) with a named curve.
type subjectPublicKeyInfo struct {
	Algorithm struct {
		Algorithm, Curve asn1.ObjectIdentifier
	}
	Point asn1.BitString
}

// PublicPEM writes an SM2 public key as a PEM block PUBLIC KEY, as other software reads it; empty for nil.
func PublicPEM(pub *ecdsa.PublicKey) string {
	if pub == nil {
		return ""
	}
	var info subjectPublicKeyInfo
	info.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} // id-ecPublicKey: of an SM2 key only the curve differs
	info.Algorithm.Curve = gm.OIDCurveSM2
	point := gm.MarshalPublicKey(pub)
	info.Point = asn1.BitString{Bytes: point, BitLength: 8 * len(point)}
	der, err := asn1.Marshal(info)
	if err != nil { // a structure of two OIDs and a bit string has no value that cannot be written
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
