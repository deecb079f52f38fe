package verify_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/internal/verify"
	"yinxin/testvectors"
	"yinxin/verdict"
)

func zipOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, n := range names {
		if _, err := z.Create(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRecognise(t *testing.T) {
	sample := func(name string) []byte {
		data, err := testvectors.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	tests := []struct {
		name string
		data []byte
		want verify.Kind
	}{
		{"an OFD", sample("ofd/v4-open.ofd"), verify.KindOFD},
		{"an OFD cut in half", sample("ofd/t-truncated.ofd"), verify.KindOFD},
		{"an OFD behind foreign bytes", append([]byte("x"), sample("ofd/v4-open.ofd")...), verify.KindOFD},
		{"a package", zipOf(t, "manifest.json", "document/document.ofd"), verify.KindPackage},
		{"both names", zipOf(t, "manifest.json", "OFD.xml"), verify.KindOFD},
		{"a workbook", zipOf(t, "[Content_Types].xml", "xl/workbook.xml"), verify.KindUnknown},
		{"a text document", zipOf(t, "[Content_Types].xml", "word/document.xml"), verify.KindUnknown},
		{"a workbook cut in half", zipOf(t, "[Content_Types].xml", "xl/workbook.xml")[:60], verify.KindUnknown},
		{"an archive of documents", zipOf(t, "notice/document.ofd", "notice/OFD.xml"), verify.KindUnknown},
		{"an OFD whose root has another case", zipOf(t, "ofd.XML"), verify.KindOFD},
		{"an OFD whose root climbs out", zipOf(t, `..\OFD.xml`), verify.KindOFD},
		{"an OFD without its root", zipOf(t, "Doc_0/Document.xml", "Doc_0/PublicRes.xml"), verify.KindOFD},
		{"a seal", sample("ofd/keys/seal-v4-A.esl"), verify.KindSeal},
		{"a certificate", sample("ofd/keys/root-cert.pem"), verify.KindCertificate},
		{"a PDF", []byte("%PDF-1.7\n"), verify.KindPDF},
		{"DER of nothing known", []byte{0x30, 0x00}, verify.KindCMS},
		{"text", []byte("hello"), verify.KindUnknown},
		{"nothing", nil, verify.KindUnknown},
	}
	for _, tt := range tests {
		if got := verify.Recognise(tt.data); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestOneGivesAVerdictOnEverything(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	pki := certtest.New(t, "Root", now)
	party := pki.Party("Signer")
	content := []byte("content")
	detached, err := cms.SignDetached(gm.SM3(content), cms.SignOptions{Signer: party.SignKey, Certificate: party.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	attached, err := cms.Sign(content, cms.SignOptions{Signer: party.SignKey, Certificate: party.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	ofd, err := testvectors.Read("ofd/v4-open.ofd")
	if err != nil {
		t.Fatal(err)
	}
	sum := gm.SM3(content)
	o := verify.Options{Policy: pki.Policy(), Now: now}
	tests := []struct {
		name   string
		in     verify.Input
		want   verdict.Status
		reason verdict.Reason
	}{
		{"detached", verify.Input{Data: detached, Signed: content}, verdict.Passed, ""},
		{"detached, another content", verify.Input{Data: detached, Signed: []byte("other")}, verdict.Failed, verdict.DataHash},
		{"detached, no content at hand", verify.Input{Data: detached}, verdict.Indeterminate, verdict.MissingEntry},
		{"attached", verify.Input{Data: attached}, verdict.Passed, ""},
		{"an OFD in place of a signature", verify.Input{Data: ofd, Signed: content}, verdict.Rejected, verdict.UnsupportedFormat},
		{"an OFD in place of a signature, only its sum", verify.Input{Data: ofd, Sum: &sum}, verdict.Rejected, verdict.UnsupportedFormat},
		{"an OFD in place of a signature, no content", verify.Input{Data: ofd, Beside: true}, verdict.Rejected, verdict.UnsupportedFormat},
		{"a PDF in place of a signature", verify.Input{Data: []byte("%PDF-1.7\n"), Signed: content}, verdict.Rejected, verdict.UnsupportedFormat},
		{"a receipt in place of a signature", verify.Input{Data: []byte(`{"schema":"yinxin.receipt/1",`), Signed: content}, verdict.Rejected, verdict.UnsupportedFormat},
		{"an envelope in place of a signature", verify.Input{Data: []byte("yinxin envelope 1\n"), Signed: content}, verdict.Rejected, verdict.UnsupportedFormat},
		{"an OFD by itself", verify.Input{Data: ofd}, verdict.Failed, ""},
		{"bytes after the message", verify.Input{Data: append(bytes.Clone(attached), 0)}, verdict.Rejected, verdict.TrailingData},
		{"no file that is known", verify.Input{Data: []byte("hello")}, verdict.Rejected, verdict.UnsupportedFormat},
		{"a zip that is neither", verify.Input{Data: zipOf(t, "a.txt")}, verdict.Rejected, verdict.UnsupportedFormat},
		{"an OFD without its root", verify.Input{Data: zipOf(t, "Doc_0/Document.xml")}, verdict.Rejected, verdict.MissingEntry},
		{"a cut PDF", verify.Input{Data: []byte("%PDF-1.7\n")}, verdict.Rejected, ""},
		{"a receipt that is cut", verify.Input{Data: []byte(`{"schema":"yinxin.receipt/1",`)}, verdict.Rejected, verdict.Malformed},
		{"an envelope of another version", verify.Input{Data: []byte("yinxin envelope 9\nand so on")}, verdict.Rejected, verdict.UnsupportedVersion},
		{"an envelope of another version", verify.Input{Data: []byte("yinxin envelope 9\n")}, verdict.Rejected, verdict.UnsupportedVersion},
		{"an envelope that is cut", verify.Input{Data: []byte("yinxin envelope 1\n")}, verdict.Rejected, verdict.Truncated},
		{"a package whose manifest is none", verify.Input{Content: fstest.MapFS{"manifest.json": {Data: []byte("{}")}}}, verdict.Rejected, verdict.Malformed},
	}
	for _, tt := range tests {
		f, err := verify.One(tt.in, o)
		if err != nil || f.Verdict != tt.want || tt.reason != "" && f.Reason != tt.reason {
			t.Errorf("%s: %s (%s), %v; want %s (%s)", tt.name, f.Verdict, f.Reason, err, tt.want, tt.reason)
		}
	}
	if _, err := verify.One(verify.Input{Name: "folder", Content: fstest.MapFS{"x": {}}}, o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is no package: %v, want ErrNotExist", err)
	}
}

// FuzzOne wants a verdict, never a panic, on whatever a file may hold.
func FuzzOne(f *testing.F) {
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("%PDF-1.7\n"))
	f.Add([]byte(`{"schema":"yinxin.receipt/1"}`))
	f.Add([]byte("yinxin envelope 1\n"))
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := verify.One(verify.Input{Name: "x", Data: data}, verify.Options{Now: time.Unix(0, 0)})
		if err == nil && file.Verdict == verdict.Passed {
			t.Errorf("passed without a root")
		}
	})
}
