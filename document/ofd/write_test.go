package ofd_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
)

var writeFaces = sync.OnceValue(fonts.Embedded)

func mustLayOut(t testing.TB, name string, change func(*document.Document)) (*document.Document, *layout.Pages) {
	t.Helper()
	data, err := os.ReadFile("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := document.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(d)
	}
	p, err := layout.Compose(d, writeFaces())
	if err != nil {
		t.Fatal(err)
	}
	return d, p
}

func schedule() []ofd.Attachment {
	return []ofd.Attachment{{Name: "schedule.csv", Data: []byte("阶段,日期\n准备,2026-11-21\n")}}
}

func mustWrite(t testing.TB, d *document.Document, p *layout.Pages, a []ofd.Attachment) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := ofd.Write(&b, p, d.Metadata, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteReadsBack(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	data := mustWrite(t, d, p, schedule())
	pkg, err := ofd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pkg.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	want := d.Metadata
	want.Pages = len(p.Pages)
	want.Attachments = append([]document.AttachmentInfo(nil), want.Attachments...)
	want.Attachments[1].Size, want.Attachments[1].Format = 32, "csv"
	want.Attachments[1].SM3 = got.Attachments[1].SM3
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got.Attachments[1].SM3) != 64 {
		t.Errorf("digest of the attachment %q", got.Attachments[1].SM3)
	}
	if len(pkg.Pages()) != len(p.Pages) || pkg.Pages()[0].Size.W != 210 || pkg.Pages()[0].Size.H != 297 {
		t.Errorf("pages %v", pkg.Pages())
	}
	for _, want := range []string{"云溪市人民政府办公室文件", "云溪政办发〔2026〕7号"} {
		if !strings.Contains(pkg.PageText(0), want) {
			t.Errorf("page 1 lacks %s: %s", want, pkg.PageText(0))
		}
	}
	for _, name := range pkg.Names() {
		if !pkg.Reaches(name) {
			t.Errorf("%s belongs to nothing", name)
		}
	}
	if v, _ := pkg.Info().CustomValue("发文字号"); v != "云溪政办发〔2026〕7号" {
		t.Errorf("readable number %q", v)
	}
}

