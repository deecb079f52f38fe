package ofd

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/testvectors"
)

func mustOpenSample(t testing.TB, name string) *Package {
	t.Helper()
	data, err := testvectors.Read("ofd/" + name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

func TestGraphOfASample(t *testing.T) {
	p := mustOpenSample(t, "v4-open.ofd")
	want := []Node{
		{Name: "OFD.xml", Kind: KindRoot, Body: -1},
		{Name: "Doc_0/Document.xml", Kind: KindDocument, From: "OFD.xml"},
		{Name: "Doc_0/PublicRes.xml", Kind: KindResources, From: "Doc_0/Document.xml"},
		{Name: "Doc_0/DocumentRes.xml", Kind: KindResources, From: "Doc_0/Document.xml"},
		{Name: "Doc_0/Res/pic3939377613047879964.png", Kind: KindMedia, From: "Doc_0/DocumentRes.xml"},
		{Name: "Doc_0/Pages/Page_0/Content.xml", Kind: KindPage, From: "Doc_0/Document.xml"},
		{Name: "Doc_0/Attachments.xml", Kind: KindAttachment, From: "Doc_0/Document.xml"},
		{Name: "Doc_0/Res/data.csv", Kind: KindAttachment, From: "Doc_0/Attachments.xml"},
	}
	if diff := cmp.Diff(want, p.Graph()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGraphReachesEveryKind builds a document that uses every way to name a file.
func TestGraphReachesEveryKind(t *testing.T) {
	const ns = ` xmlns:ofd="http://www.ofdspec.org/2016"`
	text := func(name, s string) rec { return rec{name: name, data: []byte(s)} }
	data := pack(
		text("OFD.xml", `<ofd:OFD`+ns+`><ofd:DocBody><ofd:DocInfo><ofd:Cover>Doc_0/cover.png</ofd:Cover></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot><ofd:Versions><ofd:Version ID="1" BaseLoc="Doc_0/v1.xml"/></ofd:Versions></ofd:DocBody></ofd:OFD>`),
		text("Doc_0/cover.png", "x"),
		text("Doc_0/v1.xml", `<ofd:DocVersion`+ns+`><ofd:FileList><ofd:File ID="1">old.xml</ofd:File></ofd:FileList><ofd:DocRoot>OldDocument.xml</ofd:DocRoot></ofd:DocVersion>`),
		text("Doc_0/Document.xml", `<ofd:Document`+ns+`><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>PublicRes.xml</ofd:PublicRes><ofd:TemplatePage ID="8" BaseLoc="Tpls/T.xml"/></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="P.xml"/></ofd:Pages><ofd:Annotations>Annots.xml</ofd:Annotations><ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags><ofd:Attachments>Att.xml</ofd:Attachments><ofd:Extensions>Ext.xml</ofd:Extensions></ofd:Document>`),
		text("Doc_0/PublicRes.xml", `<ofd:Res`+ns+` BaseLoc="Res"><ofd:ColorSpaces><ofd:ColorSpace ID="3" Type="RGB" Profile="c.icc"/></ofd:ColorSpaces><ofd:Fonts><ofd:Font ID="4" FontName="宋体"><ofd:FontFile>f.ttf</ofd:FontFile></ofd:Font></ofd:Fonts></ofd:Res>`),
		text("Doc_0/Tpls/T.xml", `<ofd:Page`+ns+`><ofd:Content><ofd:Layer><ofd:TextObject><ofd:TextCode>template</ofd:TextCode></ofd:TextObject></ofd:Layer></ofd:Content></ofd:Page>`),
		text("Doc_0/P.xml", `<ofd:Page`+ns+`><ofd:Area><ofd:PhysicalBox>0 0 297 210</ofd:PhysicalBox></ofd:Area><ofd:Template TemplateID="8"/><ofd:PageRes>PageRes.xml</ofd:PageRes><ofd:Content><ofd:Layer><ofd:TextObject><ofd:TextCode>page</ofd:TextCode></ofd:TextObject></ofd:Layer></ofd:Content></ofd:Page>`),
		text("Doc_0/PageRes.xml", `<ofd:Res`+ns+` BaseLoc="/Doc_0/Other/"><ofd:MultiMedias><ofd:MultiMedia ID="9" Type="Image"><ofd:MediaFile>m.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>`),
		text("Doc_0/Annots.xml", `<ofd:Annotations`+ns+`><ofd:Page PageID="1"><ofd:FileLoc>Annot_1.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>`),
		text("Doc_0/Annot_1.xml", `<ofd:PageAnnot`+ns+`><ofd:Annot ID="1" Type="Watermark"><ofd:Appearance><ofd:TextObject><ofd:TextCode>watermark</ofd:TextCode></ofd:TextObject></ofd:Appearance></ofd:Annot></ofd:PageAnnot>`),
		text("Doc_0/Tags/CustomTags.xml", `<ofd:CustomTags`+ns+`><ofd:CustomTag NameSpace="a"><ofd:SchemaLoc>a.xsd</ofd:SchemaLoc><ofd:FileLoc>a.xml</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>`),
		text("Doc_0/Att.xml", `<ofd:Attachments`+ns+`><ofd:Attachment ID="1" Name="a"><ofd:FileLoc>Res/a.bin</ofd:FileLoc></ofd:Attachment></ofd:Attachments>`),
		text("Doc_0/Ext.xml", `<ofd:Extensions`+ns+`><ofd:Extension AppName="a"><ofd:Data><x:any xmlns:x="urn:x" x:y="1"/></ofd:Data><ofd:ExtendData>ext.bin</ofd:ExtendData></ofd:Extension></ofd:Extensions>`),
	)
	p, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Kind{}
	for _, n := range p.Graph() {
		got[n.Name] = n.Kind
	}
	want := map[string]Kind{
		"OFD.xml": KindRoot, "Doc_0/cover.png": KindCover, "Doc_0/Document.xml": KindDocument,
		"Doc_0/PublicRes.xml": KindResources, "Doc_0/Res/c.icc": KindProfile, "Doc_0/Res/f.ttf": KindFont,
		"Doc_0/Tpls/T.xml": KindTemplate, "Doc_0/P.xml": KindPage, "Doc_0/PageRes.xml": KindResources,
		"Doc_0/Other/m.png": KindMedia, "Doc_0/Annots.xml": KindAnnotation, "Doc_0/Annot_1.xml": KindAnnotation,
		"Doc_0/Tags/CustomTags.xml": KindCustomTag, "Doc_0/Tags/a.xsd": KindCustomTag, "Doc_0/Tags/a.xml": KindCustomTag,
		"Doc_0/Att.xml": KindAttachment, "Doc_0/Res/a.bin": KindAttachment,
		"Doc_0/Ext.xml": KindExtension, "Doc_0/ext.bin": KindExtension,
		"Doc_0/v1.xml": KindVersion, "Doc_0/old.xml": KindVersion, "Doc_0/OldDocument.xml": KindVersion,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := p.PageText(0); text != "page\ntemplate\nwatermark" {
		t.Errorf("page text %q", text)
	}
	if size := p.Pages()[0].Size; size != (Box{0, 0, 297, 210}) {
		t.Errorf("page size %v", size)
	}
	if p.PageText(1) != "" || p.PageText(-1) != "" {
		t.Error("text of a page that does not exist")
	}
}

func TestInfoOfASample(t *testing.T) {
	p := mustOpenSample(t, "u2.ofd")
	want := DocInfo{
		DocID: "11905938caef4a48992340be26c54ea3", Title: "测试销售合同", Author: "oracle", Subject: "样例",
		CreationDate: "2026-11-21", Creator: "OFD R&W", CreatorVersion: "2.4.0",
		Keywords: []string{"oracle", "dev"}, Custom: []CustomData{{"合同编号", "NO-dev-u2"}},
	}
	if diff := cmp.Diff(want, p.Info()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := p.Metadata(); !errors.Is(err, ErrNoMetadata) {
		t.Errorf("metadata of other software's file: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	for _, name := range []string{"u1.ofd", "t-traversal.ofd", "v4-filter.ofd"} {
		data, err := testvectors.Read("ofd/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(pack(sound()...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		p, err := Open(data)
		if err != nil {
			return
		}
		again, err := p.Replace()
		if err != nil {
			t.Fatal(err)
		}
		q, err := Open(again)
		if err != nil {
			t.Fatalf("written again, it is refused: %v", err)
		}
		if diff := cmp.Diff(p.Graph(), q.Graph()); diff != "" {
			t.Errorf("written again, it reaches something else:\n%s", diff)
		}
	})
}

func FuzzParseXML(f *testing.F) {
	f.Add([]byte(testRoot))
	f.Add([]byte(testPage))
	f.Add([]byte(`<!DOCTYPE x>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		e, err := ParseXML("x", data, "OFD")
		if err == nil && (e.Start >= e.End || e.End > len(data)) {
			t.Errorf("root from %d to %d of %d bytes", e.Start, e.End, len(data))
		}
	})
}

// FuzzDocument puts fuzzed files into a sound container, where FuzzOpen seldom gets to.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(testRoot), []byte(testDoc), []byte(testPage))
	f.Fuzz(func(t *testing.T, root, doc, page []byte) {
		if len(root)+len(doc)+len(page) > 1<<16 {
			return
		}
		p, err := Open(pack(rec{name: "OFD.xml", data: root}, rec{name: "Doc_0/Document.xml", data: doc}, rec{name: pageName, data: page}))
		if err != nil {
			return
		}
		for i := range p.Pages() {
			_ = p.PageText(i)
		}
		if p.Bodies()[0].Signatures == "" {
			named, err := p.NameSignatures(0, "Doc_0/Signs/Signatures.xml")
			if err != nil {
				t.Fatal(err)
			}
			again, err := p.Replace(File{Name: "OFD.xml", Data: named})
			if err != nil {
				t.Fatal(err)
			}
			q, err := Open(again)
			if err != nil || q.Bodies()[0].Signatures != "Doc_0/Signs/Signatures.xml" {
				t.Fatalf("with the list named: %v\n%s", err, named)
			}
		}
	})
}

// TestGraphReadsEachFileAsAllThatItIs: a file that is reached as something else first is read for what it names all the
// same, a resource may name a font and a picture, and a version's document is a document.
func TestGraphReadsEachFileAsAllThatItIs(t *testing.T) {
	const ns = ` xmlns:ofd="http://www.ofdspec.org/2016"`
	document := func(inside string) string {
		return `<ofd:Document` + ns + `><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>` +
			`<ofd:PublicRes>Res.xml</ofd:PublicRes></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="P.xml"/></ofd:Pages>` + inside + `</ofd:Document>`
	}
	const lists = `<ofd:Annotations>Annots.xml</ofd:Annotations><ofd:CustomTags>Tags.xml</ofd:CustomTags>` +
		`<ofd:Attachments>Att.xml</ofd:Attachments><ofd:Extensions>Ext.xml</ofd:Extensions>`
	open := func(cover, media, versions string) *Package {
		t.Helper()
		var recs []rec
		for name, text := range map[string]string{
			"OFD.xml": `<ofd:OFD` + ns + `><ofd:DocBody><ofd:DocInfo>` + cover + `</ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>` +
				versions + `</ofd:DocBody></ofd:OFD>`,
			"Doc_0/Document.xml":   document(lists),
			"Doc_0/Res.xml":        `<ofd:Res` + ns + `><ofd:MultiMedias><ofd:MultiMedia ID="2">` + media + `</ofd:MultiMedia></ofd:MultiMedias></ofd:Res>`,
			"Doc_0/P.xml":          `<ofd:Page` + ns + `><ofd:Content/></ofd:Page>`,
			"Doc_0/Annots.xml":     `<ofd:Annotations` + ns + `><ofd:Page PageID="1"><ofd:FileLoc>of-annotations</ofd:FileLoc></ofd:Page></ofd:Annotations>`,
			"Doc_0/Tags.xml":       `<ofd:CustomTags` + ns + `><ofd:CustomTag NameSpace="a"><ofd:FileLoc>of-tags</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>`,
			"Doc_0/Att.xml":        `<ofd:Attachments` + ns + `><ofd:Attachment ID="1" Name="a"><ofd:FileLoc>of-attachments</ofd:FileLoc></ofd:Attachment></ofd:Attachments>`,
			"Doc_0/Ext.xml":        `<ofd:Extensions` + ns + `><ofd:Extension AppName="a"><ofd:ExtendData>of-extensions</ofd:ExtendData></ofd:Extension></ofd:Extensions>`,
			"Doc_0/V/v1.xml":       `<ofd:DocVersion` + ns + `><ofd:FileList><ofd:File ID="1">Document.xml</ofd:File></ofd:FileList><ofd:DocRoot>Document.xml</ofd:DocRoot></ofd:DocVersion>`,
			"Doc_0/V/Document.xml": document(""),
		} {
			recs = append(recs, rec{name: name, data: []byte(text)})
		}
		p, err := Open(pack(recs...))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const picture = `<ofd:MediaFile>a.png</ofd:MediaFile>`
	missing := []string{"Doc_0/a.png", "Doc_0/of-annotations", "Doc_0/of-tags", "Doc_0/of-attachments", "Doc_0/of-extensions"}
	for name, tt := range map[string]struct {
		p    *Package
		want []string
	}{
		"plain":                {open("", picture, ""), missing},
		"a cover of resources": {open("<ofd:Cover>Doc_0/Res.xml</ofd:Cover>", picture, ""), missing},
		"a cover of notes":     {open("<ofd:Cover>Doc_0/Annots.xml</ofd:Cover>", picture, ""), missing},
		"a cover of tags":      {open("<ofd:Cover>Doc_0/Tags.xml</ofd:Cover>", picture, ""), missing},
		"a cover of files":     {open("<ofd:Cover>Doc_0/Att.xml</ofd:Cover>", picture, ""), missing},
		"a cover of data":      {open("<ofd:Cover>Doc_0/Ext.xml</ofd:Cover>", picture, ""), missing},
		"a picture of notes":   {open("", `<ofd:MediaFile>Annots.xml</ofd:MediaFile>`, ""), missing[1:]},
		"a font and a picture": {open("", `<ofd:FontFile>f.ttf</ofd:FontFile>`+picture, ""), append([]string{"Doc_0/f.ttf"}, missing...)},
		"a version": {
			open("", picture, `<ofd:Versions><ofd:Version ID="1" BaseLoc="Doc_0/V/v1.xml"/></ofd:Versions>`),
			append([]string{"Doc_0/V/P.xml", "Doc_0/V/Res.xml"}, missing...),
		},
	} {
		for _, entry := range tt.want {
			if !tt.p.Reaches(entry) {
				t.Errorf("%s: %s is not reached", name, entry)
			}
		}
	}
}
