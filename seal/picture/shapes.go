package picture

import (
	"fmt"
	"image/color"
	"math"
)

// Oval is an oval seal, as for contracts and invoices: a ring, the name on the upper arc, one or two straight lines in
// the middle and below.
type Oval struct {
	// Name runs along the upper arc.
	Name string
	// Middle stands in the middle, such as a number; BottomLine below it. Either may be empty.
	Middle, BottomLine string
	// Width and Height in millimetres, 40 by 30 if both are zero.
	Width, Height float64
	// Color is Red if zero.
	Color color.NRGBA
}

// Square is a seal with a frame and its text in columns from right to left, as names of persons and old offices have it.
type Square struct {
	// Text of 1 to 16 characters. Three become four by 印, which is the custom for persons, if Person is set.
	Text   string
	Person bool
	// Side in millimetres, 20 if zero.
	Side float64
	// Color is Red if zero.
	Color color.NRGBA
}

// Signature is the personal signature seal (签名章) of an official: the name in one line, without a frame.
type Signature struct {
	Name string
	// Height of the characters in millimetres, 10 if zero.
	Height float64
	// Color is Red if zero.
	Color color.NRGBA
}

const (
	ovalChar   = 4.6 // for a height of 30 mm
	ovalLine   = 3.4
	ovalHeight = 30.0
	squareSide = 20.0
	frameWidth = 1.0 // for a side of 20 mm
	maxSquare  = 16
	lineHeight = 10.0
)

// DrawOval draws an oval seal.
func DrawOval(o Oval, faces Faces) (*Picture, error) {
	if o.Width == 0 && o.Height == 0 {
		o.Width, o.Height = 40, ovalHeight
	}
	d, err := newDrawing(o.Width, o.Height, o.Color, faces)
	if err != nil {
		return nil, err
	}
	if o.Height > o.Width || o.Width > 2*o.Height {
		return nil, fmt.Errorf("%w: an oval of %g × %g mm", ErrSize, o.Width, o.Height)
	}
	if o.Name == "" || !areText(o.Name, o.Middle, o.BottomLine) {
		return nil, fmt.Errorf("%w: no name, or not text", ErrTooLong)
	}
	d.scale = o.Height / ovalHeight
	d.ellipse(o.Width/2, o.Height/2, true)
	d.ellipse(o.Width/2-ringWidth*d.scale, o.Height/2-ringWidth*d.scale, false)
	if err := d.ovalArc([]rune(o.Name)); err != nil {
		return nil, fmt.Errorf("draw seal %s: %w", o.Name, err)
	}
	for _, l := range []struct {
		text string
		y    float64
	}{{o.Middle, 1.5}, {o.BottomLine, 7}} {
		if err := d.straight([]rune(l.text), l.y*d.scale, ovalLine*d.scale); err != nil {
			return nil, fmt.Errorf("draw seal %s: %w", o.Name, err)
		}
	}
	return d.picture, nil
}

func newDrawing(width, height float64, c color.NRGBA, faces Faces) (*drawing, error) {
	const smallest, largest = 5, maxDiameter
	if !(width >= smallest && width <= largest && height >= smallest && height <= largest) {
		return nil, fmt.Errorf("%w: %g × %g mm", ErrSize, width, height)
	}
	if c == (color.NRGBA{}) {
		c = Red()
	}
	return &drawing{
		scale: 1, faces: faces, centre: Point{width / 2, height / 2},
		picture: &Picture{Width: width, Height: height, Color: c},
	}, nil
}

// ellipse adds an ellipse of four curves; opposite directions make a hole.
func (d *drawing) ellipse(a, b float64, clockwise bool) {
	const k = 0.5522847498307936 // 4/3·(√2-1)
	s := 1.0
	if !clockwise {
		s = -1
	}
	at := func(x, y float64) Point { return Point{d.centre.X + x*a, d.centre.Y + s*y*b} }
	d.add(MoveTo, at(1, 0))
	d.add(CubeTo, at(1, k), at(k, 1), at(0, 1))
	d.add(CubeTo, at(-k, 1), at(-1, k), at(-1, 0))
	d.add(CubeTo, at(-1, -k), at(-k, -1), at(0, -1))
	d.add(CubeTo, at(k, -1), at(1, -k), at(1, 0))
	d.add(Close)
}

// ovalArc sets the name along the upper part of the oval at equal distances, each character upright on the curve. The
// width of the characters is what the closest feet leave.
func (d *drawing) ovalArc(name []rune) error {
	h := ovalChar * d.scale
	inset := (ringWidth+ringGap)*d.scale + h/2
	curve := newArc(d.picture.Width/2-inset, d.picture.Height/2-inset)
	n := float64(len(name))
	const most = 0.5 // of the whole oval: the rest belongs to the lines below
	length := curve.length() * most
	step := min(length/n, 1.35*h)
	places := make([]arcPlace, len(name))
	w := h
	for i := range name {
		places[i] = curve.at((float64(i) - (n-1)/2) * step)
		if i > 0 {
			w = min(w, fill*distance(places[i-1].foot(h), places[i].foot(h)))
		}
	}
	if w < narrowest*d.scale {
		return fmt.Errorf("%w: %d characters", ErrTooLong, len(name))
	}
	for i, r := range name {
		p := places[i]
		at := Point{d.centre.X + p.x, d.centre.Y + p.y}
		if err := d.character(r, at, p.turn, w, h); err != nil {
			return err
		}
	}
	return nil
}

