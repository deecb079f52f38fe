package fonts

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf16"
)

// maxGlyphs is what a TrueType file can count.
const maxGlyphs = 1 << 16

// Subset writes a TrueType file that draws just the given characters, with their cmap (also beyond U+FFFF), no hinting and
// no layout tables. The same characters give the same bytes. A character that the face lacks is ErrNoGlyph.
func (f *Face) Subset(chars []rune) ([]byte, error) {
	want := slices.Clone(chars)
	slices.Sort(want)
	want = slices.Compact(want)
	s := &subsetter{face: f, place: map[uint16]uint16{0: 0}, order: []uint16{0}}
	mapping := make([]charGlyph, 0, len(want))
	for _, r := range want {
		g, ok := f.glyph(r)
		if !ok {
			return nil, fmt.Errorf("subset of %s: %U: %w", f.family, r, ErrNoGlyph)
		}
		mapping = append(mapping, charGlyph{r, s.add(uint16(g))})
	}
	out, err := s.write(mapping)
	if err != nil {
		return nil, fmt.Errorf("subset of %s: %w", f.family, err)
	}
	return out, nil
}

type charGlyph struct {
	char  rune
	glyph uint16
}

// subsetter numbers the glyphs anew, in the order in which they are asked for.
type subsetter struct {
	face  *Face
	place map[uint16]uint16
	order []uint16
}

func (s *subsetter) add(old uint16) uint16 {
	if g, ok := s.place[old]; ok {
		return g
	}
	g := uint16(len(s.order))
	s.place[old] = g
	s.order = append(s.order, old)
	return g
}

func (s *subsetter) write(mapping []charGlyph) ([]byte, error) {
	glyf, loca, err := s.outlines()
	if err != nil {
		return nil, err
	}
	src := s.face.tables
	head := slices.Clone(src["head"])
	binary.BigEndian.PutUint32(head[8:], 0)  // checkSumAdjustment, set by assemble
	binary.BigEndian.PutUint16(head[50:], 1) // long offsets
	hhea := slices.Clone(src["hhea"])
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(s.order)))
	maxp := slices.Clone(src["maxp"])
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(s.order)))
	hmtx, err := s.metrics()
	if err != nil {
		return nil, err
	}
	out := tables{
		"head": head, "hhea": hhea, "maxp": maxp, "hmtx": hmtx, "glyf": glyf, "loca": loca,
		"cmap": cmapTable(mapping), "name": nameTable(s.face.family), "post": postTable(),
	}
	if os2 := src["OS/2"]; len(os2) >= 78 {
		out["OS/2"] = os2Table(os2, mapping)
	}
	return assemble(out), nil
}

