package layout

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"yinxin/document/fonts"
)

// The seals of a joint document, mm.
const (
	sealGap     = 2.0 // between neighbouring seals: they neither cross nor touch
	sealBelow   = 3.0 // the first row's upper edge below the text; at most one line is allowed
	sealsPerRow = 3
	nameMargin  = 0.75 * cell // kept free at both sides of a name in its column
)

// sealGrid is how the seals of a joint document stand: in rows, filled from the left, the last column under the date.
type sealGrid struct {
	columns int
	step    float64 // between the centres of two columns
	right   float64 // centre of the last column
	names   [][]line
	date    []glyph
	gap     float64 // between neighbouring rows
	below   float64 // the first row's upper edge below the text
}

func (g *sealGrid) rows() int { return (len(g.names) + g.columns - 1) / g.columns }

// centre is the middle of issuer i's column. A last row that is not full stands at the right, where the date is.
func (g *sealGrid) centre(i int) float64 {
	column := i % g.columns
	if i/g.columns == g.rows()-1 {
		column += g.columns*g.rows() - len(g.names)
	}
	return g.right - float64(g.columns-1-column)*g.step
}

// planJoint takes as many columns as the seals allow, so that every office's name stands under its own seal; a name that is
// wider than its column takes several lines (GB/T 9704-2012 7.3.5.1), no more than the seal covers. The rows stand closer
// where that keeps them on one page with a line of text.
func (c *composer) planJoint(p *signaturePlan) error {
	d := c.doc.Signature.SealDiameter
	date, _, err := c.dateAndName()
	if err != nil {
		return err
	}
	var names [][]glyph
	for _, n := range c.issuerNames() {
		name, err := c.set.glyphs(n, body(fonts.FangSong))
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	g := &sealGrid{date: date, right: min(areaRight-4*cell-totalWidth(date)/2, areaRight-d/2), gap: sealGap, below: sealBelow}
	room := g.right - d/2 - areaLeft // for the columns before the last
	for g.columns = min(sealsPerRow, len(names), 1+int(room/(d+sealGap))); ; g.columns-- {
		long := g.breakNames(names, d, room)
		if long < 0 {
			break
		}
		if g.columns == 1 {
			return tooLong(issuerField(long), "%d characters: takes %d lines of its seal, at most %d; give the short form",
				len(names[long]), len(g.names[long]), nameLines)
		}
	}
	for _, closer := range [][2]float64{{1, 2}, {0.5, 1}} { // mm between seals, and below the text
		if pitch+g.height(d) <= areaHeight {
			break
		}
		g.gap, g.below = closer[0], closer[1]
	}
	p.joint, p.set = g, c.joint
	p.above = max(0, d/2-g.middle(0, d))
	if pitch+g.height(d) > areaHeight { // goes on over pages, its first row with the text
		p.height = g.middle(0, d) + d/2
		return nil
	}
	last := g.middle(g.rows()-1, d)
	p.date = last + sealLift - size3/2
	p.height = last + d/2
	if g.columns > 1 {
		p.note = p.height + (pitch-size3)/2
	}
	return nil
}

func issuerField(i int) string {
	if i == 0 {
		return "issuer.name"
	}
	return fmt.Sprintf("joint_issuers[%d].name", i-1)
}

// breakNames sets the names into the columns; it returns the first that takes too many lines, -1 for none.
func (g *sealGrid) breakNames(names [][]glyph, d, room float64) int {
	widest := 0.0
	for _, name := range names {
		widest = max(widest, totalWidth(name))
	}
	g.step = d + sealGap
	if n := float64(g.columns - 1); n > 0 {
		// as wide as the names ask for, not so wide that the first column comes too near the edge for its own
		even := (2*(g.right-areaLeft) + 2*nameMargin) / (1 + 2*n)
		g.step = max(g.step, min(widest+2*nameMargin, even, room/n))
	}
	if step, found := g.wholeNames(names, d); found && step < g.step {
		g.step, g.names = step, nil
		for _, name := range names {
			g.names = append(g.names, []line{{glyphs: name, last: true}})
		}
		return -1
	}
	left := g.right - float64(g.columns-1)*g.step // middle of the first column
	measure := min(2*(left-areaLeft), 2*(areaRight-g.right))
	if g.columns > 1 {
		measure = min(measure, g.step-2*nameMargin)
	}
	long := -1
	g.names = nil
	for i, name := range names {
		lines := officeLines(name, measure)
		if len(lines) > nameLines && long < 0 {
			long = i
		}
		g.names = append(g.names, lines)
	}
	return long
}

// wholeNames is the step between columns that sets every name on one line, a long one beside a short one, if there is one.
func (g *sealGrid) wholeNames(names [][]glyph, d float64) (step float64, found bool) {
	grid := &sealGrid{columns: g.columns, names: make([][]line, len(names)), right: g.right, step: d + sealGap}
	for i := 1; i < len(names); i++ {
		if i%g.columns > 0 {
			grid.step = max(grid.step, (totalWidth(names[i-1])+totalWidth(names[i]))/2+2*nameMargin)
		}
	}
	for i, name := range names {
		half := max(d, totalWidth(name)) / 2
		if x := grid.centre(i); x-half < areaLeft || x+half > areaRight {
			return 0, false
		}
	}
	return grid.step, true
}

// officeLines breaks the name of an office: behind the place it belongs to, else into lines of about one length.
func officeLines(name []glyph, measure float64) []line {
	lines := breakLines(name, measure, 0, 0)
	if len(lines) < 2 {
		return lines
	}
	for i := 1; i+1 < len(name) && len(lines) == 2; i++ {
		if endsPlace(name, i) && totalWidth(name[:i+1]) <= measure && totalWidth(name[i+1:]) <= measure {
			return []line{{glyphs: name[:i+1]}, {glyphs: name[i+1:], last: true}}
		}
	}
	if words := nameBreak(name, len(lines), measure); words != nil {
		return words
	}
	for even := totalWidth(name) / float64(len(lines)); even < measure; even += cell {
		if balanced := breakLines(name, even, 0, 0); len(balanced) == len(lines) {
			return balanced
		}
	}
	return lines
}

// nameBreak breaks a name into n lines of about one length at its words; nil for more lines than a seal covers, and where
// it finds none.
func nameBreak(name []glyph, n int, measure float64) []line {
	if n > nameLines {
		return nil
	}
	toks := tokens(name)
	sums, quality := make([]float64, len(toks)+1), make([]float64, len(toks))
	at := 0
	for i, t := range toks {
		sums[i+1] = sums[i] + t.width
		if quality[i] = math.Inf(1); i > 0 && breakable(toks[i-1], t) {
			quality[i] = nameCost(name, at)
		}
		at += len(t.glyphs)
	}
	ends, _ := cheapest(sums, n, measure, quality, func(ends []int) float64 {
		_, shortest, longest := widthsOf(sums, ends)
		if longest > measure {
			return math.Inf(1)
		}
		return 20 * math.Pow(1-shortest/longest, 2)
	})
	var out []line
	for _, g := range cutAt(toks, ends) {
		out = append(out, line{glyphs: g})
	}
	if len(out) != n {
		return nil
	}
	out[n-1].last = true
	return out
}

// nameCost says how bad it is to begin a line of an office's name with character i.
func nameCost(name []glyph, i int) float64 {
	text := make([]rune, 0, len(name))
	for _, g := range name {
		text = append(text, g.char)
	}
	before, rest := string(text[:i]), string(text[i:])
	switch {
	case i > 1 && endsPlace(name, i-1), endsIn(before, "委员会", "小组", "指挥部", "联席会议", "、"):
		return 0
	case strings.ContainsRune("和与及", text[i]):
		return 4
	case strings.ContainsRune("和与及", text[i-1]), rest == "办公室", rest == "委员会", strings.HasPrefix(rest, "领导小组"), strings.HasPrefix(rest, "协调小组"):
		return 1
	case inWord(string(text[i-1 : i+1])):
		return 12
	}
	return 3
}

func endsIn(s string, ends ...string) bool {
	return slices.ContainsFunc(ends, func(e string) bool { return strings.HasSuffix(s, e) })
}

// endsPlace reports whether a name may be broken behind character i: behind a place, as 云溪市, or behind 云溪市委, which is
// never cut in two.
func endsPlace(name []glyph, i int) bool {
	const places = "省市县区州"
	if name[i].char == '委' {
		return strings.ContainsRune(places, name[i-1].char) && name[i+1].char != '员'
	}
	return strings.ContainsRune(places, name[i].char) && name[i+1].char != '委'
}

// middle is that of the seals of a row, below the line after the text.
func (g *sealGrid) middle(row int, d float64) float64 {
	const free = pitch - size3 // between the text's last line and the next
	return g.below - free + d/2 + float64(row)*(d+g.gap)
}

// height is how far the rows reach below the line after the text.
func (g *sealGrid) height(d float64) float64 { return g.middle(g.rows()-1, d) + d/2 }

// joint sets every name in its seal, and the date below the last name in the last seal. Rows that find no room go to the
// next page, which the author is told: a page of seals without text is not allowed.
func (c *composer) joint(p signaturePlan, y float64) error {
	g, d := p.joint, c.doc.Signature.SealDiameter
	from, first := 0, y+g.middle(0, d) // first row of the page, and its middle
	for i, lines := range g.names {
		row := i / g.columns
		middle := first + float64(row-from)*(d+g.gap)
		if i%g.columns == 0 && middle+d/2 > areaBottom+0.01 {
			c.set.warn("joint_seals_split", "the seals of %d offices do not fit one page", len(g.names))
			c.newPage()
			from, first = row, areaTop+d/2
			middle = first
			c.y = middle + d/2
		}
		foot := middle + sealLift - size3/2 // top of the lowest line in the seal
		if row == g.rows()-1 {
			if i == len(g.names)-1 {
				c.put(IssuedOn, g.date, g.centre(i)-totalWidth(g.date)/2, foot)
			}
			foot -= pitch
		}
		for k, l := range lines {
			top := foot - float64(len(lines)-1-k)*pitchOfName(len(lines))
			c.put(SignedBy, l.glyphs, g.centre(i)-totalWidth(l.glyphs)/2, top)
		}
		c.spot(g.centre(i), middle)
		if from > 0 {
			c.y = max(c.y, middle+d/2)
		}
	}
	return nil
}
