package ofdseal

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// looksLikeToken reports whether b is a signed message about TSTInfo, as RFC 3161 tokens are.
func looksLikeToken(b []byte) bool {
	in := cryptobyte.String(b)
	var outer, explicit, signed, content cryptobyte.String
	var id asn1.ObjectIdentifier
	zero := cbasn1.Tag(0).ContextSpecific().Constructed()
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.SkipASN1(cbasn1.OBJECT_IDENTIFIER) ||
		!outer.ReadASN1(&explicit, zero) || !explicit.ReadASN1(&signed, cbasn1.SEQUENCE) ||
		!signed.SkipASN1(cbasn1.INTEGER) || !signed.SkipASN1(cbasn1.SET) ||
		!signed.ReadASN1(&content, cbasn1.SEQUENCE) || !content.ReadASN1ObjectIdentifier(&id) {
		return false
	}
	return id.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4})
}
