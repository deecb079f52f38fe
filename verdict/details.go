package verdict

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

//go:embed details.zh.txt
var chineseDetails string

// detailDepth is how deep a detail may stand inside another and still be put into Chinese.
const detailDepth = 4

// DetailText is a detail of a check or a warning in a language. Details are made in English by whoever checks; a closed list
// puts them into Chinese. What is not in the list, such as the words of the operating system, stays as it is, and so do names
// and numbers.
func DetailText(detail string, l Language) string {
	if l != Chinese {
		return detail
	}
	text, _ := details().chinese(detail, detailDepth)
	return text
}

// saying is a detail with values: the fixed parts around them, the verb of each, and the Chinese text.
type saying struct {
	parts []string
	verbs []byte
	fixed int // letters in the fixed parts
	zh    string
}

// sayings is the list: whole details, and those with values, the longest first.
type sayings struct {
	whole  map[string]string
	valued []saying
}

// details reads the list once: the English format in one line, the Chinese text in the next.
var details = sync.OnceValue(func() *sayings {
	all := &sayings{whole: map[string]string{}}
	english := ""
	for line := range strings.Lines(chineseDetails) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case english == "":
			english = line
		default:
			all.add(english, line)
			english = ""
		}
	}
	slices.SortStableFunc(all.valued, func(a, b saying) int { return b.fixed - a.fixed })
	return all
})

func (all *sayings) add(english, zh string) {
	s := saying{zh: zh}
	var part strings.Builder
	for i := 0; i < len(english); i++ {
		if english[i] != '%' {
			part.WriteByte(english[i])
			continue
		}
		i++
		if english[i] == '%' {
			part.WriteByte('%')
			continue
		}
		for !unicode.IsLetter(rune(english[i])) { // flags, width and precision
			i++
		}
		s.verbs = append(s.verbs, english[i])
		s.parts = append(s.parts, part.String())
		part.Reset()
	}
	s.parts = append(s.parts, part.String())
	if len(s.verbs) == 0 {
		all.whole[s.parts[0]] = zh
		return
	}
	for _, p := range s.parts {
		s.fixed += len(p)
	}
	all.valued = append(all.valued, s)
}

// chinese puts a detail into Chinese, and the details that stand in it; false where nothing of it is in the list.
func (all *sayings) chinese(text string, depth int) (string, bool) {
	if zh, ok := all.whole[text]; ok {
		return zh, true
	}
	if depth == 0 {
		return text, false
	}
	for _, s := range all.valued {
		values, ok := s.match(text)
		if !ok {
			continue
		}
		worded := strings.ContainsFunc(strings.Join(s.parts, ""), unicode.IsLetter)
		pairs := make([]string, 0, 2*len(values))
		for i, v := range values {
			zh, known := all.chinese(v, depth-1)
			worded = worded || known
			pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", zh)
		}
		if worded { // else it is punctuation alone around what is not in the list
			return strings.NewReplacer(pairs...).Replace(s.zh), true
		}
	}
	return text, false
}

// match takes the values out of a text of this form.
func (s saying) match(text string) ([]string, bool) {
	last := len(s.parts) - 1
	rest, front := strings.CutPrefix(text, s.parts[0])
	rest, back := strings.CutSuffix(rest, s.parts[last])
	if !front || !back {
		return nil, false
	}
	values := make([]string, 0, last)
	for _, p := range s.parts[1:last] {
		value, after, found := strings.Cut(rest, p)
		if !found {
			return nil, false
		}
		values, rest = append(values, value), after
	}
	values = append(values, rest)
	for i, v := range values {
		if v == "" || s.verbs[i] == 'd' && strings.Trim(v, "-0123456789") != "" {
			return nil, false
		}
	}
	return values, true
}
