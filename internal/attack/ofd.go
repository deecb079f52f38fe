package attack

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path"
	"strings"
)

// Names in the base.
const (
	rootFile  = "OFD.xml"
	docFile   = "Doc_0/Document.xml"
	fontsFile = "Doc_0/PublicRes.xml"
	page0     = "Doc_0/Pages/Page_0/Content.xml"
	attached  = "Doc_0/Attachs/Attachments.xml"
	listFile  = "Doc_0/Signs/Signatures.xml"
	describe0 = "Doc_0/Signs/Sign_0/Signature.xml"
	value0    = "Doc_0/Signs/Sign_0/SignedValue.dat"
	seal0     = "Doc_0/Signs/Sign_0/Seal.esl"
	ns        = `xmlns:ofd="http://www.ofdspec.org/2016"`
	emptyPage = `<ofd:Page ` + ns + `><ofd:Content/></ofd:Page>`
)

// Positions in SES_Signature of version 4.
var (
	inTBS      = []int{0}
	inSeal     = []int{0, 1}
	inPicture  = []int{0, 1, 0, 3, 1}
	inDataHash = []int{0, 3}
	inCert     = []int{1}
	inValue    = []int{3}
)

// on makes a case out of one of the bases by a change to its files.
func (l *lab) on(twin, id, mutation, verdict, reason string, change func(p *pack)) {
	if l.err != nil {
		return
	}
	base := map[string][]byte{"OFD": l.base.OFD, "Closed": l.base.Closed, "Seam": l.base.Seam}[twin]
	if l.packs[twin] == nil {
		p, err := unpack(base)
		if err != nil {
			l.fail(id, err)
			return
		}
		l.packs[twin] = p
	}
	p := l.packs[twin].clone()
	if change(p); p.err != nil {
		l.fail(id, p.err)
		return
	}
	c := Case{ID: id, Mutation: mutation, File: "ofd", Twin: twin, Verdict: verdict, Reason: reason, Data: p.pack()}
	if verdict == Passed {
		c.Reason, c.Warning = "", reason
	}
	l.emit(c, base)
}

func short(name string) string {
	base := path.Base(name)
	if base == "Content.xml" {
		base = path.Base(path.Dir(name))
	}
	return strings.ToLower(strings.TrimSuffix(base, path.Ext(base)))
}

