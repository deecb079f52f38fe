package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// screen is what a command writes to: it keeps control characters of file names, titles and reasons away from the terminal,
// and remembers the first fault of writing, so that a result nobody got is not taken for one. Inside JSON the escaped form
// means the same as the character.
type screen struct {
	w  io.Writer
	mu sync.Mutex
	// cut is the beginning of a character whose other bytes have not come yet.
	cut []byte
	err error
}

// errOutput marks a result that could not be written.
var errOutput = errors.New("the result could not be written")

// Write implements io.Writer. After a fault it writes nothing more.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	in := slices.Concat(s.cut, p)
	s.cut = nil
	if n := cutOff(in); n > 0 {
		s.cut = append(s.cut, in[len(in)-n:]...)
		in = in[:len(in)-n]
	}
	if _, err := io.WriteString(s.w, escape(string(in), "\n\t")); err != nil {
		s.err = fmt.Errorf("%w: %w", errOutput, err)
		return 0, s.err
	}
	return len(p), nil
}

// close writes what was cut off for good, and returns the first fault.
func (s *screen) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cut) > 0 && s.err == nil {
		if _, err := io.WriteString(s.w, escape(string(s.cut), "")); err != nil {
			s.err = fmt.Errorf("%w: %w", errOutput, err)
		}
		s.cut = nil
	}
	return s.err
}

// cutOff counts the bytes at the end that begin a character without ending it.
func cutOff(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// escape writes characters that steer a terminal, or turn the direction of text around, in their escaped form; but for those
// in keep.
func escape(text, keep string) string {
	if !strings.ContainsFunc(text, steers) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case !steers(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		case r != utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		case strings.HasPrefix(text[i:], string(utf8.RuneError)):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		}
	}
	return b.String()
}

// steers reports whether a terminal does something at r other than to show it. A byte that is no UTF-8 comes as RuneError.
func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
}

// plain is text from a file, a name or a hub for one line of output: a line break in it must not begin a line that looks like
// one of ours.
func plain(text string) string { return escape(text, "") }

// printLine prints a format whose texts are plain.
func printLine(w io.Writer, format string, args ...any) {
	shown := make([]any, len(args))
	for i, a := range args {
		shown[i] = a
		if v := reflect.ValueOf(a); v.IsValid() && v.Kind() == reflect.String {
			shown[i] = plain(v.String())
		}
	}
	fmt.Fprintf(w, format, shown...)
}
