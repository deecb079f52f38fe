package ses

import (
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/gm"
)

// Structures of version 1 (GM/T 0031-2014). They are told by their shape, a seal and a signature of two elements each;
// the number in the header is 1, 2 or 3 in the field.

// Layouts of timeInfo in version 1, which is a BIT STRING of whatever the signing software put there.
const (
	textTime  = "2006-01-02 15:04:05"
	textTimeZ = "2006-01-02T15:04:05Z"
	shortTime = "060102150405Z"
	fullTime  = "20060102150405Z"
)

// chinaTime is the zone that a time without one is read in.
var chinaTime = time.FixedZone("CST", 8*60*60)

// isV1 reports whether a number in the header belongs to a structure of version 1.
func isV1(header int) bool { return header >= 1 && header < Version4 }

// sealV1 reads SESeal of version 1: eSealInfo, and signInfo with the maker's certificate, algorithm and signature.
func (p *parser) sealV1(in *cryptobyte.String) *Seal {
	body, raw := p.sequence(in, "SESeal")
	s := &Seal{Raw: raw, Version: Version1}
	info, rawInfo := p.sequence(&body, "esealInfo")
	s.RawInfo = rawInfo
	s.Info = p.sealInfo(info, true)
	sign, _ := p.sequence(&body, "signInfo")
	s.MakerCert = p.octets(&sign, cbasn1.OCTET_STRING, "signInfo.cert")
	s.Algorithm = p.oid(&sign, "signInfo.signatureAlgorithm")
	s.Value = p.bits(&sign, "signInfo.signData")
	p.end(sign, "signInfo")
	p.end(body, "SESeal")
	if !isV1(s.Info.Header.Version) {
		p.fail("version number")
	}
	return s
}

// propertyV1 reads SES_ESPropertyInfo of version 1: a list of certificates without a type before it, and UTCTime.
func (p *parser) propertyV1(in cryptobyte.String) Property {
	out := Property{Type: p.integer(&in, "property.type"), Name: p.utf8(&in, "property.name")}
	list, _ := p.sequence(&in, "property.certList")
	out.SignerCerts = [][]byte{}
	for !list.Empty() && p.err == nil {
		out.SignerCerts = append(out.SignerCerts, p.listedV1(&list))
		p.bound(len(out.SignerCerts), MaxSigners, "property.certList")
	}
	out.Created = p.utcTime(&in, "property.createDate")
	out.From = p.utcTime(&in, "property.validStart")
	out.To = p.utcTime(&in, "property.validEnd")
	p.end(in, "property")
	return out
}

// listedV1 reads one entry of the list. The standard's is an OCTET STRING; other software writes the certificate bare, or
// some text, which lists nobody.
func (p *parser) listedV1(list *cryptobyte.String) []byte {
	var element, body cryptobyte.String
	var tag cbasn1.Tag
	if !list.ReadAnyASN1Element(&element, &tag) {
		p.fail("property.certList")
		return nil
	}
	whole := []byte(element)
	element.ReadAnyASN1(&body, &tag)
	switch tag {
	case cbasn1.SEQUENCE:
		return whole
	case cbasn1.OCTET_STRING, cbasn1.IA5String:
		return body
	}
	p.fail("property.certList")
	return nil
}

// utcTime reads a UTCTime to the second in UTC; the years 00 to 49 are of this century.
func (p *parser) utcTime(in *cryptobyte.String, field string) time.Time {
	t, ok := parseShort(string(p.octets(in, cbasn1.UTCTime, field)))
	if !ok {
		p.fail(field)
	}
	return t
}

func parseShort(text string) (time.Time, bool) {
	if len(text) != len(shortTime) {
		return time.Time{}, false
	}
	century := "20"
	if text[0] >= '5' {
		century = "19"
	}
	t, err := time.Parse(fullTime, century+text)
	return t, err == nil
}

// signatureV1 reads SES_Signature of version 1: the signer's certificate and the algorithm lie inside toSign.
func (p *parser) signatureV1(in *cryptobyte.String) *Signature {
	body, _ := p.sequence(in, "SES_Signature")
	s := &Signature{}
	tbs, raw := p.sequence(&body, "toSign")
	s.RawToSign = raw
	t := ToBeSigned{Version: p.integer(&tbs, "toSign.version")}
	if !isV1(t.Version) {
		p.fail("toSign.version")
	}
	t.Version = Version1
	t.Seal = p.sealV1(&tbs)
	readTimeV1(&t, p.bits(&tbs, "toSign.timeInfo"))
	t.DataHash = p.bits(&tbs, "toSign.dataHash")
	t.PropertyInfo = p.ia5(&tbs, "toSign.propertyInfo")
	t.SignerCert = p.octets(&tbs, cbasn1.OCTET_STRING, "toSign.cert")
	s.Algorithm = p.oid(&tbs, "toSign.signatureAlgorithm")
	p.end(tbs, "toSign")
	s.Value = p.bits(&body, "signature")
	p.end(body, "SES_Signature")
	s.ToBeSigned, s.Cert = t, t.SignerCert
	return s
}

