package attack

import (
	"fmt"
	"strings"
)

// seamCases are the variants of O-15.
func seamCases(l *lab) {
	drop := func(p *pack, nth int) {
		d := string(p.get(describe0).data)
		i := 0
		for range nth {
			i += strings.Index(d[i+1:], "<ofd:StampAnnot") + 1
		}
		p.edit(describe0, d[i:i+strings.Index(d[i:], "/>")+2], "")
	}
	for nth := 1; nth <= 4; nth++ {
		l.on("Seam", fmt.Sprintf("O-15/after-%d", nth), "a part of the cross-page seal removed after sealing", Failed, "sig_value", func(p *pack) { drop(p, nth) })
		l.on("Seam", fmt.Sprintf("O-15/before-%d", nth), "a part of the cross-page seal left out by the signer", Failed, "seam_incomplete", func(p *pack) {
			drop(p, nth)
			l.resign(p, l.base.Sign)
		})
	}
	l.on("Seam", "O-15/one-page", "two parts on one page, by the signer", Failed, "seam_incomplete", func(p *pack) {
		d := string(p.get(describe0).data)
		ref := func(nth int) string {
			parts := strings.Split(d, `PageRef="`)
			return `PageRef="` + parts[nth][:strings.Index(parts[nth], `"`)+1]
		}
		p.edit(describe0, ref(2), ref(1))
		l.resign(p, l.base.Sign)
	})
}

// stamp is one StampAnnot: on a page, counted from 0, with the corner of the picture and its part that shows.
type stamp struct {
	page                int
	x, y                float64
	clipX, clipY, cw, h float64
}

// side is the side of the picture in the base Seam, which has four pages of A4.
const (
	side                = 42.0
	seamPages           = 4
	seamWide, seamTall  = 210.0, 297.0
	seamAcross          = 100.0
	half, quarter, both = side / 2, side / seamPages, 2
)

// strip is part nth of n of the picture, upright, that ends or begins at an edge of the page.
func strip(page, nth, n int, atRight bool) stamp {
	w := side / float64(n)
	s := stamp{page: page, y: seamAcross, clipX: w * float64(nth), cw: w, h: side}
	if s.x = -s.clipX; atRight {
		s.x = seamWide - s.clipX - w
	}
	return s
}

// turned is the same strip for the edge at the bottom, or at the top.
func (s stamp) turned() stamp {
	t := stamp{page: s.page, x: s.y, clipY: s.clipX, cw: s.h, h: s.cw}
	if t.y = s.x; s.x > 0 {
		t.y += seamTall - seamWide
	}
	return t
}

// run makes one stamp for each page.
func run(make func(page int) stamp) []stamp {
	var all []stamp
	for page := range seamPages {
		all = append(all, make(page))
	}
	return all
}

// seams seals with other stamps than those of the base, by the signer.
func (l *lab) seams(id, mutation, verdict string, stamps []stamp) {
	reason := "seam_incomplete"
	if verdict == Passed {
		reason = "list_open"
	}
	l.on("Seam", "O-15/"+id, mutation+", by the signer", verdict, reason, func(p *pack) {
		d := string(p.get(describe0).data)
		pages := pageIDs(string(p.get(docFile).data))
		from, to := strings.Index(d, "<ofd:StampAnnot"), strings.Index(d, "<ofd:Seal>")
		var text strings.Builder
		for i, s := range stamps {
			fmt.Fprintf(&text, `<ofd:StampAnnot ID="%d" PageRef="%s" Boundary="%g %g %g %g" Clip="%g %g %g %g"/>`,
				i+2, pages[s.page], s.x, s.y, side, side, s.clipX, s.clipY, s.cw, s.h)
		}
		p.get(describe0).data = []byte(d[:from] + text.String() + d[to:])
		l.resign(p, l.base.Sign)
	})
}

// pageIDs are the identifiers of the pages, in their order.
func pageIDs(document string) []string {
	var ids []string
	for _, part := range strings.Split(document, `<ofd:Page ID="`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		ids = append(ids, id)
	}
	return ids
}

