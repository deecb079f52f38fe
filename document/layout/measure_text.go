package layout

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"yinxin/document"
)

// worst measures the value that is farthest from the rule among several.
func (c *checker) worst(el Element, name string, list []piece, value func(piece) float64) {
	rule := c.rules[string(el)+"."+name]
	best, far := -1, -1.0
	for i, p := range list {
		v := value(p)
		if d := round(max(rule.least-v, v-rule.most, 0)); d > far {
			best, far = i, d
		}
	}
	if best >= 0 {
		c.measure(list[best].page, el, name, value(list[best]), list[best].text)
	}
}

// sizes measures the size that is farthest from the rule among all characters of an element.
func (c *checker) sizes(el Element, list []piece) {
	var all []piece
	for _, p := range list {
		for _, m := range p.marks {
			q := p
			q.size = m.run.Size
			if n := len(all); n == 0 || all[n-1].size != q.size || all[n-1].page != q.page {
				all = append(all, q)
			}
		}
	}
	c.worst(el, "size", all, func(p piece) float64 { return p.size })
}

// bodyText measures indents, the grid and the size of the 正文.
func (c *checker) bodyText() {
	if len(c.sheets) == 0 {
		return
	}
	onFirst := len(c.tables[0])
	for _, p := range c.body {
		if p.page == 0 {
			onFirst++
		}
	}
	c.measure(0, Body, "on_first_page", float64(onFirst), "")
	if c.form == document.FormOrder && c.numberAt != nil && onFirst > 0 {
		c.measure(0, Body, "below_number_order", c.body[0].top-c.numberAt.foot, c.body[0].text)
	}
	c.worst(Body, "indent", c.starts(), func(p piece) float64 { return p.left - textLeft })
	c.sizes(Body, c.body)
	var wide []piece
	for _, p := range c.body {
		if p.step > 0 {
			wide = append(wide, p)
		}
	}
	slices.SortStableFunc(wide, func(a, b piece) int { return compare(round(a.step), round(b.step)) })
	if len(wide) > 2 { // a line that gave a character to the next is stretched: the median line is the grid
		m := wide[len(wide)/2]
		c.measure(m.page, Body, "character", m.step, m.text)
	}
	c.worst(Body, "even", c.body, func(p piece) float64 { return p.uneven })
	c.worst(Body, "narrowest", wide, func(p piece) float64 { return p.step })
	for page := range c.sheets {
		c.grid(page)
	}
}

