package ofd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"yinxin/verdict"
)

// TestEveryNumberOfAPageIsRead: what cannot be drawn cannot be opened, wherever in the document it stands.
func TestEveryNumberOfAPageIsRead(t *testing.T) {
	const ns = ` xmlns:ofd="http://www.ofdspec.org/2016"`
	type files = map[string]string
	sound := func() files {
		object := `<ofd:PathObject ID="9" Boundary="1 1 9 9" CTM="1 0 0 1 0 0"><ofd:AbbreviatedData>M 0 0 L 1 1 C</ofd:AbbreviatedData>` +
			`<ofd:FillColor Value="0 #ff 0"><ofd:Pattern Width="2" Height="2"/></ofd:FillColor>` +
			`<ofd:StrokeColor><ofd:AxialShd StartPoint="0 0" EndPoint="9 9"><ofd:Segment><ofd:Color Value="0"/></ofd:Segment></ofd:AxialShd></ofd:StrokeColor>` +
			`</ofd:PathObject>` +
			`<ofd:TextObject ID="8" Boundary="1 1 9 9" Font="1" Size="4"><ofd:CGTransform CodePosition="0"><ofd:Glyphs>40000</ofd:Glyphs></ofd:CGTransform>` +
			`<ofd:TextCode X="0" Y="4" DeltaX="g 2 4">一二三</ofd:TextCode></ofd:TextObject>`
		page := func(template string) string {
			return `<ofd:Page` + ns + `><ofd:Area><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:Area>` + template + `<ofd:Content><ofd:Layer ID="7">` + object + `</ofd:Layer></ofd:Content></ofd:Page>`
		}
		return files{
			"OFD.xml": `<ofd:OFD` + ns + `><ofd:DocBody><ofd:DocRoot>D.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`,
			"D.xml": `<ofd:Document` + ns + `><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox><ofd:ContentBox>1 1 9 9</ofd:ContentBox></ofd:PageArea>` +
				`<ofd:PublicRes>R.xml</ofd:PublicRes><ofd:TemplatePage ID="2" BaseLoc="T.xml"/><ofd:TemplatePage ID="3" BaseLoc="U.xml"/></ofd:CommonData>` +
				`<ofd:Pages><ofd:Page ID="1" BaseLoc="P.xml"/></ofd:Pages><ofd:Annotations>A.xml</ofd:Annotations></ofd:Document>`,
			"P.xml": page(`<ofd:Template TemplateID="2"/>`), "T.xml": page(`<ofd:Template TemplateID="3"/>`), "U.xml": page(""),
			"R.xml": `<ofd:Res` + ns + `><ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="4" Width="9" Height="9"><ofd:Content>` + object + `</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits></ofd:Res>`,
			"A.xml": `<ofd:Annotations` + ns + `><ofd:Page PageID="1"><ofd:FileLoc>N.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>`,
			"N.xml": `<ofd:PageAnnot` + ns + `><ofd:Annot ID="5" Type="Stamp"><ofd:Appearance Boundary="1 1 9 9">` + object + `</ofd:Appearance></ofd:Annot></ofd:PageAnnot>`,
		}
	}
	open := func(f files) error {
		var recs []rec
		for name, text := range f {
			recs = append(recs, rec{name: name, data: []byte(text)})
		}
		_, err := Open(pack(recs...))
		return err
	}
	if err := open(sound()); err != nil {
		t.Fatal(err)
	}
	refused := func(name, old, with string, want verdict.Reason) {
		t.Helper()
		f := sound()
		if !strings.Contains(f[name], old) {
			t.Fatalf("%s holds no %s", name, old)
		}
		f[name] = strings.Replace(f[name], old, with, 1)
		if e, ok := errors.AsType[*verdict.ContainerError](open(f)); !ok || e.Reason != want {
			t.Errorf("%s with %s: %v, want %s", name, with, e, want)
		}
	}
	for _, name := range []string{"P.xml", "T.xml", "R.xml", "N.xml"} {
		for _, bad := range []string{"NaN 1 9 9", "1 1 Inf 9", "1 1 -9 9", "1 1 1e400 9", "1,5 1 9 9", "1 1 9", ""} {
			refused(name, `Boundary="1 1 9 9"`, `Boundary="`+bad+`"`, verdict.Number)
		}
		for _, edit := range [][2]string{
			{`CTM="1 0`, `CTM="1`},
			{`CTM="1 0`, `CTM="NaN 0`},
			{` L 1 1`, ` L 1`},
			{` L 1 1`, ` L 1 NaN`},
			{` L 1 1`, ` X 1 1`},
			{`Size="4"`, `Size="+Inf"`},
			{`X="0"`, `X="0x1"`},
			{`X="0"`, `X="0 1"`},
			{`"g 2 4"`, `"g 2"`},
			{`"g 2 4"`, `"g -2 4"`},
			{`"g 2 4"`, `"g 2 x"`},
			{`>40000<`, `>70000<`},
			{`CodePosition="0"`, `CodePosition=""`},
			{`"0 #ff 0"`, `"0 NaN 0"`},
			{`"0 #ff 0"`, `"0 #1ff 0"`},
			{`Width="2"`, `Width="0"`},
			{`"9 9"><ofd:Seg`, `"9 NaN"><ofd:Seg`},
			{` StartPoint="0 0"`, ""},
		} {
			refused(name, edit[0], edit[1], verdict.Number)
		}
	}
	for _, bad := range []string{"NaN 0 210 297", "0 0 -210 297", "0 0 0 297", "0 0 210"} {
		refused("P.xml", "0 0 210 297", bad, verdict.Number)
	}
	refused("D.xml", "1 1 9 9", "1 1 Inf 9", verdict.Number)
	refused("D.xml", `ID="3"`, `ID="2"`, verdict.XMLDuplicate)
	refused("T.xml", `TemplateID="3"`, `TemplateID="2"`, verdict.Path)
	refused("R.xml", "</ofd:Content>", `<ofd:CompositeObject ResourceID="4"/></ofd:Content>`, verdict.Path)
	refused("U.xml", `<ofd:Content>`, `<ofd:Template TemplateID="2"/><ofd:Content>`, verdict.Path)
}

