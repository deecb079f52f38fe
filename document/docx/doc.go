// Package docx reads the text of an official document out of a word processor's file: what Word, WPS and LibreOffice write
// as Office Open XML (shaped after ISO/IEC 29500, transitional and strict).
//
// It promises three things. Reading is bounded by the constants of this package, whatever the file claims. Nothing is
// dropped in silence: what the page of an official document has no place for is an [Omission] with its place. And a file
// that bears a classification anywhere, in a header, a comment or hidden text as well, is refused with
// document.ErrClassified before anything is made of it.
//
// Headings become the four levels of GB/T 9704-2012 7.3.3, numbered paragraphs their marks, tables and pictures are
// carried over, and the elements that clerks type around the text (title, 主送, 附件说明, date, 附注, annexes) are taken
// for what they are. Fonts, sizes and spacing are not read: the page has its own. The package does not write files, run
// macros or follow links.
package docx

// Limits of what [Read] reads.
const (
	// MaxFile is the largest file in bytes.
	MaxFile = 64 << 20
	// maxEntries is the largest number of entries in the package, maxName the longest name of one.
	maxEntries = 4096
	maxName    = 255
	// maxXML bounds one XML part, maxTotal all parts that are read together.
	maxXML   = 32 << 20
	maxTotal = 128 << 20
	// maxRatio is the largest expansion of a part; small parts are exempt.
	maxRatio   = 300
	ratioFloor = 1 << 20
	// maxDepth and maxElements bound one XML part.
	maxDepth    = 96
	maxElements = 1_000_000
	// maxOmissions bounds the list of what was not carried over.
	maxOmissions = 1000
	// maxPixels bounds a picture that is converted.
	maxPixels = 25 << 20
)
