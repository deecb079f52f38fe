package layout

import "strings"

// partingRule counts the rules between the last list of the 版记 and the line that says who printed it.
func (c *checker) partingRule(page int) {
	var above *piece
	for i := range c.imprints {
		p := &c.imprints[i]
		switch {
		case p.page != page:
		case strings.HasPrefix(p.text, "抄送") || strings.HasPrefix(p.text, "主送"):
			above = p
		case printedText.MatchString(p.text) && above != nil:
			n := 0
			for _, r := range c.lines {
				if r.Y1 > above.middle() && r.Y1 < p.middle() {
					n++
				}
			}
			c.measure(page, ImprintRule, "between", float64(n), p.text)
			return
		}
	}
}

// listLines measures where the further lines of a list of the 版记 begin: below the first character behind the colon.
func (c *checker) listLines(i int) {
	list := c.listLinesFrom(i)
	var further []piece
	for k, p := range list[1:] {
		if p.page == list[0].page && p.top-list[k].top > sameLine && !p.loose {
			further = append(further, p)
		}
	}
	c.worst(CC, "hanging", further, func(p piece) float64 { return p.left - list[0].left - 3*charOf4 })
}