// TestPathFields: what other software writes is read, what cannot be drawn is not.
func TestPathFields(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "M 0 0 L 1 1 C": true, "M0 0L 1 1": true, "M0 0 L1,1 C": true, "M 0,0 L 1e1 -1": true, "S 0 0 A 1 1 0 0 1 2 2": true,
		"L": false, "0 0": false, "M 0": false, "m 0 0": false, "M 0 0 Z": false, "M 0 C": false, "MM 0 0": false,
	} {
		if got := isPath(path); got != want {
			t.Errorf("%q: %t", path, got)
		}
	}
}

// TestTemplatesDoNotMultiply: a chain of templates, each of which uses the one before it twice, is a small text.
func TestTemplatesDoNotMultiply(t *testing.T) {
	const ns = ` xmlns:ofd="http://www.ofdspec.org/2016"`
	text := `<ofd:Content><ofd:Layer ID="7"><ofd:TextObject ID="8" Boundary="1 1 9 9" Font="1" Size="4"><ofd:TextCode X="0" Y="4">一</ofd:TextCode></ofd:TextObject></ofd:Layer></ofd:Content></ofd:Page>`
	var templates strings.Builder
	recs := []rec{{name: "OFD.xml", data: []byte(`<ofd:OFD` + ns + `><ofd:DocBody><ofd:DocRoot>D.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`)}}
	last := ""
	for i := range 60 {
		id := fmt.Sprintf("t%02d", i)
		templates.WriteString(`<ofd:TemplatePage ID="` + id + `" BaseLoc="` + id + `.xml"/>`)
		page := `<ofd:Page` + ns + `>`
		if last != "" {
			page += strings.Repeat(`<ofd:Template TemplateID="`+last+`"/>`, 2)
		}
		recs, last = append(recs, rec{name: id + ".xml", data: []byte(page + text)}), id
	}
	recs = append(
		recs,
		rec{name: "D.xml", data: []byte(`<ofd:Document` + ns + `><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>` +
			templates.String() + `</ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="P.xml"/></ofd:Pages></ofd:Document>`)},
		rec{name: "P.xml", data: []byte(`<ofd:Page` + ns + `><ofd:Template TemplateID="` + last + `"/>` + text)},
	)
	p, err := Open(pack(recs...))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(p.PageText(0), "一"); got != 61 {
		t.Errorf("the text of %d templates and the page stands there %d times", 60, got)
	}
}
