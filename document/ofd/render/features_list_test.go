package render_test

import (
	"strings"
	"testing"

	"yinxin/document/ofd"
	"yinxin/document/ofd/render"
)

func features(t *testing.T) []feature {
	t.Helper()
	all := append(featuresOfPaint(), featuresOfClips()...)
	all = append(all, featuresOfText(t)...)
	all = append(all, featuresOfPages(t)...)
	return append(all, featuresOfStamps(t)...)
}

func featuresOfPaint() []feature {
	line := func(attrs, data string) string {
		return pathObject("%s", `LineWidth="3" `+attrs, `<ofd:StrokeColor Value="0 0 160"/>`, data)
	}
	axis := `<ofd:AxialShd StartPoint="10 0" EndPoint="30 0" `
	ball := `<ofd:RadialShd StartPoint="15 15" StartRadius="2" EndPoint="20 20" EndRadius="18" `
	mesh := func(name string) string {
		return `<ofd:` + name + `><ofd:Point X="0" Y="0"><ofd:Color Value="255 0 0"/></ofd:Point><ofd:Point X="40" Y="0"><ofd:Color Value="0 0 255"/></ofd:Point></ofd:` + name + `>`
	}
	return []feature{
		{name: "lines", objects: quarters(
			line(`Join="Miter" Cap="Butt"`, "M 5 35 L 20 5 L 35 35"), line(`Join="Round" Cap="Round"`, "M 5 35 L 20 5 L 35 35"),
			line(`Join="Bevel" Cap="Square"`, "M 5 35 L 20 5 L 35 35"), line(`DashPattern="6 2 1 2" DashOffset="3"`, circle))},
		{name: "curves", objects: quarters(
			pathObject("%s", `Fill="true" LineWidth="1"`, `<ofd:FillColor Value="255 220 0"/>`, "M 5 35 Q 20 -25 35 35 C"),
			pathObject("%s", `Fill="true" LineWidth="1"`, `<ofd:FillColor Value="255 220 0"/>`, "M 5 20 B 5 0 35 40 35 20 B 35 0 5 40 5 20 C"),
			pathObject("%s", `Fill="true" Rule="Even-Odd" LineWidth="1"`, `<ofd:FillColor Value="255 220 0"/>`, "M 20 2 L 31 36 L 2 15 L 38 15 L 9 36 C"),
			pathObject("%s", `Fill="true" LineWidth="1" CTM="0.7 0.7 -0.7 0.7 20 -8"`, `<ofd:FillColor Value="255 220 0"/>`, "M 5 20 A 15 8 0 1 1 20 28 L 20 20 C"))},
		{name: "axial", objects: quarters(
			shaded(axis+`>`+rainbow+`</ofd:AxialShd>`), shaded(axis+`Extend="3">`+rainbow+`</ofd:AxialShd>`),
			shaded(axis+`MapType="Repeat" MapUnit="8">`+rainbow+`</ofd:AxialShd>`), shaded(axis+`MapType="Reflect">`+rainbow+`</ofd:AxialShd>`))},
		{name: "radial", objects: quarters(
			shaded(ball+`>`+rainbow+`</ofd:RadialShd>`), shaded(ball+`Extend="3">`+rainbow+`</ofd:RadialShd>`),
			shaded(`<ofd:RadialShd StartPoint="20 20" EndPoint="20 20" EndRadius="18" Eccentricity="0.9" Angle="30">`+rainbow+`</ofd:RadialShd>`),
			shaded(`<ofd:RadialShd StartPoint="20 20" EndPoint="20 20" EndRadius="6" MapType="Repeat">`+rainbow+`</ofd:RadialShd>`))},
		{name: "mesh", objects: quarters(shaded(mesh("GouraudShd")), shaded(mesh("LaGourandShd"))), notes: []string{"object_not_drawn"}},
		{name: "pattern", objects: quarters(
			pathObject("%s", `Fill="true" LineWidth="0.5"`, pattern(``), circle), pathObject("%s", filling, pattern(`XStep="14" ReflectMethod="Row" CTM="0.8 0.3 -0.3 0.8 0 0"`), box40),
			pathObject("%s", filling, pattern(`ReflectMethod="RowAndColumn"`), box40), pathObject("%s", filling, pattern(`RelativeTo="Page" ReflectMethod="Column"`), box40))},
		{name: "alpha", objects: quarters(
			shaded(axis+`Extend="3"><ofd:Segment><ofd:Color Value="255 0 0" Alpha="0"/></ofd:Segment><ofd:Segment><ofd:Color Value="255 0 0"/></ofd:Segment></ofd:AxialShd>`),
			pathObject("%s", `Fill="true" LineWidth="6" Alpha="128"`, `<ofd:FillColor Value="255 0 0"/>`, circle),
			pathObject("%s", filling+` Alpha="128"`, `<ofd:FillColor Value="255 0 0" Alpha="128"/>`, box40), pathObject("%s", filling+` Alpha="100"`, pattern(``), box40))},
		{
			name: "parameters", objects: quarters(
				pathObject("%s", `DrawParam="6"`, "", "M 5 35 L 20 5 L 35 35"), pathObject("%s", `DrawParam="6" LineWidth="1" Fill="true"`, "", "M 5 35 L 20 5 L 35 35 C"),
				pathObject("%s", filling, `<ofd:FillColor Index="1" ColorSpace="8"/>`, box40), pathObject("%s", filling, `<ofd:FillColor Value="255 0 255 40"/>`, box40)),
			more: resourceFile(`<ofd:ColorSpaces><ofd:ColorSpace ID="8" Type="RGB"><ofd:Palette><ofd:CV>1 2 3</ofd:CV><ofd:CV>0 160 0</ofd:CV></ofd:Palette></ofd:ColorSpace></ofd:ColorSpaces>` +
				`<ofd:DrawParams><ofd:DrawParam ID="5" LineWidth="4" Join="Round"><ofd:StrokeColor Value="255 0 0"/><ofd:FillColor Value="220 220 0"/></ofd:DrawParam><ofd:DrawParam ID="6" Relative="5" Cap="Round"/></ofd:DrawParams>`),
		},
	}
}

