package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
)

// mustRender renders at a resolution that tells characters apart, and no higher: it renders each of them.
func mustRender(t testing.TB, p *Picture) image.Image {
	t.Helper()
	data, err := p.PNG(150)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// mustNotOverlap checks that no two characters of the picture touch: each drawn alone, their ink adds up to that of all.
func mustNotOverlap(t *testing.T, p *Picture, characters [][]Segment) {
	t.Helper()
	seen := map[image.Point]int{}
	for i, c := range characters {
		img := mustRender(t, &Picture{Width: p.Width, Height: p.Height, Color: p.Color, Segments: c})
		b := img.Bounds()
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				if _, _, _, a := img.At(x, y).RGBA(); a < 0x8000 {
					continue
				}
				if other, taken := seen[image.Pt(x, y)]; taken {
					t.Fatalf("characters %d and %d touch at %d, %d", other, i, x, y)
				}
				seen[image.Pt(x, y)] = i
			}
		}
	}
}

// recorded draws as usual and keeps what each character added.
func recorded(draw func(f Faces) (*Picture, error), f Faces) (*Picture, [][]Segment, error) {
	p, err := draw(f)
	if err != nil {
		return nil, nil, err
	}
	var characters [][]Segment
	for _, span := range p.spans {
		characters = append(characters, p.Segments[span[0]:span[1]])
	}
	return p, characters, nil
}

func TestShapesDoNotOverlap(t *testing.T) {
	set := faces()
	for name, draw := range map[string]func(f Faces) (*Picture, error){
		"round with a number": func(f Faces) (*Picture, error) {
			return Draw(Organisation{Name: "某市某某局办公室", BottomLine: "公文专用章", Number: "5001120012345"}, f)
		},
		"round with a long name and a number": func(f Faces) (*Picture, error) {
			return Draw(Organisation{Name: "某市高新技术产业开发区管理委员会综合办公室", Number: "5001120012345", Diameter: 45}, f)
		},
		"oval": func(f Faces) (*Picture, error) {
			return DrawOval(Oval{Name: "某某市某某科技有限公司", Middle: "91500000MA5U12345X", BottomLine: "合同专用章"}, f)
		},
		"small oval": func(f Faces) (*Picture, error) {
			return DrawOval(Oval{Name: "某某局", BottomLine: "收文专用章", Width: 30, Height: 20}, f)
		},
		"square": func(f Faces) (*Picture, error) {
			return DrawSquare(Square{Text: "某某市人民政府之印", Side: 30}, f)
		},
		"name of three":      func(f Faces) (*Picture, error) { return DrawSquare(Square{Text: "张三丰", Person: true}, f) },
		"name of two":        func(f Faces) (*Picture, error) { return DrawSquare(Square{Text: "张三"}, f) },
		"personal signature": func(f Faces) (*Picture, error) { return DrawSignature(Signature{Name: "欧阳某某"}, f) },
	} {
		t.Run(name, func(t *testing.T) {
			p, characters, err := recorded(draw, set)
			if err != nil {
				t.Fatal(err)
			}
			if len(characters) < 2 {
				t.Fatalf("%d characters", len(characters))
			}
			mustNotOverlap(t, p, append(characters, p.Segments[:p.spans[0][0]]))
			w, h := p.MM()
			if info, err := p.PNG(0); err != nil || len(info) == 0 || w == 0 || h == 0 {
				t.Errorf("%d × %d mm, %v", w, h, err)
			}
		})
	}
}

func TestNameOfThreeBecomesFour(t *testing.T) {
	set := faces()
	count := func(o Square) int {
		p, err := DrawSquare(o, set)
		if err != nil {
			t.Fatal(err)
		}
		return len(p.spans)
	}
	if n := count(Square{Text: "张三丰", Person: true}); n != 4 {
		t.Errorf("a person's seal has %d characters, want 4", n)
	}
	if n := count(Square{Text: "张三丰"}); n != 3 {
		t.Errorf("another seal has %d characters, want 3", n)
	}
}

