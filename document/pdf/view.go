package pdf

import (
	"slices"
)

// View is the document as it is in one revision: the objects of that revision and, for numbers it does not mention,
// of the ones before it.
type View struct {
	file    *File
	top     int // index of the revision
	loading map[int]bool
}

// plain is an object that stands in the file by itself.
type plain struct {
	ref    Ref
	object Object
	end    int64 // behind "endobj"
}

// pack is a decoded object stream.
type pack struct {
	numbers []int
	objects []Object
}

// Revision returns the revision that the view ends with.
func (v *View) Revision() Revision { return v.file.revisions[v.top] }

// Trailer returns the trailer dictionary.
func (v *View) Trailer() Dict { return v.file.revisions[v.top].Trailer }

// entry finds the newest line about object n.
func (v *View) entry(n int) entry {
	for i := v.top; i >= 0; i-- {
		if e, ok := v.file.revisions[i].entries[n]; ok {
			return e
		}
	}
	return entry{}
}

// Numbers returns the numbers of all objects in use, ascending.
func (v *View) Numbers() []int {
	seen := map[int]bool{}
	var out []int
	for i := v.top; i >= 0; i-- {
		for n, e := range v.file.revisions[i].entries {
			if !seen[n] {
				seen[n] = true
				if e.kind != entryFree {
					out = append(out, n)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// Touched returns the numbers that the view's own revision speaks of, freed ones included, ascending.
func (v *View) Touched() []int {
	var out []int
	for n := range v.file.revisions[v.top].entries {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// SameEntry says whether object n is the very same bytes in both views of one file.
func (v *View) SameEntry(other *View, n int) bool {
	a, b := v.entry(n), other.entry(n)
	if a != b {
		return false
	}
	return a.kind != entryPacked || v.entry(a.stream) == other.entry(a.stream)
}

// SameGeneration says whether object n has the same generation in both views.
func (v *View) SameGeneration(other *View, n int) bool { return v.entry(n).gen == other.entry(n).gen }

// Offset returns where "n g obj" stands in the file; for an object in an object stream ok is false.
func (v *View) Offset(n int) (offset int64, ok bool) {
	e := v.entry(n)
	return e.offset, e.kind == entryPlain
}

// Object returns object n, nil if there is none.
func (v *View) Object(n int) (Object, error) {
	switch e := v.entry(n); e.kind {
	case entryPlain:
		p, err := v.plain(n, e)
		return p.object, err
	case entryPacked:
		return v.packed(n, e)
	}
	return nil, nil
}

// Get returns the object that a reference names; nil, as null, where there is none of that generation.
func (v *View) Get(r Ref) (Object, error) {
	if e := v.entry(r.Number); e.kind == entryPlain && e.gen != r.Generation || e.kind == entryPacked && r.Generation != 0 {
		return nil, nil
	}
	return v.Object(r.Number)
}

// Resolve follows o if it is a reference. A reference to a reference is refused.
func (v *View) Resolve(o Object) (Object, error) {
	r, ok := o.(Ref)
	if !ok {
		return o, nil
	}
	out, err := v.Get(r)
	if err != nil {
		return nil, err
	}
	if again, ok := out.(Ref); ok {
		return nil, malformed("object %d is a reference to object %d", r.Number, again.Number)
	}
	return out, nil
}

// Dict resolves o and demands a dictionary (or a stream's); absent is nil without an error.
func (v *View) Dict(o Object) (Dict, error) {
	o, err := v.Resolve(o)
	if err != nil || o == nil {
		return nil, err
	}
	switch x := o.(type) {
	case Dict:
		return x, nil
	case *Stream:
		return x.Dict, nil
	}
	return nil, malformed("dictionary expected, found %T", o)
}

// Array resolves o and demands an array; absent is nil without an error.
func (v *View) Array(o Object) (Array, error) {
	o, err := v.Resolve(o)
	if err != nil || o == nil {
		return nil, err
	}
	a, ok := o.(Array)
	if !ok {
		return nil, malformed("array expected, found %T", o)
	}
	return a, nil
}

// Catalog returns the document catalogue.
func (v *View) Catalog() (Dict, error) {
	root, ok := v.Trailer()["Root"].(Ref)
	if !ok {
		return nil, malformed("trailer without /Root")
	}
	d, err := v.Dict(root)
	if err == nil && (d == nil || d["Type"] != Name("Catalog")) {
		err = malformed("/Root is not a catalogue")
	}
	return d, err
}

// plain loads an object by offset, once for all views; a stream whose length is told by another object is loaded for
// every view anew, since a later revision may tell another length.
func (v *View) plain(n int, e entry) (plain, error) {
	if p, ok := v.file.plain[e.offset]; ok {
		return p, v.expect(p, n, e)
	}
	if v.loading[n] {
		return plain{}, limit("the length of object %d depends on itself", n)
	}
	v.loading[n] = true
	defer delete(v.loading, n)
	s := v.file.parser(e.offset)
	indirectLength := false
	ref, o, err := v.file.indirect(s, func(r Ref) (Object, error) {
		indirectLength = true
		return v.Get(r)
	})
	if err != nil {
		return plain{}, err
	}
	p := plain{ref: ref, object: o, end: int64(s.pos)}
	if !indirectLength {
		v.file.plain[e.offset] = p
	}
	return p, v.expect(p, n, e)
}

func (v *View) expect(p plain, n int, e entry) error {
	if p.ref != (Ref{n, e.gen}) {
		return malformed("object %d %d expected at offset %d, found %d %d", n, e.gen, e.offset, p.ref.Number, p.ref.Generation)
	}
	return nil
}

// indirect reads "n g obj … endobj". length resolves a stream's /Length; nil demands a direct one.
func (f *File) indirect(p *parser, length func(Ref) (Object, error)) (Ref, Object, error) {
	start := p.pos
	n, ok1 := p.digits(10)
	p.skip()
	g, ok2 := p.digits(5)
	p.skip()
	if !ok1 || !ok2 || n < 1 || n > maxNumber || !p.keyword("obj") {
		return Ref{}, nil, malformed("no object at offset %d", start)
	}
	ref := Ref{int(n), int(g)}
	o, err := p.object(0)
	if err != nil {
		return ref, nil, err
	}
	p.skip()
	if d, ok := o.(Dict); ok && p.keyword("stream") {
		raw, err := streamBytes(p, d, length)
		if err != nil {
			return ref, nil, err
		}
		o = &Stream{Dict: d, Raw: raw}
		p.skip()
	}
	if !p.keyword("endobj") {
		return ref, nil, malformed("endobj of object %d expected %s", n, p.at())
	}
	return ref, o, nil
}

// streamBytes takes exactly /Length bytes, between "stream" with its end-of-line and "endstream".
func streamBytes(p *parser, d Dict, length func(Ref) (Object, error)) ([]byte, error) {
	size := d["Length"]
	if r, ok := size.(Ref); ok {
		if length == nil {
			return nil, malformed("length of a cross-reference stream is not direct, %s", p.at())
		}
		var err error
		if size, err = length(r); err != nil {
			return nil, err
		}
	}
	n, ok := size.(int64)
	if p.pos < len(p.src) && p.src[p.pos] == '\r' {
		p.pos++
	}
	if p.pos >= len(p.src) || p.src[p.pos] != '\n' {
		return nil, malformed("stream without its end of line %s", p.at())
	}
	p.pos++
	if !ok || n < 0 || n > int64(len(p.src)-p.pos) {
		return nil, malformed("stream with a wrong length %s", p.at())
	}
	raw := p.src[p.pos : p.pos+int(n) : p.pos+int(n)]
	p.pos += int(n)
	if p.pos < len(p.src) && p.src[p.pos] == '\r' {
		p.pos++
	}
	if p.pos < len(p.src) && p.src[p.pos] == '\n' {
		p.pos++
	}
	if !p.keyword("endstream") {
		return nil, malformed("stream is not as long as it says %s", p.at())
	}
	return raw, nil
}

// packed returns object n from its object stream (ISO 32000-1, 7.5.7).
func (v *View) packed(n int, e entry) (Object, error) {
	box := v.entry(e.stream)
	if box.kind != entryPlain || box.gen != 0 {
		return nil, malformed("object %d lies in object stream %d, which is none", n, e.stream)
	}
	k, ok := v.file.packed[box.offset]
	if !ok {
		p, err := v.plain(e.stream, box)
		if err != nil {
			return nil, err
		}
		s, ok := p.object.(*Stream)
		if !ok || s.Dict["Type"] != Name("ObjStm") {
			return nil, malformed("object %d lies in object stream %d, which is none", n, e.stream)
		}
		if k, err = v.file.unpack(s); err != nil {
			return nil, err
		}
		if _, fixed := v.file.plain[box.offset]; fixed {
			v.file.packed[box.offset] = k
		}
	}
	if e.index >= len(k.numbers) || k.numbers[e.index] != n {
		return nil, malformed("object %d is not at index %d of object stream %d", n, e.index, e.stream)
	}
	return k.objects[e.index], nil
}

func (f *File) unpack(s *Stream) (*pack, error) {
	count, ok1 := s.Dict["N"].(int64)
	first, ok2 := s.Dict["First"].(int64)
	if !ok1 || !ok2 || count < 0 || count > MaxObjects {
		return nil, malformed("object stream without a usable /N and /First")
	}
	data, err := f.decode(s)
	if err != nil {
		return nil, err
	}
	if first < 0 || first > int64(len(data)) {
		return nil, malformed("/First of an object stream lies outside it")
	}
	head := &parser{src: data[:first], base: -1, values: &f.values}
	k := &pack{}
	for range count {
		head.skip()
		n, ok1 := head.digits(10)
		head.skip()
		at, ok2 := head.digits(10)
		if !ok1 || !ok2 || n < 1 || n > maxNumber || at > int64(len(data))-first {
			return nil, malformed("bad head of an object stream")
		}
		body := &parser{src: data, pos: int(first + at), base: -1, values: &f.values}
		o, err := body.object(0)
		if err != nil {
			return nil, err
		}
		k.numbers = append(k.numbers, int(n))
		k.objects = append(k.objects, o)
	}
	return k, nil
}
