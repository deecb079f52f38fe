package render_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/ofd/render"
	"yinxin/examples"
	"yinxin/verdict"
)

var update = flag.Bool("update", false, "write the golden pages anew")

var faces = sync.OnceValue(fonts.Embedded)

func mustCompose(t testing.TB, name string) (*document.Document, *layout.Pages, *ofd.Package) {
	t.Helper()
	data, err := os.ReadFile("../../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.LoadPictures(examples.Files.ReadFile); err != nil {
		t.Fatal(err)
	}
	p, err := layout.Compose(d, faces())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := ofd.Write(&b, p, d.Metadata, []ofd.Attachment{{Name: "schedule.csv"}}); err != nil {
		t.Fatal(err)
	}
	pkg, err := ofd.Open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return d, p, pkg
}

func mustNew(t testing.TB, pkg *ofd.Package, stamps ...render.Stamp) *render.Document {
	t.Helper()
	d, err := render.New(pkg, render.Options{Faces: faces(), Stamps: stamps})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGoldenPages compares pages with pictures that were looked at before they were committed.
func TestGoldenPages(t *testing.T) {
	for _, name := range []string{"notice", "joint", "letter", "order", "minutes", "figures"} {
		_, _, pkg := mustCompose(t, name+".yaml")
		d := mustNew(t, pkg)
		for _, page := range []int{0, d.Pages() - 1} {
			got, err := d.Image(page, 48)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", fmt.Sprintf("%s-%d.png", name, page+1))
			if *update {
				mustWritePNG(t, path, got)
			}
			if diff := difference(got, mustReadPNG(t, path)); diff > 0.004 {
				t.Errorf("%s page %d differs from its golden page by %.4f of full contrast", name, page+1, diff)
			}
		}
		if len(d.Notes()) > 0 {
			t.Errorf("%s: %v", name, d.Notes())
		}
	}
}

func mustWritePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustReadPNG(t *testing.T, path string) image.Image {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// difference is the mean distance of two pictures' pixels, 0 to 1; 1 for another size.
func difference(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 1
	}
	sum, n := 0.0, 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			sum += (math.Abs(float64(r1)-float64(r2)) + math.Abs(float64(g1)-float64(g2)) + math.Abs(float64(b1)-float64(b2))) / 3 / 65535
			n++
		}
	}
	return sum / float64(n)
}

// TestLayoutReadsBack: what is read out of the file is what was composed, character by character.
func TestLayoutReadsBack(t *testing.T) {
	for _, name := range []string{"notice.yaml", "request.yaml", "letter.yaml", "joint.yaml"} {
		_, want, pkg := mustCompose(t, name)
		d := mustNew(t, pkg)
		for i, p := range want.Pages {
			got, err := d.Layout(i)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Runs) != len(p.Runs) || len(got.Rules) != len(p.Rules) {
				t.Fatalf("%s page %d: %d runs, %d rules, want %d, %d", name, i+1, len(got.Runs), len(got.Rules), len(p.Runs), len(p.Rules))
			}
			for k, r := range p.Runs {
				g := got.Runs[k]
				if g.Text != r.Text || g.Color != r.Color || g.Family != r.Face.Family() || math.Abs(g.Size-r.Size) > 0.001 ||
					math.Abs(g.X-r.X) > 0.001 || math.Abs(g.Y-r.Y) > 0.001 {
					t.Errorf("%s page %d: %q at %.3f, %.3f, want %q at %.3f, %.3f", name, i+1, g.Text, g.X, g.Y, r.Text, r.X, r.Y)
				}
				for j := range r.Advances[:len(r.Advances)-1] {
					if math.Abs(g.Advances[j]-r.Advances[j]) > 0.001 {
						t.Errorf("%s page %d: %q advances %.4f after character %d, want %.4f", name, i+1, r.Text, g.Advances[j], j, r.Advances[j])
					}
				}
			}
			for k, r := range p.Rules {
				g := got.Rules[k]
				r.Element = ""
				if math.Abs(g.X1-r.X1)+math.Abs(g.X2-r.X2)+math.Abs(g.Y1-r.Y1)+math.Abs(g.Width-r.Width) > 0.004 || g.Color != r.Color {
					t.Errorf("%s page %d: rule %+v, want %+v", name, i+1, g, r)
				}
			}
		}
	}
}

