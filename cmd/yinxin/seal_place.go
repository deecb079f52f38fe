package main

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
)

// places say where a seal goes. Several together are several stamps of one sealing.
type places struct {
	at             []string
	onDate, pairs  bool
	onText, across string
	group          int
	offset, margin float64
}

func (p *places) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&p.at, "at", nil, "page,x,y: page from 1, mm to the picture's top left corner (may be repeated for an OFD)")
	cmd.Flags().BoolVar(&p.onDate, "on-date", false, "over the date of an OFD")
	cmd.Flags().StringVar(&p.onText, "on-text", "", "with its centre on these words of an OFD, where they stand last")
	cmd.Flags().StringVar(&p.across, "across", "", "across the pages of an OFD (骑缝章), along this edge: right, left, top or bottom")
	cmd.Flags().IntVar(&p.group, "group", 0, "with --across: so many pages share one picture (default: all)")
	cmd.Flags().BoolVar(&p.pairs, "pairs", false, "with --across: every two neighbouring pages share one picture")
	cmd.Flags().Float64Var(&p.offset, "offset", 0, "with --across: mm from the beginning of the edge (default: the middle)")
	cmd.Flags().Float64Var(&p.margin, "margin", 0, "with --across: mm between slice and edge")
}

func (p *places) check() error {
	switch {
	case len(p.at) == 0 && !p.onDate && p.onText == "" && p.across == "":
		return usage("say where: --at page,x,y, --on-date, --on-text WORDS or --across EDGE")
	case p.across == "" && (p.group != 0 || p.pairs || p.offset != 0 || p.margin != 0):
		return usage("--group, --pairs, --offset and --margin go with --across")
	}
	if p.across != "" {
		if _, err := seal.ParseEdge(p.across); err != nil {
			return usage("--across %s: want right, left, top or bottom", p.across)
		}
	}
	return nil
}

// onPDF is the one place in a PDF.
func (p *places) onPDF(size seal.Size) ([]seal.Stamp, error) {
	if p.onDate || p.onText != "" || p.across != "" || len(p.at) != 1 {
		return nil, usage("a PDF takes a seal at one place, given with --at page,x,y")
	}
	return p.given(size)
}

// onOFD are the places in an OFD.
func (p *places) onOFD(pkg *ofd.Package, size seal.Size) ([]seal.Stamp, error) {
	stamps, err := p.given(size)
	if err != nil {
		return nil, err
	}
	if p.onDate {
		hit, err := ofdseal.FindDate(pkg)
		if err != nil {
			return nil, notPlaced(err, "no line of the document is its date; give the place with --at page,x,y")
		}
		stamps = append(stamps, rounded(hit.OnDate(size)))
	}
	if p.onText != "" {
		hits, err := ofdseal.FindText(pkg, p.onText)
		if err != nil {
			return nil, notPlaced(err, "the words of --on-text stand nowhere in the document")
		}
		stamps = append(stamps, rounded(hits[len(hits)-1].Over(size)))
	}
	if p.across == "" {
		return stamps, nil
	}
	edge, err := seal.ParseEdge(p.across)
	if err != nil {
		return nil, err
	}
	seam := seal.Seam{Edge: edge, Group: p.group, Pairs: p.pairs, Offset: p.offset, Margin: p.margin}
	slices, err := seam.Stamps(ofdseal.PageSizes(pkg), size)
	if err != nil {
		return nil, refuse("placement", exitUsage, "%w", err)
	}
	return append(stamps, slices...), nil
}

// notPlaced tells words that are missing from a document that cannot be read.
func notPlaced(err error, advice string) error {
	if errors.Is(err, ofdseal.ErrManyDates) {
		return refuse("placement", exitUsage, "%w; give the place with --at page,x,y", err)
	}
	if errors.Is(err, ofdseal.ErrNotFound) {
		return refuse("placement", exitUsage, "%s", advice)
	}
	return err
}

// rounded leaves out what calculating with fractions leaves behind: thousandths of a millimetre are enough.
func rounded(s seal.Stamp) seal.Stamp {
	s.X, s.Y = math.Round(s.X*1000)/1000, math.Round(s.Y*1000)/1000
	return s
}

// given reads the places of --at.
func (p *places) given(size seal.Size) ([]seal.Stamp, error) {
	var stamps []seal.Stamp
	for _, at := range p.at {
		s := seal.Stamp{W: size.W, H: size.H}
		parts := strings.Split(at, ",")
		if len(parts) != 3 {
			return nil, usage("--at %s: want page,x,y", at)
		}
		page, err := strconv.Atoi(parts[0])
		if err != nil || page < 1 {
			return nil, usage("--at %s: pages count from 1", at)
		}
		s.Page = page - 1
		for i, to := range []*float64{&s.X, &s.Y} {
			if *to, err = strconv.ParseFloat(parts[i+1], 64); err != nil || math.IsNaN(*to) || math.IsInf(*to, 0) {
				return nil, usage("--at %s: x and y are millimetres", at)
			}
		}
		stamps = append(stamps, s)
	}
	return stamps, nil
}
