package layout_test

import (
	"fmt"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
)

// offices lists n offices of a draft; each name has the given length or, with 0, an everyday one.
func offices(n, length int) string {
	var names []string
	for i := range n {
		name := fmt.Sprintf("云溪市第%d号试点单位办公室", i+1)
		if length > 0 {
			name = fmt.Sprintf("第%d号", i+1)
			name += strings.Repeat("云", max(0, length-len([]rune(name))))
		}
		names = append(names, name)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

type box struct{ x1, y1, x2, y2 float64 }

func boxOf(r layout.Run) box { return box{r.X, emTop(r), r.X + r.Width(), emTop(r) + r.Size} }

// checkPaper measures that nothing leaves the type area and that no two texts stand on each other.
func checkPaper(t *testing.T, p *layout.Pages, letter bool) {
	t.Helper()
	for i, page := range p.Pages {
		for k, r := range page.Runs {
			b := boxOf(r)
			if r.Element != layout.PageNumber && !(letter && r.Element == layout.RedHead) &&
				(b.x1 < left-0.01 || b.x2 > right+0.02 || b.y1 < top-0.01 || b.y2 > bottom+0.02) {
				t.Errorf("page %d: %s %.20q from %.1f, %.1f to %.1f, %.1f leaves the type area", i+1, r.Element, r.Text, b.x1, b.y1, b.x2, b.y2)
			}
			for _, o := range page.Runs[:k] {
				c := boxOf(o)
				if min(b.x2, c.x2)-max(b.x1, c.x1) > 0.05 && min(b.y2, c.y2)-max(b.y1, c.y1) > 0.05 {
					t.Errorf("page %d: %s %.20q at %.1f, %.1f stands on %s %.20q at %.1f, %.1f", i+1, r.Element, r.Text, b.x1, b.y1, o.Element, o.Text, c.x1, c.y1)
				}
			}
		}
		for _, r := range page.Rules {
			if r.Element != layout.RedRule && (min(r.X1, r.X2) < left-0.01 || max(r.X1, r.X2) > right+0.01 || min(r.Y1, r.Y2) < top-0.01 || max(r.Y1, r.Y2) > bottom+0.01) {
				t.Errorf("page %d: %s %+v leaves the type area", i+1, r.Element, r)
			}
		}
	}
	for _, s := range p.SealSpots {
		d := s.Diameter / 2
		if s.X-d < left-0.01 || s.X+d > right+0.01 || s.Y-d < top-0.01 || s.Y+d > bottom+0.01 {
			t.Errorf("page %d: a seal at %.1f, %.1f leaves the type area", s.Page+1, s.X, s.Y)
		}
	}
}

const imprinted = "printed_by: 甲办公室\nprinted_on: 2026-11-21\nbody:"

func long(n int) string { return string([]rune(strings.Repeat("云溪市人民政府", n/7+1))[:n]) }

func codes(p *layout.Pages) string {
	var out []string
	for _, w := range p.Warnings {
		if w.Code != "face_substituted" {
			out = append(out, w.Code)
		}
	}
	return strings.Join(out, " ")
}

// TestNothingLeavesTheTypeArea sets the longest that a valid draft may hold in every place.
func TestNothingLeavesTheTypeArea(t *testing.T) {
	word := strings.Repeat("abcdefghij", 30)
	for name, tt := range map[string]struct {
		warned  string
		changes []string
	}{
		"copies to 60 offices":       {"", []string{"body:", "cc: " + offices(60, 0) + "\n" + imprinted}},
		"copies to 200 offices":      {"", []string{"body:", "cc: " + offices(200, 0) + "\n" + imprinted}},
		"copies to 500 long names":   {"", []string{"body:", "cc: " + offices(500, 30) + "\n" + imprinted}},
		"addressed to 500":           {"", []string{"[云溪市教育局]", offices(500, 30)}},
		"addressed to 40":            {"", []string{"[云溪市教育局]", offices(40, 0)}},
		"both":                       {"", []string{"[云溪市教育局]", offices(120, 0), "body:", "cc: " + offices(100, 31) + "\n" + imprinted}},
		"a letter's copies":          {"", []string{"通知", "函", "body:", "cc: " + offices(200, 0) + "\nbody:"}},
		"printing office":            {"", []string{"body:", "printed_by: " + long(80) + "\nprinted_on: 2026-11-21\nbody:"}},
		"name of 30":                 {"red_head_small", []string{"云溪市人民政府办公室", long(30)}},
		"name of 78":                 {"red_head_small", []string{"云溪市人民政府办公室", long(78)}},
		"name of 78 without a seal":  {"red_head_small", []string{"云溪市人民政府办公室", long(78), "body:", "signature: {form: none}\nbody:"}},
		"office title of 80":         {"", []string{"body:", "signature: {form: stamp, seal_diameter: 30, office_title: " + long(80) + "}\nbody:"}},
		"office title, small stamp":  {"", []string{"body:", "signature: {form: stamp, seal_diameter: 20, office_title: " + long(80) + "}\nbody:"}},
		"15 seals, one line of text": {"joint_red_head seal_without_text", []string{"title:", "joint_issuers: " + offices(14, 10) + "\ntitle:"}},
		"30 seals":                   {"joint_red_head joint_seals_split" + strings.Repeat(" seal_without_text", 2), []string{"title:", "joint_issuers: " + offices(29, 10) + "\ntitle:"}},
		"30 names without seals":     {"joint_red_head", []string{"title:", "joint_issuers: " + offices(29, 0) + "\nsignature: {form: none}\ntitle:"}},
		"large seal":                 {"", []string{"body:", "signature: {form: seal, seal_diameter: 70}\nbody:"}},
		"20 approvers, one line":     {"seal_without_text", []string{"通知", "请示", "title:", "approvers: [" + strings.Repeat("林致远, ", 19) + "赵一鸣]\ntitle:"}},
		"agency of 20":               {"", []string{"云溪政办发", long(20)}},
		"agency of 20, upward":       {"number_meets_approvers", []string{"通知", "请示", "title:", "approvers: [林致远]\ntitle:", "云溪政办发", long(20)}},
		"agency of 20 in a letter":   {"number_meets_labels", []string{"通知", "函", "title:", "copy_number: '000018'\ntitle:", "云溪政办发", long(20)}},
		"300 attachments":            {"", []string{"body:", "attachments: " + offices(300, 0) + "\nbody:"}},
		"attachments of 200":         {"", []string{"body:", "attachments: [" + strings.Repeat("云", 200) + ", " + strings.Repeat("溪", 190) + "]\nbody:"}},
		"long note":                  {"", []string{"body:", "note: " + strings.Repeat("此件公开", 40) + "\nbody:"}},
		"Latin word in the text":     {"", []string{"各单位", "各" + word + "单位"}},
		"Latin word in the title":    {"title_break seal_without_text", []string{"关于试点工作的通知", "关于" + word[:150] + "的通知"}},
		"Latin name":                 {"", []string{"云溪市教育局", word[:80]}},
		"12 columns":                 {"", []string{"body: |\n  各单位要做好试点工作。\n", "body:\n  - 一\n  - table: {head: [" + strings.Repeat("甲, ", 11) + "乙], rows: [[" + strings.Repeat("第十九号, ", 11) + "丙]]}\n"}},
		"caption of a table":         {"", []string{"body: |\n  各单位要做好试点工作。\n", "body:\n  - 一\n  - table: {caption: " + long(180) + ", head: [甲], rows: [[丙]]}\n"}},
		"title of an annex":          {"title_break", []string{"body:", "attachments:\n  - {title: " + strings.Repeat("云溪市", 66) + ", text: 内容}\nbody:"}},
		"minutes":                    {"red_head_small", []string{"kind: 通知", "kind: 纪要\nattendance: {present: " + offices(60, 0) + ", excused: [" + long(80) + "]}", "云溪市人民政府办公室", long(70)}},
		"10000 characters":           {"", []string{"各单位要做好试点工作。", strings.Repeat("各单位要做好试点工作，", 910)}},
		"red head of 80":             {"red_head_small", []string{"title:", "red_head: " + long(80) + "\ntitle:"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustCompose(t, mustParse(t, draft(tt.changes...)))
			checkPaper(t, p, strings.Contains(name, "letter"))
			if got := codes(p); got != tt.warned {
				t.Errorf("warned %q, want %q", got, tt.warned)
			}
		})
	}
}

// TestTooLongForItsPlace: what no page holds is refused by the name of its field, rather than printed outside.
func TestTooLongForItsPlace(t *testing.T) {
	for field, changes := range map[string][]string{
		"title":                 {"关于试点工作的通知", strings.Repeat("关于试点工作", 33)},
		"approvers":             {"通知", "请示", "title:", "approvers: [" + strings.Repeat("林致远, ", 59) + "赵一鸣]\ntitle:"},
		"approvers[1]":          {"通知", "请示", "title:", "approvers: [林致远, " + long(23) + "]\ntitle:"},
		"joint_issuers[1].name": {"title:", "joint_issuers: [云溪市教育局, " + long(60) + "]\ntitle:"},
	} {
		_, err := layout.Compose(mustParse(t, draft(changes...)), faces())
		in := document.AsInvalid(err)
		if len(in) != 1 || in[0].Field != field || in[0].Code != "too_long" {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestLongImprint: a long 抄送 stands whole on even pages, its last rule on the foot of the type area, is measured clean and
// read back as it was.
func TestLongImprint(t *testing.T) {
	for _, n := range []int{1, 40, 60, 65, 70, 140, 200} {
		for _, lines := range []int{1, 9, 10} { // the text ends on the first page and on the second
			d := mustParse(t, draft("  各单位要做好试点工作。\n", strings.Repeat("  各单位要做好试点工作。\n", lines), "body:", "cc: "+offices(n, 0)+"\n"+imprinted))
			p := mustCompose(t, d)
			checkPaper(t, p, false)
			if len(p.Pages)%2 != 0 {
				t.Errorf("%d offices: %d pages", n, len(p.Pages))
			}
			cc, _ := find(p, layout.CC)
			want := ""
			for _, o := range d.CC {
				want += "，" + o.Name
			}
			if got := text(cc); got != "抄送："+strings.TrimPrefix(want, "，")+"。" {
				t.Errorf("%d offices: set %.60s", n, got)
			}
			for i, page := range p.Pages {
				var rules []layout.Rule
				for _, r := range page.Rules {
					if r.Element == layout.ImprintRule {
						rules = append(rules, r)
					}
				}
				if len(rules) > 0 {
					near(t, fmt.Sprintf("%d offices: last rule of page %d", n, i+1), rules[len(rules)-1].Y1, bottom, 0.001)
				}
			}
			pages := stripped(p)
			if r := layout.Check(pages, p.SealSpots); len(r.Faults()) > 0 {
				t.Errorf("%d offices after %d lines: %v", n, lines, r.Faults())
			}
			if got := layout.Read(pages); len(got.CC) != n || got.CC[n-1].Name != d.CC[n-1].Name || got.PrintedBy != "甲办公室" {
				t.Errorf("%d offices: read %d, printed by %s", n, len(got.CC), got.PrintedBy)
			}
		}
	}
}

// TestLongSignature: a long name stands centred on its date, four characters from the right, in the seal.
func TestLongSignature(t *testing.T) {
	for _, n := range []int{5, 15, 20, 21, 25, 30, 38, 45} {
		name := long(n)
		p := mustCompose(t, mustParse(t, draft("云溪市人民政府办公室", name)))
		date, _ := find(p, layout.IssuedOn)
		names, _ := find(p, layout.SignedBy)
		if text(names) != name {
			t.Errorf("%d characters: set %q", n, text(names))
		}
		if n <= 15 || n > 20 {
			near(t, "date from the right", right-date[0].X-date[0].Width(), 4*cell, 0.1)
		}
		s := p.SealSpot
		near(t, "date in the seal", date[0].X+date[0].Width()/2, s.X, 0.01)
		for _, r := range names {
			near(t, fmt.Sprintf("%d characters: %s over the date", n, r.Text), r.X+r.Width()/2, s.X, 0.01)
			if emTop(r)+r.Size/2 < s.Y-s.Diameter/2 || emTop(r) > emTop(date[0])-7 {
				t.Errorf("%d characters: %s at %.1f does not lie in the seal at %.1f above the date", n, r.Text, emTop(r), s.Y)
			}
			if len([]rune(r.Text)) < 5 {
				t.Errorf("%d characters: a line of %q", n, r.Text)
			}
		}
		if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
			t.Errorf("%d characters: %v", n, r.Faults())
		}
	}
}

// TestManySeals: up to fifteen offices the rows stand on one page, with text on it, at most one line below it.
func TestManySeals(t *testing.T) {
	for n := 11; n <= 15; n += 2 {
		for lines := 1; lines <= 12; lines += 2 {
			d := mustParse(t, draft("  各单位要做好试点工作。\n", strings.Repeat("  各单位要做好试点工作，明确一名联络员。\n", lines), "title:", "joint_issuers: "+offices(n-1, 9)+"\ntitle:"))
			p := mustCompose(t, d)
			checkPaper(t, p, false)
			if len(p.SealSpots) != n {
				t.Fatalf("%d seals of %d offices", len(p.SealSpots), n)
			}
			page := p.SealSpots[n-1].Page
			if p.SealSpots[0].Page != page {
				t.Errorf("%d offices, %d lines: seals on several pages", n, lines)
			}
			foot := 0.0
			for _, r := range p.Pages[page].Runs {
				if r.Element == layout.Body {
					foot = max(foot, emTop(r)+r.Size)
				}
			}
			if gap := p.SealSpots[0].Y - p.SealSpots[0].Diameter/2 - foot; lines > 1 && (gap < 0 || gap > pitch) {
				t.Errorf("%d offices, %d lines: the first row is %.1f mm below the text", n, lines, gap)
			}
			if got := codes(p); lines > 1 && got != "joint_red_head" {
				t.Errorf("%d offices, %d lines: warned %s", n, lines, got)
			}
		}
	}
}

// TestOneLineOfText: a text of one line above a signature that finds no room is set wider, to stand on both pages.
func TestOneLineOfText(t *testing.T) {
	d := mustParse(t, draft("各单位要做好试点工作。", "各单位要做好试点工作，并于月底前报送联络员的名单。", "通知", "请示",
		"title:", "approvers: ["+strings.Repeat("林致远, ", 19)+"赵一鸣]\ntitle:"))
	p := mustCompose(t, d)
	body, page := find(p, layout.Body)
	if page != p.SealSpot.Page || page != 1 || len(body) != 2 || text(body) != d.Body[0].Text {
		t.Errorf("text %q to page %d, the seal on page %d", text(body), page+1, p.SealSpot.Page+1)
	}
	if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
		t.Errorf("%v", r.Faults())
	}
}
