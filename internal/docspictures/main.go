// Command docspictures draws the pages that the documentation shows: composed from examples/, with seal pictures at the
// places that the layout keeps for them. The pictures are the same whenever the examples, the faces and the code are.
//
// It signs nothing: what it draws are pictures of pages, not sealed documents.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/ofd/render"
	"yinxin/examples"
	"yinxin/seal/picture"
)

// shot is one picture: a page of an example, counted from 1; 0 is the page with the date.
type shot struct {
	name, example string
	page          int
}

func shots() []shot {
	return []shot{
		{"first-page", "notice.yaml", 1},
		{"signed-page", "notice.yaml", 0},
		{"last-page", "circular.yaml", 2},
		{"joint-issue", "joint.yaml", 1},
		{"joint-seals", "joint.yaml", 0},
		{"letter", "reply.yaml", 1},
		{"figures", "figures.yaml", 1},
		{"order", "order.yaml", 1},
		{"minutes", "minutes.yaml", 1},
	}
}

// dpi is small: the pictures are for a web page.
const dpi = 72

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docspictures FOLDER")
		os.Exit(2)
	}
	faces := fonts.Embedded()
	for _, s := range shots() {
		png, err := draw(s, faces)
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], s.name+".png"), png, 0o644) //nolint:gosec // a picture for everybody
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "docspictures: %s: %v\n", s.name, err)
			os.Exit(1)
		}
	}
}

func draw(s shot, faces *fonts.Set) ([]byte, error) {
	data, err := examples.Files.ReadFile(s.example)
	if err != nil {
		return nil, err
	}
	doc, err := document.Parse(data)
	if err != nil {
		return nil, err
	}
	if err := doc.LoadPictures(examples.Files.ReadFile); err != nil {
		return nil, err
	}
	pages, err := layout.Compose(doc, faces)
	if err != nil {
		return nil, err
	}
	pkg, err := write(doc, pages)
	if err != nil {
		return nil, err
	}
	stamps, err := seals(doc, pages, pkg, faces)
	if err != nil {
		return nil, err
	}
	d, err := render.New(pkg, render.Options{Faces: faces, Stamps: stamps})
	if err != nil {
		return nil, err
	}
	page := s.page - 1
	if s.page == 0 {
		page = pages.SealSpot.Page
	}
	var out bytes.Buffer
	err = d.PNG(&out, page, dpi)
	return out.Bytes(), err
}

func write(doc *document.Document, pages *layout.Pages) (*ofd.Package, error) {
	var files []ofd.Attachment
	for _, a := range doc.Attachments {
		if a.File == "" {
			continue
		}
		data, err := examples.Files.ReadFile(a.File)
		if err != nil {
			return nil, err
		}
		files = append(files, ofd.Attachment{Name: a.File, Data: data})
	}
	var b bytes.Buffer
	if err := ofd.Write(&b, pages, doc.Metadata, files); err != nil {
		return nil, err
	}
	return ofd.Open(b.Bytes())
}

// seals draws one seal for each place; a 签名章 keeps its place empty, because a person's signature is not invented.
func seals(doc *document.Document, pages *layout.Pages, pkg *ofd.Package, faces *fonts.Set) ([]render.Stamp, error) {
	if doc.Signature.Form != document.SignatureSeal {
		return nil, nil
	}
	names := []string{doc.Issuer.Name}
	for _, o := range doc.JointIssuers {
		names = append(names, o.Name)
	}
	var out []render.Stamp
	for i, spot := range pages.SealSpots {
		drawn, err := picture.Draw(picture.Organisation{Name: names[i], Diameter: spot.Diameter}, faces)
		if err != nil {
			return nil, err
		}
		png, err := drawn.PNG(picture.DefaultDPI)
		if err != nil {
			return nil, err
		}
		r := spot.Diameter / 2
		out = append(out, render.Stamp{
			PageID: pkg.Pages()[spot.Page].ID, Format: "png", Data: png,
			Boundary: ofd.Box{X: spot.X - r, Y: spot.Y - r, W: spot.Diameter, H: spot.Diameter},
		})
	}
	return out, nil
}
