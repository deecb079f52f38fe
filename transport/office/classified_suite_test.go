package office_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"yinxin/document"
	"yinxin/transport/office"
)

// part is an entry of a ZIP file; one whose name is not UTF-8 is marked as such.
type part struct{ name, data string }

func zipOf(t testing.TB, parts ...part) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write([]byte(p.data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const (
	relationsXML = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"` +
		` Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="%s"/></Relationships>`
	wordXML = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p>%s</w:p></w:body></w:document>`
)

// words is a .docx with a paragraph of runs, and other parts.
func words(t testing.TB, runs []string, more ...part) string {
	t.Helper()
	var b strings.Builder
	for _, r := range runs {
		b.WriteString("<w:r><w:t>" + r + "</w:t></w:r>")
	}
	return zipOf(t, append([]part{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
		{"_rels/.rels", fmt.Sprintf(relationsXML, "word/document.xml")},
		{"word/document.xml", fmt.Sprintf(wordXML, b.String())},
	}, more...)...)
}

// sheet is an .xlsx with one string.
func sheet(t testing.TB, text string) string {
	t.Helper()
	return zipOf(t, part{"_rels/.rels", fmt.Sprintf(relationsXML, "xl/workbook.xml")}, part{"xl/workbook.xml", `<workbook/>`},
		part{"xl/sharedStrings.xml", `<sst><si><t>` + text + `</t></si></sst>`})
}

// TestClassifiedOfficeFiles: each classified file beside its unclassified twin.
func TestClassifiedOfficeFiles(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("机密★1年.txt")
	if err != nil {
		t.Fatal(err)
	}
	notice := plain(t)
	marked := string(with(t, notice, "Doc_0/Pages/Page_0/Content.xml", "为规范公文传输秩序", "机密★1年"))
	attached := func(name, data string) string { return string(with(t, notice, "Doc_0/Attachs/"+name, "", data)) }
	plainWords, secretWords := words(t, []string{"试点单位名单"}), words(t, []string{"机", "密", "★", "1年"})
	tests := []struct {
		name, file, data string
		classified       bool
	}{
		{"word", "名单.docx", plainWords, false},
		{"word, over runs", "名单.docx", secretWords, true},
		{"word, by another name", "名单.bin", secretWords, true},
		{"word, header", "名单.docx", words(t, []string{"名单"}, part{"word/header1.xml", fmt.Sprintf(wordXML, "<w:r><w:t>绝密★启用前</w:t></w:r>")}), true},
		{"word, property", "名单.docx", words(t, []string{"名单"}, part{"docProps/custom.xml", `<Properties><property name="密级"><lpwstr>机密</lpwstr></property></Properties>`}), true},
		{"word, embedded word", "名单.docx", words(t, []string{"名单"}, part{"word/embeddings/a.docx", secretWords}), true},
		{"word, embedded word that is none", "名单.docx", words(t, []string{"名单"}, part{"word/embeddings/a.docx", plainWords}), false},
		{"sheet", "表.xlsx", sheet(t, "件数"), false},
		{"sheet, string", "表.xlsx", sheet(t, "机密★1年"), true},
		{"zip", "附件.zip", zipOf(t, part{"名单.docx", plainWords}, part{"a.txt", "件数"}), false},
		{"zip, text", "附件.zip", zipOf(t, part{"a.txt", "机密★1年"}), true},
		{"zip, name", "附件.zip", zipOf(t, part{"机密★1年.jpg", "x"}), true},
		{"zip, name in GBK", "附件.zip", zipOf(t, part{gbk, "x"}), true},
		{"zip, word", "附件.zip", zipOf(t, part{"名单.docx", secretWords}), true},
		{"zip, OFD", "附件.zip", zipOf(t, part{"通知.ofd", string(notice)}), false},
		{"zip, marked OFD", "附件.zip", zipOf(t, part{"通知.ofd", marked}), true},
		{"zip in zip", "附件.zip", zipOf(t, part{"b.zip", zipOf(t, part{"a.txt", "机密★1年"})}), true},
		{"zip in zip, none", "附件.zip", zipOf(t, part{"b.zip", zipOf(t, part{"a.txt", "件数"})}), false},
		{"attached word", "通知.ofd", attached("a.docx", plainWords), false},
		{"attached word, marked", "通知.ofd", attached("a.docx", secretWords), true},
		{"attached zip, marked", "通知.ofd", attached("a.zip", zipOf(t, part{"a.txt", "机密★1年"})), true},
		{"attached zip", "通知.ofd", attached("a.zip", zipOf(t, part{"a.txt", "件数"})), false},
		{"cut off", "附件.zip", zipOf(t, part{"a.txt", "件数"})[:40], false},
		{"old format", "名单.doc", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := office.CheckUnclassified(tt.file, []byte(tt.data))
			if got := errors.Is(err, document.ErrClassified); got != tt.classified || !got && err != nil {
				t.Errorf("%v, want classified: %v", err, tt.classified)
			}
		})
	}
}

// TestArchivesThatExpand: what expands without end, or lies in ZIP files in ZIP files, costs little.
func TestArchivesThatExpand(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", 48<<20)
	bomb := zipOf(t, part{"0.bin", zeros})
	list := make([]part, 20)
	for i := range list {
		list[i] = part{fmt.Sprintf("%d.zip", i), bomb} // nearly a gigabyte
	}
	deep := zipOf(t, part{"a.txt", "机密★1年"})
	for range 12 {
		deep = zipOf(t, part{"a.zip", deep})
	}
	start := time.Now()
	for _, data := range []string{zipOf(t, list...), deep} {
		if err := office.CheckUnclassified("附件.zip", []byte(data)); err != nil {
			t.Error(err)
		}
	}
	if d := time.Since(start); d > 30*time.Second { // one or two on a machine at rest
		t.Errorf("looked at for %v", d)
	}
}

// FuzzArchive looks at ZIP files of any bytes.
func FuzzArchive(f *testing.F) {
	f.Add([]byte(zipOf(f, part{"a.zip", zipOf(f, part{"a.txt", "件数"})})))
	f.Add([]byte(words(f, []string{"名单"})))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		err := office.CheckUnclassified("附件.zip", data)
		if again := office.CheckUnclassified("附件.zip", data); fmt.Sprint(err) != fmt.Sprint(again) {
			t.Errorf("%v, then %v", err, again)
		}
	})
}
