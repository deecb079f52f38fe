package layout

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"yinxin/document"
)

func (c *checker) paper() {
	for i, p := range c.sheets {
		c.measure(i, "page", "width", p.Width, "")
		c.measure(i, "page", "height", p.Height, "")
	}
}

func (c *checker) labels() {
	var all strings.Builder
	if len(c.pieces) > 0 {
		for _, p := range c.pieces[0] {
			all.WriteString(p.text + "\n")
		}
	}
	if _, found := document.FindClassification(all.String()); found {
		c.wording(false, 0, "classification", "absent", "7.2.2", "page 1 bears a classification mark")
	}
	for _, p := range c.stray {
		if _, found := document.FindClassification(p.text); !found {
			c.wording(false, 0, "page", "stray", "7.2", p.text+": no element of the head")
		}
	}
	if p := c.copyNo; p != nil {
		if c.form != document.FormLetter {
			c.measure(0, CopyNumber, "top", p.top, p.text)
		}
		c.measure(0, CopyNumber, "left", p.left, p.text)
		c.sizes(CopyNumber, []piece{*p})
	}
	if p := c.urgent; p != nil {
		if c.form != document.FormLetter {
			line := textTop
			if c.copyNo != nil {
				line += oneRow
			}
			c.measure(0, Urgency, "line", p.top-line, p.text)
		}
		c.measure(0, Urgency, "left", p.left, p.text)
		c.sizes(Urgency, []piece{*p})
	}
}

// span is the box around pieces.
func span(list []piece) (left, right, inkTop, inkFoot float64) {
	left, right, inkTop, inkFoot = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range list {
		left, right = min(left, p.left), max(right, p.right)
		inkTop, inkFoot = min(inkTop, p.inkTop), max(inkFoot, p.inkFoot)
	}
	return left, right, inkTop, inkFoot
}

func (c *checker) redHead() {
	if len(c.sheets) == 0 {
		return
	}
	if len(c.head) == 0 {
		c.missing(0, RedHead, "7.2.4", "no red text in the upper half of page 1")
		return
	}
	left, right, top, _ := span(c.head)
	name := map[document.Form]string{
		document.FormCommon: "top", document.FormLetter: "top_letter", document.FormOrder: "top_order", document.FormMinutes: "top_minutes",
	}[c.form]
	c.measure(0, RedHead, name, top, c.head[0].text)
	c.measure(0, RedHead, "centre", (left+right)/2, c.head[0].text)
	c.measure(0, RedHead, "width", right-left, c.head[0].text)
	c.jointHead()
}

var leadingZero = regexp.MustCompile(`[〔\[（(［【]\d{4}[〕\])］）】](第|0)|第0`)

func (c *checker) number() {
	if len(c.sheets) == 0 {
		return
	}
	p := c.numberAt
	if p == nil {
		c.missing(0, Number, "7.2.5", "no 发文字号 on page 1")
		return
	}
	c.sizes(Number, []piece{*p})
	brackets := !strings.ContainsAny(p.text, "[]()（）［］【】")
	c.wording(brackets, 0, Number, "brackets", "7.2.5", p.text+": the year stands in 〔 〕")
	c.wording(!leadingZero.MatchString(p.text), 0, Number, "serial", "7.2.5", p.text+": no 第, no leading zero")
	top := p.top
	for _, a := range c.approve {
		top = min(top, a.top)
	}
	if c.form == document.FormLetter {
		c.measure(0, Number, "right_letter", p.right, p.text)
		if len(c.rules1) > 1 {
			c.measure(0, Number, "below_rule_letter", p.top-c.rules1[1].Y1-c.rules1[1].Width/2, p.text)
		}
		return
	}
	if _, _, _, foot := span(c.head); len(c.head) > 0 {
		c.measure(0, Number, "below_red_head", top-foot, p.text)
	}
	if len(c.approve) == 0 {
		c.measure(0, Number, "centre", p.centre(), p.text)
		return
	}
	c.measure(0, Number, "left_upward", p.left, p.text)
	last := c.approve[len(c.approve)-1]
	_, right, _, _ := span(c.approve)
	c.measure(0, Approver, "right", right, last.text)
	c.sizes(Approver, c.approve)
	c.measure(0, Approver, "line", last.top-p.top, last.text)
	labelled := slices.ContainsFunc(c.approve, func(a piece) bool { return strings.HasPrefix(a.text, "签发人") })
	c.wording(labelled, 0, Approver, "label", "7.2.6", last.text+": 签发人 stands before the names")
	c.approverColumn()
}

