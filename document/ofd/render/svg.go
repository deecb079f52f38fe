package render

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"io"
	"math"
	"strconv"
)

// emUnits is how finely an SVG draws its glyphs: parts of the em.
const emUnits = 1000

// SVG writes page i, counted from 0, at its true size. Everything in it is a number, a fixed word or Base64.
func (d *Document) SVG(w io.Writer, i int) error {
	s, err := d.page(i)
	if err != nil {
		return err
	}
	o := &svgWriter{names: map[*glyph]string{}, clips: map[int]bool{}}
	o.body = make([]byte, 0, 64<<10)
	for k := range s.items {
		if err := o.item(&s.items[k]); err != nil {
			return fmt.Errorf("draw page %d: %w", i+1, err)
		}
	}
	o.close()
	b := make([]byte, 0, len(o.body)+len(o.defs)+512)
	b = append(b, `<svg xmlns="http://www.w3.org/2000/svg" width="`...)
	b = append(num(b, s.size.W), `mm" height="`...)
	b = append(num(b, s.size.H), `mm" viewBox="0 0 `...)
	b = append(num(append(num(b, s.size.W), ' '), s.size.H), `"><defs>`...)
	b = append(b, o.defs...)
	b = append(b, `</defs><rect width="100%" height="100%" fill="#ffffff"/>`...)
	b = append(b, o.body...)
	b = append(b, `</svg>`...)
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write SVG: %w", err)
	}
	return nil
}

type svgWriter struct {
	defs, body []byte
	names      map[*glyph]string
	clips      map[int]bool
	gradients  int
	// group are the attributes of the open group, empty for none.
	group string
}

// enter opens the group for an item's attributes, unless it is open.
func (o *svgWriter) enter(it *item) {
	b := make([]byte, 0, 160)
	b = o.paintAttr(b, "fill", it.fill, it.alpha)
	if it.evenOdd && it.glyph == nil {
		b = append(b, ` fill-rule="evenodd"`...)
	}
	if it.stroke != nil {
		b = o.strokeAttrs(b, it)
	}
	if it.clip != nil {
		o.clip(it.clip)
		b = append(b, ` clip-path="url(#c`...)
		b = append(strconv.AppendInt(b, int64(it.clip.id), 10), `)"`...)
	}
	if it.over {
		b = append(b, ` style="mix-blend-mode:multiply"`...)
	}
	if string(b) == o.group {
		return
	}
	o.close()
	o.group = string(b)
	o.body = append(append(append(o.body, `<g`...), b...), '>')
}

func (o *svgWriter) close() {
	if o.group != "" {
		o.body = append(o.body, `</g>`...)
		o.group = ""
	}
}

func (o *svgWriter) item(it *item) error {
	if it.picture != nil {
		return o.picture(it)
	}
	o.enter(it)
	if it.glyph != nil && !it.shaded() {
		o.body = append(o.body, `<use href="#`...)
		o.body = append(o.body, o.glyph(it)...)
		o.body = append(o.body, `" transform="matrix(`...)
		m := it.at
		o.body = mat(o.body, matrix{m.a / emUnits, m.b / emUnits, m.c / emUnits, m.d / emUnits, m.e, m.f})
		o.body = append(o.body, `)"/>`...)
		return nil
	}
	o.body = append(o.body, `<path d="`...)
	o.body = append(d(o.body, it.shape(), 1), `"/>`...)
	return nil
}

// shaded reports whether a gradient fills or strokes the item. A gradient counts in the coordinates of the page, so that a
// glyph under a matrix of its own cannot have one.
func (it *item) shaded() bool {
	return it.fill != nil && it.fill.gradient != nil || it.stroke != nil && it.stroke.gradient != nil
}

// glyph is the name of a glyph's definition, which is written when it is first used.
func (o *svgWriter) glyph(it *item) string {
	if name := o.names[it.glyph]; name != "" {
		return name
	}
	name := "g" + strconv.Itoa(len(o.names))
	o.names[it.glyph] = name
	o.defs = append(o.defs, `<path id="`...)
	o.defs = append(append(o.defs, name...), `" d="`...)
	o.defs = append(d(o.defs, it.glyph.path, emUnits), `"/>`...)
	return name
}

