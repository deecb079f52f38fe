package layout

import (
	"yinxin/document"
	"yinxin/document/fonts"
)

// Tables, in mm. GB/T 9704-2012 leaves their inside to the office (clause 9): 4号 type between thin rules.
const (
	cellPad     = 1.5 // left and right of a cell's text
	rowPad      = 1.2 // above and below it
	rowPitch    = 6.6 // between the lines of a cell
	tableRule   = 0.25
	leastColumn = 2*size4 + 2*cellPad
	tableGap    = 4.0 // below the table
)

// tableRow is one row, ready to be set.
type tableRow struct {
	height  float64
	columns []float64 // left edges and the right edge of the last
	cells   [][]line
	// head is the row that stands above this one again on a new page; nil for the head itself.
	head *tableRow
	// left says of each column that its texts begin at the left, as one of them takes several lines.
	left []bool
	// follows and goesOn say that the row is part of one that no page holds, and that it is not its first or last part.
	follows, goesOn bool
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
	if head.height > areaHeight/2 {
		return nil, tooLong("table.head", "the head of a table takes %.0f mm, at most %.0f", head.height, areaHeight/2)
	}
	out = append(out, flowLine{element: el, row: head, keep: true})
	left := make([]bool, len(columns)-1)
	for i, cells := range t.Rows {
		row, err := c.tableRow(cells, columns, fonts.FangSong)
		if err != nil {
			return nil, err
		}
		for k, lines := range row.cells {
			left[k] = left[k] || len(lines) > 1
		}
		row.head, row.left, row.last = head, left, i == len(t.Rows)-1
		for _, part := range row.parts() {
			out = append(out, flowLine{element: el, row: part})
		}
	}
	return out, nil
}

// parts cuts a row that is higher than half a page into its lines, so that it goes on over pages; another stays whole.
func (r *tableRow) parts() []*tableRow {
	most := 0
	for _, lines := range r.cells {
		most = max(most, len(lines))
	}
	if r.height+r.head.height <= areaHeight/2 {
		most = 1
	}
	var out []*tableRow
	for i := range most {
		part := *r
		if most > 1 {
			part.height = rowPitch
			part.cells = make([][]line, len(r.cells))
			for k, lines := range r.cells {
				part.cells[k] = lines[min(i, len(lines)):min(i+1, len(lines))]
			}
		}
		part.follows, part.goesOn = i > 0, i < most-1
		part.last = r.last && !part.goesOn
		if part.last {
			part.height += tableGap
		}
		out = append(out, &part)
	}
	if most > 1 {
		out[0].height += rowPad
		out[most-1].height += rowPad
	}
	return out
}

// columnEdges shares the type area's width among the columns by their longest texts; no text counts for more than half.
func (c *composer) columnEdges(t *document.Table) ([]float64, error) {
	n := len(t.Head)
	want, least := make([]float64, n), make([]float64, n)
	for i := range want {
		least[i] = leastColumn
		for _, row := range append([][]string{t.Head}, t.Rows...) {
			g, err := c.set.glyphs(row[i], plain(fonts.FangSong, size4))
			if err != nil {
				return nil, err
			}
			want[i] = max(want[i], min(totalWidth(g)+2*cellPad, areaWidth/2))
			for _, t := range tokens(g) {
				least[i] = max(least[i], min(t.width+2*cellPad, areaWidth/4))
			}
		}
		want[i] = max(want[i], least[i])
	}
	edges := []float64{areaLeft}
	for i, w := range shareWidth(want, least) {
		edges = append(edges, edges[i]+w)
	}
	return edges, nil
}

// shareWidth gives narrow columns what they want, so that no short text is broken, and shares what is left among the wide
// ones, where their words allow it. Columns that want less than there is all grow alike.
func shareWidth(want, least []float64) []float64 {
	out := append([]float64(nil), want...)
	total := sum(want)
	if total <= areaWidth {
		for i := range out {
			out[i] *= areaWidth / total
		}
		return out
	}
	if sum(least) > areaWidth {
		least = make([]float64, len(want)) // their words have to be broken
	}
	room, wide, open := areaWidth, total, len(want)
	fixed := make([]bool, len(want))
	fix := func(i int, w float64) {
		fixed[i], out[i] = true, w
		room, wide, open = room-w, wide-want[i], open-1
	}
	for again := true; again; {
		again = false
		for i, w := range want {
			if fixed[i] || open < 2 {
				continue
			}
			switch {
			case w <= room/float64(open):
				fix(i, w)
			case w*room/wide < least[i]:
				fix(i, least[i])
			default:
				continue
			}
			again = true
		}
	}
	for i := range out {
		if !fixed[i] {
			out[i] *= room / wide
		}
	}
	return out
}

func sum(list []float64) (total float64) {
	for _, v := range list {
		total += v
	}
	return total
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
	row.height = float64(most-1)*rowPitch + size4 + 2*rowPad
	return row, nil
}

// putRow sets a row with its rules: the head and columns of short texts in the middle, others from the left. fresh says that
// the row begins a page or stands below a repeated head, ends that the page ends with it: a row that goes on over pages is
// closed there.
func (c *composer) putRow(el Element, row *tableRow, y float64, fresh, ends bool) {
	p := len(c.pages) - 1
	foot := y + row.height
	if row.last {
		foot -= tableGap
	}
	left, right := row.columns[0], row.columns[len(row.columns)-1]
	line := func(x1, y1, x2, y2 float64) {
		c.pages[p].Rules = append(c.pages[p].Rules, Rule{Element: TableRule, X1: x1, Y1: y1, X2: x2, Y2: y2, Width: tableRule})
	}
	if !row.follows || fresh {
		line(left, y, right, y)
	}
	if !row.goesOn || ends {
		line(left, foot, right, foot)
	}
	for _, x := range row.columns {
		line(x, y, x, foot)
	}
	for i, lines := range row.cells {
		top := y + (foot-y-float64(len(lines)-1)*rowPitch-size4)/2
		switch {
		case row.goesOn && !row.follows: // the first of its lines, and the last
			top = y + rowPad + (rowPitch-size4)/2
		case row.follows && !row.goesOn:
			top = y + (rowPitch-size4)/2
		}
		for k, l := range lines {
			x := row.columns[i] + cellPad
			if row.left == nil || !row.left[i] {
				x = (row.columns[i] + row.columns[i+1] - l.width()) / 2
			}
			c.put(el, l.glyphs, x, top+float64(k)*rowPitch)
		}
	}
	c.low = max(c.low, foot)
}
