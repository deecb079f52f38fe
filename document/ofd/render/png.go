package render

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"yinxin/document/ofd"
)

// PNG writes page i, counted from 0, on white paper; dpi of zero is DefaultDPI.
func (d *Document) PNG(w io.Writer, i, dpi int) error {
	img, err := d.Image(i, dpi)
	if err != nil {
		return err
	}
	if err := png.Encode(w, img); err != nil {
		return fmt.Errorf("write PNG: %w", err)
	}
	return nil
}

// Image draws page i, counted from 0, on white paper; dpi of zero is DefaultDPI.
func (d *Document) Image(i, dpi int) (*image.RGBA, error) {
	if dpi == 0 {
		dpi = DefaultDPI
	}
	if dpi < 1 || dpi > MaxDPI {
		return nil, fmt.Errorf("draw page %d: %d dpi, want 1 to %d", i+1, dpi, MaxDPI)
	}
	s, err := d.page(i)
	if err != nil {
		return nil, err
	}
	k := float64(dpi) / 25.4
	width, height := math.Ceil(s.size.W*k), math.Ceil(s.size.H*k)
	if width > maxSide || height > maxSide || width*height > maxPixels {
		return nil, fmt.Errorf("draw page %d: %g by %g pixels", i+1, width, height)
	}
	c := &canvas{img: image.NewRGBA(image.Rect(0, 0, int(width), int(height))), at: scale(k, k), masks: map[int]*image.Alpha{}}
	for n := range c.img.Pix {
		c.img.Pix[n] = 0xFF
	}
	for n := range s.items {
		c.item(&s.items[n])
	}
	return c.img, nil
}

type canvas struct {
	img *image.RGBA
	at  matrix // from millimetres to pixels
	// masks are those of the clip in use and of what is around it.
	masks map[int]*image.Alpha
}

func (c *canvas) item(it *item) {
	if it.picture != nil {
		c.picture(it)
		return
	}
	p, at := it.path, c.at
	if it.glyph != nil {
		p, at = it.glyph.path, c.at.times(it.at)
	}
	if it.fill != nil {
		c.fill(edges(p, at), it.evenOdd, it.fill, it)
	}
	if it.stroke != nil && it.stroke.width > 0 {
		if it.glyph != nil {
			p, at = p.transformed(it.at), c.at
		}
		c.fill(outline(p, at, it.stroke, it.stroke.width*c.at.size()), false, &it.stroke.paint, it)
	}
}

func (c *canvas) fill(list []edge, evenOdd bool, p *paint, it *item) {
	mask := c.mask(it.clip)
	shade := c.shader(p)
	b := c.img.Bounds()
	fill(list, evenOdd, b.Dx(), b.Dy(), func(y, x0 int, coverage []float32) {
		for i, v := range coverage {
			if v <= 0 {
				continue
			}
			col, alpha := shade(x0+i, y)
			alpha *= it.alpha * float64(min(v, 1))
			if mask != nil {
				alpha *= float64(mask.AlphaAt(x0+i, y).A) / 255
			}
			c.blend(x0+i, y, col, alpha, it.over)
		}
	})
}

// blend puts a colour over a pixel, or, as ink over print, darkens it.
func (c *canvas) blend(x, y int, col rgb, alpha float64, over bool) {
	if alpha <= 0 {
		return
	}
	pix := c.img.Pix[c.img.PixOffset(x, y):]
	for i, v := range []uint8{col.r, col.g, col.b} {
		old, ink := float64(pix[i]), float64(v)
		if over {
			ink = old * ink / 255
		}
		pix[i] = uint8(old + (ink-old)*alpha + 0.5)
	}
}

// shader tells the colour of a pixel.
func (c *canvas) shader(p *paint) func(x, y int) (rgb, float64) {
	if p.gradient == nil {
		return func(int, int) (rgb, float64) { return p.color, p.alpha }
	}
	g := p.gradient
	back, ok := c.at.times(g.at).inverse()
	if !ok {
		return func(int, int) (rgb, float64) { return g.stops[0].color, p.alpha }
	}
	return func(x, y int) (rgb, float64) {
		t, inside := g.position(back.at(point{X: float64(x) + 0.5, Y: float64(y) + 0.5}))
		if !inside {
			return rgb{}, 0
		}
		col, a := g.color(t)
		return col, a * p.alpha
	}
}

// position is where on the gradient a point lies, 0 to 1; false where it is not painted.
func (g *gradient) position(q point) (float64, bool) {
	var t float64
	to := g.end()
	if g.radial {
		var ok bool
		if t, ok = g.circlePosition(q); !ok {
			return 0, false
		}
	} else {
		dx, dy := to.X-g.from.X, to.Y-g.from.Y
		if dx == 0 && dy == 0 {
			return 0, g.extendFrom
		}
		t = ((q.X-g.from.X)*dx + (q.Y-g.from.Y)*dy) / (dx*dx + dy*dy)
	}
	switch {
	case g.repeat == "Repeat":
		return t - math.Floor(t), true
	case g.repeat == "Reflect":
		return math.Abs(math.Mod(math.Abs(t)+1, 2) - 1), true
	case t < 0:
		return 0, g.extendFrom
	case t > 1:
		return 1, g.extendTo
	}
	return t, true
}

