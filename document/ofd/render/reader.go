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
	tiles                         int    // objects that patterns may still repeat
	clips, patterns               int    // clips made, patterns being read
	below, drawn                  int    // templates that the one being read lies in, templates read for the page
	page                          matrix // of the page itself
	pictures                      map[string]*picture
	pixels                        int // that pictures of the page may still have
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

// content reads a page or template: the templates that it names below, its layers, those above.
func (r *reader) content(name string, at matrix) error {
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
	if err := r.templates(page, at, false); err != nil {
		return err
	}
	r.res = res // which the templates have set to their own
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
	return r.templates(page, at, true)
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

// templates draws those that a page or template names in front of its own layers, or behind them. Each naming is drawn: what
// templates that name others twice would multiply to is bounded by number, as an empty one costs no objects.
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
		if r.drawn++; r.drawn > maxTemplates || r.below >= maxDepth {
			return verdict.Refuse(verdict.Limit, "a page of more than %d templates, or of templates nested deeper than %d", maxTemplates, maxDepth)
		}
		r.below++
		err := r.content(name, at)
		r.below--
		if err != nil {
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
			r.leave(o)
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
		default:
			if strings.HasSuffix(o.Name, "Object") {
				r.doc.note("object_not_drawn", "a %.40s", o.Name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leave remembers the text of an object that is not shown.
func (r *reader) leave(o *ofd.Element) {
	for _, e := range o.Children {
		if e.Name == "TextCode" && len(r.scene.left) < maxObjects {
			r.scene.left = append(r.scene.left, e.Text)
		}
		r.leave(e)
	}
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
