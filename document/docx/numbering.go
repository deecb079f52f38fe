package docx

import (
	"strconv"
	"strings"

	"yinxin/document"
)

// level is one level of a numbered list.
type level struct {
	start  int
	format string
	text   string // with %1 for the number of the first level and so on
}

const maxListLevels = 9

// numbering counts the paragraphs of numbered lists.
type numbering struct {
	lists    map[string]*list // by w:numId
	abstract map[string]*[maxListLevels]level
	counts   map[string]*[maxListLevels]int // by abstract list, as word processors count
}

type list struct {
	abstract string
	levels   *[maxListLevels]level
	// restarts are the levels that this list begins anew, until it has.
	restarts map[int]int
}

func readNumbering(root *node) *numbering {
	n := &numbering{
		lists: make(map[string]*list), abstract: make(map[string]*[maxListLevels]level), counts: make(map[string]*[maxListLevels]int),
	}
	for _, a := range root.all("w:abstractNum") {
		var levels [maxListLevels]level
		for _, l := range a.all("w:lvl") {
			if i, ok := index(l.attr("w:ilvl")); ok {
				levels[i] = readLevel(l)
			}
		}
		n.abstract[a.attr("w:abstractNumId")] = &levels
	}
	for _, x := range root.all("w:num") {
		id := x.val("w:abstractNumId")
		levels := n.abstract[id]
		if levels == nil {
			continue
		}
		l := &list{abstract: id, levels: levels, restarts: make(map[int]int)}
		for _, o := range x.all("w:lvlOverride") {
			i, ok := index(o.attr("w:ilvl"))
			if !ok {
				continue
			}
			if own := o.child("w:lvl"); own != nil {
				changed := *l.levels
				changed[i] = readLevel(own)
				l.levels = &changed
			}
			if start, err := strconv.Atoi(o.val("w:startOverride")); err == nil {
				l.restarts[i] = start
			}
		}
		n.lists[x.attr("w:numId")] = l
	}
	return n
}

func index(s string) (int, bool) {
	i, err := strconv.Atoi(s)
	return i, err == nil && i >= 0 && i < maxListLevels
}

func readLevel(l *node) level {
	out := level{start: 1, format: l.val("w:numFmt"), text: l.val("w:lvlText")}
	if v, err := strconv.Atoi(l.val("w:start")); err == nil {
		out.start = v
	}
	return out
}

// next counts a paragraph of a list on and gives its mark. bullet says that the list has marks without numbers; ok is
// false where there is no such list.
func (n *numbering) next(numID, ilvl string) (mark string, bullet, ok bool) {
	l := n.lists[numID]
	if l == nil {
		return "", false, false
	}
	at, valid := index(ilvl)
	if !valid {
		at = 0
	}
	counts := n.counts[l.abstract]
	if counts == nil {
		counts = new([maxListLevels]int)
		for i := range counts {
			counts[i] = l.levels[i].start - 1
		}
		n.counts[l.abstract] = counts
	}
	for i, start := range l.restarts {
		counts[i] = start - 1
		delete(l.restarts, i)
	}
	counts[at]++
	for i := at + 1; i < maxListLevels; i++ {
		counts[i] = l.levels[i].start - 1
	}
	lv := l.levels[at]
	switch lv.format {
	case "bullet":
		return "", true, true
	case "none":
		return "", false, true
	}
	mark = lv.text
	for i := at; i >= 0; i-- {
		mark = strings.ReplaceAll(mark, "%"+strconv.Itoa(i+1), number(l.levels[i].format, max(counts[i], 1)))
	}
	return official(mark), false, true
}

// number writes n in a format of w:numFmt; one that official documents do not use becomes Arabic.
func number(format string, n int) string {
	switch format {
	case "chineseCounting", "chineseCountingThousand", "japaneseCounting", "ideographDigital", "taiwaneseCounting", "taiwaneseCountingThousand":
		if n > 0 && n < 1000 {
			return strings.TrimSuffix(document.Mark(1, n), "、")
		}
	case "decimalEnclosedCircle", "decimalEnclosedCircleChinese":
		if n > 0 && n <= 20 {
			return string('①' + rune(n-1))
		}
	case "lowerLetter":
		if n > 0 && n <= 26 {
			return string('a' + rune(n-1))
		}
	case "upperLetter":
		if n > 0 && n <= 26 {
			return string('A' + rune(n-1))
		}
	}
	return strconv.Itoa(n)
}

// official writes a mark with the brackets of an official document, and parts 第一条 from its text.
func official(mark string) string {
	mark = strings.TrimSpace(strings.NewReplacer("(", "（", ")", "）", "．", ".").Replace(mark))
	if strings.HasPrefix(mark, "第") {
		mark += "　"
	}
	return mark
}
