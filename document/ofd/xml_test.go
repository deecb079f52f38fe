package ofd

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/verdict"
)

// replaced packs the minimal document with one edit in one file.
func replaced(t testing.TB, name, old, with string) []byte {
	t.Helper()
	recs := sound()
	for i := range recs {
		if recs[i].name != name {
			continue
		}
		if !strings.Contains(string(recs[i].data), old) {
			t.Fatalf("%s does not hold %q", name, old)
		}
		recs[i].data = []byte(strings.Replace(string(recs[i].data), old, with, 1))
	}
	return pack(recs...)
}

func TestXMLAttacks(t *testing.T) {
	const ns = `xmlns:ofd="http://www.ofdspec.org/2016"`
	deep := strings.Repeat("<ofd:PageBlock>", MaxDepth) + strings.Repeat("</ofd:PageBlock>", MaxDepth)
	var attrs strings.Builder
	for i := range MaxAttributes + 1 {
		fmt.Fprintf(&attrs, ` a%d="1"`, i)
	}
	tests := []struct {
		id, name       string
		file, old, new string
		want           verdict.Reason
	}{
		{"X-01", "document type", "OFD.xml", "<ofd:OFD", `<!DOCTYPE x><ofd:OFD`, verdict.Doctype},
		{"X-01", "entity", "OFD.xml", "标题", "&e;", verdict.Doctype},
		{"X-01", "internal subset", "OFD.xml", "<ofd:OFD", `<!DOCTYPE x [<!ENTITY e "x">]><ofd:OFD`, verdict.Doctype},
		{"X-01", "external entity", "OFD.xml", "<ofd:OFD", `<!DOCTYPE x SYSTEM "http://example.org/x.dtd"><ofd:OFD`, verdict.Doctype},
		{"X-01", "parameter entity", "OFD.xml", "<ofd:OFD", `<!DOCTYPE x [<!ENTITY % p SYSTEM "x"> %p;]><ofd:OFD`, verdict.Doctype},
		{"X-01", "document type in a page", pageName, "<ofd:Page ", `<!DOCTYPE x><ofd:Page `, verdict.Doctype},
		{"X-01", "inclusion", "Doc_0/Document.xml", "<ofd:Pages>", `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x.xml"/><ofd:Pages>`, verdict.Namespace},
		{"X-01", "schema location", "OFD.xml", ns, ns + ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"`, verdict.Doctype},
		{"X-02", "attribute twice", "Doc_0/Document.xml", `ID="1"`, `ID="1" ID="2"`, verdict.XMLDuplicate},
		{"X-02", "DocRoot twice", "OFD.xml", "</ofd:DocRoot>", "</ofd:DocRoot><ofd:DocRoot>x</ofd:DocRoot>", verdict.XMLDuplicate},
		{"X-02", "Pages twice", "Doc_0/Document.xml", "</ofd:Pages>", "</ofd:Pages><ofd:Pages/>", verdict.XMLDuplicate},
		{"X-02", "page identifier twice", "Doc_0/Document.xml", "</ofd:Pages>", `<ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages>`, verdict.XMLDuplicate},
		{"X-03", "second root", "OFD.xml", "</ofd:OFD>", "</ofd:OFD><ofd:OFD " + ns + "/>", verdict.XMLTrailing},
		{"X-03", "text after the root", "OFD.xml", "</ofd:OFD>", "</ofd:OFD>x", verdict.XMLTrailing},
		{"X-04", "no namespace", "OFD.xml", ns, `xmlns:ofd=""`, verdict.Namespace},
		{"X-04", "other namespace", "OFD.xml", ns, `xmlns:ofd="http://example.org"`, verdict.Namespace},
		{"X-04", "foreign element", "Doc_0/Document.xml", "<ofd:Page ", `<q:Page xmlns:q="urn:q"/><ofd:Page `, verdict.Namespace},
		{"X-04", "prefixed attribute", "Doc_0/Document.xml", `ID="1"`, `ID="1" xmlns:q="urn:q" q:ID="2"`, verdict.Namespace},
		{"X-05", "GBK declared", "OFD.xml", "<ofd:OFD", `<?xml version="1.0" encoding="GBK"?><ofd:OFD`, verdict.Encoding},
		{"X-05", "not UTF-8", "OFD.xml", "标题", "\xb1\xea", verdict.Encoding},
		{"X-05", "UTF-16", "OFD.xml", "<ofd:OFD", "\xff\xfe<ofd:OFD", verdict.Encoding},
		{"X-05", "two byte order marks", "OFD.xml", "<ofd:OFD", "\xef\xbb\xbf\xef\xbb\xbf<ofd:OFD", verdict.Encoding},
		{"X-06", "depth", pageName, "<ofd:Layer ", deep + "<ofd:Layer ", verdict.Limit},
		{"X-06", "attributes", pageName, "<ofd:Layer ", "<ofd:Layer" + attrs.String() + " ", verdict.Limit},
		{"X-06", "long text", pageName, "关于", strings.Repeat("关", MaxToken), verdict.Limit},
		{"X-06", "long attribute", pageName, "<ofd:Layer ", `<ofd:Layer Type="` + strings.Repeat("x", MaxToken+1) + `" `, verdict.Limit},
		{"X-06", "siblings", pageName, "<ofd:Layer ", strings.Repeat("<ofd:A/>", MaxElements) + "<ofd:Layer ", verdict.Limit},
		{"X-07", "location split by a comment", "OFD.xml", "Doc_0/Document.xml", "Doc_0/<!-- x -->Document.xml", verdict.XMLSplitValue},
		{"X-07", "location split by CDATA", "OFD.xml", "Doc_0/Document.xml", "Doc_0/<![CDATA[Document]]>.xml", verdict.XMLSplitValue},
		{"X-08", "document that is the root file", "OFD.xml", "Doc_0/Document.xml", "OFD.xml", verdict.Malformed},
		{"X-08", "page that is the document", "Doc_0/Document.xml", "Pages/Page_0/Content.xml", "Document.xml", verdict.XMLMalformed},
		{"X-08", "page in the folder of signatures", "Doc_0/Document.xml", "Pages/Page_0/Content.xml", "/Doc_0/Signs/", verdict.Path},
		{"X-08", "drive", "Doc_0/Document.xml", "Pages/Page_0/Content.xml", "C:Content.xml", verdict.Path},
		{"X-08", "location outside", "OFD.xml", "Doc_0/Document.xml", "../Document.xml", verdict.Path},
		{"X-08", "page outside", "Doc_0/Document.xml", "Pages/Page_0/Content.xml", "../../x.xml", verdict.Path},
		{"X-08", "backslash", "Doc_0/Document.xml", "Pages/Page_0/Content.xml", `Pages\Page_0\Content.xml`, verdict.Path},
		{"X-08", "empty location", "Doc_0/Document.xml", "Pages/Page_0/Content.xml", "", verdict.Path},
		{"X-08", "percent encoding is not decoded", "OFD.xml", "Doc_0/Document.xml", "Doc_0%2FDocument.xml", verdict.MissingEntry},
		{"X-09", "not a number", "Doc_0/Document.xml", "0 0 210 297", "0 0 NaN 297", verdict.Number},
		{"X-09", "beyond all measure", "Doc_0/Document.xml", "0 0 210 297", "0 0 1e400 297", verdict.Number},
		{"X-09", "negative width", "Doc_0/Document.xml", "0 0 210 297", "0 0 -210 297", verdict.Number},
		{"X-09", "comma", "Doc_0/Document.xml", "0 0 210 297", "0 0 210,5 297", verdict.Number},
		{"", "not XML", "OFD.xml", "</ofd:OFD>", "", verdict.XMLMalformed},
		{"", "instruction", "OFD.xml", "</ofd:OFD>", `<?x y?></ofd:OFD>`, verdict.XMLMalformed},
		{"", "other root", "OFD.xml", "<ofd:OFD", "<ofd:Document", verdict.XMLMalformed},
		{"", "no page", "Doc_0/Document.xml", `<ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/>`, "", verdict.Malformed},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.id+" "+tt.name, " ", "_"), func(t *testing.T) {
			if tt.name == "other root" {
				mustRefuse(t, pack(rec{name: "OFD.xml", data: []byte(`<ofd:Document ` + ns + `/>`)}), tt.want)
				return
			}
			mustRefuse(t, replaced(t, tt.file, tt.old, tt.new), tt.want)
		})
	}
}

