package ofd

import (
	"strings"

	"yinxin/verdict"
)

// rootEntry is where every package begins.
const rootEntry = "OFD.xml"

// Package is an opened OFD package. It holds everything in memory and is safe for concurrent reading.
type Package struct {
	entries []entry
	index   map[string]int // files alone
	bodies  []Body
	nodes   []Node
	known   map[string]int // name → position in nodes
	parsed  int            // XML bytes so far
}

// Body is one document of a package; nearly every package has one.
type Body struct {
	// Info is what the document says of itself.
	Info DocInfo
	// Root is the entry name of Document.xml.
	Root string
	// Signatures is the entry name of the list of signatures, empty if the document names none.
	Signatures string
	// Pages are its pages in reading order.
	Pages []Page
	// insertAt and prefix say where and how OFD.xml would name a list of signatures.
	insertAt int
	prefix   string
}

// DocInfo is the metadata of a document (GB/T 33190, CT_DocInfo).
type DocInfo struct {
	DocID, Title, Author, Subject, Abstract string
	CreationDate, ModDate, DocUsage         string
	Creator, CreatorVersion                 string
	Keywords                                []string
	Custom                                  []CustomData
}

// CustomData is one named value that an application added.
type CustomData struct{ Name, Value string }

// CustomValue returns the first custom value of that name.
func (d DocInfo) CustomValue(name string) (string, bool) {
	for _, c := range d.Custom {
		if c.Name == name {
			return c.Value, true
		}
	}
	return "", false
}

// Page is one page.
type Page struct {
	// ID is the page's identifier, to which stamps refer.
	ID string
	// Name is the entry name of its content.
	Name string
	// Size is its physical box in millimetres.
	Size Box

	text []string
}

// Open reads a package. A package that is refused gives a *verdict.ContainerError.
func Open(data []byte) (*Package, error) {
	entries, err := readZip(data)
	if err != nil {
		return nil, err
	}
	p := &Package{entries: entries, index: make(map[string]int, len(entries)), known: map[string]int{}}
	for i := range entries {
		if !entries[i].dir {
			p.index[entries[i].name] = i
		}
	}
	if err := p.walk(); err != nil {
		return nil, err
	}
	return p, nil
}

// Entry returns the bytes of a file of the package; a leading slash is allowed. The caller must not change them.
func (p *Package) Entry(name string) ([]byte, bool) {
	i, ok := p.index[strings.TrimPrefix(name, "/")]
	if !ok {
		return nil, false
	}
	return p.entries[i].data, true
}

// Names returns the names of all files, in the order of the package.
func (p *Package) Names() []string {
	names := make([]string, 0, len(p.index))
	for i := range p.entries {
		if !p.entries[i].dir {
			names = append(names, p.entries[i].name)
		}
	}
	return names
}

// Bodies returns the documents of the package, at least one.
func (p *Package) Bodies() []Body { return p.bodies }

// Info returns what the first document says of itself.
func (p *Package) Info() DocInfo { return p.bodies[0].Info }

// Pages returns the pages of the first document.
func (p *Package) Pages() []Page { return p.bodies[0].Pages }

// PageText returns the text of page i (from 0) of the first document, one text object a line, in drawing order: page
// content, then its templates, then its annotations. It is empty for a page that does not exist.
func (p *Package) PageText(i int) string {
	if i < 0 || i >= len(p.Pages()) {
		return ""
	}
	return strings.Join(p.Pages()[i].text, "\n")
}

// parse reads an entry as strict XML; the whole package shares one bound.
func (p *Package) parse(name, root string) (*Element, error) {
	data, ok := p.Entry(name)
	if !ok {
		return nil, verdict.Refuse(verdict.MissingEntry, "%s is not in the package", name)
	}
	if p.parsed += len(data); p.parsed > MaxXML {
		return nil, verdict.Refuse(verdict.Limit, "more than %d bytes of XML", MaxXML)
	}
	return ParseXML(name, data, root)
}
