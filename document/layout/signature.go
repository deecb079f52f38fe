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
	// height is the lowest point of the block, the seal's edge included.
	height float64
	// set puts the block on the page, with the line after the text at y.
	set func(p signaturePlan, y float64) error
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
	p := signaturePlan{}
	switch {
	case c.doc.Signature.Form == document.SignatureOmitted:
		p.set = func(signaturePlan, float64) error { return nil }
		if c.doc.Note != "" {
			p.height = size3
		}
		return p, nil
	case c.doc.Signature.Form == document.SignatureNone:
		p.name = pitch // one empty line
		p.date = p.name + float64(len(c.issuerNames()))*pitch
		p.set = c.unsealed
	case c.doc.Signature.Form == document.SignatureStamp:
		p.name = 2 * pitch // two empty lines
		p.date = p.name + c.doc.Signature.SealDiameter + pitch
		p.set = c.stamped
	case len(c.doc.JointIssuers) > 0:
		if err := c.planJoint(&p); err != nil {
			return p, err
		}
	default:
		c.planSealed(&p)
	}
	p.height = max(p.height, p.date+size3)
	p.note = max(p.note, p.date+pitch)
	if c.doc.Note != "" {
		p.height = max(p.height, p.note+size3)
	}
	return p, nil
}

// planSealed puts the date as many lines down as leave the seal room: its upper edge below the text, and at most one line
// below it (GB/T 9704-2012 7.3.5.1).
func (c *composer) planSealed(p *signaturePlan) {
	above := c.doc.Signature.SealDiameter/2 + sealLift - size3/2 // seal's top above the date's top
	free := pitch - size3                                        // between the text's last line and the next
	p.date = max(1, math.Ceil((above+leastSeal-free)/pitch)) * pitch
	p.name = p.date - pitch
	p.height = p.date + size3/2 - sealLift + c.doc.Signature.SealDiameter/2
	p.set = c.sealed
}

// signature sets 署名, 成文日期 and 附注.
func (c *composer) signature(p signaturePlan) error {
	if c.y+p.height > areaBottom+0.01 && c.y > areaTop { // one line of body was all there is: nothing could go along
		c.newPage()
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

func (c *composer) note(y float64) error {
	g, err := c.set.glyphs("（"+c.doc.Note+"）", body(fonts.FangSong))
	if err != nil {
		return err
	}
	for _, l := range breakLines(g, areaWidth, 2*cell, 2*cell) {
		c.put(Note, l.glyphs, areaLeft+l.indent, y)
		y += pitch
	}
	return nil
}

// sealed sets the date four characters from the right, the name centred above it, and marks where the seal goes: centred
// on both, name and date in its lower half.
func (c *composer) sealed(p signaturePlan, y float64) error {
	st := body(fonts.FangSong)
	date, err := c.set.glyphs(c.doc.IssuedOn.Chinese(), st)
	if err != nil {
		return err
	}
	name, err := c.set.glyphs(c.doc.Issuer.Name, st)
	if err != nil {
		return err
	}
	radius := c.doc.Signature.SealDiameter / 2
	centre := areaRight - 4*cell - totalWidth(date)/2
	centre = min(centre, areaRight-totalWidth(name)/2, areaRight-radius) // a long name, or a large seal, moves the block left
	c.put(SignedBy, name, centre-totalWidth(name)/2, y+p.name)
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

// unsealed sets the names two characters from the right and the date two characters further in than the name's first
// character; a date longer than that stands two characters from the right and the name moves left (7.3.5.2).
func (c *composer) unsealed(p signaturePlan, y float64) error {
	st := body(fonts.FangSong)
	date, err := c.set.glyphs(c.doc.IssuedOn.Chinese(), st)
	if err != nil {
		return err
	}
	for i, n := range c.issuerNames() {
		g, err := c.set.glyphs(n, st)
		if err != nil {
			return err
		}
		x := areaRight - 2*cell - totalWidth(g)
		x = min(x, areaRight-2*cell-totalWidth(date)-2*cell)
		c.put(SignedBy, g, x, y+p.name+float64(i)*pitch)
		if i == len(c.issuerNames())-1 {
			c.put(IssuedOn, date, x+2*cell, y+p.date)
		}
	}
	return nil
}

// stamped leaves a place for the 签名章 two lines below the text, four characters from the right, sets the office title
// two characters to its left in the middle of its height, and the date one line below it (7.3.5.3).
func (c *composer) stamped(p signaturePlan, y float64) error {
	st := body(fonts.FangSong)
	size := c.doc.Signature.SealDiameter
	title, err := c.set.glyphs(c.doc.Signature.OfficeTitle, st)
	if err != nil {
		return err
	}
	date, err := c.set.glyphs(c.doc.IssuedOn.Chinese(), st)
	if err != nil {
		return err
	}
	right := areaRight - 4*cell
	c.put(OfficeTitle, title, right-size-2*cell-totalWidth(title), y+p.name+(size-size3)/2)
	c.put(IssuedOn, date, right-totalWidth(date), y+p.date)
	c.spot(right-size/2, y+p.name+size/2)
	return nil
}
