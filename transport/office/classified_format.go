package office

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"yinxin/document"
)

// withoutTags puts something else in the place of every tag.
func withoutTags(text, instead string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			break
		}
		end := strings.IndexAny(text[open+1:], "<>")
		if end < 0 {
			break
		}
		end += open + 1
		if text[end] == '<' { // that one may begin a tag, this one does not
			out.WriteString(text[:end])
			text = text[end:]
			continue
		}
		out.WriteString(text[:open] + instead)
		text = text[end+1:]
	}
	out.WriteString(text)
	return out.String()
}

// reading is how a text is read by its format, window after window.
type reading struct {
	begun       bool
	rtf, markup bool
	// headers are the first rows, by the character that separates cells.
	headers map[rune][]string
}

// check looks at a window of a text as it stands and as its format would show it.
func (f *reading) check(where, text string) error {
	if !f.begun {
		head := strings.TrimSpace(text[:min(len(text), 512)])
		f.begun, f.rtf, f.markup, f.headers = true, strings.HasPrefix(head, `{\rtf`), strings.HasPrefix(head, "<"), map[rune][]string{}
	}
	if f.markup {
		if err := checkMarkup(where, text); err != nil {
			return err
		}
	}
	if err := checkText(where, text); err != nil {
		return err
	}
	if f.rtf {
		if err := checkText(where, rtfText(text)); err != nil {
			return err
		}
	}
	if strings.Contains(text, "<") {
		for _, instead := range []string{"\n", ""} {
			if err := checkText(where, html.UnescapeString(withoutTags(text, instead))); err != nil {
				return err
			}
		}
	}
	return f.checkTable(where, text)
}

// checkJSON looks at the names and values of a JSON text as they come, as far as it is one. Of two equal keys both are read.
func checkJSON(where string, r io.Reader) error {
	in := bufio.NewReader(r)
	if head, _ := in.Peek(512); !bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && !bytes.HasPrefix(bytes.TrimSpace(head), []byte("[")) {
		return nil
	}
	d := json.NewDecoder(in)
	var object []bool // of what is open, whether it is an object
	key, named := "", false
	for {
		t, err := d.Token()
		if err != nil {
			return nil //nolint:nilerr // the end, or no JSON from here on; the text itself is looked at anyway
		}
		inObject := len(object) > 0 && object[len(object)-1]
		if name, ok := t.(string); ok && inObject && !named {
			key, named = name, true
			continue
		}
		value := any(t)
		delim, structured := t.(json.Delim)
		switch {
		case structured && (delim == '}' || delim == ']'):
			object, named = object[:len(object)-1], false
			continue
		case structured:
			object, value = append(object, delim == '{'), []any{}
		}
		if named {
			value = map[string]any{key: value}
		}
		if err := document.CheckJSON(where, value); err != nil {
			return err
		}
		named = false
	}
}

// checkTable reads comma, tab and semicolon separated values: a column headed 密级, or a cell 密级 beside its value.
func (f *reading) checkTable(where, text string) error {
	for _, comma := range []rune{',', '\t', ';', '|'} {
		if !strings.ContainsRune(text, comma) {
			continue
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = comma, true, -1, true
		for {
			row, err := r.Read()
			if err != nil {
				break // the end, or no table from here on
			}
			if header, there := f.headers[comma]; !there {
				f.headers[comma] = append([]string{}, row...)
			} else if classifiedRow(header, row) {
				return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
			}
			for i := 1; i < len(row); i++ {
				if !document.ClassifiedElementNamed(row[i-1], "x") {
					continue
				}
				if err := checkText(where, row[i-1]+row[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// classifiedRow reports a value under a heading that is a 密级.
func classifiedRow(header, row []string) bool {
	if len(header) != len(row) {
		return false
	}
	for i := range header {
		const longestHeading = 36 // bytes: a heading, no sentence
		if len(header[i]) <= longestHeading && document.ClassifiedElementNamed(header[i], row[i]) {
			return true
		}
	}
	return false
}

var rtfToken = regexp.MustCompile(`\\'([0-9a-fA-F]{2})|\\u(-?[0-9]{1,6}) ?(?:\\'[0-9a-fA-F]{2}|\?)*|\\(par|line|cell|row|tab)[^a-zA-Z]|\\[a-zA-Z]+-?[0-9]* ?|\\[^a-zA-Z]|[{}\r\n]`)

// rtfText is the text of rich text: escapes in GB 18030 and Unicode decoded, control words left out.
func rtfText(text string) string {
	var out strings.Builder
	var pending []byte
	flush := func() {
		if len(pending) > 0 {
			s, _ := simplifiedchinese.GB18030.NewDecoder().Bytes(pending)
			out.Write(s)
			pending = nil
		}
	}
	last := 0
	for _, at := range rtfToken.FindAllStringSubmatchIndex(text, -1) {
		if at[0] > last {
			flush()
			out.WriteString(text[last:at[0]])
		}
		last = at[1]
		switch {
		case at[2] >= 0:
			b, _ := strconv.ParseUint(text[at[2]:at[3]], 16, 8)
			pending = append(pending, byte(b))
		case at[4] >= 0:
			flush()
			n, _ := strconv.Atoi(text[at[4]:at[5]])
			fmt.Fprintf(&out, "%c", rune(uint16(n)))
		case at[6] >= 0:
			flush()
			out.WriteByte('\n')
			last = at[7] // what ended the word is text, or the next escape
		}
	}
	flush()
	out.WriteString(text[last:])
	return out.String()
}
