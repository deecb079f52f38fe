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

// place is what both files must show of one piece of text: millimetres typed from GB/T 9704-2012 and GB/T 33476.2-2016.
// A zero is not looked at.
type place struct {
	page                int
	begins              string
	left, right, centre float64
	// line is the line of the type area that the text stands on, from 1.
	line float64
	// lines is the distance to the text below, in lines of 10.39 mm.
	below string
	lines float64
}

const (
	left, right = 28.0, 184.0 // the type area
	top         = 37.0
	char3       = 5.571 // a character of the body on its grid
	small       = 4.939 // a character of 4号
	row         = 10.39
	em          = 15.75 * 25.4 / 72
)

// places are typed from the standards, by example.
func places() map[string][]place {
	return map[string][]place{
		"notice.yaml": {
			{page: 1, begins: "云溪市人民政府办公室文件", centre: 106},
			{page: 1, begins: "云溪政办发〔2026〕7号", centre: 106},
			{page: 1, begins: "关于开展电子公文", centre: 106},
			{page: 1, begins: "云溪市教育局", left: left, below: "为规范公文", lines: 1},
			{page: 1, begins: "为规范公文传输", left: left + 2*char3, below: "经市政府同意", lines: 1},
			{page: 1, begins: "经市政府同意", left: left, right: right},
			{page: 1, begins: "一、试点目标", left: left + 2*char3},
			{page: 2, begins: "二、主要任务", left: left + 2*char3, line: 1},
			{page: 2, begins: "（一）", left: left + 2*char3, line: 2},
			{page: 2, begins: "1.急件", left: left + 2*char3, line: 12},
			{page: 3, begins: "中心要做好技术保障", left: left, line: 1},
			{page: 3, begins: "附件：", left: left + 2*char3, line: 3, below: "2.试点", lines: 1},
			{page: 3, begins: "2026年11月21日", right: right - 4*char3, below: "（此件公开发布）", lines: 1},
			{page: 3, begins: "（此件公开发布）", left: left + 2*char3},
			{page: 4, begins: "附件1", left: left, line: 1},
			{page: 4, begins: "电子公文交换试点单位名单", centre: 106},
			{page: 4, begins: "抄送：", left: left + small},
			{page: 4, begins: "2026年11月21日印发", right: right - small},
		},
		"request.yaml": {
			{page: 1, begins: "加急", left: left, line: 1},
			{page: 1, begins: "云溪财发", left: left + char3},
			{page: 1, begins: "为保障市公文", left: left + 2*char3},
		},
		"joint.yaml": {
			{page: 1, begins: "云溪教发〔2026〕27号", centre: 106},
			{page: 1, begins: "各县区教育局", left: left},
			{page: 2, begins: "二、进度安排", left: left + 2*char3, line: 1},
			{page: 2, begins: "专用。", left: left, line: 6},
			{page: 2, begins: "（此件公开发布）", left: left + 2*char3},
			{page: 2, begins: "2026年12月17日印发", right: right - small},
		},
		"reply.yaml": {
			{page: 1, begins: "云溪政办函〔2026〕40号", right: right},
			{page: 1, begins: "关于公文交换平台", centre: 106},
		},
		"letter.yaml": {
			{page: 1, begins: "云溪市教育局", centre: 106},
			{page: 1, begins: "云溪教函〔2026〕9号", right: right},
			{page: 1, begins: "云溪市财政局：", left: left, below: "为做好", lines: 1},
			{page: 1, begins: "2026年11月28日", right: right - 2*char3},
		},
		"order.yaml": {
			{page: 1, begins: "云溪市人民政府令", centre: 106},
			{page: 1, begins: "第7号", centre: 106},
			{page: 1, begins: "2026年12月28日", right: right - 4*char3},
		},
		"minutes.yaml": {
			{page: 1, begins: "云溪市人民政府专题会议纪要", centre: 106},
			{page: 1, begins: "研究电子公文", centre: 106},
			{page: 2, begins: "市政府办公室、", left: left, line: 1},
			{page: 2, begins: "出席：", left: left + 2*char3, below: "请假：", lines: 2},
			{page: 2, begins: "抄送：", left: left + small},
		},
	}
}

