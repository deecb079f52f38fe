package pdfseal

import (
	"fmt"
	"strconv"

	"yinxin/document/pdf"
	"yinxin/verdict"
)

// field is a signature field that has a value, as one revision shows it.
type field struct {
	ref   pdf.Ref
	name  string
	dict  pdf.Dict
	value pdf.Object // /V as it stands in the field
	sig   pdf.Dict   // the signature dictionary, nil if /V leads to none
	at    int64      // offset of /Contents, -1 if there is none in the file's own text
}

// fieldWalk goes through the tree of form fields (ISO 32000-1, 12.7.3.1).
type fieldWalk struct {
	view  *pdf.View
	seen  map[pdf.Ref]bool
	names map[string]bool
	found []field
}

// form returns the interactive form of the document, nil if it has none.
func form(v *pdf.View) (pdf.Dict, error) {
	catalog, err := v.Catalog()
	if err != nil {
		return nil, err
	}
	return v.Dict(catalog["AcroForm"])
}

// fields returns the signature fields with a value, and the names of all fields.
func fields(v *pdf.View) ([]field, map[string]bool, error) {
	w := &fieldWalk{view: v, seen: map[pdf.Ref]bool{}, names: map[string]bool{}}
	f, err := form(v)
	if err != nil {
		return nil, nil, err
	}
	list, err := v.Array(f["Fields"])
	if err != nil {
		return nil, nil, err
	}
	return w.found, w.names, w.all(list, "", nil, 0)
}

func (w *fieldWalk) all(list pdf.Array, prefix string, kind pdf.Object, depth int) error {
	for _, o := range list {
		ref, ok := o.(pdf.Ref)
		if !ok {
			return verdict.Refuse(verdict.Malformed, "a form field is not an indirect object")
		}
		if err := w.node(ref, prefix, kind, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *fieldWalk) node(ref pdf.Ref, prefix string, kind pdf.Object, depth int) error {
	if w.seen[ref] || depth > pdf.MaxDepth || len(w.seen) >= MaxFields {
		return verdict.Refuse(verdict.Limit, "the form is not a tree of at most %d fields, at object %d", MaxFields, ref.Number)
	}
	w.seen[ref] = true
	d, err := w.view.Dict(ref)
	if err != nil || d == nil {
		return err
	}
	if own, err := w.view.Resolve(d["FT"]); err != nil {
		return err
	} else if own != nil {
		kind = own
	}
	name := prefix
	if t, err := w.view.Resolve(d["T"]); err != nil {
		return err
	} else if t, ok := t.(pdf.String); ok {
		if name != "" {
			name += "."
		}
		name += text(t.Value)
	}
	w.names[name] = true
	if value, has := d["V"]; has && kind == pdf.Name("Sig") {
		f := field{ref: ref, name: name, dict: d, value: value, at: -1}
		if f.sig, err = signatureDict(w.view, value); err != nil {
			return err
		}
		if c, ok := f.sig["Contents"].(pdf.String); ok {
			f.at = c.Start
		}
		w.found = append(w.found, f)
	}
	kids, err := w.view.Array(d["Kids"])
	if err != nil {
		return err
	}
	return w.all(kids, name, kind, depth+1)
}

// signatureDict resolves /V; what is no dictionary counts as no signature.
func signatureDict(v *pdf.View, o pdf.Object) (pdf.Dict, error) {
	o, err := v.Resolve(o)
	if err != nil {
		return nil, err
	}
	d, _ := o.(pdf.Dict)
	return d, nil
}

// text reads a text string for display: UTF-16BE with a mark, else Latin.
func text(b []byte) string {
	var out []rune
	if len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF {
		for b = b[2:]; len(b) >= 2; b = b[2:] {
			r := rune(b[0])<<8 | rune(b[1])
			if r >= 0xD800 && r < 0xDC00 && len(b) >= 4 {
				low := rune(b[2])<<8 | rune(b[3])
				if low >= 0xDC00 && low < 0xE000 {
					r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
					b = b[2:]
				}
			}
			out = append(out, r)
		}
		return string(out)
	}
	for _, c := range b {
		out = append(out, rune(c))
	}
	return string(out)
}

// entry is one signature of the file: a field and the revision in which its value appeared.
type entry struct {
	field
	revision int
	view     *pdf.View
	// changed says how the field or its signature differs in a later revision, and why is its reason; empty if it does
	// not.
	changed string
	why     verdict.Reason
	// shared says that another field has the same value, or the same revision brought another signature.
	shared bool
}

// collect finds the signatures of all revisions, oldest first. A signature is judged as it was when it appeared.
func collect(f *pdf.File) ([]*entry, error) {
	var entries []*entry
	known := map[pdf.Ref]*entry{}
	for i := range f.Revisions() {
		v := f.At(i)
		found, _, err := fields(v)
		if err != nil {
			return nil, fmt.Errorf("form of revision %d: %w", i+1, err)
		}
		present := map[pdf.Ref]bool{}
		for _, fd := range found {
			present[fd.ref] = true
			e, old := known[fd.ref]
			if !old {
				e = &entry{field: fd, revision: i, view: v}
				known[fd.ref] = e
				entries = append(entries, e)
				continue
			}
			e.compare(fd, i)
		}
		for ref, e := range known {
			if !present[ref] {
				e.differ(verdict.ModifiedAfterSigning, "revision %d has no signature in the field any more", i+1)
			}
		}
	}
	markShared(entries)
	return entries, nil
}

func (e *entry) differ(why verdict.Reason, format string, args ...any) {
	if e.changed == "" {
		e.changed, e.why = fmt.Sprintf(format, args...), why
	}
}

func (e *entry) compare(now field, revision int) {
	if !pdf.Equal(e.value, now.value) || !pdf.Equal(e.sig, now.sig) || e.at != now.at {
		e.differ(verdict.SigDictChanged, "revision %d has another signature dictionary", revision+1)
	}
	if !pdf.Equal(e.dict, now.dict) {
		e.differ(verdict.ModifiedAfterSigning, "revision %d has another signature field", revision+1)
	}
}

func markShared(entries []*entry) {
	for i, a := range entries {
		for _, b := range entries[:i] {
			if a.revision == b.revision || pdf.Equal(a.value, b.value) || a.at >= 0 && a.at == b.at {
				a.shared, b.shared = true, true
			}
		}
	}
}

// freeName returns a field name of the form "Seal1" that no field has.
func freeName(kind string, taken map[string]bool) string {
	for n := 1; ; n++ {
		if name := kind + strconv.Itoa(n); !taken[name] {
			return name
		}
	}
}
