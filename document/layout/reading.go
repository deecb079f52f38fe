package layout

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"yinxin/document"
)

// Read takes a document's text off its pages, from positions and characters alone, as [Check] does: what an independent
// reader of the file sees. What a page does not print stays empty, as do the codes of offices. Kind, direction and the
// form of the signature are not told from the text. A picture comes with its caption and width, without its data.
// Pages of more than 20000 pieces of text are no official document and are not read.
func Read(pages []Page) *document.Document {
	d := &document.Document{}
	if len(pages) == 0 {
		return d
	}
	r := &pageReader{checker: newChecker(pages, nil), pages: pages, doc: d}
	pieces := 0
	for _, list := range r.pieces {
		pieces += len(list)
	}
	if pieces > maxPieces {
		return d
	}
	r.recognise()
	d.Form = r.form
	r.readHead()
	r.readTitle()
	d.Body = r.paragraphs(r.body, r.inserts(0, r.firstAnnex()))
	r.readAttachments()
	r.readPeople()
	r.readSignature()
	r.readNote()
	r.readAnnexes()
	r.readImprint()
	return d
}

// maxPieces bounds the pieces of text, outside of tables, of the documents that are read.
const maxPieces = 20_000

// pageReader puts together what the checker took apart.
type pageReader struct {
	*checker
	pages []Page
	doc   *document.Document
}

func (r *pageReader) readHead() {
	d := r.doc
	for _, p := range r.head {
		d.RedHead += p.spaced
	}
	if r.numberAt != nil {
		d.Number, _, _ = document.ReadNumber(r.numberAt.text) // one that is none stays empty
	}
	if r.copyNo != nil {
		d.CopyNumber = r.copyNo.text
	}
	d.Urgency = document.Normal
	if r.urgent != nil {
		_ = d.Urgency.UnmarshalText([]byte(r.urgent.text)) // one of the two words it was found by
	}
	for _, p := range r.approve {
		d.Approvers = append(d.Approvers, names(strings.TrimPrefix(p.spaced, "签发人："))...)
	}
}

// names are parted by wide blanks.
func names(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\u3000' })
}

func (r *pageReader) readTitle() {
	for _, p := range r.titles {
		r.doc.TitleLines = append(r.doc.TitleLines, p.spaced)
	}
	r.doc.Title = strings.Join(r.doc.TitleLines, "")
	r.doc.To = offices(joined(r.to), "：")
}

// offices reads a list as a page prints it.
func offices(s, end string) []document.Office {
	var out []document.Office
	for name := range strings.SplitSeq(strings.TrimSuffix(s, end), "，") {
		if name != "" {
			out = append(out, document.Office{Name: name})
		}
	}
	return out
}

// joined puts the lines of a text together. A line that ends in a Latin letter before another one ended in a blank: no
// word is broken, save a row of digits that no line could hold.
func joined(lines []piece) string {
	var b strings.Builder
	for i, p := range lines {
		if i > 0 {
			b.WriteString(joint(lines[i-1], p))
		}
		b.WriteString(p.spaced)
	}
	return b.String()
}

func joint(a, b piece) string {
	last, first := []rune(a.text), []rune(b.text)
	if len(last) == 0 || len(first) == 0 {
		return ""
	}
	if a.page == b.page && math.Abs(a.top-b.top) < sameLine { // two pieces of one line
		return strings.Repeat("\u3000", int(min(max(math.Round((b.left-a.right)/oneChar), 1), 28)))
	}
	digits := !strings.ContainsFunc(a.text, func(r rune) bool { return !unicode.IsDigit(r) }) && unicode.IsDigit(first[0])
	if isLatin(last[len(last)-1]) && isLatin(first[0]) && !digits {
		return " "
	}
	return ""
}

// paragraphs puts lines together: one that is two characters in begins a paragraph.
func (r *pageReader) paragraphs(lines []piece, inserts []insert) []document.Paragraph {
	var out []document.Paragraph
	var open []piece
	end := func() {
		if len(open) > 0 {
			out = append(out, document.NewParagraph(joined(open)))
		}
		open = nil
	}
	for _, p := range lines {
		for len(inserts) > 0 && inserts[0].before(p) {
			end()
			out = append(out, inserts[0].Paragraph)
			inserts = inserts[1:]
		}
		if indented(p) && !(len(open) > 0 && math.Abs(open[len(open)-1].top-p.top) < sameLine && open[len(open)-1].page == p.page) {
			end()
		}
		open = append(open, p)
	}
	end()
	for _, t := range inserts {
		out = append(out, t.Paragraph)
	}
	return out
}

var itemText = regexp.MustCompile(`^(\d+)\.`)

// readAttachments reads the 附件说明: titles, numbered where there are several.
func (r *pageReader) readAttachments() {
	var items [][]piece
	for _, p := range r.notes {
		p.spaced, p.text = strings.TrimPrefix(p.spaced, "附件："), strings.TrimPrefix(p.text, "附件：")
		n := strconv.Itoa(len(items) + 1)
		if m := itemText.FindStringSubmatch(p.text); len(items) == 0 || m != nil && m[1] == n {
			items = append(items, nil)
		}
		items[len(items)-1] = append(items[len(items)-1], p)
	}
	for _, lines := range items {
		title := joined(lines)
		if len(items) > 1 {
			title = itemText.ReplaceAllString(title, "")
		}
		r.doc.Attachments = append(r.doc.Attachments, document.AttachmentInfo{Title: title})
	}
}

