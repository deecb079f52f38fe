package pdfseal

import (
	"math"
	"slices"

	"yinxin/document/pdf"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// Flags of an annotation (ISO 32000-1, 12.5.3).
const (
	flagHidden = 2
	flagPrint  = 4
	flagNoView = 32
)

// judgePlacement asks whether a seal that has an appearance shows on its page, and warns where it shows in another size than the
// seal's or is not printed. A field without an appearance claims nothing to the eye.
func judgePlacement(sig *verdict.Signature, e *entry, s *ses.Seal) {
	const name = verdict.CheckPlacement
	v, field := e.view, e.dict
	if field["AP"] == nil {
		return
	}
	rect, page, err := placeOf(v, e.ref, field)
	if err != nil || page == nil {
		sig.Add(verdict.Fail(name, verdict.Placement, "the seal's field names no place on a page"))
		return
	}
	o, err := v.Resolve(field["F"])
	flags, ok := o.(int64)
	switch {
	case err != nil || o != nil && !ok:
		sig.Add(verdict.Fail(name, verdict.Placement, "the flags of the seal's field cannot be read"))
		return
	case flags&(flagHidden|flagNoView) != 0:
		sig.Add(verdict.Fail(name, verdict.Placement, "the seal does not show: the flags of its field (%d) hide it", flags))
		return
	case !meets(rect, page.Box):
		sig.Add(verdict.Fail(name, verdict.Placement, "the seal lies outside of its page or has no extent"))
		return
	case flags&flagPrint == 0:
		sig.Warn(verdict.Placement, "the seal shows on the screen and is not printed")
	}
	sig.Add(verdict.Pass(name))
	warnSize(sig, rect, page, s.Info.Picture)
}

// warnSize warns of a seal that is drawn larger or smaller than it is.
func warnSize(sig *verdict.Signature, rect [4]float64, page *pdf.Page, p ses.Picture) {
	w, h := (rect[2]-rect[0])*page.Unit/mmToPoint, (rect[3]-rect[1])*page.Unit/mmToPoint
	if page.Rotate%180 != 0 {
		w, h = h, w
	}
	const slack = 0.1
	if math.Abs(w-float64(p.Width)) > slack || math.Abs(h-float64(p.Height)) > slack {
		sig.Warn(verdict.Placement, "the seal is drawn %g × %g mm, it measures %d × %d mm", tenth(w), tenth(h), p.Width, p.Height)
	}
}

// placeOf returns the rectangle of a widget and the page that shows it, nil if there is none: the page that lists it among its
// annotations, whichever page its own /P names.
func placeOf(v *pdf.View, ref pdf.Ref, widget pdf.Dict) ([4]float64, *pdf.Page, error) {
	rect, err := v.Rect(widget["Rect"])
	if err != nil {
		return rect, nil, err
	}
	pages, err := v.Pages()
	if err != nil {
		return rect, nil, err
	}
	for i := range pages {
		list, err := v.Array(pages[i].Dict["Annots"])
		if err != nil {
			return rect, nil, err
		}
		if slices.Contains(list, pdf.Object(ref)) {
			return rect, &pages[i], nil
		}
	}
	return rect, nil, nil
}

// meets reports whether the rectangle has an extent and shares some of it with the page.
func meets(r, page [4]float64) bool {
	return r[0] < r[2] && r[1] < r[3] && r[0] < page[2] && r[2] > page[0] && r[1] < page[3] && r[3] > page[1]
}

func tenth(x float64) float64 { return math.Round(x*10) / 10 }
