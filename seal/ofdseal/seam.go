package ofdseal

import (
	"cmp"
	"math"
	"slices"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// Tolerances in millimetres: stamps are written with three decimals, slices of thirds do not add up exactly.
const (
	sizeTolerance  = 0.05
	sliceTolerance = 0.02
)

func differs(a, b float64) bool { return math.Abs(a-b) > sizeTolerance }

func apart(a, b float64) bool { return math.Abs(a-b) > sliceTolerance }

// slice is the part of a picture that one page shows, along the direction that the picture is cut in.
type slice struct {
	stamp    string
	page     int
	from, to float64 // of the picture
	gap      float64 // between the part and the edge that it lies at
	across   float64 // where the picture begins along the edge
}

// cut is what the parts of one cross-page seal share: the size of the picture, and the direction that it is cut in.
type cut struct {
	w, h   float64
	across bool // into parts one below the other
}

func (c cut) extent() float64 {
	if c.across {
		return c.h
	}
	return c.w
}

// edges are the parts at the two edges of the pages that a picture can be cut over: right or bottom, and left or top.
type edges struct{ far, near []slice }

// judgeSeams asks whether the cross-page seals (骑缝章) of a signature are whole. A seal along one edge shows a part on every
// page of the document, the parts in the order of the pages (backwards at the left and at the top), each at the edge, and
// so that the picture is whole once, or once for each group of neighbouring pages. In pairs every two neighbouring pages
// share one picture: a part at the far edge of one, the rest at the near edge of the other.
func judgeSeams(faults *findings, stamps []stampAnnot, pages []ofd.Page, byID map[string]int) {
	seams := map[cut]*edges{}
	for _, st := range stamps {
		page, known := byID[st.page]
		if st.clip == nil || !known {
			continue
		}
		c := cut{w: st.boundary.W, h: st.boundary.H}
		switch narrow, low := differs(st.clip.W, c.w), differs(st.clip.H, c.h); {
		case narrow && low:
			faults.add(verdict.SeamIncomplete, "stamp %s shows a corner of its picture, no part of a cross-page seal", st.id)
			return
		case !narrow && !low:
			continue // all of it shows
		default:
			c.across = low
		}
		if seams[c] == nil {
			seams[c] = &edges{}
		}
		s, far := sliceOf(st, page, pages[page].Size, c)
		if s.gap < -sizeTolerance || s.from < -sliceTolerance || s.to > c.extent()+sliceTolerance {
			faults.add(verdict.SeamIncomplete, "stamp %s, a part of the cross-page seal, does not lie on page %d as it is cut", st.id, page+1)
			return
		}
		if far {
			seams[c].far = append(seams[c].far, s)
		} else {
			seams[c].near = append(seams[c].near, s)
		}
	}
	for c, e := range seams {
		seam{faults: faults, extent: c.extent(), pages: len(pages)}.judge(e)
	}
}

// sliceOf is the part that a stamp shows, and whether it lies at the far edge of the page.
func sliceOf(st stampAnnot, page int, size ofd.Box, c cut) (s slice, far bool) {
	s = slice{stamp: st.id, page: page, from: st.clip.X, to: st.clip.X + st.clip.W, across: st.boundary.Y}
	at, room := st.boundary.X, size.W
	if c.across {
		s.from, s.to, s.across = st.clip.Y, st.clip.Y+st.clip.H, st.boundary.X
		at, room = st.boundary.Y, size.H
	}
	near, rest := at+s.from, room-at-s.to
	s.gap = min(near, rest)
	return s, rest <= near
}

// seam judges the parts of one picture.
type seam struct {
	faults *findings
	extent float64
	pages  int
}

func (s seam) judge(e *edges) {
	far, near := lanes(e.far), lanes(e.near)
	wholeFar, wholeNear := s.allWhole(far, true), s.allWhole(near, false)
	switch {
	case wholeFar && wholeNear:
	case len(near) == 0, wholeNear && len(near) > 0:
		s.explain(far, true)
	case len(far) == 0, wholeFar && len(far) > 0:
		s.explain(near, false)
	case len(far) != len(near):
		s.faults.add(verdict.SeamIncomplete, "the two halves of the cross-page seal do not show equally often")
	default:
		for i := range far {
			s.pairs(far[i], near[i])
		}
	}
}

// lanes sorts parts into seams that run along the same edge, one beside the other.
func lanes(parts []slice) [][]slice {
	slices.SortStableFunc(parts, func(a, b slice) int {
		return cmp.Or(cmp.Compare(a.page, b.page), cmp.Compare(a.across, b.across))
	})
	var out [][]slice
	nth := 0
	for i, p := range parts {
		if nth++; i == 0 || parts[i-1].page != p.page {
			nth = 0
		}
		if nth == len(out) {
			out = append(out, nil)
		}
		out[nth] = append(out[nth], p)
	}
	return out
}

func (s seam) allWhole(all [][]slice, far bool) bool {
	quiet := s
	quiet.faults = &findings{}
	quiet.explain(all, far)
	return len(quiet.faults.checks) == 0
}

// explain judges seams along one edge.
func (s seam) explain(all [][]slice, far bool) {
	for _, parts := range all {
		if s.everyPage(parts, 0, s.pages) && s.oneGap(parts) {
			s.order(parts, far)
		}
	}
}

// everyPage demands one part on each page of a run.
func (s seam) everyPage(parts []slice, from, to int) bool {
	for i := range max(len(parts), to-from) {
		switch {
		case i >= len(parts), i < to-from && parts[i].page > from+i:
			s.faults.add(verdict.SeamIncomplete, "page %d shows no part of the cross-page seal, which runs over all pages", from+i+1)
			return false
		case i >= to-from, parts[i].page != from+i:
			s.faults.add(verdict.SeamIncomplete, "stamp %s is a part of the cross-page seal that page %d should not show", parts[i].stamp, parts[i].page+1)
			return false
		}
	}
	return true
}

// oneGap demands that all parts are equally far from the edge.
func (s seam) oneGap(parts []slice) bool {
	const tolerance = 1.0 // other software writes whole millimetres
	for _, p := range parts {
		if math.Abs(p.gap-parts[0].gap) > tolerance {
			s.faults.add(verdict.SeamIncomplete, "stamp %s, a part of the cross-page seal, lies %.1f mm from the edge of page %d, the first one %.1f mm",
				p.stamp, p.gap, p.page+1, parts[0].gap)
			return false
		}
	}
	return true
}

// order demands that the parts, in the order of the pages, make up the picture once or several times, each time over two
// pages at least.
func (s seam) order(parts []slice, far bool) {
	begin := 0 // of the picture that is being put together
	for i, p := range parts {
		from, to := p.from, p.to
		if !far { // backwards: the first page shows the end of the picture
			from, to = s.extent-p.to, s.extent-p.from
		}
		want := 0.0
		if i > begin {
			if want = parts[i-1].to; !far {
				want = s.extent - parts[i-1].from
			}
		}
		if apart(from, want) || to <= from {
			s.faults.add(verdict.SeamIncomplete, "page %d shows another part of the cross-page seal than its place in the document asks for", p.page+1)
			return
		}
		if apart(to, s.extent) {
			continue
		}
		if i == begin {
			s.faults.add(verdict.SeamIncomplete, "page %d shows all of the cross-page seal", p.page+1)
			return
		}
		begin = i + 1
	}
	if begin < len(parts) {
		s.faults.add(verdict.SeamIncomplete, "the cross-page seal from page %d on is not whole at the last page", parts[begin].page+1)
	}
}

// pairs judges pictures of which neighbouring pages show one half each: pages bound on the left the first half at the right
// edge and the second half at the left edge of the next page, pages bound on the right the other way round.
func (s seam) pairs(far, near []slice) {
	first, second := far, near
	if near[0].page < far[0].page {
		first, second = near, far
	}
	if !s.everyPage(first, 0, s.pages-1) || !s.everyPage(second, 1, s.pages) || !s.oneGap(first) || !s.oneGap(second) {
		return
	}
	for i := range far {
		if apart(far[i].from, 0) || apart(far[i].to, near[i].from) || apart(near[i].to, s.extent) {
			s.faults.add(verdict.SeamIncomplete, "pages %d and %d do not show the two halves of a cross-page seal", first[i].page+1, second[i].page+1)
			return
		}
	}
}
