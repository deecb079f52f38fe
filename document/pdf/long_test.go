package pdf_test

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"testing"
	"time"

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

// BenchmarkTenPages is the time from a parsed draft of ten pages to both files, faces loaded; its probe is the time that
// compressing the parts of the OFD takes by itself.
func BenchmarkTenPages(b *testing.B) {
	d, p := mustLayOut(b, "notice.yaml", ofLength(4600))
	if len(p.Pages) < 10 {
		b.Fatalf("%d pages", len(p.Pages))
	}
	parts := partsOf(b, d, p)
	var composing, probing time.Duration
	for b.Loop() {
		start := time.Now()
		composeTen(b, d)
		middle := time.Now()
		pack(b, parts)
		composing, probing = composing+middle.Sub(start), probing+time.Since(middle)
	}
	ms := func(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(ms(composing), "ms")
	b.ReportMetric(ms(probing), "probe-ms")
}

func composeTen(b *testing.B, d *document.Document) {
	b.Helper()
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

func partsOf(b *testing.B, d *document.Document, p *layout.Pages) [][]byte {
	b.Helper()
	var out bytes.Buffer
	if err := ofd.Write(&out, p, d.Metadata, nil); err != nil {
		b.Fatal(err)
	}
	pkg, err := ofd.Open(out.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	var parts [][]byte
	for _, name := range pkg.Names() {
		data, _ := pkg.Entry(name)
		parts = append(parts, data)
	}
	return parts
}

func pack(b *testing.B, parts [][]byte) {
	b.Helper()
	z, err := flate.NewWriter(io.Discard, flate.DefaultCompression)
	if err != nil {
		b.Fatal(err)
	}
	for _, data := range parts {
		if _, err := z.Write(data); err != nil {
			b.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
}
