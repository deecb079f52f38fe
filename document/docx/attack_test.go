package docx_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"yinxin/document"
	"yinxin/document/docx"
)

// zipOf writes entries in their order, also such as no word processor writes.
func zipOf(t testing.TB, names []string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
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

func TestFilesThatAreRefused(t *testing.T) {
	many := make([]string, 4097)
	for i := range many {
		many[i] = "word/" + strings.Repeat("a", i%50) + string(rune('a'+i%26)) + strings.Repeat("b", i/50)
	}
	sound := pack(t, p("", "甲"), nil)
	bomb := pack(t, p("", "甲"), parts{"word/big.xml": "<a>" + strings.Repeat(" ", 24<<20) + "</a>"})
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"empty":                    {nil, "zip"},
		"text":                     {[]byte("kind: 通知"), "zip"},
		"old .doc":                 {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest"), "old format"},
		"cut off":                  {sound[:len(sound)/2], "zip"},
		"no document":              {zipOf(t, []string{"a.xml"}, []byte("<a/>")), "no text document"},
		"too many entries":         {zipOf(t, many, nil), "entries"},
		"entry twice":              {zipOf(t, []string{"word/a.xml", "WORD/A.xml"}, nil), "twice"},
		"entry that leads out":     {zipOf(t, []string{"../a"}, nil), "plain name"},
		"entry with a backslash":   {zipOf(t, []string{`word\a`}, nil), "plain name"},
		"expands too far":          {bomb, "expands"},
		"document type":            {pack(t, "", parts{"word/document.xml": `<!DOCTYPE a [<!ENTITY b "c">]><a/>`}), "document type"},
		"XML that is none":         {pack(t, "<w:p>", nil), "XML"},
		"another root":             {pack(t, "", parts{"word/document.xml": `<a/>`}), "no text document"},
		"nested too deep":          {pack(t, strings.Repeat("<w:sdt><w:sdtContent>", 60)+strings.Repeat("</w:sdtContent></w:sdt>", 60), nil), "deeper"},
		"document outside":         {pack(t, "", parts{"_rels/.rels": strings.Replace(relations(""), "styles", "officeDocument", 1)}), "no text document"},
		"document behind a folder": {pack(t, "", parts{"_rels/.rels": strings.Replace(strings.Replace(relations(""), "styles", "officeDocument", 1), "styles.xml", "../../etc/passwd", 1)}), "no text document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := docx.Read(c.data)
			if !errors.Is(err, docx.ErrUnreadable) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a refusal that says %q", err, c.says)
			}
		})
	}
	if _, err := docx.Read(sound); err != nil {
		t.Errorf("the sound twin: %v", err)
	}
}

