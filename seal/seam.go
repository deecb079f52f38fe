package seal

import (
	"errors"
	"fmt"
)

// ErrSeam means that a cross-page seal cannot be laid out as asked.
var ErrSeam = errors.New("seal: cross-page seal cannot be laid out")

// Edge is the edge of the pages that a cross-page seal runs along.
type Edge string

// The edges. Books bound on the left are sealed on the right.
const (
	Right  Edge = "right"
	Left   Edge = "left"
	Top    Edge = "top"
	Bottom Edge = "bottom"
)

// ParseEdge reads the name of an edge; the error wraps [ErrSeam].
func ParseEdge(name string) (Edge, error) {
	switch e := Edge(name); e {
	case Right, Left, Top, Bottom:
		return e, nil
	}
	return "", fmt.Errorf("%w: edge %q, want right, left, top or bottom", ErrSeam, name)
}

// Size is a width and a height in millimetres.
type Size struct{ W, H float64 }

// Seam is a cross-page seal (骑缝章): one picture cut into slices, one for each page, so that a page taken out or put in
// breaks it. The zero value but for the Edge cuts one picture over all pages, half way down the edge.
type Seam struct {
	Edge Edge
	// Group, if not 0, is the number of pages that share one picture; at least 2. What remains at the end forms a group of
	// its own, and a single last page joins the group before it.
	Group int
	// Pairs lets every two neighbouring pages share one picture: inner pages show two halves. It excludes Group.
	Pairs bool
	// Offset is the distance of the picture from the top of the page (from its left for Top and Bottom), in millimetres; 0
	// puts it in the middle.
	Offset float64
	// Margin is how far the slices stay away from the edge, in millimetres.
	Margin float64
}

// MinSlice is the narrowest slice of a picture, in millimetres: less cannot be told from dirt. Longer documents take groups.
const MinSlice = 1.0

// Stamps lays the seam out over the pages, for a picture of the given size. The stamps keep the picture's whole size and
// show a slice of it each (their Clip).
func (s Seam) Stamps(pages []Size, picture Size) ([]Stamp, error) {
	if err := s.check(len(pages), picture); err != nil {
		return nil, err
	}
	l := seamLayout{seam: s, pages: pages, picture: picture, along: picture.W}
	if s.vertical() {
		l.along = picture.H
	}
	if s.Pairs {
		first, second := 0, 1
		if !s.far() { // the next page lies before this one
			first, second = 1, 0
		}
		for i := range len(pages) - 1 {
			l.add(i, first, 2, s.far())
			l.add(i+1, second, 2, !s.far())
		}
		return l.stamps, nil
	}
	for _, g := range s.groups(len(pages)) {
		n := g.to - g.from
		if slice := l.along / float64(n); slice < MinSlice {
			return nil, fmt.Errorf("%w: %d pages leave %.2f mm of the picture for each, use groups", ErrSeam, n, slice)
		}
		for i := range n {
			part := i
			if !s.far() {
				part = n - 1 - i
			}
			l.add(g.from+i, part, n, s.far())
		}
	}
	return l.stamps, nil
}

func (s Seam) check(pages int, picture Size) error {
	if _, err := ParseEdge(string(s.Edge)); err != nil {
		return err
	}
	switch {
	case pages < 2:
		return fmt.Errorf("%w: a document of %d page", ErrSeam, pages)
	case s.Group != 0 && (s.Group < 2 || s.Pairs):
		return fmt.Errorf("%w: groups of %d pages", ErrSeam, s.Group)
	case !(picture.W > 0 && picture.H > 0) || !(s.Margin >= 0 && s.Offset >= 0):
		return fmt.Errorf("%w: a picture of %g × %g mm, offset %g, margin %g", ErrSeam, picture.W, picture.H, s.Offset, s.Margin)
	}
	return nil
}

// vertical says that the picture is cut from top to bottom, for the edges at the top and the bottom.
func (s Seam) vertical() bool { return s.Edge == Top || s.Edge == Bottom }

// far says that the edge lies at the end of the axis that the picture is cut along.
func (s Seam) far() bool { return s.Edge == Right || s.Edge == Bottom }

// span is a run of pages, from inclusive to exclusive.
type span struct{ from, to int }

func (s Seam) groups(pages int) []span {
	size := s.Group
	if size == 0 || size > pages {
		size = pages
	}
	var out []span
	for from := 0; from < pages; from += size {
		to := min(from+size, pages)
		if to-from == 1 && len(out) > 0 {
			out[len(out)-1].to = to
			break
		}
		out = append(out, span{from, to})
	}
	return out
}

// seamLayout gathers the stamps of one seam.
type seamLayout struct {
	seam    Seam
	pages   []Size
	picture Size
	along   float64 // extent of the picture in the direction it is cut in
	stamps  []Stamp
}

// add puts slice part of n on a page: at the far edge so that the slice ends there, else so that it begins at the near one.
func (l *seamLayout) add(page, part, n int, far bool) {
	size := l.pages[page]
	slice := l.along / float64(n)
	st := Stamp{Page: page, W: l.picture.W, H: l.picture.H}
	edge, across, room, need := size.W, l.seam.Offset, size.H, l.picture.H
	if l.seam.vertical() {
		edge, room, need = size.H, size.W, l.picture.W
	}
	at := l.seam.Margin - slice*float64(part)
	if far {
		at = edge - slice*float64(part+1) - l.seam.Margin
	}
	if across == 0 {
		across = (room - need) / 2
	}
	if l.seam.vertical() {
		st.X, st.Y = across, at
		st.Clip = &Clip{Y: slice * float64(part), W: l.picture.W, H: slice}
	} else {
		st.X, st.Y = at, across
		st.Clip = &Clip{X: slice * float64(part), W: slice, H: l.picture.H}
	}
	l.stamps = append(l.stamps, st)
}
