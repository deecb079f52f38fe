package docx_test

import (
	"fmt"
	"strings"
	"testing"

	"yinxin/document/docx"
)

// TestTextIsCarriedOrListed: whatever a word processor wraps text in, every word of it is on the page or in the list.
func TestTextIsCarriedOrListed(t *testing.T) {
	run := func(inside string) string { return `<w:r>` + inside + `</w:r>` }
	text := func(s string) string { return `<w:r><w:t>` + s + `</w:t></w:r>` }
	para := func(inside string) string { return `<w:p>` + inside + `</w:p>` }
	const x = `xmlns:x="urn:some-other-software"`
	tests := []struct {
		name, body, carried string
		code, detail        string // of what is listed; empty for nothing
	}{
		{"plain", para(text("甲")), "甲", "", ""},
		{"ruby", para(text("云") + run(`<w:ruby><w:rubyPr/><w:rt>`+text("xī")+`</w:rt><w:rubyBase>`+text("溪")+`</w:rubyBase></w:ruby>`)), "云溪", "ruby", "xī"},
		{"text box of Word", para(run(`<mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><w:txbxContent>` + para(text("框内")) + `</w:txbxContent></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>` + para(text("框内")) + `</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent>`)), "", "text_box", "框内"},
		{"text box of WPS", para(run(`<w:pict><v:shape><v:textbox><w:txbxContent>` + para(text("框内")) + `</w:txbxContent></v:textbox></v:shape></w:pict>`)), "", "text_box", "框内"},
		{"lettering", para(run(`<w:pict><v:shape><v:textpath string="样稿"/></v:shape></w:pict>`)), "", "text_box", "样稿"},
		{"only a fallback", para(run(`<mc:AlternateContent><mc:Fallback><w:t>甲</w:t></mc:Fallback></mc:AlternateContent>`)), "甲", "", ""},
		{"sub-document", para(text("甲")+`<w:subDoc r:id="x"/>`) + `<w:subDoc r:id="y"/>`, "甲", "embedded_object", "another file"},
		{"altChunk", para(text("甲")) + `<w:altChunk r:id="x"/>`, "甲", "embedded_object", "another format"},
		{"smart tag", para(`<w:smartTag>` + text("北京") + `<w:smartTag>` + text("市") + `</w:smartTag></w:smartTag>`), "北京市", "", ""},
		{"simple field", para(`<w:fldSimple w:instr="DATE">` + text("2026年") + `</w:fldSimple>`), "2026年", "", ""},
		{"field", para(run(`<w:fldChar w:fldCharType="begin"/>`) + run(`<w:instrText> REF 甲 </w:instrText>`) + run(`<w:fldChar w:fldCharType="separate"/>`) + text("第三条") + run(`<w:fldChar w:fldCharType="end"/>`)), "第三条", "", ""},
		{"text in the instruction of a field", para(run(`<w:fldChar w:fldCharType="begin"/>`) + run(`<w:instrText> IF </w:instrText>`) + text("乙") + run(`<w:fldChar w:fldCharType="separate"/>`) + text("甲") + run(`<w:fldChar w:fldCharType="end"/>`)), "甲", "unread_text", "乙"},
		{"content control", `<w:sdt><w:sdtContent>` + para(text("甲")+`<w:sdt><w:sdtContent>`+text("乙")+`</w:sdtContent></w:sdt>`) + `</w:sdtContent></w:sdt>`, "甲乙", "", ""},
		{"placeholder", para(text("甲") + `<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>` + text("单击此处输入文字") + `</w:sdtContent></w:sdt>`), "甲", "placeholder", "单击此处"},
		{"placeholder of a paragraph", para(text("甲")) + `<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>` + para(text("单击此处输入文字")) + `</w:sdtContent></w:sdt>`, "甲", "placeholder", "单击此处"},
		{"link", para(`<w:hyperlink w:anchor="a">` + text("甲") + `</w:hyperlink>`), "甲", "", ""},
		{"equation", para(text("甲") + `<m:oMathPara><m:oMath><m:r><m:t>x+y</m:t></m:r></m:oMath></m:oMathPara>`), "甲", "equation", ""},
		{"inserted", para(`<w:ins>` + text("甲") + `</w:ins>`), "甲", "tracked_change", "accepted"},
		{"moved away", para(text("甲") + `<w:moveFrom>` + text("乙") + `</w:moveFrom>`), "甲", "tracked_change", "stays out"},
		{"deleted row", para(text("甲")) + `<w:tbl><w:tr><w:tc>` + para(text("一")) + `</w:tc><w:tc>` + para(text("二")) + `</w:tc></w:tr><w:tr><w:trPr><w:del/></w:trPr><w:tc>` + para(text("三")) + `</w:tc><w:tc>` + para(text("四")) + `</w:tc></w:tr></w:tbl>`, "甲|一　二", "tracked_change", "deleted row"},
		{"deleted text outside of a deletion", para(text("甲") + run(`<w:delText>乙</w:delText>`)), "甲", "unread_text", "乙"},
		{"custom XML", `<w:customXml>` + para(`<w:customXml>`+text("甲")+`</w:customXml>`) + `</w:customXml>`, "甲", "", ""},
		{"text from right to left", para(`<w:bdo w:val="rtl">` + text("甲") + `</w:bdo><w:dir>` + text("乙") + `</w:dir>`), "甲乙", "", ""},
		{"an unknown block", para(text("甲")) + `<x:frame ` + x + `>` + para(text("乙")) + `</x:frame>`, "甲", "unread_text", "乙"},
		{"an unknown element in a paragraph", para(text("甲") + `<x:span ` + x + `>` + text("乙") + `</x:span>`), "甲", "unread_text", "乙"},
		{"an unknown element in a run", para(run(`<w:t>甲</w:t><x:t ` + x + `>abc</x:t>`)), "甲", "unread_text", "abc"},
		{"unknown text", para(text("甲") + `<x:note ` + x + `>见附页</x:note>`), "甲", "unread_text", "见附页"},
		{"measures of a drawing are no text", para(text("甲") + run(`<w:drawing><wp:anchor><wp:positionH><wp:align>center</wp:align><wp:posOffset>0</wp:posOffset></wp:positionH></wp:anchor></w:drawing>`)), "甲", "embedded_object", ""},
		{"soft marks", para(`<w:bookmarkStart w:id="0"/>` + run(`<w:t>甲</w:t><w:softHyphen/><w:noBreakHyphen/><w:lastRenderedPageBreak/>`) + `<w:proofErr/>`), "甲-", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustRead(t, pack(t, tt.body, nil))
			if got := strings.Join(texts(d.Text.Body), "|"); got != tt.carried {
				t.Errorf("text %q, want %q", got, tt.carried)
			}
			mustList(t, d, tt.code, tt.detail)
		})
	}
}

