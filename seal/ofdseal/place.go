package ofdseal

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/verdict"
)

// ErrNotFound means that a document has no text to place a seal by.
var ErrNotFound = errors.New("ofdseal: the document has no such text")

// ErrManyDates means that several lines of a document without metadata are dates, and nobody can tell which one counts.
var ErrManyDates = errors.New("ofdseal: several lines of the document are dates")

// Hit is where words stand on a page, in millimetres from its top left corner.
type Hit struct {
	// Page counts from 0.
	Page       int
	X, Y, W, H float64
	// Line is the whole line that the words stand in.
	Line string
}

// Over is the stamp of a picture with its centre on the words.
func (h Hit) Over(picture seal.Size) seal.Stamp {
	return seal.Stamp{
		Page: h.Page, W: picture.W, H: picture.H,
		X: h.X + h.W/2 - picture.W/2, Y: h.Y + h.H/2 - picture.H/2,
	}
}

// dateLift is how far the centre of a seal lies above the date that it presses, in millimetres (GB/T 9704-2012, 7.3.5.1:
// name and date lie slightly below the centre).
const dateLift = 5.0

// OnDate is the stamp of a picture that presses the words as a seal presses the date of a document (骑年盖月): centred on
// them, its centre slightly above.
func (h Hit) OnDate(picture seal.Size) seal.Stamp {
	s := h.Over(picture)
	s.Y -= dateLift
	return s
}

// PageSizes are the sizes of the pages of the first document, for [seal.Seam.Stamps].
func PageSizes(pkg *ofd.Package) []seal.Size {
	sizes := make([]seal.Size, 0, len(pkg.Pages()))
	for _, p := range pkg.Pages() {
		sizes = append(sizes, seal.Size{W: p.Size.W, H: p.Size.H})
	}
	return sizes
}

// FindText finds words in the laid-out text of the first document, in reading order: whoever made it, and however its
// text objects cut the line. White space counts neither in the words nor in the text. The text of templates and
// annotations is not looked at. ErrNotFound if they stand nowhere; *verdict.ContainerError if a page cannot be read.
func FindText(pkg *ofd.Package, words string) ([]Hit, error) {
	want := []rune(solid(words))
	if len(want) == 0 {
		return nil, fmt.Errorf("%w: no words", ErrNotFound)
	}
	var hits []Hit
	err := eachLine(pkg, func(page int, l textLine) {
		for i := 0; i+len(want) <= len(l); i++ {
			if l[i : i+len(want)].is(want) {
				hits = append(hits, l[i:i+len(want)].hit(page, l))
			}
		}
	})
	if err == nil && len(hits) == 0 {
		err = fmt.Errorf("%w: %q", ErrNotFound, words)
	}
	return hits, err
}

// datePattern is a date in Arabic or Chinese digits, as it stands below a document.
var datePattern = regexp.MustCompile(`^(\d{4}年\d{1,2}月\d{1,2}日|[〇○零一二三四五六七八九]{4}年[元正一二三四五六七八九十]{1,3}月[初一二三四五六七八九十廿卅]{1,3}日)$`)

// FindDate finds the date of the first document (成文日期): the last line that is the date its metadata name; without
// metadata the only line that is a date and nothing else. ErrNotFound if there is none, ErrManyDates if there are several.
func FindDate(pkg *ofd.Package) (Hit, error) {
	isDate, known := datePattern.MatchString, false
	if m, err := pkg.Metadata(); err == nil && !m.IssuedOn.IsZero() {
		date := m.IssuedOn.Chinese()
		isDate, known = func(s string) bool { return s == date }, true
	}
	found, date := 0, Hit{}
	err := eachLine(pkg, func(page int, l textLine) {
		if text := l.String(); isDate(text) {
			found++
			date = l.hit(page, l)
		}
	})
	switch {
	case err != nil:
		return Hit{}, err
	case found == 0:
		return Hit{}, fmt.Errorf("%w: no line is a date", ErrNotFound)
	case found > 1 && !known:
		return Hit{}, fmt.Errorf("%w: %d of them", ErrManyDates, found)
	}
	return date, nil
}

// glyph is one visible character: its box on the page, and its baseline.
type glyph struct {
	char           rune
	x, base, w, em float64
}

// textLine is what stands on one baseline, from left to right.
type textLine []glyph

func (l textLine) String() string {
	var b strings.Builder
	for _, g := range l {
		b.WriteRune(g.char)
	}
	return b.String()
}

func (l textLine) is(want []rune) bool {
	for i, g := range l {
		if g.char != want[i] {
			return false
		}
	}
	return true
}

// ascent is the part of the em above the baseline that the box of a Chinese character has.
const ascent = 0.88

func (l textLine) hit(page int, whole textLine) Hit {
	h := Hit{Page: page, X: l[0].x, Line: whole.String()}
	right, top, bottom := l[0].x, math.Inf(1), math.Inf(-1)
	for _, g := range l {
		right = max(right, g.x+g.w)
		top, bottom = min(top, g.base-ascent*g.em), max(bottom, g.base+(1-ascent)*g.em)
	}
	h.Y, h.W, h.H = top, right-h.X, bottom-top
	return h
}

