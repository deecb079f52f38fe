package pdf_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/ofd/render"
	"yinxin/document/pdf"
)

// blue is a picture that is blue all over but for a corner that lets the page shine through.
func blue() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 120, 80))
	for y := range 80 {
		for x := range 120 {
			img.Set(x, y, color.NRGBA{0, 0, 255, 255})
		}
	}
	img.Set(60, 40, color.NRGBA{0, 0, 0, 0})
	return img
}

func encoded(t testing.TB, encode func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withPicture lays the letter out with one picture in place of its second paragraph, 60 mm wide.
func withPicture(data []byte) func(*document.Document) {
	return func(d *document.Document) {
		d.Body = []document.Paragraph{
			document.NewParagraph("现将示意图印发给你们。"),
			{Picture: &document.Picture{File: "a", Width: 60, Data: data}},
			document.NewParagraph("请遵照执行。"),
		}
	}
}

// TestPicturesStandAlike: a picture takes the same place in the OFD, read back, and in the PDF, drawn by poppler, as the
// layout gave it, whatever its format.
func TestPicturesStandAlike(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		t.Skip("needs pdftoppm")
	}
	gray := image.NewGray(image.Rect(0, 0, 120, 80))
	for name, data := range map[string][]byte{
		"PNG with alpha": encoded(t, func(w io.Writer) error { return png.Encode(w, blue()) }),
		"gray JPEG":      encoded(t, func(w io.Writer) error { return jpeg.Encode(w, gray, nil) }),
		"JPEG":           encoded(t, func(w io.Writer) error { return jpeg.Encode(w, blue(), nil) }),
		"16-bit PNG":     encoded(t, func(w io.Writer) error { return png.Encode(w, image.NewGray16(image.Rect(0, 0, 120, 80))) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, p := mustLayOut(t, "letter.yaml", withPicture(data))
			want := p.Pages[0].Pictures[0]
			if math.Abs(want.Width-60) > 0.01 || math.Abs(want.Height-40) > 0.01 {
				t.Fatalf("the layout made it %.2f × %.2f mm", want.Width, want.Height)
			}
			near(t, "OFD", ofdPicture(t, d, p), want, 0.01)
			near(t, "PDF", inkOf(t, tool, mustDraw(t, d, p), want), want, 0.1)
			if !bytes.Equal(mustDraw(t, d, p), mustDraw(t, d, p)) {
				t.Error("the same picture gives other bytes")
			}
		})
	}
}

func near(t *testing.T, what string, got, want layout.Picture, tolerance float64) {
	t.Helper()
	for _, v := range []float64{got.X - want.X, got.Y - want.Y, got.Width - want.Width, got.Height - want.Height} {
		if math.Abs(v) > tolerance {
			t.Errorf("%s: at %.2f, %.2f and %.2f × %.2f mm; want %.2f, %.2f and %.2f × %.2f",
				what, got.X, got.Y, got.Width, got.Height, want.X, want.Y, want.Width, want.Height)
			return
		}
	}
}

// ofdPicture writes the pages and reads the picture back.
func ofdPicture(t *testing.T, d *document.Document, p *layout.Pages) layout.Picture {
	t.Helper()
	var b bytes.Buffer
	if err := ofd.Write(&b, p, d.Metadata, nil); err != nil {
		t.Fatal(err)
	}
	pkg, err := ofd.Open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pkg.Names() {
		if !pkg.Reaches(name) {
			t.Errorf("%s belongs to nothing", name)
		}
	}
	r, err := render.New(pkg, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := r.Layout(0)
	if err != nil || len(page.Pictures) != 1 || len(r.Notes()) != 0 && r.Notes()[0].Code != "face_substituted" {
		t.Fatalf("%d pictures, notes %v, %v", len(page.Pictures), r.Notes(), err)
	}
	return page.Pictures[0]
}

// inkOf draws the first page at 508 dpi and measures the ink where the picture is, and 5 mm around it.
func inkOf(t *testing.T, tool string, data []byte, at layout.Picture) layout.Picture {
	t.Helper()
	const perMM = 20
	x, y := int((at.X-5)*perMM), int((at.Y-2)*perMM)
	w, h := int((at.Width+10)*perMM), int((at.Height+4)*perMM)
	in, out := filepath.Join(t.TempDir(), "in.pdf"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-r", "508", "-f", "1", "-l", "1", "-singlefile", "-png"}
	args = append(args, "-x", fmt.Sprint(x), "-y", fmt.Sprint(y), "-W", fmt.Sprint(w), "-H", fmt.Sprint(h), in, out)
	if text, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v\n%s", err, text)
	}
	f, err := os.Open(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	ink := image.Rectangle{Min: img.Bounds().Max}
	for py := range h {
		for px := range w {
			if r, _, _, _ := img.At(px, py).RGBA(); r < 0x8000 {
				ink.Min.X, ink.Min.Y = min(ink.Min.X, px), min(ink.Min.Y, py)
				ink.Max.X, ink.Max.Y = max(ink.Max.X, px+1), max(ink.Max.Y, py+1)
			}
		}
	}
	mm := func(n int) float64 { return float64(n) / perMM }
	return layout.Picture{X: mm(x + ink.Min.X), Y: mm(y + ink.Min.Y), Width: mm(ink.Dx()), Height: mm(ink.Dy())}
}

// TestPictureThatIsNone: bytes that are no picture are a fault of the drawing, not a page without it.
func TestPictureThatIsNone(t *testing.T) {
	d, p := mustLayOut(t, "letter.yaml", withPicture(encoded(t, func(w io.Writer) error { return png.Encode(w, blue()) })))
	for name, data := range map[string][]byte{"cut off": p.Pages[0].Pictures[0].Data[:60], "text": []byte("picture")} {
		p.Pages[0].Pictures[0].Data = data
		if err := pdf.Draw(io.Discard, p, d.Metadata); err == nil {
			t.Errorf("%s: drawn", name)
		}
	}
	p.Pages[0].Pictures[0].Format = "emf"
	if err := ofd.Write(io.Discard, p, d.Metadata, nil); err == nil {
		t.Error("the OFD holds a picture of an unknown format")
	}
}