const (
	ns   = `xmlns:ofd="http://www.ofdspec.org/2016"`
	head = `<?xml version="1.0" encoding="UTF-8"?>`
)

// handmade is a package of one page of 100 by 100 mm with the given objects and resources.
func handmade(t testing.TB, objects string, more map[string]string) []byte {
	t.Helper()
	files := map[string]string{
		"OFD.xml":        `<ofd:OFD ` + ns + ` Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo/><ofd:DocRoot>D/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`,
		"D/Document.xml": `<ofd:Document ` + ns + `><ofd:CommonData><ofd:MaxUnitID>99</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 100 100</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>Res.xml</ofd:PublicRes><ofd:TemplatePage ID="T" BaseLoc="Template.xml"/></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages><ofd:Annotations>Annots.xml</ofd:Annotations></ofd:Document>`,
		"D/Res.xml":      `<ofd:Res ` + ns + ` BaseLoc="."/>`,
		"D/Template.xml": `<ofd:Page ` + ns + `><ofd:Content/></ofd:Page>`,
		"D/Annots.xml":   `<ofd:Annotations ` + ns + `/>`,
		"D/Page.xml":     `<ofd:Page ` + ns + `><ofd:Template TemplateID="T"/><ofd:Content><ofd:Layer ID="2">` + objects + `</ofd:Layer></ofd:Content></ofd:Page>`,
	}
	maps.Copy(files, more)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		text := files[name]
		if strings.HasSuffix(name, ".xml") {
			text = head + text
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mustOpen(t testing.TB, data []byte) *ofd.Package {
	t.Helper()
	pkg, err := ofd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

var (
	white  = color.RGBA{255, 255, 255, 255}
	red    = color.RGBA{255, 0, 0, 255}
	blue   = color.RGBA{0, 0, 255, 255}
	black  = color.RGBA{0, 0, 0, 255}
	grey   = color.RGBA{128, 128, 128, 255}
	violet = color.RGBA{128, 0, 128, 255}
)

func filled(boundary, colour, data, attrs string) string {
	return `<ofd:PathObject ID="9" Boundary="` + boundary + `" Fill="true" Stroke="false" ` + attrs + `><ofd:FillColor Value="` + colour +
		`"/><ofd:AbbreviatedData>` + data + `</ofd:AbbreviatedData></ofd:PathObject>`
}

const square = "M 0 0 L 20 0 L 20 20 L 0 20 C"

func pngOf(t testing.TB, c color.Color) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	for i := range 16 {
		img.Set(i%4, i/4, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// probe is a point of the page in mm and the colour expected there.
type probe struct {
	x, y float64
	want color.RGBA
}

// TestObjects draws one kind of object at a time and looks at single points.
func TestObjects(t *testing.T) {
	res := func(inner string) map[string]string {
		return map[string]string{"D/Res.xml": `<ofd:Res ` + ns + ` BaseLoc=".">` + inner + `</ofd:Res>`}
	}
	media := res(`<ofd:MultiMedias><ofd:MultiMedia ID="7" Type="Image"><ofd:MediaFile>a.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>`)
	media["D/a.png"] = pngOf(t, blue)
	tests := []struct {
		name, objects string
		more          map[string]string
		probes        []probe
		note          string
	}{
		{"filled path", filled("10 10 20 20", "255 0 0", square, ""), nil, []probe{{20, 20, red}, {9, 20, white}, {31, 20, white}}, ""},
		{"cut at its boundary", filled("10 10 10 20", "255 0 0", square, ""), nil, []probe{{15, 20, red}, {25, 20, white}}, ""},
		{"matrix", filled("10 10 40 40", "255 0 0", square, `CTM="2 0 0 1 0 20"`), nil, []probe{{45, 40, red}, {20, 20, white}}, ""},
		{"hole by opposite turns", filled("10 10 20 20", "255 0 0", square+" M 5 5 L 5 15 L 15 15 L 15 5 C", ""), nil, []probe{{20, 20, white}, {12, 12, red}}, ""},
		{"no hole by equal turns", filled("10 10 20 20", "255 0 0", square+" M 5 5 L 15 5 L 15 15 L 5 15 C", ""), nil, []probe{{20, 20, red}}, ""},
		{"hole by Even-Odd", filled("10 10 20 20", "255 0 0", square+" M 5 5 L 15 5 L 15 15 L 5 15 C", `Rule="Even-Odd"`), nil, []probe{{20, 20, white}, {12, 12, red}}, ""},
		{"circle of arcs", filled("10 10 20 20", "255 0 0", "M 0 10 A 10 10 0 0 1 20 10 A 10 10 0 0 1 0 10 C", ""), nil, []probe{{20, 20, red}, {11, 11, white}, {20, 11, red}}, ""},
		{"curves", filled("10 10 20 20", "255 0 0", "M 0 0 Q 20 0 20 20 B 20 20 0 20 0 20 C", ""), nil, []probe{{15, 25, red}, {29, 11, white}}, ""},
		{"stroke", `<ofd:PathObject ID="9" Boundary="10 10 40 10" LineWidth="2"><ofd:StrokeColor Value="255 0 0"/><ofd:AbbreviatedData>M 0 5 L 40 5</ofd:AbbreviatedData></ofd:PathObject>`, nil, []probe{{30, 15, red}, {30, 17, white}}, ""},
		{"dashes", `<ofd:PathObject ID="9" Boundary="10 10 40 10" LineWidth="2" DashPattern="10 10"><ofd:StrokeColor Value="255 0 0"/><ofd:AbbreviatedData>M 0 5 L 40 5</ofd:AbbreviatedData></ofd:PathObject>`, nil, []probe{{15, 15, red}, {25, 15, white}, {35, 15, red}}, ""},
		{"miter", `<ofd:PathObject ID="9" Boundary="10 10 40 40" LineWidth="6"><ofd:StrokeColor Value="255 0 0"/><ofd:AbbreviatedData>M 5 35 L 5 5 L 35 5</ofd:AbbreviatedData></ofd:PathObject>`, nil, []probe{{12.6, 12.6, red}}, ""},
		{"bevel", `<ofd:PathObject ID="9" Boundary="10 10 40 40" LineWidth="6" Join="Bevel"><ofd:StrokeColor Value="255 0 0"/><ofd:AbbreviatedData>M 5 35 L 5 5 L 35 5</ofd:AbbreviatedData></ofd:PathObject>`, nil, []probe{{12.6, 12.6, white}, {15, 15, red}}, ""},
		{"transparency", filled("10 10 20 20", "0 0 0", square, `Alpha="127"`), nil, []probe{{20, 20, grey}}, ""},
		{"hidden", filled("10 10 20 20", "0 0 0", square, `Visible="false"`), nil, []probe{{20, 20, white}}, ""},
		{"grey, CMYK and hex", filled("10 10 20 20", "128", square, "") + filled("40 10 20 20", "0 255 255 0", square, "") + filled("70 10 20 20", "#00 #00 #ff", square, ""), nil, []probe{{20, 20, grey}, {50, 20, red}, {80, 20, blue}}, ""},
		{
			"draw parameters", `<ofd:PathObject ID="9" Boundary="10 10 20 20" Fill="true" Stroke="false" DrawParam="6"><ofd:AbbreviatedData>` + square + `</ofd:AbbreviatedData></ofd:PathObject>`,
			res(`<ofd:DrawParams><ofd:DrawParam ID="5"><ofd:FillColor Value="255 0 0"/></ofd:DrawParam><ofd:DrawParam ID="6" Relative="5"/></ofd:DrawParams>`),
			[]probe{{20, 20, red}},
			"",
		},
		{
			"draw parameters in a ring", `<ofd:PathObject ID="9" Boundary="10 10 20 20" Fill="true" DrawParam="6"><ofd:AbbreviatedData>` + square + `</ofd:AbbreviatedData></ofd:PathObject>`,
			res(`<ofd:DrawParams><ofd:DrawParam ID="6" Relative="6"/></ofd:DrawParams>`),
			[]probe{{20, 20, black}},
			"",
		},
		{"clip", `<ofd:PathObject ID="9" Boundary="10 10 20 20" Fill="true" Stroke="false"><ofd:FillColor Value="255 0 0"/><ofd:Clips><ofd:Clip><ofd:Area><ofd:Path Boundary="0 0 10 20"><ofd:AbbreviatedData>M 0 0 L 10 0 L 10 20 L 0 20 C</ofd:AbbreviatedData></ofd:Path></ofd:Area></ofd:Clip></ofd:Clips><ofd:AbbreviatedData>` + square + `</ofd:AbbreviatedData></ofd:PathObject>`, nil, []probe{{15, 20, red}, {25, 20, white}}, ""},
		{"axial gradient", `<ofd:PathObject ID="9" Boundary="10 10 20 20" Fill="true" Stroke="false"><ofd:FillColor><ofd:AxialShd StartPoint="0 0" EndPoint="20 0" Extend="3"><ofd:Segment Position="0"><ofd:Color Value="255 0 0"/></ofd:Segment><ofd:Segment Position="1"><ofd:Color Value="0 0 255"/></ofd:Segment></ofd:AxialShd></ofd:FillColor><ofd:AbbreviatedData>` + square + `</ofd:AbbreviatedData></ofd:PathObject>`, nil, []probe{{10.2, 20, color.RGBA{252, 0, 3, 255}}, {20, 20, violet}, {29.8, 20, color.RGBA{3, 0, 252, 255}}}, ""},
		{"radial gradient", `<ofd:PathObject ID="9" Boundary="10 10 20 20" Fill="true" Stroke="false"><ofd:FillColor><ofd:RadialShd StartPoint="10 10" StartRadius="0" EndPoint="10 10" EndRadius="10"><ofd:Segment Position="0"><ofd:Color Value="255 0 0"/></ofd:Segment><ofd:Segment Position="1"><ofd:Color Value="0 0 255"/></ofd:Segment></ofd:RadialShd></ofd:FillColor><ofd:AbbreviatedData>` + square + `</ofd:AbbreviatedData></ofd:PathObject>`, nil, []probe{{20, 20, color.RGBA{253, 0, 2, 255}}, {20, 25, violet}, {11, 11, white}}, ""},
		{"picture", `<ofd:ImageObject ID="9" Boundary="10 10 20 20" CTM="20 0 0 20 0 0" ResourceID="7"/>`, media, []probe{{20, 20, blue}, {9, 9, white}}, ""},
		{"picture that is missing", `<ofd:ImageObject ID="9" Boundary="10 10 20 20" CTM="20 0 0 20 0 0" ResourceID="8"/>`, nil, []probe{{20, 20, white}}, "resource_missing"},
		{
			"picture of an unknown format", `<ofd:ImageObject ID="9" Boundary="10 10 20 20" CTM="20 0 0 20 0 0" ResourceID="7"/>`,
			map[string]string{"D/Res.xml": media["D/Res.xml"], "D/a.png": "\x97JB2\r\n\x1a\n"},
			[]probe{{20, 20, white}},
			"image_not_drawn",
		},
		{
			"composite", `<ofd:CompositeObject ID="9" Boundary="10 10 20 20" ResourceID="4" CTM="2 0 0 2 0 0"/>`,
			res(`<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="4" Width="10" Height="10"><ofd:Content>` + filled("5 5 5 5", "255 0 0", square, "") + `</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>`),
			[]probe{{25, 25, red}, {15, 15, white}},
			"",
		},
		{"page block", `<ofd:PageBlock ID="9">` + filled("10 10 20 20", "255 0 0", square, "") + `</ofd:PageBlock>`, nil, []probe{{20, 20, red}}, ""},
		{"template below the page", filled("10 10 20 20", "255 0 0", square, ""), map[string]string{"D/Template.xml": `<ofd:Page ` + ns + `><ofd:Content><ofd:Layer ID="3">` + filled("10 10 40 20", "0 0 255", "M 0 0 L 40 0 L 40 20 L 0 20 C", "") + `</ofd:Layer></ofd:Content></ofd:Page>`}, []probe{{20, 20, red}, {40, 20, blue}}, ""},
		{"annotation above the page", filled("10 10 20 20", "255 0 0", square, ""), map[string]string{
			"D/Annots.xml": `<ofd:Annotations ` + ns + `><ofd:Page PageID="1"><ofd:FileLoc>Annot.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>`,
			"D/Annot.xml":  `<ofd:PageAnnot ` + ns + `><ofd:Annot ID="8" Type="Stamp"><ofd:Appearance Boundary="15 15 20 20">` + filled("0 0 5 5", "0 0 255", square, "") + `</ofd:Appearance></ofd:Annot></ofd:PageAnnot>`,
		}, []probe{{12, 12, red}, {17, 17, blue}, {22, 22, red}}, ""},
		{"layers in their order", `</ofd:Layer><ofd:Layer ID="4" Type="Foreground">` + filled("10 10 20 20", "255 0 0", square, "") + `</ofd:Layer><ofd:Layer ID="5" Type="Background">` + filled("10 10 20 20", "0 0 255", square, ""), nil, []probe{{20, 20, red}}, ""},
		{
			"text in a stand-in", `<ofd:TextObject ID="9" Boundary="10 10 40 40" Font="1" Size="40"><ofd:FillColor Value="255 0 0"/><ofd:TextCode X="0" Y="34">一</ofd:TextCode></ofd:TextObject>`,
			res(`<ofd:Fonts><ofd:Font ID="1" FontName="黑体"/></ofd:Fonts>`),
			[]probe{{30, 28.5, red}, {30, 15, white}},
			"font_substituted",
		},
		{
			"turned text", `<ofd:TextObject ID="9" Boundary="10 10 40 40" Font="1" Size="40" CharDirection="90"><ofd:FillColor Value="255 0 0"/><ofd:TextCode X="6" Y="0">一</ofd:TextCode></ofd:TextObject>`,
			res(`<ofd:Fonts><ofd:Font ID="1" FontName="黑体"/></ofd:Fonts>`),
			[]probe{{31.5, 30, red}, {45, 30, white}},
			"font_substituted",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustNew(t, mustOpen(t, handmade(t, tt.objects, tt.more)))
			img, err := d.Image(0, 254)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range tt.probes {
				if got := img.RGBAAt(int(p.x*10), int(p.y*10)); !close(got, p.want) {
					t.Errorf("at %g, %g mm: %v, want %v", p.x, p.y, got, p.want)
				}
			}
			if got := fmt.Sprint(d.Notes()); (tt.note == "") != (len(d.Notes()) == 0) || !strings.Contains(got, tt.note) {
				t.Errorf("notes %v, want %q", got, tt.note)
			}
			mustBeSafe(t, d)
		})
	}
}

func close(a, b color.RGBA) bool {
	near := func(x, y uint8) bool { return math.Abs(float64(x)-float64(y)) <= 3 }
	return near(a.R, b.R) && near(a.G, b.G) && near(a.B, b.B)
}

// allowed is all that an SVG of ours may consist of.
var allowed = regexp.MustCompile(`^(svg|defs|rect|g|use|path|image|clipPath|linearGradient|radialGradient|stop)$`)

// mustBeSafe reads the SVG of page 1 as XML: known elements, no attribute that could run or load anything.
func mustBeSafe(t testing.TB, d *render.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.SVG(&b, 0); err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("the SVG is no XML: %v", err)
		}
		switch v := tok.(type) {
		case xml.StartElement:
			if !allowed.MatchString(v.Name.Local) {
				t.Fatalf("element %s", v.Name.Local)
			}
			for _, a := range v.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#g") && !strings.HasPrefix(a.Value, "data:image/") {
					t.Fatalf("attribute %s=%.40q", a.Name.Local, a.Value)
				}
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("attribute %s=%.80q", a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			if len(bytes.TrimSpace(v)) > 0 {
				t.Fatalf("text %.40q", v)
			}
		}
	}
}

// TestHostilePages are refused with the reason, each beside a page that is drawn.
func TestHostilePages(t *testing.T) {
	nested := func(n int) string {
		return strings.Repeat(`<ofd:PageBlock ID="9">`, n) + filled("1 1 2 2", "0", square, "") + strings.Repeat(`</ofd:PageBlock>`, n)
	}
	ring := func(id string) map[string]string {
		return map[string]string{"D/Res.xml": `<ofd:Res ` + ns + ` BaseLoc="."><ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="4"><ofd:Content><ofd:CompositeObject ID="5" ResourceID="` + id + `"/></ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits></ofd:Res>`}
	}
	tests := []struct {
		name, objects string
		more          map[string]string
		want          verdict.Reason
	}{
		{"blocks nested 30 deep", nested(30), nil, verdict.Limit},
		{"blocks nested 10 deep", nested(10), nil, ""},
		{"composite inside itself", `<ofd:CompositeObject ID="9" ResourceID="4"/>`, ring("4"), verdict.Path},
		{"composite of nothing", `<ofd:CompositeObject ID="9" ResourceID="4"/>`, ring("6"), ""},
		{"number that is none", filled("1 1 2 2", "0", "M 0 NaN L 1 1", ""), nil, verdict.Number},
		{"script in a colour", filled("1 1 2 2", `0 0 0&quot;&gt;&lt;script&gt;`, square, ""), nil, verdict.Number},
		{"step that is none", filled("1 1 2 2", "0", "M 0 0 X 1 1", ""), nil, verdict.Number},
		{"path that breaks off", filled("1 1 2 2", "0", "M 0", ""), nil, verdict.Number},
		{"matrix of five", filled("1 1 2 2", "0", square, `CTM="1 0 0 1 0"`), nil, verdict.Number},
		{"matrix of six", filled("1 1 2 2", "0", square, `CTM="1 0 0 1 0 0"`), nil, ""},
		{"matrix of nothing", filled("1 1 2 2", "0", square, `CTM="0 0 0 0 0 0"`), nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var refused *verdict.ContainerError
			pkg, err := ofd.Open(handmade(t, tt.objects, tt.more)) // which refuses most: whoever opens it, not the renderer alone
			if err == nil {
				d := mustNew(t, pkg)
				if err = d.SVG(io.Discard, 0); err == nil && tt.want == "" {
					mustBeSafe(t, d)
				}
			}
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.As(err, &refused) || refused.Reason != tt.want {
				t.Errorf("%v, want the reason %s", err, tt.want)
			}
		})
	}
}

// TestMillionsOfAdvances: a list that claims more steps than there are characters costs nothing.
func TestMillionsOfAdvances(t *testing.T) {
	object := `<ofd:TextObject ID="9" Boundary="10 10 40 40" Font="1" Size="4"><ofd:TextCode X="0" Y="4" DeltaX="g 9999 4 g 9999 4">一二三</ofd:TextCode></ofd:TextObject>`
	d := mustNew(t, mustOpen(t, handmade(t, object, nil)))
	p, err := d.Layout(0)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Runs) != 1 || p.Runs[0].Text != "一二三" || p.Runs[0].Advances[1] != 4 {
		t.Errorf("%+v", p.Runs)
	}
}

