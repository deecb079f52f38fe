package ofd

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"yinxin/verdict"
)

// The two namespaces that OFD files carry; older ones the second.
const (
	Namespace    = "http://www.ofdspec.org/2016"
	namespaceOld = "http://www.ofdspec.org"
)

// Element is one element of a strictly read XML file. Elements and attributes of other namespaces stand only inside
// the places that the format opens to them, and no lookup here finds them.
type Element struct {
	Name     string // local name
	Text     string // character data directly inside, in order
	Children []*Element
	// Start and End are the offsets of the element in the bytes it was read from: its first "<" and the byte after its
	// last ">". Tail is where its end tag (or the whole element, if it is empty) begins.
	Start, Tail, End int

	attrs   []xml.Attr
	text    []byte // until the end tag; appended to, because comments can cut it into any number of pieces
	foreign bool
	// comment, cdata and plain say of what the text was put together
	comment, cdata, plain bool
}

// Attr returns the value of an attribute without a namespace.
func (e *Element) Attr(name string) (string, bool) {
	for _, a := range e.attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// AttrNames are the names of all attributes, without their namespaces.
func (e *Element) AttrNames() []string {
	names := make([]string, 0, len(e.attrs))
	for _, a := range e.attrs {
		names = append(names, a.Name.Local)
	}
	return names
}

// Value is Attr with the empty string for an absent attribute.
func (e *Element) Value(name string) string {
	v, _ := e.Attr(name)
	return v
}

// Child returns the first child of that name, or nil. Where the format allows one only, a second was refused on reading.
func (e *Element) Child(name string) *Element {
	if e == nil {
		return nil
	}
	for _, c := range e.Children {
		if c.Name == name && !c.foreign {
			return c
		}
	}
	return nil
}

// All returns the children of that name, in order.
func (e *Element) All(name string) []*Element {
	if e == nil {
		return nil
	}
	var all []*Element
	for _, c := range e.Children {
		if c.Name == name && !c.foreign {
			all = append(all, c)
		}
	}
	return all
}

// ChildText returns the trimmed text of the first child of that name, empty if there is none.
func (e *Element) ChildText(name string) string {
	if c := e.Child(name); c != nil {
		return strings.TrimSpace(c.Text)
	}
	return ""
}

// singles lists, for each parent, the children that may stand there once. A reader that takes the first and one that
// takes the last would see different documents.
var singles = map[string]string{
	"DocBody":      " DocInfo DocRoot Versions Signatures ",
	"DocInfo":      " DocID Title Author Subject Abstract CreationDate ModDate DocUsage Cover Keywords Creator CreatorVersion CustomDatas ",
	"Document":     " CommonData Pages Outlines Permissions Actions VPreferences Bookmarks Annotations CustomTags Attachments Extensions ",
	"CommonData":   " MaxUnitID PageArea DefaultCS ",
	"PageArea":     " PhysicalBox ApplicationBox ContentBox BleedBox ",
	"Area":         " PhysicalBox ApplicationBox ContentBox BleedBox ",
	"Page":         " Area Content Actions FileLoc ",
	"Font":         " FontFile ",
	"MultiMedia":   " MediaFile ",
	"Attachment":   " FileLoc ",
	"CustomTag":    " SchemaLoc FileLoc ",
	"Annot":        " Remark Parameters Appearance ",
	"DocVersion":   " FileList DocRoot ",
	"Signatures":   " MaxSignId ",
	"Signature":    " SignedInfo SignedValue ",
	"SignedInfo":   " Provider SignatureMethod SignatureDateTime Parameters Seal ",
	"Seal":         " BaseLoc ImageLoc ",
	"Reference":    " CheckValue ",
	"TextObject":   " FillColor StrokeColor Clips Actions ",
	"ImageObject":  " FillColor StrokeColor Clips Actions Border ",
	"PathObject":   " FillColor StrokeColor Clips Actions AbbreviatedData ",
	"CTPageBlock":  "",
	"TemplatePage": " Area Content ",
}

// open lists the elements whose content belongs to other vocabularies.
const openElements = " Data ExtendData Property Parameters "

// ParseXML reads one XML file of a package and refuses, with a *verdict.ContainerError whose detail begins with name,
// whatever two readers could take differently: a document type, another encoding than UTF-8, another namespace,
// duplicate attributes and single elements, anything after the root, values split by comments or CDATA; and it bounds depth,
// attributes, tokens and elements. root is the expected name of the root element.
func ParseXML(name string, data []byte, root string) (*Element, error) {
	p := &xmlParser{name: name}
	body, err := p.decode(data)
	if err != nil {
		return nil, err
	}
	p.base = len(data) - len(body)
	e, err := p.parse(body)
	if err != nil {
		return nil, err
	}
	if e.Name != root {
		return nil, p.refuse(verdict.XMLMalformed, "the root element is %q, not %q", e.Name, root)
	}
	return e, nil
}

type xmlParser struct {
	name     string
	base     int
	elements int
}

func (p *xmlParser) refuse(r verdict.Reason, format string, args ...any) error {
	return verdict.Refuse(r, p.name+": "+format, args...)
}

// decode checks the encoding and cuts off a byte order mark.
func (p *xmlParser) decode(data []byte) ([]byte, error) {
	if len(data) > MaxXML {
		return nil, p.refuse(verdict.Limit, "XML of %d bytes", len(data))
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 || bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return nil, p.refuse(verdict.Encoding, "not UTF-8")
	}
	return data, nil
}

func (p *xmlParser) parse(body []byte) (*Element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var root *Element
	var stack []*Element
	for {
		start := int(d.InputOffset())
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p.syntax(err)
		}
		end := int(d.InputOffset())
		if end-start > MaxToken {
			return nil, p.refuse(verdict.Limit, "a token of %d bytes", end-start)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if root != nil && len(stack) == 0 {
				return nil, p.refuse(verdict.XMLTrailing, "a second root element %q", t.Name.Local)
			}
			e, err := p.open(t, stack)
			if err != nil {
				return nil, err
			}
			e.Start = p.base + start
			if root == nil {
				root = e
			}
			stack = append(stack, e)
		case xml.EndElement:
			e := stack[len(stack)-1]
			e.Tail, e.End = p.base+start, p.base+end
			e.Text, e.text = string(e.text), nil
			if e.comment && strings.TrimSpace(e.Text) != "" {
				return nil, p.refuse(verdict.XMLSplitValue, "the text of %q is split by a comment", e.Name)
			}
			if e.cdata && e.plain && e.Name != "TextCode" {
				return nil, p.refuse(verdict.XMLSplitValue, "the text of %q is split by a CDATA section", e.Name)
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) == 0 {
				if len(bytes.TrimSpace(t)) != 0 {
					return nil, p.refuse(verdict.XMLTrailing, "text outside the root element")
				}
				continue
			}
			e := stack[len(stack)-1]
			if len(e.text)+len(t) > MaxToken {
				return nil, p.refuse(verdict.Limit, "more than %d bytes of text in %q", MaxToken, e.Name)
			}
			e.text = append(e.text, t...)
			if bytes.HasPrefix(body[start:], []byte("<![CDATA[")) {
				e.cdata = true
			} else if len(bytes.TrimSpace(t)) > 0 {
				e.plain = true
			}
		case xml.Comment:
			if len(stack) > 0 {
				stack[len(stack)-1].comment = true
			}
		case xml.Directive:
			return nil, p.refuse(verdict.Doctype, "a document type or another directive")
		case xml.ProcInst:
			if t.Target != "xml" || start != 0 {
				return nil, p.refuse(verdict.XMLMalformed, "a processing instruction %q", t.Target)
			}
		}
	}
	if root == nil {
		return nil, p.refuse(verdict.XMLMalformed, "no element")
	}
	return root, nil
}

