package verdict

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Language is one of those that reports for people are written in.
type Language string

// The languages, as in the flag --lang.
const (
	Chinese Language = "zh"
	English Language = "en"
)

// ParseLanguage reads a language; region and script are passed over, as in "zh-CN" or "en_US.UTF-8".
func ParseLanguage(text string) (Language, error) {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(text, "_", "-")), "-")
	switch Language(base) {
	case Chinese:
		return Chinese, nil
	case English:
		return English, nil
	}
	return "", fmt.Errorf("verdict: no reports in the language %q, only in zh and en", text)
}

// phrase is a text in both languages.
type phrase struct{ en, zh string }

func (p phrase) in(l Language) string {
	if l == Chinese {
		return p.zh
	}
	return p.en
}

// word gives the name of a status.
func (s Status) word() phrase {
	switch s {
	case Passed:
		return phrase{"passed", "通过"}
	case Failed:
		return phrase{"FAILED", "不通过"}
	case Indeterminate:
		return phrase{"indeterminate", "无法判定"}
	case Rejected:
		return phrase{"REJECTED", "拒绝受理"}
	case Unsigned:
		return phrase{"unsigned", "未签名"}
	}
	return phrase{string(s), string(s)}
}

// checkWords names every check.
var checkWords = map[CheckName]phrase{
	CheckContainer:        {"container", "文件结构"},
	CheckCoverage:         {"coverage", "签名覆盖范围"},
	CheckReferences:       {"references", "引用文件摘要"},
	CheckDataHash:         {"content digest", "原文摘要"},
	CheckSealMatch:        {"seal match", "印章一致性"},
	CheckSealMaker:        {"seal maker", "制章人签名"},
	CheckSignerListed:     {"signer listed in the seal", "签章人授权"},
	CheckSignature:        {"signature value", "签名值"},
	CheckSignedAttributes: {"signed attributes", "签名属性"},
	CheckByteRange:        {"byte range", "签名字节范围"},
	CheckRevisions:        {"revisions", "文件版本"},
	CheckSealValidity:     {"seal validity", "印章有效期"},
	CheckCertificateChain: {"certificate chain", "证书链"},
	CheckKeyUsage:         {"key usage", "证书用途"},
	CheckRevocation:       {"revocation", "吊销状态"},
	CheckTimestamp:        {"time-stamp", "时间戳"},
	CheckPlacement:        {"placement", "印章位置"},
	CheckInclusion:        {"inclusion in the log", "日志收录"},
	CheckCheckpoint:       {"log checkpoint", "日志检查点"},
	CheckReceiptBinding:   {"receipt binding", "回执对象"},
	CheckWitness:          {"witness", "见证共签"},
	CheckManifest:         {"manifest", "清单"},
	CheckDigests:          {"digests", "文件摘要"},
}

func (n CheckName) word(l Language) string {
	if p, ok := checkWords[n]; ok {
		return p.in(l)
	}
	return clean(string(n))
}

// sourceWord says where a time comes from; it is never left out where a time stands.
func sourceWord(source string) phrase {
	switch source {
	case TimeFromSigner:
		return phrase{"claimed by the signer, not proven", "签名人声明，未经证明"}
	case TimeFromTimestamp:
		return phrase{"proven by a time-stamp", "时间戳证明"}
	case TimeFromLog:
		return phrase{"proven by the evidence log", "存证日志证明"}
	}
	return phrase{"of unknown source", "来源不明"}
}

func (set Setting) word() phrase {
	switch set {
	case RevocationRequire:
		return phrase{"required (no answer leaves the verdict undecided)", "必须查验（查不到则无法判定）"}
	case RevocationOff:
		return phrase{"not checked", "不查验"}
	case RevocationAuto:
	}
	return phrase{"checked where a source exists", "有来源则查验"}
}

// Text is the sentence for a reason in a language; the code itself for one outside the list.
func (r Reason) Text(l Language) string {
	s := r.sense()
	if s.sub == "" {
		return clean(string(r))
	}
	return phrase{s.english, s.chinese}.in(l)
}

// Text is the word for a status in a language.
func (s Status) Text(l Language) string { return s.word().in(l) }

// KindText says in a language what kind of signature it is.
func KindText(kind string, l Language) string { return kindWord(kind).in(l) }

func kindWord(kind string) phrase {
	if kind == "seal" {
		return phrase{"Seal", "电子印章"}
	}
	return phrase{"Signature", "数字签名"}
}

// Text is the name of a check in a language; the name itself for one outside the list.
func (n CheckName) Text(l Language) string { return n.word(l) }

// TimeSourceText says in a language where the time of a signature comes from.
func TimeSourceText(source string, l Language) string { return sourceWord(source).in(l) }

