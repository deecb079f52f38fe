package pdf

import (
	"bytes"
	"encoding/binary"

	"yinxin/verdict"
)

// File is an opened PDF: its bytes, its revisions and, for each revision, a [View] of the document as it was then.
// A File is not safe for use by several goroutines at once.
type File struct {
	data      []byte
	version   string
	revisions []Revision
	views     []*View

	values  int             // values left, see MaxValues
	decoded int             // decoded bytes left, see MaxDecoded
	entries int             // cross-reference entries seen, see MaxObjects
	plain   map[int64]plain // objects by offset
	packed  map[int64]*pack // object streams by offset
}

// Revision is one saved state of the document: everything up to its %%EOF.
type Revision struct {
	// Start is the offset behind the previous revision, End the offset behind this one's "%%EOF" and the end-of-line
	// that follows it, if any.
	Start, End int64
	// Mark is the offset behind "%%EOF" itself.
	Mark int64
	// Xref is the offset that the revision's startxref gives.
	Xref int64
	// Trailer is the trailer dictionary; for a cross-reference stream, the dictionary of that stream.
	Trailer Dict
	// Streamed says that the section is a cross-reference stream.
	Streamed bool

	sections []*section
	entries  map[int]entry
	tail     int64 // where "startxref" begins
}

// EndsAt says whether the offset is an end of the revision: behind its %%EOF, or behind the end-of-line after it.
func (r Revision) EndsAt(offset int64) bool { return offset >= r.Mark && offset <= r.End }

// Open reads the structure of a file and every object of its newest revision. A file that cannot be read in exactly
// one way, or within the limits, gives a *verdict.ContainerError. The file keeps data and must not see it changed.
func Open(data []byte) (*File, error) {
	if len(data) > MaxFileSize {
		return nil, limit("file of %d bytes, at most %d are read", len(data), MaxFileSize)
	}
	f := &File{
		data: data, values: MaxValues, decoded: MaxDecoded,
		plain: map[int64]plain{}, packed: map[int64]*pack{},
	}
	if err := f.header(); err != nil {
		return nil, err
	}
	if err := f.chain(); err != nil {
		return nil, err
	}
	f.views = make([]*View, len(f.revisions))
	for i := range f.views {
		f.views[i] = &View{file: f, top: i, loading: map[int]bool{}}
	}
	v := f.Current()
	if _, err := v.Catalog(); err != nil {
		return nil, err
	}
	for _, n := range v.Numbers() {
		if _, err := v.Object(n); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// header demands %PDF-1.x or %PDF-2.x at offset 0 and no ZIP package in the same bytes.
func (f *File) header() error {
	d := f.data
	if len(d) < 8 || !bytes.HasPrefix(d, []byte("%PDF-")) {
		if bytes.Contains(d[:min(len(d), 1024)], []byte("%PDF-")) {
			return verdict.Refuse(verdict.TypeAmbiguous, "the header %%PDF does not stand at offset 0")
		}
		return verdict.Refuse(verdict.UnsupportedFormat, "not a PDF: no header %%PDF")
	}
	if (d[5] != '1' && d[5] != '2') || d[6] != '.' || !isDigit(d[7]) {
		return verdict.Refuse(verdict.UnsupportedVersion, "PDF version %q", d[5:8])
	}
	f.version = string(d[5:8])
	if at := zipDirectory(d); at >= 0 {
		return verdict.Refuse(verdict.TypeAmbiguous, "the file is a ZIP package as well, with a directory at %d", at)
	}
	return nil
}

// zipDirectory returns the offset of a ZIP end-of-directory record that a ZIP reader would find, or -1.
func zipDirectory(d []byte) int64 {
	const record, comment = 22, 65535
	low := max(0, len(d)-record-comment)
	for i := len(d) - record; i >= low; i-- {
		if d[i] != 'P' || !bytes.HasPrefix(d[i:], []byte("PK\x05\x06")) {
			continue
		}
		size, offset := int64(binary.LittleEndian.Uint32(d[i+12:])), int64(binary.LittleEndian.Uint32(d[i+16:]))
		for _, at := range []int64{offset, int64(i) - size} { // as written, and with bytes put before the package
			if at >= 0 && at+4 <= int64(len(d)) && bytes.Equal(d[at:at+4], []byte("PK\x01\x02")) {
				return int64(i)
			}
		}
	}
	return -1
}

// Bytes returns the bytes of the file, not to be changed.
func (f *File) Bytes() []byte { return f.data }

// Version returns the version of the header, "1.7" for instance.
func (f *File) Version() string { return f.version }

// Revisions returns the revisions, oldest first.
func (f *File) Revisions() []Revision { return f.revisions }

// Tail returns the bytes behind the newest revision, which belong to nothing. In a sound file there are none.
func (f *File) Tail() []byte { return f.data[f.revisions[len(f.revisions)-1].End:] }

// At returns the document as it was in revision i, counted from 0.
func (f *File) At(i int) *View { return f.views[i] }

// Current returns the document as it is in the newest revision.
func (f *File) Current() *View { return f.views[len(f.views)-1] }

func (f *File) parser(offset int64) *parser {
	return &parser{src: f.data, pos: int(offset), values: &f.values}
}

func (f *File) decode(s *Stream) ([]byte, error) {
	out, err := Decode(s, f.decoded)
	if err != nil {
		return nil, err
	}
	f.decoded -= len(out)
	return out, nil
}
