package attack

// rootCases are what another reader shows because it looks wider: in an OFD.xml that the signer left out (O-07), in a list
// (O-09), and in the picture of a seal beside the seal (O-12).
func rootCases(l *lab) {
	nested := "<ofd:DocBody><ofd:DocInfo><ofd:DocID>1</ofd:DocID></ofd:DocInfo><ofd:DocRoot>Doc_9/Document.xml</ofd:DocRoot></ofd:DocBody>"
	for id, edit := range sorted(map[string][2]string{
		"body-in-body":        {"<ofd:DocRoot>", nested + "<ofd:DocRoot>"},
		"body-in-other":       {"<ofd:DocBody>", "<ofd:X>" + nested + "</ofd:X><ofd:DocBody>"},
		"body-in-information": {"<ofd:Creator>", nested + "<ofd:Creator>"},
		"root-in-another":     {"<ofd:DocRoot>", "<ofd:docRoot>Doc_9/Document.xml</ofd:docRoot><ofd:DocRoot>"},
		"root-attribute":      {"<ofd:DocRoot>", `<ofd:DocRoot BaseLoc="Doc_9/Document.xml">`},
		"base":                {"<ofd:DocBody>", `<ofd:DocBody xml:base="/Doc_9/">`},
	}) {
		l.on("OFD", "O-07/open-"+id, "put into an OFD.xml that the signer left out: "+id, Failed, "docbody_uncovered", func(p *pack) {
			l.dropReference(p, rootFile)
			l.resign(p, l.base.Sign)
			p.edit(rootFile, edit[0], edit[1])
			p.put("Doc_9/Document.xml", string(p.get(docFile).data))
		})
	}
	l.on("OFD", "O-07/open-title", "another title put into an OFD.xml that the signer left out", Passed, "partial_coverage", func(p *pack) {
		l.dropReference(p, rootFile)
		l.resign(p, l.base.Sign)
		p.edit(rootFile, "<ofd:Creator>", "<ofd:Creator>x")
	})
	line := `<ofd:Signature ID="1" Type="Seal" BaseLoc="/` + describe0 + `"/>`
	for id, with := range sorted(map[string]string{
		"all-nested": "<ofd:Signatures>" + line + "</ofd:Signatures>",
		"base":       `<ofd:Signature xml:base="/Doc_9/" ID="1" Type="Seal" BaseLoc="/` + describe0 + `"/>`,
	}) {
		l.on("OFD", "O-09/"+id, "list changed: "+id, Failed, "signature_list", func(p *pack) { p.edit(listFile, line, with) })
	}
	imageCases(l)
}

// imageCases are a picture that the description names (ImageLoc), for readers that show it in place of the seal's: O-12.
func imageCases(l *lab) {
	const image = "Doc_0/Signs/Sign_0/look.png"
	// named has the signer name the picture, and list it in the references if it is signed.
	named := func(p *pack, signed bool) {
		p.edit(describe0, "</ofd:BaseLoc></ofd:Seal>", "</ofd:BaseLoc><ofd:ImageLoc>/"+image+"</ofd:ImageLoc></ofd:Seal>")
		if signed {
			p.put(image, "a picture")
			l.addReference(p, image)
		}
		l.resign(p, l.base.Sign)
	}
	l.on("OFD", "O-12/twin-image", "none: a picture beside the seal that the signer covers", Passed, "", func(p *pack) { named(p, true) })
	l.on("OFD", "O-12/image-missing", "a picture that the signer names and leaves out", Passed, "missing_entry", func(p *pack) { named(p, false) })
	l.on("OFD", "O-12/image", "a picture put where the description names one that nothing covers", Failed, "uncovered", func(p *pack) {
		named(p, false)
		p.put(image, "another picture")
	})
	l.on("OFD", "O-12/image-of-the-seal", "none: the picture of the seal itself, covered by nothing", Passed, "list_open", func(p *pack) {
		named(p, false)
		onValue(p, func(n *node) { p.put(image, string(n.at(inPicture...).body)) })
	})
}
