package layout

import (
	"fmt"
	"strings"

	"yinxin/document"
	"yinxin/document/fonts"
)

// flowLine is a line of the running text with what it is.
type flowLine struct {
	line
	element Element
	// gap is the number of empty lines before it.
	gap int
	// keep says that the line never ends a page: it is a heading.
	keep bool
	// row is a row of a table in place of the line, picture a picture.
	row     *tableRow
	picture *figure
}

// height is how far down the page the line reaches, to where the next begins.
func (f *flowLine) height() float64 {
	switch {
	case f.row != nil:
		return f.row.height
	case f.picture != nil:
		return f.picture.lines * pitch
	}
	return pitch
}

// fitsAt reports whether the line stays inside the type area with its top at y.
func (f *flowLine) fitsAt(y float64) bool {
	switch {
	case f.row != nil:
		return y+f.row.height <= areaBottom+0.01
	case f.picture != nil:
		return y+(f.picture.lines*pitch+f.picture.height)/2 <= areaBottom+0.01
	}
	return fits(y)
}

// text sets body, 附件说明, signature block and 附注. The signature never stands on a page without text: the last lines of
// the body go with it.
func (c *composer) text() error {
	flow, err := c.bodyLines(Body, c.doc.Body)
	if err != nil {
		return err
	}
	notes, err := c.attachmentLines()
	if err != nil {
		return err
	}
	people, err := c.attendanceLines()
	if err != nil {
		return err
	}
	tail, err := c.signaturePlan()
	if err != nil {
		return err
	}
	notes = append(notes, people...)
	if len(flow)+len(notes) == 1 && c.y+flow[0].height()+tail.height > areaBottom {
		flow = c.spread(flow)
	}
	if len(flow) > 0 && !c.toInImprint && len(c.doc.To) > 0 && c.paginate(flow, len(flow))[0].newPage {
		c.toInImprint = true // page 1 must bear text of the body (GB/T 9704-2012 7.3.2)
		return errAgain
	}
	c.setFlow(append(flow, notes...), len(notes), tail)
	return c.signature(tail)
}

// spread sets a body of one line wider, down to 24 characters a line, where that makes it two: one stays on the first page,
// the other goes with the signature (GB/T 9704-2012 7.3.5.5 has the spacing changed).
func (c *composer) spread(flow []flowLine) []flowLine {
	const fewest = 24
	f := flow[0]
	if f.row != nil || f.picture != nil {
		return flow
	}
	for chars := charsPerLine - 1; chars >= fewest; chars-- {
		wide := append([]glyph(nil), f.glyphs...)
		for i := range wide {
			wide[i].advance *= float64(charsPerLine) / float64(chars)
		}
		if lines := breakLines(wide, areaWidth, f.indent, 0); len(lines) == 2 && len(lines[1].glyphs) > 1 {
			second := f
			f.line, second.line = lines[0], lines[1]
			return []flowLine{f, second}
		}
	}
	return flow
}

// bodyLines breaks paragraphs into lines of the grid, headings in the face of their level (GB/T 9704-2012 7.3.3).
func (c *composer) bodyLines(el Element, paragraphs []document.Paragraph) ([]flowLine, error) {
	var out []flowLine
	for i, p := range paragraphs {
		if p.Table != nil {
			rows, err := c.tableLines(el, p.Table)
			if err != nil {
				return nil, err
			}
			out = append(out, rows...)
			continue
		}
		if p.Picture != nil {
			lines, err := c.pictureLines(el, p.Picture)
			if err != nil {
				return nil, err
			}
			out = append(out, lines...)
			continue
		}
		c.set.warnHalfWidth(p.Text)
		head := p.Heading()
		g, err := c.set.glyphs(head, body(headingFace(p.Level)))
		if err != nil {
			return nil, err
		}
		rest, err := c.set.glyphs(strings.TrimPrefix(p.Text, head), body(fonts.FangSong))
		if err != nil {
			return nil, err
		}
		g = append(g, rest...)
		lines := withCompany(breakStretched(g, areaWidth, 2*cell, 0), len(g))
		heading := len(rest) == 0 && headsText(paragraphs, i)
		for k, l := range lines {
			// a short last line does not begin a page: the line above goes with it
			short := k == len(lines)-2 && lines[k+1].width() <= shortLine
			out = append(out, flowLine{line: l, element: el, keep: heading || short})
		}
	}
	return out, nil
}

// shortLine is how long a paragraph's last line may be that never begins a page.
const shortLine = 7 * cell

// headsText reports whether a paragraph with a mark is the heading of what follows it: neither a sentence nor one of a
// list of short items.
func headsText(list []document.Paragraph, i int) bool {
	p := list[i]
	if p.Level == 0 || isSentence(p.Text) || i+1 == len(list) {
		return false
	}
	if next := list[i+1].Level; next > 0 && next <= p.Level {
		return false
	}
	return i == 0 || list[i-1].Level != p.Level || isSentence(list[i-1].Text)
}

func headingFace(level int) fonts.Role {
	switch level {
	case 1:
		return fonts.Hei
	case 2:
		return fonts.Kai
	}
	return fonts.FangSong
}

