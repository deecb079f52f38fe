package cert

import (
	"bytes"
	"cmp"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/gm"
)

// Extensions of lists and of their entries.
var (
	oidCRLNumber         = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReasonCode        = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidInvalidityDate    = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidDeltaCRLIndicator = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingPoint      = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// parse reads Raw (RFC 5280 5.1) and says what is wrong with it, nothing if it is sound. Entries stay where they are: a
// large list costs little more than its bytes.
func (l *RevocationList) parse() string {
	in := cryptobyte.String(l.Raw)
	var outer, tbs, body, alg, inner, issuer cryptobyte.String
	var bits asn1.BitString
	var version int64
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!outer.ReadASN1(&alg, cbasn1.SEQUENCE) || !outer.ReadASN1BitString(&bits) || bits.BitLength%8 != 0 || !outer.Empty() {
		return "its frame"
	}
	l.tbs, l.signature = tbs, bits.Bytes
	if !tbs.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 1 {
		return "its version"
	}
	if !body.ReadASN1(&inner, cbasn1.SEQUENCE) || !bytes.Equal(inner, alg) {
		return "its algorithms differ"
	}
	l.sm2 = isSM2WithSM3(alg)
	if !body.ReadASN1Element(&issuer, cbasn1.SEQUENCE) {
		return "its issuer"
	}
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(issuer, &rdns); err != nil || len(rest) > 0 {
		return "its issuer"
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdns)
	l.rawIssuer, l.issuer = issuer, nameText(name)
	var ok bool
	if l.ThisUpdate, ok = ReadTime(&body); ok && (body.PeekASN1Tag(cbasn1.UTCTime) || body.PeekASN1Tag(cbasn1.GeneralizedTime)) {
		l.NextUpdate, ok = ReadTime(&body)
	}
	if !ok {
		return "its times"
	}
	return l.parseRest(body)
}

// parseRest reads the entries and the extensions of the list.
func (l *RevocationList) parseRest(body cryptobyte.String) string {
	var entries, wrapped cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&entries, &present, cbasn1.SEQUENCE) || !l.indexEntries(entries) {
		return "its entries"
	}
	if !body.ReadOptionalASN1(&wrapped, &present, ctx0) || !body.Empty() {
		return "its extensions"
	}
	if present && !eachExtension(wrapped, l.take) {
		return "its extensions"
	}
	return ""
}

// take reads one extension of the list. Whether a list is a whole one is told by what it says, critical or not.
func (l *RevocationList) take(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) bool {
	switch {
	case oid.Equal(oidCRLNumber):
		l.Number = new(big.Int)
		return value.ReadASN1Integer(l.Number) && value.Empty()
	case oid.Equal(oidDeltaCRLIndicator):
		l.narrow(partScope)
	case oid.Equal(oidIssuingPoint):
		l.narrow(pointScope(value))
	case critical:
		l.narrow(foreignScope)
	}
	return true
}

func (l *RevocationList) narrow(s scope) { l.scope = max(l.scope, s) }

// pointScope reads an IssuingDistributionPoint (RFC 5280 5.2.5).
func pointScope(value cryptobyte.String) scope {
	var point cryptobyte.String
	if !value.ReadASN1(&point, cbasn1.SEQUENCE) || !value.Empty() {
		return foreignScope
	}
	s := foreignScope // an empty one may not be
	for !point.Empty() {
		var part cryptobyte.String
		var tag cbasn1.Tag
		if !point.ReadAnyASN1(&part, &tag) {
			return foreignScope
		}
		switch tag {
		case ctx0, cbasn1.Tag(0x81), ctx2Prim, cbasn1.Tag(0x83), cbasn1.Tag(0x85):
			s = partScope // a point, certificates of users, of CAs, some reasons, attribute certificates
		default:
			return foreignScope // indirect, or unknown
		}
	}
	return s
}

// indexEntries checks every entry and remembers where it is.
func (l *RevocationList) indexEntries(entries cryptobyte.String) bool {
	l.entries = entries
	sorted := true
	var last []byte
	for rest := entries; !rest.Empty(); {
		at := len(entries) - len(rest)
		e, ok := readRevoked(rest)
		if !ok {
			return false
		}
		if e.foreign {
			l.narrow(foreignScope)
		}
		sorted = sorted && bytes.Compare(last, e.serial) <= 0
		last = e.serial
		l.index = append(l.index, uint32(at))
		rest = rest[e.size:]
	}
	if !sorted {
		slices.SortFunc(l.index, func(a, b uint32) int {
			return cmp.Or(bytes.Compare(l.serialAt(a), l.serialAt(b)), cmp.Compare(a, b))
		})
	}
	return l.fewOfEach()
}

// maxOfEach bounds the entries about one certificate, of which there should be one: all of them are read whenever it is judged.
const maxOfEach = 16

// fewOfEach reports whether no serial number stands in the sorted index more often than maxOfEach.
func (l *RevocationList) fewOfEach() bool {
	for i := maxOfEach; i < len(l.index); i++ {
		if bytes.Equal(l.serialAt(l.index[i-maxOfEach]), l.serialAt(l.index[i])) {
			return false
		}
	}
	return true
}

