package document_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"yinxin/document"
)

// TestPrintedTexts: every text of the pages comes with its field, and nothing that the pages do not show.
func TestPrintedTexts(t *testing.T) {
	d, err := document.Parse([]byte(`kind: 通知
issuer: {code: YXZF, name: 云溪市教育局}
number: 云溪教发〔2026〕7号
title: 关于试点工作的通知
issued_on: 2026-11-21
to: [云溪市财政局]
keywords: [试点]
body:
  - 各单位要做好试点工作。
  - table: {caption: 表一, head: [甲], rows: [[乙]]}
  - picture: {file: a.png, caption: 图一}
attachments:
  - {title: 方案, text: [附件的正文。]}
note: 联系人：李明
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range d.PrintedTexts() {
		got = append(got, p.Field+"="+p.Text)
	}
	for _, want := range []string{
		"issuer.name=云溪市教育局", "title=关于试点工作的通知", "to[0].name=云溪市财政局", "body[0]=各单位要做好试点工作。", "body[1].table.caption=表一",
		"body[1].table.head=甲", "body[1].table.rows[0]=乙", "body[2].picture.caption=图一", "attachments[0].title=方案",
		"attachments[0].text[0]=附件的正文。", "note=联系人：李明",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	for _, not := range []string{"keywords", "red_head", "body[2].picture.file"} {
		if slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, not) }) {
			t.Errorf("%s is not printed: %q", not, got)
		}
	}
}

// TestDraftInAnotherEncoding: a file of Windows' Unicode text is told as what it is, not as one of strange keys.
func TestDraftInAnotherEncoding(t *testing.T) {
	for _, marks := range [][]uint16{{0xFEFF}, {0xFEFF, 0xFEFF}} {
		var data []byte
		for _, u := range append(marks, utf16.Encode([]rune("kind: 通知\ntitle: 关于试点工作的通知\n"))...) {
			data = append(data, byte(u), byte(u>>8))
		}
		if _, err := document.Parse(data); !errors.Is(err, document.ErrMalformed) || !strings.Contains(err.Error(), "not UTF-8") {
			t.Errorf("got %v", err)
		}
	}
}