// open checks a start tag and hangs it under the innermost open element.
func (p *xmlParser) open(t xml.StartElement, stack []*Element) (*Element, error) {
	p.elements++
	if len(stack) >= MaxDepth || p.elements > MaxElements {
		return nil, p.refuse(verdict.Limit, "more than %d levels or %d elements", MaxDepth, MaxElements)
	}
	e := &Element{Name: t.Name.Local, attrs: t.Attr}
	e.foreign = t.Name.Space != Namespace && t.Name.Space != namespaceOld
	var parent *Element
	if len(stack) > 0 {
		parent = stack[len(stack)-1]
	}
	if e.foreign && (parent == nil || !parent.foreign && !listed(openElements, parent.Name)) {
		return nil, p.refuse(verdict.Namespace, "element %q is in the namespace %q", t.Name.Local, t.Name.Space)
	}
	if err := p.checkAttrs(e); err != nil {
		return nil, err
	}
	if parent != nil {
		if !parent.foreign && listed(singles[parent.Name], e.Name) && parent.Child(e.Name) != nil {
			return nil, p.refuse(verdict.XMLDuplicate, "%q stands twice in %q", e.Name, parent.Name)
		}
		parent.Children = append(parent.Children, e)
	}
	return e, nil
}

func (p *xmlParser) checkAttrs(e *Element) error {
	if len(e.attrs) > MaxAttributes {
		return p.refuse(verdict.Limit, "%q has %d attributes", e.Name, len(e.attrs))
	}
	for i, a := range e.attrs {
		for _, b := range e.attrs[:i] {
			if a.Name == b.Name {
				return p.refuse(verdict.XMLDuplicate, "%q has the attribute %q twice", e.Name, a.Name.Local)
			}
		}
		if e.foreign {
			continue
		}
		switch a.Name.Space {
		case "", "xmlns", "http://www.w3.org/XML/1998/namespace":
		case "http://www.w3.org/2001/XMLSchema-instance":
			return p.refuse(verdict.Doctype, "%q names a schema", e.Name)
		default:
			return p.refuse(verdict.Namespace, "attribute %q of %q has a prefix", a.Name.Local, e.Name)
		}
	}
	return nil
}

