package ofd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"yinxin/document"
	"yinxin/document/layout"
)

// What OFD.xml says of the package: the usual form, and the archival one.
const (
	docType         = "OFD"
	docTypeArchival = "OFD-A"
)

// ErrNotArchival is returned for what an archival package does not hold.
var ErrNotArchival = errors.New("not for the archival form")

// WriteArchival writes the pages as [Write] does, in the archival form: shaped after GB/T 42133-2022, whose text could not
// be read. It names itself OFD-A. The pages that yinxin composes keep to its rules as they are: one document, every font
// embedded and subset, pictures as PNG or JPEG, fonts in PublicRes and pictures in DocumentRes, no permissions, actions,
// extensions, external resources or encryption. Of attachments it takes text alone; another is ErrNotArchival. A seal that
// is put on afterwards is outside of the profile.
func WriteArchival(w io.Writer, p *layout.Pages, m document.Metadata, attachments []Attachment) error {
	for _, a := range attachments {
		if !utf8.Valid(a.Data) || bytes.IndexByte(a.Data, 0) >= 0 {
			return fmt.Errorf("write OFD: %w: attachment %s is no text", ErrNotArchival, a.Name)
		}
	}
	return write(w, p, m, attachments, docTypeArchival)
}