func TestShapesRefuse(t *testing.T) {
	set := faces()
	long := strings.Repeat("某", 60)
	for name, tt := range map[string]struct {
		draw func() (*Picture, error)
		want error
	}{
		"oval without a name":     {func() (*Picture, error) { return DrawOval(Oval{}, set) }, ErrTooLong},
		"oval with a long name":   {func() (*Picture, error) { return DrawOval(Oval{Name: long}, set) }, ErrTooLong},
		"oval with a long line":   {func() (*Picture, error) { return DrawOval(Oval{Name: "某局", Middle: long}, set) }, ErrTooLong},
		"oval that stands":        {func() (*Picture, error) { return DrawOval(Oval{Name: "某局", Width: 20, Height: 30}, set) }, ErrSize},
		"oval that is small":      {func() (*Picture, error) { return DrawOval(Oval{Name: "某局", Width: 2, Height: 2}, set) }, ErrSize},
		"square without text":     {func() (*Picture, error) { return DrawSquare(Square{}, set) }, ErrTooLong},
		"square with much text":   {func() (*Picture, error) { return DrawSquare(Square{Text: long}, set) }, ErrTooLong},
		"square of another face":  {func() (*Picture, error) { return DrawSquare(Square{Text: "\U0001F600"}, set) }, ErrGlyph},
		"signature without name":  {func() (*Picture, error) { return DrawSignature(Signature{}, set) }, ErrTooLong},
		"signature, not text":     {func() (*Picture, error) { return DrawSignature(Signature{Name: "\xff"}, set) }, ErrTooLong},
		"signature that is large": {func() (*Picture, error) { return DrawSignature(Signature{Name: "张三", Height: 70}, set) }, ErrSize},
		"number that is long": {func() (*Picture, error) {
			return Draw(Organisation{Name: "某局", Number: strings.Repeat("1", 60)}, set)
		}, ErrTooLong},
	} {
		if _, err := tt.draw(); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestRanks(t *testing.T) {
	r := DefaultRanks()
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	if d, err := r.Diameter("province"); err != nil || d != 50 {
		t.Errorf("province: %g, %v", d, err)
	}
	if _, err := r.Diameter("空"); !errors.Is(err, ErrRank) {
		t.Errorf("another rank: %v", err)
	}
	if names := r.Names(); names[0] != "state" || names[len(names)-1] != "township" {
		t.Errorf("%v", names)
	}
	if err := (Ranks{"own": 500}).Validate(); !errors.Is(err, ErrSize) {
		t.Errorf("too large: %v", err)
	}
}

func TestParseRanks(t *testing.T) {
	r, err := ParseRanks([]byte("省级: 50 # 直径，毫米\n县级: 42.5\n"))
	if err != nil || len(r) != 2 || r["县级"] != 42.5 {
		t.Errorf("%v, %v", r, err)
	}
	for text, want := range map[string]error{
		"a: 19": ErrSize, "a: 80.5": ErrSize, "a: .nan": ErrSize, "a: .inf": ErrSize, "a: -42": ErrSize,
		"a: big": ErrRanks, "- 42": ErrRanks, "": ErrRanks, "{}": ErrRanks, "a: 42\na: 45": ErrRanks, "a: 42\n---\nb: 42": ErrRanks,
		"'': 42": ErrRanks, "\"\\n\": 42": ErrRanks, strings.Repeat("级", maxRankName+1) + ": 42": ErrRanks,
		"# " + strings.Repeat("x", MaxRanksFile) + "\na: 42": ErrRanks,
	} {
		if r, err := ParseRanks([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.30q: %v, %v, want %v", text, r, err, want)
		}
	}
	var many strings.Builder
	for i := range maxRanks + 1 {
		fmt.Fprintf(&many, "rank%d: 42\n", i)
	}
	if _, err := ParseRanks([]byte(many.String())); !errors.Is(err, ErrRanks) {
		t.Errorf("too many: %v", err)
	}
}

func FuzzRanks(f *testing.F) {
	for _, seed := range []string{"state: 60\ncounty: 42\n", "a: &b 42\nc: *b", "<<: {a: 42}", "? [a]\n: 42"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRanks(data)
		if err != nil {
			return
		}
		for _, name := range r.Names() {
			if _, err := r.Diameter(name); err != nil {
				t.Error(err)
			}
		}
		if len(r) == 0 || r.Validate() != nil {
			t.Errorf("a table that is not valid was taken: %v", r)
		}
	})
}

// TestNumberReadsFromLeftToRight: the digits along the bottom stand in the reader's order, below the star.
func TestNumberReadsFromLeftToRight(t *testing.T) {
	p := mustDraw(t, Organisation{Name: "某局", Number: "123"})
	digits := p.spans[len([]rune("某局")):]
	last := 0.0
	for _, span := range digits {
		q := p.Segments[span[0]].Points[0]
		if q.X <= last || q.Y < p.Height*3/4 {
			t.Errorf("a digit at %g, %g after one at %g", q.X, q.Y, last)
		}
		last = q.X
	}
}
