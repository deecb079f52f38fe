package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"yinxin/internal/durable"
)

// tooLarge is the code of a file beyond what is read.
const tooLarge = "too_large"

// readInput reads a whole file of bounded size.
func readInput(path string) ([]byte, error) { return readWithin(path, maxInput) }

// readWithin reads a whole file that may have so many bytes. More than that of what tells no size, such as a pipe or a device,
// is not read either.
func readWithin(path string, limit int64) (data []byte, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, refuse("not_found", exitNotFound, "%s is a folder", path)
	}
	beyond := refuse(tooLarge, exitRefused, "%s has more than %d bytes, which is all that is read", path, limit)
	if st.Size() > limit {
		return nil, beyond
	}
	if st.Mode().IsRegular() {
		return os.ReadFile(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer closing(&err, f)
	data, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, beyond
	}
	return data, err
}

// apart refuses a result that would take the place of what it is made from.
func apart(out string, inputs ...string) error {
	there, err := os.Stat(out)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to lose
	}
	for _, in := range inputs {
		if st, err := os.Stat(in); err == nil && os.SameFile(st, there) {
			return usage("%s is to be read and cannot be written over", in)
		}
	}
	return nil
}

// inputFile is an open input of known size.
type inputFile struct {
	io.ReaderAt
	io.Closer
	size int64
}

// openInput opens a file that is read as a stream. What tells no size, as a pipe, is read whole.
func openInput(path string) (*inputFile, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		data, err := readInput(path)
		if err != nil {
			return nil, err
		}
		return &inputFile{bytes.NewReader(data), io.NopCloser(nil), int64(len(data))}, nil
	}
	if st.Size() > maxInput {
		return nil, refuse(tooLarge, exitRefused, "%s has %d bytes, at most %d are read", path, st.Size(), maxInput)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &inputFile{f, f, st.Size()}, nil
}

// writeFile writes durably; an empty path means that nobody wants the file. What is no file is written to as it stands.
func writeFile(path string, data []byte) error {
	switch {
	case path == "":
		return nil
	case sink(path):
		return pour(path, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
	return durable.WriteFile(path, bytes.Clone(data), 0o644)
}

// sink reports whether a result goes into a device or a pipe, such as /dev/null, or into an open file by its number, such as
// /dev/stdout: in their place no file may be put.
func sink(path string) bool {
	switch whole, err := filepath.Abs(path); {
	case err != nil:
	case whole == "/dev/stdout", whole == "/dev/stderr", strings.HasPrefix(whole, "/dev/fd/"), strings.HasPrefix(whole, "/proc/"):
		return true
	}
	st, err := os.Stat(path)
	return err == nil && !st.Mode().IsRegular() && !st.IsDir()
}

// pour opens a sink for what write gives.
func pour(path string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer closing(&err, f)
	return write(f)
}
