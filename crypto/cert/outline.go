package cert

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// checkOutline looks at a certificate (RFC 5280 4.1) before the library does, which is less strict in places and has no words
// for a key of another algorithm: ErrNotSM2, ErrMalformed.
func checkOutline(der cryptobyte.String) error {
	var outer, tbs, alg, inner, validity, key, list cryptobyte.String
	var present bool
	var version int64
	wrong := func(what string) error { return fmt.Errorf("%w: certificate: %s", ErrMalformed, what) }
	if !der.ReadASN1(&outer, cbasn1.SEQUENCE) || !der.Empty() || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) || !outer.ReadASN1(&alg, cbasn1.SEQUENCE) {
		return wrong("its frame")
	}
	if !readVersion(&tbs, &version) {
		return wrong("its version")
	}
	if !tbs.SkipASN1(cbasn1.INTEGER) || !tbs.ReadASN1(&inner, cbasn1.SEQUENCE) || !tbs.SkipASN1(cbasn1.SEQUENCE) ||
		!tbs.ReadASN1(&validity, cbasn1.SEQUENCE) || !tbs.SkipASN1(cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&key, cbasn1.SEQUENCE) {
		return wrong("its fields")
	}
	var from, to time.Time
	if !readTime(&validity, &from) || !readTime(&validity, &to) || !validity.Empty() {
		return wrong("its validity")
	}
	switch {
	case !bytes.HasPrefix(key, spkiPrefix):
		return fmt.Errorf("%w: public key", ErrNotSM2)
	case !isSM2WithSM3(inner):
		return fmt.Errorf("%w: signature algorithm", ErrNotSM2)
	case !bytes.Equal(alg, inner):
		return wrong("its signature algorithms differ")
	}
	if !tbs.SkipOptionalASN1(cbasn1.Tag(0x81)) || !tbs.SkipOptionalASN1(ctx2Prim) || !tbs.ReadOptionalASN1(&list, &present, cbasn1.Tag(0xa3)) || !tbs.Empty() {
		return wrong("its fields")
	}
	if present && (version != 2 || !eachExtension(list, wholeValue)) { // the library passes over those of older versions
		return wrong("its extensions")
	}
	return nil
}

// readVersion reads the version, which is one less than its name; that of the first is never written.
func readVersion(tbs *cryptobyte.String, version *int64) bool {
	if !tbs.PeekASN1Tag(ctx0) {
		return true
	}
	var wrapped cryptobyte.String
	return tbs.ReadASN1(&wrapped, ctx0) && wrapped.ReadASN1Integer(version) && wrapped.Empty() && (*version == 1 || *version == 2)
}

// idCE begins the extensions that RFC 5280 defines.
var idCE = asn1.ObjectIdentifier{2, 5, 29}

// wholeValue: the value of a standard extension is one DER element and nothing after it.
func wholeValue(oid asn1.ObjectIdentifier, _ bool, value cryptobyte.String) bool {
	if len(oid) != len(idCE)+1 || !oid[:len(idCE)].Equal(idCE) {
		return true
	}
	var element cryptobyte.String
	var tag cbasn1.Tag
	return value.ReadAnyASN1Element(&element, &tag) && value.Empty()
}