// mustList wants one kind of omission, save that of the shape of a table.
func mustList(t *testing.T, d *docx.Draft, code, detail string) {
	t.Helper()
	listed := false
	for _, o := range d.Omissions {
		switch {
		case o.Code == code && strings.Contains(o.Detail, detail) && o.Place != "":
			listed = true
		case o.Code != "table_shape":
			t.Errorf("listed as well: %v", o)
		}
	}
	if !listed && code != "" {
		t.Errorf("%s %q is not listed: %v", code, detail, d.Omissions)
	}
}

// FuzzNothingIsLost wraps two words into any elements: each is carried or listed.
func FuzzNothingIsLost(f *testing.F) {
	for _, s := range []string{"w:p", "w:r", "w:sdt", "w:ruby", "w:ins", "w:tbl", "w:hyperlink", "m:r", "a:p", "v:shape"} {
		f.Add(s, "w:p", "w:r")
	}
	known := map[string]bool{"w": true, "m": true, "a": true, "v": true, "wp": true}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		body := "<w:t>词语</w:t>"
		for _, name := range []string{c, b, a} {
			prefix, local, ok := strings.Cut(name, ":")
			if !ok || !known[prefix] || local == "" || strings.Trim(local, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || local == "del" || local == "moveFrom" {
				return
			}
			body = fmt.Sprintf("<%s>%s</%s>", name, body, name)
		}
		d, err := docx.Read(pack(t, body, nil))
		if err != nil {
			return
		}
		all := fmt.Sprintf("%+v", d.Text)
		if !strings.Contains(all, "词语") && len(d.Omissions) == 0 {
			t.Errorf("lost in silence: %s", body)
		}
	})
}
