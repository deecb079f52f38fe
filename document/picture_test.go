package document_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/document"
)

func pngOf(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withBody puts a list of paragraphs in place of the sound draft's text.
func withBody(items string) []byte {
	return []byte(strings.Replace(sound, "body: 各单位要做好试点工作。\n", "body:\n"+items, 1))
}

func TestListsAndPictures(t *testing.T) {
	d, err := document.Parse(withBody(`  - 现通知如下：
  - list: [甲, 乙]
  - {list: [丙], level: 1}
  - {list: [丁], level: 2}
  - {list: [戊], level: 4}
  - picture: map.png
  - picture: {file: plan.png, width: 80, caption: 图1}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []document.Paragraph{
		{Text: "现通知如下："},
		{Level: 3, Text: "1.甲"},
		{Level: 3, Text: "2.乙"},
		{Level: 1, Text: "一、丙"},
		{Level: 2, Text: "（一）丁"},
		{Level: 4, Text: "（1）戊"},
		{Picture: &document.Picture{File: "map.png"}},
		{Picture: &document.Picture{File: "plan.png", Width: 80, Caption: "图1"}},
	}
	if diff := cmp.Diff(want, d.Body); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"map.png", "plan.png"}, d.Files()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(d.Text(), "图1") {
		t.Error("the caption is not part of the text that is looked at for classifications")
	}
}

func TestMarks(t *testing.T) {
	for _, c := range []struct {
		level, n int
		want     string
	}{
		{1, 1, "一、"},
		{1, 10, "十、"},
		{1, 11, "十一、"},
		{1, 20, "二十、"},
		{1, 35, "三十五、"},
		{1, 100, "一百、"},
		{1, 105, "一百零五、"},
		{1, 110, "一百一十、"},
		{1, 999, "九百九十九、"},
		{2, 12, "（十二）"},
		{3, 999, "999."},
		{4, 7, "（7）"},
	} {
		got := document.Mark(c.level, c.n)
		if got != c.want {
			t.Errorf("mark %d of level %d is %s, want %s", c.n, c.level, got, c.want)
		}
		if p := document.NewParagraph(got + "建设范围"); p.Level != c.level {
			t.Errorf("%s reads back as level %d", p.Text, p.Level)
		}
	}
}

func TestHeadingPart(t *testing.T) {
	for text, want := range map[string]string{
		"一、建设范围": "一、建设范围",
		"（一）统一版式。各单位应当照办。": "（一）统一版式。",
		"一、同意安排经费86.5万元。":  "",
		"二、按期完成；":          "",
		"各单位要做好试点工作":       "",
	} {
		if got := document.NewParagraph(text).Heading(); got != want {
			t.Errorf("heading of %s is %q, want %q", text, got, want)
		}
	}
}

func TestListsAndPicturesThatAreNone(t *testing.T) {
	for name, c := range map[string]struct{ items, field string }{
		"empty list":            {"  - list: []\n", "body[0].list"},
		"list with empty item":  {"  - list: [甲, '']\n", "body[0].list"},
		"level 5":               {"  - {list: [甲], level: 5}\n", "body[0].level"},
		"unknown key of a list": {"  - {list: [甲], start: 5}\n", "body[0].start"},
		"picture without file":  {"  - picture: {caption: 图}\n", "body[0].picture.file"},
		"width of nothing":      {"  - picture: {file: a.png, width: 0}\n", "body[0].picture.width"},
		"width beyond the page": {"  - picture: {file: a.png, width: 157}\n", "body[0].picture.width"},
		"width that is no number": {
			"  - picture: {file: a.png, width: NaN}\n", "body[0].picture.width",
		},
		"picture and table": {"  - {picture: a.png, table: {head: [甲], rows: [[乙]]}}\n", "body[0].picture"},
		"unknown key":       {"  - picture: {file: a.png, heigth: 7}\n", "body[0].picture.heigth"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := document.Parse(withBody(c.items))
			var invalid *document.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want faults", err)
			}
			for _, f := range invalid.Faults {
				if f.Field == c.field {
					return
				}
			}
			t.Errorf("faults %v, want one of %s", invalid.Faults, c.field)
		})
	}
	var classified *document.ClassifiedError
	if _, err := document.Parse(withBody("  - picture: {file: a.png, caption: 机密★5年}\n")); !errors.As(err, &classified) {
		t.Errorf("a classified caption gives %v", err)
	}
}

func TestLoadPictures(t *testing.T) {
	var animated bytes.Buffer
	if err := gif.Encode(&animated, image.NewGray(image.Rect(0, 0, 2, 2)), nil); err != nil {
		t.Fatal(err)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 64, 64)), nil); err != nil {
		t.Fatal(err)
	}
	sound := pngOf(t, 30, 20)
	huge := bytes.Clone(sound) // says that it is 65535 pixels high and wide
	copy(huge[16:], []byte{0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF})
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for name, c := range map[string]struct {
		data []byte
		err  error
		want string
	}{
		"PNG":            {sound, nil, ""},
		"PNG cut off":    {sound[:len(sound)-30], nil, "body[0].picture"},
		"JPEG cut off":   {photo.Bytes()[:photo.Len()-30], nil, "body[0].picture"},
		"GIF":            {animated.Bytes(), nil, "not a picture"},
		"text":           {[]byte("picture"), nil, "not a picture"},
		"too many bytes": {append(bytes.Clone(sound), make([]byte, document.MaxPicture)...), nil, "not a picture"},
		"too large":      {huge, nil, "65535 × 65535 pixels"},
		"no such file":   {nil, fs.ErrNotExist, "not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := document.Parse(withBody("  - picture: a.png\n"))
			if err != nil {
				t.Fatal(err)
			}
			err = d.LoadPictures(func(string) ([]byte, error) { return c.data, c.err })
			switch {
			case err == nil && c.want != "":
				t.Errorf("read without a fault, want %s", c.want)
			case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("the reader's error is lost: %v", err)
			}
		})
	}
}
