package ofd

import (
	"bytes"
	"slices"
	"strings"

	"yinxin/verdict"
)

// Kind says what a document uses an entry for.
type Kind string

// The kinds of entries that a document reaches.
const (
	KindRoot       Kind = "root"       // OFD.xml
	KindDocument   Kind = "document"   // Document.xml
	KindPage       Kind = "page"       // page content
	KindTemplate   Kind = "template"   // template page
	KindResources  Kind = "resources"  // a list of resources
	KindMedia      Kind = "media"      // picture, sound, film
	KindFont       Kind = "font"       // embedded font
	KindProfile    Kind = "profile"    // colour profile
	KindAnnotation Kind = "annotation" // list of annotations, or those of a page
	KindAttachment Kind = "attachment" // list of attachments, or an attached file
	KindCustomTag  Kind = "customtag"  // list of custom tags, a tag file or its schema
	KindExtension  Kind = "extension"  // list of extensions, or their data
	KindVersion    Kind = "version"    // description of a version, or a file it lists
	KindCover      Kind = "cover"      // cover picture
)

// Node is one entry that a document reaches.
type Node struct {
	// Name is the entry name.
	Name string
	// Kind is what it is used for, From the entry that names it first.
	Kind Kind
	From string
	// Body is the position of the first document that reaches it; OFD.xml has -1.
	Body int
	// Missing says that the package lacks it.
	Missing bool
}

// Graph returns every entry that OFD.xml and the documents reach, in the order of the walk, missing ones included.
// Lists of signatures and what they name are not part of it: they are judged, not shown.
func (p *Package) Graph() []Node { return p.nodes }

// Reaches reports whether a document reaches the entry.
func (p *Package) Reaches(name string) bool {
	_, ok := p.known[name]
	return ok
}

// Stamped reports whether an entry holds annotations of a page, however else a document reaches it, and one of the kind Stamp.
func (p *Package) Stamped(name string) bool { return p.stamped[name] }

func isStamp(annot *Element) bool {
	return strings.EqualFold(strings.TrimSpace(annot.Value("Type")), "Stamp")
}

// walk reads OFD.xml and follows it.
func (p *Package) walk() error {
	if !p.Has(rootEntry) {
		return verdict.Refuse(verdict.MissingEntry, "the package has no OFD.xml")
	}
	root, err := p.parse(rootEntry, "OFD")
	if err != nil {
		return err
	}
	p.add(Node{Name: rootEntry, Kind: KindRoot, Body: -1})
	p.rootOdd = rootOddity(root)
	bodies := root.All("DocBody")
	if len(bodies) == 0 || len(bodies) > MaxBodies {
		return verdict.Refuse(verdict.Malformed, "OFD.xml holds %d documents", len(bodies))
	}
	for i, b := range bodies {
		if err := p.walkBody(i, b); err != nil {
			return err
		}
	}
	return nil
}

// add records a node that is not known yet.
func (p *Package) add(n Node) {
	if _, ok := p.known[n.Name]; ok {
		return
	}
	_, present := p.index[n.Name]
	n.Missing = !present
	p.known[n.Name] = len(p.nodes)
	p.nodes = append(p.nodes, n)
}

// walker follows one document.
type walker struct {
	*Package
	body      int
	pageBox   Box
	templates map[string]Page     // ID → template
	units     map[string][]string // ID of a composite unit → those that it uses
	shown     map[string]int      // page ID → position
	pages     []Page
}

func newWalker(p *Package, body int) *walker {
	return &walker{Package: p, body: body, templates: map[string]Page{}, units: map[string][]string{}, shown: map[string]int{}}
}

func (p *Package) walkBody(i int, e *Element) error {
	b := Body{Info: readInfo(e.Child("DocInfo"))}
	docRoot := e.Child("DocRoot")
	if docRoot == nil {
		return verdict.Refuse(verdict.Malformed, "OFD.xml: a document without DocRoot")
	}
	var err error
	if b.Root, err = Resolve(rootEntry, docRoot.Text); err != nil {
		return err
	}
	if s := e.Child("Signatures"); s != nil {
		if b.Signatures, err = Resolve(rootEntry, s.Text); err != nil {
			return err
		}
	}
	b.insertAt, b.prefix = p.signaturesPlace(e, docRoot)
	w := newWalker(p, i)
	if cover := e.Child("DocInfo").Child("Cover"); cover != nil {
		if _, err := w.reach(rootEntry, cover.Text, KindCover); err != nil {
			return err
		}
	}
	if err := w.document(rootEntry, b.Root, KindDocument); err != nil {
		return err
	}
	if err := w.versions(e.Child("Versions")); err != nil {
		return err
	}
	b.Pages = w.pages
	p.bodies = append(p.bodies, b)
	return nil
}

