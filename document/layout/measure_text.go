package layout

import (
	"math"
	"slices"
	"strings"

	"yinxin/document"
)

// worst measures the value that is farthest from the rule among several.
func (c *checker) worst(el Element, name string, list []piece, value func(piece) float64) {
	rule := c.rules[string(el)+"."+name]
	best, far := -1, -1.0
	for i, p := range list {
		v := value(p)
		if d := max(rule.least-v, v-rule.most, 0); d > far {
			best, far = i, d
		}
	}
	if best >= 0 {
		c.measure(list[best].page, el, name, value(list[best]), list[best].text)
	}
}

// bodyText measures indents, the grid and the size of the 正文.
func (c *checker) bodyText() {
	if len(c.sheets) == 0 {
		return
	}
	onFirst := len(c.tables[0])
	var starts []piece
	for i, p := range c.body {
		if p.page == 0 {
			onFirst++
		}
		if p.left > textLeft+oneChar/2 && !p.loose && (i == 0 || p.top > c.body[i-1].top || p.page > c.body[i-1].page) {
			starts = append(starts, p)
		}
	}
	c.measure(0, Body, "on_first_page", float64(onFirst), "")
	if c.form == document.FormOrder && c.numberAt != nil && onFirst > 0 {
		c.measure(0, Body, "below_number_order", c.body[0].top-c.numberAt.foot, c.body[0].text)
	}
	c.worst(Body, "indent", starts, func(p piece) float64 { return p.left - textLeft })
	c.worst(Body, "size", c.body, func(p piece) float64 { return p.size })
	var wide []piece
	for _, p := range c.body {
		if p.step > 0 {
			wide = append(wide, p)
		}
	}
	slices.SortStableFunc(wide, func(a, b piece) int { return compare(round(a.step), round(b.step)) })
	if len(wide) > 0 { // a line that gave a character to the next is stretched: the median line is the grid
		m := wide[len(wide)/2]
		c.measure(m.page, Body, "character", m.step, m.text)
	}
	for page := range c.sheets {
		c.grid(page)
	}
}

// grid measures the lines of one page.
func (c *checker) grid(page int) {
	var steps []float64
	lines := 0
	for i, p := range c.body {
		if p.page != page {
			continue
		}
		lines++
		if i > 0 && c.body[i-1].page == page {
			if d := p.top - c.body[i-1].top; d > 1 && d < 1.6*oneRow {
				steps = append(steps, d)
			}
		}
	}
	if len(steps) > 1 {
		sum := 0.0
		for _, s := range steps {
			sum += s
		}
		c.measure(page, Body, "pitch", sum/float64(len(steps)), "")
		c.measure(page, Body, "lines", float64(lines), "")
	}
}

// typeArea measures the margins where text fills them, and what reaches beyond.
func (c *checker) typeArea() {
	const full = 150 // mm: a line that fills the type area
	for page := range c.sheets {
		left, deepest, right, n := math.Inf(1), math.Inf(-1), math.Inf(-1), 0
		for _, p := range c.body {
			if p.page != page || p.loose {
				continue
			}
			left, deepest = min(left, p.left), max(deepest, p.left)
			if p.right-p.left > full-2*oneChar {
				n++
				right = max(right, p.right)
			}
		}
		if deepest-left > 1.5*oneChar { // else no line of the page begins at the margin, or all do
			c.measure(page, "type_area", "left", left, "")
		}
		if n > 2 {
			c.measure(page, "type_area", "right", right, "")
		}
		if first := c.firstLine(page); page > 0 && first != nil && !c.tableAbove(page, first.top) {
			c.measure(page, "type_area", "top", first.top, first.text)
		}
		c.beyond(page)
	}
}

// firstLine is the first line of a page that continues the text; nil for other pages.
func (c *checker) firstLine(page int) *piece {
	for i := range c.body {
		if c.body[i].page == page {
			return &c.body[i]
		}
	}
	return nil
}

// beyond measures how far text reaches out of the type area. Page numbers and the red head of a letter stand outside.
func (c *checker) beyond(page int) {
	worst, text := 0.0, ""
	for _, p := range c.pieces[page] {
		if p.red || pageNumberText.MatchString(p.text) && p.top > textFoot-oneRow {
			continue
		}
		out := max(textLeft-p.left, p.right-textRight, p.foot-textFoot)
		if c.form != document.FormLetter || page > 0 {
			out = max(out, textTop-p.top)
		}
		if p.loose { // such a mark fills part of its cell only
			out = max(p.right-textRight, p.foot-textFoot)
		}
		if out > worst {
			worst, text = out, p.text
		}
	}
	for _, f := range c.sheets[page].Pictures {
		out := max(textLeft-f.X, f.X+f.Width-textRight, textTop-f.Y, f.Y+f.Height-textFoot)
		if out > worst {
			worst, text = out, "a picture"
		}
	}
	if len(c.pieces[page])+len(c.sheets[page].Pictures) > 0 {
		c.measure(page, "type_area", "within", worst, text)
	}
}

func (c *checker) attachments() {
	if len(c.notes) == 0 {
		return
	}
	first := c.notes[0]
	c.measure(first.page, AttachmentRef, "indent", first.left-textLeft, first.text)
	if n := len(c.body); n > 0 && c.body[n-1].page == first.page {
		c.measure(first.page, AttachmentRef, "below", first.top-c.body[n-1].top, first.text)
	}
	for _, p := range c.notes {
		c.wording(!strings.HasSuffix(p.text, "。") && !strings.HasSuffix(p.text, "；"), p.page, AttachmentRef, "punctuation", "7.3.4",
			p.text+": no closing punctuation")
	}
}

func (c *checker) attendance() {
	for _, p := range c.people {
		if peopleText.MatchString(p.text) {
			c.measure(p.page, Attending, "indent", p.left-textLeft, p.text)
		}
	}
}

func (c *checker) note() {
	if c.remark == nil || c.date == nil {
		return
	}
	p := c.remark
	left := p.left
	if p.loose { // the bracket fills the right half of its cell in most fonts, all of it in some
		left = math.Floor(left*1000) / 1000
	}
	c.measure(p.page, Note, "indent", left-textLeft, p.text)
	if p.page == c.date.page {
		c.measure(p.page, Note, "below_date", p.top-c.date.top, p.text)
	}
	c.wording(strings.HasPrefix(p.text, "（"), p.page, Note, "brackets", "7.3.6", p.text+": full-width brackets")
}

func (c *checker) annexes() {
	for page := range c.sheets {
		if !c.annex[page] && !c.startsAnnex(page) {
			continue
		}
		list := c.pieces[page]
		c.measure(page, AnnexLabel, "top", list[0].top, list[0].text)
		c.measure(page, AnnexLabel, "left", list[0].left, list[0].text)
		if len(list) > 1 && list[1].size > 1.2*c.bodySize {
			c.measure(page, AnnexTitle, "top", list[1].top, list[1].text)
			c.measure(page, AnnexTitle, "centre", list[1].centre(), list[1].text)
		}
	}
}

func (c *checker) startsAnnex(page int) bool {
	return page > 0 && len(c.pieces[page]) > 0 && annexText.MatchString(c.pieces[page][0].text)
}
