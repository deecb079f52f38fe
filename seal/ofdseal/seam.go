package ofdseal

import (
	"fmt"
	"math"
	"sort"
)

// maxSeamChecks bounds the comparison of parts with each other.
const maxSeamChecks = 2000

// Tolerances in millimetres: stamps are written with three decimals, slices of thirds do not add up exactly.
const (
	sizeTolerance  = 0.05
	sliceTolerance = 0.02
)

func differs(a, b float64) bool { return math.Abs(a-b) > sizeTolerance }

// slice is one part of a cross-page seal along the direction it is cut in.
type slice struct {
	from, to float64
	page     int
	// x, y is where the visible part begins on the page.
	x, y float64
}

// seamFaults asks whether the parts of cross-page seals (骑缝章) are all there: each strip of the picture shows equally
// often, and the pages from the first to the last part follow each other without a gap. Groups and pairs satisfy this
// as single seams do; a part removed or put on another page breaks it.
func seamFaults(stamps []stampAnnot, pages map[string]int) []string {
	type cut struct {
		vertical     bool
		extent, w, h float64 // what the parts share: the size of the picture
	}
	groups := map[cut][]slice{}
	for _, st := range stamps {
		page, known := pages[st.page]
		if st.clip == nil || !known {
			continue
		}
		c, b := *st.clip, st.boundary
		part := slice{page: page, x: b.X + c.X, y: b.Y + c.Y}
		switch {
		case differs(c.W, b.W) && !differs(c.H, b.H):
			k := cut{extent: b.W, w: b.W, h: b.H}
			part.from, part.to = c.X, c.X+c.W
			groups[k] = append(groups[k], part)
		case differs(c.H, b.H) && !differs(c.W, b.W):
			k := cut{vertical: true, extent: b.H, w: b.W, h: b.H}
			part.from, part.to = c.Y, c.Y+c.H
			groups[k] = append(groups[k], part)
		case differs(c.W, b.W) && differs(c.H, b.H):
			return []string{fmt.Sprintf("stamp %s shows a corner of its picture, no part of a cross-page seal", st.id)}
		}
	}
	var faults []string
	for k, parts := range groups {
		if why := seamFault(k.extent, parts); why != "" {
			faults = append(faults, why)
		}
	}
	sort.Strings(faults)
	return faults
}

// seamFault checks the parts of one cross-page seal; empty if they are whole.
func seamFault(extent float64, parts []slice) string {
	first, last := parts[0].page, parts[0].page
	shown := map[int]bool{}
	for i, p := range parts {
		first, last = min(first, p.page), max(last, p.page)
		shown[p.page] = true
		for _, q := range parts[:min(i, maxSeamChecks)] {
			if p.page == q.page && !differs(p.x, q.x) && !differs(p.y, q.y) {
				return fmt.Sprintf("two parts of the cross-page seal show at one place of page %d", p.page+1)
			}
		}
	}
	if len(shown) != last-first+1 {
		return fmt.Sprintf("the cross-page seal on pages %d to %d misses a page between", first+1, last+1)
	}
	if first == last {
		return fmt.Sprintf("the cross-page seal shows on page %d alone", first+1)
	}
	if !evenCover(extent, parts) {
		return fmt.Sprintf("a part of the cross-page seal on pages %d to %d is missing or doubled", first+1, last+1)
	}
	return ""
}

// evenCover reports whether every strip of [0, extent] is covered by the same number of parts, at least one.
func evenCover(extent float64, parts []slice) bool {
	type edge struct {
		at    float64
		delta int
	}
	edges := make([]edge, 0, 2*len(parts)+1)
	for _, p := range parts {
		edges = append(edges, edge{p.from, 1}, edge{p.to, -1})
	}
	sort.Slice(edges, func(i, j int) bool { return edges[i].at < edges[j].at })
	depth, want := 0, 0
	for i, e := range edges {
		next := extent
		if i+1 < len(edges) {
			next = edges[i+1].at
		}
		if i == 0 && e.at > sliceTolerance {
			return false
		}
		depth += e.delta
		if next-e.at <= sliceTolerance {
			continue // rounding between neighbouring parts
		}
		if want == 0 {
			want = depth
		}
		if depth == 0 || depth != want {
			return false
		}
	}
	return want > 0
}