func TestStamps(t *testing.T) {
	page := filled("0 0 100 100", "255 255 0", "M 0 0 L 100 0 L 100 100 L 0 100 C", "")
	seal := pngOf(t, red)
	nested := string(handmade(t, filled("0 0 50 100", "255 0 0", "M 0 0 L 50 0 L 50 100 L 0 100 C", ""), nil))
	b := ofd.Box{X: 10, Y: 10, W: 40, H: 40}
	tests := []struct {
		name   string
		stamp  render.Stamp
		probes []probe
		note   string
	}{
		{"whole", render.Stamp{PageID: "1", Boundary: b, Format: "png", Data: []byte(seal)}, []probe{{30, 30, red}, {55, 30, color.RGBA{255, 255, 0, 255}}}, ""},
		{"slice", render.Stamp{PageID: "1", Boundary: b, Clip: &ofd.Box{W: 20, H: 40}, Format: "png", Data: []byte(seal)}, []probe{{20, 30, red}, {40, 30, color.RGBA{255, 255, 0, 255}}}, ""},
		{"on another page", render.Stamp{PageID: "2", Boundary: b, Format: "png", Data: []byte(seal)}, []probe{{30, 30, color.RGBA{255, 255, 0, 255}}}, ""},
		{"an OFD page as its picture", render.Stamp{PageID: "1", Boundary: b, Format: "OFD", Data: []byte(nested)}, []probe{{20, 30, red}, {40, 30, color.RGBA{255, 255, 0, 255}}}, ""},
		{"no picture", render.Stamp{PageID: "1", Boundary: b, Format: "png", Data: []byte("seal")}, []probe{{30, 30, color.RGBA{255, 255, 0, 255}}}, "image_not_drawn"},
		{"no OFD", render.Stamp{PageID: "1", Boundary: b, Format: "ofd", Data: []byte("seal")}, nil, "image_not_drawn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustNew(t, mustOpen(t, handmade(t, page, nil)), tt.stamp)
			img, err := d.Image(0, 254)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range tt.probes {
				if got := img.RGBAAt(int(p.x*10), int(p.y*10)); !close(got, p.want) {
					t.Errorf("at %g, %g mm: %v, want %v", p.x, p.y, got, p.want)
				}
			}
			if got := fmt.Sprint(d.Notes()); !strings.Contains(got, tt.note) || tt.note == "" && len(d.Notes()) > 0 {
				t.Errorf("notes %v, want %q", got, tt.note)
			}
			mustBeSafe(t, d)
		})
	}
}

