package render_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/document/pdf"
)

// longest are drafts at the edge of what offices write.
func longest() map[string]*document.Document {
	base := func() *document.Document {
		d := &document.Document{}
		d.Kind, d.Direction, d.Urgency = document.Notice, document.Downward, document.Normal
		d.Issuer = document.Office{Code: "YXZF", Name: "云溪市人民政府办公室"}
		d.Number = document.Number{Agency: "云溪政办发", Year: 2026, Serial: 7}
		d.RedHead, d.Title = "云溪市人民政府办公室文件", "关于开展试点工作的通知"
		d.IssuedOn = document.Date{Year: 2026, Month: 11, Day: 21}
		d.ApprovedOn, d.Classification, d.Language, d.BodyFormat = d.IssuedOn, document.Unclassified, "zh-CN", "OFD"
		d.To = []document.Office{{Name: "云溪市教育局"}}
		d.Body = []document.Paragraph{document.NewParagraph("现将有关事项通知如下，请遵照执行。")}
		d.PrintedBy, d.PrintedOn = d.Issuer.Name, d.IssuedOn
		d.Signature = document.SignatureBlock{Form: document.SignatureSeal, SealDiameter: document.DefaultSealDiameter}
		d.ID = d.Identifier()
		return d
	}
	out := map[string]*document.Document{}
	add := func(name string, change func(d *document.Document)) {
		d := base()
		change(d)
		out[name] = d
	}
	add("10000 characters", func(d *document.Document) {
		d.Body = []document.Paragraph{document.NewParagraph(strings.Repeat("各单位要按照统一部署做好试点，", 667) + "特此通知。")}
	})
	add("a table of 200 rows", func(d *document.Document) {
		t := &document.Table{Caption: "表1　收发情况", Head: []string{"序号", "单位", "件数"}}
		for i := range 200 {
			t.Rows = append(t.Rows, []string{fmt.Sprint(i + 1), fmt.Sprintf("云溪市第%d单位", i+1), fmt.Sprint(1000 + i*7)})
		}
		d.Body = append(d.Body, document.Paragraph{Table: t}, document.NewParagraph("以上情况请各单位核对。"))
	})
	add("rare characters", func(d *document.Document) {
		d.Body = append(d.Body, document.NewParagraph("参加人员：王㛃、李䶮、张堃、赵淼犇、陈頔、周喆。"))
	})
	add("a title of 40 characters", func(d *document.Document) {
		d.Title = "云溪市人民政府办公室关于进一步加强全市电子公文交换系统安全运行管理工作的补充通知"
	})
	add("twelve joint issuers", func(d *document.Document) {
		for i, name := range strings.Fields("教育 财政 档案 公安 民政 司法 水利 农业 商务 文化 卫生") {
			d.JointIssuers = append(d.JointIssuers, document.Office{Code: fmt.Sprintf("YX%02d", i), Name: "云溪市" + name + "局"})
		}
		d.Body = append(d.Body, document.NewParagraph("各单位要加强协作，"+strings.Repeat("及时通报情况，", 9)+"确保试点工作顺利开展。"))
		d.Issuer.Name, d.RedHead, d.PrintedBy = "云溪市交通局", "云溪市交通局文件", "云溪市交通局办公室"
	})
	return out
}

// TestLongestDocuments composes them, measures what the file shows, reads it back and draws every page, as OFD and PDF.
func TestLongestDocuments(t *testing.T) {
	for name, d := range longest() {
		t.Run(name, func(t *testing.T) {
			p, err := layout.Compose(d, faces())
			if err != nil {
				t.Fatal(err)
			}
			pkg := mustWrite(t, d)
			if diff := unlike(d, readBack(t, pkg)); diff != "" {
				t.Errorf("-draft +pages:\n%s", diff)
			}
			r := mustNew(t, pkg)
			var list []layout.Page
			for i := range r.Pages() {
				page, err := r.Layout(i)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, page)
				if err := r.SVG(io.Discard, i); err != nil {
					t.Error(err)
				}
			}
			report := layout.Check(list, p.SealSpots)
			if faults := report.Faults(); len(faults) > 0 {
				t.Errorf("%v", faults)
			}
			if len(r.Notes()) > 0 {
				t.Error(r.Notes())
			}
			var b bytes.Buffer
			if err := pdf.Draw(&b, p, d.Metadata); err != nil {
				t.Error(err)
			}
			f, err := pdf.Open(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if pages, err := f.Current().Pages(); err != nil || len(pages) != len(p.Pages) {
				t.Errorf("PDF of %d pages, want %d: %v", len(pages), len(p.Pages), err)
			}
		})
	}
}

// TestOnePageOfTenThousandCharacters draws a page that holds them all, as a foreign writer may make it.
func TestOnePageOfTenThousandCharacters(t *testing.T) {
	var objects strings.Builder
	for row := range 100 {
		fmt.Fprintf(&objects, `<ofd:TextObject ID="%d" Boundary="0 %d 100 1" Font="1" Size="0.9"><ofd:TextCode X="0" Y="0.9" DeltaX="g 99 0.99">%s</ofd:TextCode></ofd:TextObject>`,
			10+row, row, strings.Repeat("公文交换试点工作通知", 10))
	}
	d := mustNew(t, mustOpen(t, handmade(t, objects.String(), nil)))
	page, err := d.Layout(0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range page.Runs {
		n += len([]rune(r.Text))
	}
	if n != 10_000 {
		t.Errorf("%d characters", n)
	}
	mustBeSafe(t, d)
	if _, err := d.Image(0, 300); err != nil {
		t.Error(err)
	}
}

// TestCharactersBeyondTheFaces: what no face draws is printed as 〓 in both files, and told.
func TestCharactersBeyondTheFaces(t *testing.T) {
	d := longest()["rare characters"]
	d.Body = append(d.Body, document.NewParagraph("另有𠮷、𬸚、\U0002CEA1、\U0010FFFD四字。"))
	p, err := layout.Compose(d, faces())
	if err != nil {
		t.Fatal(err)
	}
	missing := 0
	for _, w := range p.Warnings {
		if w.Code == "glyph_missing" {
			missing++
		}
	}
	read := readBack(t, mustWrite(t, d))
	text := read.Body[len(read.Body)-1].Text
	if missing == 0 || strings.Count(text, "〓") != missing {
		t.Errorf("%d characters are told as missing; the page shows %q", missing, text)
	}
	var b bytes.Buffer
	if err := pdf.Draw(&b, p, d.Metadata); err != nil {
		t.Error(err)
	}
}
