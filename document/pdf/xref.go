package pdf

import (
	"bytes"

	"yinxin/verdict"
)

// maxNumber is the largest object number that is read.
const maxNumber = 8_388_607 // ISO 32000-1, annex C

type entryKind byte

const (
	entryFree entryKind = iota
	entryPlain
	entryPacked
)

// entry is one line of a cross-reference section: for entryPlain the offset and generation of the object, for
// entryPacked the number of its object stream and the index in it.
type entry struct {
	kind   entryKind
	offset int64
	gen    int
	stream int
	index  int
}

// section is one cross-reference table with its trailer, or one cross-reference stream.
type section struct {
	start, end int64 // of the section's text; the trailer dictionary or "endobj" included
	stream     bool
	entries    map[int]entry
	trailer    Dict
}

// section reads the cross-reference section at an offset.
func (f *File) section(offset int64) (*section, error) {
	if offset <= 0 || offset >= int64(len(f.data)) {
		return nil, malformed("cross-reference section at %d lies outside the file", offset)
	}
	p := f.parser(offset)
	var s *section
	var err error
	if isDigit(p.src[p.pos]) {
		s, err = f.xrefStream(p)
	} else {
		s, err = f.xrefTable(p)
	}
	if err != nil {
		return nil, err
	}
	s.start, s.end = offset, int64(p.pos)
	if _, ok := s.trailer["Encrypt"]; ok {
		return nil, verdict.Refuse(verdict.EncryptedPDF, "the trailer at %d names an encryption dictionary", s.end)
	}
	size, ok := s.trailer["Size"].(int64)
	if !ok || size < 1 || size > maxNumber+1 {
		return nil, malformed("trailer without a usable /Size before offset %d", s.end)
	}
	for n, e := range s.entries {
		if int64(n) >= size && e.kind != entryFree {
			return nil, malformed("object %d is not below /Size %d", n, size)
		}
		if e.kind == entryPlain && (e.offset <= 0 || e.offset >= int64(len(f.data))) {
			return nil, malformed("object %d at offset %d lies outside the file", n, e.offset)
		}
	}
	return s, nil
}

// add enters one line; a number may stand once in a section.
func (f *File) add(s *section, n int64, e entry) error {
	if f.entries++; f.entries > MaxObjects {
		return limit("more than %d cross-reference entries", MaxObjects)
	}
	if _, twice := s.entries[int(n)]; twice {
		return verdict.Refuse(verdict.XrefAmbiguous, "object %d twice in one cross-reference section", n)
	}
	if e.kind == entryFree && n == 0 {
		return nil // the head of the free list
	}
	s.entries[int(n)] = e
	return nil
}

// xrefTable reads a table and its trailer (ISO 32000-1, 7.5.4): entries of exactly 20 bytes.
func (f *File) xrefTable(p *parser) (*section, error) {
	if !p.keyword("xref") {
		return nil, malformed("no cross-reference section %s", p.at())
	}
	s := &section{entries: map[int]entry{}}
	for {
		p.skip()
		if p.keyword("trailer") {
			break
		}
		first, ok1 := p.digits(10)
		p.skip()
		count, ok2 := p.digits(10)
		if !ok1 || !ok2 || first+count > maxNumber+1 {
			return nil, malformed("bad subsection of a cross-reference table %s", p.at())
		}
		if count > MaxObjects {
			return nil, limit("cross-reference subsection of %d entries", count)
		}
		for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
			p.pos++
		}
		for i := range count {
			e, err := tableLine(p)
			if err != nil {
				return nil, err
			}
			if err := f.add(s, first+i, e); err != nil {
				return nil, err
			}
		}
	}
	p.skip()
	if !bytes.HasPrefix(p.src[p.pos:], []byte("<<")) {
		return nil, malformed("trailer dictionary expected %s", p.at())
	}
	o, err := p.object(0)
	if err != nil {
		return nil, err
	}
	s.trailer, _ = o.(Dict)
	return s, nil
}

