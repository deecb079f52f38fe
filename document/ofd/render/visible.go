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
	seen           = ""          // it can be seen
	leastContrast  = 0.22        // of full contrast, that an eye needs to read
	leastCover     = 0.25        // mm: thinner bars strike through text, they do not cover it
	maxSights      = 20_000_000  // edges looked at for one page
	samples        = 3           // a glyph is looked at on so many lines and columns of its box
	mostHidden     = samples*samples/2 + 1
)

// sight finds out which characters of a page an eye can see.
type sight struct {
	scene    *scene
	surfaces []surface
	clips    map[int]*silhouette
	left     int // edges that may still be looked at
}

// surface is an item that paints an area.
type surface struct {
	item  *item
	index int // among the items
	silhouette
}

// silhouette is a shape made ready for the question whether a point lies in it.
type silhouette struct {
	box   ofd.Box
	edges [][]edge // of each of its areas
	odd   []bool
}

func silhouetteOf(areas []area) silhouette {
	var s silhouette
	var all path
	for _, a := range areas {
		s.edges, s.odd = append(s.edges, edges(a.path, identity)), append(s.odd, a.evenOdd)
		all = append(all, a.path...)
	}
	s.box, _ = all.bounds()
	return s
}

func within(b ofd.Box, q point) bool {
	return q.X >= b.X && q.X <= b.X+b.W && q.Y >= b.Y && q.Y <= b.Y+b.H
}

// holds reports whether a point lies inside.
func (s *silhouette) holds(q point, budget *int) bool {
	if !within(s.box, q) {
		return false
	}
	for i, list := range s.edges {
		*budget -= len(list)
		turns := 0
		for _, e := range list {
			if q.Y >= e.y && q.Y < e.bottom && e.x+(q.Y-e.y)*e.slope > q.X {
				turns += e.turn
			}
		}
		if s.odd[i] && turns%2 != 0 || !s.odd[i] && turns != 0 {
			return true
		}
	}
	return false
}

func newSight(s *scene) *sight {
	v := &sight{scene: s, clips: map[int]*silhouette{}, left: maxSights}
	for i := range s.items {
		it := &s.items[i]
		if it.glyph != nil || it.over || it.picture == nil && it.fill == nil || it.alpha <= 0 {
			continue
		}
		b, ok := it.shape().bounds()
		if !ok || b.W < leastCover || b.H < leastCover {
			continue
		}
		v.surfaces = append(v.surfaces, surface{it, i, silhouetteOf([]area{{it.shape(), it.evenOdd}})})
	}
	return v
}

// clipped reports whether a clip, or one around it, cuts a point away.
func (v *sight) clipped(c *clip, q point) bool {
	for ; c != nil; c = c.outer {
		s := v.clips[c.id]
		if s == nil {
			made := silhouetteOf(c.areas)
			s = &made
			v.clips[c.id] = s
		}
		if !s.holds(q, &v.left) {
			return true
		}
	}
	return false
}

// of says why the glyph with that number among the items cannot be seen; seen if it can.
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
		if v.left < 0 {
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
	if all < mostHidden {
		return seen
	}
	return why
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
		if !c.holds(q, &v.left) || v.clipped(c.item.clip, q) {
			continue
		}
		colour, a := c.item.ink(q)
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
