package pdfseal

import (
	"fmt"
	"slices"

	"yinxin/document/pdf"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// update is what one revision does to the one before it, which was signed.
type update struct {
	before, after *pdf.View
	// by is the signature that the revision brings, nil if it brings none.
	by *entry
}

// fault says in one sentence what the revision does beyond adding a signature; empty if nothing. err means that the
// file cannot be read.
func (u *update) fault() (string, error) {
	if u.by == nil {
		return "it changes the document and brings no signature", nil
	}
	for _, step := range []func() (string, error){u.trailer, u.field, u.lists, u.pages, u.objects} {
		if why, err := step(); why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

func (u *update) trailer() (string, error) {
	a, b := u.before.Trailer(), u.after.Trailer()
	if !pdf.Equal(a["Root"], b["Root"]) || !pdf.Equal(a["Info"], b["Info"]) {
		return "its trailer names another catalogue or other document information", nil
	}
	return "", nil
}

// fieldKeys are what a further signature field may hold: nothing that acts, nothing that shows by itself.
var fieldKeys = [...]pdf.Name{"Type", "Subtype", "FT", "T", "V", "F", "Rect", "P", "AP", "NM", "M"}

// field judges the new signature field by itself.
func (u *update) field() (string, error) {
	o, err := u.after.Get(u.by.ref)
	if err != nil {
		return "", err
	}
	d, ok := o.(pdf.Dict)
	value, isRef := u.by.value.(pdf.Ref)
	_, onPage := d["P"].(pdf.Ref)
	if !ok || !isRef || !onPage || d["FT"] != pdf.Name("Sig") || d["Subtype"] != pdf.Name("Widget") {
		return "its signature field is not a plain one", nil
	}
	for k := range d {
		if !slices.Contains(fieldKeys[:], k) {
			return fmt.Sprintf("its signature field holds /%s", k), nil
		}
	}
	for _, r := range []pdf.Ref{u.by.ref, value} {
		if old, err := u.before.Object(r.Number); err != nil || old != nil {
			return fmt.Sprintf("it makes the older object %d a signature", r.Number), err
		}
	}
	_, names, err := fields(u.before)
	if err != nil {
		return "", err
	}
	if names[u.by.name] {
		return fmt.Sprintf("its signature field has the name %q of an older field", u.by.name), nil
	}
	return u.appearance(d)
}

// appearance demands that a further signature shows its seal, or nothing.
func (u *update) appearance(d pdf.Dict) (string, error) {
	rect, err := u.after.Rect(d["Rect"])
	if err != nil {
		return "", err
	}
	if d["AP"] == nil || rect[0] == rect[2] || rect[1] == rect[3] {
		return "", nil
	}
	s, err := sealOf(u.after, u.by.sig)
	if err != nil || s == nil {
		return "its signature shows something that is not a seal", nil //nolint:nilerr // an unreadable seal is reported with its own signature
	}
	if judgeAppearance(u.after, d, s).Status != verdict.Passed {
		return "its signature shows something else than its seal", nil
	}
	return "", nil
}

// lists demands that the lists of fields and of the page's annotations grew by the new field, at their ends.
func (u *update) lists() (string, error) {
	oldForm, err := form(u.before)
	if err != nil {
		return "", err
	}
	newForm, err := form(u.after)
	if err != nil {
		return "", err
	}
	if flags, ok := newForm["SigFlags"].(int64); !ok || flags&^3 != 0 {
		return "it sets unknown form flags", nil
	}
	if grown, err := u.grown(oldForm["Fields"], newForm["Fields"]); err != nil || !grown {
		return "it changes the list of form fields", err
	}
	page := u.by.dict["P"]
	oldPage, err := u.before.Dict(page)
	if err != nil {
		return "", err
	}
	newPage, err := u.after.Dict(page)
	if err != nil {
		return "", err
	}
	if grown, err := u.grown(oldPage["Annots"], newPage["Annots"]); err != nil || !grown {
		return "it changes the list of annotations of a page", err
	}
	return "", nil
}

func (u *update) grown(old, now pdf.Object) (bool, error) {
	a, err := u.before.Array(old)
	if err != nil {
		return false, err
	}
	b, err := u.after.Array(now)
	if err != nil {
		return false, err
	}
	return pdf.Equal(append(slices.Clone(a), u.by.ref), append(pdf.Array{}, b...)), nil
}

// pages demands the same pages in the same order.
func (u *update) pages() (string, error) {
	a, err := u.before.Pages()
	if err != nil {
		return "", err
	}
	b, err := u.after.Pages()
	if err != nil {
		return "", err
	}
	if !slices.EqualFunc(a, b, func(x, y pdf.Page) bool {
		return x.Ref == y.Ref && x.Box == y.Box && x.Rotate == y.Rotate && x.Unit == y.Unit
	}) {
		return "it changes the pages", nil
	}
	return "", nil
}

// objects compares every object of the two revisions. An older one may change where the new field is entered, and
// nowhere else; a new one may not be what an older one already referred to.
func (u *update) objects() (string, error) {
	var referred map[int]bool
	for _, n := range numbers(u.before, u.after) {
		if u.before.SameEntry(u.after, n) {
			continue
		}
		old, err := u.before.Object(n)
		if err != nil {
			return "", err
		}
		now, err := u.after.Object(n)
		if err != nil {
			return "", err
		}
		if old == nil {
			if referred == nil {
				if referred, err = references(u.before); err != nil {
					return "", err
				}
			}
			if referred[n] {
				return fmt.Sprintf("it fills in object %d, which the signed document already refers to", n), nil
			}
			continue
		}
		if !u.before.SameGeneration(u.after, n) || !pdf.Equal(old, now) && !u.mayChange(n, old, now) {
			return fmt.Sprintf("it changes object %d", n), nil
		}
	}
	return "", nil
}

func numbers(before, after *pdf.View) []int {
	all := append(before.Numbers(), after.Touched()...)
	slices.Sort(all)
	return slices.Compact(all)
}

// references lists the numbers that a document refers to, existing or not.
func references(v *pdf.View) (map[int]bool, error) {
	out := map[int]bool{}
	add := func(r pdf.Ref) { out[r.Number] = true }
	pdf.References(v.Trailer(), add)
	for _, n := range v.Numbers() {
		o, err := v.Object(n)
		if err != nil {
			return nil, err
		}
		pdf.References(o, add)
	}
	return out, nil
}

// mayChange says whether object n is one of those that name the new field, and differs in that alone. What the lists
// themselves may become is judged by the step lists.
func (u *update) mayChange(n int, old, now pdf.Object) bool {
	catalog, err := u.before.Catalog()
	if err != nil {
		return false
	}
	oldForm, err := form(u.before)
	if err != nil {
		return false
	}
	page, _ := u.by.dict["P"].(pdf.Ref)
	pageDict, err := u.before.Dict(page)
	if err != nil {
		return false
	}
	root, _ := u.before.Trailer()["Root"].(pdf.Ref)
	switch (pdf.Ref{Number: n}) {
	case plainRef(page):
		return onlyListChanged(old, now, "Annots")
	case plainRef(root):
		return u.catalogMayChange(old, now)
	case plainRef(catalog["AcroForm"]):
		return formMayChange(old, now)
	case plainRef(oldForm["Fields"]), plainRef(pageDict["Annots"]):
		_, isList := now.(pdf.Array)
		return isList
	}
	return false
}

// plainRef is the reference with generation 0 that compares by number; no reference gives one that compares with none.
func plainRef(o pdf.Object) pdf.Ref {
	r, _ := o.(pdf.Ref)
	return pdf.Ref{Number: r.Number}
}

// without compares two dictionaries but for some keys.
func without(old, now pdf.Object, keys ...pdf.Name) (a, b pdf.Dict, same bool) {
	a, ok1 := old.(pdf.Dict)
	b, ok2 := now.(pdf.Dict)
	if !ok1 || !ok2 {
		return nil, nil, false
	}
	x, y := clone(a), clone(b)
	for _, k := range keys {
		delete(x, k)
		delete(y, k)
	}
	return a, b, pdf.Equal(x, y)
}

// onlyListChanged says whether two dictionaries differ in one list alone, which was and stays written in place or was
// missing. A list that is an object of its own must stay that object.
func onlyListChanged(old, now pdf.Object, key pdf.Name, more ...pdf.Name) bool {
	a, b, same := without(old, now, append(more, key)...)
	if !same {
		return false
	}
	if _, isRef := a[key].(pdf.Ref); isRef {
		return pdf.Equal(a[key], b[key])
	}
	return true
}

func formMayChange(old, now pdf.Object) bool { return onlyListChanged(old, now, "Fields", "SigFlags") }

func (u *update) catalogMayChange(old, now pdf.Object) bool {
	a, b, same := without(old, now, "AcroForm")
	if !same {
		return false
	}
	switch was := a["AcroForm"].(type) {
	case nil:
		// A new form: it may hold nothing but the field.
		f, err := form(u.after)
		return err == nil && formMayChange(pdf.Dict{}, f)
	case pdf.Dict:
		return formMayChange(was, b["AcroForm"])
	}
	return pdf.Equal(a["AcroForm"], b["AcroForm"])
}

// sealOf returns the seal that a signature dictionary carries, nil if it carries none.
func sealOf(v *pdf.View, sig pdf.Dict) (*ses.Seal, error) {
	if sig[SealKey] == nil {
		return nil, nil //nolint:nilnil // no seal and no error: a plain signature
	}
	o, err := v.Resolve(sig[SealKey])
	if err != nil {
		return nil, err
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return nil, verdict.Refuse(verdict.Malformed, "/%s is not a stream", SealKey)
	}
	der, err := pdf.Decode(s, ses.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return ses.ParseSeal(der)
}
