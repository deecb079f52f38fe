package render

import (
	"math"
	"strings"

	"yinxin/document/fonts"
	"yinxin/document/ofd"
	"yinxin/verdict"
)

// point is in millimetres, y downwards.
type point = fonts.Point

// matrix maps x, y to a·x + c·y + e, b·x + d·y + f, as a CTM "a b c d e f" does.
type matrix struct{ a, b, c, d, e, f float64 }

var identity = matrix{a: 1, d: 1}

func translate(x, y float64) matrix { return matrix{1, 0, 0, 1, x, y} }

func scale(x, y float64) matrix { return matrix{a: x, d: y} }

// times applies n first, then m.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b,
		m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d,
		m.a*n.e + m.c*n.f + m.e, m.b*n.e + m.d*n.f + m.f,
	}
}

func (m matrix) at(p point) point {
	return point{X: m.a*p.X + m.c*p.Y + m.e, Y: m.b*p.X + m.d*p.Y + m.f}
}

// size is how much m enlarges lengths on the whole.
func (m matrix) size() float64 { return math.Sqrt(math.Abs(m.a*m.d - m.b*m.c)) }

// inverse is false for a matrix that flattens the plane.
func (m matrix) inverse() (matrix, bool) {
	det := m.a*m.d - m.b*m.c
	if math.Abs(det) < 1e-12 || math.IsNaN(det) {
		return matrix{}, false
	}
	return matrix{
		m.d / det, -m.b / det, -m.c / det, m.a / det,
		(m.c*m.f - m.d*m.e) / det, (m.b*m.e - m.a*m.f) / det,
	}, true
}