// documentCases are the rows about what the document shows: O-01 to O-07.
func documentCases(l *lab) {
	p, err := unpack(l.base.OFD)
	if err != nil {
		l.fail("O-01", err)
		return
	}
	var covered []string
	for _, e := range p.entries {
		if !strings.Contains(e.name, "/Signs/") {
			covered = append(covered, e.name)
		}
	}
	for _, name := range covered {
		id := short(name)
		l.on("OFD", "O-01/last-byte-"+id, "a byte added at the end of "+name, Failed, "reference_digest", func(p *pack) {
			e := p.get(name)
			e.data = append(bytes.Clone(e.data), '\n')
		})
		if strings.HasSuffix(name, ".xml") {
			l.on("OFD", "O-01/comment-"+id, "a comment added to "+name, Failed, "reference_digest", func(p *pack) {
				p.get(name).data = append(p.get(name).data, "<!-- x -->"...)
			})
			continue
		}
		l.on("OFD", "O-05/bit-"+id, "one bit of "+name+" flipped", Failed, "reference_digest", func(p *pack) {
			e := p.get(name)
			e.data = bytes.Clone(e.data)
			e.data[len(e.data)/2] ^= 1
		})
		l.on("OFD", "O-05/replaced-"+id, name+" replaced", Failed, "reference_digest", func(p *pack) {
			p.get(name).data = []byte("something else")
		})
	}
	for _, name := range p.names("Content.xml") {
		l.on("OFD", "O-01/text-"+short(name), "a character of "+name+" changed", Failed, "reference_digest", func(p *pack) {
			p.edit(name, "</ofd:TextCode>", "甲</ofd:TextCode>")
		})
		l.on("OFD", "O-01/size-"+short(name), "the text of "+name+" made invisibly small", Failed, "reference_digest", func(p *pack) {
			p.edit(name, ` Size="`, ` Size="0.01" Was="`)
		})
	}
	for _, name := range covered {
		if strings.HasSuffix(name, ".xml") && name != fontsFile && !strings.HasSuffix(name, "Content.xml") {
			continue // without these there is no document to be read
		}
		l.on("OFD", "O-01/removed-"+short(name), name+" removed", Failed, "missing_entry", func(p *pack) { p.remove(name) })
	}
	l.on("OFD", "O-03/page-added", "a page added and listed in Document.xml", Failed, "reference_digest", func(p *pack) {
		p.edit(docFile, "</ofd:Pages>", `<ofd:Page ID="900" BaseLoc="Pages/Page_9/Content.xml"/></ofd:Pages>`)
		p.put("Doc_0/Pages/Page_9/Content.xml", emptyPage)
	})
	l.on("OFD", "O-03/page-unlisted", "a page put into the package and listed nowhere", Passed, "orphan_entry", func(p *pack) {
		p.put("Doc_0/Pages/Page_9/Content.xml", emptyPage)
	})
	l.on("OFD", "O-03/page-dropped", "a page taken out of Document.xml", Failed, "reference_digest", func(p *pack) {
		d := string(p.get(docFile).data)
		i := strings.Index(d, "<ofd:Page ")
		p.edit(docFile, d[i:i+strings.Index(d[i:], "/>")+2], "")
	})
	for _, added := range []struct{ what, element, file, root string }{
		{"annotations", "Annotations", "Annots/Annotations.xml", "Annotations"},
		{"custom-tags", "CustomTags", "Tags/CustomTags.xml", "CustomTags"},
		{"extensions", "Extensions", "Ext/Extensions.xml", "Extensions"},
	} {
		l.on("OFD", "O-04/"+added.what, added.what+" added", Failed, "reference_digest", func(p *pack) {
			at := "<ofd:Attachments>"
			p.edit(docFile, at, "<ofd:"+added.element+">"+added.file+"</ofd:"+added.element+">"+at)
			p.put("Doc_0/"+added.file, "<ofd:"+added.root+" "+ns+"/>")
		})
	}
	l.on("OFD", "O-04/resource", "another resource file added", Failed, "reference_digest", func(p *pack) {
		p.edit(docFile, "</ofd:CommonData>", "<ofd:DocumentRes>More.xml</ofd:DocumentRes></ofd:CommonData>")
		p.put("Doc_0/More.xml", "<ofd:Res "+ns+` BaseLoc="Res"/>`)
	})
	l.on("OFD", "O-04/template", "a template added", Failed, "reference_digest", func(p *pack) {
		p.edit(docFile, "</ofd:CommonData>", `<ofd:TemplatePage ID="901" BaseLoc="Tpls/T/Content.xml"/></ofd:CommonData>`)
		p.put("Doc_0/Tpls/T/Content.xml", emptyPage)
	})
	l.on("OFD", "O-06/other-root", "OFD.xml points to another Document.xml", Failed, "reference_digest", func(p *pack) {
		p.edit(rootFile, docFile, "Doc_0/Document2.xml")
		p.put("Doc_0/Document2.xml", string(p.get(docFile).data))
	})
	second := "<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody>"
	small := "<ofd:Document " + ns + `><ofd:CommonData><ofd:MaxUnitID>1</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 210 297` +
		`</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="P.xml"/></ofd:Pages></ofd:Document>`
	for where, at := range sorted(map[string][2]string{"after": {"</ofd:OFD>", second + "</ofd:OFD>"}, "before": {"<ofd:DocBody>", second + "<ofd:DocBody>"}}) {
		l.on("OFD", "O-07/second-document-"+where, "a second document "+where+" the first", Failed, "reference_digest", func(p *pack) {
			p.edit(rootFile, at[0], at[1])
			p.put("Doc_1/Document.xml", small)
			p.put("Doc_1/P.xml", emptyPage)
		})
	}
	l.on("OFD", "O-07/unsigned-root", "the same with OFD.xml left out of the references by the signer", Failed, "docbody_uncovered", func(p *pack) {
		l.dropReference(p, rootFile)
		p.edit(rootFile, "</ofd:OFD>", second+"</ofd:OFD>")
		p.put("Doc_1/Document.xml", small)
		p.put("Doc_1/P.xml", emptyPage)
		l.resign(p, l.base.Sign)
	})
}