// straight sets a line of text, its middle y below the centre of the picture.
func (d *drawing) straight(line []rune, y, h float64) error {
	if len(line) == 0 {
		return nil
	}
	a := d.picture.Width/2 - (2*ringWidth+ringGap+ovalChar/2)*d.scale
	b := d.picture.Height/2 - (ringWidth+ringGap)*d.scale
	reach := (math.Abs(y) + h/2) / b
	if reach >= 1 {
		return fmt.Errorf("%w: no room for a line", ErrTooLong)
	}
	step := min(fill*2*a*math.Sqrt(1-reach*reach)/float64(len(line)), h)
	w := step * fill
	if w < narrowDigit*d.scale {
		return fmt.Errorf("%w: %d characters in a line", ErrTooLong, len(line))
	}
	for i, r := range line {
		x := (float64(i) - float64(len(line)-1)/2) * step
		if err := d.character(r, Point{d.centre.X + x, d.centre.Y + y}, 0, w, h); err != nil {
			return err
		}
	}
	return nil
}

// arc is an oval around the origin, measured along its line from the top.
type arc struct {
	points []arcPlace // from the bottom over the left and the top and the right to the bottom
	along  []float64  // length of the line up to each
}

// arcPlace is a point of the line and the turn (clockwise, radians) of what stands upright on it.
type arcPlace struct{ x, y, turn float64 }

// foot is where the foot of a character of height h stands.
func (p arcPlace) foot(h float64) Point {
	return Point{p.x - h/2*math.Sin(p.turn), p.y + h/2*math.Cos(p.turn)}
}

func distance(a, b Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

func newArc(a, b float64) *arc {
	const parts = 1440
	c := &arc{}
	for i := range parts + 1 {
		t := (float64(i)/parts - 0.5) * 2 * math.Pi // 0 is the top
		p := arcPlace{x: a * math.Sin(t), y: -b * math.Cos(t)}
		p.turn = math.Atan2(b*math.Sin(t), a*math.Cos(t))
		total := 0.0
		if i > 0 {
			last := c.points[i-1]
			total = c.along[i-1] + math.Hypot(p.x-last.x, p.y-last.y)
		}
		c.points, c.along = append(c.points, p), append(c.along, total)
	}
	return c
}

func (c *arc) length() float64 { return c.along[len(c.along)-1] }

// at is the place at a distance from the top, to the right if positive.
func (c *arc) at(distance float64) arcPlace {
	want := c.length()/2 + distance
	for i, l := range c.along {
		if l >= want {
			return c.points[i]
		}
	}
	return c.points[len(c.points)-1]
}

// DrawSquare draws a square seal.
func DrawSquare(o Square, faces Faces) (*Picture, error) {
	if o.Side == 0 {
		o.Side = squareSide
	}
	d, err := newDrawing(o.Side, o.Side, o.Color, faces)
	if err != nil {
		return nil, err
	}
	text := []rune(o.Text)
	if o.Person && len(text) == 3 {
		text = append(text, '印')
	}
	if len(text) == 0 || len(text) > maxSquare || !areText(o.Text) {
		return nil, fmt.Errorf("%w: %d characters in a square", ErrTooLong, len(text))
	}
	frame := frameWidth * o.Side / squareSide
	d.rectangle(0, 0, o.Side, o.Side, true)
	d.rectangle(frame, frame, o.Side-2*frame, o.Side-2*frame, false)
	columns := int(math.Ceil(math.Sqrt(float64(len(text)))))
	rows := (len(text) + columns - 1) / columns
	if len(text) == 2 { // one column reads better than a row
		columns, rows = 1, 2
	}
	room := o.Side - 4*frame
	w, h := room/float64(columns), room/float64(rows)
	for i, r := range text {
		column, row := i/rows, i%rows
		at := Point{o.Side - 2*frame - (float64(column)+0.5)*w, 2*frame + (float64(row)+0.5)*h}
		if err := d.character(r, at, 0, w*fill, h*fill); err != nil {
			return nil, fmt.Errorf("draw seal %s: %w", o.Text, err)
		}
	}
	return d.picture, nil
}

// rectangle adds a rectangle; opposite directions make a hole.
func (d *drawing) rectangle(x, y, w, h float64, clockwise bool) {
	corners := []Point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}
	if !clockwise {
		corners[1], corners[3] = corners[3], corners[1]
	}
	d.add(MoveTo, corners[0])
	for _, c := range corners[1:] {
		d.add(LineTo, c)
	}
	d.add(Close)
}

// DrawSignature draws a personal signature seal.
func DrawSignature(o Signature, faces Faces) (*Picture, error) {
	if o.Height == 0 {
		o.Height = lineHeight
	}
	name := []rune(o.Name)
	if len(name) == 0 || len(name) > maxSquare || !areText(o.Name) {
		return nil, fmt.Errorf("%w: a name of %d characters", ErrTooLong, len(name))
	}
	d, err := newDrawing(max(float64(len(name))*o.Height, 1), o.Height, o.Color, faces)
	if err != nil {
		return nil, err
	}
	for i, r := range name {
		at := Point{(float64(i) + 0.5) * o.Height, o.Height / 2}
		if err := d.character(r, at, 0, o.Height*fill, o.Height*fill); err != nil {
			return nil, fmt.Errorf("draw signature %s: %w", o.Name, err)
		}
	}
	return d.picture, nil
}
