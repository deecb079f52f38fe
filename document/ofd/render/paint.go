package render

import (
	"math"
	"strconv"
	"strings"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// rgb is a colour without transparency.
type rgb struct{ r, g, b uint8 }

// paint is what fills: one colour, a gradient under a matrix, or a pattern.
type paint struct {
	color    rgb
	alpha    float64
	gradient *gradient
	pattern  *pattern
}

// gradient goes along an axis or between two circles.
type gradient struct {
	radial     bool
	from, to   point
	r1, r2     float64
	stops      []stop
	repeat     string // Direct, Repeat, Reflect
	unit       float64
	at         matrix
	extendFrom bool
	extendTo   bool
}

type stop struct {
	at    float64
	color rgb
	alpha float64
}

// placed fixes the paint's own coordinates on the page: those of the object that it fills.
func (p *paint) placed(object, page matrix) *paint {
	out := *p
	if p.gradient != nil {
		g := *p.gradient
		g.at = object.times(g.at)
		out.gradient = &g
	}
	if p.pattern != nil {
		out.pattern = p.pattern.placed(object, page)
	}
	return &out
}

// moved is the paint of an item that is moved by m; nil stays nil.
func (p *paint) moved(m matrix) *paint {
	if p == nil || p.gradient == nil {
		return p
	}
	return p.placed(m, m)
}

// drawParam is what DrawParam elements and the attributes of an object set.
type drawParam struct {
	width, miter, offset float64
	cap, join            string
	dash                 []float64
	fill, stroke         *paint
}

// defaultDraw are the values of GB/T 33190-2016 8.2.
func defaultDraw() drawParam {
	black := &paint{alpha: 1}
	return drawParam{width: 0.353, miter: 3.528, cap: "Butt", join: "Miter", fill: black, stroke: black}
}

// drawParam applies the draw parameters of that identifier, and those they build on, to d.
func (r *reader) drawParam(id string, d drawParam, depth int) drawParam {
	if id == "" || depth > maxDepth {
		return d
	}
	res, ok := r.lookupDraw(id)
	if !ok {
		r.doc.note("resource_missing", "draw parameters %.20s", id)
		return d
	}
	d = r.drawParam(res.e.Value("Relative"), d, depth+1)
	out, err := d.with(r, res.e)
	if err != nil {
		r.doc.note("object_not_drawn", "draw parameters %.20s: %v", id, err)
		return d
	}
	return out
}

func (r *reader) lookupDraw(id string) (resource, bool) {
	if r.res == nil {
		r.res = r.doc.common
	}
	res, ok := r.res.drawParams[id]
	return res, ok
}

// with applies the attributes and colours of e.
func (d drawParam) with(r *reader, e *ofd.Element) (drawParam, error) {
	for _, a := range []struct {
		name string
		into *float64
	}{{"LineWidth", &d.width}, {"MiterLimit", &d.miter}, {"DashOffset", &d.offset}} {
		if v, given := e.Attr(a.name); given {
			n, err := ofd.ParseNumber(v)
			if err != nil {
				return d, err
			}
			*a.into = n
		}
	}
	if v := e.Value("Cap"); v != "" {
		d.cap = v
	}
	if v := e.Value("Join"); v != "" {
		d.join = v
	}
	if v, given := e.Attr("DashPattern"); given {
		n, err := numbers(v)
		if err != nil {
			return d, err
		}
		d.dash = positive(n)
	}
	var err error
	if c := e.Child("FillColor"); c != nil {
		if d.fill, err = r.paint(c); err != nil {
			return d, err
		}
	}
	if c := e.Child("StrokeColor"); c != nil {
		if d.stroke, err = r.paint(c); err != nil {
			return d, err
		}
	}
	return d, nil
}

// positive is a dash pattern that can be drawn: some of it more than nothing, none of it negative, not finer than a
// hundredth of a millimetre on the whole.
func positive(n []float64) []float64 {
	sum := 0.0
	for _, v := range n {
		if v < 0 {
			return nil
		}
		sum += v
	}
	if sum < 0.01 || len(n) > 64 {
		return nil
	}
	return n
}

// paint reads a colour element.
func (r *reader) paint(e *ofd.Element) (*paint, error) {
	p := &paint{alpha: 1}
	var err error
	if p.color, err = r.color(e); err != nil {
		return nil, err
	}
	if a, given := e.Attr("Alpha"); given {
		v, err := ofd.ParseNumber(a)
		if err != nil {
			return nil, err
		}
		p.alpha = min(max(v/255, 0), 1)
	}
	for _, c := range e.Children {
		switch c.Name {
		case "AxialShd", "RadialShd":
			if p.gradient, err = r.gradient(c); err != nil {
				return nil, err
			}
		case "Pattern":
			if p.pattern, err = r.pattern(c); err != nil {
				return nil, err
			}
		case "GouraudShd", "LaGouraudShd", "LaGourandShd": // the last is how the schema of the standard spells it
			r.doc.note("object_not_drawn", "the shading of %s, which is drawn in one colour", c.Name)
			if p.color, err = r.mean(c); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// mean is the colour in the middle of a mesh's corners.
func (r *reader) mean(e *ofd.Element) (rgb, error) {
	var sum [3]int
	points := e.All("Point")
	for _, p := range points {
		c, err := r.color(p.Child("Color"))
		if err != nil {
			return rgb{}, err
		}
		sum[0], sum[1], sum[2] = sum[0]+int(c.r), sum[1]+int(c.g), sum[2]+int(c.b)
	}
	if len(points) == 0 {
		return r.color(e.Child("BackColor"))
	}
	n := len(points)
	return rgb{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n)}, nil
}

// color reads @Value, else the colour of the palette that @Index counts; neither is black.
func (r *reader) color(e *ofd.Element) (rgb, error) {
	if e == nil {
		return rgb{}, nil
	}
	if v := e.Value("Value"); v != "" {
		return channels(v)
	}
	index := e.Value("Index")
	if index == "" {
		return rgb{}, nil
	}
	space := e.Value("ColorSpace")
	if space == "" {
		space = r.doc.space
	}
	n, err := ofd.ParseNumber(index)
	if err != nil {
		return rgb{}, err
	}
	palette := r.res.spaces[space].e.Child("Palette").All("CV")
	if !(n >= 0 && n < float64(len(palette))) {
		r.doc.note("resource_missing", "colour %.20s of colour space %.20s", index, space)
		return rgb{}, nil
	}
	return channels(palette[int(n)].Text)
}

// channels reads a colour: one number is grey, three are RGB, four CMYK, each 0 to 255 or #hex.
func channels(s string) (rgb, error) {
	n := make([]float64, 0, 4)
	for t := range strings.FieldsSeq(s) {
		if hex, ok := strings.CutPrefix(t, "#"); ok {
			v, err := strconv.ParseUint(hex, 16, 8)
			if err != nil {
				return rgb{}, verdict.Refuse(verdict.Number, "a colour %.12q", t)
			}
			n = append(n, float64(v))
			continue
		}
		v, err := ofd.ParseNumber(t)
		if err != nil {
			return rgb{}, err
		}
		n = append(n, min(max(v, 0), 255))
	}
	switch len(n) {
	case 1:
		return rgb{uint8(n[0]), uint8(n[0]), uint8(n[0])}, nil
	case 3:
		return rgb{uint8(n[0]), uint8(n[1]), uint8(n[2])}, nil
	case 4:
		part := func(v float64) uint8 { return uint8((255 - v) * (255 - n[3]) / 255) }
		return rgb{part(n[0]), part(n[1]), part(n[2])}, nil
	}
	return rgb{}, nil
}

func (r *reader) gradient(e *ofd.Element) (*gradient, error) {
	g := &gradient{radial: e.Name == "RadialShd", repeat: e.Value("MapType"), at: identity}
	switch e.Value("Extend") {
	case "1":
		g.extendFrom = true
	case "2":
		g.extendTo = true
	case "3":
		g.extendFrom, g.extendTo = true, true
	}
	var err error
	if g.from, err = readPoint(e.Value("StartPoint")); err != nil {
		return nil, err
	}
	if g.to, err = readPoint(e.Value("EndPoint")); err != nil {
		return nil, err
	}
	for _, a := range []struct {
		name string
		into *float64
	}{{"StartRadius", &g.r1}, {"EndRadius", &g.r2}, {"MapUnit", &g.unit}} {
		if v, given := e.Attr(a.name); given {
			if *a.into, err = ofd.ParseNumber(v); err != nil {
				return nil, err
			}
		}
	}
	if err := g.ellipses(e); err != nil {
		return nil, err
	}
	segments := e.All("Segment")
	for i, s := range segments {
		st := stop{alpha: 1}
		if st.at = float64(i) / float64(max(len(segments)-1, 1)); s.Value("Position") != "" {
			if st.at, err = ofd.ParseNumber(s.Value("Position")); err != nil {
				return nil, err
			}
		}
		if c := s.Child("Color"); c != nil {
			if st.color, err = r.color(c); err != nil {
				return nil, err
			}
			if a, given := c.Attr("Alpha"); given {
				v, err := ofd.ParseNumber(a)
				if err != nil {
					return nil, err
				}
				st.alpha = min(max(v/255, 0), 1)
			}
		}
		g.stops = append(g.stops, st)
	}
	if len(g.stops) == 0 || len(g.stops) > 256 {
		return nil, verdict.Refuse(verdict.Malformed, "a gradient of %d colours", len(g.stops))
	}
	return g, nil
}

// ellipses makes of the circles of a radial gradient what Eccentricity and Angle say: the gradient is reckoned with circles
// in a plane of its own, which its matrix squeezes across the long axis.
func (g *gradient) ellipses(e *ofd.Element) error {
	var n [2]float64
	for i, name := range []string{"Eccentricity", "Angle"} {
		v, given := e.Attr(name)
		if !given {
			continue
		}
		var err error
		if n[i], err = ofd.ParseNumber(v); err != nil {
			return err
		}
	}
	if !g.radial || n[0] <= 0 || n[0] >= 1 {
		return nil
	}
	sin, cos := math.Sincos(n[1] * math.Pi / 180)
	turn := matrix{a: cos, b: sin, c: -sin, d: cos}
	turnBack := matrix{a: cos, b: -sin, c: sin, d: cos}
	g.at = translate(g.from.X, g.from.Y).times(turn).times(scale(1, math.Sqrt(1-n[0]*n[0]))).times(turnBack).times(translate(-g.from.X, -g.from.Y))
	if back, ok := g.at.inverse(); ok {
		g.to = back.at(g.to)
	}
	return nil
}
