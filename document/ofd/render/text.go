package render

import (
	"math"
	"strconv"
	"strings"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// textRun is one TextObject as it stands on the page.
type textRun struct {
	face  *typeface
	size  float64 // em in mm on the page
	color rgb
	chars []placedChar
	// stretch is the width of its characters as a part of their height, where the font's own is 1.
	stretch float64
	// sheared says that the file asks for slanted type, bold that it asks for heavier type than the font's.
	sheared, bold bool
	// tiled says that a pattern fills it.
	tiled bool
}

// placedChar is a character with the start of its baseline on the page and its own advance, in mm.
type placedChar struct {
	r       rune
	at      point
	advance float64
	turned  bool
	// degrees is how far it is turned, where it is.
	degrees float64
	// unseen says why it cannot be seen; empty where it can.
	unseen string
	// marred says that a part of it cannot be seen.
	marred bool
}

// text reads a TextObject. Text is not cut at its boundary: readers in the field do not either.
func (r *reader) text(o *ofd.Element, st state) error {
	st, _, err := r.enter(o, st, false)
	if err != nil {
		return err
	}
	t := &textReader{reader: r, st: st, hscale: 1, cuts: map[int]cgTransform{}}
	for _, a := range []struct {
		name string
		into *float64
	}{{"Size", &t.size}, {"HScale", &t.hscale}, {"CharDirection", &t.turn}, {"ReadDirection", &t.reading}} {
		if v, given := o.Attr(a.name); given {
			if *a.into, err = ofd.ParseNumber(v); err != nil {
				return err
			}
		}
	}
	t.face = r.doc.typeface(o.Value("Font"), r.res)
	t.italic = o.Value("Italic") == "true" && t.face.font == nil
	if o.Value("Fill") != "false" {
		t.fill = st.draw.fill.placed(st.at, r.page)
	}
	if o.Value("Stroke") == "true" {
		t.stroke = r.stroke(st)
	}
	if err := t.transforms(o); err != nil {
		return err
	}
	t.run = newRun(t, o)
	if t.fill != nil {
		t.run.color = t.fill.color
	}
	first := len(r.scene.items)
	for _, code := range o.All("TextCode") {
		if err := t.code(code); err != nil {
			return err
		}
	}
	if t.fill != nil && t.fill.pattern != nil {
		return t.tiled(first)
	}
	return nil
}

// tiled fills the glyphs that were drawn since the item first with a pattern; their lines come over it.
func (t *textReader) tiled(first int) error {
	glyphs := append([]item(nil), t.scene.items[first:]...)
	t.scene.items = t.scene.items[:first]
	t.run.tiled = true
	p, err := outlinesOf(glyphs, &t.segments)
	if err != nil {
		return err
	}
	if err := t.tile(t.fill, []area{{path: p}}, t.st); err != nil {
		return err
	}
	for _, it := range glyphs {
		it.fill = nil
		t.scene.items = append(t.scene.items, it)
	}
	return nil
}

func newRun(t *textReader, o *ofd.Element) *textRun {
	m := t.st.at
	high := math.Hypot(m.c, m.d)
	r := &textRun{face: t.face, size: t.size * m.size(), stretch: 1, sheared: o.Value("Italic") == "true"}
	if high > 0 {
		r.stretch = t.hscale * math.Hypot(m.a, m.b) / high
		r.size = t.size * high
	}
	weight, err := ofd.ParseNumber(o.Value("Weight"))
	r.bold = err == nil && weight > normalWeight
	return r
}

// normalWeight is the Weight of type as the font has it (GB/T 33190-2016 11.2).
const normalWeight = 400

// cgTransform says which glyphs stand for a stretch of characters.
type cgTransform struct {
	chars  int
	glyphs []int
}

type textReader struct {
	*reader
	st                          state
	face                        *typeface
	size, hscale, turn, reading float64
	italic                      bool
	fill                        *paint
	stroke                      *stroke
	cuts                        map[int]cgTransform // by position of the first character
	at                          point               // where the last TextCode began
	index                       int                 // of the next character over all TextCodes
	run                         *textRun
}

func (t *textReader) transforms(o *ofd.Element) error {
	for _, e := range o.All("CGTransform") {
		pos, err := ofd.ParseNumber(e.Value("CodePosition"))
		if err != nil {
			return err
		}
		count := 1.0
		if v := e.Value("CodeCount"); v != "" {
			if count, err = ofd.ParseNumber(v); err != nil {
				return err
			}
		}
		if count < 1 {
			return verdict.Refuse(verdict.Number, "a glyph for %g characters", count)
		}
		c := cgTransform{chars: int(count)}
		for id := range strings.FieldsSeq(e.ChildText("Glyphs")) {
			n, err := strconv.ParseUint(id, 10, 16)
			if err != nil {
				return verdict.Refuse(verdict.Number, "a glyph of the number %.12q", id)
			}
			c.glyphs = append(c.glyphs, int(n))
		}
		t.cuts[int(pos)] = c
	}
	return nil
}

// code sets one TextCode: its start, then a step before each further character.
func (t *textReader) code(e *ofd.Element) error {
	for _, a := range []struct {
		name string
		into *float64
	}{{"X", &t.at.X}, {"Y", &t.at.Y}} {
		if v, given := e.Attr(a.name); given {
			n, err := ofd.ParseNumber(v)
			if err != nil {
				return err
			}
			*a.into = n
		}
	}
	chars := []rune(strings.Trim(e.Text, "\r\n\t"))
	if t.characters -= len(chars); t.characters < 0 {
		return verdict.Refuse(verdict.Limit, "more than %d characters on a page", maxCharacters)
	}
	dx, err := deltas(e.Value("DeltaX"), len(chars)-1)
	if err != nil {
		return err
	}
	dy, err := deltas(e.Value("DeltaY"), len(chars)-1)
	if err != nil {
		return err
	}
	pen := t.at
	for i := 0; i < len(chars); {
		n := t.draw(chars, i, pen)
		for k := range n {
			pen = t.step(pen, i+k, dx, dy, chars[i+k])
		}
		i += n
	}
	t.index += len(chars)
	return nil
}

// step moves from character i to the next. Without deltas the font's own advance counts.
func (t *textReader) step(pen point, i int, dx, dy []float64, r rune) point {
	if dx == nil && dy == nil {
		a := t.face.glyph(glyphKey{r: r, id: -1}).advance * t.size * t.hscale
		sin, cos := math.Sincos(t.reading * math.Pi / 180)
		return point{X: pen.X + a*cos, Y: pen.Y + a*sin}
	}
	if n := len(dx); n > 0 {
		pen.X += dx[min(i, n-1)]
	}
	if n := len(dy); n > 0 {
		pen.Y += dy[min(i, n-1)]
	}
	return pen
}

// draw puts what stands at character i on the page and returns how many characters that covers.
func (t *textReader) draw(chars []rune, i int, pen point) int {
	c, cut := t.cuts[t.index+i]
	n := 1
	if cut {
		n = min(c.chars, len(chars)-i)
	}
	place := t.st.at.times(translate(pen.X, pen.Y))
	if t.turn != 0 {
		sin, cos := math.Sincos(t.turn * math.Pi / 180)
		place = place.times(matrix{a: cos, b: sin, c: -sin, d: cos})
	}
	place = place.times(scale(t.size*t.hscale, t.size))
	if t.italic {
		place = place.times(matrix{a: 1, c: -0.2, d: 1})
	}
	keys := []glyphKey{{r: chars[i], id: -1}}
	if cut && len(c.glyphs) > 0 && t.face.font != nil {
		keys = keys[:0]
		for _, id := range c.glyphs {
			keys = append(keys, glyphKey{r: chars[i], id: id})
		}
	}
	lost := seen
	for _, key := range keys {
		g := t.face.glyph(key)
		if g.missing || g.empty {
			lost = unseenMissing
			t.doc.note("glyph_missing", "no font draws %U", key.r)
		}
		if g.missing {
			continue
		}
		if g.borrowed {
			t.doc.note("glyph_substituted", "%U is not in the font that the file embeds for it", key.r)
		}
		if len(g.path) > 1 {
			t.scene.items = append(t.scene.items, item{
				face: t.face, glyph: g, at: place, fill: t.fill, stroke: t.stroke, alpha: t.st.alpha, clip: t.st.clip, over: t.st.over, run: t.run, from: len(t.run.chars), to: len(t.run.chars) + n,
			})
		}
		place = place.times(translate(g.advance, 0))
	}
	t.remember(chars[i:i+n], keys[0], pen, lost)
	return n
}

func (t *textReader) remember(chars []rune, key glyphKey, pen point, lost string) {
	if len(t.run.chars) == 0 {
		t.scene.runs = append(t.scene.runs, t.run)
	}
	m := t.st.at
	turned := t.turn != 0 || math.Abs(m.b) > 1e-6 || math.Abs(m.c) > 1e-6 || m.a <= 0 || m.d <= 0
	degrees := t.turn + math.Atan2(m.b, m.a)*180/math.Pi
	advance := t.face.glyph(key).advance * t.size * t.hscale * math.Hypot(m.a, m.b)
	for k, r := range chars {
		t.run.chars = append(t.run.chars, placedChar{r: r, at: m.at(pen), advance: advance, turned: turned, degrees: degrees, unseen: lost})
		if k == 0 {
			advance = 0
		}
	}
}

// deltas expands "g count value"; never to more than most steps. An absent list is nil.
func deltas(s string, most int) ([]float64, error) {
	f := strings.Fields(s)
	if len(f) == 0 {
		return nil, nil
	}
	out := []float64{}
	for i := 0; i < len(f) && len(out) < most; i++ {
		n := 1
		if f[i] == "g" {
			if i+2 >= len(f) {
				return nil, verdict.Refuse(verdict.Malformed, "an advance list that ends in g")
			}
			count, err := ofd.ParseNumber(f[i+1])
			if err != nil {
				return nil, err
			}
			n = int(min(max(count, 0), float64(most-len(out))))
			i += 2
		}
		v, err := ofd.ParseNumber(f[i])
		if err != nil {
			return nil, err
		}
		for range n {
			out = append(out, v)
		}
	}
	return out, nil
}
