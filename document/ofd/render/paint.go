package render

import (
	"strconv"
	"strings"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// rgb is a colour without transparency.
type rgb struct{ r, g, b uint8 }

// paint is what fills: one colour, or a gradient under a matrix.
type paint struct {
	color    rgb
	alpha    float64
	gradient *gradient
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

// placed fixes the paint's own coordinates on the page.
func (p *paint) placed(at matrix) *paint {
	out := *p
	if p.gradient != nil {
		g := *p.gradient
		g.at = at
		out.gradient = &g
	}
	return &out
}

// moved is the paint of an item that is moved by m; nil stays nil.
func (p *paint) moved(m matrix) *paint {
	if p == nil || p.gradient == nil {
		return p
	}
	return p.placed(m.times(p.gradient.at))
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
		case "Pattern", "GouraudShd", "LaGouraudShd":
			r.doc.note("object_not_drawn", "a colour made by %s", c.Name)
		}
	}
	return p, nil
}

// color reads @Value: one number is grey, three are RGB, four CMYK, each 0 to 255 or #hex.
func (r *reader) color(e *ofd.Element) (rgb, error) {
	f := strings.Fields(e.Value("Value"))
	n := make([]float64, 0, 4)
	for _, t := range f {
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
	return rgb{}, nil // no value: black, or a colour of a palette that stands in for it
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
