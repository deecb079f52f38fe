package document

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Levels of heading marks, and the one that a numbered list takes where the draft gives none.
const (
	maxLevel  = 4
	listLevel = 3 // 1.
)

// Mark is the mark of the n-th paragraph of a level, GB/T 9704-2012 7.3.3: 一、 （一） 1. （1）. Level and n count from 1;
// n is at most 999.
func Mark(level, n int) string {
	switch level {
	case 1:
		return chineseNumber(n) + "、"
	case 2:
		return "（" + chineseNumber(n) + "）"
	case 3:
		return strconv.Itoa(n) + "."
	}
	return "（" + strconv.Itoa(n) + "）"
}

// maxMark is the highest number of a mark.
const maxMark = 999

// chineseNumber writes 1 to 999 as in 十、二十一、一百零五.
func chineseNumber(n int) string {
	digits := []rune("零一二三四五六七八九")
	var b strings.Builder
	if h := n / 100; h > 0 {
		b.WriteRune(digits[h%10])
		b.WriteRune('百')
		if n%100 > 0 && n%100 < 10 {
			b.WriteRune('零')
		}
	}
	if t := n % 100 / 10; t > 0 {
		if t > 1 || n > 100 {
			b.WriteRune(digits[t])
		}
		b.WriteRune('十')
	}
	if o := n % 10; o > 0 || n == 0 {
		b.WriteRune(digits[o])
	}
	return b.String()
}

// list reads {list: […], level: 3}: the items become paragraphs with the marks of the level, counted from 1.
func (r *reader) list(n *yaml.Node, field string) []Paragraph {
	var items []string
	level := listLevel
	r.mapping(n, field, func(key string, value *yaml.Node) bool {
		switch key {
		case "list":
			items = r.texts(value, field+".list")
		case "level":
			level = r.number0(value, field+".level")
			if level < 1 || level > maxLevel {
				r.fault(value, field+".level", "malformed", "want 1 to %d", maxLevel)
				level = listLevel
			}
		default:
			return false
		}
		return true
	})
	if len(items) == 0 || len(items) > maxMark {
		r.fault(n, field+".list", "malformed", "%d items, want 1 to %d", len(items), maxMark)
		return nil
	}
	out := make([]Paragraph, 0, len(items))
	for i, text := range items {
		p := NewParagraph(text)
		switch {
		case p.Text == "":
			r.fault(n, field+".list", "missing", "item %d is empty", i+1)
		case strings.ContainsAny(p.Text, "\n\r"):
			r.fault(n, field+".list", "malformed", "item %d has line breaks", i+1)
		}
		out = append(out, Paragraph{Level: level, Text: Mark(level, i+1) + p.Text})
	}
	return out
}
