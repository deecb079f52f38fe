package fonts

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrNotTrueType is returned for a file that is no single TrueType font with glyf outlines.
var ErrNotTrueType = errors.New("not a TrueType font with glyf outlines")

// tables are the parts of a TrueType file by tag.
type tables map[string][]byte

// MaxFont bounds the size of a font file, in bytes.
const MaxFont = 64 << 20

const maxTables = 64

// readTables cuts a TrueType file into its tables and checks that those a subset needs are there.
func readTables(data []byte) (tables, error) {
	if len(data) > MaxFont {
		return nil, fmt.Errorf("%d bytes, at most %d", len(data), MaxFont)
	}
	if len(data) < 12 {
		return nil, ErrNotTrueType
	}
	if v := binary.BigEndian.Uint32(data); v != 0x00010000 && v != 0x74727565 {
		return nil, fmt.Errorf("%w: file type %q", ErrNotTrueType, data[:4])
	}
	n := int(binary.BigEndian.Uint16(data[4:]))
	if n > maxTables || len(data) < 12+16*n {
		return nil, fmt.Errorf("%w: table list", ErrNotTrueType)
	}
	t := make(tables, n)
	for i := range n {
		e := data[12+16*i:]
		off, size := uint64(binary.BigEndian.Uint32(e[8:])), uint64(binary.BigEndian.Uint32(e[12:]))
		if off+size > uint64(len(data)) {
			return nil, fmt.Errorf("%w: table %q leaves the file", ErrNotTrueType, e[:4])
		}
		t[string(e[:4])] = data[off : off+size : off+size]
	}
	return t, t.check()
}

func (t tables) check() error {
	for tag, least := range map[string]int{
		"head": 54, "hhea": 36, "maxp": 32, "hmtx": 4, "loca": 4, "glyf": 0, "cmap": 4,
	} {
		b, ok := t[tag]
		if !ok || len(b) < least {
			return fmt.Errorf("%w: table %q", ErrNotTrueType, tag)
		}
	}
	return nil
}
