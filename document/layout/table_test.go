package layout_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
)

// tableDraft is a notice with a table of n rows between two paragraphs.
func tableDraft(n int) string {
	var b strings.Builder
	b.WriteString("body:\n  - 现将名单公布如下，请各单位核对。\n  - table:\n      caption: 名单\n      head: [序号, 单位, 说明]\n      rows:\n")
	for i := range n {
		fmt.Fprintf(&b, "        - [\"%d\", 云溪市第%d试点单位, 负责公文收发、用印和归档工作，联络员须在规定的时间内签收公文]\n", i+1, i+1)
	}
	b.WriteString("  - 特此通知。\n")
	return draft("body: |\n  各单位要做好试点工作。\n", b.String())
}

// TestTwoHundredRows: a long table goes over pages with its head on each, no row is split or lost, nothing leaves the type
// area, and the checker passes the document.
func TestTwoHundredRows(t *testing.T) {
	p := mustCompose(t, mustParse(t, tableDraft(200)))
	rows, heads, pages := 0, 0, 0
	for _, page := range p.Pages {
		has := false
		for _, r := range page.Runs {
			if r.Text == "序号" {
				heads++
			}
			if strings.HasPrefix(r.Text, "云溪市第") {
				rows++
				has = true
			}
			if emTop(r)+r.Size > bottom+0.02 && r.Element != layout.PageNumber || r.X < left-0.01 || r.X+r.Width() > right+0.02 {
				t.Errorf("%q at %.1f, %.1f leaves the type area", r.Text, r.X, r.Y)
			}
		}
		for _, r := range page.Rules {
			if r.Element == layout.TableRule && (r.X1 < left-0.01 || r.X2 > right+0.01 || max(r.Y1, r.Y2) > bottom+0.01) {
				t.Errorf("a rule of the table leaves the type area: %+v", r)
			}
		}
		if has {
			pages++
		}
	}
	if rows != 200 || heads != pages || pages < 5 {
		t.Errorf("%d rows and %d heads on %d pages", rows, heads, pages)
	}
	if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
		t.Errorf("faults %v", r.Faults())
	}
}

// TestTablesOfEveryLength: wherever the table ends, the signature keeps to its rules and the checker agrees.
func TestTablesOfEveryLength(t *testing.T) {
	for n := 1; n <= 40; n++ {
		p := mustCompose(t, mustParse(t, tableDraft(n)))
		if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
			t.Errorf("%d rows: %v", n, r.Faults())
		}
	}
}

// TestBehindATable: 附件说明 and a signature without a seal are measured from the table that the text ends with; a table that is
// all of the text is not torn from its caption.
func TestBehindATable(t *testing.T) {
	const text = "  - 现将名单公布如下。\n"
	for more, before := range map[string]string{
		"signature: {form: none}\n": text, "attachments: [名单]\n": text, "": text, "joint_issuers: " + offices(7, 8) + "\n": "",
	} {
		for n := 1; n <= 16; n++ {
			body := "body:\n" + before + "  - table: {caption: 表1, head: [单位, 事项], rows: [" + strings.Repeat("[云溪市教育局, 负责], ", n) + "[甲, 乙]]}\n"
			p := mustCompose(t, mustParse(t, draft("body: |\n  各单位要做好试点工作。\n", more+body)))
			checkPaper(t, p, false)
			if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
				t.Errorf("%q, %d rows: %v", more, n, r.Faults())
			}
		}
	}
}