// grid measures the lines of one page.
func (c *checker) grid(page int) {
	var steps []float64
	lines := 0
	off, gap, text := 0.0, 0.0, ""
	for i, p := range c.body {
		if p.page != page {
			continue
		}
		lines++
		if i == 0 || c.body[i-1].page != page {
			continue
		}
		d := p.top - c.body[i-1].top
		if d > 1 && d < 1.6*oneRow {
			steps = append(steps, d)
		}
		if math.Abs(d) < sameLine || c.insertBetween(page, c.body[i-1].top, p.top) {
			continue
		}
		gap = max(gap, math.Round(d/oneRow))
		if o := math.Abs(d - oneRow*max(1, math.Round(d/oneRow))); o > off {
			off, text = o, p.text
		}
	}
	if lines > 1 {
		c.measure(page, Body, "off_grid", off, text)
		c.measure(page, Body, "gap", gap, "")
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

// insertBetween reports whether a table or a picture stands between two places of a page.
func (c *checker) insertBetween(page int, from, to float64) bool {
	return slices.ContainsFunc(c.tables[page], func(b band) bool { return b.foot > from && b.top < to })
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
	c.sizes(AttachmentRef, c.notes)
	if n := len(c.body); n > 0 && c.body[n-1].page == first.page {
		c.measure(first.page, AttachmentRef, "below", first.top-c.lastLine(first.page, c.body[n-1].top, first.top), first.text)
	}
	c.hanging()
	for _, p := range c.notes {
		c.wording(!strings.HasSuffix(p.text, "。") && !strings.HasSuffix(p.text, "；"), p.page, AttachmentRef, "punctuation", "7.3.4",
			p.text+": no closing punctuation")
	}
}

// hanging measures where the further lines of the 附件说明 begin: a number below the first one, a line that goes on below the
// first character of its name.
func (c *checker) hanging() {
	if len(c.notes) < 2 {
		return
	}
	name := 0.0 // where the name of the present item begins
	var worst piece
	far := -1.0
	for i, p := range c.notes {
		number := itemText.FindString(strings.TrimPrefix(p.text, "附件："))
		at := textLeft + 5*oneChar
		if i > 0 && number == "" {
			at = name
		} else {
			name = nameLeft(p, len([]rune(number)))
		}
		if off := round(math.Abs(p.left - at)); i > 0 && off > far {
			worst, far = p, off
		}
	}
	c.measure(worst.page, AttachmentRef, "hanging", far, worst.text)
}

// nameLeft is where the name of an item of the 附件说明 begins, behind the label and a number of so many characters.
func nameLeft(p piece, number int) float64 {
	at := number
	if strings.HasPrefix(p.text, "附件：") {
		at += len([]rune("附件："))
	}
	if at >= len(p.marks) {
		return p.left
	}
	return p.marks[at].x
}

// attendance measures 出席, 请假 and 列席: each begins a line with its label and a colon, further lines stand below the first
// name.
func (c *checker) attendance() {
	if len(c.people) == 0 {
		return
	}
	c.sizes(Attending, c.people)
	first := c.people[0]
	if n := len(c.body); n > 0 && c.body[n-1].page == first.page {
		c.measure(first.page, Attending, "below", first.top-c.lastLine(first.page, c.body[n-1].top, first.top), first.text)
	}
	name := 0.0
	var further []piece
	for i, p := range c.people {
		if label := peopleText.FindString(p.text); label != "" {
			c.measure(p.page, Attending, "indent", p.left-textLeft, p.text)
			exact := label == "出席：" || label == "请假：" || label == "列席："
			c.wording(exact, p.page, Attending, "label", "10.3", p.text+": 出席, 请假 or 列席 and a full-width colon")
			name = nameBehind(p, len([]rune(label)))
			continue
		}
		if p.page != c.people[i-1].page || p.top-c.people[i-1].top > sameLine {
			q := p
			q.left -= name
			further = append(further, q)
		}
	}
	c.worst(Attending, "hanging", further, func(p piece) float64 { return p.left })
}

// nameBehind is where the first name stands behind a label of so many characters.
func nameBehind(p piece, label int) float64 {
	if label >= len(p.marks) {
		return p.right
	}
	return p.marks[label].x
}

func (c *checker) note() {
	if c.date == nil {
		return
	}
	if c.remark == nil {
		if len(c.behind) > 0 && c.behind[0].page == c.date.page {
			c.wording(false, c.date.page, Note, "brackets", "7.3.6", c.behind[0].text+": full-width brackets")
		}
		return
	}
	p := c.remark
	left := p.left
	if p.loose { // the bracket fills the right half of its cell in most fonts, all of it in some
		left = math.Floor(left*1000) / 1000
	}
	c.measure(p.page, Note, "indent", left-textLeft, p.text)
	c.sizes(Note, []piece{*p})
	if p.page == c.date.page {
		name := "below_date"
		if len(c.names) > 1 || len(c.seals) > 1 { // below the last row of a joint document's seals
			name = "below_seals"
		}
		c.measure(p.page, Note, name, p.top-c.date.top, p.text)
		if foot, sealed := c.sealFoot(p.page); sealed && name == "below_seals" {
			c.measure(p.page, Note, "near_seals", p.top-max(foot, c.date.foot), p.text)
		}
	}
	c.wording(strings.HasPrefix(p.text, "（"), p.page, Note, "brackets", "7.3.6", p.text+": full-width brackets")
}

// sealFoot is the lower edge of the lowest seal of a page.
func (c *checker) sealFoot(page int) (foot float64, ok bool) {
	for _, s := range c.seals {
		if s.Page == page {
			foot, ok = max(foot, s.Y+s.Diameter/2), true
		}
	}
	return foot, ok
}

// annexes measures the labels and titles of the 附件, and holds them against the 附件说明.
func (c *checker) annexes() {
	titles := c.attachmentTitles()
	for page := range c.sheets {
		if !c.startsAnnex(page) {
			continue
		}
		list := c.pieces[page]
		c.measure(page, AnnexLabel, "top", list[0].top, list[0].text)
		c.measure(page, AnnexLabel, "left", list[0].left, list[0].text)
		c.sizes(AnnexLabel, list[:1])
		var title strings.Builder
		for i, p := range list[1:] {
			if p.size <= 1.2*c.bodySize {
				break
			}
			if i == 0 {
				c.measure(page, AnnexTitle, "top", p.top, p.text)
				c.measure(page, AnnexTitle, "centre", p.centre(), p.text)
			}
			c.sizes(AnnexTitle, []piece{p})
			title.WriteString(p.text)
		}
		c.annexNamed(page, list[0].text, title.String(), titles)
	}
	c.unlabelled()
}

// attachmentTitles are those that the 附件说明 lists.
func (c *checker) attachmentTitles() []string {
	r := &pageReader{checker: c, doc: &document.Document{}}
	r.readAttachments()
	var out []string
	for _, a := range r.doc.Attachments {
		out = append(out, squeezed(a.Title))
	}
	return out
}

// annexNamed judges whether number and title of an annex are those of the 附件说明.
func (c *checker) annexNamed(page int, label, title string, titles []string) {
	n := 1
	if v, err := strconv.Atoi(strings.TrimPrefix(label, "附件")); err == nil {
		n = v
	}
	listed := n >= 1 && n <= len(titles)
	c.wording(listed, page, AnnexLabel, "listed", "7.3.7", label+": one of the 附件说明")
	if listed && title != "" {
		c.wording(squeezed(title) == titles[n-1], page, AnnexTitle, "wording", "7.3.7", title+": as in the 附件说明")
	}
}

// unlabelled reports a page that goes on behind the signature without the label of an annex.
func (c *checker) unlabelled() {
	if c.date == nil || c.form == document.FormMinutes {
		return
	}
	told := map[int]bool{}
	for _, p := range c.behind {
		closing := c.remark != nil && p.page == c.remark.page
		if p.page > c.date.page && !closing && !c.annex[p.page] && !told[p.page] {
			told[p.page] = true
			c.missing(p.page, AnnexLabel, "7.3.7", "a page behind the signature that bears no 附件")
		}
	}
}

func (c *checker) startsAnnex(page int) bool {
	return page > 0 && len(c.pieces[page]) > 0 && annexText.MatchString(c.pieces[page][0].text)
}
