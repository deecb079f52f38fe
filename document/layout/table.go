package layout

import (
	"fmt"

	"yinxin/document"
	"yinxin/document/fonts"
)

// Tables, in mm. GB/T 9704-2012 leaves their inside to the office (clause 9): 4号 type between thin rules.
const (
	cellPad       = 1.5 // left and right of a cell's text
	rowPad        = 1.2 // above and below it
	rowPitch      = 6.6 // between the lines of a cell
	tableRule     = 0.25
	leastColumn   = 2*size4 + 2*cellPad
	tableGap      = 4.0 // below the table
	mostCellLines = 25  // what a page holds below a repeated head
)

// tableRow is one row, ready to be set.
type tableRow struct {
	height  float64
	columns []float64 // left edges and the right edge of the last
	cells   [][]line
	// head is the row that stands above this one again on a new page; nil for the head itself.
	head *tableRow
	// last says that the table ends here.
	last bool
}

// tableLines sets a table: its caption, the head, the rows.
func (c *composer) tableLines(el Element, t *document.Table) ([]flowLine, error) {
	var out []flowLine
	if t.Caption != "" {
		g, err := c.set.glyphs(t.Caption, body(fonts.Hei))
		if err != nil {
			return nil, err
		}
		for _, l := range breakLines(g, areaWidth, 0, 0) {
			l.indent, l.last = (areaWidth-l.width())/2, true
			out = append(out, flowLine{line: l, element: el, keep: true})
		}
	}
	columns, err := c.columnEdges(t)
	if err != nil {
		return nil, err
	}
	head, err := c.tableRow(t.Head, columns, fonts.Hei)
	if err != nil {
		return nil, err
	}
	out = append(out, flowLine{element: el, row: head, keep: true})
	for i, cells := range t.Rows {
		row, err := c.tableRow(cells, columns, fonts.FangSong)
		if err != nil {
			return nil, err
		}
		if row.height+head.height > areaHeight {
			return nil, fmt.Errorf("row %d of a table is higher than a page", i+1)
		}
		row.head, row.last = head, i == len(t.Rows)-1
		if row.last {
			row.height += tableGap
		}
		out = append(out, flowLine{element: el, row: row})
	}
	return out, nil
}

// columnEdges shares the type area's width among the columns by their longest texts; no text counts for more than half.
func (c *composer) columnEdges(t *document.Table) ([]float64, error) {
	n := len(t.Head)
	want := make([]float64, n)
	total := 0.0
	for i := range want {
		for _, row := range append([][]string{t.Head}, t.Rows...) {
			w, err := c.set.width(row[i], plain(fonts.FangSong, size4))
			if err != nil {
				return nil, err
			}
			want[i] = max(want[i], min(w+2*cellPad, areaWidth/2))
		}
		want[i] = max(want[i], leastColumn)
		total += want[i]
	}
	edges := []float64{areaLeft}
	for i, w := range shareWidth(want, total) {
		edges = append(edges, edges[i]+w)
	}
	return edges, nil
}

// shareWidth gives narrow columns what they want, so that no short text is broken, and shares what is left among the wide
// ones. Columns that want less than there is all grow alike.
func shareWidth(want []float64, total float64) []float64 {
	out := append([]float64(nil), want...)
	if total <= areaWidth {
		for i := range out {
			out[i] *= areaWidth / total
		}
		return out
	}
	room, wide, open := areaWidth, total, len(want)
	fixed := make([]bool, len(want))
	for again := true; again; {
		again = false
		for i, w := range want {
			if !fixed[i] && w <= room/float64(open) && open > 1 {
				fixed[i], again = true, true
				room, wide, open = room-w, wide-w, open-1
			}
		}
	}
	for i := range out {
		if !fixed[i] {
			out[i] *= room / wide
		}
	}
	return out
}

func (c *composer) tableRow(cells []string, columns []float64, role fonts.Role) (*tableRow, error) {
	row := &tableRow{columns: columns}
	most := 1
	for i, text := range cells {
		c.set.warnHalfWidth(text)
		g, err := c.set.glyphs(text, plain(role, size4))
		if err != nil {
			return nil, err
		}
		lines := breakLines(g, columns[i+1]-columns[i]-2*cellPad, 0, 0)
		most = max(most, len(lines))
		row.cells = append(row.cells, lines)
	}
	if most > mostCellLines {
		return nil, fmt.Errorf("a cell of a table takes %d lines, at most %d", most, mostCellLines)
	}
	row.height = float64(most-1)*rowPitch + size4 + 2*rowPad
	return row, nil
}

// putRow sets a row with its rules; heads and short cells are centred, longer ones begin at the left.
func (c *composer) putRow(el Element, row *tableRow, y float64) {
	p := len(c.pages) - 1
	foot := y + row.height
	if row.last {
		foot -= tableGap
	}
	left, right := row.columns[0], row.columns[len(row.columns)-1]
	line := func(x1, y1, x2, y2 float64) {
		c.pages[p].Rules = append(c.pages[p].Rules, Rule{Element: TableRule, X1: x1, Y1: y1, X2: x2, Y2: y2, Width: tableRule})
	}
	line(left, y, right, y)
	line(left, foot, right, foot)
	for _, x := range row.columns {
		line(x, y, x, foot)
	}
	for i, lines := range row.cells {
		top := y + (foot-y-float64(len(lines)-1)*rowPitch-size4)/2
		for k, l := range lines {
			x := row.columns[i] + cellPad
			if len(lines) == 1 {
				x = (row.columns[i] + row.columns[i+1] - l.width()) / 2
			}
			c.put(el, l.glyphs, x, top+float64(k)*rowPitch)
		}
	}
	c.low = max(c.low, foot)
}