// TestRowsHigherThanAPage: a row goes on over pages, line by line, closed at the foot of each with the head above the rest;
// nothing of it is lost.
func TestRowsHigherThanAPage(t *testing.T) {
	duty, basis := strings.Repeat("负责公文收发、用印和归档工作，", 25), strings.Repeat("依据办法，", 60)
	for n := range 14 {
		body := "body:\n" + strings.Repeat("  - 现将名单公布如下，请各单位核对。\n", n+1) + "  - table:\n      head: [序号, 单位, 职责, 依据, 电话, 备注, 来源]\n      rows:\n" +
			fmt.Sprintf("        - ['1', 云溪市第1试点单位, %s, %s, 0999-1234567, %s, %s]\n", duty, basis, duty, duty) +
			"        - ['2', 云溪市第2试点单位, 归档, 办法, 0999-1234567, 无, 无]\n  - 特此通知。\n"
		p := mustCompose(t, mustParse(t, draft("body: |\n  各单位要做好试点工作。\n", body)))
		checkPaper(t, p, false)
		columns := make(map[string]string)
		for i, page := range p.Pages {
			heads, rows, foot := 0, 0, 0.0
			for _, r := range page.Rules {
				if r.Element == layout.TableRule && r.Y1 == r.Y2 {
					foot = max(foot, r.Y1)
				}
			}
			for _, r := range page.Runs {
				switch {
				case r.Text == "序号":
					heads++
				case r.Element == layout.Body && r.Size < size3-0.1:
					columns[columnOf(page, r)] += r.Text
					rows++
					if emTop(r)+r.Size > foot+0.01 {
						t.Errorf("after %d paragraphs page %d: %q stands below the last rule", n, i+1, r.Text)
					}
				}
			}
			if rows > 0 && heads != 1 {
				t.Errorf("after %d paragraphs page %d: %d heads", n, i+1, heads)
			}
		}
		for _, want := range []string{duty, basis, "0999-12345670999-1234567"} {
			found := false
			for _, got := range columns {
				found = found || strings.Contains(got, want)
			}
			if !found {
				t.Errorf("after %d paragraphs no column holds %.30s…", n, want)
			}
		}
		if r := layout.Check(stripped(p), p.SealSpots); len(r.Faults()) > 0 {
			t.Errorf("after %d paragraphs: %v", n, r.Faults())
		}
	}
}

// columnOf names the column of a table that a run stands in, without the texts of the head.
func columnOf(page layout.Page, r layout.Run) string {
	if r.Face.Official() == "黑体" {
		return "head"
	}
	at := 0.0
	for _, l := range page.Rules {
		if l.Element == layout.TableRule && l.X1 == l.X2 && l.X1 < r.X+0.01 {
			at = max(at, l.X1)
		}
	}
	return fmt.Sprintf("%.1f", at)
}

func TestCellsStayInTheirColumns(t *testing.T) {
	p := mustCompose(t, mustParse(t, tableDraft(3)))
	var edges []float64
	for _, r := range p.Pages[0].Rules {
		if r.Element == layout.TableRule && math.Abs(r.X1-r.X2) < 0.01 {
			edges = append(edges, r.X1)
		}
	}
	if len(edges) < 8 || len(edges)%4 != 0 {
		t.Fatalf("%d upright rules for rows of three columns", len(edges))
	}
	for _, r := range p.Pages[0].Runs {
		if r.Element != layout.Body || math.Abs(r.Size-14*25.4/72) > 0.01 {
			continue
		}
		for _, x := range edges[:4] {
			if r.X < x-0.01 && r.X+r.Width() > x+0.01 {
				t.Errorf("%q from %.1f to %.1f crosses the rule at %.1f", r.Text, r.X, r.X+r.Width(), x)
			}
		}
	}
}

func TestTablesThatAreNone(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"a cell too few", "[\"1\", ", "[", "body[1].table.rows[0]"},
		{"no head", "head: [序号, 单位, 说明]", "head: []", "body[1].table.head"},
		{"an unknown key", "caption:", "title:", "body[1].table.title"},
	}
	for _, tt := range tests {
		_, err := document.Parse([]byte(strings.Replace(tableDraft(2), tt.old, tt.new, 1)))
		faults := document.AsInvalid(err)
		if len(faults) != 1 || faults[0].Field != tt.want {
			t.Errorf("%s: %v, want a fault in %s", tt.name, err, tt.want)
		}
	}
	if _, err := document.Parse([]byte(strings.Replace(tableDraft(2), "云溪市第1试点单位", "机密★10年", 1))); err == nil {
		t.Error("a classification mark in a cell is read")
	}
}
