package layout

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"yinxin/document"
)

var zeroDate = regexp.MustCompile(`年0|月0`)

// lastText is the lowest line of text above the signature on a page; nil without one.
func (c *checker) lastText(page int) *piece {
	var last *piece
	for _, list := range [][]piece{c.body, c.notes, c.people} {
		for i := range list {
			if p := &list[i]; p.page == page && (last == nil || p.foot > last.foot) {
				last = p
			}
		}
	}
	return last
}

// signature measures 署名 and 成文日期. Which of the three ways it is made in shows in the places of name and date.
func (c *checker) signature() {
	if len(c.sheets) == 0 {
		return
	}
	if c.date == nil {
		c.missing(len(c.sheets)-1, IssuedOn, "7.3.5.4", "no 成文日期 on any page")
		return
	}
	d := c.date
	c.wording(!zeroDate.MatchString(d.text), d.page, IssuedOn, "digits", "7.3.5.4", d.text+": no leading zeros")
	c.sizes(IssuedOn, []piece{*d})
	c.sizes(SignedBy, c.names)
	if c.form == document.FormMinutes {
		c.measure(d.page, IssuedOn, "from_right_minutes", textRight-d.right, d.text)
		return
	}
	if len(c.names) == 0 {
		c.missing(d.page, SignedBy, "7.3.5", "no 署名 above the date")
		return
	}
	c.jointNames()
	switch {
	case c.stamped():
		c.stampBlock()
	case c.overDate():
		c.sealBlock()
	default:
		c.plainBlock()
	}
}

// stamped reports whether the line above the date is an office title beside a 签名章: it stands farther above it than a
// name does.
func (c *checker) stamped() bool {
	return len(c.names) == 1 && c.date.top-c.names[0].top > 1.6*oneRow
}

// overDate reports whether the last name is centred on the date rather than set by 7.3.5.2.
func (c *checker) overDate() bool {
	if len(c.seals) > 0 || c.inColumns() {
		return true
	}
	name := c.names[len(c.names)-1]
	return math.Abs(name.centre()-c.date.centre()) < math.Abs(c.date.left-name.left-2*oneChar)
}

// lastName is the name nearest the date.
func (c *checker) lastName() piece {
	best := c.names[0]
	for _, p := range c.names[1:] {
		if p.page != best.page && best.page == c.date.page {
			continue
		}
		if p.page == c.date.page && best.page != p.page || math.Hypot(p.centre()-c.date.centre(), p.top-c.date.top) < math.Hypot(best.centre()-c.date.centre(), best.top-c.date.top) {
			best = p
		}
	}
	return best
}

func (c *checker) sealBlock() {
	d, name := c.date, c.lastName()
	c.measure(d.page, SignedBy, "over_date", name.centre()-d.centre(), name.text)
	c.measure(d.page, SignedBy, "above_date", d.top-name.top, name.text)
	edge := slices.ContainsFunc(c.names, func(p piece) bool {
		return p.right > textRight-usual && over(p, c.names) || p.right > textRight-usual && p.text == name.text
	})
	if !edge { // a name that reaches the edge moves the date
		c.measure(d.page, IssuedOn, "from_right", textRight-d.right, d.text)
	}
	if len(c.seals) == 0 {
		c.warn("unsealed", "name and date stand as under a seal, and there is none on the page")
	}
}

func (c *checker) plainBlock() {
	d := c.date
	width := d.right - d.left
	for i, p := range c.names {
		want := min(textRight-2*oneChar-(p.right-p.left), textRight-2*oneChar-width-2*oneChar)
		c.measure(p.page, SignedBy, "place", p.left-want, p.text)
		if i == len(c.names)-1 {
			c.measure(d.page, IssuedOn, "beside_name", d.left-p.left, d.text)
			c.measure(d.page, SignedBy, "above_date", d.top-p.top, p.text)
		}
	}
	first := c.names[0]
	if last := c.lastText(first.page); last != nil {
		c.measure(first.page, SignedBy, "below_text", first.top-c.lastLine(first.page, last.top, first.top), first.text)
	}
}

func (c *checker) stampBlock() {
	d, title := c.date, c.names[0]
	c.measure(d.page, IssuedOn, "from_right_stamp", textRight-d.right, d.text)
	for _, s := range c.seals {
		if s.Page != d.page {
			continue
		}
		c.measure(d.page, "stamp", "from_right", textRight-s.X-s.Diameter/2, "")
		c.measure(d.page, IssuedOn, "below_stamp", d.top-s.Y-s.Diameter/2, d.text)
		c.measure(d.page, OfficeTitle, "beside_stamp", s.X-s.Diameter/2-title.right, title.text)
		c.measure(d.page, OfficeTitle, "middle", title.middle()-s.Y, title.text)
		if last := c.lastText(d.page); last != nil {
			c.measure(d.page, "stamp", "below_text", s.Y-s.Diameter/2-last.top-oneRow, last.text)
		}
		return
	}
	c.warn("unsealed", "an office title stands beside the place of a 签名章, and there is none on the page")
}

