package verdict

import (
	"strings"
	"testing"
)

func TestDetailsInChinese(t *testing.T) {
	tests := []struct{ name, detail, want string }{
		{"no value", "the message has no signer", "消息没有签名人"},
		{"values", "the chain of CN=A (issuer CN=B) ends at none of the given roots", "CN=A（签发者 CN=B）的证书链未到达所给的任何根"},
		{"values in another order", "payload of 7 bytes in an envelope of 9", "信封有 9 字节，密文却有 7 字节"},
		{
			"a detail in a detail", "certificate of CN=A expired on 2026-01-01T00:00:00Z, signing time 2026-02-01T00:00:00Z",
			"CN=A 的证书 已于 2026-01-01T00:00:00Z 过期，签名时间为 2026-02-01T00:00:00Z",
		},
		{"a word in a detail", "certificate of CN=A is not for time-stamping", "CN=A 的证书不可用于时间戳"},
		{"behind a colon", "CN=A: its revocation source was not consulted", "CN=A：未查询其吊销信息来源"},
		{"behind two", "seal maker: CN=A: no revocation source exists", "制章人：CN=A：没有吊销信息来源"},
		{"a percent sign", "not a PDF: no header %PDF", "不是 PDF：没有文件头 %PDF"},
		{"counted on", "a.xml differs from what was signed (and 12 more)", "a.xml 与所签的不一致（另有 12 处）"},
		{"a name that looks like a place", "CN={2} signs twice", "CN={2} 签了两次"},
		{"not a number where one stands", "more than many signers", "more than many signers"},
		{"not in the list", "open x: permission denied", "open x: permission denied"},
		{"nothing", "", ""},
		{"a long row of colons", strings.Repeat("a: ", 10_000), strings.Repeat("a: ", 10_000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := DetailText(tt.detail, Chinese); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got := DetailText(tt.detail, English); got != tt.detail {
				t.Errorf("in English: %s", got)
			}
		})
	}
}

// TestDetailList holds the list to its form: no entry twice, and every value of the English format has its place.
func TestDetailList(t *testing.T) {
	all := details()
	if len(all.whole) < 100 || len(all.valued) < 100 {
		t.Fatalf("%d and %d entries", len(all.whole), len(all.valued))
	}
	seen := map[string]bool{}
	for _, s := range all.valued {
		form := strings.Join(s.parts, "%") + string(s.verbs)
		if seen[form] {
			t.Errorf("%q stands twice", s.parts)
		}
		seen[form] = true
		for i := range s.verbs {
			if place := "{" + string(rune('1'+i)) + "}"; strings.Count(s.zh, place) != 1 {
				t.Errorf("%q: %s does not stand once in %s", s.parts, place, s.zh)
			}
		}
		if strings.Contains(s.zh, "{"+string(rune('1'+len(s.verbs)))+"}") {
			t.Errorf("%q has no value for a place in %s", s.parts, s.zh)
		}
	}
	lines := 0
	for line := range strings.Lines(chineseDetails) {
		if line != "\n" && line[0] != '#' {
			lines++
		}
	}
	if lines != 2*(len(all.whole)+len(all.valued)) {
		t.Errorf("%d lines for %d entries: one stands twice or lacks its Chinese", lines, len(all.whole)+len(all.valued))
	}
}

func FuzzDetailText(f *testing.F) {
	f.Add("the chain of CN=A (issuer CN=B) ends at none of the given roots")
	f.Add("seal maker: CN=A: no revocation source exists")
	f.Add(strings.Repeat("certificate of ", 100))
	f.Fuzz(func(t *testing.T, text string) {
		if got := DetailText(text, Chinese); len(got) > 20*len(text)+200 {
			t.Fatalf("%d bytes become %d", len(text), len(got))
		}
	})
}
