package docx

import (
	"path"
	"strings"

	"yinxin/document"
)

// Draft is what a file gives of a document.
type Draft struct {
	// Text is its text with the elements that stand around it.
	Text document.Text
	// Omissions are what the document does not carry, in the order of the file.
	Omissions []Omission
}

// Read reads a file. The error wraps ErrUnreadable, or is a document.ClassifiedError.
func Read(data []byte) (*Draft, error) {
	c, err := openContainer(data)
	if err != nil {
		return nil, err
	}
	rels, err := c.relations("")
	if err != nil {
		return nil, err
	}
	part := target(rels, "officeDocument")
	if part == "" || !c.has(part) {
		return nil, unreadable("it holds no text document")
	}
	if err := c.refuseClassified(path.Dir(part)); err != nil {
		return nil, err
	}
	root, err := c.xml(part)
	if err != nil {
		return nil, err
	}
	text := root.child("w:body")
	if root.name != "w:document" || text == nil {
		return nil, unreadable("%s is no text document", part)
	}
	b, err := newBody(c, part)
	if err != nil {
		return nil, err
	}
	for _, name := range c.names {
		if strings.HasSuffix(strings.ToLower(name), "vbaproject.bin") {
			b.left.add("macro", "the file", "macros")
		}
	}
	if err := b.flow(text); err != nil {
		return nil, err
	}
	b.rest(root, "the beginning")
	t := recognise(b.blocks, b.left)
	return &Draft{Text: t, Omissions: b.left.all()}, nil
}

// rest lists every text of the file that was neither carried over nor listed: what stands in elements that this package does
// not know.
func (r *body) rest(n *node, place string) {
	if n.told {
		return
	}
	if at, read := r.places[n]; read {
		place = at
	}
	words := (n.name == "w:t" || n.name == "a:t" || n.name == "m:t" || n.name == "w:delText" || n.foreign()) && strings.TrimSpace(n.text) != ""
	if words {
		r.left.add("unread_text", place, "text in a part of the file that is not read: %.60q", strings.TrimSpace(n.text))
	}
	for _, c := range n.children {
		r.rest(c, place)
	}
}

// newBody reads the parts that the text refers to.
func newBody(c *container, part string) (*body, error) {
	b := &body{file: c, part: part, left: &omissions{}, places: make(map[*node]string)}
	var err error
	if b.rels, err = c.relations(part); err != nil {
		return nil, err
	}
	roots := make(map[string]*node)
	for _, kind := range []string{"styles", "numbering"} {
		if roots[kind], err = c.xml(target(b.rels, kind)); err != nil {
			return nil, err
		}
	}
	b.styles, b.numbering = &styles{nodes: make(map[string]*node), done: make(map[string]style)}, readNumbering(roots["numbering"])
	if roots["styles"] != nil {
		b.styles = readStyles(roots["styles"])
	}
	return b, nil
}

// Document makes a document of the draft and the YAML of its metadata, which may be empty and holds where both state an
// element. What the file stated otherwise is added to the omissions.
func (d *Draft) Document(meta []byte) (*document.Document, error) {
	doc, err := document.ParseText(meta, d.Text)
	if err != nil {
		return nil, err
	}
	stated := map[string]string{
		"title": doc.Title, "number": doc.Number.String(), "issued_on": doc.IssuedOn.String(), "issuer": doc.Issuer.Name, "red_head": doc.RedHead,
	}
	for _, f := range d.Text.Fields {
		if want, known := stated[f.Key]; known {
			if got := strings.Join(f.Values, ""); plain(got) != plain(want) {
				d.Omissions = append(d.Omissions, Omission{
					Code: "repeated_element", Place: f.Key, Detail: "the file says " + got + ", the metadata " + want, Count: 1,
				})
			}
		}
	}
	return doc, nil
}

func plain(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "　", "")), "")
}
