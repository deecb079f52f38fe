package layout_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"yinxin/document/layout"
)

// bodyLines are the lines of the text of each page.
func bodyLines(p *layout.Pages) [][]string {
	out := make([][]string, len(p.Pages))
	for i, page := range p.Pages {
		y := 0.0
		for _, r := range page.Runs {
			if r.Element != layout.Body {
				continue
			}
			if r.Y != y {
				out[i] = append(out[i], "")
				y = r.Y
			}
			out[i][len(out[i])-1] += r.Text
		}
	}
	return out
}

// TestKeptOnOneLine moves a text along the line, character by character: what belongs together never comes apart, save an
// amount from its unit where the line before it would be pulled apart otherwise.
func TestKeptOnOneLine(t *testing.T) {
	for _, kept := range []string{
		"云溪财发〔2026〕31号", "云溪市数局函〔2026〕1234号", "86.5万元", "1,200件", "4.2个百分点", "120 GB", "35℃", "99.5%", "……", "——", "3万平方米",
		"PostgreSQL", "￥300元",
	} {
		for n := range 30 {
			p := mustCompose(t, mustParse(t, draft("各单位要做好试点工作。", strings.Repeat("云", n+1)+"，"+kept+"，为此要做好各项工作。")))
			whole := false
			for _, l := range bodyLines(p)[0] {
				whole = whole || strings.Contains(l, kept)
			}
			before := n + 2 // characters before it on the first line, beside the indent of two
			apart := float64(26-before)/float64(before-1) > 0.16
			if !whole && (!apart || !isAmount.MatchString(kept)) {
				t.Errorf("%s is broken after %d characters: %q", kept, n, bodyLines(p)[0])
			}
		}
	}
}

var isAmount = regexp.MustCompile(`^[0-9.,]+ ?[^0-9.,% ]+$`)

// TestLinesDoNotComeApart: a line that a long amount does not fit on is stretched no further than lint allows, and a row of
// digits or letters that fills lines reaches the right margin on each and passes it on none.
func TestLinesDoNotComeApart(t *testing.T) {
	for _, text := range []string{
		"恳请市政府从市长预备费中追加安排校舍维修资金686.75万元，并请市财政局尽快拨付。", strings.Repeat("1", 3000) + "万元。",
		strings.Repeat("1", 3000) + "。", strings.Repeat("a", 1000),
	} {
		p := mustCompose(t, mustParse(t, draft("各单位要做好试点工作。", text)))
		r := layout.Check(stripped(p), nil)
		for _, m := range r.Faults() {
			t.Errorf("%.40s: page %d: %s %s is %.2f", text, m.Page, m.Element, m.Measure, m.Measured)
		}
	}
}

// TestWordsBeforeANumber: a preposition does not go down with the 发文字号.
func TestWordsBeforeANumber(t *testing.T) {
	p := mustCompose(t, mustParse(t, draft("各单位要做好试点工作。", strings.Repeat("云", 22)+"根据云溪财发〔2026〕31号要求，做好各项工作。")))
	if l := bodyLines(p)[0][0]; !strings.HasSuffix(l, "根据") {
		t.Errorf("the first line is %q", l)
	}
}

// TestAddressesAreBrokenAtTheirMarks: a long address on a network fills its line, and goes on behind a slash.
func TestAddressesAreBrokenAtTheirMarks(t *testing.T) {
	const address = "http://www.example.test/services/exchange/public/verify?id=12345&lang=zh"
	for n := range 26 {
		lines := bodyLines(mustCompose(t, mustParse(t, draft("各单位要做好试点工作。", strings.Repeat("云", n+1)+address+"。"))))[0]
		if got := strings.Join(lines, ""); !strings.Contains(got, address) {
			t.Fatalf("set %q", got)
		}
		for _, l := range lines[:len(lines)-1] {
			if c := l[len(l)-1]; c < 0x80 && !strings.ContainsRune("/?&=-_", rune(c)) {
				t.Errorf("after %d characters a line ends with %c: %s", n, c, l)
			}
		}
	}
}

// TestNoLineOfOneCharacter: the last line of a paragraph holds two characters beside its mark.
func TestNoLineOfOneCharacter(t *testing.T) {
	for n := 20; n < 90; n++ {
		want := strings.Repeat("云溪市教育局", 20)[:3*n] + "。"
		lines := bodyLines(mustCompose(t, mustParse(t, draft("各单位要做好试点工作。", want))))[0]
		if got := strings.Join(lines, ""); got != want {
			t.Fatalf("%d characters: set %q", n, got)
		}
		if last := []rune(lines[len(lines)-1]); len(last) < 3 {
			t.Errorf("%d characters: the last line is %q", n, string(last))
		}
	}
}

// TestShortLineNeverBeginsAPage walks a paragraph with a short last line over the end of the page.
func TestShortLineNeverBeginsAPage(t *testing.T) {
	for n := range 30 {
		body := strings.Repeat("  各单位要做好试点工作。\n", n) + "  " + strings.Repeat("做好工作，", 11) + "报局。\n" + strings.Repeat("  各单位要做好试点工作。\n", 12)
		for i, lines := range bodyLines(mustCompose(t, mustParse(t, draft("  各单位要做好试点工作。\n", body)))) {
			if i > 0 && len(lines) > 0 && len([]rune(lines[0])) < 8 {
				t.Errorf("%d paragraphs: page %d begins with %q", n, i+1, lines[0])
			}
		}
	}
}

// TestShortItemsAreNoHeadings: a list of short items is broken between any two of them, and its last one stays where it is.
func TestShortItemsAreNoHeadings(t *testing.T) {
	for n := 1; n < 14; n++ {
		body := strings.Repeat("  各单位要做好试点工作。\n", n) + "  （一）职责\n"
		for i := range 40 {
			body += fmt.Sprintf("  %d.第%d项职责\n", i+1, i+1)
		}
		pages := bodyLines(mustCompose(t, mustParse(t, draft("  各单位要做好试点工作。\n", body))))
		want := 9 // on the first page below this head
		if n == want-1 {
			want-- // （一） goes along
		}
		if len(pages[0]) != want {
			t.Errorf("%d paragraphs: %d lines on page 1, want %d: %q", n, len(pages[0]), want, pages[0])
		}
		if len(pages[1]) < 20 {
			t.Errorf("%d paragraphs: %d lines on page 2", n, len(pages[1]))
		}
	}
}
