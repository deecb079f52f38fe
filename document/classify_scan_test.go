package document

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// findPlainly is FindClassification without any short cut: every line is folded and every expression asked.
func findPlainly(text string) (kind string, found bool) {
	before := ""
	for line := range strings.Lines(lineBreaks.Replace(text)) {
		plain := plainText(line)
		switch {
		case !mayClassify(plain):
		case hasLabelPlainly(plain) || isClassificationKey(before) && (outsideProse(degreeLabel, before+plain) || outsideProse(termLabel, before+plain)):
			return ClassifiedElement, true
		case isMark(plain) || isMarkLine(plain, before) || isMarkName(plain) || hasMarkToken(line):
			return ClassifiedMark, true
		}
		before = plain
	}
	if plain := plainText(text); strings.Contains(plain, "密") && starMark.MatchString(plain) {
		return ClassifiedMark, true
	}
	return "", false
}

func hasLabelPlainly(plain string) bool {
	labels := valueLabel.FindAllStringIndex(plain, -1)
	for i, at := range labels {
		value := plain[at[1]:]
		if i+1 < len(labels) {
			value = plain[at[1]:labels[i+1][0]]
		}
		if end := strings.IndexAny(value, ",。;"); end >= 0 {
			value = value[:end]
		}
		if !isUnclassified(value) {
			return true
		}
	}
	return outsideProse(degreeLabel, plain) || outsideProse(termLabel, plain) || englishLabel.MatchString(plain)
}

// snippets are what random texts are made of: the parts of marks and labels, what hides them, and what surrounds them.
var snippets = []string{
	"密", "秘", "机", "绝", "级", "宻", "祕", "㊙", "機", "絕", "級", "秘密", "机密", "绝密", "秘密", "机密", "密级", "秘级", "保密期限", "定密", "解密时间",
	"★", "☆", "🟃", "🌟", "*", "※", "·", "-", "—", "…", "(", ")", "（", "）", "[", "【", "】", "⑴", ".", "．",
	"10年", "十年", "长期", "5", "年", "月", "日", "天", "至2036年",
	":", "：", "=", "＝", "⩴", "∶", "无", "公开", "非密", "unclassified",
	"classification", "Ｃlassification", "securitylevel", "SecretLevel", "secret", "topsecret", "level", "ſecurityclass",
	"文件", "关于", "的通知", "以上", "的", "及", "特急", "启用前", "本件为", "000012", "公文", "各单位要严格遵守有关法律法规和工作纪律，切实保守国家",
	" ", "　", "\t", "\u200b", "\u3164", "\u20dd", "\ufe0f", "\xff", "\xe5", "ﾞ", "\u0338", "\u00ad",
	"\n", "\n", "\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u2028", "\u2029", ",", "，", "。", ";", "、", ".pdf", "a", "Z", "<b>", "\"", "é", "\U0002f800",
}

func drawText(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(snippets), 0, 24).Draw(t, "text"), "")
}

// The quick look finds what the plain one finds, in the same order.
func TestQuickLookFindsTheSame(t *testing.T) {
	t.Parallel()
	found, passed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			text := drawText(t)
			want, is := findPlainly(text)
			if got, _ := FindClassification(text); got != want {
				t.Fatalf("%q: %q, plainly %q", text, got, want)
			}
			if is {
				found++
			} else {
				passed++
			}
		}
	})
	if found < 100 || passed < 100 {
		t.Errorf("the texts prove little: %d bear a mark, %d none", found, passed)
	}
}

// The same of the documents and papers of this repository, which are what texts are like.
func TestQuickLookAtRealTexts(t *testing.T) {
	t.Parallel()
	texts := 0
	for _, pattern := range []string{"../docs/*.md", "../examples/*.yaml", "../*.md", "*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(data)) {
				texts++
				want, _ := findPlainly(line)
				if got, _ := FindClassification(line); got != want {
					t.Errorf("%s: %q: %q, plainly %q", f, line, got, want)
				}
			}
			want, _ := findPlainly(string(data))
			if got, _ := FindClassification(string(data)); got != want && len(data) > 0 {
				t.Errorf("%s: %q, plainly %q", f, got, want)
			}
		}
	}
	if texts < 1000 {
		t.Errorf("%d lines", texts)
	}
}

// No character that folds to one that marks and labels need is left out of the signals.
func TestEverySignalIsKnown(t *testing.T) {
	t.Parallel()
	needed := []struct {
		runes string
		want  signal
	}{{"密", signalSecret}, {"秘", signalMi}, {"级", signalLevel}, {":=", signalLabel}}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if r == 0xd800 {
			r = 0xe000
		}
		plain := plainText(string(r))
		for _, n := range needed {
			if strings.ContainsAny(plain, n.runes) {
				if _, got := nextSignal("l"+string(r), 1); got != n.want {
					t.Errorf("%U, which reads as %q: signal %d, want %d", r, plain, got, n.want)
				}
			}
		}
		line := lineBreaks.Replace(string(r)) == "\n"
		if _, got := nextSignal(string(r), 0); line != (got == signalBreak) {
			t.Errorf("%U: a break %v, signal %d", r, line, got)
		}
		if (isDot(r) || isStar(r)) && plain != string(r) {
			t.Errorf("%U is looked for as it stands and reads as %q", r, plain)
		}
		if strings.ContainsAny(plain, "密秘ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") && !mayBeKey(string(r)) {
			t.Errorf("%U, which reads as %q, is in no key", r, plain)
		}
	}
}

