package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"strconv"

	"golang.org/x/image/vector"
)

// DefaultDPI is the resolution of seal pictures.
const DefaultDPI = 300

// MaxDPI bounds PNG.
const MaxDPI = 1200

const mmPerInch = 25.4

// MM is the size in whole millimetres, as a seal states it.
func (p *Picture) MM() (width, height int) {
	return int(math.Round(p.Width)), int(math.Round(p.Height))
}

// PNG renders the picture with a transparent background; dpi of zero is DefaultDPI.
func (p *Picture) PNG(dpi int) ([]byte, error) {
	if dpi == 0 {
		dpi = DefaultDPI
	}
	if dpi < 0 || dpi > MaxDPI {
		return nil, fmt.Errorf("%w: %d dpi", ErrSize, dpi)
	}
	scale := float64(dpi) / mmPerInch
	w, h := int(math.Ceil(p.Width*scale)), int(math.Ceil(p.Height*scale))
	r := vector.NewRasterizer(w, h)
	at := func(q Point) (float32, float32) { return float32(q.X * scale), float32(q.Y * scale) }
	for _, s := range p.Segments {
		x1, y1 := at(s.Points[0])
		x2, y2 := at(s.Points[1])
		x3, y3 := at(s.Points[2])
		switch s.Op {
		case MoveTo:
			r.MoveTo(x1, y1)
		case LineTo:
			r.LineTo(x1, y1)
		case QuadTo:
			r.QuadTo(x1, y1, x2, y2)
		case CubeTo:
			r.CubeTo(x1, y1, x2, y2, x3, y3)
		case Close:
			r.ClosePath()
		}
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	mask := image.NewAlpha(img.Bounds())
	r.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	c := p.Color
	for i, a := range mask.Pix { // one colour everywhere, clear pixels too: only the transparency varies
		copy(img.Pix[4*i:], []byte{c.R, c.G, c.B, uint8(uint16(a) * uint16(c.A) / 0xFF)})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("encode seal picture: %w", err)
	}
	return out.Bytes(), nil
}

// SVG writes the picture at its true size.
func (p *Picture) SVG() []byte {
	var b bytes.Buffer
	size := func(v float64) string { return string(number(nil, v)) }
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%smm" height="%smm" viewBox="0 0 %s %s">`,
		size(p.Width), size(p.Height), size(p.Width), size(p.Height))
	c := p.Color
	fmt.Fprintf(&b, `<path fill="#%02x%02x%02x" d="`, c.R, c.G, c.B)
	b.WriteString(p.path([5]string{"M", "L", "Q", "C", "Z"}, true))
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}

// OFDPath is the path as AbbreviatedData of a PathObject, in millimetres.
func (p *Picture) OFDPath() string { return p.path([5]string{"M", "L", "Q", "B", "C"}, true) }

// PDFPath is the path as operators of a PDF content stream, in millimetres with y upwards from the picture's bottom left
// corner; the caller sets matrix and colour and fills with "f".
func (p *Picture) PDFPath() string {
	flip := func(q Point) Point { return Point{q.X, p.Height - q.Y} }
	flipped := &Picture{}
	var last Point
	for _, s := range p.Segments {
		for i := range s.Points {
			s.Points[i] = flip(s.Points[i])
		}
		if s.Op == QuadTo { // PDF has cubic curves alone
			c, end := s.Points[0], s.Points[1]
			s = Segment{Op: CubeTo, Points: [3]Point{between(last, c), between(end, c), end}}
		}
		switch s.Op {
		case MoveTo, LineTo:
			last = s.Points[0]
		case CubeTo:
			last = s.Points[2]
		}
		flipped.Segments = append(flipped.Segments, s)
	}
	return flipped.path([5]string{"m", "l", "", "c", "h"}, false)
}

// between is the point two thirds of the way from p to the control point c.
func between(p, c Point) Point { return Point{p.X + (c.X-p.X)*2/3, p.Y + (c.Y-p.Y)*2/3} }

// path writes the segments with operators before or after their operands.
func (p *Picture) path(ops [5]string, before bool) string {
	counts := [...]int{MoveTo: 1, LineTo: 1, QuadTo: 2, CubeTo: 3, Close: 0}
	b := make([]byte, 0, 32*len(p.Segments))
	for i, s := range p.Segments {
		if i > 0 {
			b = append(b, ' ')
		}
		if before {
			b = append(b, ops[s.Op]...)
		}
		for k, q := range s.Points[:counts[s.Op]] {
			if before || k > 0 {
				b = append(b, ' ')
			}
			b = number(b, q.X)
			b = append(b, ' ')
			b = number(b, q.Y)
		}
		if !before {
			if counts[s.Op] > 0 {
				b = append(b, ' ')
			}
			b = append(b, ops[s.Op]...)
		}
	}
	return string(b)
}

// number appends a number with at most three decimals, a micrometre.
func number(b []byte, v float64) []byte {
	v = math.Round(v*1000) / 1000
	if v == 0 {
		v = 0 // no negative zero
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}
