package render_test

import (
	"bytes"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/ofd/render"
)

// printed is what the pages of a document show of it, by the rules of its form.
func printed(d *document.Document) *document.Document {
	named := func(list []document.Office) []document.Office {
		var out []document.Office
		for _, o := range list {
			out = append(out, document.Office{Name: o.Name})
		}
		return out
	}
	out := &document.Document{Form: d.PageForm(), TitleLines: d.TitleLines, Attendance: d.Attendance, Body: paragraphs(d.Body)}
	out.RedHead, out.Number, out.CopyNumber, out.Urgency = d.RedHead, d.Number, d.CopyNumber, d.Urgency
	out.Title, out.IssuedOn, out.Note = d.Title, d.IssuedOn, d.Note
	out.To, out.CC, out.JointIssuers = named(d.To), named(d.CC), named(d.JointIssuers)
	out.Issuer.Name, out.PrintedBy, out.PrintedOn = d.Issuer.Name, d.PrintedBy, d.PrintedOn
	if d.Direction == document.Upward {
		out.Approvers = d.Approvers
	}
	for _, a := range d.Attachments {
		out.Attachments = append(out.Attachments, document.AttachmentInfo{Title: a.Title})
	}
	for _, a := range d.Annexes {
		out.Annexes = append(out.Annexes, document.Annex{Number: a.Number, Title: a.Title, Body: paragraphs(a.Body)})
	}
	switch {
	case len(d.JointIssuers) > 0: // the red head of a joint document bears the names, then 文件
		out.RedHead = ""
	case d.PageForm() == document.FormOrder:
		out.Title, out.TitleLines, out.To = "", nil, nil
	case d.PageForm() == document.FormLetter:
		out.PrintedBy, out.PrintedOn = "", document.Date{}
	}
	if d.Signature.Form == document.SignatureStamp {
		out.Issuer.Name = d.Signature.OfficeTitle
	}
	if d.PrintedBy == "" {
		out.PrintedOn = document.Date{}
	}
	return out
}

func paragraphs(list []document.Paragraph) []document.Paragraph {
	var out []document.Paragraph
	for _, p := range list {
		if p.Picture != nil {
			p.Picture = &document.Picture{Caption: p.Picture.Caption, Width: p.Picture.Width}
		}
		out = append(out, p)
	}
	return out
}

// readBack reads the document off the pages of a package.
func readBack(t testing.TB, pkg *ofd.Package) *document.Document {
	t.Helper()
	return layout.Read(layouts(t, pkg))
}

// layouts reads the pages of a package back.
func layouts(t testing.TB, pkg *ofd.Package) []layout.Page {
	t.Helper()
	r, err := render.New(pkg, render.Options{Faces: faces()})
	if err != nil {
		t.Fatal(err)
	}
	var pages []layout.Page
	for i := range r.Pages() {
		p, err := r.Layout(i)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, p)
	}
	return pages
}

// unlike says how what was read differs from what was composed; empty for not at all.
func unlike(d, got *document.Document) string {
	want := printed(d)
	if len(want.TitleLines) == 0 { // the composer chose the lines
		got.TitleLines = nil
	}
	if want.RedHead == "" && len(d.JointIssuers) > 0 {
		names := d.Issuer.Name
		for _, o := range d.JointIssuers {
			names += o.Name
		}
		hostAlone := len(d.JointIssuers) >= 8 && got.RedHead == d.RedHead // all names would be smaller than the title
		if strings.Replace(got.RedHead, "文件", "", 1) != names && !hostAlone {
			return fmt.Sprintf("red head %q, want the names %q", got.RedHead, names)
		}
		got.RedHead = ""
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

// TestRoundTrip: what is composed, written as a file and read off its pages again is the same document, body included; the
// metadata in the file is the draft's own.
func TestRoundTrip(t *testing.T) {
	all, err := filepath.Glob("../../../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range all {
		name := filepath.Base(path)
		if !document.IsKindName(strings.TrimSuffix(name, ".yaml")) && !slices.Contains([]string{"joint.yaml", "figures.yaml"}, name) {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			d, p, pkg := mustCompose(t, name)
			if diff := unlike(d, readBack(t, pkg)); diff != "" {
				t.Errorf("-draft +pages:\n%s", diff)
			}
			got, err := pkg.Metadata()
			if err != nil {
				t.Fatal(err)
			}
			want := d.Metadata
			want.Pages = len(p.Pages)
			digests := cmpopts.IgnoreFields(document.AttachmentInfo{}, "Size", "SM3", "Format") // filled in from the files
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), digests); diff != "" {
				t.Errorf("-draft +metadata:\n%s", diff)
			}
		})
	}
	if n != 17 {
		t.Errorf("%d drafts", n)
	}
}