// TestPlacesAgreeWithTheStandard compares the PDF, measured by another program, and the positions that the OFD itself
// states with millimetres typed from the standard.
func TestPlacesAgreeWithTheStandard(t *testing.T) {
	for file, list := range places() {
		d, p := mustLayOut(t, file, nil)
		// pdftotext ends a word at the last character's own advance; its boxes are as high as the face, not as the em
		comparePlaces(t, file+" PDF", list, words(t, mustDraw(t, d, p)), 0.12, 1)
		comparePlaces(t, file+" OFD", list, statedInOFD(t, d, p), 0.12, 0.4)
	}
}

func comparePlaces(t *testing.T, file string, list []place, all []word, tolerance, height float64) {
	t.Helper()
	check := func(what string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s: %s: %.2f mm, want %.2f", file, what, got, want)
		}
	}
	for _, pl := range list {
		w := mustWord(t, all, pl.page, pl.begins)
		if pl.left > 0 {
			check("left of "+pl.begins, w.left, pl.left, tolerance)
		}
		if pl.right > 0 {
			check("right of "+pl.begins, w.right, pl.right, tolerance)
		}
		if pl.centre > 0 {
			check("middle of "+pl.begins, (w.left+w.right)/2, pl.centre, tolerance)
		}
		if pl.line > 0 {
			check("height of "+pl.begins, w.middle, top+(pl.line-1)*row+em/2, height)
		}
		if pl.below != "" {
			check("from "+pl.begins+" to "+pl.below, mustWord(t, all, pl.page, pl.below).middle-w.middle, pl.lines*row, tolerance)
		}
	}
}

// stroke is a straight line of an OFD page, with the millimetres that the standard fixes.
type stroke struct {
	page                  int
	left, right, y, width float64
}

// TestRulesAgreeWithTheStandard compares the lines that the OFD states with the standard: 156 or 170 mm long, 0.35 and
// 0.25 mm thick, the last of the 版记 on the lower edge of the type area, the letter's last 20 mm above the paper's edge.
func TestRulesAgreeWithTheStandard(t *testing.T) {
	tests := map[string][]stroke{
		"notice.yaml": {{page: 4, left: left, right: right, width: 0.35}, {page: 4, left: left, right: right, width: 0.25}, {page: 4, left: left, right: right, y: 262, width: 0.35}},
		"letter.yaml": {{page: 1, left: 20, right: 190}, {page: 1, left: 20, right: 190}, {page: 1, left: 20, right: 190}, {page: 1, left: 20, right: 190, y: 277}},
		"joint.yaml":  {{page: 1, left: left, right: right}, {page: 2, left: left, right: right, width: 0.35}, {page: 2, left: left, right: right, y: 262, width: 0.35}},
	}
	for file, want := range tests {
		d, p := mustLayOut(t, file, nil)
		got := rulesInOFD(t, d, p)
		for _, page := range []int{1, 2, 3, 4} {
			var a, b []stroke
			for _, s := range want {
				if s.page == page {
					a = append(a, s)
				}
			}
			for _, s := range got {
				if s.page == page && len(a) > 0 {
					b = append(b, s)
				}
			}
			if len(a) != len(b) {
				t.Errorf("%s page %d: %d rules, want %d", file, page, len(b), len(a))
				continue
			}
			for i, w := range a {
				g := b[i]
				if math.Abs(g.left-w.left) > 0.01 || math.Abs(g.right-w.right) > 0.01 || w.y > 0 && math.Abs(g.y-w.y) > 0.2 || w.width > 0 && math.Abs(g.width-w.width) > 0.001 {
					t.Errorf("%s page %d: rule from %.2f to %.2f at %.2f, %.2f thick; want %+v", file, page, g.left, g.right, g.y, g.width, w)
				}
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
