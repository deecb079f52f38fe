package layout

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// headNames are the offices of the red head, without 文件, which is nil where the head does not end in it.
func (c *checker) headNames() (names []piece, word *piece) {
	const suffix = "文件"
	for _, p := range c.head {
		if n := len(p.marks) - utf8.RuneCountInString(suffix); strings.HasSuffix(p.text, suffix) {
			w := newPiece(p.page, p.marks[n:])
			if word = &w; n == 0 {
				continue
			}
			p = newPiece(p.page, p.marks[:n])
		}
		names = append(names, p)
	}
	return names, word
}

// jointHead measures a red head of several names: one below the other, spread to one width, 文件 in the middle of them.
func (c *checker) jointHead() {
	names, word := c.headNames()
	if len(names) < 2 {
		return
	}
	left, right := names[0], names[0]
	for _, p := range names[1:] {
		if math.Abs(p.left-names[0].left) > math.Abs(left.left-names[0].left) {
			left = p
		}
		if math.Abs(p.right-names[0].right) > math.Abs(right.right-names[0].right) {
			right = p
		}
	}
	c.measure(0, RedHead, "left_edges", left.left-names[0].left, left.text)
	c.measure(0, RedHead, "right_edges", right.right-names[0].right, right.text)
	_, _, top, foot := span(names)
	if word != nil {
		c.measure(0, RedHead, "word_middle", (word.inkTop+word.inkFoot-top-foot)/2, word.text)
	}
}

// inHead reports whether a text is an office of a red head of several, or a line of its name.
func (c *checker) inHead(text string) bool {
	names, _ := c.headNames()
	return len(names) > 1 && utf8.RuneCountInString(text) > 2 &&
		slices.ContainsFunc(names, func(p piece) bool { return strings.Contains(p.text, text) })
}

// wholeNames puts the lines of each 署名 together. A name may go on in a line centred below its first; where it stands is
// where its last line does.
func wholeNames(lines []piece) []piece {
	var list []piece
	for _, p := range lines {
		above := slices.IndexFunc(list, func(q piece) bool { return over(q, []piece{p}) })
		if above < 0 {
			list = append(list, p)
			continue
		}
		q := &list[above]
		q.text, q.spaced = q.text+p.text, q.spaced+p.spaced
		q.top, q.foot, q.left, q.right = p.top, p.foot, p.left, p.right
	}
	return list
}

// sameRow reports whether two names stand beside each other, in columns of their own: seals stand farther from row to row.
func sameRow(a, b piece) bool {
	return a.page == b.page && math.Abs(a.top-b.top) < 2*oneRow && (a.left > b.right || b.left > a.right)
}

// inColumns reports whether names of a joint document stand beside each other, as under seals.
func (c *checker) inColumns() bool {
	head, _ := c.headNames()
	return len(head) > 1 && slices.ContainsFunc(c.names, func(a piece) bool {
		return slices.ContainsFunc(c.names, func(b piece) bool { return sameRow(a, b) })
	})
}

// jointNames measures the 署名 of a joint document: as many as the red head names, those of a row on one line.
func (c *checker) jointNames() {
	head, _ := c.headNames()
	if len(head) < 2 {
		return
	}
	names := wholeNames(c.names)
	if len(names) > 1 || names[0].text != joined(head) { // a long name may take two lines of the head
		c.measure(c.date.page, SignedBy, "count", float64(len(names)-len(head)), fmt.Sprintf("%d of %d", len(names), len(head)))
	}
	if !c.inColumns() {
		return
	}
	far, text := 0.0, ""
	for i, a := range names {
		for _, b := range names[:i] {
			if d := math.Abs(a.top - b.top); sameRow(a, b) && d > far {
				far, text = d, a.text
			}
		}
	}
	c.measure(c.date.page, SignedBy, "row", far, text)
	c.nameColumns(names)
}

// nameColumns measures how evenly three names of a row stand.
func (c *checker) nameColumns(names []piece) {
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b piece) int { return compare(a.left, b.left) })
	for _, a := range names {
		row := slices.DeleteFunc(slices.Clone(names), func(b piece) bool {
			return b.left != a.left && !sameRow(a, b)
		})
		if len(row) == 3 && row[0].left == a.left {
			c.measure(a.page, SignedBy, "columns", row[0].centre()+row[2].centre()-2*row[1].centre(), row[1].text)
		}
	}
}
