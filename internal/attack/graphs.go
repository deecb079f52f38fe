package attack

import "bytes"

// graphCases lead to content by ways that a walk over the document can miss: a list that is reached as something else first, and
// versions, which are documents of their own. The signer left the way open, and whoever comes later fills it: O-04.
func graphCases(l *lab) {
	const (
		annots  = "Doc_0/Annots/Annotations.xml"
		page    = "Doc_0/Annots/Page_0.xml"
		version = "Doc_0/Versions/v1.xml"
		other   = "Doc_0/Versions/Document.xml"
		shown   = "Doc_0/Versions/Page.xml"
	)
	list := `<ofd:Annotations ` + ns + `><ofd:Page PageID="5"><ofd:FileLoc>/` + page + `</ofd:FileLoc></ofd:Page></ofd:Annotations>`
	note := `<ofd:PageAnnot ` + ns + `><ofd:Annot ID="990" Type="Stamp"><ofd:Appearance Boundary="0 0 9 9"/></ofd:Annot></ofd:PageAnnot>`
	// annotated has the signer reach a list of annotations, of which the file itself is not there yet.
	annotated := func(p *pack, cover string) {
		p.put(annots, list)
		l.change(p, rootFile, "<ofd:Creator>", cover+"<ofd:Creator>")
		l.change(p, docFile, "<ofd:Attachments>", "<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations><ofd:Attachments>")
		l.addReference(p, annots)
		l.resign(p, l.base.Sign)
	}
	for id, cover := range sorted(map[string]string{
		"annotations": "", "annotations-as-cover": "<ofd:Cover>" + annots + "</ofd:Cover>",
	}) {
		l.on("OFD", "O-04/twin-"+id, "none: a list of annotations that names a file which is missing, by the signer", Passed, "missing_entry", func(p *pack) {
			annotated(p, cover)
		})
		l.on("OFD", "O-04/filled-"+id, "the missing file of annotations put in after sealing", Failed, "uncovered", func(p *pack) {
			annotated(p, cover)
			p.put(page, note)
		})
	}
	for id, cover := range sorted(map[string]string{"stamp-annotation": "", "stamp-annotation-as-cover": "<ofd:Cover>" + page + "</ofd:Cover>"}) {
		l.on("OFD", "O-14/"+id, "a stamp that is an annotation, by the signer", Passed, "unsealed", func(p *pack) {
			p.put(page, note)
			l.addReference(p, page)
			annotated(p, cover)
		})
	}
	for id, name := range sorted(map[string]string{"resources": fontsFile, "attachments": attached, "page": page0, "document": docFile}) {
		l.on("OFD", "O-04/cover-"+id, "a cover that is "+name+", by the signer, who leaves a file of it out", Failed, "uncovered", func(p *pack) {
			l.change(p, rootFile, "<ofd:Creator>", "<ofd:Cover>"+name+"</ofd:Cover><ofd:Creator>")
			l.dropReference(p, map[string]string{
				"resources": "Doc_0/Res/font_0.ttf", "attachments": "Doc_0/Attachs/attachment_1.csv", "page": page0, "document": "Doc_0/Pages/Page_1/Content.xml",
			}[id])
			l.resign(p, l.base.Sign)
		})
	}
	l.on("OFD", "O-04/cover-added", "a cover added after sealing", Failed, "reference_digest", func(p *pack) {
		p.edit(rootFile, "<ofd:Creator>", "<ofd:Cover>cover.png</ofd:Cover><ofd:Creator>")
		p.put("cover.png", "x")
	})
	describe := `<ofd:DocVersion ` + ns + ` ID="1"><ofd:FileList><ofd:File ID="1">Document.xml</ofd:File></ofd:FileList><ofd:DocRoot>Document.xml</ofd:DocRoot></ofd:DocVersion>`
	document := "<ofd:Document " + ns + `><ofd:CommonData><ofd:MaxUnitID>1</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox>` +
		`</ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages></ofd:Document>`
	element := `<ofd:Versions><ofd:Version ID="1" Index="1" BaseLoc="` + version + `"/></ofd:Versions>`
	files := map[string]string{version: describe, other: document, shown: emptyPage}
	versioned := func(p *pack, leaveOut string) {
		l.change(p, rootFile, "</ofd:DocRoot>", "</ofd:DocRoot>"+element)
		for name, text := range sorted(files) {
			p.put(name, text)
			if name != leaveOut {
				l.addReference(p, name)
			}
		}
		l.resign(p, l.base.Sign)
	}
	l.on("OFD", "O-04/twin-version", "none: a version with a document of its own, by the signer", Passed, "list_open", func(p *pack) { versioned(p, "") })
	for id, name := range sorted(map[string]string{"description": version, "document": other, "page": shown}) {
		l.on("OFD", "O-04/version-"+id, "a version of which the signer leaves the "+id+" out", Failed, "uncovered", func(p *pack) { versioned(p, name) })
		l.on("OFD", "O-04/version-changed-"+id, "the "+id+" of a version changed after sealing", Failed, "reference_digest", func(p *pack) {
			versioned(p, "")
			p.get(name).data = append(bytes.Clone(p.get(name).data), "<!-- x -->"...)
		})
	}
	l.on("OFD", "O-04/version-added", "a version added after sealing, beside an OFD.xml that the signer left out", Failed, "uncovered", func(p *pack) {
		l.dropReference(p, rootFile)
		l.resign(p, l.base.Sign)
		p.edit(rootFile, "</ofd:DocRoot>", "</ofd:DocRoot>"+element)
		for name, text := range sorted(files) {
			p.put(name, text)
		}
	})
	l.on("OFD", "O-04/version-of-the-document", "none: a version whose document is the document itself, by the signer", Passed, "list_open", func(p *pack) {
		l.change(p, rootFile, "</ofd:DocRoot>", "</ofd:DocRoot>"+element)
		p.put(version, `<ofd:DocVersion `+ns+` ID="1"><ofd:FileList/><ofd:DocRoot>/`+docFile+`</ofd:DocRoot></ofd:DocVersion>`)
		l.addReference(p, version)
		l.resign(p, l.base.Sign)
	})
}

// change edits a file and its digest in the description, as the signer could.
func (l *lab) change(p *pack, name, old, with string) {
	before := p.get(name).data
	p.edit(name, old, with)
	if p.err == nil {
		l.digest(p, name, before)
	}
}
