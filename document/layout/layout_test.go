package layout_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
)

// faces are shared by the tests of this package: loading them is the slow part.
var faces = sync.OnceValue(fonts.Embedded)

const (
	left, right, top, bottom = 28.0, 184.0, 37.0, 262.0
	pitch                    = 10.39
	cell                     = 156.0 / 28
	size3                    = 15.75 * 25.4 / 72
)

func mustParse(t testing.TB, draft string) *document.Document {
	t.Helper()
	d, err := document.Parse([]byte(draft))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustCompose(t testing.TB, d *document.Document) *layout.Pages {
	t.Helper()
	p, err := layout.Compose(d, faces())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustExample(t testing.TB, name string) (*document.Document, *layout.Pages) {
	t.Helper()
	data, err := os.ReadFile("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d := mustParse(t, string(data))
	return d, mustCompose(t, d)
}

func draft(changes ...string) string {
	const sound = `kind: 通知
issuer: {code: YXZF, name: 云溪市人民政府办公室}
number: 云溪政办发〔2026〕7号
title: 关于试点工作的通知
issued_on: 2026-11-21
to: [云溪市教育局]
body: |
  各单位要做好试点工作。
`
	return strings.NewReplacer(changes...).Replace(sound)
}

// find lists the runs of an element with their page.
func find(p *layout.Pages, el layout.Element) (runs []layout.Run, page int) {
	page = -1
	for i, pg := range p.Pages {
		for _, r := range pg.Runs {
			if r.Element == el {
				runs = append(runs, r)
				page = i
			}
		}
	}
	return runs, page
}

func text(runs []layout.Run) string {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString(r.Text)
	}
	return b.String()
}

// emTop is the top of a run's characters.
func emTop(r layout.Run) float64 { return r.Y - r.Face.EmTop()*r.Size }

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.3f mm, want %.3f ± %.3f", what, got, want, tolerance)
	}
}

func inkTop(t *testing.T, r layout.Run) float64 {
	t.Helper()
	high := math.Inf(1)
	for _, c := range r.Text {
		o, err := r.Face.Outline(c)
		if err != nil {
			t.Fatal(err)
		}
		_, y1, _, _ := o.Bounds()
		high = min(high, r.Y+y1*r.Size/float64(r.Face.UnitsPerEm()))
	}
	return high
}

// TestRedHeadForm measures the places that GB/T 9704-2012 fixes.
func TestRedHeadForm(t *testing.T) {
	_, p := mustExample(t, "notice.yaml")
	head, _ := find(p, layout.RedHead)
	near(t, "red head below the top of the type area", inkTop(t, head[0])-top, 35, 0.01)
	near(t, "red head is centred", head[0].X+head[0].Width()/2, (left+right)/2, 0.01)
	if head[0].Color != layout.Red() {
		t.Errorf("red head is %v", head[0].Color)
	}
	number, _ := find(p, layout.Number)
	near(t, "number is centred", number[0].X+number[0].Width()/2, (left+right)/2, 0.01)
	rule := p.Pages[0].Rules[0]
	near(t, "red rule below the number", rule.Y1-emTop(number[0])-size3, 4, 0.01)
	near(t, "red rule's length", rule.X2-rule.X1, 156, 0.001)
	title, _ := find(p, layout.Title)
	near(t, "title below the red rule", emTop(title[0])-rule.Y1, 2*pitch, 0.01)
	near(t, "title's size", title[0].Size, 22*25.4/72, 0.001)
	to, _ := find(p, layout.To)
	lastTitle := title[len(title)-1]
	near(t, "addressee below the title", emTop(to[0])-emTop(lastTitle)-lastTitle.Size, pitch, 0.01)
	near(t, "addressee is flush left", to[0].X, left, 0.01)
	if !strings.HasSuffix(text(to), "：") {
		t.Errorf("addressee %q does not end in a full-width colon", text(to))
	}
	body, _ := find(p, layout.Body)
	near(t, "first line's indent", body[0].X-left, 2*cell, 0.01)
	near(t, "line pitch", body[1].Y-body[0].Y, pitch, 0.001)
	near(t, "body size", body[0].Size, size3, 0.001)
	near(t, "full line's width", body[1].X+body[1].Width(), right, 0.01)
}