// mustWrite composes a document and writes it as a package.
func mustWrite(t testing.TB, d *document.Document) *ofd.Package {
	t.Helper()
	pkg, _ := mustWriteAt(t, d)
	return pkg
}

// mustWriteAt is mustWrite with the places of the seals.
func mustWriteAt(t testing.TB, d *document.Document) (*ofd.Package, []layout.Spot) {
	t.Helper()
	p, err := layout.Compose(d, faces())
	if err != nil {
		t.Fatal(err)
	}
	var files []ofd.Attachment
	var b bytes.Buffer
	if err := ofd.Write(&b, p, d.Metadata, files); err != nil {
		t.Fatal(err)
	}
	return mustOpen(t, b.Bytes()), p.SealSpots
}

// anyDraft draws a draft of one of the common kinds: headings, sentences with numbers and Latin words, tables, attachments,
// a note.
func anyDraft(t *rapid.T) *document.Document {
	words := rapid.SampledFrom([]string{"公文交换", "试点工作", "有关单位", "2027年3月底", "386件", "GB/T 9704", "PDF", "及时办理", "“一张网”", "（含附件）", "《办法》", "50%"})
	sentence := func(label string) string {
		var b strings.Builder
		b.WriteString("现将")
		for i := range rapid.IntRange(1, 20).Draw(t, label) {
			if i > 0 && i%5 == 0 {
				b.WriteString("，")
			}
			b.WriteString(words.Draw(t, label))
		}
		return b.String() + "。"
	}
	d := &document.Document{}
	d.Kind, d.Direction, d.Urgency = document.Notice, document.Downward, document.Normal
	d.Issuer = document.Office{Code: "YXZF", Name: "云溪市人民政府办公室"}
	d.Number = document.Number{Agency: "云溪政办发", Year: 2026, Serial: rapid.IntRange(1, 999).Draw(t, "serial")}
	d.RedHead, d.Title = "云溪市人民政府办公室文件", "关于"+strings.Repeat("开展试点", rapid.IntRange(1, 8).Draw(t, "title"))+"工作的通知"
	d.IssuedOn = document.Date{Year: 2026, Month: 11, Day: rapid.IntRange(1, 30).Draw(t, "day")}
	d.ApprovedOn, d.Classification, d.Language, d.BodyFormat = d.IssuedOn, document.Unclassified, "zh-CN", "OFD"
	for i := range rapid.IntRange(1, 12).Draw(t, "to") {
		d.To = append(d.To, document.Office{Name: fmt.Sprintf("云溪市第%d局", i+1)})
	}
	for i := range rapid.IntRange(0, 8).Draw(t, "cc") {
		d.CC = append(d.CC, document.Office{Name: fmt.Sprintf("云溪市第%d中学", i+1)})
	}
	for i := range rapid.IntRange(1, 14).Draw(t, "paragraphs") {
		text := sentence("text")
		if level := rapid.IntRange(0, 4).Draw(t, "level"); level > 0 {
			text = document.Mark(level, i+1) + text
		}
		d.Body = append(d.Body, document.NewParagraph(text))
		if rapid.IntRange(0, 6).Draw(t, "table") == 0 {
			d.Body = append(d.Body, document.Paragraph{Table: anyTable(t)})
		}
	}
	d.Body = append(d.Body, document.NewParagraph("特此通知，请遵照执行。"))
	for i := range rapid.IntRange(0, 4).Draw(t, "attachments") {
		d.Attachments = append(d.Attachments, document.AttachmentInfo{Title: strings.Repeat("试点单位名单", rapid.IntRange(1, 6).Draw(t, "attachment")) + fmt.Sprint("表", i+1)})
	}
	if rapid.Bool().Draw(t, "note") {
		d.Note = "联系人：林致远，电话：0999-6120031"
	}
	if rapid.Bool().Draw(t, "imprint") {
		d.PrintedBy, d.PrintedOn = d.Issuer.Name, d.IssuedOn
	}
	if rapid.IntRange(0, 3).Draw(t, "copy") == 0 {
		d.CopyNumber, d.Urgency = "000012", document.Urgent
	}
	d.Signature = document.SignatureBlock{Form: document.SignatureSeal, SealDiameter: document.DefaultSealDiameter}
	if rapid.Bool().Draw(t, "unsealed") {
		d.Signature = document.SignatureBlock{Form: document.SignatureNone, SealDiameter: document.DefaultSealDiameter}
	}
	if rapid.IntRange(0, 2).Draw(t, "upward") == 0 {
		d.Kind, d.Direction, d.Title = document.Request, document.Upward, strings.Replace(d.Title, "通知", "请示", 1)
		for range rapid.IntRange(1, 5).Draw(t, "approvers") {
			d.Approvers = append(d.Approvers, rapid.SampledFrom([]string{"林远", "林致远", "欧阳文华"}).Draw(t, "approver"))
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "letter") == 0 && d.Direction == document.Downward {
		d.Form, d.RedHead = document.FormLetter, d.Issuer.Name
	}
	if d.Form == "" && d.Direction == document.Downward && rapid.IntRange(0, 3).Draw(t, "joint") == 0 {
		for i := range rapid.IntRange(1, 7).Draw(t, "issuers") {
			name := rapid.SampledFrom([]string{"云溪市教育局", "云溪市财政局", "云溪市文化广电和旅游局", "中共云溪市委组织部"}).Draw(t, "issuer")
			d.JointIssuers = append(d.JointIssuers, document.Office{Name: fmt.Sprint(name, "第", i+1, "处")})
		}
	}
	d.ID = d.Identifier()
	return d
}

func anyTable(t *rapid.T) *document.Table {
	table := &document.Table{Caption: "表1 交换情况"}
	columns := rapid.IntRange(2, 6).Draw(t, "columns")
	for c := range columns {
		table.Head = append(table.Head, fmt.Sprintf("第%d栏", c+1))
	}
	for range rapid.IntRange(1, 40).Draw(t, "rows") {
		var row []string
		for range columns {
			row = append(row, strings.Repeat(rapid.SampledFrom([]string{"云溪", "386", "", "长文字，"}).Draw(t, "cell"), rapid.IntRange(1, 6).Draw(t, "times")))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// TestRoundTripOfAnyDraft reads what was composed of drafts of many shapes, and measures it.
func TestRoundTripOfAnyDraft(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue { // each writes and reads a whole file
		if err := f.Value.Set("25"); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := anyDraft(rt)
		pkg, spots := mustWriteAt(t, d)
		pages := layouts(t, pkg)
		if diff := unlike(d, layout.Read(pages)); diff != "" {
			rt.Fatalf("-draft +pages:\n%s", diff)
		}
		report := layout.Check(pages, spots)
		if faults := report.Faults(); len(faults) > 0 {
			rt.Fatalf("%+v", faults)
		}
	})
}
