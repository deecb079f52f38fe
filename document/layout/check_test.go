package layout_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/verdict"
)

// templates are the drafts of all kinds and forms.
func templates(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("../../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, path := range all {
		if name := filepath.Base(path); document.IsKindName(strings.TrimSuffix(name, ".yaml")) || name == "joint.yaml" {
			out = append(out, name)
		}
	}
	if len(out) != 16 {
		t.Fatalf("templates %v", out)
	}
	return out
}

// stripped is what a reader of a file knows of the pages: no names of elements.
func stripped(p *layout.Pages) []layout.Page {
	var out []layout.Page
	for _, page := range p.Pages {
		page.Runs, page.Rules = slices.Clone(page.Runs), slices.Clone(page.Rules)
		for i := range page.Runs {
			page.Runs[i].Element = ""
			page.Runs[i].Advances = slices.Clone(page.Runs[i].Advances)
		}
		for i := range page.Rules {
			page.Rules[i].Element = ""
		}
		var pictures []layout.Picture // their places alone, as a reader of a page gives them
		for _, f := range page.Pictures {
			pictures = append(pictures, layout.Picture{X: f.X, Y: f.Y, Width: f.Width, Height: f.Height})
		}
		page.Pictures = pictures
		out = append(out, page)
	}
	return out
}

