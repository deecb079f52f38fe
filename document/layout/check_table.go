package layout

import (
	"math"
	"slices"
)

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