// readTimeV1 reads timeInfo into t: one of two texts, a DER time, or else something opaque, such as a time-stamp token.
func readTimeV1(t *ToBeSigned, b []byte) {
	text := string(b)
	if at, err := time.ParseInLocation(textTime, text, chinaTime); err == nil && len(text) == len(textTime) {
		t.Time, t.ZoneAssumed = at.UTC(), true
		return
	}
	if at, err := time.Parse(textTimeZ, text); err == nil { // reads a fraction too
		t.Time = at.UTC()
		return
	}
	var body cryptobyte.String
	var tag cbasn1.Tag
	if in := cryptobyte.String(b); in.ReadAnyASN1(&body, &tag) && in.Empty() {
		switch tag {
		case cbasn1.UTCTime:
			if at, ok := parseShort(string(body)); ok {
				t.Time = at
				return
			}
		case cbasn1.GeneralizedTime:
			if at, err := time.Parse(fullTime, string(body)); err == nil {
				t.Time = at
				return
			}
		}
	}
	t.TimeToken = b
}

// checkV1 refuses what version 1 has no place for.
func (i SealInfo) checkV1() error {
	p := i.Property
	if p.SignerCerts == nil {
		return fmt.Errorf("%w: a seal of version 1 lists certificates, not digests", ErrMarshal)
	}
	for _, t := range []time.Time{p.Created, p.From, p.To} {
		if y := t.UTC().Year(); y < 1950 || y > 2049 {
			return fmt.Errorf("%w: version 1 cannot state the year %d", ErrMarshal, y)
		}
	}
	return nil
}

func (p Property) addV1(b *cryptobyte.Builder) {
	b.AddASN1Int64(int64(p.Type))
	addText(b, cbasn1.UTF8String, p.Name)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, c := range p.SignerCerts {
			b.AddASN1OctetString(c)
		}
	})
	for _, t := range []time.Time{p.Created, p.From, p.To} {
		addText(b, cbasn1.UTCTime, t.UTC().Format(shortTime))
	}
}

// addV1 writes toSign. The time is written with its zone, in the text that other software is known to read.
func (t ToBeSigned) addV1(b *cryptobyte.Builder) {
	b.AddASN1Int64(Version1)
	b.AddBytes(t.Seal.Raw)
	b.AddASN1BitString([]byte(t.Time.UTC().Format(textTimeZ)))
	b.AddASN1BitString(t.DataHash)
	addText(b, cbasn1.IA5String, t.PropertyInfo)
	b.AddASN1OctetString(t.SignerCert)
	b.AddASN1ObjectIdentifier(gm.OIDSM2WithSM3)
}

// MakerInput is what the maker of a seal with this eSealInfo signs: eSealInfo alone, and in version 1 the
// SEQUENCE{eSealInfo, cert, algorithm}.
func MakerInput(version int, rawInfo, makerCert []byte, algorithm asn1.ObjectIdentifier) ([]byte, error) {
	if version != Version1 {
		return rawInfo, nil
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(rawInfo)
		b.AddASN1OctetString(makerCert)
		b.AddASN1ObjectIdentifier(algorithm)
	})
	return finish(&b, "maker's input")
}

// shapeOf tells the version of a written eSealInfo from its header: 1, or 4 and later.
func shapeOf(rawInfo []byte) int {
	in := cryptobyte.String(rawInfo)
	var info, header cryptobyte.String
	var n int
	if in.ReadASN1(&info, cbasn1.SEQUENCE) && info.ReadASN1(&header, cbasn1.SEQUENCE) &&
		header.SkipASN1(cbasn1.IA5String) && header.ReadASN1Integer(&n) && isV1(n) {
		return Version1
	}
	return Version4
}

// tbsIsV1 reports whether a written toSign is of version 1: the seal in it has two elements.
func tbsIsV1(rawToSign []byte) bool {
	in := cryptobyte.String(rawToSign)
	var tbs, seal cryptobyte.String
	return in.ReadASN1(&tbs, cbasn1.SEQUENCE) && tbs.SkipASN1(cbasn1.INTEGER) &&
		tbs.ReadASN1Element(&seal, cbasn1.SEQUENCE) && elements(seal) == elementsV1
}
