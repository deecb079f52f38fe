package layout

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"yinxin/document"
	"yinxin/document/fonts"
)

// head sets everything above the body: GB/T 9704-2012 7.2, 7.3.1 and 7.3.2, or what the special form has there.
func (c *composer) head() error {
	for _, step := range c.headSteps() {
		if err := step(); err != nil {
			return err
		}
		if !fits(c.y) {
			return c.headTooLong()
		}
	}
	return nil
}

// headTooLong blames what takes the most room of a head that leaves none for the text.
func (c *composer) headTooLong() error {
	tops := make(map[Element]map[float64]bool) // lines of each element
	for _, r := range c.pages[0].Runs {
		if tops[r.Element] == nil {
			tops[r.Element] = make(map[float64]bool)
		}
		tops[r.Element][r.Y] = true
	}
	if n := len(tops[Approver]); n > len(tops[Title]) {
		return tooLong("approvers", "%d lines of 签发人 leave no room for the text on page 1", n)
	}
	return tooLong("title", "%d lines of title leave no room for the text on page 1", len(tops[Title]))
}

func (c *composer) commonLabels() error {
	_, err := c.labels(areaTop)
	return err
}

// labels are 份号 and 紧急程度 at the left, one a line from y on. It returns the top of the line below them.
func (c *composer) labels(y float64) (float64, error) {
	if c.doc.CopyNumber != "" {
		if err := c.putText(CopyNumber, c.doc.CopyNumber, body(fonts.FangSong), areaLeft, y); err != nil {
			return 0, err
		}
		y += pitch
	}
	if c.doc.Urgency != document.Normal {
		if err := c.putText(Urgency, c.doc.Urgency.String(), body(fonts.Hei), areaLeft, y); err != nil {
			return 0, err
		}
		y += pitch
	}
	return y, nil
}

func (c *composer) commonRedHead() error {
	if n := len(c.doc.JointIssuers); n > 0 {
		if c.jointHeadSize() >= leastJointHead {
			return c.jointRedHead()
		}
		c.set.warn("joint_red_head", "%d offices in the red head would be smaller than the title; the host stands there alone", n+1)
	}
	return c.redHead(c.doc.RedHead, redHeadTop)
}

// redHead sets the 发文机关标志 so that the upper edge of its ink lies at inkTop, and leaves y at the ink's lower edge.
func (c *composer) redHead(text string, inkTop float64) error {
	st := redStyle(redHeadLargest)
	w, err := c.set.width(text, st)
	if err != nil {
		return err
	}
	if w > areaWidth {
		st = redStyle(redHeadLargest * areaWidth / w)
	}
	if st.size < size2 {
		c.set.warn("red_head_small", "%d characters leave the red head smaller than the title; give the short name", utf8.RuneCountInString(text))
	}
	g, err := c.set.glyphs(text, st)
	if err != nil {
		return err
	}
	top, bottom, err := inkSpan(g)
	if err != nil {
		return err
	}
	at := inkTop - top
	c.put(RedHead, g, areaLeft+(areaWidth-totalWidth(g))/2, at)
	c.y = at + bottom
	return nil
}

func redStyle(size float64) style {
	st := plain(fonts.XiaoBiaoSong, size)
	st.color = Red()
	return st
}

// inkSpan is the highest and the lowest ink of a line, in mm below the top of its em.
func inkSpan(glyphs []glyph) (top, bottom float64, err error) {
	baseline := glyphs[0].face.EmTop() * glyphs[0].style.size
	top, bottom = baseline, 0
	for _, g := range glyphs {
		o, err := g.face.Outline(g.char)
		if err != nil {
			return 0, 0, err
		}
		if len(o.Segments) == 0 {
			continue
		}
		_, y1, _, y2 := o.Bounds()
		scale := g.style.size / float64(g.face.UnitsPerEm())
		top, bottom = min(top, baseline+y1*scale), max(bottom, baseline+y2*scale)
	}
	return top, bottom, nil
}

// The red head of a joint document, mm.
const (
	jointHeadGap    = 4.0  // before 文件
	jointHeadHeight = 60.0 // of all names
	leastJointHead  = 0.9 * size2
)

// jointHead is the names of a joint red head, the length of the longest and that of 文件 beside them, in characters.
func (c *composer) jointHead() (names []string, longest int, word float64) {
	names, longest = []string{strings.TrimSuffix(c.doc.RedHead, "文件")}, 1
	for _, o := range c.doc.JointIssuers {
		names = append(names, o.Name)
	}
	for _, n := range names {
		longest = max(longest, utf8.RuneCountInString(n))
	}
	if strings.HasSuffix(c.doc.RedHead, "文件") {
		word = 2
	}
	return names, longest, word
}

// jointHeadSize is the em of a joint red head. Names smaller than the title are no red head: the host's alone stands for
// them then (GB/T 9704-2012 7.2.4).
func (c *composer) jointHeadSize() float64 {
	names, longest, word := c.jointHead()
	return min(redHeadLargest, (areaWidth-jointHeadGap)/(float64(longest)+word), jointHeadHeight/float64(len(names)))
}

