package layout_test

import (
	"slices"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/verdict"
)

// looking sets the face of runs as a reader of a file finds it.
func looking(role fonts.Role) func(*layout.Run) {
	return func(r *layout.Run) { r.Look = layout.Look{Roles: []fonts.Role{role}} }
}

// redness is 1 for red type, 0 for other.
func redness(r *layout.Run) float64 {
	if r.Color == layout.Red() {
		return 1
	}
	return 0
}

func recolour(r, g, b uint8) func(*layout.Run) {
	return func(x *layout.Run) { x.Color = layout.Color{R: r, G: g, B: b} }
}

// hide takes runs off a page as a reader does that finds them out of sight.
func hide(pages []layout.Page, page int, begins, why string) {
	for _, r := range pages[page].Runs {
		if strings.HasPrefix(r.Text, begins) {
			pages[page].Unseen = append(pages[page].Unseen, layout.Unseen{Why: why, Text: r.Text, X: r.X, Y: r.Y})
		}
	}
	without(pages[page:page+1], begins)
}

// bodySizeOf sets every 3号 run of an element in another size.
func bodySizeOf(begins string) func([]layout.Page, []layout.Spot) ([]layout.Page, []layout.Spot) {
	return onPages(func(p []layout.Page) { edit(p, begins, func(r *layout.Run) { r.Size = 5.3 }) })
}

