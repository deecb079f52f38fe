package render

import (
	"math"
	"slices"
)

// rows is how many sample lines a pixel has; along a line coverage is exact.
const rows = 5

// edge is a straight piece of an outline, in pixels, top first.
type edge struct {
	x, y, bottom float64 // where it begins, where it ends
	slope        float64 // of x along y
	turn         int     // +1 downwards, -1 upwards
}

// edges flattens a path on the pixel grid; open figures are closed.
func edges(p path, at matrix) []edge {
	out := make([]edge, 0, 2*len(p))
	add := func(a, b point) {
		turn := 1
		if a.Y > b.Y {
			a, b, turn = b, a, -1
		}
		if b.Y-a.Y < 1e-9 || math.IsNaN(a.X+a.Y+b.X+b.Y) {
			return
		}
		out = append(out, edge{x: a.X, y: a.Y, bottom: b.Y, slope: (b.X - a.X) / (b.Y - a.Y), turn: turn})
	}
	flatten(p, at, func(a, b point, _ bool) { add(a, b) }, add)
	return out
}

// flatten calls line for every straight piece of a path under a matrix, with first set at the beginning of a figure, and
// closing for the piece that an open figure lacks.
func flatten(p path, at matrix, line func(a, b point, first bool), closing func(a, b point)) {
	var start, pen point
	first := true
	draw := func(q point) {
		line(pen, q, first)
		pen, first = q, false
	}
	end := func() {
		if pen != start {
			closing(pen, start)
		}
	}
	for _, s := range p {
		a, b, c := at.at(s.p[0]), at.at(s.p[1]), at.at(s.p[2])
		switch s.op {
		case moveTo:
			end()
			start, pen, first = a, a, true
		case lineTo:
			draw(a)
		case quadTo:
			from := pen
			n := pieces(math.Hypot(from.X-2*a.X+b.X, from.Y-2*a.Y+b.Y))
			for i := 1; i <= n; i++ {
				t := float64(i) / float64(n)
				u := 1 - t
				draw(point{X: u*u*from.X + 2*u*t*a.X + t*t*b.X, Y: u*u*from.Y + 2*u*t*a.Y + t*t*b.Y})
			}
		case cubeTo:
			from := pen
			n := pieces(math.Hypot(from.X-a.X-b.X+c.X, from.Y-a.Y-b.Y+c.Y) + math.Hypot(a.X-2*b.X+c.X, a.Y-2*b.Y+c.Y))
			for i := 1; i <= n; i++ {
				t := float64(i) / float64(n)
				u := 1 - t
				w0, w1, w2, w3 := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
				draw(point{X: w0*from.X + w1*a.X + w2*b.X + w3*c.X, Y: w0*from.Y + w1*a.Y + w2*b.Y + w3*c.Y})
			}
		case closePath:
			if pen != start {
				draw(start)
			}
		}
	}
	end()
}

// pieces is how many straight pieces stand for a curve that bends by so many pixels.
func pieces(bend float64) int {
	n := math.Ceil(math.Sqrt(bend * 2))
	if !(n < 64) {
		return 64
	}
	return max(int(n), 1)
}

// crossing is where an edge meets a sample line.
type crossing struct {
	x    float64
	turn int
}

// fill calls put for every row of pixels that the edges touch, with the coverage (0 to 1) of the pixels from x0 on.
func fill(list []edge, evenOdd bool, width, height int, put func(y, x0 int, coverage []float32)) {
	if len(list) == 0 {
		return
	}
	slices.SortFunc(list, func(a, b edge) int {
		switch {
		case a.y < b.y:
			return -1
		case a.y > b.y:
			return 1
		}
		return 0
	})
	bottom := 0.0
	for _, e := range list {
		bottom = max(bottom, e.bottom)
	}
	first := int(max(0, math.Floor(list[0].y)))
	last := int(min(float64(height-1), math.Floor(bottom)))
	row := make([]float32, width+2)
	var active []edge
	var cross []crossing
	next := 0
	for y := first; y <= last; y++ {
		low, high := width, -1
		for k := range rows {
			at := float64(y) + (float64(k)+0.5)/rows
			for next < len(list) && list[next].y <= at {
				active = append(active, list[next])
				next++
			}
			cross = cross[:0]
			keep := active[:0]
			for _, e := range active {
				if e.bottom <= at {
					continue
				}
				keep = append(keep, e)
				cross = append(cross, crossing{e.x + (at-e.y)*e.slope, e.turn})
			}
			active = keep
			slices.SortFunc(cross, func(a, b crossing) int {
				switch {
				case a.x < b.x:
					return -1
				case a.x > b.x:
					return 1
				}
				return 0
			})
			l, h := spans(row, cross, evenOdd, float64(width))
			low, high = min(low, l), max(high, h)
		}
		if high >= low {
			put(y, low, row[low:min(high+1, width)])
			clear(row[low : high+1])
		}
	}
}