// approverColumn measures where the further lines of 签发人 begin: below the first name.
func (c *checker) approverColumn() {
	const label = 4 // characters of 签发人：
	var further []piece
	name := math.Inf(1)
	for i, p := range c.approve {
		switch {
		case strings.HasPrefix(p.text, "签发人：") && len(p.marks) > label:
			name = p.marks[label].x
		case i > 0 && p.top-c.approve[i-1].top > sameLine:
			further = append(further, p)
		case strings.HasPrefix(c.approve[max(i-1, 0)].text, "签发人") && math.IsInf(name, 1):
			name = p.left
		}
	}
	if !math.IsInf(name, 1) {
		c.worst(Approver, "column", further, func(p piece) float64 { return p.left - name })
	}
}

func (c *checker) redRules() {
	if len(c.sheets) == 0 {
		return
	}
	switch c.form {
	case document.FormOrder:
		return
	case document.FormLetter:
		c.letterRules()
		return
	}
	c.measure(0, RedRule, "count", float64(len(c.rules1)), "")
	if len(c.rules1) == 0 {
		return
	}
	r := c.rules1[0]
	c.measure(0, RedRule, "length", math.Abs(r.X2-r.X1), "")
	c.measure(0, RedRule, "left", min(r.X1, r.X2), "")
	c.measure(0, RedRule, "thickness", r.Width, "")
	above := c.numberAt
	if c.form == document.FormMinutes && c.date != nil {
		above = c.date
	}
	if above != nil {
		c.measure(0, RedRule, "below_number", r.Y1-above.foot, above.text)
	}
}

func (c *checker) letterRules() {
	r := c.rules1
	c.measure(0, RedRule, "count_letter", float64(len(r)), "")
	for _, x := range r {
		c.measure(0, RedRule, "length_letter", math.Abs(x.X2-x.X1), "")
		c.measure(0, RedRule, "centre_letter", (x.X1+x.X2)/2, "")
		c.measure(0, RedRule, "thickness_letter", x.Width, "")
	}
	if _, _, _, foot := span(c.head); len(c.head) > 0 && len(r) > 0 {
		c.measure(0, RedRule, "below_head_letter", r[0].Y1-foot, "")
	}
	if len(r) == 4 {
		c.measure(0, RedRule, "foot_letter", c.sheets[0].Height-r[3].Y1, "")
		c.measure(0, RedRule, "thick_above_letter", r[0].Width-r[1].Width, "")
		c.measure(0, RedRule, "thick_below_letter", r[3].Width-r[2].Width, "")
	}
}

func (c *checker) title() {
	if c.form == document.FormOrder || len(c.sheets) == 0 {
		return
	}
	if len(c.titles) == 0 {
		c.missing(0, Title, "7.3.1", "no text larger than the body below the head")
		return
	}
	first := c.titles[0]
	switch {
	case c.form == document.FormLetter:
		foot := 0.0
		for _, p := range []*piece{c.numberAt, c.copyNo, c.urgent} {
			if p != nil {
				foot = max(foot, p.foot)
			}
		}
		if foot > 0 {
			c.measure(0, Title, "below_last_letter", first.top-foot, first.text)
		}
	case len(c.rules1) > 0:
		c.measure(0, Title, "below_rule", first.top-c.rules1[0].Y1, first.text)
	}
	c.leading()
	for _, p := range c.titles {
		c.measure(0, Title, "centre", p.centre(), p.text)
		c.sizes(Title, []piece{p})
	}
}

// leading measures how evenly the lines of the title stand below each other.
func (c *checker) leading() {
	least, most := math.Inf(1), 0.0
	for i, p := range c.titles[1:] {
		if d := p.top - c.titles[i].top; d > sameLine {
			least, most = min(least, d), max(most, d)
		}
	}
	if most > 0 {
		c.measure(0, Title, "leading", most-least, c.titles[0].text)
	}
}

// addressedTitle are the ends of titles of documents that are sent to somebody.
var addressedTitle = regexp.MustCompile(`(意见|通知|通报|报告|请示|批复|议案|函)([（(][^（）()]*[）)])*$`)

func (c *checker) addressees() {
	if len(c.to) == 0 {
		c.noAddressees()
		return
	}
	first, last := c.to[0], c.to[len(c.to)-1]
	if n := len(c.titles); n > 0 {
		c.measure(0, To, "below_title", first.top-c.titles[n-1].foot, first.text)
	}
	c.measure(0, To, "left", first.left, first.text)
	c.sizes(To, c.to)
	c.wording(strings.HasSuffix(last.text, "："), 0, To, "colon", "7.3.2", last.text+": ends in a full-width colon")
}

// noAddressees reports a document of a kind that is sent to somebody and names nobody, here or in the 版记.
func (c *checker) noAddressees() {
	if !addressedTitle.MatchString(squeezed(joined(c.titles))) || c.form == document.FormMinutes ||
		slices.ContainsFunc(c.imprints, func(p piece) bool { return strings.HasPrefix(p.text, "主送") }) {
		return
	}
	c.missing(0, To, "7.3.2", "no 主送 below the title or in the 版记")
}