func TestBlocksOfTheLastPages(t *testing.T) {
	d, p := mustExample(t, "notice.yaml")
	if len(p.Pages)%2 != 0 {
		t.Errorf("%d pages: the 版记 stands on an even page", len(p.Pages))
	}
	date, page := find(p, layout.IssuedOn)
	near(t, "date from the right", right-date[0].X-date[0].Width(), 4*cell, 1.5)
	by, _ := find(p, layout.SignedBy)
	near(t, "name above the date", by[0].X+by[0].Width()/2, date[0].X+date[0].Width()/2, 0.01)
	near(t, "name's line", date[0].Y-by[0].Y, pitch, 0.01)
	notes, _ := find(p, layout.AttachmentRef)
	if got := text(notes); got != "附件：1.电子公文交换试点单位名单2.试点工作进度安排表" {
		t.Errorf("附件说明 %q", got)
	}
	last := notes[len(notes)-1]
	spot := p.SealSpot
	if spot == nil || spot.Page != page || spot.Diameter != d.Signature.SealDiameter {
		t.Fatalf("seal spot %v", spot)
	}
	near(t, "seal over the date", spot.X, date[0].X+date[0].Width()/2, 0.01)
	gap := spot.Y - spot.Diameter/2 - emTop(last) - size3
	if gap < 0 || gap > pitch {
		t.Errorf("seal's upper edge is %.2f mm below the text, want 0 to %.2f", gap, pitch)
	}
	if y := emTop(date[0]) + size3/2; y < spot.Y || y > spot.Y+spot.Diameter/2 {
		t.Errorf("date at %.1f does not lie in the seal's lower half", y)
	}
	imprint := p.Pages[len(p.Pages)-1].Rules
	near(t, "last rule on the lower edge", imprint[len(imprint)-1].Y1, bottom, 0.001)
	for i, r := range imprint {
		want := 0.25
		if i == 0 || i == len(imprint)-1 {
			want = 0.35
		}
		near(t, fmt.Sprintf("imprint rule %d", i), r.Width, want, 0.0001)
	}
	on, _ := find(p, layout.PrintedOn)
	if text(on) != "2026年11月21日印发" {
		t.Errorf("printing date %q", text(on))
	}
	label, annexPage := find(p, layout.AnnexLabel)
	if text(label) != "附件1" || annexPage != page+1 {
		t.Errorf("annex label %q on page %d", text(label), annexPage)
	}
}

func TestPageNumbers(t *testing.T) {
	_, p := mustExample(t, "notice.yaml")
	numbers, _ := find(p, layout.PageNumber)
	if len(numbers) != len(p.Pages) {
		t.Fatalf("%d numbers on %d pages", len(numbers), len(p.Pages))
	}
	size4 := 14 * 25.4 / 72
	for i, n := range numbers {
		if want := fmt.Sprintf("— %d —", i+1); n.Text != want {
			t.Errorf("page %d is numbered %q", i+1, n.Text)
		}
		if i%2 == 0 {
			near(t, "odd page's number from the right", right-n.X-n.Width(), size4, 0.01)
		} else {
			near(t, "even page's number from the left", n.X-left, size4, 0.01)
		}
		dash := n
		dash.Text = "—"
		near(t, "dash below the type area", inkTop(t, dash)-bottom, 7, 0.01)
	}
}

func TestUpwardDocument(t *testing.T) {
	_, p := mustExample(t, "request.yaml")
	number, _ := find(p, layout.Number)
	near(t, "number one character in", number[0].X-left, cell, 0.01)
	approver, _ := find(p, layout.Approver)
	if text(approver) != "签发人：林致远赵一鸣" {
		t.Errorf("approvers %q", text(approver))
	}
	last := approver[len(approver)-1]
	near(t, "names end one character in", right-last.X-last.Width(), cell, 0.01)
	near(t, "number on the approvers' line", number[0].Y, last.Y, 0.01)
	urgency, _ := find(p, layout.Urgency)
	if text(urgency) != "加急" {
		t.Errorf("urgency %q", text(urgency))
	}
	near(t, "urgency on line 1", emTop(urgency[0]), top, 0.01)
}

// TestApproversOfAllLengths: whatever their names are, one character stays free at the right of the longest.
func TestApproversOfAllLengths(t *testing.T) {
	for _, names := range []string{"[林远]", "[林致远, 欧阳文华]", "[欧阳文华, 林远]", "[林致远, 赵一鸣, 欧阳文华]", "[林致远, 欧阳文华, 赵远, 陈望舒]", "[阿卜杜拉·买买提, 林远, 赵一鸣, 陈望]"} {
		p := mustCompose(t, mustParse(t, draft("kind: 通知", "kind: 请示\napprovers: "+names, "通知", "请示")))
		if r := layout.Check(stripped(p), nil); len(r.Faults()) > 0 {
			t.Errorf("%s: %v", names, r.Faults())
		}
	}
}