// signaturesPlace finds where OFD.xml takes a Signatures element (after DocRoot and Versions) and with which prefix.
func (p *Package) signaturesPlace(body, docRoot *Element) (int, string) {
	at := docRoot.End
	if v := body.Child("Versions"); v != nil {
		at = v.End
	}
	data, _ := p.Entry(rootEntry)
	tag := data[docRoot.Start+1 : docRoot.End]
	if i := bytes.Index(tag, []byte("DocRoot")); i > 0 {
		return at, string(tag[:i])
	}
	return at, ""
}

func readInfo(e *Element) DocInfo {
	if e == nil {
		return DocInfo{}
	}
	d := DocInfo{
		DocID: e.ChildText("DocID"), Title: e.ChildText("Title"), Author: e.ChildText("Author"),
		Subject: e.ChildText("Subject"), Abstract: e.ChildText("Abstract"),
		CreationDate: e.ChildText("CreationDate"), ModDate: e.ChildText("ModDate"), DocUsage: e.ChildText("DocUsage"),
		Creator: e.ChildText("Creator"), CreatorVersion: e.ChildText("CreatorVersion"),
	}
	for _, k := range e.Child("Keywords").All("Keyword") {
		d.Keywords = append(d.Keywords, strings.TrimSpace(k.Text))
	}
	for _, c := range e.Child("CustomDatas").All("CustomData") {
		d.Custom = append(d.Custom, CustomData{Name: c.Value("Name"), Value: c.Text})
	}
	return d
}

// reach resolves loc as written in the entry from and records what it names.
func (w *walker) reach(from, loc string, kind Kind) (name string, err error) {
	name, err = Resolve(from, loc)
	if err != nil {
		return "", err
	}
	w.add(Node{Name: name, Kind: kind, From: from, Body: w.body})
	return name, nil
}

// follow reaches the text of a child element that holds a location; the name is empty where there is none.
func (w *walker) follow(from string, e *Element, child string, kind Kind) (name string, err error) {
	c := e.Child(child)
	if c == nil {
		return "", nil
	}
	return w.reach(from, c.Text, kind)
}

// index reads a file that names others, which has the root element. It is nil where there is no such file, or where it was
// read as such before. That something else reached the file earlier, as a cover or a font, is no reason not to read it:
// else a document could show what nobody knows of.
func (w *walker) index(name, root string) (*Element, error) {
	if name == "" || !w.Has(name) || w.indexes[[2]string{name, root}] {
		return nil, nil //nolint:nilnil // nothing to read, and no fault
	}
	w.indexes[[2]string{name, root}] = true
	return w.parse(name, root)
}

func (w *walker) document(from, name string, kind Kind) error {
	w.add(Node{Name: name, Kind: kind, From: from, Body: w.body})
	if name == rootEntry {
		return verdict.Refuse(verdict.Malformed, "%s is the root of two documents", name)
	}
	doc, err := w.index(name, "Document")
	switch {
	case err != nil:
		return err
	case doc == nil && kind == KindVersion: // missing, or walked already
		return nil
	case doc == nil && w.Has(name):
		return verdict.Refuse(verdict.Malformed, "%s is the root of two documents", name)
	case doc == nil:
		doc, err = w.parse(name, "Document") // which says that it is missing
	}
	if err != nil {
		return err
	}
	common := doc.Child("CommonData")
	if common == nil || doc.Child("Pages") == nil {
		return verdict.Refuse(verdict.Malformed, "%s: CommonData or Pages is missing", name)
	}
	if w.pageBox, err = pageBox(common.Child("PageArea"), Box{}); err != nil {
		return err
	}
	for _, kind := range []string{"PublicRes", "DocumentRes"} {
		for _, r := range common.All(kind) {
			if err := w.resources(name, r.Text); err != nil {
				return err
			}
		}
	}
	if err := w.templatePages(name, common); err != nil {
		return err
	}
	if err := w.documentPages(name, doc.Child("Pages")); err != nil {
		return err
	}
	if isRing(w.units) {
		return verdict.Refuse(verdict.Path, "%s: a composite unit uses itself, or others that use it", name)
	}
	if err := w.annotations(name, doc); err != nil {
		return err
	}
	if err := w.attachments(name, doc); err != nil {
		return err
	}
	if err := w.customTags(name, doc); err != nil {
		return err
	}
	return w.extensions(name, doc)
}

