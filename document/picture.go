package document

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // one of the two formats of pictures in a text
	_ "image/png"  // the other
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Picture is a picture among the paragraphs of a text: a PNG or a JPEG.
type Picture struct {
	// File is the name that the draft gives the picture by.
	File string
	// Caption is printed below it; may be empty.
	Caption string
	// Width on the page in mm; 0 for the picture's own size. One that is larger than the type area is made smaller.
	Width float64
	// Data is the file itself; nil until [Document.LoadPictures] has read it.
	Data []byte
}

// Bounds of the pictures of a document.
const (
	maxPictures      = 100
	MaxPicture       = 20 << 20 // bytes of one
	maxPicturesBytes = 64 << 20 // and of all of them
	maxPixels        = 25 << 20 // of one
	maxPictureWidth  = 156.0    // mm
	leastPicture     = 5.0      // mm wide
)

// ErrNotPicture is wrapped where a picture is neither a PNG nor a JPEG, or is too large.
var ErrNotPicture = errors.New("not a picture that a document can hold")

// Size reads the picture's format, png or jpeg, and its pixels.
func (p *Picture) Size() (format string, width, height int, err error) {
	if len(p.Data) > MaxPicture {
		return "", 0, 0, fmt.Errorf("%w: %d bytes, at most %d", ErrNotPicture, len(p.Data), MaxPicture)
	}
	conf, format, err := image.DecodeConfig(bytes.NewReader(p.Data))
	switch {
	case err != nil:
		return "", 0, 0, fmt.Errorf("%w: %w", ErrNotPicture, err)
	case format != "png" && format != "jpeg": // whatever else the program happens to read
		return "", 0, 0, fmt.Errorf("%w: %s; want PNG or JPEG", ErrNotPicture, format)
	case conf.Width < 1 || conf.Height < 1 || conf.Width > maxPixels/conf.Height:
		return "", 0, 0, fmt.Errorf("%w: %d × %d pixels", ErrNotPicture, conf.Width, conf.Height)
	}
	return format, conf.Width, conf.Height, nil
}

// Check reads the whole picture: one that is damaged or ends too early can be printed by nobody.
func (p *Picture) Check() error {
	if _, _, _, err := p.Size(); err != nil {
		return err
	}
	if _, _, err := image.Decode(bytes.NewReader(p.Data)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotPicture, err)
	}
	return nil
}

// LoadPictures reads the pictures that the draft names and does not hold yet. One that cannot be used is a fault; every
// fault is reported, in one InvalidError. An error of read comes back as it is.
func (d *Document) LoadPictures(read func(name string) ([]byte, error)) error {
	c := &checker{}
	total := 0
	for _, at := range d.pictures() {
		p := at.picture
		if p.Data == nil {
			data, err := read(p.File)
			if err != nil {
				return fmt.Errorf("picture %s: %w", p.File, err)
			}
			p.Data = data
		}
		if total += len(p.Data); total > maxPicturesBytes {
			c.add(at.field, "too_long", "the pictures have more than %d bytes in all", maxPicturesBytes)
			break
		}
		if err := p.Check(); err != nil {
			c.add(at.field, "malformed", "%s: %v", p.File, err)
		}
	}
	return c.err()
}

// Files are the names of all files that the draft refers to, attachments first, each once.
func (d *Document) Files() []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, a := range d.Attachments {
		add(a.File)
	}
	for _, p := range d.pictures() {
		add(p.picture.File)
	}
	return out
}

// placedPicture is a picture with the name of its place in the draft.
type placedPicture struct {
	field   string
	picture *Picture
}

func (d *Document) pictures() []placedPicture {
	var out []placedPicture
	collect := func(field string, list []Paragraph) {
		for i, p := range list {
			if p.Picture != nil {
				out = append(out, placedPicture{fmt.Sprintf("%s[%d].picture", field, i), p.Picture})
			}
		}
	}
	collect("body", d.Body)
	for _, a := range d.Annexes {
		collect(fmt.Sprintf("attachments[%d].text", a.Number-1), a.Body)
	}
	return out
}

func (p *Picture) check(c *checker, at string) {
	c.need(at+".file", p.File, "the picture's file")
	c.plain(at+".file", p.File, maxName)
	c.plain(at+".caption", p.Caption, maxTitle)
	if p.Width != 0 && !(p.Width >= leastPicture && p.Width <= maxPictureWidth) {
		c.add(at+".width", "malformed", "want %g to %g mm", leastPicture, maxPictureWidth)
	}
	if p.Data != nil {
		if _, _, _, err := p.Size(); err != nil {
			c.add(at, "malformed", "%v", err)
		}
	}
}

// picture reads {picture: {file: …, caption: …, width: …}}, or {picture: FILE}.
func (r *reader) picture(n *yaml.Node, field string) Paragraph {
	p := &Picture{}
	if n.Kind == yaml.ScalarNode {
		p.File = r.text(n, field)
		return Paragraph{Picture: p}
	}
	r.mapping(n, field, func(key string, value *yaml.Node) bool {
		switch key {
		case "file":
			p.File = r.text(value, field+".file")
		case "caption":
			p.Caption = r.text(value, field+".caption")
		case "width":
			mm, err := strconv.ParseFloat(r.text(value, field+".width"), 64)
			if err != nil || !(mm > 0) {
				r.fault(value, field+".width", "malformed", "want millimetres")
				return true
			}
			p.Width = mm
		default:
			return false
		}
		return true
	})
	return Paragraph{Picture: p}
}
