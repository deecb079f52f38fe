package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"yinxin/seal/picture"
	"yinxin/seal/ses"
)

// drawnSeal says how the picture of a seal is made.
type drawnSeal struct {
	source, bottom, middle, number, rank, ranks, fonts string
	diameter                                           float64
}

func (d *drawnSeal) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.source, "picture", "auto", "auto, round, oval, square, or a picture file")
	cmd.Flags().StringVar(&d.bottom, "bottom-line", "", "the line at the bottom of a round or oval seal, for instance 公文专用章")
	cmd.Flags().StringVar(&d.middle, "middle-line", "", "the line in the middle of an oval seal")
	cmd.Flags().StringVar(&d.number, "number", "", "the number along the inside of a round seal")
	cmd.Flags().StringVar(&d.rank, "rank", "", "size of a round seal by the rank of its office: state, province, prefecture, county, township, or those of --ranks")
	cmd.Flags().StringVar(&d.ranks, "ranks", "", "a table of ranks, one \"NAME: MM\" a line, instead of the one that is built in")
	fontsFlag(cmd, &d.fonts)
	cmd.Flags().Float64Var(&d.diameter, "diameter", 0, "diameter or width in mm (default: that of its kind; 42 for a round seal and a file)")
}

func (d *drawnSeal) check() error {
	round := d.source == "auto" || d.source == "round"
	switch {
	case d.diameter < 0 || d.diameter > 1000 || math.IsNaN(d.diameter):
		return usage("--diameter %g: want millimetres", d.diameter)
	case d.rank != "" && d.diameter != 0:
		return usage("want --rank or --diameter, not both")
	case d.ranks != "" && d.rank == "":
		return usage("--ranks is for --rank")
	case d.rank != "" && !round || d.number != "" && !round:
		return usage("--rank and --number are for round seals")
	case d.bottom != "" && !round && d.source != "oval":
		return usage("--bottom-line is for round and oval seals")
	case d.middle != "" && d.source != "oval":
		return usage("--middle-line is for oval seals")
	}
	if d.rank == "" {
		return nil
	}
	table, err := d.table()
	if err != nil {
		return err
	}
	if d.diameter, err = table.Diameter(d.rank); err != nil {
		return usage("--rank %s: want one of %v", d.rank, table.Names())
	}
	return nil
}

// table is the table of ranks that counts.
func (d *drawnSeal) table() (picture.Ranks, error) {
	if d.ranks == "" {
		return picture.DefaultRanks(), nil
	}
	data, err := readInput(d.ranks)
	if err != nil {
		return nil, err
	}
	table, err := picture.ParseRanks(data)
	if err != nil {
		return nil, usage("%s: %v", d.ranks, err)
	}
	return table, nil
}

// sealPicture draws the picture or reads it from a file.
func (e *env) sealPicture(d drawnSeal, name string, person bool) (ses.Picture, error) {
	faces, err := e.faces(d.fonts)
	if err != nil {
		return ses.Picture{}, err
	}
	var drawn *picture.Picture
	switch {
	case d.source == "auto" && person:
		if d.bottom != "" || d.number != "" || d.rank != "" {
			return ses.Picture{}, usage("--bottom-line, --number and --rank are for seals of organisations")
		}
		drawn, err = picture.DrawSignature(picture.Signature{Name: name}, faces)
	case d.source == "auto" || d.source == "round":
		drawn, err = picture.Draw(picture.Organisation{Name: name, BottomLine: d.bottom, Number: d.number, Diameter: d.diameter}, faces)
	case d.source == "oval":
		o := picture.Oval{Name: name, Middle: d.middle, BottomLine: d.bottom}
		if d.diameter != 0 {
			o.Width, o.Height = d.diameter, d.diameter*3/4
		}
		drawn, err = picture.DrawOval(o, faces)
	case d.source == "square":
		drawn, err = picture.DrawSquare(picture.Square{Text: name, Person: person, Side: d.diameter}, faces)
	default:
		return e.pictureFile(d)
	}
	if err != nil {
		return ses.Picture{}, refuse("seal_picture", exitUsage, "the picture cannot be drawn: %w", err)
	}
	png, err := drawn.PNG(picture.DefaultDPI)
	w, h := drawn.MM()
	return ses.Picture{Type: "PNG", Data: png, Width: w, Height: h}, err
}

// pictureFile takes a picture as it is.
func (e *env) pictureFile(d drawnSeal) (ses.Picture, error) {
	data, err := readInput(d.source)
	if err != nil {
		return ses.Picture{}, err
	}
	info, err := picture.Examine(data)
	if err != nil {
		return ses.Picture{}, fmt.Errorf("%s: %w", d.source, err)
	}
	if !info.Transparent {
		fmt.Fprintf(e.stderr, "warning: %s is opaque: the seal will hide the text below it\n", d.source)
	}
	width := d.diameter
	if width == 0 {
		width = picture.DefaultDiameter
	}
	height := width * float64(info.Height) / float64(info.Width)
	return ses.Picture{Type: info.Type, Data: data, Width: int(math.Round(width)), Height: max(1, int(math.Round(height)))}, nil
}
