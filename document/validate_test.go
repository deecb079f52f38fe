package document_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/document"
)

// sound is a small draft that every change below starts from.
const sound = `kind: 通知
issuer: {code: YXZF, name: 云溪市人民政府办公室}
number: 云溪政办发〔2026〕7号
title: 关于试点工作的通知
issued_on: 2026-11-21
to: [云溪市教育局]
body: 各单位要做好试点工作。
`

func TestSoundDraft(t *testing.T) {
	d, err := document.Parse([]byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	want := document.Metadata{
		ID: "YXZF-云溪政办发-2026-7", Issuer: document.Office{Code: "YXZF", Name: "云溪市人民政府办公室"},
		RedHead: "云溪市人民政府办公室文件", Kind: document.Notice, Direction: document.Downward, Classification: "无",
		Title: "关于试点工作的通知", Number: document.Number{Agency: "云溪政办发", Year: 2026, Serial: 7},
		ApprovedOn: document.Date{Year: 2026, Month: 11, Day: 21}, IssuedOn: document.Date{Year: 2026, Month: 11, Day: 21},
		To: []document.Office{{Name: "云溪市教育局"}}, Language: "zh-CN", BodyFormat: "OFD",
	}
	if diff := cmp.Diff(want, d.Metadata); diff != "" {
		t.Error(diff)
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	const draft = `kind: 公函
issuer: {name: ""}
number: 政发2026-7
title: ""
issued_on: 2026-02-30
printed_on: 2026-01-01
to: [甲, 甲, {cod: X, name: 乙}]
copy_number: "12"
urgency: 火急
attachments: [{title: 名单。, file: ../x}, {title: 表, file: a.csv}, {title: 图, file: A.csv}]
retention: D5
languge: zh
signature: {form: seal, seal_diameter: 400}
body: ""
`
	_, err := document.Parse([]byte(draft))
	var got []string
	for _, f := range document.AsInvalid(err) {
		got = append(got, f.Field+" "+f.Code)
	}
	want := []string{
		"kind malformed", "number malformed", "issued_on malformed", "to[2].cod unknown", "urgency malformed",
		"languge unknown", "issuer.code missing", "issuer.name missing", "red_head missing", "direction missing",
		"title missing", "copy_number malformed", "printed_by contradiction", "to[1] duplicate",
		"attachments[0].title malformed", "attachments[0].file malformed", "attachments[2].file duplicate",
		"retention unknown", "body missing", "signature.seal_diameter malformed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%v", diff, err)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name, old, new string // a change of the sound draft
		want           string // field and code
	}{
		{"upward without approver", "kind: 通知", "kind: 报告", "approvers missing"},
		{"order's number on a notice", "云溪政办发〔2026〕7号", "第7号", "number malformed"},
		{"no addressee", "to: [云溪市教育局]\n", "", "to missing"},
		{"printed before issued", "body:", "printed_by: 甲\nprinted_on: 2026-11-20\nbody:", "printed_on contradiction"},
		{"due before issued", "body:", "due_on: 2026-11-20\nbody:", "due_on contradiction"},
		{"copy to an addressee", "body:", "cc: [云溪市教育局]\nbody:", "cc[0] duplicate"},
		{"look-alike names", "body:", "cc: [云溪市教育局（）, 云溪市教育局()]\nbody:", "cc[1] duplicate"},
		{"key twice", "body:", "title: 又一个\nbody:", "title duplicate"},
		{"invisible character", "试点工作的", "试点\u202e工作的", "title malformed"},
		{"undisclosed without a reason", "body:", "disclosure: 不予公开\nbody:", "disclosure_reason missing"},
		{"list for a text", "title: 关于试点工作的通知", "title: {a: b}", "title malformed"},
		{"relation", "body:", "related: [{type: answer, id: x}]\nbody:", "related[0].type unknown"},
		{"code with a space", "code: YXZF", "code: YX ZF", "issuer.code malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			draft := strings.Replace(sound, tt.old, tt.new, 1)
			if draft == sound {
				t.Fatal("the change changed nothing")
			}
			_, err := document.Parse([]byte(draft))
			faults := document.AsInvalid(err)
			if len(faults) != 1 || faults[0].Field+" "+faults[0].Code != tt.want {
				t.Errorf("%v, want %s alone", err, tt.want)
			}
		})
	}
}

func TestNotADraft(t *testing.T) {
	for name, in := range map[string]string{
		"empty": "", "no mapping": "- a\n", "two documents": sound + "---\n" + sound, "no YAML": "a: [",
		"too large": sound + "# " + strings.Repeat("x", document.MaxDraft),
		"too deep":  "related: " + strings.Repeat("[", 40) + strings.Repeat("]", 40),
	} {
		if d, err := document.Parse([]byte(in)); err == nil {
			t.Errorf("%s: read as %v", name, d)
		}
	}
}

