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
	// height is the lowest point of the block, the seal's edge included.
	height float64
	sealed bool
}

func (c *composer) issuerNames() []string {
	names := []string{c.doc.Issuer.Name}
	for _, o := range c.doc.JointIssuers {
		names = append(names, o.Name)
	}
	return names
}

// signaturePlan measures the block before it is set. Under a seal the date stands as many lines down as leave the seal
// room: its upper edge below the text, and at most one line below it (GB/T 9704-2012 7.3.5.1).
func (c *composer) signaturePlan() signaturePlan {
	names := float64(len(c.issuerNames()))
	p := signaturePlan{sealed: c.doc.Signature.Form != document.SignatureNone}
	if p.sealed {
		above := c.doc.Signature.SealDiameter/2 + sealLift - size3/2 // seal's top above the date's top
		free := pitch - size3                                        // between the text's last line and the next
		lines := math.Ceil((above + leastSeal - free) / pitch)
		p.date = max(lines, names) * pitch
		p.name = p.date - names*pitch
		p.height = p.date + size3/2 - sealLift + c.doc.Signature.SealDiameter/2
	} else {
		p.name = pitch // one empty line
		p.date = p.name + names*pitch
	}
	p.height = max(p.height, p.date+size3)
	if c.doc.Note != "" {
		p.height = max(p.height, p.date+pitch+size3)
	}
	return p
}

// signature sets 署名, 成文日期 and 附注.
func (c *composer) signature(p signaturePlan) error {
	if c.y+p.height > areaBottom+0.01 && c.y > areaTop { // one line of body was all there is: nothing could go along
		c.newPage()
	}
	set := c.unsealed
	if p.sealed {
		set = c.sealed
	}
	if err := set(p, c.y); err != nil {
		return err
	}
	end := c.y + p.date + pitch
	if c.doc.Note != "" {
		if err := c.note(end); err != nil {
			return err
		}
	}
	return nil
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

// sealed sets the date four characters from the right, the names centred above it, and marks where the seal goes: centred
// on both, name and date in its lower half.
func (c *composer) sealed(p signaturePlan, y float64) error {
	st := body(fonts.FangSong)
	date, err := c.set.glyphs(c.doc.IssuedOn.Chinese(), st)
	if err != nil {
		return err
	}
	var names [][]glyph
	widest := 0.0
	for _, n := range c.issuerNames() {
		g, err := c.set.glyphs(n, st)
		if err != nil {
			return err
		}
		names = append(names, g)
		widest = max(widest, totalWidth(g))
	}
	radius := c.doc.Signature.SealDiameter / 2
	centre := areaRight - 4*cell - totalWidth(date)/2
	centre = min(centre, areaRight-widest/2, areaRight-radius) // a long name, or a large seal, moves the block left
	for i, g := range names {
		c.put(SignedBy, g, centre-totalWidth(g)/2, y+p.name+float64(i)*pitch)
	}
	c.put(IssuedOn, date, centre-totalWidth(date)/2, y+p.date)
	middle := y + p.date + size3/2 - sealLift
	c.spot = &Spot{Page: len(c.pages) - 1, X: centre, Y: middle, Diameter: 2 * radius}
	c.low = max(c.low, middle+radius)
	return nil
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
