package layout

import (
	"errors"

	"yinxin/document"
	"yinxin/document/fonts"
)

// Compose lays d out. The document must be valid (document.Validate); what cannot be shown exactly is a warning.
func Compose(d *document.Document, faces *fonts.Set) (*Pages, error) {
	return nil, errors.New("not yet built")
}
