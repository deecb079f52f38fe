// Package picture draws seal pictures and examines those that come from outside.
//
// It promises one set of outlines for every output: PNG (transparent), SVG, and path data for OFD and PDF show the same
// shape, in millimetres, at the seal's true size. The same input gives the same bytes. A name that does not fit is an
// error, never a picture with characters on top of each other; so is a character that no face draws, or that a face draws as
// nothing: rare ones want a face that has them (a folder of fonts), and a seal never shows a stand-in for one.
//
// It judges no right to bear a name and knows no seal structure.
package picture

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"unicode/utf8"

	"yinxin/document/fonts"
)

// Errors of drawing.
var (
	// ErrTooLong: the text does not fit the seal.
	ErrTooLong = errors.New("picture: text does not fit the seal")
	// ErrGlyph: no face at hand draws a character.
	ErrGlyph = errors.New("picture: no face draws the character")
	// ErrSize: the diameter or resolution is out of bounds.
	ErrSize = errors.New("picture: size out of bounds")
)

// Red is the colour of seals, #D71A1B.
func Red() color.NRGBA { return color.NRGBA{R: 0xD7, G: 0x1A, B: 0x1B, A: 0xFF} }

// Op is the kind of a path segment.
type Op uint8

// Segments: a contour begins with MoveTo and ends with Close. They use 1, 1, 2, 3 and 0 points.
const (
	MoveTo Op = iota
	LineTo
	QuadTo
	CubeTo
	Close
)

// Point is in millimetres from the picture's top left corner, y downwards.
type Point struct{ X, Y float64 }

// Segment is one step of a path.
type Segment struct {
	Op     Op
	Points [3]Point
}

// Picture is a drawn seal: one path, filled by the non-zero rule in one colour.
type Picture struct {
	// Width and Height in millimetres.
	Width, Height float64
	Color         color.NRGBA
	Segments      []Segment

	spans [][2]int // of Segments, one for each character
}

// Organisation is a round seal: a ring, a star, the name on the arc, a line below the star, a number inside the ring.
type Organisation struct {
	// Name runs along the arc.
	Name string
	// BottomLine stands below the star, such as 公文专用章; may be empty.
	BottomLine string
	// Number runs along the inside of the ring at the bottom, its digits upright to the reader; may be empty.
	Number string
	// Diameter in millimetres, DefaultDiameter if zero.
	Diameter float64
	// Color is Red if zero.
	Color color.NRGBA
}

// Bounds of a round seal.
const (
	// DefaultDiameter is that of a county's or smaller office's seal, in millimetres.
	DefaultDiameter = 42.0
	minDiameter     = 20.0
	maxDiameter     = 80.0
)

// Geometry for a diameter of 42 mm; everything scales with the diameter.
const (
	ringWidth    = 1.2
	ringGap      = 0.8 // between ring and characters
	starRadius   = 7.0
	tallChar     = 6.6
	shortChar    = 5.4 // for names of more than manyChars
	manyChars    = 16
	bottomChar   = 4.0
	bottomCentre = 12.0 // of the bottom line, below the centre
	narrowest    = 1.6
	numberChar   = 1.8
	numberGap    = 0.5 // between ring and number
	narrowDigit  = 0.7
	fill         = 0.92 // of the room that a character has
)

// Faces finds the face that draws a character; *fonts.Set does.
type Faces interface {
	Resolve(role fonts.Role, r rune) (*fonts.Face, bool)
}

