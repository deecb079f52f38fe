package render_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/document/fonts"
	"yinxin/document/ofd/render"
	"yinxin/verdict"
)

// feature is a page of 100 by 100 mm that shows one kind of thing in its variants.
type feature struct {
	name    string
	objects string
	more    map[string]string
	stamps  []render.Stamp
	// notes are the codes of what cannot be drawn, in any order.
	notes []string
}

// resourceFile is a resource file of the handmade page.
func resourceFile(inner string) map[string]string {
	return map[string]string{"D/Res.xml": `<ofd:Res ` + ns + ` BaseLoc=".">` + inner + `</ofd:Res>`}
}

// pathObject is a path with any children before its steps.
func pathObject(boundary, attrs, inner, data string) string {
	return `<ofd:PathObject ID="9" Boundary="` + boundary + `" ` + attrs + `>` + inner + `<ofd:AbbreviatedData>` + data + `</ofd:AbbreviatedData></ofd:PathObject>`
}

func textObject(boundary, attrs, inner, code string) string {
	return `<ofd:TextObject ID="9" Boundary="` + boundary + `" Font="1" ` + attrs + `>` + inner + code + `</ofd:TextObject>`
}

func fillColor(inner string) string { return `<ofd:FillColor>` + inner + `</ofd:FillColor>` }

const (
	box40   = "M 0 0 L 40 0 L 40 40 L 0 40 C"
	rainbow = `<ofd:Segment Position="0"><ofd:Color Value="255 0 0"/></ofd:Segment><ofd:Segment Position="0.5"><ofd:Color Value="255 255 0"/></ofd:Segment><ofd:Segment Position="1"><ofd:Color Value="0 0 255"/></ofd:Segment>`
	filling = `Fill="true" Stroke="false"`
)

// quarters puts four objects of 40 by 40 mm on a page; each %s is replaced by a boundary.
func quarters(objects ...string) string {
	var b strings.Builder
	for i, o := range objects {
		b.WriteString(fmt.Sprintf(o, fmt.Sprintf("%d %d 40 40", 5+i%2*50, 5+i/2*50)))
	}
	return b.String()
}

func shaded(colour string) string { return pathObject("%s", filling, fillColor(colour), box40) }

func pattern(attrs string) string {
	return fillColor(`<ofd:Pattern Width="10" Height="10" ` + attrs + `><ofd:CellContent>` + filled("0 0 10 10", "255 0 0", "M 1 1 L 8 1 L 1 8 C", "") +
		pathObject("0 0 10 10", `LineWidth="0.5"`, `<ofd:StrokeColor Value="0 0 255"/>`, "M 9 2 L 9 9") + `</ofd:CellContent></ofd:Pattern>`)
}

func clipped(area string) string {
	return pathObject("%s", filling, fillColor(`<ofd:AxialShd StartPoint="0 0" EndPoint="40 40" Extend="3">`+rainbow+`</ofd:AxialShd>`)+`<ofd:Clips>`+area+`</ofd:Clips>`, box40)
}

// circle is one of radius 15 around the middle of a quarter.
const circle = "M 5 20 A 15 15 0 0 1 35 20 A 15 15 0 0 1 5 20 C"

func clipPath(data, attrs string) string {
	return `<ofd:Area><ofd:Path Boundary="0 0 40 40" ` + attrs + `><ofd:AbbreviatedData>` + data + `</ofd:AbbreviatedData></ofd:Path></ofd:Area>`
}

// embedded is a resource file with a font that holds four characters.
func embedded(t *testing.T) map[string]string {
	t.Helper()
	face, err := faces().Face(fonts.Hei)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := face.Subset([]rune("公文印章"))
	if err != nil {
		t.Fatal(err)
	}
	m := resourceFile(`<ofd:Fonts><ofd:Font ID="1" FontName="Hei"><ofd:FontFile>hei.ttf</ofd:FontFile></ofd:Font></ofd:Fonts>`)
	m["D/hei.ttf"] = string(sub)
	return m
}

