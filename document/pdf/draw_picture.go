// Browsers verify and draw nothing into a PDF: what the writer brings along stays out of the verifier there.
//go:build !js

package pdf

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"

	"yinxin/crypto/gm"
	"yinxin/document/layout"
)

// picture puts a picture on the page; one that occurs twice is stored once.
func (d *drawing) picture(p layout.Picture) error {
	sum := gm.SM3(p.Data)
	name := hex.EncodeToString(sum[:])
	if !d.pictures[name] {
		format, data, err := plainPicture(p)
		if err != nil {
			return fmt.Errorf("picture: %w", err)
		}
		d.addPicture(name, format, data)
		d.pictures[name] = true
	}
	d.place(name, p)
	return d.pdf.Error()
}

// plainPicture is the picture in a form that the library writes without surprises: a JPEG in gray or YCbCr as it is,
// anything else as a PNG of eight bits on white, without a palette, gamma or lines out of order.
func plainPicture(p layout.Picture) (format string, data []byte, err error) {
	var img image.Image
	switch p.Format {
	case "jpeg":
		if img, err = jpeg.Decode(bytes.NewReader(p.Data)); err != nil {
			return "", nil, err
		}
		switch img.(type) {
		case *image.Gray, *image.YCbCr:
			return "JPG", p.Data, nil
		}
	case "png":
		if img, err = png.Decode(bytes.NewReader(p.Data)); err != nil {
			return "", nil, err
		}
	default:
		return "", nil, errors.New("neither PNG nor JPEG")
	}
	flat := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Over)
	var out bytes.Buffer
	if err := png.Encode(&out, flat); err != nil {
		return "", nil, err
	}
	return "PNG", out.Bytes(), nil
}