// syntax sorts the decoder's own refusals.
func (p *xmlParser) syntax(err error) error {
	msg := err.Error()
	switch {
	case strings.Contains(msg, "invalid character entity") && !strings.Contains(msg, "no semicolon"):
		return p.refuse(verdict.Doctype, "an entity that XML itself does not define")
	case strings.Contains(msg, "CharsetReader"), strings.Contains(msg, "invalid UTF-8"):
		return p.refuse(verdict.Encoding, "not UTF-8 or declared as something else")
	}
	return p.refuse(verdict.XMLMalformed, "%s", msg)
}

func listed(list, name string) bool { return strings.Contains(list, " "+name+" ") }

// Box is a rectangle in millimetres: its top left corner from the page's (or object's) top left corner, y downwards,
// and its size.
type Box struct{ X, Y, W, H float64 }

// ParseBox reads "x y w h". Numbers are plain decimals; anything else, a negative size and numbers beyond ten metres
// are a *verdict.ContainerError with the reason number. GB/T 33190, ST_Box.
func ParseBox(s string) (Box, error) {
	f := strings.Fields(s)
	if len(f) != 4 {
		return Box{}, verdict.Refuse(verdict.Number, "%q is not a box of four numbers", clip(s))
	}
	var n [4]float64
	for i := range f {
		v, err := parseNumber(f[i])
		if err != nil {
			return Box{}, err
		}
		n[i] = v
	}
	if n[2] < 0 || n[3] < 0 {
		return Box{}, verdict.Refuse(verdict.Number, "%q has a negative size", clip(s))
	}
	return Box{n[0], n[1], n[2], n[3]}, nil
}

func parseNumber(s string) (float64, error) {
	const farthest = 10_000
	s = strings.TrimSpace(s) // as XML Schema reads numbers
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, verdict.Refuse(verdict.Number, "%q is not a number", clip(s))
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v > farthest || v < -farthest {
		return 0, verdict.Refuse(verdict.Number, "%q is not a number of millimetres", clip(s))
	}
	return v, nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
