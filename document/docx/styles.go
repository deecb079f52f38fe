package docx

import (
	"regexp"
	"strconv"
	"strings"
)

// style is what matters of a paragraph style, what it is based on included.
type style struct {
	name    string
	outline int // 0 to 8; -1 for body text
	align   string
	numID   string
	numLvl  string
	hidden  bool
}

// styles are the paragraph styles by their ids.
type styles struct {
	nodes map[string]*node
	done  map[string]style
	// usual is the style of a paragraph that names none.
	usual string
}

func readStyles(root *node) *styles {
	s := &styles{nodes: make(map[string]*node), done: make(map[string]style)}
	for _, n := range root.all("w:style") {
		if n.attr("w:type") != "paragraph" {
			continue
		}
		s.nodes[n.attr("w:styleId")] = n
		if d := n.attr("w:default"); d == "1" || d == "true" || d == "on" {
			s.usual = n.attr("w:styleId")
		}
	}
	return s
}

// headingName is the name of a heading style in the languages that Word and WPS write for Chinese offices.
var headingName = regexp.MustCompile(`(?i)^(?:heading|标题)\s*([1-9])$`)

func (s *styles) get(id string) style { return s.resolve(id, 0) }

func (s *styles) resolve(id string, depth int) style {
	if id == "" {
		id = s.usual
	}
	if st, ok := s.done[id]; ok {
		return st
	}
	n := s.nodes[id]
	const deepest = 20 // a style that is based on itself ends here
	if n == nil || depth > deepest {
		return style{outline: -1}
	}
	st := style{outline: -1}
	if based := n.val("w:basedOn"); based != "" && based != id {
		st = s.resolve(based, depth+1)
	}
	st.name = n.val("w:name")
	st.inherit(n.child("w:pPr"))
	if m := headingName.FindStringSubmatch(st.name); m != nil && st.outline < 0 {
		st.outline, _ = strconv.Atoi(m[1])
		st.outline--
	}
	if n.child("w:rPr").on("w:vanish") {
		st.hidden = true
	}
	s.done[id] = st
	return st
}

// inherit takes over what paragraph properties state.
func (st *style) inherit(p *node) {
	if p == nil {
		return
	}
	if v := p.val("w:outlineLvl"); v != "" {
		st.outline = -1
		if n, err := strconv.Atoi(v); err == nil && n >= 0 && n < 9 {
			st.outline = n
		}
	}
	if v := p.val("w:jc"); v != "" {
		st.align = v
	}
	if num := p.child("w:numPr"); num != nil {
		if v := num.val("w:numId"); v != "" {
			st.numID = v
		}
		if v := num.val("w:ilvl"); v != "" {
			st.numLvl = v
		}
	}
}

func (st *style) isTitle() bool {
	switch strings.ToLower(st.name) {
	case "title", "标题":
		return true
	}
	return false
}

func (st *style) isCaption() bool {
	switch strings.ToLower(st.name) {
	case "caption", "题注":
		return true
	}
	return false
}
