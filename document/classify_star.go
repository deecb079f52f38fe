package document

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// HasStarMark looks for a degree with a star in text whose order alone counts: across lines, as when the characters were
// set one by one.
func HasStarMark(text string) bool {
	for i := 0; ; {
		at, s := nextSignal(text, i)
		if s == 0 {
			return false
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		if s == signalSecret && starred(text[:at], text[at+size:]) {
			return true
		}
		i = at + size
	}
}

// starred asks whether 密 between two texts is part of a degree with a star, as starMark does.
func starred(left, right string) bool {
	back := &folded{text: left, back: true}
	r := back.next()
	if isDot(r) || isStar(r) {
		r = back.next()
	}
	if r != '绝' && r != '机' && r != '秘' {
		return false
	}
	on := &folded{text: right}
	r = on.next()
	if r == '级' {
		r = on.next()
	}
	for isDot(r) || strings.ContainsRune("()[]", r) && r != end {
		r = on.next()
	}
	if isStar(r) {
		return true
	}
	for r = back.next(); isDot(r); {
		r = back.next()
	}
	return isStar(r)
}

// end is what folded gives behind the last character.
const end rune = 0

// folded gives the characters of plainText one by one, on or back.
type folded struct {
	text    string
	back    bool
	pending []rune
}

func (f *folded) next() rune {
	for {
		if n := len(f.pending); n > 0 {
			at := 0
			if f.back {
				at = n - 1
			}
			r := f.pending[at]
			if f.back {
				f.pending = f.pending[:at]
			} else {
				f.pending = f.pending[1:]
			}
			return r
		}
		if f.text == "" {
			return end
		}
		r, size := utf8.DecodeRuneInString(f.text)
		if f.back {
			r, size = utf8.DecodeLastRuneInString(f.text)
			f.text = f.text[:len(f.text)-size]
		} else {
			f.text = f.text[size:]
		}
		if r > ' ' && r < 0x7f {
			return r
		}
		if r > unicode.MaxASCII {
			f.pending = append(f.pending[:0], []rune(plainText(string(r)))...)
		}
	}
}

// isDot is dots.
func isDot(r rune) bool {
	switch r {
	case '·', '•', '・', '‧', '∙', '.', '-', '–', '—', '_', '|':
		return true
	}
	return false
}

// isStar is stars.
func isStar(r rune) bool {
	return r >= '🟀' && r <= '🟏' || r != end && r > unicode.MaxASCII && r != '-' && strings.ContainsRune(stars, r)
}
