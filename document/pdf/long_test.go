package pdf_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
)

// ofLength makes a document of about that many characters out of the notice.
func ofLength(n int) func(*document.Document) {
	return func(d *document.Document) {
		d.Annexes, d.Attachments = nil, nil
		base := d.Body
		count := 0
		d.Body = nil
		for count < n {
			for _, p := range base {
				d.Body = append(d.Body, p)
				count += len([]rune(p.Text))
			}
		}
	}
}

func TestTenThousandCharacters(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", ofLength(10_000))
	var text strings.Builder
	for _, page := range p.Pages {
		for _, r := range page.Runs {
			if r.Element == layout.Body {
				text.WriteString(r.Text)
			}
		}
	}
	want := 0
	for _, b := range d.Body {
		want += len([]rune(b.Text))
	}
	if got := len([]rune(text.String())); got != want {
		t.Errorf("%d characters on %d pages, want %d", got, len(p.Pages), want)
	}
	if r := layout.Check(p.Pages, p.SealSpots); len(r.Faults()) > 0 {
		t.Errorf("faults %v", r.Faults())
	}
	mustDraw(t, d, p)
}

// TestFortyCharacterTitle: a long title breaks into lines that the checker passes, whatever it says.
func TestFortyCharacterTitle(t *testing.T) {
	title := "云溪市人民政府办公室关于进一步加强和规范全市电子公文交换与电子档案管理工作的若干意见通知"
	_, p := mustLayOut(t, "notice.yaml", func(d *document.Document) { d.Title = title })
	var lines []string
	for _, r := range p.Pages[0].Runs {
		if r.Element == layout.Title {
			lines = append(lines, r.Text)
		}
	}
	if strings.Join(lines, "") != title || len(lines) < 3 {
		t.Errorf("title lines %q", lines)
	}
	if r := layout.Check(p.Pages, p.SealSpots); len(r.Faults()) > 0 {
		t.Errorf("faults %v", r.Faults())
	}
}

// BenchmarkTenPages is the time from a parsed draft of ten pages to both files, faces loaded.
func BenchmarkTenPages(b *testing.B) {
	d, p := mustLayOut(b, "notice.yaml", ofLength(4600))
	if len(p.Pages) < 10 {
		b.Fatalf("%d pages", len(p.Pages))
	}
	for b.Loop() {
		p, err := layout.Compose(d, drawFaces())
		if err != nil {
			b.Fatal(err)
		}
		var out bytes.Buffer
		if err := ofd.Write(&out, p, d.Metadata, nil); err != nil {
			b.Fatal(err)
		}
		if err := pdf.Draw(io.Discard, p, d.Metadata); err != nil {
			b.Fatal(err)
		}
	}
}