func TestPagesThatAreNot(t *testing.T) {
	_, _, pkg := mustCompose(t, "letter.yaml")
	d := mustNew(t, pkg)
	for _, i := range []int{-1, d.Pages()} {
		if err := d.SVG(io.Discard, i); !errors.Is(err, render.ErrNoPage) {
			t.Errorf("page %d: %v", i, err)
		}
	}
	if err := d.PNG(io.Discard, 0, render.MaxDPI+1); err == nil {
		t.Error("a picture of any resolution")
	}
	if err := d.PNG(io.Discard, 0, 0); err != nil {
		t.Error(err)
	}
}

// FuzzPage reads any page content; whatever is not refused is drawn safely.
func FuzzPage(f *testing.F) {
	f.Add(filled("1 1 2 2", "0", square, ""))
	f.Add(`<ofd:TextObject ID="9" Boundary="1 1 4 4" Font="1" Size="4"><ofd:CGTransform CodePosition="0" CodeCount="1" GlyphCount="1"><ofd:Glyphs>5</ofd:Glyphs></ofd:CGTransform><ofd:TextCode X="0" Y="4" DeltaX="g 2 4">一二三</ofd:TextCode></ofd:TextObject>`)
	f.Add(`<ofd:PathObject ID="9" Boundary="1 1 40 10" LineWidth="2" DashPattern="1 1" Cap="Round" Join="Round"><ofd:AbbreviatedData>M 0 5 A 1 2 3 0 1 9 9 B 1 2 3 4 5 6 Q 1 2 3 4 C</ofd:AbbreviatedData></ofd:PathObject>`)
	f.Add(pathObject("0 0 50 50", filling, pattern(`ReflectMethod="Row"`), circle))
	f.Add(strings.ReplaceAll(clipped(`<ofd:Clip>`+clipPath(circle, "")+`<ofd:Area><ofd:Text Font="1" Size="20"><ofd:TextCode X="0" Y="27">公文</ofd:TextCode></ofd:Text></ofd:Area></ofd:Clip>`), "%s", "0 0 50 50"))
	f.Fuzz(func(t *testing.T, objects string) {
		if len(objects) > 4<<10 {
			return
		}
		pkg, err := ofd.Open(handmade(t, objects, nil))
		if err != nil {
			return
		}
		d, err := render.New(pkg, render.Options{Faces: faces()})
		if err != nil {
			return
		}
		if _, err := d.Image(0, 30); err != nil {
			return
		}
		mustBeSafe(t, d)
	})
}

func BenchmarkSVG(b *testing.B) {
	_, _, pkg := mustCompose(b, "notice.yaml")
	for b.Loop() {
		if err := mustNew(b, pkg).SVG(io.Discard, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPNG(b *testing.B) {
	_, _, pkg := mustCompose(b, "notice.yaml")
	for b.Loop() {
		if _, err := mustNew(b, pkg).Image(1, 0); err != nil {
			b.Fatal(err)
		}
	}
}