func (o *svgWriter) paintAttr(b []byte, attr string, p *paint, alpha float64) []byte {
	b = append(append(append(b, ' '), attr...), `="`...)
	if p == nil {
		return append(b, `none"`...)
	}
	if p.gradient != nil {
		b = append(b, `url(#p`...)
		b = append(strconv.AppendInt(b, int64(o.gradient(p.gradient)), 10), `)"`...)
	} else {
		b = append(hex(b, p.color), '"')
	}
	if a := p.alpha * alpha; a < 1 {
		b = append(append(append(b, ' '), attr...), `-opacity="`...)
		b = append(num(b, a), '"')
	}
	return b
}

func (o *svgWriter) strokeAttrs(b []byte, it *item) []byte {
	s := it.stroke
	b = o.paintAttr(b, "stroke", &s.paint, it.alpha)
	width := s.width
	if it.glyph != nil { // a glyph's stroke is scaled with it
		width = s.width / max(it.at.size(), 1e-9) * emUnits
	}
	b = append(num(append(b, ` stroke-width="`...), width), '"')
	switch s.cap {
	case "Round":
		b = append(b, ` stroke-linecap="round"`...)
	case "Square":
		b = append(b, ` stroke-linecap="square"`...)
	}
	switch s.join {
	case "Round":
		b = append(b, ` stroke-linejoin="round"`...)
	case "Bevel":
		b = append(b, ` stroke-linejoin="bevel"`...)
	default:
		b = append(num(append(b, ` stroke-miterlimit="`...), max(s.miter, 1)), '"')
	}
	if len(s.dash) > 0 {
		b = append(b, ` stroke-dasharray="`...)
		for i, v := range s.dash {
			if i > 0 {
				b = append(b, ' ')
			}
			b = num(b, v)
		}
		b = append(num(append(b, `" stroke-dashoffset="`...), s.offset), '"')
	}
	return b
}

func (o *svgWriter) clip(c *clip) {
	if o.clips[c.id] {
		return
	}
	o.clips[c.id] = true
	if c.outer != nil {
		o.clip(c.outer)
	}
	o.defs = append(o.defs, `<clipPath id="c`...)
	o.defs = append(strconv.AppendInt(o.defs, int64(c.id), 10), '"')
	if c.outer != nil {
		o.defs = append(o.defs, ` clip-path="url(#c`...)
		o.defs = append(strconv.AppendInt(o.defs, int64(c.outer.id), 10), `)"`...)
	}
	o.defs = append(o.defs, '>')
	for _, a := range c.areas {
		o.defs = append(o.defs, `<path d="`...)
		o.defs = append(d(o.defs, a.path, 1), '"')
		if a.evenOdd {
			o.defs = append(o.defs, ` clip-rule="evenodd"`...)
		}
		o.defs = append(o.defs, `/>`...)
	}
	o.defs = append(o.defs, `</clipPath>`...)
}

// gradient writes a definition and returns its number.
func (o *svgWriter) gradient(g *gradient) int {
	o.gradients++
	name := "linearGradient"
	if g.radial {
		name = "radialGradient"
	}
	b := append(append(append(o.defs, '<'), name...), ` gradientUnits="userSpaceOnUse" id="p`...)
	b = append(strconv.AppendInt(b, int64(o.gradients), 10), '"')
	attr := func(name string, v float64) {
		b = append(num(append(append(append(b, ' '), name...), `="`...), v), '"')
	}
	to := g.end()
	if g.radial {
		attr("fx", g.from.X)
		attr("fy", g.from.Y)
		attr("fr", g.r1)
		attr("cx", to.X)
		attr("cy", to.Y)
		attr("r", g.r2)
	} else {
		attr("x1", g.from.X)
		attr("y1", g.from.Y)
		attr("x2", to.X)
		attr("y2", to.Y)
	}
	switch g.repeat {
	case "Repeat":
		b = append(b, ` spreadMethod="repeat"`...)
	case "Reflect":
		b = append(b, ` spreadMethod="reflect"`...)
	}
	b = append(mat(append(b, ` gradientTransform="matrix(`...), g.at), `)">`...)
	put := func(at float64, c rgb, alpha float64) {
		b = append(num(append(b, `<stop offset="`...), min(max(at, 0), 1)), `" stop-color="`...)
		b = append(num(append(hex(b, c), `" stop-opacity="`...), alpha), `"/>`...)
	}
	first, last := g.stops[0], g.stops[len(g.stops)-1]
	if !g.extendFrom && g.repeats() == "" {
		put(0, first.color, 0)
	}
	for _, s := range g.stops {
		put(s.at, s.color, s.alpha)
	}
	if !g.extendTo && g.repeats() == "" {
		put(1, last.color, 0)
	}
	o.defs = append(append(append(b, `</`...), name...), '>')
	return o.gradients
}

