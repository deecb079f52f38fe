package render

import (
	"bytes"
	"image"
	"strings"

	_ "image/gif"  // a format of pictures that pages may hold
	_ "image/jpeg" // another
	_ "image/png"  // another

	_ "golang.org/x/image/bmp" // another
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	_ "golang.org/x/image/tiff" // the last of the formats of pictures

	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
)

// resources are what pages refer to by identifier. A page's own come before those of the document.
type resources struct {
	fonts, drawParams, media, composites, spaces map[string]resource
}

// resource is one element of a resource file, with the entry that its file names.
type resource struct {
	e    *ofd.Element
	file string
}

func newResources() *resources {
	return &resources{
		fonts: map[string]resource{}, drawParams: map[string]resource{}, media: map[string]resource{},
		composites: map[string]resource{}, spaces: map[string]resource{},
	}
}

// read adds what the resource file at loc, named in the entry from, holds. A file that is missing adds nothing.
func (r *resources) read(pkg *ofd.Package, from, loc string) error {
	name, err := ofd.Resolve(from, loc)
	if err != nil {
		return err
	}
	data, ok := pkg.Entry(name)
	if !ok {
		return nil
	}
	res, err := ofd.ParseXML(name, data, "Res")
	if err != nil {
		return err
	}
	folder, err := ofd.ResourceFolder(name, res)
	if err != nil {
		return err
	}
	groups := []struct {
		group, element, file string
		into                 map[string]resource
	}{
		{"Fonts", "Font", "FontFile", r.fonts},
		{"DrawParams", "DrawParam", "", r.drawParams},
		{"MultiMedias", "MultiMedia", "MediaFile", r.media},
		{"CompositeGraphicUnits", "CompositeGraphicUnit", "", r.composites},
		{"ColorSpaces", "ColorSpace", "", r.spaces},
	}
	for _, g := range groups {
		for _, list := range res.All(g.group) {
			for _, e := range list.All(g.element) {
				item := resource{e: e}
				if loc := e.ChildText(g.file); g.file != "" && loc != "" {
					if item.file, err = ofd.ResolveIn(folder, loc); err != nil {
						return err
					}
				}
				g.into[e.Value("ID")] = item
			}
		}
	}
	return nil
}

// typeface draws the glyphs of one font of the file, or of the face that stands in for it.
type typeface struct {
	id    int // counts the typefaces of a document, for the names of glyphs in an SVG
	name  string
	face  *fonts.Face // for the layout, and for drawing where font is nil
	font  *sfnt.Font
	em    float64
	fall  *fonts.Set
	role  fonts.Role
	cache map[glyphKey]*glyph
	look  *layout.Look // once enough of it was drawn to tell
}

// glyphKey names a glyph by its number in the font, or by its character.
type glyphKey struct {
	r  rune
	id int
}

type glyph struct {
	key     glyphKey
	path    path // in ems, the baseline's start at the origin
	advance float64
	missing bool
	// empty says that it is the font's picture of no character, borrowed that it is drawn from another font than the file's.
	empty, borrowed bool
}

// typeface finds the font by its identifier: embedded, else by its name among the faces at hand.
func (d *Document) typeface(id string, res *resources) *typeface {
	item := res.fonts[id]
	key := id + "\x00" + item.file
	if t := d.faces[key]; t != nil {
		return t
	}
	t := &typeface{id: len(d.faces), cache: map[glyphKey]*glyph{}, fall: d.set, role: fonts.Song}
	d.faces[key] = t
	if item.e != nil {
		t.name = item.e.Value("FontName")
		t.role = roleOf(t.name + " " + item.e.Value("FamilyName"))
	}
	if data, ok := d.pkg.Entry(item.file); ok && item.file != "" {
		if face, err := fonts.Parse(t.role, t.name, t.name, data); err == nil {
			t.face = face
		}
		if f, err := sfnt.Parse(data); err == nil && f.UnitsPerEm() > 0 {
			t.font, t.em = f, float64(f.UnitsPerEm())
			return t
		}
	}
	face, err := d.set.Face(t.role)
	if err != nil {
		d.note("font_substituted", "%s: no face at all", t.name)
		return t
	}
	d.note("font_substituted", "%s is drawn in %s", t.name, face.Family())
	t.face, t.em = face, float64(face.UnitsPerEm())
	return t
}

// roleOf guesses from a font's name what stands in for it.
func roleOf(name string) fonts.Role {
	name = strings.ToLower(name)
	for _, row := range []struct {
		words string
		role  fonts.Role
	}{
		{"小标宋 biaosong 大标宋", fonts.XiaoBiaoSong},
		{"仿宋 fangsong stfangso", fonts.FangSong},
		{"楷 kai", fonts.Kai},
		{"黑 hei sans arial helvetica 等线 雅黑", fonts.Hei},
	} {
		for w := range strings.FieldsSeq(row.words) {
			if strings.Contains(name, w) {
				return row.role
			}
		}
	}
	return fonts.Song
}

