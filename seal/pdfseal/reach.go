package pdfseal

import (
	"yinxin/document/pdf"
	"yinxin/verdict"
)

// lintUnreferenced refuses objects that nothing leads to: they wait for an update that points to them.
func lintUnreferenced(v *pdf.View) error {
	reached, err := reach(v)
	if err != nil {
		return err
	}
	hints, err := hintTables(v)
	if err != nil {
		return err
	}
	for _, n := range v.Numbers() {
		if reached[n] {
			continue
		}
		o, err := v.Object(n)
		if err != nil {
			return err
		}
		if at, plain := v.Offset(n); o == nil || plain && hints[at] || isStructure(o) {
			continue
		}
		return shadow("nothing refers to object %d", n)
	}
	return nil
}

// reach lists the objects that the trailer leads to.
func reach(v *pdf.View) (map[int]bool, error) {
	reached := map[int]bool{}
	var next []int
	add := func(r pdf.Ref) {
		if !reached[r.Number] {
			reached[r.Number] = true
			next = append(next, r.Number)
		}
	}
	pdf.References(v.Trailer(), add)
	for len(next) > 0 {
		n := next[len(next)-1]
		next = next[:len(next)-1]
		o, err := v.Object(n)
		if err != nil {
			return nil, err
		}
		pdf.References(o, add)
	}
	return reached, nil
}

// isStructure reports whether an object is part of how the file is built: what holds objects or says where they are.
func isStructure(o pdf.Object) bool {
	switch x := o.(type) {
	case *pdf.Stream:
		return x.Dict["Type"] == pdf.Name("XRef") || x.Dict["Type"] == pdf.Name("ObjStm")
	case pdf.Dict:
		return x["Linearized"] != nil
	}
	return false
}

// hintTables are the offsets of the tables of a file that is written for reading over a network (ISO 32000-1, annex F).
func hintTables(v *pdf.View) (map[int64]bool, error) {
	at := map[int64]bool{}
	for _, n := range v.Numbers() {
		o, err := v.Object(n)
		if err != nil {
			return nil, err
		}
		d, ok := o.(pdf.Dict)
		if !ok || d["Linearized"] == nil {
			continue
		}
		list, _ := d["H"].(pdf.Array)
		for i := 0; i < len(list); i += 2 { // offset and length, once or twice
			if offset, ok := list[i].(int64); ok {
				at[offset] = true
			}
		}
	}
	return at, nil
}

// judgeOutside fails a file that shows what lies outside of it: no signature of the file covers that.
func (v *verifier) judgeOutside(out *verdict.File) error {
	view := v.file.Current()
	for _, n := range view.Numbers() {
		o, err := view.Object(n)
		if err != nil {
			return err
		}
		if what := outside(o); what != "" {
			out.Add(verdict.Fail(verdict.CheckCoverage, verdict.Uncovered, "object %d %s, which no signature covers", n, what))
			return nil
		}
	}
	return nil
}