func utf16Of(text string) string {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// TestClassifiedAnywhere: a mark is found wherever it stands, also where nothing is carried over from.
func TestClassifiedAnywhere(t *testing.T) {
	part := func(text string) string {
		return `<w:x xmlns:w="` + wordSpace + `"><w:p><w:r><w:t>` + text[:3] + `</w:t></w:r><w:r><w:t>` + text[3:] + `</w:t></w:r></w:p></w:x>`
	}
	box := `<w:p><w:r><w:drawing><w:txbxContent>` + p("", "机密★1年") + `</w:txbxContent></w:drawing></w:r></w:p>`
	for name, data := range map[string][]byte{
		"text":       pack(t, p("", "机密★1年")+p("", "甲"), nil),
		"header":     pack(t, p("", "甲"), parts{"word/header1.xml": part("秘密★")}),
		"comment":    pack(t, p("", "甲"), parts{"word/comments.xml": part("密级：机密")}),
		"text box":   pack(t, p("", "甲")+box, nil),
		"hidden":     pack(t, `<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>绝密★</w:t></w:r></w:p>`, nil),
		"deleted":    pack(t, `<w:p><w:del><w:r><w:delText>绝密★</w:delText></w:r></w:del></w:p>`, nil),
		"table cell": pack(t, tableOf([]string{"密级", "秘密"}), nil),
		"picture":    pack(t, p("", "甲")+`<w:p><w:r><w:drawing><wp:docPr xmlns:wp="urn:x" id="1" descr="机密★1年"/></w:drawing></w:r></w:p>`, nil),
		"title":      pack(t, p("", "甲"), parts{"docProps/core.xml": `<c xmlns:dc="urn:dc"><dc:title>机密★1年</dc:title></c>`}),
		"keywords":   pack(t, p("", "甲"), parts{"docProps/core.xml": `<c><keywords>通知；秘密★</keywords></c>`}),
		"property": pack(t, p("", "甲"), parts{
			"docProps/custom.xml": `<Properties xmlns:vt="urn:vt"><property name="密级" linkTarget="a"><vt:lpwstr>机密</vt:lpwstr></property></Properties>`,
		}),
		"variable":          pack(t, p("", "甲"), parts{"word/settings.xml": `<w:settings xmlns:w="` + wordSpace + `"><w:docVars><w:docVar w:name="密级" w:val="机密"/></w:docVars></w:settings>`}),
		"data":              pack(t, p("", "甲"), parts{"customXml/item1.xml": `<data><密级>机密</密级></data>`}),
		"data in UTF-16":    pack(t, p("", "甲"), parts{"customXml/item1.xml": utf16Of(`<?xml version="1.0" encoding="utf-16"?><data><密级>机密</密级></data>`)}),
		"a part in HTML":    pack(t, p("", "甲"), parts{"word/afchunk.htm": "<html><p>\n机密★1年\n</p></html>"}),
		"shape of a chart":  pack(t, p("", "甲"), parts{"word/charts/chart1.xml": `<c:x xmlns:c="urn:c" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:t>机密★1年</a:t></c:x>`}),
		"data that is none": pack(t, p("", "甲"), parts{"customXml/item1.xml": "<data>\n机密★1年\n"}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := docx.Read(data); !errors.Is(err, document.ErrClassified) {
				t.Errorf("got %v, want a refusal", err)
			}
		})
	}
	if _, err := docx.Read(pack(t, p("", "要保守国家秘密。"), parts{
		"word/header1.xml":    part("征求意见稿"),
		"docProps/app.xml":    `<Properties><Company>市保密局</Company><DocSecurity>0</DocSecurity></Properties>`,
		"docProps/custom.xml": `<Properties xmlns:vt="urn:vt"><property name="密级"><vt:lpwstr>无</vt:lpwstr></property></Properties>`,
		"customXml/item1.xml": `<data><title>保密工作要点</title></data>`,
		"word/afchunk.htm":    "<html><p>要保守国家秘密。</p></html>",
	})); err != nil {
		t.Errorf("the unclassified twin: %v", err)
	}
	d := mustRead(t, pack(t, p("", "甲"), nil))
	if _, err := d.Document([]byte("classification: 秘密\n")); !errors.Is(err, document.ErrClassified) {
		t.Errorf("classified metadata give %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(whole(f))
	f.Add(pack(f, tableOf([]string{"文种", "通知"}, []string{"标题", "关于工作的通知"})+p(num("1", "0"), "甲"), nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := docx.Read(data)
		if err != nil {
			if !errors.Is(err, docx.ErrUnreadable) && !errors.Is(err, document.ErrClassified) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		_, _ = d.Document([]byte("kind: 通知\n"))
	})
}

// FuzzBody fuzzes what stands inside of the text part, which a fuzzer of packages seldom reaches.
func FuzzBody(f *testing.F) {
	f.Add(p(indent, "正文。") + tableOf([]string{"甲", "乙"}, []string{"丙", "丁"}))
	f.Add(`<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText><w:fldChar w:fldCharType="separate"/><w:t>1</w:t><w:fldChar w:fldCharType="end"/></w:r></w:p>`)
	f.Add(p("", "附件2") + p(right, "2026年1月1日") + p("", "附件："))
	f.Fuzz(func(t *testing.T, body string) {
		d, err := docx.Read(pack(t, body, nil))
		if err != nil {
			return
		}
		for _, o := range d.Omissions {
			if o.Code == "" || o.Place == "" {
				t.Errorf("an omission without code or place: %+v", o)
			}
		}
		_, _ = d.Document([]byte("kind: 通知\n"))
	})
}
