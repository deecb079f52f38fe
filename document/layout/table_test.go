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
