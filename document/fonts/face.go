package fonts

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// ErrNoGlyph is returned when a face lacks a character.
var ErrNoGlyph = errors.New("face has no glyph for the character")

// Face is one typeface, safe for concurrent use.
type Face struct {
	role   Role
	family string
	// official is the typeface that this one stands in for.
	official string
	data     []byte
	font     *sfnt.Font
	tables   tables
	em       int
	emTop    float64

	// buffers are sfnt's scratch space, one a goroutine.
	buffers sync.Pool
}

// Parse reads a TrueType file with glyf outlines. Collections (.ttc) and CFF outlines are refused, because a PDF or an
// OFD could not embed them as they are.
func Parse(role Role, family, official string, data []byte) (*Face, error) {
	t, err := readTables(data)
	if err != nil {
		return nil, fmt.Errorf("parse face %s: %w", family, err)
	}
	f, err := sfnt.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("parse face %s: %w", family, err)
	}
	face := &Face{
		role: role, family: family, official: official, data: data, font: f, tables: t,
		em: int(f.UnitsPerEm()),
	}
	face.buffers.New = func() any { return new(sfnt.Buffer) }
	face.emTop = face.measureEmTop()
	return face, nil
}

// Role is what the face was asked for, save that a fallback keeps its own role.
func (f *Face) Role() Role { return f.role }

// Family is the name that files embed the face under. It is never a name that the font's licence reserves.
func (f *Face) Family() string { return f.family }

// Official is the typeface that the standard names; a face whose Family differs stands in for it.
func (f *Face) Official() string { return f.official }

// UnitsPerEm is the size of the em in font units.
func (f *Face) UnitsPerEm() int { return f.em }

// TTF is the whole file. It must not be changed.
func (f *Face) TTF() []byte { return f.data }

// EmTop is the height of the em box above the baseline, as a fraction of the em. It is measured so that the ink of 国
// lies in the middle of its box, because fonts disagree about their ascents.
func (f *Face) EmTop() float64 { return f.emTop }

// Has reports whether the face draws r.
func (f *Face) Has(r rune) bool {
	_, ok := f.glyph(r)
	return ok
}

func (f *Face) glyph(r rune) (sfnt.GlyphIndex, bool) {
	b := f.buffer()
	defer f.buffers.Put(b)
	g, err := f.font.GlyphIndex(b, r)
	return g, err == nil && g != 0
}

func (f *Face) buffer() *sfnt.Buffer {
	b, ok := f.buffers.Get().(*sfnt.Buffer)
	if !ok {
		return new(sfnt.Buffer)
	}
	return b
}

// Advance is the width of r as a fraction of the em; false when the face lacks r.
func (f *Face) Advance(r rune) (float64, bool) {
	g, ok := f.glyph(r)
	if !ok {
		return 0, false
	}
	b := f.buffer()
	defer f.buffers.Put(b)
	a, err := f.font.GlyphAdvance(b, g, fixed.I(f.em), font.HintingNone)
	if err != nil {
		return 0, false
	}
	return float64(a) / 64 / float64(f.em), true
}

// Outline is the shape of r in font units (UnitsPerEm to the em); ErrNoGlyph when the face lacks it.
func (f *Face) Outline(r rune) (Outline, error) {
	g, ok := f.glyph(r)
	if !ok {
		return Outline{}, fmt.Errorf("outline of %U in %s: %w", r, f.family, ErrNoGlyph)
	}
	b := f.buffer()
	defer f.buffers.Put(b)
	segments, err := f.font.LoadGlyph(b, g, fixed.I(f.em), nil)
	if err != nil {
		return Outline{}, fmt.Errorf("outline of %U in %s: %w", r, f.family, err)
	}
	out := Outline{Segments: make([]Segment, 0, len(segments))}
	for _, s := range segments {
		out.Segments = append(out.Segments, convert(s))
	}
	advance, err := f.font.GlyphAdvance(b, g, fixed.I(f.em), font.HintingNone)
	if err != nil {
		return Outline{}, fmt.Errorf("advance of %U in %s: %w", r, f.family, err)
	}
	out.Advance = float64(advance) / 64
	return out, nil
}

func convert(s sfnt.Segment) Segment {
	ops := [...]Op{sfnt.SegmentOpMoveTo: MoveTo, sfnt.SegmentOpLineTo: LineTo, sfnt.SegmentOpQuadTo: QuadTo, sfnt.SegmentOpCubeTo: CubeTo}
	out := Segment{Op: ops[s.Op]}
	for i, p := range s.Args {
		out.Points[i] = Point{X: float64(p.X) / 64, Y: float64(p.Y) / 64}
	}
	return out
}

// Bounds is the smallest box around the outline's points, in font units, y down; zero for a blank.
func (o Outline) Bounds() (x1, y1, x2, y2 float64) {
	first := true
	for _, s := range o.Segments {
		for _, p := range s.Points[:[...]int{MoveTo: 1, LineTo: 1, QuadTo: 2, CubeTo: 3}[s.Op]] {
			if first {
				x1, y1, x2, y2, first = p.X, p.Y, p.X, p.Y, false
				continue
			}
			x1, y1, x2, y2 = min(x1, p.X), min(y1, p.Y), max(x2, p.X), max(y2, p.Y)
		}
	}
	return x1, y1, x2, y2
}

// measureEmTop centres the ink of 国 in the em; a face without it gets the usual 0.88.
func (f *Face) measureEmTop() float64 {
	const usual = 0.88
	o, err := f.Outline('国')
	if err != nil {
		return usual
	}
	_, top, _, bottom := o.Bounds()
	return 0.5 - (top+bottom)/2/float64(f.em)
}

// Equal reports whether two faces draw from the same file.
func (f *Face) Equal(g *Face) bool {
	return f == g || (f != nil && g != nil && bytes.Equal(f.data, g.data))
}