// numbers reads a list of plain decimals.
func numbers(s string) ([]float64, error) {
	f := strings.Fields(s)
	out := make([]float64, 0, len(f))
	for _, t := range f {
		v, err := ofd.ParseNumber(t)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// readMatrix reads a CTM; an absent one changes nothing.
func readMatrix(s string) (matrix, error) {
	if s == "" {
		return identity, nil
	}
	n, err := numbers(s)
	if err != nil {
		return identity, err
	}
	if len(n) != 6 {
		return identity, verdict.Refuse(verdict.Number, "a matrix of %d numbers", len(n))
	}
	return matrix{n[0], n[1], n[2], n[3], n[4], n[5]}, nil
}

// readPoint reads "x y".
func readPoint(s string) (point, error) {
	n, err := numbers(s)
	if err != nil {
		return point{}, err
	}
	if len(n) != 2 {
		return point{}, verdict.Refuse(verdict.Number, "a position of %d numbers", len(n))
	}
	return point{X: n[0], Y: n[1]}, nil
}

// op is a step of a path.
type op uint8

const (
	moveTo op = iota
	lineTo
	quadTo
	cubeTo
	closePath
)

// pointsOf is how many points a step uses.
func pointsOf(o op) int { return [...]int{1, 1, 2, 3, 0}[o] }

type segment struct {
	op op
	p  [3]point
}

type path []segment

func (p path) transformed(m matrix) path {
	out := make(path, len(p))
	for i, s := range p {
		for k := range pointsOf(s.op) {
			s.p[k] = m.at(s.p[k])
		}
		out[i] = s
	}
	return out
}

func box(b ofd.Box) path {
	at := func(x, y float64) [3]point { return [3]point{{X: x, Y: y}} }
	return path{
		{moveTo, at(b.X, b.Y)}, {lineTo, at(b.X+b.W, b.Y)}, {lineTo, at(b.X+b.W, b.Y+b.H)}, {lineTo, at(b.X, b.Y+b.H)}, {op: closePath},
	}
}

// bounds is the box around all points; false without any.
func (p path) bounds() (b ofd.Box, ok bool) {
	x1, y1, x2, y2 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, s := range p {
		for _, q := range s.p[:pointsOf(s.op)] {
			x1, y1, x2, y2 = min(x1, q.X), min(y1, q.Y), max(x2, q.X), max(y2, q.Y)
		}
	}
	if x1 > x2 {
		return ofd.Box{}, false
	}
	return ofd.Box{X: x1, Y: y1, W: x2 - x1, H: y2 - y1}, true
}

// readPath reads AbbreviatedData: S and M start a figure, L, Q, B, A go on, C closes it (GB/T 33190-2016 9.1).
func readPath(s string, budget *int) (path, error) {
	counts := map[string]int{"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}
	f := ofd.PathFields(s)
	var out path
	var pen point
	for i := 0; i < len(f); {
		n, known := counts[f[i]]
		if !known || i+n >= len(f) {
			return nil, verdict.Refuse(verdict.Malformed, "a path with the step %.8q", f[i])
		}
		v, err := numbers(strings.Join(f[i+1:i+1+n], " "))
		if err != nil {
			return nil, err
		}
		steps := pathStep(f[i], v, pen)
		if len(out) == 0 && f[i] != "S" && f[i] != "M" {
			out = append(out, segment{op: moveTo})
		}
		out = append(out, steps...)
		if n >= 2 {
			pen = point{X: v[n-2], Y: v[n-1]}
		}
		if *budget -= len(steps); *budget < 0 {
			return nil, verdict.Refuse(verdict.Limit, "more than %d path segments on a page", maxSegments)
		}
		i += 1 + n
	}
	return out, nil
}

func pathStep(step string, v []float64, pen point) path {
	at := func(i int) point { return point{X: v[i], Y: v[i+1]} }
	switch step {
	case "S", "M":
		return path{{moveTo, [3]point{at(0)}}}
	case "L":
		return path{{lineTo, [3]point{at(0)}}}
	case "Q":
		return path{{quadTo, [3]point{at(0), at(2)}}}
	case "B":
		return path{{cubeTo, [3]point{at(0), at(2), at(4)}}}
	case "A":
		return arc(pen, v[0], v[1], v[2], v[3] != 0, v[4] != 0, at(5))
	}
	return path{{op: closePath}}
}

// arc turns an elliptical arc into curves, as SVG describes it (SVG 1.1, F.6.5).
func arc(from point, rx, ry, degrees float64, large, sweep bool, to point) path {
	rx, ry = math.Abs(rx), math.Abs(ry)
	if rx == 0 || ry == 0 || from == to {
		return path{{lineTo, [3]point{to}}}
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	dx, dy := (from.X-to.X)/2, (from.Y-to.Y)/2
	x1, y1 := cos*dx+sin*dy, -sin*dx+cos*dy
	if l := x1*x1/(rx*rx) + y1*y1/(ry*ry); l > 1 {
		rx, ry = rx*math.Sqrt(l), ry*math.Sqrt(l)
	}
	k := math.Sqrt(max(0, (rx*rx*ry*ry-rx*rx*y1*y1-ry*ry*x1*x1)/(rx*rx*y1*y1+ry*ry*x1*x1)))
	if large == sweep {
		k = -k
	}
	cx, cy := k*rx*y1/ry, -k*ry*x1/rx
	start := math.Atan2((y1-cy)/ry, (x1-cx)/rx)
	turn := math.Atan2((-y1-cy)/ry, (-x1-cx)/rx) - start
	switch {
	case sweep && turn < 0:
		turn += 2 * math.Pi
	case !sweep && turn > 0:
		turn -= 2 * math.Pi
	}
	m := matrix{cos * rx, sin * rx, -sin * ry, cos * ry, cos*cx - sin*cy + (from.X+to.X)/2, sin*cx + cos*cy + (from.Y+to.Y)/2}
	parts := int(math.Ceil(math.Abs(turn)/(math.Pi/2) - 1e-9))
	var out path
	for i := range parts {
		a, b := start+turn*float64(i)/float64(parts), start+turn*float64(i+1)/float64(parts)
		t := 4.0 / 3 * math.Tan((b-a)/4)
		sa, ca := math.Sincos(a)
		sb, cb := math.Sincos(b)
		out = append(out, segment{cubeTo, [3]point{
			m.at(point{X: ca - t*sa, Y: sa + t*ca}), m.at(point{X: cb + t*sb, Y: sb - t*cb}), m.at(point{X: cb, Y: sb}),
		}})
	}
	return out
}
