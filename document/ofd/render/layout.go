package render

import (
	"math"

	"yinxin/document/layout"
	"yinxin/document/ofd"
)

// Layout reads page i, counted from 0, back into the page type of document/layout: what an independent reader of the file
// sees, without the names of its elements. Text that is turned or cannot be seen is listed apart;
// paths that are no straight lines are left out.
func (d *Document) Layout(i int) (layout.Page, error) {
	s, err := d.page(i)
	if err != nil {
		return layout.Page{}, err
	}
	p := layout.Page{Width: s.size.W, Height: s.size.H}
	s.lookAtGlyphs(&d.sights)
	for _, r := range s.runs {
		p.Runs = append(p.Runs, r.layout(d.look(r.face))...)
		p.Unseen = append(p.Unseen, r.unseen()...)
	}
	for _, text := range s.left {
		p.Unseen = append(p.Unseen, layout.Unseen{Why: unseenSwitched, Text: text})
	}
	for n := range s.items {
		if r, ok := straight(&s.items[n]); ok {
			p.Rules = append(p.Rules, r)
		}
		if it := &s.items[n]; it.picture != nil && !it.over { // a seal is no picture of the page
			if b, ok := box(ofd.Box{W: 1, H: 1}).transformed(it.at).bounds(); ok {
				p.Pictures = append(p.Pictures, layout.Picture{X: b.X, Y: b.Y, Width: b.W, Height: b.H})
			}
		}
	}
	return p, nil
}

// lookAtGlyphs notes of each character whether it can be seen.
func (s *scene) lookAtGlyphs(left *int) {
	v := newSight(s, left)
	for i := range s.items {
		it := &s.items[i]
		if it.run == nil || it.run.tiled {
			continue
		}
		why := v.of(i)
		if why == seen {
			continue
		}
		for k := it.from; k < min(it.to, len(it.run.chars)); k++ {
			if why == unseenPart {
				it.run.chars[k].marred = true
			} else {
				it.run.chars[k].unseen = why
			}
		}
	}
}

// shown reports whether a character takes part in the lines of the page.
func (c *placedChar) shown() bool {
	return !c.turned && (c.unseen == seen || c.unseen == unseenMissing || c.unseen == unseenUnknown)
}

// layout cuts the run where its baseline moves, and where characters cannot be seen.
func (r *textRun) layout(look layout.Look) []layout.Run {
	var out []layout.Run
	for i, c := range r.chars {
		if !c.shown() {
			continue
		}
		n := len(out) - 1
		if n < 0 || math.Abs(out[n].Y-c.at.Y) > 0.01 || i > 0 && !r.chars[i-1].shown() {
			out = append(out, layout.Run{
				X: c.at.X, Y: c.at.Y, Face: r.face.face, Size: r.size, Look: look, Stretch: r.stretch, Sheared: r.sheared, Bold: r.bold,
				Color: layout.Color{R: r.color.r, G: r.color.g, B: r.color.b}, Family: r.face.name,
			})
			n++
		} else {
			k := len(out[n].Advances) - 1
			out[n].Advances[k] = c.at.X - r.chars[i-1].at.X
		}
		out[n].Text += string(c.r)
		out[n].Advances = append(out[n].Advances, c.advance)
	}
	return out
}

// unseen lists what of the run cannot be seen upright, or not whole.
func (r *textRun) unseen() []layout.Unseen {
	var out []layout.Unseen
	open := false
	for _, c := range r.chars {
		why := c.unseen
		if why == seen && c.turned {
			if why = unseenTurned; math.Abs(math.Mod(math.Abs(c.degrees), 180)-90) < 0.1 {
				why = unseenSideways
			}
		}
		if why == seen && c.marred {
			why = unseenPart
		}
		if n := len(out) - 1; open && why == out[n].Why {
			out[n].Text += string(c.r)
			continue
		}
		if open = why != seen; open {
			out = append(out, layout.Unseen{Why: why, Text: string(c.r), X: c.at.X, Y: c.at.Y})
		}
	}
	return out
}

// straight reads an item that is one straight line: a stroke, or a filled bar that is long and thin.
func straight(it *item) (layout.Rule, bool) {
	if it.glyph != nil || it.picture != nil || len(it.path) == 0 {
		return layout.Rule{}, false
	}
	b, ok := it.path.bounds()
	if !ok {
		return layout.Rule{}, false
	}
	const thin = 2.0 // mm
	switch {
	case it.stroke != nil && (b.H < 0.01 || b.W < 0.01):
		c := it.stroke.color
		return layout.Rule{
			X1: b.X, Y1: b.Y, X2: b.X + b.W, Y2: b.Y + b.H, Width: it.stroke.width, Color: layout.Color{R: c.r, G: c.g, B: c.b},
		}, true
	case it.fill != nil && b.H < thin && b.W > 10*b.H:
		c := it.fill.color
		y := b.Y + b.H/2
		return layout.Rule{X1: b.X, Y1: y, X2: b.X + b.W, Y2: y, Width: b.H, Color: layout.Color{R: c.r, G: c.g, B: c.b}}, true
	}
	return layout.Rule{}, false
}
