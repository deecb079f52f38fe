package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"yinxin/document"
)

// TestFilesBeyondTheReaders: an OFD that is larger than any reader takes is refused and not judged by its name. The file is
// sparse.
func TestFilesBeyondTheReaders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var head bytes.Buffer
	z := zip.NewWriter(&head)
	w, err := z.Create("OFD.xml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "<OFD/>"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "data.bin")
	if err := os.WriteFile(large, head.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxInput+1); err != nil {
		t.Fatal(err)
	}
	err = checkUnclassifiedFile(large)
	if exit, code := faultOf(err); exit != exitRefused || code != "too_large" || errors.Is(err, document.ErrClassified) {
		t.Errorf("%v: exit %d %s, want too_large", err, exit, code)
	}
}
