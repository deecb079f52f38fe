package layout

import (
	"fmt"
	"strings"

	"yinxin/document"
	"yinxin/document/fonts"
)

// imprintPart is one part of the 版记 between two rules.
type imprintPart struct {
	element Element
	lines   []line
	// right is set at the right edge of the first line.
	right        []glyph
	rightElement Element
}

func (p imprintPart) height() float64 {
	return imprintRow + float64(len(p.lines)-1)*imprintPitch
}

// imprint sets the 版记 at the foot of the last page, which must be an even one (GB/T 33476.2 7.3.1). A document with
// neither copies nor a printing office has none.
func (c *composer) imprint() error {
	parts, err := c.imprintParts()
	if err != nil || len(parts) == 0 {
		return err
	}
	height := 0.0
	for _, p := range parts {
		height += p.height()
	}
	top := areaBottom - height
	if c.doc.PageForm() == document.FormLetter {
		c.letterImprint(parts, top)
		return nil
	}
	if len(c.pages)%2 == 1 {
		c.newPage()
	} else if c.low+imprintGap > top { // no room on an even page: a blank one, then the imprint's
		c.newPage()
		c.newPage()
		c.unnumbered[len(c.pages)-2], c.unnumbered[len(c.pages)-1] = true, true
	}
	last := len(c.pages) - 1
	y := top
	for i, p := range parts {
		width := imprintInner
		if i == 0 {
			width = imprintOuter
		}
		c.rule(last, ImprintRule, y, width, Black())
		c.imprintPart(last, p, y)
		y += p.height()
	}
	c.rule(last, ImprintRule, areaBottom, imprintOuter, Black())
	return nil
}

// letterImprint sets the 版记 of a letter at the foot of its last page, without rules (10.1).
func (c *composer) letterImprint(parts []imprintPart, top float64) {
	if c.low+imprintGap > top {
		c.newPage()
	}
	for _, p := range parts {
		c.imprintPart(len(c.pages)-1, p, top)
		top += p.height()
	}
}

func (c *composer) imprintPart(page int, p imprintPart, y float64) {
	top := y + (imprintRow-size4)/2
	for i, l := range p.lines {
		c.putOn(page, p.element, l.glyphs, areaLeft+l.indent, top+float64(i)*imprintPitch)
	}
	if len(p.right) > 0 {
		c.putOn(page, p.rightElement, p.right, areaRight-size4-totalWidth(p.right), top)
	}
}

func (c *composer) imprintParts() ([]imprintPart, error) {
	var parts []imprintPart
	add := func(el Element, label string, list []document.Office) error {
		if len(list) == 0 {
			return nil
		}
		lines, err := c.imprintLines(label, officeList(list)+"。")
		parts = append(parts, imprintPart{element: el, lines: lines})
		return err
	}
	if c.toInImprint {
		if err := add(To, "主送：", c.doc.To); err != nil {
			return nil, err
		}
	}
	if err := add(CC, "抄送：", c.doc.CC); err != nil {
		return nil, err
	}
	if c.doc.PrintedBy == "" || c.doc.PageForm() == document.FormLetter {
		return parts, nil
	}
	st := plain(fonts.FangSong, size4)
	by, err := c.set.glyphs(c.doc.PrintedBy, st)
	if err != nil {
		return nil, err
	}
	on, err := c.set.glyphs(c.doc.PrintedOn.Chinese()+"印发", st)
	if err != nil {
		return nil, err
	}
	room := areaWidth - 2*size4 - totalWidth(on) - size4
	return append(parts, imprintPart{
		element: PrintedBy, lines: breakLines(by, room+size4, size4, size4), right: on, rightElement: PrintedOn,
	}), nil
}

// imprintLines sets a list with its label, one character free at both sides, wrapped lines under the first name.
func (c *composer) imprintLines(label, text string) ([]line, error) {
	st := plain(fonts.FangSong, size4)
	head, err := c.set.glyphs(label, st)
	if err != nil {
		return nil, err
	}
	g, err := c.set.glyphs(strings.TrimSpace(text), st)
	if err != nil {
		return nil, err
	}
	indent := size4 + totalWidth(head)
	lines := breakLines(g, areaWidth-size4, indent, indent)
	lines[0].glyphs = append(head, lines[0].glyphs...)
	lines[0].indent = size4
	return lines, nil
}

// pageNumbers sets — 1 — 7 mm below the type area: odd pages at the right, even ones at the left, one character in
// (GB/T 9704-2012 7.5). The first page of a letter has none.
func (c *composer) pageNumbers() error {
	for i := range c.pages {
		if c.unnumbered[i] || i == 0 && c.doc.PageForm() == document.FormLetter {
			continue
		}
		g, err := c.pageNumber(fmt.Sprintf("— %d —", i+1))
		if err != nil {
			return err
		}
		top, _, err := inkSpan(g[:1])
		if err != nil {
			return err
		}
		x := areaRight - size4 - totalWidth(g)
		if (i+1)%2 == 0 {
			x = areaLeft + size4
		}
		c.putOn(i, PageNumber, g, x, areaBottom+pageNumberGap-top)
	}
	return nil
}

func (c *composer) pageNumber(text string) ([]glyph, error) {
	g, err := c.set.glyphs(text, plain(fonts.Song, size4))
	if err != nil {
		return nil, err
	}
	for i := range g {
		g[i].advance, g[i].shift = g[i].ink, 0
	}
	return g, nil
}
