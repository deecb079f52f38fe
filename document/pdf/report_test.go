package pdf_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"yinxin/document/fonts"
	"yinxin/document/pdf"
	"yinxin/verdict"
)

// judged is a report with everything in it, as long as asked.
func judged(files int) *verdict.Report {
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	var list []verdict.File
	for i := range files {
		f := verdict.File{File: fmt.Sprintf("关于印发《某某办法》的通知-%d.ofd", i+1), Type: "ofd"}
		s := verdict.Signature{ID: "1", Kind: "seal", Standard: "GB/T 38540-2020", Version: 4, Signer: "CN=签章人,O=某市", Maker: "CN=制章人"}
		s.Seal = &verdict.SealRef{ID: "0bef9158", Name: "某市人民政府办公室"}
		s.At(at, verdict.TimeFromSigner)
		s.Add(verdict.Pass(verdict.CheckSignature), verdict.Fail(verdict.CheckReferences, verdict.ReferenceDigest,
			"Doc_0/Pages/Page_0/Content.xml differs from what was signed, and this detail is long enough to be broken into more than one line of the page"))
		f.Signatures = append(f.Signatures, s)
		f.Warn(verdict.ListOpen, "more may follow")
		f.Judge(verdict.RevocationAuto)
		list = append(list, f)
	}
	return verdict.NewReport(verdict.RevocationAuto, list...)
}

func mustReport(t testing.TB, r *verdict.Report, l verdict.Language) []byte {
	t.Helper()
	var b bytes.Buffer
	o := pdf.ReportOptions{Language: l, At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), Faces: fonts.Embedded()}
	if err := pdf.WriteReport(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteReport(t *testing.T) {
	for _, l := range []verdict.Language{verdict.Chinese, verdict.English} {
		data := mustReport(t, judged(12), l)
		if !bytes.Equal(data, mustReport(t, judged(12), l)) {
			t.Error("the same report gives other bytes")
		}
		f, err := pdf.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		pages, err := f.Current().Pages()
		if err != nil || len(pages) < 2 {
			t.Fatalf("%d pages, %v", len(pages), err)
		}
	}
}

// TestReportSaysWhatTheTextSays reads the printed report back with another program: every line of the text form is there.
func TestReportSaysWhatTheTextSays(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("needs pdftotext (Debian: poppler-utils)")
	}
	for _, l := range []verdict.Language{verdict.Chinese, verdict.English} {
		r := judged(2)
		c := exec.Command("pdftotext", "-layout", "-", "-")
		c.Stdin = bytes.NewReader(mustReport(t, r, l))
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		solid := func(s string) string { return strings.Join(strings.Fields(s), "") }
		printed := solid(string(out))
		for line := range strings.SplitSeq(r.Text(l), "\n") {
			if !strings.Contains(printed, solid(line)) {
				t.Errorf("%v: %q is not printed:\n%s", l, line, out)
			}
		}
		if !strings.Contains(printed, "2026-11-22T09:00:00Z") {
			t.Error("the time of the verdict is missing")
		}
	}
}
