package pdf_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/document/layout"
	"yinxin/document/ofd"
)

// ofdPage is a page of an OFD as encoding/xml reads it, without a line of yinxin's own reader.
type ofdPage struct {
	Texts []struct {
		Boundary string  `xml:"Boundary,attr"`
		Size     float64 `xml:"Size,attr"`
		Code     struct {
			X, Y   float64 `xml:",attr"`
			DeltaX string  `xml:",attr"`
			Text   string  `xml:",chardata"`
		} `xml:"TextCode"`
	} `xml:"Content>Layer>TextObject"`
	Paths []struct {
		Boundary  string  `xml:"Boundary,attr"`
		LineWidth float64 `xml:"LineWidth,attr"`
		Data      string  `xml:"AbbreviatedData"`
	} `xml:"Content>Layer>PathObject"`
}

func pagesOfOFD(t *testing.T, d *document.Document, p *layout.Pages) []ofdPage {
	t.Helper()
	var b bytes.Buffer
	var files []ofd.Attachment
	for _, a := range d.Attachments {
		if a.File != "" {
			files = append(files, ofd.Attachment{Name: a.File})
		}
	}
	if err := ofd.Write(&b, p, d.Metadata, files); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]ofdPage, len(p.Pages))
	for i := range out {
		f, err := z.Open(fmt.Sprintf("Doc_0/Pages/Page_%d/Content.xml", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.NewDecoder(f).Decode(&out[i]); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func floats(t *testing.T, s string) []float64 {
	t.Helper()
	var out []float64
	for f := range strings.FieldsSeq(s) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// statedInOFD reads where an OFD says that its texts stand. The middle is that of the em box, which Chinese faces begin
// 0.88 em above the baseline.
func statedInOFD(t *testing.T, d *document.Document, p *layout.Pages) []word {
	t.Helper()
	var all []word
	for i, page := range pagesOfOFD(t, d, p) {
		for _, o := range page.Texts {
			b := floats(t, o.Boundary)
			w := word{text: o.Code.Text, page: i + 1, left: b[0] + o.Code.X, middle: b[1] + o.Code.Y - 0.38*o.Size}
			w.right = w.left + o.Size // the last character, a Chinese one
			f := strings.Fields(o.Code.DeltaX)
			for k := 0; k < len(f); k++ {
				n := 1.0
				if f[k] == "g" {
					n = floats(t, f[k+1])[0]
					k += 2
				}
				w.right += n * floats(t, f[k])[0]
			}
			all = append(all, w)
		}
	}
	return all
}

// rulesInOFD reads the lying lines of an OFD, from top to bottom.
func rulesInOFD(t *testing.T, d *document.Document, p *layout.Pages) []stroke {
	t.Helper()
	var all []stroke
	for i, page := range pagesOfOFD(t, d, p) {
		var list []stroke
		for _, o := range page.Paths {
			b, f := floats(t, o.Boundary), strings.Fields(o.Data)
			if len(f) != 6 || f[0] != "M" || f[3] != "L" {
				t.Fatalf("path %q", o.Data)
			}
			at := floats(t, strings.Join([]string{f[1], f[2], f[4], f[5]}, " "))
			list = append(list, stroke{page: i + 1, left: b[0] + at[0], right: b[0] + at[2], y: b[1] + at[1], width: o.LineWidth})
		}
		slices.SortFunc(list, func(a, b stroke) int { return int(1000 * (a.y - b.y)) })
		all = append(all, list...)
	}
	return all
}
