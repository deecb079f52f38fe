package ofd_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"yinxin/document/ofd"
)

// TestArchivalForm: the rules of the profile that can be told from the package, one by one.
func TestArchivalForm(t *testing.T) {
	d, p := mustLayOut(t, "notice.yaml", nil)
	var b bytes.Buffer
	if err := ofd.WriteArchival(&b, p, d.Metadata, schedule()); err != nil {
		t.Fatal(err)
	}
	pkg, err := ofd.Open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	root, _ := pkg.Entry("OFD.xml")
	if !strings.Contains(string(root), `DocType="OFD-A"`) || len(pkg.Bodies()) != 1 {
		t.Errorf("%d bodies in %.200s", len(pkg.Bodies()), root)
	}
	res, _ := pkg.Entry("Doc_0/PublicRes.xml")
	if fonts, files := strings.Count(string(res), "<ofd:Font "), strings.Count(string(res), "<ofd:FontFile>"); fonts == 0 || fonts != files {
		t.Errorf("%d fonts, %d of them embedded", fonts, files)
	}
	for _, name := range pkg.Names() {
		data, _ := pkg.Entry(name)
		if !strings.HasSuffix(name, ".xml") {
			continue
		}
		for _, no := range []string{"Permissions", "VPreferences", "Extensions", "Actions", "Signatures", "MultiMedia ID", "file://"} {
			if strings.Contains(string(data), no) {
				t.Errorf("%s holds %s", name, no)
			}
		}
	}
	plain := mustWrite(t, d, p, schedule())
	if root, _ := mustOpen(t, plain).Entry("OFD.xml"); !strings.Contains(string(root), `DocType="OFD"`) {
		t.Error("the usual form names itself archival")
	}
	other := schedule()
	other[0].Data = []byte("PK\x03\x04\x00")
	if err := ofd.WriteArchival(io.Discard, p, d.Metadata, other); !errors.Is(err, ofd.ErrNotArchival) {
		t.Errorf("an attachment that is no text gives %v", err)
	}
}

func mustOpen(t testing.TB, data []byte) *ofd.Package {
	t.Helper()
	pkg, err := ofd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}
