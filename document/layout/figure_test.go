package layout_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
)

func pngOf(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pictured is a notice with a picture between n paragraphs and one more.
func pictured(t testing.TB, n, w, h int, more string) *document.Document {
	t.Helper()
	body := "body:\n"
	for i := range n {
		body += fmt.Sprintf("  - 第%d项工作由各单位按照分工负责落实，并于月底前报送进展情况。\n", i+1)
	}
	body += "  - picture: {file: a.png" + more + "}\n  - 特此通知。\n"
	d := mustParse(t, draft("body: |\n  各单位要做好试点工作。\n", body))
	if err := d.LoadPictures(func(string) ([]byte, error) { return pngOf(t, w, h), nil }); err != nil {
		t.Fatal(err)
	}
	return d
}

func onlyPicture(t *testing.T, p *layout.Pages) (int, layout.Picture) {
	t.Helper()
	page, found := -1, layout.Picture{}
	for i := range p.Pages {
		for _, f := range p.Pages[i].Pictures {
			if page >= 0 {
				t.Fatal("the picture stands twice")
			}
			page, found = i, f
		}
	}
	if page < 0 {
		t.Fatal("no picture on any page")
	}
	return page, found
}

func TestPictureSizes(t *testing.T) {
	for name, c := range map[string]struct {
		w, h          int
		more          string
		width, height float64
	}{
		"own size at 96 to the inch":      {384, 192, "", 101.6, 50.8},
		"width asked for":                 {384, 192, ", width: 60", 60, 30},
		"wider than the type area":        {3000, 600, "", 156, 31.2},
		"higher than the type area":       {1000, 4000, "", 55.75, 223},
		"higher, with a caption below it": {1000, 4000, ", caption: 图1", 53.15, 212.61},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustCompose(t, pictured(t, 3, c.w, c.h, c.more))
			page, f := onlyPicture(t, p)
			if math.Abs(f.Width-c.width) > 0.01 || math.Abs(f.Height-c.height) > 0.01 {
				t.Errorf("%.2f × %.2f mm, want %.2f × %.2f", f.Width, f.Height, c.width, c.height)
			}
			if math.Abs(f.X+f.Width/2-(left+right)/2) > 0.01 || f.Y < top-0.01 || f.Y+f.Height > bottom+0.01 {
				t.Errorf("stands at %.2f, %.2f on page %d", f.X, f.Y, page+1)
			}
			if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
				t.Errorf("faults %v", r.Faults())
			}
		})
	}
}

// TestPictureAnywhere: wherever a picture falls, nothing stands on it, its caption stays with it, the signature keeps to
// its rules and the checker passes the document.
func TestPictureAnywhere(t *testing.T) {
	for n := range 16 {
		p := mustCompose(t, pictured(t, n, 400, 300, ", caption: 图1　试点单位分布"))
		page, f := onlyPicture(t, p)
		caption := false
		for _, r := range p.Pages[page].Runs {
			if r.Element == layout.PageNumber || r.Element == layout.PrintedBy || r.Element == layout.PrintedOn {
				continue
			}
			if y := emTop(r); y+r.Size > f.Y+0.01 && y < f.Y+f.Height-0.01 {
				t.Errorf("after %d paragraphs %q stands on the picture", n, r.Text)
			}
			if r.Text == "图1　试点单位分布" {
				gap := emTop(r) - f.Y - f.Height
				caption = gap > 0 && gap < pitch
			}
		}
		if !caption {
			t.Errorf("after %d paragraphs the caption is not right below the picture", n)
		}
		if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
			t.Errorf("after %d paragraphs: faults %v", n, r.Faults())
		}
	}
}

// TestPictureBeyondTheTypeArea: the checker finds a picture that reaches into the margin.
func TestPictureBeyondTheTypeArea(t *testing.T) {
	p := mustCompose(t, pictured(t, 2, 400, 300, ""))
	page, _ := onlyPicture(t, p)
	pages := stripped(p)
	pages[page].Pictures[0].X = 12
	r := layout.Check(pages, p.SealSpots)
	faults := r.Faults()
	if len(faults) != 1 || faults[0].Measure != "within" || math.Abs(faults[0].Measured-16) > 0.01 {
		t.Errorf("faults %v, want 16 mm beyond the type area", faults)
	}
}

// TestPictureThatWasNotRead: a picture without its file is no empty place.
func TestPictureThatWasNotRead(t *testing.T) {
	d := pictured(t, 2, 40, 30, "")
	for i := range d.Body {
		if d.Body[i].Picture != nil {
			d.Body[i].Picture.Data = nil
		}
	}
	if _, err := layout.Compose(d, faces()); err == nil {
		t.Error("composed without the picture")
	}
}
