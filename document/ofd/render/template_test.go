package render_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// templates is a page that names the first of the templates, each of which may name others.
func templates(t testing.TB, contents ...string) []byte {
	t.Helper()
	more := map[string]string{}
	var list strings.Builder
	for i, c := range contents {
		fmt.Fprintf(&list, `<ofd:TemplatePage ID="t%d" BaseLoc="T%d.xml"/>`, i, i)
		more[fmt.Sprintf("D/T%d.xml", i)] = `<ofd:Page ` + ns + `>` + c + `</ofd:Page>`
	}
	more["D/Document.xml"] = `<ofd:Document ` + ns + `><ofd:CommonData><ofd:MaxUnitID>99</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 100 100</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>Res.xml</ofd:PublicRes>` +
		list.String() + `</ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages></ofd:Document>`
	more["D/Page.xml"] = `<ofd:Page ` + ns + `><ofd:Template TemplateID="t0"/><ofd:Content/></ofd:Page>`
	return handmade(t, "", more)
}

func layered(objects string) string {
	return `<ofd:Content><ofd:Layer ID="3">` + objects + `</ofd:Layer></ofd:Content>`
}

// TestTemplatesOfTemplates are drawn below and above the template that names them, and are read like the page's own: what
// nobody draws here another reader may show.
func TestTemplatesOfTemplates(t *testing.T) {
	text := `<ofd:TextObject ID="8" Boundary="0 60 90 10" Font="1" Size="5"><ofd:TextCode X="1" Y="6" DeltaX="g 2 5">第三层</ofd:TextCode></ofd:TextObject>`
	pkg := mustOpen(t, templates(
		t,
		`<ofd:Template TemplateID="t1"/><ofd:Template TemplateID="t2" ZOrder="Foreground"/>`+layered(filled("10 10 20 20", "255 0 0", square, "")),
		`<ofd:Template TemplateID="t3"/>`+layered(filled("20 10 20 20", "0 0 255", square, "")),
		layered(filled("10 20 20 20", "0 0 0", square, "")),
		layered(text),
	))
	d := mustNew(t, pkg)
	img, err := d.Image(0, 254)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []probe{{15, 15, red}, {25, 15, red}, {35, 15, blue}, {15, 25, black}, {80, 80, white}} {
		if got := img.RGBAAt(int(p.x*10), int(p.y*10)); !close(got, p.want) {
			t.Errorf("%v at %g, %g, want %v", got, p.x, p.y, p.want)
		}
	}
	page, err := d.Layout(0)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Runs) != 1 || page.Runs[0].Text != "第三层" || pkg.PageText(0) != "第三层" {
		t.Errorf("runs %+v, text %q", page.Runs, pkg.PageText(0))
	}
	for _, n := range d.Notes() {
		if n.Code == "object_not_drawn" {
			t.Errorf("%+v", n)
		}
	}
}

// TestTemplatesAreBounded: a few templates that name each other twice would be drawn millions of times.
func TestTemplatesAreBounded(t *testing.T) {
	chain := func(n, times int) []string {
		var out []string
		for i := range n {
			out = append(out, strings.Repeat(fmt.Sprintf(`<ofd:Template TemplateID="t%d"/>`, i+1), times)+`<ofd:Content/>`)
		}
		return append(out, layered(filled("10 10 20 20", "255 0 0", square, "")))
	}
	tests := []struct {
		name     string
		contents []string
		want     verdict.Reason
	}{
		{"ten deep", chain(10, 1), ""},
		{"thirty deep", chain(30, 1), verdict.Limit},
		{"twelve deep, twice each", chain(12, 2), verdict.Limit},
		{"two thousand", chain(1, 2000), verdict.Limit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			pkg, err := ofd.Open(templates(t, tt.contents...))
			if err == nil {
				err = mustNew(t, pkg).SVG(io.Discard, 0)
			}
			var refused *verdict.ContainerError
			if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &refused) || refused.Reason != tt.want) {
				t.Errorf("%v, want the reason %q", err, tt.want)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}
