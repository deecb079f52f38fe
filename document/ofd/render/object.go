package render

import (
	"yinxin/document/ofd"
)

// enter applies what every graphic object has: place, matrix, draw parameters, clips, transparency.
func (r *reader) enter(o *ofd.Element, st state, cut bool) (state, ofd.Box, error) {
	b, err := optionalBox(o)
	if err != nil {
		return st, b, err
	}
	ctm, err := readMatrix(o.Value("CTM"))
	if err != nil {
		return st, b, err
	}
	outside := st.at
	st.at = outside.times(translate(b.X, b.Y)).times(ctm)
	if cut && b.W > 0 && b.H > 0 {
		st.clip = r.cut(st.clip, b, outside)
	}
	st.draw = r.drawParam(o.Value("DrawParam"), st.draw, 0)
	if st.draw, err = st.draw.with(r, o); err != nil {
		return st, b, err
	}
	if a, given := o.Attr("Alpha"); given {
		v, err := ofd.ParseNumber(a)
		if err != nil {
			return st, b, err
		}
		st.alpha *= min(max(v/255, 0), 1)
	}
	st.clip, err = r.readClips(o, outside.times(translate(b.X, b.Y)), ctm, st.clip)
	return st, b, err
}

func (r *reader) path(o *ofd.Element, st state) error {
	outside := st.at
	st, b, err := r.enter(o, st, false)
	if err != nil {
		return err
	}
	steps, err := readPath(o.ChildText("AbbreviatedData"), &r.segments)
	if err != nil || len(steps) == 0 {
		return err
	}
	it := item{path: steps.transformed(st.at), evenOdd: o.Value("Rule") == "Even-Odd", clip: st.clip, alpha: st.alpha, over: st.over}
	if o.Value("Fill") == "true" {
		it.fill = st.draw.fill.placed(st.at, r.page)
	}
	if o.Value("Stroke") != "false" {
		it.stroke = r.stroke(st)
	}
	if leaves(it, box(b).transformed(outside)) { // an object is cut at its boundary; most stay inside by themselves
		it.clip = r.cut(it.clip, b, outside)
	}
	if it.fill != nil && it.fill.pattern != nil {
		st.clip = it.clip
		if err := r.tile(it.fill, []area{{it.path, it.evenOdd}}, st); err != nil {
			return err
		}
		it.fill = nil
	}
	r.scene.items = append(r.scene.items, it)
	return nil
}

// stroke is the pen of an object. A pattern does not fill lines: they are drawn in its plain colour.
func (r *reader) stroke(st state) *stroke {
	k := st.at.size()
	s := &stroke{
		paint: *st.draw.stroke.placed(st.at, r.page), width: st.draw.width * k, miter: st.draw.miter, cap: st.draw.cap, join: st.draw.join,
		offset: st.draw.offset * k,
	}
	for _, v := range st.draw.dash {
		s.dash = append(s.dash, v*k)
	}
	if s.pattern != nil {
		r.doc.note("object_not_drawn", "a line made of a pattern")
		s.pattern = nil
	}
	return s
}

// leaves reports whether an item's ink reaches beyond a boundary.
func leaves(it item, boundary path) bool {
	ink, ok := it.shape().bounds()
	b, has := boundary.bounds()
	if !ok || !has || b.W == 0 && b.H == 0 {
		return false
	}
	half := 0.0
	if it.stroke != nil {
		half = it.stroke.width / 2
	}
	const slack = 0.02 // mm
	return ink.X-half < b.X-slack || ink.Y-half < b.Y-slack ||
		ink.X+ink.W+half > b.X+b.W+slack || ink.Y+ink.H+half > b.Y+b.H+slack
}

func (r *reader) image(o *ofd.Element, st state) error {
	st, _, err := r.enter(o, st, false)
	if err != nil {
		return err
	}
	pic := r.media(o.Value("ResourceID"))
	if second := o.Value("Substitution"); pic == nil && second != "" {
		pic = r.media(second)
	}
	if pic == nil {
		return nil
	}
	if o.Value("ImageMask") != "" {
		r.doc.note("object_not_drawn", "the mask of a picture")
	}
	r.scene.items = append(r.scene.items, item{picture: pic, at: st.at, alpha: st.alpha, clip: st.clip, over: st.over})
	if b := o.Child("Border"); b != nil {
		return r.border(b, st)
	}
	return nil
}

// media is the picture of that identifier; nil, with a note, where there is none that can be drawn.
func (r *reader) media(id string) *picture {
	m := r.res.media[id]
	return r.pictureOf(m.file, m.file, func() ([]byte, bool) {
		data, ok := r.doc.pkg.Entry(m.file)
		if ok = ok && m.file != ""; !ok {
			r.doc.note("resource_missing", "picture %.20s", id)
		}
		return data, ok
	})
}

// border draws the line around a picture. Its corners are drawn as right angles.
func (r *reader) border(b *ofd.Element, st state) error {
	st.draw = defaultDraw()
	var err error
	if st.draw, err = st.draw.with(r, b); err != nil {
		return err
	}
	if c := b.Child("BorderColor"); c != nil {
		if st.draw.stroke, err = r.paint(c); err != nil {
			return err
		}
	}
	frame := box(ofd.Box{W: 1, H: 1}).transformed(st.at)
	st.at = r.page // its width counts in millimetres of the page, not in parts of the picture
	r.scene.items = append(r.scene.items, item{path: frame, stroke: r.stroke(st), clip: st.clip, alpha: st.alpha, over: st.over})
	return nil
}
