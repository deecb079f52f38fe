// Package pages opens an OFD for looking at: its pages drawn with their seals, and the same pages measured and read.
//
// It promises that what is drawn, measured and read comes from one reading of the file, and that every seal that a
// signature of the package shows is drawn where that signature puts it. It judges no seal and no signature: a drawn seal
// may be forged, and internal/verify says so.
package pages

import (
	"fmt"
	"io"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/ofd/render"
	"yinxin/seal/ofdseal"
)

// Document is an OFD made ready. It is not safe for concurrent use.
type Document struct {
	Package *ofd.Package
	// Seals are the places of the seals that its signatures show.
	Seals   []ofdseal.Shown
	drawing *render.Document
}

// Open reads an OFD. Refusals are *verdict.ContainerError. Faces stand in for fonts that it does not embed.
func Open(data []byte, faces *fonts.Set) (*Document, error) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return nil, err
	}
	return OpenPackage(pkg, faces)
}

// OpenReader is [Open] of a file of any size: every entry is checked, and what memory holds does not grow with it. What r
// holds must not change while the document is in use.
func OpenReader(r io.ReaderAt, size int64, faces *fonts.Set) (*Document, error) {
	pkg, err := ofd.OpenReader(r, size)
	if err != nil {
		return nil, err
	}
	if err := pkg.Check(); err != nil {
		return nil, err
	}
	return OpenPackage(pkg, faces)
}

// OpenPackage makes an OFD ready that was opened and checked already.
func OpenPackage(pkg *ofd.Package, faces *fonts.Set) (*Document, error) {
	shown, err := ofdseal.ShownSeals(pkg)
	if err != nil {
		return nil, err
	}
	o := render.Options{Faces: faces}
	for _, s := range shown {
		o.Stamps = append(o.Stamps, render.Stamp{PageID: s.PageID, Boundary: s.Boundary, Clip: s.Clip, Format: s.Format, Data: s.Picture})
	}
	d, err := render.New(pkg, o)
	if err != nil {
		return nil, err
	}
	return &Document{Package: pkg, Seals: shown, drawing: d}, nil
}

// Drawing draws pages.
func (d *Document) Drawing() *render.Document { return d.drawing }

// Count is the number of pages.
func (d *Document) Count() int { return d.drawing.Pages() }

// SVG draws page i, counted from 0.
func (d *Document) SVG(w io.Writer, i int) error { return d.drawing.SVG(w, i) }

// Measure compares the pages with GB/T 9704-2012. Slices of a cross-page seal do not stand on a date and are left out.
func (d *Document) Measure() (layout.Report, error) {
	list, err := d.layouts()
	if err != nil {
		return layout.Report{}, fmt.Errorf("measure %w", err)
	}
	at := make(map[string]int)
	for i, p := range d.Package.Pages() {
		at[p.ID] = i
	}
	var seals []layout.Spot
	for _, s := range d.Seals {
		i, known := at[s.PageID]
		if s.Clip != nil || !known {
			continue
		}
		seals = append(seals, layout.Spot{
			Page: i, X: s.Boundary.X + s.Boundary.W/2, Y: s.Boundary.Y + s.Boundary.H/2, Diameter: max(s.Boundary.W, s.Boundary.H),
		})
	}
	r := layout.Check(list, seals)
	for _, n := range d.drawing.Notes() {
		r.Warnings = append(r.Warnings, layout.Warning{Code: n.Code, Detail: n.Detail})
	}
	return r, nil
}

// Measurer opens documents and measures them; faces stand in for fonts that they do not embed.
func Measurer(faces *fonts.Set) func(data []byte) (layout.Report, error) {
	return func(data []byte) (layout.Report, error) {
		d, err := Open(data, faces)
		if err != nil {
			return layout.Report{}, err
		}
		return d.Measure()
	}
}

// Read takes the document's text off its pages, whatever the file's metadata say.
func (d *Document) Read() (*document.Document, error) {
	list, err := d.layouts()
	if err != nil {
		return nil, fmt.Errorf("read %w", err)
	}
	return layout.Read(list), nil
}

func (d *Document) layouts() ([]layout.Page, error) {
	var list []layout.Page
	for i := range d.Count() {
		page, err := d.drawing.Layout(i)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", i+1, err)
		}
		list = append(list, page)
	}
	return list, nil
}
