package aspect_test

import (
	"strings"
	"testing"

	"yinxin/archive/aspect"
	"yinxin/archive/aspect/aspecttest"
)

// clamd is a daemon that says the same to every scan; nothing for the truth.
func clamd(t *testing.T, say string) aspect.Clamd {
	t.Helper()
	d := aspecttest.Start(t)
	if say != "" {
		d.Say.Store(&say)
	}
	return d.Clamd
}

func TestClamd(t *testing.T) {
	t.Parallel()
	c := clamd(t, "")
	if v, err := c.Version(t.Context()); err != nil || !strings.HasPrefix(v, "ClamAV 1.4.3/27800") {
		t.Errorf("%q, %v", v, err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":      {"", ""},
		"clean":        {strings.Repeat("公文", 100_000), ""},
		"malware":      {aspecttest.EICAR(), "Eicar-Test-Signature"},
		"behind 1 MiB": {strings.Repeat("x", 1<<20) + aspecttest.EICAR(), "Eicar-Test-Signature"},
	} {
		if got, err := c.Scan(t.Context(), strings.NewReader(tt.text)); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// What is not understood is no clean file.
	for _, say := range []string{"INSTREAM size limit exceeded. ERROR\x00", "stream:  FOUND\x00", "\x00"} {
		if found, err := clamd(t, say).Scan(t.Context(), strings.NewReader("x")); err == nil {
			t.Errorf("%q: %q and no error", say, found)
		}
	}
	if _, err := (aspect.Clamd{Network: "tcp", Address: "127.0.0.1:1"}).Scan(t.Context(), strings.NewReader("x")); err == nil {
		t.Error("nobody there, and no error")
	}
}
