package render

import (
	"maps"
	"strings"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// reader turns the objects of one page into items.
type reader struct {
	doc   *Document
	scene *scene
	res   *resources // of the page being read
	// what is left of the page's bounds
	objects, segments, characters int
	clips                         int
	seen                          map[string]bool // templates being read
}

// state is what objects inherit.
type state struct {
	at    matrix
	clip  *clip
	alpha float64
	draw  drawParam
	depth int
	over  bool
}

// content reads a page or template: templates below, layers, templates above.
func (r *reader) content(name string, at matrix, templates bool) error {
	data, ok := r.doc.pkg.Entry(name)
	if !ok {
		r.doc.note("resource_missing", "%s", name)
		return nil
	}
	page, err := ofd.ParseXML(name, data, "Page")
	if err != nil {
		return err
	}
	own := newResources()
	for _, e := range page.All("PageRes") {
		if err := own.read(r.doc.pkg, name, e.Text); err != nil {
			return err
		}
	}
	res := r.doc.common.under(own)
	if templates {
		if err := r.templates(page, at, false); err != nil {
			return err
		}
	}
	r.res = res
	layers := page.Child("Content").All("Layer")
	for _, kind := range []string{"Background", "Body", "Foreground"} {
		for _, l := range layers {
			k := l.Value("Type")
			if k == "" {
				k = "Body"
			}
			if k != kind {
				continue
			}
			st := state{at: at, alpha: 1, draw: r.drawParam(l.Value("DrawParam"), defaultDraw(), 0)}
			if err := r.walk(l, st); err != nil {
				return err
			}
		}
	}
	if templates {
		return r.templates(page, at, true)
	}
	return nil
}

// under gives the resources of a page: its own, then the document's.
func (r *resources) under(own *resources) *resources {
	out := newResources()
	for _, pair := range [][3]map[string]resource{
		{out.fonts, r.fonts, own.fonts},
		{out.drawParams, r.drawParams, own.drawParams},
		{out.media, r.media, own.media},
		{out.composites, r.composites, own.composites},
		{out.spaces, r.spaces, own.spaces},
	} {
		for _, from := range pair[1:] {
			maps.Copy(pair[0], from)
		}
	}
	return out
}

func (r *reader) templates(page *ofd.Element, at matrix, above bool) error {
	for _, t := range page.All("Template") {
		if (t.Value("ZOrder") == "Foreground") != above {
			continue
		}
		name, ok := r.doc.templates[t.Value("TemplateID")]
		if !ok {
			r.doc.note("resource_missing", "template %.20s", t.Value("TemplateID"))
			continue
		}
		if err := r.content(name, at, false); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) annotations(name string, at matrix) error {
	data, ok := r.doc.pkg.Entry(name)
	if name == "" || !ok {
		return nil
	}
	list, err := ofd.ParseXML(name, data, "PageAnnot")
	if err != nil {
		return err
	}
	r.res = r.doc.common
	for _, a := range list.All("Annot") {
		look := a.Child("Appearance")
		if look == nil || a.Value("Visible") == "false" {
			continue
		}
		b, err := optionalBox(look)
		if err != nil {
			return err
		}
		st := state{at: at.times(translate(b.X, b.Y)), alpha: 1, draw: defaultDraw()}
		if err := r.walk(look, st); err != nil {
			return err
		}
	}
	return nil
}

func optionalBox(e *ofd.Element) (ofd.Box, error) {
	v, ok := e.Attr("Boundary")
	if !ok {
		return ofd.Box{}, nil
	}
	return ofd.ParseBox(v)
}

// walk reads the objects inside e in their order.
func (r *reader) walk(e *ofd.Element, st state) error {
	if st.depth > maxDepth {
		return verdict.Refuse(verdict.Limit, "objects nested deeper than %d", maxDepth)
	}
	for _, o := range e.Children {
		if r.objects++; r.objects > maxObjects {
			return verdict.Refuse(verdict.Limit, "more than %d objects on a page", maxObjects)
		}
		if o.Value("Visible") == "false" {
			continue
		}
		var err error
		switch o.Name {
		case "TextObject":
			err = r.text(o, st)
		case "PathObject":
			err = r.path(o, st)
		case "ImageObject":
			err = r.image(o, st)
		case "CompositeObject":
			err = r.composite(o, st)
		case "PageBlock":
			inner := st
			inner.depth++
			err = r.walk(o, inner)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

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
		st.clip = r.newClip(box(b).transformed(outside), false, st.clip)
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
	for _, c := range o.Child("Clips").All("Clip") {
		p, evenOdd, err := r.clipPath(c, outside.times(translate(b.X, b.Y)), ctm)
		if err != nil {
			return st, b, err
		}
		st.clip = r.newClip(p, evenOdd, st.clip)
	}
	return st, b, nil
}

func (r *reader) newClip(p path, evenOdd bool, outer *clip) *clip {
	r.clips++
	return &clip{path: p, evenOdd: evenOdd, outer: outer, id: r.clips}
}

// clipPath joins the areas of one Clip. They follow the object's matrix unless TransFlag says no.
func (r *reader) clipPath(c *ofd.Element, place, ctm matrix) (path, bool, error) {
	at := place
	if c.Value("TransFlag") != "false" {
		at = at.times(ctm)
	}
	var out path
	evenOdd := false
	for _, area := range c.All("Area") {
		own, err := readMatrix(area.Value("CTM"))
		if err != nil {
			return nil, false, err
		}
		p := area.Child("Path")
		if p == nil {
			r.doc.note("object_not_drawn", "a clip made of text")
			continue
		}
		b, err := optionalBox(p)
		if err != nil {
			return nil, false, err
		}
		inner, err := readMatrix(p.Value("CTM"))
		if err != nil {
			return nil, false, err
		}
		steps, err := readPath(p.ChildText("AbbreviatedData"), &r.segments)
		if err != nil {
			return nil, false, err
		}
		evenOdd = evenOdd || p.Value("Rule") == "Even-Odd"
		out = append(out, steps.transformed(at.times(own).times(translate(b.X, b.Y)).times(inner))...)
	}
	return out, evenOdd, nil
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
		it.fill = st.draw.fill.placed(st.at)
	}
	if o.Value("Stroke") != "false" {
		it.stroke = &stroke{
			paint: *st.draw.stroke.placed(st.at), width: st.draw.width * st.at.size(), miter: st.draw.miter, cap: st.draw.cap, join: st.draw.join,
			offset: st.draw.offset * st.at.size(),
		}
		for _, v := range st.draw.dash {
			it.stroke.dash = append(it.stroke.dash, v*st.at.size())
		}
	}
	if leaves(it, box(b).transformed(outside)) { // an object is cut at its boundary; most stay inside by themselves
		it.clip = r.newClip(box(b).transformed(outside), false, it.clip)
	}
	r.scene.items = append(r.scene.items, it)
	return nil
}

// leaves reports whether an item's ink reaches beyond a boundary.
func leaves(it item, boundary path) bool {
	ink, ok := it.path.bounds()
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
	m := r.res.media[o.Value("ResourceID")]
	pic, known := r.doc.images[m.file]
	if !known {
		data, ok := r.doc.pkg.Entry(m.file)
		if m.file == "" || !ok {
			r.doc.note("resource_missing", "picture %.20s", o.Value("ResourceID"))
			return nil
		}
		pic = r.doc.decode(m.file, data)
		r.doc.images[m.file] = pic
	}
	if pic == nil {
		return nil
	}
	if o.Value("ImageMask") != "" {
		r.doc.note("object_not_drawn", "the mask of a picture")
	}
	r.scene.items = append(r.scene.items, item{picture: pic, at: st.at, alpha: st.alpha, clip: st.clip, over: st.over})
	return nil
}

func (r *reader) composite(o *ofd.Element, st state) error {
	st, _, err := r.enter(o, st, true)
	if err != nil {
		return err
	}
	c := r.res.composites[o.Value("ResourceID")]
	if c.e == nil {
		r.doc.note("resource_missing", "composite %.20s", o.Value("ResourceID"))
		return nil
	}
	st.depth++
	if content := c.e.Child("Content"); content != nil {
		return r.walk(content, st)
	}
	return nil
}

// stamp draws a seal over the page.
func (r *reader) stamp(s Stamp, at matrix) {
	c := (*clip)(nil)
	if s.Clip != nil {
		b := *s.Clip
		b.X, b.Y = b.X+s.Boundary.X, b.Y+s.Boundary.Y
		c = r.newClip(box(b).transformed(at), false, nil)
	}
	place := at.times(translate(s.Boundary.X, s.Boundary.Y))
	if strings.EqualFold(s.Format, "ofd") {
		r.nested(s, place, c)
		return
	}
	key := "stamp\x00" + string(s.Data)
	pic, known := r.doc.images[key]
	if !known {
		pic = r.doc.decode("seal", s.Data)
		r.doc.images[key] = pic
	}
	if pic == nil {
		return
	}
	r.scene.items = append(r.scene.items, item{
		picture: pic, at: place.times(scale(s.Boundary.W, s.Boundary.H)), alpha: 1, clip: c, over: true,
	})
}

// nested draws a seal whose picture is an OFD page of its own.
func (r *reader) nested(s Stamp, place matrix, c *clip) {
	if r.doc.nested > 0 {
		r.doc.note("image_not_drawn", "a seal inside the picture of a seal")
		return
	}
	pkg, err := ofd.Open(s.Data)
	if err != nil {
		r.doc.note("image_not_drawn", "the seal's picture: %v", err)
		return
	}
	inner, err := New(pkg, Options{Faces: r.doc.set})
	if err != nil {
		r.doc.note("image_not_drawn", "the seal's picture: %v", err)
		return
	}
	inner.nested = r.doc.nested + 1
	page, err := inner.page(0)
	if err != nil {
		r.doc.note("image_not_drawn", "the seal's picture: %v", err)
		return
	}
	m := place.times(scale(s.Boundary.W/page.size.W, s.Boundary.H/page.size.H))
	for _, it := range page.items {
		r.scene.items = append(r.scene.items, r.moved(it, m, c))
	}
	r.doc.notes = append(r.doc.notes, inner.notes...)
}

// moved places an item of a nested page.
func (r *reader) moved(it item, m matrix, c *clip) item {
	it.path, it.at, it.over, it.run = it.path.transformed(m), m.times(it.at), true, nil
	it.fill = it.fill.moved(m)
	if it.face != nil { // typefaces of two packages count from 0 both: draw the glyph as a path
		it.path = it.glyph.path.transformed(it.at)
		it.face, it.glyph = nil, nil
	}
	if it.stroke != nil {
		s := *it.stroke
		s.paint = *s.paint.moved(m)
		s.width, s.offset, s.dash = s.width*m.size(), s.offset*m.size(), append([]float64(nil), s.dash...)
		for i := range s.dash {
			s.dash[i] *= m.size()
		}
		it.stroke = &s
	}
	it.clip = r.joinClips(it.clip, m, c)
	return it
}

func (r *reader) joinClips(inner *clip, m matrix, outer *clip) *clip {
	if inner == nil {
		return outer
	}
	return r.newClip(inner.path.transformed(m), inner.evenOdd, r.joinClips(inner.outer, m, outer))
}
