package document

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds, in bytes.
const (
	// longLine is from which length of a line on not all of it is looked at, but what lies within reach of a character
	// that a mark or a label needs, a piece at a time.
	longLine = 8 << 10
	reach    = 1 << 10
	// blockLen is how much of a stream is held at a time, and blockOverlap how much of it again with what follows.
	blockLen     = 1 << 20
	blockOverlap = 64 << 10
)

// signal is a rune that a mark or a label cannot do without. Whatever FindClassification finds holds one of them, so that
// text without any is neither folded nor matched.
type signal uint8

const (
	signalSecret signal = 1 << iota // 密
	signalMi                        // 秘
	signalLevel                     // 级
	signalLabel                     // a colon that may follow an English label
	signalBreak                     // the end of a line
)

// mayClassify asks whether a line may hold a mark or a label by itself.
func (s signal) mayClassify() bool {
	return s&(signalSecret|signalLabel) != 0 || s&signalMi != 0 && s&signalLevel != 0
}

// nextSignal gives the first signal of the text from a place on, as it stands or as a form that folds to it.
func nextSignal(text string, from int) (at int, s signal) {
	for i := from; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			switch c {
			case '\n', '\r', '\v', '\f':
				return i, signalBreak
			case ':', '=':
				if mayEndLabel(text[:i]) {
					return i, signalLabel
				}
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch r {
		case '密', '宻':
			return i, signalSecret
		case '秘', '祕', '㊙':
			return i, signalMi
		case '级', '級':
			return i, signalLevel
		case '\u0085', '\u2028', '\u2029':
			return i, signalBreak
		case '：', '＝', '︓', '﹕', '﹦', '⁼', '₌', '⩴', '⩵', '⩶':
			if mayEndLabel(text[:i]) {
				return i, signalLabel
			}
		}
		i += size
	}
	return len(text), 0
}

// mayEndLabel asks whether a text may end with one of the English labels, which end with n, l or s.
func mayEndLabel(text string) bool {
	for text != "" {
		r, size := utf8.DecodeLastRuneInString(text)
		switch {
		case r <= ' ' || r == 0x7f || r > unicode.MaxASCII && isInvisible(r):
			text = text[:len(text)-size]
		case r <= unicode.MaxASCII:
			return strings.ContainsRune("nNlLsS", r)
		default:
			return !unicode.Is(unicode.Han, r)
		}
	}
	return false
}

// firstLine gives the first line with its break, and the signals in it.
func firstLine(text string) (line string, all signal) {
	for i := 0; ; {
		at, s := nextSignal(text, i)
		if s == 0 {
			return text, all
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		i = at + size
		if s != signalBreak {
			all |= s
			continue
		}
		if text[at] == '\r' && i < len(text) && text[i] == '\n' {
			i++
		}
		return text[:i], all
	}
}

// part says which ends of a text are cuts and no ends.
type part struct{ cutStart, cutEnd bool }

// find is FindClassification of a part of a text. A line that is cut is judged only if it is long: a short one lies
// whole in the part before or behind.
func (p part) find(text string) (kind string, found bool) {
	before, beforeSignals, secret := "", signal(0), false
	for rest := text; rest != ""; {
		line, s := firstLine(rest)
		first, last := len(rest) == len(text), len(rest) == len(line)
		rest = rest[len(line):]
		secret = secret || s&signalSecret != 0
		cut := part{p.cutStart && first, p.cutEnd && last}
		if (cut == part{} || len(line) > blockOverlap/2) && (s.mayClassify() || beforeSignals&signalSecret != 0) {
			if kind := cut.judgeLine(line, s, before); kind != "" {
				return kind, true
			}
		}
		before, beforeSignals = line, s
	}
	if secret && HasStarMark(text) { // a mark whose characters were set one by one
		return ClassifiedMark, true
	}
	return "", false
}

// judgeLine gives what a line holds, empty if it is nothing.
func (p part) judgeLine(line string, s signal, before string) string {
	before = plainText(lastVisible(before))
	if !s.mayClassify() && !isClassificationKey(before) {
		return "" // only below a label it would be more than prose
	}
	if len(line) > longLine || p != (part{}) {
		line = squeeze(line)
	}
	if len(line) <= longLine && p == (part{}) {
		return judge(line, plainText(line), before)
	}
	for from := 0; ; {
		at, _ := nextSignal(line, from)
		if at == len(line) {
			return ""
		}
		start, end := max(0, at-reach), at
		for ; at < min(len(line), start+longLine-reach); at, _ = nextSignal(line, at+1) {
			end = at
		}
		from, end = end+1, min(len(line), end+reach)
		piece, above := strings.ToValidUTF8(line[start:end], ""), before
		if start > 0 || p.cutStart {
			piece, above = "文"+piece, "" // no beginning of a line
		}
		if end < len(line) || p.cutEnd {
			piece += "的" // no end of a line, nor of what is said
		}
		if kind := judge(piece, plainText(piece), above); kind != "" {
			return kind
		}
	}
}

// lastVisible gives as much of the end of a line as tells whether it is a label or a full line.
func lastVisible(line string) string {
	const enough = 200
	if len(line) <= longLine {
		return line
	}
	at, seen := len(line), 0
	for at > 0 && seen < enough {
		r, size := utf8.DecodeLastRuneInString(line[:at])
		at -= size
		if !isInvisible(r) {
			seen++
		}
	}
	return line[at:]
}

// squeeze leaves out what is invisible, and makes all white space between two characters one space.
func squeeze(line string) string {
	var b strings.Builder
	b.Grow(len(line))
	space := false
	for _, r := range line {
		switch {
		case unicode.IsSpace(r):
			space = true
		case !isInvisible(r):
			if space {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

// FindClassificationIn is [FindClassification] of UTF-8 text of any length, in memory that does not grow with it. What
// lies further apart than 64 KiB is not seen together. The error is one of reading.
func FindClassificationIn(r io.Reader) (kind string, found bool, err error) {
	buf := make([]byte, blockOverlap+blockLen)
	held, cut := 0, false
	for {
		n, err := io.ReadFull(r, buf[held:])
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return "", false, fmt.Errorf("look for a classification: %w", err)
		}
		held += n
		if kind, found := (part{cutStart: cut, cutEnd: !end}).find(string(buf[:held])); found || end {
			return kind, found, nil
		}
		cut = true
		held = copy(buf, buf[held-blockOverlap:held])
	}
}
