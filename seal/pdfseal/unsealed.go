package pdfseal

import (
	"bytes"
	"slices"

	"yinxin/document/pdf"
	"yinxin/verdict"
)

// maxAppearance bounds what is read of an appearance to see whether it draws anything.
const maxAppearance = 1 << 20

// warnUnsealed warns of a signature that shows something that is no seal: all that it shows, where it carries none, and what
// further widgets of its field show. Whoever draws a seal's picture there makes no seal of it, and a reader of the page cannot
// tell. What is drawn is not judged, for a seal can be drawn in many ways.
func warnUnsealed(sig *verdict.Signature, e *entry) {
	if sig.Kind != "seal" && visible(e.view, e.ref, e.dict) {
		sig.Warn(verdict.Unsealed, "signature %s shows something on the page and carries no seal: a picture of a seal there is no electronic seal", sig.ID)
		return
	}
	if kidShows(e.view, e.dict, 0) {
		sig.Warn(verdict.Unsealed, "a further widget of signature %s shows something on a page: a picture of a seal there is no electronic seal", sig.ID)
	}
}

// kidShows reports whether a widget below a field shows anything. The tree of fields was walked before, within its bounds.
func kidShows(v *pdf.View, field pdf.Dict, depth int) bool {
	kids, err := v.Array(field["Kids"])
	if err != nil || depth > pdf.MaxDepth {
		return true
	}
	return slices.ContainsFunc(kids, func(o pdf.Object) bool {
		ref, _ := o.(pdf.Ref)
		kid, err := v.Dict(o)
		if err != nil {
			return true
		}
		return kid["V"] == nil && visible(v, ref, kid) || kidShows(v, kid, depth+1)
	})
}

// visible reports whether a widget may show anything; what cannot be read may.
func visible(v *pdf.View, ref pdf.Ref, widget pdf.Dict) bool {
	rect, page, err := placeOf(v, ref, widget)
	if err == nil && page != nil && !meets(rect, page.Box) {
		return false
	}
	if o, err := v.Resolve(widget["F"]); err == nil {
		if flags, ok := o.(int64); ok && flags&flagHidden != 0 {
			return false
		}
	}
	ap, err := v.Dict(widget["AP"])
	return err != nil || draws(v, ap["N"])
}

// draws reports whether an appearance may show anything; what cannot be read may.
func draws(v *pdf.View, appearance pdf.Object) bool {
	o, err := v.Resolve(appearance)
	if err != nil {
		return true
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return o != nil // one of several, by state
	}
	content, err := pdf.Decode(s, maxAppearance)
	return err != nil || len(bytes.TrimSpace(content)) > 0
}

// warnStamps warns of annotations of the kind Stamp, which readers draw as stamps: no seal is one.
func (v *verifier) warnStamps(out *verdict.File) error {
	view := v.file.Current()
	pages, err := view.Pages()
	if err != nil {
		return err
	}
	for i, p := range pages {
		list, err := view.Array(p.Dict["Annots"])
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list, func(o pdf.Object) bool { return isStamp(view, o) }) {
			out.Warn(verdict.Unsealed, "page %d bears a stamp that is drawn as an annotation: it is no electronic seal", i+1)
		}
	}
	return nil
}

func isStamp(v *pdf.View, annotation pdf.Object) bool {
	d, err := v.Dict(annotation)
	if err != nil {
		return false
	}
	kind, err := v.Resolve(d["Subtype"])
	return err == nil && kind == pdf.Name("Stamp")
}