// Draw draws the seal of an organisation.
func Draw(o Organisation, faces Faces) (*Picture, error) {
	if o.Diameter == 0 {
		o.Diameter = DefaultDiameter
	}
	if o.Diameter < minDiameter || o.Diameter > maxDiameter || math.IsNaN(o.Diameter) {
		return nil, fmt.Errorf("%w: diameter %g mm", ErrSize, o.Diameter)
	}
	if o.Color == (color.NRGBA{}) {
		o.Color = Red()
	}
	if !areText(o.Name, o.BottomLine, o.Number) || o.Name == "" {
		return nil, fmt.Errorf("%w: no name, or not text", ErrTooLong)
	}
	d := &drawing{
		scale: o.Diameter / DefaultDiameter, faces: faces,
		picture: &Picture{Width: o.Diameter, Height: o.Diameter, Color: o.Color},
	}
	d.centre = Point{o.Diameter / 2, o.Diameter / 2}
	d.inside = o.Diameter/2 - (ringWidth+ringGap)*d.scale
	d.ring(o.Diameter / 2)
	d.star()
	if err := d.arc([]rune(o.Name), o.BottomLine != "" || o.Number != ""); err != nil {
		return nil, fmt.Errorf("draw seal %s: %w", o.Name, err)
	}
	if err := d.number([]rune(o.Number)); err != nil {
		return nil, fmt.Errorf("draw seal %s: %w", o.Name, err)
	}
	if err := d.bottom([]rune(o.BottomLine)); err != nil {
		return nil, fmt.Errorf("draw seal %s: %w", o.Name, err)
	}
	return d.picture, nil
}

