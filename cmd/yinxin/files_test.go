package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestWriteIntoWhatIsNoFile: an open file by its number, and a device, are written to; nothing takes their place.
func TestWriteIntoWhatIsNoFile(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data := []byte("a result")
	if err := writeFile(fmt.Sprintf("/dev/fd/%d", w.Fd()), data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%q, %v", got, err)
	}
	if err := writeFile(os.DevNull, data); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(os.DevNull); err != nil || st.Mode()&os.ModeDevice == 0 {
		t.Errorf("%s is no device any more: %v", os.DevNull, err)
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := writeFile(path, data); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestReadWithin: a file of the limit is read, one byte more is not, of a device no more than the limit.
func TestReadWithin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 10), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := readWithin(path, 10); err != nil || len(data) != 10 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	for _, p := range []string{path, "/dev/zero"} {
		if data, err := readWithin(p, 9); err == nil || len(data) > 0 {
			t.Errorf("%s: %d bytes, %v", p, len(data), err)
		}
	}
}
