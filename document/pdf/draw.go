// Browsers verify and draw nothing into a PDF: what the writer brings along stays out of the verifier there.
//go:build !js

package pdf

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/go-pdf/fpdf"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
)

// Draw writes the pages as a PDF, the courtesy copy of the OFD: the same runs at the same places, as text that can be
// searched and copied. Characters above U+FFFF, which the library under it cannot set, are drawn as shapes; the text layer
// states them as ActualText. The same input gives the same bytes.
func Draw(w io.Writer, p *layout.Pages, m document.Metadata) (err error) {
	defer func() { // the library panics where it meets a font or a character it did not foresee
		if r := recover(); r != nil {
			err = fmt.Errorf("draw PDF: %v", r)
		}
	}()
	d := &drawing{pdf: newFile(m), families: make(map[*fonts.Face]string), pictures: make(map[string]bool)}
	if err := d.addFonts(p); err != nil {
		return fmt.Errorf("draw PDF: %w", err)
	}
	for i := range p.Pages {
		if err := d.page(&p.Pages[i]); err != nil {
			return fmt.Errorf("draw PDF: page %d: %w", i+1, err)
		}
	}
	if err := d.pdf.Output(w); err != nil {
		return fmt.Errorf("draw PDF: %w", err)
	}
	return nil
}

func newFile(m document.Metadata) *fpdf.Fpdf {
	f := fpdf.New("P", "mm", "A4", "")
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.SetCatalogSort(true)
	f.SetCreationDate(m.IssuedOn.Time())
	f.SetModificationDate(m.IssuedOn.Time())
	f.SetProducer("yinxin", false)
	f.SetCreator("yinxin", false)
	f.SetTitle(m.Title, true)
	f.SetAuthor(m.Issuer.Name, true)
	f.SetSubject(m.Number.String(), true)
	f.SetKeywords(strings.Join(m.Keywords, " "), true)
	return f
}

// drawing is one PDF in the making.
type drawing struct {
	pdf *fpdf.Fpdf
	// families are the library's names of the faces.
	families map[*fonts.Face]string
	// spacing is the character spacing now in force on the page, in points.
	spacing float64
	// pictures are those that the file holds already, by the sum of their bytes.
	pictures map[string]bool
}

// settable reports whether the library can set r as text.
func settable(r rune) bool { return r < 0xFFFF }

// addFonts embeds one subset a family; runs may draw from it under several roles.
func (d *drawing) addFonts(p *layout.Pages) error {
	type use struct {
		face  *fonts.Face
		chars []rune
	}
	byFamily := make(map[string]*use)
	var order []string
	for _, page := range p.Pages {
		for _, r := range page.Runs {
			name := strings.ToLower(strings.ReplaceAll(r.Face.Family(), " ", ""))
			d.families[r.Face] = name
			u := byFamily[name]
			if u == nil {
				u = &use{face: r.Face}
				byFamily[name] = u
				order = append(order, name)
			}
			for _, c := range r.Text {
				if !settable(c) {
					c = standIn(r.Face)
				}
				u.chars = append(u.chars, c)
			}
		}
	}
	slices.Sort(order)
	for _, name := range order {
		data, err := byFamily[name].face.Subset(byFamily[name].chars)
		if err != nil {
			return err
		}
		d.pdf.AddUTF8FontFromBytes(name, "", data)
	}
	return d.pdf.Error()
}

func (d *drawing) page(p *layout.Page) error {
	d.pdf.AddPageFormat("P", fpdf.SizeType{Wd: p.Width, Ht: p.Height})
	d.spacing = 0
	for i := range p.Runs {
		if err := d.run(&p.Runs[i]); err != nil {
			return err
		}
	}
	for _, r := range p.Rules {
		d.pdf.SetDrawColor(int(r.Color.R), int(r.Color.G), int(r.Color.B))
		d.pdf.SetLineWidth(r.Width)
		d.pdf.Line(r.X1, r.Y1, r.X2, r.Y2)
	}
	for _, f := range p.Pictures {
		if err := d.picture(f); err != nil {
			return err
		}
	}
	return d.pdf.Error()
}

func (d *drawing) addPicture(name, format string, data []byte) {
	d.pdf.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: format}, bytes.NewReader(data))
}

func (d *drawing) place(name string, p layout.Picture) {
	d.pdf.ImageOptions(name, p.X, p.Y, p.Width, p.Height, false, fpdf.ImageOptions{}, 0, "")
}

const pointsPerMM = 72 / 25.4