func (w *walker) documentPages(name string, pages *Element) error {
	list := pages.All("Page")
	if len(list) == 0 || len(list) > MaxPages {
		return verdict.Refuse(verdict.Malformed, "%s: %d pages", name, len(list))
	}
	for _, e := range list {
		page, err := w.page(name, e, KindPage)
		if err != nil {
			return err
		}
		if _, twice := w.shown[page.ID]; twice || page.ID == "" {
			return verdict.Refuse(verdict.XMLDuplicate, "%s: two pages have the ID %q, or one has none", name, page.ID)
		}
		w.shown[page.ID] = len(w.pages)
		w.pages = append(w.pages, page)
	}
	return nil
}

// pageBox reads the boxes of an area, and returns the physical one, or the default where there is none.
func pageBox(area *Element, def Box) (Box, error) {
	for _, name := range []string{"ApplicationBox", "ContentBox", "BleedBox"} {
		if b := area.Child(name); b != nil {
			if _, err := ParseBox(b.Text); err != nil {
				return Box{}, err
			}
		}
	}
	b := area.Child("PhysicalBox")
	if b == nil {
		return def, nil
	}
	return ParseBox(b.Text)
}

// page reads a page or template that e, in the entry from, names by BaseLoc.
func (w *walker) page(from string, e *Element, kind Kind) (Page, error) {
	page := Page{ID: e.Value("ID"), Size: w.pageBox}
	name, err := w.reach(from, e.Value("BaseLoc"), kind)
	if err != nil {
		return Page{}, err
	}
	page.Name = name
	if !w.Has(name) {
		return page, nil // recorded as missing; whoever judges the package says so
	}
	content, err := w.parse(name, "Page")
	if err != nil {
		return Page{}, err
	}
	if page.Size, err = pageBox(content.Child("Area"), w.pageBox); err != nil {
		return Page{}, err
	}
	if kind == KindPage && (page.Size.W == 0 || page.Size.H == 0) {
		return Page{}, verdict.Refuse(verdict.Number, "%s: a page of %g by %g mm", name, page.Size.W, page.Size.H)
	}
	if err := checkGraphics(name, content.Child("Content")); err != nil {
		return Page{}, err
	}
	for _, r := range content.All("PageRes") {
		if err := w.resources(name, r.Text); err != nil {
			return Page{}, err
		}
	}
	page.text = appendText(nil, content.Child("Content"))
	for _, t := range content.All("Template") {
		page.uses = append(page.uses, t.Value("TemplateID"))
	}
	if kind == KindPage {
		w.templateText(&page, page.uses, map[string]bool{})
	}
	return page, w.spend(page.text)
}

// appendText collects the text objects below e, each as one line.
func appendText(lines []string, e *Element) []string {
	if e == nil {
		return lines
	}
	if e.Name == "TextObject" {
		var b strings.Builder
		for _, c := range e.All("TextCode") {
			b.WriteString(c.Text)
		}
		return append(lines, b.String())
	}
	for _, c := range e.Children {
		lines = appendText(lines, c)
	}
	return lines
}

func (w *walker) resources(from, loc string) error {
	name, err := w.reach(from, loc, KindResources)
	if err != nil {
		return err
	}
	res, err := w.index(name, "Res")
	if err != nil || res == nil {
		return err
	}
	for _, shared := range []string{"DrawParams", "CompositeGraphicUnits"} {
		for _, e := range res.All(shared) {
			if err := checkGraphics(name, e); err != nil {
				return err
			}
			w.composites(e)
		}
	}
	folder, err := resourceFolder(name, res)
	if err != nil {
		return err
	}
	add := func(loc string, kind Kind) error {
		target, err := ResolveIn(folder, loc)
		if err == nil {
			w.add(Node{Name: target, Kind: kind, From: name, Body: w.body})
		}
		return err
	}
	for _, group := range res.Children {
		for _, e := range group.Children {
			if err := resourceFiles(e, add); err != nil {
				return err
			}
		}
	}
	return nil
}

