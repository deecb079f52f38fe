package layout_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"yinxin/document/layout"
)

// onDraft plants a fault on the pages of a draft of its own rather than on a template.
func onDraft(t testing.TB, source string, change func(pages []layout.Page)) func([]layout.Page, []layout.Spot) ([]layout.Page, []layout.Spot) {
	return func([]layout.Page, []layout.Spot) ([]layout.Page, []layout.Spot) {
		p := mustCompose(t, mustParse(t, source))
		pages := stripped(p)
		change(pages)
		return pages, p.SealSpots
	}
}

// rule changes the first rule of a table on page 1 that is upright or not and lies below others of its direction.
func rule(pages []layout.Page, upright bool, below int, change func(*layout.Rule)) {
	for i := range pages[0].Rules {
		r := &pages[0].Rules[i]
		if is := math.Abs(r.X1-r.X2) < 0.01; is != upright || r.Color.R > 0 || math.Abs(r.X1-left) < 0.01 && upright {
			continue
		}
		if below--; below < 0 {
			change(r)
			return
		}
	}
}

// plantedInTables are faults inside of a table of three rows.
func plantedInTables(t testing.TB) []planted {
	table := func(change func(p []layout.Page)) func([]layout.Page, []layout.Spot) ([]layout.Page, []layout.Spot) {
		return onDraft(t, tableDraft(3), change)
	}
	return []planted{
		{"an upright rule of one row 2 mm aside", "notice.yaml", table(func(p []layout.Page) {
			rule(p, true, 4, func(r *layout.Rule) { r.X1, r.X2 = r.X1+2, r.X2+2 })
		}), []string{"table_rule.columns", "table_rule.crossed"}},
		{"an upright rule that ends short", "notice.yaml", table(func(p []layout.Page) {
			rule(p, true, 0, func(r *layout.Rule) { r.Y1 += 3 })
		}), []string{"table_rule.meet"}},
		{"a level rule beside the table", "notice.yaml", table(func(p []layout.Page) {
			rule(p, false, 0, func(r *layout.Rule) { r.X1, r.X2 = r.X1+4, r.X2+4 })
		}), []string{"table_rule.meet", "table_rule.within"}},
		{"text of a cell through its rule", "notice.yaml", table(func(p []layout.Page) {
			edit(p[:1], "云溪市第", move(-8, 0))
		}), []string{"table_rule.crossed"}},
		{"text of a cell larger than the others", "notice.yaml", table(func(p []layout.Page) {
			edit(p[:1], "云溪市第", func(r *layout.Run) {
				if strings.HasPrefix(r.Text, "云溪市第1") || r.Text == "云溪市第" {
					r.Size *= 1.1
				}
			})
		}), []string{"table_rule.size"}},
	}
}

// plantedInLists are faults in 签发人, in the lists of minutes, in red rules, and of what lies over text.
func plantedInLists(t testing.TB) []planted {
	many := draft("通知", "请示", "title:", "approvers: [林致远, 赵一鸣, 沈知行]\ntitle:")
	return []planted{
		{"second line of 签发人 aside", "request.yaml", onDraft(t, many, func(p []layout.Page) { edit(p, "沈知行", move(-4, 0)) }), []string{"approver.column"}},
		{"red rule 3 mm thick", "notice.yaml", onPages(func(p []layout.Page) { p[0].Rules[0].Width = 3 }), []string{"red_rule.thickness"}},
		{"red rule of a letter 3 mm thick", "letter.yaml", onPages(func(p []layout.Page) { p[0].Rules[0].Width = 3 }), []string{"red_rule.thickness_letter"}},
		{"lower part of a line covered", "notice.yaml", onPages(func(p []layout.Page) {
			p[0].Unseen = append(p[0].Unseen, layout.Unseen{Why: "part", Text: "为规范公文", X: 40, Y: 150})
		}), []string{"page.marred"}},
		{"half-width colon in a list of minutes", "minutes.yaml", onPages(func(p []layout.Page) { rewrite(p, "出席：", "出席:") }), []string{"attendance.label"}},
		{"lists of minutes a line lower", "minutes.yaml", onPages(func(p []layout.Page) { inLists(p, move(0, 10.39)) }), []string{"attendance.below"}},
		{"lists of minutes smaller", "minutes.yaml", onPages(func(p []layout.Page) {
			inLists(p, func(r *layout.Run) { r.Size *= 0.95 })
		}), []string{"attendance.size"}},
		{"further names of a list of minutes aside", "minutes.yaml", onPages(func(p []layout.Page) {
			inLists(p, func(r *layout.Run) {
				if r.X > left+4.5*cell && r.X < left+5.5*cell && !slices.ContainsFunc(p, func(q layout.Page) bool {
					return slices.ContainsFunc(q.Runs, func(o layout.Run) bool { return o.X < r.X && math.Abs(o.Y-r.Y) < 0.1 })
				}) {
					r.X -= 2 * cell
				}
			})
		}), []string{"attendance.hanging"}},
	}
}

// inLists changes the runs of 出席, 请假 and 列席: from the first label to the foot of the page's text.
func inLists(pages []layout.Page, change func(*layout.Run)) {
	for i := range pages {
		from := math.Inf(1)
		for _, r := range pages[i].Runs {
			if strings.HasPrefix(r.Text, "出席") && r.X < left+3*cell {
				from = r.Y
			}
		}
		for k := range pages[i].Runs {
			if r := &pages[i].Runs[k]; r.Y > from-0.1 && r.Size > 5.3 {
				change(r)
			}
		}
	}
}
