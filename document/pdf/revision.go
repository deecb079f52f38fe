package pdf

import (
	"bytes"
	"slices"

	"yinxin/verdict"
)

// chain follows startxref and /Prev from the newest revision to the oldest. Offsets fall strictly, save in the first
// revision of a linearised file, whose two sections are one revision (ISO 32000-1, annex F).
func (f *File) chain() error {
	at := bytes.LastIndex(f.data, []byte("startxref"))
	if at < 0 {
		return malformed("no startxref")
	}
	p := f.parser(int64(at))
	p.keyword("startxref")
	p.skip()
	offset, ok := p.digits(15)
	if !ok {
		return malformed("startxref without an offset")
	}
	for bound := int64(len(f.data)); ; {
		if len(f.revisions) == MaxRevisions {
			return limit("more than %d revisions", MaxRevisions)
		}
		r, prev, err := f.revision(offset)
		if err != nil {
			return err
		}
		if r.End > bound {
			return verdict.Refuse(verdict.Limit, "the chain of /Prev does not lead backwards at offset %d", offset)
		}
		f.revisions = append(f.revisions, r)
		if prev < 0 {
			break
		}
		bound, offset = offset, prev
	}
	slices.Reverse(f.revisions)
	return f.checkRevisions()
}

// revision reads the section at the offset, what belongs to it, and the startxref behind it. prev is -1 for none.
func (f *File) revision(offset int64) (Revision, int64, error) {
	s, err := f.section(offset)
	if err != nil {
		return Revision{}, -1, err
	}
	r := Revision{Xref: offset, Trailer: s.trailer, Streamed: s.stream, sections: []*section{s}, entries: s.entries}
	if at, ok := s.trailer["XRefStm"]; ok {
		if err := f.hybrid(&r, at); err != nil {
			return Revision{}, -1, err
		}
	}
	prev, err := prevOf(s.trailer)
	if err != nil {
		return Revision{}, -1, err
	}
	last := s
	if prev > offset {
		if last, err = f.linearised(&r, prev); err != nil {
			return Revision{}, -1, err
		}
		prev = -1
	}
	err = f.finish(&r, last.end)
	return r, prev, err
}

func prevOf(trailer Dict) (int64, error) {
	v, ok := trailer["Prev"]
	if !ok {
		return -1, nil
	}
	n, ok := v.(int64)
	if !ok || n <= 0 {
		return 0, malformed("/Prev is not an offset")
	}
	return n, nil
}

// hybrid adds the cross-reference stream that a table names: it may tell of objects that the table calls free, and
// never otherwise than the table (ISO 32000-1, 7.5.8.4).
func (f *File) hybrid(r *Revision, at Object) error {
	offset, ok := at.(int64)
	if !ok || r.Streamed || offset >= r.Xref {
		return malformed("/XRefStm is not the offset of an earlier stream")
	}
	s, err := f.section(offset)
	if err != nil {
		return err
	}
	if !s.stream {
		return malformed("/XRefStm does not lead to a stream")
	}
	r.sections = append(r.sections, s)
	return merge(r, s)
}

// linearised adds the main section of a linearised first revision, which lies behind the first-page section.
func (f *File) linearised(r *Revision, offset int64) (*section, error) {
	p := f.parser(0)
	p.skip()
	_, o, err := f.indirect(p, nil)
	if err != nil {
		return nil, err
	}
	head, ok := o.(Dict)
	if _, yes := head["Linearized"]; !ok || !yes || r.Xref < int64(p.pos) {
		return nil, limit("/Prev leads forward to %d in a file that is not linearised", offset)
	}
	s, err := f.section(offset)
	if err != nil {
		return nil, err
	}
	if _, more := s.trailer["Prev"]; more {
		return nil, limit("the main section of a linearised file has a /Prev")
	}
	r.sections = append(r.sections, s)
	return s, merge(r, s)
}

// merge adds the objects of a second section of one revision. What the second calls free says nothing: readers differ
// in whether it hides an object of an earlier revision, so it does not.
func merge(r *Revision, s *section) error {
	for n, e := range s.entries {
		if e.kind == entryFree {
			continue
		}
		have, ok := r.entries[n]
		if ok && have.kind != entryFree && have != e {
			return verdict.Refuse(verdict.XrefAmbiguous, "two cross-reference sections disagree on object %d", n)
		}
		r.entries[n] = e
	}
	return nil
}

// finish reads "startxref", the offset and "%%EOF", which must follow the section at once.
func (f *File) finish(r *Revision, end int64) error {
	p := f.parser(end)
	p.skip()
	r.tail = int64(p.pos)
	if !p.keyword("startxref") {
		return malformed("startxref expected behind the cross-reference section, at offset %d", p.pos)
	}
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
	offset, ok := p.digits(15)
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
	if !ok || !bytes.HasPrefix(p.src[p.pos:], []byte("%%EOF")) {
		return malformed("startxref without an offset and %%%%EOF at offset %d", p.pos)
	}
	if offset != r.Xref {
		return malformed("startxref at %d says %d, the section stands at %d", r.tail, offset, r.Xref)
	}
	p.pos += len("%%EOF")
	r.Mark = int64(p.pos)
	if p.pos < len(p.src) && p.src[p.pos] == '\r' {
		p.pos++
	}
	if p.pos < len(p.src) && p.src[p.pos] == '\n' {
		p.pos++
	}
	r.End = int64(p.pos)
	return nil
}

// checkRevisions sets the starts and demands that every revision's objects stand before its section's end.
func (f *File) checkRevisions() error {
	start := int64(0)
	for i := range f.revisions {
		r := &f.revisions[i]
		r.Start, start = start, r.End
		for n, e := range r.entries {
			if e.kind == entryPlain && e.offset >= r.tail {
				return malformed("object %d of revision %d stands behind it, at offset %d", n, i+1, e.offset)
			}
		}
	}
	return nil
}
