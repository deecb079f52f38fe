package render

import (
	"yinxin/document/ofd"
)

// annotations draws the appearances of a page's annotations, which lie over it.
func (r *reader) annotations(name string, at matrix) error {
	if name == "" {
		return nil
	}
	data, ok := r.doc.pkg.Entry(name)
	if !ok {
		r.doc.note("resource_missing", "%s", name)
		return nil
	}
	list, err := ofd.ParseXML(name, data, "PageAnnot")
	if err != nil {
		return err
	}
	r.res = r.doc.common
	for _, a := range list.All("Annot") {
		look := a.Child("Appearance")
		if look == nil || a.Value("Visible") == "false" {
			continue
		}
		b, err := optionalBox(look)
		if err != nil {
			return err
		}
		st := state{at: at.times(translate(b.X, b.Y)), alpha: 1, draw: defaultDraw()}
		if err := r.walk(look, st); err != nil {
			return err
		}
	}
	return nil
}
