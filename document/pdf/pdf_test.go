package pdf_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yinxin/document/pdf"
	"yinxin/document/pdf/pdftest"
	"yinxin/verdict"
)

func mustOpen(t *testing.T, data []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(data)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return f
}

func TestOpenSound(t *testing.T) {
	t.Parallel()
	hello := pdftest.Document("hello", "world")
	for _, tt := range []struct {
		name string
		data []byte
	}{
		{"table", hello.Bytes()},
		{"streams", hello.Streamed()},
		{"no end of line behind %%EOF", bytes.TrimRight(hello.Bytes(), "\n")},
		{"hybrid", hybrid("4 0 obj", "4 0 obj")},
		{"linearised", linearised()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := mustOpen(t, tt.data)
			pages, err := f.Current().Pages()
			if err != nil {
				t.Fatal(err)
			}
			if len(pages) == 0 || len(f.Tail()) != 0 || len(f.Revisions()) != 1 {
				t.Fatalf("%d pages, tail of %d bytes, %d revisions", len(pages), len(f.Tail()), len(f.Revisions()))
			}
			if w, h := pages[0].Size(); int(w+.5) != 210 || int(h+.5) != 297 {
				t.Errorf("page of %.1f mm by %.1f mm", w, h)
			}
			if stray, err := f.Stray(); err != nil || len(stray) != 0 {
				t.Errorf("stray %v, %v", stray, err)
			}
		})
	}
}

// hybrid writes a table that calls object 6 free and object 4 at the first mark, and a stream that tells of 6, and of
// 4 at the second mark.
func hybrid(inTable, inStream string) []byte {
	b := pdftest.Document("hello")
	data := b.Bytes()
	data = data[:bytes.LastIndex(data, []byte("xref\n0 1"))]
	data = append(data, "6 0 obj\n(hidden)\nendobj\n"...)
	if inStream != inTable {
		data = append(data, inStream+"\n(another)\nendobj\n"...)
	}
	at := func(mark string) int { return bytes.Index(data, []byte("\n"+mark)) + 1 }
	six, table, stream := at("6 0 obj"), at(inTable), at(inStream)
	rows := []byte{1, byte(stream >> 8), byte(stream), 0, 1, byte(six >> 8), byte(six), 0}
	xrefStream := len(data)
	dict := "/Type /XRef /W [1 2 1] /Index [4 1 6 1] /Size 8"
	data = fmt.Appendf(data, "7 0 obj\n%s\nendobj\n", pdftest.Stream(dict, rows))
	xref := len(data)
	data = append(data, "xref\n0 8\n0000000000 65535 f \n"...)
	for n := 1; n <= 5; n++ {
		offset := at(fmt.Sprintf("%d 0 obj", n))
		if n == 4 {
			offset = table
		}
		data = fmt.Appendf(data, "%010d 00000 n \n", offset)
	}
	data = fmt.Appendf(data, "0000000000 00000 f \n%010d 00000 n \n", xrefStream)
	return fmt.Appendf(data, "trailer\n<< /Size 8 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n", xrefStream, xref)
}

