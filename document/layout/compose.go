package layout

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"yinxin/document"
	"yinxin/document/fonts"
)

// maxPages bounds a document; a longer one is an error.
const maxPages = 2000

// Compose lays d out, once d.Validate finds no fault in it. What cannot be shown exactly is a warning in the result. The
// same document and faces give the same pages.
func Compose(d *document.Document, faces *fonts.Set) (*Pages, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("compose: %w", err)
	}
	faces.Load(rolesOf(d)...)
	set := newSetter(faces)
	c, err := setPages(d, set, false)
	if errors.Is(err, errAgain) {
		c, err = setPages(d, set, true)
	}
	if err != nil {
		return nil, fmt.Errorf("compose %s: %w", d.Number, err)
	}
	c.warnBareSeals()
	if len(set.standIns) > 0 {
		set.warn("face_substituted", "%s", strings.Join(set.standIns, ", "))
	}
	out := &Pages{Pages: c.pages, SealSpots: c.spots, Warnings: set.warnings}
	if len(c.spots) > 0 {
		out.SealSpot = &c.spots[0]
	}
	return out, nil
}

// errAgain asks for the pages to be set anew with the addressees in the 版记.
var errAgain = errors.New("the addressees leave no room for the text")

func setPages(d *document.Document, set *setter, toInImprint bool) (*composer, error) {
	c := &composer{doc: d, set: set, unnumbered: make(map[int]bool), toInImprint: toInImprint}
	c.newPage()
	for _, step := range []func() error{c.head, c.text, c.annexes, c.imprint, c.pageNumbers} {
		if err := step(); err != nil {
			return nil, err
		}
		if len(c.pages) > maxPages {
			return nil, fmt.Errorf("more than %d pages", maxPages)
		}
	}
	return c, nil
}

// tooLong is the fault of an element that does not fit its place on the page: nothing is printed outside of it.
func tooLong(field, format string, args ...any) error {
	return &document.InvalidError{Faults: []document.Fault{{Field: field, Code: "too_long", Detail: fmt.Sprintf(format, args...)}}}
}

// warnBareSeals tells of pages that bear a seal and no text, which GB/T 9704-2012 7.3.5.5 forbids, and of a first page
// without text (7.3.3).
func (c *composer) warnBareSeals() {
	bears := func(page int) bool {
		return slices.ContainsFunc(c.pages[page].Runs, func(r Run) bool {
			return r.Element == Body || r.Element == AttachmentRef || r.Element == Attending
		}) || len(c.pages[page].Pictures) > 0
	}
	for _, s := range c.spots {
		if !bears(s.Page) {
			c.set.warn("seal_without_text", "page %d bears a seal and no text: add or cut a line of the text", s.Page+1)
		}
	}
	if !bears(0) {
		c.set.warn("first_page_without_text", "the head leaves no room for the text on page 1")
	}
}

// rolesOf lists the faces that d needs, so that they are loaded together.
func rolesOf(d *document.Document) []fonts.Role {
	roles := []fonts.Role{fonts.XiaoBiaoSong, fonts.FangSong, fonts.Song}
	hei := d.Urgency != document.Normal || len(d.Annexes) > 0 || len(d.Attendance) > 0
	for _, p := range d.Body {
		hei = hei || p.Level == 1 || p.Table != nil
	}
	if hei {
		roles = append(roles, fonts.Hei)
	}
	return roles
}

// composer fills pages from top to bottom.
type composer struct {
	doc   *document.Document
	set   *setter
	pages []Page
	// y is the top of the next line's characters on the last page.
	y float64
	// low is the lowest point that text or seal takes on the last page.
	low float64
	// spots are the places for seals, one for each issuer in their order.
	spots []Spot
	// toInImprint says that the addressees found no room before the body and go to the 版记.
	toInImprint bool
	// unnumbered are the pages without a number.
	unnumbered map[int]bool
}

func (c *composer) newPage() {
	c.pages = append(c.pages, Page{Width: PageWidth, Height: PageHeight})
	c.y, c.low = areaTop, areaTop
}

// fits reports whether a line of 3号 characters at y stays inside the type area.
func fits(y float64) bool {
	const slack = 0.01
	return y+size3 <= areaBottom+slack
}

// put sets glyphs from x on the last page, with the top of the em at top.
func (c *composer) put(el Element, glyphs []glyph, x, top float64) {
	c.putOn(len(c.pages)-1, el, glyphs, x, top)
}

func (c *composer) putOn(page int, el Element, glyphs []glyph, x, top float64) {
	if len(glyphs) == 0 {
		return
	}
	first := glyphs[0]
	baseline := top + first.face.EmTop()*first.style.size
	runs := runsOf(el, glyphs, x, baseline)
	c.pages[page].Runs = append(c.pages[page].Runs, runs...)
	if page == len(c.pages)-1 {
		c.low = max(c.low, top+first.style.size)
	}
}

// runsOf joins glyphs of one face, size and colour into runs.
func runsOf(el Element, glyphs []glyph, x, baseline float64) []Run {
	var out []Run
	var text strings.Builder
	origin := 0.0 // where the run's last character starts
	flush := func() {
		if n := len(out); n > 0 {
			out[n-1].Text = text.String()
			text.Reset()
		}
	}
	for i, g := range glyphs {
		start := x + g.shift
		if i > 0 && sameFace(glyphs[i-1], g) {
			r := &out[len(out)-1]
			r.Advances[len(r.Advances)-1] = start - origin
		} else {
			flush()
			out = append(out, Run{Element: el, X: start, Y: baseline, Face: g.face, Size: g.style.size, Color: g.style.color})
		}
		r := &out[len(out)-1]
		r.Advances = append(r.Advances, g.advance-g.shift)
		text.WriteRune(g.char)
		origin, x = start, x+g.advance
	}
	flush()
	return out
}

func sameFace(a, b glyph) bool {
	return a.face == b.face && a.style.size == b.style.size && a.style.color == b.style.color
}

func (c *composer) rule(page int, el Element, y, width float64, color Color) {
	p := &c.pages[page]
	p.Rules = append(p.Rules, Rule{Element: el, X1: areaLeft, Y1: y, X2: areaRight, Y2: y, Width: width, Color: color})
}

// putText measures and sets one line of text at x.
func (c *composer) putText(el Element, text string, st style, x, top float64) error {
	g, err := c.set.glyphs(text, st)
	if err != nil {
		return err
	}
	c.put(el, g, x, top)
	return nil
}

// putCentred sets one line in the middle of the type area.
func (c *composer) putCentred(el Element, text string, st style, top float64) error {
	g, err := c.set.glyphs(text, st)
	if err != nil {
		return err
	}
	c.put(el, g, areaLeft+(areaWidth-totalWidth(g))/2, top)
	return nil
}
