package document_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yinxin/document"
)

func mustExample(t *testing.T, name string) *document.Document {
	t.Helper()
	data, err := os.ReadFile("../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

func TestKinds(t *testing.T) {
	want := "决议 决定 命令 公报 公告 通告 意见 通知 通报 报告 请示 批复 议案 函 纪要"
	var got []string
	for _, k := range document.Kinds() {
		got = append(got, k.String())
		for _, name := range []string{k.String(), k.English()} {
			if back, err := document.ParseKind(name); err != nil || back != k {
				t.Errorf("ParseKind(%q) = %v, %v; want %v", name, back, err, k)
			}
		}
		if len(k.Directions()) == 0 {
			t.Errorf("%s has no direction", k)
		}
	}
	if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
		t.Error(diff)
	}
	if _, err := document.ParseKind("公函"); !errors.Is(err, document.ErrUnknownKind) {
		t.Errorf("公函: %v, want ErrUnknownKind", err)
	}
	if k, err := document.ParseKind("令"); err != nil || k != document.Order {
		t.Errorf("令: %v, %v", k, err)
	}
}

func TestNumber(t *testing.T) {
	good := document.Number{Agency: "云溪政办发", Year: 2026, Serial: 7}
	tests := []struct {
		name, in  string
		want      document.Number
		strict    bool // ParseNumber takes it as well
		converted bool
		bad       bool
	}{
		{name: "printed form", in: "云溪政办发〔2026〕7号", want: good, strict: true},
		{name: "order", in: "第12号", want: document.Number{Serial: 12}, strict: true},
		{name: "ASCII brackets", in: "云溪政办发[2026]7号", want: good, converted: true},
		{name: "round brackets", in: "云溪政办发（2026）7号", want: good, converted: true},
		{name: "square full-width brackets", in: "云溪政办发［2026］7号", want: good, converted: true},
		{name: "第 before the serial", in: "云溪政办发〔2026〕第7号", want: good, converted: true},
		{name: "leading zeros", in: "云溪政办发〔2026〕007号", want: good, converted: true},
		{name: "spaces and full-width digits", in: "云溪政办发 〔２０２６〕 ７ 号", want: good, converted: true},
		{name: "two digits of the year", in: "云溪政办发〔26〕7号", bad: true},
		{name: "no 号", in: "云溪政办发〔2026〕7", bad: true},
		{name: "no agency", in: "〔2026〕7号", bad: true},
		{name: "serial zero", in: "云溪政办发〔2026〕0号", bad: true},
		{name: "text behind", in: "云溪政办发〔2026〕7号文", bad: true},
		{name: "digits in the agency", in: "云溪3〔2026〕7号", bad: true},
		{name: "year out of range", in: "云溪政办发〔0026〕7号", bad: true},
		{name: "empty", in: "", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, converted, err := document.ReadNumber(tt.in)
			if (err != nil) != tt.bad || got != tt.want || converted != tt.converted {
				t.Errorf("ReadNumber = %v, %v, %v", got, converted, err)
			}
			if tt.bad && !errors.Is(err, document.ErrMalformedNumber) {
				t.Errorf("error %v is no ErrMalformedNumber", err)
			}
			if _, err := document.ParseNumber(tt.in); (err == nil) != tt.strict {
				t.Errorf("ParseNumber error = %v, want strict %v", err, tt.strict)
			}
		})
	}
}

func TestNumberRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := document.Number{
			Agency: rapid.StringMatching(`[云溪政办发函令字A-Z]{1,12}`).Draw(t, "agency"),
			Year:   rapid.IntRange(1900, 2999).Draw(t, "year"),
			Serial: rapid.IntRange(1, 999999).Draw(t, "serial"),
		}
		back, err := document.ParseNumber(n.String())
		if err != nil || back != n {
			t.Fatalf("%q came back as %v, %v", n.String(), back, err)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"云溪政办发〔2026〕7号", "第7号", "云溪政办发[2026]第007号", "〔〕号", "\xff〔2026〕7号"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 256 {
			return
		}
		if n, err := document.ParseNumber(s); err == nil && n.String() != s {
			t.Errorf("ParseNumber(%q) prints as %q", s, n.String())
		}
		n, _, err := document.ReadNumber(s)
		if err != nil {
			return
		}
		if back, err := document.ParseNumber(n.String()); err != nil || back != n {
			t.Errorf("ReadNumber(%q) = %v, which does not come back: %v", s, n, err)
		}
	})
}

