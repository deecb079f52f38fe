package pdf_test

import (
	"encoding/xml"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/document/layout"
)

// word is a piece of text as pdftotext sees it, in mm from the page's top left corner.
type word struct {
	text                string
	page                int
	left, right, middle float64
}

// words asks pdftotext, which shares no code with yinxin, where the text of a PDF stands.
func words(t *testing.T, data []byte) []word {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("needs pdftotext")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.xml")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(tool, "-bbox", in, out).CombinedOutput(); err != nil {
		t.Fatalf("pdftotext: %v\n%s", err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var x struct {
		Pages []struct {
			Words []struct {
				XMin float64 `xml:"xMin,attr"`
				XMax float64 `xml:"xMax,attr"`
				YMin float64 `xml:"yMin,attr"`
				YMax float64 `xml:"yMax,attr"`
				Text string  `xml:",chardata"`
			} `xml:"word"`
		} `xml:"body>doc>page"`
	}
	dec := xml.NewDecoder(strings.NewReader(string(raw)))
	dec.Strict = false
	dec.Entity = xml.HTMLEntity
	if err := dec.Decode(&x); err != nil {
		t.Fatal(err)
	}
	const mm = 25.4 / 72
	var all []word
	for i, p := range x.Pages {
		for _, w := range p.Words {
			all = append(all, word{w.Text, i + 1, w.XMin * mm, w.XMax * mm, (w.YMin + w.YMax) / 2 * mm})
		}
	}
	return all
}

// mustWord finds the piece of a page that begins with a text.
func mustWord(t *testing.T, all []word, page int, begins string) word {
	t.Helper()
	for _, w := range all {
		if w.page == page && strings.HasPrefix(w.text, begins) {
			return w
		}
	}
	t.Fatalf("pdftotext finds no %q on page %d", begins, page)
	return word{}
}

// place is what pdftotext must see of one piece of text: millimetres typed from GB/T 9704-2012. A zero is not looked at.
type place struct {
	page                int
	begins              string
	left, right, centre float64
	// lines is the distance to the text below, in lines of 10.39 mm.
	below string
	lines float64
}

// TestPlacesAsPdftotextSeesThem compares the PDF with millimetres typed from the standard, measured by another program.
func TestPlacesAsPdftotextSeesThem(t *testing.T) {
	const (
		left, right = 28.0, 184.0
		char        = 5.571
		small       = 4.939 // a character of 4号
		tolerance   = 0.12  // pdftotext ends a word at the last character's own advance
	)
	tests := []struct {
		file   string
		places []place
	}{
		{"notice.yaml", []place{
			{page: 1, begins: "云溪市人民政府办公室文件", centre: 106},
			{page: 1, begins: "云溪政办发〔2026〕7号", centre: 106},
			{page: 1, begins: "关于开展电子公文", centre: 106},
			{page: 1, begins: "云溪市教育局", left: left, below: "为规范公文", lines: 1},
			{page: 1, begins: "为规范公文传输", left: left + 2*char, below: "经市政府同意", lines: 1},
			{page: 1, begins: "经市政府同意", left: left, right: right},
			{page: 1, begins: "一、试点目标", left: left + 2*char},
			{page: 3, begins: "附件：", left: left + 2*char, below: "2.试点", lines: 1},
			{page: 3, begins: "2026年11月21日", right: right - 4*char},
			{page: 3, begins: "（此件公开发布）", left: left + 2*char},
			{page: 4, begins: "附件1", left: left},
			{page: 4, begins: "电子公文交换试点单位名单", centre: 106},
			{page: 4, begins: "抄送：", left: left + small},
			{page: 4, begins: "2026年11月21日印发", right: right - small},
		}},
		{"request.yaml", []place{
			{page: 1, begins: "加急", left: left},
			{page: 1, begins: "云溪财发", left: left + char},
			{page: 1, begins: "为保障市公文", left: left + 2*char},
		}},
		{"reply.yaml", []place{
			{page: 1, begins: "云溪政办函〔2026〕40号", right: right},
			{page: 1, begins: "关于公文交换平台", centre: 106},
		}},
		{"order.yaml", []place{
			{page: 1, begins: "云溪市人民政府令", centre: 106},
			{page: 1, begins: "第7号", centre: 106},
			{page: 1, begins: "2026年12月28日", right: right - 4*char},
		}},
	}
	check := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s: %.2f mm, want %.2f", what, got, want)
		}
	}
	for _, tt := range tests {
		d, p := mustLayOut(t, tt.file, nil)
		all := words(t, mustDraw(t, d, p))
		for _, pl := range tt.places {
			w := mustWord(t, all, pl.page, pl.begins)
			if pl.left > 0 {
				check(tt.file+" left of "+pl.begins, w.left, pl.left)
			}
			if pl.right > 0 {
				check(tt.file+" right of "+pl.begins, w.right, pl.right)
			}
			if pl.centre > 0 {
				check(tt.file+" middle of "+pl.begins, (w.left+w.right)/2, pl.centre)
			}
			if pl.below != "" {
				check(tt.file+" from "+pl.begins+" to "+pl.below, mustWord(t, all, pl.page, pl.below).middle-w.middle, pl.lines*10.39)
			}
		}
	}
}

// TestEveryPageIsRead: pdftotext finds the characters that were set, page by page.
func TestEveryPageIsRead(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	all := words(t, mustDraw(t, d, p))
	for i := range p.Pages {
		want, got := 0, 0
		for _, r := range p.Pages[i].Runs {
			want += letters(r.Text)
		}
		for _, w := range all {
			if w.page == i+1 {
				got += letters(w.text)
			}
		}
		if got != want {
			t.Errorf("page %d: pdftotext reads %d characters, %d were set", i+1, got, want)
		}
	}
	if len(p.Pages) == 0 || p.Pages[0].Width != layout.PageWidth {
		t.Error("no A4 page")
	}
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if r != ' ' && r != '\u3000' {
			n++
		}
	}
	return n
}