// run cuts a run into stretches of one character spacing, so that each lands where the layout put it with one operator.
func (d *drawing) run(r *layout.Run) error {
	d.pdf.SetTextColor(int(r.Color.R), int(r.Color.G), int(r.Color.B))
	d.pdf.SetFont(d.families[r.Face], "", r.Size*pointsPerMM)
	chars := []rune(r.Text)
	x := r.X
	for i := 0; i < len(chars); {
		if !settable(chars[i]) {
			d.actualText(r, chars[i], x)
			if err := d.shape(r, chars[i], x); err != nil {
				return err
			}
			d.pdf.RawWriteStr("EMC\n")
			x += r.Advances[i]
			i++
			continue
		}
		n := i + 1
		extra := r.Advances[i] - inkAdvance(r, chars[i])
		for n < len(chars) && settable(chars[n]) && sameExtra(r, chars, n, extra) {
			n++
		}
		d.space(extra * pointsPerMM)
		d.pdf.Text(x, r.Y, string(chars[i:n]))
		for ; i < n; i++ {
			x += r.Advances[i]
		}
	}
	return nil
}

// sameExtra reports whether character n continues a stretch: its predecessor was spaced like the stretch (the last one's
// own spacing moves nothing, so it is the predecessors that count).
func sameExtra(r *layout.Run, chars []rune, n int, extra float64) bool {
	const tolerance = 0.002 // mm; thirty of them stay under a tenth of a millimetre
	return math.Abs(r.Advances[n-1]-inkAdvance(r, chars[n-1])-extra) < tolerance
}

// inkAdvance is the width that the library will write for c: whole thousandths of the em.
func inkAdvance(r *layout.Run, c rune) float64 {
	a, _ := r.Face.Advance(c)
	return math.Round(a*1000) / 1000 * r.Size
}

func (d *drawing) space(points float64) {
	if math.Abs(points-d.spacing) < 1e-4 {
		return
	}
	d.spacing = points
	d.pdf.RawWriteStr(fmt.Sprintf("%.4f Tc\n", points))
}

// standIn is the character that stands unseen where a shape is drawn: the text layer needs one for its ActualText. A reader
// that knows none copies it.
func standIn(f *fonts.Face) rune {
	const geta = '〓'
	if f.Has(geta) {
		return geta
	}
	return ' '
}

// actualText begins a stretch of the page that is c, whatever is drawn in it (ISO 32000-1 14.9.4).
func (d *drawing) actualText(r *layout.Run, c rune, x float64) {
	var hex strings.Builder
	for _, u := range utf16.Encode([]rune{c}) {
		fmt.Fprintf(&hex, "%04X", u)
	}
	d.space(0)
	d.pdf.RawWriteStr("/Span <</ActualText <FEFF" + hex.String() + ">>> BDC\n")
	const invisible, filled = 3, 0
	d.pdf.SetTextRenderingMode(invisible)
	d.pdf.Text(x, r.Y, string(standIn(r.Face)))
	d.pdf.SetTextRenderingMode(filled)
}

// shape fills a character's outline.
func (d *drawing) shape(r *layout.Run, c rune, x float64) error {
	o, err := r.Face.Outline(c)
	if err != nil {
		return err
	}
	scale := r.Size / float64(r.Face.UnitsPerEm())
	at := func(p fonts.Point) fonts.Point { return fonts.Point{X: x + p.X*scale, Y: r.Y + p.Y*scale} }
	d.pdf.SetFillColor(int(r.Color.R), int(r.Color.G), int(r.Color.B))
	var pen fonts.Point
	for i, s := range o.Segments {
		p, q, e := at(s.Points[0]), at(s.Points[1]), at(s.Points[2])
		switch s.Op {
		case fonts.MoveTo:
			if i > 0 {
				d.pdf.ClosePath()
			}
			d.pdf.MoveTo(p.X, p.Y)
			pen = p
		case fonts.LineTo:
			d.pdf.LineTo(p.X, p.Y)
			pen = p
		case fonts.QuadTo: // raised to a cubic: the library's CurveTo is another curve
			a, b := towards(pen, p), towards(q, p)
			d.pdf.CurveBezierCubicTo(a.X, a.Y, b.X, b.Y, q.X, q.Y)
			pen = q
		case fonts.CubeTo:
			d.pdf.CurveBezierCubicTo(p.X, p.Y, q.X, q.Y, e.X, e.Y)
			pen = e
		}
	}
	if len(o.Segments) > 0 {
		d.pdf.ClosePath()
		d.pdf.DrawPath("f")
	}
	return nil
}

// towards is two thirds of the way from an end of a quadratic curve to its control point.
func towards(end, control fonts.Point) fonts.Point {
	return fonts.Point{X: end.X + (control.X-end.X)*2/3, Y: end.Y + (control.Y-end.Y)*2/3}
}
