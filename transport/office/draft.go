package office

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

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
	// attached are the files that came with the draft, as they came.
	attached [][]byte
}

// Attachments gives the content of a file that the draft names.
type Attachments func(name string) ([]byte, error)

// NoAttachments is for drafts that come without files: a draft that names one is refused.
func NoAttachments(name string) ([]byte, error) {
	return nil, &document.InvalidError{Faults: []document.Fault{{
		Field: "attachments", Code: "missing", Detail: fmt.Sprintf("the file %q was not given", name),
	}}}
}

// Composing says how a document is composed.
type Composing struct {
	// Archival writes the OFD in its archival form, see ofd.WriteArchival.
	Archival bool
	// MissingGlyphs lets a document pass that holds characters of which no face has a glyph: 〓 is printed in their place.
	MissingGlyphs bool
}

// Compose validates a document, lays it out and writes it as OFD and PDF. A document that bears a classification gives
// document.ErrClassified, one that is not valid *document.InvalidError with every fault; so does one with characters that no
// face has: what is sealed says what its draft says.
func Compose(d *document.Document, faces *fonts.Set, files Attachments) (*Draft, error) {
	return ComposeAs(d, faces, files, Composing{})
}

// ComposeAs is Compose in another way.
func ComposeAs(d *document.Document, faces *fonts.Set, files Attachments, how Composing) (*Draft, error) {
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
	if missing := pages.MissingGlyphs(); len(missing) > 0 && !how.MissingGlyphs {
		return nil, withoutGlyphs(d, faces, missing)
	}
	attached, err := attachments(d, files)
	if err != nil {
		return nil, err
	}
	contents := make([][]byte, 0, len(attached))
	for _, a := range attached {
		contents = append(contents, a.Data)
	}
	draft := &Draft{attached: contents, Metadata: d.Metadata, Pages: len(pages.Pages), Spot: pages.SealSpot}
	for _, r := range d.Remarks {
		draft.Warnings = append(draft.Warnings, fmt.Sprintf("%v", r))
	}
	for _, w := range pages.Warnings {
		draft.Warnings = append(draft.Warnings, w.Code+": "+w.Detail)
	}
	write := ofd.Write
	if how.Archival {
		write = ofd.WriteArchival
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

// withoutGlyphs is the fault of characters that cannot be printed, each with its field and the text about it.
func withoutGlyphs(d *document.Document, faces *fonts.Set, missing []layout.Warning) error {
	invalid := &document.InvalidError{}
	add := func(field, detail string) {
		invalid.Faults = append(invalid.Faults, document.Fault{Field: field, Code: missing[0].Code, Detail: detail})
	}
	for _, t := range d.PrintedTexts() {
		for _, r := range faces.Missing(t.Text) {
			add(t.Field, fmt.Sprintf("no face has %U: %s", r, about(t.Text, r)))
		}
	}
	if len(invalid.Faults) == 0 { // of a text that is no field, such as a mark that the layout adds
		for _, w := range missing {
			add("text", w.Detail)
		}
	}
	return invalid
}

// about quotes a text about a character that cannot be shown.
func about(text string, r rune) string {
	const each = 6 // characters
	before, after, _ := strings.Cut(text, string(r))
	b, a := []rune(before), []rune(after)
	return string(b[max(0, len(b)-each):]) + "〓" + string(a[:min(len(a), each)])
}

// attachments are the files that a draft names. A classified one gives document.ErrClassified.
func attachments(d *document.Document, files Attachments) ([]ofd.Attachment, error) {
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
	return attached, nil
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