// sealPlaces measures every seal: 骑年盖月, upper edge, neighbours, type area, page.
func (c *checker) sealPlaces() {
	if c.date == nil || len(c.seals) == 0 || len(c.names) > 0 && c.stamped() || c.form == document.FormMinutes {
		return
	}
	d := c.date
	over := c.sealOverDate()
	for i, s := range c.seals {
		label := fmt.Sprintf("seal %d", i+1)
		name, named := c.nameUnder(s)
		if !named || s.Page > d.page { // the rows of a joint document may begin on a page before
			c.measure(s.Page, "seal", "page", math.Abs(float64(s.Page-d.page)), label)
		}
		c.measure(s.Page, "seal", "within", max(textLeft-s.X+s.Diameter/2, s.X+s.Diameter/2-textRight, 0), label)
		for _, other := range c.seals[:i] {
			if other.Page == s.Page {
				c.measure(s.Page, "seal", "apart", math.Hypot(s.X-other.X, s.Y-other.Y)-(s.Diameter+other.Diameter)/2, label)
			}
		}
		if i == over {
			c.measure(s.Page, "seal", "over_date", s.X-d.centre(), d.text)
			c.measure(s.Page, "seal", "date_below_centre", (d.middle()-s.Y)/s.Diameter, d.text)
		}
		if named {
			c.measure(s.Page, SignedBy, "in_seal", math.Abs(name.middle()-s.Y)/s.Diameter, name.text)
			c.measure(s.Page, SignedBy, "under_seal", name.centre()-s.X, name.text)
		}
	}
	for page := range c.sheets {
		c.firstRow(page)
	}
}

// sealOverDate is the seal nearest the date.
func (c *checker) sealOverDate() int {
	best, far := -1, math.Inf(1)
	for i, s := range c.seals {
		if d := math.Hypot(s.X-c.date.centre(), s.Y-c.date.middle()); s.Page == c.date.page && d < far {
			best, far = i, d
		}
	}
	return best
}

// nameUnder is the name nearest a seal's centre among those in its column.
func (c *checker) nameUnder(s Spot) (best piece, ok bool) {
	far := s.Diameter
	for _, p := range c.names {
		if d := math.Abs(p.middle() - s.Y); p.page == s.Page && math.Abs(p.centre()-s.X) < s.Diameter/2 && d < far {
			best, far, ok = p, d, true
		}
	}
	return best, ok
}

// firstRow measures the upper edge of the highest seal of a page against the text above it.
func (c *checker) firstRow(page int) {
	top, on := math.Inf(1), false
	for _, s := range c.seals {
		if s.Page == page {
			top, on = min(top, s.Y-s.Diameter/2), true
		}
	}
	if !on || page != c.date.page && !slices.ContainsFunc(c.names, func(p piece) bool { return p.page == page }) {
		return
	}
	lines := 0
	for _, list := range [][]piece{c.body, c.notes, c.people} {
		for _, p := range list {
			if p.page == page {
				lines++
			}
		}
	}
	c.measure(page, "seal", "with_text", float64(lines+len(c.tables[page])), "")
	last := c.lastText(page)
	foot, table := c.tableFoot(page, top+oneRow)
	switch {
	case last != nil && (!table || last.foot > foot):
		c.measure(page, "seal", "below_text", top-last.foot, last.text)
	case table:
		c.measure(page, "seal", "below_text", top-foot, "a table")
	}
}

// imprint measures the 版记.
func (c *checker) imprint() {
	last := len(c.sheets) - 1
	if last < 0 {
		return
	}
	if len(c.imprints) == 0 && len(c.lines) == 0 {
		if c.form == document.FormCommon { // drafts that name no printing office have none
			c.warn("imprint_missing", "no 版记 on page %d, the last", last+1)
		}
		return
	}
	if c.form != document.FormLetter {
		c.measure(last, ImprintRule, "odd_page", float64((last+1)%2), "")
		c.measure(last, ImprintRule, "count", float64(len(c.lines)), "")
		for i, r := range c.lines {
			c.measure(last, ImprintRule, "length", math.Abs(r.X2-r.X1), "")
			name := "inner"
			if i == 0 || i == len(c.lines)-1 {
				name = "outer"
			}
			c.measure(last, ImprintRule, name, r.Width, "")
		}
		if n := len(c.lines); n > 0 {
			c.measure(last, ImprintRule, "last", c.lines[n-1].Y1, "")
		}
		c.partingRule(last)
	}
	c.imprintText()
}

