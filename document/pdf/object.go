package pdf

import (
	"bytes"
	"slices"
)

// Object is a PDF value: nil (null), bool, int64, float64, [Name], [String], [Array], [Dict], [*Stream] or [Ref]; when
// writing also [Verbatim].
type Object any

// Name is a name without its slash, #-escapes decoded.
type Name string

// String is a string. Start and End are the offsets in the file of its first delimiter and behind its last one, so
// that a byte range can be compared with them; both are -1 for a string that was decoded from an object stream or
// that was never in a file.
type String struct {
	Value []byte
	// Hex says that the string was, or is to be, written as <…> and not as (…).
	Hex        bool
	Start, End int64
}

// Text makes a string to be written from bytes that are text in PDFDocEncoding, ASCII for instance.
func Text(s string) String { return String{Value: []byte(s), Start: -1, End: -1} }

// HexText makes a string to be written in hexadecimal.
func HexText(b []byte) String { return String{Value: b, Hex: true, Start: -1, End: -1} }

// UnicodeText makes a text string in UTF-16BE with a byte order mark (ISO 32000-1, 7.9.2.2).
func UnicodeText(s string) String {
	out := []byte{0xFE, 0xFF}
	for _, r := range s {
		if r > 0xFFFF {
			r -= 0x10000
			hi, lo := 0xD800+(r>>10), 0xDC00+(r&0x3FF)
			out = append(out, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
			continue
		}
		out = append(out, byte(r>>8), byte(r))
	}
	return HexText(out)
}

// Array is an array.
type Array []Object

// Dict is a dictionary. A key with the value null is left out, as the standard has it equal to an absent key.
type Dict map[Name]Object

// Ref is a reference to an indirect object.
type Ref struct{ Number, Generation int }

// Stream is a stream: its dictionary and its bytes as they stand in the file, not decoded.
type Stream struct {
	Dict Dict
	Raw  []byte
}

// Verbatim is written as it is. The reader never returns it.
type Verbatim string

// Equal says whether two objects have the same value. Where in the file they stand, and how a string is spelled, does
// not count; references are compared as references.
func Equal(a, b Object) bool {
	switch x := a.(type) {
	case String:
		y, ok := b.(String)
		return ok && bytes.Equal(x.Value, y.Value)
	case Array:
		y, ok := b.(Array)
		return ok && slices.EqualFunc(x, y, Equal)
	case Dict:
		y, ok := b.(Dict)
		return ok && equalDicts(x, y)
	case *Stream:
		y, ok := b.(*Stream)
		return ok && (x == y || equalDicts(x.Dict, y.Dict) && bytes.Equal(x.Raw, y.Raw))
	}
	switch b.(type) {
	case String, Array, Dict, *Stream:
		return false
	}
	return a == b
}

func equalDicts(a, b Dict) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		w, ok := b[k]
		if !ok || !Equal(v, w) {
			return false
		}
	}
	return true
}

// References calls f for every reference inside o, those of a stream's dictionary included.
func References(o Object, f func(Ref)) {
	switch x := o.(type) {
	case Ref:
		f(x)
	case Array:
		for _, v := range x {
			References(v, f)
		}
	case Dict:
		for _, v := range x {
			References(v, f)
		}
	case *Stream:
		References(x.Dict, f)
	}
}

// Dicts calls f for every dictionary inside o, o itself and that of a stream included.
func Dicts(o Object, f func(Dict)) {
	switch x := o.(type) {
	case Array:
		for _, v := range x {
			Dicts(v, f)
		}
	case Dict:
		f(x)
		for _, v := range x {
			Dicts(v, f)
		}
	case *Stream:
		Dicts(x.Dict, f)
	}
}
