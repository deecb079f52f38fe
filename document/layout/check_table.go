package layout

import (
	"math"
	"slices"
)

// The standard leaves the inside of tables to the office; what is measured is whether their rules hang together and their
// texts stand in the cells.

// tableOnPage is a table with its rules and the characters that lie in its stretch of the page.
type tableOnPage struct {
	page             int
	uprights, levels []Rule
	marks            []mark
}

// Bounds of what is measured of a table.
const (
	maxUprights = 4000
	maxLevels   = 2000
)

// joinedUprights puts upright rules together that go on below each other.
func joinedUprights(rules []Rule) []Rule {
	const same, touching = 0.05, 0.1 // mm
	slices.SortStableFunc(rules, func(a, b Rule) int {
		if math.Abs(a.X1-b.X1) > same {
			return compare(a.X1, b.X1)
		}
		return compare(min(a.Y1, a.Y2), min(b.Y1, b.Y2))
	})
	var out []Rule
	for _, r := range rules {
		if n := len(out) - 1; n >= 0 && math.Abs(out[n].X1-r.X1) <= same && min(r.Y1, r.Y2) <= max(out[n].Y1, out[n].Y2)+touching {
			out[n].Y1, out[n].Y2 = min(out[n].Y1, out[n].Y2), max(out[n].Y1, out[n].Y2, r.Y1, r.Y2)
			continue
		}
		out = append(out, r)
	}
	return out
}

// tablesIn takes the tables of a page apart.
func (c *checker) tablesIn(page int) []tableOnPage {
	p := &c.pages[page]
	var out []tableOnPage
	for _, b := range tablesOf(p) {
		t := tableOnPage{page: page}
		for _, r := range p.Rules {
			switch y := (r.Y1 + r.Y2) / 2; {
			case isRed(r.Color), y < b.top-0.5, y > b.foot+0.5:
			case math.Abs(r.X1-r.X2) < 0.1:
				t.uprights = append(t.uprights, r)
			case math.Abs(r.Y1-r.Y2) < 0.1:
				t.levels = append(t.levels, r)
			}
		}
		if len(t.uprights) > maxUprights || len(t.levels) > maxLevels {
			c.warn("sight_unknown", "page %d: a table of too many rules to tell whether they meet", page+1)
			continue
		}
		t.uprights = joinedUprights(t.uprights)
		for _, m := range c.marks[page] {
			if y := m.top + m.run.Size/2; y > b.top && y < b.foot {
				t.marks = append(t.marks, m)
			}
		}
		out = append(out, t)
	}
	return out
}

// inTables measures the rules of every table and the texts between them.
func (c *checker) inTables() {
	for page := range c.pages {
		for _, t := range c.tablesIn(page) {
			left, right := t.edges()
			c.measure(page, TableRule, "within", max(textLeft-left, right-textRight, 0), "")
			c.measure(page, TableRule, "meet", t.apart(), "")
			c.measure(page, TableRule, "columns", t.crooked(), "")
			crossed, text := t.crossed()
			c.measure(page, TableRule, "crossed", float64(crossed), text)
			off, text := t.otherSize()
			c.measure(page, TableRule, "size", off, text)
		}
	}
}

// edges are the outermost ends of the rules.
func (t *tableOnPage) edges() (left, right float64) {
	left, right = math.Inf(1), math.Inf(-1)
	for _, list := range [][]Rule{t.uprights, t.levels} {
		for _, r := range list {
			left, right = min(left, r.X1, r.X2), max(right, r.X1, r.X2)
		}
	}
	return left, right
}

// apart is how far, at worst, an upright rule ends from the next level one, and a level one from an upright one or from
// the edge that another ends at as well.
func (t *tableOnPage) apart() float64 {
	worst := 0.0
	for _, u := range t.uprights {
		for _, y := range []float64{u.Y1, u.Y2} {
			near := math.Inf(1)
			for _, l := range t.levels {
				beyond := max(min(l.X1, l.X2)-u.X1, u.X1-max(l.X1, l.X2), 0)
				near = min(near, max(math.Abs(l.Y1-y), beyond))
			}
			worst = max(worst, min(near, PageHeight))
		}
	}
	for i, l := range t.levels {
		for _, x := range []float64{l.X1, l.X2} {
			near := math.Inf(1)
			for _, u := range t.uprights {
				beyond := max(min(u.Y1, u.Y2)-l.Y1, l.Y1-max(u.Y1, u.Y2), 0)
				near = min(near, max(math.Abs(u.X1-x), beyond))
			}
			for k, o := range t.levels {
				if k != i && math.Abs(o.Y1-l.Y1) > sameLine {
					near = min(near, math.Abs(o.X1-x), math.Abs(o.X2-x))
				}
			}
			worst = max(worst, min(near, PageHeight))
		}
	}
	return worst
}

// rows are the places of the upright rules between every two level ones.
func (t *tableOnPage) rows() [][]float64 {
	var ys []float64
	for _, l := range t.levels {
		ys = append(ys, l.Y1)
	}
	ys = apart(ys)
	var out [][]float64
	for i := 1; i < len(ys); i++ {
		var xs []float64
		for _, u := range t.uprights {
			if middle := (ys[i-1] + ys[i]) / 2; min(u.Y1, u.Y2) < middle && max(u.Y1, u.Y2) > middle {
				xs = append(xs, u.X1)
			}
		}
		out = append(out, apart(xs))
	}
	return out
}

