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
// (an update could point to them), active content (JavaScript, launching, forms that send, XFA, additional actions),
// content kept outside the file, and layers that are switched off.
func Lint(f *pdf.File) error {
	stray, err := f.Stray()
	if err != nil {
		return err
	}
	if len(stray) > 0 {
		return shadow("bytes %d to %d belong to no object, or to two", stray[0].Start, stray[0].End)
	}
	return lintObjects(f.Current())
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
		if s, ok := o.(*pdf.Stream); ok && s.Dict["F"] != nil {
			return shadow("stream %d keeps its data in another file", n)
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

// active names what a dictionary does, empty for nothing.
func active(d pdf.Dict) string {
	for _, key := range []pdf.Name{"JS", "JavaScript", "XFA", "AA", "RichMediaContent"} {
		if d[key] != nil {
			return "/" + string(key)
		}
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
