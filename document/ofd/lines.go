package ofd

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// placed is one TextCode: where its baseline begins and ends, along and across its own direction of writing, in mm.
type placed struct {
	text          string
	angle         int // of the writing, in degrees
	along, across float64
	end, em       float64
	x, y          float64 // the beginning on the page
}

// textGroup is the text of one system of coordinates, in drawing order.
type textGroup struct{ codes []placed }

// defaultEm stands for a size that is missing or no number, in mm.
const defaultEm = 4.0

// add places the codes of a text object (GB/T 33190, CT_Text): boundary, then matrix, then the code's own offset. What is
// no number counts as 0; a reader that shows the page is no stricter.
func (g *textGroup) add(e *Element) {
	box := numbers(e.Value("Boundary"), 4)
	m := numbers(e.Value("CTM"), 6)
	if e.Value("CTM") == "" {
		m = []float64{1, 0, 0, 1, 0, 0}
	}
	size := numbers(e.Value("Size"), 1)[0]
	if size <= 0 {
		size = defaultEm
	}
	var x, y float64
	for _, c := range e.All("TextCode") {
		if v, ok := c.Attr("X"); ok { // a code without one goes on from the last
			x = numbers(v, 1)[0]
		}
		if v, ok := c.Attr("Y"); ok {
			y = numbers(v, 1)[0]
		}
		scale := math.Hypot(m[0], m[1])
		if scale == 0 {
			scale = 1
		}
		cos, sin := m[0]/scale, m[1]/scale
		if m[0] == 0 && m[1] == 0 {
			cos, sin = 1, 0
		}
		p := placed{
			text: c.Text, em: size * scale, angle: int(math.Round(math.Atan2(sin, cos) * 180 / math.Pi)),
			x: box[0] + m[4] + m[0]*x + m[2]*y, y: box[1] + m[5] + m[1]*x + m[3]*y,
		}
		p.along, p.across = p.x*cos+p.y*sin, p.y*cos-p.x*sin
		width := advance(c.Value("DeltaX"), utf8.RuneCountInString(c.Text), size)
		p.end = p.along + width*scale
		x += width
		g.codes = append(g.codes, p)
	}
}

// advance is the width of n characters: the given steps, and an em for each that has none.
func advance(deltas string, n int, size float64) float64 {
	fields := strings.Fields(deltas)
	var width float64
	for i := 0; i < len(fields) && n > 1; i++ {
		times, step := 1, fields[i]
		if step == "g" && i+2 < len(fields) { // g count step
			times, step = int(numbers(fields[i+1], 1)[0]), fields[i+2]
			i += 2
		}
		times = min(max(times, 0), n-1)
		width += float64(times) * numbers(step, 1)[0]
		n -= times
	}
	return width + float64(n)*size
}

// numbers reads n numbers; what is missing or none is 0.
func numbers(s string, n int) []float64 {
	out := make([]float64, n)
	for i, f := range strings.Fields(s) {
		if i == n {
			break
		}
		if v, err := parseNumber(f); err == nil {
			out[i] = v
		}
	}
	return out
}

// views are the ways in which the text can be read: as lines from top to bottom; pieces of lines that wide gaps set
// apart; and single characters one below the other.
func (g *textGroup) views() []string {
	lines := g.lines()
	var whole []string
	var views []string
	for _, l := range lines {
		pieces := pieces(l)
		whole = append(whole, strings.Join(pieces, " "))
		if len(pieces) > 1 {
			views = append(views, pieces...)
		}
	}
	views = append(views, strings.Join(whole, "\n"))
	return append(views, g.columns()...)
}

// lines puts codes of one direction and nearly one baseline together, each line from its beginning to its end.
func (g *textGroup) lines() [][]placed {
	codes := slices.Clone(g.codes)
	slices.SortStableFunc(codes, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.angle, b.angle), cmp.Compare(a.across, b.across))
	})
	var lines [][]placed
	for _, p := range codes {
		if n := len(lines); n > 0 {
			first := lines[n-1][0]
			if first.angle == p.angle && p.across-first.across <= max(first.em, p.em)/3 {
				lines[n-1] = append(lines[n-1], p)
				continue
			}
		}
		lines = append(lines, []placed{p})
	}
	for _, l := range lines {
		slices.SortStableFunc(l, func(a, b placed) int { return cmp.Compare(a.along, b.along) })
	}
	return lines
}

// pieces cuts a line at gaps of more than two and a half characters.
func pieces(line []placed) []string {
	const gap = 2.5
	out := []string{line[0].text}
	for i := 1; i < len(line); i++ {
		if line[i].along-line[i-1].end > gap*line[i].em {
			out = append(out, line[i].text)
			continue
		}
		out[len(out)-1] += line[i].text
	}
	return out
}

// columns reads single characters that stand below one another.
func (g *textGroup) columns() []string {
	var single []placed
	for _, p := range g.codes {
		if utf8.RuneCountInString(strings.TrimSpace(p.text)) == 1 {
			single = append(single, p)
		}
	}
	slices.SortStableFunc(single, func(a, b placed) int {
		return cmp.Or(cmp.Compare(math.Round(a.x), math.Round(b.x)), cmp.Compare(a.y, b.y))
	})
	var out []string
	for i, p := range single {
		if i > 0 && math.Round(single[i-1].x) == math.Round(p.x) && p.y-single[i-1].y <= 3*p.em {
			out[len(out)-1] += p.text
			continue
		}
		out = append(out, p.text)
	}
	return slices.DeleteFunc(out, func(s string) bool { return utf8.RuneCountInString(s) < 2 })
}
