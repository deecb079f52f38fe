package layout

import (
	"regexp"
	"slices"
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

// What is kept on one line beside words: a 发文字号 in running text, and an amount with its unit.
var (
	numberInText = regexp.MustCompile(`〔[0-9]{4}〕第?[0-9]+号`)
	amountInText = regexp.MustCompile(`[0-9](?:[十百千万亿兆]*(?:个百分点|平方米|平方公里|立方米|公里|千米|厘米|毫米|公斤|千克|公顷|小时|分钟|[` + units + `亩户名])| (?:km|kg|cm|mm|m|g|t|kW|MW|kB|MB|GB|TB|℃)\b)`)
)

// agencyEnds are characters before a 机关代字 that are none of it, as in 根据云溪政发〔2026〕7号.
const agencyEnds = "据照和与及以对将由见于的为是按依从同或"

// longestAgency bounds the 机关代字 that is kept with its number.
const longestAgency = 8

// tokens cuts glyphs into what stays together: Latin words and numbers, a number with its unit, …… and ——, a document
// number; everything else is one character.
func tokens(glyphs []glyph) []token {
	glued := gluedGlyphs(glyphs)
	var out []token
	for i, g := range glyphs {
		if n := len(out); n > 0 && (glued[i] || together(glyphs[i-1].char, g.char)) {
			out[n-1].glyphs = append(out[n-1].glyphs, g)
			out[n-1].width += g.advance
			continue
		}
		out = append(out, token{glyphs: append([]glyph(nil), g), width: g.advance})
	}
	return splitAddresses(out)
}

// gluedGlyphs marks the glyphs that never begin a line because of the number they belong to.
func gluedGlyphs(glyphs []glyph) []bool {
	glued := make([]bool, len(glyphs))
	var text strings.Builder
	starts := make([]int, 0, len(glyphs)) // byte offset of each glyph
	digits := false
	for _, g := range glyphs {
		starts = append(starts, text.Len())
		text.WriteRune(g.char)
		digits = digits || isDigit(g.char)
	}
	if !digits {
		return glued
	}
	at := func(offset int) int { i, _ := slices.BinarySearch(starts, offset); return i }
	for _, m := range amountInText.FindAllStringIndex(text.String(), -1) {
		for i := at(m[0]) + 1; i < at(m[1]); i++ {
			glued[i] = true
		}
	}
	for _, m := range numberInText.FindAllStringIndex(text.String(), -1) {
		first := at(m[0])
		for n := 0; n < longestAgency && first > 0 && chinese(glyphs[first-1].char) && !strings.ContainsRune(agencyEnds, glyphs[first-1].char); n++ {
			first--
		}
		for i := first + 1; i < at(m[1]); i++ {
			glued[i] = true
		}
	}
	return glued
}

// splitAddresses lets a long address on a network be broken behind its slashes and marks.
func splitAddresses(in []token) []token {
	const long, least = 20, 3 // characters
	var out []token
	for _, t := range in {
		if len(t.glyphs) < long || !slices.ContainsFunc(t.glyphs, func(g glyph) bool { return g.char == '/' }) {
			out = append(out, t)
			continue
		}
		from := 0
		for i := least; i+least <= len(t.glyphs); i++ {
			if a, b := t.glyphs[i-1].char, t.glyphs[i].char; i-from >= least && strings.ContainsRune("/?&=-_", a) && b != '/' && !strings.ContainsRune(notAtStart, b) {
				out, from = append(out, newToken(t.glyphs[from:i])), i
			}
		}
		out = append(out, newToken(t.glyphs[from:]))
	}
	return out
}

func newToken(glyphs []glyph) token { return token{glyphs: glyphs, width: totalWidth(glyphs)} }

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
	return breakInto(glyphs, measure, first, rest, false)
}

// breakStretched is breakLines for text that is stretched to its measure: a number is parted from its unit where the line
// before it would come apart without it.
func breakStretched(glyphs []glyph, measure, first, rest float64) []line {
	return breakInto(glyphs, measure, first, rest, true)
}

