package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"testing"

	"yinxin/internal/web"
)

// TestVerifierWithoutSource: outside the source tree nothing is compiled, and nobody is told to wait for it.
func TestVerifierWithoutSource(t *testing.T) {
	t.Chdir(t.TempDir())
	v := compiledVerifier(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	for range 2 {
		if _, err := v.Program(); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, web.ErrCompiling) {
			t.Errorf("%v, want ErrNotExist", err)
		}
	}
}
