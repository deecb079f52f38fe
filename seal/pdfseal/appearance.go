package pdfseal

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strconv"
	"strings"

	"yinxin/document/pdf"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

const (
	mmToPoint = 72 / 25.4
	// inkAlpha and inkBlend lay the seal over black text so that the text stays readable.
	inkAlpha = 0.9
	inkBlend = pdf.Name("Multiply")
)

// picture is a seal picture taken apart for a PDF image: 8-bit RGB, and alpha.
type picture struct {
	w, h       int
	rgb, alpha []byte
}

// decodePicture reads PNG, JPEG and GIF, and refuses what has too many pixels before reading them.
func decodePicture(p ses.Picture) (*picture, error) {
	var config func(io.Reader) (image.Config, error)
	var decode func(io.Reader) (image.Image, error)
	switch strings.ToUpper(p.Type) {
	case "PNG":
		config, decode = png.DecodeConfig, png.Decode
	case "JPG", "JPEG":
		config, decode = jpeg.DecodeConfig, jpeg.Decode
	case "GIF":
		config, decode = gif.DecodeConfig, gif.Decode // its first picture
	default:
		return nil, fmt.Errorf("%w: type %q", ErrPicture, p.Type)
	}
	c, err := config(bytes.NewReader(p.Data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MaxPixels || c.Height > MaxPixels || c.Width*c.Height > MaxPixels {
		return nil, fmt.Errorf("%w: %d by %d pixels", ErrPicture, c.Width, c.Height)
	}
	img, err := decode(bytes.NewReader(p.Data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	return split(img), nil
}

// split takes colour and alpha apart. A pixel that does not show is white, so that no hidden picture is carried along.
func split(img image.Image) *picture {
	b := img.Bounds()
	p := &picture{w: b.Dx(), h: b.Dy()}
	p.rgb, p.alpha = make([]byte, 0, p.w*p.h*3), make([]byte, 0, p.w*p.h)
	straight, fast := img.(*image.NRGBA)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			var c color.NRGBA
			if fast {
				c = straight.NRGBAAt(x, y)
			} else {
				c, _ = color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			}
			if c.A == 0 {
				c = color.NRGBA{R: 255, G: 255, B: 255}
			}
			p.rgb = append(p.rgb, c.R, c.G, c.B)
			p.alpha = append(p.alpha, c.A)
		}
	}
	return p
}

// appearance is the form XObject that shows the seal on a page turned by rotate, its streams not compressed and nested
// in place of references. It depends on the seal and the turn alone, so that a verifier can draw it again.
func appearance(s *ses.Seal, rotate int) (*pdf.Stream, error) {
	p, err := decodePicture(s.Info.Picture)
	if err != nil {
		return nil, err
	}
	gray := func(space pdf.Name, data []byte) *pdf.Stream {
		return &pdf.Stream{Dict: pdf.Dict{
			"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Image"), "ColorSpace": space,
			"Width": int64(p.w), "Height": int64(p.h), "BitsPerComponent": int64(8),
		}, Raw: data}
	}
	img := gray("DeviceRGB", p.rgb)
	img.Dict["SMask"] = gray("DeviceGray", p.alpha)
	w, h := float64(s.Info.Picture.Width)*mmToPoint, float64(s.Info.Picture.Height)*mmToPoint
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }
	return &pdf.Stream{
		Dict: pdf.Dict{
			"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "FormType": int64(1),
			"BBox":   pdf.Array{int64(0), int64(0), rounded(w), rounded(h)},
			"Matrix": matrix(rotate),
			"Resources": pdf.Dict{
				"ExtGState": pdf.Dict{"G0": pdf.Dict{"Type": pdf.Name("ExtGState"), "BM": inkBlend, "ca": inkAlpha}},
				"XObject":   pdf.Dict{"I0": img},
			},
		},
		Raw: []byte("q /G0 gs " + number(w) + " 0 0 " + number(h) + " 0 0 cm /I0 Do Q"),
	}, nil
}

// rounded keeps a number that is written and read back the same.
func rounded(x float64) float64 {
	f, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 3, 64), 64)
	return f
}

