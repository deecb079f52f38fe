package layout

import (
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
// wider than its column takes several lines (GB/T 9704-2012 7.3.5.1).
func (c *composer) planJoint(p *signaturePlan) error {
	st := body(fonts.FangSong)
	d := c.doc.Signature.SealDiameter
	date, err := c.set.glyphs(c.doc.IssuedOn.Chinese(), st)
	if err != nil {
		return err
	}
	g := &sealGrid{date: date, right: min(areaRight-4*cell-totalWidth(date)/2, areaRight-d/2)}
	widest := 0.0
	var names [][]glyph
	for _, n := range c.issuerNames() {
		name, err := c.set.glyphs(n, st)
		if err != nil {
			return err
		}
		names = append(names, name)
		widest = max(widest, totalWidth(name))
	}
	room := g.right - d/2 - areaLeft // for the columns before the last
	g.columns = min(sealsPerRow, len(names), 1+int(room/(d+sealGap)))
	g.step = d + sealGap
	if g.columns > 1 {
		g.step = max(g.step, min(widest+2*nameMargin, room/float64(g.columns-1)))
	}
	for _, name := range names {
		g.names = append(g.names, officeLines(name, max(g.step, d)-2*nameMargin))
	}
	p.joint, p.set = g, c.joint
	last := p.jointSeal(g.rows()-1, d)
	p.date = last + sealLift - size3/2
	p.height = last + d/2
	if g.columns > 1 {
		p.note = p.height
	}
	return nil
}

// officeLines breaks the name of an office: behind the place it belongs to, else into lines of about one length.
func officeLines(name []glyph, measure float64) []line {
	lines := breakLines(name, measure, 0, 0)
	if len(lines) < 2 {
		return lines
	}
	for i := 1; i+1 < len(name) && len(lines) == 2; i++ {
		if strings.ContainsRune("省市县区州", name[i].char) && totalWidth(name[:i+1]) <= measure && totalWidth(name[i+1:]) <= measure {
			return []line{{glyphs: name[:i+1]}, {glyphs: name[i+1:], last: true}}
		}
	}
	for even := totalWidth(name) / float64(len(lines)); even < measure; even += cell {
		if balanced := breakLines(name, even, 0, 0); len(balanced) == len(lines) {
			return balanced
		}
	}
	return lines
}

// jointSeal is the middle of the seals of a row below the line after the text.
func (p *signaturePlan) jointSeal(row int, d float64) float64 {
	const free = pitch - size3 // between the text's last line and the next
	return sealBelow - free + d/2 + float64(row)*(d+sealGap)
}

// joint sets every name in its seal, and the date below the last name in the last seal. Rows that find no room go to the
// next page, which the author is told: a page of seals without text is not allowed.
func (c *composer) joint(p signaturePlan, y float64) error {
	g, d := p.joint, c.doc.Signature.SealDiameter
	from := 0 // first row of the page
	for i, lines := range g.names {
		row := i / g.columns
		middle := y + p.jointSeal(row-from, d)
		if i%g.columns == 0 && middle+d/2 > areaBottom {
			c.set.warn("joint_seals_split", "the seals of %d offices do not fit one page", len(g.names))
			c.newPage()
			from, y = row, areaTop
			middle = y + p.jointSeal(0, d)
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
			top := foot - float64(len(lines)-1-k)*jointNamePitch
			c.put(SignedBy, l.glyphs, g.centre(i)-totalWidth(l.glyphs)/2, top)
		}
		c.spot(g.centre(i), middle)
		if from > 0 {
			c.y = max(c.y, middle+d/2)
		}
	}
	return nil
}

// jointNamePitch is the distance of the lines of one name inside a seal.
const jointNamePitch = 7.5