func TestDate(t *testing.T) {
	d, err := document.ParseDate("2026-02-28")
	if err != nil || d != (document.Date{Year: 2026, Month: time.February, Day: 28}) {
		t.Fatalf("%v, %v", d, err)
	}
	if d.Chinese() != "2026年2月28日" || d.String() != "2026-02-28" {
		t.Errorf("prints as %s and %s", d.Chinese(), d)
	}
	for _, bad := range []string{"2026-02-29", "2026-2-8", "2026-13-01", "20260228", "0000-01-01", "2026-00-10"} {
		if got, err := document.ParseDate(bad); err == nil {
			t.Errorf("%s read as %v", bad, got)
		}
	}
}

func TestParseExample(t *testing.T) {
	d := mustExample(t, "notice.yaml")
	if d.Kind != document.Notice || d.Direction != document.Downward || d.RedHead != "云溪市人民政府办公室文件" {
		t.Errorf("kind %v, direction %v, red head %s", d.Kind, d.Direction, d.RedHead)
	}
	if d.Identifier() != "YXZF-云溪政办发-2026-7" {
		t.Errorf("identifier %s", d.Identifier())
	}
	if len(d.Attachments) != 2 || len(d.Annexes) != 1 || d.Annexes[0].Number != 1 {
		t.Errorf("attachments %v, annexes %v", d.Attachments, d.Annexes)
	}
	var levels []int
	for _, p := range d.Body {
		levels = append(levels, p.Level)
	}
	if diff := cmp.Diff([]int{0, 1, 0, 1, 2, 2, 2, 3, 3, 1, 0}, levels); diff != "" {
		t.Errorf("heading levels: %s", diff)
	}
	if h := d.Body[4].Heading(); h != "（一）统一版式。" {
		t.Errorf("heading %q", h)
	}
}

func TestMetadataRoundTrip(t *testing.T) {
	d := mustExample(t, "notice.yaml")
	data, err := document.MarshalMetadata(d.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	back, err := document.ParseMetadata(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.Metadata, back); diff != "" {
		t.Error(diff)
	}
	if err := back.Validate(); err != nil {
		t.Errorf("read back: %v", err)
	}
	for _, key := range []string{`"issuer":`, `"issued_on":"2026-11-21"`, `"kind":"通知"`, `"classification":"无"`} {
		if !strings.Contains(string(data), key) {
			t.Errorf("JSON lacks %s: %s", key, data)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"notice.yaml", "report.yaml"} {
		data, err := os.ReadFile("../examples/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("kind: 通知\nkind: 函\n? [x]\n: y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		d, err := document.Parse(data)
		if err != nil {
			return
		}
		if err := d.Validate(); err != nil {
			t.Errorf("parsed, yet not valid: %v", err)
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte(`{"kind":"通知","number":"云溪政办发〔2026〕7号","issued_on":"2026-11-21"}`))
	f.Add([]byte(`{"classification":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		m, err := document.ParseMetadata(data)
		if err != nil {
			return
		}
		if _, err := document.MarshalMetadata(m); err != nil {
			t.Errorf("read, but cannot be written: %v", err)
		}
	})
}

func TestFileOfAnotherPurpose(t *testing.T) {
	if _, err := document.Parse([]byte("offices:\n  - {code: A}\n")); !errors.Is(err, document.ErrNotDraft) {
		t.Errorf("a configuration: %v, want ErrNotDraft", err)
	}
	if _, err := document.Parse([]byte("kind: 通知\n")); errors.Is(err, document.ErrNotDraft) || document.AsInvalid(err) == nil {
		t.Errorf("a draft with faults: %v, want its faults", err)
	}
}
