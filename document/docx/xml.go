package docx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode"
)

// node is one element. Its name and those of its attributes bear the usual prefix of their namespace, whatever the file
// calls it; elements of namespaces that are not known have the prefix "?".
type node struct {
	name     string
	attrs    map[string]string
	children []*node
	// text is the character data between the children.
	text string
	// told says that its text and that of its children is in the document, or in the list of what is not.
	told bool
}

// prefixes are the namespaces by their last parts, the same in the transitional and the strict form.
func prefix(space string) string {
	switch {
	case space == "":
		return ""
	case strings.HasSuffix(space, "/wordprocessingml/2006/main"), strings.HasSuffix(space, "/ooxml/wordprocessingml/main"):
		return "w:"
	case strings.HasSuffix(space, "/officeDocument/2006/relationships"), strings.HasSuffix(space, "/ooxml/officeDocument/relationships"):
		return "r:"
	case strings.HasSuffix(space, "/package/2006/relationships"):
		return "rel:"
	case strings.HasSuffix(space, "/drawingml/2006/main"), strings.HasSuffix(space, "/ooxml/drawingml/main"):
		return "a:"
	case strings.HasSuffix(space, "/wordprocessingDrawing"):
		return "wp:"
	case strings.HasSuffix(space, "/officeDocument/2006/math"), strings.HasSuffix(space, "/ooxml/officeDocument/math"):
		return "m:"
	case strings.HasSuffix(space, "/markup-compatibility/2006"):
		return "mc:"
	case space == "urn:schemas-microsoft-com:vml":
		return "v:"
	}
	return "?"
}

// parseXML reads a part within the limits. A document type, which could define entities, is refused.
func parseXML(name string, data []byte) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	top := &node{}
	stack := []*node{top}
	count := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, unreadable("%s: %v", name, err)
		}
		last := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(stack) > maxDepth {
				return nil, unreadable("%s: more than %d elements, or deeper than %d", name, maxElements, maxDepth)
			}
			n := newNode(t)
			last.children = append(last.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if keeps(last.name) || len(bytes.TrimSpace(t)) > 0 {
				last.text += string(t)
			}
		case xml.Directive:
			return nil, unreadable("%s: a document type", name)
		}
	}
	if len(top.children) != 1 {
		return nil, unreadable("%s: %d root elements", name, len(top.children))
	}
	return top.children[0], nil
}

// keeps reports whether an element holds text in which blanks count.
func keeps(name string) bool {
	return name == "w:t" || name == "w:delText" || name == "m:t" || name == "a:t" || name == "w:instrText"
}

func newNode(t xml.StartElement) *node {
	n := &node{name: prefix(t.Name.Space) + t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		if n.attrs == nil {
			n.attrs = make(map[string]string, len(t.Attr))
		}
		n.attrs[prefix(a.Name.Space)+a.Name.Local] = a.Value
	}
	return n
}

// child is the first child of a name, all are all of them; both accept a nil node, which has none.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (n *node) all(name string) []*node {
	if n == nil {
		return nil
	}
	var out []*node
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// find is the first descendant of a name.
func (n *node) find(name string) *node {
	if n == nil || n.name == name {
		return n
	}
	for _, c := range n.children {
		if f := c.find(name); f != nil {
			return f
		}
	}
	return nil
}

func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	return n.attrs[name]
}

// val is the w:val of a child; empty without one.
func (n *node) val(child string) string { return n.child(child).attr("w:val") }

// on reports whether a property such as w:b is set: present and not switched off.
func (n *node) on(child string) bool {
	c := n.child(child)
	if c == nil {
		return false
	}
	switch c.attr("w:val") {
	case "0", "false", "off", "none":
		return false
	}
	return true
}

// plainText is every word of a part, a line a paragraph, for the check of classifications: hidden, deleted and boxed text
// too.
func (n *node) plainText(b *strings.Builder) {
	switch n.name {
	case "w:t", "w:delText", "m:t", "a:t":
		b.WriteString(n.text)
	case "w:tab":
		b.WriteByte(' ')
	case "w:br", "w:cr":
		b.WriteByte('\n')
	default:
		if n.foreign() {
			b.WriteString(n.text)
		}
	}
	for _, c := range n.children {
		c.plainText(b)
	}
	if n.name == "w:p" {
		b.WriteByte('\n')
	}
}

// foreign reports whether an element that this package does not know holds words: figures and names of places are numbers and
// Latin words, words of a document are not.
func (n *node) foreign() bool {
	return !keeps(n.name) && (n.text != "" && strings.HasSuffix(n.name, "t") && len(n.name) < 4 || strings.ContainsFunc(n.text, isHan))
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// hasWords reports whether an element holds text that is shown.
func (n *node) hasWords() bool {
	if n.name == "w:t" && strings.TrimSpace(n.text) != "" {
		return true
	}
	for _, c := range n.children {
		if c.hasWords() {
			return true
		}
	}
	return false
}