func featuresOfClips() []feature {
	text := `<ofd:Area><ofd:Text Boundary="0 0 40 40" Font="1" Size="20"><ofd:TextCode X="0" Y="27" DeltaX="20">公文</ofd:TextCode></ofd:Text></ofd:Area>`
	return []feature{
		{
			name: "clips", objects: quarters(
				clipped(`<ofd:Clip>`+clipPath(circle, "")+`</ofd:Clip>`),
				clipped(`<ofd:Clip>`+clipPath(circle, "")+clipPath("M 0 0 L 0 20 L 40 20 L 40 0 C", "")+`</ofd:Clip>`),                         // united
				clipped(`<ofd:Clip>`+clipPath(circle, "")+`</ofd:Clip><ofd:Clip>`+clipPath("M 0 0 L 40 0 L 40 20 L 0 20 C", "")+`</ofd:Clip>`), // one within the other
				clipped(`<ofd:Clip>`+text+`</ofd:Clip>`)),
			notes: []string{"font_substituted"},
		},
		{
			name: "clips-moved", objects: quarters(
				strings.Replace(clipped(`<ofd:Clip>`+clipPath(circle, "")+`</ofd:Clip>`), filling, filling+` CTM="0.5 0 0 0.5 10 10"`, 1),
				strings.Replace(clipped(`<ofd:Clip TransFlag="false">`+clipPath(circle, "")+`</ofd:Clip>`), filling, filling+` CTM="0.5 0 0 0.5 10 10"`, 1),
				clipped(`<ofd:Clip>`+clipPath("M 20 2 L 31 36 L 2 15 L 38 15 L 9 36 C", `Rule="Even-Odd"`)+`</ofd:Clip>`),
				clipped(`<ofd:Clip>`+strings.Replace(text, "<ofd:Area>", `<ofd:Area CTM="0.7 0.7 -0.7 0.7 16 -10">`, 1)+clipPath("M 0 36 L 40 36 L 40 38 L 0 38 C", "")+`</ofd:Clip>`)),
			notes: []string{"font_substituted"},
		},
	}
}

