package docx_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"image"
	"image/gif"
	"image/png"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"yinxin/document"
	"yinxin/document/docx"
)

const (
	wordSpace   = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
	strictSpace = "http://purl.oclc.org/ooxml/wordprocessingml/main"
)

// parts are the entries of a file; those that it always has are added by pack.
type parts map[string]string

// pack makes a .docx as Word writes one. body is what stands in w:body.
func pack(t testing.TB, body string, more parts) []byte {
	t.Helper()
	return packIn(t, wordSpace, body, more)
}

func packIn(t testing.TB, space, body string, more parts) []byte {
	t.Helper()
	all := parts{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"` +
			` Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
		"word/document.xml": `<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="` + space + `"` +
			` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"` +
			` xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"` +
			` xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"` +
			` xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"` +
			` xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml">` +
			`<w:body>` + body + `</w:body></w:document>`,
		"word/_rels/document.xml.rels": relations(""),
		"word/styles.xml":              styles,
		"word/numbering.xml":           numbering,
	}
	maps.Copy(all, more)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, all[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func relations(more string) string {
	const kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	return `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="s" Type="` + kind + `styles" Target="styles.xml"/>` +
		`<Relationship Id="n" Type="` + kind + `numbering" Target="numbering.xml"/>` +
		`<Relationship Id="p" Type="` + kind + `image" Target="media/image1.png"/>` +
		`<Relationship Id="h" Type="` + kind + `header" Target="header1.xml"/>` +
		`<Relationship Id="l" Type="` + kind + `hyperlink" Target="https://example.invalid/" TargetMode="External"/>` + more + `</Relationships>`
}

// styles and numbering are as WPS writes them: ids that are numbers, names in English, headings without an outline level.
const (
	styles = `<w:styles xmlns:w="` + wordSpace + `">` +
		`<w:style w:type="paragraph" w:default="1" w:styleId="1"><w:name w:val="Normal"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="2"><w:name w:val="heading 1"/><w:basedOn w:val="1"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="3"><w:name w:val="heading 2"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>` +
		`<w:style w:type="paragraph" w:styleId="4"><w:name w:val="自定义"/><w:basedOn w:val="3"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="5"><w:name w:val="Title"/><w:pPr><w:jc w:val="center"/></w:pPr></w:style>` +
		`<w:style w:type="paragraph" w:styleId="6"><w:name w:val="caption"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="7"><w:name w:val="heading 6"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="8"><w:name w:val="loop"/><w:basedOn w:val="9"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="9"><w:name w:val="loop too"/><w:basedOn w:val="8"/></w:style></w:styles>`
	numbering = `<w:numbering xmlns:w="` + wordSpace + `">` +
		`<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="%1、"/></w:lvl>` +
		`<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="(%2)"/></w:lvl></w:abstractNum>` +
		`<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl></w:abstractNum>` +
		`<w:abstractNum w:abstractNumId="2"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="*"/></w:lvl></w:abstractNum>` +
		`<w:abstractNum w:abstractNumId="3"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="第%1条"/></w:lvl></w:abstractNum>` +
		`<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>` +
		`<w:num w:numId="3"><w:abstractNumId w:val="2"/></w:num><w:num w:numId="5"><w:abstractNumId w:val="3"/></w:num>` +
		`<w:num w:numId="4"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num></w:numbering>`
)

// p is a paragraph of properties and text.
func p(props, text string) string {
	return `<w:p><w:pPr>` + props + `</w:pPr><w:r><w:t>` + text + `</w:t></w:r></w:p>`
}

func num(id, level string) string {
	return `<w:numPr><w:ilvl w:val="` + level + `"/><w:numId w:val="` + id + `"/></w:numPr>`
}

const (
	indent  = `<w:ind w:firstLineChars="200" w:firstLine="640"/>`
	centred = `<w:jc w:val="center"/>`
	right   = `<w:jc w:val="right"/>`
)

func tableOf(rows ...[]string) string {
	var b strings.Builder
	b.WriteString(`<w:tbl>`)
	for _, row := range rows {
		b.WriteString(`<w:tr>`)
		for _, cell := range row {
			b.WriteString(`<w:tc><w:p><w:r><w:t>` + cell + `</w:t></w:r></w:p></w:tc>`)
		}
		b.WriteString(`</w:tr>`)
	}
	return b.String() + `</w:tbl>`
}

func mustRead(t testing.TB, data []byte) *docx.Draft {
	t.Helper()
	d, err := docx.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func texts(list []document.Paragraph) []string {
	var out []string
	for _, x := range list {
		out = append(out, x.Text)
	}
	return out
}

func fields(d *docx.Draft) map[string]string {
	out := make(map[string]string)
	for _, f := range d.Text.Fields {
		out[f.Key] = strings.Join(f.Values, "|")
	}
	return out
}

func codes(d *docx.Draft) []string {
	var out []string
	for _, o := range d.Omissions {
		if !slices.Contains(out, o.Code) {
			out = append(out, o.Code)
		}
	}
	slices.Sort(out)
	return out
}

// whole is a document that a clerk wrote from the copy number to the 版记, with no table of metadata.
func whole(t testing.TB) []byte {
	const red = `<w:color w:val="FF0000"/>`
	return pack(t, p("", "000018")+p("", "特　急")+
		`<w:p><w:pPr>`+centred+`</w:pPr><w:r><w:rPr>`+red+`</w:rPr><w:t>云溪市教育局文件</w:t></w:r></w:p>`+
		p("", "云溪教发〔2026〕31号　　签发人：林致远　陈望舒")+
		`<w:p><w:pPr>`+centred+`</w:pPr><w:r><w:t>云溪市教育局</w:t><w:br/><w:t>关于整理校园档案的请示</w:t></w:r></w:p>`+
		p("", "云溪市人民政府：")+p(indent, "现将有关事项请示如下：")+
		p(`<w:pStyle w:val="2"/>`+num("1", "0"), "整理范围")+p(`<w:pStyle w:val="3"/>`+num("1", "1"), "校舍")+p(indent+num("2", "0"), "学籍档案；")+
		p(indent+num("2", "0"), "教学档案。")+p(`<w:pStyle w:val="2"/>`+num("1", "0"), "经费")+p(indent+num("4", "0"), "市级承担六成。")+
		p(indent, "妥否，请批示。")+p(indent, "附件：1. 档案目录")+p(indent, "2．移交清单；")+
		p(right, "云溪市教育局")+p(right, "二〇二六年十二月二十一日")+p(indent, "（联系人：周清和）")+
		p("", "附件1")+p(centred, "档案目录")+p(indent, "学籍档案按届次编目。")+
		p("", "抄送：市财政局，市档案局。")+p("", "云溪市教育局办公室　　2026年12月22日印发"), nil)
}

func TestWholeDocument(t *testing.T) {
	d := mustRead(t, whole(t))
	want := map[string]string{
		"copy_number": "000018", "urgency": "特急", "red_head": "云溪市教育局文件", "number": "云溪教发〔2026〕31号",
		"approvers": "林致远|陈望舒", "title": "云溪市教育局|关于整理校园档案的请示", "to": "云溪市人民政府", "issuer": "云溪市教育局",
		"issued_on": "2026-12-21", "attachments": "档案目录|移交清单", "note": "联系人：周清和", "cc": "市财政局|市档案局",
		"printed_by": "云溪市教育局办公室", "printed_on": "2026-12-22",
	}
	if diff := cmp.Diff(want, fields(d)); diff != "" {
		t.Error(diff)
	}
	body := []string{
		"现将有关事项请示如下：", "一、整理范围", "（一）校舍", "3.学籍档案；", "4.教学档案。", "二、经费", "1.市级承担六成。", "妥否，请批示。",
	}
	if diff := cmp.Diff(body, texts(d.Text.Body)); diff != "" {
		t.Error(diff)
	}
	if len(d.Omissions) > 0 {
		t.Errorf("not as in the file: %v", d.Omissions)
	}
	doc, err := d.Document([]byte("kind: 请示\nissuer: {code: YXJY, name: 云溪市教育局}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Annexes) != 1 || doc.Annexes[0].Title != "档案目录" || doc.Annexes[0].Number != 1 || len(doc.Annexes[0].Body) != 1 {
		t.Errorf("annexes %+v", doc.Annexes)
	}
	if doc.Direction != document.Upward || len(doc.TitleLines) != 2 || doc.Issuer.Code != "YXJY" {
		t.Errorf("direction %v, title %v, issuer %v", doc.Direction, doc.TitleLines, doc.Issuer)
	}
}

// TestLibreOffice reads a file of independent software against the text that it was made from.
func TestLibreOffice(t *testing.T) {
	data, err := os.ReadFile("../../examples/word/archives.docx")
	if err != nil {
		t.Fatal(err)
	}
	d := mustRead(t, data)
	chart := &document.Picture{File: "image1.png", Width: 80, Caption: "图1 各年度件数"}
	want := []document.Paragraph{
		{Text: "为做好校园档案整理工作，现将有关事项通知如下："},
		{Level: 1, Text: "一、工作目标"},
		{Text: "到2027年6月底前完成全部学校的档案整理工作，库房面积不少于60m2。"},
		{Level: 1, Text: "二、主要任务"},
		{Level: 2, Text: "（一）整理范围"},
		{Level: 3, Text: "1.学籍档案；"},
		{Level: 3, Text: "2.教学档案，包括："},
		{Level: 4, Text: "（1）教案；"},
		{Level: 4, Text: "（2）试卷。"},
		{Level: 3, Text: "3.财务档案。"},
		{Level: 2, Text: "（二）载体"},
		{Text: "纸质档案"},
		{Text: "电子档案"},
		{Text: "各年度的件数如下："},
		{Picture: chart},
		{Table: &document.Table{
			Caption: "表1 责任分工", Head: []string{"学校", "负责人", "期限"},
			Rows: [][]string{{"第一中学", "林致远", "2027年3月底"}, {"第二中学", "王𬭎", ""}},
		}},
		{Text: "详见工作指南。"},
	}
	if diff := cmp.Diff(want, d.Text.Body, cmpopts.IgnoreFields(document.Picture{}, "Data"), cmpopts.EquateApprox(0, 0.1)); diff != "" {
		t.Error(diff)
	}
	wantFields := map[string]string{
		"title": "云溪市教育局关于开展校园档案整理工作的通知", "to": "各县区教育局|市属各学校", "issuer": "云溪市教育局", "issued_on": "2026-12-20",
		"attachments": "档案目录|移交清单", "note": "此件公开发布",
	}
	if diff := cmp.Diff(wantFields, fields(d)); diff != "" {
		t.Error(diff)
	}
	wantCodes := []string{"bullet", "comment", "footnote", "header", "link", "merged_cells", "number_added", "script"}
	if diff := cmp.Diff(wantCodes, codes(d)); diff != "" {
		t.Error(diff, d.Omissions)
	}
	for _, o := range d.Omissions {
		if o.Place == "" || o.Detail == "" || o.Count < 1 {
			t.Errorf("an omission without its place: %+v", o)
		}
	}
}

func TestFrontTable(t *testing.T) {
	front := tableOf([]string{"文　种", "通知"}, []string{"发文机关：", "云溪市教育局"}, []string{"发文机关代码", "YXJY"},
		[]string{"发文字号", "云溪教发〔2026〕31号"},
		[]string{"标题", "关于整理校园档案的通知"}, []string{"主送机关", "各县区教育局、市属各学校"}, []string{"成文日期", "2026年12月21日"},
		[]string{"密级", "无"}, []string{"附注", ""})
	d := mustRead(t, pack(t, front+p(indent, "请各单位做好档案整理工作。"), nil))
	doc, err := d.Document(nil)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Kind != document.Notice || doc.Title != "关于整理校园档案的通知" || len(doc.To) != 2 || doc.IssuedOn.String() != "2026-12-21" || len(doc.Body) != 1 {
		t.Errorf("document %+v", doc)
	}
	doc, err = d.Document([]byte("title: 关于整理全市校园档案的通知\n"))
	if err != nil || doc.Title != "关于整理全市校园档案的通知" || !slices.Contains(codes(d), "repeated_element") {
		t.Errorf("the YAML does not hold: %v, %v, %v", doc, err, d.Omissions)
	}
	if _, err := d.Document([]byte("body: 别的正文\n")); err == nil {
		t.Error("a body in the metadata is dropped in silence")
	}
	var invalid *document.InvalidError
	if _, err := mustRead(t, pack(t, p(indent, "请做好工作。"), nil)).Document(nil); !errors.As(err, &invalid) || len(invalid.Faults) < 4 {
		t.Errorf("a text without elements gives %v", err)
	}
}

// TestNothingIsLostInSilence: each thing that the page has no place for is told, with its place, and its twin is not.
func TestNothingIsLostInSilence(t *testing.T) {
	run := func(props, inside string) string {
		return `<w:p><w:r><w:rPr>` + props + `</w:rPr>` + inside + `</w:r></w:p>`
	}
	shape := func(inside string) string { return `<w:p><w:r><w:drawing>` + inside + `</w:drawing></w:r></w:p>` }
	header := parts{"word/header1.xml": `<w:hdr xmlns:w="` + wordSpace + `"><w:p><w:r><w:t>征求意见稿</w:t></w:r></w:p></w:hdr>`}
	for code, c := range map[string]struct {
		body string
		more parts
		text string
	}{
		"":                {p(indent, "正文。"), nil, "正文。"},
		"bullet":          {p(num("3", "0"), "甲"), nil, "甲"},
		"comment":         {run("", `<w:t>甲</w:t><w:commentReference w:id="0"/>`), nil, "甲"},
		"embedded_object": {run("", `<w:t>甲</w:t><w:object/>`), nil, "甲"},
		"emphasis":        {run(`<w:u w:val="single"/>`, `<w:t>甲</w:t>`), nil, "甲"},
		"equation":        {`<w:p><m:oMath><m:r><m:t>x</m:t></m:r></m:oMath></w:p>`, nil, ""},
		"footnote":        {run("", `<w:t>甲</w:t><w:footnoteReference w:id="1"/>`), nil, "甲"},
		"header":          {p("", "甲") + `<w:sectPr><w:headerReference r:id="h"/></w:sectPr>`, header, "甲"},
		"heading_level":   {p(`<w:pStyle w:val="7"/>`, "甲"), nil, "甲"},
		"hidden_text":     {run(`<w:vanish/>`, `<w:t>甲</w:t>`), nil, ""},
		"line_break":      {run("", `<w:t>甲</w:t><w:br/><w:t>乙</w:t>`), nil, "甲|乙"},
		"link":            {`<w:p><w:hyperlink r:id="l"><w:r><w:t>甲</w:t></w:r></w:hyperlink></w:p>`, nil, "甲"},
		"macro":           {p("", "甲"), parts{"word/vbaProject.bin": "x"}, "甲"},
		"merged_cells": {
			p("", "甲") + `<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>一</w:t></w:r></w:p></w:tc></w:tr>` +
				`<w:tr><w:tc><w:p><w:r><w:t>二</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>`, nil, "甲|",
		},
		"nested_table": {
			p("", "甲") + `<w:tbl><w:tr><w:tc>` + tableOf([]string{"x"}) + `<w:p><w:r><w:t>一</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr>` +
				`<w:tr><w:tc><w:p><w:r><w:t>二</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>`, nil, "甲|",
		},
		"number_added":    {p("", "甲") + p(`<w:pStyle w:val="4"/>`, "范围") + p(`<w:pStyle w:val="4"/>`, "期限"), nil, "甲|（一）范围|（二）期限"},
		"page_break":      {p("", "甲") + run("", `<w:br w:type="page"/><w:t>乙</w:t>`), nil, "甲|乙"},
		"picture_format":  {shape(`<wp:inline><a:blip r:embed="p"/></wp:inline>`), parts{"word/media/image1.png": "\x01\x00\x00\x00 EMF"}, ""},
		"picture_missing": {shape(`<wp:inline><a:blip r:embed="p"/></wp:inline>`), nil, ""},
		"script":          {run(`<w:vertAlign w:val="superscript"/>`, `<w:t>2</w:t>`), nil, "2"},
		"symbol":          {run("", `<w:t>甲</w:t><w:sym w:font="Wingdings" w:char="F0FC"/>`), nil, "甲"},
		"table_shape":     {p("", "甲") + tableOf([]string{"一", "二"}), nil, "甲|一　二"},
		"text_after_date": {p(indent, "甲。") + p(right, "2026年12月1日") + p("", "另：乙"), nil, "甲。"},
		"text_box": {
			`<w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing><w:txbxContent>` + p("", "框") + `</w:txbxContent></w:drawing></mc:Choice>` +
				`<mc:Fallback><w:t>不取</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>`, nil, "",
		},
		"tracked_change": {
			`<w:p><w:ins><w:r><w:t>甲</w:t></w:r></w:ins><w:del><w:r><w:delText>乙</w:delText></w:r></w:del></w:p>`, nil, "甲",
		},
	} {
		t.Run(code, func(t *testing.T) {
			d := mustRead(t, pack(t, c.body, c.more))
			want := []string{code}
			if code == "" {
				want = nil
			}
			if diff := cmp.Diff(want, codes(d)); diff != "" {
				t.Error(diff, d.Omissions)
			}
			if got := strings.Join(texts(d.Text.Body), "|"); got != c.text {
				t.Errorf("text %q, want %q", got, c.text)
			}
		})
	}
}

func TestPictures(t *testing.T) {
	var plain, moving bytes.Buffer
	if err := errors.Join(png.Encode(&plain, image.NewGray(image.Rect(0, 0, 8, 4))), gif.Encode(&moving, image.NewGray(image.Rect(0, 0, 8, 4)), nil)); err != nil {
		t.Fatal(err)
	}
	inline := `<w:p><w:r><w:t>见图。</w:t><w:drawing><wp:inline><wp:extent cx="2880000" cy="1440000"/><a:blip r:embed="p"/></wp:inline></w:drawing></w:r></w:p>`
	cut := mustRead(t, pack(t, inline, parts{"word/media/image1.png": string(plain.Bytes()[:plain.Len()-30])}))
	if diff := cmp.Diff([]string{"picture_format"}, codes(cut)); diff != "" {
		t.Error("a picture that ends too early: ", diff)
	}
	old := `<w:p><w:r><w:pict><v:shape><v:imagedata r:id="p"/></v:shape></w:pict></w:r></w:p>`
	for name, c := range map[string]struct {
		body  string
		data  []byte
		width float64
	}{
		"PNG":  {inline + p(`<w:pStyle w:val="6"/>`, "图1 流程"), plain.Bytes(), 80},
		"GIF":  {inline + p(`<w:pStyle w:val="6"/>`, "图1 流程"), moving.Bytes(), 80},
		"VML":  {p("", "见图。") + old + p(centred, "图1 流程"), plain.Bytes(), 0},
		"wide": {strings.Replace(inline, "2880000", "99999999", 1) + p(centred, "图1 流程"), plain.Bytes(), 156},
	} {
		t.Run(name, func(t *testing.T) {
			d := mustRead(t, pack(t, c.body, parts{"word/media/image1.png": string(c.data)}))
			if len(d.Omissions) > 0 || len(d.Text.Body) != 2 || d.Text.Body[0].Text != "见图。" || d.Text.Body[1].Picture == nil {
				t.Fatalf("text %+v, not carried over %v", d.Text.Body, d.Omissions)
			}
			got := d.Text.Body[1].Picture
			if format, w, h, err := got.Size(); err != nil || format != "png" || w != 8 || h != 4 || got.Width != c.width || got.Caption != "图1 流程" {
				t.Errorf("picture %s %d × %d, %.1f mm, %q, %v", format, w, h, got.Width, got.Caption, err)
			}
		})
	}
}

func TestStrictForm(t *testing.T) {
	d := mustRead(t, packIn(t, strictSpace, p(indent, "请做好工作。"), nil))
	if diff := cmp.Diff([]string{"请做好工作。"}, texts(d.Text.Body)); diff != "" {
		t.Error(diff)
	}
}

func TestHeadings(t *testing.T) {
	for name, c := range map[string]struct{ body, want, title string }{
		"typed marks stay": {
			p("", "甲") + p(`<w:pStyle w:val="2"/>`, "一、范围") + p(`<w:pStyle w:val="2"/>`, "期限") + p(`<w:pStyle w:val="2"/>`, "经费"),
			"甲|一、范围|二、期限|三、经费", "",
		},
		"counting begins anew": {
			p("", "甲") + p(`<w:pStyle w:val="2"/>`, "范围") + p(`<w:pStyle w:val="3"/>`, "子") + p(`<w:pStyle w:val="2"/>`, "期限") + p(`<w:pStyle w:val="3"/>`, "丑"),
			"甲|一、范围|（一）子|二、期限|（一）丑", "",
		},
		"the only heading 1 is the title": {p(`<w:pStyle w:val="2"/>`, "关于工作的通知") + p(`<w:pStyle w:val="3"/>`, "范围"), "一、范围", "关于工作的通知"},
		"title style":                     {p(`<w:pStyle w:val="5"/>`, "关于工作的通知") + p(`<w:pStyle w:val="2"/>`, "范围"), "一、范围", "关于工作的通知"},
		"articles":                        {p("", "甲") + p(num("5", "0"), "为规范工作，制定本办法。"), "甲|第一条　为规范工作，制定本办法。", ""},
		"a style that is its own ground":  {p(`<w:pStyle w:val="8"/>`, "甲"), "甲", ""},
		"a list that is not there":        {p(num("77", "0"), "甲"), "甲", ""},
		"a sentence that leads over":      {p(centred, "关于工作的通知") + p("", "现将有关事项通知如下："), "现将有关事项通知如下：", "关于工作的通知"},
	} {
		t.Run(name, func(t *testing.T) {
			d := mustRead(t, pack(t, c.body, nil))
			if got := strings.Join(texts(d.Text.Body), "|"); got != c.want {
				t.Errorf("text %s, want %s", got, c.want)
			}
			if got := fields(d)["title"]; got != c.title {
				t.Errorf("title %q, want %q", got, c.title)
			}
		})
	}
}
