package pdf

import (
	"errors"
	"io"

	"yinxin/document"
	"yinxin/document/layout"
)

// Draw writes the pages as a PDF, the courtesy copy of the OFD: the same runs at the same places, as text that can be
// copied. Characters above U+FFFF are drawn as shapes. The same input gives the same bytes.
func Draw(w io.Writer, p *layout.Pages, m document.Metadata) error {
	return errors.New("not yet built")
}
