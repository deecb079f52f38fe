package pdf

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// Update gathers the objects of one incremental update. The same file and the same objects give the same bytes.
type Update struct {
	file    *File
	next    int
	objects map[Ref]Object
	numbers map[int]bool
}

// Update begins an incremental update of the newest revision. It gives [ErrClosedForUpdates] if bytes follow it.
func (f *File) Update() (*Update, error) {
	if len(f.Tail()) > 0 {
		return nil, ErrClosedForUpdates
	}
	size, _ := f.Current().Trailer()["Size"].(int64)
	for _, r := range f.revisions {
		if s, ok := r.Trailer["Size"].(int64); ok {
			size = max(size, s)
		}
	}
	return &Update{file: f, next: int(size), objects: map[Ref]Object{}, numbers: map[int]bool{}}, nil
}

// Add puts a new object in and returns its reference. A nil object reserves the number until Set fills it.
func (u *Update) Add(o Object) Ref {
	r := Ref{Number: u.next}
	u.next++
	u.Set(r, o)
	return r
}

// Set puts in an object under a reference, usually a new state of an object of the file.
func (u *Update) Set(r Ref, o Object) {
	u.objects[r] = o
	u.numbers[r.Number] = true
}

// Get returns the object as it stands in the update, else as it is in the file.
func (u *Update) Get(r Ref) (Object, error) {
	if o, ok := u.objects[r]; ok {
		return o, nil
	}
	return u.file.Current().Get(r)
}

// Append returns the file with the update behind it, and where in it each object begins. The bytes of the file come
// first and unchanged; the section is a table or a stream as in the newest revision.
func (u *Update) Append() ([]byte, map[Ref]int64, error) {
	if len(u.objects) != len(u.numbers) {
		return nil, nil, fmt.Errorf("pdf: an update has one object number under two generations")
	}
	for r, o := range u.objects {
		if !writable(o) {
			return nil, nil, fmt.Errorf("pdf: object %d holds a value that is not a PDF object", r.Number)
		}
	}
	out := slices.Clone(u.file.data)
	if n := len(out); out[n-1] != '\n' && out[n-1] != '\r' {
		out = append(out, '\n')
	}
	at := map[Ref]int64{}
	for _, r := range u.sorted() {
		at[r] = int64(len(out))
		out = fmt.Appendf(out, "%d %d obj\n", r.Number, r.Generation)
		out = appendObject(out, u.objects[r])
		out = append(out, "\nendobj\n"...)
	}
	xref := int64(len(out))
	if u.file.revisions[len(u.file.revisions)-1].Streamed {
		out = u.appendXrefStream(out, at)
	} else {
		out = u.appendXrefTable(out, at)
	}
	out = fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", xref)
	if len(out) > MaxFileSize {
		return nil, nil, limit("file of %d bytes, at most %d are written", len(out), MaxFileSize)
	}
	return out, at, nil
}

func (u *Update) sorted() []Ref {
	return slices.SortedFunc(maps.Keys(u.objects), func(a, b Ref) int { return a.Number - b.Number })
}

// trailer returns the trailer of the update: what the newest one says of the document, and the way to it.
func (u *Update) trailer(size int) Dict {
	newest := u.file.revisions[len(u.file.revisions)-1]
	d := Dict{"Size": int64(size), "Prev": newest.Xref}
	for _, k := range []Name{"Root", "Info", "ID"} {
		if v, ok := newest.Trailer[k]; ok {
			d[k] = v
		}
	}
	return d
}

func (u *Update) appendXrefTable(out []byte, at map[Ref]int64) []byte {
	out = append(out, "xref\n"...)
	for refs := u.sorted(); len(refs) > 0; {
		n := run(refs)
		out = fmt.Appendf(out, "%d %d\n", refs[0].Number, n)
		for _, r := range refs[:n] {
			out = fmt.Appendf(out, "%010d %05d n \n", at[r], r.Generation)
		}
		refs = refs[n:]
	}
	out = append(out, "trailer\n"...)
	out = appendDict(out, u.trailer(u.next))
	return append(out, '\n')
}

// run is the length of the unbroken run of numbers that refs begins with.
func run(refs []Ref) int {
	n := 1
	for n < len(refs) && refs[n].Number == refs[n-1].Number+1 {
		n++
	}
	return n
}

func (u *Update) appendXrefStream(out []byte, at map[Ref]int64) []byte {
	self := Ref{Number: u.next}
	at = maps.Clone(at)
	at[self] = int64(len(out))
	refs := append(u.sorted(), self)
	d := u.trailer(self.Number + 1)
	d["Type"], d["W"] = Name("XRef"), Array{int64(1), int64(4), int64(2)}
	index, rows := Array{}, []byte(nil)
	for left := refs; len(left) > 0; {
		n := run(left)
		index = append(index, int64(left[0].Number), int64(n))
		left = left[n:]
	}
	for _, r := range refs {
		rows = append(rows, 1)
		rows = binary.BigEndian.AppendUint32(rows, uint32(at[r]))
		rows = binary.BigEndian.AppendUint16(rows, uint16(r.Generation))
	}
	d["Index"] = index
	out = fmt.Appendf(out, "%d 0 obj\n", self.Number)
	out = appendStream(out, &Stream{Dict: d, Raw: rows})
	return append(out, "\nendobj\n"...)
}