// dropReference takes the reference to a file out of the description.
func (l *lab) dropReference(p *pack, name string) {
	d := string(p.get(describe0).data)
	i := strings.Index(d, `<ofd:Reference FileRef="/`+name+`"`)
	if i < 0 {
		p.err = fmt.Errorf("%w: %s is not referenced", ErrNothingChanged, name)
		return
	}
	end := "</ofd:Reference>"
	p.edit(describe0, d[i:i+strings.Index(d[i:], end)+len(end)], "")
}

// digest writes the digest of a changed file into the description, as a forger without the key would.
func (l *lab) digest(p *pack, name string, before []byte) {
	p.edit(describe0, l.sum(before), l.sum(p.get(name).data))
}

// onValue changes the tree of the signature value.
func onValue(p *pack, change func(n *node)) {
	e := p.get(value0)
	n, err := parseDER(e.data)
	if err != nil {
		p.err = err
		return
	}
	change(n)
	e.data = n.der()
}

// bind writes the digest of the description, as it now is, into the signature value.
func (l *lab) bind(p *pack) {
	sum := l.base.SM3(p.get(describe0).data)
	onValue(p, func(n *node) { *n.at(inDataHash...) = *bits(sum[:]) })
}

// resign makes the signature value agree with the description and signs it anew, as the holder of a key could.
func (l *lab) resign(p *pack, sign func([]byte) ([]byte, error)) {
	l.bind(p)
	onValue(p, func(n *node) {
		value, err := sign(n.at(inTBS...).der())
		if err != nil {
			p.err = err
			return
		}
		*n.at(inValue...) = *bits(value)
	})
}

// swapSeal puts another seal into both places and makes the digests agree.
func (l *lab) swapSeal(p *pack, seal []byte) {
	before := p.get(seal0).data
	p.get(seal0).data = seal
	l.digest(p, seal0, before)
	onValue(p, func(n *node) {
		s, err := parseDER(seal)
		if err != nil {
			p.err = err
			return
		}
		*n.at(inSeal...) = *s
	})
	l.bind(p)
}

