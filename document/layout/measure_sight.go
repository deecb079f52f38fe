package layout

import (
	"math"
	"slices"
	"strings"
)

// ownRule is the clause of what no standard puts in words: that a page can be read.
const ownRule = "own rule"

// sight measures what of the text an eye can read, and whether type and colour are what they should be.
func (c *checker) sight() {
	for page := range c.sheets {
		c.unseen(page)
		c.colours(page)
		c.shapes(page)
		over, text, all := overlaps(c.marks[page])
		c.measure(page, "page", "overlap", float64(over), text)
		if !all {
			c.warn("sight_unknown", "page %d: too many characters to tell whether they lie over each other", page+1)
		}
	}
}

// unseen counts characters that the file holds and the page does not show, and those that no font draws.
func (c *checker) unseen(page int) {
	list := slices.Clone(c.sheets[page].Unseen)
	slices.SortStableFunc(list, func(a, b Unseen) int {
		if math.Abs(a.Y-b.Y) > sameLine {
			return compare(a.Y, b.Y)
		}
		return compare(a.X, b.X)
	})
	text := map[string][]rune{}
	why := ""
	for _, u := range list {
		kind := "unseen"
		switch u.Why {
		case "glyph", "turned", "sideways", "unknown", "part":
			kind = u.Why
		}
		for _, r := range u.Text {
			if !blank(r) {
				text[kind] = append(text[kind], r)
			}
		}
		if kind == "unseen" && !strings.Contains(why, u.Why) {
			why += u.Why + " "
		}
	}
	geta := 0
	for _, m := range c.marks[page] {
		if m.r == '〓' {
			geta++
		}
	}
	c.measure(page, "page", "unseen", float64(len(text["unseen"])), why+string(text["unseen"]))
	c.measure(page, "page", "marred", float64(len(text["part"])), string(text["part"]))
	c.measure(page, "page", "turned", float64(len(text["turned"])), string(text["turned"]))
	c.measure(page, "page", "missing_characters", float64(len(text["glyph"])+geta), string(text["glyph"])+strings.Repeat("〓", min(geta, 3)))
	if n := len(text["sideways"]); n > 0 { // the page of a wide table stands on its side (clause 9)
		c.warn("sideways_text", "page %d: %d characters stand sideways and are not measured", page+1, n)
	}
	if len(text["unknown"]) > 0 {
		c.warn("sight_unknown", "page %d: too much lies on it to tell whether its text can be seen", page+1)
	}
}

// isBlack leaves room for what printing makes of black.
func isBlack(c Color) bool {
	const darkest = 70
	return max(c.R, c.G, c.B) <= darkest
}

// colours counts characters that are neither black nor of the red head: a document is black where nothing else is said.
func (c *checker) colours(page int) {
	var coloured []rune
	for _, p := range c.pieces[page] {
		if page == 0 && p.red && p.top < c.headFloor() {
			continue
		}
		for _, m := range p.marks {
			if !isBlack(m.run.Color) {
				coloured = append(coloured, m.r)
			}
		}
	}
	c.measure(page, "page", "coloured", float64(len(coloured)), string(coloured))
}

// shapes measures how far type is squeezed or stretched, and counts what is slanted or bold. A red head may be squeezed.
func (c *checker) shapes(page int) {
	worst, squeezed := 1.0, ""
	var slanted, bold []rune
	for _, p := range c.pieces[page] {
		for _, m := range p.marks {
			if s := m.run.Stretch; s > 0 && !p.red && math.Abs(s-1) > math.Abs(worst-1) {
				worst, squeezed = s, p.text
			}
			if m.run.Sheared {
				slanted = append(slanted, m.r)
			}
			if m.run.Bold {
				bold = append(bold, m.r)
			}
		}
	}
	c.measure(page, "page", "stretch", worst, squeezed)
	c.measure(page, "page", "slanted", float64(len(slanted)), string(slanted))
	c.measure(page, "page", "bold", float64(len(bold)), string(bold))
}

// maxPairs bounds the pairs of characters of a page that are held against each other.
const maxPairs = 5_000_000

// overlaps counts characters whose em boxes, save their edges, lie over another's. All is false for a page of too many
// characters on one height.
func overlaps(marks []mark) (n int, text string, all bool) {
	list := slices.Clone(marks)
	slices.SortStableFunc(list, func(a, b mark) int { return compare(a.top, b.top) })
	hit := make([]bool, len(list))
	pairs := 0
	for i := range list {
		x1, y1, x2, y2 := kernel(&list[i])
		for k := i + 1; k < len(list) && list[k].top < y2 && pairs < maxPairs; k++ {
			pairs++
			if hit[i] && hit[k] {
				continue
			}
			if u1, v1, u2, v2 := kernel(&list[k]); u1 < x2 && x1 < u2 && v1 < y2 && y1 < v2 {
				hit[i], hit[k] = true, true
			}
		}
	}
	var over []rune
	for i, h := range hit {
		if h {
			over = append(over, list[i].r)
		}
	}
	return len(over), string(over), pairs < maxPairs
}

// kernel is the middle of a character's em box.
func kernel(m *mark) (x1, y1, x2, y2 float64) {
	const edge = 0.3 // of the box, at each side
	w, h := (m.end-m.x)*edge, m.run.Size*edge
	return m.x + w, m.top + h, m.end - w, m.top + m.run.Size - h
}