// areText reports whether all of the strings are UTF-8.
func areText(list ...string) bool {
	for _, s := range list {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

type drawing struct {
	scale   float64 // mm for each mm of the 42 mm seal
	centre  Point
	inside  float64 // radius that is left for what stands below the star
	faces   Faces
	picture *Picture
}

func (d *drawing) add(op Op, points ...Point) {
	s := Segment{Op: op}
	copy(s.Points[:], points)
	d.picture.Segments = append(d.picture.Segments, s)
}

// circle adds a circle of four curves, clockwise or not: opposite directions make a hole.
func (d *drawing) circle(r float64, clockwise bool) {
	const k = 0.5522847498307936 // 4/3·(√2-1)
	c := d.centre
	s := 1.0
	if !clockwise {
		s = -1
	}
	at := func(x, y float64) Point { return Point{c.X + x*r, c.Y + s*y*r} }
	d.add(MoveTo, at(1, 0))
	d.add(CubeTo, at(1, k), at(k, 1), at(0, 1))
	d.add(CubeTo, at(-k, 1), at(-1, k), at(-1, 0))
	d.add(CubeTo, at(-1, -k), at(-k, -1), at(0, -1))
	d.add(CubeTo, at(k, -1), at(1, -k), at(1, 0))
	d.add(Close)
}

func (d *drawing) ring(r float64) {
	d.circle(r, true)
	d.circle(r-ringWidth*d.scale, false)
}

// star adds a five-pointed star, one point up.
func (d *drawing) star() {
	outer := starRadius * d.scale
	inner := outer * math.Sin(math.Pi/10) / math.Sin(3*math.Pi/10)
	for i := range 10 {
		r := outer
		if i%2 == 1 {
			r = inner
		}
		a := float64(i)*math.Pi/5 - math.Pi/2
		p := Point{d.centre.X + r*math.Cos(a), d.centre.Y + r*math.Sin(a)}
		if i == 0 {
			d.add(MoveTo, p)
		} else {
			d.add(LineTo, p)
		}
	}
	d.add(Close)
}

// arc sets the name along the ring, centred at the top. The room of a character is measured at its foot, where the
// neighbours are closest, so that no two of them can touch.
func (d *drawing) arc(name []rune, withBottom bool) error {
	h := tallChar * d.scale
	if len(name) > manyChars {
		h = shortChar * d.scale
	}
	widest := 270.0
	if withBottom {
		widest = 230
	}
	n := float64(len(name))
	step := min(widest, 20*n+20) / n * math.Pi / 180
	radius := d.picture.Width/2 - (ringWidth+ringGap)*d.scale - h/2
	w := min(fill*2*(radius-h/2)*math.Tan(min(step/2, math.Pi/4)), h)
	if w < narrowest*d.scale {
		return fmt.Errorf("%w: %d characters", ErrTooLong, len(name))
	}
	for i, r := range name {
		a := (float64(i) - (n-1)/2) * step
		at := Point{d.centre.X + radius*math.Sin(a), d.centre.Y - radius*math.Cos(a)}
		if err := d.character(r, at, a, w, h); err != nil {
			return err
		}
	}
	return nil
}

// number sets the inner number along the bottom of the ring, tops of the digits towards the centre.
func (d *drawing) number(number []rune) error {
	if len(number) == 0 {
		return nil
	}
	h := numberChar * d.scale
	radius := d.picture.Width/2 - (ringWidth+numberGap)*d.scale - h/2
	const widest = 100 * math.Pi / 180
	n := float64(len(number))
	// The digits' tops are the closer ends here.
	step := min(widest/n, 1.1*h/radius)
	w := fill * 2 * (radius - h/2) * math.Tan(step/2)
	if w < narrowDigit*d.scale {
		return fmt.Errorf("%w: a number of %d characters", ErrTooLong, len(number))
	}
	for i, r := range number {
		a := (float64(i) - (n-1)/2) * step
		at := Point{d.centre.X + radius*math.Sin(a), d.centre.Y + radius*math.Cos(a)}
		if err := d.character(r, at, -a, w, h); err != nil {
			return err
		}
	}
	d.inside = min(d.inside, radius-h/2-numberGap*d.scale)
	return nil
}

// bottom sets a straight line below the star.
func (d *drawing) bottom(line []rune) error {
	if len(line) == 0 {
		return nil
	}
	h := bottomChar * d.scale
	foot := bottomCentre*d.scale + h/2
	inside := d.inside
	room := fill * 2 * math.Sqrt(inside*inside-foot*foot)
	step := min(room/float64(len(line)), h)
	w := step * fill
	if w < narrowest*d.scale {
		return fmt.Errorf("%w: %d characters in the bottom line", ErrTooLong, len(line))
	}
	for i, r := range line {
		x := (float64(i) - float64(len(line)-1)/2) * step
		at := Point{d.centre.X + x, d.centre.Y + bottomCentre*d.scale}
		if err := d.character(r, at, 0, w, h); err != nil {
			return err
		}
	}
	return nil
}

// character sets one character into a box of w by h around at, turned by angle (clockwise, radians). The em box is
// squeezed into it, not the ink, so that flat characters stay flat.
func (d *drawing) character(r rune, at Point, angle, w, h float64) error {
	if r == ' ' || r == '\u3000' {
		return nil
	}
	face, ok := d.faces.Resolve(fonts.Song, r)
	if !ok {
		return fmt.Errorf("%w %q (%U)", ErrGlyph, r, r)
	}
	o, err := face.Outline(r)
	if err != nil || len(o.Segments) == 0 {
		return fmt.Errorf("%w %q (%U): nothing of it shows in %s", ErrGlyph, r, r, face.Family())
	}
	em := float64(face.UnitsPerEm())
	advance := o.Advance
	if advance <= 0 {
		advance = em
	}
	sx, sy := min(w/advance, w/em*2), h/em
	sin, cos := math.Sincos(angle)
	place := func(p fonts.Point) Point {
		x := (p.X - advance/2) * sx
		y := (p.Y + face.EmTop()*em - em/2) * sy
		return Point{at.X + x*cos - y*sin, at.Y + x*sin + y*cos}
	}
	from := len(d.picture.Segments)
	d.contours(o.Segments, place)
	d.picture.spans = append(d.picture.spans, [2]int{from, len(d.picture.Segments)})
	return nil
}

// contours adds a glyph's contours, each closed.
func (d *drawing) contours(segments []fonts.Segment, place func(fonts.Point) Point) {
	open := false
	for _, s := range segments {
		if s.Op == fonts.MoveTo && open {
			d.add(Close)
		}
		open = true
		ops := [...]Op{fonts.MoveTo: MoveTo, fonts.LineTo: LineTo, fonts.QuadTo: QuadTo, fonts.CubeTo: CubeTo}
		d.add(ops[s.Op], place(s.Points[0]), place(s.Points[1]), place(s.Points[2]))
	}
	if open {
		d.add(Close)
	}
}