// linearised writes the first-page section near the front and the main section at the end.
func linearised() []byte {
	const first, head = 60, 200
	b := pdftest.Document("hello")
	out := []byte("%PDF-1.7\n9 0 obj\n<< /Linearized 1 >>\nendobj\n")
	out = append(out, bytes.Repeat([]byte(" "), first-len(out))...)
	var offsets []int
	body := []byte{}
	for i, o := range b.Objects {
		offsets = append(offsets, first+head+len(body))
		body = fmt.Appendf(body, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	main := first + head + len(body)
	front := fmt.Appendf(nil, "xref\n1 1\n%010d 00000 n \n9 1\n%010d 00000 n \n", offsets[0], 9)
	front = fmt.Appendf(front, "trailer\n<< /Size 10 /Root 1 0 R /Prev %d >>\nstartxref\n0\n%%%%EOF\n", main)
	front = append(front, bytes.Repeat([]byte(" "), head-len(front))...)
	out = append(append(out, front...), body...)
	out = append(out, "xref\n0 1\n0000000000 65535 f \n2 4\n"...)
	for _, o := range offsets[1:] {
		out = fmt.Appendf(out, "%010d 00000 n \n", o)
	}
	return fmt.Appendf(out, "trailer\n<< /Size 10 >>\nstartxref\n%d\n%%%%EOF\n", first)
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

// replace changes the first occurrence of a text by one of the same length.
func replace(data []byte, old, new string) []byte {
	if len(old) != len(new) || !bytes.Contains(data, []byte(old)) {
		panic("test replaces " + old)
	}
	return bytes.Replace(data, []byte(old), []byte(new), 1)
}

func withObject(format string, args ...any) []byte {
	b := pdftest.Document("hello")
	b.Add(format, args...)
	return b.Bytes()
}

// box writes a file whose object 6 lies in a hand-made object stream 7.
func box(dict string, data []byte) []byte {
	b := pdftest.Document("hello")
	out := b.Streamed()
	prev := pdftest.StartXref(out)
	n := len(b.Objects) + 3
	at := len(out)
	out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, pdftest.Stream("/Type /ObjStm "+dict, data))
	xref := len(out)
	rows := []byte{2, 0, 0, byte(n), 0, 1, 0, byte(at >> 8), byte(at), 0, 1, byte(xref >> 16), byte(xref >> 8), byte(xref), 0}
	d := fmt.Sprintf("/Type /XRef /W [1 3 1] /Index [100 1 %d 2] /Size 101 /Root 1 0 R /Prev %d", n, prev)
	out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n+1, pdftest.Stream(d, rows))
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", xref)
}

// patience is far above the second that a refusal may take: the race detector and a busy machine make it tenfold.
const patience = 15 * time.Second

func TestOpenRefuses(t *testing.T) { // not parallel: each case is timed
	sound := pdftest.Document("hello").Bytes()
	xref := pdftest.StartXref(sound)
	zip := "PK\x01\x02" + strings.Repeat("\x00", 42) + "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	manyKids := "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
	for _, tt := range []struct {
		name string
		data []byte
		want verdict.Reason
	}{
		{"empty", nil, verdict.UnsupportedFormat},
		{"not a PDF", []byte("hello, world, this is text"), verdict.UnsupportedFormat},
		{"version 3", replace(sound, "%PDF-1.7", "%PDF-3.0"), verdict.UnsupportedVersion},
		{"header behind other bytes", append([]byte("\n"), sound...), verdict.TypeAmbiguous},
		{"a ZIP package too", append(bytes.Clone(sound), zip...), verdict.TypeAmbiguous},
		{"encrypted", pdftest.Update(sound, nil, pdftest.Table{Root: 1, Size: 6, Prev: xref, Extra: "/Encrypt 5 0 R"}), verdict.EncryptedPDF},
		{"no startxref", replace(sound, "startxref", "startxxxx"), verdict.Malformed},
		{"Prev leads to itself", pdftest.Update(sound, nil, pdftest.Table{Root: 1, Size: 6, Prev: len(sound)}), verdict.Limit},
		{"Prev leads forward", pdftest.Update(sound, nil, pdftest.Table{Root: 1, Size: 6, Prev: len(sound) + 2}), verdict.Limit},
		{"Prev leads nowhere", pdftest.Update(sound, nil, pdftest.Table{Root: 1, Size: 6, Prev: 12}), verdict.Malformed},
		{"Prev outside", pdftest.Update(sound, nil, pdftest.Table{Root: 1, Size: 6, Prev: 1 << 40}), verdict.Limit},
		{"key twice", withObject("<< /A 1 /A 2 >>"), verdict.Malformed},
		{"key twice, once null", withObject("<< /A null /A 2 >>"), verdict.Malformed},
		{"key twice, then null", withObject("<< /A 2 /A null >>"), verdict.Malformed},
		{"a million numbers", withObject("[%s]", strings.Repeat("7 ", 1_100_000)), verdict.Limit},
		{"many dictionaries", withObject("[%s]", strings.Repeat("<</A 1>>", 200_000)), verdict.Limit},
		{"deep arrays", withObject("%s", strings.Repeat("[", 1_000_000)), verdict.Limit},
		{"deep dictionaries", withObject("%s", strings.Repeat("<</A ", 100_000)), verdict.Limit},
		{"length lies, short", withObject("%s", "<< /Length 3 >>\nstream\nabcdef\nendstream"), verdict.Malformed},
		{"length lies, long", withObject("%s", "<< /Length 300000 >>\nstream\nabcdef\nendstream"), verdict.Malformed},
		{"length negative", withObject("%s", "<< /Length -1 >>\nstream\nabcdef\nendstream"), verdict.Malformed},
		{"length of itself", withObject("%s", "<< /Length 6 0 R >>\nstream\nabcdef\nendstream"), verdict.Limit},
		{"bad number", withObject("1.2.3"), verdict.Malformed},
		{"wrong object at an offset", pdftest.Update(sound, nil, pdftest.Table{Root: 1, Size: 6, Prev: xref, At: map[int]int{5: 15}}), verdict.Malformed},
		{"offset behind the end", pdftest.Update(sound, nil, pdftest.Table{Root: 1, Size: 6, Prev: xref, At: map[int]int{5: 1 << 20}}), verdict.Malformed},
		{"size too small", pdftest.Update(sound, map[int]string{7: "1"}, pdftest.Table{Root: 1, Size: 6, Prev: xref}), verdict.Malformed},
		{"no catalogue", pdftest.Update(sound, nil, pdftest.Table{Root: 3, Size: 6, Prev: xref}), verdict.Malformed},
		{"hybrid sections disagree", hybrid("4 0 obj", "4 0  obj"), verdict.XrefAmbiguous},
		{"line cut", replace(sound, "65535 f \n", "65535 f\n\n"), verdict.Malformed},
		{"stream bomb", box("/N 1 /First 4 /Filter /FlateDecode", deflate(make([]byte, pdf.MaxDecoded+1))), verdict.Limit},
		{"Flate of Flate", box("/N 1 /First 4 /Filter [/FlateDecode /FlateDecode]", deflate(deflate([]byte("100 0 1")))), verdict.Limit},
		{"other filter", box("/N 1 /First 4 /Filter /LZWDecode", []byte("100 0 1")), verdict.Malformed},
		{"not Flate", box("/N 1 /First 4 /Filter /FlateDecode", []byte("100 0 1")), verdict.Malformed},
		{"predictor with vast columns", box("/N 1 /First 4 /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 2000000000 >>", deflate([]byte("100 0 1"))), verdict.Malformed},
		{"other object in the stream", box("/N 1 /First 6", []byte("101 0 1")), verdict.Malformed},
		{"stream claims more objects", box("/N 200000 /First 6", []byte("100 0 1")), verdict.Malformed},
		{"page tree goes round", pdftest.Update(sound, map[int]string{2: manyKids}, pdftest.Table{Root: 1, Prev: xref}), verdict.Limit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			f, err := pdf.Open(tt.data)
			if err == nil {
				_, err = f.Current().Pages()
			}
			var refused *verdict.ContainerError
			if !errors.As(err, &refused) || refused.Reason != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if d := time.Since(start); d > patience {
				t.Errorf("took %v", d)
			}
		})
	}
	mustOpen(t, box("/N 1 /First 6 /Filter /FlateDecode", deflate([]byte("100 0 1")))) // the twin of the boxes
	mustOpen(t, withObject("<< /A 1 /B 2 >>"))
}

