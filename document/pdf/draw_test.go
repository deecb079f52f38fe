package pdf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
)

var drawFaces = sync.OnceValue(fonts.Embedded)

func mustLayOut(t testing.TB, name string, change func(*document.Document)) (*document.Document, *layout.Pages) {
	t.Helper()
	data, err := os.ReadFile("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(d)
	}
	p, err := layout.Compose(d, drawFaces())
	if err != nil {
		t.Fatal(err)
	}
	return d, p
}

func mustDraw(t testing.TB, d *document.Document, p *layout.Pages) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pdf.Draw(&b, p, d.Metadata); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// char is one character with its place in mm from the page's top left corner.
type char struct {
	r    rune
	x, y float64
}

var (
	streamPattern = regexp.MustCompile(`(?s)<<([^<>]*)/Length (\d+)>>\nstream\n`)
	operator      = regexp.MustCompile(`(?s)(-?[\d.]+) Tc|/(F\w+) ([\d.]+) Tf|BT (-?[\d.]+) (-?[\d.]+) Td \(((?:[^\\)]|\\.)*)\) Tj`)
	escaped       = regexp.MustCompile(`(?s)\\(.)`)
)

// contents inflates the page streams of a PDF drawn here, in order.
func contents(t *testing.T, data []byte) []string {
	t.Helper()
	var out []string
	for _, m := range streamPattern.FindAllSubmatchIndex(data, -1) {
		n, err := strconv.Atoi(string(data[m[4]:m[5]]))
		if err != nil {
			t.Fatal(err)
		}
		z, err := zlib.NewReader(bytes.NewReader(data[m[1] : m[1]+n]))
		if err != nil {
			continue
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(" Tj ET")) {
			out = append(out, string(text))
		}
	}
	return out
}

// chars follows the text operators of a page: what a reader of the PDF would place where. widths holds each character's
// own advance in thousandths of the em.
func chars(t *testing.T, content string, widths []float64) []char {
	t.Helper()
	const mm = 25.4 / 72
	var out []char
	spacing, size := 0.0, 0.0
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, m := range operator.FindAllStringSubmatch(content, -1) {
		switch {
		case m[1] != "":
			spacing = number(m[1])
		case m[2] != "":
			size = number(m[3])
		default:
			raw := escaped.ReplaceAllStringFunc(m[6], func(s string) string {
				return map[string]string{`\r`: "\r", `\n`: "\n"}[s] + strings.TrimLeft(s[1:], "rn")
			})
			x, y := number(m[4]), number(m[5])
			units := make([]uint16, 0, len(raw)/2)
			for i := 0; i+1 < len(raw); i += 2 {
				units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
			}
			for _, r := range utf16.Decode(units) {
				x0 := x
				if len(out) >= len(widths) {
					t.Fatalf("more text on the page than was laid out, from %c", r)
				}
				x += widths[len(out)]*size/1000 + spacing
				out = append(out, char{r, x0 * mm, layout.PageHeight - y*mm})
			}
		}
	}
	return out
}

// widthsByRun lists the own advance of every character that a page sets as text, in thousandths of the em.
func widthsByRun(p layout.Page) []float64 {
	var out []float64
	for _, run := range p.Runs {
		for _, r := range run.Text {
			if r < 0xFFFF {
				a, _ := run.Face.Advance(r)
				out = append(out, math.Round(a*1000))
			}
		}
	}
	return out
}

