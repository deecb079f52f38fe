package attack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// zipCases are the rows Z: the container.
func zipCases(l *lab) {
	text := []byte("<x/>")
	add := func(id, mutation, reason string, entries ...*entry) {
		l.on("OFD", id, mutation, Rejected, reason, func(p *pack) { p.entries = append(p.entries, entries...) })
	}
	name := func(n string) *entry { return &entry{name: n, data: text} }
	l.on("OFD", "Z-01/last", "a second page of the same name after the first", Rejected, "duplicate_entry", func(p *pack) { p.put(page0, emptyPage) })
	l.on("OFD", "Z-01/first", "a second page of the same name before the first", Rejected, "duplicate_entry", func(p *pack) {
		p.entries = append([]*entry{{name: page0, data: []byte(emptyPage)}}, p.entries...)
	})
	l.on("OFD", "Z-01/value", "two signature values", Rejected, "duplicate_entry", func(p *pack) { p.put(value0, "x") })
	for id, n := range sorted(map[string]string{
		"case-root": "ofd.XML", "case-page": strings.ToUpper(page0), "case-folder": "doc_0/x.xml", "backslash": `Doc_0\x.xml`,
		"backslash-twin": strings.ReplaceAll(page0, "/", `\`), "double-slash": "Doc_0//x.xml", "dot": "Doc_0/./x.xml", "dot-first": "./x.xml",
		"trailing-dot": "Doc_0/x.xml.", "trailing-space": "Doc_0/x.xml ", "full-width": "ＯＦＤ.xml", "zero-width": "Doc_0/x\u200b.xml",
		"right-to-left": "Doc_0/\u202elmx.x", "soft-hyphen": "Doc_0/x\u00ad.xml", "newline": "Doc_0/x\n.xml",
	}) {
		add("Z-02/"+id, "a name that others could take for another", "ambiguous_name", name(n))
	}
	add("Z-02/normal-forms", "a name composed and decomposed", "ambiguous_name", name("é"), name("e\u0301"))
	add("Z-02/file-and-folder", "a file that is a folder too", "ambiguous_name", name(page0+"/x"))
	for id, n := range sorted(map[string]string{
		"parent": "../x", "parents": "../../../../etc/passwd", "inside": "Doc_0/../../x", "absolute": "/x", "drive": "C:x", "drive-path": "C:/x",
		"nul": "Doc_0/x\x00.xml", "device": "Doc_0/con.xml", "device-2": "NUL", "device-3": "Doc_0/COM1.xml", "long": strings.Repeat("x", 256),
		"stream": "Doc_0/x.xml:y",
	}) {
		add("Z-03/"+id, "a name that leads out, or is none", "path", name(n))
	}
	add("Z-04/link", "a symbolic link", "entry_type", &entry{name: "x", data: text, external: 0o120777 << 16})
	add("Z-04/device", "a device", "entry_type", &entry{name: "x", data: text, external: 0o020666 << 16})
	add("Z-04/pipe", "a named pipe", "entry_type", &entry{name: "x", data: text, external: 0o010666 << 16})
	add("Z-04/socket", "a socket", "entry_type", &entry{name: "x", data: text, external: 0o140666 << 16})
	add("Z-04/folder", "a folder with content", "entry_type", &entry{name: "x/", data: text, stored: true})
	add("Z-05/no-flag", "a Chinese name without the UTF-8 flag", "name_encoding", &entry{name: "说明", data: text, flags: 2})
	add("Z-05/gbk", "a GBK name under the UTF-8 flag", "name_encoding", &entry{name: "\xcb\xb5\xc3\xf7", data: text, flags: flagUTF8})
	add("Z-07/name", "another name in the local header", "header_mismatch", &entry{name: "x", local: "y", data: text})
	add("Z-07/size", "another size in the local header", "header_mismatch", &entry{name: "x", data: text, localSize: 3})
	add("Z-07/method", "another method in the local header", "header_mismatch", &entry{name: "x", data: text, stored: true, localMethod: 8})
	add("Z-08/ratio", "16 MB of zeros", "bomb", &entry{name: "x", data: make([]byte, 16<<20)})
	add("Z-08/total", "a size of 4 GB", "bomb", &entry{name: "x", data: text, size: 0xFFFFFFF0})
	add("Z-08/zip64", "a size in the extra field", "zip_feature", &entry{
		name: "x", data: text, extra: append([]byte{1, 0, 16, 0}, make([]byte, 16)...),
	})
	inner := &entry{name: "inner", data: text, stored: true}
	lone, _, _ := bytes.Cut((&pack{entries: []*entry{inner}}).pack(), []byte("PK\x01\x02"))
	add("Z-08/overlapping", "an entry inside of the data of another", "bomb",
		&entry{name: "outer", data: lone, stored: true},
		&entry{name: "inner", data: text, stored: true, inside: "outer"})
	l.on("OFD", "Z-08/entries", "65,000 entries", Rejected, "bomb", func(p *pack) {
		for i := range 65_000 {
			p.entries = append(p.entries, &entry{name: fmt.Sprintf("e/%d", i), stored: true})
		}
	})
	add("Z-09/less", "a size that is too small", "size_lie", &entry{name: "x", data: bytes.Repeat(text, 100), size: 10})
	add("Z-09/more", "a size that is too large", "size_lie", &entry{name: "x", data: text, size: 10})
	add("Z-09/stored", "a stored entry with two sizes", "size_lie", &entry{name: "x", data: text, stored: true, size: 10})
	add("Z-10/encrypted", "an encrypted entry", "zip_feature", &entry{name: "x", data: text, flags: 1})
	add("Z-10/strong", "an entry with strong encryption", "zip_feature", &entry{name: "x", data: text, flags: 1 | 64})
	for _, m := range []uint16{1, 6, 9, 12, 14, 93, 98} {
		add(fmt.Sprintf("Z-10/method-%d", m), "an unknown method", "zip_feature", &entry{name: "x", data: text, method: m})
	}
	add("Z-10/stored-descriptor", "a stored entry with a descriptor", "zip_feature", &entry{name: "x", data: text, stored: true, descriptor: true})
	l.on("OFD", "Z-10/descriptor", "a compressed entry with a descriptor, which is fine", Passed, "orphan_entry", func(p *pack) {
		p.entries = append(p.entries, &entry{name: "x", data: text, descriptor: true})
	})
	add("Z-10/comment", "a comment on an entry", "zip_feature", &entry{name: "x", data: text, comment: "c"})
	add("Z-11/checksum", "a wrong checksum", "zip_layout", &entry{name: "x", data: text, crc: 7})
	layoutCases(l)
}

// layoutCases are about the file as a whole: Z-06, Z-11.
func layoutCases(l *lab) {
	good := l.base.OFD
	whole := func(id, mutation, reason string, data []byte) {
		if l.err == nil {
			l.emit(Case{ID: id, Mutation: mutation, File: "ofd", Twin: "OFD", Verdict: Rejected, Reason: reason, Data: data}, good)
		}
	}
	for what, head := range sorted(map[string]string{"zeros": strings.Repeat("\x00", 64), "pdf": "%PDF-1.7\n", "text": "junk"}) {
		reason := "zip_layout"
		if what == "pdf" {
			reason = "type_ambiguous"
		}
		whole("Z-06/before-"+what, "bytes before the package", reason, append([]byte(head), good...))
	}
	for what, tail := range sorted(map[string]string{"zero": "\x00", "text": "tail", "pdf": "%PDF-1.7\n%%EOF\n"}) {
		whole("Z-06/after-"+what, "bytes after the package", "zip_layout", append(bytes.Clone(good), tail...))
	}
	whole("Z-06/twice", "two packages in one file", "zip_layout", append(bytes.Clone(good), l.base.Other...))
	end := len(good) - 22
	patch := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[end+at] ^= v
		return b
	}
	whole("Z-06/comment", "a comment that is promised and missing", "zip_layout", patch(20, 4))
	whole("Z-06/counts", "two numbers of entries", "zip_layout", patch(8, 1))
	whole("Z-06/elsewhere", "a central directory elsewhere", "zip_layout", patch(16, 1))
	whole("Z-06/disks", "several disks", "zip_feature", patch(4, 1))
	hidden := bytes.Clone(good)
	binary.LittleEndian.PutUint16(hidden[end+20:], 22)
	whole("Z-06/end-in-comment", "a second end record inside the comment of the first", "zip_layout", append(hidden, good[end:]...))
	for _, part := range []int{1, 2, 4, 8, 16, 64} {
		whole(fmt.Sprintf("Z-11/cut-%d", part), "the package cut off", "zip_layout", good[:len(good)-len(good)/(2*part)])
	}
	whole("Z-11/last-byte", "the last byte missing", "zip_layout", good[:len(good)-1])
}

// xmlCases are the rows X, in every XML file that the reader believes before it looks at a signature.
func xmlCases(l *lab) {
	p, err := unpack(l.base.OFD)
	if err != nil {
		l.fail("X-01", err)
		return
	}
	for _, name := range p.names(".xml") {
		_, root, _ := strings.Cut(string(p.get(name).data), "<ofd:")
		tag := "ofd:" + root[:max(0, strings.IndexAny(root, " >"))]
		id := short(name)
		x := func(row, mutation, reason string, change func(p *pack)) {
			l.on("OFD", "X-"+row+"-"+id, mutation+" in "+name, Rejected, reason, change)
		}
		before := func(text string) func(p *pack) {
			return func(p *pack) { p.edit(name, "<"+tag, text+"<"+tag) }
		}
		x("01/doctype", "a document type", "doctype", before("<!DOCTYPE x>"))
		x("01/bomb", "an entity bomb", "doctype", before(`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`))
		x("01/external", "an external entity", "doctype", before(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`))
		x("01/parameter", "a parameter entity", "doctype", before(`<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>`))
		x("01/include", "an inclusion", "namespace", before(`<!-- --><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/>`))
		x("01/schema", "a place of a schema", "doctype", func(p *pack) {
			p.edit(name, "<"+tag, "<"+tag+` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"`)
		})
		x("02/attribute", "an attribute twice", "xml_duplicate", func(p *pack) { p.edit(name, ns, ns+` Q="1" Q="2"`) })
		x("03/second-root", "a second root", "xml_trailing", func(p *pack) { p.get(name).data = append(bytes.Clone(p.get(name).data), "<"+tag+" "+ns+"/>"...) })
		x("03/text", "text after the root", "xml_trailing", func(p *pack) { p.get(name).data = append(bytes.Clone(p.get(name).data), 'x') })
		x("04/other", "another namespace", "namespace", func(p *pack) { p.edit(name, ns, `xmlns:ofd="http://example.org"`) })
		x("04/none", "no namespace", "namespace", func(p *pack) { p.edit(name, ns, `xmlns:ofd=""`) })
		x("05/gbk", "GBK declared", "encoding", func(p *pack) { p.edit(name, `encoding="UTF-8"`, `encoding="GBK"`) })
		x("05/utf16", "a UTF-16 mark", "encoding", func(p *pack) { p.get(name).data = append([]byte("\xff\xfe"), p.get(name).data...) })
		x("05/not-utf8", "bytes that are not UTF-8", "encoding", before("<!-- \xb1\xea -->"))
		x("05/two-marks", "two byte order marks", "encoding", func(p *pack) { p.get(name).data = append([]byte("\xef\xbb\xbf\xef\xbb\xbf"), p.get(name).data...) })
		x("06/long", "a comment of two megabytes", "limit", func(p *pack) {
			p.get(name).stored = true // else the container would be refused first, as a bomb
			before("<!--" + strings.Repeat("x", 2<<20) + "-->")(p)
		})
		x("06/long-attribute", "an attribute of two megabytes", "limit", func(p *pack) {
			p.get(name).stored = true
			p.edit(name, ns, ns+` a="`+strings.Repeat("x", 2<<20)+`"`)
		})
		x("06/attributes", "200 attributes", "limit", func(p *pack) {
			var b strings.Builder
			for i := range 200 {
				fmt.Fprintf(&b, ` a%d="1"`, i)
			}
			p.edit(name, ns, ns+b.String())
		})
		x("06/deep", "20,000 levels", "limit", func(p *pack) {
			end := "</" + tag + ">"
			p.get(name).stored = true
			p.edit(name, end, strings.Repeat("<ofd:A>", 20_000)+strings.Repeat("</ofd:A>", 20_000)+end)
		})
		x("03/cut", "the file cut off", "xml_malformed", func(p *pack) { p.get(name).data = p.get(name).data[:len(p.get(name).data)/2] })
	}
	in := func(id, name, old, with, reason string) {
		l.on("OFD", "X-"+id, "written otherwise in "+name, Rejected, reason, func(p *pack) { p.edit(name, old, with) })
	}
	in("02/root-element", rootFile, "</ofd:DocRoot>", "</ofd:DocRoot><ofd:DocRoot>x</ofd:DocRoot>", "xml_duplicate")
	in("02/pages", docFile, "</ofd:Pages>", "</ofd:Pages><ofd:Pages/>", "xml_duplicate")
	in("02/counter", listFile, "</ofd:Signatures>", "<ofd:MaxSignId>9</ofd:MaxSignId></ofd:Signatures>", "xml_duplicate")
	in("02/signed-info", describe0, "</ofd:SignedInfo>", "</ofd:SignedInfo><ofd:SignedInfo/>", "xml_duplicate")
	in("04/prefixed", docFile, "<ofd:Page ID=", `<ofd:Page xmlns:q="urn:q" q:ID="7" ID=`, "namespace")
	in("07/digest-comment", describe0, "</ofd:CheckValue>", "<!-- --></ofd:CheckValue>", "xml_split_value")
	in("07/digest-cdata", describe0, "<ofd:SignatureDateTime>", "<ofd:SignatureDateTime><![CDATA[]]>", "xml_split_value")
	in("07/root-comment", rootFile, "Doc_0/Document.xml", "Doc_0/<!-- -->Document.xml", "xml_split_value")
	in("08/root-percent", rootFile, "<ofd:DocRoot>Doc_0", "<ofd:DocRoot>%44oc_0", "missing_entry")
	for id, loc := range sorted(map[string]string{"parent": "../../../x.xml", "backslash": `Doc_0\x.xml`, "drive": "C:/x.xml", "empty": ""}) {
		in("08/list-"+id, listFile, "/"+describe0, loc, "path")
		in("08/value-"+id, describe0, "<ofd:SignedValue>/"+value0, "<ofd:SignedValue>"+strings.Replace(loc, "../../../", "../../../../", 1), "path")
		in("08/root-"+id, rootFile, "<ofd:DocRoot>Doc_0/Document.xml", "<ofd:DocRoot>"+loc, "path")
		in("08/page-"+id, docFile, "Pages/Page_0/Content.xml", strings.Replace(loc, "../../../", "../../../../", 1), "path")
	}
	for id, number := range sorted(map[string]string{
		"nan": "NaN", "infinite": "Inf", "huge": "1e400", "comma": "1,5", "text": "x", "hex": "0x10", "missing": "",
	}) {
		in("09/stamp-"+id, describe0, ` Boundary="`, ` Boundary="`+number+` 1 1 1" Was="`, "number")
		in("09/page-"+id, docFile, "0 0 210 297", number+" 0 210 297", "number")
	}
	in("09/negative", docFile, "0 0 210 297", "0 0 -210 297", "number")
	pageCases(l)
}
