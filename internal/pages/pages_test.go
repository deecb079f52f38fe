package pages_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/internal/pages"
)

var faces = sync.OnceValue(fonts.Embedded)

// mustCompose writes an example as an OFD.
func mustCompose(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := layout.Compose(d, faces())
	if err != nil {
		t.Fatal(err)
	}
	var files []ofd.Attachment
	for _, a := range d.Attachments {
		if a.File != "" {
			files = append(files, ofd.Attachment{Name: a.File, Data: []byte("单位,件数\n")})
		}
	}
	var b bytes.Buffer
	if err := ofd.Write(&b, p, d.Metadata, files); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rewritten is the package with each XML file changed and its name replaced; a name that becomes empty is left out.
func rewritten(t *testing.T, data []byte, rename func(string) string, change func(name, text string) string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := rename(f.Name)
		if name == "" {
			continue
		}
		if strings.HasSuffix(name, ".xml") {
			content = []byte(change(f.Name, string(content)))
		}
		part, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var (
	docInfo    = regexp.MustCompile(`(?s)</ofd:DocID>.*</ofd:DocInfo>`)
	attached   = regexp.MustCompile(`<ofd:Attachments>.*?</ofd:Attachments>`)
	fontNames  = regexp.MustCompile(` FontName="[^"]*" FamilyName="[^"]*"`)
	layerType  = regexp.MustCompile(` Type="Body"`)
	textObject = regexp.MustCompile(`<ofd:TextObject ID="\d+" Boundary="([^"]*)"([^>]*)>(.*?)<ofd:TextCode X="([^"]*)" Y="([^"]*)"(?: DeltaX="([^"]*)")?>([^<]*)</ofd:TextCode></ofd:TextObject>`)
)

// stripped has no title, author, custom data, attachments, layer types and telling names any more.
func stripped(t *testing.T, data []byte) []byte {
	t.Helper()
	names := strings.NewReplacer("Doc_0/", "D/", "Pages/Page_", "p", "/Content.xml", ".xml", "Document.xml", "d.xml")
	rename := func(name string) string {
		if strings.Contains(name, "Attachs/") {
			return ""
		}
		return names.Replace(name)
	}
	return rewritten(t, data, rename, func(_, text string) string {
		text = fontNames.ReplaceAllString(text, ` FontName="F" FamilyName="F"`)
		text = docInfo.ReplaceAllString(text, "</ofd:DocID></ofd:DocInfo>")
		return names.Replace(layerType.ReplaceAllString(attached.ReplaceAllString(text, ""), ""))
	})
}

// scattered writes every character as an object of its own, the last of a page first.
func scattered(t *testing.T, data []byte) []byte {
	t.Helper()
	return rewritten(t, data, func(name string) string { return name }, func(name, text string) string {
		if !strings.HasSuffix(name, "/Content.xml") {
			return text
		}
		var objects []string
		for _, m := range textObject.FindAllStringSubmatch(text, -1) {
			x := number(t, m[4])
			steps := expand(t, m[6])
			for i, r := range []rune(html.UnescapeString(m[7])) {
				if i > 0 {
					x += steps[i-1]
				}
				if r != ' ' {
					objects = append(objects, fmt.Sprintf(`<ofd:TextObject ID="%d" Boundary="%s"%s>%s<ofd:TextCode X="%.4f" Y="%s">%s</ofd:TextCode></ofd:TextObject>`,
						1000+len(objects), m[1], m[2], m[3], x, m[5], html.EscapeString(string(r))))
				}
			}
		}
		slices.Reverse(objects)
		text = textObject.ReplaceAllString(text, "")
		return strings.Replace(text, "</ofd:Layer>", strings.Join(objects, "")+"</ofd:Layer>", 1)
	})
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// expand writes out a list of advances.
func expand(t *testing.T, s string) []float64 {
	t.Helper()
	var out []float64
	f := strings.Fields(s)
	for i := 0; i < len(f); i++ {
		n := 1.0
		if f[i] == "g" {
			n = number(t, f[i+1])
			i += 2
		}
		for range int(n) {
			out = append(out, number(t, f[i]))
		}
	}
	return out
}

func mustMeasure(t *testing.T, data []byte) layout.Report {
	t.Helper()
	d, err := pages.Open(data, faces())
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Measure()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReportNeedsNoNames: without metadata, names and tags, and with every character an object of its own in any order, a
// file gives the same report, and its pages read the same.
func TestReportNeedsNoNames(t *testing.T) {
	for _, name := range []string{"notice.yaml", "letter.yaml", "order.yaml", "minutes.yaml", "joint.yaml", "request.yaml", "decision.yaml"} {
		data := mustCompose(t, name)
		want := mustMeasure(t, data)
		if len(want.Measurements) < 20 {
			t.Fatalf("%s: %d measurements", name, len(want.Measurements))
		}
		for what, changed := range map[string][]byte{"stripped": stripped(t, data), "scattered": scattered(t, data)} {
			if bytes.Contains(changed, []byte("yinxin.metadata")) && what == "stripped" {
				t.Errorf("%s: metadata are left", name)
			}
			if diff := cmp.Diff(want, mustMeasure(t, changed)); diff != "" {
				t.Errorf("%s %s:\n%s", name, what, diff)
			}
			if diff := cmp.Diff(mustRead(t, data), mustRead(t, changed)); diff != "" {
				t.Errorf("%s %s:\n%s", name, what, diff)
			}
		}
	}
}

func mustRead(t *testing.T, data []byte) *document.Document {
	t.Helper()
	d, err := pages.Open(data, faces())
	if err != nil {
		t.Fatal(err)
	}
	read, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	return read
}
