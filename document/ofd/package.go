package ofd

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"yinxin/verdict"
)

// rootEntry is where every package begins.
const rootEntry = "OFD.xml"

// Package is an opened OFD package, safe for concurrent reading. It holds its structure and, within a bound, its small
// files; the rest is unpacked when it is asked for.
type Package struct {
	src     source
	entries []entry
	index   map[string]int // files alone
	bodies  []Body
	rootOdd string // see RootOddity
	nodes   []Node
	known   map[string]int     // name → position in nodes
	stamped map[string]bool    // files of annotations → whether one is a stamp
	indexes map[[2]string]bool // names and root elements of the files that were read for what they name
	parsed  int                // XML bytes so far
	texts   int                // bytes of text on the pages so far, see spend
	checked bool               // every file was found as it declares, in memory that nobody changes

	mu        sync.Mutex
	held      map[int][]byte
	heldBytes int
	sums      map[int][32]byte
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
	uses []string // templates
}

// Open reads a package that lies in memory, and checks every file of it. A package that is refused gives a
// *verdict.ContainerError. The bytes must not change afterwards.
func Open(data []byte) (*Package, error) {
	p, err := open(source{r: bytes.NewReader(data), size: int64(len(data)), mem: data})
	if err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	p.checked = true
	return p, nil
}

// OpenReader reads the structure of a package of the given size and those of its files that make up the document; what
// r holds must not change while the package is in use. Files that were not needed for that are not unpacked: ask
// [Package.Check] or [Package.Digest] before relying on them. A package that is refused gives a *verdict.ContainerError;
// any other error is one of reading.
func OpenReader(r io.ReaderAt, size int64) (*Package, error) {
	return open(source{r: r, size: size})
}

// OpenBytes is [OpenReader] of a package that lies in memory; the bytes must not change while it is in use.
func OpenBytes(data []byte) (*Package, error) {
	return open(source{r: bytes.NewReader(data), size: int64(len(data)), mem: data})
}

func open(src source) (*Package, error) {
	entries, err := readZip(src)
	if err != nil {
		return nil, err
	}
	p := &Package{
		src: src, entries: entries, index: make(map[string]int, len(entries)), known: map[string]int{}, indexes: map[[2]string]bool{},
		held: map[int][]byte{}, sums: map[int][32]byte{},
	}
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

// Entry returns the bytes of a file of the package; a leading slash is allowed. The caller must not change them. Of a
// package that was not checked, a file that cannot be unpacked is not given either; Check says why.
func (p *Package) Entry(name string) ([]byte, bool) {
	i, ok := p.index[strings.TrimPrefix(name, "/")]
	if !ok {
		return nil, false
	}
	data, err := p.read(i)
	return data, err == nil
}

// Has reports whether the package holds a file of that name.
func (p *Package) Has(name string) bool {
	_, ok := p.index[strings.TrimPrefix(name, "/")]
	return ok
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
	i, ok := p.index[name]
	if !ok {
		return nil, verdict.Refuse(verdict.MissingEntry, "%s is not in the package", name)
	}
	data, err := p.read(i)
	if err != nil {
		return nil, err
	}
	if p.parsed += len(data); p.parsed > MaxXML {
		return nil, verdict.Refuse(verdict.Limit, "more than %d bytes of XML", MaxXML)
	}
	return ParseXML(name, data, root)
}
