package render

import (
	"strings"

	"yinxin/document/ofd"
)

// stamp draws a seal over the page.
func (r *reader) stamp(s Stamp, at matrix) {
	c := (*clip)(nil)
	if s.Clip != nil {
		b := *s.Clip
		b.X, b.Y = b.X+s.Boundary.X, b.Y+s.Boundary.Y
		c = r.cut(nil, b, at)
	}
	place := at.times(translate(s.Boundary.X, s.Boundary.Y))
	if strings.EqualFold(s.Format, "ofd") {
		r.nested(s, place, c)
		return
	}
	key := "stamp\x00" + string(s.Data)
	pic := r.pictureOf(key, "seal", func() ([]byte, bool) { return s.Data, true })
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
		it = r.moved(it, m, c)
		it.over = true
		r.scene.items = append(r.scene.items, it)
	}
	r.doc.notes = append(r.doc.notes, inner.notes...)
}

// moved places an item of a nested page, or of a pattern's cell.
func (r *reader) moved(it item, m matrix, c *clip) item {
	it.path, it.at, it.run = it.path.transformed(m), m.times(it.at), nil
	it.fill = it.fill.moved(m)
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
	areas := make([]area, len(inner.areas))
	for i, a := range inner.areas {
		areas[i] = area{a.path.transformed(m), a.evenOdd}
	}
	return r.newClip(r.joinClips(inner.outer, m, outer), areas...)
}
