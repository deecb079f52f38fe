package office

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/document"
	"yinxin/testvectors"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

func TestPDFText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
	}{
		{"ASCII", "Notice", "Notice"},
		{"UTF-8", "通知", "通知"},
		{"UTF-16", "\xfe\xff\x90\x1a\x77\xe5", "通知"},
		{"odd end", "\xfe\xff\x90\x1a\x77", "通"},
		{"mark alone", "\xfe\xff", ""},
		{"empty", "", ""},
	} {
		if got := pdfText([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAttachmentsAreJudgedForThemselves: a PDF without a seal and a broken OFD beside the document have verdicts of their
// own, and the document keeps its; a sealed copy of the document is no attachment.
func TestAttachmentsAreJudgedForThemselves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	document, err := testvectors.Read("ofd/u1.ofd")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"document.ofd": document, "document.pdf": []byte("%PDF-1.7\n"), "annex.pdf": []byte("%PDF-1.7\n"), "annex.ofd": document[:100],
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := &Opened{Document: "document.ofd", Files: []string{"document.ofd", "document.pdf", "annex.pdf", "annex.ofd"}}
	if err := (&Service{Clock: time.Now}).judge(t.Context(), o, time.Time{}, dir); err != nil {
		t.Fatal(err)
	}
	for i, want := range []verdict.Status{verdict.Unsigned, verdict.Rejected, verdict.Rejected, verdict.Rejected} {
		if f := o.Verdicts[i]; f.Verdict != want || f.Attachment != (i > 0) || o.Decides(f.File) != (i == 0) {
			t.Errorf("%s: %s, attachment %v", f.File, f.Verdict, f.Attachment)
		}
	}
	if o.Verdict() != verdict.Unsigned || verdict.NewReport(verdict.RevocationAuto, o.Verdicts...).Verdict != verdict.Unsigned {
		t.Errorf("the document is %s", o.Verdict())
	}
	o.Verdicts[0].Verdict, o.Verdicts[2].Verdict = verdict.Passed, verdict.Failed
	if o.Verdict() != verdict.Passed || verdict.NewReport(verdict.RevocationAuto, o.Verdicts...).Verdict != verdict.Failed {
		t.Errorf("with a failed attachment the document is %s", o.Verdict())
	}
	copied := verdict.File{File: "document.pdf", Signatures: make([]verdict.Signature, 1)}
	if envelope.IsAttachment(o.Document, copied) || !envelope.IsAttachment(o.Document, verdict.File{File: "annex.pdf", Signatures: copied.Signatures}) {
		t.Error("a sealed copy of the document is taken for an attachment")
	}
}

// TestOpenedFilesAreChecked: what slipped into an envelope is refused when it is opened, of whatever kind.
func TestOpenedFilesAreChecked(t *testing.T) {
	t.Parallel()
	s := &Service{Clock: time.Now}
	for text, want := range map[string]bool{"标题,密级\n甲,机密\n": true, "标题,密级\n甲,无\n": false} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "list.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.judge(t.Context(), &Opened{Files: []string{"list.csv"}}, time.Time{}, dir); errors.Is(err, document.ErrClassified) != want || !want && err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := s.judge(t.Context(), &Opened{Files: []string{"gone.csv"}}, time.Time{}, t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}
