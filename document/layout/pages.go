// Package layout sets an official document on A4 pages: the red-head form shaped after GB/T 9704-2012 and
// GB/T 33476.2-2016.
//
// It promises positions: every run of text, rule and picture has its place in millimetres from the page's top left
// corner, and every character its own advance, so that whatever writes the pages (document/ofd, document/pdf) shows the
// same picture. It knows no file format.
package layout

import "yinxin/document/fonts"

// A4 in mm.
const (
	PageWidth  = 210.0
	PageHeight = 297.0
)

// Element names what a run or rule is on the official page; the layout checker and tests find things by it.
type Element string

// Elements of the page.
const (
	CopyNumber    Element = "copy_number"
	Urgency       Element = "urgency"
	RedHead       Element = "red_head"
	Number        Element = "number"
	Approver      Element = "approver"
	RedRule       Element = "red_rule"
	Title         Element = "title"
	To            Element = "to"
	Body          Element = "body"
	AttachmentRef Element = "attachment_note" // 附件说明
	SignedBy      Element = "signed_by"       // 署名
	IssuedOn      Element = "issued_on"       // 成文日期
	OfficeTitle   Element = "office_title"    // 职务 beside a 签名章
	Attending     Element = "attendance"      // 出席, 请假, 列席
	Note          Element = "note"            // 附注
	AnnexLabel    Element = "annex_label"
	AnnexTitle    Element = "annex_title"
	AnnexBody     Element = "annex_body"
	CC            Element = "cc"
	PrintedBy     Element = "printed_by"
	PrintedOn     Element = "printed_on"
	ImprintRule   Element = "imprint_rule" // 版记 rules
	PageNumber    Element = "page_number"
	TableRule     Element = "table_rule"
	Figure        Element = "figure" // a picture in the text
)

// Color is an opaque RGB colour.
type Color struct{ R, G, B uint8 }

// Black and Red are the two colours of an official document; Red is that of the red head and its rule.
func Black() Color { return Color{} }

// Red is #E60012, the colour of the red head and its rule.
func Red() Color { return Color{R: 0xE6, G: 0x00, B: 0x12} }

// Run is a piece of text in one face and size on one baseline.
type Run struct {
	Element Element
	// X, Y is the start of the baseline, mm from the page's top left corner.
	X, Y float64
	// Face draws every character of the run; there is none it lacks. A run that was read back from a file may have none.
	Face *fonts.Face
	// Family is the font's name in the file that a run was read back from; empty in a composed page.
	Family string
	// Size is the em in mm.
	Size  float64
	Color Color
	Text  string
	// Look, Stretch, Sheared and Bold are told of a run that was read back from a file: which face its characters are of,
	// their width as a part of what the face gives them (0 and 1 for all of it), and whether the file asks for type that
	// slants or is heavier than the face.
	Look          Look
	Stretch       float64
	Sheared, Bold bool
	// Advances holds one step in mm for each rune of Text.
	Advances []float64
}

// Width is the sum of the advances in mm.
func (r *Run) Width() float64 {
	w := 0.0
	for _, a := range r.Advances {
		w += a
	}
	return w
}

// Rule is a straight line, horizontal or not, mm from the page's top left corner.
type Rule struct {
	Element        Element
	X1, Y1, X2, Y2 float64
	// Width is the line's thickness in mm.
	Width float64
	Color Color
}

// Picture is a picture upright on a page, mm from the page's top left corner.
type Picture struct {
	Element             Element
	X, Y, Width, Height float64
	// Format is png or jpeg, Data the file. A picture that was read back from a page has neither.
	Format string
	Data   []byte
}

// Look says which of the faces of an official document a font is.
type Look struct {
	// Roles are those that the face serves; none for a face that is not known.
	Roles []fonts.Role
	// StandIn is the family of a face that is none of the official ones; empty for one of those.
	StandIn string
}

// Unseen is text that a file puts on a page and that no eye reads there as it stands.
type Unseen struct {
	// Why is colour, covered, clipped, outside, invisible, turned, sideways, glyph, unknown or part: of those a third or more
	// is covered or cut away, and they are read all the same.
	Why  string
	Text string
	X, Y float64
}

// Page is one page: its runs in reading order, its rules and its pictures.
type Page struct {
	Width, Height float64
	Runs          []Run
	Rules         []Rule
	Pictures      []Picture
	// Unseen is found on a page that was read back from a file alone.
	Unseen []Unseen
}

// Spot is a place for a seal: the page counted from 0 and the centre in mm from its top left corner.
type Spot struct {
	Page     int
	X, Y     float64
	Diameter float64
}

// Warning says that the page is not quite what the author asked for.
type Warning struct {
	// Code is a closed list: face_substituted, character_substituted, glyph_missing, halfwidth_punctuation,
	// title_break, number_meets_approvers, number_meets_labels, red_head_small, joint_red_head, joint_seals_split,
	// seal_without_text, first_page_without_text.
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Pages is a laid-out document.
type Pages struct {
	Pages []Page
	// SealSpot is where the issuer's own seal goes (落款处): the first of SealSpots; nil where the document bears none.
	SealSpot *Spot
	// SealSpots are the places of all seals, the issuer's first, then those of the joint issuers in their order.
	SealSpots []Spot
	Warnings  []Warning
}
