package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // recognised as a seal picture
	_ "image/jpeg" // recognised as a seal picture
	_ "image/png"  // recognised as a seal picture
	"strings"
)

// MaxPixels bounds a picture from outside.
const MaxPixels = 16 << 20

// ErrPicture: the picture from outside cannot be used.
var ErrPicture = errors.New("picture: not usable as a seal")

// Info says what a picture from outside is.
type Info struct {
	// Type is the name that a seal gives it: PNG, JPG or GIF.
	Type string
	// Width and Height in pixels.
	Width, Height int
	// Transparent says that some pixels let the page show through. Without it a seal hides the text below.
	Transparent bool
}

// Examine reads a picture from outside and says what it is. It refuses, with ErrPicture, what cannot be read, is too
// large or is empty.
func Examine(data []byte) (Info, error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > MaxPixels/c.Height {
		return Info{}, fmt.Errorf("%w: %d × %d pixels", ErrPicture, c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	info := Info{Type: strings.ToUpper(format), Width: c.Width, Height: c.Height}
	if info.Type == "JPEG" {
		info.Type = "JPG"
	}
	if o, ok := img.(interface{ Opaque() bool }); ok {
		info.Transparent = !o.Opaque()
	}
	return info, nil
}