func TestPredictors(t *testing.T) {
	t.Parallel()
	rows := []byte{0, 1, 2, 3, 1, 4, 2, 3, 2, 5, 3, 0, 3, 252, 253, 250, 4, 7, 0, 1}
	s := &pdf.Stream{
		Dict: pdf.Dict{"Filter": pdf.Name("FlateDecode"), "DecodeParms": pdf.Dict{"Predictor": int64(15), "Columns": int64(3)}},
		Raw:  deflate(rows),
	}
	got, err := pdf.Decode(s, 100)
	if err != nil {
		t.Fatal(err)
	}
	// Row 4 is (left+up)/2 plus the byte, row 5 Paeth; computed by hand from RFC 2083.
	want := []byte{1, 2, 3, 4, 6, 9, 9, 9, 9, 0, 1, 255, 7, 7, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	first := pdftest.Document("hello").Bytes()
	second := pdftest.Update(first, map[int]string{6: "(new)", 3: "(changed)"},
		pdftest.Table{Root: 1, Prev: pdftest.StartXref(first), Free: []int{5}})
	f := mustOpen(t, second)
	revisions := f.Revisions()
	if len(revisions) != 2 {
		t.Fatalf("%d revisions", len(revisions))
	}
	if revisions[0].End != int64(len(first)) || revisions[1].Start != int64(len(first)) || revisions[1].End != int64(len(second)) {
		t.Errorf("revisions end at %d and %d, want %d and %d", revisions[0].End, revisions[1].End, len(first), len(second))
	}
	if !revisions[0].EndsAt(int64(len(first)-1)) || revisions[0].EndsAt(int64(len(first)-2)) {
		t.Error("the end-of-line behind the mark does not count as told")
	}
	if diff := cmp.Diff([]int{3, 5, 6}, f.At(1).Touched()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 6}, f.At(1).Numbers()); diff != "" {
		t.Error(diff)
	}
	old, err := f.At(0).Object(3)
	if d, ok := old.(pdf.Dict); err != nil || !ok || d["Type"] != pdf.Name("Font") {
		t.Errorf("object 3 of the first revision: %v, %v", old, err)
	}
	new, err := f.At(1).Object(3)
	if s, ok := new.(pdf.String); err != nil || !ok || string(s.Value) != "changed" || second[s.Start] != '(' || second[s.End-1] != ')' {
		t.Errorf("object 3 of the second revision: %v, %v", new, err)
	}
	if f.At(0).SameEntry(f.At(1), 3) || !f.At(0).SameEntry(f.At(1), 4) {
		t.Error("SameEntry")
	}
}

