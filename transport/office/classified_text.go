package office

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"yinxin/document"
)

// checkTextFile reads what is text, in every way that its kind can be read.
func checkTextFile(name string, data []byte) error {
	const where = "a text file"
	data = data[:min(len(data), MaxText)]
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	named := document.ClassifiedElementNamed(stem, "x")
	if named && len(data) > 64 {
		return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
	}
	for _, encoding := range encodings(name, data) {
		if err := checkJSON(where, decoded(data, encoding)); err != nil {
			return err
		}
		var format reading
		err := windows(decoded(data, encoding), func(text string) error {
			if named && document.ClassifiedElementNamed(stem, text) {
				return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
			}
			return format.check(where, text)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// textSuffixes are the files that are text whatever their bytes look like.
const textSuffixes = " .txt .csv .tsv .md .markdown .xml .json .yaml .yml .html .htm .xhtml .mht .rtf .log .ini .eml .svg .tex .sql "

// decoded reads text in an encoding as UTF-8; nil is UTF-8 itself.
func decoded(data []byte, as encoding.Encoding) io.Reader {
	if as == nil {
		return bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	}
	return transform.NewReader(bytes.NewReader(data), as.NewDecoder())
}

// A text is looked at through windows, so that memory does not grow with it: of windowLen bytes each, cut at the end of a line
// where one ends in the last windowOverlap bytes, which the next window shows again.
const (
	windowLen     = 1 << 20
	windowOverlap = 64 << 10
)

// windows shows a text piece by piece. What cannot be decoded ends it.
func windows(r io.Reader, look func(text string) error) error {
	buf := make([]byte, windowLen)
	for held := 0; ; {
		n, err := io.ReadFull(r, buf[held:])
		held += n
		if err != nil {
			return look(string(buf[:held]))
		}
		cut := lineEnd(buf[:held], held-windowOverlap)
		if err := look(string(buf[:cut])); err != nil {
			return err
		}
		held = copy(buf, buf[lineEnd(buf[:cut-windowOverlap], cut-2*windowOverlap):held])
	}
}

// lineEnd is the end of the last line that ends behind a place; where none does, that of a tag or at least of a character.
func lineEnd(text []byte, after int) int {
	for _, end := range []byte{'\n', '>'} {
		if i := bytes.LastIndexByte(text[after:], end); i >= 0 {
			return after + i + 1
		}
	}
	at := len(text)
	for at > after && !utf8.RuneStart(text[at-1]) {
		at--
	}
	return max(at-1, after)
}

var (
	utf16Marked = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	utf16Big    = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
)

// encodings are those in which a file may be text, by its name and its beginning; nil is UTF-8.
func encodings(name string, data []byte) []encoding.Encoding {
	suffix := strings.Contains(textSuffixes, " "+strings.ToLower(path.Ext(name))+" ") && path.Ext(name) != ""
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return []encoding.Encoding{utf16Marked}
	case !suffix && looksBinary(data):
		return nil
	case utf8.Valid(trimPartial(data)) && bytes.IndexByte(data, 0) < 0:
		return []encoding.Encoding{nil}
	}
	return anyEncoding
}

// anyEncoding is for what is not UTF-8 throughout; a single wrong byte does not make it another encoding.
var anyEncoding = []encoding.Encoding{nil, simplifiedchinese.GB18030, utf16Marked, utf16Big}

// checkStream looks through all of a large text file as plain text. Where its beginning is UTF-8 and the rest is not,
// all of it may be in any encoding.
func checkStream(name string, head []byte, whole func() (io.ReadCloser, error)) error {
	all := encodings(name, head)
	for i := 0; i < len(all); i++ {
		r, err := whole()
		if err != nil {
			return err
		}
		in := &utf8Reader{r: r}
		text := io.Reader(in)
		if all[i] != nil {
			text = transform.NewReader(in, all[i].NewDecoder())
		}
		kind, found, err := document.FindClassificationIn(text)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		if found {
			return &document.ClassifiedError{Where: "a text file", Kind: kind}
		}
		if len(all) == 1 && all[0] == nil && in.otherwise() {
			all = anyEncoding
		}
	}
	return nil
}

// utf8Reader notices whether what it reads is UTF-8 text.
type utf8Reader struct {
	r    io.Reader
	held []byte // the beginning of a character
	not  bool
}

func (u *utf8Reader) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if u.not {
		return n, err
	}
	u.held = append(u.held, b[:n]...)
	at := len(u.held)
	for i := 1; i < utf8.UTFMax && i <= at; i++ { // a character that goes on with the next read
		if utf8.RuneStart(u.held[at-i]) {
			if !utf8.FullRune(u.held[at-i:]) {
				at -= i
			}
			break
		}
	}
	u.not = !utf8.Valid(u.held[:at]) || bytes.IndexByte(u.held[:at], 0) >= 0
	u.held = append(u.held[:0], u.held[at:]...)
	return n, err
}

// otherwise reports, after the end, that it was not.
func (u *utf8Reader) otherwise() bool { return u.not || len(u.held) > 0 }

// trimPartial cuts off a character that the bound cut in two.
func trimPartial(data []byte) []byte {
	if len(data) < MaxText {
		return data
	}
	for i := 1; i < utf8.UTFMax && i < len(data); i++ {
		if utf8.RuneStart(data[len(data)-i]) {
			return data[:len(data)-i]
		}
	}
	return data
}

// looksBinary reports control characters that no text has among the first bytes.
func looksBinary(data []byte) bool {
	const sample = 4 << 10
	return bytes.ContainsFunc(data[:min(len(data), sample)], func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\v' && r != 0x1b
	})
}
