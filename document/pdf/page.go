package pdf

import "math"

// Page is a page of the document with the attributes it inherits.
type Page struct {
	Ref  Ref
	Dict Dict
	// Box is the visible rectangle in the page's own units: CropBox within MediaBox, as left, bottom, right, top.
	Box [4]float64
	// Rotate is the clockwise turn for display: 0, 90, 180 or 270.
	Rotate int
	// Unit is the size of the page's unit in points (UserUnit), usually 1.
	Unit float64
}

// Size returns the displayed width and height in millimetres.
func (p Page) Size() (w, h float64) {
	w, h = (p.Box[2]-p.Box[0])/p.perMM(), (p.Box[3]-p.Box[1])/p.perMM()
	if p.Rotate%180 != 0 {
		return h, w
	}
	return w, h
}

func (p Page) perMM() float64 { return 72 / 25.4 / p.Unit }

// Rect turns a place on the displayed page, in millimetres from its top left corner, into a rectangle in the page's
// units: left, bottom, right, top, rounded to 1/1000.
func (p Page) Rect(x, y, w, h float64) [4]float64 {
	k := p.perMM()
	x, y, w, h = x*k, y*k, w*k, h*k
	var r [4]float64
	switch p.Rotate {
	case 90:
		r = [4]float64{p.Box[0] + y, p.Box[1] + x, p.Box[0] + y + h, p.Box[1] + x + w}
	case 180:
		r = [4]float64{p.Box[2] - x - w, p.Box[1] + y, p.Box[2] - x, p.Box[1] + y + h}
	case 270:
		r = [4]float64{p.Box[2] - y - h, p.Box[3] - x - w, p.Box[2] - y, p.Box[3] - x}
	default:
		r = [4]float64{p.Box[0] + x, p.Box[3] - y - h, p.Box[0] + x + w, p.Box[3] - y}
	}
	for i := range r {
		r[i] = math.Round(r[i]*1000) / 1000
	}
	return r
}

// inherited are the attributes that a page may take from the nodes above it (ISO 32000-1, table 30).
type inherited struct{ media, crop, rotate Object }

// Pages walks the page tree.
func (v *View) Pages() ([]Page, error) {
	catalog, err := v.Catalog()
	if err != nil {
		return nil, err
	}
	root, ok := catalog["Pages"].(Ref)
	if !ok {
		return nil, malformed("catalogue without a page tree")
	}
	w := pageWalk{view: v, seen: map[Ref]bool{}}
	if err := w.node(root, inherited{}, 0); err != nil {
		return nil, err
	}
	return w.pages, nil
}

type pageWalk struct {
	view  *View
	seen  map[Ref]bool
	pages []Page
}

func (w *pageWalk) node(r Ref, in inherited, depth int) error {
	if w.seen[r] || depth > MaxDepth {
		return limit("the page tree is not a tree at object %d", r.Number)
	}
	w.seen[r] = true
	d, err := w.view.Dict(r)
	if err != nil {
		return err
	}
	for key, field := range map[Name]*Object{"MediaBox": &in.media, "CropBox": &in.crop, "Rotate": &in.rotate} {
		if o, ok := d[key]; ok {
			*field = o
		}
	}
	switch d["Type"] {
	case Name("Page"):
		if len(w.pages) == MaxPages {
			return limit("more than %d pages", MaxPages)
		}
		p, err := w.view.page(r, d, in)
		w.pages = append(w.pages, p)
		return err
	case Name("Pages"):
	default:
		return malformed("object %d in the page tree is neither a page nor a node", r.Number)
	}
	kids, err := w.view.Array(d["Kids"])
	if err != nil {
		return err
	}
	before := len(w.pages)
	for _, k := range kids {
		kid, ok := k.(Ref)
		if !ok {
			return malformed("a kid of page tree node %d is not a reference", r.Number)
		}
		if err := w.node(kid, in, depth+1); err != nil {
			return err
		}
	}
	count, err := w.view.Resolve(d["Count"])
	if err == nil && count != int64(len(w.pages)-before) {
		err = malformed("page tree node %d counts %v pages and has %d", r.Number, count, len(w.pages)-before)
	}
	return err
}

func (v *View) page(r Ref, d Dict, in inherited) (Page, error) {
	p := Page{Ref: r, Dict: d, Unit: 1}
	media, err := v.Rect(in.media)
	if err != nil {
		return p, err
	}
	p.Box = media
	if in.crop != nil {
		crop, err := v.Rect(in.crop)
		if err != nil {
			return p, err
		}
		p.Box = [4]float64{max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3])}
	}
	if p.Box[2]-p.Box[0] <= 0 || p.Box[3]-p.Box[1] <= 0 {
		return p, malformed("page %d has no area", r.Number)
	}
	turn, err := v.Resolve(in.rotate)
	if err != nil {
		return p, err
	}
	if n, ok := turn.(int64); ok && n%90 == 0 {
		p.Rotate = int((n%360 + 360) % 360)
	} else if turn != nil {
		return p, malformed("page %d is turned by %v", r.Number, turn)
	}
	unit, err := v.Resolve(d["UserUnit"])
	if err != nil {
		return p, err
	}
	if u, ok := Number(unit); ok && u > 0 {
		p.Unit = u
	}
	return p, nil
}

// Number returns the value of an integer or real number.
func Number(o Object) (float64, bool) {
	switch n := o.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// Rect resolves a rectangle and orders its corners: left, bottom, right, top.
func (v *View) Rect(o Object) (r [4]float64, err error) {
	list, err := v.Array(o)
	if err != nil {
		return r, err
	}
	if len(list) != 4 {
		return r, malformed("rectangle of %d numbers", len(list))
	}
	for i, x := range list {
		if x, err = v.Resolve(x); err != nil {
			return r, err
		}
		n, ok := Number(x)
		if !ok || math.Abs(n) > 1e7 {
			return r, malformed("rectangle with %v", x)
		}
		r[i] = n
	}
	r[0], r[2] = min(r[0], r[2]), max(r[0], r[2])
	r[1], r[3] = min(r[1], r[3]), max(r[1], r[3])
	return r, nil
}
