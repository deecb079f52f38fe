package layout

import (
	"math"

	"yinxin/document"
	"yinxin/document/fonts"
)

// signaturePlan is how far the signature block reaches below the text, mm, counted from the line after it.
type signaturePlan struct {
	// date is the top of the date's line, name that of the first name.
	name, date float64
	// note is the top of the line that the 附注 takes.
	note float64
	// above is how far the block reaches above the line after the text.
	above float64
	// height is the lowest point of the block, the seal's edge included.
	height float64
	// set puts the block on the page, with the line after the text at y.
	set func(p signaturePlan, y float64) error
	// lines are those of the names, or of the office title.
	lines []line
	// joint is the grid of the seals of a joint document.
	joint *sealGrid
}

func (c *composer) issuerNames() []string {
	names := []string{c.doc.Issuer.Name}
	for _, o := range c.doc.JointIssuers {
		names = append(names, o.Name)
	}
	return names
}

// signaturePlan measures the block before it is set.
func (c *composer) signaturePlan() (signaturePlan, error) {
	p, err := c.blockPlan()
	if err != nil || c.doc.Note == "" {
		return p, err
	}
	const kept = 2 // lines of a long 附注 that stay with the date
	note, err := c.noteLines()
	p.height = max(p.height, p.note+float64(min(len(note), kept)-1)*pitch+size3)
	return p, err
}

func (c *composer) blockPlan() (p signaturePlan, err error) {
	switch {
	case c.doc.Signature.Form == document.SignatureOmitted:
		p.set = func(signaturePlan, float64) error { return nil }
		return p, nil
	case c.doc.Signature.Form == document.SignatureNone:
		err = c.planUnsealed(&p)
	case c.doc.Signature.Form == document.SignatureStamp:
		err = c.planStamped(&p)
	case len(c.doc.JointIssuers) > 0:
		err = c.planJoint(&p)
	default:
		err = c.planSealed(&p)
	}
	p.height = max(p.height, p.date+size3)
	p.note = max(p.note, p.date+pitch)
	return p, err
}

// Names that are too long for their line, in mm.
const (
	namePitch  = 7.5       // between the lines of one name
	nameCloser = 6.2       // of a name that takes three
	longName   = 20 * cell // what may move the date to the left, rather than take two lines
	widestName = 23 * cell // without a seal, on one line
	nameLines  = 3         // what a seal covers
)

// nameOverDate breaks the name of an office that stands centred on the date: on one line, else on as few as leave the date
// four characters from the right.
func nameOverDate(name []glyph, measure float64) []line {
	if totalWidth(name) <= longName {
		return []line{{glyphs: name, last: true}}
	}
	for _, m := range []float64{measure, 23 * cell, areaWidth} {
		if lines := officeLines(name, m); len(lines) <= nameLines {
			return lines
		}
	}
	return officeLines(name, areaWidth)
}

// planSealed puts the date as many lines down as leave the seal room: its upper edge below the text, and at most one line
// below it (GB/T 9704-2012 7.3.5.1).
func (c *composer) planSealed(p *signaturePlan) error {
	date, name, err := c.dateAndName()
	if err != nil {
		return err
	}
	p.lines = nameOverDate(name, 2*(4*cell+totalWidth(date)/2))
	above := c.doc.Signature.SealDiameter/2 + sealLift - size3/2 // seal's top above the date's top
	free := pitch - size3                                        // between the text's last line and the next
	names := pitch + float64(len(p.lines)-1)*pitchOfName(len(p.lines))
	p.date = max(max(1, math.Ceil((above+leastSeal-free)/pitch))*pitch, names)
	p.name = p.date - names
	p.above = max(0, above-p.date)
	p.height = p.date + size3/2 - sealLift + c.doc.Signature.SealDiameter/2
	p.set = c.sealed
	return nil
}

func pitchOfName(lines int) float64 {
	if lines > 2 {
		return nameCloser
	}
	return namePitch
}

func (c *composer) dateAndName() (date, name []glyph, err error) {
	date, err = c.set.glyphs(c.doc.IssuedOn.Chinese(), body(fonts.FangSong))
	if err != nil {
		return nil, nil, err
	}
	name, err = c.set.glyphs(c.doc.Issuer.Name, body(fonts.FangSong))
	return date, name, err
}

// signature sets 署名, 成文日期 and 附注.
func (c *composer) signature(p signaturePlan) error {
	if c.y+p.height > areaBottom+0.01 && c.y > areaTop { // one line of body was all there is: nothing could go along
		c.newPage()
		c.y += p.above
	}
	y := c.y
	if err := p.set(p, y); err != nil {
		return err
	}
	if c.doc.Note == "" {
		return nil
	}
	if c.y != y { // the block went on to another page
		return c.note(c.y)
	}
	return c.note(y + p.note)
}

