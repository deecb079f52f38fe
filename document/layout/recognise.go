package layout

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"yinxin/document"
)

// recognised is what the checker took the pieces of the pages for.
type recognised struct {
	form     document.Form
	head     []piece // the red head
	rules1   []Rule  // red rules of the first page
	numberAt *piece
	approve  []piece // 签发人 and the names
	copyNo   *piece
	urgent   *piece
	titles   []piece
	to       []piece
	body     []piece
	notes    []piece // 附件说明
	people   []piece // 出席, 请假, 列席
	names    []piece // 署名, or the office title beside a 签名章
	date     *piece
	remark   *piece  // 附注
	behind   []piece // what follows the date
	annex    map[int]bool
	// bodySize is the commonest size of black text.
	bodySize float64
	imprints []piece
	// imprintTop is where the 版记 begins on each of its pages.
	imprintTop map[int]float64
	lines      []Rule // rules of the 版记
	blank      map[int]bool
	stray      []piece // in the head, and nothing that belongs there
}

var (
	numberText     = regexp.MustCompile(`^(.+[〔\[（(［【]\d{4}[〕\])）］】]第?\d+号|第\d+号)$`)
	dateText       = regexp.MustCompile(`^\d{4}年\d{1,2}月\d{1,2}日$`)
	printedText    = regexp.MustCompile(`^\d{4}年\d{1,2}月\d{1,2}日印发$`)
	copyText       = regexp.MustCompile(`^\d{6}$`)
	annexText      = regexp.MustCompile(`^附件\d*$`)
	pageNumberText = regexp.MustCompile(`^[—–－―-]+\d+[—–－―-]+$`)
	peopleText     = regexp.MustCompile(`^(出席|请假|列席)(人员|人)?[：:]`)
)

// recognise says what each piece is, from its place and its characters.
func (c *checker) recognise() {
	c.annex, c.blank, c.imprintTop = map[int]bool{}, map[int]bool{}, map[int]float64{}
	if len(c.pieces) == 0 {
		return
	}
	c.bodySize = commonSize(c.pieces)
	c.findHead()
	c.findForm()
	rest := c.findOpening()
	c.findImprint()
	c.findText(rest)
}

// commonSize is the size of the running text: the commonest of those that are smaller than titles, which may be longer than
// the text below them.
func commonSize(pages [][]piece) float64 {
	const (
		titles = 6.7 // mm, 19 pt
		few    = 10  // characters
	)
	count := map[int]int{}
	for _, list := range pages {
		for _, p := range list {
			if !p.red && !pageNumberText.MatchString(p.text) {
				count[int(math.Round(p.size*100))] += p.chars
			}
		}
	}
	small := func(size int) bool { return float64(size)/100 < titles && count[size] >= few }
	best, most := 0, -1
	for size, n := range count {
		switch {
		case most >= 0 && small(best) && !small(size):
		case most >= 0 && small(size) && !small(best), n > most, n == most && size < best:
			best, most = size, n
		}
	}
	return float64(best) / 100
}

func (c *checker) findHead() {
	for _, p := range c.pieces[0] {
		if p.red && p.top < c.headFloor() {
			c.head = append(c.head, p)
		}
	}
	const long = 100 // mm
	for _, r := range c.sheets[0].Rules {
		if isRed(r.Color) && math.Abs(r.Y1-r.Y2) < 0.1 && math.Abs(r.X2-r.X1) > long {
			c.rules1 = append(c.rules1, r)
		}
	}
	slices.SortStableFunc(c.rules1, func(a, b Rule) int { return compare(a.Y1, b.Y1) })
}

// headFloor is how far down the head of page 1 can reach: half of the page, or to a red rule below it, as many offices
// take their room.
func (c *checker) headFloor() float64 {
	floor := c.sheets[0].Height / 2
	for _, r := range c.sheets[0].Rules {
		if isRed(r.Color) && math.Abs(r.X2-r.X1) > 100 && r.Y1 < c.sheets[0].Height*0.8 {
			floor = max(floor, r.Y1)
		}
	}
	return floor
}

func (c *checker) findForm() {
	text := "" // the red head's last piece tells the form
	if n := len(c.head); n > 0 {
		text = c.head[n-1].text
	}
	switch {
	case len(c.rules1) > 1 || len(c.rules1) == 1 && math.Abs(c.rules1[0].X2-c.rules1[0].X1) > 165 && c.rules1[0].Y1 < 80:
		c.form = document.FormLetter
	case strings.HasSuffix(text, "纪要"):
		c.form = document.FormMinutes
	case strings.HasSuffix(text, "令") && len(c.rules1) == 0:
		c.form = document.FormOrder
	default:
		c.form = document.FormCommon
	}
}

