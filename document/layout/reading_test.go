package layout_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/document"
	"yinxin/document/layout"
)

// TestDifferences: the metadata of every template say what its pages print; each change of one of them is found.
func TestDifferences(t *testing.T) {
	for _, name := range templates(t) {
		d, p := mustExample(t, name)
		if diff := layout.Differences(d.Metadata, layout.Read(stripped(p))); len(diff) > 0 {
			t.Errorf("%s: %v", name, diff)
		}
	}
	d, p := mustExample(t, "notice.yaml")
	read := layout.Read(stripped(p))
	tests := []struct {
		element string
		change  func(m *document.Metadata)
	}{
		{"title", func(m *document.Metadata) { m.Title += "（试行）" }},
		{"number", func(m *document.Metadata) { m.Number.Serial++ }},
		{"issued_on", func(m *document.Metadata) { m.IssuedOn.Day-- }},
		{"to", func(m *document.Metadata) { m.To = nil }},
		{"cc", func(m *document.Metadata) { m.CC = append(m.CC, document.Office{Name: "云溪市档案局"}) }},
		{"urgency", func(m *document.Metadata) { m.Urgency = document.Urgent }},
		{"copy_number", func(m *document.Metadata) { m.CopyNumber = "000001" }},
		{"attachments", func(m *document.Metadata) { m.Attachments = m.Attachments[:1] }},
		{"note", func(m *document.Metadata) { m.Note = "此件不公开" }},
	}
	for _, tt := range tests {
		m := d.Metadata
		tt.change(&m)
		got := layout.Differences(m, read)
		if len(got) != 1 || got[0].Element != tt.element || got[0].Stated == got[0].Printed {
			t.Errorf("%s: %v", tt.element, got)
		}
	}
}

// TestReadNeedsNoNames: what is read does not hang on the names of elements.
func TestReadNeedsNoNames(t *testing.T) {
	for _, name := range templates(t) {
		_, p := mustExample(t, name)
		if diff := cmp.Diff(layout.Read(p.Pages), layout.Read(stripped(p))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if got := layout.Read(nil); got.Title != "" || len(got.Body) > 0 {
		t.Errorf("read of no pages: %+v", got)
	}
}

// TestReadPageThatIsNone reads pages that no official document has: whatever is found, nothing fails.
func TestReadPageThatIsNone(t *testing.T) {
	d, p := mustExample(t, "request.yaml")
	pages := stripped(p)
	for i := range pages[0].Runs {
		r := &pages[0].Runs[i]
		r.Y = float64(len(pages[0].Runs) - i)
	}
	if got := layout.Read(pages); got.Title == d.Title {
		t.Error("a page upside down reads as before")
	}
	if got := layout.Read([]layout.Page{{Width: 1, Height: 1}}); strings.Join(got.TitleLines, "") != "" {
		t.Errorf("%+v", got)
	}
}

// FuzzRead reads text in any places.
func FuzzRead(f *testing.F) {
	f.Add("附件1", 28.0, 40.0, 5.5, "附件：1.名单", 39.1, 60.0, 5.5)
	f.Add("抄送：甲，乙。", 33.0, 250.0, 4.9, "2026年1月2日印发", 150.0, 255.0, 4.9)
	f.Fuzz(func(_ *testing.T, a string, x1, y1, s1 float64, b string, x2, y2, s2 float64) {
		run := func(text string, x, y, size float64) layout.Run {
			r := layout.Run{Text: text, X: x, Y: y, Size: size}
			for range []rune(text) {
				r.Advances = append(r.Advances, size)
			}
			return r
		}
		sheet := layout.Page{Width: 210, Height: 297, Runs: []layout.Run{run(a, x1, y1, s1), run(b, x2, y2, s2)}}
		sheet.Rules = []layout.Rule{{X1: x1, X2: x2, Y1: y1, Y2: y1}, {X1: x1, X2: x1, Y1: y1, Y2: y2}, {X1: x2, X2: x2, Y1: y1, Y2: y2}}
		_ = layout.Read([]layout.Page{sheet, sheet})
		_ = layout.Check([]layout.Page{sheet, sheet}, nil)
	})
}

// TestReadRowOverPages: a row that no page holds, cut at each of its lines in turn, is read as the one row that it is;
// whole rows on both sides of a page's end stay two.
func TestReadRowOverPages(t *testing.T) {
	tall := func(n int) string { return strings.Repeat("公文收发和用印归档", n) }
	tables := map[string]*document.Table{
		"cut": {Head: []string{"序号", "备注", "说明", "甲", "乙", "丙", "丁"}, Rows: [][]string{
			{"1", tall(20), tall(8), "", "", "", ""}, {"2", "短", "短", "", "", "", ""}, {"3", tall(21), "an office of GB 18030 " + tall(12), "", "甲", "", ""},
		}},
		"whole": {Head: []string{"序号", "备注"}},
		"long":  {Head: []string{"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬"}, Rows: [][]string{{tall(4), tall(4), tall(4), tall(4), tall(4), tall(4), tall(4), tall(4), tall(4)}}},
	}
	for range 60 {
		tables["whole"].Rows = append(tables["whole"].Rows, []string{"云溪", tall(5)})
	}
	for name, want := range tables {
		cut := false
		for before := range 8 {
			d := mustParse(t, draft())
			d.Body = nil
			for range before + 1 {
				d.Body = append(d.Body, document.NewParagraph("各单位要做好试点工作。"))
			}
			d.Body = append(d.Body, document.Paragraph{Table: want}, document.NewParagraph("特此通知。"))
			p := mustCompose(t, d)
			cut = cut || len(p.Pages) > 1
			if diff := cmp.Diff(d.Body, layout.Read(stripped(p)).Body); diff != "" {
				t.Errorf("%s behind %d paragraphs: -draft +pages\n%s", name, before+1, diff)
			}
		}
		if !cut {
			t.Errorf("%s: no table went over a page", name)
		}
	}
}
