package render

import (
	"math"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// pattern is a colour that repeats a cell of objects (GB/T 33190-2016 8.3.3).
type pattern struct {
	e  *ofd.Element
	at matrix // from the coordinates that the cells count from to the page
}

// cell is one repetition of a pattern, in the pattern's own coordinates.
type cell struct {
	width, height, xstep, ystep float64
	turnX, turnY                bool // every other column, every other row is mirrored
	items                       []item
}

// pattern fixes where a pattern begins: at the object, or at the page's corner.
func (r *reader) pattern(e *ofd.Element) (*pattern, error) {
	m, err := readMatrix(e.Value("CTM"))
	return &pattern{e: e, at: m}, err
}

// placed fixes the pattern on the page, object being the matrix of what it fills.
func (p *pattern) placed(object, page matrix) *pattern {
	if p.e.Value("RelativeTo") == "Page" {
		object = page
	}
	return &pattern{e: p.e, at: object.times(p.at)}
}

// cell reads what is repeated. Patterns whose cells use patterns end at maxPatterns.
func (r *reader) cell(p *pattern) (*cell, error) {
	c := &cell{}
	var err error
	for _, a := range []struct {
		name string
		into *float64
	}{{"Width", &c.width}, {"Height", &c.height}, {"XStep", &c.xstep}, {"YStep", &c.ystep}} {
		if v, given := p.e.Attr(a.name); given {
			if *a.into, err = ofd.ParseNumber(v); err != nil {
				return nil, err
			}
		}
	}
	if c.width <= 0 || c.height <= 0 {
		return nil, verdict.Refuse(verdict.Number, "a pattern of %g by %g mm", c.width, c.height)
	}
	c.xstep, c.ystep = max(c.xstep, c.width), max(c.ystep, c.height)
	how := p.e.Value("ReflectMethod")
	c.turnX, c.turnY = how == "Row" || how == "RowAndColumn", how == "Column" || how == "RowAndColumn"
	if r.patterns++; r.patterns > maxPatterns {
		return nil, verdict.Refuse(verdict.Limit, "patterns nested deeper than %d", maxPatterns)
	}
	defer func() { r.patterns-- }()
	content := p.e.Child("CellContent")
	if content == nil {
		return c, nil
	}
	c.items, err = r.aside(func() error { return r.walk(content, state{at: identity, alpha: 1, draw: defaultDraw()}) })
	return c, err
}

// tile fills areas with a pattern's cells.
func (r *reader) tile(p *paint, areas []area, st state) error {
	c, err := r.cell(p.pattern)
	if err != nil {
		return err
	}
	x0, x1, y0, y1, ok := cover(p.pattern.at, areas, c)
	if !ok || len(c.items) == 0 {
		return nil
	}
	n := (x1 - x0 + 1) * (y1 - y0 + 1)
	const far = 1e6 // cells from where the pattern begins: beyond, counting them loses its exactness
	if n*float64(len(c.items)) > float64(r.tiles) || n*c.weight() > float64(r.segments) || max(-x0, x1, -y0, y1) > far {
		r.doc.note("object_not_drawn", "a pattern of %.0f cells of %d objects", n, len(c.items))
		return nil
	}
	r.segments -= int(n * c.weight())
	cut := r.newClip(st.clip, areas...)
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			r.repeat(c, p, st, cut, x, y)
		}
	}
	return nil
}

// weight is how many path segments one cell costs.
func (c *cell) weight() float64 {
	n := 0
	for i := range c.items {
		n += len(c.items[i].path) + 1
		for o := c.items[i].clip; o != nil; o = o.outer {
			for _, a := range o.areas {
				n += len(a.path) + 1
			}
		}
	}
	return float64(n)
}

// repeat draws the cell in column x and row y.
func (r *reader) repeat(c *cell, p *paint, st state, cut *clip, x, y float64) {
	m := p.pattern.at.times(translate(x*c.xstep, y*c.ystep))
	if c.turnX && math.Mod(x, 2) != 0 {
		m = m.times(matrix{a: -1, d: 1, e: c.width})
	}
	if c.turnY && math.Mod(y, 2) != 0 {
		m = m.times(matrix{a: 1, d: -1, f: c.height})
	}
	edge := ofd.Box{W: c.width, H: c.height}
	for _, it := range c.items {
		r.tiles--
		around := cut
		if leaves(it, box(edge)) {
			around = r.cut(cut, edge, m)
		}
		it = r.moved(it, m, around)
		it.alpha *= st.alpha * p.alpha
		it.over = st.over
		r.scene.items = append(r.scene.items, it)
	}
}

// cover says which columns and rows of cells reach into the areas.
func cover(at matrix, areas []area, c *cell) (x0, x1, y0, y1 float64, ok bool) {
	back, ok := at.inverse()
	if !ok {
		return 0, 0, 0, 0, false
	}
	var all path
	for _, a := range areas {
		if b, some := a.path.bounds(); some {
			all = append(all, box(b).transformed(back)...)
		}
	}
	b, ok := all.bounds()
	return math.Floor((b.X-c.width)/c.xstep) + 1, math.Floor((b.X + b.W) / c.xstep),
		math.Floor((b.Y-c.height)/c.ystep) + 1, math.Floor((b.Y + b.H) / c.ystep), ok
}

// outlinesOf joins the shapes of items into one path.
func outlinesOf(items []item, budget *int) (path, error) {
	var out path
	for i := range items {
		p := items[i].shape()
		if *budget -= len(p); *budget < 0 {
			return nil, verdict.Refuse(verdict.Limit, "more than %d path segments on a page", maxSegments)
		}
		out = append(out, p...)
	}
	return out, nil
}
