package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/document/fonts"
	"yinxin/document/ofd"
	"yinxin/document/ofd/render"
	"yinxin/seal/ofdseal"
)

func newRenderCmd(e *env) *cobra.Command {
	var out string
	var page, dpi int
	cmd := &cobra.Command{
		Use:   "render F.ofd",
		Short: "draw a page of an OFD with its seals, as SVG or PNG",
		Long: "Draws one page with its annotations and seals. What cannot be drawn as the file asks is told on stderr. Drawing judges\n" +
			"nothing: use 'yinxin verify' for that.",
		Example: "  yinxin render notice.ofd --page 1 --out notice.svg\n  yinxin render notice.ofd --page 2 --dpi 200 --out notice.png",
		Args:    exactly(1, "an OFD file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := strings.ToLower(filepath.Ext(out))
			if kind != ".svg" && kind != ".png" {
				return usage("--out: want a file name that ends in .svg or .png")
			}
			return e.render(args[0], out, kind, page, dpi, jsonFlag(cmd))
		},
	}
	cmd.Flags().IntVar(&page, "page", 1, "which page, counted from 1")
	cmd.Flags().StringVar(&out, "out", "", "write the picture here (.svg or .png)")
	cmd.Flags().IntVar(&dpi, "dpi", render.DefaultDPI, "resolution of a PNG")
	return cmd
}

// openDrawing opens an OFD file for drawing, its seals in place.
func openDrawing(path string, faces *fonts.Set) (*ofd.Package, *render.Document, error) {
	data, err := readInput(path)
	if err != nil {
		return nil, nil, err
	}
	pkg, err := ofd.Open(data)
	if err != nil {
		return nil, nil, err
	}
	shown, err := ofdseal.ShownSeals(pkg)
	if err != nil {
		return nil, nil, err
	}
	o := render.Options{Faces: faces}
	for _, s := range shown {
		o.Stamps = append(o.Stamps, render.Stamp{PageID: s.PageID, Boundary: s.Boundary, Clip: s.Clip, Format: s.Format, Data: s.Picture})
	}
	d, err := render.New(pkg, o)
	return pkg, d, err
}

func (e *env) render(path, out, kind string, page, dpi int, asJSON bool) error {
	_, d, err := openDrawing(path, fonts.Embedded())
	if err != nil {
		return fmt.Errorf("render %s: %w", path, err)
	}
	if page < 1 || page > d.Pages() {
		return refuse("not_found", exitNotFound, "render %s: page %d of %d", path, page, d.Pages())
	}
	if dpi < 1 || dpi > render.MaxDPI {
		return usage("--dpi: want 1 to %d", render.MaxDPI)
	}
	var b bytes.Buffer
	if kind == ".svg" {
		err = d.SVG(&b, page-1)
	} else {
		err = d.PNG(&b, page-1, dpi)
	}
	if err != nil {
		return fmt.Errorf("render %s: %w", path, err)
	}
	if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil { //nolint:gosec // a picture for everybody
		return err
	}
	notes := []string{}
	for _, n := range d.Notes() {
		notes = append(notes, n.Code+": "+n.Detail)
		fmt.Fprintf(e.stderr, "%s: %s: %s\n", path, n.Code, n.Detail)
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(map[string]any{"file": path, "page": page, "out": out, "notes": notes})
	}
	fmt.Fprintln(e.stdout, out)
	return nil
}
