package docx

import (
	"regexp"
	"strings"

	"yinxin/document"
)

// label is one name of an element in a front table.
type label struct {
	key  string
	list bool
}

// labels are the names that clerks give the elements of a document, in a table of two columns before the text.
func labels() map[string]label {
	return map[string]label{
		"文种": {"kind", false}, "公文种类": {"kind", false}, "发文机关": {"issuer", false}, "发文单位": {"issuer", false},
		"发文机关代码": {document.IssuerCode, false}, "发文单位代码": {document.IssuerCode, false},
		"发文机关标志": {"red_head", false}, "联合发文机关": {"joint_issuers", true}, "行文方向": {"direction", false},
		"紧急程度": {"urgency", false}, "密级": {"classification", false}, "标题": {"title", false}, "发文字号": {"number", false}, "文号": {"number", false},
		"份号": {"copy_number", false}, "签发人": {"approvers", true}, "签发日期": {"approved_on", false}, "成文日期": {"issued_on", false},
		"印发机关": {"printed_by", false}, "印发日期": {"printed_on", false}, "主送": {"to", true}, "主送机关": {"to", true},
		"抄送": {"cc", true}, "抄送机关": {"cc", true}, "附注": {"note", false}, "关键词": {"keywords", true}, "主题词": {"keywords", true},
		"附件": {"attachments", true}, "公开属性": {"disclosure", false}, "公开属性理由": {"disclosure_reason", false},
		"共享类别": {"sharing", false}, "共享依据": {"sharing_basis", false}, "办理时限": {"due_on", false}, "保管期限": {"retention", false},
		"允许打印份数": {"print_copies", false}, "公文格式": {"form", false}, "标识": {"id", false},
	}
}

// frontTable reads a table of two columns whose left cells are all names of elements; false for any other.
func frontTable(rows [][]string) ([]document.Field, bool) {
	known := labels()
	var out []document.Field
	for _, row := range rows {
		if len(row) != 2 {
			return nil, false
		}
		l, ok := known[strings.TrimRight(plain(row[0]), "：:")]
		if !ok {
			return nil, false
		}
		if value := strings.TrimSpace(row[1]); value != "" {
			out = append(out, field(l, value))
		}
	}
	return out, len(rows) > 0
}

func field(l label, value string) document.Field {
	f := document.Field{Key: l.key, List: l.list, Values: []string{value}}
	switch {
	case l.list:
		f.Values = listed(value)
	case strings.HasSuffix(l.key, "_on"):
		f.Values[0] = isoDate(value)
	}
	return f
}

// listed cuts a list of names at its commas.
func listed(text string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("、，,；;\n", r) }) {
		if s = strings.Trim(s, " 　"); s != "" {
			out = append(out, s)
		}
	}
	return out
}

var (
	arabicDate  = regexp.MustCompile(`^(\d{4})年(\d{1,2})月(\d{1,2})日$`)
	chineseDate = regexp.MustCompile(`^([二一][〇○零Ｏ一二三四五六七八九]{3})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日$`)
)

// isoDate writes 2026年1月5日 and 二〇二六年一月五日 as 2026-01-05; anything else stays as it is, to be judged by the draft.
func isoDate(s string) string {
	text := plain(s)
	if m := arabicDate.FindStringSubmatch(text); m != nil {
		return m[1] + "-" + twoDigits(m[2]) + "-" + twoDigits(m[3])
	}
	if m := chineseDate.FindStringSubmatch(text); m != nil {
		year := strings.NewReplacer("〇", "0", "○", "0", "零", "0", "Ｏ", "0", "一", "1", "二", "2", "三", "3", "四", "4", "五", "5", "六", "6",
			"七", "7", "八", "8", "九", "9").Replace(m[1])
		return year + "-" + twoDigits(chineseDay(m[2])) + "-" + twoDigits(chineseDay(m[3]))
	}
	return s
}

func isDate(s string) bool {
	text := plain(s)
	return arabicDate.MatchString(text) || chineseDate.MatchString(text)
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// chineseDay reads 一 to 三十一 as digits.
func chineseDay(s string) string {
	const days = 31
	for n := 1; n <= days; n++ {
		if number("chineseCounting", n) == s {
			return number("decimal", n)
		}
	}
	return s
}
