package office

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"

	"golang.org/x/text/encoding/simplifiedchinese"

	"yinxin/document"
	"yinxin/document/ofd"
)

// zipMagic begins every ZIP with an entry.
const zipMagic = "PK\x03\x04"

// The bounds of looking into archives: entries of one, and bytes unpacked of all that lie in one file.
const (
	maxArchived      = 10_000
	maxArchivedBytes = 256 << 20
)

// depth says how deep inside of a file another one lies, and how much may still be unpacked there.
type depth struct {
	level int
	left  *int64
}

// surface is the depth of a file that lies in none.
func surface() depth {
	left := int64(maxArchivedBytes)
	return depth{left: &left}
}

// deeper is one level further in; false where documents in documents are not opened any more.
func (d depth) deeper() (depth, bool) {
	d.level++
	return d, d.level <= maxNesting
}

// nested lets pass what is broken inside of another document: only what can be read can be refused.
func (d depth) nested(err error) error {
	if d.level > 0 && !errors.Is(err, document.ErrClassified) {
		return nil
	}
	return err
}

// checkZip looks into an OFD, and into the entries of any other ZIP, as those of office programs are.
func checkZip(data []byte, whole func() (io.ReadCloser, error), at depth) (err error) {
	var r io.ReaderAt = bytes.NewReader(data)
	size := int64(len(data))
	if whole != nil {
		stream, err := whole()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stream.Close()) }()
		if file, ok := stream.(interface {
			io.ReaderAt
			io.Seeker
		}); ok {
			if size, err = file.Seek(0, io.SeekEnd); err != nil {
				return err
			}
			r = file
		}
	}
	looks, err := ofd.LooksLike(r, size)
	if err != nil {
		return err
	}
	if !looks {
		return checkArchive(r, size, at)
	}
	pkg, err := ofd.OpenReader(r, size)
	if err == nil {
		err = pkg.Check()
	}
	if err != nil {
		return at.nested(err)
	}
	return checkPackage(pkg, at)
}

// checkArchive looks at the name and the content of every entry, within the bounds. What is broken or encrypted cannot be
// read, and passes.
func checkArchive(r io.ReaderAt, size int64, at depth) error {
	at, open := at.deeper()
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) || !open {
		return nil
	}
	for _, f := range z.File[:min(len(z.File), maxArchived)] {
		name := entryName(f)
		if err := checkName(name); err != nil {
			return err
		}
		if f.FileInfo().IsDir() || *at.left <= 0 {
			continue
		}
		data := unpacked(f, min(MaxText, *at.left))
		*at.left -= int64(len(data))
		if err := checkFile(name, data, nil, at); errors.Is(err, document.ErrClassified) {
			return err
		}
	}
	return nil
}

// entryName is the name of an entry; where it is not UTF-8, as archivers on Chinese systems write it.
func entryName(f *zip.File) string {
	if !f.NonUTF8 {
		return f.Name
	}
	name, err := simplifiedchinese.GB18030.NewDecoder().String(f.Name)
	if err != nil {
		return f.Name
	}
	return name
}

// unpacked is the beginning of an entry, as far as it can be read.
func unpacked(f *zip.File, bound int64) []byte {
	r, err := f.Open()
	if err != nil {
		return nil
	}
	data, _ := io.ReadAll(io.LimitReader(r, bound)) // what came before a fault is looked at too
	_ = r.Close()
	return data
}