// A text that is looked at in blocks bears what it bears in one.
func TestBlocksFindTheSame(t *testing.T) {
	t.Parallel()
	filler := strings.Repeat("各单位要认真组织实施，确保各项任务按期完成。", 900) // a line of 56 KB
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", strings.Repeat("保密工作，秘书处。\n", 100_000), ""},
		{"at the end", strings.Repeat("秘书处工作简报\n", 120_000) + "机密★10年", ClassifiedMark},
		{"a label over a border", strings.Repeat("密", blockLen/3) + "\n保密期限\n十年\n", ClassifiedElement},
		{"a bare word that ends a sentence", strings.Repeat("中", (blockOverlap+blockLen)/3-12) + "切实保守国家\n秘密。\n" + filler, ""},
		{"one line without end", strings.Repeat(filler, 40) + "机密★" + strings.Repeat(filler, 40), ClassifiedMark},
		{"one line, nothing", strings.Repeat(filler+"保守国家秘密 人人有责", 40), ""},
		{"set one by one", strings.Repeat(filler+"\n", 40) + "机\n密\n★\n" + filler, ClassifiedMark},
		{"English", strings.Repeat("level: 3\n", 200_000) + "Security Level: secret\n", ClassifiedElement},
	} {
		kind, _, err := FindClassificationIn(strings.NewReader(tt.text))
		if err != nil || kind != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, kind, err, tt.want)
		}
	}
	for shift := range 64 { // a mark at every place about the end of a block
		text := strings.Repeat("正文 ", (blockOverlap+blockLen)/7) + strings.Repeat("a", shift) + "秘密★5年。" + filler
		for _, kind := range []string{text, strings.ReplaceAll(text, " ", "\n")} {
			if kind, _, err := FindClassificationIn(strings.NewReader(kind)); err != nil || kind != ClassifiedMark {
				t.Errorf("shifted by %d: %q, %v", shift, kind, err)
			}
		}
	}
	if _, _, err := FindClassificationIn(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("of a reader that fails: %v", err)
	}
}

// A cut is neither the beginning nor the end of a line: no word of a sentence becomes a mark by it, and no mark is lost.
func TestLongLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, unit, want string }{
		{"prose", "确定国家秘密的密级、保密期限和知悉范围，机密工作十年回顾，秘密级以上的载体", ""},
		{"words", "机密 工作 秘密 会议 ", ""},
		{"mark", "机密★10年", ClassifiedMark},
		{"label", "密级：机密", ClassifiedElement},
		{"fields", "密级：无，", ""},
		{"blanks", "机" + strings.Repeat(" ", 500) + "要", ""},
	} {
		for n := range 20 {
			text := strings.Repeat("文", n) + strings.Repeat(tt.unit, 30_000/len(tt.unit))
			if kind, _ := FindClassification(text); kind != tt.want {
				t.Errorf("%s, shifted by %d: %q, want %q", tt.name, n, kind, tt.want)
			}
		}
	}
	hidden := strings.Repeat("前", 9000) + " 机" + strings.Repeat("\u200b", 3*longLine) + "密" + strings.Repeat(" ", 3*longLine) + "★ " + strings.Repeat("后", 9000)
	if kind, _ := FindClassification(hidden); kind != ClassifiedMark {
		t.Error("what is invisible drives a mark apart")
	}
	if kind, _ := FindClassification("密级" + strings.Repeat("\u200b", 3*longLine) + "：机密"); kind != ClassifiedElement {
		t.Error("what is invisible drives a label apart")
	}
}

// BenchmarkFindClassification looks at the text of a law on secrecy and at text that never says the word; the probe is
// the look without short cuts.
func BenchmarkFindClassification(b *testing.B) {
	text := strings.Repeat(strings.Repeat("各单位要认真组织实施，确保各项任务按期完成：2026年12月31日前报办公室。\n", 20)+
		"机关、单位应当加强保密工作，按照国家秘密的密级确定知悉范围。\n", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, found := FindClassification(text); found {
			b.Fatal("found")
		}
	}
}

func BenchmarkFindPlainly(b *testing.B) {
	text := strings.Repeat(strings.Repeat("各单位要认真组织实施，确保各项任务按期完成：2026年12月31日前报办公室。\n", 20)+
		"机关、单位应当加强保密工作，按照国家秘密的密级确定知悉范围。\n", 20)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, found := findPlainly(text); found {
			b.Fatal("found")
		}
	}
}