// outlines copies the glyphs, renumbering the parts of composite ones; parts not asked for are appended to the order.
func (s *subsetter) outlines() (glyf, loca []byte, err error) {
	loca = binary.BigEndian.AppendUint32(loca, 0)
	for i := 0; i < len(s.order); i++ { //nolint:intrange // the order grows while composites name their parts
		if len(s.order) >= maxGlyphs {
			return nil, nil, fmt.Errorf("%w: too many glyphs", ErrNotTrueType)
		}
		g, err := s.glyphData(s.order[i])
		if err != nil {
			return nil, nil, err
		}
		g = slices.Clone(g)
		if err := s.renumber(g); err != nil {
			return nil, nil, err
		}
		glyf = append(glyf, g...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	}
	return glyf, loca, nil
}

func (s *subsetter) glyphData(old uint16) ([]byte, error) {
	t := s.face.tables
	var from, to uint64
	long := binary.BigEndian.Uint16(t["head"][50:]) != 0
	loca, i := t["loca"], int(old)
	switch {
	case long && 4*i+8 <= len(loca):
		from, to = uint64(binary.BigEndian.Uint32(loca[4*i:])), uint64(binary.BigEndian.Uint32(loca[4*i+4:]))
	case !long && 2*i+4 <= len(loca):
		from, to = 2*uint64(binary.BigEndian.Uint16(loca[2*i:])), 2*uint64(binary.BigEndian.Uint16(loca[2*i+2:]))
	default:
		return nil, fmt.Errorf("%w: glyph %d has no place", ErrNotTrueType, old)
	}
	if from > to || to > uint64(len(t["glyf"])) {
		return nil, fmt.Errorf("%w: glyph %d leaves its table", ErrNotTrueType, old)
	}
	return t["glyf"][from:to], nil
}

// Flags of a composite glyph's parts (OpenType, table glyf).
const (
	argsAreWords  = 1 << 0
	haveScale     = 1 << 3
	moreParts     = 1 << 5
	haveXYScale   = 1 << 6
	haveTwoByTwo  = 1 << 7
	haveInstructs = 1 << 8
)

func (s *subsetter) renumber(g []byte) error {
	if len(g) < 10 || int16(binary.BigEndian.Uint16(g)) >= 0 {
		return nil
	}
	for p, flags := 10, uint16(moreParts); flags&moreParts != 0; {
		if p+4 > len(g) {
			return fmt.Errorf("%w: composite glyph cut off", ErrNotTrueType)
		}
		flags = binary.BigEndian.Uint16(g[p:])
		binary.BigEndian.PutUint16(g[p:], flags&^haveInstructs)
		binary.BigEndian.PutUint16(g[p+2:], s.add(binary.BigEndian.Uint16(g[p+2:])))
		p += 4 + partSize(flags)
	}
	return nil
}

func partSize(flags uint16) int {
	n := 2
	if flags&argsAreWords != 0 {
		n = 4
	}
	switch {
	case flags&haveScale != 0:
		n += 2
	case flags&haveXYScale != 0:
		n += 4
	case flags&haveTwoByTwo != 0:
		n += 8
	}
	return n
}

// metrics writes a full pair for every glyph, so that no reader has to know about the shortened tail.
func (s *subsetter) metrics() ([]byte, error) {
	t := s.face.tables
	hmtx, full := t["hmtx"], int(binary.BigEndian.Uint16(t["hhea"][34:]))
	if full == 0 || 4*full > len(hmtx) {
		return nil, fmt.Errorf("%w: horizontal metrics", ErrNotTrueType)
	}
	var out []byte
	for _, old := range s.order {
		i := int(old)
		if i < full {
			out = append(out, hmtx[4*i:4*i+4]...)
			continue
		}
		out = append(out, hmtx[4*full-4:4*full-2]...)
		bearing := 4*full + 2*(i-full)
		if bearing+2 > len(hmtx) {
			return nil, fmt.Errorf("%w: glyph %d has no metrics", ErrNotTrueType, old)
		}
		out = append(out, hmtx[bearing:bearing+2]...)
	}
	return out, nil
}

// cmapTable writes format 4 for the basic plane and, where there is more, format 12 for everything.
func cmapTable(mapping []charGlyph) []byte {
	basic := slices.DeleteFunc(slices.Clone(mapping), func(c charGlyph) bool { return c.char >= 0xFFFF })
	four := cmapFormat4(basic)
	encodings := []struct {
		platform, encoding uint16
		table              []byte
	}{{3, 1, four}}
	if len(basic) != len(mapping) {
		encodings = append(encodings, struct {
			platform, encoding uint16
			table              []byte
		}{3, 10, cmapFormat12(mapping)})
	}
	var out []byte
	out = binary.BigEndian.AppendUint16(out, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(len(encodings)))
	offset := 4 + 8*len(encodings)
	for _, e := range encodings {
		out = binary.BigEndian.AppendUint16(out, e.platform)
		out = binary.BigEndian.AppendUint16(out, e.encoding)
		out = binary.BigEndian.AppendUint32(out, uint32(offset))
		offset += len(e.table)
	}
	for _, e := range encodings {
		out = append(out, e.table...)
	}
	return out
}

// span is a run of characters whose glyphs follow one another as the characters do.
type span struct {
	first, last rune
	glyph       uint16
}

func spans(mapping []charGlyph) []span {
	var out []span
	for _, m := range mapping {
		if n := len(out); n > 0 {
			if l := &out[n-1]; m.char == l.last+1 && int(m.glyph) == int(l.glyph)+int(m.char-l.first) {
				l.last = m.char
				continue
			}
		}
		out = append(out, span{m.char, m.char, m.glyph})
	}
	return out
}

func cmapFormat4(mapping []charGlyph) []byte {
	segs := append(spans(mapping), span{0xFFFF, 0xFFFF, 0})
	n := len(segs)
	search, selector := searchRange(n, 2)
	var out []byte
	put := func(v uint16) { out = binary.BigEndian.AppendUint16(out, v) }
	for _, v := range []uint16{4, uint16(16 + 8*n), 0, uint16(2 * n), search, selector, uint16(2*n) - search} {
		put(v)
	}
	for _, s := range segs {
		put(uint16(s.last))
	}
	put(0)
	for _, s := range segs {
		put(uint16(s.first))
	}
	for _, s := range segs {
		if s.first == 0xFFFF {
			put(1)
			continue
		}
		put(s.glyph - uint16(s.first))
	}
	for range segs {
		put(0)
	}
	return out
}

func cmapFormat12(mapping []charGlyph) []byte {
	segs := spans(mapping)
	var out []byte
	out = binary.BigEndian.AppendUint16(out, 12)
	out = binary.BigEndian.AppendUint16(out, 0)
	for _, v := range []uint32{uint32(16 + 12*len(segs)), 0, uint32(len(segs))} {
		out = binary.BigEndian.AppendUint32(out, v)
	}
	for _, s := range segs {
		for _, v := range []uint32{uint32(s.first), uint32(s.last), uint32(s.glyph)} {
			out = binary.BigEndian.AppendUint32(out, v)
		}
	}
	return out
}

// searchRange is the binary search hint of table lists and cmaps: the largest power of two not above n, times size.
func searchRange(n, size int) (search, selector uint16) {
	power := 1
	for power*2 <= n {
		power *= 2
		selector++
	}
	return uint16(power * size), selector
}

func nameTable(family string) []byte {
	plain := slices.DeleteFunc([]rune(family), func(r rune) bool { return r == ' ' })
	texts := []struct {
		id   uint16
		text string
	}{{1, family}, {2, "Regular"}, {3, string(plain) + ";subset"}, {4, family}, {5, "Version 1.000"}, {6, string(plain)}}
	var records, storage []byte
	for _, t := range texts {
		var b []byte
		for _, u := range utf16.Encode([]rune(t.text)) {
			b = binary.BigEndian.AppendUint16(b, u)
		}
		for _, v := range []uint16{3, 1, 0x409, t.id, uint16(len(b)), uint16(len(storage))} {
			records = binary.BigEndian.AppendUint16(records, v)
		}
		storage = append(storage, b...)
	}
	var out []byte
	for _, v := range []uint16{0, uint16(len(texts)), uint16(6 + len(records))} {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	return append(append(out, records...), storage...)
}

// postTable is version 3: no glyph names.
func postTable() []byte {
	out := make([]byte, 32)
	binary.BigEndian.PutUint32(out, 0x00030000)
	binary.BigEndian.PutUint16(out[8:], 0xFF9C) // underline 100 units below the baseline
	binary.BigEndian.PutUint16(out[10:], 50)
	return out
}

func os2Table(src []byte, mapping []charGlyph) []byte {
	out := slices.Clone(src)
	if len(mapping) > 0 {
		binary.BigEndian.PutUint16(out[64:], uint16(min(mapping[0].char, 0xFFFF)))
		binary.BigEndian.PutUint16(out[66:], uint16(min(mapping[len(mapping)-1].char, 0xFFFF)))
	}
	return out
}

// assemble joins tables into a file, sorted by tag, each on a multiple of four, with its checksums.
func assemble(t tables) []byte {
	tags := make([]string, 0, len(t))
	for tag := range t {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	search, selector := searchRange(len(tags), 16)
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range []uint16{uint16(len(tags)), search, selector, uint16(16*len(tags)) - search} {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	offset, headAt := 12+16*len(tags), 0
	for _, tag := range tags {
		if tag == "head" {
			headAt = offset
		}
		out = append(out, tag...)
		for _, v := range []uint32{checksum(t[tag]), uint32(offset), uint32(len(t[tag]))} {
			out = binary.BigEndian.AppendUint32(out, v)
		}
		offset += (len(t[tag]) + 3) &^ 3
	}
	for _, tag := range tags {
		out = append(out, t[tag]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	const magic = 0xB1B0AFBA
	binary.BigEndian.PutUint32(out[headAt+8:], magic-checksum(out))
	return out
}

func checksum(b []byte) uint32 {
	var sum uint32
	for len(b) >= 4 {
		sum += binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	var tail [4]byte
	copy(tail[:], b)
	return sum + binary.BigEndian.Uint32(tail[:])
}
