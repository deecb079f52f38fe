package render

import (
	"fmt"
	"slices"

	"yinxin/document/fonts"
	"yinxin/document/ofd"
	"yinxin/verdict"
)

// Stamp is a seal on a page, as a signature places it.
type Stamp struct {
	// PageID is the page's identifier in Document.xml.
	PageID string
	// Boundary is where the picture stands, in mm from the page's top left corner; it is scaled to it.
	Boundary ofd.Box
	// Clip is the part that shows, in mm from the boundary's corner; nil for all of it.
	Clip *ofd.Box
	// Format is that of the picture as the seal states it (png, jpg, bmp, gif, ofd), Data the picture.
	Format string
	Data   []byte
}

// Options are what a drawing needs besides the package.
type Options struct {
	// Faces stand in for fonts that the package does not embed.
	Faces *fonts.Set
	// Stamps are the seals to be drawn over the pages.
	Stamps []Stamp
}

// Document is a package made ready for drawing. It is not safe for concurrent use.
type Document struct {
	pkg       *ofd.Package
	set       *fonts.Set
	stamps    []Stamp
	common    *resources
	templates map[string]string // ID → entry name
	annots    map[string]string // page ID → entry name
	faces     map[string]*typeface
	images    map[string]*picture
	kept      int // bytes of them
	notes     []Note
	nested    int
	sights    int    // what may still be looked at to tell whether characters can be seen
	space     string // identifier of the colour space that colours without one have
}

// New reads what the pages of the first document share. Refusals are *verdict.ContainerError.
func New(pkg *ofd.Package, o Options) (*Document, error) {
	d := &Document{
		pkg: pkg, set: o.Faces, stamps: o.Stamps, common: newResources(), templates: map[string]string{},
		annots: map[string]string{}, faces: map[string]*typeface{}, images: map[string]*picture{},
		sights: maxSights,
	}
	if d.set == nil {
		d.set = fonts.Embedded()
	}
	root := pkg.Bodies()[0].Root
	data, _ := pkg.Entry(root)
	doc, err := ofd.ParseXML(root, data, "Document")
	if err != nil {
		return nil, err
	}
	common := doc.Child("CommonData")
	d.space = common.ChildText("DefaultCS")
	for _, kind := range []string{"PublicRes", "DocumentRes"} {
		for _, r := range common.All(kind) {
			if err := d.common.read(pkg, root, r.Text); err != nil {
				return nil, err
			}
		}
	}
	for _, t := range common.All("TemplatePage") {
		name, err := ofd.Resolve(root, t.Value("BaseLoc"))
		if err != nil {
			return nil, err
		}
		d.templates[t.Value("ID")] = name
	}
	return d, d.readAnnotations(root, doc)
}

func (d *Document) readAnnotations(root string, doc *ofd.Element) error {
	loc := doc.ChildText("Annotations")
	if loc == "" {
		return nil
	}
	name, err := ofd.Resolve(root, loc)
	if err != nil {
		return err
	}
	data, ok := d.pkg.Entry(name)
	if !ok {
		d.note("resource_missing", "%s", name)
		return nil
	}
	list, err := ofd.ParseXML(name, data, "Annotations")
	if err != nil {
		return err
	}
	for _, p := range list.All("Page") {
		if d.annots[p.Value("PageID")], err = ofd.Resolve(name, p.ChildText("FileLoc")); err != nil {
			return err
		}
	}
	return nil
}

// note records something once.
func (d *Document) note(code, format string, args ...any) {
	n := Note{Code: code, Detail: fmt.Sprintf(format, args...)}
	if !slices.Contains(d.notes, n) && len(d.notes) < 1000 {
		d.notes = append(d.notes, n)
	}
}

// Notes lists what was not shown as the file asks, so far.
func (d *Document) Notes() []Note { return d.notes }

// Pages is the number of pages.
func (d *Document) Pages() int { return len(d.pkg.Pages()) }

// ErrNoPage is returned for a page that the document does not have.
var ErrNoPage = fmt.Errorf("render: no such page")

// scene is a page as a list of things to draw, in page millimetres.
type scene struct {
	size  ofd.Box
	items []item
	runs  []*textRun
	// left is the text of objects that say of themselves that they are not shown.
	left []string
}

// item is one thing to draw: a filled or stroked path, a glyph, or a picture.
type item struct {
	path    path
	evenOdd bool
	fill    *paint
	stroke  *stroke
	// glyph, with at as its matrix from ems to the page.
	face  *typeface
	glyph *glyph
	// picture fills the unit square under at.
	picture *picture
	at      matrix
	alpha   float64
	// over says that the item darkens what lies below, as a seal does.
	over bool
	clip *clip
	// run is the text run that a glyph belongs to, for the layout; from and to are the characters that it stands for.
	run      *textRun
	from, to int
}

// shape is the outline of an item on the page; that of a picture is its frame.
func (it *item) shape() path {
	switch {
	case it.glyph != nil:
		return it.glyph.path.transformed(it.at)
	case it.picture != nil:
		return box(ofd.Box{W: 1, H: 1}).transformed(it.at)
	}
	return it.path
}

type stroke struct {
	paint
	width, miter float64
	cap, join    string
	dash         []float64
	offset       float64
}

// page reads page i into a scene.
func (d *Document) page(i int) (*scene, error) {
	if i < 0 || i >= len(d.pkg.Pages()) {
		return nil, fmt.Errorf("%w: %d of %d", ErrNoPage, i+1, len(d.pkg.Pages()))
	}
	p := d.pkg.Pages()[i]
	s := &scene{size: p.Size}
	r := &reader{doc: d, scene: s, segments: maxSegments, characters: maxCharacters, tiles: maxTiles, pixels: maxPagePixels, pictures: map[string]*picture{}}
	if s.size.W <= 0 || s.size.H <= 0 {
		return nil, verdict.Refuse(verdict.Number, "page %d is %g by %g mm", i+1, s.size.W, s.size.H)
	}
	at := translate(-p.Size.X, -p.Size.Y)
	r.page = at
	if err := r.content(p.Name, at); err != nil {
		return nil, err
	}
	if err := r.annotations(d.annots[p.ID], at); err != nil {
		return nil, err
	}
	for _, st := range d.stamps {
		if st.PageID == p.ID {
			r.stamp(st, at)
		}
	}
	return s, nil
}
