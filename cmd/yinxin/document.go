package main

import (
	"cmp"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"

	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
	"yinxin/internal/verify"
	"yinxin/transport/office"
)

// checkUnclassified refuses a document that bears a classification, as every sender's side does. What is recognised as OFD
// or PDF and cannot be opened gives the error of its reader.
func checkUnclassified(kind verify.Kind, name string, data []byte) error {
	switch kind {
	case verify.KindOFD:
		if _, err := ofd.Open(data); err != nil {
			return err
		}
	case verify.KindPDF:
		if _, err := pdf.Open(data); err != nil {
			return err
		}
	}
	return office.CheckUnclassified(name, data)
}

// checkUnclassifiedFile is checkUnclassified for a file of any size and kind. Documents are read whole, of other files as
// much as is looked at.
func checkUnclassifiedFile(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.Size() > maxInput { // too large for any reader of documents: its name alone
		return office.CheckUnclassified(path, nil)
	}
	kind, err := kindOf(path)
	if err != nil {
		return err
	}
	if kind == verify.KindOFD || kind == verify.KindPDF {
		data, err := readInput(path)
		if err != nil {
			return err
		}
		return checkUnclassified(kind, path, data)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, office.MaxText))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := office.CheckUnclassified(path, data); errors.Is(err, document.ErrClassified) {
		return err
	}
	return nil // broken, and no document that yinxin knows
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
