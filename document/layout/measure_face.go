package layout

import (
	"slices"
	"strings"

	"yinxin/document"
	"yinxin/document/fonts"
)

// official are the names of the faces that the standard asks for.
func official(role fonts.Role) string {
	return [...]string{fonts.XiaoBiaoSong: "小标宋", fonts.FangSong: "仿宋", fonts.Hei: "黑体", fonts.Kai: "楷体", fonts.Song: "宋体"}[role]
}

// lookOf is the face of a run: as it was read back, or, on a composed page, that of the set.
func lookOf(r *Run) (look Look, told bool) {
	switch {
	case len(r.Look.Roles) > 0:
		return r.Look, true
	case r.Family != "":
		return Look{StandIn: r.Family}, true
	case r.Face != nil:
		look.Roles = []fonts.Role{r.Face.Role()}
		if r.Face.Family() != r.Face.Official() {
			look.StandIn = r.Face.Family()
		}
		return look, true
	}
	return look, false
}

// typefaces compares the faces of every element with those of GB/T 9704-2012 5.2.2 and 7. A face of another kind is a
// fault; one that stands in for the right one, and one that is not known, is a warning.
func (c *checker) typefaces() {
	one := func(p *piece) []piece {
		if p == nil {
			return nil
		}
		return []piece{*p}
	}
	c.face(RedHead, c.head, fonts.XiaoBiaoSong)
	c.face(Title, c.titles, fonts.XiaoBiaoSong)
	c.face(Number, one(c.numberAt), fonts.FangSong)
	c.face(Urgency, one(c.urgent), fonts.Hei)
	c.face(To, c.to, fonts.FangSong)
	c.textFaces(Body, c.body)
	c.face(AttachmentRef, c.notes, fonts.FangSong)
	c.face(SignedBy, c.names, fonts.FangSong)
	c.face(IssuedOn, one(c.date), fonts.FangSong)
	c.face(Note, one(c.remark), fonts.FangSong)
	c.face(CC, c.imprints, fonts.FangSong)
	c.approverFaces()
	c.annexFaces()
	for page := range c.pieces {
		c.face(PageNumber, slices.DeleteFunc(slices.Clone(c.pieces[page]), func(p piece) bool {
			return !pageNumberText.MatchString(p.text) || p.top < textFoot-2*oneRow
		}), fonts.Song)
	}
}

// face judges whole pieces.
func (c *checker) face(el Element, list []piece, want fonts.Role) {
	for _, p := range list {
		c.faceOf(el, p.page, p.marks, want)
	}
}

// textFaces judges running text: headings of the first level in 黑体, of the second in 楷体, all else in 仿宋 (7.3.3).
func (c *checker) textFaces(el Element, lines []piece) {
	for from := 0; from < len(lines); {
		to := from + 1
		for to < len(lines) && !indented(lines[to]) {
			to++
		}
		var marks []mark
		var text strings.Builder
		for _, p := range lines[from:to] {
			marks = append(marks, p.marks...)
			text.WriteString(p.text)
		}
		p := document.NewParagraph(text.String())
		heading := min(len([]rune(p.Heading())), len(marks))
		c.faceOf(el, lines[from].page, marks[:heading], headingFace(p.Level))
		c.faceOf(el, lines[from].page, marks[heading:], fonts.FangSong)
		from = to
	}
}

func (c *checker) approverFaces() {
	for _, p := range c.approve {
		label := 0
		if strings.HasPrefix(p.text, "签发人") {
			label = min(len([]rune("签发人：")), len(p.marks))
		}
		c.faceOf(Approver, p.page, p.marks[:label], fonts.FangSong)
		c.faceOf(Approver, p.page, p.marks[label:], fonts.Kai)
	}
	for _, p := range c.people {
		label := len([]rune(peopleText.FindString(p.text)))
		c.faceOf(Attending, p.page, p.marks[:label], fonts.Hei)
		c.faceOf(Attending, p.page, p.marks[label:], fonts.FangSong)
	}
}

func (c *checker) annexFaces() {
	for page := range c.sheets {
		if !c.startsAnnex(page) {
			continue
		}
		list := c.pieces[page]
		c.face(AnnexLabel, list[:1], fonts.Hei)
		for _, p := range list[1:] {
			if p.size <= 1.2*c.bodySize {
				break
			}
			c.faceOf(AnnexTitle, page, p.marks, fonts.XiaoBiaoSong)
		}
	}
}

// faceOf judges a stretch of text by what most of its characters are set in: a rare character may be taken from elsewhere.
func (c *checker) faceOf(el Element, page int, marks []mark, want fonts.Role) {
	wrong, unknown, told := 0, 0, 0
	standIn, text := "", ""
	for _, m := range marks {
		look, ok := lookOf(m.run)
		if !ok {
			continue
		}
		told++
		text += string(m.r)
		switch {
		case len(look.Roles) == 0:
			unknown++
			standIn = look.StandIn
		case slices.Contains(look.Roles, want), servesFor(look.Roles, want):
			if look.StandIn != "" || !slices.Contains(look.Roles, want) {
				standIn = look.StandIn
			}
		default:
			wrong++
		}
	}
	switch {
	case told == 0:
	case 2*wrong >= told && el == RedHead: // the standard recommends its face
		c.warn("face_substituted", "%s: another face", official(want))
	case 2*wrong >= told:
		c.wording(false, page, el, "face", "5.2.2", text+": not in "+official(want))
	case standIn != "" || 2*unknown > told:
		c.warn("face_substituted", "%s: %s", official(want), standIn)
	}
}

// servesFor reports whether a face is taken for another where that one is not at hand: 楷体 for 仿宋, which no free licence
// offers to programs.
func servesFor(roles []fonts.Role, want fonts.Role) bool {
	return want == fonts.FangSong && slices.Contains(roles, fonts.Kai)
}
