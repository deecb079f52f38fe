package office

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
	"yinxin/transport"
)

// Draft is a composed document before it is sealed: the same pages twice.
type Draft struct {
	OFD, PDF []byte
	Metadata document.Metadata
	Pages    int
	// Spot is where the seal goes on the date, nil where the document bears none.
	Spot     *layout.Spot
	Warnings []string
}

// Attachments gives the content of a file that the draft names.
type Attachments func(name string) ([]byte, error)

// NoAttachments is for drafts that come without files: a draft that names one is refused.
func NoAttachments(name string) ([]byte, error) {
	return nil, &document.InvalidError{Faults: []document.Fault{{
		Field: "attachments", Code: "missing", Detail: fmt.Sprintf("the file %q was not given", name),
	}}}
}

// Compose validates a document, lays it out and writes it as OFD and PDF. A document that bears a classification gives
// document.ErrClassified, one that is not valid *document.InvalidError with every fault.
func Compose(d *document.Document, faces *fonts.Set, files Attachments) (*Draft, error) {
	return compose(d, faces, files, ofd.Write)
}

// ComposeArchival is Compose with the OFD in its archival form, see ofd.WriteArchival.
func ComposeArchival(d *document.Document, faces *fonts.Set, files Attachments) (*Draft, error) {
	return compose(d, faces, files, ofd.WriteArchival)
}

type writer func(w io.Writer, p *layout.Pages, m document.Metadata, attachments []ofd.Attachment) error

func compose(d *document.Document, faces *fonts.Set, files Attachments, write writer) (*Draft, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if err := d.LoadPictures(files); err != nil {
		return nil, err
	}
	pages, err := layout.Compose(d, faces)
	if err != nil {
		return nil, fmt.Errorf("lay out document: %w", err)
	}
	var attached []ofd.Attachment
	for _, a := range d.Attachments {
		if a.File == "" {
			continue
		}
		data, err := files(a.File)
		if err != nil {
			return nil, fmt.Errorf("attachment %s: %w", a.File, err)
		}
		if err := CheckUnclassified(a.File, data); errors.Is(err, document.ErrClassified) { // a broken file is no matter here
			return nil, err
		}
		attached = append(attached, ofd.Attachment{Name: a.File, Data: data})
	}
	draft := &Draft{Metadata: d.Metadata, Pages: len(pages.Pages), Spot: pages.SealSpot}
	for _, r := range d.Remarks {
		draft.Warnings = append(draft.Warnings, fmt.Sprintf("%v", r))
	}
	for _, w := range pages.Warnings {
		draft.Warnings = append(draft.Warnings, w.Code+": "+w.Detail)
	}
	var out bytes.Buffer
	if err := write(&out, pages, d.Metadata, attached); err != nil {
		return nil, fmt.Errorf("write OFD: %w", err)
	}
	draft.OFD = bytes.Clone(out.Bytes())
	out.Reset()
	if err := pdf.Draw(&out, pages, d.Metadata); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	draft.PDF = out.Bytes()
	return draft, nil
}

// UrgencyOf is the urgency of an exchange for a document's own 紧急程度.
func UrgencyOf(u document.Urgency) transport.Urgency {
	switch u {
	case document.Urgent:
		return transport.Urgent
	case document.ExtraUrgent:
		return transport.ExtraUrgent
	case document.Normal:
	}
	return transport.Normal
}
