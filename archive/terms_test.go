package archive_test

import (
	"slices"
	"strings"
	"testing"

	"yinxin/archive"
)

func TestTerms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		title string
		want  string
	}{
		{"会议通知", "会议 议通 通知 知"},
		{"关于100%的通知", "关于 于 100 的通 通知 知"},
		{"府", "府"},
		{"ＡＢＣ-abc１２", "abc abc12"},
		{"〔2026〕7号", "2026 7 号"},
		{"", ""},
		{"，。（）", ""},
	} {
		got := archive.TermsOf(archive.Record{Title: tt.title}, archive.Content{}).Title
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.title, s, tt.want)
		}
	}
	long := archive.TermsOf(archive.Record{Title: "题"}, archive.Content{Text: strings.Repeat("长文", archive.MaxTerms)})
	if len(long.Text) != archive.MaxTerms {
		t.Errorf("%d terms of a long text", len(long.Text))
	}
}

// FuzzTerms: whatever stands in a text, each of its parts without spaces is found by its terms in their order, and no term
// holds anything but letters and digits.
func FuzzTerms(f *testing.F) {
	f.Add("关于召开会议的通知", 2, 3)
	f.Add("a的b会1议", 0, 4)
	f.Add("ｶﾞ㍿ﬁ①", 1, 2)
	f.Fuzz(func(t *testing.T, text string, from, n int) {
		terms := archive.TermsOf(archive.Record{Title: text}, archive.Content{})
		for _, term := range append(slices.Clone(terms.Text), terms.Singles...) {
			if strings.ContainsAny(term, " '\"\\:&|!()*") || term == "" {
				t.Fatalf("term %q", term)
			}
		}
		runes := []rune(text)
		if from < 0 || n < 1 || from > len(runes) || n > len(runes)-from || len(terms.Title) >= archive.MaxTerms {
			return
		}
		part := string(runes[from : from+n])
		if strings.ContainsFunc(part, func(r rune) bool { return !(r >= '一' && r <= '鿿') }) {
			return // parts of words in letters are not found, only the words
		}
		q := archive.Query{Text: part}.Terms()
		for _, phrase := range q.Text {
			if !contains(terms.Text, phrase) {
				t.Errorf("%q is in %q and is not found: %v in %v", part, text, phrase, terms.Text)
			}
		}
		for _, s := range q.Singles {
			if !slices.Contains(terms.Singles, s) {
				t.Errorf("%q is in %q and is not found", s, text)
			}
		}
	})
}

func contains(all, phrase []string) bool {
	for i := range all {
		if len(all)-i >= len(phrase) && slices.Equal(all[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}