func (c *composer) noteLines() ([]line, error) {
	g, err := c.set.glyphs("（"+c.doc.Note+"）", body(fonts.FangSong))
	if err != nil {
		return nil, err
	}
	return breakLines(g, areaWidth, 2*cell, 2*cell), nil
}

func (c *composer) note(y float64) error {
	lines, err := c.noteLines()
	if err != nil {
		return err
	}
	for _, l := range lines {
		if !fits(y) {
			c.newPage()
			y = c.y
		}
		c.put(Note, l.glyphs, areaLeft+l.indent, y)
		y += pitch
	}
	return nil
}

// sealed sets the date four characters from the right, the name centred above it, and marks where the seal goes: centred
// on both, name and date in its lower half.
func (c *composer) sealed(p signaturePlan, y float64) error {
	date, _, err := c.dateAndName()
	if err != nil {
		return err
	}
	radius := c.doc.Signature.SealDiameter / 2
	centre := min(areaRight-4*cell-totalWidth(date)/2, areaRight-radius)
	for _, l := range p.lines { // a long name, or a large seal, moves the block left
		centre = min(centre, areaRight-l.width()/2)
	}
	for i, l := range p.lines {
		c.put(SignedBy, l.glyphs, centre-l.width()/2, y+p.name+float64(i)*pitchOfName(len(p.lines)))
	}
	c.put(IssuedOn, date, centre-totalWidth(date)/2, y+p.date)
	middle := y + p.date + size3/2 - sealLift
	c.spot(centre, middle)
	return nil
}

// spot marks a place for a seal on the last page.
func (c *composer) spot(x, y float64) {
	d := c.doc.Signature.SealDiameter
	c.spots = append(c.spots, Spot{Page: len(c.pages) - 1, X: x, Y: y, Diameter: d})
	c.low = max(c.low, y+d/2)
}

// planUnsealed sets the names one line below the text, each on a line or, where it is too long, on several.
func (c *composer) planUnsealed(p *signaturePlan) error {
	p.set, p.name = c.unsealed, pitch
	for _, n := range c.issuerNames() {
		g, err := c.set.glyphs(n, body(fonts.FangSong))
		if err != nil {
			return err
		}
		lines := []line{{glyphs: g, last: true}}
		if totalWidth(g) > widestName {
			lines = officeLines(g, longName)
		}
		p.lines = append(p.lines, lines...)
	}
	p.date = p.name + float64(len(p.lines))*pitch
	if p.date+size3 > areaHeight-2*pitch { // goes on over pages, its first lines with the text
		p.height, p.date, p.note = p.name+2*pitch, 0, 0
	}
	return nil
}

// unsealed sets the names two characters from the right and the date two characters further in than the name's first
// character; a date longer than that stands two characters from the right and the name moves left (7.3.5.2).
func (c *composer) unsealed(p signaturePlan, y float64) error {
	date, _, err := c.dateAndName()
	if err != nil {
		return err
	}
	top, x := y+p.name, 0.0
	for i, l := range p.lines {
		need := top
		if i == len(p.lines)-1 { // the date goes with the last name
			need += pitch
		}
		if !fits(need) {
			c.newPage()
			top = c.y
		}
		x = min(areaRight-2*cell-l.width(), areaRight-2*cell-totalWidth(date)-2*cell)
		c.put(SignedBy, l.glyphs, x, top)
		top += pitch
	}
	c.put(IssuedOn, date, x+2*cell, top)
	if p.date == 0 {
		c.y = top + pitch
	}
	return nil
}

// planStamped leaves two lines above the 签名章. An office title that finds no room on one line takes several.
func (c *composer) planStamped(p *signaturePlan) error {
	p.name = 2 * pitch // two empty lines
	p.date = p.name + c.doc.Signature.SealDiameter + pitch
	p.set = c.stamped
	title, err := c.set.glyphs(c.doc.Signature.OfficeTitle, body(fonts.FangSong))
	if err != nil {
		return err
	}
	p.lines = officeLines(title, areaWidth-4*cell-c.doc.Signature.SealDiameter-2*cell)
	return nil
}

// stamped leaves a place for the 签名章 two lines below the text, four characters from the right, sets the office title
// two characters to its left in the middle of its height, and the date one line below it (7.3.5.3).
func (c *composer) stamped(p signaturePlan, y float64) error {
	size := c.doc.Signature.SealDiameter
	date, _, err := c.dateAndName()
	if err != nil {
		return err
	}
	right := areaRight - 4*cell
	top := y + p.name + (size-size3-float64(len(p.lines)-1)*namePitch)/2
	for i, l := range p.lines {
		c.put(OfficeTitle, l.glyphs, right-size-2*cell-l.width(), top+float64(i)*namePitch)
	}
	c.put(IssuedOn, date, right-totalWidth(date), y+p.date)
	c.spot(right-size/2, y+p.name+size/2)
	return nil
}