func breakInto(glyphs []glyph, measure, first, rest float64, stretched bool) []line {
	todo := splitWide(tokens(glyphs), measure-max(first, rest))
	var out []line
	for len(todo) > 0 {
		indent := rest
		if len(out) == 0 {
			indent = first
		}
		n := fill(todo, measure-indent)
		if stretched {
			todo, n = partAmount(todo, n, measure-indent)
		}
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

// partAmount parts the amount behind a line of n tokens from its unit, where the number finds room on the line and the line
// would come apart without it.
func partAmount(todo []token, n int, room float64) ([]token, int) {
	if n == len(todo) {
		return todo, n
	}
	before := line{glyphs: join(todo[:n])}
	slack := room - before.width()
	if slack <= mostStretch*float64(len(before.gaps())) {
		return todo, n
	}
	amount := todo[n].glyphs
	digits := 0
	for digits < len(amount) && wordRune(amount[digits].char) {
		digits++
	}
	if digits == 0 || digits == len(amount) || !isDigit(amount[digits-1].char) {
		return todo, n
	}
	number, unit := newToken(amount[:digits]), newToken(amount[digits:])
	if number.width > slack || !breakable(number, unit) || !breakable(todo[n-1], number) {
		return todo, n
	}
	return slices.Concat(todo[:n], []token{number, unit}, todo[n+1:]), n + 1
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

// withCompany moves characters down to a last line that would hold a single one: no character is a line of its own.
func withCompany(lines []line, all int) []line {
	n := len(lines)
	if n < 2 || marksOff(lines[n-1].glyphs) != 1 {
		return lines
	}
	for _, l := range lines { // a blank was dropped between two lines: they cannot be joined as they are
		all -= len(l.glyphs)
	}
	above := tokens(lines[n-2].glyphs)
	if all != 0 || !chinese(lines[n-1].glyphs[0].char) {
		return lines
	}
	const most = 3 * cell
	down := 0.0
	for k := len(above) - 1; k > 0; k-- {
		if down += above[k].width; down > most {
			return lines
		}
		if breakable(above[k-1], above[k]) && chinese(above[k].first()) {
			lines[n-1].glyphs = append(join(above[k:]), lines[n-1].glyphs...)
			lines[n-2].glyphs = join(above[:k])
			return lines
		}
	}
	return lines
}

// marksOff counts the characters that are no punctuation.
func marksOff(glyphs []glyph) int {
	n := 0
	for _, g := range glyphs {
		if !strings.ContainsRune(notAtStart, g.char) {
			n++
		}
	}
	return n
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

// How far a gap is widened at most, mm.
const (
	mostStretch = 0.16 * cell // beside a full-width character; more looks like letter-spacing for emphasis
	mostSpacing = 0.02 * cell // within a word
)

// gaps are the places beside full-width characters, each by the glyph before it.
func (l line) gaps() []int {
	var out []int
	for i := 0; i+1 < len(l.glyphs); i++ {
		if !wordRune(l.glyphs[i].char) || !wordRune(l.glyphs[i+1].char) {
			out = append(out, i)
		}
	}
	return out
}

// justify stretches a line to the measure by widening the gaps beside full-width characters, or all where they are too few,
// as in a long row of digits; the last line of a paragraph and lines that would come apart stay as they are.
func (l line) justify(measure float64) []glyph {
	out := append([]glyph(nil), l.glyphs...)
	slack := measure - l.indent - l.width()
	if l.last || slack <= 0 {
		return out
	}
	widen := l.gaps()
	if slack > mostStretch*float64(len(widen)) {
		widen = widen[:0]
		for i := range out[1:] {
			widen = append(widen, i)
		}
		if slack > mostSpacing*float64(len(widen)) {
			return out
		}
	}
	for _, i := range widen {
		out[i].advance += slack / float64(len(widen))
	}
	return out
}
