package document

import (
	"fmt"
	"strings"
)

// Document is a draft that can be laid out: its metadata and its text.
type Document struct {
	Metadata
	// TitleLines are the lines the author broke the title into; empty where the composer may choose.
	TitleLines []string
	// Body is the 正文, paragraph by paragraph.
	Body []Paragraph
	// Annexes are the printed annexes, in the order of the 附件说明.
	Annexes []Annex
	// Form is the page form; empty for the usual one of the kind, see PageForm.
	Form Form
	// Attendance are the lists of people that minutes print below the text.
	Attendance []Attendance
	// Signature says what stands under the text.
	Signature SignatureBlock
	// Remarks are what Parse put right in the author's input; see also Advise.
	Remarks []Remark
}

// Paragraph is one paragraph of the body.
type Paragraph struct {
	// Level is the depth of its heading mark: 1 一、 2 （一） 3 1. 4 （1）; 0 for plain text.
	Level int
	// Text is the whole paragraph, mark included, without line breaks; empty for a table and a picture.
	Text string
	// Table stands in place of a text; nil for a paragraph.
	Table *Table
	// Picture stands in place of a text; nil for a paragraph.
	Picture *Picture
}

// Annex is an annex (附件) that is printed behind the text, on pages of its own.
type Annex struct {
	// Number counts the lines of the 附件说明 from 1.
	Number int
	Title  string
	Body   []Paragraph
}

// SignatureForm says how the document is signed at its end.
type SignatureForm string

// The forms of GB/T 9704-2012 7.3.5.
const (
	SignatureSeal SignatureForm = "seal" // name and date under the office's seal
	SignatureNone SignatureForm = "none" // name and date without a seal
	// SignatureStamp is the 签名章 of a person beside the office title.
	SignatureStamp SignatureForm = "stamp"
	// SignatureOmitted prints nothing: minutes bear issuer and date at their head.
	SignatureOmitted SignatureForm = "omitted"
)

// Seal diameters in mm: what is taken where the draft is silent, and what a draft may say.
const (
	DefaultSealDiameter = 42
	defaultStampSize    = 20 // of a 签名章
	minSealDiameter     = 20
	maxSealDiameter     = 70
)

// SignatureBlock says what stands under the text.
type SignatureBlock struct {
	Form SignatureForm
	// SealDiameter in mm of the seal that will press name and date; the block leaves it room. A joint document has one
	// such seal for each office, a 签名章 is this high and wide.
	SealDiameter float64
	// OfficeTitle is the 职务 printed beside a 签名章.
	OfficeTitle string
}

// Remark is something an author should know that does not stop the document.
type Remark struct {
	// Code is snake_case: number_converted, direction_unusual, request_copied, approved_after_issued,
	// metadata_incomplete.
	Code   string `json:"code"`
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Identifier is the document's 标识: Metadata.ID where the draft gives one, else made of the issuer's code and the
// number, which together never occur twice (one counter per 代字 and year).
func (m *Metadata) Identifier() string {
	if m.ID != "" {
		return m.ID
	}
	agency, year := m.Number.Agency, m.Number.Year
	if agency == "" {
		agency, year = m.Kind.String(), m.IssuedOn.Year
	}
	return fmt.Sprintf("%s-%s-%04d-%d", m.Issuer.Code, agency, year, m.Number.Serial)
}

// Text is everything the document prints, for checks that look at all of it; pieces are separated by line breaks.
func (d *Document) Text() string {
	var b strings.Builder
	put := func(texts ...string) {
		for _, t := range texts {
			b.WriteString(t)
			b.WriteByte('\n')
		}
	}
	put(d.RedHead, d.Number.String(), d.Title, d.Issuer.Name, d.Note, d.PrintedBy)
	put(d.Approvers...)
	put(d.Signature.OfficeTitle)
	for _, a := range d.Attendance {
		put(a.Label)
		put(a.Names...)
	}
	for _, list := range [][]Office{d.JointIssuers, d.To, d.CC} {
		for _, o := range list {
			put(o.Name)
		}
	}
	putAll := func(list []Paragraph) {
		for _, p := range list {
			put(p.Text)
			if p.Picture != nil {
				put(p.Picture.File, p.Picture.Caption)
			}
			if p.Table != nil {
				put(p.Table.Caption)
				put(p.Table.Head...)
				for _, row := range p.Table.Rows {
					put(row...)
				}
			}
		}
	}
	putAll(d.Body)
	for _, a := range d.Attachments {
		put(a.Title)
	}
	for _, a := range d.Annexes {
		put(a.Title)
		putAll(a.Body)
	}
	return b.String()
}
