// Package pdftest writes small PDF files by hand for tests: sound ones, and updates that the strict writer of
// document/pdf would not make. It checks nothing.
package pdftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Builder gathers the text of indirect objects, numbered from 1.
type Builder struct {
	Version string // "1.7" if empty
	Objects []string
}

// Add puts in the text between "obj" and "endobj" and returns the object's number.
func (b *Builder) Add(format string, args ...any) int {
	b.Objects = append(b.Objects, fmt.Sprintf(format, args...))
	return len(b.Objects)
}

// Stream returns the text of a stream object; dict is the inside of its dictionary, without /Length.
func Stream(dict string, data []byte) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

// Document returns a builder with pages of A4 that say the given words, one page a word. Object 1 is the catalogue, 2
// the page tree, 3 the font; page i (from 0) is object 4+2i, its content 5+2i.
func Document(words ...string) *Builder {
	b := &Builder{}
	kids := make([]string, len(words))
	for i := range words {
		kids[i] = fmt.Sprintf("%d 0 R", 4+2*i)
	}
	b.Add("<< /Type /Catalog /Pages 2 0 R >>")
	b.Add("<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595.276 841.89] >>", strings.Join(kids, " "), len(words))
	b.Add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	for i, w := range words {
		b.Add("<< /Type /Page /Parent 2 0 R /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>", 5+2*i)
		b.Objects = append(b.Objects, Stream("", fmt.Appendf(nil, "BT /F1 24 Tf 72 700 Td (%s) Tj ET", w)))
	}
	return b
}

// Bytes returns the file with a cross-reference table; object 1 is the catalogue.
func (b *Builder) Bytes() []byte {
	objects := map[int]string{}
	for i, o := range b.Objects {
		objects[i+1] = o
	}
	return Update(b.head(), objects, Table{Root: 1})
}

func (b *Builder) head() []byte {
	v := b.Version
	if v == "" {
		v = "1.7"
	}
	return []byte("%PDF-" + v + "\n%\xE2\xE3\xCF\xD3\n")
}

// Streamed returns the file with an object stream for the objects that are no streams, and a cross-reference stream.
func (b *Builder) Streamed() []byte {
	out := b.head()
	lines := map[int][3]int64{}
	var head, body strings.Builder
	box, inside := len(b.Objects)+1, int64(0)
	for i, o := range b.Objects {
		if strings.HasSuffix(o, "endstream") {
			lines[i+1] = [3]int64{1, int64(len(out)), 0}
			out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", i+1, o)
			continue
		}
		fmt.Fprintf(&head, "%d %d ", i+1, body.Len())
		body.WriteString(o + "\n")
		lines[i+1] = [3]int64{2, int64(box), inside}
		inside++
	}
	lines[box] = [3]int64{1, int64(len(out)), 0}
	dict := fmt.Sprintf("/Type /ObjStm /N %d /First %d", inside, head.Len())
	out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", box, Stream(dict, []byte(head.String()+body.String())))
	xref := len(out)
	lines[box+1] = [3]int64{1, int64(xref), 0}
	rows := []byte{0, 0, 0, 0, 0, 0, 0}
	for n := 1; n <= box+1; n++ {
		rows = append(rows, byte(lines[n][0]))
		rows = binary.BigEndian.AppendUint32(rows, uint32(lines[n][1]))
		rows = binary.BigEndian.AppendUint16(rows, uint16(lines[n][2]))
	}
	dict = fmt.Sprintf("/Type /XRef /W [1 4 2] /Size %d /Root 1 0 R", box+2)
	out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", box+1, Stream(dict, rows))
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", xref)
}

// Table says how Update writes the section and what stands in the trailer.
type Table struct {
	Root  int
	Prev  int            // offset of the previous section; left out if 0
	Size  int            // computed if 0
	Extra string         // more keys of the trailer
	At    map[int]int    // lines that point elsewhere than to the object written
	Free  []int          // numbers called free
	Skip  map[int]bool   // objects that are written without a line
	Also  map[int]string // objects written before, without a line, under the same numbers
}

// Update appends objects, a cross-reference table and a trailer.
func Update(data []byte, objects map[int]string, t Table) []byte {
	out := slices.Clone(data)
	lines := map[int]string{}
	if t.Prev == 0 {
		lines[0] = "0000000000 65535 f \n"
	}
	for _, n := range slices.Sorted(maps.Keys(t.Also)) {
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, t.Also[n])
	}
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		if !t.Skip[n] {
			lines[n] = fmt.Sprintf("%010d 00000 n \n", len(out))
		}
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	for n, at := range t.At {
		lines[n] = fmt.Sprintf("%010d 00000 n \n", at)
	}
	for _, n := range t.Free {
		lines[n] = "0000000000 00001 f \n"
	}
	xref, size := len(out), t.Size
	out = append(out, "xref\n"...)
	for _, n := range slices.Sorted(maps.Keys(lines)) {
		out = fmt.Appendf(out, "%d 1\n%s", n, lines[n])
		if t.Size == 0 {
			size = max(size, n+1)
		}
	}
	out = fmt.Appendf(out, "trailer\n<< /Size %d /Root %d 0 R", size, t.Root)
	if t.Prev != 0 {
		out = fmt.Appendf(out, " /Prev %d", t.Prev)
	}
	return fmt.Appendf(out, " %s >>\nstartxref\n%d\n%%%%EOF\n", t.Extra, xref)
}

// StartXref returns the offset that the last startxref of a file gives, 0 if there is none.
func StartXref(data []byte) int {
	at := bytes.LastIndex(data, []byte("startxref"))
	if at < 0 {
		return 0
	}
	fields := bytes.Fields(data[at:])
	if len(fields) < 2 {
		return 0
	}
	n, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return n
}