// sealCases are the rows about seal and signer: O-10 to O-14, O-16 to O-18, O-21, O-22, C-12, C-13.
func sealCases(l *lab) {
	b := l.base
	for _, t := range []struct{ id, to, reason string }{
		{"sign", "Sign", "signature_type"},
		{"lower-case", "seal", "signature_type"},
		{"empty", "", "signature_type"},
		{"unknown", "Stamp", "signature_type"},
	} {
		l.on("OFD", "O-10/"+t.id, "type of the signature changed to "+t.to, Failed, t.reason, func(p *pack) {
			p.edit(listFile, `Type="Seal"`, `Type="`+t.to+`"`)
		})
	}
	l.on("OFD", "O-10/absent", "type of the signature left out, which means a seal", Passed, "list_open", func(p *pack) {
		p.edit(listFile, ` Type="Seal"`, "")
	})
	l.familyCases()
	l.on("Closed", "O-10/sign-as-seal", "the digital signature listed as a seal", Failed, "signature_type", func(p *pack) {
		p.edit(listFile, `Type="Sign"`, `Type="Seal"`)
	})
	other, err := unpack(b.Other)
	if err != nil {
		l.fail("O-11", err)
		return
	}
	l.on("OFD", "O-11/whole-folder", "signature files of another document", Failed, "reference_digest", func(p *pack) {
		for _, name := range []string{describe0, value0, seal0} {
			p.get(name).data = other.get(name).data
		}
	})
	l.on("OFD", "O-11/value", "signature value of another document", Failed, "sig_value", func(p *pack) {
		p.get(value0).data = other.get(value0).data
	})
	l.on("OFD", "O-11/other-place", "the signature moved to another folder", Failed, "propertyinfo", func(p *pack) {
		p.get(describe0).name = "Doc_0/Signs/Sign_7/Signature.xml"
		p.edit(listFile, "Sign_0", "Sign_7")
	})
	l.on("OFD", "O-12/file", "the seal file swapped", Failed, "seal_mismatch", func(p *pack) { p.get(seal0).data = b.OtherSeal })
	l.on("OFD", "O-12/file-bit", "one bit of the picture in the seal file flipped", Failed, "seal_mismatch", func(p *pack) {
		e := p.get(seal0)
		e.data = bytes.Clone(e.data)
		e.data[len(e.data)/2] ^= 1
	})
	l.on("OFD", "O-12/everywhere", "the seal swapped, all digests made to agree", Failed, "sig_value", func(p *pack) { l.swapSeal(p, b.OtherSeal) })
	for id, text := range sorted(map[string][2]string{
		"moved": {`Boundary="`, `Boundary="1`}, "page": {`PageRef="`, `PageRef="1`},
		"clip": {` Boundary="`, ` Clip="0 0 9 9" Boundary="`},
	}) {
		l.on("OFD", "O-13/"+id, "the stamp changed: "+id, Failed, "sig_value", func(p *pack) { p.edit(describe0, text[0], text[1]) })
	}
	l.on("OFD", "O-13/removed", "the stamp removed", Failed, "sig_value", func(p *pack) {
		d := string(p.get(describe0).data)
		i := strings.Index(d, "<ofd:StampAnnot")
		p.edit(describe0, d[i:i+strings.Index(d[i:], "/>")+2], "")
	})
	l.on("OFD", "O-13/off-the-page", "sealed outside of the page by the signer", Failed, "placement", func(p *pack) {
		p.edit(describe0, ` Boundary="`, ` Boundary="1000 1000 42 42" Was="`)
		l.resign(p, b.Sign)
	})
	l.on("OFD", "O-13/no-such-page", "sealed on a page that is not there by the signer", Failed, "placement", func(p *pack) {
		p.edit(describe0, `PageRef="`, `PageRef="99`)
		l.resign(p, b.Sign)
	})
	l.pictureCases()
	l.on("OFD", "O-14/unlinked", "the list taken out of OFD.xml: a picture of a seal is no seal", Unsigned, "", func(p *pack) {
		p.edit(rootFile, "<ofd:Signatures>/"+listFile+"</ofd:Signatures>", "")
	})
	for _, t := range []struct {
		id, what, reason string
		seal             []byte
	}{
		{"O-16/unlisted", "a seal that does not list the signer", "signer_not_authorised", b.UnlistedSeal},
		{"O-17/ended", "a seal that had ended", "seal_validity", b.EndedSeal},
		{"O-17/future", "a seal that was not yet valid", "seal_validity", b.FutureSeal},
		{"O-17/no-maker", "a seal made by an office that may not make seals", "seal_validity", b.OfficeSeal},
		{"O-21/forged", "a seal whose maker's signature is another's", "seal_maker_signature", b.ForgedSeal},
		{"O-21/other-way", "a seal of version 4 that its maker signed as one of version 1", "seal_maker_signature", b.OtherWaySeal},
	} {
		l.on("OFD", t.id, "sealed by the signer with "+t.what, Failed, t.reason, func(p *pack) {
			l.swapSeal(p, t.seal)
			l.resign(p, b.Sign)
		})
	}
	l.extensions()
	l.on("OFD", "O-16/other-signer", "signed by another person of the same root, with that certificate", Failed, "signer_not_authorised", func(p *pack) {
		onValue(p, func(n *node) { n.at(inCert...).body = b.OtherCert })
		l.resign(p, b.SignOther)
	})
	l.on("OFD", "O-16/other-key", "signed by another key, the certificate kept", Failed, "sig_value", func(p *pack) { l.resign(p, b.SignOther) })
	l.on("OFD", "C-12/encryption-certificate", "signed with the encryption certificate, which the seal lists", Failed, "key_usage", func(p *pack) {
		l.swapSeal(p, b.EncryptionSeal)
		onValue(p, func(n *node) { n.at(inCert...).body = b.EncryptionCert })
		l.resign(p, b.SignEncryption)
	})
	l.on("OFD", "C-13/digest-signed", "the signature made over the SM3 of what is to be signed", Failed, "sig_value", func(p *pack) {
		l.resign(p, func(tbs []byte) ([]byte, error) { sum := b.SM3(tbs); return b.Sign(sum[:]) })
	})
	if l.err == nil {
		l.emit(Case{
			ID: "O-22/rogue-root", Mutation: "sealed under another root with the same names", File: "ofd", Twin: "OFD",
			Verdict: Failed, Reason: "certificate_chain", Data: b.Rogue,
		}, b.OFD)
	}
	l.stampCases()
	l.on("OFD", "O-18/version-of-the-signature", "version number of what is signed", Failed, "seal_version", func(p *pack) {
		onValue(p, func(n *node) { n.at(0, 0).body = []byte{1} })
		l.resign(p, b.Sign)
	})
	l.on("OFD", "O-18/extra-element", "an element more in what is signed", Failed, "seal_version", func(p *pack) {
		onValue(p, func(n *node) { n.kids[0].kids = append(n.kids[0].kids, leaf(tagInteger, []byte{1})) })
		l.resign(p, b.Sign)
	})
	for _, v := range []byte{0, 1, 2, 3, 6, 127} {
		l.on("OFD", fmt.Sprintf("O-18/header-%d", v), fmt.Sprintf("header version %d in the shape of version 4", v), Failed, "seal_version", func(p *pack) {
			onValue(p, func(n *node) { n.at(0, 1, 0, 0, 1).body = []byte{v} })
			l.resign(p, b.Sign)
		})
	}
	for what, tag := range sorted(map[string]byte{"utf8": tagUTF8, "octets": tagOctets}) {
		l.on("OFD", "O-18/property-"+what, "property information of another string type", Failed, "seal_version", func(p *pack) {
			onValue(p, func(n *node) { n.at(0, 4).tag = tag })
			l.resign(p, b.Sign)
		})
	}
}

