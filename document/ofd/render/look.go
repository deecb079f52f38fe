package render

import (
	"math"
	"slices"
	"strings"

	"yinxin/document/fonts"
	"yinxin/document/layout"
)

// Bounds of the comparison of a font with the faces at hand.
const (
	lookedAt   = 8     // characters of a font that are compared
	sameShape  = 0.004 // ems that two outlines of one face may differ by: files round differently
	officially = " 小标宋 xiaobiaosong xbs 仿宋 fangsong 黑体 simhei heiti 楷体 kaiti 宋体 simsun songti "
)

// look says which of the faces of an official document a font is: by the shapes of its characters where the file embeds it,
// whatever it calls itself, and by its name where the shapes are those of no face at hand.
func (d *Document) look(t *typeface) layout.Look {
	if t.look != nil {
		return *t.look
	}
	out := d.lookOf(t)
	if t.font == nil || len(t.cache) >= lookedAt {
		t.look = &out
	}
	return out
}

func (d *Document) lookOf(t *typeface) layout.Look {
	var out layout.Look
	if t.font != nil {
		sample := t.sample()
		for role := fonts.XiaoBiaoSong; role <= fonts.Song; role++ {
			if face, err := d.set.Face(role); err == nil && sameFace(sample, face) {
				out.Roles = append(out.Roles, role)
				if out.StandIn = ""; face.Family() != face.Official() {
					out.StandIn = face.Family()
				}
			}
		}
		if len(out.Roles) > 0 {
			return out
		}
	}
	name := strings.ToLower(t.name)
	if role := roleOf(name); role != fonts.Song || strings.Contains(name, "宋") || strings.Contains(name, "song") || strings.Contains(name, "simsun") {
		out.Roles = []fonts.Role{role}
	}
	official := slices.ContainsFunc(strings.Fields(officially), func(w string) bool { return strings.Contains(strings.ReplaceAll(name, " ", ""), w) })
	if len(out.Roles) > 0 && !official {
		out.StandIn = t.name
	}
	return out
}

// sample are the first characters that were drawn with a font, Chinese ones before others.
func (t *typeface) sample() []*glyph {
	var list []*glyph
	for _, g := range t.cache {
		if !g.missing && !g.empty && !g.borrowed && len(g.path) > 0 && g.key.r > ' ' {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *glyph) int {
		if chinese := func(g *glyph) bool { return g.key.r >= 0x4e00 && g.key.r <= 0x9fff }; chinese(a) != chinese(b) {
			return map[bool]int{true: -1, false: 1}[chinese(a)]
		}
		if a.key.r != b.key.r {
			return int(a.key.r - b.key.r)
		}
		return a.key.id - b.key.id
	})
	return list[:min(len(list), lookedAt)]
}

// sameFace reports whether a face draws those characters with the same outlines.
func sameFace(sample []*glyph, face *fonts.Face) bool {
	for _, g := range sample {
		o, err := face.Outline(g.key.r)
		if err != nil || !sameOutline(g.path, o, float64(face.UnitsPerEm())) {
			return false
		}
	}
	return len(sample) > 0
}

func sameOutline(p path, o fonts.Outline, em float64) bool {
	x1, y1, x2, y2 := o.Bounds()
	b, ok := p.bounds()
	if !ok || math.Abs(b.X-x1/em) > sameShape || math.Abs(b.Y-y1/em) > sameShape ||
		math.Abs(b.X+b.W-x2/em) > sameShape || math.Abs(b.Y+b.H-y2/em) > sameShape {
		return false
	}
	steps := slices.DeleteFunc(slices.Clone(p), func(s segment) bool { return s.op == closePath })
	if len(steps) != len(o.Segments) {
		return false
	}
	for i, s := range steps {
		for k := range pointsOf(s.op) {
			q := o.Segments[i].Points[k]
			if math.Abs(s.p[k].X-q.X/em) > sameShape || math.Abs(s.p[k].Y-q.Y/em) > sameShape {
				return false
			}
		}
	}
	return true
}
