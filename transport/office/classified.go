package office

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
)

// MaxText bounds how much of a text file is read by its format, in bytes from its beginning; what follows is looked at as
// plain text.
const MaxText = 16 << 20

// maxNesting bounds how deep documents in documents are opened.
const maxNesting = 3

// CheckUnclassified refuses a file that bears a classification, in its name or in what can be read of it: all of an OFD
// with its attachments (ofd.Package.CheckUnclassified), the information dictionary and XMP of a PDF, and text of any
// kind (plain, CSV, Markdown, XML, JSON, HTML, RTF) in UTF-8, UTF-16 or GB 18030, and the same in the entries of a ZIP,
// as .docx and .xlsx are, 256 MiB of it. The error is document.ErrClassified and carries no word of the file. An OFD or PDF
// that cannot be opened gives the error of its reader. Pictures, page content of PDF, and other binary files are not read.
// No setting changes any of this. Text is looked at through windows of 1 MiB, so that beside what is given little more is
// held in memory, whatever the bytes are; of JSON a single value is held whole.
func CheckUnclassified(name string, data []byte) error { return checkFile(name, data, nil, surface()) }

// CheckLargeUnclassified is CheckUnclassified of a file that is larger than memory may hold: head is its beginning, and
// whole opens it as a stream from there.
func CheckLargeUnclassified(name string, head []byte, whole func() (io.ReadCloser, error)) error {
	return checkFile(name, head, whole, surface())
}

// CheckPackageUnclassified is CheckUnclassified of an OFD that is opened already, and may be larger than memory.
func CheckPackageUnclassified(name string, pkg *ofd.Package) error {
	if err := checkName(name); err != nil {
		return err
	}
	return checkPackage(pkg, surface())
}

// checkUnclassified opens an OFD that bears no classification and has a page.
func checkUnclassified(data []byte) (*ofd.Package, error) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return nil, err
	}
	if err := checkPackage(pkg, surface()); err != nil {
		return nil, err
	}
	if len(pkg.Pages()) == 0 {
		return nil, &document.InvalidError{Faults: []document.Fault{{Field: "pages", Code: "missing", Detail: "the document has no page"}}}
	}
	return pkg, nil
}

// checkUnclassified checks both forms of a draft.
func (d *Draft) checkUnclassified() error {
	if _, err := checkUnclassified(d.OFD); err != nil {
		return err
	}
	return checkPDF(d.PDF)
}

// CheckOpened refuses a classified file that came out of an envelope. What cannot be read is left to its verdict.
func CheckOpened(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	bound := int64(MaxText)
	if lower := strings.ToLower(file); strings.HasSuffix(lower, ".ofd") || strings.HasSuffix(lower, ".pdf") {
		bound = ofd.MaxFile
	}
	data, err := io.ReadAll(io.LimitReader(f, bound))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	var whole func() (io.ReadCloser, error)
	if int64(len(data)) == bound {
		whole = func() (io.ReadCloser, error) { return os.Open(file) }
	}
	if err := CheckLargeUnclassified(filepath.Base(file), data, whole); errors.Is(err, document.ErrClassified) {
		return err
	}
	return nil
}

func checkFile(name string, data []byte, whole func() (io.ReadCloser, error), at depth) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(data, []byte(zipMagic)):
		return checkZip(data, whole, at)
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return at.nested(checkPDF(data))
	}
	if err := checkTextFile(name, data); err != nil || whole == nil {
		return err
	}
	return checkStream(name, data, whole)
}

func checkPackage(pkg *ofd.Package, at depth) error {
	if _, err := pkg.Metadata(); err != nil && !errors.Is(err, ofd.ErrNoMetadata) {
		return err
	}
	return pkg.CheckUnclassified(func(name string, data []byte, whole func() (io.ReadCloser, error)) error {
		inside, open := at.deeper()
		if !open {
			return nil
		}
		return checkFile(name, data, whole, inside)
	})
}

// checkName looks at the name of a file: 机密.pdf, 密级.txt.
func checkName(name string) error {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return checkText("the name of a file", base)
}

func checkText(where, text string) error {
	if kind, found := document.FindClassification(text); found {
		return &document.ClassifiedError{Where: where, Kind: kind}
	}
	return nil
}

// checkPDF looks at what a PDF says of itself: its information dictionary and its XMP.
func checkPDF(data []byte) error {
	f, err := pdf.Open(data)
	if err != nil {
		return err
	}
	v := f.Current()
	if entry, there := v.Trailer()["Info"]; there {
		if err := checkInfo(v, entry); err != nil {
			return err
		}
	}
	catalog, err := v.Catalog()
	if err != nil {
		return err
	}
	o, err := v.Resolve(catalog["Metadata"])
	if err != nil {
		return err
	}
	stream, ok := o.(*pdf.Stream)
	if !ok {
		return nil
	}
	xmp, err := pdf.Decode(stream, MaxText)
	if err != nil {
		return nil //nolint:nilerr // a filter that is not read here, as that of a picture
	}
	return checkTextFile("metadata.xml", xmp)
}

func checkInfo(v *pdf.View, entry pdf.Object) error {
	info, err := v.Dict(entry)
	if err != nil {
		return err
	}
	for key, value := range info {
		s, err := v.Resolve(value)
		if err != nil {
			return err
		}
		text, ok := s.(pdf.String)
		if !ok {
			continue
		}
		const where = "the document information"
		if document.ClassifiedElementNamed(string(key), pdfText(text.Value)) {
			return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
		}
		if err := checkText(where, pdfText(text.Value)); err != nil {
			return err
		}
	}
	return nil
}

// pdfText reads a text string: UTF-16 behind a byte order mark, UTF-8 otherwise, which holds for plain ASCII too.
func pdfText(b []byte) string {
	if len(b) < 2 || b[0] != 0xFE || b[1] != 0xFF {
		return string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

// checkMarkup looks at the names of elements and attributes with their values, as far as the markup can be read.
func checkMarkup(where, text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded before
	refused := &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
	open, label := "", ""
	for {
		t, err := d.RawToken()
		if err != nil {
			return nil //nolint:nilerr // the end, or no further readable; the text itself is looked at anyway
		}
		switch t := t.(type) {
		case xml.StartElement:
			open, label = t.Name.Local, ""
			value := ""
			for _, a := range t.Attr {
				if document.ClassifiedElementNamed(a.Name.Local, a.Value) {
					return refused
				}
				switch strings.ToLower(a.Name.Local) {
				case "name", "key", "property":
					label = a.Value
				case "value", "content":
					value = a.Value
				}
				if err := checkText(where, a.Value); err != nil {
					return err
				}
			}
			if document.ClassifiedElementNamed(label, value) {
				return refused
			}
		case xml.CharData:
			text := string(t)
			if document.ClassifiedElementNamed(open, text) || document.ClassifiedElementNamed(label, text) {
				return refused
			}
		case xml.EndElement:
			open, label = "", ""
		}
	}
}
