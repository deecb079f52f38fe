package render

import (
	"image/color"
	"math"

	"yinxin/document/ofd"
)

// Why a character cannot be seen where the file puts it.
const (
	unseenBlank    = "colour"    // it has that of what lies below it, or is not painted at all
	unseenCovered  = "covered"   // something opaque was put over it
	unseenClipped  = "clipped"   // a clip cuts it away
	unseenOutside  = "outside"   // it stands off the paper
	unseenMissing  = "glyph"     // no font draws it: it prints as an empty box, or not at all
	unseenSwitched = "invisible" // the file says that it is not shown
	unseenTurned   = "turned"    // it is turned, by no quarter of a circle
	unseenSideways = "sideways"  // it is turned by a quarter of a circle, as on the page of a wide table
	unseenUnknown  = "unknown"   // the page has too much on it to tell
	unseenPart     = "part"      // a third or more of it is covered or cut away, the rest can be seen
	seen           = ""          // it can be seen
	leastContrast  = 0.22        // of full contrast, that an eye needs to read
	leastCover     = 0.25        // mm: thinner bars strike through text, they do not cover it
	maxSights      = 200_000_000 // edges and surfaces looked at for one document
	maxFlattened   = 50_000      // path segments of one page that are looked at
	samples        = 3           // a glyph is looked at on so many lines and columns of its box
	mostHidden     = samples*samples/2 + 1
	leastHidden    = samples // one line or column of them
)

// sight finds out which characters of a page an eye can see.
type sight struct {
	scene    *scene
	surfaces []surface
	clips    map[int]*silhouette
	// left counts what of the document may still be looked at, flat the path segments of the page that may be flattened.
	left *int
	flat int
}

// surface is an item that paints an area.
type surface struct {
	item  *item
	index int // among the items
	// line says that it is the item's line, which is thick.
	line bool
	silhouette
}

// ink is the colour of a surface at a point of it, and how much of what lies below that leaves.
func (s *surface) ink(q point) (rgb, float64) {
	if s.line {
		c, a := s.item.stroke.ink(q)
		return c, a * s.item.alpha
	}
	return s.item.ink(q)
}

// silhouette is a shape made ready for the question whether a point lies in it.
type silhouette struct {
	areas []area
	box   ofd.Box
	edges [][]edge // of each of its areas, once a point came near it
}

func silhouetteOf(areas ...area) silhouette {
	s := silhouette{areas: areas}
	var all path
	for _, a := range areas {
		all = append(all, a.path...)
	}
	s.box, _ = all.bounds()
	return s
}

func within(b ofd.Box, q point) bool {
	return q.X >= b.X && q.X <= b.X+b.W && q.Y >= b.Y && q.Y <= b.Y+b.H
}

// holds reports whether a point lies inside.
func (v *sight) holds(s *silhouette, q point) bool {
	if !within(s.box, q) || *v.left < 0 {
		return false
	}
	if s.edges == nil {
		for _, a := range s.areas {
			if v.flat -= len(a.path); v.flat < 0 {
				*v.left = -1
				return false
			}
			s.edges = append(s.edges, edges(a.path, identity))
		}
	}
	for i, list := range s.edges {
		*v.left -= len(list) + 1
		turns := 0
		for _, e := range list {
			if q.Y >= e.y && q.Y < e.bottom && e.x+(q.Y-e.y)*e.slope > q.X {
				turns += e.turn
			}
		}
		if odd := s.areas[i].evenOdd; odd && turns%2 != 0 || !odd && turns != 0 {
			return true
		}
	}
	return false
}

func newSight(s *scene, left *int) *sight {
	v := &sight{scene: s, clips: map[int]*silhouette{}, left: left, flat: maxFlattened}
	for i := range s.items {
		it := &s.items[i]
		if it.glyph != nil || it.over || it.alpha <= 0 {
			continue
		}
		v.addLine(it, i)
		if it.picture == nil && it.fill == nil {
			continue
		}
		shape := it.shape()
		b, ok := shape.bounds()
		if !ok || b.W < leastCover || b.H < leastCover {
			continue
		}
		v.surfaces = append(v.surfaces, surface{item: it, index: i, silhouette: silhouetteOf(area{shape, it.evenOdd})})
	}
	return v
}

// addLine adds the line of an item where it is so thick that it hides what it crosses.
func (v *sight) addLine(it *item, index int) {
	const thick = 1.0 // mm
	if it.stroke == nil || it.stroke.width < thick {
		return
	}
	if v.flat -= len(it.path); v.flat < 0 {
		*v.left = -1
		return
	}
	b, ok := it.path.bounds()
	if !ok {
		return
	}
	reach := it.stroke.width * max(it.stroke.miter, 1)
	v.surfaces = append(v.surfaces, surface{item: it, index: index, line: true, silhouette: silhouette{
		areas: []area{{}}, box: ofd.Box{X: b.X - reach, Y: b.Y - reach, W: b.W + 2*reach, H: b.H + 2*reach},
		edges: [][]edge{outline(it.path, identity, it.stroke, it.stroke.width)},
	}})
}

