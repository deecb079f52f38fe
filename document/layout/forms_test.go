package layout_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
)

func redRules(p *layout.Pages) (out []layout.Rule) {
	for _, r := range p.Pages[0].Rules {
		if r.Element == layout.RedRule {
			out = append(out, r)
		}
	}
	return out
}

// TestLetterForm measures GB/T 9704-2012 10.1.
func TestLetterForm(t *testing.T) {
	_, p := mustExample(t, "reply.yaml")
	head, _ := find(p, layout.RedHead)
	near(t, "red head below the paper's edge", inkTop(t, head[0]), 30, 0.01)
	rules := redRules(p)
	if len(rules) != 4 {
		t.Fatalf("%d red rules, want two pairs", len(rules))
	}
	for _, r := range rules {
		near(t, "length of a red rule", r.X2-r.X1, 170, 0.001)
		near(t, "red rule is centred", (r.X1+r.X2)/2, 105, 0.001)
	}
	near(t, "second pair above the paper's edge", 297-rules[3].Y1, 20, 0.001)
	if rules[0].Width <= rules[1].Width || rules[2].Width >= rules[3].Width {
		t.Errorf("pairs are %v/%v and %v/%v thick, want thick over thin, then thin over thick",
			rules[0].Width, rules[1].Width, rules[2].Width, rules[3].Width)
	}
	number, _ := find(p, layout.Number)
	near(t, "number is flush right", number[0].X+number[0].Width(), right, 0.01)
	near(t, "number below the double rule", emTop(number[0])-rules[1].Y1-rules[1].Width/2, 7.0/8*size3, 0.01)
	title, _ := find(p, layout.Title)
	near(t, "title below the number", emTop(title[0])-emTop(number[0])-size3, 2*pitch, 0.01)
	if n, _ := find(p, layout.PageNumber); len(n) != len(p.Pages)-1 {
		t.Errorf("%d page numbers on %d pages: the first has none", len(n), len(p.Pages))
	}
	if cc, page := find(p, layout.CC); page != len(p.Pages)-1 || text(cc) != "抄送：云溪市公文交换中心。" {
		t.Errorf("copies %q on page %d", text(cc), page+1)
	}
	for _, pg := range p.Pages {
		for _, r := range pg.Rules {
			if r.Element == layout.ImprintRule {
				t.Error("a letter's 版记 has no rules")
			}
		}
	}
}

// TestOrderForm measures 10.2 and the 签名章 of 7.3.5.3.
func TestOrderForm(t *testing.T) {
	_, p := mustExample(t, "order.yaml")
	head, _ := find(p, layout.RedHead)
	if text(head) != "云溪市人民政府令" {
		t.Errorf("red head %q", text(head))
	}
	near(t, "red head below the type area's top", inkTop(t, head[0])-top, 20, 0.01)
	number, _ := find(p, layout.Number)
	near(t, "number is centred", number[0].X+number[0].Width()/2, 106, 0.01)
	body, _ := find(p, layout.Body)
	near(t, "text below the number", emTop(body[0])-emTop(number[0])-size3, 2*pitch, 0.01)
	if title, _ := find(p, layout.Title); len(title) > 0 || len(redRules(p)) > 0 {
		t.Errorf("an order prints a title %q or a red rule", text(title))
	}
	spot, last := p.SealSpot, body[len(body)-1]
	if spot == nil || spot.Diameter != 20 {
		t.Fatalf("place of the 签名章 %v", spot)
	}
	near(t, "签名章 below the text", spot.Y-10-emTop(last)-pitch, 2*pitch, 0.01)
	near(t, "签名章 from the right", right-spot.X-10, 4*cell, 0.01)
	title, _ := find(p, layout.OfficeTitle)
	near(t, "office title beside the 签名章", spot.X-10-title[0].X-title[0].Width(), 2*cell, 0.01)
	near(t, "office title in the middle", emTop(title[0])+size3/2, spot.Y, 0.01)
	date, _ := find(p, layout.IssuedOn)
	near(t, "date below the 签名章", emTop(date[0])-spot.Y-10, pitch, 0.01)
	near(t, "date from the right", right-date[0].X-date[0].Width(), 4*cell, 0.01)
}

