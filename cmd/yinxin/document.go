package main

import (
	"cmp"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
	"yinxin/internal/verify"
)

// checkUnclassified refuses a document with a classification: in the metadata or on the first page of an OFD, in the
// information dictionary of a PDF, whose pages cannot be read here. The error is document.ErrClassified and carries no
// word of the document. Other kinds of files pass; what cannot be opened gives the error of its reader.
func checkUnclassified(kind verify.Kind, data []byte) error {
	switch kind {
	case verify.KindOFD:
		return checkUnclassifiedOFD(data)
	case verify.KindPDF:
		return checkUnclassifiedPDF(data)
	}
	return nil
}

func checkUnclassifiedOFD(data []byte) error {
	pkg, err := ofd.Open(data)
	if err != nil {
		return err
	}
	if _, err := pkg.Metadata(); err != nil && !errors.Is(err, ofd.ErrNoMetadata) {
		return err
	}
	if kind, found := document.FindClassification(pkg.PageText(0)); found {
		return &document.ClassifiedError{Where: "page 1", Kind: kind}
	}
	return nil
}

func checkUnclassifiedPDF(data []byte) error {
	f, err := pdf.Open(data)
	if err != nil {
		return err
	}
	v := f.Current()
	entry, there := v.Trailer()["Info"]
	if !there {
		return nil
	}
	info, err := v.Dict(entry)
	if err != nil {
		return err
	}
	for _, value := range info {
		s, err := v.Resolve(value)
		if err != nil {
			return err
		}
		text, ok := s.(pdf.String)
		if !ok {
			continue
		}
		if kind, found := document.FindClassification(pdfText(text.Value)); found {
			return &document.ClassifiedError{Where: "document information", Kind: kind}
		}
	}
	return nil
}

// pdfText reads a text string: UTF-16 behind a byte order mark, UTF-8 otherwise, which holds for plain ASCII too.
func pdfText(b []byte) string {
	if len(b) < 2 || b[0] != 0xFE || b[1] != 0xFF {
		return string(b)
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

// spot is the centre of a seal: page from 0, mm.
type spot struct {
	page int
	x, y float64
}

// sealLift is how far a seal's centre stands above the middle of the date, in mm, so that it presses name and date in its
// lower half (GB/T 9704-2012 7.3.5.1); the same as when the document was laid out.
const sealLift = 5.0

// datePattern is a date as documents bear it.
var datePattern = regexp.MustCompile(`^[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日$`)

// findDate finds the line with the date (成文日期) of an OFD: the last line that is the date which the metadata name, or in
// a document without metadata the only line that is a date.
func findDate(data []byte) (spot, error) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return spot{}, err
	}
	m, err := pkg.Metadata()
	known := err == nil && !m.IssuedOn.IsZero()
	var found []spot
	for i, page := range pkg.Pages() {
		lines, err := linesOf(pkg, page)
		if err != nil {
			return spot{}, err
		}
		for _, l := range lines {
			if known && l.text == m.IssuedOn.Chinese() || !known && datePattern.MatchString(l.text) {
				found = append(found, spot{page: i, x: (l.left + l.right) / 2, y: l.middle - sealLift})
			}
		}
	}
	switch {
	case len(found) == 0:
		return spot{}, refuse("placement", exitUsage, "no line of the document is its date; give the place with --at page,x,y")
	case len(found) > 1 && !known:
		return spot{}, refuse("placement", exitUsage, "%d lines of the document are dates; give the place with --at page,x,y", len(found))
	}
	return found[len(found)-1], nil
}

// line is text on one height of a page, in mm.
type line struct {
	text                string
	left, right, middle float64
}

// linesOf reads the lines of a page: text objects of one height, from left to right. Objects with a matrix of their own
// are left out.
func linesOf(pkg *ofd.Package, page ofd.Page) ([]line, error) {
	content, ok := pkg.Entry(page.Name)
	if !ok {
		return nil, nil
	}
	root, err := ofd.ParseXML(page.Name, content, "Page")
	if err != nil {
		return nil, err
	}
	var objects []line
	if objects, err = textObjects(root, objects); err != nil {
		return nil, err
	}
	slices.SortStableFunc(objects, func(a, b line) int {
		if sameHeight(a, b) {
			return cmp.Compare(a.left, b.left)
		}
		return cmp.Compare(a.middle, b.middle)
	})
	var lines []line
	for _, o := range objects {
		if n := len(lines); n > 0 && sameHeight(lines[n-1], o) {
			lines[n-1].text += o.text
			lines[n-1].right = max(lines[n-1].right, o.right)
			continue
		}
		lines = append(lines, o)
	}
	for i := range lines {
		lines[i].text = strings.Join(strings.Fields(lines[i].text), "")
	}
	return lines, nil
}

func sameHeight(a, b line) bool { return math.Round(a.middle*2) == math.Round(b.middle*2) }

// textObjects gathers the text objects below an element. The depth of the elements is bounded by the reader.
func textObjects(e *ofd.Element, into []line) ([]line, error) {
	for _, c := range e.Children {
		if c.Name != "TextObject" {
			var err error
			if into, err = textObjects(c, into); err != nil {
				return nil, err
			}
			continue
		}
		if _, moved := c.Attr("CTM"); moved {
			continue
		}
		box, err := ofd.ParseBox(c.Value("Boundary"))
		if err != nil {
			return nil, err
		}
		l := line{left: box.X, right: box.X + box.W, middle: box.Y + box.H/2}
		for _, code := range c.All("TextCode") {
			l.text += code.Text
		}
		into = append(into, l)
	}
	return into, nil
}
