package office

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"yinxin/document"
)

var tag = regexp.MustCompile(`<[^<>]*>`)

// checkReading looks at the text as it stands and as its format would show it.
func checkReading(where, text string) error {
	views := []string{text}
	head := strings.TrimSpace(text[:min(len(text), 512)])
	switch {
	case strings.HasPrefix(head, "{") || strings.HasPrefix(head, "["):
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			if err := document.CheckJSON(where, v); err != nil {
				return err
			}
		} // and as it stands: of two equal keys only one was read
	case strings.HasPrefix(head, `{\rtf`):
	case strings.HasPrefix(head, "<"):
		if err := checkMarkup(where, text); err != nil {
			return err
		}
	}
	if strings.HasPrefix(head, `{\rtf`) {
		views = append(views, rtfText(text))
	}
	if strings.Contains(text, "<") {
		views = append(views, html.UnescapeString(tag.ReplaceAllString(text, "\n")), html.UnescapeString(tag.ReplaceAllString(text, "")))
	}
	for _, view := range views {
		if err := checkText(where, view); err != nil {
			return err
		}
	}
	return checkTable(where, text)
}

// checkTable reads comma, tab and semicolon separated values: a column headed 密级, or a cell 密级 beside its value.
func checkTable(where, text string) error {
	for _, comma := range []rune{',', '\t', ';', '|'} {
		if !strings.ContainsRune(text, comma) {
			continue
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = comma, true, -1, true
		var header []string
		for {
			row, err := r.Read()
			if err != nil {
				break // the end, or no table from here on
			}
			if header != nil && classifiedRow(header, row) {
				return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
			}
			if header == nil {
				header = append([]string{}, row...)
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