// attachmentLines is the 附件说明: one line below the body, two characters in, wrapped lines under the first character of
// the name, no closing punctuation.
func (c *composer) attachmentLines() ([]flowLine, error) {
	const label = "附件："
	st := body(fonts.FangSong)
	list := c.doc.Attachments
	indent := 2*cell + 3*cell
	var out []flowLine
	for i, a := range list {
		number := ""
		if len(list) > 1 {
			number = fmt.Sprintf("%d.", i+1)
		}
		prefix, err := c.set.glyphs(number, st)
		if err != nil {
			return nil, err
		}
		name, err := c.set.glyphs(a.Title, st)
		if err != nil {
			return nil, err
		}
		at := indent + totalWidth(prefix)
		for j, l := range breakLines(name, areaWidth, at, at) {
			f := flowLine{line: l, element: AttachmentRef}
			if j == 0 {
				f.glyphs = append(append([]glyph(nil), prefix...), l.glyphs...)
				f.indent = indent
			}
			f.last = true // never stretched
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	head, err := c.set.glyphs(label, st)
	if err != nil {
		return nil, err
	}
	out[0].glyphs = append(head, out[0].glyphs...)
	out[0].indent, out[0].gap = 2*cell, 1
	return out, nil
}

// isSentence reports whether a paragraph with a heading mark is text all the same.
func isSentence(text string) bool {
	return strings.HasSuffix(text, "。") || strings.HasSuffix(text, "；") || strings.HasSuffix(text, "，")
}

// setFlow sets lines down the pages. Where the signature does not fit below them, the last lines of the text go to its page.
func (c *composer) setFlow(flow []flowLine, notes int, tail signaturePlan) {
	places := c.paginate(flow, len(flow))
	if n := len(flow); n > 0 && places[n-1].y+flow[n-1].height()+tail.height > areaBottom+0.01 && tail.height > 0 {
		places = c.paginate(flow, lastPageFrom(flow, notes, tail))
	}
	for i, f := range flow {
		if places[i].newPage {
			c.newPage()
		}
		switch {
		case f.row != nil:
			if places[i].repeat {
				c.putRow(f.element, f.row.head, places[i].y-f.row.head.height, true, false)
			}
			c.putRow(f.element, f.row, places[i].y, places[i].newPage, i+1 < len(flow) && places[i+1].newPage)
		case f.picture != nil:
			c.putFigure(f.picture, places[i].y)
		default:
			c.put(f.element, f.justify(areaWidth), areaLeft+f.indent, places[i].y)
		}
		c.y = places[i].y + f.height()
	}
}

// lastPageFrom is the line of the flow that the page of the signature begins with. As little as may be goes there, so that
// the page before is filled: two lines of the text, the 附件说明 among them, and one of the body with it; fewer where they and
// the signature would not fit one page. A line at least stays behind.
func lastPageFrom(flow []flowLine, notes int, tail signaturePlan) int {
	n := len(flow)
	from := n - 2
	if notes <= linesPerPage/2 {
		from = min(from, n-notes-1)
	}
	for from > 1 && flow[from-1].keep {
		from--
	}
	from = max(1, from)
	for from < n-1 && flow[from-1].keep { // nothing but a heading would stay behind
		from++
	}
	height := func(from int) float64 {
		h := tail.height
		for i := from; i < n; i++ {
			h += flow[i].height()
			if i > from {
				h += float64(flow[i].gap) * pitch
			}
		}
		return h
	}
	for from < n-1 && height(from) > areaHeight+0.01 {
		from++
	}
	return from
}

// place is where a line of the flow goes.
type place struct {
	newPage bool
	// repeat says that the head of the table stands above the row once more.
	repeat bool
	y      float64
}

// paginate places lines from the composer's present height on. A page ends where the next line, or a heading with the line
// that it belongs to, does not fit, and before line breakAt.
func (c *composer) paginate(flow []flowLine, breakAt int) []place {
	out := make([]place, len(flow))
	y := c.y
	for i, f := range flow {
		y += float64(f.gap) * pitch
		need, last := y, i // top of the last line that has to be on the same page
		for last+1 < len(flow) && flow[last].keep && last-i < linesPerPage/2 {
			need += flow[last].height() + pitch*float64(flow[last+1].gap)
			last++
		}
		if (!flow[last].fitsAt(need) || i == breakAt) && y > areaTop {
			out[i].newPage = true
			y = areaTop
			if f.row != nil && f.row.head != nil {
				out[i].repeat = true
				y += f.row.head.height
			}
		}
		out[i].y = y
		y += f.height()
	}
	return out
}

// annexes sets every printed annex on pages of its own (GB/T 9704-2012 7.3.7).
func (c *composer) annexes() error {
	for _, a := range c.doc.Annexes {
		c.newPage()
		label := "附件"
		if len(c.doc.Attachments) > 1 {
			label = fmt.Sprintf("附件%d", a.Number)
		}
		if err := c.putText(AnnexLabel, label, body(fonts.Hei), areaLeft, c.y); err != nil {
			return err
		}
		c.y += 2 * pitch // the title stands on line 3
		lines, err := c.titleLines(a.Title, nil)
		if err != nil {
			return err
		}
		for _, g := range lines {
			c.put(AnnexTitle, g, areaLeft+(areaWidth-totalWidth(g))/2, c.y)
			c.y += titlePitch
		}
		c.y += pitch
		flow, err := c.bodyLines(AnnexBody, a.Body)
		if err != nil {
			return err
		}
		c.setFlow(flow, 0, signaturePlan{})
	}
	return nil
}