func faultsOf(r layout.Report) []string {
	var out []string
	for _, m := range r.Faults() {
		name := string(m.Element) + "." + m.Measure
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// TestComposedPagesAreClean: the checker finds no fault in what the composer sets, sealed or not, whatever the form.
func TestComposedPagesAreClean(t *testing.T) {
	for _, name := range templates(t) {
		d, p := mustExample(t, name)
		for _, seals := range [][]layout.Spot{nil, p.SealSpots} {
			r := layout.Check(stripped(p), seals)
			if r.Verdict != verdict.Passed || r.Form != d.PageForm() || r.Pages != len(p.Pages) {
				t.Errorf("%s with %d seals: %s, form %s: %v", name, len(seals), r.Verdict, r.Form, r.Faults())
			}
			if len(r.Measurements) < 20 {
				t.Errorf("%s: %d measurements alone", name, len(r.Measurements))
			}
			for _, w := range r.Warnings {
				if w.Code == "rule_missing" || w.Code == "unsealed" && len(seals) > 0 {
					t.Errorf("%s: %v", name, w)
				}
			}
		}
	}
}

func TestNamesOfElementsDoNotMatter(t *testing.T) {
	_, p := mustExample(t, "notice.yaml")
	if diff := cmp.Diff(layout.Check(p.Pages, p.SealSpots), layout.Check(stripped(p), p.SealSpots)); diff != "" {
		t.Error(diff)
	}
}

// edit changes runs that begin with a text.
func edit(pages []layout.Page, begins string, change func(*layout.Run)) {
	for i := range pages {
		for k := range pages[i].Runs {
			if strings.HasPrefix(pages[i].Runs[k].Text, begins) {
				change(&pages[i].Runs[k])
			}
		}
	}
}

func move(dx, dy float64) func(*layout.Run) {
	return func(r *layout.Run) { r.X, r.Y = r.X+dx, r.Y+dy }
}

func moveAll(pages []layout.Page, dx, dy float64) {
	edit(pages, "", move(dx, dy))
	for i := range pages {
		for k := range pages[i].Rules {
			r := &pages[i].Rules[k]
			r.X1, r.X2, r.Y1, r.Y2 = r.X1+dx, r.X2+dx, r.Y1+dy, r.Y2+dy
		}
	}
}

// resize sets text in another size, from the same left edge.
func resize(k float64) func(*layout.Run) {
	return func(r *layout.Run) {
		r.Size *= k
		for i := range r.Advances {
			r.Advances[i] *= k
		}
	}
}

func without(pages []layout.Page, begins string) {
	for i := range pages {
		pages[i].Runs = slices.DeleteFunc(pages[i].Runs, func(r layout.Run) bool { return strings.HasPrefix(r.Text, begins) })
	}
}

func rewrite(pages []layout.Page, from, to string) {
	for i := range pages {
		for k := range pages[i].Runs {
			r := &pages[i].Runs[k]
			r.Text = strings.ReplaceAll(r.Text, from, to)
			for len(r.Advances) < len([]rune(r.Text)) {
				r.Advances = append(r.Advances, r.Size)
			}
			r.Advances = r.Advances[:len([]rune(r.Text))]
		}
	}
}

// planted is one broken rule on an otherwise good page.
type planted struct {
	name, template string
	plant          func(pages []layout.Page, seals []layout.Spot) ([]layout.Page, []layout.Spot)
	want           []string // all of them, and no others
}

func onPages(change func(pages []layout.Page)) func([]layout.Page, []layout.Spot) ([]layout.Page, []layout.Spot) {
	return func(pages []layout.Page, seals []layout.Spot) ([]layout.Page, []layout.Spot) {
		change(pages)
		return pages, seals
	}
}

func onSeals(change func(seals []layout.Spot)) func([]layout.Page, []layout.Spot) ([]layout.Page, []layout.Spot) {
	return func(pages []layout.Page, seals []layout.Spot) ([]layout.Page, []layout.Spot) {
		seals = slices.Clone(seals)
		change(seals)
		return pages, seals
	}
}

func plantedFaults() []planted {
	last := func(p []layout.Page) *layout.Page { return &p[len(p)-1] }
	return []planted{
		{"red head 4 mm too low", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "云溪市人民政府办公室文件", move(0, 4)) }), []string{"number.below_red_head", "red_head.top"}},
		{"red head off the middle", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "云溪市人民政府办公室文件", move(3, 0)) }), []string{"red_head.centre"}},
		{"red head wider than the type area", "notice.yaml", onPages(func(p []layout.Page) {
			edit(p, "云溪市人民政府办公室文件", func(r *layout.Run) { resize(1.1)(r); move(-7.8, 0.6)(r) })
		}), []string{"red_head.width"}},
		{"red head not red", "notice.yaml", onPages(func(p []layout.Page) {
			edit(p, "云溪市人民政府办公室文件", func(r *layout.Run) { r.Color = layout.Black() })
		}), []string{"page.stray", "red_head.present"}},
		{"number off the middle", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "云溪政办发", move(-2, 0)); edit(p, "〔2026〕", move(-2, 0)) }), []string{"number.centre"}},
		{"number 6 mm too high", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "云溪政办发", move(0, -6)) }), []string{"number.below_red_head", "red_rule.below_number"}},
		{"square brackets around the year", "notice.yaml", onPages(func(p []layout.Page) { rewrite(p, "〔2026〕", "［2026］") }), []string{"number.brackets"}},
		{"第 before the serial", "notice.yaml", onPages(func(p []layout.Page) { rewrite(p, "云溪政办发〔2026〕7号", "云溪政发〔2026〕第7号") }), []string{"number.serial"}},
		{"no number", "notice.yaml", onPages(func(p []layout.Page) { without(p, "云溪政办发〔2026〕7号") }), []string{"number.present"}},
		{"red rule too short", "notice.yaml", onPages(func(p []layout.Page) { p[0].Rules[0].X2 -= 20 }), []string{"red_rule.length"}},
		{"red rule shifted", "notice.yaml", onPages(func(p []layout.Page) { p[0].Rules[0].X1 += 3; p[0].Rules[0].X2 += 3 }), []string{"red_rule.left"}},
		{"red rule too far below", "notice.yaml", onPages(func(p []layout.Page) { p[0].Rules[0].Y1 += 2; p[0].Rules[0].Y2 += 2 }), []string{"red_rule.below_number", "title.below_rule"}},
		{"no red rule", "notice.yaml", onPages(func(p []layout.Page) { p[0].Rules = nil }), []string{"red_rule.count"}},
		{"title off the middle", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "关于开展电子公文交换试点工作的通知", move(5, 0)) }), []string{"title.centre"}},
		{"title too small", "notice.yaml", onPages(func(p []layout.Page) {
			for _, s := range []string{"关于开展电子公文交换试点工作的通知", "云溪市人民政府办公室"} {
				edit(p[:1], s, func(r *layout.Run) {
					if !strings.HasSuffix(r.Text, "文件") {
						w := r.Width()
						resize(0.9)(r)
						move(w*0.05, 0)(r)
					}
				})
			}
		}), []string{"title.size"}},
		{"title too close to the rule", "notice.yaml", onPages(func(p []layout.Page) {
			edit(p[:1], "云溪市人民政府办公室", func(r *layout.Run) {
				if !strings.HasSuffix(r.Text, "文件") {
					r.Y -= 5
				}
			})
		}), []string{"title.below_rule"}},
		{"no title", "letter.yaml", onPages(func(p []layout.Page) {
			without(p, "关于商请")
			for k := range p[0].Runs {
				if r := &p[0].Runs[k]; r.Size > 7 && r.Size < 8 {
					r.Size = size3
				}
			}
		}), []string{"body.gap", "body.indent", "body.off_grid", "title.present"}},
		{"addressee indented", "notice.yaml", onPages(func(p []layout.Page) { edit(p[:1], "云溪市教育局", move(2, 0)) }), []string{"to.left"}},
		{"addressee without its colon", "notice.yaml", onPages(func(p []layout.Page) { rewrite(p[:1], "教育局：", "教育局。") }), []string{"to.colon"}},
		{"addressee a line too low", "letter.yaml", onPages(func(p []layout.Page) { edit(p, "云溪市财政局：", move(0, 4)) }), []string{"to.below_title"}},
		{"wrong left margin", "notice.yaml", onPages(func(p []layout.Page) { moveAll(p[1:2], 5, 0) }), []string{"body.indent", "page_number.outside", "type_area.left", "type_area.right", "type_area.within"}},
		{"wrong top margin", "notice.yaml", onPages(func(p []layout.Page) { moveAll(p[1:2], 0, -6) }), []string{"page_number.below", "type_area.top", "type_area.within"}},
		{"body in 16 pt", "notice.yaml", onPages(func(p []layout.Page) {
			for i := range p {
				for k := range p[i].Runs {
					if r := &p[i].Runs[k]; r.Size > 5.5 && r.Size < 5.6 {
						r.Size = 16 * 25.4 / 72
					}
				}
			}
		}), []string{"annex_label.size", "attachment_note.size", "body.size", "issued_on.size", "note.size", "number.size", "signed_by.size", "to.size"}},
		{"indent of one character", "notice.yaml", onPages(func(p []layout.Page) { edit(p[:1], "为规范公文", move(-cell, 0)) }), []string{"body.indent"}},
		{"lines too close", "notice.yaml", onPages(func(p []layout.Page) {
			y := 0.0
			for k := range p[1].Runs {
				if r := &p[1].Runs[k]; !strings.HasPrefix(r.Text, "—") {
					if y == 0 {
						y = r.Y
					}
					r.Y = y + (r.Y-y)*0.93
				}
			}
		}), []string{"body.pitch"}},
		{"characters too close", "notice.yaml", onPages(func(p []layout.Page) {
			for i := range p {
				for k := range p[i].Runs {
					if r := &p[i].Runs[k]; r.Size > 5.5 && r.Size < 5.6 && len(r.Advances) > 20 {
						for j := range r.Advances {
							r.Advances[j] -= 0.2
						}
					}
				}
			}
		}), []string{"body.character", "body.narrowest", "type_area.right"}},
		{"附件说明 with a full stop", "notice.yaml", onPages(func(p []layout.Page) { rewrite(p[2:3], "试点单位名单", "试点单位名。") }), []string{"annex_title.wording", "attachment_note.punctuation"}},
		{"附件说明 not indented", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "附件：", move(-2*cell, 0)) }), []string{"attachment_note.indent"}},
		{"附件说明 without its empty line", "notice.yaml", onPages(func(p []layout.Page) {
			edit(p[2:3], "附件：", move(0, -pitch))
			edit(p[2:3], "2.试点", move(0, -pitch))
		}), []string{"attachment_note.below", "seal.below_text"}},
		{"date at the right edge", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "2026年11月21日", func(r *layout.Run) { move(15, 0)(r) }) }), []string{"issued_on.from_right", "printed_on.right", "seal.over_date", "signed_by.over_date", "type_area.within"}},
		{"zero in the date", "report.yaml", onPages(func(p []layout.Page) { rewrite(p[1:], "2026年12月18日", "2026年08月18日") }), []string{"issued_on.digits"}},
		{"no date", "report.yaml", onPages(func(p []layout.Page) { without(p, "2026年12月18日") }), []string{"body.gap", "body.indent", "issued_on.present"}},
		{"name beside the date", "letter.yaml", onPages(func(p []layout.Page) { edit(p, "2026年11月28日", move(-4, 0)) }), []string{"issued_on.beside_name"}},
		{"name too far right", "letter.yaml", onPages(func(p []layout.Page) {
			for k := range p[0].Runs {
				if r := &p[0].Runs[k]; r.Text == "云溪市教育局" && r.X > 100 {
					r.X += 6
				}
			}
			edit(p, "2026年11月28日", move(6, 0))
		}), []string{"signed_by.place"}},
		{"name without the empty line above", "letter.yaml", onPages(func(p []layout.Page) {
			for k := range p[0].Runs {
				if r := &p[0].Runs[k]; r.Text == "云溪市教育局" && r.X > 100 || r.Text == "2026年11月28日" {
					r.Y -= pitch
				}
			}
		}), []string{"signed_by.below_text"}},
		{"附注 not indented", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "（此件公开", move(-2*cell, 0)) }), []string{"note.indent"}},
		{"附注 on the date's line", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "（此件公开", move(0, 2-pitch)) }), []string{"note.below_date"}},
		{"annex label indented", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "附件1", move(2*cell, 0)) }), []string{"annex_label.left"}},
		{"annex label on line 2", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "附件1", move(0, pitch)) }), []string{"annex_label.top"}},
		{"annex title on line 4", "notice.yaml", onPages(func(p []layout.Page) { edit(p[3:], "电子公文交换试点单位名单", move(0, pitch)) }), []string{"annex_title.top"}},
		{"annex title at the left", "notice.yaml", onPages(func(p []layout.Page) { edit(p[3:], "电子公文交换试点单位名单", move(-20, 0)) }), []string{"annex_title.centre"}},
		{"版记 on an odd page", "circular.yaml", func(p []layout.Page, s []layout.Spot) ([]layout.Page, []layout.Spot) {
			blank := layout.Page{Width: 210, Height: 297}
			return slices.Insert(p, 1, blank), []layout.Spot{{Page: 2, X: s[0].X, Y: s[0].Y, Diameter: 42}}
		}, []string{"imprint_rule.odd_page", "page_number.absent"}},
		{"版记 too high", "circular.yaml", onPages(func(p []layout.Page) {
			for k := range last(p).Rules {
				last(p).Rules[k].Y1 -= 5
				last(p).Rules[k].Y2 -= 5
			}
		}), []string{"imprint_rule.last"}},
		{"版记 without rules", "circular.yaml", onPages(func(p []layout.Page) { last(p).Rules = nil }), []string{"imprint_rule.between", "imprint_rule.count"}},
		{"rules of the 版记 too thin", "circular.yaml", onPages(func(p []layout.Page) {
			for k := range last(p).Rules {
				last(p).Rules[k].Width = 0.1
			}
		}), []string{"imprint_rule.inner", "imprint_rule.outer"}},
		{"rule of the 版记 too short", "circular.yaml", onPages(func(p []layout.Page) { last(p).Rules[1].X2 -= 10 }), []string{"imprint_rule.length"}},
		{"copies flush left", "circular.yaml", onPages(func(p []layout.Page) { edit(p, "抄送：", move(-4.9, 0)) }), []string{"cc.hanging", "cc.left"}},
		{"copies in 3号", "circular.yaml", onPages(func(p []layout.Page) { edit(p, "抄送：", func(r *layout.Run) { r.Size = size3 }) }), []string{"cc.size"}},
		{"printing date at the edge", "circular.yaml", onPages(func(p []layout.Page) { edit(p, "2027年1月16日印发", move(4, 0)) }), []string{"printed_on.right"}},
		{"printing office indented", "circular.yaml", onPages(func(p []layout.Page) {
			edit(p[1:], "云溪市人民政府办公室", func(r *layout.Run) {
				if r.Size < 5 {
					r.X += 5
				}
			})
		}), []string{"printed_by.left"}},
		{"page number missing", "notice.yaml", onPages(func(p []layout.Page) { without(p[1:2], "—") }), []string{"page_number.count"}},
		{"page number on the wrong side", "notice.yaml", onPages(func(p []layout.Page) { edit(p[1:2], "—", move(120, 0)) }), []string{"page_number.outside"}},
		{"page number too low", "notice.yaml", onPages(func(p []layout.Page) { edit(p[1:2], "—", move(0, 4)) }), []string{"page_number.below"}},
		{"page number too small", "notice.yaml", onPages(func(p []layout.Page) { edit(p[1:2], "—", resize(0.8)) }), []string{"page_number.size"}},
		{"wrong page number", "notice.yaml", onPages(func(p []layout.Page) { rewrite(p[1:2], "— 2 —", "— 3 —") }), []string{"page_number.value"}},
		{"letter with a number on page 1", "letter.yaml", onPages(func(p []layout.Page) {
			r := p[0].Runs[len(p[0].Runs)-1]
			r.Text, r.X, r.Y, r.Advances = "— 1 —", 165, 272, []float64{5, 2, 3, 2, 5}
			p[0].Runs = append(p[0].Runs, r)
		}), []string{"page_number.absent", "page_number.face"}},
		{"letter: red head too low", "letter.yaml", onPages(func(p []layout.Page) { p[0].Runs[0].Y += 3 }), []string{"red_head.top_letter", "red_rule.below_head_letter"}},
		{"letter: rules too short", "letter.yaml", onPages(func(p []layout.Page) {
			for k := range p[0].Rules {
				p[0].Rules[k].X1, p[0].Rules[k].X2 = 27.5, 182.5
			}
		}), []string{"red_rule.length_letter"}},
		{"letter: rules off the middle", "letter.yaml", onPages(func(p []layout.Page) { p[0].Rules[0].X1 += 5; p[0].Rules[0].X2 += 5 }), []string{"red_rule.centre_letter"}},
		{"letter: thin over thick", "letter.yaml", onPages(func(p []layout.Page) {
			p[0].Rules[0].Width, p[0].Rules[1].Width = p[0].Rules[1].Width, p[0].Rules[0].Width
		}), []string{"red_rule.thick_above_letter"}},
		{"letter: thick over thin at the foot", "letter.yaml", onPages(func(p []layout.Page) {
			p[0].Rules[2].Width, p[0].Rules[3].Width = p[0].Rules[3].Width, p[0].Rules[2].Width
		}), []string{"red_rule.thick_below_letter"}},
		{"letter: second pair too high", "letter.yaml", onPages(func(p []layout.Page) {
			for k := 2; k < 4; k++ {
				p[0].Rules[k].Y1 -= 4
				p[0].Rules[k].Y2 -= 4
			}
		}), []string{"red_rule.foot_letter"}},
		{"letter: one rule missing", "letter.yaml", onPages(func(p []layout.Page) { p[0].Rules = p[0].Rules[:3] }), []string{"red_rule.count_letter"}},
		{"letter: number at the left", "letter.yaml", onPages(func(p []layout.Page) { edit(p, "云溪教函", move(-8, 0)) }), []string{"number.right_letter"}},
		{"letter: number too low", "letter.yaml", onPages(func(p []layout.Page) { edit(p, "云溪教函", move(0, 3)) }), []string{"number.below_rule_letter", "title.below_last_letter"}},
		{"order: red head too low", "order.yaml", onPages(func(p []layout.Page) { edit(p, "云溪市人民政府令", move(0, 15)) }), []string{"number.below_red_head", "red_head.top_order"}},
		{"order: text too low", "order.yaml", onPages(func(p []layout.Page) { edit(p, "第7号", move(0, -3)) }), []string{"body.below_number_order", "number.below_red_head"}},
		{"order: 签名章 too close", "order.yaml", onSeals(func(s []layout.Spot) { s[0].Y -= 8 }), []string{"issued_on.below_stamp", "office_title.middle", "stamp.below_text"}},
		{"order: 签名章 at the edge", "order.yaml", onSeals(func(s []layout.Spot) { s[0].X += 12 }), []string{"office_title.beside_stamp", "stamp.from_right"}},
		{"order: date at the edge", "order.yaml", onPages(func(p []layout.Page) { edit(p, "2026年12月28日", move(10, 0)) }), []string{"issued_on.from_right_stamp"}},
		{"minutes: list at the left edge", "minutes.yaml", onPages(func(p []layout.Page) { edit(p, "出席：", move(-2*cell, 0)) }), []string{"attendance.hanging", "attendance.indent"}},
		{"minutes: red head too high", "minutes.yaml", onPages(func(p []layout.Page) { p[0].Runs[0].Y -= 5 }), []string{"number.below_red_head", "red_head.top_minutes"}},
		{"minutes: date at the edge", "minutes.yaml", onPages(func(p []layout.Page) { edit(p[:1], "2026年11月19日", move(5, 0)) }), []string{"issued_on.from_right_minutes"}},
		{"approver at the edge", "request.yaml", onPages(func(p []layout.Page) { edit(p, "赵一鸣", move(5, 0)) }), []string{"approver.right"}},
		{"number of an upward document at the edge", "request.yaml", onPages(func(p []layout.Page) { edit(p, "云溪财发", move(-5, 0)) }), []string{"number.left_upward"}},
		{"approvers not on the number's line", "request.yaml", onPages(func(p []layout.Page) {
			for _, s := range []string{"签发人", "林致远", "赵一鸣"} {
				edit(p, s, move(0, -5))
			}
		}), []string{"approver.line", "number.below_red_head"}},
		{"urgency indented", "request.yaml", onPages(func(p []layout.Page) { edit(p, "加急", move(6, 0)) }), []string{"urgency.left"}},
		{"copy number too low", "opinion.yaml", onPages(func(p []layout.Page) { edit(p, "000018", move(4, 4)) }), []string{"copy_number.left", "copy_number.top"}},
		{"text beyond the right edge", "report.yaml", onPages(func(p []layout.Page) { edit(p, "特此报告。", move(130, 0)) }), []string{"seal.below_text", "type_area.within"}},
		{"paper of another size", "letter.yaml", onPages(func(p []layout.Page) { p[0].Width = 216 }), []string{"page.width"}},
		{"paper too high", "letter.yaml", onPages(func(p []layout.Page) { p[0].Height = 303; p[0].Rules[3].Y1 += 6; p[0].Rules[3].Y2 += 6 }), []string{"page.height"}},
		{"name two lines above the date", "report.yaml", onPages(func(p []layout.Page) {
			for k := range p[1].Runs {
				if r := &p[1].Runs[k]; r.Text == "云溪市教育局" {
					r.Y -= 4
				}
			}
		}), []string{"signed_by.above_date"}},
		{"no text on page 1", "proclamation.yaml", onPages(func(p []layout.Page) {
			p[0].Runs = slices.DeleteFunc(p[0].Runs, func(r layout.Run) bool { return r.Size > 5.5 && r.Size < 5.6 && r.Y > 150 })
		}), []string{"body.on_first_page"}},
		{"twenty-three lines", "notice.yaml", onPages(func(p []layout.Page) {
			from := p[1].Runs[0]
			p[1].Runs = p[1].Runs[:0]
			for i := range 23 {
				r := from
				r.Advances = slices.Clone(r.Advances)
				r.X, r.Y = left+2*cell, top+5+float64(i)*10.2
				p[1].Runs = append(p[1].Runs, r)
			}
			number := from
			number.Text, number.Advances, number.Size, number.X, number.Y = "—2—", []float64{4.9, 2.5, 4.9}, 4.939, left+4.939, 271.4
			p[1].Runs = append(p[1].Runs, number)
		}), []string{"body.indent", "body.lines", "page_number.face", "type_area.within"}},
		{"classification mark", "report.yaml", onPages(func(p []layout.Page) {
			r := p[0].Runs[0]
			r.Text, r.Size, r.X, r.Y, r.Color, r.Advances = "机密★", 5.556, 28, 41.5, layout.Black(), []float64{5.57, 5.57, 5.57}
			p[0].Runs = append(p[0].Runs, r)
		}), []string{"classification.absent"}},
		{"seal off the date", "notice.yaml", onSeals(func(s []layout.Spot) { s[0].X -= 12 }), []string{"seal.over_date", "signed_by.under_seal"}},
		{"seal below the date", "notice.yaml", onSeals(func(s []layout.Spot) { s[0].Y += 8 }), []string{"seal.date_below_centre"}},
		{"seal over the text", "notice.yaml", onSeals(func(s []layout.Spot) { s[0].Y -= 6 }), []string{"seal.below_text"}},
		{"seal on another page", "notice.yaml", onSeals(func(s []layout.Spot) { s[0].Page = 0 }), []string{"seal.page"}},
		{"seal beyond the type area", "joint.yaml", onSeals(func(s []layout.Spot) { s[0].X -= 12 }), []string{"seal.within", "signed_by.under_seal"}},
		{"seals that touch", "joint.yaml", onSeals(func(s []layout.Spot) { s[1].X -= 3 }), []string{"seal.apart", "signed_by.under_seal"}},
		{"seal off its name", "joint.yaml", onSeals(func(s []layout.Spot) { s[0].Y += 24 }), []string{"note.near_seals", "signed_by.in_seal"}},
		{"signature on a page without text", "report.yaml", func(p []layout.Page, s []layout.Spot) ([]layout.Page, []layout.Spot) {
			without(p, "云溪市教育局办公室") // no 版记
			without(p, "2026年12月19日印发")
			next := layout.Page{Width: 210, Height: 297}
			from := &p[len(p)-1]
			from.Rules = nil
			for _, r := range from.Runs {
				if r.Text == "云溪市教育局" || r.Text == "2026年12月18日" {
					r.Y -= 100
					next.Runs = append(next.Runs, r)
				}
			}
			from.Runs = slices.DeleteFunc(from.Runs, func(r layout.Run) bool { return r.Text == "云溪市教育局" || r.Text == "2026年12月18日" })
			number := from.Runs[len(from.Runs)-1]
			number.Text, number.X = "— 3 —", 184-4.939-number.Width()
			next.Runs = append(next.Runs, number)
			return append(p, next), []layout.Spot{{Page: len(p), X: s[0].X, Y: s[0].Y - 100, Diameter: 42}}
		}, []string{"seal.with_text"}},
	}
}

