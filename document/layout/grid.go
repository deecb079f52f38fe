package layout

// The type area (版心) of GB/T 9704-2012 5.2 and the line grid of GB/T 33476.2, in mm.
const (
	areaLeft   = 28.0
	areaTop    = 37.0
	areaWidth  = 156.0
	areaHeight = 225.0
	areaRight  = areaLeft + areaWidth
	areaBottom = areaTop + areaHeight

	charsPerLine = 28
	linesPerPage = 22
	// cell is 一字, the width of one body character.
	cell = areaWidth / charsPerLine
	// pitch is 一行: the height of a 3号 character and 7/8 of it.
	pitch = 10.39
)

// Places on the first page, mm.
const (
	redHeadTop     = areaTop + 35        // upper edge of the red head's ink
	redHeadLargest = 15.0                // em; shrinks to fit the type area
	redRuleGap     = 4.0                 // from the number to the red rule
	redRuleWidth   = 0.5                 // thickness
	twoLines       = 2 * pitch           // 空二行
	oneLine        = pitch               // 空一行
	titlePitch     = size2 + 7.0/8*size3 // a title line with the body's leading
	titleMeasure   = areaWidth - cell    // nineteen characters
)

// The 版记 and the page number, mm.
const (
	imprintOuter = 0.35 // thickness of its first and last rule
	imprintInner = 0.25
	imprintRow   = 8.0 // height of a row of 4号 text between rules
	imprintPitch = 7.2 // between lines of one row
	imprintGap   = 4.0 // kept free above it
	// A long list is set closer, so that the 版记 stays on its page.
	imprintCloser  = 6.4
	imprintClosest = 5.7
	pageNumberGap  = 7.0 // from the type area to the upper edge of the dashes
)

// Seal over the signature, mm.
const (
	sealLift  = 5.0 // the seal's centre above the middle of the date, so that it presses both lines in its lower half
	leastSeal = 0.0 // least distance of the seal's edge below the text above
)
