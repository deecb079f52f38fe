package document_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"yinxin/document"
	"yinxin/examples"
)

// TestMarshal: a draft that is written as YAML reads as the same document; written again, it is the same text.
func TestMarshal(t *testing.T) {
	entries, err := examples.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".yaml")
		if !document.IsKindName(name) && name != "joint" && name != "figures" {
			continue
		}
		n++
		data, err := examples.Files.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		d, err := document.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		mustMarshalBack(t, e.Name(), d)
	}
	if n != 17 {
		t.Errorf("%d drafts", n)
	}
}

func mustMarshalBack(t *testing.T, name string, d *document.Document) {
	t.Helper()
	text, err := document.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	again, err := document.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	if diff := cmp.Diff(d, again, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(document.Document{}, "Remarks")); diff != "" {
		t.Errorf("%s: -before +after:\n%s", name, diff)
	}
	if second, err := document.Marshal(again); err != nil || string(second) != string(text) {
		t.Errorf("%s: written again: %v\n%s", name, err, cmp.Diff(string(text), string(second)))
	}
}

// TestMarshalOddities are texts that YAML would read as something else, and levels that no mark tells.
func TestMarshalOddities(t *testing.T) {
	data, err := examples.Files.ReadFile("notice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"null", "~", "yes", "1e3", "0x1F", "2026-11-21", "- 甲", "甲: 乙", "# 甲", "'甲'", `"甲"`, "{甲}", "[甲]", "&甲", "*甲", "!甲", "%甲", "@甲", "甲\\n乙", "一　二", "甲 #乙", "|", ">", "000001"} {
		d, err := document.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		d.Body = []document.Paragraph{document.NewParagraph(text), {Text: "1.2027年", Level: 3}, {Text: "一、甲", Level: 0}}
		d.Note, d.CopyNumber = text, "000001"
		d.Body = append(d.Body, document.Paragraph{Table: &document.Table{Caption: text, Head: []string{text, "乙"}, Rows: [][]string{{strings.Join(strings.Fields(text), " "), ""}}}})
		mustMarshalBack(t, text, d)
	}
}