// Some office software writes a second, empty table whose trailer names a cross-reference stream in front of the first.
func TestHybridSecondTable(t *testing.T) {
	t.Parallel()
	data := hybrid("4 0 obj", "4 0 obj")
	at := bytes.LastIndex(data, []byte(" /XRefStm"))
	name := string(data[at : at+bytes.Index(data[at:], []byte(" >>"))])
	data = bytes.Replace(data, []byte(name), bytes.Repeat([]byte(" "), len(name)), 1)
	first := len(data)
	data = fmt.Appendf(data, "xref\n0 0\ntrailer\n<< /Size 8 /Root 1 0 R /Prev %d%s >>\nstartxref\n%d\n%%%%EOF\n",
		pdftest.StartXref(data), name, first)
	f := mustOpen(t, data)
	if len(f.Revisions()) != 2 || f.Revisions()[0].End != int64(first) {
		t.Fatalf("revisions %v", f.Revisions())
	}
	if o, err := f.Current().Object(6); err != nil || o == nil {
		t.Errorf("object that the stream alone names: %v, %v", o, err)
	}
	if stray, err := f.Stray(); err != nil || len(stray) != 0 {
		t.Errorf("stray %v, %v", stray, err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	sound := pdftest.Document("hello").Bytes()
	for _, tail := range []string{"9 0 obj\n1\nendobj\n", string(sound[bytes.LastIndex(sound, []byte("trailer")):]), "\x00"} {
		f := mustOpen(t, append(bytes.Clone(sound), tail...))
		if string(f.Tail()) != tail {
			t.Errorf("tail %q, want %q", f.Tail(), tail)
		}
		if _, err := f.Update(); !errors.Is(err, pdf.ErrClosedForUpdates) {
			t.Errorf("update: %v", err)
		}
	}
}

func TestStray(t *testing.T) {
	t.Parallel()
	b := pdftest.Document("hello")
	objects := map[int]string{}
	for i, o := range b.Objects {
		objects[i+1] = o
	}
	head := []byte("%PDF-1.7\n")
	dup := pdftest.Update(head, objects, pdftest.Table{Root: 1, Also: map[int]string{4: "(shadow)"}})
	for _, tt := range []struct {
		name string
		data []byte
		want int
	}{
		{"nothing", b.Bytes(), 0},
		{"comment", pdftest.Update(append(head, "% hello\n"...), objects, pdftest.Table{Root: 1}), 0},
		{"shadow object", dup, 1},
		{"two startxref", pdftest.Update(append(bytes.Clone(head), "startxref\n0\n%%EOF\n"...), objects, pdftest.Table{Root: 1}), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := mustOpen(t, tt.data).Stray()
			if err != nil || len(got) != tt.want {
				t.Errorf("stray %v, %v; want %d", got, err, tt.want)
			}
		})
	}
	hidden := pdftest.Document("hello")
	hidden.Objects[4] = pdftest.Stream("", []byte("6 0 obj (inside) endobj"))
	data := hidden.Bytes()
	at := bytes.Index(data, []byte("6 0 obj (inside)"))
	data = pdftest.Update(data, nil, pdftest.Table{Root: 1, Prev: pdftest.StartXref(data), At: map[int]int{6: at}})
	if got, err := mustOpen(t, data).Stray(); err != nil || len(got) != 1 {
		t.Errorf("object inside a stream: stray %v, %v", got, err)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	b := pdftest.Document("hello")
	for name, data := range map[string][]byte{"table": b.Bytes(), "stream": b.Streamed(), "cut": bytes.TrimRight(b.Bytes(), "\n")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			once, twice := appendTwice(t, data), appendTwice(t, data)
			if !bytes.Equal(once, twice) {
				t.Error("the same update gave other bytes")
			}
			f := mustOpen(t, once)
			if len(f.Revisions()) != 3 || !bytes.HasPrefix(once, data) || len(f.Tail()) != 0 {
				t.Fatalf("%d revisions, tail of %d", len(f.Revisions()), len(f.Tail()))
			}
			if f.Revisions()[1].Streamed != (name == "stream") {
				t.Error("the section is of the other kind")
			}
			if stray, err := f.Stray(); err != nil || len(stray) != 0 {
				t.Errorf("stray %v, %v", stray, err)
			}
			d, err := f.Current().Catalog()
			if err != nil || d["Lang"] == nil {
				t.Errorf("catalogue %v, %v", d, err)
			}
		})
	}
	u, err := mustOpen(t, b.Bytes()).Update()
	if err != nil {
		t.Fatal(err)
	}
	u.Add(struct{}{})
	if _, _, err := u.Append(); err == nil {
		t.Error("a value that is no object was written")
	}
}

