package docx

import (
	"strconv"
	"strings"

	"yinxin/document"
)

// paragraph collects the text and the pictures of one paragraph.
type paragraph struct {
	body     *body
	place    string
	text     strings.Builder
	pictures []*document.Picture
	hidden   bool
	// plain says that the paragraph is text of the body, where bold type means something.
	plain bool
	// red and other say that there is text in red, and in another colour.
	red, other bool
	// field is the depth of complex fields whose instruction is being read; what follows "separate" is their result.
	field []bool
}

// inline reads what stands one beside the other.
func (p *paragraph) inline(n *node) error {
	for _, c := range n.children {
		var err error
		switch c.name {
		case "w:r":
			err = p.run(c)
		case "w:hyperlink":
			if rel, ok := p.body.rels[c.attr("r:id")]; ok && rel.external {
				p.body.left.add("link", p.place, "the text without its link to %.80s", rel.target)
			}
			err = p.inline(c)
		case "w:ins", "w:moveTo":
			p.body.left.add("tracked_change", p.place, "inserted text is taken as accepted")
			err = p.inline(c)
		case "w:smartTag", "w:fldSimple", "w:customXml", "w:bdo", "w:dir":
			err = p.inline(c)
		case "w:sdt":
			if content := c.child("w:sdtContent"); content != nil && !p.body.placeholder(c, p.place) {
				err = p.inline(content)
			}
		case "w:del", "w:moveFrom":
			p.leave(c, "tracked_change", "deleted text stays out")
		case "m:oMath", "m:oMathPara":
			p.leave(c, "equation", "an equation")
		case "w:subDoc":
			p.leave(c, "embedded_object", "the text of another file, which this one names")
		case "mc:AlternateContent":
			if branch := chosen(c); branch != nil {
				err = p.inline(branch)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leave lists what is not carried over, with all the text in it.
func (p *paragraph) leave(n *node, code, format string, args ...any) {
	n.told = true
	p.body.left.add(code, p.place, format, args...)
}

// chosen is the branch of alternative contents that is read: the first choice, else what stands for it. The other branches say
// the same in other ways.
func chosen(n *node) *node {
	branch := n.child("mc:Choice")
	if branch == nil {
		branch = n.child("mc:Fallback")
	}
	for _, c := range n.children {
		c.told = c != branch
	}
	return branch
}

// placeholder reports whether a content control shows what it asks for in place of a text.
func (r *body) placeholder(control *node, place string) bool {
	if !control.child("w:sdtPr").on("w:showingPlcHdr") {
		return false
	}
	control.told = true
	var text strings.Builder
	control.plainText(&text)
	r.left.add("placeholder", place, "a field that nobody filled in: %.40q", strings.TrimSpace(text.String()))
	return true
}

// run reads a stretch of one formatting.
func (p *paragraph) run(n *node) error {
	props := n.child("w:rPr")
	if p.hidden || props.on("w:vanish") {
		if n.hasWords() {
			p.leave(n, "hidden_text", "hidden text")
		}
		return nil
	}
	if hasText(n) {
		p.formatting(props)
	}
	return p.content(n)
}

func hasText(n *node) bool {
	for _, t := range n.all("w:t") {
		if strings.TrimSpace(t.text) != "" {
			return true
		}
	}
	return false
}

// formatting notes what the author said with the look of the text.
func (p *paragraph) formatting(props *node) {
	color := strings.ToLower(props.val("w:color"))
	red := isRed(color)
	p.red, p.other = p.red || red, p.other || !red
	switch props.val("w:vertAlign") {
	case "superscript", "subscript":
		p.body.left.add("script", p.place, "raised or lowered text stands on the line")
	}
	for _, kind := range []struct{ property, name string }{
		{"w:b", "bold type"},
		{"w:i", "italics"},
		{"w:u", "underlining"},
		{"w:strike", "struck-out text"},
		{"w:dstrike", "struck-out text"},
		{"w:em", "emphasis marks"},
		{"w:highlight", "highlighting"},
	} {
		if props.on(kind.property) && (p.plain || kind.property != "w:b") {
			p.body.left.once("emphasis", p.place, kind.name)
		}
	}
	if color != "" && color != "auto" && color != "000000" && !red {
		p.body.left.once("emphasis", p.place, "colour")
	}
}

func isRed(color string) bool {
	v, err := strconv.ParseUint(color, 16, 32)
	return err == nil && len(color) == 6 && v>>16 > 150 && v>>8&0xff < 90 && v&0xff < 90
}

// content reads the pieces of a run.
func (p *paragraph) content(n *node) error {
	for _, c := range n.children {
		if c.name == "w:fldChar" {
			p.fieldChar(c.attr("w:fldCharType"))
			continue
		}
		if len(p.field) > 0 && !p.field[len(p.field)-1] { // the instruction of a field
			continue
		}
		switch c.name {
		case "w:t":
			c.told = true
			p.text.WriteString(c.text)
		case "w:ruby":
			if err := p.ruby(c); err != nil {
				return err
			}
		case "w:tab", "w:ptab":
			p.text.WriteString("　")
		case "w:noBreakHyphen":
			p.text.WriteByte('-')
		case "w:br", "w:cr":
			p.lineBreak(c.attr("w:type"))
		case "mc:AlternateContent":
			if branch := chosen(c); branch != nil {
				if err := p.content(branch); err != nil {
					return err
				}
			}
		case "w:drawing", "w:pict", "w:object":
			if err := p.drawing(c); err != nil {
				return err
			}
		default:
			p.reference(c)
		}
	}
	return nil
}

// ruby reads characters with their reading above them; the reading stays out.
func (p *paragraph) ruby(n *node) error {
	if above := n.child("w:rt"); above != nil {
		var text strings.Builder
		above.plainText(&text)
		p.leave(above, "ruby", "the reading %.40q above the text", strings.TrimSpace(text.String()))
	}
	if base := n.child("w:rubyBase"); base != nil {
		return p.inline(base)
	}
	return nil
}

func (p *paragraph) fieldChar(kind string) {
	switch k := len(p.field); kind {
	case "begin":
		p.field = append(p.field, false)
	case "separate":
		if k > 0 {
			p.field[k-1] = true
		}
	case "end":
		if k > 0 {
			p.field = p.field[:k-1]
		}
	}
}

func (p *paragraph) lineBreak(kind string) {
	switch kind {
	case "page", "column":
		p.text.WriteString("\n\f")
	default:
		p.text.WriteByte('\n')
	}
}

// reference notes what points out of the text.
func (p *paragraph) reference(c *node) {
	left := p.body.left
	switch c.name {
	case "w:footnoteReference", "w:endnoteReference":
		left.add("footnote", p.place, "a note at the foot of the page")
	case "w:commentReference":
		left.add("comment", p.place, "a comment")
	case "w:sym":
		left.add("symbol", p.place, "a symbol of the font %.40s", c.attr("w:font"))
	}
}