// TestXMLThatIsFine are the twins: oddities that have one meaning.
func TestXMLThatIsFine(t *testing.T) {
	tests := []struct{ name, file, old, new string }{
		{"nothing", "OFD.xml", "标题", "标题"},
		{"byte order mark", "OFD.xml", "<ofd:OFD", "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ofd:OFD"},
		{"older namespace", "OFD.xml", "http://www.ofdspec.org/2016", "http://www.ofdspec.org"},
		{"default namespace", pageName, testPage, strings.ReplaceAll(strings.ReplaceAll(testPage, "ofd:", ""), "xmlns:ofd", "xmlns") + "\n"},
		{"comment between elements", "Doc_0/Document.xml", "<ofd:Pages>", "<!-- 页 --><ofd:Pages>"},
		{"absolute location", "OFD.xml", "Doc_0/Document.xml", "/Doc_0/Document.xml"},
		{"parent folder inside", "Doc_0/Document.xml", "Pages/Page_0/Content.xml", "../Doc_0/./Pages/Page_0/Content.xml"},
		{"text of a page split by CDATA", pageName, "通知", "通<![CDATA[知]]>"},
		{"location in CDATA", "OFD.xml", "Doc_0/Document.xml", "<![CDATA[Doc_0/Document.xml]]>"},
		{"character reference", "OFD.xml", "标题", "&#26631;&amp;"},
		{"spaces around a location", "OFD.xml", "Doc_0/Document.xml", "\n Doc_0/Document.xml "},
	}
	for _, tt := range tests {
		if tt.name == "default namespace" {
			tt.new = strings.Replace(tt.new, `<Page xmlns="`, `<Page xmlns="`, 1)
		}
		p, err := Open(replaced(t, tt.file, tt.old, tt.new))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := p.PageText(0); got != "关于通知" {
			t.Errorf("%s: page text %q", tt.name, got)
		}
	}
}