// photograph is a picture of a few colours, in which left and right, top and bottom are told apart.
func photograph(t *testing.T) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		x, y := i%16, i/16
		img.Set(x, y, color.NRGBA{R: uint8(x * 16), G: uint8(y * 16), B: 128, A: 255})
		if x < 4 && y < 4 {
			img.Set(x, y, color.NRGBA{})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGoldenFeatures draws every kind of thing that a page can hold, and compares it with pictures that were looked at
// before they were committed.
func TestGoldenFeatures(t *testing.T) {
	for _, f := range features(t) {
		t.Run(f.name, func(t *testing.T) {
			d := mustNew(t, mustOpen(t, handmade(t, f.objects, f.more)), f.stamps...)
			got, err := d.Image(0, 72)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "features", f.name+".png")
			if *update {
				mustWritePNG(t, path, got)
			}
			if diff := difference(got, mustReadPNG(t, path)); diff > 0.002 {
				t.Errorf("differs from its golden page by %.4f of full contrast", diff)
			}
			seen := map[string]bool{}
			for _, n := range d.Notes() {
				seen[n.Code] = true
			}
			want := map[string]bool{}
			for _, code := range f.notes {
				want[code] = true
			}
			if !maps.Equal(seen, want) {
				t.Errorf("notes %v, want the codes %v", d.Notes(), f.notes)
			}
			mustBeSafe(t, d)
		})
	}
}

// TestPatternsAreBounded: a cell that repeats too often, too far away or itself costs nothing.
func TestPatternsAreBounded(t *testing.T) {
	page := func(attrs, cell string) string {
		return pathObject("0 0 100 100", filling, fillColor(`<ofd:Pattern `+attrs+`><ofd:CellContent>`+cell+`</ofd:CellContent></ofd:Pattern>`), "M 0 0 L 100 0 L 100 100 L 0 100 C")
	}
	dot := filled("0 0 1 1", "255 0 0", "M 0 0 L 1 0 L 1 1 C", "")
	tests := []struct {
		name, objects string
		more          map[string]string
		want          verdict.Reason
		note          string
	}{
		{"some cells", page(`Width="2" Height="2"`, dot), nil, "", ""},
		{"millions of cells", page(`Width="0.001" Height="0.001"`, dot), nil, "", "object_not_drawn"},
		{"cells of many segments", page(`Width="0.5" Height="0.5"`, filled("0 0 1 1", "0", "M 0 0"+strings.Repeat(" L 1 1", 1000), "")), nil, "", "object_not_drawn"},
		{"far away", strings.Replace(page(`Width="5" Height="5" CTM="0.001 0 0 0.001 9999 0"`, dot), "100 0 L 100 100 L 0 100", "1 0 L 1 1 L 0 1", 1), nil, "", "object_not_drawn"},
		{"flat", page(`Width="2" Height="2" CTM="0 0 0 0 0 0"`, dot), nil, "", ""},
		{"no cell", fillColor(""), nil, "", ""},
		{
			"a cell that uses its own pattern", pathObject("0 0 9 9", `Fill="true" DrawParam="6"`, "", box40),
			resourceFile(`<ofd:DrawParams><ofd:DrawParam ID="6">` + fillColor(`<ofd:Pattern Width="2" Height="2"><ofd:CellContent>`+
				pathObject("0 0 2 2", `Fill="true" DrawParam="6"`, "", box40)+`</ofd:CellContent></ofd:Pattern>`) + `</ofd:DrawParam></ofd:DrawParams>`),
			verdict.Limit, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustNew(t, mustOpen(t, handmade(t, tt.objects, tt.more)))
			_, err := d.Image(0, 30)
			var refused *verdict.ContainerError
			if tt.want != "" {
				if !errors.As(err, &refused) || refused.Reason != tt.want {
					t.Errorf("%v, want the reason %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(d.Notes()); !strings.Contains(got, tt.note) || tt.note == "" && len(d.Notes()) > 0 {
				t.Errorf("notes %v, want %q", got, tt.note)
			}
			mustBeSafe(t, d)
		})
	}
}
