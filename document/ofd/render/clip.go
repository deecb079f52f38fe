package render

import (
	"yinxin/document/ofd"
)

// clip is a region that cuts, together with those around it: the areas united.
type clip struct {
	areas []area
	outer *clip
	id    int
}

// area is a path with the rule that says what lies inside it.
type area struct {
	path    path
	evenOdd bool
}

func (r *reader) newClip(outer *clip, areas ...area) *clip {
	r.clips++
	return &clip{areas: areas, outer: outer, id: r.clips}
}

// cut is a clip at a rectangle.
func (r *reader) cut(outer *clip, b ofd.Box, at matrix) *clip {
	return r.newClip(outer, area{path: box(b).transformed(at)})
}

// readClips applies the clips of an object one within the other. They follow its matrix unless TransFlag, which writers
// put on the list or on the single clip, says no.
func (r *reader) readClips(o *ofd.Element, place, ctm matrix, outer *clip) (*clip, error) {
	list := o.Child("Clips")
	for _, c := range list.All("Clip") {
		at := place
		if list.Value("TransFlag") != "false" && c.Value("TransFlag") != "false" {
			at = at.times(ctm)
		}
		var areas []area
		for _, e := range c.All("Area") {
			a, err := r.area(e, at)
			if err != nil {
				return nil, err
			}
			areas = append(areas, a)
		}
		outer = r.newClip(outer, areas...)
	}
	return outer, nil
}

// area reads one Area: a path, or the outlines of a text.
func (r *reader) area(e *ofd.Element, at matrix) (area, error) {
	own, err := readMatrix(e.Value("CTM"))
	if err != nil {
		return area{}, err
	}
	at = at.times(own)
	if text := e.Child("Text"); text != nil {
		p, err := r.outlines(text, at)
		return area{path: p}, err
	}
	p := e.Child("Path")
	if p == nil {
		return area{}, nil
	}
	b, err := optionalBox(p)
	if err != nil {
		return area{}, err
	}
	inner, err := readMatrix(p.Value("CTM"))
	if err != nil {
		return area{}, err
	}
	steps, err := readPath(p.ChildText("AbbreviatedData"), &r.segments)
	if err != nil {
		return area{}, err
	}
	return area{steps.transformed(at.times(translate(b.X, b.Y)).times(inner)), p.Value("Rule") == "Even-Odd"}, nil
}

// outlines are the glyphs of a text as one path.
func (r *reader) outlines(text *ofd.Element, at matrix) (path, error) {
	drawn, err := r.aside(func() error { return r.text(text, state{at: at, alpha: 1, draw: defaultDraw()}) })
	if err != nil {
		return nil, err
	}
	return outlinesOf(drawn, &r.segments)
}

// aside reads objects without putting them on the page.
func (r *reader) aside(read func() error) ([]item, error) {
	page := r.scene
	r.scene = &scene{size: page.size}
	err := read()
	items := r.scene.items
	r.scene = page
	return items, err
}