func TestRemarks(t *testing.T) {
	draft := strings.NewReplacer("kind: 通知", "kind: 请示\napprovers: [张三]\ncc: [云溪市财政局]\ndirection: 平行",
		"〔2026〕7号", "[2026]07号").Replace(sound)
	d, err := document.Parse([]byte(draft))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range append(d.Remarks, d.Advise()...) {
		got = append(got, r.Code)
	}
	want := []string{"number_converted", "request_copied", "direction_unusual", "metadata_incomplete", "metadata_incomplete"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFindClassification(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // "" for none
	}{
		{"star", "机密★", "mark"},
		{"star and term", "机密★10年", "mark"},
		{"star inside a line", "000123　秘密★1年　特急", "mark"},
		{"a line of its own", "关于预算\n绝密\n正文", "mark"},
		{"spaces between", "秘　密", "mark"},
		{"zero-width space between", "秘\u200b密★", "mark"},
		{"term without star", "秘密 5年", "mark"},
		{"copy number, degree, urgency", "000001机密特急", "mark"},
		{"traditional characters", "機密★長期", "mark"},
		{"other star", "秘密☆", "mark"},
		{"asterisk", "绝密*20年", "mark"},
		{"characters one by one", "机\n密\n★\n10年", "mark"},
		{"label", "密级：秘密", "element"},
		{"label of both", "密级和保密期限：机密 10年", "element"},
		{"label of the term", "保密期限: 长期", "element"},
		{"label without classification", "密级：无", ""},
		{"empty label", "密级：", ""},
		{"word in prose", "各单位要遵守保守国家秘密法，涉及机密事项的另行报送。", ""},
		{"prose on degrees", "国家秘密的密级分为绝密、机密、秘密三级。", ""},
		{"unclassified wording", "非涉密公文一律通过系统发送", ""},
		{"secretary", "秘书处\n机要室\n绝缘材料", ""},
		{"term of storage", "保存期限：30年", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kind, found := document.FindClassification(tt.text)
			if kind != tt.want || found != (tt.want != "") {
				t.Errorf("got %q, %v; want %q", kind, found, tt.want)
			}
		})
	}
}

func TestClassifiedDraftIsRefused(t *testing.T) {
	const secret = "绝不外传的内容"
	tests := []struct {
		name, draft string
		kind        string
	}{
		{"element", "classification: 秘密\n", "element"},
		{"element of any value", "classification: 内部\n", "element"},
		{"term", "classified_until: 2036-01-01\n", "element"},
		{"Chinese key", "密级: 机密\n", "element"},
		{"Chinese key with a list", "密级: [机密]\n", "element"},
		{"deep in an office", "joint_issuers: [{name: 甲, 保密期限: 10年}]\n", "element"},
		{"mark in a note", "note: 机密★10年\n", "mark"},
		{"mark among keywords", "keywords: [秘密★]\n", "mark"},
		{"mark in an annex", "attachments: [{title: 表, text: \"机密\\n内容\"}]\n", "mark"},
		{"beside other faults", "密级: 机密\nunknown: 1\n", "element"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := document.Parse([]byte(strings.Replace(sound, "body: ", "body: "+secret, 1) + tt.draft))
			var c *document.ClassifiedError
			if !errors.Is(err, document.ErrClassified) || !errors.As(err, &c) {
				t.Fatalf("%v, want ErrClassified", err)
			}
			if c.Kind != tt.kind {
				t.Errorf("kind %s, want %s", c.Kind, tt.kind)
			}
			for _, word := range []string{secret, "机密", "秘密★", "10年", "内部", "2036", "试点"} {
				if strings.Contains(err.Error(), word) {
					t.Errorf("the refusal carries %q: %v", word, err)
				}
			}
		})
	}
	for _, unclassified := range []string{"classification: 无\n", "密级: 无\n", "classification:\n", "classified_until: \"\"\n"} {
		_, err := document.Parse([]byte(sound + unclassified))
		if errors.Is(err, document.ErrClassified) {
			t.Errorf("%q is refused as classified", unclassified)
		}
	}
}

func TestClassifiedDocumentIsRefused(t *testing.T) {
	parse := func() *document.Document {
		d, err := document.Parse([]byte(sound))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if err := parse().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*document.Document){
		"element": func(d *document.Document) { d.Classification = "秘密" },
		"title":   func(d *document.Document) { d.Title = "机密★关于试点的通知" },
		"body":    func(d *document.Document) { d.Body = append(d.Body, document.NewParagraph("绝密")) },
	} {
		d := parse()
		spoil(d)
		if err := d.Validate(); !errors.Is(err, document.ErrClassified) {
			t.Errorf("%s: %v, want ErrClassified", name, err)
		}
	}
}

func TestClassifiedMetadataIsRefused(t *testing.T) {
	for name, in := range map[string]string{
		"element":    `{"classification":"机密"}`,
		"number":     `{"classification":1}`,
		"other name": `{"secret_level":"2"}`,
		"nested":     `{"extra":[{"保密期限":"10年"}]}`,
		"mark":       `{"title":"秘密★"}`,
	} {
		if _, err := document.ParseMetadata([]byte(in)); !errors.Is(err, document.ErrClassified) {
			t.Errorf("%s: %v, want ErrClassified", name, err)
		}
	}
	for name, in := range map[string]string{
		"none": `{"classification":"无"}`, "absent": `{"title":"通知"}`, "null": `{"classification":null}`,
	} {
		if _, err := document.ParseMetadata([]byte(in)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := document.ParseMetadata([]byte(`{"title":`)); err == nil || errors.Is(err, document.ErrClassified) {
		t.Errorf("cut off: %v", err)
	}
}

func TestEveryExampleIsSound(t *testing.T) {
	names := []string{"notice.yaml", "report.yaml", "request.yaml", "letter.yaml", "circular.yaml"}
	for _, name := range names {
		if _, err := os.Stat("../examples/" + name); err != nil {
			t.Fatal(err)
		}
		d := mustExample(t, name)
		if want, err := document.ParseKind(strings.TrimSuffix(name, ".yaml")); err != nil || d.Kind != want {
			t.Errorf("%s is a %s", name, d.Kind)
		}
		if notes := append(d.Remarks, d.Advise()...); len(notes) != 0 {
			t.Errorf("%s: %v", name, notes)
		}
	}
}
