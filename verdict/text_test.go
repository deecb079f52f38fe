package verdict

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sample has every kind of line.
func sample() *Report {
	good := Signature{ID: "1", Kind: "seal", Standard: "GB/T 38540-2020", Signer: "CN=Office", Maker: "CN=Maker", Seal: &SealRef{"S1", "Seal of A"}}
	good.At(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), TimeFromTimestamp)
	good.Add(Pass(CheckSignature), Unknown(CheckRevocation, NoRevocationSource, "CN=Office"))
	good.Warn(NoRevocationSource, "CN=Office")
	bad := Signature{ID: "2", Kind: "sign", Signer: "CN=\x1b[31mOther\u202e"}
	bad.Add(Fail(CheckSignature, SigValue, "line\nbreak"))
	f := File{File: "notice.ofd", Type: "ofd", Checks: []Check{Pass(CheckCoverage)}, Signatures: []Signature{good, bad}}
	f.Warn(ListOpen, "Signatures.xml")
	f.Judge(RevocationAuto)
	return NewReport(RevocationAuto, f)
}

func TestTextEnglish(t *testing.T) {
	const want = `notice.ofd (ofd): FAILED - the signature value does not verify [sig_value]
  [+] coverage: passed
  Seal 1: passed
    signer: CN=Office
    seal: Seal of A (S1)
    maker: CN=Maker
    standard: GB/T 38540-2020
    time: 2026-11-21T08:00:00Z (proven by a time-stamp)
    [+] signature value: passed
    [?] revocation: indeterminate - no revocation source exists for this certificate [no_revocation_source]
        CN=Office
    warning: no revocation source exists for this certificate [no_revocation_source]
        CN=Office
  Signature 2: FAILED - the signature value does not verify [sig_value]
    signer: CN=�[31mOther�
    time: none stated
    [x] signature value: FAILED - the signature value does not verify [sig_value]
        line�break
  warning: the list of signatures is open, more may follow [list_open]
      Signatures.xml
Verdict: FAILED
Revocation: checked where a source exists
`
	if diff := cmp.Diff(want, sample().Text(English)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextChinese(t *testing.T) {
	got := sample().Text(Chinese)
	for _, want := range []string{
		"notice.ofd (ofd): 不通过：签名值验证不通过〔sig_value〕", "电子印章 1: 通过", "时间: 2026-11-21T08:00:00Z (时间戳证明)",
		"[?] 吊销状态: 无法判定", "时间: 未注明", "结论: 不通过", "吊销查验: 有来源则查验",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "\x1b\u202e") {
		t.Error("a file writes on the terminal")
	}
	if n, m := strings.Count(got, "\n"), strings.Count(sample().Text(English), "\n"); n != m {
		t.Errorf("%d lines, in English %d", n, m)
	}
}

// TestTextKnowsEveryWord holds the words to the closed lists as they stand in the source.
func TestTextKnowsEveryWord(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "report.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "CheckName" {
			return true
		}
		seen++
		name := CheckName(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		if p := checkWords[name]; p.en == "" || p.zh == "" {
			t.Errorf("check %s lacks a name", name)
		}
		return true
	})
	if seen != len(checkWords) || seen == 0 {
		t.Errorf("%d checks, %d names", seen, len(checkWords))
	}
	for _, s := range []Status{Passed, Failed, Indeterminate, Rejected, Unsigned} {
		if p := s.word(); p.en == "" || p.zh == string(s) {
			t.Errorf("status %s lacks a name", s)
		}
	}
	for _, source := range []string{TimeFromSigner, TimeFromTimestamp, TimeFromLog} {
		if sourceWord(source) == sourceWord("") {
			t.Errorf("source of time %s lacks a name", source)
		}
	}
	for _, r := range Reasons() {
		if r.Text(English) == string(r) || r.Text(Chinese) == string(r) || r.Text(English) == r.Text(Chinese) {
			t.Errorf("reason %s lacks a sentence", r)
		}
	}
	if got := Reason("made\x07up").Text(English); got != "made\ufffdup" {
		t.Errorf("a reason outside the list: %q", got)
	}
}

func TestParseLanguage(t *testing.T) {
	for text, want := range map[string]Language{"zh": Chinese, "zh-CN": Chinese, "zh_CN.UTF-8": Chinese, "en": English, "EN-gb": English} {
		if got, err := ParseLanguage(text); err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "de", "zhx"} {
		if _, err := ParseLanguage(text); err == nil {
			t.Errorf("%q is taken for a language", text)
		}
	}
}

type full struct{}

var errFull = errors.New("no space")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTextReportsAnError(t *testing.T) {
	if err := sample().WriteText(full{}, English); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
