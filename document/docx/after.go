package docx

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"yinxin/document"
)

var (
	copiesText  = regexp.MustCompile(`^抄送[：:][\s　]*(.+?)。?$`)
	printedText = regexp.MustCompile(`^(.+?)[\s　]+(\d{4}年\d{1,2}月\d{1,2}日)[\s　]*印发$`)
)

// after reads what follows the date: 附注, annexes, 版记. Whatever else stands there has no place on the page.
func (r *reading) after(rest []block) {
	for len(rest) > 0 {
		b := rest[0]
		if b.isText() && annexLabel.MatchString(b.text) {
			rest = r.annex(rest)
			continue
		}
		rest = rest[1:]
		if b.rows != nil && r.imprintTable(b) {
			continue
		}
		if b.isText() && (r.imprintLine(b.text) || r.note(b.text)) {
			continue
		}
		r.left.add("text_after_date", b.place, "it stands behind the date: %.60q", b.text+strings.Join(slices.Concat(b.rows...), " "))
	}
}

func (r *reading) note(text string) bool {
	m := noteText.FindStringSubmatch(text)
	if m != nil {
		r.set("note", m[1])
	}
	return m != nil
}

// imprintLine reads a line of the 版记.
func (r *reading) imprintLine(text string) bool {
	if m := copiesText.FindStringSubmatch(text); m != nil {
		r.text.Fields = append(r.text.Fields, document.Field{Key: "cc", Values: listed(m[1]), List: true})
		return true
	}
	if m := printedText.FindStringSubmatch(text); m != nil {
		r.set("printed_by", plain(m[1]))
		r.set("printed_on", isoDate(m[2]))
		return true
	}
	return false
}

// imprintTable reads a 版记 that is set as a table; every row must be a line of it.
func (r *reading) imprintTable(b block) bool {
	var lines []string
	for _, row := range b.rows {
		line := strings.Join(slices.DeleteFunc(slices.Clone(row), func(s string) bool { return s == "" }), "　")
		if !copiesText.MatchString(line) && !printedText.MatchString(line) {
			return false
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		r.imprintLine(line)
	}
	return len(lines) > 0
}

// annex reads one annex: its label, its title, its text up to the next one or to the 版记.
func (r *reading) annex(rest []block) []block {
	number := len(r.text.Annexes) + 1
	if m := annexLabel.FindStringSubmatch(rest[0].text); m[1] != "" {
		number, _ = strconv.Atoi(m[1])
	}
	place := rest[0].place
	rest = rest[1:]
	var title []string
	for len(rest) > 0 && rest[0].isText() && (rest[0].centred || rest[0].title || len(title) == 0 && rest[0].level == 1) && !annexLabel.MatchString(rest[0].text) {
		title = append(title, rest[0].text)
		rest = rest[1:]
	}
	end := 0
	for end < len(rest) && !(rest[end].isText() && (annexLabel.MatchString(rest[end].text) || copiesText.MatchString(rest[end].text) ||
		printedText.MatchString(rest[end].text))) && !(rest[end].rows != nil && end == len(rest)-1 && r.imprintTable(rest[end])) {
		end++
	}
	text := rest[:end]
	if end < len(rest) && rest[end].rows != nil {
		end++ // a 版记 that was read
	}
	name := r.attachmentTitle(number, strings.Join(title, ""))
	if name == "" {
		r.left.add("annex_without_title", place, "an annex that has no title, here or in the 附件说明")
		return rest[end:]
	}
	r.marks = [maxHeading + 1]int{}
	r.text.Annexes = append(r.text.Annexes, document.Annex{Number: number, Title: name, Body: r.paragraphs(text)})
	return rest[end:]
}

// attachmentTitle is the title of an annex; one that the 附件说明 lacks is added to it.
func (r *reading) attachmentTitle(number int, title string) string {
	for i, f := range r.text.Fields {
		if f.Key != "attachments" {
			continue
		}
		switch {
		case number >= 1 && number <= len(f.Values):
			return f.Values[number-1]
		case number == len(f.Values)+1 && title != "":
			r.text.Fields[i].Values = append(r.text.Fields[i].Values, title)
		}
		return title
	}
	if number == 1 && title != "" {
		r.text.Fields = append(r.text.Fields, document.Field{Key: "attachments", Values: []string{title}, List: true})
	}
	return title
}
