package layout

import (
	"yinxin/document"
	"yinxin/document/fonts"
)

// The special forms of GB/T 9704-2012 chapter 10, in mm.
const (
	letterHeadTop   = 30.0            // 信函: upper edge of the red head's ink, from the paper's edge
	letterRuleGap   = 4.0             // from the red head's ink to the first double rule
	letterRuleFoot  = PageHeight - 20 // the second double rule
	letterRuleWidth = 170.0           // length of both
	letterRuleLeft  = (PageWidth - letterRuleWidth) / 2
	doubleThick     = 1.0             // thickness of the thick rule of a pair
	doubleThin      = 0.35            // and of the thin one
	doubleGap       = 1.5             // between the centres of a pair
	letterFirstGap  = 7.0 / 8 * size3 // from the double rule to the first line below it
	orderHeadTop    = areaTop + 20    // 命令: upper edge of the red head's ink
)

// letterHead sets the head of a 信函: the red head, the first double rule, below it the labels at the left and the number
// at the right, the second double rule at the foot of the page (10.1).
func (c *composer) letterHead() error {
	if err := c.redHead(c.doc.RedHead, letterHeadTop); err != nil {
		return err
	}
	y := c.y + letterRuleGap
	c.letterRule(y, doubleThick)
	c.letterRule(y+doubleGap, doubleThin)
	c.letterRule(letterRuleFoot-doubleGap, doubleThin)
	c.letterRule(letterRuleFoot, doubleThick)
	y += doubleGap + doubleThin/2 + letterFirstGap
	g, err := c.set.glyphs(c.doc.Number.String(), body(fonts.FangSong))
	if err != nil {
		return err
	}
	end, err := c.labels(y)
	if err != nil {
		return err
	}
	if at := areaRight - totalWidth(g); at < c.labelsRight()+cell {
		c.set.warn("number_meets_labels", "%s and 份号 or 紧急程度 do not fit one line", c.doc.Number)
		y, end = end, end+pitch
	}
	c.put(Number, g, areaRight-totalWidth(g), y)
	c.y = max(y, end-pitch) + size3
	return nil
}

// labelsRight is where 份号 and 紧急程度 end, or the left edge.
func (c *composer) labelsRight() float64 {
	end := areaLeft - cell
	for i := range c.pages[0].Runs {
		if r := &c.pages[0].Runs[i]; r.Element == CopyNumber || r.Element == Urgency {
			end = max(end, r.X+r.Width())
		}
	}
	return end
}

// letterRule draws a red rule of a letter, on its first page.
func (c *composer) letterRule(y, width float64) {
	p := &c.pages[0]
	p.Rules = append(p.Rules, Rule{
		Element: RedRule, X1: letterRuleLeft, Y1: y, X2: letterRuleLeft + letterRuleWidth, Y2: y, Width: width, Color: Red(),
	})
}

// orderHead sets the head of a 命令: the red head, the 令号 two lines below it, and leaves two lines before the text; an
// order prints neither title nor addressees (10.2).
func (c *composer) orderHead() error {
	if err := c.redHead(c.doc.RedHead, orderHeadTop); err != nil {
		return err
	}
	y := c.y + twoLines
	if err := c.putCentred(Number, c.doc.Number.String(), body(fonts.FangSong), y); err != nil {
		return err
	}
	c.y = y + size3 + twoLines
	return nil
}

// minutesHead sets the head of 纪要: red head as in the common form, the number below it, then the office at the left and
// the date at the right on the line above the red rule (10.3 leaves all but the red head to the office).
func (c *composer) minutesHead() error {
	if err := c.redHead(c.doc.RedHead, redHeadTop); err != nil {
		return err
	}
	st := body(fonts.FangSong)
	y := c.y + twoLines
	if err := c.putCentred(Number, c.doc.Number.String(), st, y); err != nil {
		return err
	}
	y += 2 * pitch
	date, name, err := c.dateAndName()
	if err != nil {
		return err
	}
	for i, l := range officeLines(name, areaWidth-3*cell-totalWidth(date)) {
		if i > 0 {
			y += pitch
		}
		c.put(SignedBy, l.glyphs, areaLeft+cell, y)
	}
	c.put(IssuedOn, date, areaRight-cell-totalWidth(date), y)
	c.y = y + size3 + redRuleGap
	c.rule(len(c.pages)-1, RedRule, c.y, redRuleWidth, Red())
	return nil
}

// attendanceLines are 出席, 请假 and 列席 of minutes: one line below the text, two characters in, the label in 黑体, wrapped
// lines under the first name (10.3).
func (c *composer) attendanceLines() ([]flowLine, error) {
	var out []flowLine
	for i, a := range c.doc.Attendance {
		label, err := c.set.glyphs(a.Label+"：", body(fonts.Hei))
		if err != nil {
			return nil, err
		}
		at := 2*cell + totalWidth(label)
		lines, err := c.nameLines(a.Names, at)
		if err != nil {
			return nil, err
		}
		for j, l := range lines {
			f := flowLine{line: l, element: Attending}
			f.last = true // never stretched
			if j == 0 {
				f.glyphs = append(append([]glyph(nil), label...), l.glyphs...)
				f.indent = 2 * cell
				if i == 0 {
					f.gap = 1
				}
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// nameLines sets names one character apart and keeps each on one line, save one that no line could hold.
func (c *composer) nameLines(names []string, indent float64) ([]line, error) {
	var out []line
	for _, n := range names {
		g, err := c.set.glyphs("　"+n, body(fonts.FangSong))
		if err != nil {
			return nil, err
		}
		if k := len(out) - 1; k >= 0 && out[k].width()+totalWidth(g) <= areaWidth-indent {
			out[k].glyphs = append(out[k].glyphs, g...)
			continue
		}
		out = append(out, breakLines(g[1:], areaWidth, indent, indent)...)
	}
	return out, nil
}

// headSteps are what stands above the body, by form.
func (c *composer) headSteps() []func() error {
	switch c.doc.PageForm() {
	case document.FormLetter:
		return []func() error{c.letterHead, c.title, c.addressees}
	case document.FormOrder:
		return []func() error{c.orderHead}
	case document.FormMinutes:
		return []func() error{c.commonLabels, c.minutesHead, c.title, c.addressees}
	}
	return []func() error{c.commonLabels, c.commonRedHead, c.numberLine, c.title, c.addressees}
}