func tableLine(p *parser) (entry, error) {
	if p.pos+20 > len(p.src) {
		return entry{}, malformed("cross-reference table is cut %s", p.at())
	}
	line := p.src[p.pos : p.pos+20]
	q := parser{src: line, base: p.base + int64(p.pos)}
	offset, ok1 := q.digits(10)
	shape := ok1 && q.pos == 10 && line[10] == ' '
	q.pos = 11
	gen, ok2 := q.digits(5)
	shape = shape && ok2 && q.pos == 16 && line[16] == ' '
	tail := string(line[18:])
	if !shape || (tail != " \n" && tail != " \r" && tail != "\r\n") {
		return entry{}, malformed("bad line in a cross-reference table %s", p.at())
	}
	p.pos += 20
	switch line[17] {
	case 'n':
		return entry{kind: entryPlain, offset: offset, gen: int(gen)}, nil
	case 'f':
		return entry{kind: entryFree}, nil
	}
	return entry{}, malformed("bad line in a cross-reference table %s", p.at())
}

// xrefStream reads a cross-reference stream (ISO 32000-1, 7.5.8).
func (f *File) xrefStream(p *parser) (*section, error) {
	_, o, err := f.indirect(p, nil)
	if err != nil {
		return nil, err
	}
	st, ok := o.(*Stream)
	if !ok || st.Dict["Type"] != Name("XRef") {
		return nil, malformed("no cross-reference stream before offset %d", p.pos)
	}
	data, err := f.decode(st)
	if err != nil {
		return nil, err
	}
	width, err := widths(st.Dict)
	if err != nil {
		return nil, err
	}
	index, ok := st.Dict["Index"].(Array)
	if !ok {
		index = Array{int64(0), st.Dict["Size"]}
	}
	if len(index)%2 != 0 {
		return nil, malformed("/Index of a cross-reference stream has an odd length")
	}
	s := &section{stream: true, entries: map[int]entry{}, trailer: st.Dict}
	for ; len(index) > 0; index = index[2:] {
		first, ok1 := index[0].(int64)
		count, ok2 := index[1].(int64)
		if !ok1 || !ok2 || first < 0 || count < 0 || first > maxNumber || count > MaxObjects || first+count > maxNumber+1 {
			return nil, malformed("bad /Index of a cross-reference stream")
		}
		if data, err = f.streamLines(s, data, width, first, count); err != nil {
			return nil, err
		}
	}
	if len(data) != 0 {
		return nil, malformed("cross-reference stream has %d bytes too many", len(data))
	}
	return s, nil
}

func widths(d Dict) (w [3]int, err error) {
	list, _ := d["W"].(Array)
	if len(list) != 3 {
		return w, malformed("/W of a cross-reference stream is not three numbers")
	}
	for i, v := range list {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 8 {
			return w, malformed("bad /W of a cross-reference stream")
		}
		w[i] = int(n)
	}
	if w[1] == 0 {
		return w, malformed("bad /W of a cross-reference stream")
	}
	return w, nil
}

func (f *File) streamLines(s *section, data []byte, w [3]int, first, count int64) ([]byte, error) {
	row := w[0] + w[1] + w[2]
	if int64(len(data)) < count*int64(row) {
		return nil, malformed("cross-reference stream is cut")
	}
	for i := range count {
		kind := int64(1)
		if w[0] > 0 {
			kind = bigEndian(data[:w[0]])
		}
		a, b := bigEndian(data[w[0]:w[0]+w[1]]), bigEndian(data[w[0]+w[1]:row])
		data = data[row:]
		if a < 0 || b < 0 { // eight bytes can be more than an int64 holds
			return nil, malformed("cross-reference entry of object %d is out of range", first+i)
		}
		var e entry
		switch kind {
		case 0:
			e = entry{kind: entryFree}
		case 1:
			if b > 65535 {
				return nil, malformed("object %d has generation %d", first+i, b)
			}
			e = entry{kind: entryPlain, offset: a, gen: int(b)}
		case 2:
			if a < 1 || a > maxNumber || b > MaxObjects {
				return nil, malformed("object %d in object stream %d at index %d", first+i, a, b)
			}
			e = entry{kind: entryPacked, stream: int(a), index: int(b)}
		default:
			// ISO 32000-1, 7.5.8.3 would read it as null; a later reader might not.
			return nil, malformed("cross-reference entry of type %d", kind)
		}
		if err := f.add(s, first+i, e); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func bigEndian(b []byte) (n int64) {
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}
