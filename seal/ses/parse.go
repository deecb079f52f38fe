package ses

import (
	"encoding/asn1"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/verdict"
)

// ParseSeal reads a seal (.esl). A refusal is a *verdict.ContainerError with the reason not_der, trailing_data,
// seal_version (the shape does not fit the version) or limit.
func ParseSeal(der []byte) (*Seal, error) {
	if err := checkDER("seal", der); err != nil {
		return nil, err
	}
	p := &parser{what: "seal"}
	in := cryptobyte.String(der)
	read := p.seal
	if elements(der) == elementsV1 {
		read = p.sealV1
	}
	s := read(&in)
	if p.err != nil {
		return nil, p.err
	}
	return s, nil
}

// ParseSignature reads a seal signature (SignedValue.dat). Refusals as in [ParseSeal].
func ParseSignature(der []byte) (*Signature, error) {
	if err := checkDER("signature", der); err != nil {
		return nil, err
	}
	p := &parser{what: "signature"}
	in := cryptobyte.String(der)
	read := p.signature
	if elements(der) == elementsV1 {
		read = p.signatureV1
	}
	s := read(&in)
	if p.err != nil {
		return nil, p.err
	}
	s.Raw = der
	return s, nil
}

// LooksLikeSignature reports whether der begins as a seal signature of any version does: a SEQUENCE whose first element
// is a SEQUENCE that begins with an INTEGER and a SEQUENCE. A GB/T 35275 message and a bare SM2 signature do not.
func LooksLikeSignature(der []byte) bool {
	in := cryptobyte.String(der)
	var outer, tbs, seal cryptobyte.String
	return in.ReadASN1(&outer, cbasn1.SEQUENCE) && outer.ReadASN1(&tbs, cbasn1.SEQUENCE) &&
		tbs.SkipASN1(cbasn1.INTEGER) && tbs.ReadASN1(&seal, cbasn1.SEQUENCE)
}

// checkDER checks that der is one DER value and nothing else, down to every constructed value.
func checkDER(what string, der []byte) error {
	if len(der) > MaxSize {
		return verdict.Refuse(verdict.Limit, "%s of %d bytes, more than %d", what, len(der), MaxSize)
	}
	in := cryptobyte.String(der)
	var outer cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !wellFormed(outer, maxDepth) {
		return verdict.Refuse(verdict.NotDER, "%s is not DER", what)
	}
	if !in.Empty() {
		return verdict.Refuse(verdict.TrailingData, "%d bytes after the %s", len(in), what)
	}
	return nil
}

// wellFormed walks every constructed value in b.
func wellFormed(b cryptobyte.String, depth int) bool {
	for !b.Empty() {
		var body cryptobyte.String
		var tag cbasn1.Tag
		if depth == 0 || !b.ReadAnyASN1(&body, &tag) {
			return false
		}
		const constructed = 0x20
		if tag&constructed != 0 && !wellFormed(body, depth-1) {
			return false
		}
	}
	return true
}

// elementsV1 is the number of elements of a seal and of a signature of version 1. Later versions have four or five.
const elementsV1 = 2

// elements counts the values inside the outer SEQUENCE of a checked structure.
func elements(der []byte) int {
	in := cryptobyte.String(der)
	var outer cryptobyte.String
	in.ReadASN1(&outer, cbasn1.SEQUENCE)
	n := 0
	for !outer.Empty() {
		var body cryptobyte.String
		var tag cbasn1.Tag
		outer.ReadAnyASN1(&body, &tag)
		n++
	}
	return n
}

// parser remembers the first fault, so that the structures below read like their definitions.
type parser struct {
	what string
	err  error
}

func (p *parser) fail(field string) {
	if p.err == nil {
		p.err = verdict.Refuse(verdict.SealVersion, "%s: %s does not fit the structure", p.what, field)
	}
}

func (p *parser) failLimit(field string) {
	if p.err == nil {
		p.err = verdict.Refuse(verdict.Limit, "%s: too many entries in %s", p.what, field)
	}
}

// sequence reads a SEQUENCE and returns its content and its whole bytes.
func (p *parser) sequence(in *cryptobyte.String, field string) (body cryptobyte.String, raw []byte) {
	var element cryptobyte.String
	if !in.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		p.fail(field)
		return nil, nil
	}
	raw = element
	element.ReadASN1(&body, cbasn1.SEQUENCE)
	return body, raw
}