// plantedInSight breaks the rules on what can be seen, on faces, on single lines, and on what a document must have.
func plantedInSight() []planted {
	const line = "签收；对格式不符" // one of page 2
	one := func(change func(*layout.Run)) func([]layout.Page, []layout.Spot) ([]layout.Page, []layout.Spot) {
		return onPages(func(p []layout.Page) { edit(p[1:2], line, change) })
	}
	all := []planted{
		{"white text", "notice.yaml", onPages(func(p []layout.Page) { hide(p, 1, "—", "colour") }), []string{"page.unseen", "page_number.count"}},
		{"covered text", "notice.yaml", onPages(func(p []layout.Page) { hide(p, 0, "云溪市教育局", "covered") }), []string{"page.unseen", "to.present"}},
		{"text cut away", "notice.yaml", onPages(func(p []layout.Page) { hide(p, 2, "2026年11月21日", "clipped") }), []string{"attachment_note.hanging", "issued_on.present", "page.unseen"}},
		{"text turned", "notice.yaml", onPages(func(p []layout.Page) {
			p[1].Unseen = []layout.Unseen{{Why: "turned", Text: "斜", X: 30, Y: 50}}
		}), []string{"page.turned"}},
		{"a character that no font draws", "notice.yaml", onPages(func(p []layout.Page) {
			p[1].Unseen = []layout.Unseen{{Why: "glyph", Text: "𬭎", X: 30, Y: 50}}
		}), []string{"page.missing_characters"}},
		{"〓 for a character", "notice.yaml", onPages(func(p []layout.Page) { rewrite(p[1:2], "签收；对", "〓收；对") }), []string{"page.missing_characters"}},
		{"grey line", "notice.yaml", one(recolour(160, 160, 160)), []string{"page.coloured"}},
		{"red line in the text", "notice.yaml", one(recolour(230, 0, 18)), []string{"body.gap", "page.coloured"}},
		{"third name of a red head in black", "joint.yaml", onPages(func(p []layout.Page) {
			for k := range p[0].Runs {
				if r := &p[0].Runs[k]; r.Size > 7.8 && strings.HasSuffix(r.Text, "档案局") {
					r.Color = layout.Black()
				}
			}
		}), []string{"number.below_red_head", "page.stray", "red_head.word_middle", "signed_by.count"}},
		{"squeezed line", "notice.yaml", one(func(r *layout.Run) { r.Stretch = 0.8 }), []string{"page.stretch"}},
		{"slanted line", "notice.yaml", one(func(r *layout.Run) { r.Sheared = true }), []string{"page.slanted"}},
		{"bold line", "notice.yaml", one(func(r *layout.Run) { r.Bold = true }), []string{"page.bold"}},
		{"a line over another", "notice.yaml", onPages(func(p []layout.Page) {
			for _, r := range p[1].Runs {
				if strings.HasPrefix(r.Text, line) {
					r.X += 0.4
					p[1].Runs = append(p[1].Runs, r)
					return
				}
			}
		}), []string{"body.even", "body.narrowest", "page.overlap"}},
		{"one line lower", "notice.yaml", one(move(0, 3)), []string{"body.off_grid"}},
		{"three empty lines in the text", "notice.yaml", onPages(func(p []layout.Page) {
			for k := range p[1].Runs {
				if r := &p[1].Runs[k]; r.Y > 165 && r.Y < 230 {
					r.Y += 3 * pitch
				} else if r.Y >= 230 && r.Y < 262 {
					r.Text, r.Advances = "", nil
				}
			}
		}), []string{"body.gap"}},
		{"one squeezed row of characters", "notice.yaml", one(func(r *layout.Run) {
			for i := range r.Advances {
				r.Advances[i] -= 0.25
			}
		}), []string{"body.narrowest"}},
		{"a hole in a line", "notice.yaml", onPages(func(p []layout.Page) {
			edit(p[1:2], line, func(r *layout.Run) { r.Advances[len(r.Advances)-2] += 2 })
		}), []string{"body.even", "type_area.right", "type_area.within"}},
		{"title in 黑体", "notice.yaml", onPages(func(p []layout.Page) { edit(p[:1], "关于开展", looking(fonts.Hei)) }), []string{"title.face"}},
		{"number in 宋体", "notice.yaml", onPages(func(p []layout.Page) { edit(p[:1], "云溪政办发", looking(fonts.Song)) }), []string{"number.face"}},
		{"text in 黑体", "notice.yaml", one(looking(fonts.Hei)), []string{"body.face"}},
		{"heading of level 1 in 楷体", "notice.yaml", onPages(func(p []layout.Page) { edit(p[:1], "一、", looking(fonts.Kai)) }), []string{"body.face"}},
		{"heading of level 2 in 黑体", "notice.yaml", onPages(func(p []layout.Page) { edit(p[1:2], "（一）", looking(fonts.Hei)) }), []string{"body.face"}},
		{"附件 in 楷体", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "附件1", looking(fonts.Kai)) }), []string{"annex_label.face"}},
		{"title of an annex in 仿宋", "notice.yaml", onPages(func(p []layout.Page) { edit(p[3:], "电子公文交换试点单位名单", looking(fonts.FangSong)) }), []string{"annex_title.face"}},
		{"page number in 黑体", "notice.yaml", onPages(func(p []layout.Page) { edit(p[1:2], "—", looking(fonts.Hei)) }), []string{"page_number.face"}},
		{"urgency in 楷体", "request.yaml", onPages(func(p []layout.Page) { edit(p[:1], "加急", looking(fonts.Kai)) }), []string{"urgency.face"}},
		{"签发人 in 黑体", "request.yaml", onPages(func(p []layout.Page) { edit(p[:1], "林致远", looking(fonts.Hei)) }), []string{"approver.face"}},
		{"出席 in 楷体", "minutes.yaml", onPages(func(p []layout.Page) { edit(p, "出席：", looking(fonts.Kai)) }), []string{"attendance.face"}},
		{"抄送 in 宋体", "circular.yaml", onPages(func(p []layout.Page) { edit(p, "抄送：", looking(fonts.Song)) }), []string{"cc.face"}},
		{"second 附件 farther in", "notice.yaml", onPages(func(p []layout.Page) { edit(p[2:3], "2.试点", move(4, 0)) }), []string{"attachment_note.hanging"}},
		{"urgency on line 2", "request.yaml", onPages(func(p []layout.Page) { edit(p[:1], "加急", move(0, pitch)) }), []string{"urgency.line"}},
		{"second name of a joint head farther in", "joint.yaml", onPages(func(p []layout.Page) {
			edit(p[:1], "云溪市财政局", func(r *layout.Run) { r.X += 4 * r.Size / 8 * redness(r) })
		}), []string{"red_head.left_edges", "red_head.right_edges"}},
		{"文件 below the middle of the names", "joint.yaml", onPages(func(p []layout.Page) { edit(p[:1], "文件", move(0, 3)) }), []string{"red_head.word_middle"}},
		{"附注 far below the seals", "joint.yaml", onPages(func(p []layout.Page) { edit(p, "（此件公开", move(0, 3*pitch)) }), []string{"note.near_seals"}},
		{"no 主送", "notice.yaml", onPages(func(p []layout.Page) { without(p[:1], "云溪市教育局") }), []string{"to.present"}},
		{"no 印发 in the 版记", "circular.yaml", onPages(func(p []layout.Page) { rewrite(p[1:], "日印发", "日发出") }), []string{"printed_on.present"}},
		{"抄送 without its full stop", "circular.yaml", onPages(func(p []layout.Page) {
			for k := range p[1].Runs {
				if r := &p[1].Runs[k]; r.Size < 5 && strings.HasSuffix(r.Text, "。") {
					r.Text = strings.TrimSuffix(r.Text, "。") + "；"
				}
			}
		}), []string{"cc.full_stop"}},
		{"annex without 附件", "notice.yaml", onPages(func(p []layout.Page) { without(p[3:], "附件1") }), []string{"annex_label.present"}},
		{"annex of another number", "notice.yaml", onPages(func(p []layout.Page) { rewrite(p[3:], "附件1", "附件9") }), []string{"annex_label.listed"}},
		{"annex of another title", "notice.yaml", onPages(func(p []layout.Page) {
			rewrite(p[3:], "电子公文交换试点单位名单", "电子公文交换试点单位表册")
		}), []string{"annex_title.wording"}},
		{"annex and no 附件说明", "notice.yaml", onPages(func(p []layout.Page) { without(p[2:3], "附件："); without(p[2:3], "2.试点") }), []string{"annex_label.listed", "seal.below_text"}},
		{"附注 three lines below", "notice.yaml", onPages(func(p []layout.Page) { edit(p, "（此件公开", move(0, 2*pitch)) }), []string{"note.below_date"}},
		{"附注 over the seals of a joint document", "joint.yaml", onPages(func(p []layout.Page) {
			date := 0.0
			edit(p, "2026年12月16日", func(r *layout.Run) {
				if r.Size > 5 {
					date = r.Y
				}
			})
			edit(p, "（此件公开", func(r *layout.Run) { r.Y = date + 7 })
		}), []string{"note.below_seals", "note.near_seals"}},
	}
	for element, begins := range map[string][2]string{
		"copy_number": {"opinion.yaml", "000018"}, "urgency": {"request.yaml", "加急"}, "number": {"notice.yaml", "云溪政办发"},
		"approver": {"request.yaml", "林致远"}, "to": {"letter.yaml", "云溪市财政局："}, "attachment_note": {"notice.yaml", "2.试点"},
		"issued_on": {"letter.yaml", "2026年11月28日"}, "note": {"notice.yaml", "（此件公开"},
		"annex_label": {"notice.yaml", "附件1"},
	} {
		all = append(all, planted{element + " of another size", begins[0], bodySizeOf(begins[1]), []string{element + ".size"}})
	}
	return append(all,
		planted{"signed_by of another size", "letter.yaml", onPages(func(p []layout.Page) {
			edit(p, "云溪市教育局", func(r *layout.Run) {
				if r.Size < 6 && r.X > 60 {
					r.Size = 5.3
				}
			})
		}), []string{"signed_by.size"}},
		planted{"printing date of another size", "circular.yaml", onPages(func(p []layout.Page) {
			edit(p[1:], "2027年1月16日印发", func(r *layout.Run) { r.Size = 4.7 })
		}), []string{"printed_on.size"}},
		planted{"title of an annex too small", "notice.yaml", onPages(func(p []layout.Page) {
			edit(p[3:], "电子公文交换试点单位名单", func(r *layout.Run) { r.Size = 7 })
		}), []string{"annex_title.size"}})
}

