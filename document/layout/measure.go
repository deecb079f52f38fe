package layout

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"yinxin/document/fonts"
)

// mmPerPoint converts typographic points.
const mmPerPoint = 25.4 / 72

// Type sizes as the em in mm (official-document sizes by their Chinese numbers). 3号 is 15.75 pt, not 16: twenty-eight
// characters of 16 pt do not fit the type area.
const (
	size2 = 22 * mmPerPoint
	size3 = 15.75 * mmPerPoint
	size4 = 14 * mmPerPoint
)

// style is how a piece of text is set.
type style struct {
	role  fonts.Role
	size  float64
	color Color
	// cell is the advance of a full-width character in mm: size, or the body's grid.
	cell float64
}

func body(role fonts.Role) style { return style{role: role, size: size3, cell: cell} }

func plain(role fonts.Role, size float64) style { return style{role: role, size: size, cell: size} }

// glyph is one character with its place inside its own advance.
type glyph struct {
	char    rune
	face    *fonts.Face
	style   style
	advance float64
	// shift moves the character's origin right inside its advance, so that a narrow quotation mark fills a full cell.
	shift float64
	// ink is the character's own advance in its face.
	ink float64
}

// setter measures text and remembers what it had to substitute.
type setter struct {
	faces    *fonts.Set
	warnings []Warning
	warned   map[string]bool
	standIns []string
}

func newSetter(faces *fonts.Set) *setter { return &setter{faces: faces, warned: make(map[string]bool)} }

func (s *setter) warn(code, format string, args ...any) {
	w := Warning{Code: code, Detail: fmt.Sprintf(format, args...)}
	if key := w.Code + w.Detail; !s.warned[key] {
		s.warned[key] = true
		s.warnings = append(s.warnings, w)
	}
}

// halfWidth is half-width punctuation beside a Chinese character.
var halfWidth = regexp.MustCompile(`\p{Han}[,:;()?!]|[,:;()?!]\p{Han}`)

// warnHalfWidth tells the author of the first half-width mark that stands among Chinese characters.
func (s *setter) warnHalfWidth(text string) {
	if at := halfWidth.FindString(text); at != "" {
		s.warn("halfwidth_punctuation", "%s: Chinese text wants full-width punctuation", at)
	}
}

// face is the face for a role, noting a stand-in.
func (s *setter) face(role fonts.Role) (*fonts.Face, error) {
	f, err := s.faces.Face(role)
	if err != nil {
		return nil, fmt.Errorf("lay out: %w", err)
	}
	if key := "face " + f.Official(); f.Official() != f.Family() && !s.warned[key] {
		s.warned[key] = true
		s.standIns = append(s.standIns, f.Official()+": "+f.Family())
	}
	return f, nil
}

// geta stands for a character that no face draws.
const geta = '〓'

// missingGlyph is the warning that a character is not what the draft has.
const missingGlyph = "glyph_missing"

// MissingGlyphs are the warnings of the characters that no face has: the pages print 〓 in their place.
func (p *Pages) MissingGlyphs() []Warning {
	var out []Warning
	for _, w := range p.Warnings {
		if w.Code == missingGlyph {
			out = append(out, w)
		}
	}
	return out
}

// around quotes the text about a character that is printed as geta.
func around(text []rune, i int) string {
	const each = 6 // characters
	from, to := max(0, i-each), min(len(text), i+1+each)
	return string(text[from:i]) + string(geta) + string(text[i+1:to])
}

// pick is the face that draws r, or geta where none does; where quotes the text about it.
func (s *setter) pick(role fonts.Role, r rune, where func() string) (rune, *fonts.Face, error) {
	own, err := s.face(role)
	if err != nil {
		return 0, nil, err
	}
	if own.Has(r) {
		return r, own, nil
	}
	if other, ok := s.faces.Resolve(role, r); ok {
		s.warn("character_substituted", "%c (%U) taken from %s", r, r, other.Family())
		return r, other, nil
	}
	s.warn(missingGlyph, "no face has %U; printed as %c in %s", r, geta, where())
	return geta, own, nil
}

// glyphs measures text in one style.
func (s *setter) glyphs(text string, st style) ([]glyph, error) {
	runes := []rune(text)
	out := make([]glyph, 0, len(runes))
	for i, r := range runes {
		if unicode.IsControl(r) {
			r = ' '
		}
		full := fullWidth(runes, i)
		r, face, err := s.pick(st.role, r, func() string { return around(runes, i) })
		if err != nil {
			return nil, err
		}
		natural, ok := face.Advance(r)
		if !ok {
			return nil, fmt.Errorf("lay out %U: %w", r, fonts.ErrNoGlyph)
		}
		g := glyph{char: r, face: face, style: st, ink: natural * st.size}
		g.advance = g.ink
		if full {
			g.advance = st.cell
			g.shift = fullShift(r, st.cell-g.ink)
		}
		out = append(out, g)
	}
	return out, nil
}

// fullWidth reports whether a character takes a full cell. Quotation marks, dashes and dots are narrow in many faces but
// full in Chinese text, save between two Latin letters.
func fullWidth(text []rune, i int) bool {
	r := text[i]
	if strings.ContainsRune("“”‘’…—·※①②③④⑤⑥⑦⑧⑨⑩", r) {
		return !(i > 0 && i+1 < len(text) && isLatin(text[i-1]) && isLatin(text[i+1]))
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return true
	}
	return false
}

func fullShift(r rune, slack float64) float64 {
	const small = 0.05 // mm: the body's grid is that much wider than its type
	switch {
	case slack < small:
		return 0
	case r == '“' || r == '‘':
		return slack
	case r == '”' || r == '’':
		return 0
	}
	return slack / 2
}

func isLatin(r rune) bool { return r < 0x2000 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

func totalWidth(glyphs []glyph) float64 {
	w := 0.0
	for _, g := range glyphs {
		w += g.advance
	}
	return w
}

// width measures text in one style.
func (s *setter) width(text string, st style) (float64, error) {
	g, err := s.glyphs(text, st)
	return totalWidth(g), err
}
