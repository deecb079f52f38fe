package office_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/document"
	"yinxin/transport/office"
)

// zipped makes a ZIP of names and contents, in turn.
func zipped(t *testing.T, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What office programs write is a ZIP, and so is an archive of files: each with a classification beside its twin.
func TestClassifiedArchives(t *testing.T) {
	t.Parallel()
	const types = "[Content_Types].xml"
	word := func(mark string) []byte {
		half := len("秘密")
		return zipped(t, types, "<Types/>", "word/document.xml",
			"<w:document><w:p><w:r><w:t>"+mark[:half]+"</w:t></w:r><w:r><w:t>"+mark[half:]+"</w:t></w:r></w:p></w:document>")
	}
	for _, tt := range []struct {
		name  string
		build func(mark string) []byte
	}{
		{"report.docx", word},
		{"report.xlsx", func(m string) []byte {
			return zipped(t, types, "<Types/>", "xl/sharedStrings.xml", "<sst><si><t>台账</t></si><si><t>"+m+"</t></si></sst>")
		}},
		{"entries.zip", func(m string) []byte { return zipped(t, "a.txt", "a", m+".txt", "b") }},
		{"nested.zip", func(m string) []byte { return zipped(t, "report.docx", string(word(m))) }},
		{"documents.zip", func(m string) []byte {
			return zipped(t, "notice.ofd", string(with(t, plain(t), "Doc_0/Attachs/a.txt", "", m)))
		}},
		{"large.zip", func(m string) []byte {
			return zipped(t, "large.bin", strings.Repeat("x", office.MaxText+1), "a.txt", m)
		}},
	} {
		for mark, want := range map[string]bool{"秘密★10年": true, "机要★10年": false} {
			err := office.CheckUnclassified(tt.name, tt.build(mark))
			if errors.Is(err, document.ErrClassified) != want || !want && err != nil {
				t.Errorf("%s, %s: %v", tt.name, mark, err)
			}
		}
	}
}

// A ZIP that is larger than its beginning in memory is read where it lies.
func TestClassifiedLargeArchive(t *testing.T) {
	t.Parallel()
	var all bytes.Buffer
	z := zip.NewWriter(&all)
	for name, text := range map[string]string{"a.bin": strings.Repeat("x", office.MaxText), "b.txt": "秘密★10年"} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "large.zip")
	if err := os.WriteFile(file, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	err := office.CheckLargeUnclassified("large.zip", all.Bytes()[:office.MaxText], func() (io.ReadCloser, error) { return os.Open(file) })
	if !errors.Is(err, document.ErrClassified) {
		t.Errorf("%v, want ErrClassified", err)
	}
}

// What cannot be read is no document: a damaged archive passes, a real one of Word's passes.
func TestUnclassifiedArchives(t *testing.T) {
	t.Parallel()
	word, err := os.ReadFile(filepath.Join("..", "..", "examples", "word", "archives.docx"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"archives.docx": word, "cut.docx": word[:len(word)/2], "empty.zip": zipped(t), "magic.zip": []byte("PK\x03\x04"),
	} {
		if err := office.CheckUnclassified(name, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
