package docx

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // formats of pictures that are converted
	"image/png"
	"path"
	"strconv"
	"strings"

	_ "golang.org/x/image/bmp"  // another
	_ "golang.org/x/image/tiff" // the last

	"yinxin/document"
)

// emuPerMM are the units of DrawingML in a millimetre.
const emuPerMM = 36000

// drawing reads a picture, and notes what is none: shapes, text boxes, charts, embedded objects.
func (p *paragraph) drawing(n *node) error {
	left := p.body.left
	if box := n.find("w:txbxContent"); box != nil {
		var text strings.Builder
		box.plainText(&text)
		p.leave(n, "text_box", "a text box: %.60q", strings.Join(strings.Fields(text.String()), " "))
		return nil
	}
	if n.name == "w:object" {
		p.leave(n, "embedded_object", "an embedded object")
		return nil
	}
	if art := n.find("v:textpath").attr("string"); art != "" {
		p.leave(n, "text_box", "a text drawn as a picture: %.60q", art)
		return nil
	}
	id := n.find("a:blip").attr("r:embed")
	if id == "" {
		id = n.find("v:imagedata").attr("r:id")
	}
	if id == "" {
		p.leave(n, "embedded_object", "a drawing that is no picture")
		return nil
	}
	picture, err := p.body.picture(id, p.place)
	if err != nil || picture == nil {
		return err
	}
	if anchor := n.child("wp:anchor"); anchor != nil {
		left.add("floating_picture", p.place, "it stands below its paragraph")
	}
	if cx, err := strconv.ParseFloat(n.find("wp:extent").attr("cx"), 64); err == nil {
		const least, most = 5, 156 // mm
		picture.Width = min(max(cx/emuPerMM, least), most)
	}
	p.pictures = append(p.pictures, picture)
	return nil
}

// picture reads a picture of the package; nil where it cannot be carried over, which is noted.
func (r *body) picture(id, place string) (*document.Picture, error) {
	rel, ok := r.rels[id]
	if !ok || rel.external || !r.file.has(rel.target) {
		r.left.add("picture_missing", place, "the picture is not in the file")
		return nil, nil //nolint:nilnil // noted, and no fault of the file
	}
	data, err := r.file.read(rel.target, document.MaxPicture)
	if err != nil {
		return nil, err
	}
	picture := &document.Picture{File: path.Base(rel.target), Data: data}
	if picture.Check() == nil {
		return picture, nil
	}
	picture.Data, err = converted(data)
	if err != nil {
		r.left.add("picture_format", place, "%s: %v", picture.File, err)
		return nil, nil //nolint:nilnil // noted, and no fault of the file
	}
	picture.File = strings.TrimSuffix(picture.File, path.Ext(picture.File)) + ".png"
	return picture, nil
}

// converted makes a PNG of a picture in another format.
func converted(data []byte) ([]byte, error) {
	conf, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case errors.Is(err, image.ErrFormat):
		return nil, errors.New("a format that cannot be carried over; use PNG or JPEG")
	case err != nil:
		return nil, err
	case conf.Width < 1 || conf.Height < 1 || conf.Width > maxPixels/conf.Height:
		return nil, fmt.Errorf("%d × %d pixels", conf.Width, conf.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", format, err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
