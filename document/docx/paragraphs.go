package docx

import (
	"strings"

	"yinxin/document"
)

// paragraphs makes the paragraphs of a text out of blocks: headings with their marks, tables with their captions above,
// pictures with theirs below.
func (r *reading) paragraphs(blocks []block) []document.Paragraph {
	var out []document.Paragraph
	for i := 0; i < len(blocks); i++ {
		b := blocks[i]
		switch {
		case b.picture != nil:
			if i+1 < len(blocks) && isCaption(blocks[i+1], "图") {
				b.picture.Caption = blocks[i+1].text
				i++
			}
			out = append(out, document.Paragraph{Picture: b.picture})
		case b.rows != nil:
			out = append(out, r.table(b, "")...)
		case i+1 < len(blocks) && blocks[i+1].rows != nil && isCaption(b, "表"):
			out = append(out, r.table(blocks[i+1], b.text)...)
			i++
		default:
			out = append(out, r.paragraph(b))
		}
	}
	return out
}

func isCaption(b block, word string) bool {
	return b.isText() && (b.caption || b.centred && strings.HasPrefix(b.text, word))
}

// table is a table of a head and rows. One of a single row, or a single column that frames text, is text.
func (r *reading) table(b block, caption string) []document.Paragraph {
	r.left.list = append(r.left.list, b.tableOmissions...)
	if len(b.rows) > 1 && len(b.rows[0]) > 1 {
		return []document.Paragraph{{Table: &document.Table{Caption: caption, Head: b.rows[0], Rows: b.rows[1:]}}}
	}
	r.left.add("table_shape", b.place, "a table of one row or one column is set as text")
	var out []document.Paragraph
	if caption != "" {
		out = append(out, document.NewParagraph(caption))
	}
	for _, row := range b.rows {
		if text := strings.Trim(strings.Join(row, "　"), "　"); text != "" {
			out = append(out, document.NewParagraph(text))
		}
	}
	return out
}

// paragraph gives a heading the mark of its level where the author typed none.
func (r *reading) paragraph(b block) document.Paragraph {
	p := document.NewParagraph(b.mark + b.text)
	if b.level == 0 {
		return p
	}
	if typed := document.NewParagraph(b.text); typed.Level > 0 {
		r.count(typed.Level)
		return typed
	}
	n := r.count(b.level)
	if p.Level == b.level {
		return p
	}
	mark := document.Mark(b.level, n)
	detail := "the heading is numbered " + mark
	if b.mark != "" {
		detail += " in place of " + b.mark
	}
	r.left.add("number_added", b.place, "%s", detail)
	p = document.NewParagraph(mark + b.text)
	p.Level = b.level // also where its text begins with a digit
	return p
}

// count counts a heading of a level on; the levels below begin anew.
func (r *reading) count(level int) int {
	const most = 999
	r.marks[level] = min(r.marks[level]+1, most)
	for i := level + 1; i < len(r.marks); i++ {
		r.marks[i] = 0
	}
	return r.marks[level]
}