// spans adds one sample line to the row and returns which pixels it touched.
func spans(row []float32, cross []crossing, evenOdd bool, width float64) (low, high int) {
	low, high = len(row), -1
	wind := 0
	for i := 0; i+1 < len(cross); i++ {
		wind += cross[i].turn
		inside := wind != 0
		if evenOdd {
			inside = i%2 == 0
		}
		a, b := max(cross[i].x, 0), min(cross[i+1].x, width)
		if !inside || a >= b {
			continue
		}
		const weight = 1.0 / rows
		x, y := int(a), int(b)
		low, high = min(low, x), max(high, y)
		if x == y {
			row[x] += float32((b - a) * weight)
			continue
		}
		row[x] += float32((float64(x+1) - a) * weight)
		for k := x + 1; k < y; k++ {
			row[k] += weight
		}
		row[y] += float32((b - float64(y)) * weight)
	}
	return low, high
}

// outline is the area that a pen of the width covers along a path, in pixels: a bar for each straight piece, joins and caps
// between them, all turning the same way so that they unite.
func outline(p path, at matrix, s *stroke, width float64) []edge {
	half := max(width/2, 0.35) // a hairline still shows
	o := &stroker{half: half, stroke: s}
	for _, f := range figures(p, at) {
		for _, part := range dashed(f, s.dash, s.offset, at.size()) {
			o.figure(part)
		}
	}
	return o.out
}

// figure is a flattened figure of a path.
type figure struct {
	points []point
	closed bool
}

func figures(p path, at matrix) []figure {
	var out []figure
	start := 0
	for i := 1; i <= len(p); i++ {
		if i < len(p) && p[i].op != moveTo {
			continue
		}
		var f figure
		flatten(p[start:i], at, func(a, b point, first bool) {
			if first {
				f.points = append(f.points, a)
			}
			if b != a {
				f.points = append(f.points, b)
			}
		}, func(_, _ point) {})
		if n := len(f.points); n > 0 {
			f.closed = p[i-1].op == closePath
			if f.closed && n > 1 && f.points[n-1] == f.points[0] {
				f.points = f.points[:n-1]
			}
			out = append(out, f)
		}
		start = i
	}
	return out
}

// dashed cuts a figure by a pattern given in millimetres.
func dashed(f figure, pattern []float64, offset, pixels float64) []figure {
	if len(pattern) == 0 {
		return []figure{f}
	}
	points := f.points
	if f.closed {
		points = append(append([]point(nil), points...), points[0])
	}
	sum := 0.0
	for _, v := range pattern {
		sum += v * pixels
	}
	i, left, on := 0, pattern[0]*pixels, true
	for skip := math.Mod(max(offset, 0)*pixels, sum*2); skip >= left && sum > 0; {
		skip -= left
		i, on = (i+1)%len(pattern), !on
		left = pattern[i] * pixels
		if skip < left {
			left -= skip
			break
		}
	}
	var out []figure
	current := figure{points: []point{points[0]}}
	for k := 0; k+1 < len(points); k++ {
		a, b := points[k], points[k+1]
		length := math.Hypot(b.X-a.X, b.Y-a.Y)
		done := 0.0
		for length-done > left && len(out) < 10_000 {
			done += left
			q := point{X: a.X + (b.X-a.X)*done/length, Y: a.Y + (b.Y-a.Y)*done/length}
			if on {
				current.points = append(current.points, q)
				out = append(out, current)
			}
			current = figure{points: []point{q}}
			i, on = (i+1)%len(pattern), !on
			left = max(pattern[i]*pixels, 1e-3)
		}
		left -= length - done
		if on {
			current.points = append(current.points, b)
		}
	}
	if on && len(current.points) > 1 {
		out = append(out, current)
	}
	return out
}

