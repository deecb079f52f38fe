package pdf

import (
	"maps"
	"math"
	"slices"
	"strconv"
)

// appendObject writes o in one fixed spelling: keys sorted, numbers shortest.
func appendObject(b []byte, o Object) []byte {
	switch x := o.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, x)
	case int:
		return strconv.AppendInt(b, int64(x), 10)
	case int64:
		return strconv.AppendInt(b, x, 10)
	case float64:
		return appendReal(b, x)
	case Name:
		return appendName(b, x)
	case String:
		return appendString(b, x)
	case Ref:
		b = strconv.AppendInt(b, int64(x.Number), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(x.Generation), 10)
		return append(b, " R"...)
	case Array:
		b = append(b, '[')
		for i, v := range x {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendObject(b, v)
		}
		return append(b, ']')
	case Dict:
		return appendDict(b, x)
	case *Stream:
		return appendStream(b, x)
	case Verbatim:
		return append(b, x...)
	}
	return append(b, "null"...)
}

// writable says whether o and all that it holds can be written.
func writable(o Object) bool {
	switch x := o.(type) {
	case nil, bool, int, int64, float64, Name, String, Ref, Verbatim:
		return true
	case Array:
		return !slices.ContainsFunc(x, func(v Object) bool { return !writable(v) })
	case Dict:
		for _, v := range x {
			if !writable(v) {
				return false
			}
		}
		return true
	case *Stream:
		return writable(x.Dict)
	}
	return false
}

// appendReal writes a number with at most five decimals, which is what readers keep (ISO 32000-1, annex C).
func appendReal(b []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(b, '0')
	}
	r := math.Round(x*1e5) / 1e5
	if r == 0 {
		r = 0 // no "-0"
	}
	return strconv.AppendFloat(b, r, 'f', -1, 64)
}

const hexDigits = "0123456789ABCDEF"

func appendName(b []byte, n Name) []byte {
	b = append(b, '/')
	for i := range len(n) {
		c := n[i]
		if c <= ' ' || c > '~' || c == '#' || isDelimiter(c) {
			b = append(b, '#', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}

func appendString(b []byte, s String) []byte {
	if s.Hex {
		b = append(b, '<')
		for _, c := range s.Value {
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
		return append(b, '>')
	}
	b = append(b, '(')
	for _, c := range s.Value {
		switch c {
		case '(', ')', '\\':
			b = append(b, '\\', c)
		case '\r':
			b = append(b, `\r`...)
		default:
			b = append(b, c)
		}
	}
	return append(b, ')')
}

func appendDict(b []byte, d Dict) []byte {
	keys := make([]Name, 0, len(d))
	for k := range d {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, "<<"...)
	for _, k := range keys {
		b = appendName(b, k)
		b = append(b, ' ')
		b = appendObject(b, d[k])
		b = append(b, '\n')
	}
	return append(b, ">>"...)
}

func appendStream(b []byte, s *Stream) []byte {
	d := Dict{}
	maps.Copy(d, s.Dict)
	d["Length"] = int64(len(s.Raw))
	b = appendDict(b, d)
	b = append(b, "\nstream\n"...)
	b = append(b, s.Raw...)
	return append(b, "\nendstream"...)
}
