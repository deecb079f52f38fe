package layout

import (
	"math"
	"slices"

	"yinxin/document"
)

// insert is a table or a picture among the paragraphs, with its place.
type insert struct {
	document.Paragraph
	page        int
	top, foot   float64
	first, last tableRead // rows of a table, the head not counted
}

// tableRead is a row of a table as it stands on one page.
type tableRead struct {
	cells        [][]piece // the lines of each cell
	above, below float64   // between the rules and the text next to them; 0 where the row has no text
}

func (t *insert) before(p piece) bool { return t.page < p.page || t.page == p.page && t.top < p.top }

// inserts reads the tables and pictures of the pages from, up to but not including to. A table that goes on at the top of
// a page under the same head is one with what ends the page before.
func (r *pageReader) inserts(from, to int) []insert {
	var out []insert
	for i := from; i < to; i++ {
		for _, next := range r.insertsOf(i) {
			n := len(out) - 1
			if n >= 0 && next.Table != nil && out[n].Table != nil && out[n].page == i-1 && next.Table.Caption == "" &&
				next.top < textTop+oneRow && slices.Equal(next.Table.Head, out[n].Table.Head) {
				out[n].goOn(next)
				continue
			}
			out = append(out, next)
		}
	}
	return out
}

// goOn adds the rows of next, the part of the same table on the next page.
func (t *insert) goOn(next insert) {
	rows, added := t.Table.Rows, next.Table.Rows
	if len(rows) > 0 && len(added) > 0 && len(rows[len(rows)-1]) == len(added[0]) && t.last.isCut() && next.first.follows() {
		joinRows(rows[len(rows)-1], added[0], t.last.cells, next.first.cells)
		added = added[1:]
		if len(added) == 0 { // a row that goes on may go on once more
			next.last.above = max(next.last.above, t.last.above)
		}
	}
	t.Table.Rows = append(t.Table.Rows, added...)
	t.page, t.top, t.foot, t.first, t.last = next.page, next.top, next.foot, next.first, next.last
}

// A row that no page holds is cut between two of its lines: there its text stands nearer to the rule than a whole row's
// does, as half of what parts two lines is left.
const (
	cutGap   = (rowPitch-size4)/2 + 0.15 // at most, on the side of the cut
	cutLeast = rowPad / 2                // by so much more is left on the other
)

// isCut reports whether the row ends its page and goes on.
func (t tableRead) isCut() bool { return t.below > 0 && t.below < cutGap && t.above > t.below+cutLeast }

// follows reports whether the row goes on from the page before: its end has more room, or it goes on again.
func (t tableRead) follows() bool { return t.above > 0 && t.above < cutGap && t.below > t.above-0.1 }

// maxCutCell bounds what a cell is put together from over pages, in bytes.
const maxCutCell = 1 << 16

// joinRows adds the texts of a row's part to those before it.
func joinRows(row, part []string, before, lines [][]piece) {
	for k := range row {
		if part[k] == "" || len(row[k])+len(part[k]) > maxCutCell {
			continue
		}
		if n := len(before[k]); n > 0 && len(lines[k]) > 0 {
			row[k] += joint(before[k][n-1], lines[k][0])
		}
		row[k] += part[k]
	}
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
		in := readTable(i, p, b, marks)
		for _, q := range all {
			if math.Abs(q.centre()-textMiddle) < 1 && b.top > q.top && b.top-q.top < 1.2*oneRow {
				in.Table.Caption = q.spaced
			}
		}
		out = append(out, in)
	}
	for _, f := range p.Pictures {
		pic := &document.Picture{Width: round(f.Width)}
		foot := f.Y + f.Height
		for _, q := range all {
			if math.Abs(q.centre()-textMiddle) < 1 && q.top > foot-0.5 && q.top-foot < 1.2*oneRow {
				pic.Caption = q.spaced
			}
		}
		out = append(out, insert{Paragraph: document.Paragraph{Picture: pic}, page: i, top: f.Y, foot: foot})
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
func readTable(page int, p *Page, b band, marks []mark) insert {
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
	in := insert{Paragraph: document.Paragraph{Table: t}, page: page, top: b.top, foot: b.foot}
	if len(xs) < 2 || len(ys) < 2 || len(xs) > maxTableRules || len(ys) > maxTableRows {
		return in
	}
	cells := cellsOf(xs, ys, b, marks)
	for row := range len(ys) - 1 {
		read := readRow(page, cells[row*(len(xs)-1):(row+1)*(len(xs)-1)], ys[row], ys[row+1])
		var texts []string
		for _, lines := range read.cells {
			texts = append(texts, joined(lines))
		}
		switch row {
		case 0:
			t.Head = texts
			continue
		case 1:
			in.first = read
		}
		in.last = read
		t.Rows = append(t.Rows, texts)
	}
	return in
}

// cellsOf gives the characters of each cell, row by row.
func cellsOf(xs, ys []float64, b band, marks []mark) [][]mark {
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
	return cells
}

// readRow puts the characters of each cell of a row together to lines.
func readRow(page int, cells [][]mark, top, foot float64) tableRead {
	var read tableRead
	high, low := math.Inf(1), math.Inf(-1)
	for _, marks := range cells {
		read.cells = append(read.cells, cellLines(page, marks))
		for _, m := range marks {
			high, low = min(high, m.top), max(low, m.top+m.run.Size)
		}
	}
	if low > high {
		read.above, read.below = high-top, foot-low
	}
	return read
}

func cellLines(page int, marks []mark) []piece {
	var lines []piece
	for from := 0; from < len(marks); {
		to := from + 1
		for to < len(marks) && math.Abs(marks[to].baseline-marks[from].baseline) <= sameLine {
			to++
		}
		lines = append(lines, newPiece(page, marks[from:to]))
		from = to
	}
	return lines
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