// TestLongNumberBesideApprovers: they never run into each other; where one line cannot hold both, the author is told.
func TestLongNumberBesideApprovers(t *testing.T) {
	tests := []struct {
		agency, names string
		warned        bool
	}{
		{"云溪政办发", "[欧阳文华, 欧阳文华]", false},
		{"云溪市政务数据发", "[欧阳文华, 欧阳文华]", false},
		{"云溪市政务服务数据管理局发", "[林远, 赵一鸣]", false},
		{"云溪市政务服务和大数据发展管理局政务发", "[林致远]", true},
	}
	for _, tt := range tests {
		p := mustCompose(t, mustParse(t, draft("kind: 通知", "kind: 请示\napprovers: "+tt.names, "通知", "请示", "云溪政办发", tt.agency)))
		number, _ := find(p, layout.Number)
		end := number[len(number)-1].X + number[len(number)-1].Width()
		names, _ := find(p, layout.Approver)
		for _, r := range names {
			if r.X < end && math.Abs(r.Y-number[0].Y) < 5 {
				t.Errorf("%s %s: %q at %.1f begins before the number ends at %.1f", tt.agency, tt.names, r.Text, r.X, end)
			}
		}
		warned := false
		for _, w := range p.Warnings {
			warned = warned || w.Code == "number_meets_approvers"
		}
		if warned != tt.warned {
			t.Errorf("%s %s: warned %v", tt.agency, tt.names, warned)
		}
	}
}

func TestWithoutSeal(t *testing.T) {
	_, p := mustExample(t, "letter.yaml")
	if p.SealSpot != nil {
		t.Errorf("a place for a seal at %v", p.SealSpot)
	}
	by, _ := find(p, layout.SignedBy)
	date, _ := find(p, layout.IssuedOn)
	near(t, "date two characters further in", date[0].X-by[0].X, 2*cell, 0.01)
	near(t, "date from the right", right-date[0].X-date[0].Width(), 2*cell, 0.01)
}

func TestAuthorsTitleLines(t *testing.T) {
	d, p := mustExample(t, "circular.yaml")
	title, _ := find(p, layout.Title)
	var got []string
	for _, r := range title {
		got = append(got, r.Text)
	}
	if diff := cmp.Diff(d.TitleLines, got); diff != "" {
		t.Error(diff)
	}
}

func TestTitleBreaks(t *testing.T) {
	tests := []struct {
		title string
		want  []string
	}{
		{"关于试点工作的通知", []string{"关于试点工作的通知"}},
		{
			"云溪市人民政府办公室关于开展电子公文交换试点工作的通知",
			[]string{"云溪市人民政府办公室", "关于开展电子公文交换试点工作的通知"},
		},
		{
			"云溪市教育局关于电子公文交换试点工作进展情况的报告",
			[]string{"云溪市教育局", "关于电子公文交换试点工作进展情况的报告"},
		},
		{
			"云溪市代表会议关于批准云溪市2027年信息化建设计划的决议",
			[]string{"云溪市代表会议关于批准", "云溪市2027年信息化建设计划的决议"},
		},
		{
			"云溪市人民政府办公室关于2027年上半年电子公文交换情况的通报",
			[]string{"云溪市人民政府办公室关于2027年上半年", "电子公文交换情况的通报"},
		},
		{
			"云溪市人民政府关于提请审议云溪市电子公文管理条例草案的议案",
			[]string{"云溪市人民政府关于提请审议", "云溪市电子公文管理条例草案的议案"},
		},
	}
	for _, tt := range tests {
		p := mustCompose(t, mustParse(t, draft("关于试点工作的通知", tt.title)))
		runs, _ := find(p, layout.Title)
		var got []string
		for _, r := range runs {
			got = append(got, r.Text)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.title, diff)
		}
	}
}