// resourceFiles adds all the files that a resource names, whatever it is: readers differ in which of them they take.
func resourceFiles(e *Element, add func(loc string, kind Kind) error) error {
	for _, f := range slices.Concat(e.All("FontFile"), e.All("MediaFile")) {
		kind := KindMedia
		if f.Name == "FontFile" {
			kind = KindFont
		}
		if err := add(f.Text, kind); err != nil {
			return err
		}
	}
	if profile := e.Value("Profile"); profile != "" {
		return add(profile, KindProfile)
	}
	return nil
}

// resourceFolder is the folder that the locations of a resource file count from.
func resourceFolder(name string, res *Element) (string, error) {
	folder := ""
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		folder = name[:i]
	}
	base := strings.TrimSpace(res.Value("BaseLoc"))
	switch strings.Trim(base, "/") {
	case "", ".":
		if strings.HasPrefix(base, "/") {
			return "", nil
		}
		return folder, nil
	}
	return ResolveIn(folder, strings.TrimSuffix(base, "/"))
}

func (w *walker) annotations(from string, doc *Element) error {
	name, err := w.follow(from, doc, "Annotations", KindAnnotation)
	if err != nil {
		return err
	}
	list, err := w.index(name, "Annotations")
	if err != nil || list == nil {
		return err
	}
	for _, pg := range list.All("Page") {
		file, err := w.follow(name, pg, "FileLoc", KindAnnotation)
		if err != nil {
			return err
		}
		annots, err := w.index(file, "PageAnnot")
		if err != nil {
			return err
		}
		if err := checkGraphics(file, annots); err != nil {
			return err
		}
		if w.stamped == nil {
			w.stamped = map[string]bool{}
		}
		w.stamped[file] = w.stamped[file] || slices.ContainsFunc(annots.All("Annot"), isStamp)
		if i, ok := w.shown[pg.Value("PageID")]; ok {
			text := appendText(nil, annots)
			if err := w.spend(text); err != nil {
				return err
			}
			w.pages[i].text = append(w.pages[i].text, text...)
		}
	}
	return nil
}

func (w *walker) attachments(from string, doc *Element) error {
	name, err := w.follow(from, doc, "Attachments", KindAttachment)
	if err != nil {
		return err
	}
	list, err := w.index(name, "Attachments")
	if err != nil || list == nil {
		return err
	}
	for _, a := range list.All("Attachment") {
		if _, err := w.follow(name, a, "FileLoc", KindAttachment); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) customTags(from string, doc *Element) error {
	name, err := w.follow(from, doc, "CustomTags", KindCustomTag)
	if err != nil {
		return err
	}
	list, err := w.index(name, "CustomTags")
	if err != nil || list == nil {
		return err
	}
	for _, t := range list.All("CustomTag") {
		for _, child := range []string{"SchemaLoc", "FileLoc"} {
			if _, err := w.follow(name, t, child, KindCustomTag); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) extensions(from string, doc *Element) error {
	name, err := w.follow(from, doc, "Extensions", KindExtension)
	if err != nil {
		return err
	}
	list, err := w.index(name, "Extensions")
	if err != nil || list == nil {
		return err
	}
	for _, x := range list.All("Extension") {
		for _, d := range x.All("ExtendData") {
			if _, err := w.reach(name, d.Text, KindExtension); err != nil {
				return err
			}
		}
	}
	return nil
}

// versions follows the descriptions of versions, and the documents that they are the root of: a reader may show any of them.
func (w *walker) versions(e *Element) error {
	for _, v := range e.All("Version") {
		name, err := w.reach(rootEntry, v.Value("BaseLoc"), KindVersion)
		if err != nil {
			return err
		}
		doc, err := w.index(name, "DocVersion")
		if err != nil {
			return err
		}
		if doc == nil {
			continue
		}
		for _, f := range doc.Child("FileList").All("File") {
			if _, err := w.reach(name, f.Text, KindVersion); err != nil {
				return err
			}
		}
		root, err := w.follow(name, doc, "DocRoot", KindVersion)
		if err != nil {
			return err
		}
		other := newWalker(w.Package, w.body)
		if root != "" {
			if err := other.document(name, root, KindVersion); err != nil {
				return err
			}
		}
	}
	return nil
}