// readPeople reads 出席, 请假 and 列席.
func (r *pageReader) readPeople() {
	for _, p := range r.people {
		text := p.spaced
		if label := peopleText.FindString(p.text); label != "" {
			r.doc.Attendance = append(r.doc.Attendance, document.Attendance{Label: strings.TrimRight(label, "：:")})
			text = strings.TrimPrefix(text, label)
		}
		if n := len(r.doc.Attendance); n > 0 {
			list := &r.doc.Attendance[n-1]
			list.Names = append(list.Names, names(text)...)
		}
	}
}

// readSignature reads 署名 and date.
func (r *pageReader) readSignature() {
	if r.date != nil {
		r.doc.IssuedOn = chineseDate(r.date.text)
	}
	list := wholeNames(r.names)
	slices.SortStableFunc(list, func(a, b piece) int { // names of several lines end where those of one line stand
		switch {
		case a.page != b.page:
			return a.page - b.page
		case math.Abs(a.top-b.top) > sameLine:
			return compare(a.top, b.top)
		}
		return compare(a.left, b.left)
	})
	for i, p := range list {
		if i == 0 {
			r.doc.Issuer.Name = p.spaced
			continue
		}
		r.doc.JointIssuers = append(r.doc.JointIssuers, document.Office{Name: p.spaced})
	}
}

var dateParts = regexp.MustCompile(`^(\d{4})年(\d{1,2})月(\d{1,2})日`)

// chineseDate reads 2026年1月2日; one that the calendar does not have stays empty.
func chineseDate(s string) document.Date {
	m := dateParts.FindStringSubmatch(s)
	if m == nil {
		return document.Date{}
	}
	d, err := document.ParseDate(fmt.Sprintf("%s-%02s-%02s", m[1], m[2], m[3]))
	if err != nil {
		return document.Date{}
	}
	return d
}

// readNote reads the 附注 down to its closing parenthesis.
func (r *pageReader) readNote() {
	from := slices.IndexFunc(r.behind, func(p piece) bool { return strings.HasPrefix(p.text, "（") })
	if from < 0 {
		return
	}
	to := from
	for to < len(r.behind)-1 && !strings.HasSuffix(r.behind[to].text, "）") {
		to++
	}
	r.doc.Note = strings.TrimSuffix(strings.TrimPrefix(joined(r.behind[from:to+1]), "（"), "）")
}

// firstAnnex is the page of the first annex, or the number of pages.
func (r *pageReader) firstAnnex() int {
	first := len(r.pages)
	for i := range r.annex {
		first = min(first, i)
	}
	return first
}

// readAnnexes reads the annexes, each of which begins a page.
func (r *pageReader) readAnnexes() {
	var starts []int
	for i := r.firstAnnex(); i < len(r.pages); i++ {
		if list := r.pieces[i]; len(list) > 0 && annexText.MatchString(list[0].text) {
			starts = append(starts, i)
		}
	}
	for k, from := range starts {
		to := len(r.pages)
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		r.readAnnex(from, to)
	}
}

func (r *pageReader) readAnnex(from, to int) {
	var lines []piece
	for _, list := range r.pieces[from:to] {
		for _, p := range list {
			if !pageNumberText.MatchString(p.text) && !r.inImprint(p) {
				lines = append(lines, p)
			}
		}
	}
	a := document.Annex{Number: 1}
	if n, err := strconv.Atoi(strings.TrimPrefix(lines[0].text, "附件")); err == nil {
		a.Number = n
	}
	lines = lines[1:]
	for len(lines) > 0 && lines[0].size > 1.2*r.bodySize {
		a.Title += lines[0].spaced
		lines = lines[1:]
	}
	a.Body = r.paragraphs(lines, r.inserts(from, to))
	r.doc.Annexes = append(r.doc.Annexes, a)
}

// readImprint reads the 版记: its lists, then who printed when.
func (r *pageReader) readImprint() {
	var open []piece
	var label string
	end := func() {
		list := offices(strings.TrimPrefix(joined(open), label), "。")
		switch label {
		case "抄送：":
			r.doc.CC = list
		case "主送：":
			r.doc.To = list
		case "":
			r.doc.PrintedBy = joined(open)
		}
		open = nil
	}
	for _, p := range r.imprints {
		if printedText.MatchString(p.text) {
			r.doc.PrintedOn = chineseDate(p.text)
			continue
		}
		next := ""
		for _, l := range []string{"抄送：", "主送："} {
			if strings.HasPrefix(p.text, l) {
				next = l
			}
		}
		if len(open) > 0 && (next != "" || label != "" && strings.HasSuffix(open[len(open)-1].text, "。")) {
			end()
			label = next
		}
		if len(open) == 0 {
			label = next
		}
		open = append(open, p)
	}
	if len(open) > 0 {
		end()
	}
}