// seamShapes are cross-page seals of every shape, and what is wrong with some: O-15.
func seamShapes(l *lab) {
	right := func(page int) stamp { return strip(page, page, seamPages, true) }
	left := func(page int) stamp { return strip(page, seamPages-1-page, seamPages, false) }
	group := func(page int) stamp { return strip(page, page%both, both, true) }
	var pairs []stamp
	for page := range seamPages - 1 {
		pairs = append(pairs, strip(page, 0, both, true), strip(page+1, 1, both, false))
	}
	lower := func(all []stamp) []stamp {
		for i := range all {
			all[i].y += 60
		}
		return all
	}
	sound := map[string][]stamp{
		"right": run(right), "left": run(left), "groups": run(group), "pairs": pairs,
		"bottom": run(func(page int) stamp { return right(page).turned() }),
		"top":    run(func(page int) stamp { return left(page).turned() }),
		"twice":  append(run(right), lower(run(right))...), "both-edges": append(run(right), run(left)...),
		"backwards-in-the-list": {right(3), right(2), right(1), right(0)},
		"inside":                run(func(page int) stamp { s := right(page); s.x -= 3; return s }),
	}
	for id, stamps := range sorted(sound) {
		l.seams("twin-"+id, "none: a whole cross-page seal, "+id, Passed, stamps)
	}
	on := func(s stamp, page int) stamp { s.page = page; return s }
	shift := func(s stamp, dx, dy float64) stamp { s.x, s.y = s.x+dx, s.y+dy; return s }
	clip := func(s stamp, dx, dw float64) stamp { s.clipX, s.cw = s.clipX+dx, s.cw+dw; return s }
	for id, stamps := range sorted(map[string][]stamp{
		"exchanged":         {on(right(0), 1), on(right(1), 0), right(2), right(3)},
		"exchanged-ends":    {on(right(0), 3), right(1), right(2), on(right(3), 0)},
		"reversed":          run(func(page int) stamp { return on(right(seamPages-1-page), page) }),
		"left-in-wrong-way": run(func(page int) stamp { return strip(page, page, seamPages, false) }),
		"turned-in-wrong-way": run(func(page int) stamp {
			return strip(page, seamPages-1-page, seamPages, true).turned()
		}),
		"first-group-missing": {group(2), group(3)},
		"last-group-missing":  {group(0), group(1)},
		"groups-exchanged":    {group(0), on(group(1), 2), on(group(2), 1), group(3)},
		"group-on-one-page":   {group(0), on(group(1), 0), group(2), group(3)},
		"first-page-missing":  {strip(1, 0, 3, true), strip(2, 1, 3, true), strip(3, 2, 3, true)},
		"last-page-missing":   {strip(0, 0, 3, true), strip(1, 1, 3, true), strip(2, 2, 3, true)},
		"first-pair-missing":  pairs[2:],
		"last-pair-missing":   pairs[:4],
		"half-a-pair":         pairs[:5],
		"pair-of-one-half":    {pairs[0], shift(clip(pairs[1], -half, 0), half, 0), pairs[2], pairs[3], pairs[4], pairs[5]},
		"overlapping":         {right(0), clip(right(1), -4, 4), right(2), right(3)},
		"gap":                 {right(0), clip(right(1), 4, -4), right(2), right(3)},
		"whole-on-each":       run(func(page int) stamp { return clip(strip(page, 0, 1, true), 0, -1) }),
		"two-of-one-part":     {right(0), on(right(0), 1), right(2), right(3)},
		"over-the-edge":       {right(0), shift(right(1), quarter/2, 0), right(2), right(3)},
		"in-the-page":         {right(0), shift(right(1), -90, 0), right(2), right(3)},
		"one-more-part":       append(run(right), shift(right(1), 0, 60)),
		"a-corner":            {{page: 0, x: 168, y: seamAcross, cw: half, h: half}},
	}) {
		l.seams(id, "a cross-page seal that is not whole: "+id, Failed, stamps)
	}
}
