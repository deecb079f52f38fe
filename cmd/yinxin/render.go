package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/document/fonts"
	"yinxin/document/ofd/render"
	"yinxin/internal/pages"
)

func newRenderCmd(e *env) *cobra.Command {
	var out, fontsDir string
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
			faces, err := e.faces(fontsDir)
			if err != nil {
				return err
			}
			return e.render(args[0], drawing{out: out, kind: kind, page: page, dpi: dpi}, faces, jsonFlag(cmd))
		},
	}
	cmd.Flags().IntVar(&page, "page", 1, "which page, counted from 1")
	cmd.Flags().StringVar(&out, "out", "", "write the picture here (.svg or .png)")
	cmd.Flags().IntVar(&dpi, "dpi", render.DefaultDPI, "resolution of a PNG")
	fontsFlag(cmd, &fontsDir)
	return cmd
}

// openDrawing opens an OFD file of any size for drawing, its seals in place. The file is closed by whoever asked.
func openDrawing(path string, faces *fonts.Set) (*pages.Document, io.Closer, error) {
	f, err := openInput(path)
	if err != nil {
		return nil, nil, err
	}
	d, err := pages.OpenReader(f, f.size, faces)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return d, f, nil
}

// drawing says what render makes of a page.
type drawing struct {
	out, kind string // the kind is .svg or .png
	page, dpi int    // pages count from 1
}

func (e *env) render(path string, w drawing, faces *fonts.Set, asJSON bool) (err error) {
	opened, file, err := openDrawing(path, faces)
	if err != nil {
		return fmt.Errorf("render %s: %w", path, err)
	}
	defer closing(&err, file)
	d := opened.Drawing()
	if w.page < 1 || w.page > d.Pages() {
		return refuse("not_found", exitNotFound, "render %s: page %d of %d", path, w.page, d.Pages())
	}
	if w.dpi < 1 || w.dpi > render.MaxDPI {
		return usage("--dpi: want 1 to %d", render.MaxDPI)
	}
	var b bytes.Buffer
	if w.kind == ".svg" {
		err = d.SVG(&b, w.page-1)
	} else {
		err = d.PNG(&b, w.page-1, w.dpi)
	}
	if err != nil {
		return fmt.Errorf("render %s: %w", path, err)
	}
	if err := os.WriteFile(w.out, b.Bytes(), 0o644); err != nil { //nolint:gosec // a picture for everybody
		return err
	}
	notes := []string{}
	for _, n := range d.Notes() {
		notes = append(notes, n.Code+": "+n.Detail)
		fmt.Fprintf(e.stderr, "%s: %s: %s\n", path, n.Code, n.Detail)
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(map[string]any{"file": path, "page": w.page, "out": w.out, "notes": notes})
	}
	fmt.Fprintln(e.stdout, w.out)
	return nil
}
