package layout

import (
	"regexp"
	"strings"
)

var headingText = regexp.MustCompile(`^([一二三四五六七八九十]+、|（[一二三四五六七八九十]+）)`)

// starts are the lines of the text that begin a paragraph: those that stand in, and those at the left edge that should.
func (c *checker) starts() []piece {
	var out []piece
	for i, p := range c.body {
		first := i == 0 || p.top > c.body[i-1].top || p.page > c.body[i-1].page
		in := p.left > textLeft+oneChar/2 && !p.loose
		if first && (in || p.left < textLeft+oneChar && c.begins(i)) {
			out = append(out, p)
		}
	}
	return out
}

// begins reports whether line i of the text begins a paragraph wherever it stands: it is the first, or the one before ends
// a sentence, or is a heading, and stands short, or it bears the mark of a heading and has the line for itself. Below a line
// that stands short because a word found no room, and below a table, nothing is known.
func (c *checker) begins(i int) bool {
	const short = 4 * oneChar
	if i == 0 {
		return true
	}
	p, before := c.body[i], c.body[i-1]
	if p.page == before.page && c.insertBetween(p.page, before.top, p.top) || p.page != before.page && len(c.tables[p.page])+len(c.tables[before.page]) > 0 {
		return false
	}
	marked, ended := headingText.MatchString(p.text), strings.HasSuffix(before.text, "。") || strings.HasSuffix(before.text, "：")
	if marked && ended && (i == len(c.body)-1 || indented(c.body[i+1])) {
		return true
	}
	heading := headingText.MatchString(before.text) && !strings.HasSuffix(before.text, "，")
	room := float64(short)
	if !ended {
		room *= 2 // a heading that goes on stands short by a date or a quoted name that found no room
	}
	return before.right < textRight-room && (ended || heading) && (marked || chinese(p.marks[0].r))
}