// matrix turns the picture so that it stands upright on a page that is displayed turned.
func matrix(rotate int) pdf.Array {
	m := map[int][4]int64{0: {1, 0, 0, 1}, 90: {0, 1, -1, 0}, 180: {-1, 0, 0, -1}, 270: {0, -1, 1, 0}}[rotate]
	return pdf.Array{m[0], m[1], m[2], m[3], int64(0), int64(0)}
}

// place puts the appearance into an update: streams compressed and as objects of their own.
func place(u *pdf.Update, s *pdf.Stream) (pdf.Ref, error) {
	dict, err := placeAll(u, s.Dict)
	if err != nil {
		return pdf.Ref{}, err
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(s.Raw); err != nil {
		return pdf.Ref{}, fmt.Errorf("compress appearance: %w", err)
	}
	if err := z.Close(); err != nil {
		return pdf.Ref{}, fmt.Errorf("compress appearance: %w", err)
	}
	dict["Filter"] = pdf.Name("FlateDecode")
	return u.Add(&pdf.Stream{Dict: dict, Raw: b.Bytes()}), nil
}

func placeAll(u *pdf.Update, d pdf.Dict) (pdf.Dict, error) {
	out := pdf.Dict{}
	for k, v := range d {
		var err error
		switch x := v.(type) {
		case *pdf.Stream:
			v, err = place(u, x)
		case pdf.Dict:
			v, err = placeAll(u, x)
		}
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

// shows says whether an object of the file is, references followed and streams decoded, the wanted appearance.
func shows(v *pdf.View, got, want pdf.Object) (bool, error) {
	got, err := v.Resolve(got)
	if err != nil {
		return false, err
	}
	switch w := want.(type) {
	case *pdf.Stream:
		g, ok := got.(*pdf.Stream)
		if !ok {
			return false, nil
		}
		data, err := pdf.Decode(g, len(w.Raw))
		if err != nil || !bytes.Equal(data, w.Raw) {
			return false, nil //nolint:nilerr // what does not decode does not show the seal
		}
		dict := pdf.Dict{}
		for k, o := range g.Dict {
			if k != "Filter" && k != "DecodeParms" && k != "Length" {
				dict[k] = o
			}
		}
		return shows(v, dict, w.Dict)
	case pdf.Dict:
		g, ok := got.(pdf.Dict)
		if !ok || len(g) != len(w) {
			return false, nil
		}
		for k := range w {
			if same, err := shows(v, g[k], w[k]); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	if g, ok := pdf.Number(got); ok {
		w, isNumber := pdf.Number(want)
		return isNumber && g == w, nil
	}
	if g, ok := got.(pdf.Array); ok {
		w, isArray := want.(pdf.Array)
		if !isArray || len(g) != len(w) {
			return false, nil
		}
		for i := range w {
			if same, err := shows(v, g[i], w[i]); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	return pdf.Equal(got, want), nil
}

// judgeAppearance compares what the field shows with the seal's picture. A field that shows nothing passes: it claims
// nothing to the eye.
func judgeAppearance(v *pdf.View, field pdf.Dict, s *ses.Seal) verdict.Check {
	const name = verdict.CheckSealMatch
	ap, err := v.Dict(field["AP"])
	if err != nil {
		return verdict.Fail(name, verdict.SealMismatch, "the appearance cannot be read: %v", err)
	}
	if ap == nil {
		return verdict.Pass(name)
	}
	rotate, err := pageTurn(v, field)
	if err != nil {
		return verdict.Fail(name, verdict.SealMismatch, "the page of the seal cannot be found: %v", err)
	}
	want, err := appearance(s, rotate)
	if err != nil {
		return verdict.Unknown(name, verdict.UnsupportedFormat, "the seal's picture cannot be drawn: %v", err)
	}
	same, err := shows(v, ap["N"], want)
	if err != nil || !same || len(ap) != 1 {
		return verdict.Fail(name, verdict.SealMismatch, "what shows is not the picture of seal %s", s.Info.SealID)
	}
	return verdict.Pass(name)
}

// pageTurn returns the turn of the page that a field's widget stands on.
func pageTurn(v *pdf.View, field pdf.Dict) (int, error) {
	pages, err := v.Pages()
	if err != nil {
		return 0, err
	}
	for _, p := range pages {
		if p.Ref == field["P"] {
			return p.Rotate, nil
		}
	}
	return 0, fmt.Errorf("no page %v", field["P"])
}