// TestTitleOfJointOffices: the names of all offices stay whole, the lines end between them, and it is their characters that
// stand in the middle of the page.
func TestTitleOfJointOffices(t *testing.T) {
	names := []string{"云溪市教育局", "云溪市财政局", "云溪市人力资源和社会保障局", "云溪市卫生健康委员会"}
	for _, blank := range []string{"　", " ", "  "} {
		title := strings.Join(names, blank) + "关于做好学校卫生专业技术人员配备工作的通知"
		p := mustCompose(t, mustParse(t, draft("title: 关于试点工作的通知",
			"joint_issuers: ["+strings.Join(names[1:], ", ")+"]\ntitle: "+title, "云溪市人民政府办公室", names[0])))
		runs, _ := find(p, layout.Title)
		all := ""
		for _, r := range runs {
			all += r.Text + "/"
			near(t, "middle of "+r.Text, r.X+r.Width()/2, 106, 0.1)
			if strings.Trim(r.Text, " 　") != r.Text {
				t.Errorf("a line is %q", r.Text)
			}
		}
		for _, n := range names {
			if !strings.Contains(all, n) {
				t.Errorf("%s is broken: %s", n, all)
			}
		}
	}
}

// TestSignatureIsNeverAlone walks through every length of body: the page with the date always bears body text, and the
// imprint always stands on an even page without touching text or seal.
func TestSignatureIsNeverAlone(t *testing.T) {
	for n := 1; n <= 60; n++ {
		body := strings.Repeat("  各单位要做好试点工作。\n", n)
		d := mustParse(t, draft("  各单位要做好试点工作。\n", body)+"printed_by: 甲办公室\nprinted_on: 2026-11-21\nnote: 公开\n")
		p := mustCompose(t, d)
		_, page := find(p, layout.IssuedOn)
		hasBody := false
		lowest := 0.0
		for _, r := range p.Pages[page].Runs {
			hasBody = hasBody || r.Element == layout.Body
		}
		if !hasBody {
			t.Errorf("%d paragraphs: the signature stands alone on page %d", n, page+1)
		}
		if spot := p.SealSpot; spot.Y+spot.Diameter/2 > bottom+0.01 {
			t.Errorf("%d paragraphs: the seal leaves the type area", n)
		}
		last := len(p.Pages) - 1
		if len(p.Pages)%2 != 0 {
			t.Errorf("%d paragraphs: %d pages", n, len(p.Pages))
		}
		for _, r := range p.Pages[last].Runs {
			switch r.Element {
			case layout.PrintedBy, layout.PrintedOn, layout.PageNumber:
			default:
				lowest = max(lowest, emTop(r)+r.Size)
			}
		}
		if p.SealSpot.Page == last {
			lowest = max(lowest, p.SealSpot.Y+p.SealSpot.Diameter/2)
		}
		if first := p.Pages[last].Rules[len(p.Pages[last].Rules)-2].Y1; lowest > first {
			t.Errorf("%d paragraphs: text or seal down to %.1f, imprint from %.1f", n, lowest, first)
		}
	}
}

func TestBlankPageBeforeImprintIsUnnumbered(t *testing.T) {
	for n := 1; n <= 60; n++ {
		body := strings.Repeat("  各单位要做好试点工作。\n", n)
		p := mustCompose(t, mustParse(t, draft("  各单位要做好试点工作。\n", body)+"printed_by: 甲办公室\nprinted_on: 2026-11-21\n"))
		last := len(p.Pages) - 1
		if len(p.Pages[last-1].Runs) > 0 {
			continue
		}
		if numbers, page := find(p, layout.PageNumber); page != last-2 || len(numbers) != last-1 {
			t.Errorf("%d paragraphs: %d numbers, the last on page %d of %d", n, len(numbers), page+1, last+1)
		}
		return
	}
	t.Error("no length of body leaves a blank page before the imprint")
}

func TestHeadingNeverEndsAPage(t *testing.T) {
	for n := 1; n <= 40; n++ {
		body := strings.Repeat("  各单位要做好试点工作。\n", n) + "  一、总体要求\n  （一）目标\n  要按期完成。\n  要确保质量。\n"
		p := mustCompose(t, mustParse(t, draft("  各单位要做好试点工作。\n", body)))
		for i, pg := range p.Pages {
			lastBody := ""
			for _, r := range pg.Runs {
				if r.Element == layout.Body {
					lastBody = r.Text
				}
			}
			if lastBody == "一、总体要求" || lastBody == "（一）目标" {
				t.Errorf("%d paragraphs: page %d ends with %s", n, i+1, lastBody)
			}
		}
	}
}

