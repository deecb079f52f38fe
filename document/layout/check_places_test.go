package layout_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"yinxin/document/layout"
	"yinxin/verdict"
)

// signed changes the 署名 of an office on the pages behind the first; a text of the 版记 that begins alike is smaller.
func signed(pages []layout.Page, name string, change func(*layout.Run)) {
	edit(pages[1:], name, func(r *layout.Run) {
		if r.Text == name && r.Size > 5 {
			change(r)
		}
	})
}

// plantedInPlaces breaks the rules on what stands beside or below what.
func plantedInPlaces() []planted {
	return []planted{
		{"a 署名 less than the red head names", "joint.yaml", func(p []layout.Page, s []layout.Spot) ([]layout.Page, []layout.Spot) {
			for i := range p[1:] {
				p[i+1].Runs = slices.DeleteFunc(p[i+1].Runs, func(r layout.Run) bool { return r.Text == "云溪市财政局" && r.Size > 5 })
			}
			return p, nil
		}, []string{"signed_by.count"}},
		{"a 署名 lower than those beside it", "joint.yaml", func(p []layout.Page, _ []layout.Spot) ([]layout.Page, []layout.Spot) {
			signed(p, "云溪市财政局", move(0, 8))
			return p, nil
		}, []string{"signed_by.row"}},
		{"a 署名 nearer to one neighbour", "joint.yaml", func(p []layout.Page, _ []layout.Spot) ([]layout.Page, []layout.Spot) {
			signed(p, "云溪市财政局", move(-2, 0))
			return p, nil
		}, []string{"signed_by.columns"}},
		{"a row of 署名 a little lower altogether", "joint.yaml", func(p []layout.Page, _ []layout.Spot) ([]layout.Page, []layout.Spot) {
			for _, name := range []string{"云溪市教育局", "云溪市财政局", "云溪市档案局"} {
				signed(p, name, move(0, 0.5))
			}
			return p, nil
		}, nil},
		{"first paragraph not indented", "notice.yaml", onPages(func(p []layout.Page) { edit(p[:1], "为规范公文", move(-2*cell, 0)) }), []string{"body.indent"}},
		{"heading not indented", "circular.yaml", onPages(func(p []layout.Page) { edit(p[:1], "一、总体情况", move(-2*cell, 0)) }), []string{"body.indent"}},
		{"second paragraph not indented", "circular.yaml", onPages(func(p []layout.Page) { edit(p[:1], "全市试点单位共", move(-2*cell, 0)) }), []string{"body.indent"}},
		{"second heading of level 2 not indented", "circular.yaml", onPages(func(p []layout.Page) {
			edit(p, "（一）落实责任", move(-2*cell, 0))
		}), []string{"body.face", "body.indent"}},
		{"附注 without brackets", "circular.yaml", onPages(func(p []layout.Page) {
			edit(p[1:], "（此件公开发布）", func(r *layout.Run) {
				n := len([]rune(r.Text))
				r.Text, r.Advances = strings.Trim(r.Text, "（）"), r.Advances[1:n-1]
			})
		}), []string{"note.brackets"}},
		{"版记 without the rule above who printed", "circular.yaml", onPages(func(p []layout.Page) {
			p[len(p)-1].Rules = slices.Delete(p[len(p)-1].Rules, 1, 2)
		}), []string{"imprint_rule.between"}},
		{"second line of copies farther in", "circular.yaml", onPages(func(p []layout.Page) { edit(p[1:], "人民法院，", move(5, 0)) }), []string{"cc.hanging"}},
		{"second line of the title lower", "circular.yaml", onPages(func(p []layout.Page) { edit(p[:1], "关于2026年第四季度", move(0, 2)) }), []string{"title.leading"}},
		{"second line of the title a little lower", "circular.yaml", onPages(func(p []layout.Page) { edit(p[:1], "关于2026年第四季度", move(0, 0.3)) }), nil},
		{"签发人 without its label", "request.yaml", onPages(func(p []layout.Page) {
			edit(p[:1], "签发人：", func(r *layout.Run) {
				w := 0.0
				for _, a := range r.Advances[:4] {
					w += a
				}
				r.X, r.Text, r.Advances = r.X+w, strings.TrimPrefix(r.Text, "签发人："), r.Advances[4:]
			})
		}), []string{"approver.label"}},
		{"short line before a Latin word", "notice.yaml", onPages(func(p []layout.Page) {
			for k := range p[1].Runs {
				r := &p[1].Runs[k]
				if strings.HasPrefix(r.Text, "签收；对格式不符") {
					r.Text = "S" + strings.TrimPrefix(r.Text, "签") // a word
				}
			}
		}), nil},
	}
}

// TestLongHostName: a 署名 of a joint document that begins near the left edge is one.
func TestLongHostName(t *testing.T) {
	joint, err := os.ReadFile("../../examples/joint.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"云溪市住房和城乡建设局", "云溪市经济技术开发区管理委员会"} {
		for _, third := range []string{"", "  - {code: YXDA, name: 云溪市档案局}\n"} {
			text := strings.Replace(string(joint), "name: 云溪市教育局", "name: "+name, 1)
			p := mustCompose(t, mustParse(t, strings.Replace(text, "  - {code: YXDA, name: 云溪市档案局}\n", third, 1)))
			for _, seals := range [][]layout.Spot{nil, p.SealSpots} {
				if r := layout.Check(stripped(p), seals); r.Verdict != verdict.Passed {
					t.Errorf("%s, %d seals: %v", name, len(seals), r.Faults())
				}
			}
			if got := layout.Read(stripped(p)); got.Issuer.Name != name || !strings.HasSuffix(got.Body[len(got.Body)-1].Text, "专款专用。") {
				t.Errorf("%s read as %q", name, got.Issuer.Name)
			}
		}
	}
}