// jointRedHead sets the offices of a joint document one below the other, the host first, each spread to the width of the
// longest, and 文件 to the right in the middle of their height.
func (c *composer) jointRedHead() error {
	names, longest, word := c.jointHead()
	size := c.jointHeadSize()
	st := redStyle(size)
	left := areaLeft + (areaWidth-(float64(longest)+word)*size-jointHeadGap)/2
	line := size * 1.25
	first, err := c.set.glyphs(names[0], st)
	if err != nil {
		return err
	}
	ink, _, err := inkSpan(first)
	if err != nil {
		return err
	}
	top := redHeadTop - ink
	for i, n := range names {
		g, err := c.set.glyphs(n, st)
		if err != nil {
			return err
		}
		if extra := float64(longest)*size - totalWidth(g); len(g) > 1 {
			for j := range g[:len(g)-1] {
				g[j].advance += extra / float64(len(g)-1)
			}
		}
		c.put(RedHead, g, left, top+float64(i)*line)
	}
	height := line*float64(len(names)-1) + size
	c.y = top + height
	if word == 0 {
		return nil
	}
	return c.putText(RedHead, "文件", st, left+float64(longest)*size+jointHeadGap, top+(height-size)/2)
}

// numberLine sets the 发文字号 two lines below the red head, and the red rule 4 mm below that. An upward document has the
// number at the left and the 签发人 at the right.
func (c *composer) numberLine() error {
	y := c.y + twoLines
	st := body(fonts.FangSong)
	if c.doc.Direction == document.Upward && len(c.doc.Approvers) > 0 {
		g, err := c.set.glyphs(c.doc.Number.String(), st)
		if err != nil {
			return err
		}
		last, err := c.approvers(y, areaLeft+cell+totalWidth(g))
		if err != nil {
			return err
		}
		y = last
		c.put(Number, g, areaLeft+cell, y)
	} else if err := c.putCentred(Number, c.doc.Number.String(), st, y); err != nil {
		return err
	}
	c.y = y + size3 + redRuleGap
	c.rule(len(c.pages)-1, RedRule, c.y, redRuleWidth, Red())
	return nil
}

// approvers sets 签发人：and the names, two a line, further lines under the first name; one character stays free at the
// right. Where two a line would come near the number, which stands on the last line and reaches to numberEnd, there is one a
// line. It returns the top of the number's line.
func (c *composer) approvers(y, numberEnd float64) (float64, error) {
	label, err := c.set.glyphs("签发人：", body(fonts.FangSong))
	if err != nil {
		return 0, err
	}
	var names [][]glyph
	for _, n := range c.doc.Approvers {
		g, err := c.set.glyphs(n, body(fonts.Kai))
		if err != nil {
			return 0, err
		}
		names = append(names, g)
	}
	block := func(perLine int) (left float64, second float64) {
		var columns [2]float64 // widths
		for i, g := range names {
			columns[i%perLine] = max(columns[i%perLine], totalWidth(g))
		}
		left = areaRight - cell - columns[0]
		if perLine > 1 {
			left -= cell + columns[1]
		}
		return left, columns[0] + cell
	}
	for i, g := range names {
		if room := areaWidth - 2*cell - totalWidth(label); totalWidth(g) > room {
			return 0, tooLong(fmt.Sprintf("approvers[%d]", i), "%d characters, the line has room for %d", len(g), int(room/cell))
		}
	}
	perLine := min(2, len(names))
	left, second := block(perLine)
	near := func() bool { return left-totalWidth(label) < numberEnd+cell/2 }
	if near() && perLine > 1 {
		perLine = 1
		left, second = block(perLine)
	}
	c.put(Approver, label, left-totalWidth(label), y)
	for i, g := range names {
		if i > 0 && i%perLine == 0 {
			y += pitch
		}
		c.put(Approver, g, left+float64(i%perLine)*second, y)
	}
	if len(names) <= perLine && near() || left < numberEnd+cell/2 {
		c.set.warn("number_meets_approvers", "%s and 签发人 do not fit one line", c.doc.Number)
		y += pitch
	}
	return y, nil
}

// title sets the 标题 two lines below what stands above it, the red rule in the common form.
func (c *composer) title() error {
	lines, err := c.titleLines(c.doc.Title, c.doc.TitleLines)
	if err != nil {
		return err
	}
	c.y += twoLines
	for _, g := range lines {
		c.put(Title, g, areaLeft+(areaWidth-totalWidth(g))/2, c.y)
		c.y += titlePitch
	}
	c.y += size2 - titlePitch // below the last line's characters
	return nil
}

// addressees sets the 主送 one line below the title, ending in a colon. Where it would leave the first page without any
// body text it moves to the 版记.
func (c *composer) addressees() error {
	c.y += oneLine
	if len(c.doc.To) == 0 || c.toInImprint {
		return nil
	}
	g, err := c.set.glyphs(officeList(c.doc.To)+"：", body(fonts.FangSong))
	if err != nil {
		return err
	}
	lines := breakLines(g, areaWidth, 0, 0)
	if !fits(c.y + float64(len(lines))*pitch) {
		c.toInImprint = true
		return nil
	}
	for _, l := range lines {
		c.put(To, l.glyphs, areaLeft, c.y)
		c.y += pitch
	}
	return nil
}

func officeList(list []document.Office) string {
	names := make([]string, 0, len(list))
	for _, o := range list {
		names = append(names, strings.TrimRight(o.Name, "：:。"))
	}
	return strings.Join(names, "，")
}