// circlePosition solves |q - centre(t)| = radius(t) for the larger t with a radius that is not negative.
func (g *gradient) circlePosition(q point) (float64, bool) {
	dx, dy, dr := g.to.X-g.from.X, g.to.Y-g.from.Y, g.r2-g.r1
	px, py := q.X-g.from.X, q.Y-g.from.Y
	a := dx*dx + dy*dy - dr*dr
	b := px*dx + py*dy + g.r1*dr
	k := px*px + py*py - g.r1*g.r1
	if math.Abs(a) < 1e-12 {
		if b == 0 {
			return 0, false
		}
		t := k / (2 * b)
		return t, g.r1+t*dr >= 0
	}
	root := b*b - a*k
	if root < 0 {
		return 0, false
	}
	root = math.Sqrt(root)
	t1, t2 := (b+root)/a, (b-root)/a
	if t1 < t2 {
		t1, t2 = t2, t1
	}
	if g.r1+t1*dr >= 0 {
		return t1, true
	}
	return t2, g.r1+t2*dr >= 0
}

func (g *gradient) color(t float64) (rgb, float64) {
	if t <= g.stops[0].at {
		return g.stops[0].color, g.stops[0].alpha
	}
	for i := 1; i < len(g.stops); i++ {
		a, b := g.stops[i-1], g.stops[i]
		if t > b.at || b.at <= a.at {
			continue
		}
		k := (t - a.at) / (b.at - a.at)
		mix := func(u, v uint8) uint8 { return uint8(float64(u) + (float64(v)-float64(u))*k + 0.5) }
		return rgb{mix(a.color.r, b.color.r), mix(a.color.g, b.color.g), mix(a.color.b, b.color.b)}, a.alpha + (b.alpha-a.alpha)*k
	}
	last := g.stops[len(g.stops)-1]
	return last.color, last.alpha
}

// mask is the clip drawn on the pixel grid. The masks of the clips around it are kept as long as they are in use.
func (c *canvas) mask(cl *clip) *image.Alpha {
	if cl == nil {
		return nil
	}
	if m := c.masks[cl.id]; m != nil {
		return m
	}
	var chain []int
	for o := cl; o != nil; o = o.outer {
		chain = append(chain, o.id)
	}
	for id := range c.masks {
		if !slices.Contains(chain, id) {
			delete(c.masks, id)
		}
	}
	return c.drawMask(cl)
}

func (c *canvas) drawMask(cl *clip) *image.Alpha {
	if m := c.masks[cl.id]; m != nil {
		return m
	}
	var outer *image.Alpha
	if cl.outer != nil {
		outer = c.drawMask(cl.outer)
	}
	page := c.img.Bounds()
	b := page
	if outer != nil {
		b = outer.Bounds()
	}
	b = b.Intersect(c.pixels(cl))
	m := image.NewAlpha(b) // beyond it, a mask is transparent
	for _, a := range cl.areas {
		fill(edges(a.path, c.at), a.evenOdd, page.Dx(), page.Dy(), func(y, x0 int, coverage []float32) {
			for i, v := range coverage {
				x := x0 + i
				if !(image.Point{X: x, Y: y}).In(b) {
					continue
				}
				v = min(v, 1) * 255
				if outer != nil {
					v *= float32(outer.AlphaAt(x, y).A) / 255
				}
				k := m.PixOffset(x, y)
				m.Pix[k] = max(m.Pix[k], uint8(v+0.5))
			}
		})
	}
	c.masks[cl.id] = m
	return m
}

// pixels is the smallest rectangle around a clip.
func (c *canvas) pixels(cl *clip) image.Rectangle {
	var r image.Rectangle
	for _, a := range cl.areas {
		if b, ok := a.path.transformed(c.at).bounds(); ok {
			r = r.Union(image.Rect(clamp(math.Floor(b.X)), clamp(math.Floor(b.Y)), clamp(math.Ceil(b.X+b.W)), clamp(math.Ceil(b.Y+b.H))))
		}
	}
	return r
}

// clamp is a number of pixels that fits any picture.
func clamp(v float64) int { return int(min(max(v, -1), maxSide+1)) }

// picture draws a picture into the part of the page that it takes.
func (c *canvas) picture(it *item) {
	src := it.picture.image
	sb := src.Bounds()
	m := c.at.times(it.at).times(scale(1/float64(sb.Dx()), 1/float64(sb.Dy())))
	ink, _ := box(ofd.Box{W: 1, H: 1}).transformed(c.at.times(it.at)).bounds()
	area := image.Rect(int(math.Floor(max(ink.X, 0))), int(math.Floor(max(ink.Y, 0))),
		int(math.Ceil(min(ink.X+ink.W, maxSide))), int(math.Ceil(min(ink.Y+ink.H, maxSide)))).Intersect(c.img.Bounds())
	if area.Empty() || math.Abs(m.a*m.d-m.b*m.c) < 1e-12 {
		return
	}
	part := image.NewRGBA(area)
	m = m.times(translate(-float64(sb.Min.X), -float64(sb.Min.Y)))
	draw.CatmullRom.Transform(part, f64.Aff3{m.a, m.c, m.e, m.b, m.d, m.f}, src, sb, draw.Src, nil)
	mask := c.mask(it.clip)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			p, ok := color.NRGBAModel.Convert(part.RGBAAt(x, y)).(color.NRGBA)
			if !ok || p.A == 0 {
				continue
			}
			alpha := float64(p.A) / 255 * it.alpha
			if mask != nil {
				alpha *= float64(mask.AlphaAt(x, y).A) / 255
			}
			c.blend(x, y, rgb{p.R, p.G, p.B}, alpha, it.over)
		}
	}
}
