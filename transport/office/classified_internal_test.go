package office

import "testing"

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
