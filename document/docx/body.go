package docx

import (
	"fmt"
	"strings"

	"yinxin/document"
)

// block is a paragraph, a picture or a table of the file.
type block struct {
	place string
	text  string
	// level is that of a heading, 1 to 4; deeper ones are text.
	level int
	// mark is the number that the word processor sets before the text.
	mark           string
	centred, right bool
	indented       bool
	red            bool
	title, caption bool
	picture        *document.Picture
	rows           [][]string // of a table
	tableOmissions []Omission
}

func (b *block) isText() bool { return b.picture == nil && b.rows == nil }

// body turns the text part into blocks.
type body struct {
	file      *container
	part      string
	rels      map[string]relation
	styles    *styles
	numbering *numbering
	left      *omissions
	blocks    []block
	// paragraphs and tables count those read so far.
	paragraphs, tables int
	// places are those of the paragraphs that were read.
	places map[*node]string
	// newPage is the place of a page break that no block has followed yet; empty without one.
	newPage string
}

// flow reads what stands one below the other.
func (r *body) flow(n *node) error {
	for _, c := range n.children {
		var err error
		switch c.name {
		case "w:p":
			err = r.paragraph(c)
		case "w:tbl":
			err = r.table(c)
		case "w:sdt":
			if !r.placeholder(c, r.here()) {
				err = r.flowIn(c.child("w:sdtContent"))
			}
		case "w:customXml", "w:ins", "w:moveTo", "w:smartTag":
			err = r.flow(c)
		case "mc:AlternateContent":
			err = r.flowIn(chosen(c))
		case "w:altChunk":
			r.left.add("embedded_object", r.here(), "a part in another format")
		case "w:subDoc":
			r.left.add("embedded_object", r.here(), "the text of another file, which this one names")
		case "w:del", "w:moveFrom":
			c.told = true
			r.left.add("tracked_change", r.here(), "deleted text stays out")
		case "w:sectPr":
			r.section(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *body) flowIn(n *node) error {
	if n == nil {
		return nil
	}
	return r.flow(n)
}

func (r *body) here() string { return fmt.Sprintf("paragraph %d", r.paragraphs) }

// section notes headers and footers, which the official page has not.
func (r *body) section(n *node) {
	for _, c := range n.children {
		if c.name == "w:headerReference" || c.name == "w:footerReference" {
			rel := r.rels[c.attr("r:id")]
			if root, err := r.file.xml(rel.target); err == nil && root != nil {
				var text strings.Builder
				root.plainText(&text)
				if s := strings.Join(strings.Fields(text.String()), " "); s != "" {
					r.left.once("header", "every page", fmt.Sprintf("header or footer %.60q", s))
				}
			}
		}
	}
}

// paragraph reads one paragraph into a block of text, or several where it holds line breaks, and blocks of its pictures.
func (r *body) paragraph(n *node) error {
	r.paragraphs++
	r.places[n] = r.here()
	props := n.child("w:pPr")
	st := r.styles.get(props.val("w:pStyle"))
	st.inherit(props)
	b := block{
		place: r.here(), level: st.outline + 1, title: st.isTitle(), caption: st.isCaption(),
		centred: st.align == "center" || st.align == "distribute", right: st.align == "right" || st.align == "end",
		indented: isIndented(props.child("w:ind")),
	}
	if props.on("w:pageBreakBefore") {
		r.newPage = b.place
	}
	p := &paragraph{body: r, place: b.place, hidden: st.hidden, plain: b.level == 0 && !b.title && !b.caption && !b.centred}
	if err := p.inline(n); err != nil {
		return err
	}
	if props.child("w:sectPr") != nil {
		r.section(props.child("w:sectPr"))
	}
	b.red = p.red && !p.other
	if b.level > maxHeading {
		r.left.add("heading_level", p.place, "a heading of level %d is set as text", b.level)
		b.level = 0
	}
	text := p.text.String()
	numbered := st.numID != "" && st.numID != "0" && strings.TrimSpace(text) != ""
	if numbered {
		mark, bullet, ok := r.numbering.next(st.numID, st.numLvl)
		if bullet && ok && b.level == 0 {
			r.left.once("bullet", p.place, "set without its bullet")
		}
		b.mark = mark
	}
	r.emit(b, text)
	for _, picture := range p.pictures {
		r.blocks = append(r.blocks, block{place: p.place, picture: picture, centred: true})
	}
	return nil
}

// maxHeading is the deepest heading of an official document.
const maxHeading = 4

func isIndented(ind *node) bool {
	for _, name := range []string{"w:firstLine", "w:firstLineChars"} {
		if v := ind.attr(name); v != "" && v != "0" {
			return true
		}
	}
	return false
}

// emit cuts the text at its line breaks, of which a form feed makes a page break.
func (r *body) emit(b block, text string) {
	lines := strings.Split(text, "\n")
	first := true
	for _, line := range lines {
		next := b
		line, page := strings.CutPrefix(line, "\f")
		if page {
			r.newPage = b.place
		}
		next.indented = b.indented || strings.HasPrefix(line, "　") || strings.HasPrefix(line, "  ")
		next.text = strings.Trim(line, " \t　\u00a0")
		if next.text == "" {
			continue
		}
		if !first {
			next.mark = ""
			if !page && !b.centred && !b.title { // lines of a title stay lines
				r.left.add("line_break", b.place, "what follows is a paragraph of its own")
			}
		}
		first = false
		r.pageBreak(next.text)
		r.blocks = append(r.blocks, next)
	}
}

// pageBreak notes a page break that a block follows: the layout breaks pages itself, before an annex as the file does.
func (r *body) pageBreak(text string) {
	if r.newPage != "" && len(r.blocks) > 0 && !annexLabel.MatchString(text) {
		r.left.once("page_break", r.newPage, "pages break where the text asks for it")
	}
	r.newPage = ""
}
