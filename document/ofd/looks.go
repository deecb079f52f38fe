package ofd

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
)

// LooksLike reports whether a file means to be an OFD, so that it is judged and refused as one: a ZIP with an entry that
// only an OFD has, under a name that a lenient reader would take for it, and a damaged ZIP that mentions OFD.xml. Any other
// ZIP (.docx, .xlsx, an archive of documents) is none. What it says yes to may still be refused by [Open]. The error is one of
// reading.
func LooksLike(r io.ReaderAt, size int64) (bool, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return mentions(io.NewSectionReader(r, 0, size), []byte(rootEntry))
	}
	for _, f := range z.File {
		if ownName(f.Name) {
			return true, nil
		}
	}
	return false, nil
}

// ownName reports whether an entry of that name makes a package an OFD: the root of one, in any case and behind any
// dots and slashes, or the root of one of its documents.
func ownName(name string) bool {
	name = strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "./")
	if strings.EqualFold(name, rootEntry) {
		return true
	}
	document, err := path.Match("Doc_*/Document.xml", name)
	return err == nil && document
}

// mentions looks for a word in all of a stream.
func mentions(r io.Reader, word []byte) (bool, error) {
	const block = 64 << 10
	buf := make([]byte, block)
	held := 0
	for {
		n, err := io.ReadFull(r, buf[held:])
		held += n
		if bytes.Contains(buf[:held], word) {
			return true, nil
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return false, nil
		case err != nil:
			return false, err
		}
		held = copy(buf, buf[held-len(word)+1:held])
	}
}