// listCases are the rows about the list and the description: O-08, O-09, O-19, O-20.
func listCases(l *lab) {
	line := `<ofd:Signature ID="1" Type="Seal" BaseLoc="/` + describe0 + `"/>`
	l.on("Closed", "O-08/unlisted-under-lock", "the seal taken out of a list that a later signature covers", Failed, "reference_digest", func(p *pack) {
		p.edit(listFile, line, "")
	})
	l.on("Closed", "O-08/stripped-under-lock", "the seal and its files taken out", Failed, "reference_digest", func(p *pack) {
		p.edit(listFile, line, "")
		for _, n := range []string{describe0, value0, seal0} {
			p.remove(n)
		}
	})
	l.on("Closed", "O-08/counter-under-lock", "the counter of a locked list changed", Failed, "reference_digest", func(p *pack) {
		p.edit(listFile, "<ofd:MaxSignId>", "<ofd:MaxSignId>9")
	})
	for id, edit := range sorted(map[string][2]string{
		"identifier-twice": {"</ofd:Signatures>", `<ofd:Signature ID="1" BaseLoc="/Doc_0/Signs/Sign_1/Signature.xml"/></ofd:Signatures>`},
		"place-twice":      {"</ofd:Signatures>", `<ofd:Signature ID="9" BaseLoc="/` + describe0 + `"/></ofd:Signatures>`},
		"no-identifier":    {` ID="1"`, ""},
		"counter-lowered":  {"<ofd:MaxSignId>2<", "<ofd:MaxSignId>0<"},
		"base-of-nothing":  {` ID="1"`, ` ID="1" Relative="8"`},
		"other-element":    {"</ofd:Signatures>", "<ofd:Other/></ofd:Signatures>"},
		"nested-list":      {"</ofd:Signatures>", `<ofd:More><ofd:Signature ID="9" Type="Sign" BaseLoc="/` + describe0 + `"/></ofd:More></ofd:Signatures>`},
		"nested-signature": {`/` + describe0 + `"/>`, `/` + describe0 + `"><ofd:Signature ID="9" Type="Sign" BaseLoc="/x"/></ofd:Signature>`},
		"kind-twin":        {` Type="Seal"`, ` Type="Seal" type="Sign"`},
		"place-twin":       {` Type="Seal"`, ` Type="Seal" baseloc="/x"`},
	}) {
		l.on("OFD", "O-09/"+id, "list changed: "+id, Failed, "signature_list", func(p *pack) { p.edit(listFile, edit[0], edit[1]) })
	}
	l.on("OFD", "O-09/nothing-there", "the list names a description that is not there", Failed, "missing_entry", func(p *pack) { p.edit(listFile, "Sign_0/Signature.xml", "Sign_0/Nothing.xml") })
	for what, name := range sorted(map[string]string{"list": listFile, "value": value0, "description": describe0, "seal": seal0}) {
		reason := map[string]string{"list": "signature_list", "value": "sig_missing", "description": "missing_entry", "seal": "missing_entry"}[what]
		l.on("OFD", "O-09/removed-"+what, name+" removed", Failed, reason, func(p *pack) { p.remove(name) })
	}
	sm3 := "1.2.156.10197.1.401"
	for id, method := range sorted(map[string]string{
		"md5": "MD5", "sha1": "SHA1", "sha1-oid": "1.3.14.3.2.26", "sha256": "SHA256", "sha256-oid": "2.16.840.1.101.3.4.2.1",
		"key-agreement": sm3 + ".1", "spaces": sm3 + " ", "empty": "", "nonsense": "x",
	}) {
		l.on("OFD", "O-19/"+id, "digest method "+method, Failed, "weak_digest", func(p *pack) {
			p.edit(describe0, `CheckMethod="`+sm3, `CheckMethod="`+method)
			l.resign(p, l.base.Sign)
		})
	}
	l.on("OFD", "O-19/absent", "no digest method", Failed, "weak_digest", func(p *pack) {
		p.edit(describe0, ` CheckMethod="`+sm3+`"`, "")
		l.resign(p, l.base.Sign)
	})
	for id, method := range sorted(map[string]string{"rsa": "1.2.840.113549.1.1.11", "ecdsa": "1.2.840.10045.4.3.2", "empty": ""}) {
		l.on("OFD", "O-19/signature-"+id, "signature method "+method, Failed, "alg_mismatch", func(p *pack) {
			p.edit(describe0, "1.2.156.10197.1.501", method)
			l.resign(p, l.base.Sign)
		})
	}
	value := func(id, mutation string, change func(v string) string) {
		l.on("OFD", "O-20/"+id, mutation, Failed, "reference_malformed", func(p *pack) {
			d := string(p.get(describe0).data)
			i := strings.Index(d, "<ofd:CheckValue>") + len("<ofd:CheckValue>")
			j := i + strings.Index(d[i:], "<")
			p.get(describe0).data = []byte(d[:i] + change(d[i:j]) + d[j:])
			l.resign(p, l.base.Sign)
		})
	}
	value("space-before", "white space before a digest", func(v string) string { return " " + v })
	value("newline-inside", "a newline inside a digest", func(v string) string { return v[:20] + "\n" + v[20:] })
	value("space-after", "white space after a digest", func(v string) string { return v + " " })
	value("no-padding", "a digest without padding", func(v string) string { return strings.TrimRight(v, "=") })
	value("url-alphabet", "a digest in the other alphabet", func(string) string { return strings.Repeat("-_", 21) + "-=" })
	value("hex", "a digest in hexadecimal", func(string) string { return strings.Repeat("0a", 32) })
	value("31-bytes", "a digest too short", func(string) string { return base64.StdEncoding.EncodeToString(make([]byte, 31)) })
	value("33-bytes", "a digest too long", func(string) string { return base64.StdEncoding.EncodeToString(make([]byte, 33)) })
	value("empty", "an empty digest", func(string) string { return "" })
	value("loose-bits", "a digest whose last bits are not zero", func(v string) string { return v[:42] + "/=" })
	l.on("OFD", "O-20/twice", "a file referenced twice", Failed, "reference_malformed", func(p *pack) {
		d := string(p.get(describe0).data)
		i, end := strings.Index(d, "<ofd:Reference "), "</ofd:Reference>"
		one := d[i : i+strings.Index(d[i:], end)+len(end)]
		p.edit(describe0, one, one+one)
		l.resign(p, l.base.Sign)
	})
	l.on("OFD", "O-20/two-groups", "a second group of references", Failed, "reference_malformed", func(p *pack) {
		p.edit(describe0, "</ofd:References>", "</ofd:References><ofd:References/>")
		l.resign(p, l.base.Sign)
	})
	for what, name := range sorted(map[string]string{"page": page0, "fonts": fontsFile, "document": docFile}) {
		l.on("OFD", "O-20/rehashed-"+what, name+" changed and its digest computed anew", Failed, "sig_value", func(p *pack) {
			before := p.get(name).data
			p.get(name).data = append(bytes.Clone(before), '\n')
			l.digest(p, name, before)
		})
		l.on("OFD", "O-20/rebound-"+what, name+" changed, and both digests above it", Failed, "sig_value", func(p *pack) {
			before := p.get(name).data
			p.get(name).data = append(bytes.Clone(before), '\n')
			l.digest(p, name, before)
			l.bind(p)
		})
	}
}

