package pdf

import (
	"bytes"
	"compress/zlib"
	"io"
)

// Decode returns the decoded bytes of a stream that has no filter or one FlateDecode, with or without a predictor
// (ISO 32000-1, 7.4.4). More than max bytes are refused with the reason limit, any other filter, and a filter within
// a filter, as malformed or as beyond the limits. Parameters must be direct objects.
func Decode(s *Stream, max int) ([]byte, error) {
	if _, external := s.Dict["F"]; external {
		return nil, malformed("a stream keeps its data in another file")
	}
	filter, parms, err := filterOf(s.Dict)
	if err != nil {
		return nil, err
	}
	switch filter {
	case "":
		if len(s.Raw) > max {
			return nil, limit("a stream has more than %d bytes", max)
		}
		return s.Raw, nil
	case "FlateDecode":
	default:
		return nil, malformed("filter /%s where only /FlateDecode is read", filter)
	}
	z, err := zlib.NewReader(bytes.NewReader(s.Raw))
	if err != nil {
		return nil, malformed("stream is not Flate: %v", err)
	}
	out, err := io.ReadAll(io.LimitReader(z, int64(max)+1))
	if err != nil {
		return nil, malformed("stream is not Flate: %v", err)
	}
	if len(out) > max {
		return nil, limit("a stream expands to more than %d bytes", max)
	}
	return unpredict(out, parms)
}

// filterOf returns the one filter of a stream ("" for none) and its parameters.
func filterOf(d Dict) (Name, Dict, error) {
	filter, parms := d["Filter"], d["DecodeParms"]
	if list, ok := filter.(Array); ok {
		if len(list) > 1 {
			return "", nil, limit("a stream has %d filters, 1 is read", len(list))
		}
		filter = nil
		if len(list) == 1 {
			filter = list[0]
		}
		if p, ok := parms.(Array); ok {
			if len(p) != len(list) {
				return "", nil, malformed("a stream has %d filters and %d parameters", len(list), len(p))
			}
			parms = nil
			if len(p) == 1 {
				parms = p[0]
			}
		}
	}
	var dict Dict
	if parms != nil {
		var ok bool
		if dict, ok = parms.(Dict); !ok {
			return "", nil, malformed("filter parameters are not a direct dictionary")
		}
	}
	if filter == nil {
		return "", nil, nil
	}
	name, ok := filter.(Name)
	if !ok {
		return "", nil, malformed("filter is not a name")
	}
	return name, dict, nil
}

func intOr(d Dict, key Name, def int64) int64 {
	if n, ok := d[key].(int64); ok {
		return n
	}
	return def
}

// unpredict undoes the PNG predictors (RFC 2083, 6); the TIFF predictor is not read.
func unpredict(data []byte, parms Dict) ([]byte, error) {
	kind := intOr(parms, "Predictor", 1)
	if kind == 1 {
		return data, nil
	}
	colors, bits, columns := intOr(parms, "Colors", 1), intOr(parms, "BitsPerComponent", 8), intOr(parms, "Columns", 1)
	if kind < 10 || kind > 15 || colors < 1 || colors > 32 || bits < 1 || bits > 16 || columns < 1 || columns > 1<<20 {
		return nil, malformed("predictor %d with %d colours of %d bits in %d columns", kind, colors, bits, columns)
	}
	pixel := int((colors*bits + 7) / 8)
	row := int((colors*bits*columns + 7) / 8)
	if len(data)%(row+1) != 0 {
		return nil, malformed("predicted data is not whole rows")
	}
	out := make([]byte, 0, len(data)/(row+1)*row)
	previous := make([]byte, row)
	for ; len(data) > 0; data = data[row+1:] {
		line := data[1 : row+1]
		if err := unfilter(data[0], line, previous, pixel); err != nil {
			return nil, err
		}
		out = append(out, line...)
		previous = line
	}
	return out, nil
}

// unfilter undoes one row in place.
func unfilter(kind byte, line, up []byte, pixel int) error {
	if kind > 4 {
		return malformed("unknown row filter %d", kind)
	}
	for i := range line {
		var left, corner byte
		if i >= pixel {
			left, corner = line[i-pixel], up[i-pixel]
		}
		switch kind {
		case 1:
			line[i] += left
		case 2:
			line[i] += up[i]
		case 3:
			line[i] += byte((int(left) + int(up[i])) / 2)
		case 4:
			line[i] += paeth(left, up[i], corner)
		}
	}
	return nil
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