func featuresOfText(t *testing.T) []feature {
	t.Helper()
	code := func(attrs, text string) string { return `<ofd:TextCode ` + attrs + `>` + text + `</ofd:TextCode>` }
	glyphs := `<ofd:CGTransform CodePosition="0" CodeCount="2" GlyphCount="2"><ofd:Glyphs>3 1</ofd:Glyphs></ofd:CGTransform>`
	red := `<ofd:FillColor Value="200 0 0"/>`
	return []feature{
		{name: "text", objects: quarters(
			textObject("%s", `Size="10"`, red, code(`X="0" Y="12" DeltaX="g 3 10"`, "公文印章")+code(`X="0" Y="30" DeltaX="14"`, "公文")),
			textObject("%s", `Size="10" HScale="0.5"`, red, code(`X="0" Y="12" DeltaX="5 5 5"`, "公文印章")+code(`X="0" Y="30"`, "公文印章")),
			textObject("%s", `Size="10" CTM="0.8 0.6 -0.6 0.8 8 0"`, red, code(`X="0" Y="12" DeltaX="10 10"`, "公文印")),
			textObject("%s", `Size="10" CharDirection="90"`, red, code(`X="20" Y="2" DeltaY="12 12"`, "公文印"))), more: embedded(t)},
		{name: "text-glyphs", objects: quarters(
			textObject("%s", `Size="16"`, glyphs+red, code(`X="2" Y="25" DeltaX="16"`, "章章")),
			textObject("%s", `Size="16" Fill="false" Stroke="true" LineWidth="0.5"`, `<ofd:StrokeColor Value="0 0 200"/>`, code(`X="2" Y="25" DeltaX="16"`, "公文")),
			textObject("%s", `Size="16"`, fillColor(`<ofd:AxialShd StartPoint="0 0" EndPoint="40 0">`+rainbow+`</ofd:AxialShd>`), code(`X="2" Y="25" DeltaX="16"`, "公文")),
			textObject("%s", `Size="16" Stroke="true" LineWidth="0.3"`, pattern(`CTM="0.2 0 0 0.2 0 0"`), code(`X="2" Y="25" DeltaX="16"`, "公文"))), more: embedded(t)},
	}
}