// TestLongTitleOverShortText: a title of more characters than the text below it, and a 署名 as wide as the text, are what they
// are.
func TestLongTitleOverShortText(t *testing.T) {
	const long = "云溪市推进电子公文交换与电子档案管理数字化试点工作领导小组办公室"
	for _, n := range []int{10, 24, 25, 26, 27, 28} {
		for _, form := range []document.SignatureForm{document.SignatureSeal, document.SignatureNone} {
			d, _ := mustExample(t, "notice.yaml")
			d.Title, d.TitleLines = strings.Repeat("关于进一步加强和规范电子公文交换与归档工作的", 3)+"通知", nil
			d.Issuer.Name = string([]rune(long)[:n])
			d.Body = []document.Paragraph{document.NewParagraph("请认真执行。")}
			d.Attachments, d.Annexes, d.Note = nil, nil, ""
			d.Signature.Form = form
			if form == document.SignatureNone && n > 26 { // two characters stay free at the right, and two at the left
				continue
			}
			p, err := layout.Compose(d, faces())
			if err != nil {
				t.Fatal(err)
			}
			if r := layout.Check(stripped(p), p.SealSpots); r.Verdict != verdict.Passed {
				t.Errorf("署名 of %d characters, %v: %v", n, form, r.Faults())
			}
		}
	}
}

// TestFaceThatStandsIn: faces of the project's own are named, and no fault; nor is a face that nobody knows.
func TestFaceThatStandsIn(t *testing.T) {
	_, p := mustExample(t, "notice.yaml")
	r := layout.Check(stripped(p), p.SealSpots)
	named := func(r layout.Report, detail string) bool {
		return slices.ContainsFunc(r.Warnings, func(w layout.Warning) bool { return w.Code == "face_substituted" && strings.Contains(w.Detail, detail) })
	}
	for _, want := range []string{"小标宋: Yinxin Biaosong", "仿宋: Yinxin Kai", "黑体: Yinxin Hei", "宋体: Yinxin Song"} {
		if !named(r, want) {
			t.Errorf("no warning %q: %v", want, r.Warnings)
		}
	}
	pages := stripped(p)
	edit(pages, "", func(r *layout.Run) { r.Family = "Handwriting" })
	if r := layout.Check(pages, p.SealSpots); r.Verdict != verdict.Passed || !named(r, "仿宋: Handwriting") {
		t.Errorf("a face that nobody knows: %v, %v", r.Faults(), r.Warnings)
	}
	pages = stripped(p)
	edit(pages, "云溪市人民政府办公室文件", looking(fonts.Song)) // the standard recommends a face for the red head
	if r := layout.Check(pages, p.SealSpots); r.Verdict != verdict.Passed || !named(r, "小标宋: another face") {
		t.Errorf("a red head in 宋体: %v, %v", r.Faults(), r.Warnings)
	}
}