func TestCharactersThatNoFaceHas(t *testing.T) {
	p := mustCompose(t, mustParse(t, draft("各单位", "王𠀀同志和各单位﹏")))
	var codes []string
	for _, w := range p.Warnings {
		codes = append(codes, w.Code)
	}
	if diff := cmp.Diff([]string{"glyph_missing", "character_substituted", "face_substituted"}, codes); diff != "" {
		t.Errorf("%s\n%v", diff, p.Warnings)
	}
	if got := p.MissingGlyphs(); len(got) != 1 || got[0].Detail != "no face has U+20000; printed as 〓 in 王〓同志和各单位" {
		t.Errorf("missing %v", got)
	}
	body, _ := find(p, layout.Body)
	if got := text(body); !strings.HasPrefix(got, "王〓同志") {
		t.Errorf("body %q", got)
	}
}

func TestHalfWidthPunctuationIsNoted(t *testing.T) {
	tests := []struct {
		text string
		want bool
	}{
		{"各单位,各部门：", true},
		{"各单位(含下属单位)", true},
		{"工作日8:30至17:30，见http://example.test/a,b?c", false},
		{"全角标点，（没有问题）！", false},
	}
	for _, tt := range tests {
		got := false
		for _, w := range mustCompose(t, mustParse(t, draft("各单位要做好试点工作。", tt.text))).Warnings {
			got = got || w.Code == "halfwidth_punctuation"
		}
		if got != tt.want {
			t.Errorf("%s: noted %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestInvalidAndClassifiedAreNotComposed(t *testing.T) {
	if _, err := layout.Compose(&document.Document{}, faces()); document.AsInvalid(err) == nil {
		t.Errorf("an empty document: %v", err)
	}
	d := baseDocument()
	d.Body = []document.Paragraph{document.NewParagraph("机密★")}
	if _, err := layout.Compose(d, faces()); !errors.Is(err, document.ErrClassified) {
		t.Errorf("a classified document: %v", err)
	}
	d.Body[0].Text = "公开内容"
	if _, err := layout.Compose(d, faces()); err != nil {
		t.Errorf("a sound document: %v", err)
	}
}

func TestLongRedHeadShrinks(t *testing.T) {
	name := strings.Repeat("云溪市", 9)
	p := mustCompose(t, mustParse(t, draft("云溪市人民政府办公室", name)))
	head, _ := find(p, layout.RedHead)
	if head[0].X < left-0.01 || head[0].X+head[0].Width() > right+0.01 {
		t.Errorf("red head from %.1f to %.1f", head[0].X, head[0].X+head[0].Width())
	}
}

func TestJointRedHead(t *testing.T) {
	p := mustCompose(t, mustParse(t, draft("title:", "joint_issuers: [云溪市教育局, 云溪市财政局]\ntitle:")))
	head, _ := find(p, layout.RedHead)
	if got := text(head); got != "云溪市人民政府办公室云溪市教育局云溪市财政局文件" {
		t.Errorf("red head %q", got)
	}
	for _, r := range head[1:3] {
		near(t, "names begin together", r.X, head[0].X, 0.01)
		near(t, "names end together", r.X+r.Width(), head[0].X+head[0].Width(), 0.01)
	}
	word := head[3]
	middle := (emTop(head[0]) + emTop(head[2]) + head[2].Size) / 2
	near(t, "文件 in the middle of the names", emTop(word)+word.Size/2, middle, 0.01)
}

// TestHostAloneInTheRedHead: where all names would be smaller than the title, the host's stands there as in a document of
// its own, and the author is told.
func TestHostAloneInTheRedHead(t *testing.T) {
	alone := 0
	for n := 2; n <= 12; n++ {
		p := mustCompose(t, mustParse(t, draft("title:", "joint_issuers: "+offices(n-1, 7)+"\ntitle:")))
		head, _ := find(p, layout.RedHead)
		for _, r := range head {
			if r.Size < 20*25.4/72-0.1 {
				t.Errorf("%d offices: %q is %.1f mm high", n, r.Text, r.Size)
			}
		}
		if text(head) != "云溪市人民政府办公室文件" {
			continue
		}
		alone++
		near(t, "upper edge", inkTop(t, head[0])-top, 35, 0.01)
		if got := codes(p); !strings.HasPrefix(got, "joint_red_head") {
			t.Errorf("%d offices: warned %q", n, got)
		}
	}
	if alone != 4 {
		t.Errorf("the host stands alone for %d of the documents, want those of 9 to 12", alone)
	}
}

func TestManyAddresseesMoveToTheImprint(t *testing.T) {
	var names []string
	for i := range 80 {
		names = append(names, fmt.Sprintf("云溪市第%d试点单位办公室", i))
	}
	p := mustCompose(t, mustParse(t, draft("to: [云溪市教育局]", "to: ["+strings.Join(names, ", ")+"]")))
	to, page := find(p, layout.To)
	if page != len(p.Pages)-1 || !strings.HasPrefix(text(to), "主送：") || !strings.HasSuffix(text(to), "。") {
		t.Errorf("addressees on page %d of %d: %.40s", page+1, len(p.Pages), text(to))
	}
	hasBody := false
	for _, r := range p.Pages[0].Runs {
		hasBody = hasBody || r.Element == layout.Body
	}
	if !hasBody {
		t.Error("page 1 bears no body")
	}
}

const (
	notAtStart = "，。、；：？！）】》〉」』〕”’…—·％%‰℃"
	notAtEnd   = "（【《〈「『〔“‘"
)

// TestBodyProperties sets random Chinese text: nothing is lost or reordered, every line stays inside the type area, every
// character has its advance, and the 禁则 hold.
func TestBodyProperties(t *testing.T) {
	piece := rapid.OneOf(
		rapid.StringMatching(`[云溪市人民政府办公室关于开展电子公文交换试点工作的通知]{1,30}`),
		rapid.SampledFrom([]string{
			"，", "。", "；", "（三）", "《办法》", "“试点”", "——", "……", "2026年12月5日", "99.5%", "3", "1286件",
			"http://example.test/a-very-long-path-without-any-place-to-break-it/and-still-more-of-it/and-more", "OFD 文件",
			"云溪政办发〔2026〕7号", "80℃", "￥300元", "A", "·",
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var want strings.Builder
		doc := baseDocument()
		for range rapid.IntRange(1, 6).Draw(t, "paragraphs") {
			s := "各" + strings.Join(rapid.SliceOfN(piece, 1, 14).Draw(t, "pieces"), "")
			p := document.NewParagraph(s)
			doc.Body = append(doc.Body, p)
			want.WriteString(p.Text)
		}
		p, err := layout.Compose(doc, faces())
		if err != nil {
			t.Fatal(err)
		}
		runs, _ := find(p, layout.Body)
		if got := squeeze(text(runs)); got != squeeze(want.String()) {
			t.Fatalf("set %q, want %q", got, squeeze(want.String()))
		}
		checkLines(t, runs)
	})
}

func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }

func baseDocument() *document.Document {
	d := &document.Document{Signature: document.SignatureBlock{Form: document.SignatureSeal, SealDiameter: 42}}
	d.Issuer = document.Office{Code: "YXZF", Name: "云溪市人民政府办公室"}
	d.RedHead, d.Kind, d.Direction, d.Title = "云溪市人民政府文件", document.Notice, document.Downward, "关于试点的通知"
	d.Number = document.Number{Agency: "云溪政办发", Year: 2026, Serial: 7}
	d.IssuedOn = document.Date{Year: 2026, Month: 11, Day: 21}
	d.To, d.Language = []document.Office{{Name: "云溪市教育局"}}, "zh-CN"
	return d
}

func checkLines(t *rapid.T, runs []layout.Run) {
	t.Helper()
	y := -1.0
	line := ""
	check := func() {
		if line == "" {
			return
		}
		first, _ := utf8.DecodeRuneInString(line)
		last, _ := utf8.DecodeLastRuneInString(line)
		if strings.ContainsRune(notAtStart, first) && !allIn(line, notAtStart) && !allIn(line[:min(len(line), 12)], notAtStart) {
			t.Fatalf("line begins with %c: %s", first, line)
		}
		if strings.ContainsRune(notAtEnd, last) {
			t.Fatalf("line ends with %c: %s", last, line)
		}
	}
	for _, r := range runs {
		if utf8.RuneCountInString(r.Text) != len(r.Advances) {
			t.Fatalf("%d advances for %q", len(r.Advances), r.Text)
		}
		if r.X < left-0.01 || r.X+r.Width() > right+0.02 || emTop(r) < top-0.01 || emTop(r)+r.Size > bottom+0.02 {
			t.Fatalf("run %q leaves the type area: %.2f to %.2f at %.2f", r.Text, r.X, r.X+r.Width(), r.Y)
		}
		if r.Y != y {
			check()
			line, y = "", r.Y
		}
		line += r.Text
	}
	check()
}

func allIn(s, set string) bool {
	for _, r := range s {
		if !strings.ContainsRune(set, r) {
			return false
		}
	}
	return true
}

func BenchmarkCompose(b *testing.B) {
	d, _ := mustExample(b, "notice.yaml")
	for b.Loop() {
		if _, err := layout.Compose(d, faces()); err != nil {
			b.Fatal(err)
		}
	}
}
