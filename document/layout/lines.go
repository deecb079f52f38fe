package layout

import (
	"math"
	"slices"
	"strings"

	"yinxin/document/fonts"
)

// piece is a stretch of text on one baseline, as an eye sees it: what stands close together belongs together, whatever
// runs the file made of it.
type piece struct {
	page int // from 0
	text string
	// spaced is the text with the blanks between its characters.
	spaced string
	// left and right are the ends of its characters' cells, top and foot those of the em box.
	left, right, top, foot float64
	size                   float64
	// inkTop and inkFoot are the ends of the ink, measured on the outlines where the font is at hand.
	inkTop, inkFoot float64
	red             bool
	family          string
	face            *fonts.Face
	marks           []mark
	chars           int
	// step is the median distance of neighbouring Chinese characters; 0 for too few of them, and where Latin letters or
	// digits stretch the line.
	step float64
	// uneven is how much the widest of these distances is wider than the narrowest.
	uneven float64
	// loose says that the first character is a mark that fills only part of its cell.
	loose bool
}

func (p *piece) centre() float64 { return (p.left + p.right) / 2 }
func (p *piece) middle() float64 { return (p.top + p.foot) / 2 }

// mark is one visible character with its place.
type mark struct {
	r             rune
	lead          string // blanks before it on its line
	x, end        float64
	run           *Run
	baseline, top float64
}

// defaultEmTop is where the em box of a font that is not at hand begins, above its baseline.
const defaultEmTop = 0.86

func emTopOf(r *Run) float64 {
	if r.Face != nil {
		return r.Face.EmTop()
	}
	return defaultEmTop
}

// piecesOf reads the text of a page from top to bottom, and from left to right on one line.
func piecesOf(page int, p *Page) []piece { return piecesIn(page, marksOf(p)) }

func piecesIn(page int, marks []mark) []piece {
	var out []piece
	for from := 0; from < len(marks); {
		to := from + 1
		for to < len(marks) && follows(marks[to-1], marks[to]) && !labelled(marks[to-1], marks[to:]) {
			to++
		}
		out = append(out, newPiece(page, marks[from:to]))
		from = to
	}
	return out
}

// labelled reports whether 签发人 begins behind a gap: a long 发文字号 comes close to it on the same line.
func labelled(before mark, marks []mark) bool {
	const gap = 0.4 // ems
	return len(marks) > 3 && marks[0].r == '签' && marks[1].r == '发' && marks[2].r == '人' && marks[3].r == '：' &&
		apartBy(before, marks[0]) > gap*before.run.Size
}

// marksOf are the visible characters of a page in their order of reading.
func marksOf(p *Page) []mark {
	var marks []mark
	for i := range p.Runs {
		r := &p.Runs[i]
		x, lead := r.X, ""
		if i > 0 && math.Abs(p.Runs[i-1].Y-r.Y) <= sameLine && p.Runs[i-1].X < x {
			lead = trailingBlanks(p.Runs[i-1].Text)
		}
		for k, c := range []rune(r.Text) {
			if k >= len(r.Advances) {
				break
			}
			if blank(c) {
				lead += string(c)
			} else {
				marks = append(marks, mark{r: c, lead: lead, x: x, end: x + inkWidth(r, c), run: r, baseline: r.Y, top: r.Y - emTopOf(r)*r.Size})
				lead = ""
			}
			x += r.Advances[k]
		}
	}
	slices.SortStableFunc(marks, func(a, b mark) int {
		if math.Abs(a.baseline-b.baseline) > sameLine {
			return compare(a.baseline, b.baseline)
		}
		return compare(a.x, b.x)
	})
	return marks
}

// sameLine is how far the baselines of one line may differ, mm; wideGap the gap, in ems, that parts two pieces,
// clearGap one that parts two words.
const (
	sameLine   = 0.5
	wideGap    = 1.3
	clearGap   = 0.8
	wideRedGap = 4.0 // the names of a joint red head are spread
)

func follows(a, b mark) bool {
	gap := wideGap
	if isRed(a.run.Color) {
		gap = wideRedGap
	}
	return math.Abs(a.baseline-b.baseline) <= sameLine && apartBy(a, b) < gap*a.run.Size && isRed(a.run.Color) == isRed(b.run.Color) &&
		math.Abs(a.run.Size-b.run.Size) < 0.3*a.run.Size
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func trailingBlanks(s string) string { return s[len(strings.TrimRightFunc(s, blank)):] }

func blank(r rune) bool {
	return r == ' ' || r == '\u3000' || r == '\u00a0' || r == '\t' || r == '\n' || r == '\r'
}

// inkWidth is the character's own advance, an em where the font does not tell.
func inkWidth(r *Run, c rune) float64 {
	if r.Face != nil {
		if a, ok := r.Face.Advance(c); ok {
			return a * r.Size
		}
	}
	if c < 0x2000 {
		return r.Size / 2
	}
	return r.Size
}

func isRed(c Color) bool { return c.R > 150 && c.G < 90 && c.B < 90 }

func newPiece(page int, marks []mark) piece {
	first, last := marks[0], marks[len(marks)-1]
	p := piece{
		page: page, left: first.x, right: last.end, size: first.run.Size, top: first.top, foot: first.top + first.run.Size,
		inkTop: math.Inf(1), inkFoot: math.Inf(-1), red: isRed(first.run.Color), family: first.run.Family, face: first.run.Face,
		marks: marks, chars: len(marks), loose: strings.ContainsRune("“‘（《〈【〔「『…—·", first.r),
	}
	var text, spaced strings.Builder
	var steps []float64
	for i, m := range marks {
		text.WriteRune(m.r)
		if i > 0 {
			spaced.WriteString(m.lead)
			if m.lead == "" && !p.red && apartBy(marks[i-1], m) > clearGap*p.size {
				spaced.WriteRune('\u3000')
			}
		}
		spaced.WriteRune(m.r)
		top, foot := inkOf(m)
		p.inkTop, p.inkFoot = min(p.inkTop, top), max(p.inkFoot, foot)
		if i > 0 && m.lead == "" && chinese(m.r) && chinese(marks[i-1].r) {
			steps = append(steps, m.x-marks[i-1].x)
		}
	}
	p.text, p.spaced = text.String(), spaced.String()
	if len(steps) > 1 {
		p.uneven = slices.Max(steps) - slices.Min(steps)
	}
	if len(steps) >= 10 && !strings.ContainsFunc(p.text, func(r rune) bool { return r < 0x2000 }) {
		slices.Sort(steps)
		p.step = steps[len(steps)/2]
	}
	return p
}

// apartBy is the room between two characters, without what narrow quotation marks leave free of their cells.
func apartBy(a, b mark) float64 {
	gap := b.x - a.end
	if strings.ContainsRune("”’", a.r) {
		gap -= a.run.Size - (a.end - a.x)
	}
	if strings.ContainsRune("“‘", b.r) {
		gap -= b.run.Size - (b.end - b.x)
	}
	return gap
}

func chinese(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }

// inkOf is the highest and lowest ink of a character.
func inkOf(m mark) (top, foot float64) {
	r := m.run
	if r.Face != nil {
		if o, err := r.Face.Outline(m.r); err == nil && len(o.Segments) > 0 {
			_, y1, _, y2 := o.Bounds()
			k := r.Size / float64(r.Face.UnitsPerEm())
			return r.Y + y1*k, r.Y + y2*k
		}
	}
	const margin = 0.05 // of the em, above and below the ink of most characters
	return m.top + margin*r.Size, m.top + (1-margin)*r.Size
}