func allPlanted(t testing.TB) []planted {
	return slices.Concat(plantedFaults(), plantedInSight(), plantedInPlaces(), plantedInTables(t), plantedInLists(t))
}

// TestPlantedFaults breaks one rule at a time on pages that were good.
func TestPlantedFaults(t *testing.T) {
	for _, tt := range allPlanted(t) {
		t.Run(tt.name, func(t *testing.T) {
			_, p := mustExample(t, tt.template)
			pages, seals := tt.plant(stripped(p), p.SealSpots)
			r := layout.Check(pages, seals)
			if diff := cmp.Diff(tt.want, faultsOf(r)); diff != "" {
				t.Errorf("%s\n%v", diff, r.Faults())
			}
			if (r.Verdict == verdict.Failed) != (len(tt.want) > 0) {
				t.Errorf("verdict %s", r.Verdict)
			}
		})
	}
}

func TestNoPages(t *testing.T) {
	if r := layout.Check(nil, nil); r.Pages != 0 {
		t.Errorf("%+v", r)
	}
	r := layout.Check([]layout.Page{{Width: 210, Height: 297}}, []layout.Spot{{X: 100, Y: 100, Diameter: 40}})
	if r.Verdict != verdict.Failed || !slices.Contains(faultsOf(r), "red_head.present") {
		t.Errorf("a blank page: %s, %v", r.Verdict, faultsOf(r))
	}
}

// TestEveryRuleCanFail: each row of the table has a page that breaks it.
func TestEveryRuleCanFail(t *testing.T) {
	failed := make(map[string]bool)
	for _, tt := range allPlanted(t) {
		for _, name := range tt.want {
			failed[name] = true
		}
	}
	for _, name := range layout.Rules() {
		if !failed[name] {
			t.Errorf("no planted fault breaks %s", name)
		}
	}
}