// crooked is how far, at worst, an upright rule stands beside that of the row above where both rows have as many. Rules
// that are farther apart than most are those of other columns.
func (t *tableOnPage) crooked() float64 {
	const most = 6.0 // mm
	worst := 0.0
	rows := t.rows()
	for i := 1; i < len(rows); i++ {
		if len(rows[i]) != len(rows[i-1]) {
			continue
		}
		for k, x := range rows[i] {
			if d := math.Abs(x - rows[i-1][k]); d < most {
				worst = max(worst, d)
			}
		}
	}
	return worst
}

// crossed counts characters that a rule goes through, and those that stand beside the table.
func (t *tableOnPage) crossed() (n int, text string) {
	left, right := t.edges()
	var over []rune
	for _, m := range t.marks {
		w, h := (m.end-m.x)*0.1, m.run.Size*0.15 // kept out at each side: few characters fill their boxes
		x1, x2, y1, y2 := m.x+w, m.end-w, m.top+h, m.top+m.run.Size-h
		through := func(r Rule) bool {
			return min(r.X1, r.X2) < x2 && max(r.X1, r.X2) > x1 && min(r.Y1, r.Y2) < y2 && max(r.Y1, r.Y2) > y1
		}
		if x1 < left || x2 > right || slices.ContainsFunc(t.uprights, through) || slices.ContainsFunc(t.levels, through) {
			over = append(over, m.r)
		}
	}
	return len(over), string(over)
}

// otherSize is how far, at worst, a character is from the commonest size of its table; the first row has one of its own.
func (t *tableOnPage) otherSize() (off float64, text string) {
	var ys []float64
	for _, l := range t.levels {
		ys = append(ys, l.Y1)
	}
	ys = apart(ys)
	var groups [2][]mark
	for _, m := range t.marks {
		if slot(ys, m.top+m.run.Size/2) == 0 {
			groups[0] = append(groups[0], m)
		} else {
			groups[1] = append(groups[1], m)
		}
	}
	for _, list := range groups {
		count := map[float64]int{}
		common := 0.0
		for _, m := range list {
			size := round(m.run.Size)
			if count[size]++; count[size] > count[common] || count[size] == count[common] && size < common {
				common = size
			}
		}
		for _, m := range list {
			if d := math.Abs(m.run.Size - common); round(d) > off {
				off, text = round(d), string(m.r)
			}
		}
	}
	return off, text
}

// band is a stretch of a page that a table takes.
type band struct{ top, foot float64 }

// tablesOf finds the tables of a page by their upright rules.
func tablesOf(p *Page) []band {
	var out []band
	for _, r := range p.Rules {
		if math.Abs(r.X1-r.X2) < 0.1 && math.Abs(r.Y1-r.Y2) > 1 && !isRed(r.Color) {
			out = append(out, band{min(r.Y1, r.Y2), max(r.Y1, r.Y2)})
		}
	}
	slices.SortFunc(out, func(a, b band) int { return compare(a.top, b.top) })
	var joined []band
	for _, b := range out {
		if n := len(joined); n > 0 && b.top <= joined[n-1].foot+0.5 {
			joined[n-1].foot = max(joined[n-1].foot, b.foot)
			continue
		}
		joined = append(joined, b)
	}
	return joined
}

// picturesOf are the stretches of a page that pictures take.
func picturesOf(p *Page) []band {
	var out []band
	for _, f := range p.Pictures {
		out = append(out, band{f.Y, f.Y + f.Height})
	}
	return out
}

// withoutTables takes what lies in tables and below pictures out of a page: the standard leaves it to the office.
func withoutTables(p Page, pieces []piece) (Page, []piece) {
	tables, figures := tablesOf(&p), picturesOf(&p)
	if len(tables)+len(figures) == 0 {
		return p, pieces
	}
	inside := func(y float64) bool {
		return slices.ContainsFunc(tables, func(b band) bool { return y > b.top-0.5 && y < b.foot+0.5 })
	}
	p.Rules = slices.DeleteFunc(slices.Clone(p.Rules), func(r Rule) bool { return inside((r.Y1 + r.Y2) / 2) })
	caption := func(q piece) bool { // centred, right above a table or right below a picture
		return math.Abs(q.centre()-textMiddle) < 1 &&
			(slices.ContainsFunc(tables, func(b band) bool { return b.top > q.top && b.top-q.top < 1.2*oneRow }) ||
				slices.ContainsFunc(figures, func(b band) bool { return q.top > b.foot-0.5 && q.top-b.foot < 1.2*oneRow }))
	}
	return p, slices.DeleteFunc(pieces, func(q piece) bool { return inside(q.middle()) || caption(q) })
}

// tableAbove reports whether a table stands over a place of a page.
func (c *checker) tableAbove(page int, y float64) bool {
	return slices.ContainsFunc(c.tables[page], func(b band) bool { return b.top < y })
}

// tableFoot is the lower edge of the lowest table above a place of a page; false without one.
func (c *checker) tableFoot(page int, y float64) (foot float64, ok bool) {
	for _, b := range c.tables[page] {
		if b.foot < y {
			foot, ok = max(foot, b.foot), true
		}
	}
	return foot, ok
}

// lastLine is the top of the last line of text above a place: that of the line given, or of the one that a table or picture
// below it ends with.
func (c *checker) lastLine(page int, line, above float64) float64 {
	if foot, ok := c.tableFoot(page, above); ok {
		return max(line, foot-charOf3)
	}
	return line
}
