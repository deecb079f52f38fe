package fonts

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestEmbeddedFacesCoverGB2312(t *testing.T) {
	set := Embedded()
	const sample = "国务院办公厅关于印发通知的一〇〔2026〕号，。、；：？！“”‘’（）《》—…·喆堃𬭎Az09-"
	for role := XiaoBiaoSong; role <= Song; role++ {
		f, err := set.Face(role)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range sample {
			if !f.Has(r) {
				t.Errorf("%s lacks %c", f.Family(), r)
			}
		}
		if a, _ := f.Advance('国'); a != 1 {
			t.Errorf("%s: 国 is %v em wide, want 1", f.Family(), a)
		}
		if top := f.EmTop(); top < 0.8 || top > 0.95 {
			t.Errorf("%s: em top %v", f.Family(), top)
		}
	}
}

func TestSubsetKeepsShapesAndMetrics(t *testing.T) {
	set := Embedded()
	chars := []rune("云溪市人民政府0123é〔〕国𬭎")
	for role := XiaoBiaoSong; role <= Song; role++ {
		f, err := set.Face(role)
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.Subset(chars)
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.Subset(append(chars, chars...))
		if err != nil || string(again) != string(data) {
			t.Fatalf("%s: subset depends on the order or count of its characters (%v)", f.Family(), err)
		}
		sub, err := Parse(role, f.Family(), f.Official(), data)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range chars {
			want, err := f.Outline(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sub.Outline(r)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Segments) != len(want.Segments) || got.Advance != want.Advance {
				t.Errorf("%s: %c changed in the subset", f.Family(), r)
				continue
			}
			for i := range want.Segments {
				if got.Segments[i] != want.Segments[i] {
					t.Errorf("%s: %c segment %d changed in the subset", f.Family(), r, i)
					break
				}
			}
		}
		if !sub.Has('府') || !sub.Has('𬭎') || sub.Has('院') {
			t.Errorf("%s: subset holds more or less than asked for", f.Family())
		}
	}
}

func TestMissingCharacters(t *testing.T) {
	set := Embedded()
	f, err := set.Face(Kai)
	if err != nil {
		t.Fatal(err)
	}
	const rare = '𠀀' // U+20000, which no official list knows
	if f.Has(rare) {
		t.Fatalf("%U is in the face; the test wants a missing one", rare)
	}
	if _, err := f.Outline(rare); !errors.Is(err, ErrNoGlyph) {
		t.Errorf("outline of a missing character: %v", err)
	}
	if _, err := f.Subset([]rune{'国', rare}); !errors.Is(err, ErrNoGlyph) {
		t.Errorf("subset with a missing character: %v", err)
	}
	if got := set.Missing("王𠀀\n王𠀀"); len(got) != 1 || got[0] != rare {
		t.Errorf("missing %q, want the one rare character", string(got))
	}
	if got, ok := set.Resolve(Kai, '﹏'); !ok || got.Family() == f.Family() {
		t.Errorf("﹏ is not taken from another face")
	}
}

// TestFilesAreThoseOfTheirList compares the committed files with the list that the packaging wrote.
func TestFilesAreThoseOfTheirList(t *testing.T) {
	list, err := os.ReadFile("data/sha256sums")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(list))
	if len(lines) != 8 {
		t.Fatalf("list of %d words", len(lines))
	}
	for i := 0; i < len(lines); i += 2 {
		data, err := os.ReadFile("data/" + lines[i+1])
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != lines[i] {
			t.Errorf("%s has digest %s, the list says %s", lines[i+1], got, lines[i])
		}
	}
	licences, err := Licences()
	if err != nil || strings.Count(licences, "SIL OPEN FONT LICENSE") < 2 {
		t.Errorf("licences: %d bytes, %v", len(licences), err)
	}
}

func TestParseRefuses(t *testing.T) {
	set := Embedded()
	f, err := set.Face(Hei)
	if err != nil {
		t.Fatal(err)
	}
	whole := f.TTF()
	tests := []struct {
		name string
		data []byte
	}{
		{"empty", nil},
		{"collection", append([]byte("ttcf"), whole[4:]...)},
		{"CFF outlines", append([]byte("OTTO"), whole[4:]...)},
		{"cut off", whole[:len(whole)/2]},
		{"header alone", whole[:12]},
	}
	for _, tt := range tests {
		if _, err := Parse(Hei, "x", "黑体", tt.data); !errors.Is(err, ErrNotTrueType) {
			t.Errorf("%s: %v, want ErrNotTrueType", tt.name, err)
		}
	}
	if _, err := Parse(Hei, "x", "黑体", whole); err != nil {
		t.Errorf("the whole file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	set := Embedded()
	face, err := set.Face(Kai)
	if err != nil {
		f.Fatal(err)
	}
	small, err := face.Subset([]rune("国é"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small)
	f.Add(small[:200])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		got, err := Parse(Kai, "fuzz", "楷体", data)
		if err != nil {
			return
		}
		for _, r := range "国é" {
			if _, err := got.Outline(r); err != nil {
				continue
			}
			if _, err := got.Subset([]rune{r}); err != nil {
				continue
			}
		}
	})
}

func BenchmarkLoadFace(b *testing.B) {
	for b.Loop() {
		if _, err := Embedded().Face(Kai); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSubset(b *testing.B) {
	f, err := Embedded().Face(Kai)
	if err != nil {
		b.Fatal(err)
	}
	chars := []rune("国务院办公厅关于印发通知的一二三四五六七八九十县市区人民政府各部门")
	for b.Loop() {
		if _, err := f.Subset(chars); err != nil {
			b.Fatal(err)
		}
	}
}
