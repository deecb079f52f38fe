package layout

import (
	"math"
	"slices"

	"yinxin/document"
)

// insert is a table or a picture among the paragraphs, with its place.
type insert struct {
	document.Paragraph
	page      int
	top, foot float64
}

func (t insert) before(p piece) bool { return t.page < p.page || t.page == p.page && t.top < p.top }

// inserts reads the tables and pictures of the pages from, up to but not including to. A table that goes on at the top of
// a page under the same head is one with what ends the page before.
func (r *pageReader) inserts(from, to int) []insert {
	var out []insert
	for i := from; i < to; i++ {
		for _, next := range r.insertsOf(i) {
			n := len(out) - 1
			if n >= 0 && next.Table != nil && out[n].Table != nil && out[n].page == i-1 && next.Table.Caption == "" &&
				next.top < textTop+oneRow && slices.Equal(next.Table.Head, out[n].Table.Head) {
				out[n].Table.Rows = append(out[n].Table.Rows, next.Table.Rows...)
				out[n].page, out[n].top, out[n].foot = i, next.top, next.foot
				continue
			}
			out = append(out, next)
		}
	}
	return out
}

func (r *pageReader) insertsOf(i int) []insert {
	p := &r.pages[i]
	bands := tablesOf(p)
	if len(bands)+len(p.Pictures) == 0 {
		return nil
	}
	all, marks := piecesOf(i, p), marksOf(p)
	var out []insert
	for _, b := range bands {
		t := readTable(p, b, marks)
		for _, q := range all {
			if math.Abs(q.centre()-textMiddle) < 1 && b.top > q.top && b.top-q.top < 1.2*oneRow {
				t.Caption = q.spaced
			}
		}
		out = append(out, insert{document.Paragraph{Table: t}, i, b.top, b.foot})
	}
	for _, f := range p.Pictures {
		pic := &document.Picture{Width: round(f.Width)}
		foot := f.Y + f.Height
		for _, q := range all {
			if math.Abs(q.centre()-textMiddle) < 1 && q.top > foot-0.5 && q.top-foot < 1.2*oneRow {
				pic.Caption = q.spaced
			}
		}
		out = append(out, insert{document.Paragraph{Picture: pic}, i, f.Y, foot})
	}
	slices.SortStableFunc(out, func(a, b insert) int { return compare(a.top, b.top) })
	return out
}

// Bounds of a table on one page.
const (
	maxTableRules = 40
	maxTableRows  = 1000
)

// readTable sorts the characters of a band into the cells between its rules; the first row is the head.
func readTable(p *Page, b band, marks []mark) *document.Table {
	var xs, ys []float64
	for _, r := range p.Rules {
		if y := (r.Y1 + r.Y2) / 2; isRed(r.Color) || y < b.top-0.5 || y > b.foot+0.5 {
			continue
		}
		switch {
		case math.Abs(r.X1-r.X2) < 0.1:
			xs = append(xs, r.X1)
		case math.Abs(r.Y1-r.Y2) < 0.1:
			ys = append(ys, r.Y1)
		}
	}
	xs, ys = apart(xs), apart(ys)
	t := &document.Table{}
	if len(xs) < 2 || len(ys) < 2 || len(xs) > maxTableRules || len(ys) > maxTableRows {
		return t
	}
	cells := make([][]mark, (len(xs)-1)*(len(ys)-1))
	for _, m := range marks {
		if m.baseline < b.top || m.top > b.foot {
			continue
		}
		column, row := slot(xs, (m.x+m.end)/2), slot(ys, m.top+m.run.Size/2)
		if column >= 0 && row >= 0 {
			k := row*(len(xs)-1) + column
			cells[k] = append(cells[k], m)
		}
	}
	for row := range len(ys) - 1 {
		var texts []string
		for column := range len(xs) - 1 {
			texts = append(texts, cellText(cells[row*(len(xs)-1)+column]))
		}
		if row == 0 {
			t.Head = texts
			continue
		}
		t.Rows = append(t.Rows, texts)
	}
	return t
}

// cellText joins the lines of a cell.
func cellText(marks []mark) string {
	var lines []piece
	for from := 0; from < len(marks); {
		to := from + 1
		for to < len(marks) && math.Abs(marks[to].baseline-marks[from].baseline) <= sameLine {
			to++
		}
		lines = append(lines, newPiece(0, marks[from:to]))
		from = to
	}
	return joined(lines)
}

// apart sorts places and leaves out those that lie together.
func apart(v []float64) []float64 {
	slices.Sort(v)
	return slices.CompactFunc(v, func(a, b float64) bool { return math.Abs(a-b) < 0.5 })
}

// slot is the interval of edges that v lies in; -1 for none.
func slot(edges []float64, v float64) int {
	for i := range len(edges) - 1 {
		if v >= edges[i] && v < edges[i+1] {
			return i
		}
	}
	return -1
}
