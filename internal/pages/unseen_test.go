package pages_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/document/layout"
	"yinxin/verdict"
)

// onPage changes the content of one page, counted from 0, of the notice.
func onPage(page string, change func(text string) string) func(t *testing.T, data []byte) []byte {
	return func(t *testing.T, data []byte) []byte {
		t.Helper()
		changed := false
		out := rewritten(t, data, func(name string) string { return name }, func(name, text string) string {
			if !strings.HasSuffix(name, "Page_"+page+"/Content.xml") {
				return text
			}
			after := change(text)
			changed = changed || after != text
			return after
		})
		if !changed {
			t.Fatal("nothing was changed")
		}
		return out
	}
}

var object = regexp.MustCompile(`<ofd:TextObject.*?</ofd:TextObject>`)

// onLine changes the objects of a page that hold a text.
func onLine(page, holds string, change func(object string) string) func(t *testing.T, data []byte) []byte {
	return onPage(page, func(text string) string {
		return object.ReplaceAllStringFunc(text, func(o string) string {
			if strings.Contains(o, holds) {
				return change(o)
			}
			return o
		})
	})
}

func attribute(a string) func(string) string {
	return func(o string) string { return strings.Replace(o, "<ofd:TextObject ", "<ofd:TextObject "+a+" ", 1) }
}

func inside(x string) func(string) string {
	return func(o string) string { return strings.Replace(o, "<ofd:TextCode", x+"<ofd:TextCode", 1) }
}

func onTop(x string) func(string) string {
	return func(text string) string { return strings.Replace(text, "</ofd:Layer>", x+"</ofd:Layer>", 1) }
}

func below(x string) func(string) string {
	return func(text string) string { return strings.Replace(text, `Type="Body">`, `Type="Body">`+x, 1) }
}

func bar(colour, attrs string) string {
	return `<ofd:PathObject ID="9002" Boundary="20 262 170 20" Fill="true" Stroke="false" ` + attrs + `><ofd:FillColor Value="` + colour +
		`"/><ofd:AbbreviatedData>M 0 0 L 170 0 L 170 20 L 0 20 C</ofd:AbbreviatedData></ofd:PathObject>`
}

func clipTo(box string) string {
	return `<ofd:Clips><ofd:Clip><ofd:Area><ofd:Path Boundary="0 0 300 300"><ofd:AbbreviatedData>` + box + `</ofd:AbbreviatedData></ofd:Path></ofd:Area></ofd:Clip></ofd:Clips>`
}

