package document

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// The marks of the four heading levels, GB/T 9704-2012 7.3.3.
var headingMarks = [...]*regexp.Regexp{
	regexp.MustCompile(`^[一二三四五六七八九十百零]+、`),
	regexp.MustCompile(`^（[一二三四五六七八九十百零]+）`),
	regexp.MustCompile(`^[0-9]{1,3}[.．]`),
	regexp.MustCompile(`^（[0-9]{1,3}）`),
}

// NewParagraph reads one paragraph: space at both ends goes, the text is put in NFC, the heading mark gives the level.
func NewParagraph(text string) Paragraph {
	text = norm.NFC.String(strings.Trim(text, " \t\r\n　"))
	for i, mark := range headingMarks {
		m := mark.FindString(text)
		// 3.5 is an amount, not a mark: a mark is followed by its heading.
		if m != "" && !startsWithDigit(text[len(m):]) {
			return Paragraph{Level: i + 1, Text: text}
		}
	}
	return Paragraph{Text: text}
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// Heading is the part of the paragraph that is set as a heading: up to the first full stop where text goes on behind it,
// all of it where it has none. Plain text has no heading, nor has a numbered sentence that is the whole paragraph, as in
// 一、同意安排经费86.5万元。
func (p Paragraph) Heading() string {
	if p.Level == 0 {
		return ""
	}
	i := strings.Index(p.Text, "。")
	switch {
	case i < 0 && strings.HasSuffix(p.Text, "；"), i >= 0 && i+len("。") == len(p.Text):
		return ""
	case i >= 0:
		return p.Text[:i+len("。")]
	}
	return p.Text
}

// paragraphs cuts text into paragraphs at its line breaks; empty lines do not count.
func paragraphs(text string) []Paragraph {
	var out []Paragraph
	for line := range strings.Lines(text) {
		if p := NewParagraph(line); p.Text != "" {
			out = append(out, p)
		}
	}
	return out
}