// ofdChars reads the places out of an OFD page, independently of the code that wrote it.
func ofdChars(t *testing.T, content []byte) []char {
	t.Helper()
	var x struct {
		Texts []struct {
			Boundary string `xml:"Boundary,attr"`
			Code     struct {
				X      float64 `xml:"X,attr"`
				Y      float64 `xml:"Y,attr"`
				DeltaX string  `xml:"DeltaX,attr"`
				Text   string  `xml:",chardata"`
			} `xml:"TextCode"`
		} `xml:"Content>Layer>TextObject"`
	}
	if err := xml.Unmarshal(content, &x); err != nil {
		t.Fatal(err)
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var out []char
	for _, o := range x.Texts {
		box := strings.Fields(o.Boundary)
		var steps []float64
		f := strings.Fields(o.Code.DeltaX)
		for i := 0; i < len(f); i++ {
			if f[i] == "g" {
				for range int(number(f[i+1])) {
					steps = append(steps, number(f[i+2]))
				}
				i += 2
				continue
			}
			steps = append(steps, number(f[i]))
		}
		at := number(box[0]) + o.Code.X
		for i, r := range []rune(o.Code.Text) {
			if i > 0 {
				at += steps[i-1]
			}
			out = append(out, char{r, at, number(box[1]) + o.Code.Y})
		}
	}
	return out
}

// TestPDFAndOFDShowTheSamePage compares the places of every character in both files.
func TestPDFAndOFDShowTheSamePage(t *testing.T) {
	for _, name := range []string{"notice.yaml", "request.yaml", "letter.yaml", "circular.yaml"} {
		d, p := mustLayOut(t, name, nil)
		var b bytes.Buffer
		if err := ofd.Write(&b, p, d.Metadata, []ofd.Attachment{{Name: "schedule.csv"}}); err != nil {
			t.Fatal(err)
		}
		pkg, err := ofd.Open(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		pages := contents(t, mustDraw(t, d, p))
		if len(pages) != len(p.Pages) {
			t.Fatalf("%s: %d page streams for %d pages", name, len(pages), len(p.Pages))
		}
		worst := 0.0
		for i := range pages {
			raw, _ := pkg.Entry(pkg.Pages()[i].Name)
			want := ofdChars(t, raw)
			got := chars(t, pages[i], widthsByRun(p.Pages[i]))
			if len(got) != len(want) {
				t.Fatalf("%s page %d: %d characters in the PDF, %d in the OFD", name, i+1, len(got), len(want))
			}
			for k := range want {
				if got[k].r != want[k].r {
					t.Fatalf("%s page %d character %d: %c in the PDF, %c in the OFD", name, i+1, k, got[k].r, want[k].r)
				}
				worst = max(worst, math.Abs(got[k].x-want[k].x), math.Abs(got[k].y-want[k].y))
			}
		}
		if worst > 0.1 {
			t.Errorf("%s: characters up to %.3f mm apart", name, worst)
		}
	}
}

func TestDrawIsReproducible(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	first := mustDraw(t, d, p)
	for range 3 {
		if !bytes.Equal(first, mustDraw(t, d, p)) {
			t.Fatal("the same pages give other bytes")
		}
	}
	if f, err := pdf.Open(first); err != nil {
		t.Errorf("own reader: %v", err)
	} else if pages, err := f.Current().Pages(); err != nil || len(pages) != len(p.Pages) {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

var actual = regexp.MustCompile(`(?s)/Span <</ActualText.*?0 Tr\n`)

// TestCharactersAboveTheBasicPlane: the library panics on them, so they are drawn as shapes, and the text around them
// stays where it was.
func TestCharactersAboveTheBasicPlane(t *testing.T) {
	change := func(name string) func(*document.Document) {
		return func(d *document.Document) {
			d.Body = []document.Paragraph{document.NewParagraph("经研究，任命" + name + "同志为处长。")}
		}
	}
	d, p := mustLayOut(t, "letter.yaml", change("王𬭎"))
	data := mustDraw(t, d, p)
	page := contents(t, data)[0]
	if !strings.Contains(page, "/ActualText <FEFFD872DF4E>") {
		t.Error("the text layer does not state the character")
	}
	page = actual.ReplaceAllString(page, "") // what stands unseen is no text of the layout
	if !strings.Contains(page, " c\n") && !strings.Contains(page, " c ") {
		t.Error("no shape on the page")
	}
	plain, q := mustLayOut(t, "letter.yaml", change("王鑫"))
	without := contents(t, mustDraw(t, plain, q))[0]
	if strings.Contains(without, " c\n") {
		t.Error("a page of plain text holds shapes")
	}
	find := func(content string, p layout.Page, r rune) char {
		for _, c := range chars(t, content, widthsByRun(p)) {
			if c.r == r {
				return c
			}
		}
		t.Fatalf("%c is not in the text", r)
		return char{}
	}
	a, b := find(page, p.Pages[0], '志'), find(without, q.Pages[0], '志')
	if math.Abs(a.x-b.x) > 0.05 || a.y != b.y {
		t.Errorf("志 at %.2f,%.2f beside the shape, at %.2f,%.2f without", a.x, a.y, b.x, b.y)
	}
}

func TestDrawReportsFaults(t *testing.T) {
	d, p := mustLayOut(t, "letter.yaml", nil)
	face, err := drawFaces().Face(fonts.Kai)
	if err != nil {
		t.Fatal(err)
	}
	run := layout.Run{X: 30, Y: 60, Face: face, Size: 5, Text: "\U00020000", Advances: []float64{5}}
	broken := &layout.Pages{Pages: []layout.Page{{Width: 210, Height: 297, Runs: []layout.Run{run}}}}
	if err := pdf.Draw(io.Discard, broken, d.Metadata); err == nil {
		t.Error("a character that the face lacks is drawn")
	}
	run.Face = nil
	broken.Pages[0].Runs[0] = run
	if err := pdf.Draw(io.Discard, broken, d.Metadata); err == nil {
		t.Error("a run without a face is drawn")
	}
	if err := pdf.Draw(io.Discard, p, d.Metadata); err != nil {
		t.Errorf("the sound pages: %v", err)
	}
}

func BenchmarkDraw(b *testing.B) {
	d, p := mustLayOut(b, "notice.yaml", nil)
	for b.Loop() {
		mustDraw(b, d, p)
	}
}
