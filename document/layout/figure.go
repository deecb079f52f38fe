package layout

import (
	"math"

	"yinxin/document"
	"yinxin/document/fonts"
)

// Pictures in the text, mm. GB/T 9704-2012 says nothing of them: they stand in the middle of the type area and take whole
// lines, so that the text below keeps its grid.
const (
	pixelsPerInch = 96.0 // of a picture that is given no width, as word processors take it
	figureGap     = 2.0  // below a picture
)

// figure is a picture, ready to be set.
type figure struct {
	Picture
	// height is that of the picture with the gap above the line that follows.
	height, lines float64
}

// pictureLines sets a picture and, centred below it and on its page, the caption.
func (c *composer) pictureLines(el Element, p *document.Picture) ([]flowLine, error) {
	c.set.warnHalfWidth(p.Caption)
	g, err := c.set.glyphs(p.Caption, body(fonts.FangSong))
	if err != nil {
		return nil, err
	}
	caption := breakLines(g, areaWidth, 0, 0)
	f, err := newFigure(p, areaHeight-figureGap-float64(len(caption))*pitch)
	if err != nil {
		return nil, err
	}
	out := []flowLine{{element: el, picture: f, keep: len(caption) > 0}}
	for i, l := range caption {
		l.indent, l.last = (areaWidth-l.width())/2, true
		out = append(out, flowLine{line: l, element: el, keep: i+1 < len(caption)})
	}
	return out, nil
}

// newFigure sizes a picture: as wide as the draft says or as its pixels are, no wider than the type area and no higher
// than room.
func newFigure(p *document.Picture, room float64) (*figure, error) {
	format, wide, high, err := p.Size()
	if err != nil {
		return nil, err
	}
	width := p.Width
	if width == 0 {
		width = float64(wide) / pixelsPerInch * 25.4
	}
	width = min(width, areaWidth)
	height := width * float64(high) / float64(wide)
	if height > room {
		width, height = width*room/height, room
	}
	f := &figure{Picture: Picture{Element: Figure, Width: width, Height: height, Format: format, Data: p.Data}}
	f.height = height + figureGap
	f.lines = math.Ceil((f.height - 0.01) / pitch)
	return f, nil
}

func (c *composer) putFigure(f *figure, y float64) {
	p := f.Picture
	p.X, p.Y = areaLeft+(areaWidth-p.Width)/2, y+(f.lines*pitch-f.height)/2
	page := &c.pages[len(c.pages)-1]
	page.Pictures = append(page.Pictures, p)
	c.low = max(c.low, p.Y+f.height)
}