// serialAt is the serial number of the entry that begins there. The entry was read before; sorting asks for it so often that it
// is not read again in full.
func (l *RevocationList) serialAt(at uint32) []byte {
	number := afterHeader(l.entries[at:])
	content := afterHeader(number)
	var size int
	for _, b := range number[1 : len(number)-len(content)] {
		size = size<<8 | int(b)
	}
	if number[1] >= 0x80 { // then the first of these bytes counts the others
		size &= 1<<(8*(number[1]&0x7f)) - 1
	}
	return content[:size]
}

// afterHeader is what follows the tag and the length of a DER element.
func afterHeader(der []byte) []byte {
	if der[1] < 0x80 {
		return der[2:]
	}
	return der[2+int(der[1]&0x7f):]
}

// revokedEntry is one entry of a list as it stands there.
type revokedEntry struct {
	size        int
	serial      []byte // content of the INTEGER
	at, invalid time.Time
	reason      int
	// foreign: it is about a certificate of another issuer, or has a critical extension that nobody here knows.
	foreign bool
}

func (e revokedEntry) revoked() Revoked {
	n := new(big.Int).SetBytes(e.serial)
	if e.serial[0] >= 0x80 { // a negative one is nobody's
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(e.serial))))
	}
	return Revoked{Serial: n, At: e.at, Reason: e.reason, InvalidFrom: e.invalid}
}

// readRevoked reads the first entry of what is given (RFC 5280 5.1.2.6).
func readRevoked(in cryptobyte.String) (revokedEntry, bool) {
	var e revokedEntry
	var body, serial, list cryptobyte.String
	whole := len(in)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&serial, cbasn1.INTEGER) || !isInteger(serial) || !readTime(&body, &e.at) {
		return e, false
	}
	e.size, e.serial = whole-len(in), serial
	if body.Empty() {
		return e, true
	}
	list = body
	return e, eachExtension(list, func(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) bool {
		switch {
		case oid.Equal(oidReasonCode):
			return value.ReadASN1Enum(&e.reason) && value.Empty() && e.reason >= 0 && e.reason <= ReasonAACompromise
		case oid.Equal(oidInvalidityDate):
			return readGeneralized(&value, &e.invalid) && value.Empty()
		case oid.Equal(oidCertificateIssuer), critical:
			e.foreign = true
		}
		return true
	})
}

// maxExtensions bounds those of a certificate, a list or an entry: each is compared with all before it.
const maxExtensions = 100

// eachExtension reads a SEQUENCE of extensions, none of which may stand twice, and hands each to take.
func eachExtension(in cryptobyte.String, take func(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) bool) bool {
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() || list.Empty() {
		return false
	}
	var seen [][]byte
	for !list.Empty() {
		var ext, raw, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if len(seen) == maxExtensions || !list.ReadASN1(&ext, cbasn1.SEQUENCE) {
			return false
		}
		raw = ext
		if !ext.ReadASN1ObjectIdentifier(&oid) {
			return false
		}
		raw = raw[:len(raw)-len(ext)]
		if ext.PeekASN1Tag(cbasn1.BOOLEAN) && !ext.ReadASN1Boolean(&critical) || !ext.ReadASN1(&value, cbasn1.OCTET_STRING) || !ext.Empty() {
			return false
		}
		if slices.ContainsFunc(seen, func(o []byte) bool { return bytes.Equal(o, raw) }) || !take(oid, critical, value) {
			return false
		}
		seen = append(seen, raw)
	}
	return true
}

// isSM2WithSM3 reports whether an AlgorithmIdentifier, without its tag, is that of SM2 with SM3, with no parameters or NULL.
func isSM2WithSM3(alg cryptobyte.String) bool {
	var oid asn1.ObjectIdentifier
	if !alg.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(gm.OIDSM2WithSM3) {
		return false
	}
	return alg.Empty() || bytes.Equal(alg, asn1.NullBytes)
}

// ReadTime reads a UTCTime or a GeneralizedTime with seconds, without fractions, of the zone Z (RFC 5280 5.1.2.4). The first
// second of the year 1, which stands for no time in Go, is none here either.
func ReadTime(in *cryptobyte.String) (t time.Time, ok bool) {
	ok = readTime(in, &t) && !t.IsZero()
	return t, ok
}

// readGeneralized is ReadTime for a GeneralizedTime alone.
func readGeneralized(in *cryptobyte.String, out *time.Time) (ok bool) {
	if !in.PeekASN1Tag(cbasn1.GeneralizedTime) {
		return false
	}
	*out, ok = ReadTime(in)
	return ok
}

// readTime is ReadTime for bounds, among which the year 1 may be.
func readTime(in *cryptobyte.String, out *time.Time) bool {
	var text cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&text, &tag) {
		return false
	}
	layout := "20060102150405Z"
	switch tag {
	case cbasn1.UTCTime:
		layout = layout[2:]
	case cbasn1.GeneralizedTime:
	default:
		return false
	}
	t, err := time.Parse(layout, string(text))
	if err != nil || len(text) != len(layout) {
		return false
	}
	if tag == cbasn1.UTCTime && t.Year() >= 2050 {
		t = t.AddDate(-100, 0, 0)
	}
	*out = t.UTC()
	return true
}

// isInteger reports whether these are the shortest octets of an INTEGER.
func isInteger(b []byte) bool {
	return len(b) > 0 && (len(b) == 1 || b[0] != 0 && b[0] != 0xff || b[0]>>7 != b[1]>>7)
}

// integer are the octets of a non-negative INTEGER.
func integer(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		return append([]byte{0}, b...)
	}
	return b
}
