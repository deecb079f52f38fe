// Package render draws pages of OFD packages as SVG and PNG, and reads them back into the page types of document/layout.
//
// It promises that all three come from one reading of the page: templates, layers, page blocks, text with its advances,
// glyph numbers and matrices, paths, pictures, composite objects, draw parameters, clips, gradients, annotations and the
// seals that the caller hands over. Values from the file are parsed as numbers and written as numbers; no text of the file
// reaches an SVG. Depth, numbers of objects and sizes of pictures are bounded by the constants of this package. What could
// not be drawn as the file asks is a [Note], never silence.
//
// It judges nothing, runs no action, loads nothing from outside the package, and does not decode JBIG2.
package render

// Bounds of one page.
const (
	maxDepth      = 16        // nested page blocks, composites, templates
	maxTemplates  = 256       // templates drawn, each as often as it is named
	maxObjects    = 200_000   // graphic objects
	maxTiles      = 50_000    // graphic objects that patterns repeat
	maxPatterns   = 4         // patterns within the cells of patterns
	maxSegments   = 4_000_000 // path segments, glyphs not counted
	maxCharacters = 1_000_000
	maxPixels     = 64 << 20  // of a picture in the file, and of a PNG drawn here
	maxPagePixels = 128 << 20 // of all pictures of a page
	maxKept       = 32 << 20  // bytes of pictures that are kept from page to page
	maxSide       = 20_000    // pixels
)

// DefaultDPI is the resolution of PNG where the caller names none, MaxDPI the highest.
const (
	DefaultDPI = 144
	MaxDPI     = 600
)

// Note says that something is not shown as the file asks.
type Note struct {
	// Code is one of font_substituted, glyph_missing, glyph_substituted, image_not_drawn, object_not_drawn, resource_missing.
	Code   string
	Detail string
}
