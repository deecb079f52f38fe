package layout_test

import (
	"strings"
	"testing"

	"yinxin/document/layout"
)

// realOffices are names of joint issuers as offices have them.
var realOffices = []string{
	"云溪市财政局", "云溪市档案局", "云溪市人力资源和社会保障局", "云溪市公安局", "中共云溪市委机构编制委员会办公室", "云溪市司法局",
	"云溪市自然资源和规划局", "云溪市交通运输局", "云溪市农业农村局", "云溪市卫生健康委员会", "云溪市审计局", "云溪市退役军人事务局",
	"云溪市市场监督管理局", "云溪市文化广电和旅游局", "云溪市生态环境局", "云溪市城市管理和综合行政执法局",
}

// TestComposerAndCheckerAgree: joint documents of all sizes, names and titles of every length, and many approvers are
// measured clean and read back; what no page holds was told by the composer.
func TestComposerAndCheckerAgree(t *testing.T) {
	long21 := "云溪市推进政府职能转变和放管服改革协调小组办公室"
	drafts := map[string]string{
		"title of 40":         draft("关于试点工作的通知", "关于"+long(31)+"试点工作的通知"),
		"name of 49":          draft("云溪市人民政府办公室", long(49)),
		"name of 78":          draft("云溪市人民政府办公室", long(78)),
		"two long names":      draft("云溪市人民政府办公室", long21, "title:", "joint_issuers: [云溪市全面深化改革和优化营商环境领导小组办公室]\ntitle:"),
		"two names of 28":     draft("云溪市人民政府办公室", long(28), "title:", "joint_issuers: ["+long(29)+"]\ntitle:"),
		"30 unsealed":         draft("title:", "joint_issuers: "+offices(29, 0)+"\nsignature: {form: none}\ntitle:"),
		"4 with 4 approvers":  jointDraft(4, 4, "approvers: [林致远, 赵一鸣, 欧阳文清, 王磊]\n", "通知", "请示"),
		"12 unsealed":         jointDraft(12, 3, "signature: {form: none}\n"),
		"16, long text":       jointDraft(16, 12, ""),
		"16, two lines":       jointDraft(16, 1, ""),
		"2 with 5 approvers":  jointDraft(2, 4, "approvers: [林致远, 赵一鸣, 欧阳文清, 王磊, 买买提·艾合买提江]\n", "通知", "请示"),
		"7, five lines":       jointDraft(7, 5, ""),
		"12, two pages":       jointDraft(12, 9, ""),
		"3 with one approver": jointDraft(3, 4, "approvers: [林致远]\n", "通知", "请示"),
	}
	for name, source := range drafts {
		d := mustParse(t, source)
		p := mustCompose(t, d)
		told := codes(p)
		for _, seals := range [][]layout.Spot{p.SealSpots, nil} {
			r := layout.Check(stripped(p), seals)
			for _, f := range r.Faults() {
				if f.Measure != "with_text" || !strings.Contains(told, "seal_without_text") {
					t.Errorf("%s, warned %q, %d seals: %+v", name, told, len(seals), f)
				}
			}
		}
		for _, diff := range layout.Differences(d.Metadata, layout.Read(stripped(p))) {
			t.Errorf("%s: read %v", name, diff)
		}
	}
}

// jointDraft is one of the first n offices, the host among them, with paragraphs of two lines and more fields.
func jointDraft(n, paragraphs int, fields string, changes ...string) string {
	text := strings.Repeat("  各单位要做好试点工作，明确一名负责人和一名联络员，并于月底前报送名单。\n", paragraphs)
	return draft(append(changes, "  各单位要做好试点工作。\n", text,
		"title:", "joint_issuers: ["+strings.Join(realOffices[:n-1], ", ")+"]\n"+fields+"title:")...) +
		"printed_by: 甲办公室\nprinted_on: 2026-11-21\n"
}
