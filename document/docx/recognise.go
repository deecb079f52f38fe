package docx

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"yinxin/document"
)

// reading takes the blocks of the file for what they are on an official document.
type reading struct {
	blocks []block
	left   *omissions
	text   document.Text
	// marks count the headings of each level that had to be numbered here.
	marks [maxHeading + 1]int
}

// recognise finds front table, title, 主送, 附件说明, 署名, date, 附注, annexes and 版记; everything between is the text.
func recognise(blocks []block, left *omissions) document.Text {
	r := &reading{blocks: blocks, left: left}
	if len(r.blocks) > 0 && r.blocks[0].rows != nil {
		if fields, ok := frontTable(r.blocks[0].rows); ok {
			r.text.Fields, r.blocks = fields, r.blocks[1:]
		}
	}
	r.titleFromHeading()
	r.opening()
	r.addressees()
	main, rest := r.ending()
	r.text.Body = r.paragraphs(main)
	r.after(rest)
	return r.text
}

func (r *reading) set(key string, values ...string) {
	for i := range r.text.Fields { // the front table holds
		if r.text.Fields[i].Key == key {
			return
		}
	}
	r.text.Fields = append(r.text.Fields, document.Field{Key: key, Values: values})
}

// titleFromHeading takes the only heading of the first level for the title where it begins the text and no paragraph is
// styled as one; the levels below move up.
func (r *reading) titleFromHeading() {
	count, first := 0, -1
	for i, b := range r.blocks {
		if b.title {
			return
		}
		if b.level == 1 {
			count++
		}
		if first < 0 && b.isText() && !b.red {
			first = i
		}
	}
	if count != 1 || first < 0 || r.blocks[first].level != 1 || document.NewParagraph(r.blocks[first].mark+r.blocks[first].text).Level != 0 {
		return
	}
	for i := range r.blocks {
		if r.blocks[i].level > 0 {
			r.blocks[i].level--
		}
	}
	r.blocks[first].title, r.blocks[first].mark = true, ""
}

var (
	copyNumber  = regexp.MustCompile(`^\d{6}$`)
	urgencyText = regexp.MustCompile(`^(特急|加急|平件)$`)
	numberLine  = regexp.MustCompile(`^(\S+[〔\[［（(]\d{4}[〕\]］）)]\d+号)(?:[\s　]*签发人[：:][\s　]*(.+))?$`)
)

// opening reads what stands above the text: labels, red head, number, title.
func (r *reading) opening() {
	var title []string
	n := 0
	for ; n < len(r.blocks); n++ {
		b := r.blocks[n]
		number := numberLine.FindStringSubmatch(b.text)
		switch {
		case !b.isText():
		case len(title) == 0 && copyNumber.MatchString(b.text):
			r.set("copy_number", b.text)
			continue
		case len(title) == 0 && urgencyText.MatchString(plain(b.text)):
			r.set("urgency", plain(b.text))
			continue
		case len(title) == 0 && number != nil:
			r.set("number", number[1])
			if number[2] != "" {
				r.set("approvers", strings.FieldsFunc(number[2], func(c rune) bool { return strings.ContainsRune(" 　、，", c) })...)
			}
			continue
		case len(title) == 0 && b.centred && (b.red || strings.HasSuffix(plain(b.text), "文件") && r.numberFollows(n)):
			r.set("red_head", plain(b.text))
			continue
		case b.title, b.centred && b.level == 0 && !strings.HasPrefix(b.text, "（") && !b.caption:
			title = append(title, b.text)
			continue
		}
		break
	}
	if len(title) > 0 {
		r.set("title", title...)
	}
	r.blocks = r.blocks[n:]
}

// numberFollows reports whether the next block is a 发文字号: what stands above it is a red head.
func (r *reading) numberFollows(n int) bool {
	return n+1 < len(r.blocks) && numberLine.MatchString(r.blocks[n+1].text)
}

// addressees reads the 主送 right below the title: flush left, ending in a colon, and no sentence that leads over.
func (r *reading) addressees() {
	if len(r.blocks) == 0 {
		return
	}
	b := r.blocks[0]
	const longest = 400
	name := strings.TrimRight(b.text, "：:")
	if !b.isText() || b.level > 0 || b.mark != "" || b.indented || b.centred || name == b.text || utf8.RuneCountInString(name) > longest ||
		strings.ContainsAny(name, "。；：") || strings.HasSuffix(name, "如下") {
		return
	}
	r.set("to", listed(name)...)
	r.blocks = r.blocks[1:]
}

var (
	noteText     = regexp.MustCompile(`^[（(](.+)[）)]$`)
	annexLabel   = regexp.MustCompile(`^附件[\s　]*(\d{0,2})[：:]?$`)
	attachLabel  = regexp.MustCompile(`^附件[：:][\s　]*`)
	attachNumber = regexp.MustCompile(`^\d{1,2}[.．、][\s　]*`)
)

// ending finds the date that ends the text and reads 署名 and 附件说明 above it. It returns the text and what follows the
// date. A file without a date is text to its end, or to its annexes.
func (r *reading) ending() (main, rest []block) {
	date, annex := len(r.blocks), len(r.blocks)
	for i, b := range r.blocks {
		if !b.isText() {
			continue
		}
		if isDate(b.text) && date == len(r.blocks) && i > 0 {
			date = i
		}
		if annexLabel.MatchString(b.text) {
			annex = i
			break
		}
	}
	if date > annex {
		date = len(r.blocks)
	}
	if date == len(r.blocks) {
		return r.attachments(r.blocks[:annex]), r.blocks[annex:]
	}
	r.set("issued_on", isoDate(r.blocks[date].text))
	return r.attachments(r.signedBy(r.blocks[:date])), r.blocks[date+1:]
}

// signedBy reads the names above the date: those at the right, or one short line.
func (r *reading) signedBy(main []block) []block {
	from := len(main)
	for from > 1 && main[from-1].right && main[from-1].isText() {
		from--
	}
	if from == len(main) && from > 1 {
		if b := main[from-1]; b.isText() && b.level == 0 && b.mark == "" && utf8.RuneCountInString(b.text) < 26 && !strings.ContainsAny(b.text, "，。；：:") {
			from--
		}
	}
	var names []string
	for _, b := range main[from:] {
		names = append(names, plain(b.text))
	}
	if len(names) > 0 {
		r.set("issuer", names[0])
	}
	if len(names) > 1 {
		r.text.Fields = append(r.text.Fields, document.Field{Key: "joint_issuers", Values: names[1:], List: true})
	}
	return main[:from]
}

// attachments reads the 附件说明 at the end of the text.
func (r *reading) attachments(main []block) []block {
	at := len(main) - 1
	for ; at > 0; at-- {
		b := main[at]
		if !b.isText() || attachLabel.MatchString(b.text) {
			break
		}
		if b.mark == "" && !attachNumber.MatchString(b.text) {
			return main
		}
	}
	if at <= 0 || !main[at].isText() {
		return main
	}
	var titles []string
	for i, b := range main[at:] {
		text := b.text
		if i == 0 {
			text = attachLabel.ReplaceAllString(text, "")
		}
		if text = strings.TrimRight(attachNumber.ReplaceAllString(text, ""), "。；;"); text != "" {
			titles = append(titles, text)
		}
	}
	if len(titles) > 0 {
		r.text.Fields = append(r.text.Fields, document.Field{Key: "attachments", Values: titles, List: true})
	}
	return main[:at]
}