// coverCases are what the signer left out: O-02, O-06.
func coverCases(l *lab) {
	p, err := unpack(l.base.OFD)
	if err != nil {
		l.fail("O-02", err)
		return
	}
	for _, e := range p.entries {
		if strings.Contains(e.name, "/Signs/") {
			continue
		}
		if e.name == rootFile {
			l.on("OFD", "O-06/left-out", "OFD.xml left out by the signer, nothing changed", Passed, "partial_coverage", func(p *pack) {
				l.dropReference(p, rootFile)
				l.resign(p, l.base.Sign)
			})
			continue
		}
		l.on("OFD", "O-02/"+short(e.name), e.name+" left out by the signer", Failed, "uncovered", func(p *pack) {
			l.dropReference(p, e.name)
			l.resign(p, l.base.Sign)
		})
		l.on("OFD", "O-02/dropped-"+short(e.name), e.name+" changed and its reference removed", Failed, "uncovered", func(p *pack) {
			l.dropReference(p, e.name)
			p.get(e.name).data = append(bytes.Clone(p.get(e.name).data), '\n')
			l.bind(p)
		})
	}
}

// stampCases put time-stamps into the seal signature, which needs no key: T-12.
func (l *lab) stampCases() {
	embed := func(id, mutation, verdict, reason string, token func(value []byte) ([]byte, error)) {
		l.on("OFD", id, mutation, verdict, reason, func(p *pack) {
			onValue(p, func(n *node) {
				der, err := token(n.at(inValue...).body[1:])
				if err != nil {
					p.err = err
					return
				}
				n.kids = append(n.kids, &node{tag: tagZero, kids: []*node{bits(der)}})
			})
		})
	}
	embed("T-12/own", "none: a time-stamp of this very signature", Passed, "", func(value []byte) ([]byte, error) {
		return l.base.Stamp(l.base.SM3(value))
	})
	embed("T-12/another", "the time-stamp of another signature", Failed, "timestamp_imprint", func(value []byte) ([]byte, error) {
		sum := l.base.SM3(value)
		return l.base.Stamp(l.base.SM3(sum[:]))
	})
	embed("T-12/none", "a time-stamp that is none", Failed, "timestamp_invalid", func([]byte) ([]byte, error) {
		return []byte("no token"), nil
	})
}
