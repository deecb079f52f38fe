package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"关于印发的通知 (7) ~":    "关于印发的通知 (7) ~",
		"\x1b[2Jok":        `\u001b[2Jok`,
		"a\u009b31m":       `a\u009b31m`,
		"a\rb\nc\td\x7f":   `a\u000db\u000ac\u0009d\u007f`,
		"\u202efdp.exe":    `\u202efdp.exe`,
		"raw \x9b31m":      `raw \x9b31m`,
		"replaced \ufffd.": "replaced \ufffd.",
		"a\u2028b":         `a\u2028b`,
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestScreenCutCharacters: a character that comes in two writes is not torn apart, and one that never ends is shown.
func TestScreenCutCharacters(t *testing.T) {
	t.Parallel()
	text := "印信 🀄\n"
	for size := 1; size < len(text); size++ {
		var out strings.Builder
		s := &screen{w: &out}
		for rest := []byte(text); len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if n, err := s.Write(rest[:min(size, len(rest))]); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		}
		if err := s.close(); err != nil || out.String() != text {
			t.Errorf("by %d bytes: %q, %v", size, out.String(), err)
		}
	}
	var out strings.Builder
	s := &screen{w: &out}
	if _, err := s.Write([]byte("a\xe5\x8d")); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil || out.String() != `a\xe5\x8d` {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestScreenKeepsJSON: what is escaped in JSON means the same afterwards.
func TestScreenKeepsJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	text := "a\x1b[2J\u009b\u202e\x7f\n"
	if err := json.NewEncoder(&screen{w: &out}).Encode(text); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != text {
		t.Errorf("%q, %v", got, err)
	}
	if strings.ContainsAny(strings.TrimSuffix(out.String(), "\n"), "\x1b\u009b\u202e\x7f") {
		t.Errorf("raw: %q", out.String())
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestScreenRemembersFaults(t *testing.T) {
	t.Parallel()
	s := &screen{w: fullDisk{}}
	if _, err := s.Write([]byte("x")); err == nil {
		t.Error("no fault")
	}
	if err := s.close(); !errors.Is(err, errOutput) {
		t.Errorf("forgotten: %v", err)
	}
	s = &screen{w: fullDisk{}, cut: []byte{0xe5}}
	if err := s.close(); !errors.Is(err, errOutput) {
		t.Errorf("the end: %v", err)
	}
}
