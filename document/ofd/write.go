package ofd

import (
	"archive/zip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/document/layout"
)

// Attachment is a file that travels inside the package.
type Attachment struct {
	// Name is the file's name as the reader of the document sees it, with its suffix; no folders.
	Name string
	Data []byte
}

// ErrMissingAttachment is returned when the metadata list a file that was not handed over.
var ErrMissingAttachment = errors.New("listed attachment is missing")

// namespace is that of GB/T 33190-2016.
const namespace = "http://www.ofdspec.org/2016"

// creator names the program in DocInfo.
const creator = "yinxin"

// Write writes the pages as an OFD package, shaped after GB/T 33190-2016: the fonts embedded as subsets, every character
// placed by its own advance, the metadata as CustomDatas (document.MetadataKey holds all of it as JSON, readable entries
// stand beside it), the attachments inside. Number of pages, sizes and digests are filled into the metadata on the way.
// The same input gives the same bytes.
func Write(w io.Writer, p *layout.Pages, m document.Metadata, attachments []Attachment) error {
	return write(w, p, m, attachments, docType)
}

func write(w io.Writer, p *layout.Pages, m document.Metadata, attachments []Attachment, kind string) error {
	m, err := completeMetadata(m, len(p.Pages), attachments)
	if err != nil {
		return fmt.Errorf("write OFD: %w", err)
	}
	b := &builder{pages: p, docType: kind}
	for _, step := range []func() error{b.fonts, b.pictures, b.content, func() error { return b.attach(attachments) }} {
		if err := step(); err != nil {
			return fmt.Errorf("write OFD: %w", err)
		}
	}
	b.document()
	if err := b.root(m); err != nil {
		return fmt.Errorf("write OFD: %w", err)
	}
	if err := writeZip(w, b.files, m.IssuedOn.Time()); err != nil {
		return fmt.Errorf("write OFD: %w", err)
	}
	return nil
}

// completeMetadata fills in what is known only now. A listed file that was not handed over is an error: the 附件说明 would
// promise what the package does not hold.
func completeMetadata(m document.Metadata, pages int, attachments []Attachment) (document.Metadata, error) {
	m.Pages, m.BodyFormat = pages, "OFD"
	byName := make(map[string][]byte, len(attachments))
	for _, a := range attachments {
		if a.Name == "" || path.Base(a.Name) != a.Name {
			return m, fmt.Errorf("attachment %q: want a file name without folders", a.Name)
		}
		if _, twice := byName[a.Name]; twice {
			return m, fmt.Errorf("attachment %q occurs twice", a.Name)
		}
		byName[a.Name] = a.Data
	}
	infos := append([]document.AttachmentInfo(nil), m.Attachments...)
	for i := range infos {
		if infos[i].File == "" {
			continue
		}
		data, ok := byName[infos[i].File]
		if !ok {
			return m, fmt.Errorf("%w: %s", ErrMissingAttachment, infos[i].File)
		}
		sum := gm.SM3(data)
		infos[i].Size, infos[i].SM3 = int64(len(data)), hex.EncodeToString(sum[:])
		infos[i].Format = strings.TrimPrefix(path.Ext(infos[i].File), ".")
	}
	m.Attachments = infos
	return m, nil
}

// file is one entry of the package.
type file struct {
	name string
	data []byte
}

// writeZip writes the entries in their order, deflated: a stored entry would carry a data descriptor that readers of the
// local headers take for the end of the entry when its content holds a ZIP of its own.
func writeZip(w io.Writer, files []file, modified time.Time) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		e, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: modified})
		if err != nil {
			return err
		}
		if _, err := e.Write(f.data); err != nil {
			return err
		}
	}
	return z.Close()
}