func (p *parser) integer(in *cryptobyte.String, field string) int {
	var n int
	if !in.ReadASN1Integer(&n) {
		p.fail(field)
	}
	return n
}

func (p *parser) octets(in *cryptobyte.String, tag cbasn1.Tag, field string) []byte {
	var b cryptobyte.String
	if !in.ReadASN1(&b, tag) {
		p.fail(field)
	}
	return b
}

func (p *parser) ia5(in *cryptobyte.String, field string) string {
	b := p.octets(in, cbasn1.IA5String, field)
	for _, c := range b {
		if c >= utf8.RuneSelf {
			p.fail(field)
		}
	}
	return string(b)
}

func (p *parser) utf8(in *cryptobyte.String, field string) string {
	b := p.octets(in, cbasn1.UTF8String, field)
	if !utf8.Valid(b) {
		p.fail(field)
	}
	return string(b)
}

func (p *parser) oid(in *cryptobyte.String, field string) asn1.ObjectIdentifier {
	var o asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&o) {
		p.fail(field)
	}
	return o
}

// bits reads a BIT STRING of whole bytes.
func (p *parser) bits(in *cryptobyte.String, field string) []byte {
	b := p.octets(in, cbasn1.BIT_STRING, field)
	if len(b) < 1 || b[0] != 0 {
		p.fail(field)
		return nil
	}
	return b[1:]
}

// end fails when anything is left in the structure.
func (p *parser) end(in cryptobyte.String, field string) {
	if !in.Empty() {
		p.fail("an extra element in " + field)
	}
}

