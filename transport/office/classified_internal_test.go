package office

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/document"
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