func (t *typeface) glyph(key glyphKey) *glyph {
	if g := t.cache[key]; g != nil {
		return g
	}
	g := t.load(key)
	g.key = key
	t.cache[key] = g
	return g
}

func (t *typeface) load(key glyphKey) *glyph {
	if t.font == nil {
		if key.id >= 0 || t.face == nil {
			return &glyph{missing: true, advance: 1}
		}
		return t.fromFace(key.r)
	}
	var b sfnt.Buffer
	index := sfnt.GlyphIndex(0)
	if key.id >= 0 && key.id < t.font.NumGlyphs() {
		index = sfnt.GlyphIndex(key.id)
	} else if key.id < 0 {
		index, _ = t.font.GlyphIndex(&b, key.r)
		if index == 0 {
			g := t.fromFace(key.r)
			g.borrowed = !g.missing && len(g.path) > 0
			return g
		}
	}
	segments, err := t.font.LoadGlyph(&b, index, fixed.I(int(t.em)), nil)
	if err != nil {
		return &glyph{missing: true, advance: 1}
	}
	g := &glyph{path: fromSFNT(segments, t.em), empty: index == 0}
	if a, err := t.font.GlyphAdvance(&b, index, fixed.I(int(t.em)), font.HintingNone); err == nil {
		g.advance = float64(a) / 64 / t.em
	}
	return g
}

// fromFace draws a character from the faces at hand.
func (t *typeface) fromFace(r rune) *glyph {
	if r == ' ' || r == '\u3000' || r == '\u00a0' {
		return &glyph{advance: map[bool]float64{true: 1, false: 0.5}[r == '\u3000']}
	}
	face, ok := t.fall.Resolve(t.role, r)
	if !ok {
		return &glyph{missing: true, advance: 1}
	}
	o, err := face.Outline(r)
	if err != nil {
		return &glyph{missing: true, advance: 1}
	}
	em := float64(face.UnitsPerEm())
	g := &glyph{advance: o.Advance / em}
	for i, s := range o.Segments {
		if s.Op == fonts.MoveTo && i > 0 {
			g.path = append(g.path, segment{op: closePath})
		}
		g.path = append(g.path, segment{op: [...]op{moveTo, lineTo, quadTo, cubeTo}[s.Op], p: s.Points})
	}
	g.path = append(g.path, segment{op: closePath}).transformed(scale(1/em, 1/em))
	return g
}

func fromSFNT(in sfnt.Segments, em float64) path {
	out := make(path, 0, len(in)+4)
	for i, s := range in {
		if s.Op == sfnt.SegmentOpMoveTo && i > 0 {
			out = append(out, segment{op: closePath})
		}
		o := [...]op{sfnt.SegmentOpMoveTo: moveTo, sfnt.SegmentOpLineTo: lineTo, sfnt.SegmentOpQuadTo: quadTo, sfnt.SegmentOpCubeTo: cubeTo}[s.Op]
		seg := segment{op: o}
		for k := range pointsOf(o) {
			seg.p[k] = point{X: float64(s.Args[k].X) / 64 / em, Y: float64(s.Args[k].Y) / 64 / em}
		}
		out = append(out, seg)
	}
	return append(out, segment{op: closePath})
}

// picture is a decoded picture with the bytes it came from.
type picture struct {
	image  image.Image
	raw    []byte
	format string
}

// pictureOf is the picture of that file, decoded once a page; nil, with a note, where it cannot be drawn. Those of earlier pages
// are kept as long as they are few.
func (r *reader) pictureOf(key, name string, read func() ([]byte, bool)) *picture {
	if pic, known := r.pictures[key]; known {
		return pic
	}
	pic, known := r.doc.images[key]
	if !known {
		data, ok := read()
		if !ok {
			return nil
		}
		pic = r.decode(name, data)
		r.doc.keep(key, pic)
	}
	r.pictures[key] = pic
	return pic
}

// keep remembers a picture for later pages, in place of the others where they are too many.
func (d *Document) keep(key string, pic *picture) {
	if d.kept += pic.bytes(); d.kept > maxKept {
		d.images, d.kept = map[string]*picture{}, pic.bytes()
	}
	if d.kept <= maxKept {
		d.images[key] = pic
		return
	}
	d.kept = 0
}

// bytes is about what a picture takes in memory.
func (p *picture) bytes() int {
	if p == nil {
		return 0
	}
	b := p.image.Bounds()
	return 4*b.Dx()*b.Dy() + len(p.raw)
}

// decode reads a picture of bounded size; nil with a note where it cannot.
func (r *reader) decode(name string, data []byte) *picture {
	d := r.doc
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		d.note("image_not_drawn", "%s: %v", name, err)
		return nil
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		d.note("image_not_drawn", "%s: %d by %d pixels", name, config.Width, config.Height)
		return nil
	}
	if r.pixels -= config.Width * config.Height; r.pixels < 0 {
		d.note("image_not_drawn", "%s: the pictures of the page have more than %d pixels", name, maxPagePixels)
		return nil
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		d.note("image_not_drawn", "%s: %v", name, err)
		return nil
	}
	return &picture{image: img, raw: data, format: format}
}