func TestWriteIsReproducible(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	first := mustWrite(t, d, p, schedule())
	d2, p2 := mustLayOut(t, "notice.yaml", nil)
	if !bytes.Equal(first, mustWrite(t, d2, p2, schedule())) {
		t.Error("the same document gives other bytes")
	}
	other := schedule()
	other[0].Data = append(other[0].Data, 'x')
	a, err := ofd.Open(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ofd.Open(mustWrite(t, d, p, other))
	if err != nil {
		t.Fatal(err)
	}
	if a.Info().DocID == b.Info().DocID || len(a.Info().DocID) != 32 {
		t.Errorf("DocIDs %s and %s of two documents", a.Info().DocID, b.Info().DocID)
	}
}

func TestWriteRefuses(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	two := append(schedule(), schedule()...)
	tests := []struct {
		name        string
		attachments []ofd.Attachment
		want        string
	}{
		{"listed file missing", nil, "listed attachment is missing: schedule.csv"},
		{"file twice", two, `"schedule.csv" occurs twice`},
		{"folder in a name", append(schedule(), ofd.Attachment{Name: "../x"}), "without folders"},
		{"no name", append(schedule(), ofd.Attachment{}), "without folders"},
	}
	for _, tt := range tests {
		err := ofd.Write(io.Discard, p, d.Metadata, tt.attachments)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := ofd.Write(io.Discard, p, d.Metadata, nil); !errors.Is(err, ofd.ErrMissingAttachment) {
		t.Errorf("%v is no ErrMissingAttachment", err)
	}
	if err := ofd.Write(io.Discard, p, d.Metadata, append(schedule(), ofd.Attachment{Name: "说明.文档 1"})); err != nil {
		t.Errorf("an attachment more, with a Chinese suffix: %v", err)
	}
}

// TestTextThatXMLMinds writes every character that XML gives a meaning to.
func TestTextThatXMLMinds(t *testing.T) {
	const awkward = `关于"A&B"<试点>的'通知'`
	d, p := mustLayOut(t, "letter.yaml", func(d *document.Document) { d.Title = awkward })
	pkg, err := ofd.Open(mustWrite(t, d, p, nil))
	if err != nil {
		t.Fatal(err)
	}
	if pkg.Info().Title != awkward {
		t.Errorf("title %q", pkg.Info().Title)
	}
	if !strings.Contains(strings.ReplaceAll(pkg.PageText(0), "\n", ""), awkward) {
		t.Errorf("page %q", pkg.PageText(0))
	}
}

// pageXML is the part of Content.xml that the tests look at.
type pageXML struct {
	Layers []struct {
		ID    int `xml:"ID,attr"`
		Texts []struct {
			ID       int    `xml:"ID,attr"`
			Boundary string `xml:"Boundary,attr"`
			Font     int    `xml:"Font,attr"`
			Size     string `xml:"Size,attr"`
			Code     struct {
				X      string `xml:"X,attr"`
				Y      string `xml:"Y,attr"`
				DeltaX string `xml:"DeltaX,attr"`
				Text   string `xml:",chardata"`
			} `xml:"TextCode"`
		} `xml:"TextObject"`
		Paths []struct {
			ID int `xml:"ID,attr"`
		} `xml:"PathObject"`
	} `xml:"Content>Layer"`
}

func mustNumbers(t *testing.T, s string) []float64 {
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

// mustDeltas expands "g count value".
func mustDeltas(t *testing.T, s string) []float64 {
	t.Helper()
	var plain []string
	fields := strings.Fields(s)
	for i := 0; i < len(fields); i++ {
		if fields[i] != "g" {
			plain = append(plain, fields[i])
			continue
		}
		n, err := strconv.Atoi(fields[i+1])
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			plain = append(plain, fields[i+2])
		}
		i += 2
	}
	return mustNumbers(t, strings.Join(plain, " "))
}

func TestEveryCharacterIsWhereTheLayoutPutIt(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	pkg, err := ofd.Open(mustWrite(t, d, p, schedule()))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	once := func(id int) {
		if seen[id] {
			t.Errorf("ID %d occurs twice", id)
		}
		seen[id] = true
	}
	for i, page := range pkg.Pages() {
		raw, _ := pkg.Entry(page.Name)
		var x pageXML
		if err := xml.Unmarshal(raw, &x); err != nil {
			t.Fatal(err)
		}
		once(x.Layers[0].ID)
		if len(x.Layers[0].Texts) != len(p.Pages[i].Runs) || len(x.Layers[0].Paths) != len(p.Pages[i].Rules) {
			t.Fatalf("page %d: %d texts, %d paths", i+1, len(x.Layers[0].Texts), len(x.Layers[0].Paths))
		}
		for j, o := range x.Layers[0].Texts {
			once(o.ID)
			run := p.Pages[i].Runs[j]
			box := mustNumbers(t, o.Boundary)
			start, base := mustNumbers(t, o.Code.X), mustNumbers(t, o.Code.Y)
			at := append([]float64{0}, mustDeltas(t, o.Code.DeltaX)...)
			if len(at) != len(run.Advances) || o.Code.Text != run.Text {
				t.Fatalf("%q: %d places for %d characters", o.Code.Text, len(at), len(run.Advances))
			}
			got, want := box[0]+start[0], run.X
			for k := range at {
				got += at[k]
				if diff := got - want; diff > 0.01 || diff < -0.01 {
					t.Errorf("%q character %d at %.4f mm, want %.4f", run.Text, k, got, want)
				}
				want += run.Advances[k]
			}
			if diff := box[1] + base[0] - run.Y; diff > 0.001 || diff < -0.001 {
				t.Errorf("%q baseline off by %.4f mm", run.Text, diff)
			}
			if got > box[0]+box[2] {
				t.Errorf("%q leaves its boundary", run.Text)
			}
		}
		for _, o := range x.Layers[0].Paths {
			once(o.ID)
		}
	}
}

func TestEmbeddedFontsDrawTheirText(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", func(d *document.Document) { d.Approvers = []string{"王𬭎"}; d.Direction = document.Upward })
	data := mustWrite(t, d, p, schedule())
	pkg, err := ofd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := pkg.Entry("Doc_0/PublicRes.xml")
	var res struct {
		Fonts []struct {
			ID   int    `xml:"ID,attr"`
			Name string `xml:"FontName,attr"`
			File string `xml:"FontFile"`
		} `xml:"Fonts>Font"`
	}
	if err := xml.Unmarshal(raw, &res); err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]*fonts.Face)
	for _, f := range res.Fonts {
		file, ok := pkg.Entry("Doc_0/Res/" + f.File)
		if !ok {
			t.Fatalf("%s is missing", f.File)
		}
		face, err := fonts.Parse(fonts.Song, f.Name, f.Name, file)
		if err != nil {
			t.Fatal(err)
		}
		byName[f.Name] = face
	}
	for _, page := range p.Pages {
		for _, r := range page.Runs {
			for _, c := range r.Text {
				if !byName[r.Face.Family()].Has(c) {
					t.Errorf("the subset of %s lacks %c", r.Face.Family(), c)
				}
			}
		}
	}
	if size := len(data); size > 200<<10 {
		t.Errorf("four pages take %d bytes", size)
	}
}

func TestZipAsReadersWantIt(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	data := mustWrite(t, d, p, schedule())
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if z.File[0].Name != "OFD.xml" {
		t.Errorf("first entry %s", z.File[0].Name)
	}
	for _, f := range z.File {
		if f.Method != zip.Deflate {
			t.Errorf("%s is not deflated", f.Name)
		}
		for _, r := range f.Name {
			if r > 0x7e {
				t.Errorf("entry name %q is not plain ASCII", f.Name)
			}
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	d, p := mustLayOut(b, "notice.yaml", nil)
	for b.Loop() {
		mustWrite(b, d, p, schedule())
	}
}
