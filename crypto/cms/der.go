package cms

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/verdict"
)

// CheckDER walks one DER value and refuses, as a *verdict.ContainerError, everything that BER allows and DER does not,
// anything after the value, and structures beyond the bounds. It looks at form alone; OCTET STRINGs are not opened. It
// works in one pass without copying.
func CheckDER(der []byte, maxSize int) error {
	if len(der) > maxSize {
		return verdict.Refuse(verdict.Limit, "message of %d bytes, at most %d", len(der), maxSize)
	}
	w := derWalk{}
	rest, err := w.element(der, 0)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return verdict.Refuse(verdict.TrailingData, "%d bytes after the message", len(rest))
	}
	return nil
}

// TrimZeros cuts the zero bytes that pad a PDF signature's /Contents: what remains is the first DER value. Other bytes
// after it are left in place, for CheckDER to refuse.
func TrimZeros(padded []byte) []byte {
	_, _, rest, err := header(padded)
	if err != nil {
		return padded
	}
	for _, b := range rest.after {
		if b != 0 {
			return padded
		}
	}
	return padded[:len(padded)-len(rest.after)]
}

// parts of one element: its contents and what follows it.
type parts struct{ body, after []byte }

// header reads the element at the front of b: its tag, the size of tag and length, its contents and what follows.
func header(b []byte) (byte, int, parts, error) {
	var p parts
	if len(b) < 2 {
		return 0, 0, p, notDER("element is cut off")
	}
	tag := b[0]
	if tag&0x1f == 0x1f {
		return 0, 0, p, notDER("tag of more than one byte")
	}
	n, used := int(b[1]), 2
	switch {
	case b[1] == 0x80:
		return 0, 0, p, notDER("indefinite length")
	case b[1] > 0x80:
		count := int(b[1] & 0x7f)
		if count > 4 || len(b) < 2+count {
			return 0, 0, p, notDER("length of %d bytes", count)
		}
		var v uint64
		for _, c := range b[2 : 2+count] {
			v = v<<8 | uint64(c)
		}
		if b[2] == 0 || v < 0x80 {
			return 0, 0, p, notDER("length is not minimal")
		}
		if v > uint64(len(b)) {
			return 0, 0, p, notDER("length %d runs past the end", v)
		}
		n, used = int(v), 2+count
	}
	if n > len(b)-used {
		return 0, 0, p, notDER("length %d runs past the end", n)
	}
	return tag, used, parts{body: b[used : used+n], after: b[used+n:]}, nil
}

// derWalk counts what it has seen.
type derWalk struct{ elements int }

// element checks the value at the front of b and returns what follows it.
func (w *derWalk) element(b []byte, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, verdict.Refuse(verdict.Limit, "nested deeper than %d", MaxDepth)
	}
	if w.elements++; w.elements > MaxElements {
		return nil, verdict.Refuse(verdict.Limit, "more than %d elements", MaxElements)
	}
	tag, _, p, err := header(b)
	if err != nil {
		return nil, err
	}
	constructed := tag&0x20 != 0
	if universal := tag&0xc0 == 0; universal {
		if err := checkUniversal(tag&0x1f, constructed, p.body); err != nil {
			return nil, err
		}
	}
	if constructed {
		if err := w.children(p.body, depth+1, tag == 0x31); err != nil {
			return nil, err
		}
	}
	return p.after, nil
}

// children checks the values inside a constructed one; those of a SET must stand in DER order.
func (w *derWalk) children(body []byte, depth int, ordered bool) error {
	var before []byte
	for len(body) > 0 {
		rest, err := w.element(body, depth)
		if err != nil {
			return err
		}
		this := body[:len(body)-len(rest)]
		if ordered && bytes.Compare(before, this) > 0 {
			return notDER("SET is not in order")
		}
		before, body = this, rest
	}
	return nil
}

// checkUniversal checks the contents of universal types, where DER narrows BER.
func checkUniversal(number byte, constructed bool, body []byte) error {
	if isSet := number == 0x10 || number == 0x11; isSet != constructed {
		return notDER("universal type %d with the wrong form", number)
	}
	ok := true
	switch number {
	case 0, 8, 11:
		ok = false
	case 1: // BOOLEAN
		ok = len(body) == 1 && (body[0] == 0 || body[0] == 0xff)
	case 2, 10: // INTEGER, ENUMERATED
		ok = minimalInteger(body)
	case 3: // BIT STRING
		ok = len(body) > 0 && body[0] < 8 && (body[0] == 0 || len(body) > 1 && body[len(body)-1]&(1<<body[0]-1) == 0)
	case 5: // NULL
		ok = len(body) == 0
	case 6: // OBJECT IDENTIFIER
		ok = minimalOID(body)
	case 23, 24: // UTCTime, GeneralizedTime
		ok = len(body) > 0 && body[len(body)-1] == 'Z'
	}
	if !ok {
		return notDER("contents of universal type %d", number)
	}
	return nil
}

func minimalInteger(b []byte) bool {
	if len(b) < 2 {
		return len(b) == 1
	}
	return !(b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80)
}

func minimalOID(b []byte) bool {
	if len(b) == 0 || b[len(b)-1] >= 0x80 {
		return false
	}
	start := true
	for _, c := range b {
		if start && c == 0x80 {
			return false
		}
		start = c < 0x80
	}
	return true
}

func notDER(format string, args ...any) *verdict.ContainerError {
	return verdict.Refuse(verdict.NotDER, format, args...)
}

// malformed refuses a message that is DER but not of the expected structure.
func malformed(what string) *verdict.ContainerError {
	return verdict.Refuse(verdict.Malformed, "%s", what)
}

const (
	explicit0 = cbasn1.Tag(0xa0)
	explicit1 = cbasn1.Tag(0xa1)
	implicit0 = cbasn1.Tag(0x80)
	// directoryName is GeneralName's choice [4], explicit because Name is itself a choice.
	directoryName = cbasn1.Tag(0xa4)
)

// readAlgorithm reads an AlgorithmIdentifier and returns its OID and its raw parameters, nil if absent.
func readAlgorithm(s *cryptobyte.String) (algorithm, bool) {
	var seq, params cryptobyte.String
	var a algorithm
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.oid) {
		return a, false
	}
	if !seq.Empty() {
		var tag cbasn1.Tag
		if !seq.ReadAnyASN1Element(&params, &tag) || !seq.Empty() {
			return a, false
		}
		a.params = params
	}
	return a, true
}
