package ofd

import (
	"errors"
	"io"

	"yinxin/document"
	"yinxin/document/layout"
)

// Attachment is a file that travels inside the package.
type Attachment struct {
	// Name is the file's name as the reader of the document sees it, with its suffix; no folders.
	Name string
	Data []byte
}

// Write writes the pages as an OFD package (shaped after GB/T 33190-2016): the fonts embedded as subsets, the metadata as
// CustomDatas (document.MetadataKey holds all of it as JSON), the attachments inside. The same input gives the same bytes.
func Write(w io.Writer, p *layout.Pages, m document.Metadata, attachments []Attachment) error {
	return errors.New("not yet built")
}
