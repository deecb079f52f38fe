package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"

	"yinxin/document/fonts"
)

// faces decompresses once for all tests of the package.
func faces() Faces { return fonts.Embedded() }

func mustDraw(t testing.TB, o Organisation) *Picture {
	t.Helper()
	p, err := Draw(o, faces())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDraw(t *testing.T) {
	set := faces()
	for _, o := range []Organisation{
		{Name: "某市某局"},
		{Name: "某市某某局办公室", BottomLine: "公文专用章"},
		{Name: "某市高新技术产业开发区管理委员会综合办公室", BottomLine: "合同专用章", Diameter: 45},
	} {
		p, err := Draw(o, set)
		if err != nil {
			t.Fatal(err)
		}
		if o.Diameter == 0 {
			o.Diameter = DefaultDiameter
		}
		if w, h := p.MM(); float64(w) != o.Diameter || float64(h) != o.Diameter {
			t.Errorf("%s: %d × %d mm", o.Name, w, h)
		}
		mustStayInside(t, p)
	}
}

// mustStayInside checks that the ring touches the edge and everything after it lies inside of the ring.
func mustStayInside(t *testing.T, p *Picture) {
	t.Helper()
	r, closed := p.Width/2, 0
	counts := [...]int{MoveTo: 1, LineTo: 1, QuadTo: 2, CubeTo: 3, Close: 0}
	for _, s := range p.Segments {
		if s.Op == Close {
			closed++
			continue
		}
		if closed < 2 { // the two circles of the ring
			continue
		}
		for _, q := range s.Points[:counts[s.Op]] {
			if d := math.Hypot(q.X-r, q.Y-r); d > r-ringWidth*p.Width/DefaultDiameter {
				t.Fatalf("a point of contour %d lies %.2f mm from the centre, in the ring", closed, d)
			}
		}
	}
	if closed < 3 {
		t.Errorf("%d contours", closed)
	}
}

func TestDrawRefuses(t *testing.T) {
	tests := []struct {
		name string
		o    Organisation
		want error
	}{
		{"no name", Organisation{}, ErrTooLong},
		{"long name", Organisation{Name: strings.Repeat("某", 40)}, ErrTooLong},
		{"long bottom line", Organisation{Name: "某局", BottomLine: strings.Repeat("章", 30)}, ErrTooLong},
		{"small", Organisation{Name: "某局", Diameter: 5}, ErrSize},
		{"large", Organisation{Name: "某局", Diameter: 500}, ErrSize},
		{"not a number", Organisation{Name: "某局", Diameter: math.NaN()}, ErrSize},
		{"character that no face has", Organisation{Name: "某\U0001F600局"}, ErrGlyph},
		{"not text", Organisation{Name: "\xff"}, ErrTooLong},
	}
	set := faces()
	for _, tt := range tests {
		if _, err := Draw(tt.o, set); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestPNG(t *testing.T) {
	p := mustDraw(t, Organisation{Name: "某市某局"})
	data, err := p.PNG(0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.PNG(0)
	if err != nil || !bytes.Equal(data, again) {
		t.Error("the same picture gives other bytes")
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	side := img.Bounds().Dx()
	if want := int(math.Ceil(42 * DefaultDPI / mmPerInch)); side != want || img.Bounds().Dy() != want {
		t.Errorf("%v, want %d pixels a side", img.Bounds(), want)
	}
	at := func(xmm, ymm float64) color.NRGBA {
		c, _ := color.NRGBAModel.Convert(img.At(int(xmm/42*float64(side)), int(ymm/42*float64(side)))).(color.NRGBA)
		return c
	}
	if got := at(21, 21); got != Red() {
		t.Errorf("middle of the star: %v", got)
	}
	if got := at(0.6, 21); got != Red() {
		t.Errorf("ring: %v", got)
	}
	for name, q := range map[string]Point{"corner": {0.2, 0.2}, "between ring and star": {6, 30}} {
		if got := at(q.X, q.Y); got.A != 0 {
			t.Errorf("%s: %v, want clear", name, got)
		}
	}
	for _, dpi := range []int{-1, MaxDPI + 1} {
		if _, err := p.PNG(dpi); !errors.Is(err, ErrSize) {
			t.Errorf("%d dpi: %v, want ErrSize", dpi, err)
		}
	}
	info, err := Examine(data)
	if err != nil || info.Type != "PNG" || !info.Transparent || info.Width != side {
		t.Errorf("examined: %+v, %v", info, err)
	}
}

func TestVectorForms(t *testing.T) {
	p := mustDraw(t, Organisation{Name: "某市某局", BottomLine: "公文专用章"})
	var svg struct {
		Width string `xml:"width,attr"`
		Path  struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(p.SVG(), &svg); err != nil || svg.Width != "42mm" || !strings.HasPrefix(svg.Path.D, "M 42 21 C ") {
		t.Errorf("SVG: %v, %.40s", err, svg.Path.D)
	}
	if path := p.OFDPath(); !strings.HasPrefix(path, "M 42 21 B ") || !strings.HasSuffix(path, " C") || strings.Contains(path, "NaN") {
		t.Errorf("OFD: %.40s", path)
	}
	pdf := p.PDFPath()
	if !strings.HasPrefix(pdf, "42 21 m ") || !strings.HasSuffix(pdf, " h") || strings.Contains(pdf, "Q") {
		t.Errorf("PDF: %.40s", pdf)
	}
	count := func(s, op string) int { return strings.Count(" "+s+" ", " "+op+" ") }
	if count(pdf, "m") != count(p.OFDPath(), "M") || count(pdf, "h") != count(p.OFDPath(), "C") {
		t.Error("PDF and OFD have another number of contours")
	}
}

func TestExamineRefuses(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("not a picture"), "PNG that is cut": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"),
		"PNG of 2^31 pixels a side": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x06\x00\x00\x00\x00\x00\x00\x00"),
	} {
		if _, err := Examine(data); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %v, want ErrPicture", name, err)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	set := faces()
	for b.Loop() {
		p, err := Draw(Organisation{Name: "某市某某局办公室", BottomLine: "公文专用章"}, set)
		if err != nil {
			b.Fatal(err)
		}
		_ = p.SVG()
	}
}

// TestRareCharacters: a character that no face draws, or that a face draws as nothing, is named and never shown as something
// else, in whatever seal and line it stands.
func TestRareCharacters(t *testing.T) {
	faces := fonts.Embedded()
	for _, r := range []rune{'龘', '㐂', '𠮷', '鿃', '\ue000', '\u00a0', '\u2003', '\u200b'} {
		for what, draw := range map[string]func() (*Picture, error){
			"name": func() (*Picture, error) { return Draw(Organisation{Name: "云溪" + string(r) + "局"}, faces) },
			"bottom line": func() (*Picture, error) {
				return Draw(Organisation{Name: "云溪市", BottomLine: "专用" + string(r)}, faces)
			},
			"number":      func() (*Picture, error) { return Draw(Organisation{Name: "云溪市", Number: "1" + string(r)}, faces) },
			"oval":        func() (*Picture, error) { return DrawOval(Oval{Name: "云溪" + string(r), Middle: "1"}, faces) },
			"middle line": func() (*Picture, error) { return DrawOval(Oval{Name: "云溪市", Middle: string(r)}, faces) },
			"square":      func() (*Picture, error) { return DrawSquare(Square{Text: "王" + string(r), Person: true}, faces) },
			"signature":   func() (*Picture, error) { return DrawSignature(Signature{Name: "王" + string(r)}, faces) },
		} {
			p, err := draw()
			if p != nil || !errors.Is(err, ErrGlyph) || !strings.Contains(err.Error(), fmt.Sprintf("%q (%U)", r, r)) {
				t.Errorf("%U in the %s: %v", r, what, err)
			}
		}
	}
}