func appendTwice(t *testing.T, data []byte) []byte {
	t.Helper()
	for i := range 2 {
		f := mustOpen(t, data)
		u, err := f.Update()
		if err != nil {
			t.Fatal(err)
		}
		root, _ := f.Current().Trailer()["Root"].(pdf.Ref)
		ref := u.Add(pdf.Dict{"N": int64(i), "R": 0.5, "S": pdf.Text("a(b)\\\r"), "U": pdf.UnicodeText("公文𬭎"), "A#": pdf.Name("x y")})
		u.Set(root, pdf.Dict{"Type": pdf.Name("Catalog"), "Pages": pdf.Ref{Number: 2}, "Lang": ref})
		out, at, err := u.Append()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(out[at[ref]:], fmt.Appendf(nil, "%d 0 obj", ref.Number)) {
			t.Error("the offset told is not that of the object")
		}
		data = out
	}
	return data
}

// What is written is read back with the same value.
func TestWriteThenRead(t *testing.T) {
	t.Parallel()
	base := mustOpen(t, pdftest.Document("hello").Bytes())
	var object func(depth int) *rapid.Generator[pdf.Object]
	object = func(depth int) *rapid.Generator[pdf.Object] {
		return rapid.Custom(func(t *rapid.T) pdf.Object {
			kind := rapid.IntRange(0, 8).Draw(t, "kind")
			if depth > 3 && kind > 6 {
				kind = 0
			}
			switch kind {
			case 0:
				return rapid.Int64Range(-1<<40, 1<<40).Draw(t, "int")
			case 1:
				return rapid.Bool().Draw(t, "bool")
			case 2:
				return float64(rapid.Int64Range(-1<<30, 1<<30).Draw(t, "real")) + 0.25
			case 3:
				return pdf.Name(rapid.StringMatching(`[^\x00]{0,12}`).Draw(t, "name"))
			case 4, 5:
				return pdf.String{Value: rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"), Hex: kind == 4}
			case 6:
				return pdf.Ref{Number: rapid.IntRange(1, 99).Draw(t, "number")}
			case 7:
				return pdf.Array(rapid.SliceOfN(object(depth+1), 0, 4).Draw(t, "array"))
			}
			d := pdf.Dict{}
			for k, v := range rapid.MapOfN(rapid.StringMatching(`[A-Z #(/]{1,4}`), object(depth+1), 0, 4).Draw(t, "dict") {
				d[pdf.Name(k)] = v
			}
			return d
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		want := object(0).Draw(t, "object")
		if _, isRef := want.(pdf.Ref); isRef {
			want = pdf.Array{want}
		}
		u, err := base.Update()
		if err != nil {
			t.Fatal(err)
		}
		ref := u.Add(want)
		out, _, err := u.Append()
		if err != nil {
			t.Fatal(err)
		}
		f, err := pdf.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Current().Get(ref)
		if err != nil || !pdf.Equal(got, want) || !pdf.Equal(want, got) {
			t.Fatalf("wrote %v, read %v, %v", want, got, err)
		}
	})
}

func TestPageRect(t *testing.T) {
	t.Parallel()
	const k = 72 / 25.4
	for _, tt := range []struct {
		rotate int
		want   [4]float64
	}{
		{0, [4]float64{10 * k, 800 - 60*k, 50 * k, 800 - 20*k}},
		{90, [4]float64{20 * k, 10 * k, 60 * k, 50 * k}},
		{180, [4]float64{600 - 50*k, 20 * k, 600 - 10*k, 60 * k}},
		{270, [4]float64{600 - 60*k, 800 - 50*k, 600 - 20*k, 800 - 10*k}},
	} {
		p := pdf.Page{Box: [4]float64{0, 0, 600, 800}, Rotate: tt.rotate, Unit: 1}
		got := p.Rect(10, 20, 40, 40)
		for i := range got {
			if d := got[i] - tt.want[i]; d > .001 || d < -.001 {
				t.Errorf("turned by %d: %v, want %v", tt.rotate, got, tt.want)
				break
			}
		}
	}
}

func TestByteRange(t *testing.T) {
	t.Parallel()
	i := func(n ...int64) pdf.Array {
		a := pdf.Array{}
		for _, v := range n {
			a = append(a, v)
		}
		return a
	}
	for _, tt := range []struct {
		name string
		o    pdf.Object
		ok   bool
	}{
		{"sound", i(0, 10, 20, 80), true},
		{"starts later", i(5, 10, 20, 80), true},
		{"missing", nil, false},
		{"three numbers", i(0, 10, 20), false},
		{"five numbers", i(0, 10, 20, 80, 0), false},
		{"zeros", i(0, 0, 0, 0), false},
		{"negative", i(0, 10, -20, 80), false},
		{"huge", i(0, 10, 20, 1<<62), false},
		{"overflow", i(0, 1<<62, 1<<62, 1<<62), false},
		{"overlap", i(0, 30, 20, 80), false},
		{"beyond the file", i(0, 10, 20, 81), false},
		{"not a number", pdf.Array{int64(0), int64(1), 2.5, int64(3)}, false},
	} {
		if _, err := pdf.ParseByteRange(tt.o, 100); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	b := pdftest.Document("hello")
	f.Add(b.Bytes())
	f.Add(b.Streamed())
	f.Add(hybrid("4 0 obj", "4 0 obj"))
	f.Add(linearised())
	f.Add(box("/N 1 /First 6 /Filter /FlateDecode", deflate([]byte("100 0 1"))))
	f.Add(pdftest.Update(b.Bytes(), map[int]string{6: "(new)"}, pdftest.Table{Root: 1, Prev: pdftest.StartXref(b.Bytes())}))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := pdf.Open(data)
		if err != nil {
			if _, ok := errors.AsType[*verdict.ContainerError](err); !ok {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		_, _ = file.Stray()
		if _, err := file.Current().Pages(); err != nil {
			return
		}
		u, err := file.Update()
		if err != nil {
			return
		}
		u.Add(pdf.Dict{})
		out, _, err := u.Append()
		if err != nil {
			return
		}
		if _, err := pdf.Open(out); err != nil {
			t.Fatalf("a file that opened does not open with an update: %v", err)
		}
	})
}

// FuzzObject reads anything as the one object of a sound file, since few mutations of a whole file keep its offsets.
func FuzzObject(f *testing.F) {
	f.Add([]byte("<< /A [1 2.5 -3 (x\\)\\050) <48 65> /N#41 true null 5 0 R] /B << >> >>"))
	f.Add([]byte("<< /Length 3 >>\nstream\nabc\nendstream"))
	f.Add([]byte("<< /Type /ObjStm /N 1 /First 4 /Length 6 /Filter /FlateDecode >>\nstream\nabcdef\nendstream"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := pdf.Open(withObject("%s", data))
		if err != nil {
			if _, ok := errors.AsType[*verdict.ContainerError](err); !ok {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		o, err := file.Current().Object(6)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := o.(*pdf.Stream); ok {
			_, _ = pdf.Decode(s, 1<<16)
			return
		}
		u, err := file.Update()
		if err != nil {
			t.Fatal(err)
		}
		u.Add(o)
		out, _, err := u.Append()
		if err != nil {
			t.Fatal(err)
		}
		again, err := mustOpen(t, out).Current().Object(7)
		if err != nil || !pdf.Equal(o, again) && !hasReal(o) {
			t.Fatalf("%v was written and read back as %v, %v", o, again, err)
		}
	})
}

// hasReal says whether a value holds a real number, which writing rounds.
func hasReal(o pdf.Object) bool {
	switch x := o.(type) {
	case float64:
		return true
	case pdf.Array:
		return slices.ContainsFunc(x, hasReal)
	case pdf.Dict:
		for _, v := range x {
			if hasReal(v) {
				return true
			}
		}
	}
	return false
}