// findOpening takes the pieces of page 1 down to the addressees and returns what is left of the page.
func (c *checker) findOpening() []piece {
	var black []piece
	for _, p := range c.pieces[0] {
		if !p.red && !pageNumberText.MatchString(p.text) {
			black = append(black, p)
		}
	}
	floor := 0.0 // where the red rule, or what ends the head, is
	if c.form == document.FormCommon || c.form == document.FormMinutes {
		if len(c.rules1) > 0 {
			floor = c.rules1[0].Y1
		}
	}
	var rest []piece
	for i := range black {
		p := &black[i]
		switch {
		case c.numberAt == nil && numberText.MatchString(p.text) && p.top < c.headFloor():
			c.numberAt = p
		case c.copyNo == nil && copyText.MatchString(p.text) && p.left < textMiddle/2 && len(c.titles) == 0:
			c.copyNo = p
		case c.urgent == nil && (p.text == "加急" || p.text == "特急") && len(c.titles) == 0:
			c.urgent = p
		case strings.HasPrefix(p.text, "签发人") || p.foot < floor && p.left > textMiddle && c.form == document.FormCommon:
			c.approve = append(c.approve, *p)
		case c.form == document.FormMinutes && p.foot < floor && dateText.MatchString(p.text):
			c.date = p
		case p.foot < floor:
			if c.form == document.FormMinutes {
				c.names = append(c.names, *p)
			} else {
				c.stray = append(c.stray, *p)
			}
		case p.size > 1.2*c.bodySize && len(rest) == 0:
			c.titles = append(c.titles, *p)
		default:
			rest = append(rest, *p)
		}
	}
	return c.findAddressees(rest)
}

// findAddressees takes the lines below the title up to the one that ends in a colon, if they begin at the left edge.
func (c *checker) findAddressees(rest []piece) []piece {
	if len(rest) == 0 || c.form == document.FormOrder || math.Abs(rest[0].left-textLeft) > 0.75*oneChar+5 || indented(rest[0]) {
		return rest
	}
	for i, p := range rest {
		if indented(p) || i > 22 {
			break
		}
		if strings.HasSuffix(p.text, "：") || strings.HasSuffix(p.text, ":") {
			c.to = rest[:i+1]
			return rest[i+1:]
		}
	}
	// the colon is missing: a first line at the left edge that the text below is indented against
	if len(rest) > 1 && indented(rest[1]) {
		c.to = rest[:1]
		return rest[1:]
	}
	return rest
}

func indented(p piece) bool { return p.left > textLeft+1.2*oneChar && p.left < textLeft+2.8*oneChar }

// findImprint takes the 版记: what stands between or below the long black rules at the foot of the last page, or a last
// block of copies in the smaller size.
func (c *checker) findImprint() {
	last := len(c.sheets) - 1
	for _, r := range c.sheets[last].Rules {
		if !isRed(r.Color) && math.Abs(r.Y1-r.Y2) < 0.1 && math.Abs(r.X2-r.X1) > 100 {
			c.lines = append(c.lines, r)
		}
	}
	slices.SortStableFunc(c.lines, func(a, b Rule) int { return compare(a.Y1, b.Y1) })
	from := math.Inf(1)
	if len(c.lines) > 0 {
		from = c.lines[0].Y1
	}
	for _, p := range c.pieces[last] {
		if (strings.HasPrefix(p.text, "抄送：") || strings.HasPrefix(p.text, "主送：") || printedText.MatchString(p.text)) && p.top < from {
			from = p.top - 1
		}
	}
	c.takeImprint(last, from)
	for page := last - 1; page >= 0 && len(c.imprints) > 0 && len(c.lines) > 0; page-- { // a long list begins on an earlier page
		top, foot := longRules(&c.sheets[page])
		if math.Abs(foot-textFoot) > usual || top == foot {
			break
		}
		c.takeImprint(page, top)
	}
	for i, list := range c.pieces {
		c.blank[i] = len(c.tables[i]) == 0 && (len(list) == 0 || len(list) == 1 && pageNumberText.MatchString(list[0].text))
	}
}

// takeImprint takes what stands on a page from a height on into the 版记, before what later pages hold of it.
func (c *checker) takeImprint(page int, from float64) {
	var list []piece
	for _, p := range c.pieces[page] {
		if p.top >= from && !p.red && !pageNumberText.MatchString(p.text) {
			list = append(list, p)
		}
	}
	if len(list) > 0 {
		c.imprints = append(list, c.imprints...)
		c.imprintTop[page] = list[0].top
	}
}

// longRules are the heights of the first and the last black rule of a page that is as wide as the type area.
func longRules(p *Page) (top, foot float64) {
	top, foot = math.Inf(1), math.Inf(-1)
	for _, r := range p.Rules {
		if !isRed(r.Color) && math.Abs(r.Y1-r.Y2) < 0.1 && math.Abs(r.X2-r.X1) > 100 {
			top, foot = min(top, r.Y1), max(foot, r.Y1)
		}
	}
	return top, foot
}