// solid leaves white space out.
func solid(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// eachLine goes through the lines of all pages from top to bottom.
func eachLine(pkg *ofd.Package, do func(page int, l textLine)) error {
	for i, page := range pkg.Pages() {
		content, ok := pkg.Entry(page.Name)
		if !ok {
			continue // whoever judges the package says so
		}
		root, err := ofd.ParseXML(page.Name, content, "Page")
		if err != nil {
			return err
		}
		var glyphs []glyph
		if err := collectText(root.Child("Content"), &glyphs); err != nil {
			return err
		}
		for _, l := range lines(glyphs) {
			do(i, l)
		}
	}
	return nil
}

// lines puts characters whose baselines lie close together on one line.
func lines(glyphs []glyph) []textLine {
	slices.SortStableFunc(glyphs, func(a, b glyph) int { return cmp.Compare(a.base, b.base) })
	const near = 0.25 // of the em
	var out []textLine
	for _, g := range glyphs {
		if n := len(out); n > 0 && g.base-out[n-1][0].base < near*g.em {
			out[n-1] = append(out[n-1], g)
			continue
		}
		out = append(out, textLine{g})
	}
	for _, l := range out {
		slices.SortStableFunc(l, func(a, b glyph) int { return cmp.Compare(a.x, b.x) })
	}
	return out
}

// collectText reads the text objects below e. Objects that are turned or mirrored are left out: no line runs through them.
func collectText(e *ofd.Element, out *[]glyph) error {
	if e == nil {
		return nil
	}
	if e.Name == "TextObject" {
		return textObject(e, out)
	}
	for _, c := range e.Children {
		if err := collectText(c, out); err != nil {
			return err
		}
	}
	return nil
}

func textObject(e *ofd.Element, out *[]glyph) error {
	boundary, err := ofd.ParseBox(e.Value("Boundary"))
	if err != nil {
		return err
	}
	m, err := matrix(e)
	if err != nil {
		return err
	}
	size, err := number(e.Value("Size"))
	if err != nil {
		return err
	}
	if m[1] != 0 || m[2] != 0 || m[0] <= 0 || m[3] <= 0 {
		return nil
	}
	var x, y float64
	for _, c := range e.All("TextCode") {
		for _, a := range []struct {
			name string
			to   *float64
		}{{"X", &x}, {"Y", &y}} { // absent: as in the TextCode before
			if v, given := c.Attr(a.name); given {
				if *a.to, err = number(v); err != nil {
					return err
				}
			}
		}
		chars := []rune(c.Text)
		steps, err := advances(c.Value("DeltaX"), len(chars), size)
		if err != nil {
			return err
		}
		if n := len(chars); n > 0 && chars[n-1] >= firstWide {
			steps[n-1] = size
		}
		at := x
		for i, r := range chars {
			if !unicode.IsSpace(r) {
				*out = append(*out, glyph{
					char: r, x: boundary.X + m[0]*at + m[4], base: boundary.Y + m[3]*y + m[5], w: m[0] * steps[i], em: m[3] * size,
				})
			}
			at += steps[i]
		}
	}
	return nil
}

// matrix reads the CTM, the identity if there is none.
func matrix(e *ofd.Element) ([6]float64, error) {
	m := [6]float64{1, 0, 0, 1, 0, 0}
	text, given := e.Attr("CTM")
	if !given {
		return m, nil
	}
	parts := strings.Fields(text)
	if len(parts) != len(m) {
		return m, verdict.Refuse(verdict.Number, "CTM %q has %d numbers", text, len(parts))
	}
	for i, p := range parts {
		var err error
		if m[i], err = number(p); err != nil {
			return m, err
		}
	}
	return m, nil
}

// firstWide begins the characters that are an em wide: radicals, kana, ideographs and full-width signs.
const firstWide = 0x2e80

// advances reads DeltaX: n-1 numbers for n characters, "g k v" for k times v. A short list goes on with its last number,
// an absent one with the size. The last character is as wide as the one before it, and at most an em.
func advances(text string, n int, size float64) ([]float64, error) {
	parts := strings.Fields(text)
	last := size
	out := make([]float64, 0, n)
	for i := 0; i < len(parts) && len(out) < n; i++ {
		times := 1
		if parts[i] == "g" {
			if i+2 >= len(parts) {
				return nil, verdict.Refuse(verdict.Number, "DeltaX ends after a g")
			}
			k, err := strconv.Atoi(parts[i+1])
			if err != nil || k < 0 {
				return nil, verdict.Refuse(verdict.Number, "DeltaX repeats %q times", parts[i+1])
			}
			times, i = k, i+2
		}
		v, err := number(parts[i])
		if err != nil {
			return nil, err
		}
		last = v
		for range min(times, n-len(out)) {
			out = append(out, v)
		}
	}
	for len(out) < n {
		out = append(out, min(last, size))
	}
	return out, nil
}

func number(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e6 {
		return 0, verdict.Refuse(verdict.Number, "%.40q is no number", s)
	}
	return v, nil
}
