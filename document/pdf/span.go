package pdf

import (
	"cmp"
	"slices"
)

// ByteRange is the /ByteRange of a signature (ISO 32000-1, 12.8.1): two stretches of the file, offset and length each.
type ByteRange [4]int64

// ParseByteRange reads the direct array of a signature dictionary for a file of size bytes. It demands four integers
// that describe two stretches in order within the file, the first not empty; the reason of the error is malformed.
func ParseByteRange(o Object, size int64) (ByteRange, error) {
	var r ByteRange
	list, ok := o.(Array)
	if !ok || len(list) != len(r) {
		return r, malformed("/ByteRange is not an array of four numbers")
	}
	for i, v := range list {
		n, ok := v.(int64)
		if !ok || n < 0 || n > size {
			return r, malformed("/ByteRange holds %v", v)
		}
		r[i] = n
	}
	if r[1] == 0 || r[3] == 0 || r[0]+r[1] > r[2] || r[2]+r[3] > size {
		return r, malformed("/ByteRange %v does not fit a file of %d bytes", list, size)
	}
	return r, nil
}

// Gap returns the stretch between the two: where the signature value stands.
func (r ByteRange) Gap() (start, end int64) { return r[0] + r[1], r[2] }

// End returns the offset behind the second stretch.
func (r ByteRange) End() int64 { return r[2] + r[3] }

// Parts returns the two stretches of data, which must be the file the range was read for.
func (r ByteRange) Parts(data []byte) (first, second []byte) {
	return data[r[0] : r[0]+r[1]], data[r[2] : r[2]+r[3]]
}

// Span is a stretch of a file.
type Span struct{ Start, End int64 }

// Stray returns the stretches of the file that belong to no object, no cross-reference section and no trailer of any
// revision, white space and comments aside, and those where two of these overlap. An honest file has none; what
// stands there waits for a reader that repairs, or for an update that points to it.
func (f *File) Stray() ([]Span, error) {
	used, err := f.spans()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(used, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	used = slices.Compact(used) // one object listed by two revisions
	var stray []Span
	at := int64(0)
	for _, s := range append(used, Span{int64(len(f.data)), int64(len(f.data))}) {
		if s.Start < at {
			stray = append(stray, Span{s.Start, min(s.End, at)})
			at = max(at, s.End)
			continue
		}
		p := &parser{src: f.data[:s.Start], pos: int(at)}
		if p.skip(); p.pos < len(p.src) {
			stray = append(stray, Span{int64(p.pos), s.Start})
		}
		at = s.End
	}
	return stray, nil
}

// spans lists what belongs to something, objects of all revisions included.
func (f *File) spans() ([]Span, error) {
	var used []Span
	for i, r := range f.revisions {
		for n, e := range r.entries {
			if e.kind != entryPlain {
				continue
			}
			p, err := f.views[i].plain(n, e)
			if err != nil {
				return nil, err
			}
			used = append(used, Span{e.offset, p.end})
		}
		for _, s := range r.sections {
			used = append(used, Span{s.start, s.end})
		}
		if first := r.sections[0]; len(r.sections) > 1 && !f.inOrder(r) {
			used = append(used, f.firstPageEnd(first.end)...)
		}
		used = append(used, Span{r.tail, r.Mark})
	}
	return used, nil
}

// inOrder says whether the revision is not linearised: its first section is then the last in the file.
func (f *File) inOrder(r Revision) bool {
	return !slices.ContainsFunc(r.sections, func(s *section) bool { return s.start > r.sections[0].start })
}

// firstPageEnd is the "startxref 0 %%EOF" behind the first-page section of a linearised file, where it stands.
func (f *File) firstPageEnd(at int64) []Span {
	p := f.parser(at)
	p.skip()
	start := p.pos
	if !p.keyword("startxref") {
		return nil
	}
	p.skip()
	if _, ok := p.digits(15); !ok {
		return nil
	}
	return []Span{{int64(start), int64(p.pos)}}
}
