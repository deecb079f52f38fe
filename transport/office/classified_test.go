package office_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/ofd"
	"yinxin/examples"
	"yinxin/transport/office"
)

// plain composes the notice of the examples.
func plain(t *testing.T) []byte {
	t.Helper()
	text, err := examples.Files.ReadFile("notice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	draft, err := office.Compose(d, fonts.Embedded(), func(name string) ([]byte, error) { return examples.Files.ReadFile(name) })
	if err != nil {
		t.Fatal(err)
	}
	return draft.OFD
}

// with changes an OFD as other software might have made it: in replaces text in an entry, or adds the entry.
func with(t *testing.T, data []byte, name, old, text string) []byte {
	t.Helper()
	pkg, err := ofd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	content, ok := pkg.Entry(name)
	if !ok || old == "" {
		content = []byte(text)
	} else if !bytes.Contains(content, []byte(old)) {
		t.Fatalf("%s has no %q", name, old)
	} else {
		content = bytes.Replace(content, []byte(old), []byte(text), 1)
	}
	out, err := pkg.Replace(ofd.File{Name: name, Data: content})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const objectXML = `<ofd:TextObject ID="%d" Boundary="%g %g 60 6" Font="1" Size="5"%s><ofd:TextCode X="0" Y="5">%s</ofd:TextCode></ofd:TextObject>`

// objects are text objects, one for each text, of the given steps from one to the next.
func objects(x, y, dx, dy float64, attr string, texts ...string) string {
	var b strings.Builder
	for i, s := range texts {
		fmt.Fprintf(&b, objectXML, 90000+i, x+float64(i)*dx, y+float64(i)*dy, attr, s)
	}
	return b.String()
}

// TestClassifiedPackages: each classified OFD beside its unclassified twin.
func TestClassifiedPackages(t *testing.T) {
	t.Parallel()
	base := plain(t)
	pkg, err := ofd.Open(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := office.CheckUnclassified("notice.ofd", base); err != nil {
		t.Fatal(err)
	}
	pages := pkg.Pages()
	if len(pages) < 2 {
		t.Fatal("the example has one page only")
	}
	last := pages[len(pages)-1].Name
	info := func(xml string) []byte { return with(t, base, "OFD.xml", "<ofd:CustomDatas>", xml+"<ofd:CustomDatas>") }
	custom := func(name, value string) []byte {
		return with(t, base, "OFD.xml", "<ofd:CustomDatas>", `<ofd:CustomDatas><ofd:CustomData Name="`+name+`">`+value+`</ofd:CustomData>`)
	}
	on := func(page, xml string) []byte { return with(t, base, page, "</ofd:Layer>", xml+"</ofd:Layer>") }
	gb := func(s string) string {
		out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	entry := func(name, text string) []byte { return with(t, base, name, "", text) }
	for _, tt := range []struct {
		name            string
		refused, passes []byte
	}{
		{"abstract", info("<ofd:Abstract>机密★10年</ofd:Abstract>"), info("<ofd:Abstract>机要工作10年</ofd:Abstract>")},
		{"title", with(t, base, "OFD.xml", "<ofd:Title>", "<ofd:Title>【秘密】"), with(t, base, "OFD.xml", "<ofd:Title>", "<ofd:Title>【试行】")},
		{"usage", info("<ofd:DocUsage>秘密 5年</ofd:DocUsage>"), info("<ofd:DocUsage>Normal</ofd:DocUsage>")},
		{"custom degree", custom("密级", "机密"), custom("密级", "无")},
		{"custom term", custom("保密期限", "10年"), custom("保管期限", "10年")},
		{"custom other words", custom("涉密等级", "2"), custom("涉密等级", "不涉密")},
		{"custom English", custom("SecurityLevel", "3"), custom("SecurityLevel", "unclassified")},
		{"custom snake", custom("secret_level", "内部"), custom("secret_level", "")},
		{"custom JSON", custom("meta", `{"a":[{"密级":"秘密"}]}`), custom("meta", `{"a":[{"密级":"无"}]}`)},
		{"last page", on(last, objects(20, 20, 0, 0, "", "机密★")), on(last, objects(20, 20, 0, 0, "", "机要★"))},
		{"glyph by glyph", on(last, objects(20, 281, 5, 0, "", "绝", "密")), on(last, objects(20, 281, 5, 0, "", "绝", "缘"))},
		{"glyphs out of order", on(last, objects(40, 281, -5, 0, "", "年", "十", "密", "机")), on(last, objects(40, 281, -5, 0, "", "年", "十", "作", "工"))},
		{"one below the other", on(last, objects(5, 100, 0, 6, "", "秘", "密", "★")), on(last, objects(5, 100, 0, 6, "", "秘", "书", "★"))},
		{
			"turned page",
			on(last, fmt.Sprintf(objectXML, 90000, 10.0, 100.0, ` CTM="0 1 -1 0 0 0"`, "机")+fmt.Sprintf(objectXML, 90001, 10.0, 105.0, ` CTM="0 1 -1 0 0 0"`, "密")),
			on(last, fmt.Sprintf(objectXML, 90000, 10.0, 100.0, ` CTM="0 1 -1 0 0 0"`, "机")+fmt.Sprintf(objectXML, 90001, 10.0, 105.0, ` CTM="0 1 -1 0 0 0"`, "要")),
		},
		{"beside the copy number", on(last, objects(20, 281, 60, 0, "", "000001", "机密", "特急")), on(last, objects(20, 281, 60, 0, "", "000001", "机要", "特急"))},
		{"word of its own object in a sentence", on(last, objects(20, 281, 15, 0, "", "密级", "为", "机密")), on(last, objects(20, 281, 10, 0, "", "国家", "秘密", "载体管理"))},
		{"entry name", entry("Doc_0/密级.txt", "机密"), entry("Doc_0/密级.txt", "无")},
		{"entry name with degree", entry("Doc_0/机密.bin", "\x00\x01"), entry("Doc_0/机要.bin", "\x00\x01")},
		{"stray XML", entry("Doc_0/Tags/x.xml", "<a><密级>机密</密级></a>"), entry("Doc_0/Tags/x.xml", "<a><密级>无</密级></a>")},
		{"stray XML attribute", entry("x.xml", `<a><p name="密级" value="机密"/></a>`), entry("x.xml", `<a><p name="文种" value="通知"/></a>`)},
		{"text", entry("Doc_0/Attachs/a.txt", "说明\n机密★\n"), entry("Doc_0/Attachs/a.txt", "说明\n机要★\n")},
		{"text in GB 18030", entry("Doc_0/Attachs/a.txt", gb("说明\n机密★\n")), entry("Doc_0/Attachs/a.txt", gb("说明\n机要★\n"))},
		{"an OFD in an OFD", entry("Doc_0/Attachs/b.ofd", string(custom("密级", "机密"))), entry("Doc_0/Attachs/b.ofd", string(custom("密级", "无")))},
	} {
		err := office.CheckUnclassified("x.ofd", tt.refused)
		if !errors.Is(err, document.ErrClassified) {
			t.Errorf("%s: %v, want ErrClassified", tt.name, err)
		} else if strings.ContainsAny(err.Error(), "绝机秘密年★") {
			t.Errorf("%s: the refusal tells the content: %v", tt.name, err)
		}
		if err := office.CheckUnclassified("x.ofd", tt.passes); err != nil {
			t.Errorf("%s: the twin is refused: %v", tt.name, err)
		}
	}
}

// TestClassifiedTexts: files that travel beside a document or inside of it.
func TestClassifiedTexts(t *testing.T) {
	t.Parallel()
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("附表\n机密★5年")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, refused, passes string }{
		{"a.txt", "密级：机密", "密级：无"},
		{"a.txt", utf16, "附表"},
		{"noname", "附表\n秘密 5年\n", "附表\n保管 5年\n"},
		{"a.md", "---\n密级: 秘密\n---\n# 题", "---\n密级: 无\n---\n# **保守国家秘密**"},
		{"a.csv", "标题,密级\n甲,机密\n", "标题,密级,日期\n甲,无,2026\n"},
		{"a.csv", "标题,甲\n密级,机密\n", "标题,甲\n密级,\n"},
		{"a.json", `{"classification":"secret"}`, `{"classification":"none","title":"国家秘密"}`},
		{"a.json", `{"t":"\u673a\u5bc6\u2605"}`, `{"t":"\u673a\u8981\u2605"}`},
		{"a.json", `{"密级":"机密","密级":"无"}`, `{"密级":"无","密级":"","x":{"密级":null}}`},
		{"a.xml", `<?xml version="1.0" encoding="GBK"?><d><保密期限>5年</保密期限></d>`, `<?xml version="1.0" encoding="GBK"?><d><保管期限>5年</保管期限></d>`},
		{"a.xml", `<d><item key="SecretLevel">2</item></d>`, `<d><item key="Level">2</item></d>`},
		{"a.html", "<p>机<b>密</b>&#9733;</p>", "<p>机<b>要</b>&#9733;</p>"},
		{"a.html", "<table><tr><td>密级</td><td>秘密</td></tr></table>", "<table><tr><td>密级</td><td>无</td></tr></table>"},
		{"a.rtf", `{\rtf1\ansi\ansicpg936 \'bb\'fa\'c3\'dc\'a1\'ef}`, `{\rtf1\ansi\ansicpg936 \'bb\'fa\'d2\'aa\'a1\'ef}`},
		{"a.rtf", `{\rtf1 \u26426?\u23494?\u9733?}`, `{\rtf1 \u26426?\u-30047?\u9733?}`},
		{"密级.txt", "内部", "无"},
	} {
		if err := office.CheckUnclassified(tt.name, []byte(tt.refused)); !errors.Is(err, document.ErrClassified) {
			t.Errorf("%s %q: %v, want ErrClassified", tt.name, tt.refused, err)
		}
		if err := office.CheckUnclassified(tt.name, []byte(tt.passes)); err != nil {
			t.Errorf("%s %q: %v", tt.name, tt.passes, err)
		}
	}
	for name, want := range map[string]bool{"机密.docx": true, `dir\绝密★.zip`: true, "【秘密】预算.xlsx": true, "机密工作.docx": false, "国家秘密.pdfx": false} {
		if err := office.CheckUnclassified(name, []byte("PK\x00\x01")); errors.Is(err, document.ErrClassified) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPDFThatSaysItIsClassified(t *testing.T) {
	t.Parallel()
	const pattern = "%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n3 0 obj\n<<%s>>\nendobj\n"
	build := func(info string) []byte {
		var b bytes.Buffer
		fmt.Fprintf(&b, pattern, info)
		body := b.String()
		start := b.Len()
		fmt.Fprintf(&b, "xref\n0 4\n0000000000 65535 f \n")
		for i := 1; i <= 3; i++ {
			fmt.Fprintf(&b, "%010d 00000 n \n", strings.Index(body, fmt.Sprintf("\n%d 0 obj", i))+1)
		}
		fmt.Fprintf(&b, "trailer\n<</Size 4/Root 1 0 R/Info 3 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
		return b.Bytes()
	}
	for refused, passes := range map[string]string{
		"/Subject<FEFF673A5BC62605>": "/Subject<FEFF673A89812605>",
		"/SecurityLevel(2)":          "/SecurityLevel(none)",
	} {
		if err := office.CheckUnclassified("a.pdf", build(refused)); !errors.Is(err, document.ErrClassified) {
			t.Errorf("%s: %v, want ErrClassified", refused, err)
		}
		if err := office.CheckUnclassified("a.pdf", build(passes)); err != nil {
			t.Errorf("%s: %v", passes, err)
		}
	}
}

// TestComposeRefusesAClassifiedAttachment: a draft whose own words are sound.
func TestComposeRefusesAClassifiedAttachment(t *testing.T) {
	t.Parallel()
	text, err := examples.Files.ReadFile("notice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	named := false
	files := func(content string) office.Attachments {
		return func(string) ([]byte, error) { named = true; return []byte(content), nil }
	}
	if _, err := office.Compose(d, fonts.Embedded(), files("机密★5年\n甲,乙\n")); !named || !errors.Is(err, document.ErrClassified) {
		t.Errorf("%v, want ErrClassified", err)
	}
	if _, err := office.Compose(d, fonts.Embedded(), files("甲,乙\n")); err != nil {
		t.Error(err)
	}
}

func FuzzCheckUnclassified(f *testing.F) {
	f.Add("a.rtf", []byte(`{\rtf1\'bb\u26426?x}`))
	f.Add("a.csv", []byte("密级,x\n\"1\",2\n"))
	f.Add("a.xml", []byte("<a 密级='1'><b/>"))
	f.Add("a.txt", []byte("\xff\xfe\x00"))
	f.Add("a.json", []byte(`{"a":[1]}`))
	f.Fuzz(func(_ *testing.T, name string, data []byte) {
		_ = office.CheckUnclassified(name, data)
	})
}