func (c *checker) imprintText() {
	c.printing()
	for i, p := range c.imprints {
		switch {
		case strings.HasPrefix(p.text, "抄送"), strings.HasPrefix(p.text, "主送"):
			c.measure(p.page, CC, "left", p.left, p.text)
			c.sizes(CC, []piece{p})
			c.listLines(i)
			c.wording(strings.HasPrefix(p.text, "抄送：") || strings.HasPrefix(p.text, "主送："), p.page, CC, "colon", "7.4.2", p.text)
			c.wording(strings.HasSuffix(c.listFrom(i), "。"), p.page, CC, "full_stop", "7.4.2", p.text+": ends in a full stop")
		case printedText.MatchString(p.text):
			c.measure(p.page, PrintedOn, "right", p.right, p.text)
			c.sizes(PrintedOn, []piece{p})
			if i > 0 && c.imprints[i-1].page == p.page && math.Abs(c.imprints[i-1].top-p.top) < sameLine {
				c.measure(p.page, PrintedBy, "left", c.imprints[i-1].left, c.imprints[i-1].text)
			}
		}
	}
}

// printing reports a 版记 in which who printed stands without the date. Drafts that name no printing office have neither.
func (c *checker) printing() {
	if c.form == document.FormLetter || slices.ContainsFunc(c.imprints, func(p piece) bool { return printedText.MatchString(p.text) }) {
		return
	}
	for i, p := range c.imprints {
		list := strings.HasPrefix(p.text, "抄送") || strings.HasPrefix(p.text, "主送")
		if i > 0 && !list && strings.HasSuffix(c.imprints[i-1].text, "。") || dateParts.MatchString(p.text) {
			c.missing(p.page, PrintedOn, "7.4.3", p.text+": no 印发日期 beside it")
			return
		}
	}
	c.warn("imprint_missing", "no 印发机关 and 印发日期 in the 版记")
}

// listFrom is the text of the list in the 版记 that begins with its piece i.
func (c *checker) listFrom(i int) string {
	return joined(c.listLinesFrom(i))
}

func (c *checker) listLinesFrom(i int) []piece {
	list := c.imprints[i : i+1]
	printed := func(p piece) bool { // who printed stands on the line that says when
		return slices.ContainsFunc(c.imprints, func(q piece) bool {
			return q.page == p.page && math.Abs(q.top-p.top) < sameLine && printedText.MatchString(q.text)
		})
	}
	last := len(c.sheets) - 1 // the rules of the 版记 are its
	for _, p := range c.imprints[i+1:] {
		before := list[len(list)-1]
		if printed(p) || strings.HasPrefix(p.text, "抄送") || strings.HasPrefix(p.text, "主送") ||
			slices.ContainsFunc(c.lines, func(r Rule) bool { return before.page == last && p.page == last && r.Y1 > before.top && r.Y1 < p.top }) {
			break
		}
		list = append(slices.Clip(list), p)
	}
	return list
}

// pageNumbers measures the 页码: on every page but the first of a letter, and a blank page with the 版记 page behind it.
func (c *checker) pageNumbers() {
	first := 0 // page of the 版记
	if len(c.imprints) > 0 {
		first = c.imprints[0].page
	}
	for page := range c.sheets {
		var at *piece
		count := 0
		for i := range c.pieces[page] {
			if p := &c.pieces[page][i]; pageNumberText.MatchString(p.text) && p.top > textFoot-2*oneRow {
				at = p
				count++
			}
		}
		blankBefore := first > 1 && c.blank[first-1] && page >= first-1
		if c.form == document.FormLetter && page == 0 || blankBefore {
			if count > 0 {
				c.wording(false, page, PageNumber, "absent", "7.5", "this page carries no number")
			}
			continue
		}
		c.measure(page, PageNumber, "count", float64(count), "")
		if at == nil {
			continue
		}
		c.measure(page, PageNumber, "below", dashTop(c.sheets[page], at)-textFoot, at.text)
		outside := textRight - at.right
		if (page+1)%2 == 0 {
			outside = at.left - textLeft
		}
		c.measure(page, PageNumber, "outside", outside, at.text)
		c.sizes(PageNumber, []piece{*at})
		if n, err := strconv.Atoi(strings.Trim(at.text, "—–－―-")); err == nil {
			c.measure(page, PageNumber, "value", math.Abs(float64(n-page-1)), at.text)
		}
	}
}

// dashTop is the upper edge of the 一字线 beside a page number.
func dashTop(p Page, at *piece) float64 {
	for i := range p.Runs {
		r := &p.Runs[i]
		if math.Abs(r.Y-emTopOf(r)*r.Size-at.top) > sameLine {
			continue
		}
		for _, c := range r.Text {
			if strings.ContainsRune("—–－―-", c) {
				top, _ := inkOf(mark{r: c, run: r, top: at.top})
				if r.Face == nil { // a dash lies in the middle of its em
					top = at.middle()
				}
				return top
			}
		}
	}
	return at.inkTop
}