// findText sorts what follows the addressees: body, 附件说明, lists of people, signature and 附注, up to the first annex.
func (c *checker) findText(first []piece) {
	var flow []piece
	for i := range c.pieces {
		list := first
		if i > 0 {
			list = c.pieces[i]
		}
		if i > 0 && len(list) > 0 && annexText.MatchString(list[0].text) {
			c.annex[i] = true
		}
		for _, p := range list {
			if !c.annex[i] && (i == 0 || !p.red) && !pageNumberText.MatchString(p.text) && !c.inImprint(p) {
				flow = append(flow, p)
			}
		}
		if c.annex[i] {
			break
		}
	}
	end := len(flow)
	if c.date == nil {
		for i := len(flow) - 1; i >= 0; i-- {
			if dateText.MatchString(flow[i].text) {
				c.date, end = &flow[i], i
				break
			}
		}
	}
	if end < len(flow) {
		c.behind = flow[end+1:]
		c.findRemark(c.behind)
	}
	text := c.takeNames(flow[:end])
	c.splitText(text)
}

func (c *checker) inImprint(p piece) bool {
	top, ok := c.imprintTop[p.page]
	return ok && p.top >= top-0.1
}

func (c *checker) findRemark(behind []piece) {
	for i := range behind {
		p := &behind[i]
		if c.remark == nil && (strings.HasPrefix(p.text, "（") || strings.HasPrefix(p.text, "(")) {
			c.remark = p
		}
	}
}

// takeNames cuts the signature off the end of the text: lines on the date's page that begin neither at the left edge nor
// two characters in. Many names begin on the pages before.
func (c *checker) takeNames(flow []piece) []piece {
	if c.date == nil || c.form == document.FormMinutes {
		return flow
	}
	n := len(flow)
	for n > 0 {
		p := flow[n-1]
		if p.page != c.date.page && !c.namesOfMany(p, flow[n:]) || strings.HasPrefix(p.text, "附件：") || continues(flow[:n]) {
			break
		}
		if c.nameByDate(p) && n == len(flow) {
			n--
			continue
		}
		if p.left < textLeft+3*oneChar && !c.underSeal(p) && !c.beside(p, flow) && !over(p, flow[n:]) {
			break
		}
		n--
	}
	c.names = slices.Clone(flow[n:])
	return flow[:n]
}

// namesOfMany reports whether a piece on a page before the date's is a name all the same: names alone stand on the pages from
// it to the date, and it lies in a seal, beside another, or begins behind the middle as they do.
func (c *checker) namesOfMany(p piece, below []piece) bool {
	return len(below) > 0 && p.page >= below[0].page-1 && !strings.HasSuffix(p.text, "。") &&
		(c.underSeal(p) || c.beside(p, c.pieces[p.page]) || over(p, below) || p.left > textMiddle-4*oneChar)
}

// nameByDate reports whether a piece that is nearly as wide as the text is the 署名 all the same: it stands right above the
// date and centred on it, or where 7.3.5.2 puts the two without a seal.
func (c *checker) nameByDate(p piece) bool {
	d := c.date
	if step := d.top - p.top; step < 0.7*oneRow || step > 1.4*oneRow || strings.HasSuffix(p.text, "。") {
		return false
	}
	plain := math.Abs(d.left-p.left-2*oneChar) < usual && math.Abs(p.right-textRight+2*oneChar) < usual
	return plain || math.Abs(p.centre()-d.centre()) < usual
}

// underSeal reports whether a piece lies inside the round of a seal.
func (c *checker) underSeal(p piece) bool {
	return slices.ContainsFunc(c.seals, func(s Spot) bool {
		return s.Page == p.page && math.Abs(p.centre()-s.X) < 1 && math.Abs(p.middle()-s.Y) < s.Diameter/2
	})
}

// beside reports whether another piece stands on the same line, and p is as narrow as a name in its column or is one of
// the red head's: names of a joint document.
func (c *checker) beside(p piece, flow []piece) bool {
	const narrow = 80 // mm
	return (p.right-p.left < narrow || c.inHead(p.text)) && slices.ContainsFunc(flow, func(q piece) bool {
		return q.page == p.page && math.Abs(q.top-p.top) < sameLine && q.left != p.left
	})
}

// over reports whether a piece is the first line of a name whose next line stands centred right below it.
func over(p piece, below []piece) bool {
	return slices.ContainsFunc(below, func(q piece) bool {
		return q.page == p.page && q.top-p.top > p.size && q.top-p.top < oneRow-sameLine && math.Abs(q.centre()-p.centre()) < 1
	})
}

// continues reports whether the last piece is a further line of the 附件说明 or of a list of people, which stand deeper in
// and without a gap, the head of a page aside.
func continues(flow []piece) bool {
	const most = 12 // lines
	last := flow[len(flow)-1]
	if last.left > textLeft+9*oneChar {
		return false
	}
	if n := len(flow); n > 1 && flow[n-2].page == last.page && last.top-flow[n-2].top > 1.5*oneRow {
		return false
	}
	for i := len(flow) - 1; i >= max(0, len(flow)-most); i-- {
		if strings.HasPrefix(flow[i].text, "附件：") || peopleText.MatchString(flow[i].text) {
			return true
		}
		if flow[i].left < textLeft+3*oneChar {
			return false
		}
	}
	return false
}

func (c *checker) splitText(flow []piece) {
	into := &c.body
	for i, p := range flow {
		switch {
		case strings.HasPrefix(p.text, "附件：") && i > 0:
			into = &c.notes
		case peopleText.MatchString(p.text):
			into = &c.people
		}
		*into = append(*into, p)
	}
}
