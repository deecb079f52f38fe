package ofdseal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	docs "yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/verdict"
)

func mustOpen(t testing.TB, data []byte) *ofd.Package {
	t.Helper()
	pkg, err := ofd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// TestSeamsAsOtherSoftwareCutsThem lays seams out over the sample of seven pages and compares them with what another
// program wrote for the same request, to the micrometre.
func TestSeamsAsOtherSoftwareCutsThem(t *testing.T) {
	pages := ofdseal.PageSizes(mustOpen(t, mustRead(t, "u3.ofd")))
	picture := seal.Size{W: 40, H: 40}
	for name, s := range map[string]seal.Seam{
		"v4-ride-right.ofd": {Edge: seal.Right, Offset: 40},
		"v4-ride-clip3.ofd": {Edge: seal.Right, Group: 3, Offset: 10, Margin: 1},
		"v4-ride-cut.ofd":   {Edge: seal.Right, Pairs: true},
		"v4-ride-top.ofd":   {Edge: seal.Top, Offset: 30},
	} {
		stamps, err := s.Stamps(pages, picture)
		if err != nil {
			t.Fatal(name, err)
		}
		ids := []string{"1", "6", "10", "14", "18", "22", "26"}
		var got, want []string
		for _, st := range stamps {
			got = append(got, fmt.Sprintf("%s: %.3f %.3f %.3f %.3f / %.3f %.3f %.3f %.3f",
				ids[st.Page], st.X, st.Y, st.W, st.H, st.Clip.X, st.Clip.Y, st.Clip.W, st.Clip.H))
		}
		root, err := ofd.ParseXML(name, []byte(mustUnpack(t, mustRead(t, name)).data[describe0]), "Signature")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range root.Child("SignedInfo").All("StampAnnot") {
			b, err := ofd.ParseBox(e.Value("Boundary"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := ofd.ParseBox(e.Value("Clip"))
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, fmt.Sprintf("%s: %.3f %.3f %.3f %.3f / %.3f %.3f %.3f %.3f",
				e.Value("PageRef"), b.X, b.Y, b.W, b.H, c.X, c.Y, c.W, c.H))
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestSeamsPassTheVerifier seals across all pages along every edge, in one cut, in groups and in pairs.
func TestSeamsPassTheVerifier(t *testing.T) {
	w := mustWorld(t)
	pages := ofdseal.PageSizes(mustOpen(t, mustRead(t, "u3.ofd")))
	for _, s := range []seal.Seam{
		{Edge: seal.Right},
		{Edge: seal.Left},
		{Edge: seal.Top, Margin: 2},
		{Edge: seal.Bottom, Offset: 20},
		{Edge: seal.Right, Group: 3},
		{Edge: seal.Left, Group: 2, Margin: 1},
		{Edge: seal.Bottom, Group: 4},
		{Edge: seal.Right, Pairs: true},
		{Edge: seal.Left, Pairs: true},
		{Edge: seal.Bottom, Pairs: true},
	} {
		stamps, err := s.Stamps(pages, seal.Size{W: 42, H: 42})
		if err != nil {
			t.Fatal(err)
		}
		sealed := w.mustApply(t, mustRead(t, "u3.ofd"), func(o *ofdseal.PrepareOptions) { o.Stamps = stamps })
		if f := ofdseal.VerifyFile(sealed, w.options()); f.Verdict != verdict.Passed {
			t.Errorf("%+v: %s (%s) %+v", s, f.Verdict, f.Reason, faulty(f))
		}
		// The twin: one slice fewer is no seam any more.
		o := w.prepareOptions()
		o.Stamps = slices.Delete(slices.Clone(stamps), 2, 3)
		if _, err := ofdseal.Prepare(mustRead(t, "u3.ofd"), o); !errors.Is(err, ofdseal.ErrStamp) {
			t.Errorf("%+v without a slice: %v, want ErrStamp", s, err)
		}
	}
}

var faces = sync.OnceValue(fonts.Embedded)

// mustCompose lays out an example.
func mustCompose(t testing.TB, name string) ([]byte, *layout.Pages) {
	t.Helper()
	data, err := os.ReadFile("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := docs.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := layout.Compose(d, faces())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := ofd.Write(&b, p, d.Metadata, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), p
}

// TestFindDate: the date that is found in the finished package is the one that the layout knew the place of.
func TestFindDate(t *testing.T) {
	data, pages := mustCompose(t, "report.yaml")
	h, err := ofdseal.FindDate(mustOpen(t, data))
	if err != nil {
		t.Fatal(err)
	}
	st, spot := h.OnDate(seal.Size{W: 42, H: 42}), pages.SealSpot
	if st.Page != spot.Page || differ(st.X+21, spot.X) || differ(st.Y+21, spot.Y) {
		t.Errorf("the seal goes to page %d at %g, %g, the layout says %+v (%s)", st.Page, st.X+21, st.Y+21, spot, h.Line)
	}
	w := mustWorld(t)
	sealed := w.mustApply(t, data, func(o *ofdseal.PrepareOptions) { o.Stamps = []seal.Stamp{st} })
	if f := ofdseal.VerifyFile(sealed, w.options()); f.Verdict != verdict.Passed {
		t.Errorf("%s (%s) %+v", f.Verdict, f.Reason, faulty(f))
	}
	if _, err := ofdseal.FindDate(mustOpen(t, mustRead(t, "u3.ofd"))); !errors.Is(err, ofdseal.ErrNotFound) {
		t.Errorf("a document without a date: %v, want ErrNotFound", err)
	}
}

func differ(a, b float64) bool { return a-b > 0.3 || b-a > 0.3 }

// TestFindText finds words however the text objects cut them, and nothing that is not there.
func TestFindText(t *testing.T) {
	page := "Doc_0/Pages/Page_0/Content.xml"
	object := func(attrs, codes string) string {
		return `<ofd:TextObject ID="90" Boundary="20 250 100 20" Font="1" Size="5"` + attrs + `>` + codes + `</ofd:TextObject>`
	}
	type box struct{ x, y, w, h float64 }
	tests := []struct {
		name, objects, words string
		want                 []box
	}{
		{"one object", object("", `<ofd:TextCode X="0" Y="5" DeltaX="5 5 5">甲方盖章</ofd:TextCode>`), "盖章", []box{{30, 250.6, 10, 5}}},
		{"repeated deltas", object("", `<ofd:TextCode X="0" Y="5" DeltaX="g 3 5">甲方盖章</ofd:TextCode>`), "盖章", []box{{30, 250.6, 10, 5}}},
		{"no deltas", object("", `<ofd:TextCode X="10" Y="5">盖章</ofd:TextCode>`), "盖章", []box{{30, 250.6, 10, 5}}},
		{
			"one object a character", object("", `<ofd:TextCode X="10" Y="5">盖</ofd:TextCode>`) + object("", `<ofd:TextCode X="15" Y="5.2">章</ofd:TextCode>`),
			"盖章",
			[]box{{30, 250.6, 10, 5.2}},
		},
		{"spaces between", object("", `<ofd:TextCode X="0" Y="5" DeltaX="5 5">盖　章</ofd:TextCode>`), "盖 章", []box{{20, 250.6, 15, 5}}},
		{"a matrix", object(` CTM="2 0 0 2 1 1"`, `<ofd:TextCode X="0" Y="5" DeltaX="5">盖章</ofd:TextCode>`), "盖章", []box{{21, 252.2, 20, 10}}},
		{
			"twice", object("", `<ofd:TextCode X="0" Y="5" DeltaX="5">盖章</ofd:TextCode><ofd:TextCode X="0" Y="15" DeltaX="5">盖章</ofd:TextCode>`),
			"盖章",
			[]box{{20, 250.6, 10, 5}, {20, 260.6, 10, 5}},
		},
		{"on two lines", object("", `<ofd:TextCode X="0" Y="5">盖</ofd:TextCode><ofd:TextCode X="5" Y="15">章</ofd:TextCode>`), "盖章", nil},
		{"turned", object(` CTM="0 1 -1 0 0 0"`, `<ofd:TextCode X="0" Y="5" DeltaX="5">盖章</ofd:TextCode>`), "盖章", nil},
		{"other words", object("", `<ofd:TextCode X="0" Y="5" DeltaX="5">签名</ofd:TextCode>`), "盖章", nil},
	}
	for _, tt := range tests {
		f := mustUnpack(t, mustRead(t, "u1.ofd"))
		at := strings.Index(f.data[page], "<ofd:TextObject")
		f.data[page] = f.data[page][:at] + tt.objects + f.data[page][at:]
		hits, err := ofdseal.FindText(mustOpen(t, f.mustPack(t)), tt.words)
		if tt.want == nil {
			if !errors.Is(err, ofdseal.ErrNotFound) {
				t.Errorf("%s: %+v (%v), want ErrNotFound", tt.name, hits, err)
			}
			continue
		}
		var got []box
		for _, h := range hits {
			got = append(got, box{round(h.X), round(h.Y), round(h.W), round(h.H)})
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(box{})); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

func round(v float64) float64 { return float64(int(v*1000+0.5)) / 1000 }

// TestJointIssue lets every office of a joint document seal in turn at its own place, and one of them close the list.
func TestJointIssue(t *testing.T) {
	w := mustWorld(t)
	data, pages := mustCompose(t, "joint.yaml")
	if len(pages.SealSpots) < 2 {
		t.Fatalf("a joint document with %d places for seals", len(pages.SealSpots))
	}
	for i, spot := range pages.SealSpots {
		office := w.mustParty(t, fmt.Sprintf("Office %d", i))
		made := w.mustSeal(t, office)
		w.signer = office
		data = w.mustApply(t, data, func(o *ofdseal.PrepareOptions) {
			o.Seal = made
			o.Stamps = []seal.Stamp{{Page: spot.Page, X: spot.X - 21, Y: spot.Y - 21}}
		})
	}
	data = w.mustApply(t, data, func(o *ofdseal.PrepareOptions) { o.Seal, o.Stamps, o.Lock = nil, nil, true })
	f := ofdseal.VerifyFile(data, w.options())
	if f.Verdict != verdict.Passed || len(f.Signatures) != len(pages.SealSpots)+1 || f.Warned(verdict.Placement) {
		t.Errorf("%s (%s) with %d signatures, warnings %v %+v", f.Verdict, f.Reason, len(f.Signatures), f.Warnings, faulty(f))
	}
}