// TestMinutesForm measures 10.3.
func TestMinutesForm(t *testing.T) {
	_, p := mustExample(t, "minutes.yaml")
	head, _ := find(p, layout.RedHead)
	near(t, "red head below the type area's top", inkTop(t, head[0])-top, 35, 0.01)
	lists, _ := find(p, layout.Attending)
	for _, label := range []string{"出席：", "请假：", "列席："} {
		i := slices.IndexFunc(lists, func(r layout.Run) bool { return r.Text == label })
		if i < 0 {
			t.Fatalf("no list %s in %q", label, text(lists))
		}
		near(t, label+" indent", lists[i].X-left, 2*cell, 0.01)
		if lists[i].Face.Official() != "黑体" {
			t.Errorf("%s is set in %s", label, lists[i].Face.Official())
		}
	}
	if strings.Contains(text(lists), "一鸣") && !strings.Contains(text(lists), "赵一鸣") {
		t.Errorf("a name is split: %q", text(lists))
	}
	if len(p.SealSpots) != 0 {
		t.Errorf("minutes bear seals at %v", p.SealSpots)
	}
}

// TestJointSeals walks through two to twelve issuers with short and long names: every name and seal in its place, seals in
// rows that neither touch nor leave the type area, the last on the date (7.3.5.1).
func TestJointSeals(t *testing.T) {
	for _, name := range []string{"云溪市%s局", "云溪市人民政府%s工作办公室"} {
		for n := 2; n <= 12; n++ {
			var others []string
			for i := 1; i < n; i++ {
				others = append(others, fmt.Sprintf(name, string([]rune("甲乙丙丁戊己庚辛壬癸子丑")[i])))
			}
			p := mustCompose(t, mustParse(t, draft("title:", "joint_issuers: ["+strings.Join(others, ", ")+"]\ntitle:")))
			if len(p.SealSpots) != n || *p.SealSpot != p.SealSpots[0] {
				t.Fatalf("%d places for the seals of %d offices", len(p.SealSpots), n)
			}
			checkSeals(t, p, n)
		}
	}
}

// TestNamesOfJointOffices: a long name stands whole beside a short one, a name that is broken is broken behind a place or
// behind 市委, and lint finds every seal over its name.
func TestNamesOfJointOffices(t *testing.T) {
	for _, tt := range []struct {
		offices []string
		want    string
	}{
		{[]string{"云溪市人力资源和社会保障局", "云溪市财政局"}, "云溪市人力资源和社会保障局/云溪市财政局/"},
		{[]string{"中共云溪市委云溪市人民政府", "云溪市财政局"}, "中共云溪市委云溪市人民政府/云溪市财政局/"},
		{
			[]string{"中共云溪市委云溪市人民政府", "云溪市人力资源和社会保障局"},
			"中共云溪市委/云溪市人民政府/云溪市/人力资源和社会保障局/",
		},
	} {
		p := mustCompose(t, mustParse(t, draft("title:", "joint_issuers: ["+strings.Join(tt.offices[1:], ", ")+"]\ntitle:",
			"云溪市人民政府办公室", tt.offices[0])))
		got := ""
		names, _ := find(p, layout.SignedBy)
		for _, r := range names {
			got += r.Text + "/"
		}
		if got != tt.want {
			t.Errorf("%v: set as %s, want %s", tt.offices, got, tt.want)
		}
		if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
			t.Errorf("%v: %+v", tt.offices, r.Faults())
		}
	}
}