// onSight are changes of a file that lint must see, and beside them ones that look alike and harm nothing.
func onSight() []struct {
	name   string
	change func(t *testing.T, data []byte) []byte
	want   []string
} {
	const line = "签收；对格式不符"
	white := `<ofd:FillColor Value="255 255 255"/>`
	return []struct {
		name   string
		change func(t *testing.T, data []byte) []byte
		want   []string
	}{
		{"white page number", onLine("1", "— 2 —", inside(white)), []string{"page.unseen", "page_number.count"}},
		{"white page number on a dark bar", onPage("1", func(s string) string {
			return below(bar("0 0 0", ""))(object.ReplaceAllStringFunc(s, func(o string) string {
				if strings.Contains(o, "— 2 —") {
					return inside(white)(o)
				}
				return o
			}))
		}), []string{"page.coloured"}},
		{"pale text", onLine("1", line, inside(`<ofd:FillColor Value="235 235 235"/>`)), []string{"body.gap", "page.unseen"}},
		{"grey text", onLine("1", line, inside(`<ofd:FillColor Value="120 120 120"/>`)), []string{"page.coloured"}},
		{"text in a dark black", onLine("1", line, inside(`<ofd:FillColor Value="35 24 21"/>`)), nil},
		{"transparent text", onLine("1", line, attribute(`Alpha="0"`)), []string{"body.gap", "page.unseen"}},
		{"text of a transparent colour", onLine("1", line, inside(`<ofd:FillColor Value="0 0 0" Alpha="0"/>`)), []string{"body.gap", "page.unseen"}},
		{"slightly transparent text", onLine("1", line, attribute(`Alpha="220"`)), nil},
		{"text that is not painted", onLine("1", line, attribute(`Fill="false"`)), []string{"body.gap", "page.unseen"}},
		{"text that is switched off", onLine("1", line, attribute(`Visible="false"`)), []string{"body.gap", "page.unseen"}},
		{"covered page number", onPage("1", onTop(bar("255 255 255", ""))), []string{"page.unseen", "page_number.count"}},
		{"black bar over the page number", onPage("1", onTop(bar("0 0 0", ""))), []string{"page.unseen", "page_number.count"}},
		{"thick white line over the page number", onPage("1", onTop(`<ofd:PathObject ID="9003" Boundary="20 262 170 20" LineWidth="18"><ofd:StrokeColor Value="255 255 255"/><ofd:AbbreviatedData>M 0 8 L 170 8</ofd:AbbreviatedData></ofd:PathObject>`)), []string{"page.unseen", "page_number.count"}},
		{"transparent bar over the page number", onPage("1", onTop(bar("255 255 255", `Alpha="20"`))), nil},
		{"bar below the page number", onPage("1", below(bar("240 240 240", ""))), nil},
		{"text cut away", onLine("1", line, inside(clipTo("M 0 0 L 1 0 L 1 1 L 0 1 C"))), []string{"body.gap", "page.unseen"}},
		{"upper third of a line cut away", onLine("1", line, inside(clipTo("M 0 2.9 L 300 2.9 L 300 300 L 0 300 C"))), []string{"page.marred"}},
		{"text inside of its clip", onLine("1", line, inside(clipTo("M 0 0 L 300 0 L 300 300 L 0 300 C"))), nil},
		{"text off the paper", onLine("1", line, func(o string) string {
			return regexp.MustCompile(`Boundary="\S+`).ReplaceAllString(o, `Boundary="-300`)
		}), []string{"body.gap", "page.unseen"}},
		{"text turned by two degrees", onLine("1", line, attribute(`CTM="0.9994 0.0349 -0.0349 0.9994 0 0"`)), []string{"body.gap", "page.turned"}},
		{"mirrored text", onLine("1", line, attribute(`CTM="-1 0 0 1 150 0"`)), []string{"body.gap", "page.turned"}},
		{"text upside down", onLine("1", line, attribute(`CharDirection="180"`)), []string{"body.gap", "page.turned"}},
		{"text on its side", onLine("1", line, attribute(`CTM="0 1 -1 0 8 0"`)), []string{"body.gap"}},
		{"squeezed text", onLine("1", line, attribute(`HScale="0.8"`)), []string{"page.stretch"}},
		{"text squeezed by its matrix", onLine("1", line, attribute(`CTM="0.9 0 0 1 0 0"`)), []string{"body.narrowest", "page.stretch"}},
		{"slanted text", onLine("1", line, attribute(`Italic="true"`)), []string{"page.slanted"}},
		{"bold text", onLine("1", line, attribute(`Weight="800"`)), []string{"page.bold"}},
		{"text of the usual weight", onLine("1", line, attribute(`Weight="400"`)), nil},
		{"title in the font of the headings", onLine("0", "关于开展", font("2")), []string{"title.face"}},
		{"heading of level 1 in the font of level 2", onLine("0", "一、试点目标", font("3")), []string{"body.face"}},
		{"heading of level 2 in the font of level 1", onLine("1", "（一）", font("2")), []string{"body.face"}},
		{"page number in the font of the headings", onLine("1", "— 2 —", font("3")), []string{"page_number.below", "page_number.face"}},
		{"a character that the font lacks", onLine("1", line, func(o string) string { return strings.Replace(o, "签", "\U0010FFFD", 1) }), []string{"page.missing_characters"}},
		{"a glyph of no character", onLine("1", line, inside(`<ofd:CGTransform CodePosition="0" CodeCount="1" GlyphCount="1"><ofd:Glyphs>0</ofd:Glyphs></ofd:CGTransform>`)), []string{"page.missing_characters"}},
	}
}

func font(id string) func(string) string {
	return func(o string) string { return regexp.MustCompile(` Font="\d+"`).ReplaceAllString(o, ` Font="`+id+`"`) }
}

// TestOnSight plants what only an eye sees in a file as it is received, and measures it with and without its names.
func TestOnSight(t *testing.T) {
	notice := mustCompose(t, "notice.yaml")
	if r := mustMeasure(t, notice); r.Verdict != verdict.Passed {
		t.Fatal(r.Faults())
	}
	for _, tt := range onSight() {
		t.Run(tt.name, func(t *testing.T) {
			data := tt.change(t, notice)
			r := mustMeasure(t, data)
			if diff := cmp.Diff(tt.want, faultNames(r)); diff != "" {
				t.Errorf("%s\n%+v", diff, r.Faults())
			}
			if diff := cmp.Diff(r, mustMeasure(t, stripped(t, data))); diff != "" {
				t.Errorf("without names:\n%s", diff)
			}
		})
	}
}

func faultNames(r layout.Report) []string {
	var out []string
	for _, m := range r.Faults() {
		if name := string(m.Element) + "." + m.Measure; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
