package layout

import (
	"fmt"
	"slices"
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

func (p imprintPart) height(pitch float64) float64 {
	return imprintRow + float64(len(p.lines)-1)*pitch
}

func imprintHeight(parts []imprintPart, pitch float64) float64 {
	height := 0.0
	for _, p := range parts {
		height += p.height(pitch)
	}
	return height
}

// imprint sets the 版记 at the foot of the last page, which must be an even one (GB/T 33476.2 7.3.1). A document with
// neither copies nor a printing office has none. A list that is too long for its page is set closer first; one that no page
// holds takes several, the last of them full.
func (c *composer) imprint() error {
	parts, err := c.imprintParts()
	if err != nil || len(parts) == 0 {
		return err
	}
	letter := c.doc.PageForm() == document.FormLetter
	pitch := c.imprintPitch(parts, letter)
	sheets := imprintSheets(parts, pitch)
	c.imprintPage(imprintHeight(sheets[0], pitch), len(sheets), letter)
	for i, sheet := range sheets {
		if i > 0 {
			c.newPage()
		}
		c.imprintSheet(sheet, pitch, !letter)
		if len(c.pages) > maxPages {
			return nil // Compose refuses it
		}
	}
	return nil
}

// imprintPitch is the widest distance of lines that keeps the 版记 on the present page, else on one page.
func (c *composer) imprintPitch(parts []imprintPart, letter bool) float64 {
	rooms := []float64{areaHeight}
	if letter || len(c.pages)%2 == 0 {
		rooms = []float64{areaBottom - c.low - imprintGap, areaHeight}
	}
	for _, room := range rooms {
		for _, pitch := range []float64{imprintPitch, imprintCloser, imprintClosest} {
			if imprintHeight(parts, pitch) <= room {
				return pitch
			}
		}
	}
	return imprintClosest
}

// imprintSheets cuts the 版记 into what stands on each page, filled from the end: the last page holds as much as it can.
func imprintSheets(parts []imprintPart, pitch float64) [][]imprintPart {
	var sheets [][]imprintPart
	sheet, room := []imprintPart(nil), areaHeight
	for _, p := range slices.Backward(parts) {
		for len(p.lines) > 0 {
			n := min(len(p.lines), 1+int((room-imprintRow)/pitch)) // lines that still go on the page
			if room < imprintRow || n < len(p.lines) && len(p.right) > 0 {
				sheets, sheet, room = append(sheets, sheet), nil, areaHeight
				continue
			}
			last := p
			last.lines, p.lines = p.lines[len(p.lines)-n:], p.lines[:len(p.lines)-n]
			sheet = append([]imprintPart{last}, sheet...)
			room -= last.height(pitch)
		}
	}
	sheets = append(sheets, sheet)
	slices.Reverse(sheets)
	return sheets
}

// imprintPage goes to the page that the 版记 begins on: the present one where it has room and the count of sheets ends on an
// even page, else a new one, behind a blank page where that is what makes it even. The blank page and those of the 版记
// behind it carry no number (GB/T 9704-2012 7.5).
func (c *composer) imprintPage(height float64, sheets int, letter bool) {
	fitsHere := c.low+imprintGap <= areaBottom-height+0.01
	switch {
	case fitsHere && (letter || (len(c.pages)+sheets-1)%2 == 0):
		return
	case letter || (len(c.pages)+sheets)%2 == 0:
		c.newPage()
		return
	}
	c.newPage()
	c.newPage()
	for i := range sheets + 1 {
		c.unnumbered[len(c.pages)-2+i] = true
	}
}

// imprintSheet sets what stands on the last page, down to the foot of the type area. A letter has no rules (10.1).
func (c *composer) imprintSheet(parts []imprintPart, pitch float64, ruled bool) {
	page := len(c.pages) - 1
	y := areaBottom - imprintHeight(parts, pitch)
	for i, p := range parts {
		width := imprintInner
		if i == 0 {
			width = imprintOuter
		}
		if ruled {
			c.rule(page, ImprintRule, y, width, Black())
		}
		c.imprintPart(page, p, y, pitch)
		y += p.height(pitch)
	}
	if ruled {
		c.rule(page, ImprintRule, areaBottom, imprintOuter, Black())
	}
}

func (c *composer) imprintPart(page int, p imprintPart, y, pitch float64) {
	top := y + (imprintRow-size4)/2
	for i, l := range p.lines {
		c.putOn(page, p.element, l.glyphs, areaLeft+l.indent, top+float64(i)*pitch)
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