func featuresOfPages(t *testing.T) []feature {
	t.Helper()
	media := resourceFile(`<ofd:MultiMedias><ofd:MultiMedia ID="7" Type="Image"><ofd:MediaFile>a.png</ofd:MediaFile></ofd:MultiMedia><ofd:MultiMedia ID="8" Type="Image"><ofd:MediaFile>b.jb2</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>`)
	media["D/a.png"], media["D/b.jb2"] = photograph(t), "\x97JB2\r\n\x1a\n"
	image := func(ctm, attrs, inner string) string {
		return `<ofd:ImageObject ID="9" Boundary="%s" CTM="` + ctm + `" ` + attrs + `>` + inner + `</ofd:ImageObject>`
	}
	unit := `<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="4" Width="20" Height="20"><ofd:Content>` + filled("0 0 20 20", "0 120 200", "M 0 0 L 20 0 L 10 20 C", "") +
		`<ofd:CompositeObject ID="5" Boundary="0 0 20 20" ResourceID="3" CTM="0.5 0 0 0.5 0 0"/></ofd:Content></ofd:CompositeGraphicUnit>` +
		`<ofd:CompositeGraphicUnit ID="3" Width="20" Height="20"><ofd:Content>` + filled("0 0 20 20", "200 0 0", "M 0 0 L 20 0 L 10 20 C", "") + `</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>`
	unitAt := func(ctm, attrs string) string {
		return `<ofd:CompositeObject ID="9" Boundary="%s" ResourceID="4" CTM="` + ctm + `" ` + attrs + `/>`
	}
	layer := func(typ, inner string) string {
		return `<ofd:Page ` + ns + `><ofd:Content><ofd:Layer ID="3" Type="` + typ + `">` + inner + `</ofd:Layer></ofd:Content></ofd:Page>`
	}
	annots := map[string]string{
		"D/Annots.xml": `<ofd:Annotations ` + ns + `><ofd:Page PageID="1"><ofd:FileLoc>Annot.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>`,
		"D/Annot.xml": `<ofd:PageAnnot ` + ns + `><ofd:Annot ID="8" Type="Highlight"><ofd:Appearance Boundary="10 10 80 20">` + filled("0 0 80 20", "255 255 0", "M 0 0 L 80 0 L 80 20 L 0 20 C", `Alpha="120"`) +
			`</ofd:Appearance></ofd:Annot><ofd:Annot ID="9" Type="Stamp" Visible="false"><ofd:Appearance Boundary="0 0 99 99">` + filled("0 0 99 99", "0", box40, "") + `</ofd:Appearance></ofd:Annot></ofd:PageAnnot>`,
		"D/Document.xml": `<ofd:Document ` + ns + `><ofd:CommonData><ofd:MaxUnitID>99</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 100 100</ofd:PhysicalBox></ofd:PageArea><ofd:TemplatePage ID="T" BaseLoc="Template.xml"/><ofd:TemplatePage ID="U" BaseLoc="Above.xml"/></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages><ofd:Annotations>Annots.xml</ofd:Annotations></ofd:Document>`,
		"D/Template.xml": layer("Body", filled("5 5 90 90", "220 235 255", "M 0 0 L 90 0 L 90 90 L 0 90 C", "")),
		"D/Above.xml":    layer("Body", filled("60 60 30 30", "0 150 0", "M 0 0 L 30 0 L 0 30 C", "")),
		"D/Page.xml": `<ofd:Page ` + ns + `><ofd:Template TemplateID="T"/><ofd:Template TemplateID="U" ZOrder="Foreground"/><ofd:Content><ofd:Layer ID="2">` +
			filled("20 20 60 60", "200 0 0", "M 0 0 L 60 0 L 60 60 L 0 60 C", "") + `</ofd:Layer></ofd:Content></ofd:Page>`,
	}
	return []feature{
		{
			name: "pictures", objects: quarters(
				image("40 0 0 40 0 0", `ResourceID="7"`, `<ofd:Border LineWidth="1"><ofd:BorderColor Value="255 0 0"/></ofd:Border>`), image("20 20 -20 20 20 0", `ResourceID="7"`, ""),
				image("-40 0 0 40 40 0", `ResourceID="7" Alpha="100"`, ""),
				image("40 0 0 40 0 0", `ResourceID="8" Substitution="7"`, `<ofd:Clips><ofd:Clip>`+clipPath(circle, `CTM="0.025 0 0 0.025 0 0"`)+`</ofd:Clip></ofd:Clips>`)),
			more: media, notes: []string{"image_not_drawn"},
		},
		{name: "composites", objects: quarters(unitAt("1 0 0 1 0 0", ""), unitAt("2 0 0 2 0 0", ""), unitAt("0 2 -2 0 40 0", `Alpha="100"`), unitAt("3 0 0 3 0 0", "")), more: resourceFile(unit)},
		{name: "templates", more: annots},
	}
}

func featuresOfStamps(t *testing.T) []feature {
	t.Helper()
	page := filled("0 0 100 100", "240 240 160", "M 0 0 L 100 0 L 100 100 L 0 100 C", "")
	ring := pathObject("0 0 100 100", `LineWidth="6"`, `<ofd:StrokeColor Value="230 0 0"/>`, "M 5 50 A 45 45 0 0 1 95 50 A 45 45 0 0 1 5 50 C") +
		filled("30 30 40 40", "230 0 0", "M 20 2 L 31 36 L 2 15 L 38 15 L 9 36 C", "") + textObject("10 60 80 30", `Size="14"`, `<ofd:FillColor Value="230 0 0"/>`, `<ofd:TextCode X="12" Y="20" DeltaX="14 14 14">公文印章</ofd:TextCode>`)
	nested := handmade(t, ring, embedded(t))
	at := func(x, y float64, clip *ofd.Box) render.Stamp {
		return render.Stamp{PageID: "1", Boundary: ofd.Box{X: x, Y: y, W: 40, H: 40}, Clip: clip, Format: "ofd", Data: nested}
	}
	picture := []byte(photograph(t))
	return []feature{
		{name: "stamps", objects: page, stamps: []render.Stamp{
			at(5, 5, nil), at(55, 5, &ofd.Box{X: 0, Y: 0, W: 20, H: 40}), // the left half
			{PageID: "1", Boundary: ofd.Box{X: 5, Y: 55, W: 40, H: 40}, Format: "png", Data: picture},
			{PageID: "1", Boundary: ofd.Box{X: 80, Y: 55, W: 40, H: 40}, Clip: &ofd.Box{X: 0, Y: 0, W: 20, H: 40}, Format: "png", Data: picture}, // a slice over the edge
		}},
	}
}