type stroker struct {
	half   float64
	stroke *stroke
	out    []edge
}

// polygon adds a figure, turned so that all of them wind alike.
func (o *stroker) polygon(q ...point) {
	area := 0.0
	for i, a := range q {
		b := q[(i+1)%len(q)]
		area += a.X*b.Y - b.X*a.Y
	}
	if area < 0 {
		slices.Reverse(q)
	}
	p := make(path, 0, len(q)+1)
	for i, a := range q {
		s := segment{op: lineTo, p: [3]point{a}}
		if i == 0 {
			s.op = moveTo
		}
		p = append(p, s)
	}
	o.out = append(o.out, edges(append(p, segment{op: closePath}), identity)...)
}

func (o *stroker) circle(c point) {
	const n = 16
	q := make([]point, 0, n)
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / n)
		q = append(q, point{X: c.X + o.half*cos, Y: c.Y + o.half*sin})
	}
	o.polygon(q...)
}

func (o *stroker) figure(f figure) {
	q := f.points
	if len(q) == 1 {
		if o.stroke.cap == "Round" {
			o.circle(q[0])
		}
		return
	}
	n := len(q) - 1
	if f.closed {
		n = len(q)
	}
	for i := range n {
		a, b := q[i], q[(i+1)%len(q)]
		dx, dy := o.along(a, b)
		if o.stroke.cap == "Square" && !f.closed {
			if i == 0 {
				a = point{X: a.X - dx, Y: a.Y - dy}
			}
			if i == n-1 {
				b = point{X: b.X + dx, Y: b.Y + dy}
			}
		}
		o.polygon(
			point{X: a.X - dy, Y: a.Y + dx}, point{X: b.X - dy, Y: b.Y + dx},
			point{X: b.X + dy, Y: b.Y - dx}, point{X: a.X + dy, Y: a.Y - dx})
		if i+1 < n || f.closed {
			o.join(q[i], q[(i+1)%len(q)], q[(i+2)%len(q)])
		}
	}
	if o.stroke.cap == "Round" && !f.closed {
		o.circle(q[0])
		o.circle(q[len(q)-1])
	}
}

// along is half the pen's width in the direction from a to b.
func (o *stroker) along(a, b point) (dx, dy float64) {
	l := math.Hypot(b.X-a.X, b.Y-a.Y)
	if l == 0 {
		return 0, 0
	}
	return (b.X - a.X) / l * o.half, (b.Y - a.Y) / l * o.half
}

func (o *stroker) join(a, b, c point) {
	if o.stroke.join == "Round" {
		o.circle(b)
		return
	}
	dx1, dy1 := o.along(a, b)
	dx2, dy2 := o.along(b, c)
	side := 1.0
	if dx1*dy2-dy1*dx2 > 0 {
		side = -1
	}
	p := point{X: b.X - side*dy1, Y: b.Y + side*dx1}
	q := point{X: b.X - side*dy2, Y: b.Y + side*dx2}
	cos := (dx1*dx2 + dy1*dy2) / (o.half * o.half)
	// the miter's length over the pen's width is 1/sin of half the angle between the pieces
	if ratio := math.Sqrt(2 / max(1+cos, 1e-9)); o.stroke.join != "Bevel" && ratio <= max(o.stroke.miter, 1) {
		mx, my := (p.X+q.X)/2-b.X, (p.Y+q.Y)/2-b.Y
		if l := math.Hypot(mx, my); l > 1e-9 {
			k := o.half * ratio / l
			o.polygon(b, p, point{X: b.X + mx*k, Y: b.Y + my*k}, q)
			return
		}
	}
	o.polygon(b, p, q)
}