// time reads a GeneralizedTime with a zone. DER asks for Z; other software's +hhmm is read too, a missing zone is not.
func (p *parser) time(in *cryptobyte.String, field string) time.Time {
	text := string(p.octets(in, cbasn1.GeneralizedTime, field))
	if base, fraction, ok := strings.Cut(strings.TrimSuffix(text, "Z"), "."); ok && strings.HasSuffix(text, "Z") {
		if len(base) != 14 || fraction == "" || len(fraction) > 9 {
			p.fail(field)
			return time.Time{}
		}
	}
	for _, layout := range []string{"20060102150405Z", "20060102150405-0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	p.fail(field)
	return time.Time{}
}

func (p *parser) seal(in *cryptobyte.String) *Seal {
	body, raw := p.sequence(in, "SESeal")
	s := &Seal{Raw: raw}
	info, rawInfo := p.sequence(&body, "eSealInfo")
	s.RawInfo = rawInfo
	s.Info = p.sealInfo(info, false)
	s.MakerCert = p.octets(&body, cbasn1.OCTET_STRING, "cert")
	s.Algorithm = p.oid(&body, "signAlgID")
	s.Value = p.bits(&body, "signedValue")
	s.Version = s.Info.Header.Version
	if s.Version == Version5 {
		s.TimeStamp = p.optionalBits(&body, "timeStamp")
	}
	p.end(body, "SESeal")
	if s.Version != Version4 && s.Version != Version5 {
		p.fail("version number")
	}
	return s
}

// optionalBits reads [0] EXPLICIT BIT STRING OPTIONAL; nil if absent.
func (p *parser) optionalBits(in *cryptobyte.String, field string) []byte {
	tag := cbasn1.Tag(0).ContextSpecific().Constructed()
	if !in.PeekASN1Tag(tag) {
		return nil
	}
	inner := cryptobyte.String(p.octets(in, tag, field))
	b := p.bits(&inner, field)
	p.end(inner, field)
	if b == nil {
		b = []byte{}
	}
	return b
}

func (p *parser) sealInfo(in cryptobyte.String, v1 bool) SealInfo {
	var info SealInfo
	header, _ := p.sequence(&in, "header")
	info.Header.ID = p.ia5(&header, "header.id")
	info.Header.Version = p.integer(&header, "header.version")
	info.Header.Vendor = p.ia5(&header, "header.vid")
	p.end(header, "header")
	if info.Header.ID != "ES" {
		p.fail("header.id")
	}
	info.SealID = p.ia5(&in, "esID")
	property, _ := p.sequence(&in, "property")
	if v1 {
		info.Property = p.propertyV1(property)
	} else {
		info.Property = p.property(property)
	}
	picture, _ := p.sequence(&in, "picture")
	info.Picture.Type = p.ia5(&picture, "picture.type")
	info.Picture.Data = p.octets(&picture, cbasn1.OCTET_STRING, "picture.data")
	info.Picture.Width = p.integer(&picture, "picture.width")
	info.Picture.Height = p.integer(&picture, "picture.height")
	p.end(picture, "picture")
	if !in.Empty() {
		info.Extensions = p.extensions(&in)
	}
	p.end(in, "eSealInfo")
	return info
}

func (p *parser) property(in cryptobyte.String) Property {
	var out Property
	out.Type = p.integer(&in, "property.type")
	out.Name = p.utf8(&in, "property.name")
	listType := p.integer(&in, "property.certListType")
	list, _ := p.sequence(&in, "property.certList")
	switch listType {
	case 1:
		out.SignerCerts = [][]byte{}
		for !list.Empty() && p.err == nil {
			out.SignerCerts = append(out.SignerCerts, p.octets(&list, cbasn1.OCTET_STRING, "property.certList"))
			p.bound(len(out.SignerCerts), MaxSigners, "property.certList")
		}
	case 2:
		out.SignerCertDigests = []CertDigest{}
		for !list.Empty() && p.err == nil {
			item, _ := p.sequence(&list, "property.certList")
			d := CertDigest{
				Type:  string(p.octets(&item, cbasn1.PrintableString, "property.certList")),
				Value: p.octets(&item, cbasn1.OCTET_STRING, "property.certList"),
			}
			p.end(item, "property.certList")
			out.SignerCertDigests = append(out.SignerCertDigests, d)
			p.bound(len(out.SignerCertDigests), MaxSigners, "property.certList")
		}
	default:
		p.fail("property.certListType")
	}
	out.Created = p.time(&in, "property.createDate")
	out.From = p.time(&in, "property.validStart")
	out.To = p.time(&in, "property.validEnd")
	p.end(in, "property")
	return out
}

func (p *parser) bound(n, limit int, field string) {
	if n > limit {
		p.failLimit(field)
	}
}

// extensions reads ExtensionDatas. DER would leave a FALSE out; the standard's seals always write it, and a reader that
// supplies it would verify over other bytes.
func (p *parser) extensions(in *cryptobyte.String) []Extension {
	list, _ := p.sequence(in, "extDatas")
	out := []Extension{}
	for !list.Empty() && p.err == nil {
		item, _ := p.sequence(&list, "extDatas")
		e := Extension{ID: p.oid(&item, "extnID")}
		if !item.ReadASN1Boolean(&e.Critical) {
			p.fail("critical")
		}
		e.Value = p.octets(&item, cbasn1.OCTET_STRING, "extnValue")
		p.end(item, "extDatas")
		out = append(out, e)
		p.bound(len(out), MaxExtensions, "extDatas")
	}
	return out
}

func (p *parser) signature(in *cryptobyte.String) *Signature {
	body, _ := p.sequence(in, "SES_Signature")
	s := &Signature{}
	tbs, raw := p.sequence(&body, "toSign")
	s.RawToSign = raw
	s.ToBeSigned = p.toBeSigned(tbs)
	s.Cert = p.octets(&body, cbasn1.OCTET_STRING, "cert")
	s.Algorithm = p.oid(&body, "signatureAlgID")
	s.Value = p.bits(&body, "signature")
	s.TimeStamp = p.optionalBits(&body, "timeStamp")
	p.end(body, "SES_Signature")
	if p.err == nil && s.ToBeSigned.Version != s.ToBeSigned.Seal.Version {
		p.fail("toSign.version")
	}
	return s
}

func (p *parser) toBeSigned(in cryptobyte.String) ToBeSigned {
	t := ToBeSigned{Version: p.integer(&in, "toSign.version")}
	t.Seal = p.seal(&in)
	t.Time = p.time(&in, "toSign.timeInfo")
	t.DataHash = p.bits(&in, "toSign.dataHash")
	t.PropertyInfo = p.ia5(&in, "toSign.propertyInfo")
	tag := cbasn1.Tag(0).ContextSpecific().Constructed()
	if in.PeekASN1Tag(tag) {
		inner := cryptobyte.String(p.octets(&in, tag, "toSign.extDatas"))
		t.Extensions = p.extensions(&inner)
		p.end(inner, "toSign.extDatas")
	}
	p.end(in, "toSign")
	return t
}