// clipped reports whether a clip, or one around it, cuts a point away.
func (v *sight) clipped(c *clip, q point) bool {
	for ; c != nil; c = c.outer {
		s := v.clips[c.id]
		if s == nil {
			made := silhouetteOf(c.areas...)
			s = &made
			v.clips[c.id] = s
		}
		if !v.holds(s, q) {
			return true
		}
	}
	return false
}

// of says why the glyph with that number among the items cannot be seen, or not whole; seen if it can.
func (v *sight) of(index int) string {
	it := &v.scene.items[index]
	b, ok := it.shape().bounds()
	if !ok {
		return seen
	}
	hidden := map[string]int{}
	for i := range samples * samples {
		q := point{
			X: b.X + b.W*(float64(i%samples)+0.5)/samples,
			Y: b.Y + b.H*(float64(i/samples)+0.5)/samples,
		}
		hidden[v.at(it, index, q)]++
		if *v.left < 0 {
			return unseenUnknown
		}
	}
	delete(hidden, seen)
	why, most, all := seen, 0, 0
	for _, k := range []string{unseenOutside, unseenClipped, unseenCovered, unseenBlank} {
		all += hidden[k]
		if hidden[k] > most {
			why, most = k, hidden[k]
		}
	}
	switch {
	case all >= mostHidden:
		return why
	case all-hidden[unseenBlank] >= leastHidden:
		return unseenPart
	}
	return seen
}

// at says why ink of a glyph cannot be seen at a point.
func (v *sight) at(it *item, index int, q point) string {
	switch {
	case q.X < 0 || q.Y < 0 || q.X > v.scene.size.W || q.Y > v.scene.size.H:
		return unseenOutside
	case v.clipped(it.clip, q):
		return unseenClipped
	}
	ink, alpha := it.ink(q)
	with := [3]float64{255, 255, 255}
	without := with
	put := func(c [3]float64, under rgb, a float64) [3]float64 {
		for i, n := range []uint8{under.r, under.g, under.b} {
			c[i] += (float64(n) - c[i]) * a
		}
		return c
	}
	done := false
	for i := range v.surfaces {
		c := &v.surfaces[i]
		if c.index > index && !done {
			if with = put(with, ink, alpha); contrast(with, without) < leastContrast {
				return unseenBlank
			}
			done = true
		}
		if *v.left--; !v.holds(&c.silhouette, q) || v.clipped(c.item.clip, q) {
			continue
		}
		colour, a := c.ink(q)
		with, without = put(with, colour, a), put(without, colour, a)
	}
	if !done {
		if with = put(with, ink, alpha); contrast(with, without) < leastContrast {
			return unseenBlank
		}
	}
	if contrast(with, without) < leastContrast {
		return unseenCovered
	}
	return seen
}

// contrast is the largest difference of a channel, as a part of what there can be.
func contrast(a, b [3]float64) float64 {
	most := 0.0
	for i := range a {
		most = max(most, math.Abs(a[i]-b[i])/255)
	}
	return most
}

// ink is the colour of an item at a point that it covers, and how much of what lies below that leaves.
func (it *item) ink(q point) (rgb, float64) {
	switch {
	case it.picture != nil:
		return it.pictureInk(q)
	case it.fill != nil:
		c, a := it.fill.ink(q)
		return c, a * it.alpha
	case it.stroke != nil:
		c, a := it.stroke.ink(q)
		return c, a * it.alpha
	}
	return rgb{}, 0
}

func (p *paint) ink(q point) (rgb, float64) {
	g := p.gradient
	if g == nil {
		return p.color, p.alpha
	}
	back, ok := g.at.inverse()
	if !ok {
		return g.stops[0].color, p.alpha
	}
	t, inside := g.position(back.at(q))
	if !inside {
		return rgb{}, 0
	}
	c, a := g.color(t)
	return c, a * p.alpha
}

func (it *item) pictureInk(q point) (rgb, float64) {
	back, ok := it.at.inverse()
	if !ok {
		return rgb{}, 0
	}
	in, b := back.at(q), it.picture.image.Bounds()
	if in.X < 0 || in.Y < 0 || in.X >= 1 || in.Y >= 1 {
		return rgb{}, 0
	}
	c, ok := color.NRGBAModel.Convert(it.picture.image.At(b.Min.X+int(in.X*float64(b.Dx())), b.Min.Y+int(in.Y*float64(b.Dy())))).(color.NRGBA)
	if !ok {
		return rgb{}, 0
	}
	return rgb{c.R, c.G, c.B}, float64(c.A) / 255 * it.alpha
}
