package pdfseal

import (
	"slices"

	"yinxin/document/pdf"
	"yinxin/verdict"
)

// actions are the action types that make a document do things; going to a place is not among them.
var actions = [...]pdf.Name{
	"JavaScript", "Launch", "ImportData", "SubmitForm", "ResetForm", "SetOCGState", "Rendition", "RichMediaExecute",
	"GoToR", "GoToE", "Movie", "Sound", "Hide",
}

// Lint looks for what makes a document show or do one thing today and another tomorrow, and returns a
// *verdict.ContainerError with the reason active_or_shadow_content if there is any: bytes that belong to no object
// (an update could point to them), objects that nothing refers to (the same), signatures that no field lists, active content
// (JavaScript, launching, forms that send or that viewers fill in anew, XFA, additional actions), content kept outside the
// file, pictures with alternates, and layers that are switched off.
func Lint(f *pdf.File) error {
	stray, err := f.Stray()
	if err != nil {
		return err
	}
	if len(stray) > 0 {
		return shadow("bytes %d to %d belong to no object, or to two", stray[0].Start, stray[0].End)
	}
	if err := lintObjects(f.Current()); err != nil {
		return err
	}
	if err := lintSignatures(f); err != nil {
		return err
	}
	return lintUnreferenced(f.Current())
}

// lintSignatures refuses signatures that no field lists: nobody judges them, and some readers show them.
func lintSignatures(f *pdf.File) error {
	entries, err := collect(f)
	if err != nil {
		return err
	}
	v := &verifier{file: f, entries: entries}
	count, first, err := v.unlisted()
	if err == nil && count > 0 {
		err = shadow("%d signatures that no field names, the first is %s", count, first)
	}
	return err
}

func shadow(format string, args ...any) error {
	return verdict.Refuse(verdict.ActiveOrShadowContent, format, args...)
}

func lintObjects(v *pdf.View) error {
	catalog, err := v.Catalog()
	if err != nil {
		return err
	}
	if open, err := v.Resolve(catalog["OpenAction"]); err != nil {
		return err
	} else if d, ok := open.(pdf.Dict); ok && d["S"] != pdf.Name("GoTo") {
		return shadow("the document acts when it is opened")
	}
	if err := lintLayers(v, catalog); err != nil {
		return err
	}
	for _, n := range v.Numbers() {
		o, err := v.Object(n)
		if err != nil {
			return err
		}
		if what := outside(o); what != "" {
			return shadow("object %d %s", n, what)
		}
		pdf.Dicts(o, func(d pdf.Dict) {
			if what := active(d); what != "" && err == nil {
				err = shadow("object %d holds %s", n, what)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// outside says how an object shows what lies outside of the file; empty if it does not.
func outside(o pdf.Object) string {
	s, ok := o.(*pdf.Stream)
	switch {
	case !ok:
		return ""
	case s.Dict["F"] != nil:
		return "keeps its data in another file"
	case s.Dict["Ref"] != nil && s.Dict["Subtype"] == pdf.Name("Form"):
		return "shows a page of another file"
	case s.Dict["OPI"] != nil:
		return "stands for a picture in another file"
	}
	return ""
}

// active names what a dictionary does, empty for nothing.
func active(d pdf.Dict) string {
	for _, key := range []pdf.Name{"JS", "JavaScript", "XFA", "AA", "RichMediaContent", "Alternates"} {
		if d[key] != nil {
			return "/" + string(key)
		}
	}
	if again, given := d["NeedAppearances"]; given && again != false {
		return "/NeedAppearances: viewers draw the fields anew"
	}
	if d["Type"] == pdf.Name("OCMD") && (d["VE"] != nil || d["P"] == pdf.Name("AllOff") || d["P"] == pdf.Name("AnyOff")) {
		return "/OCMD: content that hides while a layer shows"
	}
	if s, ok := d["S"].(pdf.Name); ok && slices.Contains(actions[:], s) {
		return "an action /" + string(s)
	}
	return ""
}

// lintLayers refuses optional content that is hidden, or that shows at some occasions alone.
func lintLayers(v *pdf.View, catalog pdf.Dict) error {
	properties, err := v.Dict(catalog["OCProperties"])
	if err != nil || properties == nil {
		return err
	}
	if properties["Configs"] != nil {
		return shadow("the document has several configurations of its layers")
	}
	d, err := v.Dict(properties["D"])
	if err != nil {
		return err
	}
	base, err := v.Resolve(d["BaseState"])
	if err != nil {
		return err
	}
	if base != nil && base != pdf.Name("ON") {
		return shadow("the document's layers are switched off")
	}
	for _, key := range []pdf.Name{"OFF", "AS"} {
		list, err := v.Array(d[key])
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return shadow("the document has layers under /%s", key)
		}
	}
	return nil
}
