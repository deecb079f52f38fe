// Package fonts holds the typefaces that yinxin lays documents out with: licensed stand-ins for the official ones,
// subset, compressed and embedded.
//
// It promises that nothing is decompressed before a face is asked for, that a face's metrics, outlines and subsets come
// from one and the same file, and that a missing character is an error or a fallback, never a panic. It does not shape
// text beyond one glyph a character.
package fonts

//go:generate packaging/build.sh

// Role is what a face is for on the official page.
type Role int

// The roles of GB/T 9704-2012.
const (
	XiaoBiaoSong Role = iota // 小标宋: title and red head
	FangSong                 // 仿宋: body
	Hei                      // 黑体: labels, headings of level 1
	Kai                      // 楷体: headings of level 2, 签发人's name
	Song                     // 宋体: page numbers, characters of seals
)

// Op is the kind of a path segment.
type Op uint8

// Path segment kinds; the number of points used is 1, 1, 2, 3.
const (
	MoveTo Op = iota
	LineTo
	QuadTo
	CubeTo
)

// Point is in font units, x to the right, y DOWN as on the page, the baseline at y = 0.
type Point struct{ X, Y float64 }

// Segment is one step of an outline. Contours are closed implicitly before each MoveTo and at the end.
type Segment struct {
	Op     Op
	Points [3]Point
}

// Outline is the shape of one character.
type Outline struct {
	Segments []Segment
	// Advance is the distance to the next character, in font units.
	Advance float64
}
