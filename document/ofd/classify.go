package ofd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"yinxin/document"
	"yinxin/verdict"
)

// CheckUnclassified looks for a classification in everything of the package that can be read as text: the names of its
// entries; every element, attribute and text of its XML, whoever reaches it, the document information and all custom
// data among them; and the text of every page, template and annotation, joined to lines by where it stands. Entries
// that are no XML of the format are handed to other: whole, or of a large one its beginning and, in whole, what opens it
// as a stream from its beginning. The error is document.ErrClassified without a word of the content, or what other said,
// or a *verdict.ContainerError if the package holds more XML than MaxXML. What is drawn or pictured is not read.
func (p *Package) CheckUnclassified(other func(name string, data []byte, whole func() (io.ReadCloser, error)) error) error {
	for i := range p.entries {
		for part := range strings.SplitSeq(strings.TrimSuffix(p.entries[i].name, "/"), "/") {
			if err := checkText("the name of an entry", part); err != nil {
				return err
			}
		}
	}
	left := MaxXML
	for i := range p.entries {
		e := &p.entries[i]
		if e.dir {
			continue
		}
		data, err := p.readable(i)
		if err != nil {
			return err
		}
		if err := checkStem(e.name, data); err != nil {
			return err
		}
		if root := formatXML(e.name, data); root != nil {
			if left -= len(data); left < 0 {
				return verdict.Refuse(verdict.Limit, "more than %d bytes of XML", MaxXML)
			}
			if err := p.checkXML(e.name, root); err != nil {
				return err
			}
			continue
		}
		var whole func() (io.ReadCloser, error)
		if len(data) < int(e.size) {
			whole = func() (io.ReadCloser, error) { return p.src.open(e) }
		}
		if err := other(e.name, data, whole); err != nil {
			return err
		}
	}
	return p.checkDrawingOrder()
}

// maxHead is how much of a large file is handed on in memory that is neither XML nor a document of its own.
const maxHead = 16 << 20

// readable gives what of entry i can be read as text: all of it, or the first MiBs of a large file that is something
// else.
func (p *Package) readable(i int) ([]byte, error) {
	const sample = 4 << 10
	if p.entries[i].size <= maxHead {
		return p.read(i)
	}
	head, err := p.head(i, sample)
	if err != nil {
		return nil, err
	}
	for _, begin := range []string{"<", "PK\x03\x04", "%PDF-"} {
		if bytes.HasPrefix(trimmed(head), []byte(begin)) {
			return p.read(i)
		}
	}
	return p.head(i, maxHead)
}

// trimmed leaves out a byte order mark and the space at both ends.
func trimmed(data []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
}

// formatXML parses an entry that is XML of the format; nil for anything else.
func formatXML(name string, data []byte) *Element {
	if !bytes.HasPrefix(trimmed(data), []byte("<")) {
		return nil
	}
	x := &xmlParser{name: name}
	body, err := x.decode(data)
	if err != nil {
		return nil
	}
	root, err := x.parse(body)
	if err != nil {
		return nil
	}
	return root
}

// checkStem refuses an entry that is named after a classification element and says anything: 密级.txt.
func checkStem(name string, data []byte) error {
	const longest = 64 // what says 无 is short
	base := path.Base(name)
	stem := strings.TrimSuffix(base, path.Ext(base))
	if document.ClassifiedElementNamed(stem, "x") && (len(data) > longest || document.ClassifiedElementNamed(stem, string(data))) {
		return &document.ClassifiedError{Where: "an entry of the package", Kind: document.ClassifiedElement}
	}
	return nil
}

// checkDrawingOrder finds marks whose characters are objects of their own in places that tell nothing.
func (p *Package) checkDrawingOrder() error {
	for _, b := range p.bodies {
		for i := range b.Pages {
			if document.HasStarMark(strings.Join(b.Pages[i].text, "\n")) {
				return &document.ClassifiedError{Where: fmt.Sprintf("page %d", i+1), Kind: document.ClassifiedMark}
			}
		}
	}
	return nil
}

// place names an entry for a refusal: pages by their number, the rest by what it is.
func (p *Package) place(name string) string {
	for _, b := range p.bodies {
		for i := range b.Pages {
			if b.Pages[i].Name == name {
				return fmt.Sprintf("page %d", i+1)
			}
		}
	}
	if name == rootEntry {
		return "the document information"
	}
	if i, ok := p.known[name]; ok {
		return "an entry of the kind " + string(p.nodes[i].Kind)
	}
	return "an entry of the package"
}

func (p *Package) checkXML(name string, root *Element) error {
	c := &textCollector{where: p.place(name)}
	group := &textGroup{}
	if err := c.element(root, group); err != nil {
		return err
	}
	for _, g := range append(c.groups, group) {
		for _, text := range g.views() {
			if err := checkText(c.where, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// textCollector goes through one XML file.
type textCollector struct {
	where  string
	groups []*textGroup
}

// element checks names, attributes and text, and gathers the text objects, whose text counts by where it stands.
func (c *textCollector) element(e *Element, group *textGroup) error {
	if e.Name == "TextObject" && !e.foreign {
		group.add(e)
		return nil
	}
	if e.Name == "Appearance" || e.Name == "CompositeGraphicUnit" || e.Name == "CellContent" { // coordinates of their own
		group = &textGroup{}
		c.groups = append(c.groups, group)
	}
	text := strings.TrimSpace(e.Text)
	if err := c.named(e.Name, text); err != nil {
		return err
	}
	value := text
	if v, ok := e.anyAttr("Value"); ok && value == "" {
		value = v
	}
	for _, a := range e.attrs {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		if err := c.named(a.Name.Local, a.Value); err != nil {
			return err
		}
		switch a.Name.Local {
		case "Name", "name", "Key", "key", "TypeName":
			if e.Name == "Attachment" && document.ClassifiedElementNamed(strings.TrimSuffix(a.Value, path.Ext(a.Value)), "x") {
				return &document.ClassifiedError{Where: "the name of an attachment", Kind: document.ClassifiedElement}
			}
			if document.ClassifiedElementNamed(a.Value, value) || len(e.Children) > 0 && document.ClassifiedElementNamed(a.Value, deepText(e)) {
				return &document.ClassifiedError{Where: c.where, Kind: document.ClassifiedElement}
			}
		}
	}
	for _, child := range e.Children {
		if err := c.element(child, group); err != nil {
			return err
		}
	}
	return nil
}

// named checks one value under the name that it has.
func (c *textCollector) named(name, value string) error {
	if value == "" {
		return nil
	}
	if document.ClassifiedElementNamed(name, value) {
		return &document.ClassifiedError{Where: c.where, Kind: document.ClassifiedElement}
	}
	if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
		var v any
		if json.Unmarshal([]byte(value), &v) == nil {
			return document.CheckJSON(c.where, v)
		}
	}
	return checkText(c.where, value)
}

func (e *Element) anyAttr(name string) (string, bool) {
	for _, a := range e.attrs {
		if strings.EqualFold(a.Name.Local, name) {
			return a.Value, true
		}
	}
	return "", false
}

// deepText is all text below an element.
func deepText(e *Element) string {
	var b strings.Builder
	var walk func(*Element)
	walk = func(e *Element) {
		b.WriteString(e.Text)
		for _, c := range e.Children {
			walk(c)
		}
	}
	walk(e)
	return b.String()
}

func checkText(where, text string) error {
	if kind, found := document.FindClassification(text); found {
		return &document.ClassifiedError{Where: where, Kind: kind}
	}
	return nil
}