// WriteText writes the report for people: the verdict on each file and each signature, every check that was made, where
// each time comes from, and every warning. Names and details from files are cleaned of control and formatting
// characters, so that a file cannot write on the reader's terminal. It carries the reason codes beside their sentences,
// by which a line can be found in the JSON form.
func (r *Report) WriteText(w io.Writer, l Language) error {
	t := writer{w: w, lang: l}
	for _, f := range r.Files {
		t.file(f, "")
	}
	t.line("", "%s: %s", phrase{"Verdict", "结论"}, r.Verdict.word())
	t.line("", "%s: %s", phrase{"Revocation", "吊销查验"}, r.Revocation.word())
	if r.AsOf != nil {
		t.line("", "%s: %s", phrase{"Judged as of", "判定基准时间"}, r.AsOf.UTC().Format(time.RFC3339))
	}
	return t.err
}

// Text is WriteText into a string.
func (r *Report) Text(l Language) string {
	var b strings.Builder
	_ = r.WriteText(&b, l) // a builder takes everything
	return b.String()
}

// writer writes lines in one language until an error.
type writer struct {
	w    io.Writer
	lang Language
	err  error
}

// line writes one line; phrases among the arguments appear in the language, everything else cleaned.
func (t *writer) line(indent, format string, args ...any) {
	if t.err != nil {
		return
	}
	for i, a := range args {
		if p, ok := a.(phrase); ok {
			args[i] = p.in(t.lang)
			continue
		}
		args[i] = clean(fmt.Sprint(a))
	}
	_, t.err = fmt.Fprintf(t.w, indent+format+"\n", args...)
}

func (t *writer) file(f File, indent string) {
	t.line(indent, "%s (%s): %s%s", f.File, f.Type, f.Verdict.word(), because(f.Reason, f.ReasonText))
	inner := indent + "  "
	if r := f.Receipt; r != nil {
		t.line(inner, "%s: %s, %s %s, %s %s", phrase{"event", "事项"}, r.Event, phrase{"exchange", "交换"}, r.Exchange, phrase{"document SM3", "公文 SM3"}, r.DocumentSM3)
	}
	t.checks(f.Checks, inner)
	for _, s := range f.Signatures {
		t.signature(s, inner)
	}
	for _, p := range f.Parts {
		t.file(p, inner)
	}
	t.notes(f.own(), inner)
}

// own are the notes that stand at no signature and in no part of the file, whence [File.Judge] lifts the others.
func (f *File) own() Notes {
	lifted := Notes{}
	for _, s := range f.Signatures {
		lifted.merge(s.Notes)
	}
	for _, p := range f.Parts {
		lifted.merge(p.Notes)
	}
	own := Notes{}
	for i, w := range f.Warnings {
		if detail := f.WarningDetails[i]; !lifted.has(w, detail) {
			own.Warn(w, "%s", detail)
		}
	}
	return own
}

func (t *writer) signature(s Signature, indent string) {
	t.line(indent, "%s %s: %s%s", kindWord(s.Kind), s.ID, s.Verdict.word(), because(s.Reason, s.ReasonText))
	inner := indent + "  "
	for _, field := range []struct {
		name  phrase
		value string
	}{
		{phrase{"signer", "签名人"}, s.Signer},
		{phrase{"seal", "印章"}, sealText(s.Seal)},
		{phrase{"maker", "制章人"}, s.Maker},
		{phrase{"standard", "依据标准"}, s.Standard},
	} {
		if field.value != "" {
			t.line(inner, "%s: %s", field.name, field.value)
		}
	}
	if s.Time == nil {
		t.line(inner, "%s: %s", phrase{"time", "时间"}, phrase{"none stated", "未注明"})
	} else {
		t.line(inner, "%s: %s (%s)", phrase{"time", "时间"}, s.Time.UTC().Format(time.RFC3339), sourceWord(s.TimeSource))
	}
	t.checks(s.Checks, inner)
	t.notes(s.Notes, inner)
}

func sealText(s *SealRef) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s)", s.Name, s.ID)
}

// checks writes every check; the mark in front is for the eye, the word behind for everybody.
func (t *writer) checks(checks []Check, indent string) {
	for _, c := range checks {
		mark := "?"
		switch c.Status {
		case Passed:
			mark = "+"
		case Failed, Rejected:
			mark = "x"
		case Indeterminate, Unsigned:
		}
		t.line(indent, "[%s] %s: %s%s", mark, c.Name.word(t.lang), c.Status.word(), because(c.Reason, c.ReasonText))
		if c.Detail != "" {
			t.line(indent, "    %s", DetailText(c.Detail, t.lang))
		}
	}
}

func (t *writer) notes(n Notes, indent string) {
	for i, w := range n.Warnings {
		t.line(indent, "%s: %s [%s]", phrase{"warning", "提示"}, w.Text(t.lang), w)
		if i < len(n.WarningDetails) && n.WarningDetails[i] != "" {
			t.line(indent, "    %s", DetailText(n.WarningDetails[i], t.lang))
		}
	}
}

// because is the sentence for a reason and its code, nothing for none.
func because(r Reason, sentence func(Language) string) phrase {
	if r == "" {
		return phrase{}
	}
	return phrase{" - " + sentence(English) + " [" + string(r) + "]", "：" + sentence(Chinese) + "〔" + string(r) + "〕"}
}

// clean replaces what could move a cursor, reorder text or break a line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