func TestBombsEndEarly(t *testing.T) {
	start := time.Now()
	mustRefuse(t, replaced(t, pageName, "<ofd:Layer ", strings.Repeat("<ofd:PageBlock>", 200_000)), verdict.Limit)
	if d := time.Since(start); d > 5*time.Second { // milliseconds on a machine at rest
		t.Errorf("refused after %v", d)
	}
	// A text that comments cut into a hundred thousand pieces is read in linear time.
	start = time.Now()
	if _, err := Open(replaced(t, pageName, "<ofd:Layer ", strings.Repeat("ab<!---->", 100_000)+"<ofd:Layer ")); err == nil {
		t.Error("a split text is accepted")
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("split text read after %v", d)
	}
}

func TestResolve(t *testing.T) {
	tests := []struct{ from, loc, want string }{
		{"OFD.xml", "Doc_0/Document.xml", "Doc_0/Document.xml"},
		{"Doc_0/Document.xml", "Pages/Page_0/Content.xml", "Doc_0/Pages/Page_0/Content.xml"},
		{"Doc_0/Signs/Sign_0/Signature.xml", "SignedValue.dat", "Doc_0/Signs/Sign_0/SignedValue.dat"},
		{"Doc_0/Signs/Sign_0/Signature.xml", "/OFD.xml", "OFD.xml"},
		{"Doc_0/Signs/Sign_0/Signature.xml", "../../Res/x.png", "Doc_0/Res/x.png"},
		{"Doc_0/Document.xml", "./x.xml", "Doc_0/x.xml"},
		{"Doc_0/Document.xml", "../../x.xml", ""},
		{"Doc_0/Document.xml", "/../x.xml", ""},
		{"Doc_0/Document.xml", "", ""},
		{"Doc_0/Document.xml", "/", ""},
		{"Doc_0/Document.xml", "a//b", ""},
		{"Doc_0/Document.xml", `a\b`, ""},
		{"Doc_0/Document.xml", "http://example.org/x", ""},
	}
	for _, tt := range tests {
		if got, err := Resolve(tt.from, tt.loc); got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("Resolve(%q, %q) = %q, %v, want %q", tt.from, tt.loc, got, err, tt.want)
		}
	}
}

func TestNameSignatures(t *testing.T) {
	p, err := Open(pack(sound()...))
	if err != nil {
		t.Fatal(err)
	}
	root, err := p.NameSignatures(0, "Doc_0/Signs/Signatures.xml")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(testRoot, "</ofd:DocRoot>", "</ofd:DocRoot><ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>", 1)
	if diff := cmp.Diff(want, string(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := p.Replace(File{Name: "OFD.xml", Data: root})
	if err != nil {
		t.Fatal(err)
	}
	q, err := Open(again)
	if err != nil || q.Bodies()[0].Signatures != "Doc_0/Signs/Signatures.xml" {
		t.Fatalf("%v, %+v", err, q)
	}
	if _, err := q.NameSignatures(0, "x"); !errors.Is(err, ErrHasSignatures) {
		t.Errorf("named twice: %v", err)
	}
}
