package document

// Document is a draft that can be laid out: its metadata and its text.
type Document struct {
	Metadata
	// TitleLines are the lines the author broke the title into; empty where the composer may choose.
	TitleLines []string
	// Body is the 正文, paragraph by paragraph.
	Body []Paragraph
	// Annexes are the printed annexes, in the order of the 附件说明.
	Annexes []Annex
	// Signature says what stands under the text.
	Signature SignatureBlock
}

// Paragraph is one paragraph of the body.
type Paragraph struct {
	// Level is the depth of its heading mark: 1 一、 2 （一） 3 1. 4 （1）; 0 for plain text.
	Level int
	// Text is the whole paragraph, mark included, without line breaks.
	Text string
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
)

// DefaultSealDiameter in mm is taken where the draft does not say how large the office's seal is.
const DefaultSealDiameter = 42

// SignatureBlock says what stands under the text.
type SignatureBlock struct {
	Form SignatureForm
	// SealDiameter in mm of the seal that will press name and date; the block leaves it room.
	SealDiameter float64
}
