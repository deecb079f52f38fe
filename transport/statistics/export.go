package statistics

import (
	"archive/zip"
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
)

// column is one column of an exported table.
type column struct {
	name    string // as in JSON
	chinese string
	value   func(Figures) string // digits, or empty where there is none
}

func columns() []column {
	whole := func(f func(Figures) int) func(Figures) string {
		return func(x Figures) string { return strconv.Itoa(f(x)) }
	}
	decimal := func(f func(Figures) *float64) func(Figures) string {
		return func(x Figures) string { return number(f(x)) }
	}
	return []column{
		{"sent", "发送", whole(func(f Figures) int { return f.Sent })},
		{"refused", "拒绝受理", whole(func(f Figures) int { return f.Refused })},
		{"withdrawn", "撤回", whole(func(f Figures) int { return f.Withdrawn })},
		{"delivered", "送达", whole(func(f Figures) int { return f.Delivered })},
		{"signed_for", "签收", whole(func(f Figures) int { return f.SignedFor })},
		{"returned", "退回", whole(func(f Figures) int { return f.Returned })},
		{"failed", "投递失败", whole(func(f Figures) int { return f.Failed })},
		{"reminders", "催办", whole(func(f Figures) int { return f.Reminders })},
		{"marked", "逾期标记", whole(func(f Figures) int { return f.Marked })},
		{"escalated", "升级督办", whole(func(f Figures) int { return f.Escalated })},
		{"overdue_now", "现逾期未签收", whole(func(f Figures) int { return f.OverdueNow })},
		{"in_time", "期限内签收", whole(func(f Figures) int { return f.InTime.Numerator })},
		{"limits", "到期应签收", whole(func(f Figures) int { return f.InTime.Denominator })},
		{"in_time_rate", "签收及时率", decimal(func(f Figures) *float64 { return f.InTime.Value })},
		{"checked_in_time_rate", "24小时核查率", decimal(func(f Figures) *float64 { return f.CheckedInTime.Value })},
		{"return_rate", "退回率", decimal(func(f Figures) *float64 { return f.ReturnRate.Value })},
		{"reminders_each", "件均催办", decimal(func(f Figures) *float64 { return f.RemindersEach.Value })},
		{"to_sign_median_seconds", "签收用时中位数(秒)", decimal(func(f Figures) *float64 { return f.ToSign.Median })},
		{"to_sign_p95_seconds", "签收用时95分位(秒)", decimal(func(f Figures) *float64 { return f.ToSign.Percentile95 })},
	}
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// WriteCSV writes a line for each office and one for all, under the names that the figures have in JSON.
func WriteCSV(w io.Writer, r Report) error {
	out := csv.NewWriter(w)
	head := []string{"office"}
	for _, c := range columns() {
		head = append(head, c.name)
	}
	lines := append([][]string{head}, cells(r, "total")...)
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}

// cells gives the lines of a table: an office and its figures each, then all together.
func cells(r Report, total string) [][]string {
	var lines [][]string
	line := func(name string, f Figures) {
		row := []string{name}
		for _, c := range columns() {
			row = append(row, c.value(f))
		}
		lines = append(lines, row)
	}
	for _, f := range r.Offices {
		line(f.Office, f)
	}
	line(total, r.Total)
	return lines
}

// WriteXLSX writes the same table as a workbook of one sheet (ECMA-376), with Chinese headings; the same report gives the same bytes.
func WriteXLSX(w io.Writer, r Report) error {
	z := zip.NewWriter(w)
	for _, part := range [...]struct{ name, content string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
		{"_rels/.rels", relationship("officeDocument", "xl/workbook.xml")},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ` +
			`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
			`<sheets><sheet name="统计" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", relationship("worksheet", "worksheets/sheet1.xml")},
		{"xl/worksheets/sheet1.xml", sheet(r)},
	} {
		f, err := z.Create(part.name)
		if err == nil {
			_, err = io.WriteString(f, `<?xml version="1.0" encoding="UTF-8"?>`+part.content)
		}
		if err != nil {
			return fmt.Errorf("write statistics: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}

func relationship(kind, target string) string {
	return `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
		`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/` + kind + `" Target="` + target + `"/></Relationships>`
}

// sheet writes texts inline; an office's code is never a formula.
func sheet(r Report) string {
	var b strings.Builder
	b.WriteString(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>`)
	text := func(s string) {
		b.WriteString(`<c t="inlineStr"><is><t>` + html.EscapeString(s) + `</t></is></c>`)
	}
	text("机关")
	for _, c := range columns() {
		text(c.chinese)
	}
	for _, row := range cells(r, "合计") {
		b.WriteString(`</row><row>`)
		text(row[0])
		for _, v := range row[1:] {
			if v == "" {
				b.WriteString(`<c/>`)
				continue
			}
			b.WriteString(`<c><v>` + v + `</v></c>`)
		}
	}
	b.WriteString(`</row></sheetData></worksheet>`)
	return b.String()
}