func checkSeals(t *testing.T, p *layout.Pages, n int) {
	t.Helper()
	date, page := find(p, layout.IssuedOn)
	body, _ := find(p, layout.Body)
	for i, a := range p.SealSpots {
		if a.Page != page {
			t.Errorf("%d offices: seal %d is on page %d, the date on %d", n, i, a.Page+1, page+1)
		}
		if a.X-a.Diameter/2 < left-0.01 || a.X+a.Diameter/2 > right+0.01 || a.Y+a.Diameter/2 > bottom+0.01 {
			t.Errorf("%d offices: seal %d at %.1f, %.1f leaves the type area", n, i, a.X, a.Y)
		}
		for _, b := range p.SealSpots[:i] {
			if d := math.Hypot(a.X-b.X, a.Y-b.Y); d <= a.Diameter {
				t.Errorf("%d offices: two seals are %.1f mm apart", n, d)
			}
		}
	}
	last := p.SealSpots[n-1]
	near(t, "last seal over the date", last.X, date[0].X+date[0].Width()/2, 0.01)
	if len(p.SealSpots) <= 3 {
		gap := p.SealSpots[0].Y - 21 - emTop(body[len(body)-1]) - size3
		if gap < 0 || gap > pitch {
			t.Errorf("%d offices: the first row is %.1f mm below the text", n, gap)
		}
	}
	names, _ := find(p, layout.SignedBy)
	for _, r := range names {
		centre := r.X + r.Width()/2
		if !slices.ContainsFunc(p.SealSpots, func(s layout.Spot) bool {
			return math.Abs(centre-s.X) < 0.01 && math.Abs(emTop(r)+size3/2-s.Y) < s.Diameter/2
		}) {
			t.Errorf("%d offices: %s at %.1f, %.1f lies in no seal", n, r.Text, centre, r.Y)
		}
	}
}

func TestFormsAreChosen(t *testing.T) {
	for _, k := range document.Kinds() {
		want := map[document.Kind]document.Form{document.Letter: "letter", document.Order: "order", document.Minutes: "minutes"}[k]
		if want == "" {
			want = document.FormCommon
		}
		if got := (&document.Document{Metadata: document.Metadata{Kind: k}}).PageForm(); got != want {
			t.Errorf("%s is set as %s, want %s", k, got, want)
		}
	}
}

// TestTwelveJointIssuers: every name stands whole in its own seal, and the checker finds 发文字号 and signature with the
// seals and without.
func TestTwelveJointIssuers(t *testing.T) {
	d := mustParse(t, draft("  各单位要做好试点工作。\n", strings.Repeat("  各单位要按照分工抓好落实，明确一名负责人和一名联络员，并于月底前将名单和进展情况报市政府办公室汇总。\n", 4)))
	for _, name := range []string{
		"云溪市财政局", "云溪市档案局", "云溪市人力资源和社会保障局", "云溪市公安局", "云溪市民政局", "云溪市司法局", "云溪市自然资源和规划局",
		"云溪市交通运输局", "云溪市农业农村局", "云溪市卫生健康委员会", "云溪市审计局",
	} {
		d.JointIssuers = append(d.JointIssuers, document.Office{Name: name})
	}
	p := mustCompose(t, d)
	if len(p.SealSpots) != 12 {
		t.Fatalf("%d places for seals", len(p.SealSpots))
	}
	inSeal := make([]string, 12)
	names, _ := find(p, layout.SignedBy)
	for _, r := range names {
		x, y := r.X+r.Width()/2, emTop(r)+r.Size/2
		for i, s := range p.SealSpots {
			if math.Abs(x-s.X) < 0.5 && math.Abs(y-s.Y) < s.Diameter/2 {
				inSeal[i] += r.Text
			}
		}
	}
	for i, o := range append([]document.Office{d.Issuer}, d.JointIssuers...) {
		if inSeal[i] != o.Name {
			t.Errorf("in the seal of %s stands %s", o.Name, inSeal[i])
		}
	}
	for _, r := range names {
		if len([]rune(r.Text)) < 2 {
			t.Errorf("a single character %s on a line of a name", r.Text)
		}
	}
	for _, seals := range [][]layout.Spot{p.SealSpots, nil} {
		if r := layout.Check(stripped(p), seals); len(r.Faults()) > 0 {
			t.Errorf("with %d seals: faults %v", len(seals), r.Faults())
		}
	}
}
