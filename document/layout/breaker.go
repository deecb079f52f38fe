package layout

import (
	"regexp"
	"strings"
	"unicode"
)

// The 禁则 lists: what may not begin a line, and what may not end one.
const (
	notAtStart = "，。、；：？！）】》〉」』〕”’…—·％%‰℃,.;:?!)]}〗﹞"
	notAtEnd   = "（【《〈「『〔“‘([{〖﹝￥¥$€£"
	units      = "年月日时分秒个件人次天元万亿米吨℃%％‰号"
)

// token is what is never split between lines.
type token struct {
	glyphs []glyph
	width  float64
}

func (t token) first() rune { return t.glyphs[0].char }
func (t token) last() rune  { return t.glyphs[len(t.glyphs)-1].char }

// breakable reports whether a line may end between two tokens.
func breakable(a, b token) bool {
	return !strings.ContainsRune(notAtEnd, a.last()) && !strings.ContainsRune(notAtStart, b.first())
}

// numberInText is a 发文字号 in running text, with the end of its agency.
var numberInText = regexp.MustCompile(`\p{Han}{0,3}〔[0-9]{4}〕[0-9]+号`)

// tokens cuts glyphs into what stays together: Latin words and numbers, a number with its unit, …… and ——, a document
// number; everything else is one character.
func tokens(glyphs []glyph) []token {
	var text strings.Builder
	starts := make([]int, 0, len(glyphs)) // byte offset of each glyph
	for _, g := range glyphs {
		starts = append(starts, text.Len())
		text.WriteRune(g.char)
	}
	glued := make([]bool, len(glyphs)) // glued to the one before
	for _, m := range numberInText.FindAllStringIndex(text.String(), -1) {
		for i := range glyphs {
			glued[i] = glued[i] || (starts[i] > m[0] && starts[i] < m[1])
		}
	}
	var out []token
	for i, g := range glyphs {
		if n := len(out); n > 0 && (glued[i] || together(glyphs[i-1].char, g.char)) {
			out[n-1].glyphs = append(out[n-1].glyphs, g)
			out[n-1].width += g.advance
			continue
		}
		out = append(out, token{glyphs: append([]glyph(nil), g), width: g.advance})
	}
	return out
}

// together reports whether b is never separated from a before it.
func together(a, b rune) bool {
	switch {
	case a == '…' && b == '…', a == '—' && b == '—':
		return true
	case wordRune(a) && wordRune(b):
		return true
	case isDigit(a) && strings.ContainsRune(units, b):
		return true
	case strings.ContainsRune("￥¥$€£", a) && isDigit(b):
		return true
	}
	return false
}

func wordRune(r rune) bool {
	return isLatin(r) || (r > ' ' && r < 0x7f && !unicode.IsLetter(r) && !strings.ContainsRune("()[]{}", r))
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// line is one set line: glyphs from its left edge, after an indent.
type line struct {
	glyphs []glyph
	indent float64
	// last says that the paragraph ends here, so that the line is not stretched.
	last bool
}

func (l line) width() float64 { return totalWidth(l.glyphs) }

// breakLines sets glyphs into lines of the given measure, greedily, under the 禁则: where a line would end or begin
// wrongly, its last token goes down with the next. first and rest are the indents.
func breakLines(glyphs []glyph, measure, first, rest float64) []line {
	todo := splitWide(tokens(glyphs), measure-max(first, rest))
	var out []line
	for len(todo) > 0 {
		indent := rest
		if len(out) == 0 {
			indent = first
		}
		n := fill(todo, measure-indent)
		out = append(out, line{glyphs: trimSpaces(join(todo[:n])), indent: indent, last: n == len(todo)})
		todo = todo[n:]
		for len(todo) > 0 && len(out) > 0 && todo[0].first() == ' ' { // a line never begins with a space
			todo[0].width -= todo[0].glyphs[0].advance
			todo[0].glyphs = todo[0].glyphs[1:]
			if len(todo[0].glyphs) == 0 {
				todo = todo[1:]
			}
		}
	}
	return out
}

// fill is how many tokens go on a line of the given room: at least one.
func fill(todo []token, room float64) int {
	const slack = 0.01 // mm
	used, n := 0.0, 0
	for n < len(todo) && used+todo[n].width <= room+slack {
		used += todo[n].width
		n++
	}
	if n == len(todo) {
		return n
	}
	for k := n; k > 0; k-- {
		if breakable(todo[k-1], todo[k]) {
			return k
		}
	}
	return max(n, 1) // nothing but marks: break anyway
}

// splitWide cuts tokens that no line could hold.
func splitWide(in []token, room float64) []token {
	var out []token
	for _, t := range in {
		if t.width <= room {
			out = append(out, t)
			continue
		}
		for _, g := range t.glyphs {
			out = append(out, token{glyphs: []glyph{g}, width: g.advance})
		}
	}
	return out
}

func join(list []token) []glyph {
	var out []glyph
	for _, t := range list {
		out = append(out, t.glyphs...)
	}
	return out
}

func trimSpaces(g []glyph) []glyph {
	for len(g) > 1 && g[len(g)-1].char == ' ' {
		g = g[:len(g)-1]
	}
	return g
}

// justify stretches a line to the measure by widening the gaps beside full-width characters; the last line of a paragraph
// and lines that would come apart stay as they are.
func (l line) justify(measure float64) []glyph {
	out := append([]glyph(nil), l.glyphs...)
	slack := measure - l.indent - l.width()
	if l.last || slack <= 0 {
		return out
	}
	var gaps []int
	for i := 0; i+1 < len(out); i++ {
		if !wordRune(out[i].char) || !wordRune(out[i+1].char) {
			gaps = append(gaps, i)
		}
	}
	const most = 0.25 // of a cell in each gap; more looks like letter-spacing for emphasis
	if len(gaps) == 0 || slack/float64(len(gaps)) > most*cell {
		return out
	}
	for _, i := range gaps {
		out[i].advance += slack / float64(len(gaps))
	}
	return out
}