// repeats is Repeat or Reflect, empty for a gradient that is drawn once.
func (g *gradient) repeats() string {
	if g.repeat == "Repeat" || g.repeat == "Reflect" {
		return g.repeat
	}
	return ""
}

// end is where the gradient's last colour stands: for one that repeats, MapUnit along its axis.
func (g *gradient) end() point {
	length := math.Hypot(g.to.X-g.from.X, g.to.Y-g.from.Y)
	if g.repeats() == "" || g.unit <= 0 || length == 0 || g.radial {
		return g.to
	}
	k := g.unit / length
	return point{X: g.from.X + (g.to.X-g.from.X)*k, Y: g.from.Y + (g.to.Y-g.from.Y)*k}
}

func (o *svgWriter) picture(it *item) error {
	raw, kind := it.picture.raw, it.picture.format
	if kind != "png" && kind != "jpeg" {
		var out bytes.Buffer
		if err := png.Encode(&out, it.picture.image); err != nil {
			return err
		}
		raw, kind = out.Bytes(), "png"
	}
	bare := *it
	bare.fill, bare.stroke = &paint{alpha: 1}, nil
	o.enter(&bare)
	o.body = append(o.body, `<image width="1" height="1" preserveAspectRatio="none" transform="matrix(`...)
	o.body = append(mat(o.body, it.at), `)"`...)
	if it.alpha < 1 {
		o.body = append(num(append(o.body, ` opacity="`...), it.alpha), '"')
	}
	o.body = append(append(append(o.body, ` href="data:image/`...), kind...), `;base64,`...)
	o.body = append(base64.StdEncoding.AppendEncode(o.body, raw), `"/>`...)
	return nil
}

// d writes a path's steps, enlarged by k: whole units where k is not 1, else micrometres.
func d(b []byte, p path, k float64) []byte {
	for _, s := range p {
		b = append(b, "MLQCZ"[s.op])
		for i, q := range s.p[:pointsOf(s.op)] {
			if i > 0 {
				b = append(b, ' ')
			}
			if k != 1 {
				b = strconv.AppendInt(b, int64(math.Round(q.X*k)), 10)
				b = strconv.AppendInt(append(b, ' '), int64(math.Round(q.Y*k)), 10)
				continue
			}
			b = num(append(num(b, q.X), ' '), q.Y)
		}
	}
	return b
}

// num writes a number with at most four decimals.
func num(b []byte, v float64) []byte {
	v = math.Round(v*1e4) / 1e4
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, '0')
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// mat writes a matrix; its first four numbers need more decimals, because they are multiplied.
func mat(b []byte, m matrix) []byte {
	for _, v := range []float64{m.a, m.b, m.c, m.d} {
		if math.Abs(v) < 1e-9 || math.IsNaN(v) || math.IsInf(v, 0) {
			v = 0
		}
		b = append(strconv.AppendFloat(b, v, 'g', 7, 64), ' ')
	}
	return num(append(num(b, m.e), ' '), m.f)
}

func hex(b []byte, c rgb) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '#')
	for _, v := range []uint8{c.r, c.g, c.b} {
		b = append(b, digits[v>>4], digits[v&15])
	}
	return b
}
